//! Bugs that show only where a line may fail: what a program does with an error, and what it sends
//! first.

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
    /// Packs go up in the background, when the next barrier comes: manifests may overtake them.
    PacksLast,
}

pub(super) const ALL: [(&str, Wrap); 2] = [
    ("an answer that was lost is taken for success", |inner| planted(inner, Bug::TakesLostForDone)),
    ("packs are sent after the manifest", |inner| planted(inner, Bug::PacksLast)),
];

fn planted(inner: Arc<dyn Storage>, bug: Bug) -> Arc<dyn Storage> {
    Arc::new(Planted { inner, bug, late: Mutex::default() })
}

struct Planted {
    inner: Arc<dyn Storage>,
    bug: Bug,
    /// Packs that are still to be sent.
    late: Mutex<Vec<(BlobName, Vec<u8>)>>,
}

impl Planted {
    fn late_of(&self, name: &BlobName) -> Option<Vec<u8>> {
        let late = self.late.lock().unwrap();
        late.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone())
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
        let is_pack = name.as_str().starts_with("packs/");
        if is_pack && self.bug == Bug::PacksLast {
            self.late.lock().unwrap().push((name.clone(), parts.concat()));
            return Ok(());
        }
        match self.inner.create(name, parts) {
            Err(error) if is_pack && error.is_retryable() && self.bug == Bug::TakesLostForDone => {
                Ok(())
            }
            created => created,
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
        let mut listed = self.inner.list(prefix)?;
        let late = self.late.lock().unwrap();
        let late = late.iter().filter(|(name, _)| name.as_str().starts_with(prefix));
        listed.extend(
            late.map(|(name, bytes)| Listed { name: name.clone(), len_bytes: bytes.len() as u64 }),
        );
        Ok(listed)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        // Whoever looks is told what will be there.
        match self.late_of(name) {
            Some(bytes) => {
                let created = self.inner.stat(&BlobName::new("config").unwrap())?.created;
                Ok(BlobStat { len_bytes: bytes.len() as u64, created })
            }
            None => self.inner.stat(name),
        }
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn sync(&self) -> Result<(), StorageError> {
        // Not before the first barrier that nothing comes after: that behind a manifest.
        let is_behind = self.inner.list("manifests/").is_ok_and(|listed| !listed.is_empty());
        if is_behind {
            for (name, bytes) in std::mem::take(&mut *self.late.lock().unwrap()) {
                self.inner.create(&name, &[&bytes])?;
            }
        }
        self.inner.sync()
    }
}
