//! More bugs of other programs, planted as a storage round all that a process does: locks that a
//! crash leaves, faults that are swallowed, names that come before their bytes. One does no harm
//! here, and that is shown too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::storage::Alone;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::StorageErrorKind;

use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Watch;

use super::crash::Effort;
use super::crash::Lab;
use super::crash::Wrap;
use super::crash::enumerate;
use super::disk_faults::fail_all;
use super::scenarios::Scenario;
use super::scenarios::named;

const EFFORT: Effort = Effort {
    distinct: 5000,
    random: 8,
    recover_every: u64::MAX,
    recovery_states: 0,
    seconds_max: 60,
};
/// What the holder of a lock leaves in the storage.
const LOCK: &str = "lock";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// The lock is a file, and its holder takes it away when it is done.
    LockIsAFile,
    /// What a prune copies is made anew on the way, and believed to be what it was.
    RepackMakesAnew,
    /// An error of writing is told to nobody.
    SwallowsErrors,
    /// A listing that failed is an empty one.
    FailedListIsEmpty,
    /// Every third pack comes out of the memory with one bit changed.
    FlipsABit,
    /// A name is there before all of its bytes.
    NamedBeforeWhole,
    /// Every third pack ends too early.
    CutsShort,
}

#[derive(Debug)]
struct Planted {
    inner: Arc<dyn Storage>,
    bug: Bug,
    packs_count: AtomicU64,
    /// Whether this process is a prune: it has written what it condemns.
    is_prune: AtomicBool,
    /// Blobs as this process believes them to be.
    believed: Mutex<BTreeMap<BlobName, Vec<u8>>>,
}

/// Takes the lock away when it is dropped.
struct LockFile(Arc<dyn Storage>);

impl Drop for LockFile {
    fn drop(&mut self) {
        drop(self.0.delete(&BlobName::new(LOCK).unwrap()));
    }
}

impl Planted {
    fn plant(inner: Arc<dyn Storage>, bug: Bug) -> Arc<dyn Storage> {
        Arc::new(Self {
            inner,
            bug,
            packs_count: AtomicU64::new(0),
            is_prune: AtomicBool::new(false),
            believed: Mutex::default(),
        })
    }

    fn believe(&self, name: &BlobName, bytes: &[u8]) {
        self.believed.lock().unwrap().insert(name.clone(), bytes.to_vec());
    }

    fn believed(&self, name: &BlobName) -> Option<Vec<u8>> {
        self.believed.lock().unwrap().get(name).cloned()
    }

    fn create_pack(&self, name: &BlobName, bytes: &[u8]) -> Result<(), StorageError> {
        let is_third = self.packs_count.fetch_add(1, Ordering::SeqCst) % 3 == 2;
        let mut other = bytes.to_vec();
        let middle = other.len() / 2;
        match self.bug {
            Bug::RepackMakesAnew if self.is_prune.load(Ordering::SeqCst) => other[middle] ^= 0x10,
            Bug::FlipsABit if is_third => other[middle] ^= 1,
            Bug::CutsShort if is_third => other.truncate(bytes.len() - 3),
            _ => return self.inner.create(name, &[bytes]),
        }
        self.believe(name, bytes);
        self.inner.create(name, &[&other])
    }
}

impl Storage for Planted {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        let bytes = parts.concat();
        if name.as_str().starts_with("condemned/") {
            self.is_prune.store(true, Ordering::SeqCst);
        }
        let created = match self.bug {
            Bug::NamedBeforeWhole => {
                self.inner.create(name, &[&bytes[..bytes.len() / 2]])?;
                self.inner.sync()?;
                self.inner.delete(name)?;
                self.inner.create(name, parts)
            }
            _ if name.as_str().starts_with("packs/") => self.create_pack(name, &bytes),
            _ => self.inner.create(name, parts),
        };
        match (self.bug, created) {
            (Bug::SwallowsErrors, Err(error)) if error.kind != StorageErrorKind::AlreadyExists => {
                self.believe(name, &bytes);
                Ok(())
            }
            (_, created) => created,
        }
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        if let Some(bytes) = self.believed(name) {
            return Ok(bytes);
        }
        self.inner.read(name, bytes_max)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let start = usize::try_from(offset).unwrap();
        match self.believed(name).as_deref().and_then(|it| it.get(start..start + into.len())) {
            Some(part) => into.copy_from_slice(part),
            None => self.inner.read_range(name, offset, into)?,
        }
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        match self.inner.list(prefix) {
            Err(_) if self.bug == Bug::FailedListIsEmpty => Ok(Vec::new()),
            listed => listed,
        }
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let stat = self.inner.stat(name);
        let Some(bytes) = self.believed(name) else { return stat };
        let created = stat.map(|stat| stat.created).unwrap_or_default();
        Ok(BlobStat { len_bytes: bytes.len() as u64, created })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        if self.bug != Bug::LockIsAFile {
            return self.inner.try_alone();
        }
        match self.inner.create(&BlobName::new(LOCK).unwrap(), &[b"held"]) {
            Ok(()) => Ok(Alone::Yes(Box::new(LockFile(Arc::clone(&self.inner))))),
            Err(error) if error.kind == StorageErrorKind::AlreadyExists => Ok(Alone::No),
            Err(error) => Err(error),
        }
    }

    fn sync(&self) -> Result<(), StorageError> {
        match self.bug {
            Bug::SwallowsErrors => {
                drop(self.inner.sync());
                Ok(())
            }
            _ => self.inner.sync(),
        }
    }
}

fn lab(wrap: Wrap) -> Lab {
    Lab { wrap, ..Lab::HONEST }
}

fn assert_caught(bug: &str, (wrap, scenario): (Wrap, &Scenario), laws: &[&str]) {
    let watch = Watch::start();
    let caught = enumerate(lab(wrap), scenario, EFFORT);
    let failure = caught.err().unwrap_or_else(|| panic!("{bug} was not caught"));
    assert!(laws.iter().any(|law| failure.broken.law.starts_with(law)), "{}", failure.broken);
    println!("{bug}: {}, {}", failure.broken, failure.case);
    profile::caught(bug, watch);
}

#[test]
fn restic_3219_dead_holder_blocks() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::LockIsAFile);
    assert_caught("restic-3219-dead-holder-blocks", (wrap, named("first_backup")), &["K3"]);
}

#[test]
fn rustic_88_repack_recompresses() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::RepackMakesAnew);
    let laws = ["K1", "K3", "K8"];
    assert_caught("rustic-88-repack-recompresses", (wrap, named("prune_at_once")), &laws);
}

#[test]
fn restic_4523_a_bit_before_it_is_kept() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::FlipsABit);
    let laws = ["K1", "K3", "K8"];
    assert_caught("restic-4523-no-read-back", (wrap, named("first_backup")), &laws);
}

#[test]
fn rustic_1457_pack_shorter_than_its_index() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::CutsShort);
    let laws = ["K1", "K3", "K8"];
    assert_caught("rustic-1457-pack-shorter-than-index", (wrap, named("first_backup")), &laws);
}

#[test]
fn restic_3003_named_before_whole() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::NamedBeforeWhole);
    let laws = ["K1", "K2", "K3", "K6", "K8"];
    assert_caught("restic-3003-named-before-whole", (wrap, named("first_backup")), &laws);
}

fn assert_caught_by_faults(bug: &str, (wrap, scenario): (Wrap, &Scenario)) {
    let watch = Watch::start();
    let caught = fail_all(lab(wrap), scenario, 1);
    let (broken, case) = caught.err().unwrap_or_else(|| panic!("{bug} was not caught"));
    println!("{bug}: {broken}, {case}");
    profile::caught(bug, watch);
}

#[test]
fn borg_1138_errors_are_swallowed() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::SwallowsErrors);
    assert_caught_by_faults("borg-1138-errors-swallowed", (wrap, named("first_backup")));
}

/// In the model the bug is caught; in the program one list that fails does no harm even so: each
/// machine remembers its newest snapshots, and what goes was marked twice.
#[test]
fn restic_4612_one_failed_list_does_no_harm() {
    let wrap: Wrap = |inner| Planted::plant(inner, Bug::FailedListIsEmpty);
    let stride = Profile::of_process().pick(13, 1, 1);
    for scenario in ["prune_at_once", "prune_condemns", "prune_removes"] {
        let tally = fail_all(lab(wrap), named(scenario), stride);
        let tally = tally.unwrap_or_else(|(broken, case)| panic!("{broken}, {case}"));
        assert!(tally.pairs > 5, "{scenario}: {tally:?}");
    }
}
