//! From where a storage is to the storage.

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(unix)]
use crate::disk::unix::RealDisk;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageError;
#[cfg(unix)]
use crate::storage::folder::FolderStorage;
#[cfg(unix)]
use crate::storage::folder::reserve::Reserve;
use crate::storage::leftovers::Leftovers;
use crate::storage::leftovers::Strangers;
use crate::storage::s3::S3Options;
use crate::storage::s3::S3Storage;
use crate::storage::s3::versions::Renewed;
use crate::storage::s3::versions::beneath::Beneath;
use crate::storage::s3::versions::beneath::IsGenuine;
use crate::storage::sftp::SftpOptions;
use crate::storage::sftp::SftpStorage;

/// Where a storage is, with all that opens it.
#[derive(Debug, Clone)]
pub enum Location {
    Folder(PathBuf),
    Sftp(Box<SftpOptions>),
    S3(Box<S3Options>),
}

impl Location {
    /// Whether it is reached over a network, which may be away for a while.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            Self::Sftp(_) | Self::S3(_) => true,
        }
    }
}

/// Opens an existing storage, without layers.
///
/// # Errors
/// Those of opening each kind.
#[cfg(unix)]
pub fn open(run: &Run, location: &Location) -> Result<Arc<dyn Storage>, StorageError> {
    Ok(match location {
        Location::Folder(root) => Arc::new(FolderStorage::open(run, Arc::new(RealDisk), root)?),
        Location::Sftp(options) => Arc::new(SftpStorage::open(run, (**options).clone())?),
        Location::S3(options) => Arc::new(S3Storage::open(run, (**options).clone())?),
    })
}

/// Makes the storage if it is missing, and opens it, without layers.
///
/// # Errors
/// Those of making each kind.
#[cfg(unix)]
pub fn create(run: &Run, location: &Location) -> Result<Arc<dyn Storage>, StorageError> {
    Ok(match location {
        Location::Folder(root) => Arc::new(FolderStorage::create(run, Arc::new(RealDisk), root)?),
        Location::Sftp(options) => Arc::new(SftpStorage::create(run, (**options).clone())?),
        Location::S3(options) => Arc::new(S3Storage::create(run, (**options).clone())?),
    })
}

/// Removes what interrupted writers left behind more than a day ago.
///
/// # Errors
/// Those of opening, and of removing.
#[cfg(unix)]
pub fn remove_leftovers(run: &Run, location: &Location) -> Result<Leftovers, StorageError> {
    match location {
        Location::Folder(root) => {
            FolderStorage::open(run, Arc::new(RealDisk), root)?.remove_leftovers()
        }
        Location::Sftp(options) => SftpStorage::open(run, (**options).clone())?.remove_leftovers(),
        Location::S3(options) => S3Storage::open(run, (**options).clone())?.remove_leftovers(),
    }
}

/// Keeps room back for those who remove something, where a folder can.
///
/// # Errors
/// Those of [`FolderStorage::keep_reserves`].
#[cfg(unix)]
pub fn keep_reserves(run: &Run, location: &Location) -> Result<(), StorageError> {
    match location {
        Location::Folder(root) => {
            FolderStorage::open(run, Arc::new(RealDisk), root)?.keep_reserves(run)
        }
        Location::Sftp(_) | Location::S3(_) => Ok(()),
    }
}

/// Gives that room up; whether there was any.
///
/// # Errors
/// Those of [`FolderStorage::spend_reserve`].
#[cfg(unix)]
pub fn spend_reserve(
    run: &Run,
    location: &Location,
    reserve: Reserve,
) -> Result<bool, StorageError> {
    match location {
        Location::Folder(root) => {
            FolderStorage::open(run, Arc::new(RealDisk), root)?.spend_reserve(reserve)
        }
        Location::Sftp(_) | Location::S3(_) => Ok(false),
    }
}

/// Makes the locks of these blobs last longer, where the storage has locks of its own.
///
/// # Errors
/// Those of opening, and of [`S3Storage::renew_all`].
pub fn renew_locks(
    run: &Run,
    location: &Location,
    names: &[BlobName],
) -> Result<Renewed, StorageError> {
    match location {
        Location::Folder(_) | Location::Sftp(_) => Ok(Renewed::default()),
        Location::S3(options) => S3Storage::open(run, (**options).clone())?.renew_all(run, names),
    }
}

/// The storage as it was before somebody replaced or removed what lies there; none if it keeps no
/// versions.
///
/// # Errors
/// Those of opening, and of [`Beneath::of`].
pub fn beneath(
    run: &Run,
    location: &Location,
    is_genuine: IsGenuine,
) -> Result<Option<Arc<dyn Storage>>, StorageError> {
    match location {
        Location::Folder(_) | Location::Sftp(_) => Ok(None),
        Location::S3(options) => {
            let bucket = S3Storage::open(run, (**options).clone())?;
            Ok(Some(Arc::new(Beneath::of(bucket, is_genuine)?)))
        }
    }
}

/// What lies in the storage beside its blobs; nothing is changed.
///
/// # Errors
/// Those of opening, and of listing.
#[cfg(unix)]
pub fn strangers(run: &Run, location: &Location) -> Result<Strangers, StorageError> {
    match location {
        Location::Folder(root) => FolderStorage::open(run, Arc::new(RealDisk), root)?.strangers(),
        Location::Sftp(options) => SftpStorage::open(run, (**options).clone())?.strangers(),
        Location::S3(options) => S3Storage::open(run, (**options).clone())?.strangers(),
    }
}
