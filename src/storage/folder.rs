//! Blobs as files beneath a folder.
//!
//! A blob's name is its path. `create` writes a temporary (`.tmp-`, which no blob may be called) in
//! the blob's folder, makes its content durable, and renames it without replacing. The content must
//! be durable first, for small blobs too: a file system may keep the new name and lose the bytes
//! (the simulated disk shows it within one blob), and names held back until `sync` would hide a
//! blob from other processes and let two of them take one name. So a blob costs one sync, and a
//! barrier one more: the folder's if only one was touched, else one of the whole file system, else
//! (on network file systems) one for each folder touched.
//!
//! A failed sync is not repeated, because the system may have dropped what it could not write and
//! answer well the second time: the storage then creates nothing until it is opened anew. It still
//! deletes, because whoever has put what the sync covered takes it away.

pub mod leftovers;
pub mod reserve;

use std::collections::BTreeSet;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::disk::Disk;
use crate::disk::FileKind;
use crate::disk::FileSystem;
use crate::disk::lacks_handles;
use crate::run::Run;
use crate::run::seed::Choices;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::TEMP_PREFIX;
use crate::storage::parent_of;
use crate::storage::refuse::Refuse as _;

/// How often a taken temporary's name is drawn anew.
const TEMP_DRAWS_MAX: usize = 8;

/// A storage in a folder. Paths of sub-folders are kept relative to the root, "" being the root.
#[derive(Debug)]
pub struct FolderStorage {
    disk: Arc<dyn Disk>,
    /// Held from the opening on, so that what other processes fail to write is told here too; none
    /// where only folders can be synced.
    file_system: Option<Box<dyn FileSystem>>,
    root: PathBuf,
    choices: Mutex<Choices>,
    touched: Mutex<Touched>,
    /// Held through a barrier, so that a second one waits for what the first took over.
    barrier: Mutex<()>,
    broken: AtomicBool,
}

#[derive(Debug, Default)]
struct Touched {
    /// Folders whose names changed since the last barrier took over.
    dirty: BTreeSet<String>,
    /// Folders known to be durable, their ancestors included.
    durable: BTreeSet<String>,
}

impl Touched {
    /// Notes a changed name in `folder`. Its ancestors come along once, because whoever made it may
    /// have died before syncing them.
    fn add(&mut self, folder: &str) {
        let mut folder = folder;
        self.dirty.insert(folder.to_owned());
        while !folder.is_empty() && !self.durable.contains(folder) {
            folder = parent_of(folder);
            self.dirty.insert(folder.to_owned());
        }
    }
}

impl FolderStorage {
    /// Opens an existing folder.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] if there is none; `Other` if it is something else.
    pub fn open(run: &Run, disk: Arc<dyn Disk>, root: &Path) -> Result<Self, StorageError> {
        let mut storage = Self::over(run, disk, root);
        match storage.disk.stat(&root.join(".")) {
            Ok(stat) if stat.kind == FileKind::Folder => {
                match storage.disk.open_file_system(root) {
                    Ok(opened) => storage.file_system = Some(opened),
                    Err(error) if error.kind() == ErrorKind::Unsupported => {}
                    Err(error) => return Err(storage.failed("open", "", &error)),
                }
                Ok(storage)
            }
            Ok(_) => Err(storage.refused("open", "", StorageErrorKind::Other, "not a folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(storage.refused("open", "", StorageErrorKind::NotFound, "no such folder"))
            }
            Err(error) => Err(storage.failed("open", "", &error)),
        }
    }

    /// Makes the folder, and those above it, if they are missing, and opens it.
    ///
    /// # Errors
    /// Those of [`Self::open`], and of making folders.
    pub fn create(run: &Run, disk: Arc<dyn Disk>, root: &Path) -> Result<Self, StorageError> {
        let storage = Self::over(run, disk, root);
        let mut missing = Vec::new();
        for folder in root.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
            match storage.disk.stat(&folder.join(".")) {
                Err(error) if error.kind() == ErrorKind::NotFound => missing.push(folder),
                _ => break,
            }
        }
        let made = missing.iter().rev().try_for_each(|folder| {
            match storage.disk.make_folder(folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
            storage.disk.sync_folder(parent.unwrap_or_else(|| Path::new(".")))
        });
        made.map_err(|error| storage.failed("create the folder of", "", &error))?;
        Self::open(run, storage.disk, root)
    }

    fn over(run: &Run, disk: Arc<dyn Disk>, root: &Path) -> Self {
        Self {
            disk,
            file_system: None,
            root: root.to_owned(),
            choices: Mutex::new(Choices::new(run.seed, "storage::folder")),
            touched: Mutex::default(),
            barrier: Mutex::default(),
            broken: AtomicBool::new(false),
        }
    }

    fn path(&self, relative: &str) -> PathBuf {
        if relative.is_empty() { self.root.clone() } else { self.root.join(relative) }
    }

    fn touch(&self, folder: &str) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).add(folder);
    }

    fn temp_in(&self, folder: &str) -> PathBuf {
        let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        self.path(folder).join(format!("{TEMP_PREFIX}{:016x}", choices.next_number()))
    }

    /// Writes a durable temporary in `folder`, making the folder if need be.
    fn write_temp(&self, folder: &str, parts: &[&[u8]]) -> io::Result<PathBuf> {
        let mut made = false;
        let mut draws = 0;
        loop {
            let temp = self.temp_in(folder);
            match self.disk.create_synced(&temp, parts) {
                Ok(()) => return Ok(temp),
                Err(error) if error.kind() == ErrorKind::NotFound && !made => {
                    self.make_folders(folder)?;
                    made = true;
                }
                Err(error)
                    if error.kind() == ErrorKind::AlreadyExists && draws < TEMP_DRAWS_MAX =>
                {
                    draws += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes a folder beneath the root, but never the root: that would fill an empty mount point.
    fn make_folders(&self, folder: &str) -> io::Result<()> {
        let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
        for end in ends.filter(|end| *end > 0) {
            let (ancestor, _) = folder.split_at(end);
            match self.disk.make_folder(&self.path(ancestor)) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn refuse_if_broken(&self, operation: &'static str, name: &str) -> Result<(), StorageError> {
        if self.broken.load(Ordering::Acquire) {
            let detail = "an earlier sync failed, what it covered may be lost";
            return Err(self.refused(operation, name, StorageErrorKind::Other, detail));
        }
        Ok(())
    }

    fn sync_folders(&self, folders: &BTreeSet<String>) -> io::Result<()> {
        if let Some(file_system) = self.file_system.as_ref().filter(|_| folders.len() > 1) {
            return file_system.sync();
        }
        folders.iter().try_for_each(|folder| self.disk.sync_folder(&self.path(folder)))
    }

    /// Adds the blobs of one folder to `found`, and its sub-folders to `folders`.
    fn list_one(
        &self,
        folder: &str,
        found: &mut Vec<Listed>,
        folders: &mut Vec<String>,
    ) -> Result<(), StorageError> {
        let items = match self.disk.list(&self.path(folder)) {
            Ok(items) => items,
            // What is no folder has no blobs in it either.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                    && self.has_root() =>
            {
                return Ok(());
            }
            Err(error) => return Err(self.failed("list", folder, &error)),
        };
        for item in items {
            let Ok(base) = std::str::from_utf8(&item.name) else { continue };
            let joined = if folder.is_empty() { base.into() } else { format!("{folder}/{base}") };
            let Ok(name) = BlobName::new(&joined) else { continue };
            match item.stat.kind {
                FileKind::File => found.push(Listed { name, len_bytes: item.stat.len_bytes }),
                FileKind::Folder => folders.push(joined),
                FileKind::Other => {}
            }
        }
        Ok(())
    }

    fn has_root(&self) -> bool {
        self.disk.stat(&self.root.join(".")).is_ok()
    }

    /// As [`Self::failed`], of what is done to a blob that should be there.
    fn of_blob(&self, operation: &'static str, name: &BlobName, error: &io::Error) -> StorageError {
        match error.kind() {
            ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::InvalidInput => {
                self.no_blob(operation, name)
            }
            _ => self.failed(operation, name.as_str(), error),
        }
    }

    fn failed(&self, operation: &'static str, name: &str, error: &io::Error) -> StorageError {
        if let Some(detail) = lacks_handles(error) {
            return self.refused(operation, name, StorageErrorKind::Handles, &detail);
        }
        let kind = kind_of(error);
        if kind == StorageErrorKind::NotFound && !self.has_root() {
            // Not the blob is missing, but all: nobody may conclude anything from that.
            return self.refused(operation, name, StorageErrorKind::Other, "the folder is gone");
        }
        self.refused(operation, name, kind, &error.to_string())
    }
}

impl Storage for FolderStorage {
    fn location(&self) -> String {
        crate::path::escape(self.root.as_os_str().as_encoded_bytes())
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        const OPERATION: &str = "create";
        let failed = |error: io::Error| self.failed(OPERATION, name.as_str(), &error);
        self.refuse_if_broken(OPERATION, name.as_str())?;
        self.len_bytes_of(name, parts)?;
        let path = self.path(name.as_str());
        // The rename decides; this only spares writing a large blob in vain.
        match self.disk.stat(&path) {
            Ok(stat) if stat.kind != FileKind::File => return Err(self.blocked(OPERATION, name)),
            Ok(_) => return Err(failed(ErrorKind::AlreadyExists.into())),
            Err(_) => {}
        }
        let folder = parent_of(name.as_str());
        let temp = self.write_temp(folder, parts).map_err(failed)?;
        if let Err(error) = self.disk.rename_new(&temp, &path) {
            // The first error is the one to tell; a leftover is collected later.
            let _leftover = self.disk.remove(&temp);
            return Err(failed(error));
        }
        self.touch(folder);
        // A barrier that failed meanwhile may have covered the content of this blob.
        self.refuse_if_broken(OPERATION, name.as_str())
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        self.disk.read(&self.path(name.as_str()), bytes_max).map_err(|error| {
            if error.kind() == ErrorKind::FileTooLarge {
                let detail = format!("expected at most {bytes_max} bytes, found more");
                return self.refused("read", name.as_str(), StorageErrorKind::Length, &detail);
            }
            self.of_blob("read", name, &error)
        })
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let len_bytes = into.len();
        self.disk.read_at(&self.path(name.as_str()), offset, into).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                let detail = format!("expected {len_bytes} bytes at {offset}, found its end");
                return self.refused("read", name.as_str(), StorageErrorKind::Length, &detail);
            }
            self.of_blob("read", name, &error)
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let mut folders = vec![self.folder_of(prefix)?];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            self.list_one(&folder, &mut found, &mut folders)?;
        }
        Ok(found)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let stat = self.disk.stat(&self.path(name.as_str()));
        let stat = stat.map_err(|error| self.of_blob("stat", name, &error))?;
        if stat.kind != FileKind::File {
            return Err(self.no_blob("stat", name));
        }
        Ok(BlobStat { len_bytes: stat.len_bytes, created: stat.modified })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        let removed = self.disk.remove(&self.path(name.as_str()));
        removed.map_err(|error| self.of_blob("delete", name, &error))?;
        let mut folder = parent_of(name.as_str());
        self.touch(folder);
        // After a failed barrier: a folder may be seen and lost too, and what is put in it later
        // with it. One that holds something of others stays.
        while self.broken.load(Ordering::Acquire)
            && !folder.is_empty()
            && self.disk.remove_folder(&self.path(folder)).is_ok()
        {
            folder = parent_of(folder);
        }
        Ok(())
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        match self.disk.try_hold(&self.root) {
            Ok(held) => Ok(held.map_or(Alone::No, Alone::Yes)),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Alone::Unknown),
            Err(error) => Err(self.failed("lock", "", &error)),
        }
    }

    fn sync(&self) -> Result<(), StorageError> {
        let _one_at_a_time = self.barrier.lock().unwrap_or_else(PoisonError::into_inner);
        self.refuse_if_broken("sync", "")?;
        let dirty = {
            let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut touched.dirty)
        };
        if dirty.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.sync_folders(&dirty) {
            self.broken.store(true, Ordering::Release);
            return Err(self.refused("sync", "", StorageErrorKind::Other, &error.to_string()));
        }
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).durable.extend(dirty);
        Ok(())
    }
}

fn kind_of(error: &io::Error) -> StorageErrorKind {
    match error.kind() {
        ErrorKind::NotFound => StorageErrorKind::NotFound,
        ErrorKind::AlreadyExists => StorageErrorKind::AlreadyExists,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StorageErrorKind::Denied,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StorageErrorKind::Full,
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename
        | ErrorKind::FileTooLarge
        | ErrorKind::OutOfMemory
        | ErrorKind::Unsupported => StorageErrorKind::Other,
        // EIO and its like have no kind of their own.
        _ => StorageErrorKind::Transient,
    }
}

#[cfg(test)]
mod tests;
