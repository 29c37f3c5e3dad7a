//! The operations of one worker thread.

use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::fs::AtFlags;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::target::Attributes;
use crate::target::Lack;
use crate::target::Made;
use crate::target::Naming;
use crate::target::NewFile;
use crate::target::OldFile;
use crate::target::Placing;
use crate::target::Settled;
use crate::target::Special;
use crate::target::TargetError;
use crate::target::UNSETTLED_TIME;
use crate::target::Writer;
use crate::units::FileTime;

use super::TemporaryNames;
use super::attributes;
use super::attributes::Handle;
use super::beneath;
use super::beneath::Folders;
use super::failed;
use super::file::ExistingFile;
use super::file::FolderFile;
use super::file::Place;

const OWNER_ONLY: Mode = Mode::RWXU;

/// Works beneath the root; keeps the folder that it used last.
pub(super) struct FolderWriter {
    folders: Folders,
    names: Arc<TemporaryNames>,
}

impl FolderWriter {
    pub(super) fn new(root: Arc<OwnedFd>, names: Arc<TemporaryNames>) -> Self {
        Self { folders: Folders::new(root), names }
    }

    fn place(
        &mut self,
        operation: &'static str,
        path: &SnapshotPath,
    ) -> Result<Place, TargetError> {
        let opened = self.folders.open_parent(path);
        let (folder, _name) = opened.map_err(|errno| failed(operation, path, errno))?;
        Ok(Place { folder, names: Arc::clone(&self.names), path: path.clone() })
    }
}

impl Writer for FolderWriter {
    fn look(&mut self, path: &SnapshotPath) -> Result<Option<Meta>, TargetError> {
        let stat = if path.is_root() {
            self.folders.open(b"").and_then(rustix::fs::fstat)
        } else {
            self.folders.open_parent(path).and_then(|(folder, name)| {
                rustix::fs::statat(&*folder, name, AtFlags::SYMLINK_NOFOLLOW)
            })
        };
        match stat {
            Ok(stat) => Ok(Some(attributes::meta_of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(failed("look at", path, errno)),
        }
    }

    fn list(&mut self, folder: &SnapshotPath) -> Result<Vec<Vec<u8>>, TargetError> {
        let opened = self.folders.open(folder.as_stored());
        opened
            .and_then(|handle| beneath::list(&handle))
            .map_err(|errno| failed("list", folder, errno))
    }

    fn create_folder(&mut self, path: &SnapshotPath) -> Result<Made, TargetError> {
        if path.is_root() {
            return Ok(Made::Stood);
        }
        let failed = |errno| failed("make folder", path, errno);
        let (folder, name) = self.folders.open_parent(path).map_err(failed)?;
        match rustix::fs::mkdirat(&*folder, name, OWNER_ONLY) {
            Ok(()) => Ok(Made::New),
            Err(Errno::EXIST) => {
                let stat = rustix::fs::statat(&*folder, name, AtFlags::SYMLINK_NOFOLLOW);
                match attributes::meta_of(&stat.map_err(failed)?).kind {
                    Kind::Directory => Ok(Made::Stood),
                    _ => Err(failed(Errno::EXIST)),
                }
            }
            Err(errno) => Err(failed(errno)),
        }
    }

    fn create_file(
        &mut self,
        path: &SnapshotPath,
        naming: Naming,
    ) -> Result<Box<dyn NewFile>, TargetError> {
        let place = self.place("create file", path)?;
        Ok(Box::new(match naming {
            Naming::WhenWhole => FolderFile::create(place)?,
            Naming::AtOnce => FolderFile::create_named(place)?,
        }))
    }

    fn open_file(&mut self, path: &SnapshotPath) -> Result<Box<dyn OldFile>, TargetError> {
        let opened = self.folders.open_parent(path);
        let (folder, name) = opened.map_err(|errno| failed("open", path, errno))?;
        Ok(Box::new(ExistingFile::open(&folder, name, path)?))
    }

    fn create_special(
        &mut self,
        path: &SnapshotPath,
        special: Special<'_>,
        wanted: &Attributes<'_>,
        placing: Placing,
    ) -> Result<Vec<Lack>, TargetError> {
        let place = self.place("create", path)?;
        let failed = |errno| failed("create", path, errno);
        let made = place.temporary(|folder, name| make_special(folder, name, special));
        let (temporary, ()) = made.map_err(failed)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&*place.folder, temporary.name(), flags, Mode::empty());
        let fd = fd.map_err(failed)?;
        let kind = attributes::meta_of(&rustix::fs::fstat(&fd).map_err(failed)?).kind;
        if kind != kind_of(special) {
            // Somebody put something else under the temporary name.
            return Err(failed(Errno::EXIST));
        }
        let lacks = attributes::set(&fd, Handle::Place(kind), wanted);
        temporary.place(placing).map_err(failed)?;
        Ok(lacks)
    }

    fn create_link(
        &mut self,
        path: &SnapshotPath,
        existing: &SnapshotPath,
        placing: Placing,
    ) -> Result<(), TargetError> {
        let failed = |errno| failed("link", path, errno);
        let (from, from_name) = self.folders.open_parent(existing).map_err(failed)?;
        let place = self.place("link", path)?;
        let no_follow = AtFlags::empty();
        if placing == Placing::New {
            let name = path.name().unwrap_or_default();
            return rustix::fs::linkat(&*from, from_name, &*place.folder, name, no_follow)
                .map_err(failed);
        }
        let made = place.temporary(|folder, name| {
            rustix::fs::linkat(&*from, from_name, folder, name, no_follow)
        });
        let (temporary, ()) = made.map_err(failed)?;
        temporary.place(placing).map_err(failed)
    }

    fn set_attributes(
        &mut self,
        path: &SnapshotPath,
        kind: Kind,
        wanted: &Attributes<'_>,
    ) -> Result<Vec<Lack>, TargetError> {
        let failed = |errno| failed("set attributes of", path, errno);
        if kind == Kind::Directory {
            let handle = self.folders.open(path.as_stored()).map_err(failed)?;
            return Ok(attributes::set(&handle, Handle::Open, wanted));
        }
        let (folder, name) = self.folders.open_parent(path).map_err(failed)?;
        let file = ExistingFile::open(&folder, name, path)?;
        // Another name may lie outside of the root, and whoever has it would get these rights.
        if file.meta.links_count > 1 {
            let equal = attributes::are_set(&file.fd, &file.meta, wanted);
            return if equal { Ok(Vec::new()) } else { Err(failed(Errno::EXIST)) };
        }
        Ok(attributes::set(&file.fd, Handle::Open, wanted))
    }

    fn settle(&mut self, path: &SnapshotPath, mtime: FileTime) -> Result<Settled, TargetError> {
        let failed = |errno| failed("set times of", path, errno);
        let (folder, name) = self.folders.open_parent(path).map_err(failed)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&*folder, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(Settled::Other),
            answer => answer.map_err(failed)?,
        };
        let found = attributes::meta_of(&rustix::fs::fstat(&fd).map_err(failed)?);
        if found.kind != Kind::File || found.mtime != UNSETTLED_TIME {
            return Ok(Settled::Other);
        }
        attributes::set_times(&fd, Handle::Place(Kind::File), mtime).map_err(failed)?;
        Ok(Settled::Done)
    }

    fn remove(&mut self, path: &SnapshotPath, kind: Kind) -> Result<(), TargetError> {
        let failed = |errno| failed("remove", path, errno);
        let (folder, name) = self.folders.open_parent(path).map_err(failed)?;
        let flags = match kind {
            Kind::Directory => AtFlags::REMOVEDIR,
            _ => AtFlags::empty(),
        };
        rustix::fs::unlinkat(&*folder, name, flags).map_err(failed)?;
        self.folders.forget();
        Ok(())
    }
}

const fn kind_of(special: Special<'_>) -> Kind {
    match special {
        Special::Symlink { .. } => Kind::Symlink,
        Special::Fifo => Kind::Fifo,
        Special::Socket => Kind::Socket,
        Special::CharDevice { .. } => Kind::CharDevice,
        Special::BlockDevice { .. } => Kind::BlockDevice,
    }
}

fn make_special(folder: &OwnedFd, name: &[u8], special: Special<'_>) -> Result<(), Errno> {
    let node = |kind, major, minor| {
        let device = rustix::fs::makedev(major, minor);
        rustix::fs::mknodat(folder, name, kind, Mode::RUSR | Mode::WUSR, device)
    };
    match special {
        Special::Symlink { link } => rustix::fs::symlinkat(link, folder, name),
        Special::Fifo => node(FileType::Fifo, 0, 0),
        Special::Socket => node(FileType::Socket, 0, 0),
        Special::CharDevice { major, minor } => node(FileType::CharacterDevice, major, minor),
        Special::BlockDevice { major, minor } => node(FileType::BlockDevice, major, minor),
    }
}
