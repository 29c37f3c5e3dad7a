//! Two repositories and a copy between them that is interrupted. Where the copies go to is what is
//! interrupted and judged, and the source lies in memory; or the other way round.

use std::collections::BTreeMap;
use std::sync::Arc;

use lifeboat::clock::Clock as _;
use lifeboat::clock::ManualClock;
use lifeboat::copy::Doing;
use lifeboat::copy::Ends;
use lifeboat::copy::reseal;
use lifeboat::copy::reseal::Resealing;
use lifeboat::copy::reseal::Side;
use lifeboat::copy::verbatim;
use lifeboat::copy::verbatim::CopyOptions;
use lifeboat::copy::verbatim::CopyReport;
use lifeboat::repository::keys::twin;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::run::monitor::Problem;
use lifeboat::storage::Storage;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;

use super::office::Attempt;
use super::office::CUTTING;
use super::office::Desk;
use super::office::Known;
use super::office::LEASE_MS;
use super::office::Now;
use super::office::Office;
use super::office::Open;
use super::office::Opening;
use super::office::Process;
use super::office::Reader;
use super::office::secret;
use super::office::text;
use super::scenarios::mutate;

/// The other end of a copy.
#[derive(Debug, Clone)]
pub enum Pair {
    /// Copies come from there.
    Origin(Arc<Origin>),
    /// Copies went there.
    Copies(Arc<Copies>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The same repository.
    Twin,
    /// One with other keys.
    Other,
}

/// Where copies come from, and what was promised there.
#[derive(Debug, Clone)]
pub struct Origin {
    storage: Arc<dyn Storage>,
    known: Known,
    desks: Vec<Desk>,
    kind: Kind,
    /// Number of the first copy among the attempts of the target.
    first: usize,
}

/// What a copy has made, and what it promised.
#[derive(Debug)]
pub struct Copies {
    storage: Arc<MemoryStorage>,
    known: Known,
    desks: Vec<Desk>,
}

/// What a copy says of itself.
pub type Told = (CopyReport, Vec<Problem>);

/// How a storage in memory is opened; all promises are made at one moment.
fn doors(storage: &Arc<MemoryStorage>) -> (Open, Now) {
    let storage = Arc::clone(storage);
    (Arc::new(move |_, _| Ok(Arc::clone(&storage) as _)), Arc::new(|| 0))
}

fn two_snapshots(office: &mut Office) -> Result<(), String> {
    office.add_desk("one");
    office.init("first")?;
    for _ in 0..2 {
        office.backup(0)?;
        mutate(office, 0);
    }
    Ok(())
}

/// Three snapshots of one machine in a storage in memory, with a clock of their own.
pub(super) fn original(seed: u64) -> Result<Office, String> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(1_790_000_000_000)));
    let storage = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
    let mut original = Office::new(&clock, doors(&storage), seed);
    two_snapshots(&mut original)?;
    original.backup(0)?;
    Ok(original)
}

/// A twin in memory, still without snapshots, whose copies come from the same people's `source`.
pub(super) fn twin_of(original: &Office, source: Arc<dyn Storage>) -> Result<Office, String> {
    let clock = Arc::new(ManualClock::new(original.clock.now()));
    let storage = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
    let mut twin = Office::new(&clock, doors(&storage), original.random_seed + 1);
    twin.desks.push(Desk { keyset: None, caches: Vec::new(), ..original.desks[0].clone() });
    let (known, desks) = (original.known.clone(), original.desks.clone());
    await_copies(&mut twin, Origin { storage: source, known, desks, kind: Kind::Twin, first: 0 });
    make_twin(&mut twin)?;
    Ok(twin)
}

/// A repository in memory with keys of its own, whose copies come from there too, sealed anew.
pub(super) fn other_of(original: &Office, source: Arc<dyn Storage>) -> Result<Office, String> {
    let clock = Arc::new(ManualClock::new(original.clock.now()));
    let storage = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
    let mut other = Office::new(&clock, doors(&storage), original.random_seed + 1);
    other.add_desk("copier");
    other.init("own")?;
    other.backup(0)?;
    let (known, desks) = (original.known.clone(), original.desks.clone());
    let first = other.known.attempts.len();
    await_copies(&mut other, Origin { storage: source, known, desks, kind: Kind::Other, first });
    Ok(other)
}

fn origin(office: &Office, kind: Kind, first: usize) -> Result<Origin, String> {
    let storage = Arc::new(MemoryStorage::new(Arc::clone(&office.clock) as _));
    let mut original = Office::new(&office.clock, doors(&storage), office.random_seed + 5);
    two_snapshots(&mut original)?;
    let Office { known, desks, .. } = original;
    Ok(Origin { storage, known, desks, kind, first })
}

/// From now on copies of everything at the origin are to come.
fn await_copies(office: &mut Office, origin: Origin) {
    let known_count = office.known.attempts.len() - origin.first;
    for attempt in origin.known.attempts.iter().skip(known_count) {
        let tree = Arc::clone(&attempt.tree);
        office.known.attempts.push(Attempt { tree, acknowledged: None });
    }
    office.known.pair = Some(Pair::Origin(Arc::new(origin)));
}

/// An empty storage, and elsewhere a repository with two snapshots of one machine.
pub(super) fn no_twin(office: &mut Office) -> Result<(), String> {
    let origin = origin(office, Kind::Twin, 0)?;
    // The machine finds itself again in the twin.
    let desk = Desk { keyset: None, caches: Vec::new(), ..origin.desks[0].clone() };
    office.desks.push(desk);
    await_copies(office, origin);
    Ok(())
}

/// A twin with copies of two snapshots; then two more were made, and one of them was removed.
pub(super) fn twin_behind(office: &mut Office) -> Result<(), String> {
    no_twin(office)?;
    together(office)?;
    let Some(Pair::Origin(origin)) = office.known.pair.clone() else { unreachable!() };
    let mut origin = Origin::clone(&origin);
    let storage = Arc::clone(&origin.storage);
    let doors: (Open, Now) = (Arc::new(move |_, _| Ok(Arc::clone(&storage))), Arc::new(|| 0));
    let mut original = Office::new(&office.clock, doors, office.random_seed + 6);
    (original.known, original.desks) = (origin.known, origin.desks);
    for _ in 0..2 {
        mutate(&mut original, 0);
        original.backup(0)?;
    }
    original.forget(2)?;
    (origin.known, origin.desks) = (original.known, original.desks);
    await_copies(office, origin);
    Ok(())
}

/// A repository with a snapshot of the machine that copies, and elsewhere one with other keys.
pub(super) fn other_keys(office: &mut Office) -> Result<(), String> {
    office.add_desk("copier");
    office.init("own")?;
    office.backup(0)?;
    let origin = origin(office, Kind::Other, office.known.attempts.len())?;
    await_copies(office, origin);
    Ok(())
}

/// Two snapshots that are copied elsewhere.
pub(super) fn source(office: &mut Office) -> Result<(), String> {
    two_snapshots(office)
}

/// `init --twin-of`, then `copy`, each snapshot committed by itself.
pub(super) fn one_by_one(office: &mut Office) -> Result<(), String> {
    make_twin(office)?;
    copy(office, 1).map(drop)
}

/// The same with one commit for all.
pub(super) fn together(office: &mut Office) -> Result<(), String> {
    make_twin(office)?;
    copy(office, u64::MAX).map(drop)
}

/// `copy` where both are there.
pub(super) fn again(office: &mut Office) -> Result<(), String> {
    copy(office, 1).map(drop)
}

/// `copy` out of the storage that is judged, into an empty twin.
pub(super) fn out_to_twin(office: &mut Office) -> Result<(), String> {
    out(office, Kind::Twin)
}

/// The same into a repository with other keys.
pub(super) fn out_to_other(office: &mut Office) -> Result<(), String> {
    out(office, Kind::Other)
}

fn out(office: &mut Office, kind: Kind) -> Result<(), String> {
    let storage = office.process(Opening::Existing)?.storage;
    let memory = Arc::new(MemoryStorage::new(Arc::clone(&office.clock) as _));
    let mut target = Office::new(&office.clock, doors(&memory), office.random_seed + 7);
    if kind == Kind::Other {
        target.add_desk("copier");
        target.init("own")?;
        target.backup(0)?;
    }
    let (known, first) = (office.known.clone(), target.known.attempts.len());
    await_copies(&mut target, Origin { storage, known, desks: Vec::new(), kind, first });
    let made = if kind == Kind::Twin { make_twin(&mut target) } else { Ok(()) };
    let ended = made.and_then(|()| copy(&mut target, u64::MAX));
    let Office { known, desks, .. } = target;
    office.known.pair = Some(Pair::Copies(Arc::new(Copies { storage: memory, known, desks })));
    ended.map(drop)
}

fn origin_of(office: &Office) -> Option<Arc<Origin>> {
    match &office.known.pair {
        Some(Pair::Origin(origin)) => Some(Arc::clone(origin)),
        _ => None,
    }
}

/// Whether the storage that is judged is made by `make_twin`.
pub(super) fn is_twin(office: &Office) -> bool {
    origin_of(office).is_some_and(|origin| origin.kind == Kind::Twin)
}

/// `init --twin-of`.
pub(super) fn make_twin(office: &mut Office) -> Result<(), String> {
    let origin = origin_of(office).ok_or("no origin")?;
    let at = office.begin_secret("first");
    let process = office.process(Opening::New)?;
    twin::create_twin(&process.run, &origin.storage, &process.storage).map_err(text)?;
    office.known.made = Some(office.now());
    office.known.secrets[at].opens = office.known.made;
    Ok(())
}

/// `copy`. What it says is copied is promised.
pub(super) fn copy(office: &mut Office, batch_bytes: u64) -> Result<Told, String> {
    let origin = origin_of(office).ok_or("no origin")?;
    let to = office.reader()?;
    let run = &to.process.run;
    let unlocked = unlock(run, &origin.storage, &secret("first")).map_err(text)?;
    let (run, recorder) = (run.clone(), Arc::clone(&to.process.recorder));
    let process = Process { run, recorder, storage: Arc::clone(&origin.storage) };
    let from = Office::reader_of(process, unlocked)?;
    let report = match origin.kind {
        Kind::Twin => verbatim(&from, &to, batch_bytes)?,
        Kind::Other => reseal(office, &origin, (&from, &to))?,
    };
    let now = office.now();
    for place in &report.copied {
        // One machine and one folder: the first snapshot is the first attempt.
        let at = origin.first + usize::try_from(place.seq).unwrap() - 1;
        office.known.attempts[at].acknowledged = Some((now, place.id));
    }
    Ok((report, to.process.problems()))
}

fn verbatim(from: &Reader, to: &Reader, batch_bytes: u64) -> Result<CopyReport, String> {
    let run = &to.process.run;
    twin::carry_records(run, &from.process.storage, &to.process.storage).map_err(text)?;
    let ends = Ends {
        source: from.repository.vault(),
        target: to.repository.vault(),
        signers: &from.signers,
    };
    let options = CopyOptions { doing: Doing::Copy, batch_bytes };
    verbatim::copy(run, ends, options).map_err(text)
}

fn reseal(
    office: &mut Office,
    origin: &Origin,
    (from, to): (&Reader, &Reader),
) -> Result<CopyReport, String> {
    let (_, _, agent) = office.writer(0)?;
    let attempts = origin.known.attempts.iter().zip(origin.first..);
    let words: BTreeMap<_, _> = attempts
        .filter_map(|(attempt, number)| Some((attempt.acknowledged?.1, vec![number.to_string()])))
        .collect();
    let resealing = Resealing {
        source: side(from),
        target: side(to),
        agent: &agent,
        sizes: CUTTING.tree,
        level: 1,
        chosen: None,
        words: &words,
        doing: Doing::Copy,
    };
    reseal::copy(&to.process.run, resealing).map_err(text)
}

fn side(reader: &Reader) -> Side<'_> {
    Side {
        repository: &reader.repository,
        keyset: &reader.unlocked.keyset,
        signers: &reader.signers,
    }
}

/// The next copy, one lease later; `None` where nothing is copied to.
pub(super) fn copy_again(office: &mut Office) -> Option<Result<Told, String>> {
    origin_of(office)?;
    office.clock.jump(LEASE_MS + 1);
    Some(copy(office, u64::MAX))
}

/// What is wrong with a copy after which everything has to be there.
pub(super) fn lacks(report: &CopyReport) -> Option<String> {
    let is_whole = report.known_count + report.copied_count == report.snapshots_count
        && report.unfinished_count + report.removed_count + report.damaged_count == 0
        && report.datasets.iter().all(|(_, is_there)| *is_there);
    (!is_whole).then(|| format!("{report:?}"))
}

/// Where the copies went to, as it was left; the next copy comes from what `office` has now.
pub(super) fn target(office: &mut Office) -> Option<Result<Office, String>> {
    let Some(Pair::Copies(copies)) = office.known.pair.clone() else { return None };
    let storage = match office.process(Opening::Existing) {
        Ok(process) => process.storage,
        Err(error) => return Some(Err(error)),
    };
    let blobs = copies.storage.blobs();
    let memory = MemoryStorage::from_blobs(Arc::clone(&office.clock) as _, blobs);
    let doors = doors(&Arc::new(memory));
    let mut target = Office::new(&office.clock, doors, office.random_seed + 8);
    (target.known, target.desks) = (copies.known.clone(), copies.desks.clone());
    if let Some(origin) = origin_of(&target) {
        let origin = Origin { storage, ..Origin::clone(&origin) };
        target.known.pair = Some(Pair::Origin(Arc::new(origin)));
    }
    Some(Ok(target))
}

/// All that lies where copies went to.
pub(super) fn copied_blobs(office: &Office) -> Option<Vec<(String, Vec<u8>)>> {
    let Some(Pair::Copies(copies)) = &office.known.pair else { return None };
    let blobs = copies.storage.blobs().into_iter();
    Some(blobs.map(|(name, blob)| (name.to_string(), blob.content.to_vec())).collect())
}
