//! Nodes: leaves, branches and maps. Input: number of children u16, then the node's raw bytes.

use std::fmt::Debug;

use lifeboat::format::branch;
use lifeboat::format::branch::TREE_HEIGHT_MAX;
use lifeboat::format::entry::Content;
use lifeboat::format::entry::Entry;
use lifeboat::format::leaf::LEAF_ENTRIES_MAX;
use lifeboat::format::leaf::NodeBody;
use lifeboat::format::leaf::decode::decode_leaf;
use lifeboat::format::leaf::encode::encode_leaf;
use lifeboat::format::map;
use lifeboat::format::wire::FormatError;
use lifeboat::ids::Sid;
use lifeboat::meta::Extra;
use lifeboat::meta::Kind;

use super::Seen;
use super::choice;
use super::told;

/// The n-th child of every node here.
pub fn sid(number: usize) -> Sid {
    let mut bytes = [0xc1; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Sid::new(bytes)
}

/// Most children that an input may have.
const CHILDREN_MAX: usize = 1024;

/// Splits an input into sids and raw bytes.
pub fn split(input: &[u8]) -> (Vec<Sid>, &[u8]) {
    match input.split_first_chunk::<2>() {
        Some((count, raw)) => {
            let count = usize::from(u16::from_le_bytes(*count)).min(CHILDREN_MAX);
            ((0..count).map(sid).collect(), raw)
        }
        None => (Vec::new(), input),
    }
}

/// Decodes, encodes and decodes again: the second is as the first, and from there on nothing
/// changes any more.
fn settles<T: PartialEq + Debug>(
    input: &[u8],
    decode: impl Fn(&[u8], &[Sid]) -> Result<T, FormatError>,
    encode: impl Fn(&T) -> NodeBody,
    alike: impl Fn(&T) -> T,
) -> (Seen, Option<T>) {
    let (sids, raw) = split(input);
    let first = match decode(raw, &sids) {
        Ok(first) => first,
        Err(error) => return (told(&error), None),
    };
    let body = encode(&first);
    let second = decode(&body.raw, &body.children);
    assert_eq!(second.as_ref(), Ok(&alike(&first)), "decoded again");
    let again = encode(second.as_ref().expect("just compared"));
    assert_eq!(again, body, "encoded again");
    (Seen::Accepted, Some(first))
}

pub fn leaf(input: &[u8]) -> Seen {
    let encode = |entries: &Vec<Entry>| encode_leaf(entries);
    let (seen, entries) =
        settles(input, decode_leaf, encode, |entries| entries.iter().cloned().map(plain).collect());
    let entries = entries.unwrap_or_default();
    assert!(entries.len() <= LEAF_ENTRIES_MAX);
    for entry in &entries {
        check_entry(entry);
    }
    seen
}

/// What the encoder does not keep: the number of a folder's links, and an extra part that is empty.
fn plain(mut entry: Entry) -> Entry {
    if entry.meta.kind == Kind::Directory {
        entry.meta.links_count = 1;
    }
    if entry.meta.extra.as_deref() == Some(&Extra::default()) {
        entry.meta.extra = None;
    }
    entry
}

/// What a reader may rely on.
pub fn check_entry(entry: &Entry) {
    for name in entry.path.components() {
        assert!(!matches!(name, b"" | b"." | b".."), "{:?}", entry.path);
        assert!(!name.contains(&b'/') && !name.contains(&0), "{:?}", entry.path);
    }
    let size = entry.meta.size_bytes;
    match &entry.content {
        Content::None => {}
        Content::Slice { bundle, offset, len, .. } => {
            assert_eq!(u64::from(*len), size);
            assert!(u64::from(*offset) + u64::from(*len) <= u64::from(bundle.raw_len));
        }
        Content::Extents { extents, .. } => {
            let sum: u128 = extents.iter().map(|extent| u128::from(extent.len_bytes())).sum();
            assert_eq!(sum, u128::from(size));
        }
        Content::Map { .. } => assert_eq!(entry.meta.kind, Kind::File),
    }
    let link = entry.meta.extra.as_ref().and_then(|extra| extra.hard_link.as_ref());
    assert_eq!(link.is_some(), entry.meta.kind == Kind::HardLink);
    if let Some(extra) = &entry.meta.extra {
        assert!(extra.xattrs.is_sorted_by(|a, b| a.name < b.name));
    }
}

pub fn branch(input: &[u8]) -> Seen {
    let (seen, found) = settles(input, branch::decode_branch, branch::encode_branch, Clone::clone);
    if let Some(found) = found {
        assert!((1..TREE_HEIGHT_MAX).contains(&found.level));
        assert!(found.children.is_sorted_by(|a, b| a.first < b.first));
        let (sids, raw) = split(input);
        let body = branch::encode_branch(&found);
        // A branch has one form.
        assert_eq!((body.raw.as_slice(), &body.children), (raw, &sids));
    }
    seen
}

/// Input: 0 and a leaf of a map, or 1 and a branch of one.
pub fn map(input: &[u8]) -> Seen {
    let (which, rest) = choice(input, 2);
    if which == 1 {
        let (decode, encode) = (map::decode_map_branch, map::encode_map_branch);
        return settles(rest, decode, encode, Clone::clone).0;
    }
    let encode = |extents: &Vec<_>| map::encode_map(extents);
    let (seen, extents) = settles(rest, map::decode_map, encode, Clone::clone);
    assert!(extents.unwrap_or_default().iter().all(|extent| extent.len_bytes() > 0));
    seen
}
