//! The list of children that a node carries in front of its body.
//!
//! ```text
//! generation of S u32 | refs_len u32 | sealed refs | body
//! ```
//! Opened, the sealed refs are the children's sids, 32 bytes each.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::Sid;

/// Most children of one node.
pub const CHILDREN_COUNT_MAX: usize = 65_536;
/// Kind of the box that holds the sids; its name is empty.
pub const NODE_REFS_KIND: &str = "node refs";

/// A node, split but not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeParts<'a> {
    /// Generation of the store key that seals the refs.
    pub generation: u32,
    pub sealed_refs: &'a [u8],
    pub body: &'a [u8],
}

/// Splits a node's bytes.
pub fn split(object: &[u8]) -> Result<NodeParts<'_>, FormatError> {
    let mut reader = Reader::new("node", object);
    let generation = reader.u32()?;
    let refs_len = reader.u32()?;
    let refs_len =
        usize::try_from(refs_len).map_err(|_| reader.invalid("length of the list of children"))?;
    let sealed_refs = reader.bytes(refs_len)?;
    let body = reader.bytes(reader.left())?;
    Ok(NodeParts { generation, sealed_refs, body })
}

/// Puts a node together.
pub fn join(parts: NodeParts<'_>) -> Result<Vec<u8>, FormatError> {
    let found = parts.sealed_refs.len() as u64;
    let over = FormatError::Limit { what: "node", found, max: u64::from(u32::MAX) };
    let refs_len = u32::try_from(found).map_err(|_| over)?;
    let heads = [&parts.generation.to_le_bytes()[..], &refs_len.to_le_bytes()[..]];
    Ok([heads[0], heads[1], parts.sealed_refs, parts.body].concat())
}

/// What is sealed: the sids back to back.
#[must_use]
pub fn encode_children(children: &[Sid]) -> Vec<u8> {
    children.iter().flat_map(|sid| *sid.as_bytes()).collect()
}

/// The inverse of [`encode_children`].
pub fn decode_children(bytes: &[u8]) -> Result<Vec<Sid>, FormatError> {
    let what = "list of children";
    let chunks = bytes.chunks_exact(Sid::LEN);
    if !chunks.remainder().is_empty() {
        return Err(FormatError::Invalid { what, why: "its length is no multiple of 32 bytes" });
    }
    if chunks.len() > CHILDREN_COUNT_MAX {
        let (found, max) = (chunks.len() as u64, CHILDREN_COUNT_MAX as u64);
        return Err(FormatError::Limit { what, found, max });
    }
    Ok(chunks.filter_map(Sid::from_slice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_round_trip_and_every_cut_in_front_of_the_body_is_refused() {
        let parts = NodeParts { generation: 3, sealed_refs: b"refs", body: b"body" };
        let node = join(parts).unwrap();
        assert_eq!(split(&node), Ok(parts));
        for cut in 0..12 {
            assert!(split(&node[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn children_round_trip_within_limits() {
        let children = vec![Sid::new([1; 32]), Sid::new([2; 32])];
        let bytes = encode_children(&children);
        assert_eq!(decode_children(&bytes), Ok(children));
        assert!(decode_children(&bytes[1..]).is_err());
        assert!(decode_children(&vec![0; (CHILDREN_COUNT_MAX + 1) * 32]).is_err());
    }
}
