//! Trees, node by node: what they need, and later what is lost.

use std::sync::Arc;

use crate::format::branch::decode_branch;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::leaf::decode::decode_leaf;
use crate::format::map::decode_map;
use crate::format::map::decode_map_branch;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::SnapshotId;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::repository::tree::NodeSource;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::reader::TreeReader;
use crate::run::Run;
use crate::run::monitor::Count;

use super::Report;
use super::lose;
use super::needs::Needs;
use super::needs::Part;

/// Walks everything below `root` that was not walked before. A node that cannot be read is lost and
/// the walk goes on beside it.
pub(super) fn collect(
    run: &Run,
    repository: &Repository,
    root: &Ref,
    (needs, report): (&mut Needs, &mut Report),
) -> Result<(), RepositoryError> {
    let mut stack = vec![(root.clone(), ObjectKind::Branch)];
    while let Some((node, kind)) = stack.pop() {
        run.check()?;
        if !needs.add_node(&node, kind) {
            continue;
        }
        report.nodes_count += 1;
        let children = match repository.node(run, &node, kind) {
            Ok((raw, sids)) => read(&raw, &sids, kind, (needs, report)),
            Err(error @ RepositoryError::Stopped(_)) => return Err(error),
            Err(error) => Err(error),
        };
        match children {
            Ok(children) => stack.extend(children),
            Err(error) => {
                tracing::debug!(%error, "a node is lost");
                report.lost_objects.insert(node.sid);
            }
        }
    }
    Ok(())
}

type Children = Vec<(Ref, ObjectKind)>;

fn read(
    raw: &[u8],
    sids: &[crate::ids::Sid],
    kind: ObjectKind,
    (needs, report): (&mut Needs, &mut Report),
) -> Result<Children, RepositoryError> {
    let owned = |node: &Arc<Ref>| Ref::clone(node);
    match kind {
        ObjectKind::Branch => {
            let branch = decode_branch(raw, sids)?;
            let below = if branch.level == 1 { ObjectKind::Leaf } else { ObjectKind::Branch };
            Ok(branch.children.iter().map(|child| (owned(&child.node), below)).collect())
        }
        ObjectKind::MapBranch => {
            let branch = decode_map_branch(raw, sids)?;
            let below = if branch.level == 1 { ObjectKind::Map } else { ObjectKind::MapBranch };
            Ok(branch.children.iter().map(|(node, _)| (owned(node), below)).collect())
        }
        ObjectKind::Map => {
            decode_map(raw, sids)?.iter().for_each(|extent| add_extent(needs, extent));
            Ok(Vec::new())
        }
        _ => {
            let entries = decode_leaf(raw, sids)?;
            report.entries_count += entries.len() as u64;
            let mut maps = Vec::new();
            for entry in &entries {
                match &entry.content {
                    Content::None => {}
                    Content::Slice { bundle, offset, len, digest } => {
                        let part = Part { offset: *offset, len: *len, digest: *digest };
                        needs.add_data(bundle, ObjectKind::Bundle, part);
                    }
                    Content::Extents { extents, .. } => {
                        extents.iter().for_each(|extent| add_extent(needs, extent));
                    }
                    Content::Map { root, .. } => maps.push((owned(root), ObjectKind::MapBranch)),
                }
            }
            Ok(maps)
        }
    }
}

fn add_extent(needs: &mut Needs, extent: &Extent) {
    if let Extent::Chunk { chunk, digest } = extent {
        let part = Part { offset: 0, len: chunk.raw_len, digest: *digest };
        needs.add_data(chunk, ObjectKind::Chunk, part);
    }
}

/// Names the files of one snapshot that lost objects take with them.
pub(super) fn name_losses(
    run: &Run,
    repository: &Repository,
    (snapshot, root): (SnapshotId, &Ref),
    report: &mut Report,
) -> Result<(), RepositoryError> {
    if report.lost_objects.contains(&root.sid) {
        lose(run, report, (snapshot, None), "the root of its tree is lost");
        return Ok(());
    }
    let everything = SnapshotPath::root();
    for leaf in TreeReader::new(run, repository, root, &everything) {
        let leaf = match leaf {
            Ok(leaf) => leaf,
            Err(error @ RepositoryError::Stopped(_)) => return Err(error),
            Err(error) => {
                let why = format!("a part of its tree is lost: {error}");
                lose(run, report, (snapshot, None), &why);
                continue;
            }
        };
        for entry in leaf.entries {
            run.count(Count::EntriesDone, 1);
            if is_lost(run, repository, &entry, report)? {
                let why = "objects that hold its content are lost";
                lose(run, report, (snapshot, Some(entry.path)), why);
            }
        }
    }
    Ok(())
}

fn is_lost(
    run: &Run,
    repository: &Repository,
    entry: &Entry,
    report: &Report,
) -> Result<bool, RepositoryError> {
    let lost = |extent: &Extent| match extent {
        Extent::Hole { .. } => false,
        Extent::Chunk { chunk, .. } => report.lost_objects.contains(&chunk.sid),
    };
    Ok(match &entry.content {
        Content::None => false,
        Content::Slice { bundle, .. } => report.lost_objects.contains(&bundle.sid),
        Content::Extents { extents, .. } => extents.iter().any(lost),
        Content::Map { root, .. } => {
            for extent in MapReader::new(run, repository, root) {
                match extent {
                    Ok(extent) if lost(&extent) => return Ok(true),
                    Ok(_) => {}
                    Err(error @ RepositoryError::Stopped(_)) => return Err(error),
                    Err(_) => return Ok(true),
                }
            }
            false
        }
    })
}
