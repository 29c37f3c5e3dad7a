//! What a storage is asked for, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::layer::Verb;
use crate::units::Timestamp;

/// The calls of one verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerbFigures {
    pub calls_count: u64,
    /// How many of them failed.
    pub errors_count: u64,
    /// Content carried by those that did not.
    pub bytes: u64,
}

/// Figures by verb; a verb that was never called is missing.
pub type Figures = BTreeMap<Verb, VerbFigures>;

/// Counts calls, errors and bytes.
pub struct Metrics {
    inner: Arc<dyn Storage>,
    figures: Mutex<Figures>,
}

impl Metrics {
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, figures: Mutex::default() }
    }

    /// Everything so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count<T>(
        &self,
        verb: Verb,
        result: Result<T, StorageError>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Result<T, StorageError> {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = figures.entry(verb).or_default();
        figures.calls_count += 1;
        match &result {
            Ok(done) => figures.bytes += bytes(done) as u64,
            Err(_) => figures.errors_count += 1,
        }
        result
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metrics({:?})", self.inner)
    }
}

impl Storage for Metrics {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        let result = self.inner.create(name, parts);
        self.count(Verb::Create, result, |()| parts.iter().map(|part| part.len()).sum())
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        self.count(Verb::Read, self.inner.read(name, bytes_max), Vec::len)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let len_bytes = into.len();
        let result = self.inner.read_range(name, offset, into);
        self.count(Verb::ReadRange, result, |()| len_bytes)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.count(Verb::List, self.inner.list(prefix), |_| 0)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.count(Verb::Stat, self.inner.stat(name), |_| 0)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.count(Verb::Delete, self.inner.delete(name), |()| 0)
    }

    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        let result = self.inner.create_dated(name, parts);
        self.count(Verb::Create, result, |_| parts.iter().map(|part| part.len()).sum())
    }

    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        let result = self.inner.create_if(name, parts, may);
        self.count(Verb::Create, result, |_| parts.iter().map(|part| part.len()).sum())
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn weaknesses(&self) -> Vec<String> {
        self.inner.weaknesses()
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        self.inner.try_alone()
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.count(Verb::Sync, self.inner.sync(), |()| 0)
    }
}
