//! Whether a storage keeps its promises where it stands: tried on it, with blobs of its own.

pub mod sweep;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::run::Run;
use crate::run::Stopped;
use crate::run::seed::Choices;
use crate::storage::Against;
use crate::storage::BlobName;
use crate::storage::Guarded;
use crate::storage::Listed;
use crate::storage::Safeguard;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::together;

/// Where the blobs of a probe lie.
pub const FOLDER: &str = "probe/";
/// Writers that want one name at the same time, and how often.
const WRITERS: usize = 8;
const ROUNDS: usize = 4;
/// Blobs that have to be in a listing.
const LISTED: usize = 20;
/// How far clocks may differ before it is told. Times only order what lies minutes apart.
const CLOCK_OFF_MS_MAX: u64 = 5 * 60 * 1000;
/// What speed is measured with, and how often.
const SPEED_BYTES: usize = 8 * 1024 * 1024;
const SPEED_ROUNDS: usize = 3;
const TRIPS: usize = 9;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// What was created comes back, byte for byte.
    ReadBack,
    /// Any part of it too.
    Range,
    /// A name that is taken is refused, and what is there stays.
    NoReplace,
    /// Of several writers of one name one wins.
    OneWinner,
    /// What was created is in the next listing.
    Listing,
    /// What is missing is told from what cannot be read.
    Missing,
    /// What the storage has taken stays, whatever happens to its server.
    Durable,
    /// Whether this user may delete.
    Delete,
    /// The storage's clock goes with ours.
    Clock,
    Speed,
    /// Who has the keys cannot remove what is new, where a storage can lock.
    Locked,
    /// Who listens on the way learns nothing, where that is not so by itself.
    Private,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Holds,
    /// It does not, in the storage's words or ours.
    Broken(String),
    /// It holds with a lack that has a price.
    Weak(String),
    /// This user may not.
    Denied,
    /// So many milliseconds apart; a positive number is a storage that is ahead.
    ClockOff(i64),
    Speed(Speed),
    /// A safeguard holds; in words.
    Guarded(String),
    /// A safeguard that backups can do without is not there, or was not told of.
    Unguarded(String),
}

/// Medians of a few rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    pub up_bytes_per_s: u64,
    pub down_bytes_per_s: u64,
    /// The shortest question and its answer.
    pub round_trip: Duration,
}

/// One check and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: Check,
    pub outcome: Outcome,
}

impl Finding {
    fn of(found: Safeguard) -> Self {
        let check = match found.against {
            Against::Removal => Check::Locked,
            Against::Listeners => Check::Private,
        };
        let outcome = match found.state {
            Guarded::Holds(text) => Outcome::Guarded(text),
            Guarded::Absent(text) | Guarded::Unknown(text) => Outcome::Unguarded(text),
            Guarded::Broken(text) => Outcome::Broken(text),
        };
        Self { check, outcome }
    }
}

/// What was found, and what could not be taken away again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probed {
    pub findings: Vec<Finding>,
    pub left: Vec<BlobName>,
}

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Promises only: what a new repository needs.
    Promises,
    /// Speed as well.
    All,
}

/// Why a probe ended early.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Check {
    /// Whether backups may not go to a storage where this does not hold.
    #[must_use]
    pub const fn is_needed(self) -> bool {
        match self {
            Self::ReadBack
            | Self::Range
            | Self::NoReplace
            | Self::Listing
            | Self::Missing
            | Self::Durable => true,
            Self::OneWinner
            | Self::Delete
            | Self::Clock
            | Self::Speed
            | Self::Locked
            | Self::Private => false,
        }
    }
}

impl Outcome {
    /// Whether nothing is lacking.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        match self {
            Self::Holds | Self::Speed(_) | Self::Guarded(_) => true,
            Self::Broken(_)
            | Self::Weak(_)
            | Self::Denied
            | Self::ClockOff(_)
            | Self::Unguarded(_) => false,
        }
    }
}

impl Probed {
    /// Whether a repository may live there.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        let is_broken = |finding: &&Finding| {
            finding.check.is_needed() && matches!(finding.outcome, Outcome::Broken(_))
        };
        !self.findings.iter().any(|finding| is_broken(&finding))
    }
}

/// Tries a storage without layers.
///
/// # Errors
/// When the run is stopped, or nothing at all can be created.
pub fn probe(run: &Run, storage: &Arc<dyn Storage>, extent: Extent) -> Result<Probed, ProbeError> {
    let mut choices = Choices::new(run.seed, "storage::probe");
    let own = format!("{FOLDER}{:016x}-", choices.next_number() ^ seed_of(run));
    let probe = Probe { run, storage, own };
    let mut probed = Probed::default();
    let tried = probe.all(extent, &mut probed.findings);
    probe.clean(&mut probed);
    tried.map(|()| probed)
}

/// Two probes at the same time have names of their own.
fn seed_of(run: &Run) -> u64 {
    run.id.as_bytes().iter().fold(0, |sum, &byte| sum.rotate_left(8) ^ u64::from(byte))
}

/// One check, when its turn comes.
type Tried<'a> = &'a dyn Fn() -> Result<Outcome, StorageError>;

struct Probe<'a> {
    run: &'a Run,
    storage: &'a Arc<dyn Storage>,
    /// What the names of its blobs begin with.
    own: String,
}

impl Probe<'_> {
    fn name(&self, base: &str) -> Result<BlobName, StorageError> {
        BlobName::new(&format!("{}{base}", self.own)).map_err(|error| StorageError {
            kind: StorageErrorKind::Other,
            after_s: None,
            location: self.storage.location(),
            operation: "probe",
            name: base.to_owned(),
            detail: error.to_string(),
        })
    }

    /// What a listing shows of it.
    fn listed(&self) -> Result<Vec<Listed>, StorageError> {
        let mut rows = self.storage.list(FOLDER)?;
        rows.retain(|row| row.name.as_str().starts_with(&self.own));
        Ok(rows)
    }

    fn all(&self, extent: Extent, findings: &mut Vec<Finding>) -> Result<(), ProbeError> {
        // Whoever cannot even create is told why, as the storage says it.
        let content = noise(300_001);
        self.storage.create(&self.name("whole")?, &[&content])?;
        let checks: [(Check, Tried<'_>); 9] = [
            (Check::ReadBack, &|| self.read_back(&content)),
            (Check::Range, &|| self.range(&content)),
            (Check::NoReplace, &|| self.no_replace(&content)),
            (Check::OneWinner, &|| self.one_winner()),
            (Check::Listing, &|| self.listing()),
            (Check::Missing, &|| self.missing()),
            (Check::Durable, &|| self.durable()),
            (Check::Delete, &|| self.delete()),
            (Check::Clock, &|| self.clock()),
        ];
        for (check, tried) in checks {
            self.run.check()?;
            findings.push(Finding { check, outcome: ended(tried())? });
        }
        let is_kept = findings.iter().any(|finding| finding.outcome == Outcome::Denied);
        // What cannot be taken away again is kept short.
        if extent == Extent::All && !is_kept {
            findings.push(Finding { check: Check::Speed, outcome: ended(self.speed())? });
        }
        self.run.check()?;
        match self.storage.safeguards(&self.name("whole")?) {
            Ok(found) => findings.extend(found.into_iter().map(Finding::of)),
            Err(error) if error.is_retryable() => return Err(error.into()),
            Err(error) => {
                let outcome = Outcome::Unguarded(error.to_string());
                findings.push(Finding { check: Check::Locked, outcome });
            }
        }
        Ok(())
    }

    fn read_back(&self, content: &[u8]) -> Result<Outcome, StorageError> {
        let found = self.storage.read(&self.name("whole")?, content.len() as u64)?;
        Ok(same(found.as_slice(), content, "what was read is not what was created"))
    }

    fn range(&self, content: &[u8]) -> Result<Outcome, StorageError> {
        let name = self.name("whole")?;
        for (start, len) in [(0, 1), (65_535, 131_073), (content.len() - 7, 7)] {
            let mut part = vec![0; len];
            self.storage.read_range(&name, start as u64, &mut part)?;
            if content.get(start..start + len) != Some(part.as_slice()) {
                return Ok(Outcome::Broken(format!("{len} bytes at {start} are others")));
            }
        }
        Ok(Outcome::Holds)
    }

    fn no_replace(&self, content: &[u8]) -> Result<Outcome, StorageError> {
        let name = self.name("whole")?;
        match self.storage.create(&name, &[b"another"]) {
            Err(error) if error.kind == StorageErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(Outcome::Broken("a name that was taken was given again".into())),
        }
        let found = self.storage.read(&name, content.len() as u64)?;
        Ok(same(found.as_slice(), content, "what was there has been replaced"))
    }

    fn one_winner(&self) -> Result<Outcome, StorageError> {
        for round in 0..ROUNDS {
            let name = self.name(&format!("race-{round}"))?;
            let write =
                |writer: usize| self.storage.create(&name, &[writer.to_string().as_bytes()]);
            let results: Vec<_> = thread::scope(|scope| {
                let writers: Vec<_> =
                    (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
                writers.into_iter().map(thread::ScopedJoinHandle::join).collect()
            });
            let passing = results.iter().filter_map(|result| result.as_ref().ok()?.as_ref().err());
            if let Some(error) = passing.into_iter().find(|error| error.is_retryable()) {
                return Err(error.clone());
            }
            let won: Vec<usize> = (0..)
                .zip(&results)
                .filter_map(|(writer, result)| matches!(result, Ok(Ok(()))).then_some(writer))
                .collect();
            let [winner] = won[..] else {
                return Ok(Outcome::Broken(format!("{} of {WRITERS} writers won", won.len())));
            };
            if self.storage.read(&name, 9)? != winner.to_string().as_bytes() {
                return Ok(Outcome::Broken("another than the winner is there".to_owned()));
            }
        }
        Ok(Outcome::Holds)
    }

    fn listing(&self) -> Result<Outcome, StorageError> {
        let numbers: Vec<usize> = (0..LISTED).collect();
        let mut expected = together::each(&**self.storage, &numbers, |n| {
            let name = self.name(&format!("list-{n}"))?;
            self.storage.create(&name, &[&noise(*n)])?;
            Ok::<_, StorageError>((name, *n as u64))
        })?;
        let is_one = |row: &Listed| row.name.as_str().starts_with(&format!("{}list-", self.own));
        let rows = self.listed()?.into_iter().filter(is_one);
        let mut found: Vec<_> = rows.map(|row| (row.name, row.len_bytes)).collect();
        found.sort();
        expected.sort();
        let detail = || format!("expected {LISTED} names, found {}", found.len());
        Ok(if found == expected { Outcome::Holds } else { Outcome::Broken(detail()) })
    }

    fn missing(&self) -> Result<Outcome, StorageError> {
        match self.storage.read(&self.name("none")?, 9) {
            Err(error) if error.kind == StorageErrorKind::NotFound => Ok(Outcome::Holds),
            Err(error) => Err(error),
            Ok(_) => Ok(Outcome::Broken("something was read where nothing is".to_owned())),
        }
    }

    fn durable(&self) -> Result<Outcome, StorageError> {
        self.storage.sync()?;
        let weak = self.storage.weaknesses();
        Ok(if weak.is_empty() { Outcome::Holds } else { Outcome::Weak(weak.join("; ")) })
    }

    fn delete(&self) -> Result<Outcome, StorageError> {
        let name = self.name("list-0")?;
        match self.storage.delete(&name) {
            Err(error) if error.kind == StorageErrorKind::Denied => return Ok(Outcome::Denied),
            done => done?,
        }
        let is_gone = self.listed()?.iter().all(|row| row.name != name);
        Ok(same(&is_gone, &true, "what was deleted is listed still"))
    }

    fn clock(&self) -> Result<Outcome, StorageError> {
        let name = self.name("clock")?;
        self.storage.create(&name, &[])?;
        let off_ms = self.storage.stat(&name)?.created.ms_since(self.run.clock.now());
        let is_off = off_ms.unsigned_abs() > CLOCK_OFF_MS_MAX;
        Ok(if is_off { Outcome::ClockOff(off_ms) } else { Outcome::Holds })
    }

    fn speed(&self) -> Result<Outcome, StorageError> {
        let content = noise(SPEED_BYTES);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for round in 0..SPEED_ROUNDS {
            let name = self.name(&format!("speed-{round}"))?;
            up.push(self.timed(|| self.storage.create(&name, &[&content]))?);
            down.push(self.timed(|| self.storage.read(&name, SPEED_BYTES as u64).map(drop))?);
        }
        let name = self.name("clock")?;
        let trip = || self.timed(|| self.storage.stat(&name).map(drop));
        let trips = (0..TRIPS).map(|_| trip()).collect::<Result<_, _>>()?;
        let rate = |times| {
            let micros = median(times).as_micros().max(1);
            let rate = (SPEED_BYTES as u128).saturating_mul(1_000_000) / micros;
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        Ok(Outcome::Speed(Speed {
            up_bytes_per_s: rate(up),
            down_bytes_per_s: rate(down),
            round_trip: median(trips),
        }))
    }

    fn timed(
        &self,
        work: impl FnOnce() -> Result<(), StorageError>,
    ) -> Result<Duration, StorageError> {
        let began = self.run.clock.elapsed();
        work()?;
        Ok(self.run.clock.elapsed().saturating_sub(began))
    }

    /// Takes away all that was made; what stays is told.
    fn clean(&self, probed: &mut Probed) {
        let Ok(rows) = self.listed() else { return };
        let removed = together::each(&**self.storage, &rows, |row| {
            Ok::<_, StorageError>(self.storage.delete(&row.name).is_ok())
        });
        let removed = removed.unwrap_or_default();
        let left = rows.into_iter().zip(removed).filter(|(_, is_gone)| !is_gone);
        probed.left.extend(left.map(|(row, _)| row.name));
        if let Err(error) = self.storage.sync() {
            tracing::debug!(%error, "after a probe");
        }
    }
}

/// An error is a broken promise, unless it passes: then nothing is known of the promise.
fn ended(tried: Result<Outcome, StorageError>) -> Result<Outcome, StorageError> {
    match tried {
        Err(error) if error.is_retryable() => Err(error),
        Err(error) => Ok(Outcome::Broken(error.to_string())),
        outcome => outcome,
    }
}

/// Whether two things are one.
fn same<T: PartialEq + ?Sized>(found: &T, expected: &T, otherwise: &str) -> Outcome {
    if found == expected { Outcome::Holds } else { Outcome::Broken(otherwise.to_owned()) }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Bytes that nothing on the way can make shorter.
fn noise(len: usize) -> Vec<u8> {
    let mut reader = blake3::Hasher::new().update(b"storage probe").finalize_xof();
    let mut bytes = vec![0; len];
    reader.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use crate::clock::ManualClock;
    use crate::clock::SystemClock;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;
    use crate::storage::BlobStat;
    use crate::storage::memory::MemoryStorage;
    use crate::units::Timestamp;

    fn run() -> Run {
        Run::new(RunId::new([7; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1)
    }

    /// What a storage of this kind does wrong.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Bug {
        None,
        FlipsBytes,
        ShiftsRanges,
        Replaces,
        EveryoneWins,
        ListsLate,
        InventsBlobs,
        IsWeak,
        CannotSync,
        CannotDelete,
        KeepsDeleted,
        IsAhead,
    }

    #[derive(Debug)]
    struct Buggy {
        inner: MemoryStorage,
        bug: Bug,
        seen: Mutex<BTreeSet<BlobName>>,
    }

    impl Buggy {
        fn refused(&self, operation: &'static str, name: &str) -> StorageError {
            StorageError {
                kind: StorageErrorKind::Denied,
                after_s: None,
                location: self.location(),
                operation,
                name: name.to_owned(),
                detail: "no right".to_owned(),
            }
        }
    }

    impl Storage for Buggy {
        fn location(&self) -> String {
            self.inner.location()
        }

        fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
            let is_race = name.as_str().contains("race");
            let replaces = self.bug == Bug::Replaces && !is_race;
            if replaces || self.bug == Bug::EveryoneWins && is_race {
                let _gone = self.inner.delete(name);
                let _made = self.inner.create(name, parts);
                return Ok(());
            }
            self.inner.create(name, parts)
        }

        fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
            if self.bug == Bug::InventsBlobs && name.as_str().ends_with("none") {
                return Ok(Vec::new());
            }
            let mut content = self.inner.read(name, bytes_max)?;
            if let (Bug::FlipsBytes, Some(byte)) = (self.bug, content.get_mut(100_000)) {
                *byte ^= 1;
            }
            Ok(content)
        }

        fn read_range(
            &self,
            name: &BlobName,
            offset: u64,
            into: &mut [u8],
        ) -> Result<(), StorageError> {
            let shift = u64::from(self.bug == Bug::ShiftsRanges && offset == 65_535);
            self.inner.read_range(name, offset + shift, into)
        }

        fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
            let mut rows = self.inner.list(prefix)?;
            if self.bug == Bug::ListsLate {
                rows.retain(|row| !self.seen.lock().unwrap().insert(row.name.clone()));
            }
            if self.bug == Bug::KeepsDeleted {
                let deleted = self.seen.lock().unwrap();
                rows.extend(deleted.iter().map(|name| Listed { name: name.clone(), len_bytes: 0 }));
            }
            Ok(rows)
        }

        fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
            let mut stat = self.inner.stat(name)?;
            if self.bug == Bug::IsAhead {
                let ahead = stat.created.ms_since(Timestamp::from_unix_ms(0)) + 3_600_000;
                stat.created = Timestamp::from_unix_ms(ahead);
            }
            Ok(stat)
        }

        fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
            if self.bug == Bug::CannotDelete {
                return Err(self.refused("delete", name.as_str()));
            }
            if self.bug == Bug::KeepsDeleted {
                self.seen.lock().unwrap().insert(name.clone());
            }
            self.inner.delete(name)
        }

        fn sync(&self) -> Result<(), StorageError> {
            if self.bug == Bug::CannotSync {
                return Err(self.refused("sync", ""));
            }
            self.inner.sync()
        }

        fn weaknesses(&self) -> Vec<String> {
            if self.bug == Bug::IsWeak { vec!["it forgets".to_owned()] } else { Vec::new() }
        }
    }

    fn probed(bug: Bug) -> (Probed, Arc<Buggy>) {
        let clock = Arc::new(SystemClock::new());
        let inner = MemoryStorage::new(clock);
        let storage = Arc::new(Buggy { inner, bug, seen: Mutex::default() });
        let base: Arc<dyn Storage> = Arc::clone(&storage) as _;
        (probe(&run(), &base, Extent::Promises).unwrap(), storage)
    }

    #[test]
    fn a_good_storage_is_left_as_it_was() {
        let (found, storage) = probed(Bug::None);
        assert!(found.is_fit());
        assert!(found.findings.iter().all(|finding| finding.outcome.is_good()), "{found:?}");
        assert_eq!(found.findings.len(), 9);
        assert_eq!(storage.inner.blobs().len(), 0);
    }

    #[test]
    fn every_bug_is_found_by_its_own_check() {
        for (bug, check, is_fit) in [
            (Bug::FlipsBytes, Check::ReadBack, false),
            (Bug::ShiftsRanges, Check::Range, false),
            (Bug::Replaces, Check::NoReplace, false),
            (Bug::EveryoneWins, Check::OneWinner, true),
            (Bug::ListsLate, Check::Listing, false),
            (Bug::InventsBlobs, Check::Missing, false),
            (Bug::IsWeak, Check::Durable, true),
            (Bug::CannotSync, Check::Durable, false),
            (Bug::CannotDelete, Check::Delete, true),
            (Bug::KeepsDeleted, Check::Delete, true),
            (Bug::IsAhead, Check::Clock, true),
        ] {
            let (found, _) = probed(bug);
            let first = found.findings.iter().find(|finding| !finding.outcome.is_good());
            assert_eq!(first.map(|finding| finding.check), Some(check), "{bug:?}: {found:?}");
            assert_eq!(found.is_fit(), is_fit, "{bug:?}");
            if bug == Bug::CannotDelete {
                assert!(found.left.len() > LISTED, "{bug:?}");
            }
        }
    }

    #[test]
    fn a_storage_that_takes_nothing_says_why() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new(clock));
        let run = run();
        run.cancel.stop(Stopped::Interrupted);
        let error = probe(&run, &storage, Extent::All).unwrap_err();
        assert!(matches!(error, ProbeError::Stopped(_)), "{error}");
        assert_eq!(storage.list("").unwrap().len(), 0);
    }
}
