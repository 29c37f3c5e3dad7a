use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use super::*;

use crate::clock::Clock;
use crate::clock::ManualClock;
use crate::clock::SystemClock;
use crate::disk::Disk;
use crate::disk::sim::Manner;
use crate::disk::sim::SimDisk;
use crate::disk::unix::RealDisk;
use crate::ids::RunId;
use crate::run::Run;
use crate::run::monitor::Silent;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::folder::FolderStorage;
use crate::storage::layer::fault::FaultLayer;
use crate::storage::layer::fault::plan::Plan;
use crate::storage::layer::limit::Limit;
use crate::storage::layer::limit::Limits;
use crate::storage::layer::metrics::Metrics;
use crate::storage::layer::record::Record;
use crate::storage::layer::retry::Retry;
use crate::storage::layer::retry::RetryOptions;
use crate::storage::memory::MemoryStorage;
use crate::storage::stack::StackOptions;
use crate::storage::stack::stack;
use crate::units::Timestamp;

const RETRY: RetryOptions = RetryOptions {
    attempts_max: 3,
    wait_first: Duration::from_millis(10),
    wait_max: Duration::from_secs(1),
    whole_max: Duration::from_secs(15 * 60),
};
const LIMITS: Limits =
    Limits { up_bytes_per_s: NonZeroU64::new(1000), down_bytes_per_s: NonZeroU64::new(1000) };

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)))
}

fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), clock(), 1)
}

fn memory() -> Arc<dyn Storage> {
    Arc::new(MemoryStorage::new(clock()))
}

fn folder_on(disk: Arc<dyn Disk>) -> Result<Arc<dyn Storage>, StorageError> {
    Ok(Arc::new(FolderStorage::create(&run(), disk, Path::new("/repo"))?))
}

fn crashes(manner: Manner) -> Result<crate::disk::sim::crash::CrashCounts, Broken> {
    let disk = SimDisk::new(clock()).with_manner(manner);
    let reboot = |image: &_| SimDisk::from_image(clock(), Clone::clone(image));
    crash::all(disk, &|disk| folder_on(disk), &reboot, 1)
}

#[test]
fn memory_keeps_its_promises() {
    assert_eq!(all(&memory), Ok(()));
}

#[test]
fn a_folder_keeps_its_promises() {
    let holder = tempfile::tempdir().unwrap();
    let next = std::cell::Cell::new(0);
    let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1);
    let make = || -> Arc<dyn Storage> {
        next.set(next.get() + 1);
        let root = holder.path().join(next.get().to_string());
        Arc::new(FolderStorage::create(&run, Arc::new(RealDisk), &root).unwrap())
    };
    assert_eq!(all(&make), Ok(()));
}

#[test]
fn a_folder_on_a_simulated_disk_keeps_its_promises() {
    assert_eq!(all(&|| folder_on(Arc::new(SimDisk::new(clock()))).unwrap()), Ok(()));
}

#[test]
fn every_layer_keeps_the_promises_of_what_it_wraps() {
    assert_eq!(all(&|| Arc::new(Retry::new(&run(), memory(), RETRY))), Ok(()));
    assert_eq!(all(&|| Arc::new(Limit::new(clock(), memory(), LIMITS, None))), Ok(()));
    assert_eq!(all(&|| Arc::new(Metrics::new(memory()))), Ok(()));
    assert_eq!(all(&|| Arc::new(Record::new(memory()))), Ok(()));
    assert_eq!(all(&|| Arc::new(FaultLayer::new(clock(), memory(), Plan::none()))), Ok(()));
    let options = StackOptions { retry: RETRY, limits: LIMITS, timetable: None };
    assert_eq!(all(&|| stack(&run(), memory(), &options).storage), Ok(()));
}

#[test]
fn a_crash_at_any_step_leaves_whole_blobs_and_all_that_was_synced() {
    for manner in [Manner::Honest, Manner::FoldersOnly] {
        let counts = crashes(manner).unwrap();
        assert!(counts.distinct > 300, "{counts:?}");
    }
}

#[test]
fn a_disk_that_lies_about_contents_is_caught() {
    let broken = crashes(Manner::ContentSyncLies).unwrap_err();
    assert_eq!(broken.promise, "create_is_whole_or_absent", "{broken}");
}

#[test]
fn a_disk_that_lies_about_names_is_caught() {
    let broken = crashes(Manner::NameSyncLies).unwrap_err();
    assert!(["open", "durable_after_sync"].contains(&broken.promise), "{broken}");
}

/// Storages with one bug each.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bug {
    Replaces,
    ListsShort,
    ListsNothingOnError,
    ListsByText,
    ReadsUnbounded,
    DeletesTwice,
}

#[derive(Debug)]
struct Buggy(MemoryStorage, Bug);

impl Storage for Buggy {
    fn location(&self) -> String {
        self.0.location()
    }
    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        if self.1 == Bug::Replaces {
            let _missing_is_fine = self.0.delete(name);
        }
        self.0.create(name, parts)
    }
    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let most = if self.1 == Bug::ReadsUnbounded { u64::MAX } else { bytes_max };
        self.0.read(name, most)
    }
    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.0.read_range(name, offset, into)
    }
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let listed = match self.1 {
            Bug::ListsByText if prefix == "a/" => {
                let mut all = self.0.list("")?;
                all.retain(|row| row.name.as_str().starts_with('a'));
                Ok(all)
            }
            _ => self.0.list(prefix),
        };
        match self.1 {
            Bug::ListsShort => listed.map(|rows| rows.into_iter().take(256).collect()),
            Bug::ListsNothingOnError => Ok(listed.unwrap_or_default()),
            _ => listed,
        }
    }
    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.0.stat(name)
    }
    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        match self.0.delete(name) {
            Err(error)
                if error.kind == StorageErrorKind::NotFound && self.1 == Bug::DeletesTwice =>
            {
                Ok(())
            }
            result => result,
        }
    }
    fn sync(&self) -> Result<(), StorageError> {
        self.0.sync()
    }
}

#[test]
fn planted_bugs_are_caught_by_their_promise() {
    let bugs = [
        (Bug::Replaces, "create_never_replaces"),
        (Bug::ListsShort, "list_is_complete_or_an_error"),
        (Bug::ListsNothingOnError, "list_ignores_strangers"),
        (Bug::ListsByText, "list_ignores_strangers"),
        (Bug::ReadsUnbounded, "reads_are_bounded"),
        (Bug::DeletesTwice, "missing_blobs_are_not_found"),
    ];
    for (bug, promise) in bugs {
        let make = || -> Arc<dyn Storage> { Arc::new(Buggy(MemoryStorage::new(clock()), bug)) };
        let broken = all(&make).unwrap_err();
        assert_eq!(broken.promise, promise, "{bug:?}: {broken}");
    }
}
