//! A leaf: entries of a snapshot, sorted by path, column by column.
//!
//! Columns of like values compress far better than rows, and a column that no entry needs costs
//! three bytes. The children's sids stand in the node's sealed refs, their keys here.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod decode;
pub mod encode;
#[cfg(test)]
mod tests;

use crate::ids::Sid;

/// Most entries of one leaf.
pub const LEAF_ENTRIES_MAX: usize = 16 * 1024;
/// Most bytes of all paths of one leaf together. They share what is equal, so a small leaf could
/// otherwise ask its reader for half a gibibyte.
pub const LEAF_PATH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most children of one node: with 32 bytes each, sealed refs stay below 2 MiB.
pub const NODE_CHILDREN_MAX: usize = 65_536;
/// Most different owners-and-rights of one leaf.
const OWNERS_MAX: usize = LEAF_ENTRIES_MAX;
/// Most bytes of a user's or group's name.
const OWNER_NAME_BYTES_MAX: usize = 1024;
/// Most extended attributes of one entry.
const XATTRS_MAX: usize = 1024;

/// Column numbers, in the order they stand in. A reader refuses a number below 128 that it does not
/// know, and passes over higher ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Column {
    Shape = 1,
    PathShared = 2,
    PathRest = 3,
    PathBytes = 4,
    Owners = 5,
    Owner = 6,
    Size = 7,
    MtimeSecs = 8,
    MtimeNanos = 9,
    CtimeSecs = 10,
    CtimeNanos = 11,
    Inode = 12,
    Child = 13,
    Offset = 14,
    Extents = 15,
    Digest = 16,
    Extra = 17,
}

/// Number of columns of version 1.
const COLUMNS: usize = 17;

/// How an entry's content is kept; the high four bits of its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Holding {
    None = 0,
    Slice = 1,
    Extents = 2,
    Map = 3,
}

/// Which fields the extra column has for an entry.
mod extra_bits {
    pub(super) const FLAGS: u8 = 1;
    pub(super) const LINKS: u8 = 2;
    pub(super) const LINK: u8 = 4;
    pub(super) const HARD_LINK: u8 = 8;
    pub(super) const RDEV: u8 = 16;
    pub(super) const XATTRS: u8 = 32;
    pub(super) const ALL: u8 = 63;
}

/// An encoded node body with the children it refers to, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeBody {
    pub raw: Vec<u8>,
    pub children: Vec<Sid>,
}
