//! Blobs that are named by the hash of their bytes, kept on this machine once they were read.
//!
//! No trust is needed: what lies here counts only if it is what its name says. What the storage
//! does not list any more is removed here. Whoever has to know what lies in the storage itself, as
//! a check does, goes round this.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::private;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::units::Timestamp;

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// The folder of these blobs, with a `/` at its end. There is none below it.
    pub prefix: &'static str,
    /// Whether a blob's bytes are those that its name tells of.
    pub is_genuine: fn(&BlobName, &[u8]) -> bool,
}

/// Reads from a folder of this machine first.
pub struct Kept {
    inner: Arc<dyn Storage>,
    folder: PathBuf,
    keeping: Keeping,
}

impl Kept {
    #[must_use]
    pub const fn new(inner: Arc<dyn Storage>, folder: PathBuf, keeping: Keeping) -> Self {
        Self { inner, folder, keeping }
    }

    fn place(&self, name: &BlobName) -> Option<PathBuf> {
        let base = name.as_str().strip_prefix(self.keeping.prefix)?;
        (!base.contains('/')).then(|| self.folder.join(base))
    }

    fn read_here(&self, (name, place): (&BlobName, &Path), bytes_max: u64) -> Option<Vec<u8>> {
        let file = File::open(place).ok()?;
        let mut content = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut content).ok()?;
        let is_short = content.len() as u64 <= bytes_max;
        (is_short && (self.keeping.is_genuine)(name, &content)).then_some(content)
    }

    /// Costs time if it fails, nothing else. What is half written is not genuine.
    fn keep(&self, place: &Path, content: &[u8]) {
        let kept = || -> io::Result<()> {
            private::create_folders(&self.folder)?;
            // One that is there is not genuine.
            let _mostly_absent = std::fs::remove_file(place);
            private::create_file(place)?.write_all(content)
        };
        if let Err(error) = kept() {
            tracing::debug!(%error, "what was read is not kept on this machine");
        }
    }

    fn remove_others(&self, listed: &[Listed]) {
        let Ok(kept) = std::fs::read_dir(&self.folder) else { return };
        let places: BTreeSet<_> = listed.iter().filter_map(|it| self.place(&it.name)).collect();
        for item in kept.flatten().filter(|item| !places.contains(&item.path())) {
            // Another process may have removed it.
            let _mostly_there = std::fs::remove_file(item.path());
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({:?})", self.inner)
    }
}

impl Storage for Kept {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.inner.create(name, parts)
    }

    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        self.inner.create_dated(name, parts)
    }

    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        self.inner.create_if(name, parts, may)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let Some(place) = self.place(name) else { return self.inner.read(name, bytes_max) };
        if let Some(content) = self.read_here((name, &place), bytes_max) {
            return Ok(content);
        }
        let content = self.inner.read(name, bytes_max)?;
        if (self.keeping.is_genuine)(name, &content) {
            self.keep(&place, &content);
        }
        Ok(content)
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
        if prefix == self.keeping.prefix {
            self.remove_others(&listed);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::storage::layer::Verb;
    use crate::storage::layer::record::Record;
    use crate::storage::memory::MemoryStorage;

    /// Here a name says how long its blob is.
    const KEEPING: Keeping = Keeping {
        prefix: "index/",
        is_genuine: |name, bytes| name.as_str() == format!("index/{}", bytes.len()),
    };

    fn name(text: &str) -> BlobName {
        BlobName::new(text).unwrap()
    }

    fn made(folder: &Path) -> (Arc<Record>, Kept) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
        let record = Arc::new(Record::new(Arc::new(MemoryStorage::new(clock))));
        let kept = Kept::new(Arc::clone(&record) as _, folder.join("kept"), KEEPING);
        (record, kept)
    }

    #[test]
    fn what_was_read_once_is_read_here() {
        let dir = tempfile::tempdir().unwrap();
        let (record, kept) = made(dir.path());
        for (blob, content) in [("index/3", "abc"), ("index/9", "wrong"), ("slots/3", "abc")] {
            kept.create(&name(blob), &[content.as_bytes()]).unwrap();
        }
        for _ in 0..3 {
            assert_eq!(kept.read(&name("index/3"), 10).unwrap(), b"abc");
            assert_eq!(kept.read(&name("index/9"), 10).unwrap(), b"wrong");
            assert_eq!(kept.read(&name("slots/3"), 10).unwrap(), b"abc");
        }
        // The first once; what is not genuine, and what is none of these, each time.
        assert_eq!(record.count(Verb::Read), 1 + 3 + 3);
        let long = kept.read(&name("index/3"), 2).unwrap_err();
        assert_eq!(long.kind, crate::storage::StorageErrorKind::Length);
    }

    #[test]
    fn what_is_damaged_here_is_read_there_and_what_is_gone_there_goes_here() {
        let dir = tempfile::tempdir().unwrap();
        let (record, kept) = made(dir.path());
        for (blob, content) in [("index/3", "abc"), ("index/4", "abcd")] {
            kept.create(&name(blob), &[content.as_bytes()]).unwrap();
            kept.read(&name(blob), 10).unwrap();
        }
        let place = dir.path().join("kept/3");
        std::fs::remove_file(&place).unwrap();
        private::create_file(&place).unwrap().write_all(b"longer").unwrap();
        assert_eq!(kept.read(&name("index/3"), 10).unwrap(), b"abc");
        assert_eq!(std::fs::read(&place).unwrap(), b"abc");
        assert_eq!(record.count(Verb::Read), 3);
        kept.delete(&name("index/4")).unwrap();
        kept.list("slots/").unwrap();
        assert!(dir.path().join("kept/4").exists());
        kept.list("index/").unwrap();
        assert!(!dir.path().join("kept/4").exists() && place.exists());
    }
}
