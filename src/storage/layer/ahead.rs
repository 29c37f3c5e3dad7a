//! Small blobs, read before anybody asks for them.
//!
//! Whoever opens a repository reads a handful of records, each named by a listing: over a long way
//! that is many round trips, one after the other. Here all are listed and read together, and what
//! was read is answered from memory until something is written.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
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
use crate::storage::together;

/// Blobs of one folder that are read ahead, and the longest of them: more are read when asked for.
const BLOBS_MAX: usize = 64;
const BLOB_BYTES_MAX: u64 = 64 * 1024;

/// What is read ahead.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Blobs with these names.
    pub names: &'a [BlobName],
    /// Folders, each with a `/` at its end, and all in them that `is_wanted`. One that lies in
    /// another one of them comes sooner by itself.
    pub folders: &'a [&'a str],
    pub is_wanted: fn(&BlobName) -> bool,
}

/// What was read. An error is not kept: the call is made again when somebody waits for it.
#[derive(Debug, Default)]
struct Known {
    listed: BTreeMap<String, Vec<Listed>>,
    blobs: BTreeMap<BlobName, Vec<u8>>,
    /// What was asked for: a folder and one below it may both be wanted.
    asked: BTreeSet<BlobName>,
}

/// For the short time of opening: it does not see what others do meanwhile. Dropped after that.
pub struct Ahead {
    inner: Arc<dyn Storage>,
    known: Mutex<Known>,
}

impl Ahead {
    /// Reads now what is wanted if the storage is far; else it is the storage itself.
    #[must_use]
    pub fn of(inner: &Arc<dyn Storage>, wanted: Wanted<'_>) -> Arc<dyn Storage> {
        if !inner.is_far() {
            return Arc::clone(inner);
        }
        let ahead = Self { inner: Arc::clone(inner), known: Mutex::default() };
        let storage = &**inner;
        together::both(
            storage,
            || ahead.read_all(wanted.names),
            || {
                let listed = together::each(storage, wanted.folders, |folder| {
                    if let Ok(listed) = storage.list(folder) {
                        ahead.read_listed(folder, listed, wanted.is_wanted);
                    }
                    Ok::<(), StorageError>(())
                });
                drop(listed);
            },
        );
        Arc::new(ahead)
    }

    fn read_listed(&self, folder: &str, listed: Vec<Listed>, is_wanted: fn(&BlobName) -> bool) {
        let short = listed.iter().filter(|it| it.len_bytes <= BLOB_BYTES_MAX);
        let names = short.map(|it| &it.name).filter(|name| is_wanted(name));
        let names: Vec<BlobName> = names.take(BLOBS_MAX).cloned().collect();
        self.read_all(&names);
        self.known().listed.insert(folder.to_owned(), listed);
    }

    fn read_all(&self, names: &[BlobName]) {
        let is_new = |name: &&BlobName| self.known().asked.insert((*name).clone());
        let names: Vec<&BlobName> = names.iter().filter(is_new).collect();
        let read = together::each(&*self.inner, &names, |name| {
            if let Ok(content) = self.inner.read(name, BLOB_BYTES_MAX) {
                self.known().blobs.insert((*name).clone(), content);
            }
            Ok::<(), StorageError>(())
        });
        drop(read);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before anything is written, and when order matters.
    fn forget(&self) {
        *self.known() = Known::default();
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ahead({:?})", self.inner)
    }
}

impl Storage for Ahead {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.forget();
        self.inner.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let known = self.known().blobs.get(name).cloned();
        match known {
            Some(content) if content.len() as u64 <= bytes_max => Ok(content),
            _ => self.inner.read(name, bytes_max),
        }
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
        let known = {
            let known = self.known();
            let folder = known.listed.iter().find(|(folder, _)| prefix.starts_with(*folder));
            folder.map(|(_, listed)| {
                let below = listed.iter().filter(|it| it.name.as_str().starts_with(prefix));
                below.cloned().collect()
            })
        };
        known.map_or_else(|| self.inner.list(prefix), Ok)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.inner.stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.forget();
        self.inner.delete(name)
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn weaknesses(&self) -> Vec<String> {
        self.inner.weaknesses()
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        self.forget();
        self.inner.try_alone()
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.forget();
        self.inner.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::storage::StorageErrorKind;
    use crate::storage::layer::Verb;
    use crate::storage::layer::far::Far;
    use crate::storage::layer::record::Record;
    use crate::storage::memory::MemoryStorage;
    use crate::units::Timestamp;

    fn name(text: &str) -> BlobName {
        BlobName::new(text).unwrap()
    }

    fn made() -> Arc<Record> {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
        let memory: Arc<dyn Storage> = Arc::new(MemoryStorage::new(clock));
        for blob in ["config", "slots/a", "slots/a.1", "machines/m/1.0"] {
            memory.create(&name(blob), &[blob.as_bytes()]).unwrap();
        }
        Arc::new(Record::new(Arc::new(Far::new(memory))))
    }

    fn wanted(names: &[BlobName]) -> Wanted<'_> {
        let is_wanted = |name: &BlobName| !name.as_str().ends_with(".1");
        Wanted { names, folders: &["slots/", "machines/"], is_wanted }
    }

    #[test]
    fn what_was_read_ahead_is_answered_without_a_call() {
        let record = made();
        let storage = Arc::clone(&record) as Arc<dyn Storage>;
        let ahead = Ahead::of(&storage, wanted(&[name("config"), name("config.1")]));
        let before = record.calls().len();
        assert_eq!(ahead.read(&name("config"), 100).unwrap(), b"config");
        assert_eq!(ahead.read(&name("slots/a"), 100).unwrap(), b"slots/a");
        assert_eq!(ahead.list("slots/").unwrap().len(), 2);
        assert_eq!(ahead.list("machines/m/").unwrap().len(), 1);
        assert_eq!(ahead.list("machines/n/").unwrap().len(), 0);
        assert_eq!(record.calls().len(), before);
        // What was not read, or does not fit, is asked for.
        assert_eq!(ahead.read(&name("slots/a.1"), 100).unwrap(), b"slots/a.1");
        let long = ahead.read(&name("config"), 3).unwrap_err();
        assert_eq!(long.kind, StorageErrorKind::Length);
        let missing = ahead.read(&name("config.1"), 3).unwrap_err();
        assert_eq!(missing.kind, StorageErrorKind::NotFound);
    }

    #[test]
    fn a_folder_in_a_folder_is_read_once() {
        let record = made();
        let storage = Arc::clone(&record) as Arc<dyn Storage>;
        let folders = &["machines/", "machines/m/", "machines/none/"];
        let ahead = Ahead::of(&storage, Wanted { folders, ..wanted(&[]) });
        assert_eq!((record.count(Verb::List), record.count(Verb::Read)), (3, 1));
        assert_eq!(ahead.read(&name("machines/m/1.0"), 100).unwrap(), b"machines/m/1.0");
        assert_eq!(ahead.list("machines/").unwrap().len(), 1);
        assert_eq!(ahead.list("machines/none/").unwrap().len(), 0);
        assert_eq!((record.count(Verb::List), record.count(Verb::Read)), (3, 1));
    }

    #[test]
    fn whatever_is_written_ends_it() {
        let writes: [fn(&dyn Storage); 4] = [
            |storage| storage.create(&name("slots/b"), &[b"b"]).unwrap(),
            |storage| storage.delete(&name("slots/a.1")).unwrap(),
            |storage| storage.sync().unwrap(),
            |storage| drop(storage.try_alone().unwrap()),
        ];
        for write in writes {
            let record = made();
            let storage = Arc::clone(&record) as Arc<dyn Storage>;
            let ahead = Ahead::of(&storage, wanted(&[]));
            write(&*ahead);
            let lists = record.count(Verb::List);
            ahead.list("slots/").unwrap();
            assert_eq!(record.count(Verb::List), lists + 1);
        }
    }
}
