//! Files without a name, and how they get one.

use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::RenameFlags;
use rustix::io::Errno;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::target::Attributes;
use crate::target::Lack;
use crate::target::NewFile;
use crate::target::OldFile;
use crate::target::Placing;
use crate::target::TargetError;
use crate::target::UNFINISHED_MODE;

use super::TemporaryNames;
use super::attributes;
use super::attributes::Handle;
use super::failed;

/// How many names for a replaced file are tried.
const REPLACED_NAMES_MAX: u32 = 1000;
/// How many temporary names are tried.
const TEMPORARY_NAMES_MAX: u32 = 1000;

const EXCLUSIVE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A place for something that has no final name yet.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: Arc<OwnedFd>,
    pub(super) names: Arc<TemporaryNames>,
    pub(super) path: SnapshotPath,
}

/// Something under a temporary name; the name goes when this is dropped.
#[derive(Debug)]
pub(super) struct Temporary<'a> {
    place: &'a Place,
    name: Vec<u8>,
    placed: bool,
}

impl Place {
    fn name(&self) -> &[u8] {
        self.path.name().unwrap_or_default()
    }

    fn failed(&self, operation: &'static str) -> impl Fn(Errno) -> TargetError {
        move |errno| failed(operation, &self.path, errno)
    }

    /// Makes something under a temporary name; `make` must fail if the name is taken.
    pub(super) fn temporary<T>(
        &self,
        make: impl Fn(&OwnedFd, &[u8]) -> Result<T, Errno>,
    ) -> Result<(Temporary<'_>, T), Errno> {
        for _ in 0..TEMPORARY_NAMES_MAX {
            let name = self.names.next();
            match make(&self.folder, &name) {
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
                Ok(made) => return Ok((Temporary { place: self, name, placed: false }, made)),
            }
        }
        Err(Errno::EXIST)
    }
}

impl Temporary<'_> {
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Gives it the final name in one step.
    pub(super) fn place(mut self, placing: Placing) -> Result<(), Errno> {
        let (folder, name) = (&*self.place.folder, self.place.name());
        match placing {
            Placing::New => rename_new(folder, &self.name, name)?,
            Placing::Replace => rustix::fs::renameat(folder, &*self.name, folder, name)?,
            Placing::KeepReplaced => {
                if exchange(folder, &self.name, name)? {
                    let kept = keep_aside(folder, &self.name, name);
                    // Whatever happened, the temporary name holds the user's old file now.
                    self.placed = true;
                    return kept;
                }
            }
        }
        self.placed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.placed {
            let folder = &*self.place.folder;
            let _best_effort = rustix::fs::unlinkat(folder, &*self.name, AtFlags::empty());
        }
    }
}

fn rename_new(folder: &OwnedFd, from: &[u8], to: &[u8]) -> Result<(), Errno> {
    match rustix::fs::renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // A file system that cannot rename without replacing: a link fails when the name is taken.
        Err(Errno::INVAL | Errno::NOSYS) => {
            rustix::fs::linkat(folder, from, folder, to, AtFlags::empty())?;
            rustix::fs::unlinkat(folder, from, AtFlags::empty())
        }
        answer => answer,
    }
}

/// Swaps the two names, or takes a free name; `true` if there was something to swap with.
fn exchange(folder: &OwnedFd, temporary: &[u8], name: &[u8]) -> Result<bool, Errno> {
    let flags = RenameFlags::EXCHANGE;
    match rustix::fs::renameat_with(folder, temporary, folder, name, flags) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => rename_new(folder, temporary, name).map(|()| false),
        Err(errno) => Err(errno),
    }
}

fn keep_aside(folder: &OwnedFd, old: &[u8], name: &[u8]) -> Result<(), Errno> {
    for number in 0..REPLACED_NAMES_MAX {
        let mut aside = name.to_vec();
        aside.extend_from_slice(b".replaced");
        if number > 0 {
            aside.extend_from_slice(format!("-{number}").as_bytes());
        }
        match rename_new(folder, old, &aside) {
            Err(Errno::EXIST) => {}
            answer => return answer,
        }
    }
    Err(Errno::EXIST)
}

/// The name of a file that is being written.
enum Name {
    /// None, where the system can do that.
    Unnamed,
    Temporary(Vec<u8>),
    /// Its own already, with the rights of what is unfinished.
    Own,
    /// Its own, and it is whole.
    Placed,
}

/// A file being written.
pub(super) struct FolderFile {
    fd: OwnedFd,
    place: Place,
    name: Name,
}

impl FolderFile {
    pub(super) fn create(place: Place) -> Result<Self, TargetError> {
        let mode = Mode::RUSR | Mode::WUSR;
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(&*place.folder, c".", flags | OFlags::TMPFILE, mode) {
            Ok(fd) => Ok(Self { fd, place, name: Name::Unnamed }),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
                let made = place
                    .temporary(|folder, name| rustix::fs::openat(folder, name, EXCLUSIVE, mode));
                let (mut temporary, fd) = made.map_err(place.failed("create file"))?;
                temporary.placed = true;
                let name = std::mem::take(&mut temporary.name);
                drop(temporary);
                Ok(Self { fd, place, name: Name::Temporary(name) })
            }
            Err(errno) => Err(failed("create file", &place.path, errno)),
        }
    }

    pub(super) fn create_named(place: Place) -> Result<Self, TargetError> {
        let mode = Mode::from_raw_mode(UNFINISHED_MODE);
        let fd = rustix::fs::openat(&*place.folder, place.name(), EXCLUSIVE, mode)
            .map_err(place.failed("create file"))?;
        Ok(Self { fd, place, name: Name::Own })
    }

    fn place(&mut self, placing: Placing) -> Result<(), Errno> {
        match std::mem::replace(&mut self.name, Name::Placed) {
            Name::Own | Name::Placed => Ok(()),
            Name::Temporary(name) => {
                Temporary { place: &self.place, name, placed: false }.place(placing)
            }
            Name::Unnamed if placing == Placing::New => {
                link(&self.fd, &self.place.folder, self.place.name())
            }
            Name::Unnamed => {
                let made = self.place.temporary(|folder, name| link(&self.fd, folder, name));
                made?.0.place(placing)
            }
        }
    }
}

/// Gives an open file a name. Older kernels want a right for the direct way.
fn link(fd: &OwnedFd, folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    match rustix::fs::linkat(fd, c"", folder, name, AtFlags::EMPTY_PATH) {
        Err(Errno::NOENT | Errno::PERM | Errno::INVAL) => {
            use std::os::fd::AsRawFd;
            let source = format!("/proc/self/fd/{}", fd.as_raw_fd());
            let flags = AtFlags::SYMLINK_FOLLOW;
            rustix::fs::linkat(rustix::fs::CWD, source, folder, name, flags)
        }
        answer => answer,
    }
}

impl Drop for FolderFile {
    fn drop(&mut self) {
        let name = match std::mem::replace(&mut self.name, Name::Placed) {
            Name::Temporary(name) => name,
            Name::Own => self.place.name().to_vec(),
            Name::Unnamed | Name::Placed => return,
        };
        drop(Temporary { place: &self.place, name, placed: false });
    }
}

impl NewFile for FolderFile {
    fn write_at(&mut self, mut offset: u64, mut bytes: &[u8]) -> Result<(), TargetError> {
        while !bytes.is_empty() {
            let written = match rustix::io::pwrite(&self.fd, bytes, offset) {
                Ok(0) => return Err(failed("write", &self.place.path, Errno::NOSPC)),
                Err(Errno::INTR) => continue,
                answer => answer.map_err(self.place.failed("write"))?,
            };
            bytes = bytes.get(written..).unwrap_or_default();
            offset = offset.saturating_add(written as u64);
        }
        Ok(())
    }

    fn set_len(&mut self, len_bytes: u64) -> Result<(), TargetError> {
        rustix::fs::ftruncate(&self.fd, len_bytes).map_err(self.place.failed("set length of"))
    }

    fn set_name(&mut self, name: &[u8]) -> Result<(), TargetError> {
        let folder = self.place.path.parent().unwrap_or_default();
        let path = folder.join(name);
        self.place.path = path.map_err(|_| failed("name", &self.place.path, Errno::INVAL))?;
        Ok(())
    }

    fn publish(
        mut self: Box<Self>,
        placing: Placing,
        wanted: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        let lacks = attributes::set(&self.fd, Handle::Open, wanted);
        let placed = self.place(placing);
        placed.map_err(self.place.failed("name file"))?;
        Ok(lacks)
    }
}

/// A regular file open for reading.
pub(super) struct ExistingFile {
    pub(super) fd: OwnedFd,
    pub(super) meta: Meta,
    path: SnapshotPath,
}

impl ExistingFile {
    /// Opens without following a link and without waiting for a fifo's other end.
    pub(super) fn open(
        folder: &OwnedFd,
        name: &[u8],
        path: &SnapshotPath,
    ) -> Result<Self, TargetError> {
        let failed = |errno| failed("open", path, errno);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(failed)?;
        let meta = attributes::meta_of(&rustix::fs::fstat(&fd).map_err(failed)?);
        if meta.kind != Kind::File {
            return Err(failed(Errno::EXIST));
        }
        Ok(Self { fd, meta, path: path.clone() })
    }
}

impl OldFile for ExistingFile {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn read_at(&mut self, mut offset: u64, into: &mut [u8]) -> Result<usize, TargetError> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let read = match rustix::io::pread(&self.fd, rest, offset) {
                Ok(0) => break,
                Err(Errno::INTR) => continue,
                answer => answer.map_err(|errno| failed("read", &self.path, errno))?,
            };
            filled += read;
            offset = offset.saturating_add(read as u64);
        }
        Ok(filled)
    }
}
