//! Objects and references to them.

use crate::ids::Sid;
use crate::secret::ObjectKey;

/// Version of the format that this program writes.
pub const FORMAT_VERSION: u8 = 1;
/// Cipher suite 1: BLAKE3 and AES-256-GCM.
pub const SUITE: u8 = 1;
/// Most raw bytes of one frame.
pub const FRAME_RAW_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most bytes of one sealed object: a frame that did not compress, its padding, sealed refs and
/// tag.
pub const OBJECT_BYTES_MAX: usize = 20 * 1024 * 1024;

/// What an object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ObjectKind {
    /// Piece of a large file.
    Chunk = 1,
    /// Several small files.
    Bundle = 2,
    /// Entries of a snapshot.
    Leaf = 3,
    /// Leaves or branches of a snapshot.
    Branch = 4,
    /// Chunks of a huge file.
    Map = 5,
    /// Maps of a huge file.
    MapBranch = 6,
    /// Truth recorded at the source.
    Capsule = 7,
}

impl ObjectKind {
    #[must_use]
    pub const fn from_u8(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Chunk,
            2 => Self::Bundle,
            3 => Self::Leaf,
            4 => Self::Branch,
            5 => Self::Map,
            6 => Self::MapBranch,
            7 => Self::Capsule,
            _ => return None,
        })
    }

    /// Whether it refers to other objects, carries sealed refs, and is kept twice.
    #[must_use]
    pub const fn is_node(self) -> bool {
        matches!(self, Self::Leaf | Self::Branch | Self::Map | Self::MapBranch)
    }
}

/// What a parent keeps of a child: enough to find it, open it and know its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    pub sid: Sid,
    pub key: ObjectKey,
    /// Bytes of the frame's raw content.
    pub raw_len: u32,
}

/// A sealed object, ready for the vault.
#[derive(Debug, Clone)]
pub struct SealedObject {
    pub sid: Sid,
    pub kind: ObjectKind,
    pub bytes: Vec<u8>,
}
