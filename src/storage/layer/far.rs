//! A storage that says it is far, so that it is asked as one over a network is.

use std::fmt;
use std::sync::Arc;

use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;

/// Passes every call on.
pub struct Far {
    inner: Arc<dyn Storage>,
}

impl Far {
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner }
    }
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Far({:?})", self.inner)
    }
}

impl Storage for Far {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.inner.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        self.inner.read(name, bytes_max)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.inner.read_range(name, offset, into)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.inner.list(prefix)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.inner.stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn is_far(&self) -> bool {
        true
    }

    fn weaknesses(&self) -> Vec<String> {
        self.inner.weaknesses()
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        self.inner.try_alone()
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.inner.sync()
    }
}
