//! The map of a huge file: the same kind of tree, over its extents.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use crate::format::branch::TREE_HEIGHT_MAX;
use crate::format::entry::Extent;
use crate::format::leaf::NODE_CHILDREN_MAX;
use crate::format::leaf::NodeBody;
use crate::format::object::Ref;
use crate::format::tree::Children;
use crate::format::tree::decode_children;
use crate::format::tree::decode_extent;
use crate::format::tree::encode_extent;
use crate::format::tree::push_children;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_varint;
use crate::ids::Sid;

/// A leaf of a map.
#[must_use]
pub fn encode_map(extents: &[Extent]) -> NodeBody {
    let mut children = Children::default();
    let mut column = Vec::new();
    for extent in extents {
        encode_extent(&mut column, &mut children, extent);
    }
    let mut raw = vec![1];
    let sids = children.encode(&mut raw);
    push_varint(&mut raw, extents.len() as u64);
    raw.extend_from_slice(&column);
    NodeBody { raw, children: sids }
}

/// Decodes a leaf of a map whose sealed refs named `sids`.
pub fn decode_map(raw: &[u8], sids: &[Sid]) -> Result<Vec<Extent>, FormatError> {
    let mut reader = Reader::new("map", raw);
    let version = reader.u8()?;
    if version != 1 {
        return Err(FormatError::Version { what: "map", found: version });
    }
    let children = decode_children(&mut reader, sids)?;
    let count = reader.count(NODE_CHILDREN_MAX)?;
    let mut extents = Vec::with_capacity(count.min(reader.left()));
    for _ in 0..count {
        extents.push(decode_extent(&mut reader, &children)?);
    }
    reader.finish()?;
    Ok(extents)
}

/// A branch of a map: its children and the bytes that each covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapBranch {
    /// 1 above leaves, then one more per level.
    pub level: u8,
    pub children: Vec<(Arc<Ref>, u64)>,
}

#[must_use]
pub fn encode_map_branch(branch: &MapBranch) -> NodeBody {
    let mut raw = vec![1, branch.level];
    let nodes: Vec<_> = branch.children.iter().map(|(node, _)| Arc::clone(node)).collect();
    let children = push_children(&mut raw, &nodes);
    for (_, len_bytes) in &branch.children {
        push_varint(&mut raw, *len_bytes);
    }
    NodeBody { raw, children }
}

/// Decodes a branch of a map whose sealed refs named `sids`.
pub fn decode_map_branch(raw: &[u8], sids: &[Sid]) -> Result<MapBranch, FormatError> {
    let mut reader = Reader::new("map branch", raw);
    let version = reader.u8()?;
    if version != 1 {
        return Err(FormatError::Version { what: "map branch", found: version });
    }
    let level = reader.u8()?;
    if level == 0 || level >= TREE_HEIGHT_MAX {
        return Err(reader.invalid("level out of range"));
    }
    let nodes = decode_children(&mut reader, sids)?;
    if nodes.is_empty() {
        return Err(reader.invalid("no children"));
    }
    let mut children = Vec::with_capacity(nodes.len());
    for node in nodes {
        children.push((node, reader.varint()?));
    }
    reader.finish()?;
    Ok(MapBranch { level, children })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Digest;
    use crate::secret::ObjectKey;

    fn node(n: u8) -> Arc<Ref> {
        Arc::new(Ref { sid: Sid::new([n; 32]), key: ObjectKey::new([n; 32]), raw_len: 9 })
    }

    #[test]
    fn maps_round_trip_and_refuse_cuts() {
        let digest = Digest::new([7; 32]);
        let chunk = |n| Extent::Chunk { chunk: node(n), digest };
        let extents = vec![chunk(1), Extent::Hole { len_bytes: 1 << 50 }, chunk(2), chunk(1)];
        let body = encode_map(&extents);
        assert_eq!(body.children.len(), 2);
        assert_eq!(decode_map(&body.raw, &body.children), Ok(extents));
        for len in 0..body.raw.len() {
            assert!(decode_map(&body.raw[..len], &body.children).is_err());
        }
    }

    #[test]
    fn map_branches_round_trip_and_refuse_cuts() {
        let branch = MapBranch { level: 2, children: vec![(node(1), 5), (node(2), 1 << 40)] };
        let body = encode_map_branch(&branch);
        assert_eq!(decode_map_branch(&body.raw, &body.children), Ok(branch));
        for len in 0..body.raw.len() {
            assert!(decode_map_branch(&body.raw[..len], &body.children).is_err());
        }
    }
}
