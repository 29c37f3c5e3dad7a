//! Every call that reached a storage, in order.

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
use crate::storage::StorageErrorKind;
use crate::storage::layer::Verb;
use crate::units::Timestamp;

/// One call, as it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub verb: Verb,
    /// Blob or prefix; empty for `sync`.
    pub name: String,
    /// Bytes given to `create`, found by `read`, asked of `read_range`; else 0.
    pub bytes: u64,
    pub outcome: Result<(), StorageErrorKind>,
}

/// Keeps every call in the order in which they ended. It grows without end: for tests, and for
/// looking at one run.
pub struct Record {
    inner: Arc<dyn Storage>,
    calls: Mutex<Vec<Call>>,
}

impl Record {
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, calls: Mutex::default() }
    }

    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls of a verb there were.
    #[must_use]
    pub fn count(&self, verb: Verb) -> usize {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| call.verb == verb).count()
    }

    fn note<T>(
        &self,
        (verb, name): (Verb, &str),
        bytes: usize,
        result: Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let outcome = result.as_ref().map(|_| ()).map_err(|error| error.kind);
        let call = Call { verb, name: name.to_owned(), bytes: bytes as u64, outcome };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        result
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({:?})", self.inner)
    }
}

impl Storage for Record {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        let len_bytes = parts.iter().map(|part| part.len()).sum();
        let result = self.inner.create(name, parts);
        self.note((Verb::Create, name.as_str()), len_bytes, result)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let result = self.inner.read(name, bytes_max);
        let len_bytes = result.as_ref().map_or(0, Vec::len);
        self.note((Verb::Read, name.as_str()), len_bytes, result)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let len_bytes = into.len();
        let result = self.inner.read_range(name, offset, into);
        self.note((Verb::ReadRange, name.as_str()), len_bytes, result)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.note((Verb::List, prefix), 0, self.inner.list(prefix))
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.note((Verb::Stat, name.as_str()), 0, self.inner.stat(name))
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.note((Verb::Delete, name.as_str()), 0, self.inner.delete(name))
    }

    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        let len_bytes = parts.iter().map(|part| part.len()).sum();
        let result = self.inner.create_dated(name, parts);
        self.note((Verb::Create, name.as_str()), len_bytes, result)
    }

    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        let len_bytes = parts.iter().map(|part| part.len()).sum();
        let result = self.inner.create_if(name, parts, may);
        self.note((Verb::Create, name.as_str()), len_bytes, result)
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
        self.note((Verb::Sync, ""), 0, self.inner.sync())
    }
}
