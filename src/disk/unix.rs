//! Files of a Unix system.

pub mod handles;

use std::fs;
use std::io;
use std::io::IoSlice;
use std::io::Read;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::CWD;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::disk::Disk;
use crate::disk::DiskItem;
use crate::disk::DiskStat;
use crate::disk::FileKind;
use crate::disk::FileSystem;
use crate::disk::Held;
use crate::units::Timestamp;

/// The file systems of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_synced(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let file = create_private(path)?;
        let written = write_parts(&file, parts).and_then(|()| file.sync_data());
        if written.is_err() {
            // The first error is what the caller must hear; a leftover is collected later.
            let _leftover = fs::remove_file(path);
        }
        written
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::RenameFlags;
            match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(()),
                // The file system (NFS, some of FUSE) or the kernel does not know the flag.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // A link fails on a taken name everywhere. Between the two calls the file has both names,
        // and the first is a leftover like any other.
        rustix::fs::linkat(CWD, from, CWD, to, rustix::fs::AtFlags::empty())?;
        let _leftover = fs::remove_file(from);
        Ok(())
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let file = open_file(path)?;
        let len_bytes = file.metadata()?.len();
        if len_bytes > bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // One more, so that reading to the end needs no second buffer.
        let capacity = usize::try_from(len_bytes.saturating_add(1)).unwrap_or(0);
        let mut content = Vec::new();
        content.try_reserve_exact(capacity).map_err(|_| io::ErrorKind::OutOfMemory)?;
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        // It may have grown since.
        if content.len() as u64 > bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(content)
    }

    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()> {
        open_file(path)?.read_exact_at(into, offset)
    }

    fn stat(&self, path: &Path) -> io::Result<DiskStat> {
        fs::symlink_metadata(path).map(|meta| stat_of(&meta))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<DiskItem>> {
        let mut items = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(meta) => items
                    .push(DiskItem { name: entry.file_name().into_vec(), stat: stat_of(&meta) }),
                // Removed since the folder was read: as if listed after that.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(items)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        create_private_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        fs::File::open(folder)?.sync_all()
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        fs::remove_dir(folder)
    }

    fn open_file_system(&self, folder: &Path) -> io::Result<Box<dyn FileSystem>> {
        open_file_system(folder)
    }

    fn try_hold(&self, folder: &Path) -> io::Result<Option<Held>> {
        let folder = fs::File::open(folder)?;
        match rustix::fs::flock(&folder, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Box::new(folder))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            // NFS wants a file open for writing; others know no such locks.
            Err(Errno::BADF | Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP | Errno::INVAL) => {
                Err(io::ErrorKind::Unsupported.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes a file that must not exist and that only its user can read; no link leads elsewhere.
///
/// What root makes in somebody's folder is his: else a service that writes there under a user of
/// its own could not go on. Whose it is tells the folder in which it was made, which is opened
/// once: whoever may change the path meanwhile gets nothing by it that was not made in his own.
///
/// # Errors
/// When it exists or cannot be made.
pub fn create_private(path: &Path) -> io::Result<fs::File> {
    let (folder, name) = opened_above(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(&folder, name, flags, Mode::RUSR | Mode::WUSR)?;
    let made = fs::File::from(made);
    hand_over(&made, &folder);
    Ok(made)
}

/// The same of a folder that only its user can enter.
///
/// # Errors
/// When it exists or cannot be made.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let (folder, name) = opened_above(path)?;
    rustix::fs::mkdirat(&folder, name, Mode::RWXU)?;
    // The owner of the folder above may have put something else in its place: only what is empty
    // and root's is given away.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(made) = rustix::fs::openat(&folder, name, flags, Mode::empty()) else { return Ok(()) };
    let made = fs::File::from(made);
    let is_own = made.metadata().is_ok_and(|metadata| metadata.uid() == 0);
    let is_empty = rustix::fs::Dir::read_from(&made).is_ok_and(|items| {
        let names = items.map(|item| item.map(|item| item.file_name().to_bytes().to_vec()));
        names.into_iter().all(|name| matches!(name.as_deref(), Ok(b"." | b"..")))
    });
    if is_own && is_empty {
        hand_over(&made, &folder);
    }
    Ok(())
}

/// The folder above, and the name in it.
fn opened_above(path: &Path) -> io::Result<(fs::File, &std::ffi::OsStr)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = parent.unwrap_or_else(|| Path::new("."));
    Ok((fs::File::from(rustix::fs::open(folder, flags, Mode::empty())?), name))
}

/// Gives what root made to the owner of the folder that it was made in. A file system that knows no
/// owners, or does not let root give files away, keeps it as it is.
fn hand_over(made: &fs::File, folder: &fs::File) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let Ok(folder) = folder.metadata() else { return };
    if folder.uid() == 0 {
        return;
    }
    let owner = rustix::fs::Uid::from_raw(folder.uid());
    let group = rustix::fs::Gid::from_raw(folder.gid());
    if let Err(error) = rustix::fs::fchown(made, Some(owner), Some(group)) {
        tracing::debug!(%error, "a new file stays root's");
    }
}

/// Opens a regular file; a fifo put in its place must not hold us up, nor a link lead away.
fn open_file(path: &Path) -> io::Result<fs::File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let other = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => fs::File::from(file),
        Err(Errno::LOOP | Errno::NXIO) => return Err(other()),
        Err(error) => return Err(error.into()),
    };
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    kind.is_file().then_some(file).ok_or_else(other)
}

/// Writes all parts with as few calls as the system allows.
fn write_parts(mut file: &fs::File, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = slices.as_mut_slice();
    // Drops empty parts in front, so that a write of nothing means a full disk and not the end.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written_bytes) => IoSlice::advance_slices(&mut rest, written_bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn stat_of(meta: &fs::Metadata) -> DiskStat {
    let kind = if meta.is_file() {
        FileKind::File
    } else if meta.is_dir() {
        FileKind::Folder
    } else {
        FileKind::Other
    };
    let unix_ms = meta.mtime().saturating_mul(1000).saturating_add(meta.mtime_nsec() / 1_000_000);
    DiskStat { kind, len_bytes: meta.len(), modified: Timestamp::from_unix_ms(unix_ms) }
}

/// `syncfs`, where the file system is one of the kernel's own on a local medium. Elsewhere the call
/// may answer without asking the far side (FUSE drops it), so that it proves nothing.
#[cfg(target_os = "linux")]
fn open_file_system(folder: &Path) -> io::Result<Box<dyn FileSystem>> {
    // `linux/magic.h`: ext2 to ext4, xfs, btrfs, f2fs, tmpfs; and ZFS's own.
    const LOCAL: [u32; 6] =
        [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994, 0x2fc1_2fc1];
    let folder = fs::File::open(folder)?;
    let magic = rustix::fs::fstatfs(&folder)?.f_type;
    if !LOCAL.iter().any(|known| i128::from(*known) == i128::from(magic) & 0xffff_ffff) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(Box::new(HeldFileSystem(folder)))
}

/// The kernel tells each open file of errors that came after its opening (`syncfs`, from 5.8 on).
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct HeldFileSystem(fs::File);

#[cfg(target_os = "linux")]
impl FileSystem for HeldFileSystem {
    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.0)?)
    }
}

#[cfg(not(target_os = "linux"))]
fn open_file_system(_folder: &Path) -> io::Result<Box<dyn FileSystem>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests;
