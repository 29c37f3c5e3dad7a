//! Entries in path order to a tree.

use std::sync::Arc;

use crate::format::branch::Branch;
use crate::format::branch::BranchChild;
use crate::format::branch::TREE_HEIGHT_MAX;
use crate::format::branch::encode_branch;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::leaf::LEAF_ENTRIES_MAX;
use crate::format::leaf::LEAF_PATH_BYTES_MAX;
use crate::format::leaf::encode::encode_leaf;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::path::PATH_BYTES_MAX;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Sealer;
use crate::repository::tree::NodeSink;
use crate::repository::tree::TreeSizes;
use crate::repository::tree::is_cut;
use crate::repository::tree::put_node;

/// A leaf of the parent snapshot, so that the writer can refer to it instead of writing it again.
#[derive(Debug)]
pub struct ParentLeaf {
    pub node: Arc<Ref>,
    pub entries_count: usize,
}

/// An entry for the tree; `kept` says that it is the n-th entry of a leaf of the parent, unaltered.
#[derive(Debug)]
pub struct Item {
    pub entry: Entry,
    pub kept: Option<(Arc<ParentLeaf>, usize)>,
}

/// Builds a tree from entries that come in path order.
pub struct TreeWriter<'a> {
    sealer: &'a mut Sealer,
    sink: &'a mut dyn NodeSink,
    sizes: TreeSizes,
    pending: Vec<Entry>,
    weight: u32,
    /// Bytes of the pending entries' paths.
    path_bytes: usize,
    origin: Origin,
    /// Unfinished branches; the first stands above the leaves.
    levels: Vec<Vec<BranchChild>>,
    entries_count: u64,
    last: Option<SnapshotPath>,
}

/// Where the pending entries come from.
enum Origin {
    Empty,
    /// The first `next` entries of a leaf of the parent, and nothing else.
    Kept {
        leaf: Arc<ParentLeaf>,
        next: usize,
    },
    Mixed,
}

impl std::fmt::Debug for TreeWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TreeWriter({} entries)", self.entries_count)
    }
}

impl<'a> TreeWriter<'a> {
    pub fn new(sealer: &'a mut Sealer, sink: &'a mut dyn NodeSink, sizes: TreeSizes) -> Self {
        Self {
            sealer,
            sink,
            sizes,
            pending: Vec::new(),
            weight: 0,
            path_bytes: 0,
            origin: Origin::Empty,
            levels: Vec::new(),
            entries_count: 0,
            last: None,
        }
    }

    /// Adds the next entry; its path lies after all before.
    pub fn push(&mut self, item: Item) -> Result<(), RepositoryError> {
        let Item { entry, kept } = item;
        if self.last.as_ref().is_some_and(|last| *last >= entry.path) {
            return Err(RepositoryError::EntryOutOfOrder { path: entry.path.to_string() });
        }
        self.last = Some(entry.path.clone());
        self.origin = match (std::mem::replace(&mut self.origin, Origin::Mixed), kept) {
            (Origin::Empty, Some((leaf, 0))) => Origin::Kept { leaf, next: 1 },
            (Origin::Kept { leaf, next }, Some((same, at)))
                if at == next && Arc::ptr_eq(&leaf, &same) =>
            {
                Origin::Kept { leaf, next: next + 1 }
            }
            _ => Origin::Mixed,
        };
        self.weight = self.weight.saturating_add(weight(&entry));
        self.path_bytes = self.path_bytes.saturating_add(entry.path.as_stored().len());
        let hash = self.sealer.domain().tree_cut_hash(entry.path.as_stored());
        self.pending.push(entry);
        self.entries_count += 1;
        let may_end = self.weight >= self.sizes.leaf_min && is_cut(hash, self.sizes.leaf_cut_bits);
        let must_end = self.weight >= self.sizes.leaf_max
            || self.pending.len() >= LEAF_ENTRIES_MAX
            || self.path_bytes > LEAF_PATH_BYTES_MAX - PATH_BYTES_MAX;
        if may_end || must_end { self.end_leaf() } else { Ok(()) }
    }

    fn end_leaf(&mut self) -> Result<(), RepositoryError> {
        let first = self.pending.first().map_or_else(SnapshotPath::root, |e| e.path.clone());
        let entries_count = self.pending.len() as u64;
        let node = match std::mem::replace(&mut self.origin, Origin::Empty) {
            Origin::Kept { leaf, next } if next == leaf.entries_count => {
                self.sink.reuse(&leaf.node)?;
                Arc::clone(&leaf.node)
            }
            _ => {
                let body = encode_leaf(&self.pending);
                Arc::new(put_node(self.sealer, self.sink, ObjectKind::Leaf, &body)?)
            }
        };
        self.pending.clear();
        self.weight = 0;
        self.path_bytes = 0;
        self.push_child(0, BranchChild { first, node, entries_count })
    }

    fn push_child(&mut self, level: usize, child: BranchChild) -> Result<(), RepositoryError> {
        if level + 1 >= usize::from(TREE_HEIGHT_MAX) {
            return Err(RepositoryError::TreeTooHigh);
        }
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let hash = self.sealer.domain().tree_cut_hash(child.first.as_stored());
        self.levels[level].push(child);
        let children = self.levels[level].len();
        let may_end = children >= self.sizes.branch_min as usize
            && is_cut(hash.rotate_right(32), self.sizes.branch_cut_bits);
        if may_end || children >= self.sizes.branch_max as usize {
            self.end_branch(level)?;
        }
        Ok(())
    }

    fn end_branch(&mut self, level: usize) -> Result<(), RepositoryError> {
        let children = std::mem::take(&mut self.levels[level]);
        let Some(first) = children.first().map(|child| child.first.clone()) else {
            return Ok(());
        };
        let entries_count = children.iter().map(|child| child.entries_count).sum();
        let number = u8::try_from(level + 1).map_err(|_| RepositoryError::TreeTooHigh)?;
        let body = encode_branch(&Branch { level: number, children });
        let node = Arc::new(put_node(self.sealer, self.sink, ObjectKind::Branch, &body)?);
        self.push_child(level + 1, BranchChild { first, node, entries_count })
    }

    /// Ends the tree and returns its root, which is always a branch.
    pub fn finish(mut self) -> Result<Ref, RepositoryError> {
        if !self.pending.is_empty() || self.entries_count == 0 {
            self.end_leaf()?;
        }
        let mut level = 0;
        loop {
            let top = level + 1 == self.levels.len();
            if top && level > 0 && self.levels[level].len() == 1 {
                let root = self.levels[level].remove(0).node;
                return Ok(Arc::unwrap_or_clone(root));
            }
            self.end_branch(level)?;
            level += 1;
        }
    }
}

/// About the raw bytes that an entry takes in a leaf; depends on nothing but the entry.
fn weight(entry: &Entry) -> u32 {
    let name = entry.path.name().map_or(0, <[u8]>::len);
    let content = match &entry.content {
        Content::None => 0,
        Content::Slice { .. } | Content::Map { .. } => 40,
        Content::Extents { extents, .. } => 32 + extents.len() * 100,
    };
    let extra = entry.meta.extra.as_ref().map_or(0, |extra| {
        let xattrs: usize = extra.xattrs.iter().map(|x| x.name.len() + x.value.len() + 4).sum();
        let hard_link = extra.hard_link.as_ref().map_or(0, |path| path.as_stored().len());
        extra.link.len() + hard_link + xattrs + 8
    });
    u32::try_from(32 + name + content + extra).unwrap_or(u32::MAX)
}
