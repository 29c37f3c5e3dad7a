//! Trees, node by node: what they need.

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
use crate::ids::Sid;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::vault::scrub::Scrub;
use crate::verify::Depth;
use crate::verify::needs::Needs;
use crate::verify::needs::Part;

/// A node, and what the one above it says of it.
pub(super) struct Expected {
    pub(super) node: Arc<Ref>,
    pub(super) kind: ObjectKind,
    /// 0 for leaves; `None` for a root, which may have any.
    pub(super) level: Option<u8>,
    /// Path of the first entry below, for nodes of a tree but the root.
    first: Option<SnapshotPath>,
    /// Path that everything below lies before; `None`: the end of the tree.
    before: Option<SnapshotPath>,
    /// Bytes that a node of a map covers, but its root.
    len_bytes: Option<u64>,
}

/// What a node holds.
pub(super) enum Held {
    Branch(Vec<Expected>),
    Leaf(Vec<Entry>),
    Map(Vec<Extent>),
}

impl Expected {
    pub(super) fn root(node: Arc<Ref>, kind: ObjectKind) -> Self {
        Self { node, kind, level: None, first: None, before: None, len_bytes: None }
    }

    pub(super) const fn first(&self) -> Option<&SnapshotPath> {
        self.first.as_ref()
    }

    pub(super) const fn before(&self) -> Option<&SnapshotPath> {
        self.before.as_ref()
    }

    pub(super) fn len_bytes(&self) -> u64 {
        self.len_bytes.unwrap_or(0)
    }

    fn misfit(&self) -> RepositoryError {
        RepositoryError::NodeLevel { sid: self.node.sid }
    }

    /// Decodes the node, and compares it with what is expected of it, as a restore would.
    pub(super) fn decode(&self, raw: &[u8], sids: &[Sid]) -> Result<(Held, u8), RepositoryError> {
        let invalid = |error| RepositoryError::NodeInvalid { sid: self.node.sid, error };
        let (held, level) = match self.kind {
            ObjectKind::Branch => {
                let branch = decode_branch(raw, sids).map_err(invalid)?;
                let level = branch.level.saturating_sub(1);
                let kind = if level == 0 { ObjectKind::Leaf } else { ObjectKind::Branch };
                let ends = branch.children.iter().skip(1).map(|next| Some(next.first.clone()));
                let ends: Vec<_> = ends.chain([self.before.clone()]).collect();
                let below = branch.children.into_iter().zip(ends).map(|(child, before)| Expected {
                    node: child.node,
                    kind,
                    level: Some(level),
                    first: Some(child.first),
                    before,
                    len_bytes: None,
                });
                (Held::Branch(below.collect()), branch.level)
            }
            ObjectKind::MapBranch => {
                let branch = decode_map_branch(raw, sids).map_err(invalid)?;
                let level = branch.level.saturating_sub(1);
                let kind = if level == 0 { ObjectKind::Map } else { ObjectKind::MapBranch };
                let below = branch.children.into_iter().map(|(node, len_bytes)| Expected {
                    node,
                    kind,
                    level: Some(level),
                    first: None,
                    before: None,
                    len_bytes: Some(len_bytes),
                });
                (Held::Branch(below.collect()), branch.level)
            }
            ObjectKind::Map => (Held::Map(decode_map(raw, sids).map_err(invalid)?), 0),
            _ => (Held::Leaf(decode_leaf(raw, sids).map_err(invalid)?), 0),
        };
        let fits = self.level.is_none_or(|expected| expected == level)
            && self.fits_first(&held)
            && self.fits_len(&held);
        if fits { Ok((held, level)) } else { Err(self.misfit()) }
    }

    /// Paths rise from node to node, so a tree cannot lead to the same nodes again.
    fn fits_first(&self, held: &Held) -> bool {
        let ends = match held {
            Held::Leaf(entries) => {
                let last = entries.last().map(|entry| &entry.path);
                entries.first().map(|entry| &entry.path).zip(last)
            }
            Held::Branch(below) if self.kind == ObjectKind::Branch => {
                let last = below.last().and_then(Self::first);
                below.first().and_then(Self::first).zip(last)
            }
            Held::Branch(_) | Held::Map(_) => return true,
        };
        let Some((first, last)) = ends else { return true };
        self.first.as_ref().is_none_or(|expected| expected == first)
            && self.before.as_ref().is_none_or(|before| last < before)
    }

    fn fits_len(&self, held: &Held) -> bool {
        let Some(expected) = self.len_bytes else { return true };
        let lens: Vec<u64> = match held {
            Held::Map(extents) => extents.iter().map(Extent::len_bytes).collect(),
            Held::Branch(below) => below.iter().map(Self::len_bytes).collect(),
            Held::Leaf(_) => return true,
        };
        lens.into_iter().try_fold(0_u64, u64::checked_add) == Some(expected)
    }
}

/// What the walk works on.
pub(super) struct Walk<'w, 's> {
    pub(super) run: &'w Run,
    pub(super) repository: &'w Repository,
    pub(super) scrub: &'w mut Scrub<'s>,
    pub(super) depth: Depth,
}

impl Walk<'_, '_> {
    /// Opens a node from its first good copy. `None`: it is lost, or no use.
    pub(super) fn open(
        &mut self,
        expected: &Expected,
    ) -> Result<Option<(Held, u8)>, RepositoryError> {
        self.run.check()?;
        let Expected { node, kind, .. } = expected;
        let Some(sealed) = self.scrub.read_any(&node.sid)? else { return Ok(None) };
        let opened = self.repository.open_node(&sealed, node, *kind);
        match opened.and_then(|(raw, sids)| expected.decode(&raw, &sids)) {
            Ok(held) => Ok(Some(held)),
            Err(error) => {
                tracing::debug!(%error, "a node is of no use");
                self.scrub.mark_useless(node.sid);
                Ok(None)
            }
        }
    }

    /// Goes through everything below `root` that was not met before. Beside a node that cannot be
    /// had the walk goes on.
    pub(super) fn collect(&mut self, root: &Ref, needs: &mut Needs) -> Result<(), RepositoryError> {
        let mut stack = vec![Expected::root(Arc::new(root.clone()), ObjectKind::Branch)];
        while let Some(expected) = stack.pop() {
            let node = &expected.node;
            if let Some((_, _, known)) = needs.nodes.get(&node.sid) {
                let level = expected.level.unwrap_or(*known);
                needs.add_node(node, expected.kind, level);
                continue;
            }
            self.scrub.report.nodes_count += 1;
            let Some((held, level)) = self.open(&expected)? else {
                needs.add_node(node, expected.kind, expected.level.unwrap_or(0));
                continue;
            };
            needs.add_node(node, expected.kind, level);
            match held {
                // The first child comes off the stack first, so objects are met in path order.
                Held::Branch(below) => {
                    let unmet = below.iter().map(|child| child.node.sid);
                    let unmet = unmet.filter(|sid| !needs.nodes.contains_key(sid));
                    self.repository.vault().soon(self.run, &unmet.collect::<Vec<_>>());
                    stack.extend(below.into_iter().rev());
                }
                Held::Map(extents) => {
                    extents.iter().for_each(|extent| self.add_extent(extent, needs));
                }
                Held::Leaf(entries) => {
                    self.scrub.report.entries_count += entries.len() as u64;
                    for entry in entries.iter().rev() {
                        if let Content::Map { root, .. } = &entry.content {
                            let root = Expected::root(Arc::clone(root), ObjectKind::MapBranch);
                            stack.push(root);
                        }
                    }
                    entries.iter().try_for_each(|entry| self.add_entry(entry, needs))?;
                }
            }
        }
        Ok(())
    }

    fn add_entry(&mut self, entry: &Entry, needs: &mut Needs) -> Result<(), RepositoryError> {
        match &entry.content {
            Content::None => {}
            Content::Slice { bundle, offset, len, digest } => {
                let need = needs.add_data(bundle, ObjectKind::Bundle);
                if self.depth != Depth::Structure {
                    need.add_part(Part::new(*offset, *len, digest));
                }
            }
            Content::Extents { extents, digest } => {
                extents.iter().for_each(|extent| self.add_extent(extent, needs));
                if self.depth != Depth::Structure {
                    add_file(needs, digest, extents);
                }
            }
            Content::Map { root, digest } => {
                if self.depth != Depth::Structure
                    && let Some(extents) = self.extents(root)?
                {
                    extents.iter().for_each(|extent| self.add_extent(extent, needs));
                    add_file(needs, digest, &extents);
                }
            }
        }
        Ok(())
    }

    /// All extents of a map in order; `None` if a part of it cannot be had.
    pub(super) fn extents(
        &mut self,
        root: &Arc<Ref>,
    ) -> Result<Option<Vec<Extent>>, RepositoryError> {
        let mut stack = vec![Expected::root(Arc::clone(root), ObjectKind::MapBranch)];
        let mut all = Vec::new();
        while let Some(expected) = stack.pop() {
            match self.open(&expected)? {
                None => return Ok(None),
                Some((Held::Branch(below), _)) => stack.extend(below.into_iter().rev()),
                Some((Held::Map(extents), _)) => all.extend(extents),
                Some((Held::Leaf(_), _)) => {}
            }
        }
        Ok(Some(all))
    }

    fn add_extent(&self, extent: &Extent, needs: &mut Needs) {
        if let Extent::Chunk { chunk, digest } = extent {
            let need = needs.add_data(chunk, ObjectKind::Chunk);
            if self.depth != Depth::Structure {
                need.add_part(Part::new(0, chunk.raw_len, digest));
            }
        }
    }
}

fn add_file(needs: &mut Needs, digest: &crate::ids::Digest, extents: &[Extent]) {
    for found in needs.files.add(digest, extents) {
        if let Some(need) = needs.data.get_mut(&found.sid) {
            need.uses.push((found.number, found.place));
        }
    }
}
