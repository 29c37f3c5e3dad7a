//! Two snapshots compared: equal nodes are skipped unread, so the work follows the difference.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::format::branch::decode_branch;
use crate::format::entry::Entry;
use crate::format::leaf::decode::decode_leaf;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::meta::Extra;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSource;
use crate::run::Run;

/// A path that is not the same in both snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added(Box<Entry>),
    Removed(Box<Entry>),
    Changed { before: Box<Entry>, after: Box<Entry>, what: Differences },
}

/// What differs between two entries of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differences(u8);

impl Differences {
    /// It is another kind of thing.
    pub const KIND: Self = Self(1);
    /// Bytes of a file, target of a link, number of a device.
    pub const CONTENT: Self = Self(2);
    /// Rights, owner, times of change or extended attributes.
    pub const ATTRIBUTES: Self = Self(4);

    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    const fn add_if(self, other: Self, differs: Option<()>) -> Self {
        if differs.is_some() { Self(self.0 | other.0) } else { self }
    }
}

/// What differs as far as a restore would show it: inode numbers, devices and the time of the last
/// change of attributes do not count.
#[must_use]
pub fn differences(before: &Entry, after: &Entry) -> Differences {
    let (old, new) = (&before.meta, &after.meta);
    let none = Extra::default();
    let old_extra = old.extra.as_deref().unwrap_or(&none);
    let new_extra = new.extra.as_deref().unwrap_or(&none);
    let content_differs = old.size_bytes != new.size_bytes
        || before.content.digest() != after.content.digest()
        || old_extra.link != new_extra.link
        || old_extra.hard_link != new_extra.hard_link
        || old_extra.rdev != new_extra.rdev;
    let attributes_differ = old.mode != new.mode
        || (old.uid, old.gid, &old.user, &old.group) != (new.uid, new.gid, &new.user, &new.group)
        || old.mtime != new.mtime
        || old_extra.xattrs != new_extra.xattrs;
    Differences::default()
        .add_if(Differences::KIND, (old.kind != new.kind).then_some(()))
        .add_if(Differences::CONTENT, content_differs.then_some(()))
        .add_if(Differences::ATTRIBUTES, attributes_differ.then_some(()))
}

/// What stands next on one side.
enum Head {
    Node { node: Arc<Ref>, first: SnapshotPath, level: u8 },
    Entry(Box<Entry>),
}

impl Head {
    const fn path(&self) -> &SnapshotPath {
        match self {
            Self::Node { first, .. } => first,
            Self::Entry(entry) => &entry.path,
        }
    }
}

/// One tree, opened as far as the other side made necessary; the next thing is last.
struct Side<'a> {
    source: &'a dyn NodeSource,
    pending: Vec<Head>,
}

impl Side<'_> {
    /// Replaces the head, a node, by what is in it.
    fn open(&mut self, run: &Run) -> Result<(), RepositoryError> {
        let Some(Head::Node { node, level, .. }) = self.pending.pop() else { return Ok(()) };
        let invalid = |error| RepositoryError::NodeInvalid { sid: node.sid, error };
        if level == 0 {
            let (raw, sids) = self.source.node(run, &node, ObjectKind::Leaf)?;
            let entries = decode_leaf(&raw, &sids).map_err(invalid)?;
            self.pending.extend(entries.into_iter().rev().map(|e| Head::Entry(Box::new(e))));
            return Ok(());
        }
        self.open_branch(run, &node, Some(level))
    }

    fn open_branch(
        &mut self,
        run: &Run,
        node: &Ref,
        expected: Option<u8>,
    ) -> Result<(), RepositoryError> {
        let (raw, sids) = self.source.node(run, node, ObjectKind::Branch)?;
        let branch = decode_branch(&raw, &sids)
            .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })?;
        // Levels fall by one on the way down, so a hostile tree ends.
        if expected.is_some_and(|expected| expected != branch.level) {
            return Err(RepositoryError::NodeLevel { sid: node.sid });
        }
        let level = branch.level.saturating_sub(1);
        self.pending.extend(branch.children.into_iter().rev().map(|child| Head::Node {
            node: child.node,
            first: child.first,
            level,
        }));
        Ok(())
    }

    fn pop_entry(&mut self) -> Option<Box<Entry>> {
        match self.pending.pop() {
            Some(Head::Entry(entry)) => Some(entry),
            _ => None,
        }
    }
}

/// The changes from one snapshot to another, in path order. A node that cannot be read is an error
/// in its place; the comparison goes on behind it.
pub struct TreeDiff<'a> {
    run: &'a Run,
    before: Side<'a>,
    after: Side<'a>,
    roots: Option<(Ref, Ref)>,
}

impl std::fmt::Debug for TreeDiff<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TreeDiff")
    }
}

/// What to do with the two heads.
enum Step {
    SkipBoth,
    Open { before: bool, after: bool },
    Removed,
    Added,
    Compare,
}

impl<'a> TreeDiff<'a> {
    #[must_use]
    pub fn new(run: &'a Run, source: &'a dyn NodeSource, before: &Ref, after: &Ref) -> Self {
        let side = || Side { source, pending: Vec::new() };
        let roots = Some((before.clone(), after.clone()));
        Self { run, before: side(), after: side(), roots }
    }

    fn choose(&self) -> Option<Step> {
        let step = match (self.before.pending.last(), self.after.pending.last()) {
            (None, None) => return None,
            (Some(Head::Entry(_)), None) => Step::Removed,
            (None, Some(Head::Entry(_))) => Step::Added,
            (Some(Head::Node { .. }), None) => Step::Open { before: true, after: false },
            (None, Some(Head::Node { .. })) => Step::Open { before: false, after: true },
            (Some(before), Some(after)) => choose_of_two(before, after),
        };
        Some(step)
    }

    fn step(&mut self) -> Result<Option<Change>, RepositoryError> {
        if let Some((before, after)) = self.roots.take() {
            if before.sid == after.sid {
                return Ok(None);
            }
            self.before.open_branch(self.run, &before, None)?;
            self.after.open_branch(self.run, &after, None)?;
        }
        while let Some(step) = self.choose() {
            self.run.check()?;
            match step {
                Step::SkipBoth => {
                    self.before.pending.pop();
                    self.after.pending.pop();
                }
                Step::Open { before, after } => {
                    let opened = if before { self.before.open(self.run) } else { Ok(()) };
                    let other = if after { self.after.open(self.run) } else { Ok(()) };
                    opened.and(other)?;
                }
                Step::Removed => return Ok(self.before.pop_entry().map(Change::Removed)),
                Step::Added => return Ok(self.after.pop_entry().map(Change::Added)),
                Step::Compare => {
                    let (before, after) = (self.before.pop_entry(), self.after.pop_entry());
                    let (Some(before), Some(after)) = (before, after) else { continue };
                    let what = differences(&before, &after);
                    if !what.is_none() {
                        return Ok(Some(Change::Changed { before, after, what }));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// A node can only be equal to one that starts with the same path and stands on the same level, so
/// whatever starts earlier is opened first, and of two that start together the higher one.
fn choose_of_two(before: &Head, after: &Head) -> Step {
    let order = before.path().cmp(after.path());
    match (before, after) {
        (Head::Node { node: old, level, .. }, Head::Node { node: new, level: other, .. }) => {
            if old.sid == new.sid {
                return Step::SkipBoth;
            }
            match order.then(other.cmp(level)) {
                Ordering::Less => Step::Open { before: true, after: false },
                Ordering::Greater => Step::Open { before: false, after: true },
                Ordering::Equal => Step::Open { before: true, after: true },
            }
        }
        (Head::Node { .. }, Head::Entry(_)) if order == Ordering::Greater => Step::Added,
        (Head::Node { .. }, Head::Entry(_)) => Step::Open { before: true, after: false },
        (Head::Entry(_), Head::Node { .. }) if order == Ordering::Less => Step::Removed,
        (Head::Entry(_), Head::Node { .. }) => Step::Open { before: false, after: true },
        (Head::Entry(_), Head::Entry(_)) => match order {
            Ordering::Less => Step::Removed,
            Ordering::Greater => Step::Added,
            Ordering::Equal => Step::Compare,
        },
    }
}

impl Iterator for TreeDiff<'_> {
    type Item = Result<Change, RepositoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

#[cfg(test)]
mod tests;
