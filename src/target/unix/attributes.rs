//! Owner, extended attributes, mode and times of an open thing.

use rustix::fd::AsFd;
use rustix::fd::AsRawFd;
use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;
use rustix::fs::Gid;
use rustix::fs::Mode;
use rustix::fs::Timespec;
use rustix::fs::Timestamps;
use rustix::fs::UTIME_OMIT;
use rustix::fs::Uid;
use rustix::fs::XattrFlags;
use rustix::io::Errno;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::target::Attributes;
use crate::target::Lack;
use crate::target::Strays;
use crate::units::FileTime;

const SETUID_SETGID: u32 = 0o6000;
const MODE_BITS: u32 = 0o7777;
/// Most bytes of the list of names that a kernel gives (`XATTR_LIST_MAX`).
const XATTR_NAMES_BYTES_MAX: usize = 64 * 1024;

/// What kind of handle the attributes go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handle {
    /// Opened for reading or writing.
    Open,
    /// Opened as a place only (`O_PATH`): a link, fifo, socket or device.
    Place(Kind),
}

/// Sets all of it: owner first, since a change of owner drops capabilities and setuid; times last.
/// A file whose owner could not be set does not become setuid.
pub(super) fn set(fd: &OwnedFd, handle: Handle, wanted: &Attributes<'_>) -> Vec<Lack> {
    let mut lacks = Vec::new();
    let mut lack = |what: &[u8], errno: Errno| {
        let detail = std::io::Error::from(errno).to_string();
        lacks.push(Lack { what: what.to_vec(), detail });
    };
    let mut mode = wanted.mode & MODE_BITS;
    if let Some((uid, gid)) = wanted.owner
        && let Err(errno) = set_owner(fd, handle, uid, gid)
    {
        lack(b"owner", errno);
        if mode & SETUID_SETGID != 0 {
            mode &= !SETUID_SETGID;
            lack(b"setuid or setgid", errno);
        }
    }
    if wanted.strays == Strays::Remove && handle == Handle::Open {
        remove_strays(fd, wanted);
    }
    for xattr in wanted.xattrs {
        if let Err(errno) = set_xattr(fd, handle, &xattr.name, &xattr.value) {
            lack(&xattr.name, errno);
        }
    }
    if let Err(errno) = set_mode(fd, handle, mode) {
        lack(b"mode", errno);
    }
    if let Err(errno) = set_times(fd, handle, wanted.mtime) {
        lack(b"times", errno);
    }
    lacks
}

/// Whether an open file looks as wanted already.
pub(super) fn are_set(fd: &OwnedFd, found: &Meta, wanted: &Attributes<'_>) -> bool {
    let owned = wanted.owner.is_none_or(|owner| owner == (found.uid, found.gid));
    let has = |xattr: &Xattr| {
        // One byte more than wanted, so that a longer value is another one.
        let mut value = vec![0; xattr.value.len() + 1];
        let len = rustix::fs::fgetxattr(fd, &*xattr.name, &mut value[..]);
        len.is_ok_and(|len| value.get(..len) == Some(&*xattr.value))
    };
    owned
        && found.mode == wanted.mode & MODE_BITS
        && found.mtime == wanted.mtime
        && wanted.xattrs.iter().all(has)
        && (wanted.strays == Strays::Leave || strays(fd, wanted).is_empty())
}

fn set_owner(fd: &OwnedFd, handle: Handle, uid: u32, gid: u32) -> Result<(), Errno> {
    let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    match handle {
        Handle::Open => rustix::fs::fchown(fd, uid, gid),
        Handle::Place(_) => rustix::fs::chownat(fd, c"", uid, gid, AtFlags::EMPTY_PATH),
    }
}

fn set_mode(fd: &OwnedFd, handle: Handle, mode: u32) -> Result<(), Errno> {
    match handle {
        Handle::Open => rustix::fs::fchmod(fd, Mode::from_raw_mode(mode)),
        // A link has no rights of its own on this system.
        Handle::Place(Kind::Symlink) => Ok(()),
        Handle::Place(_) => rustix::fs::chmod(by_handle(fd), Mode::from_raw_mode(mode)),
    }
}

pub(super) fn set_times(fd: &OwnedFd, handle: Handle, mtime: FileTime) -> Result<(), Errno> {
    let tv_nsec = mtime.nanos.into();
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: mtime.secs, tv_nsec },
    };
    match handle {
        Handle::Open => rustix::fs::futimens(fd, &times),
        Handle::Place(_) => rustix::fs::utimensat(fd, c"", &times, AtFlags::EMPTY_PATH),
    }
}

fn set_xattr(fd: &OwnedFd, handle: Handle, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    match handle {
        Handle::Open => rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()),
        Handle::Place(_) => rustix::fs::setxattr(by_handle(fd), name, value, XattrFlags::empty()),
    }
}

/// The system's own name for a handle: resolving it jumps to the open thing and follows nothing.
fn by_handle(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Takes away what the folder's default ACL or an earlier file left. Labels of the system stay.
/// What cannot be listed or removed was never set by anyone who may not set it either.
fn remove_strays(fd: &OwnedFd, wanted: &Attributes<'_>) {
    for name in strays(fd, wanted) {
        let _best_effort = rustix::fs::fremovexattr(fd, &*name);
    }
}

/// Names of what is there and not wanted.
fn strays(fd: &OwnedFd, wanted: &Attributes<'_>) -> Vec<Vec<u8>> {
    let mut names = vec![0; XATTR_NAMES_BYTES_MAX];
    let Ok(len) = rustix::fs::flistxattr(fd, &mut names[..]) else { return Vec::new() };
    let is_stray = |name: &&[u8]| {
        let ours = name.starts_with(b"user.") || name.starts_with(b"system.posix_acl_");
        ours && !wanted.xattrs.iter().any(|xattr| xattr.name == *name)
    };
    names[..len].split(|&b| b == 0).filter(is_stray).map(<[u8]>::to_vec).collect()
}

/// What a `stat` tells.
pub(super) fn meta_of(stat: &rustix::fs::Stat) -> Meta {
    use rustix::fs::FileType;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        FileType::CharacterDevice => Kind::CharDevice,
        FileType::BlockDevice => Kind::BlockDevice,
        FileType::RegularFile | FileType::Unknown => Kind::File,
    };
    let size_bytes = match kind {
        Kind::File => u64::try_from(stat.st_size).unwrap_or(0),
        _ => 0,
    };
    Meta {
        mode: stat.st_mode & MODE_BITS,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: FileTime {
            secs: stat.st_mtime,
            nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
        },
        ctime: FileTime {
            secs: stat.st_ctime,
            nanos: u32::try_from(stat.st_ctime_nsec).unwrap_or(0),
        },
        inode: stat.st_ino,
        device: stat.st_dev,
        links_count: u32::try_from(stat.st_nlink).unwrap_or(u32::MAX),
        ..Meta::plain(kind, size_bytes)
    }
}
