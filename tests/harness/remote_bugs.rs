//! Bugs that show only where a line may fail: what a program makes of an error on the way.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;

use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;

use super::crash::Wrap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// A pack whose answer was lost is taken for sent.
    TakesLostForDone,
    /// A pack that could not be sent goes on where it is thought to have ended.
    GoesOnTooFar,
    /// What a listing showed and the next one does not show is removed, as nobody's.
    RemovesUnlisted,
}

pub(super) const ALL: [(&str, Wrap); 2] = [
    ("an answer that was lost is taken for success", |inner| planted(inner, Bug::TakesLostForDone)),
    ("an upload goes on behind what arrived", |inner| planted(inner, Bug::GoesOnTooFar)),
];

/// Shows only where listings are wrong.
pub(super) const OF_LISTS: (&str, Wrap) =
    ("what is not listed is removed as nobody's", |inner| planted(inner, Bug::RemovesUnlisted));

fn planted(inner: Arc<dyn Storage>, bug: Bug) -> Arc<dyn Storage> {
    Arc::new(Planted { inner, bug, failed: Mutex::default(), listed: Mutex::default() })
}

struct Planted {
    inner: Arc<dyn Storage>,
    bug: Bug,
    /// Packs that could not be sent.
    failed: Mutex<BTreeSet<BlobName>>,
    /// All that was ever listed.
    listed: Mutex<BTreeSet<BlobName>>,
}

impl Planted {
    fn create_pack(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StorageError> {
        let has_failed = self.failed.lock().unwrap().contains(name);
        let sent = match has_failed && self.bug == Bug::GoesOnTooFar {
            true => &bytes[bytes.len() / 2..],
            false => bytes,
        };
        let created = self.inner.create(name, &[sent]);
        let is_lost = created.as_ref().is_err_and(StorageError::is_retryable);
        if is_lost && self.bug == Bug::TakesLostForDone {
            return Ok(());
        }
        if is_lost {
            self.failed.lock().unwrap().insert(name.clone());
        }
        created
    }

    fn remove_unlisted(&self, prefix: &str, listed: &[Listed]) {
        let mut known = self.listed.lock().unwrap();
        let is_there = |name: &BlobName| listed.iter().any(|row| row.name == *name);
        known.retain(|name| {
            !name.as_str().starts_with(prefix) || is_there(name) || {
                drop(self.inner.delete(name));
                false
            }
        });
        known.extend(listed.iter().map(|row| row.name.clone()));
    }
}

impl fmt::Debug for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Planted({:?})", self.bug)
    }
}

impl Storage for Planted {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        match name.as_str().starts_with("packs/") {
            true => self.create_pack(name, &parts.concat()),
            false => self.inner.create(name, parts),
        }
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
        let listed = self.inner.list(prefix)?;
        if self.bug == Bug::RemovesUnlisted {
            self.remove_unlisted(prefix, &listed);
        }
        Ok(listed)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.inner.stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.inner.sync()
    }
}
