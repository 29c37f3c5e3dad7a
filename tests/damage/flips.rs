//! Every bit of every byte. A flip is looked at by the product's own look at a storage
//! (`vault::scrub`, which `check` begins with) over the one blob and what it needs to be read: so
//! it costs as much as that blob, and the answer is exact. A sample goes through the whole check.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use lifeboat::crypto::sealed::keyset::RestoreKeyset;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::StorageErrorKind;
use lifeboat::units::Timestamp;
use lifeboat::vault::Vault;
use lifeboat::vault::scrub::Scrub;
use lifeboat::vault::scrub::Subset;
use lifeboat::vault::scrub::graph::without_passphrase;
use lifeboat::vault::scrub::report::Part;
use lifeboat::vault::scrub::report::Report;

use crate::damage::harm::kind_of;
use crate::damage::oracle::Blobs;
use crate::damage::oracle::Oracle;
use crate::damage::oracle::Place;
use crate::damage::scene;
use crate::damage::verdict::trust;

/// A few blobs of which one is changed in place.
#[derive(Debug)]
struct Few {
    blobs: Blobs,
    changed: String,
    bytes: Mutex<Vec<u8>>,
}

impl Few {
    fn with<T>(&self, name: &str, look: impl FnOnce(&[u8]) -> T) -> Result<T, StorageError> {
        if name == self.changed {
            return Ok(look(&self.bytes.lock().unwrap()));
        }
        let missing = || failed(name, StorageErrorKind::NotFound);
        self.blobs.get(name).map(|bytes| look(bytes)).ok_or_else(missing)
    }

    fn flip(&self, bit: usize) {
        self.bytes.lock().unwrap()[bit / 8] ^= 1 << (bit % 8);
    }
}

fn failed(name: &str, kind: StorageErrorKind) -> StorageError {
    let (location, detail) = ("few blobs".to_owned(), String::new());
    StorageError { kind, after_s: None, location, operation: "test", name: name.to_owned(), detail }
}

impl Storage for Few {
    fn location(&self) -> String {
        "few blobs".to_owned()
    }

    fn create(&self, name: &BlobName, _parts: &[&[u8]]) -> Result<(), StorageError> {
        Err(failed(name.as_str(), StorageErrorKind::Denied))
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let bytes = self.with(name.as_str(), <[u8]>::to_vec)?;
        let fits = bytes.len() as u64 <= bytes_max;
        fits.then_some(bytes).ok_or_else(|| failed(name.as_str(), StorageErrorKind::Length))
    }

    fn read_range(&self, name: &BlobName, at: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let at = usize::try_from(at).unwrap();
        let done = self.with(name.as_str(), |bytes| {
            let part = bytes.get(at..at + into.len())?;
            into.copy_from_slice(part);
            Some(())
        })?;
        done.ok_or_else(|| failed(name.as_str(), StorageErrorKind::Length))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let below = self.blobs.iter().filter(|(name, _)| name.starts_with(prefix));
        let listed = |(name, bytes): (&String, &Arc<[u8]>)| Listed {
            name: BlobName::new(name).unwrap(),
            len_bytes: bytes.len() as u64,
        };
        Ok(below.map(listed).collect())
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let len_bytes = self.with(name.as_str(), |bytes| bytes.len() as u64)?;
        Ok(BlobStat { len_bytes, created: Timestamp::default() })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        Err(failed(name.as_str(), StorageErrorKind::Denied))
    }

    fn sync(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// The bad locations that are found: name and part.
type Bad = BTreeSet<(String, Part)>;

/// One blob, its bits to be flipped one after the other.
pub struct Blob {
    name: String,
    few: Arc<Few>,
    storage: Arc<dyn Storage>,
    vault: Vault,
    run: Run,
    keyset: RestoreKeyset,
    parts: Vec<(std::ops::Range<usize>, Part)>,
}

impl Blob {
    pub fn new(oracle: &Oracle, keyset: &RestoreKeyset, name: &str) -> Self {
        let wanted = |other: &str| match kind_of(name) {
            "packs" => other.starts_with("index/") && oracle.names_pack(other, name),
            "index" => false,
            // Who may sign, and the copies of the record.
            "manifests" => {
                let place = name.split_once('/').unwrap().1;
                let machine = place.split('/').next().unwrap();
                other.ends_with(place) || other.starts_with(&format!("machines/{machine}/"))
            }
            "machines" | "slots" | "custody" | "keyring" | "recipients" => {
                stem(other) == stem(name)
            }
            kind => kind_of(other) == kind,
        };
        let few = oracle.original.iter().filter(|(other, _)| *other == name || wanted(other));
        let blobs: Blobs = few.map(|(name, bytes)| (name.clone(), Arc::clone(bytes))).collect();
        let bytes = Mutex::new(oracle.original[name].to_vec());
        let few = Arc::new(Few { blobs, changed: name.to_owned(), bytes });
        let storage: Arc<dyn Storage> = Arc::clone(&few) as _;
        let run = scene::run(Arc::new(Silent));
        let (keys, options) = (keyset.store.clone(), scene::vault_options());
        let vault = Vault::open(&run, Arc::clone(&storage), keys, options).unwrap();
        let (name, keyset) = (name.to_owned(), keyset.clone());
        let parts = parts(oracle, &name, &few.blobs);
        Self { name, few, storage, vault, run, keyset, parts }
    }

    pub fn bits(&self) -> usize {
        self.few.bytes.lock().unwrap().len() * 8
    }

    fn look(&self) -> Result<Report, String> {
        let trust = trust(&self.keyset, &[]);
        let place = (&self.storage, Some(&self.vault));
        let looked = if matches!(kind_of(&self.name), "packs" | "index") {
            without_passphrase(&self.run, place, &trust, Some((Subset::All, 1)))
        } else {
            Scrub::begin(&self.run, place, &trust)
                .and_then(|mut scrub| scrub.manifests().and_then(|_| scrub.finish()))
        };
        looked.map_err(|error| error.to_string())
    }

    fn bad(&self) -> Result<Bad, String> {
        let report = self.look()?;
        Ok(report.bad.into_iter().map(|bad| (bad.name, bad.part)).collect())
    }

    /// What must be named when a byte is bad.
    fn expected(&self, at: usize) -> Bad {
        let part = self.parts.iter().find(|(range, _)| range.contains(&at));
        BTreeSet::from([(self.name.clone(), part.map_or(Part::Whole, |(_, part)| *part))])
    }

    /// Flips one bit, looks, and flips it back. What is wrong with the answer.
    pub fn try_bit(&self, bit: usize) -> Option<String> {
        self.few.flip(bit);
        let mut bad = self.bad();
        self.few.flip(bit);
        let expected = Ok(self.expected(bit / 8));
        if let (Ok(bad), Ok(expected)) = (&mut bad, &expected)
            && expected.iter().all(|(_, part)| *part == Part::Whole)
        {
            // The blob as a whole is meant, whatever of it was named.
            *bad = std::mem::take(bad).into_iter().map(|(name, _)| (name, Part::Whole)).collect();
        }
        (bad != expected).then(|| format!("{} bit {bit}: {bad:?} for {expected:?}", self.name))
    }

    /// Nothing is bad as it stands.
    pub fn try_whole(&self) -> Option<String> {
        let bad = self.bad();
        (bad != Ok(Bad::new())).then(|| format!("{} as it was: {bad:?}", self.name))
    }
}

/// The parts of a pack, as far as they can be told apart: without an index file nothing but the
/// trailer says where the table is.
fn parts(oracle: &Oracle, name: &str, few: &Blobs) -> Vec<(std::ops::Range<usize>, Part)> {
    if kind_of(name) != "packs" {
        return Vec::new();
    }
    let has_index = few.len() > 1;
    let part = |(range, place): (std::ops::Range<usize>, Place)| {
        let part = match place {
            Place::Head => Part::Head,
            Place::Object => {
                let offset = u32::try_from(range.start).unwrap();
                Part::Object { offset, len_bytes: u32::try_from(range.len()).unwrap() }
            }
            Place::Table if has_index => Part::Table,
            Place::Trailer if has_index => Part::Trailer,
            Place::Table | Place::Trailer => Part::Whole,
        };
        (range, part)
    };
    oracle.layout(name).into_iter().map(part).collect()
}

/// A record's name without its copy's number.
fn stem(name: &str) -> &str {
    let copies = [".0", ".1", ".2"];
    copies.iter().find_map(|copy| name.strip_suffix(copy)).unwrap_or(name)
}
