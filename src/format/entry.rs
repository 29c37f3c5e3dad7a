//! One entry of a snapshot: path, attributes and where its content is.

use std::sync::Arc;

use crate::format::object::Ref;
use crate::ids::Digest;
use crate::meta::Meta;
use crate::path::SnapshotPath;

/// Most extents that stand in the leaf itself; a file with more has a map.
pub const INLINE_EXTENTS_MAX: usize = 64;

/// One thing in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: SnapshotPath,
    pub meta: Meta,
    pub content: Content,
}

/// Where an entry's content is, with the digest of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing: not a file, an empty file, or one that could not be read.
    None,
    /// A part of a bundle.
    Slice { bundle: Arc<Ref>, offset: u32, len: u32, digest: Digest },
    /// Chunks and holes in order; at most [`INLINE_EXTENTS_MAX`].
    Extents { extents: Vec<Extent>, digest: Digest },
    /// A map whose leaves hold the extents.
    Map { root: Arc<Ref>, digest: Digest },
}

/// A part of a large file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Bytes that were not allocated at the source and read as zero.
    Hole { len_bytes: u64 },
    /// One chunk of `chunk.raw_len` bytes, and the digest of those bytes.
    Chunk { chunk: Arc<Ref>, digest: Digest },
}

impl Extent {
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        match self {
            Self::Hole { len_bytes } => *len_bytes,
            Self::Chunk { chunk, .. } => u64::from(chunk.raw_len),
        }
    }
}

impl Content {
    #[must_use]
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::None => None,
            Self::Slice { digest, .. }
            | Self::Extents { digest, .. }
            | Self::Map { digest, .. } => Some(digest),
        }
    }
}
