mod damage;
mod rotation;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use crate::clock::ManualClock;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotSecret;
use crate::format::config::ConfigRecord;
use crate::format::config::Parameters;
use crate::format::record;
use crate::ids::RunId;
use crate::repository::keys::convert;
use crate::repository::keys::create::CreateOptions;
use crate::repository::keys::create::Created;
use crate::repository::keys::create::create_repository;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Identity;
use crate::repository::keys::slots;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::unlock::unlock;
use crate::run::Run;
use crate::run::monitor::Recorder;
use crate::secret::SecretBytes;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::units::Timestamp;

/// Blobs in memory that refuse every change after the first `left`.
#[derive(Debug, Default)]
pub(in crate::repository::keys) struct Blobs {
    pub(in crate::repository::keys) blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(in crate::repository::keys) left: Mutex<Option<u32>>,
}

fn error(kind: StorageErrorKind, name: &str) -> StorageError {
    let location = "memory".to_owned();
    StorageError {
        kind,
        after_s: None,
        location,
        operation: "test",
        name: name.to_owned(),
        detail: String::new(),
    }
}

impl Blobs {
    fn change(&self, name: &str) -> Result<(), StorageError> {
        match &mut *self.left.lock().unwrap() {
            Some(0) => Err(error(StorageErrorKind::Other, name)),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Storage for Blobs {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.change(name.as_str())?;
        let mut blobs = self.blobs.lock().unwrap();
        if blobs.contains_key(name.as_str()) {
            return Err(error(StorageErrorKind::AlreadyExists, name.as_str()));
        }
        blobs.insert(name.to_string(), parts.concat());
        Ok(())
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let blobs = self.blobs.lock().unwrap();
        let found = blobs.get(name.as_str());
        let found = found.ok_or_else(|| error(StorageErrorKind::NotFound, name.as_str()))?;
        if found.len() as u64 > bytes_max {
            return Err(error(StorageErrorKind::Length, name.as_str()));
        }
        Ok(found.clone())
    }

    fn read_range(&self, name: &BlobName, _: u64, _: &mut [u8]) -> Result<(), StorageError> {
        Err(error(StorageErrorKind::Other, name.as_str()))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let blobs = self.blobs.lock().unwrap();
        let listed = blobs.iter().filter(|(name, _)| name.starts_with(prefix));
        let row = |(name, bytes): (&String, &Vec<u8>)| Listed {
            name: BlobName::new(name).unwrap(),
            len_bytes: bytes.len() as u64,
        };
        Ok(listed.map(row).collect())
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let len_bytes = self.read(name, u64::MAX)?.len() as u64;
        Ok(BlobStat { len_bytes, created: Timestamp::default() })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.change(name.as_str())?;
        let removed = self.blobs.lock().unwrap().remove(name.as_str());
        removed.map(drop).ok_or_else(|| error(StorageErrorKind::NotFound, name.as_str()))
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.change("")
    }
}

pub(in crate::repository::keys) struct Scene {
    pub(in crate::repository::keys) run: Run,
    pub(in crate::repository::keys) recorder: Arc<Recorder>,
    pub(in crate::repository::keys) blobs: Arc<Blobs>,
    pub(in crate::repository::keys) storage: Arc<dyn Storage>,
}

pub(in crate::repository::keys) fn scene() -> Scene {
    let recorder = Arc::new(Recorder::default());
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(1_800_000_000_000)));
    let run = Run::new(RunId::new([0; 16]), Arc::new(Arc::clone(&recorder)), clock, 1);
    let blobs = Arc::new(Blobs::default());
    let storage: Arc<dyn Storage> = Arc::<Blobs>::clone(&blobs);
    Scene { run, recorder, blobs, storage }
}

pub(in crate::repository::keys) fn secret(text: &str) -> SlotSecret {
    SlotSecret::Passphrase(SecretBytes::new(text.as_bytes().to_vec()))
}

pub(in crate::repository::keys) fn new_slot(text: &str) -> NewSlot {
    let argon2 = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };
    NewSlot { secret: secret(text), argon2, label: "office".to_owned() }
}

fn options() -> CreateOptions {
    CreateOptions { slot: new_slot("one"), suite: Suite::DEFAULT, parameters: Parameters::DEFAULT }
}

pub(in crate::repository::keys) fn create(scene: &Scene) -> Created {
    create_repository(&scene.run, &scene.storage, &options()).unwrap()
}

#[test]
fn a_new_repository_unlocks_with_its_passphrase_only() {
    let scene = scene();
    let missing = unlock(&scene.run, &scene.storage, &secret("one"));
    assert!(matches!(missing, Err(KeysError::NoRepository { .. })));
    let created = create(&scene);
    let unlocked = unlock(&scene.run, &scene.storage, &secret("one")).unwrap();
    assert_eq!(unlocked.config, created.config);
    assert_eq!(unlocked.slot, created.slot);
    assert_eq!(convert::encode_restore(&unlocked.keyset), convert::encode_restore(&created.keyset));
    let wrong = unlock(&scene.run, &scene.storage, &secret("two"));
    assert!(matches!(wrong, Err(KeysError::WrongSecret { tried: 1 })));
    let again = create_repository(&scene.run, &scene.storage, &options());
    assert!(matches!(again, Err(KeysError::AlreadyThere { .. })));
    assert_eq!(scene.recorder.recorded().problems, []);
}

#[test]
fn data_without_a_config_is_not_taken_for_an_empty_place() {
    let scene = scene();
    scene.storage.create(&BlobName::new("packs/00/00").unwrap(), &[b"x"]).unwrap();
    let refused = create_repository(&scene.run, &scene.storage, &options());
    assert!(matches!(refused, Err(KeysError::AlreadyThere { .. })));
}

/// Stop after every change: what is left opens, or the next `create` works and then opens.
#[test]
fn a_crash_anywhere_in_create_leaves_nothing_or_a_repository() {
    let mut opened = 0;
    for stop in 0..40 {
        let scene = scene();
        *scene.blobs.left.lock().unwrap() = Some(stop);
        let made = create_repository(&scene.run, &scene.storage, &options());
        *scene.blobs.left.lock().unwrap() = None;
        match unlock(&scene.run, &scene.storage, &secret("one")) {
            Ok(_) => opened += 1,
            Err(KeysError::NoRepository { .. }) => {
                assert!(made.is_err());
                create(&scene);
                unlock(&scene.run, &scene.storage, &secret("one")).unwrap();
            }
            Err(error) => panic!("stopped after {stop}: {error}"),
        }
        if made.is_ok() {
            assert!(opened > 3, "config, its two copies and the barrier were each a stop");
            return;
        }
    }
    panic!("create makes more than 40 changes");
}

#[test]
fn a_crash_anywhere_in_a_change_of_passphrase_leaves_one_that_opens() {
    for stop in 0..40 {
        let scene = scene();
        let created = create(&scene);
        *scene.blobs.left.lock().unwrap() = Some(stop);
        let pair = (&created.keyset, created.slot);
        let changed = slots::change(&scene.run, &scene.storage, pair, &new_slot("two"));
        *scene.blobs.left.lock().unwrap() = None;
        let opens = |text| unlock(&scene.run, &scene.storage, &secret(text)).is_ok();
        assert!(opens("one") || opens("two"), "stopped after {stop}");
        if changed.is_ok() {
            assert!(!opens("one") && opens("two"));
            return;
        }
    }
    panic!("the change makes more than 40 changes");
}

#[test]
fn the_last_slot_stays() {
    let scene = scene();
    let created = create(&scene);
    let repository = created.keyset.repository;
    let remove = |slot| slots::remove(&scene.run, &scene.storage, (repository, slot));
    assert!(matches!(remove(created.slot), Err(KeysError::LastSlot { .. })));
    let second = slots::add(&scene.run, &scene.storage, &created.keyset, &new_slot("two")).unwrap();
    assert_eq!(slots::list(&scene.run, &scene.storage, repository).unwrap().len(), 2);
    remove(created.slot).unwrap();
    assert!(matches!(remove(created.slot), Err(KeysError::NoSuchSlot { .. })));
    assert!(matches!(remove(second), Err(KeysError::LastSlot { .. })));
    unlock(&scene.run, &scene.storage, &secret("two")).unwrap();
}

/// Of each record, every copy but one is altered in one place or gone: it opens, and says so.
#[test]
fn one_copy_of_each_record_suffices_and_the_others_are_reported() {
    for kept in 0..3_usize {
        let scene = scene();
        create(&scene);
        let names: Vec<String> = scene.blobs.blobs.lock().unwrap().keys().cloned().collect();
        let copy_of = |name: &str| match name.rsplit_once('.') {
            Some((_, digit)) if digit.len() == 1 => digit.parse::<usize>().unwrap(),
            _ => 0,
        };
        let mut blobs = scene.blobs.blobs.lock().unwrap();
        for name in &names {
            let copies = if name.starts_with("slots") { 2 } else { 3 };
            match copy_of(name) {
                copy if copy == kept % copies => {}
                2 => drop(blobs.remove(name)),
                _ => blobs.get_mut(name).unwrap()[40] ^= 1,
            }
        }
        drop(blobs);
        unlock(&scene.run, &scene.storage, &secret("one")).unwrap();
        let problems = scene.recorder.recorded().problems.len();
        assert_eq!(problems, kept + kept % 2);
    }
}

/// Every bit and every cut of a slot and of the config: an error, no panic, never
/// another repository.
#[test]
fn every_altered_bit_and_cut_of_config_and_slot_is_refused() {
    let scene = scene();
    let created = create(&scene);
    let names = ["config".to_owned(), format!("slots/{}", created.slot)];
    for name in names {
        let good = scene.storage.read(&BlobName::new(&name).unwrap(), u64::MAX).unwrap();
        let refused = |bytes: &[u8]| {
            record::decode_signed::<ConfigRecord>(bytes).is_err()
                && record::decode::<crate::format::slot::SlotRecord>(bytes).is_err()
        };
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&bad), "{name}, bit {bit}");
        }
        for cut in 0..good.len() {
            assert!(refused(&good[..cut]), "{name}, cut {cut}");
        }
        assert!(refused(&[good.as_slice(), b"x"].concat()));
    }
}

#[test]
fn a_foreign_config_signed_by_its_own_root_does_not_open() {
    let (one, two) = (scene(), scene());
    create(&one);
    create(&two);
    let foreign = two.blobs.blobs.lock().unwrap().get("config").cloned().unwrap();
    one.blobs.blobs.lock().unwrap().insert("config".to_owned(), foreign);
    let refused = unlock(&one.run, &one.storage, &secret("one"));
    assert!(matches!(refused, Err(KeysError::OtherRepository { what: "config" })), "{refused:?}");
}

#[test]
fn an_enrolled_machine_is_listed_and_an_own_one_found_again() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let enrol = |label, identity| {
        machine::enrol(&scene.run, &scene.storage, &keyset, (label, identity)).unwrap()
    };
    let own = enrol("server", Identity::Own);
    let other = enrol("laptop", Identity::Fresh);
    let encoded = convert::encode_agent(&own);
    let read = convert::decode_agent(&encoded).unwrap();
    assert_eq!(convert::encode_agent(&read), encoded);
    assert_eq!(
        own.recipients,
        [keyset.restore.public(), keyset.recovery.as_ref().unwrap().public()]
    );
    let listed = machine::list(&scene.run, &scene.storage, &keyset).unwrap();
    let mut labels: Vec<String> = listed.into_iter().map(|machine| machine.label).collect();
    labels.sort_unstable();
    assert_eq!(labels, ["laptop", "server"]);
    let rejoin = |label| machine::rejoin(&scene.run, &scene.storage, &keyset, label).unwrap();
    let again = rejoin("server").unwrap();
    assert_eq!(convert::encode_agent(&again), encoded);
    assert!(rejoin("laptop").is_none());
    assert_ne!(own.machine, other.machine);
}
