//! Blobs in memory: for tests, and for what is to be thrown away.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::clock::Clock;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::refuse::Refuse as _;
use crate::units::Timestamp;

/// One blob; content is shared, so that copies of a whole storage are cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryBlob {
    pub content: Arc<[u8]>,
    pub created: Timestamp,
}

/// Everything a memory storage holds.
pub type MemoryBlobs = BTreeMap<BlobName, MemoryBlob>;

/// A storage that is gone with the process.
pub struct MemoryStorage {
    clock: Arc<dyn Clock>,
    blobs: Mutex<MemoryBlobs>,
}

impl MemoryStorage {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::from_blobs(clock, MemoryBlobs::new())
    }

    /// A storage that holds `blobs`, such as a damaged copy of another's.
    #[must_use]
    pub fn from_blobs(clock: Arc<dyn Clock>, blobs: MemoryBlobs) -> Self {
        Self { clock, blobs: Mutex::new(blobs) }
    }

    /// A copy of all there is now.
    #[must_use]
    pub fn blobs(&self) -> MemoryBlobs {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, MemoryBlobs> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, operation: &'static str, name: &BlobName) -> Result<MemoryBlob, StorageError> {
        self.lock().get(name).cloned().ok_or_else(|| {
            self.refused(operation, name.as_str(), StorageErrorKind::NotFound, "no such blob")
        })
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStorage({} blobs)", self.lock().len())
    }
}

impl Storage for MemoryStorage {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.len_bytes_of(name, parts)?;
        let content: Arc<[u8]> = parts.concat().into();
        let created = self.clock.now();
        let mut blobs = self.lock();
        if blobs.contains_key(name) {
            let kind = StorageErrorKind::AlreadyExists;
            return Err(self.refused("create", name.as_str(), kind, "the name is taken"));
        }
        blobs.insert(name.clone(), MemoryBlob { content, created });
        Ok(())
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let blob = self.find("read", name)?;
        let found = blob.content.len();
        if found as u64 > bytes_max {
            let detail = format!("expected at most {bytes_max} bytes, found {found}");
            return Err(self.refused("read", name.as_str(), StorageErrorKind::Length, &detail));
        }
        Ok(blob.content.to_vec())
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let blob = self.find("read", name)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = blob.content.get(start..start.saturating_add(into.len())).ok_or_else(|| {
            let detail = format!("expected {} bytes at {offset}, found its end", into.len());
            self.refused("read", name.as_str(), StorageErrorKind::Length, &detail)
        })?;
        into.copy_from_slice(part);
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.folder_of(prefix)?;
        let blobs = self.lock();
        let within = blobs.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
        Ok(within
            .map(|(name, blob)| Listed { name: name.clone(), len_bytes: blob.content.len() as u64 })
            .collect())
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let blob = self.find("stat", name)?;
        Ok(BlobStat { len_bytes: blob.content.len() as u64, created: blob.created })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        match self.lock().remove(name) {
            Some(_) => Ok(()),
            None => Err(self.refused(
                "delete",
                name.as_str(),
                StorageErrorKind::NotFound,
                "no such blob",
            )),
        }
    }

    fn sync(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
