//! What the last copy of a chain was made of, so that the next one need not read it again.
//!
//! A snapshot and its copy have the same entries in the same order; so the objects of the one are
//! those of the other. It is only a shortcut: where the two do not go together it ends.

use std::sync::Arc;

use crate::copy::error::CopyError;
use crate::copy::reseal::Resealing;
use crate::copy::reseal::objects::Objects;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::Ref;
use crate::path::SnapshotPath;
use crate::repository::open::Repository;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::reader::TreeReader;
use crate::run::Run;

pub(super) fn learn(
    run: &Run,
    resealing: &Resealing<'_>,
    (from, to): (&Ref, &Ref),
    objects: &mut Objects,
) -> Result<(), CopyError> {
    let quiet = run.unwatched();
    let (source, target) = (resealing.source.repository, resealing.target.repository);
    let olds = entries(&quiet, source, from);
    let news = entries(&quiet, target, to);
    for (old, new) in olds.zip(news) {
        run.check()?;
        if old.path != new.path || old.content.digest() != new.content.digest() {
            break;
        }
        match (old.content, new.content) {
            (Content::Slice { bundle: old, .. }, Content::Slice { bundle: new, .. }) => {
                objects.learn(old.sid, new);
            }
            (Content::Extents { extents: old, .. }, Content::Extents { extents: new, .. }) => {
                extents(old.into_iter().zip(new), objects);
            }
            (Content::Map { root: old, .. }, Content::Map { root: new, .. }) => {
                let olds = MapReader::new(&quiet, source, &old).map_while(Result::ok);
                let news = MapReader::new(&quiet, target, &new).map_while(Result::ok);
                extents(olds.zip(news), objects);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Entries up to the first node that cannot be read.
fn entries<'a>(
    run: &'a Run,
    repository: &'a Repository,
    root: &Ref,
) -> impl Iterator<Item = Entry> + 'a {
    let leaves = TreeReader::new(run, repository, root, &SnapshotPath::root());
    leaves.map_while(Result::ok).flat_map(|leaf| leaf.entries)
}

fn extents(pairs: impl Iterator<Item = (Extent, Extent)>, objects: &mut Objects) {
    for (old, new) in pairs {
        if let (
            Extent::Chunk { chunk: old, digest: before },
            Extent::Chunk { chunk: new, digest: after },
        ) = (old, new)
            && before == after
        {
            objects.learn(old.sid, Arc::clone(&new));
        }
    }
}
