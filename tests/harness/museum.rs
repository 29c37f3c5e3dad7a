//! Bugs of other programs, planted one at a time as a layer or a lying disk: each must be caught.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::crypto::blind;
use lifeboat::disk::Disk;
use lifeboat::disk::DiskItem;
use lifeboat::disk::DiskStat;
use lifeboat::disk::FileSystem;
use lifeboat::disk::sim::Manner;
use lifeboat::format::manifest::ManifestPublic;
use lifeboat::format::object::Ref;
use lifeboat::ids::Sid;
use lifeboat::ids::SnapshotId;
use lifeboat::repository::manifest::open_manifest;
use lifeboat::repository::manifest::seal_manifest;
use lifeboat::storage::Alone;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::names::Place;

use crate::support::profile;
use crate::support::tally::Watch;

use super::crash::Effort;
use super::crash::Lab;
use super::crash::enumerate;
use super::disk_faults::fail_all;
use super::disk_faults::fail_barriers;
use super::office::Office;
use super::office::tagged;
use super::office::text;
use super::scenarios::Scenario;
use super::scenarios::named;

const EFFORT: Effort = Effort {
    distinct: 20_000,
    random: 8,
    recover_every: u64::MAX,
    recovery_states: 0,
    seconds_max: 60,
};

/// Names of one page of a listing.
const PAGE_NAMES: usize = 2;

/// A storage with a bug.
#[derive(Debug)]
struct Planted {
    inner: Arc<dyn Storage>,
    bug: Bug,
    packs_count: AtomicU64,
    /// What it has of its own: packs that were held back, or lengths that it only believes in.
    own: Mutex<BTreeMap<BlobName, Vec<u8>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// A barrier is answered before anything is durable.
    AnswersBeforeSync,
    /// Every third pack is empty, and good enough.
    AcceptsEmpty,
    /// Every third upload is called done and is lost.
    LosesUploads,
    /// Every third pack has its length, and zeros.
    AcceptsEqualSize,
    /// The manifest is durable before the packs that it needs.
    ManifestFirst,
    /// What a failed barrier covered stays to be seen.
    NeverDeletes,
    /// A listing ends after its first page, and calls itself whole.
    FirstPageOnly,
}

impl Planted {
    fn plant(inner: Arc<dyn Storage>, bug: Bug) -> Arc<dyn Storage> {
        let (packs_count, own) = (AtomicU64::new(0), Mutex::default());
        Arc::new(Self { inner, bug, packs_count, own })
    }

    fn own(&self, name: &BlobName) -> Option<Vec<u8>> {
        self.own.lock().unwrap().get(name).cloned()
    }

    /// A pack, as this storage treats packs.
    fn create_pack(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        let is_third = self.packs_count.fetch_add(1, Ordering::SeqCst) % 3 == 2;
        match self.bug {
            Bug::AcceptsEmpty if is_third => self.inner.create(name, &[])?,
            Bug::AcceptsEqualSize if is_third => {
                return self.inner.create(name, &[&vec![0; parts.concat().len()]]);
            }
            Bug::LosesUploads if is_third => {}
            Bug::ManifestFirst => {}
            _ => return self.inner.create(name, parts),
        }
        self.own.lock().unwrap().insert(name.clone(), parts.concat());
        Ok(())
    }
}

impl Storage for Planted {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        if name.as_str().starts_with("packs/") {
            return self.create_pack(name, parts);
        }
        self.inner.create(name, parts)?;
        if self.bug == Bug::ManifestFirst && name.as_str().starts_with("manifests/") {
            self.inner.sync()?;
            for (name, bytes) in std::mem::take(&mut *self.own.lock().unwrap()) {
                self.inner.create(&name, &[&bytes])?;
            }
        }
        Ok(())
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
        if self.bug == Bug::FirstPageOnly {
            listed.sort_by(|one, other| one.name.cmp(&other.name));
            listed.truncate(PAGE_NAMES);
        }
        Ok(listed)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        match self.own(name) {
            Some(own) => Ok(BlobStat { len_bytes: own.len() as u64, created: Default::default() }),
            None => self.inner.stat(name),
        }
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        match self.bug {
            Bug::NeverDeletes => Ok(()),
            _ => self.inner.delete(name),
        }
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        self.inner.try_alone()
    }

    fn sync(&self) -> Result<(), StorageError> {
        match self.bug {
            Bug::AnswersBeforeSync => Ok(()),
            _ => self.inner.sync(),
        }
    }
}

/// A disk that syncs once more when a sync has failed, and believes the second answer.
#[derive(Debug)]
struct SyncsAgain(Arc<dyn Disk>);

impl Disk for SyncsAgain {
    fn create_synced(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        self.0.create_synced(path, parts)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename_new(from, to)
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        self.0.read(path, bytes_max)
    }

    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.0.read_at(path, offset, into)
    }

    fn stat(&self, path: &Path) -> io::Result<DiskStat> {
        self.0.stat(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<DiskItem>> {
        self.0.list(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.0.make_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.sync_folder(folder).or_else(|_| self.0.sync_folder(folder))
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.remove_folder(folder)
    }

    fn open_file_system(&self, folder: &Path) -> io::Result<Box<dyn FileSystem>> {
        Ok(Box::new(FileSystemAgain(self.0.open_file_system(folder)?)))
    }
}

#[derive(Debug)]
struct FileSystemAgain(Box<dyn FileSystem>);

impl FileSystem for FileSystemAgain {
    fn sync(&self) -> io::Result<()> {
        self.0.sync().or_else(|_| self.0.sync())
    }
}

/// Fails unless the crash enumerator breaks one of these laws on a first backup.
fn assert_caught(bug: &str, lab: Lab, laws: &[&str]) {
    assert_caught_in(bug, (lab, named("first_backup")), laws);
}

fn assert_caught_in(bug: &str, (lab, scenario): (Lab, &Scenario), laws: &[&str]) {
    let watch = Watch::start();
    let caught = enumerate(lab, scenario, EFFORT);
    let failure = caught.err().unwrap_or_else(|| panic!("{bug} was not caught"));
    assert!(laws.iter().any(|law| failure.broken.law.starts_with(law)), "{}", failure.broken);
    println!("{bug}: {}, {}", failure.broken, failure.case);
    profile::caught(bug, watch);
}

fn storage(wrap: super::crash::Wrap) -> Lab {
    Lab { wrap, ..Lab::HONEST }
}

#[test]
fn alice_no_folder_sync() {
    let lab = Lab { manner: Manner::NameSyncLies, ..Lab::HONEST };
    assert_caught("alice-no-folder-sync", lab, &["K1", "K4"]);
}

#[test]
fn leveldb_251_torn_tail() {
    let lab = Lab { manner: Manner::ContentSyncLies, ..Lab::HONEST };
    assert_caught("leveldb-251-torn-tail", lab, &["K1", "K3", "K4", "K6", "K8"]);
}

#[test]
fn nats_answer_before_sync() {
    let lab = storage(|inner| Planted::plant(inner, Bug::AnswersBeforeSync));
    assert_caught("nats-answer-before-sync", lab, &["K1", "K4"]);
}

#[test]
fn kopia_1879_empty_object_accepted() {
    let lab = storage(|inner| Planted::plant(inner, Bug::AcceptsEmpty));
    assert_caught("kopia-1879-empty-object-accepted", lab, &["K1", "K3", "K8"]);
}

#[test]
fn proxmox_equal_size_accepted() {
    let lab = storage(|inner| Planted::plant(inner, Bug::AcceptsEqualSize));
    assert_caught("proxmox-equal-size-accepted", lab, &["K1", "K3", "K8"]);
}

#[test]
fn rustic_249_lost_upload_done() {
    let lab = storage(|inner| Planted::plant(inner, Bug::LosesUploads));
    assert_caught("rustic-249-lost-upload-done", lab, &["K1", "K3", "K8"]);
}

#[test]
fn duplicacy_686_data_before_manifest() {
    let lab = storage(|inner| Planted::plant(inner, Bug::ManifestFirst));
    assert_caught("duplicacy-686-data-before-manifest", lab, &["K1", "K2", "K8"]);
}

#[test]
fn restic_1246_first_page_only() {
    let lab = storage(|inner| Planted::plant(inner, Bug::FirstPageOnly));
    let laws = ["K1", "K2", "K3", "K6", "K8"];
    assert_caught_in("restic-1246-first-page-only", (lab, named("incremental")), &laws);
}

/// Another machine relies on what a barrier lost in the first.
#[test]
fn fsyncgate_left_for_others() {
    let watch = Watch::start();
    let (broken, case) = fail_barriers(storage(|inner| Planted::plant(inner, Bug::NeverDeletes)))
        .expect_err("fsyncgate-left-for-others was not caught");
    println!("fsyncgate-left-for-others: {broken}, {case}");
    profile::caught("fsyncgate-left-for-others", watch);
}

#[test]
fn fsyncgate_sync_again() {
    let watch = Watch::start();
    let lab = Lab { wrap_disk: |inner| Arc::new(SyncsAgain(inner)), ..Lab::HONEST };
    let caught = fail_all(lab, named("first_backup"), 1);
    let (broken, case) = caught.expect_err("fsyncgate-sync-again was not caught");
    println!("fsyncgate-sync-again: {broken}, {case}");
    assert!(broken.law.starts_with("K1") || broken.law.starts_with("K4"), "{broken}");
    profile::caught("fsyncgate-sync-again", watch);
}

fn backed_up(office: &mut Office) -> Result<(), String> {
    (named("incremental").prepare)(office)
}

/// A backup that was told to stop, makes a snapshot all the same, and says so.
fn stop_with_a_snapshot(office: &mut Office) -> Result<(), String> {
    let reader = office.reader()?;
    let vault = reader.repository.vault();
    let run = &reader.process.run;
    let listed = vault.manifests(run, Scope::All, Copies::First, &reader.signers).map_err(text)?;
    let before = listed.manifests.last().ok_or("no snapshot")?;
    let root = open_manifest(&reader.unlocked.keyset, &before.manifest).map_err(text)?.root();
    let (process, _, agent) = office.writer(0)?;
    let number = office.attempt(0);
    let null = Ref { sid: Sid::new([0; 32]), ..root };
    let (seq, prev) = (before.place.seq + 1, Some(before.place.id));
    let public = ManifestPublic { seq, prev, root: null.sid, ..before.manifest.public.clone() };
    let manifest = seal_manifest(&agent, public, &tagged(&null, number)).map_err(text)?;
    let id = SnapshotId::new(blind::hash(manifest.as_bytes()));
    let place = Place { seq, id, ..before.place };
    for prefix in ["manifests.2", "manifests"] {
        let name = BlobName::new(&format!("{prefix}/{place}")).map_err(text)?;
        process.storage.create(&name, &[manifest.as_bytes()]).map_err(text)?;
    }
    process.storage.sync().map_err(text)?;
    office.known.attempts[number].acknowledged = Some((office.now(), id));
    Ok(())
}

/// The product cannot be made to: a session refuses a root that is not there. What it would look
/// like is seen by the laws.
#[test]
fn restic_3151_null_root() {
    let scenario = Scenario { name: "null_root", prepare: backed_up, act: stop_with_a_snapshot };
    assert_caught_in("restic-3151-null-root", (Lab::HONEST, &scenario), &["K1", "K8"]);
}
