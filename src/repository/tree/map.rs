//! Maps of huge files: written like trees, over extents.

use std::sync::Arc;

use crate::format::branch::TREE_HEIGHT_MAX;
use crate::format::entry::Content;
use crate::format::entry::Extent;
use crate::format::entry::INLINE_EXTENTS_MAX;
use crate::format::map::MapBranch;
use crate::format::map::decode_map;
use crate::format::map::decode_map_branch;
use crate::format::map::encode_map;
use crate::format::map::encode_map_branch;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Digest;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Sealer;
use crate::repository::tree::NodeSink;
use crate::repository::tree::NodeSource;
use crate::repository::tree::is_cut;
use crate::repository::tree::put_node;
use crate::run::Run;

/// Extents from which a map's leaf may end, and at which it must; the same for branches.
const NODE_MIN: usize = 64;
const NODE_MAX: usize = 1024;
const CUT_BITS: u32 = 7;

/// Collects the extents of one file; keeps few of them in memory.
#[derive(Debug, Default)]
pub struct MapWriter {
    extents: Vec<Extent>,
    levels: Vec<Vec<(Arc<Ref>, u64)>>,
}

impl MapWriter {
    /// Adds the next extent; adjacent holes become one.
    pub fn push(
        &mut self,
        sealer: &mut Sealer,
        sink: &mut dyn NodeSink,
        extent: Extent,
    ) -> Result<(), RepositoryError> {
        if let (Some(Extent::Hole { len_bytes }), Extent::Hole { len_bytes: more }) =
            (self.extents.last_mut(), &extent)
        {
            *len_bytes += more;
            return Ok(());
        }
        let hash = match &extent {
            Extent::Hole { .. } => 1,
            Extent::Chunk { digest, .. } => sealer.domain().tree_cut_hash(digest.as_bytes()),
        };
        self.extents.push(extent);
        // The first 64 extents wait, because a file with no more than these has no map.
        let count = self.extents.len();
        if count > INLINE_EXTENTS_MAX.max(NODE_MIN) && is_cut(hash, CUT_BITS) || count >= NODE_MAX {
            self.end_leaf(sealer, sink)?;
        }
        Ok(())
    }

    fn end_leaf(
        &mut self,
        sealer: &mut Sealer,
        sink: &mut dyn NodeSink,
    ) -> Result<(), RepositoryError> {
        let len_bytes = self.extents.iter().map(Extent::len_bytes).sum();
        let body = encode_map(&self.extents);
        self.extents.clear();
        let node = put_node(sealer, sink, ObjectKind::Map, &body)?;
        self.push_child(sealer, sink, 0, (Arc::new(node), len_bytes))
    }

    fn push_child(
        &mut self,
        sealer: &mut Sealer,
        sink: &mut dyn NodeSink,
        level: usize,
        child: (Arc<Ref>, u64),
    ) -> Result<(), RepositoryError> {
        if level + 1 >= usize::from(TREE_HEIGHT_MAX) {
            return Err(RepositoryError::TreeTooHigh);
        }
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let hash = sealer.domain().tree_cut_hash(child.0.sid.as_bytes());
        self.levels[level].push(child);
        let count = self.levels[level].len();
        if count >= NODE_MIN && is_cut(hash, CUT_BITS) || count >= NODE_MAX {
            self.end_branch(sealer, sink, level)?;
        }
        Ok(())
    }

    fn end_branch(
        &mut self,
        sealer: &mut Sealer,
        sink: &mut dyn NodeSink,
        level: usize,
    ) -> Result<(), RepositoryError> {
        let children = std::mem::take(&mut self.levels[level]);
        if children.is_empty() {
            return Ok(());
        }
        let len_bytes = children.iter().map(|(_, len)| len).sum();
        let number = u8::try_from(level + 1).map_err(|_| RepositoryError::TreeTooHigh)?;
        let body = encode_map_branch(&MapBranch { level: number, children });
        let node = put_node(sealer, sink, ObjectKind::MapBranch, &body)?;
        self.push_child(sealer, sink, level + 1, (Arc::new(node), len_bytes))
    }

    /// The file's content: a list of extents, or a map, whose root is always a branch.
    pub fn finish(
        mut self,
        sealer: &mut Sealer,
        sink: &mut dyn NodeSink,
        digest: Digest,
    ) -> Result<Content, RepositoryError> {
        if self.levels.is_empty() && self.extents.len() <= INLINE_EXTENTS_MAX {
            return Ok(Content::Extents { extents: self.extents, digest });
        }
        if !self.extents.is_empty() {
            self.end_leaf(sealer, sink)?;
        }
        let mut level = 0;
        loop {
            let top = level + 1 == self.levels.len();
            if top && level > 0 && self.levels[level].len() == 1 {
                let (root, _) = self.levels[level].remove(0);
                return Ok(Content::Map { root, digest });
            }
            self.end_branch(sealer, sink, level)?;
            level += 1;
        }
    }
}

/// Extents of a map that cannot be read. The reader goes on behind them.
#[derive(Debug)]
pub struct LostExtents {
    /// How much of the file they hold; `None` is all that is left of it.
    pub len_bytes: Option<u64>,
    pub error: RepositoryError,
}

impl From<LostExtents> for RepositoryError {
    fn from(lost: LostExtents) -> Self {
        lost.error
    }
}

/// Reads the extents of a map in order.
pub struct MapReader<'a> {
    run: &'a Run,
    source: &'a dyn NodeSource,
    stack: Vec<(MapBranch, usize)>,
    root: Option<Arc<Ref>>,
    extents: std::vec::IntoIter<Extent>,
}

impl std::fmt::Debug for MapReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MapReader")
    }
}

impl<'a> MapReader<'a> {
    #[must_use]
    pub fn new(run: &'a Run, source: &'a dyn NodeSource, root: &Arc<Ref>) -> Self {
        let extents = Vec::new().into_iter();
        Self { run, source, stack: Vec::new(), root: Some(Arc::clone(root)), extents }
    }

    fn read_branch(&self, node: &Ref, above: Option<u8>) -> Result<MapBranch, RepositoryError> {
        let (raw, sids) = self.source.node(self.run, node, ObjectKind::MapBranch)?;
        let branch = decode_map_branch(&raw, &sids)
            .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })?;
        if above.is_some_and(|above| branch.level + 1 != above) {
            return Err(RepositoryError::NodeLevel { sid: node.sid });
        }
        Ok(branch)
    }

    fn step(&mut self) -> Result<Option<Extent>, LostExtents> {
        if let Some(root) = self.root.take() {
            let branch = self.read_branch(&root, None);
            let branch = branch.map_err(|error| LostExtents { len_bytes: None, error })?;
            self.stack.push((branch, 0));
        }
        loop {
            if let Some(extent) = self.extents.next() {
                return Ok(Some(extent));
            }
            let Some((branch, next)) = self.stack.last_mut() else { return Ok(None) };
            let level = branch.level;
            let Some((node, len_bytes)) = branch.children.get(*next) else {
                self.stack.pop();
                continue;
            };
            let (node, len_bytes) = (Arc::clone(node), *len_bytes);
            *next += 1;
            let entered = self.enter(&node, level, len_bytes);
            entered.map_err(|error| LostExtents { len_bytes: Some(len_bytes), error })?;
        }
    }

    /// Reads a child; what it holds comes next.
    fn enter(&mut self, node: &Ref, level: u8, len_bytes: u64) -> Result<(), RepositoryError> {
        self.run.check()?;
        let sid = node.sid;
        let has_length = |total: Option<u64>| match total == Some(len_bytes) {
            true => Ok(()),
            false => Err(RepositoryError::NodeLevel { sid }),
        };
        if level > 1 {
            let branch = self.read_branch(node, Some(level))?;
            let mut lengths = branch.children.iter().map(|(_, len)| *len);
            has_length(lengths.try_fold(0, u64::checked_add))?;
            self.stack.push((branch, 0));
            return Ok(());
        }
        let (raw, sids) = self.source.node(self.run, node, ObjectKind::Map)?;
        let extents =
            decode_map(&raw, &sids).map_err(|error| RepositoryError::NodeInvalid { sid, error })?;
        has_length(extents.iter().map(Extent::len_bytes).try_fold(0, u64::checked_add))?;
        self.extents = extents.into_iter();
        Ok(())
    }
}

impl Iterator for MapReader<'_> {
    type Item = Result<Extent, LostExtents>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
