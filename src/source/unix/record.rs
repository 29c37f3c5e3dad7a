//! What a `stat` tells, kept small, and as the words of the house.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustix::fs::AtFlags;
use rustix::fs::FileType;
use rustix::fs::Statx;
use rustix::fs::StatxFlags;
use rustix::io::Errno;

use crate::meta::Extra;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::units::FileTime;

/// A `stat` in 64 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) size_bytes: u64,
    pub(super) inode: u64,
    pub(super) device: u64,
    mtime_secs: i64,
    ctime_secs: i64,
    mtime_nanos: u32,
    ctime_nanos: u32,
    uid: u32,
    gid: u32,
    links_count: u32,
    /// Kind and rights as the kernel joins them.
    mode: u16,
}

impl Record {
    pub(super) fn new(stat: &Statx) -> Self {
        Self {
            size_bytes: stat.stx_size,
            inode: stat.stx_ino,
            device: join(stat.stx_dev_major, stat.stx_dev_minor),
            mtime_secs: stat.stx_mtime.tv_sec,
            ctime_secs: stat.stx_ctime.tv_sec,
            mtime_nanos: stat.stx_mtime.tv_nsec,
            ctime_nanos: stat.stx_ctime.tv_nsec,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            links_count: stat.stx_nlink,
            mode: stat.stx_mode,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        kind_of(self.mode)
    }

    pub(super) fn meta(&self, owners: &Owners, rdev: (u32, u32)) -> Meta {
        let kind = self.kind();
        let is_device = matches!(kind, Kind::CharDevice | Kind::BlockDevice);
        let (user, group) = owners.names(self.uid, self.gid);
        Meta {
            kind,
            size_bytes: if kind == Kind::File { self.size_bytes } else { 0 },
            mode: u32::from(self.mode & 0o7777),
            uid: self.uid,
            gid: self.gid,
            user,
            group,
            mtime: FileTime { secs: self.mtime_secs, nanos: self.mtime_nanos },
            ctime: FileTime { secs: self.ctime_secs, nanos: self.ctime_nanos },
            inode: self.inode,
            device: self.device,
            links_count: self.links_count,
            flags: Flags::default(),
            extra: is_device.then(|| Box::new(Extra { rdev, ..Extra::default() })),
        }
    }

    /// Whether size or a time differs from `earlier`.
    pub(super) fn differs_from(&self, earlier: &Self) -> bool {
        let signs =
            |r: &Self| (r.size_bytes, r.mtime_secs, r.mtime_nanos, r.ctime_secs, r.ctime_nanos);
        signs(self) != signs(earlier)
    }
}

/// Major and minor number as one; only compared.
fn join(major: u32, minor: u32) -> u64 {
    u64::from(major) << 32 | u64::from(minor)
}

fn kind_of(mode: u16) -> Kind {
    match FileType::from_raw_mode(u32::from(mode)) {
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        FileType::Fifo => Kind::Fifo,
        FileType::Socket => Kind::Socket,
        FileType::CharacterDevice => Kind::CharDevice,
        FileType::BlockDevice => Kind::BlockDevice,
        _ => Kind::File,
    }
}

/// `stat` of an open handle.
pub(super) fn stat_handle(fd: &impl std::os::fd::AsFd) -> Result<Statx, Errno> {
    rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)
}

/// Names of owners and groups, asked from the system (with its directory services) once each.
#[derive(Debug, Default)]
pub(super) struct Owners {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    users: HashMap<u32, Arc<[u8]>>,
    groups: HashMap<u32, Arc<[u8]>>,
}

impl Owners {
    pub(super) fn names(&self, uid: u32, gid: u32) -> (Arc<[u8]>, Arc<[u8]>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let user = known.users.entry(uid).or_insert_with(|| {
            let user = uzers::get_user_by_uid(uid);
            user.map_or_else(|| Arc::from(&b""[..]), |user| Arc::from(user.name().as_bytes()))
        });
        let user = Arc::clone(user);
        let group = known.groups.entry(gid).or_insert_with(|| {
            let group = uzers::get_group_by_gid(gid);
            group.map_or_else(|| Arc::from(&b""[..]), |group| Arc::from(group.name().as_bytes()))
        });
        (user, Arc::clone(group))
    }
}

/// An error of the system as text, without its number.
pub(super) fn text(error: Errno) -> String {
    let text = std::io::Error::from(error).to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_lowercase()
}
