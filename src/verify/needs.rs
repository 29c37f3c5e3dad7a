//! What the snapshots need, by object.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Digest;
use crate::ids::Sid;

/// A part of an object's raw content with its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) offset: u32,
    pub(super) len: u32,
    pub(super) digest: Digest,
}

/// A chunk or bundle that some file needs.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) object: Ref,
    pub(super) kind: ObjectKind,
    pub(super) parts: HashSet<Part>,
}

/// Nodes that were walked, and data that they lead to.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) nodes: BTreeMap<Sid, (Ref, ObjectKind)>,
    pub(super) data: HashMap<Sid, Need>,
    /// Objects that two places name with different keys or lengths: one of them lies.
    pub(super) contradictions: Vec<Sid>,
}

impl Needs {
    /// Whether the node is seen for the first time.
    pub(super) fn add_node(&mut self, node: &Ref, kind: ObjectKind) -> bool {
        match self.nodes.get(&node.sid) {
            None => {
                self.nodes.insert(node.sid, (node.clone(), kind));
                true
            }
            Some((known, known_kind)) => {
                if known != node || *known_kind != kind {
                    self.contradictions.push(node.sid);
                }
                false
            }
        }
    }

    pub(super) fn add_data(&mut self, object: &Ref, kind: ObjectKind, part: Part) {
        let fresh = || Need { object: object.clone(), kind, parts: HashSet::new() };
        let need = self.data.entry(object.sid).or_insert_with(fresh);
        if need.object != *object || need.kind != kind {
            self.contradictions.push(object.sid);
        }
        need.parts.insert(part);
    }
}
