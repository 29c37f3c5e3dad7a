//! A repair that stands still at any of its calls, and dies there or goes on, while a prune begins;
//! it is taken back, and a backup is made, at any call of that prune. The medium knows no turns.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use lifeboat::clock::Clock as _;
use lifeboat::clock::ManualClock;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::memory::MemoryBlobs;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;
use lifeboat::vault::gc::Trash;

use crate::support::profile::Profile;
use crate::support::tally::Tally;

use super::laws;
use super::laws::Claim;
use super::office::Now;
use super::office::Office;
use super::office::Open;
use super::office::Opening;
use super::office::text;
use super::scenarios::mutate;

type Strike = Box<dyn FnOnce() + Send>;

/// A storage that stops before one of its calls, and may be dead from there on.
struct Gated {
    inner: Arc<dyn Storage>,
    at: u64,
    calls: AtomicU64,
    strike: Mutex<Option<Strike>>,
    is_dead: Arc<AtomicBool>,
    /// Calls that write or remove a record of condemned packs.
    records: Mutex<Vec<u64>>,
}

impl Gated {
    fn over(inner: &Arc<MemoryStorage>, at: u64, strike: Strike) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner) as _,
            at,
            calls: AtomicU64::new(0),
            strike: Mutex::new(Some(strike)),
            is_dead: Arc::default(),
            records: Mutex::default(),
        })
    }

    fn call(&self) -> Result<&dyn Storage, StorageError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.at {
            self.strike();
        }
        if self.is_dead.load(Ordering::SeqCst) {
            return Err(StorageError {
                kind: StorageErrorKind::Other,
                after_s: None,
                location: self.inner.location(),
                operation: "call",
                name: String::new(),
                detail: "the process is dead".to_owned(),
            });
        }
        Ok(&*self.inner)
    }

    fn note(&self, name: &BlobName) {
        if name.as_str().starts_with("condemned/") {
            self.records.lock().unwrap().push(self.calls.load(Ordering::SeqCst));
        }
    }

    /// Whether it was still to come.
    fn strike(&self) -> bool {
        let strike = self.strike.lock().unwrap().take();
        strike.map(|strike| strike()).is_some()
    }
}

impl std::fmt::Debug for Gated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gated({:?})", self.inner)
    }
}

impl Storage for Gated {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.note(name);
        self.call()?.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        self.call()?.read(name, bytes_max)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.call()?.read_range(name, offset, into)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.call()?.list(prefix)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.call()?.stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.note(name);
        self.call()?.delete(name)
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.call()?.sync()
    }
}

fn doors(storage: Arc<dyn Storage>) -> (Open, Now) {
    (Arc::new(move |_, _| Ok(Arc::clone(&storage))), Arc::new(|| 0))
}

/// Two snapshots, of which the older is removed and is what the machine holds again; the frames of
/// all packs are damaged, and every object is good.
struct World {
    office: Office,
    blobs: MemoryBlobs,
    now: Timestamp,
}

impl World {
    fn new() -> Result<Self, String> {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(1_790_000_000_000)));
        let storage = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
        let mut office = Office::new(&clock, doors(Arc::clone(&storage) as _), 7);
        office.add_desk("one");
        office.init("first")?;
        office.backup(0)?;
        let tree = office.desks[0].tree.clone();
        for _ in 0..3 {
            mutate(&mut office, 0);
        }
        office.backup(0)?;
        office.forget(0)?;
        office.prunes_in_the_end()?;
        office.desks[0].tree = tree;
        office.desks[0].caches.clear();
        let plain = office.process(Opening::Existing)?.storage;
        for listed in plain.list("packs/").map_err(text)? {
            let mut bytes = plain.read(&listed.name, 1 << 20).map_err(text)?;
            *bytes.last_mut().unwrap() ^= 1;
            plain.delete(&listed.name).map_err(text)?;
            plain.create(&listed.name, &[&bytes]).map_err(text)?;
        }
        office.known.is_harmed = true;
        let (blobs, now) = (storage.blobs(), clock.now());
        Ok(Self { office, blobs, now })
    }

    fn race(&self, race: Race) -> Result<Ended, String> {
        let clock = Arc::new(ManualClock::new(self.now));
        let blobs = self.blobs.clone();
        let storage = Arc::new(MemoryStorage::from_blobs(Arc::clone(&clock) as _, blobs));
        let office = |storage: Arc<dyn Storage>| self.office.moved(doors(storage), &clock);
        let (told, stands) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let is_dead = Arc::new(AtomicBool::new(false));
        let dies = Arc::clone(&is_dead);
        let stop: Strike = Box::new(move || {
            told.send(()).unwrap();
            wait.recv().unwrap();
            dies.store(race.repair == Repair::Dies, Ordering::SeqCst);
        });
        let mut gated = Gated::over(&storage, race.repair_at, stop);
        Arc::get_mut(&mut gated).unwrap().is_dead = is_dead;
        let mut mender = office(gated);
        let repair = std::thread::spawn(move || mender.repair());
        if stands.recv().is_err() {
            drop(repair.join());
            return Ok(Ended::RepairFirst);
        }
        let mut others = office(Arc::clone(&storage) as _);
        let (keep, kept) = mpsc::channel();
        let meanwhile: Strike = Box::new(move || {
            go.send(()).unwrap();
            drop(repair.join());
            if race.undo == Undo::Tried {
                drop(others.undo_repair());
            }
            // What it may not rely on it says; what it says is done is promised.
            drop(others.backup(0));
            keep.send(others).unwrap();
        });
        let gated = Gated::over(&storage, race.prune_at, meanwhile);
        drop(office(Arc::clone(&gated) as _).prune(Trash::Emptied));
        let prune_first = gated.strike();
        let mut others = kept.recv().unwrap();
        laws::hold_as(&mut others, Claim::Kept).map_err(text)?;
        Ok(if prune_first { Ended::PruneFirst } else { Ended::Beside })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repair {
    GoesOn,
    Dies,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    Tried,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Race {
    repair_at: u64,
    repair: Repair,
    prune_at: u64,
    undo: Undo,
}

/// Which of the two came to its end before the call that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    RepairFirst,
    PruneFirst,
    Beside,
}

/// The calls of a repair from its first record of condemned packs to when it has taken the last
/// one away: before and after that it takes nothing from anybody.
fn exchange_of_a_repair(world: &World) -> std::ops::RangeInclusive<u64> {
    let clock = Arc::new(ManualClock::new(world.now));
    let blobs = world.blobs.clone();
    let storage = Arc::new(MemoryStorage::from_blobs(Arc::clone(&clock) as _, blobs));
    let gated = Gated::over(&storage, u64::MAX, Box::new(|| {}));
    world.office.moved(doors(Arc::clone(&gated) as _), &clock).repair().unwrap();
    let records = gated.records.lock().unwrap();
    *records.first().unwrap()..=records.last().unwrap() + 1
}

#[test]
fn a_repair_a_prune_and_a_backup_take_nothing_from_each_other() {
    let world = World::new().unwrap();
    let exchange = exchange_of_a_repair(&world);
    let mut tally = Tally::start("h2-repair-beside-prune", 7);
    let stride = Profile::of_process().pick(61, 7, 1);
    let mut wrong = Vec::new();
    let kinds = [(Repair::GoesOn, Undo::No), (Repair::GoesOn, Undo::Tried)];
    for (repair, undo) in kinds.into_iter().chain([(Repair::Dies, Undo::Tried)]) {
        for repair_at in exchange.clone() {
            for prune_at in (repair_at % stride..).step_by(usize::try_from(stride).unwrap()) {
                let race = Race { repair_at, repair, prune_at, undo };
                tally.trials += 1;
                match world.race(race) {
                    Ok(Ended::Beside) => {}
                    Ok(_) => break,
                    Err(error) => wrong.push(format!("{race:?}: {error}")),
                }
            }
        }
    }
    tally.failures = wrong.len() as u64;
    tally.finish();
    assert!(wrong.is_empty(), "{} of {}: {:#?}", wrong.len(), tally.trials, &wrong[..1]);
}
