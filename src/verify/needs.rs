//! What the snapshots need, by object.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Digest;
use crate::ids::Sid;
use crate::verify::whole::Files;

/// A part of an object's raw content. Half of its digest tells contents apart well enough, and a
/// repository has millions of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Part {
    pub(super) offset: u32,
    pub(super) len: u32,
    digest: [u8; 16],
}

impl Part {
    pub(super) fn new(offset: u32, len: u32, digest: &Digest) -> Self {
        Self { offset, len, digest: half(digest) }
    }

    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.digest == half(digest)
    }
}

fn half(digest: &Digest) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(digest.as_bytes()).for_each(|(slot, byte)| *slot = *byte);
    half
}

/// A chunk or bundle that some file needs.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) object: Ref,
    pub(super) kind: ObjectKind,
    /// The order in which objects were met: that of the paths.
    pub(super) rank: u32,
    pub(super) parts: Vec<Part>,
    /// Files of several chunks that have it: number of the file, place in its data.
    pub(super) uses: Vec<(u32, u64)>,
    /// Whether those files have got its bytes: an object may lie in several packs.
    pub(super) is_taken: AtomicBool,
}

/// Nodes that were walked, and data that they lead to.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// With kind and level.
    pub(super) nodes: BTreeMap<Sid, (Ref, ObjectKind, u8)>,
    pub(super) data: HashMap<Sid, Need>,
    pub(super) files: Files,
    /// Objects that two places name with different keys, lengths or levels: one of them lies.
    pub(super) contradictions: Vec<Sid>,
}

impl Needs {
    /// Whether the node is seen for the first time.
    pub(super) fn add_node(&mut self, node: &Ref, kind: ObjectKind, level: u8) -> bool {
        match self.nodes.get(&node.sid) {
            None => {
                self.nodes.insert(node.sid, (node.clone(), kind, level));
                true
            }
            Some((known, known_kind, known_level)) => {
                if known != node || *known_kind != kind || *known_level != level {
                    self.contradictions.push(node.sid);
                }
                false
            }
        }
    }

    /// The object, to which parts and uses can be added.
    pub(super) fn add_data(&mut self, object: &Ref, kind: ObjectKind) -> &mut Need {
        let rank = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        let (parts, uses, is_taken) = (Vec::new(), Vec::new(), AtomicBool::new(false));
        let need = self.data.entry(object.sid);
        let need = need.or_insert_with(|| Need {
            object: object.clone(),
            kind,
            rank,
            parts,
            uses,
            is_taken,
        });
        if need.object != *object || need.kind != kind {
            self.contradictions.push(object.sid);
        }
        need
    }
}

impl Need {
    /// Leaves that changed in one entry name the parts of all others again, so twins are dropped
    /// before the list grows.
    pub(super) fn add_part(&mut self, part: Part) {
        if self.parts.len() == self.parts.capacity() {
            self.drop_twins();
        }
        self.parts.push(part);
    }

    pub(super) fn drop_twins(&mut self) {
        self.parts.sort_unstable();
        self.parts.dedup();
    }
}
