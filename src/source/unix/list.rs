//! One folder listed: names, and a `stat` of each, sorted by name.

use std::ffi::CStr;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use rustix::fs::AtFlags;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::RawDir;
use rustix::fs::StatxFlags;
use rustix::io::Errno;

use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::source::exclude::Excludes;
use crate::source::exclude::Marker;
use crate::source::exclude::Mounts;

use super::record::Record;
use super::record::stat_handle;
use super::record::text;

/// Bytes for names asked from the kernel at once.
const NAMES_BUFFER_BYTES: usize = 32 * 1024;
/// What a snapshot of Btrfs has where a subvolume of its own was.
const HOLE_INODE: u64 = 2;
/// What names of our own snapshots begin with.
const SNAPSHOT_PREFIX: &[u8] = b".lifeboat-";
/// Entries between two looks at the switch that stops the walk.
const STOP_EVERY_ENTRIES: usize = 1024;

/// One entry of a listing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    name_at: u32,
    name_len: u16,
    pub(super) record: Record,
}

/// A folder's entries, sorted by name.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Names, each with a NUL behind it.
    pub(super) arena: Vec<u8>,
    pub(super) entries: Vec<Listed>,
    /// Numbers of the devices among the entries, by inode.
    pub(super) rdevs: Vec<(u64, (u32, u32))>,
    /// Name (empty: the folder itself) and what is wrong.
    pub(super) problems: Vec<(Vec<u8>, String)>,
    pub(super) excluded_count: u64,
    /// The folder itself could not be listed, or not to its end.
    pub(super) is_incomplete: bool,
}

impl Listing {
    pub(super) fn name(&self, listed: &Listed) -> &[u8] {
        self.name_at(listed.name_at, listed.name_len)
    }

    fn name_at(&self, at: u32, len: u16) -> &[u8] {
        let at = at as usize;
        self.arena.get(at..at + usize::from(len)).unwrap_or_default()
    }

    pub(super) fn rdev(&self, record: &Record) -> (u32, u32) {
        let found = self.rdevs.iter().find(|(inode, _)| *inode == record.inode);
        found.map_or((0, 0), |(_, rdev)| *rdev)
    }

    fn fail(&mut self, message: String) {
        self.is_incomplete = true;
        self.problems.push((Vec::new(), message));
    }
}

/// A name as the kernel lists it, before its `stat`.
struct Name {
    inode: u64,
    at: u32,
    len: u16,
}

/// How a folder is listed.
pub(super) struct Lister<'a> {
    pub(super) excludes: &'a Excludes,
    pub(super) closed: &'a AtomicBool,
    /// Whether what is listed is a snapshot of Btrfs.
    pub(super) is_snapshot: bool,
}

impl Lister<'_> {
    /// Lists the folder `fd`, which must be the one that `expected` (device, inode) names.
    pub(super) fn list(
        &self,
        fd: Result<OwnedFd, Errno>,
        path: &SnapshotPath,
        expected: (u64, u64),
    ) -> Listing {
        let mut listing = Listing::default();
        let opened = fd.and_then(|fd| stat_handle(&fd).map(|stat| (fd, Record::new(&stat))));
        let (fd, own) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                listing.fail(why(error));
                return listing;
            }
        };
        if (own.device, own.inode) != expected {
            listing.fail("replaced by something else while the backup ran".to_owned());
            return listing;
        }
        let mut names = match self.read_names(&fd, &mut listing) {
            Ok(names) => names,
            Err(names) => names,
        };
        self.keep_marker_only(&fd, &mut listing, &mut names);
        // In the order of inodes a disk moves its head least.
        names.sort_unstable_by_key(|name| name.inode);
        listing.entries.reserve_exact(names.len());
        for (index, name) in names.iter().enumerate() {
            if index % STOP_EVERY_ENTRIES == 0 && self.closed.load(Ordering::Relaxed) {
                break;
            }
            self.add(&fd, path, name, &mut listing);
        }
        let Listing { arena, entries, .. } = &mut listing;
        let text_of = |e: &Listed| {
            let at = e.name_at as usize;
            arena.get(at..at + usize::from(e.name_len)).unwrap_or_default()
        };
        entries.sort_unstable_by(|a, b| text_of(a).cmp(text_of(b)));
        entries.dedup_by(|a, b| text_of(a) == text_of(b));
        listing
    }

    /// The folder's names; in case of an error those that came before it.
    fn read_names(&self, fd: &OwnedFd, listing: &mut Listing) -> Result<Vec<Name>, Vec<Name>> {
        let mut names = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); NAMES_BUFFER_BYTES];
        let mut dir = RawDir::new(fd, &mut buffer);
        while let Some(entry) = dir.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(error) => {
                    listing.fail(why(error));
                    return Err(names);
                }
            };
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let (Ok(at), Ok(len)) = (u32::try_from(listing.arena.len()), u16::try_from(name.len()))
            else {
                listing.fail("the folder has more names than can be held".to_owned());
                return Err(names);
            };
            listing.arena.extend_from_slice(entry.file_name().to_bytes_with_nul());
            names.push(Name { inode: entry.ino(), at, len });
            if names.len() % STOP_EVERY_ENTRIES == 0 && self.closed.load(Ordering::Relaxed) {
                return Err(names);
            }
        }
        Ok(names)
    }

    /// If a marker stands in the folder, it alone is left.
    fn keep_marker_only(&self, fd: &OwnedFd, listing: &mut Listing, names: &mut Vec<Name>) {
        for marker in &self.excludes.markers {
            let is_it = |name: &Name| listing.name_at(name.at, name.len) == marker.name;
            let Some(place) = names.iter().position(is_it) else { continue };
            if has_header(fd, marker) {
                names.swap(0, place);
                listing.excluded_count += names.len().saturating_sub(1) as u64;
                names.truncate(1);
                return;
            }
        }
    }

    fn add(&self, fd: &OwnedFd, folder: &SnapshotPath, name: &Name, listing: &mut Listing) {
        let at = name.at as usize;
        let with_nul = listing.arena.get(at..=at + usize::from(name.len)).unwrap_or_default();
        let Ok(text) = CStr::from_bytes_with_nul(with_nul) else { return };
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let stat = match rustix::fs::statx(fd, text, flags, StatxFlags::BASIC_STATS) {
            Ok(stat) => stat,
            Err(error) => {
                let name = text.to_bytes().to_vec();
                listing.problems.push((name, why(error)));
                return;
            }
        };
        let record = Record::new(&stat);
        if self.is_snapshot && record.kind() == Kind::Directory && record.inode == HOLE_INODE {
            if text.to_bytes().starts_with(SNAPSHOT_PREFIX) {
                // One of another backup, at work beside this one.
                return;
            }
            let what = "a subvolume of its own, which the snapshot does not hold: give it a backup \
                        of its own";
            listing.problems.push((text.to_bytes().to_vec(), what.to_owned()));
        }
        if self.leaves_out(folder, text.to_bytes(), &record) {
            listing.excluded_count += 1;
            return;
        }
        if matches!(record.kind(), Kind::CharDevice | Kind::BlockDevice) {
            listing.rdevs.push((record.inode, (stat.stx_rdev_major, stat.stx_rdev_minor)));
        }
        listing.entries.push(Listed { name_at: name.at, name_len: name.len, record });
    }

    fn leaves_out(&self, folder: &SnapshotPath, name: &[u8], record: &Record) -> bool {
        let kind = record.kind();
        let limit = self.excludes.larger_than_bytes;
        if kind == Kind::File && limit.is_some_and(|limit| record.size_bytes > limit) {
            return true;
        }
        if self.excludes.patterns.is_empty() {
            return false;
        }
        let mut path = folder.to_slashed();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let path = Path::new(OsStr::from_bytes(&path));
        match kind {
            Kind::Directory => self.excludes.patterns.leave_out_folder(path),
            _ => self.excludes.patterns.leave_out(path),
        }
    }

    /// Whether the walk goes into a folder of `device` found in a root on `root_device`.
    pub(super) fn enters(&self, device: u64, root_device: u64) -> bool {
        self.excludes.mounts == Mounts::Enter || device == root_device
    }
}

fn why(error: Errno) -> String {
    match error {
        Errno::NOENT => "vanished while the backup ran".to_owned(),
        Errno::NOTDIR | Errno::LOOP => "replaced by something else while the backup ran".to_owned(),
        error => format!("cannot list: {}", text(error)),
    }
}

/// Whether the marking file begins as it must. One that cannot be read marks nothing.
fn has_header(fd: &OwnedFd, marker: &Marker) -> bool {
    if marker.header.is_empty() {
        return true;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(fd, &*marker.name, flags, Mode::empty()) else {
        return false;
    };
    let is_file = stat_handle(&file).is_ok_and(|stat| Record::new(&stat).kind() == Kind::File);
    let mut start = vec![0_u8; marker.header.len()];
    is_file && rustix::io::pread(&file, &mut *start, 0) == Ok(start.len()) && start == marker.header
}
