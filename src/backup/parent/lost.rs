//! What of the parent snapshot is not in the repository any more: it is stored anew, as far as the
//! source still has it.
//!
//! A backup takes for granted that all of its parent is there. After a repair that is not so: what
//! could not be mended is absent. And somebody may have removed packs by hand: a machine remembers
//! which there were, so a listing tells. Then a backup looks at every object of its parent.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::format::entry::Content;
use crate::format::entry::Extent;
use crate::format::object::Ref;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::open::CachedNodes;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::reader::TreeReader;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::vault::Vault;
use crate::vault::names::Place;
use crate::vault::whole::Presence;

/// Packs and their lengths; sorted.
pub(in crate::backup) type Packs = Vec<(PackId, u64)>;

/// What a backup has looked at before it relies on its parent.
#[derive(Debug)]
pub(in crate::backup) struct Looked {
    /// What of the parent is not there; none where nothing is in doubt.
    pub lost: Option<BTreeSet<Sid>>,
    /// What there is now.
    pub packs: Packs,
}

/// What a listing shows, before it is known whether it matters.
#[derive(Debug)]
pub(in crate::backup) struct Seen {
    packs: Packs,
    is_repaired: bool,
}

/// Looks which packs there are, and whether a repair came after the newest snapshot.
pub(in crate::backup) fn see(
    run: &Run,
    vault: &Vault,
    newest: Option<&Place>,
) -> Result<Seen, RepositoryError> {
    let (packs, is_repaired) =
        vault.both(|| vault.packs(run), || vault.is_repaired_since(run, newest));
    Ok(Seen { packs: packs?, is_repaired: is_repaired? })
}

/// Looks whether packs are gone since the last backup, or a repair came after it; and only then
/// whether all of the parent is there.
pub(in crate::backup) fn look(
    run: &Run,
    nodes: &CachedNodes<'_>,
    parent: Option<&Ref>,
    Seen { packs, is_repaired }: Seen,
) -> Result<Looked, RepositoryError> {
    let vault = nodes.repository.vault();
    let Some(root) = parent else { return Ok(Looked { lost: None, packs }) };
    let known = nodes.cache.map(|cache| &cache.head.packs);
    let is_here = |pack| packs.binary_search(pack).is_ok();
    // A prune removes packs too; after it no table names them any more.
    let is_gone =
        !known.is_some_and(|known| known.iter().all(is_here)) && vault.lacks_packs(run)?;
    if !is_repaired && !is_gone {
        return Ok(Looked { lost: None, packs });
    }
    // Objects that are lost are told by whoever reads them; here they are mended.
    let lost = find(&run.unwatched(), nodes, root)?;
    if is_gone && !is_repaired && !lost.is_empty() {
        let message = "a pack is gone or cut short that no prune has removed; what the source \
                       still has of it is stored anew";
        run.problem(&Problem::healable("packs/", message));
    }
    Ok(Looked { lost: Some(lost), packs })
}

/// Objects, leaves and maps of a tree that are not as often in the repository as they should be.
fn find(run: &Run, nodes: &CachedNodes<'_>, root: &Ref) -> Result<BTreeSet<Sid>, RepositoryError> {
    let mut looking = Looking { run, nodes, lost: BTreeSet::new() };
    for leaf in TreeReader::new(run, nodes, root, &SnapshotPath::root()) {
        let leaf = match leaf {
            Ok(leaf) => leaf,
            Err(RepositoryError::Stopped(stopped)) => return Err(stopped.into()),
            // Its files are read again in any case.
            Err(_) => continue,
        };
        looking.look(&leaf.node.sid)?;
        for entry in &leaf.entries {
            run.check()?;
            looking.content(&entry.content)?;
        }
    }
    Ok(looking.lost)
}

struct Looking<'a> {
    run: &'a Run,
    nodes: &'a CachedNodes<'a>,
    lost: BTreeSet<Sid>,
}

impl Looking<'_> {
    /// Whether it is there.
    fn look(&mut self, sid: &Sid) -> Result<bool, RepositoryError> {
        let is_whole = self.nodes.repository.vault().presence(self.run, sid)? == Presence::Whole;
        if !is_whole {
            self.lost.insert(*sid);
        }
        Ok(is_whole)
    }

    fn content(&mut self, content: &Content) -> Result<(), RepositoryError> {
        match content {
            Content::None => {}
            Content::Slice { bundle, .. } => {
                self.look(&bundle.sid)?;
            }
            Content::Extents { extents, .. } => {
                for extent in extents {
                    self.extent(extent)?;
                }
            }
            Content::Map { root, .. } => self.map(root)?,
        }
        Ok(())
    }

    fn extent(&mut self, extent: &Extent) -> Result<bool, RepositoryError> {
        match extent {
            Extent::Chunk { chunk, .. } => self.look(&chunk.sid),
            Extent::Hole { .. } => Ok(true),
        }
    }

    /// A map stands for all that is below it: one that lacks something is made again.
    fn map(&mut self, root: &Arc<Ref>) -> Result<(), RepositoryError> {
        let mut is_whole = self.look(&root.sid)?;
        // Not from the cache: what is only there is lost.
        for extent in MapReader::new(self.run, self.nodes.repository, root) {
            self.run.check()?;
            match extent {
                Ok(extent) => is_whole &= self.extent(&extent)?,
                Err(_) => is_whole = false,
            }
        }
        if !is_whole {
            self.lost.insert(root.sid);
        }
        Ok(())
    }
}
