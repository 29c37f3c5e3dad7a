//! What every storage refuses alike, in the same words.

use crate::storage::BLOB_BYTES_MAX;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;

/// Errors of a storage, for those who make one.
pub(crate) trait Refuse: Storage {
    /// An error of this storage, at this place.
    fn refused(
        &self,
        operation: &'static str,
        name: &str,
        kind: StorageErrorKind,
        detail: &str,
    ) -> StorageError {
        let (location, name, detail) = (self.location(), name.to_owned(), detail.to_owned());
        StorageError { kind, after_s: None, location, operation, name, detail }
    }

    /// A folder, a link or the like has the name: no listing tells it, so no read may find it.
    fn no_blob(&self, operation: &'static str, name: &BlobName) -> StorageError {
        self.refused(operation, name.as_str(), StorageErrorKind::NotFound, "not a regular file")
    }

    /// The same has the name that a new blob is to have.
    fn blocked(&self, operation: &'static str, name: &BlobName) -> StorageError {
        let detail = "something that is not a regular file has this name";
        self.refused(operation, name.as_str(), StorageErrorKind::Blocked, detail)
    }

    /// The bytes of a blob that is to be created, if they are no more than a blob may have.
    fn len_bytes_of(&self, name: &BlobName, parts: &[&[u8]]) -> Result<u64, StorageError> {
        let len_bytes = parts.iter().map(|part| part.len() as u64).sum();
        if len_bytes <= BLOB_BYTES_MAX {
            return Ok(len_bytes);
        }
        let detail = format!("expected at most {BLOB_BYTES_MAX} bytes, found {len_bytes}");
        Err(self.refused("create", name.as_str(), StorageErrorKind::Length, &detail))
    }

    /// The folder that a prefix stands for, if it is a whole one; "" is the root.
    fn folder_of(&self, prefix: &str) -> Result<String, StorageError> {
        let folder = match prefix.strip_suffix('/') {
            _ if prefix.is_empty() => Some(String::new()),
            Some(folder) => BlobName::new(folder).ok().map(|name| name.as_str().to_owned()),
            None => None,
        };
        folder.ok_or_else(|| {
            let detail = "expected a folder: nothing, or a name that ends in `/`";
            self.refused("list", prefix, StorageErrorKind::Other, detail)
        })
    }
}

impl<T: Storage + ?Sized> Refuse for T {}
