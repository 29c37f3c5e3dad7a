//! The seam to local files.
//!
//! What it is: the few calls that folder storage and caches make on local files, on the real file
//! system and on a simulated one that forgets what was not synced.
//! Never: knows what a file means; replaces a file; follows a link in a path's last component.
//! Invariants: a file is written once and whole; what is durable is said per call, and nothing else
//! is; both disks answer alike, errors included.
//! Start reading at: [`Disk`].

pub mod private;
#[cfg(any(test, feature = "testing"))]
pub mod sim;
#[cfg(unix)]
pub mod unix;

use std::fmt;
use std::io;
use std::path::Path;

use crate::units::Timestamp;

/// What is to be told of an error that says that no more files can be opened; none of others.
#[must_use]
pub fn lacks_handles(error: &io::Error) -> Option<String> {
    #[cfg(unix)]
    return unix::handles::lacking(error);
    #[cfg(not(unix))]
    return None;
}

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    File,
    Folder,
    /// A link, fifo, socket or device: nothing of ours.
    Other,
}

/// What is known of a name without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskStat {
    pub kind: FileKind,
    pub len_bytes: u64,
    /// Time of the last change of content, by the file system's clock.
    pub modified: Timestamp,
}

/// One row of a folder, with its bare name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskItem {
    pub name: Vec<u8>,
    pub stat: DiskStat,
}

/// Local files, as far as blobs need them. Errors are those of [`io::Error`]; kinds are relied on
/// for not found, already exists, denied, read-only and full.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a new file of the concatenated `parts` and returns once its content is durable. Its
    /// name is not durable yet. After an error no file of that name is left, if that can be helped;
    /// a power cut may leave it with any part of its content.
    fn create_synced(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()>;
    /// Every name in a folder, in no particular order; an error if it could not be read to the end.
    /// Durable only after a sync of the folder.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// A whole file; [`io::ErrorKind::FileTooLarge`] if it has more than `bytes_max`, which is told
    /// before it is read.
    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>>;
    /// Fills `into` from `offset`; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()>;
    fn stat(&self, path: &Path) -> io::Result<DiskStat>;
    /// Every name in a folder, in no particular order; an error if it could not be read to its end.
    fn list(&self, folder: &Path) -> io::Result<Vec<DiskItem>>;
    /// Removes a file. Durable only after a sync of the folder.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes one folder, for its owner alone. Durable only after a sync of its parent.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a folder that is empty. Durable only after a sync of its parent.
    fn remove_folder(&self, folder: &Path) -> io::Result<()>;
    /// Holds the file system of `folder` for barriers; [`io::ErrorKind::Unsupported`] where they
    /// cannot be had or not be relied on.
    fn open_file_system(&self, folder: &Path) -> io::Result<Box<dyn FileSystem>>;
    /// Keeps other processes that ask the same of this folder out until the answer is dropped; a
    /// process that dies lets go. `None` if another holds it; [`io::ErrorKind::Unsupported`] where
    /// that cannot be had.
    fn try_hold(&self, _folder: &Path) -> io::Result<Option<Held>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A file system that is held open.
pub trait FileSystem: Send + Sync + fmt::Debug {
    /// Makes every name and content of it durable in one go. What could not be made durable since
    /// this was opened, or since its last barrier, is an error here, also if another process has
    /// caused it and was told: both may rely on what was lost.
    fn sync(&self) -> io::Result<()>;
}

/// Ends a hold when it is dropped: an open file, usually.
pub type Held = Box<dyn std::any::Any + Send>;
