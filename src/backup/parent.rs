//! The parent snapshot as a stream beside the walk.

pub mod lost;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::Ref;
use crate::ids::Sid;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSource;
use crate::repository::tree::reader::TreeReader;
use crate::repository::tree::writer::ParentLeaf;
use crate::run::Run;
use crate::units::Timestamp;

/// Times this close to the start of the parent's scan are not trusted: the coarsest usual time
/// stamps (FAT) count two seconds (borg #3536).
const YOUNG_MS: i64 = 2_000;

/// What a backup needs to know of the snapshot before it.
#[derive(Debug, Clone)]
pub struct ParentTree {
    pub root: Ref,
    /// When its scan began.
    pub started: Timestamp,
    /// Bundles whose files are to be gathered anew; leaves, maps and objects that are lost.
    pub decayed: BTreeSet<Sid>,
}

/// An entry of the parent with its place.
#[derive(Debug)]
pub(super) struct ParentEntry {
    pub(super) entry: Entry,
    pub(super) leaf: Arc<ParentLeaf>,
    pub(super) at: usize,
}

/// Gives the parent's entries in path order.
pub(super) struct ParentCursor<'a> {
    leaves: Option<TreeReader<'a>>,
    current: std::iter::Enumerate<std::vec::IntoIter<Entry>>,
    leaf: Option<Arc<ParentLeaf>>,
    ahead: Option<ParentEntry>,
    tree: Option<&'a ParentTree>,
}

impl<'a> ParentCursor<'a> {
    pub(super) fn new(
        run: &'a Run,
        source: &'a dyn NodeSource,
        tree: Option<&'a ParentTree>,
    ) -> Self {
        let reader =
            |tree: &ParentTree| TreeReader::new(run, source, &tree.root, &SnapshotPath::root());
        Self {
            leaves: tree.map(reader),
            current: Vec::new().into_iter().enumerate(),
            leaf: None,
            ahead: None,
            tree,
        }
    }

    fn advance(&mut self) -> Result<Option<ParentEntry>, RepositoryError> {
        loop {
            if let (Some((at, entry)), Some(leaf)) = (self.current.next(), &self.leaf) {
                return Ok(Some(ParentEntry { entry, leaf: Arc::clone(leaf), at }));
            }
            let Some(leaf) = self.leaves.as_mut().and_then(Iterator::next) else {
                return Ok(None);
            };
            // A node of the parent that cannot be read only costs: its files are read again.
            match leaf {
                Ok(leaf) => {
                    let is_lost = self.tree.is_some_and(|it| it.decayed.contains(&leaf.node.sid));
                    // One that is lost is never complete, so that it is written again.
                    let entries_count = if is_lost { usize::MAX } else { leaf.entries.len() };
                    self.leaf = Some(Arc::new(ParentLeaf { node: leaf.node, entries_count }));
                    self.current = leaf.entries.into_iter().enumerate();
                }
                Err(RepositoryError::Stopped(stopped)) => return Err(stopped.into()),
                Err(_) => {}
            }
        }
    }

    /// The parent's entry at `path`, passing over those before it.
    pub(super) fn take(
        &mut self,
        path: &SnapshotPath,
    ) -> Result<Option<ParentEntry>, RepositoryError> {
        loop {
            if self.ahead.is_none() {
                self.ahead = self.advance()?;
            }
            match &self.ahead {
                Some(ahead) if ahead.entry.path < *path => self.ahead = None,
                Some(ahead) if ahead.entry.path == *path => return Ok(self.ahead.take()),
                _ => return Ok(None),
            }
        }
    }

    /// Whether equal signs of change prove that the entry is the same.
    pub(super) fn is_trusted(&self, entry: &Entry) -> bool {
        let Some(tree) = self.tree else { return false };
        let limit = tree.started.unix_ms.saturating_sub(YOUNG_MS);
        let old = |secs: i64| secs.saturating_mul(1000).saturating_add(999) < limit;
        let times_old = match entry.meta.kind {
            Kind::Directory => true,
            _ => old(entry.meta.ctime.secs) && old(entry.meta.mtime.secs.min(i64::MAX / 2000)),
        };
        let whole = entry.meta.flags == Flags::default();
        (times_old || entry.meta.mtime.secs > entry.meta.ctime.secs && old(entry.meta.ctime.secs))
            && whole
            && !self.is_decayed(&entry.content)
    }

    /// Whether the content lies in a bundle that is to be gathered anew, or is lost.
    pub(super) fn is_decayed(&self, content: &Content) -> bool {
        let Some(tree) = self.tree else { return false };
        match content {
            Content::None => false,
            Content::Slice { bundle, .. } => tree.decayed.contains(&bundle.sid),
            Content::Map { root, .. } => tree.decayed.contains(&root.sid),
            Content::Extents { extents, .. } => {
                let mut chunks = extents.iter().filter_map(|extent| match extent {
                    Extent::Chunk { chunk, .. } => Some(&chunk.sid),
                    Extent::Hole { .. } => None,
                });
                chunks.any(|sid| tree.decayed.contains(sid))
            }
        }
    }
}
