//! A storage in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;

use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::units::Timestamp;

#[derive(Debug, Default)]
pub(in crate::vault) struct TestStorage {
    state: Mutex<State>,
}

/// What comes after a call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Fails {
    Once,
    /// The process is gone.
    FromThen,
}

/// What becomes of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Answer {
    Denied,
    Done,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<String, (Vec<u8>, Timestamp)>,
    now_ms: i64,
    calls: Vec<String>,
    /// Calls that begin with this text fail.
    failing: Option<String>,
    /// How many calls still work, and whether the one that does not is the last of the process.
    left: Option<(usize, Fails)>,
    has_turns: bool,
    /// The next listing of this prefix is empty.
    blinks: Option<String>,
    /// Whether this user may only add.
    refuses_deletes: bool,
}

impl TestStorage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn call(
        &self,
        operation: &'static str,
        name: &str,
    ) -> Result<MutexGuard<'_, State>, StorageError> {
        let mut state = self.state();
        let call = format!("{operation} {name}");
        let fails = state.failing.as_ref().is_some_and(|failing| call.starts_with(failing));
        state.calls.push(call);
        let stops = match &mut state.left {
            Some((0, Fails::FromThen)) => true,
            Some((left @ 0, Fails::Once)) => {
                *left = usize::MAX;
                true
            }
            Some((left, _)) => {
                *left -= 1;
                false
            }
            None => false,
        };
        if fails || stops {
            return Err(error(StorageErrorKind::Transient, operation, name));
        }
        Ok(state)
    }

    pub(in crate::vault) fn fail(&self, calls: &str) {
        self.state().failing = Some(calls.to_owned());
    }

    /// The call after so many fails, or that and all that follow.
    pub(in crate::vault) fn fail_after(&self, count: usize, fails: Fails) {
        self.state().left = Some((count, fails));
    }

    /// From now on whoever asks is alone.
    pub(in crate::vault) fn take_turns(&self) {
        self.state().has_turns = true;
    }

    /// Another process moves all of this while it is listed, once.
    pub(in crate::vault) fn blink(&self, prefix: &str) {
        self.state().blinks = Some(prefix.to_owned());
    }

    /// This user may only add, or may delete again.
    pub(in crate::vault) fn refuse_deletes(&self, answer: Answer) {
        self.state().refuses_deletes = answer == Answer::Denied;
    }

    pub(in crate::vault) fn heal(&self) {
        self.state().failing = None;
        self.state().left = None;
    }

    pub(in crate::vault) fn pass_ms(&self, ms: i64) {
        self.state().now_ms += ms;
    }

    /// Every call since the last time this was asked.
    pub(in crate::vault) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    pub(in crate::vault) fn names(&self, prefix: &str) -> Vec<String> {
        let state = self.state();
        state.blobs.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    pub(in crate::vault) fn remove(&self, name: &str) -> Vec<u8> {
        self.state().blobs.remove(name).unwrap().0
    }

    pub(in crate::vault) fn insert(&self, name: &str, bytes: Vec<u8>) {
        self.state().blobs.insert(name.to_owned(), (bytes, Timestamp::default()));
    }

    pub(in crate::vault) fn bytes(&self, name: &str) -> Vec<u8> {
        self.state().blobs[name].0.clone()
    }

    pub(in crate::vault) fn flip(&self, name: &str, bit: usize) {
        self.state().blobs.get_mut(name).unwrap().0[bit / 8] ^= 1 << (bit % 8);
    }
}

fn error(kind: StorageErrorKind, operation: &'static str, name: &str) -> StorageError {
    let (location, detail) = ("memory".to_owned(), format!("{kind:?}"));
    StorageError { kind, after_s: None, location, operation, name: name.to_owned(), detail }
}

impl Storage for TestStorage {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        let mut state = self.call("create", name.as_str())?;
        if state.blobs.contains_key(name.as_str()) {
            return Err(error(StorageErrorKind::AlreadyExists, "create", name.as_str()));
        }
        let created = Timestamp::from_unix_ms(state.now_ms);
        state.blobs.insert(name.as_str().to_owned(), (parts.concat(), created));
        Ok(())
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let state = self.call("read", name.as_str())?;
        let wrong = |kind| error(kind, "read", name.as_str());
        let blob = state.blobs.get(name.as_str()).ok_or(wrong(StorageErrorKind::NotFound))?;
        if blob.0.len() as u64 > bytes_max {
            return Err(wrong(StorageErrorKind::Length));
        }
        Ok(blob.0.clone())
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let state = self.call("read_range", name.as_str())?;
        let wrong = |kind| error(kind, "read_range", name.as_str());
        let blob = state.blobs.get(name.as_str()).ok_or(wrong(StorageErrorKind::NotFound))?;
        let from = usize::try_from(offset).unwrap();
        let part = blob.0.get(from..from + into.len()).ok_or(wrong(StorageErrorKind::Length))?;
        into.copy_from_slice(part);
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let mut state = self.call("list", prefix)?;
        if state.blinks.take_if(|blinks| blinks == prefix).is_some() {
            return Ok(Vec::new());
        }
        let below = state.blobs.iter().filter(|(name, _)| name.starts_with(prefix));
        let listed = |(name, blob): (&String, &(Vec<u8>, Timestamp))| Listed {
            name: BlobName::new(name).unwrap(),
            len_bytes: blob.0.len() as u64,
        };
        Ok(below.map(listed).collect())
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let state = self.call("stat", name.as_str())?;
        let blob = state.blobs.get(name.as_str());
        let blob = blob.ok_or_else(|| error(StorageErrorKind::NotFound, "stat", name.as_str()))?;
        Ok(BlobStat { len_bytes: blob.0.len() as u64, created: blob.1 })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        let mut state = self.call("delete", name.as_str())?;
        if state.refuses_deletes {
            return Err(error(StorageErrorKind::Denied, "delete", name.as_str()));
        }
        let gone = state.blobs.remove(name.as_str()).map(|_| ());
        gone.ok_or_else(|| error(StorageErrorKind::NotFound, "delete", name.as_str()))
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        let has_turns = self.state().has_turns;
        Ok(if has_turns { Alone::Yes(Box::new(())) } else { Alone::Unknown })
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.call("sync", "").map(|_| ())
    }
}
