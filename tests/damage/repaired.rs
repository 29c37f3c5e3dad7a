//! What a repair makes of a damaged repository: what stands twice is whole again, the loss is no
//! more than the oracle's, twice is once, and the way back gives every byte as it was.

use std::sync::Arc;

use lifeboat::clock::ManualClock;
use lifeboat::repair;
use lifeboat::repair::Found;
use lifeboat::repair::Mender;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::memory::MemoryBlobs;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;
use lifeboat::vault::scrub::report::Verdict;

use crate::damage::harm::Harm;
use crate::damage::harm::to_memory;
use crate::damage::oracle::Blobs;
use crate::damage::oracle::Expected;
use crate::damage::oracle::Oracle;
use crate::damage::restored;
use crate::damage::verdict;
use crate::damage::verdict::Opened;
use crate::support::profile;
use crate::support::tally::Watch;

/// Whether every file is restored and compared, which takes longer than all the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restores {
    Tried,
    LeftOut,
}

/// Ten days after the last byte was written: no lease holds any more.
const LATER_MS: i64 = 1_800_864_000_000;

/// A damaged repository of which everything can be looked at.
pub struct Patient {
    memory: Arc<MemoryStorage>,
    pub storage: Arc<dyn Storage>,
    /// The same as the repair sees it.
    pub healer: Arc<dyn Storage>,
    harmed: MemoryBlobs,
    pub expected: Expected,
    /// Whether a file holds a whole other pack: then more comes back than the oracle knows of.
    may_gain: bool,
}

/// Bytes by name, without dates.
fn bytes_of(blobs: &MemoryBlobs) -> Vec<(String, Vec<u8>)> {
    blobs.iter().map(|(name, blob)| (name.to_string(), blob.content.to_vec())).collect()
}

impl Patient {
    pub fn new(oracle: &Oracle, harms: &[Harm]) -> Self {
        let mut blobs: Blobs = oracle.original.clone();
        harms.iter().for_each(|harm| harm.apply(&mut blobs));
        let expected = oracle.expect(&blobs);
        let harmed = to_memory(&blobs);
        let clock = ManualClock::new(Timestamp::from_unix_ms(LATER_MS));
        let memory = Arc::new(MemoryStorage::from_blobs(Arc::new(clock), harmed.clone()));
        let storage: Arc<dyn Storage> = Arc::clone(&memory) as _;
        let is_of_packs = |harm: &Harm| match harm {
            Harm::Swap(name, _) | Harm::Replace(name, _) => name.starts_with("packs/"),
            _ => false,
        };
        let may_gain = harms.iter().any(is_of_packs);
        let healer = Arc::clone(&storage);
        Self { memory, storage, healer, harmed, expected, may_gain }
    }

    /// Repairs, and says what is not as it must be.
    pub fn heal(&self, oracle: &Oracle, restores: Restores) -> Vec<String> {
        let mut wrong = Vec::new();
        let opened = match verdict::open(&self.healer) {
            Ok(opened) => opened,
            Err(error) => return vec![format!("opens: {error}")],
        };
        let trust = verdict::trust(&opened.keyset, &[]);
        let mender = Mender { keyset: &opened.keyset, trust: &trust, threads_count: 1 };
        let (run, repository) = (&opened.run, &opened.repository);
        let found = match repair::look(run, repository, mender, None) {
            Ok(found) => found,
            Err(error) => return vec![format!("plan: {error}")],
        };
        if bytes_of(&self.memory.blobs()) != bytes_of(&self.harmed) {
            wrong.push("the plan wrote something".to_owned());
        }
        if let Err(error) = repair::carry_out(run, repository, mender, (&found.plan, None)) {
            return vec![format!("repair: {error}; {:?}", found.plan.moves)];
        }
        self.judge((oracle, restores), &found, &mut wrong);
        wrong.extend(self.repair_again(&opened));
        wrong
    }

    fn judge(
        &self,
        (oracle, restores): (&Oracle, Restores),
        before: &Found,
        wrong: &mut Vec<String>,
    ) {
        let after = verdict::check(oracle, &self.storage, &[]);
        if let Some(why) = after.refused {
            wrong.push(format!("does not open after repair: {why}"));
            return;
        }
        if before.report.verdict() < Verdict::Damaged && !after.is_ok {
            wrong.push(format!("not healed: {:?}; moves {:?}", after.told, before.plan.moves));
        }
        if let Some((name, _)) = after.named.iter().find(|(_, is_lost)| !**is_lost) {
            wrong.push(format!(
                "not healed: {name}: {:?}; moves {:?}",
                after.told, before.plan.moves
            ));
        }
        let expected = &self.expected;
        let is_same = after.lost == expected.lost && after.losses == expected.losses;
        // Below a node that came back more may be known to be lost than before.
        let is_less = after.losses.keys().all(|lost| expected.losses.contains_key(lost));
        if !(is_same || self.may_gain && is_less) {
            wrong.push(format!("over-loss: {:?}, not {:?}", after.losses, expected.losses));
        }
        if after.gaps != expected.gaps {
            wrong.push(format!("gaps: {:?}, not {:?}", after.gaps, expected.gaps));
        }
        if !self.may_gain && restores == Restores::Tried {
            let (differs, _) = restored::try_all(oracle, &self.storage, expected);
            wrong.extend(differs);
        }
    }

    /// A second repair finds nothing to do, and writes nothing.
    fn repair_again(&self, opened: &Opened) -> Vec<String> {
        let before = bytes_of(&self.memory.blobs());
        let trust = verdict::trust(&opened.keyset, &[]);
        let mender = Mender { keyset: &opened.keyset, trust: &trust, threads_count: 1 };
        let found = match repair::look(&opened.run, &opened.repository, mender, None) {
            Ok(found) => found,
            Err(error) => return vec![format!("second plan: {error}")],
        };
        let is_same = bytes_of(&self.memory.blobs()) == before;
        match found.plan.is_empty() && is_same {
            true => Vec::new(),
            false => vec![format!("twice is not once: {:?}", found.plan.moves)],
        }
    }

    /// Takes the repair back: every byte is as it was.
    pub fn undo(&self) -> Vec<String> {
        let was_repaired =
            self.memory.blobs().keys().any(|name| name.as_str().starts_with("repairs/"));
        if !was_repaired {
            return Vec::new();
        }
        let opened = match verdict::open(&self.storage) {
            Ok(opened) => opened,
            Err(error) => return vec![format!("opens: {error}")],
        };
        let trust = verdict::trust(&opened.keyset, &[]);
        let mender = Mender { keyset: &opened.keyset, trust: &trust, threads_count: 1 };
        if let Err(error) = repair::undo(&opened.run, &opened.repository, mender) {
            return vec![format!("undo: {error}")];
        }
        let (harmed, after) = (bytes_of(&self.harmed), bytes_of(&self.memory.blobs()));
        let other = harmed.iter().find(|blob| !after.contains(blob)).map(|blob| &blob.0);
        let more = after.iter().find(|blob| !harmed.contains(blob)).map(|blob| &blob.0);
        match (other, more) {
            (None, None) => Vec::new(),
            differs => vec![format!("undo gives other bytes: {differs:?}")],
        }
    }
}

/// A planted bug: whoever reads a damaged pack finds nothing good in it, and so a repair drops what
/// is.
#[derive(Debug)]
struct DropsGood(Arc<dyn Storage>);

impl Storage for DropsGood {
    fn location(&self) -> String {
        self.0.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.0.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let mut bytes = self.0.read(name, bytes_max)?;
        let is_bad = !name.as_str().ends_with(blake3::hash(&bytes).to_hex().as_str());
        if is_bad && name.as_str().starts_with("packs/") && bytes.len() > 1200 {
            let end = bytes.len() - 1000;
            bytes[8..end].fill(0);
        }
        Ok(bytes)
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
        self.0.list(prefix)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.0.stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.0.delete(name)
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.0.sync()
    }
}

/// A repair that drops good objects of a damaged pack is caught.
pub fn assert_a_dropping_repair_is_caught(oracle: &Oracle) {
    let watch = Watch::start();
    let largest = oracle.original.iter().filter(|(name, _)| name.starts_with("packs/"));
    let (pack, bytes) = largest.max_by_key(|(_, bytes)| bytes.len()).unwrap();
    // A bit of its table: every object of it is good.
    let harm = Harm::Flip(pack.clone(), (bytes.len() - 40) * 8);
    assert_eq!(try_harms(oracle, std::slice::from_ref(&harm), Restores::Tried), [""; 0]);
    let mut patient = Patient::new(oracle, &[harm]);
    patient.healer = Arc::new(DropsGood(Arc::clone(&patient.storage)));
    let wrong = patient.heal(oracle, Restores::LeftOut);
    println!("borg-3444-repair-drops-good: {wrong:?}");
    assert!(!wrong.is_empty(), "a repair that drops good objects is not caught");
    profile::caught("borg-3444-repair-drops-good", watch);
}

/// One trial.
pub fn try_harms(oracle: &Oracle, harms: &[Harm], restores: Restores) -> Vec<String> {
    let patient = Patient::new(oracle, harms);
    if !patient.expected.opens() {
        return Vec::new();
    }
    let mut wrong = patient.heal(oracle, restores);
    if wrong.is_empty() {
        wrong = patient.undo();
    }
    wrong.into_iter().map(|text| format!("{harms:?}: {text}")).collect()
}
