//! What every form of archive is told of a member.

use crate::format::entry::Entry;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;

/// One thing in an archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// Names joined with `/`, relative, without a slash at either end; empty for the folder that
    /// was asked for.
    pub(super) name: &'a [u8],
    pub(super) meta: &'a Meta,
}

impl Member<'_> {
    /// Target of a symbolic link.
    pub(super) fn target(&self) -> &[u8] {
        self.meta.extra.as_ref().map_or(&[], |extra| &extra.link)
    }

    /// Major and minor number of a device.
    pub(super) fn device(&self) -> (u32, u32) {
        self.meta.extra.as_ref().map_or((0, 0), |extra| extra.rdev)
    }
}

/// How a file's bytes lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) size_bytes: u64,
    /// Where data lies, as offset and length; `None`: everywhere.
    pub(super) data: Option<Vec<(u64, u64)>>,
}

/// Something of a member that its archive cannot hold as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// Extended attributes and ACLs, all of them.
    Attributes,
    /// One extended attribute.
    Xattr(Vec<u8>),
    /// Its name; this was written in its place.
    Name(String),
}

/// The member's name for an entry within the folder that was asked for; an entry that was asked for
/// itself and is no folder keeps its own name.
pub(super) fn name(entry: &Entry, within: &SnapshotPath) -> Option<Vec<u8>> {
    let relative = entry.path.relative_to(within)?;
    if relative.is_root() && entry.meta.kind != Kind::Directory {
        return entry.path.name().map(<[u8]>::to_vec);
    }
    Some(relative.to_slashed())
}
