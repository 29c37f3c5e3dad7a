//! A branch: the leaves or branches below it, with the first path of each.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use crate::format::leaf::NODE_CHILDREN_MAX;
use crate::format::leaf::NodeBody;
use crate::format::object::Ref;
use crate::format::tree::decode_children;
use crate::format::tree::push_children;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_string;
use crate::format::wire::push_varint;
use crate::ids::Sid;
use crate::path::PATH_BYTES_MAX;
use crate::path::SnapshotPath;

/// Most levels of a tree, leaves included.
pub const TREE_HEIGHT_MAX: u8 = 16;

/// One child of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchChild {
    /// Path of the first entry below the child.
    pub first: SnapshotPath,
    pub node: Arc<Ref>,
    /// Entries below the child.
    pub entries_count: u64,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// 1 above leaves, then one more per level.
    pub level: u8,
    pub children: Vec<BranchChild>,
}

/// version, level, children, then for each its first path and number of entries.
#[must_use]
pub fn encode_branch(branch: &Branch) -> NodeBody {
    let mut raw = vec![1, branch.level];
    let nodes: Vec<_> = branch.children.iter().map(|child| Arc::clone(&child.node)).collect();
    let children = push_children(&mut raw, &nodes);
    for child in &branch.children {
        push_string(&mut raw, child.first.as_stored());
        push_varint(&mut raw, child.entries_count);
    }
    NodeBody { raw, children }
}

/// Decodes a branch whose sealed refs named `sids`; the first paths are sorted.
pub fn decode_branch(raw: &[u8], sids: &[Sid]) -> Result<Branch, FormatError> {
    let mut reader = Reader::new("branch", raw);
    let version = reader.u8()?;
    if version != 1 {
        return Err(FormatError::Version { what: "branch", found: version });
    }
    let level = reader.u8()?;
    if level == 0 || level >= TREE_HEIGHT_MAX {
        return Err(reader.invalid("level out of range"));
    }
    let nodes = decode_children(&mut reader, sids)?;
    if nodes.is_empty() || nodes.len() > NODE_CHILDREN_MAX {
        return Err(reader.invalid("no children"));
    }
    let mut children: Vec<BranchChild> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let first = SnapshotPath::from_stored(reader.string(PATH_BYTES_MAX)?)
            .map_err(|_| reader.invalid("a path is not allowed"))?;
        if children.last().is_some_and(|last| last.first >= first) {
            return Err(reader.invalid("children are not sorted"));
        }
        children.push(BranchChild { first, node, entries_count: reader.varint()? });
    }
    reader.finish()?;
    Ok(Branch { level, children })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::ObjectKey;

    fn sample() -> Branch {
        let children = (0..3_u8).map(|n| BranchChild {
            first: SnapshotPath::from_stored(&[n.saturating_add(1)]).unwrap(),
            node: Arc::new(Ref {
                sid: Sid::new([n; 32]),
                key: ObjectKey::new([n; 32]),
                raw_len: 9,
            }),
            entries_count: 1000,
        });
        Branch { level: 1, children: children.collect() }
    }

    #[test]
    fn round_trips_and_refuses_cuts_and_disorder() {
        let body = encode_branch(&sample());
        assert_eq!(decode_branch(&body.raw, &body.children), Ok(sample()));
        for len in 0..body.raw.len() {
            assert!(decode_branch(&body.raw[..len], &body.children).is_err());
        }
        assert!(decode_branch(&body.raw, &body.children[1..]).is_err());
        let mut swapped = sample();
        swapped.children.swap(0, 1);
        let body = encode_branch(&swapped);
        assert!(decode_branch(&body.raw, &body.children).is_err());
    }
}
