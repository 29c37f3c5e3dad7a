//! What is known of one thing in a file system, without its content.
//!
//! What it is: kind, size, times, owner, rights and extended attributes of an entry.
//! Never: reads a file system (see `source`), encodes itself (see `format`).
//! Invariants: extended attributes are sorted by name, without twins.
//! Start reading at: [`Meta`].

use std::sync::Arc;

use crate::path::SnapshotPath;
use crate::units::FileTime;

/// Most bytes of all extended attributes of one entry, names and values.
pub const XATTR_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of a symbolic link's target.
pub const LINK_BYTES_MAX: usize = 64 * 1024;

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    /// Another name of what stands earlier in the same snapshot and is no folder.
    HardLink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
}

/// One extended attribute. POSIX ACLs and file capabilities are attributes too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Xattr {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

/// What only some entries have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra {
    /// Target of a symbolic link.
    pub link: Vec<u8>,
    /// For a hard link: the entry of the same snapshot that has the content.
    pub hard_link: Option<SnapshotPath>,
    /// Major and minor number of a device.
    pub rdev: (u32, u32),
    /// Sorted by name.
    pub xattrs: Vec<Xattr>,
}

/// Problems found while an entry was read; kept in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The file changed while it was read: the content may mix two states.
    pub const CHANGED: Self = Self(1);
    /// The content could not be read; the entry has none.
    pub const UNREADABLE: Self = Self(2);
    /// Some attributes could not be read.
    pub const ATTRIBUTES_INCOMPLETE: Self = Self(4);
    /// A read failed part way: the content is what came before.
    pub const TRUNCATED: Self = Self(8);

    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Everything but path and content of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    pub kind: Kind,
    /// Bytes of a file's content; 0 for everything else.
    pub size_bytes: u64,
    /// Permission bits, with setuid, setgid and sticky (07777).
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Names of owner and group, if the system knew them; empty if not.
    pub user: Arc<[u8]>,
    pub group: Arc<[u8]>,
    pub mtime: FileTime,
    pub ctime: FileTime,
    /// Inode number, for change detection and hard links.
    pub inode: u64,
    pub device: u64,
    /// Number of names the inode has.
    pub links_count: u32,
    pub flags: Flags,
    /// `None` when the entry has none of it.
    pub extra: Option<Box<Extra>>,
}

impl Meta {
    /// A plain entry for tests and for content that comes from no file.
    #[must_use]
    pub fn plain(kind: Kind, size_bytes: u64) -> Self {
        let empty: Arc<[u8]> = Arc::from(&b""[..]);
        Self {
            kind,
            size_bytes,
            mode: if kind == Kind::Directory { 0o755 } else { 0o644 },
            uid: 0,
            gid: 0,
            user: Arc::clone(&empty),
            group: empty,
            mtime: FileTime::default(),
            ctime: FileTime::default(),
            inode: 0,
            device: 0,
            links_count: 1,
            flags: Flags::default(),
            extra: None,
        }
    }

    /// Whether the file system's signs of change are equal: kind, size, both times and the inode.
    #[must_use]
    pub fn looks_unchanged_from(&self, earlier: &Self) -> bool {
        let kind_same = self.kind == earlier.kind
            || (self.kind != Kind::Directory && earlier.kind == Kind::HardLink);
        kind_same
            && self.size_bytes == earlier.size_bytes
            && self.mtime == earlier.mtime
            && self.ctime == earlier.ctime
            && self.inode == earlier.inode
            && self.links_count == earlier.links_count
    }
}
