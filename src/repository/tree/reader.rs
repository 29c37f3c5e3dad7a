//! A tree back to entries, whole or beneath one path.

use std::sync::Arc;

use crate::format::branch::Branch;
use crate::format::branch::decode_branch;
use crate::format::entry::Entry;
use crate::format::leaf::decode::decode_leaf;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSource;
use crate::run::Run;

/// The entries of one leaf that were asked for.
#[derive(Debug)]
pub struct Leaf {
    pub node: Arc<Ref>,
    /// Path of the first entry of the whole leaf, as its branch says.
    pub first: SnapshotPath,
    pub entries: Vec<Entry>,
}

/// How what lies below a child of a branch stands to what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Before,
    /// Some of it may have been asked for.
    Here,
    Behind,
}

fn stands(branch: &Branch, at: usize, within: &SnapshotPath) -> Stands {
    let Some(child) = branch.children.get(at) else { return Stands::Behind };
    let next = branch.children.get(at + 1);
    if next.is_some_and(|next| next.first <= *within && !within.is_root()) {
        return Stands::Before;
    }
    let is_behind = child.first > *within && !child.first.is_within(within);
    if is_behind { Stands::Behind } else { Stands::Here }
}

/// Walks a tree in path order, leaf by leaf. A node that cannot be read is an error in its place;
/// the walk goes on behind it.
pub struct TreeReader<'a> {
    run: &'a Run,
    source: &'a dyn NodeSource,
    within: SnapshotPath,
    /// Branches from the root down, and the next child of each.
    stack: Vec<(Branch, usize)>,
    root: Option<Ref>,
    /// The last path that was given or passed: whatever follows lies behind it.
    reached: Option<SnapshotPath>,
}

impl std::fmt::Debug for TreeReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TreeReader({})", self.within)
    }
}

impl<'a> TreeReader<'a> {
    /// Reads the entry at `within` and everything beneath it.
    #[must_use]
    pub fn new(
        run: &'a Run,
        source: &'a dyn NodeSource,
        root: &Ref,
        within: &SnapshotPath,
    ) -> Self {
        let within = within.clone();
        let root = Some(root.clone());
        Self { run, source, within, stack: Vec::new(), root, reached: None }
    }

    fn read_branch(
        &self,
        node: &Ref,
        above: Option<(u8, &SnapshotPath)>,
    ) -> Result<Branch, RepositoryError> {
        let (raw, sids) = self.source.node(self.run, node, ObjectKind::Branch)?;
        let branch = decode_branch(&raw, &sids)
            .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })?;
        // Levels fall by one on the way down, so a hostile tree ends.
        let fits = above.is_none_or(|(level, first)| {
            branch.level + 1 == level
                && branch.children.first().is_some_and(|child| child.first == *first)
        });
        if !fits {
            return Err(RepositoryError::NodeLevel { sid: node.sid });
        }
        self.source.soon(self.run, &mut || {
            let asked = branch.children.iter().enumerate();
            let asked = asked.filter(|(at, _)| stands(&branch, *at, &self.within) == Stands::Here);
            asked.map(|(_, child)| child.node.sid).collect()
        });
        Ok(branch)
    }

    /// Paths rise from leaf to leaf, so a hostile tree cannot lead to the same nodes again.
    fn check_order(&self, node: &Ref, first: &SnapshotPath) -> Result<(), RepositoryError> {
        let is_behind = self.reached.as_ref().is_none_or(|reached| reached < first);
        if is_behind { Ok(()) } else { Err(RepositoryError::NodeLevel { sid: node.sid }) }
    }

    fn read_leaf(&mut self, node: Arc<Ref>, first: SnapshotPath) -> Result<Leaf, RepositoryError> {
        let (raw, sids) = self.source.node(self.run, &node, ObjectKind::Leaf)?;
        let mut entries = decode_leaf(&raw, &sids)
            .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })?;
        if entries.first().is_some_and(|entry| entry.path != first) {
            return Err(RepositoryError::NodeLevel { sid: node.sid });
        }
        self.reached = Some(entries.last().map_or(&first, |last| &last.path).clone());
        if !self.within.is_root() {
            entries.retain(|entry| entry.path.is_within(&self.within));
        }
        Ok(Leaf { node, first, entries })
    }

    /// The next child that may hold something asked for.
    fn next_child(&mut self) -> Option<(u8, Arc<Ref>, SnapshotPath)> {
        while let Some((branch, next)) = self.stack.last_mut() {
            let at = *next;
            *next += 1;
            match stands(branch, at, &self.within) {
                Stands::Before => continue,
                Stands::Behind => {
                    self.stack.pop();
                    continue;
                }
                Stands::Here => {}
            }
            let Some(child) = branch.children.get(at) else { continue };
            return Some((branch.level, Arc::clone(&child.node), child.first.clone()));
        }
        None
    }

    fn step(&mut self) -> Result<Option<Leaf>, RepositoryError> {
        if let Some(root) = self.root.take() {
            let branch = self.read_branch(&root, None)?;
            self.stack.push((branch, 0));
        }
        while let Some((level, node, first)) = self.next_child() {
            self.run.check()?;
            self.check_order(&node, &first)?;
            if level == 1 {
                return self.read_leaf(node, first).map(Some);
            }
            let branch = self.read_branch(&node, Some((level, &first)))?;
            self.stack.push((branch, 0));
        }
        Ok(None)
    }
}

impl Iterator for TreeReader<'_> {
    type Item = Result<Leaf, RepositoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The one entry at `path`.
pub fn find_entry(
    run: &Run,
    source: &dyn NodeSource,
    root: &Ref,
    path: &SnapshotPath,
) -> Result<Option<Entry>, RepositoryError> {
    for leaf in TreeReader::new(run, source, root, path) {
        for entry in leaf?.entries {
            if entry.path == *path {
                return Ok(Some(entry));
            }
            if entry.path > *path {
                return Ok(None);
            }
        }
    }
    Ok(None)
}
