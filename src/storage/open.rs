//! From what a person writes to a storage.

use std::ffi::OsStr;
use std::path::PathBuf;
#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
use crate::disk::unix::RealDisk;
#[cfg(unix)]
use crate::run::Run;
#[cfg(unix)]
use crate::storage::Storage;
#[cfg(unix)]
use crate::storage::StorageError;
#[cfg(unix)]
use crate::storage::folder::FolderStorage;
#[cfg(unix)]
use crate::storage::folder::leftovers::Leftovers;
#[cfg(unix)]
use crate::storage::folder::leftovers::Strangers;

/// Where a storage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
}

/// A text that names no storage of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("expected a storage, found an empty text")]
    Empty,
    #[error("expected a folder, found a storage `{scheme}…`, which is not supported yet")]
    NotSupported { scheme: &'static str },
}

impl Location {
    /// A path, absolute or relative. `./s3:x` names a folder that looks like another storage.
    ///
    /// # Errors
    /// The spelling of a storage that this version does not know.
    pub fn parse(text: &OsStr) -> Result<Self, LocationError> {
        const SCHEMES: [&str; 4] = ["sftp:", "s3:", "vault:", "rest:"];
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        let bytes = text.as_encoded_bytes();
        match SCHEMES.into_iter().find(|scheme| bytes.starts_with(scheme.as_bytes())) {
            Some(scheme) => Err(LocationError::NotSupported { scheme }),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }
}

/// Opens an existing storage, without layers.
///
/// # Errors
/// Those of [`FolderStorage::open`].
#[cfg(unix)]
pub fn open(run: &Run, location: &Location) -> Result<Arc<dyn Storage>, StorageError> {
    let Location::Folder(root) = location;
    Ok(Arc::new(FolderStorage::open(run, Arc::new(RealDisk), root)?))
}

/// Makes the storage if it is missing, and opens it, without layers.
///
/// # Errors
/// Those of [`FolderStorage::create`].
#[cfg(unix)]
pub fn create(run: &Run, location: &Location) -> Result<Arc<dyn Storage>, StorageError> {
    let Location::Folder(root) = location;
    Ok(Arc::new(FolderStorage::create(run, Arc::new(RealDisk), root)?))
}

/// Removes what interrupted writers left behind more than a day ago.
///
/// # Errors
/// Those of [`FolderStorage::remove_leftovers`].
#[cfg(unix)]
pub fn remove_leftovers(run: &Run, location: &Location) -> Result<Leftovers, StorageError> {
    let Location::Folder(root) = location;
    FolderStorage::open(run, Arc::new(RealDisk), root)?.remove_leftovers()
}

/// What lies in the storage beside its blobs; nothing is changed.
///
/// # Errors
/// Those of [`FolderStorage::strangers`].
#[cfg(unix)]
pub fn strangers(run: &Run, location: &Location) -> Result<Strangers, StorageError> {
    let Location::Folder(root) = location;
    FolderStorage::open(run, Arc::new(RealDisk), root)?.strangers()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_from_other_storages() {
        for text in ["/srv/backup", "backup", "./s3:x", "C:\\backup"] {
            assert_eq!(Location::parse(OsStr::new(text)), Ok(Location::Folder(text.into())));
        }
        let found = Location::parse(OsStr::new("sftp:host:/x"));
        assert_eq!(found, Err(LocationError::NotSupported { scheme: "sftp:" }));
        assert_eq!(Location::parse(OsStr::new("")), Err(LocationError::Empty));
    }
}
