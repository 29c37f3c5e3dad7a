//! Readers: attributes and content, checked against what was listed.

use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;

use rustix::fs::Advice;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::SeekFrom;
use rustix::fs::Statx;
use rustix::io::Errno;

use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::LINK_BYTES_MAX;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::source::Content;
use crate::source::DataRange;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Reader;

use super::Inner;
use super::record::Record;
use super::record::stat_handle;
use super::record::text;
use super::xattr::Handle;
use super::xattr::Named;
use super::xattr::XattrReader;

/// From this size on the kernel is told to read far ahead.
const SEQUENTIAL_BYTES_MIN: u64 = 256 * 1024;

/// So much more than it had when it was opened is read of a file that grows, such as a log: one
/// that grows faster than it is read would never end.
pub(super) const GROWTH_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads entries of a [`super::FolderSource`].
pub(super) struct FolderReader<'a> {
    inner: &'a Inner,
    /// The folder opened last.
    folder: Option<(SnapshotPath, OwnedFd)>,
    xattrs: XattrReader,
    euid: u32,
}

impl<'a> FolderReader<'a> {
    pub(super) fn new(inner: &'a Inner) -> Self {
        let euid = rustix::process::geteuid().as_raw();
        Self { inner, folder: None, xattrs: XattrReader::default(), euid }
    }

    /// Opens the entry itself, not what it may point to.
    fn open_entry(&mut self, found: &Found, flags: OFlags) -> Result<(OwnedFd, Statx), ReadError> {
        // A place that was named, or a folder above one.
        if let Some(place) = self.inner.places.get(&found.path) {
            let nofollow = if place.is_above { OFlags::empty() } else { OFlags::NOFOLLOW };
            let flags = flags | nofollow | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(rustix::fs::CWD, &place.real, flags, Mode::empty());
            return same(self.inner, fd.map_err(error_of)?, found);
        }
        let (Some(parent), Some(name)) = (found.path.parent(), found.path.name()) else {
            return Err(ReadError::Vanished);
        };
        let folder = match self.folder.take() {
            Some((path, fd)) if path == parent => fd,
            _ => self.inner.open_folder(&parent, OFlags::PATH).map_err(error_of)?,
        };
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&folder, name, flags, Mode::empty());
        self.folder = Some((parent, folder));
        same(self.inner, fd.map_err(error_of)?, found)
    }

    /// Opens for reading; leaves the time of access alone where the system lets.
    fn open_readable(
        &mut self,
        found: &Found,
        flags: OFlags,
    ) -> Result<(OwnedFd, Statx), ReadError> {
        let flags = flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        if self.euid == 0 || self.euid == found.meta.uid {
            match self.open_entry(found, flags | OFlags::NOATIME) {
                Err(ReadError::Denied(_)) => {}
                other => return other,
            }
        }
        self.open_entry(found, flags)
    }

    fn meta(&self, stat: &Statx) -> Meta {
        let rdev = (stat.stx_rdev_major, stat.stx_rdev_minor);
        self.inner.meta(&Record::new(stat), rdev)
    }

    fn add_xattrs(
        run: &Run,
        found: &Found,
        (xattrs, wrong): (Vec<Xattr>, Option<String>),
        meta: &mut Meta,
    ) {
        if !xattrs.is_empty() {
            meta.extra.get_or_insert_default().xattrs = xattrs;
        }
        if let Some(wrong) = wrong {
            run.problem(&Problem::new(found.path.to_slashed(), wrong));
            meta.flags = meta.flags.with(Flags::ATTRIBUTES_INCOMPLETE);
        }
    }
}

impl Reader for FolderReader<'_> {
    fn attributes(&mut self, run: &Run, found: &Found) -> Result<Meta, ReadError> {
        let readable = match found.meta.kind {
            Kind::Directory => self.open_readable(found, OFlags::DIRECTORY),
            _ => Err(ReadError::Denied(String::new())),
        };
        let (stat, read, link) = match readable {
            Ok((fd, stat)) => (stat, self.xattrs.read(&Handle(&fd), found.meta.device), None),
            // A mark on the place: needs no right to read and opens nothing.
            Err(ReadError::Denied(_)) => {
                let (fd, stat) = self.open_entry(found, OFlags::PATH)?;
                let link = match found.meta.kind {
                    Kind::Symlink => Some(read_link(&fd)?),
                    _ => None,
                };
                let named = format!("/proc/self/fd/{}", fd.as_raw_fd());
                (stat, self.xattrs.read(&Named(&named), found.meta.device), link)
            }
            Err(error) => return Err(error),
        };
        let mut meta = self.meta(&stat);
        meta.flags = found.meta.flags;
        Self::add_xattrs(run, found, read, &mut meta);
        if let Some(link) = link {
            meta.extra.get_or_insert_default().link = link;
        }
        Ok(meta)
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        if found.meta.kind != Kind::File {
            return Err(ReadError::Failed("expected a regular file".to_owned()));
        }
        let (file, stat) = self.open_readable(found, OFlags::empty())?;
        let mut meta = self.meta(&stat);
        let read = self.xattrs.read(&Handle(&file), found.meta.device);
        Self::add_xattrs(run, found, read, &mut meta);
        if meta.size_bytes >= SEQUENTIAL_BYTES_MIN {
            // Only a hint: a file system that has no use for it may refuse.
            let _hint = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        }
        let may_have_holes = stat.stx_blocks.saturating_mul(512) < stat.stx_size;
        let opened = Record::new(&stat);
        let end = meta.size_bytes.saturating_add(GROWTH_BYTES_MAX);
        let (at, has_ended) = (0, false);
        Ok(Box::new(FileContent { file, meta, opened, may_have_holes, at, end, has_ended }))
    }
}

/// An open regular file.
struct FileContent {
    file: OwnedFd,
    meta: Meta,
    opened: Record,
    may_have_holes: bool,
    /// Where `read` stands, and where it ends at the latest.
    at: u64,
    end: u64,
    has_ended: bool,
}

impl Content for FileContent {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = into.len().min(left);
        let into = into.get_mut(..most).unwrap_or_default();
        let mut filled = 0;
        while !self.has_ended
            && let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty())
        {
            match rustix::io::read(&self.file, rest) {
                Ok(0) => self.has_ended = true,
                Ok(len) => {
                    filled += len;
                    // Most often the end. A caller that needs to know asks again.
                    if filled < into.len() {
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                // What came before is given first; the error comes again.
                Err(_) if filled > 0 => break,
                Err(error) => {
                    return Err(ReadError::Failed(format!("cannot read: {}", text(error))));
                }
            }
        }
        self.at = self.at.saturating_add(filled as u64);
        Ok(filled)
    }

    fn seek_data(&mut self, offset: u64) -> Result<Option<DataRange>, ReadError> {
        let failed = |error| ReadError::Failed(format!("cannot seek: {}", text(error)));
        let size = stat_handle(&self.file).map_err(failed)?.stx_size;
        let start = match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(None),
            Err(Errno::INVAL | Errno::NOTSUP) if offset >= size => return Ok(None),
            Err(Errno::INVAL | Errno::NOTSUP) => offset,
            Err(error) => return Err(failed(error)),
        };
        let end = match rustix::fs::seek(&self.file, SeekFrom::Hole(start)) {
            Ok(end) => end,
            Err(Errno::INVAL | Errno::NOTSUP) => size,
            Err(Errno::NXIO) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if start >= self.end {
            return Ok(None);
        }
        let end = end.min(self.end);
        rustix::fs::seek(&self.file, SeekFrom::Start(start)).map_err(failed)?;
        (self.at, self.has_ended) = (start, false);
        Ok(Some(DataRange { offset: start, len_bytes: end.saturating_sub(start) }))
    }

    fn may_have_holes(&self) -> bool {
        self.may_have_holes
    }

    fn changed(&mut self) -> bool {
        // A handle that cannot even be asked is not to be trusted either.
        stat_handle(&self.file).map_or(true, |now| Record::new(&now).differs_from(&self.opened))
    }
}

/// The handle and its `stat`, if it is what was listed.
fn same(inner: &Inner, fd: OwnedFd, found: &Found) -> Result<(OwnedFd, Statx), ReadError> {
    let stat = stat_handle(&fd).map_err(error_of)?;
    let now = Record::new(&stat);
    let is_same = now.kind() == found.meta.kind
        && now.inode == found.meta.inode
        && inner.living(now.device) == found.meta.device;
    if is_same { Ok((fd, stat)) } else { Err(ReadError::Replaced) }
}

fn read_link(fd: &OwnedFd) -> Result<Vec<u8>, ReadError> {
    let target = rustix::fs::readlinkat(fd, c"", Vec::new()).map_err(error_of)?.into_bytes();
    if target.len() > LINK_BYTES_MAX {
        return Err(ReadError::Failed(format!(
            "the link's target has {} bytes, at most {LINK_BYTES_MAX} are allowed",
            target.len()
        )));
    }
    Ok(target)
}

fn error_of(error: Errno) -> ReadError {
    match error {
        Errno::NOENT => ReadError::Vanished,
        // A link, a socket, or no folder any more.
        Errno::LOOP | Errno::MLINK | Errno::NXIO | Errno::NOTDIR => ReadError::Replaced,
        Errno::ACCESS | Errno::PERM => ReadError::Denied(format!("cannot open: {}", text(error))),
        error => ReadError::Failed(format!("cannot open: {}", text(error))),
    }
}
