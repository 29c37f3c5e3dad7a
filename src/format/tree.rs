//! What leaves, branches and maps share: their children and the extents of files.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::HashMap;
use std::sync::Arc;

use crate::format::entry::Extent;
use crate::format::leaf::NODE_CHILDREN_MAX;
use crate::format::object::FRAME_RAW_BYTES_MAX;
use crate::format::object::Ref;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_varint;
use crate::ids::Digest;
use crate::ids::Sid;
use crate::secret::ObjectKey;

/// The children of a node while it is encoded: each once, in order of first use.
#[derive(Debug, Default)]
pub(in crate::format) struct Children {
    numbers: HashMap<Sid, u64>,
    refs: Vec<Arc<Ref>>,
}

impl Children {
    pub(in crate::format) fn number(&mut self, child: &Arc<Ref>) -> u64 {
        let next = self.refs.len() as u64;
        let number = *self.numbers.entry(child.sid).or_insert(next);
        if number == next {
            self.refs.push(Arc::clone(child));
        }
        number
    }

    /// Count, keys, raw lengths.
    pub(in crate::format) fn encode(&self, out: &mut Vec<u8>) -> Vec<Sid> {
        push_children(out, &self.refs)
    }
}

/// Count, keys, raw lengths; returns the sids for the sealed refs.
pub(in crate::format) fn push_children(out: &mut Vec<u8>, nodes: &[Arc<Ref>]) -> Vec<Sid> {
    push_varint(out, nodes.len() as u64);
    for node in nodes {
        out.extend_from_slice(node.key.expose());
    }
    for node in nodes {
        push_varint(out, u64::from(node.raw_len));
    }
    nodes.iter().map(|node| node.sid).collect()
}

/// A hole: 0, length. A chunk: child number plus one, digest.
pub(in crate::format) fn encode_extent(
    out: &mut Vec<u8>,
    children: &mut Children,
    extent: &Extent,
) {
    match extent {
        Extent::Hole { len_bytes } => {
            push_varint(out, 0);
            push_varint(out, *len_bytes);
        }
        Extent::Chunk { chunk, digest } => {
            push_varint(out, children.number(chunk).wrapping_add(1));
            out.extend_from_slice(digest.as_bytes());
        }
    }
}

/// Keys and raw lengths of the children, joined with their sids.
pub(in crate::format) fn decode_children(
    reader: &mut Reader<'_>,
    sids: &[Sid],
) -> Result<Vec<Arc<Ref>>, FormatError> {
    let count = reader.count(NODE_CHILDREN_MAX)?;
    if count != sids.len() {
        return Err(reader.invalid("children and sealed refs differ in number"));
    }
    let mut keys = Reader::new("children", reader.bytes(count.saturating_mul(ObjectKey::LEN))?);
    let mut children = Vec::with_capacity(count);
    for sid in sids {
        let raw_len = reader.varint_u32()?;
        if raw_len as usize > FRAME_RAW_BYTES_MAX {
            return Err(reader.invalid("a child is longer than a frame may be"));
        }
        children.push(Arc::new(Ref { sid: *sid, key: ObjectKey::new(keys.array()?), raw_len }));
    }
    Ok(children)
}

pub(in crate::format) fn decode_extent(
    reader: &mut Reader<'_>,
    children: &[Arc<Ref>],
) -> Result<Extent, FormatError> {
    let number = reader.varint()?;
    let Some(number) = number.checked_sub(1) else {
        let len_bytes = reader.varint()?;
        if len_bytes == 0 {
            return Err(reader.invalid("a hole is empty"));
        }
        return Ok(Extent::Hole { len_bytes });
    };
    let chunk = child(reader, children, number)?;
    if chunk.raw_len == 0 {
        return Err(reader.invalid("a chunk is empty"));
    }
    Ok(Extent::Chunk { chunk, digest: Digest::new(reader.array()?) })
}

pub(in crate::format) fn child(
    reader: &Reader<'_>,
    children: &[Arc<Ref>],
    number: u64,
) -> Result<Arc<Ref>, FormatError> {
    let found = usize::try_from(number).ok().and_then(|number| children.get(number));
    found.map(Arc::clone).ok_or(reader.invalid("a child's number is too high"))
}
