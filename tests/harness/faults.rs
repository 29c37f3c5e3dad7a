//! H2: every call of a storage and of the disk beneath it fails, once and for good, in every way
//! that fits the call; then all is healed and the laws are tried.

use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use lifeboat::clock::Clock;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::ids::RunId;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::run::seed::Choices;
use lifeboat::storage::Storage;
use lifeboat::storage::layer::Verb;
use lifeboat::storage::layer::fault::FaultLayer;
use lifeboat::storage::layer::fault::plan::Fault;
use lifeboat::storage::layer::fault::plan::Lasting;
use lifeboat::storage::layer::fault::plan::Plan;
use lifeboat::storage::layer::fault::plan::apt_for;
use lifeboat::storage::layer::retry::Retry;
use lifeboat::storage::layer::retry::RetryOptions;
use lifeboat::storage::memory::MemoryBlobs;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;

use crate::support::profile;
use crate::support::profile::Profile;

use super::laws;
use super::laws::Claim;
use super::office::LEASE_MS;
use super::office::Now;
use super::office::Office;
use super::office::Open;
use super::scenarios::Scenario;
use super::twins;

const START_MS: i64 = 1_800_000_000_000;
const RETRY: RetryOptions = RetryOptions {
    attempts_max: 3,
    wait_first: std::time::Duration::from_millis(100),
    wait_max: std::time::Duration::from_secs(1),
    whole_max: std::time::Duration::from_secs(15 * 60),
};

/// Where a fault is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    UnderRetry,
    AboveRetry,
}

/// One run.
#[derive(Debug, Clone, Copy)]
struct Shot {
    place: Where,
    verb: Verb,
    nth: u64,
    lasting: Lasting,
    fault: Fault,
}

/// How often a scenario is run clean, and at most for one shot.
const TRIES: usize = 3;

/// Whether a shot came to anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    Call,
    Nothing,
}

/// A storage in memory, with layers that can fail.
struct Rig {
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStorage>,
    under: Arc<FaultLayer>,
    above: Arc<FaultLayer>,
}

impl Rig {
    fn holding(blobs: MemoryBlobs, now: Timestamp) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::clone(&clock) as _, 5);
        let memory = Arc::new(MemoryStorage::from_blobs(Arc::clone(&clock) as _, blobs));
        let layer = |inner: Arc<dyn Storage>| {
            Arc::new(FaultLayer::new(Arc::clone(&clock) as _, inner, Plan::none()))
        };
        let under = layer(Arc::clone(&memory) as _);
        let above = layer(Arc::new(Retry::new(&run, Arc::clone(&under) as _, RETRY)));
        Self { clock, memory, under, above }
    }

    /// How a process opens it. Every promise is made at one moment: what is not promised at the
    /// end was never acknowledged.
    fn doors(&self) -> (Open, Now) {
        let above = Arc::clone(&self.above);
        (Arc::new(move |_, _| Ok(Arc::clone(&above) as _)), Arc::new(|| 0))
    }

    fn layer(&self, place: Where) -> &FaultLayer {
        match place {
            Where::UnderRetry => &self.under,
            Where::AboveRetry => &self.above,
        }
    }
}

/// What the design promises of a medium that does this.
fn claim_of(shot: &Shot) -> Claim {
    match shot.fault {
        // The medium keeps something else than it said: `check` finds it where it matters.
        Fault::DoneNotStored if shot.lasting == Lasting::Always => Claim::Nothing,
        Fault::DoneNotStored | Fault::Torn { .. } | Fault::CorruptWrite { .. } => Claim::Noticed,
        // It breaks a promise on the way; what was acknowledged stays.
        Fault::CutLeftVisible { .. }
        | Fault::ListEmpty
        | Fault::ListCut { .. }
        | Fault::ListStale => Claim::Kept,
        _ => Claim::All,
    }
}

#[derive(Debug, Default)]
struct Tally {
    runs: u64,
    pairs_possible: u64,
    pairs_hit: u64,
    ended_well: u64,
    /// What the runs left behind and promised, where it differs.
    states: HashSet<u64>,
}

/// Every shot at a scenario.
pub fn run(scenario: &Scenario) {
    let clock = SystemClock::new();
    let profile = Profile::of_process();
    let base = Rig::holding(MemoryBlobs::new(), Timestamp::from_unix_ms(START_MS));
    let mut office = Office::new(&base.clock, base.doors(), profile::seed());
    (scenario.prepare)(&mut office).expect(scenario.name);
    let (mut tally, mut missed) = (Tally::default(), Vec::new());
    let mut number = profile::seed();
    let stride = profile.pick(23, 1, 1);
    for place in [Where::UnderRetry, Where::AboveRetry] {
        for shot in shots(&base, &office, scenario, place) {
            number += 1;
            if profile::case().is_some_and(|case| case != case_of(scenario, &shot))
                || !number.is_multiple_of(stride)
            {
                continue;
            }
            tally.pairs_possible += 1;
            let mut shoot = |_| fire(&base, &office, (scenario, &shot), &mut tally);
            match (0..TRIES).map(&mut shoot).find(|met| *met == Met::Call) {
                Some(Met::Call) => tally.pairs_hit += 1,
                _ => missed.push(shot),
            }
        }
    }
    assert!(missed.is_empty(), "{}: shots that met no call: {missed:?}", scenario.name);
    let counts = [
        ("trials", tally.runs),
        ("pairs_possible", tally.pairs_possible),
        ("pairs_hit", tally.pairs_hit),
        ("ended_well", tally.ended_well),
        ("states", tally.states.len() as u64),
        ("failures", 0),
    ];
    profile::report("h2", &format!("storage {}", scenario.name), clock.elapsed(), &counts);
}

/// Runs clean, counts the calls, and names a shot for each of them and each fault. Whether one
/// machine sees a pack that another's thread is about to write is not always the same: the calls
/// that are made every time.
fn shots(base: &Rig, office: &Office, scenario: &Scenario, place: Where) -> Vec<Shot> {
    let rigs: Vec<Rig> = (0..TRIES)
        .map(|_| {
            let rig = Rig::holding(base.memory.blobs(), base.clock.now());
            let mut clean = office.moved(rig.doors(), &rig.clock);
            (scenario.act)(&mut clean).expect(scenario.name);
            rig
        })
        .collect();
    let mut all = Vec::new();
    // One of both meets the call and the kind; which one, is drawn.
    let mut choices = Choices::new(profile::seed(), scenario.name);
    let is_both = Profile::of_process().pick(true, false, true);
    for verb in Verb::ALL {
        let counts = rigs.iter().map(|rig| rig.layer(place).call_count(verb));
        for nth in 1..=counts.min().unwrap_or(0) {
            let small = 7 + usize::try_from(nth).unwrap() * 13 % 50;
            for fault in apt_for(verb, small) {
                let both = [Lasting::Once, Lasting::Always];
                let left_out = if is_both { None } else { Some(choices.below(2)) };
                for (number, lasting) in (0..).zip(both) {
                    if left_out != Some(number) {
                        all.push(Shot { place, verb, nth, lasting, fault });
                    }
                }
            }
        }
    }
    all
}

fn case_of(scenario: &Scenario, shot: &Shot) -> String {
    format!("{} {shot:?}", scenario.name)
}

/// Equal where the laws would say the same: every byte of the medium, all that was promised, what
/// machines remember, and the time. A fault that a command survives often leaves nothing behind.
fn state_of(rig: &Rig, office: &Office, claim: Claim) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, blob) in rig.memory.blobs() {
        (name, blob.content, blob.created.unix_ms).hash(&mut hasher);
    }
    hash_promises(office, rig.clock.now(), &mut hasher);
    format!("{claim:?}").hash(&mut hasher);
    hasher.finish()
}

/// What an office was promised, what its machines remember, and how many leases have ended.
pub fn hash_promises(office: &Office, now: Timestamp, hasher: &mut impl Hasher) {
    twins::copied_blobs(office).hash(hasher);
    let Office { known, desks, half_slots, .. } = office;
    let attempts: Vec<_> = known.attempts.iter().map(|attempt| attempt.acknowledged).collect();
    for desk in desks {
        desk.caches.last().hash(hasher);
    }
    let keysets: Vec<bool> = desks.iter().map(|desk| desk.keyset.is_some()).collect();
    let leases = (now.unix_ms - START_MS) / LEASE_MS;
    let rest = (known.made, &known.secrets, attempts, keysets, half_slots, leases);
    format!("{rest:?}").hash(hasher);
}

fn fire(
    base: &Rig,
    office: &Office,
    (scenario, shot): (&Scenario, &Shot),
    tally: &mut Tally,
) -> Met {
    let rig = Rig::holding(base.memory.blobs(), base.clock.now());
    let mut office = office.moved(rig.doors(), &rig.clock);
    let Shot { place, verb, nth, lasting, fault } = *shot;
    rig.layer(place).replan(Plan::none().with(verb, nth, lasting, fault));
    tally.runs += 1;
    let act = std::panic::AssertUnwindSafe(|| (scenario.act)(&mut office));
    let ended = std::panic::catch_unwind(act);
    let met = if rig.layer(place).injected().is_empty() { Met::Nothing } else { Met::Call };
    rig.layer(place).replan(Plan::none());
    let held = match ended {
        Err(_) => Err(laws::Broken { law: "K10", found: "a panic in the command".to_owned() }),
        Ok(Err(found)) if found.starts_with("K") => Err(laws::Broken { law: "K9", found }),
        Ok(ended) => {
            tally.ended_well += u64::from(ended.is_ok());
            laws::forget_later(&mut office, 0);
            let claim = claim_of(shot);
            if tally.states.insert(state_of(&rig, &office, claim)) {
                laws::hold_as(&mut office, claim)
            } else {
                Ok(())
            }
        }
    };
    if let Err(broken) = held {
        panic!(
            "{broken}\nreplay: LIFEBOAT_TEST_SEED={} LIFEBOAT_TEST_CASE='{}' \
             cargo test --features testing harness::scenarios::failed::{}",
            profile::seed(),
            case_of(scenario, shot),
            scenario.name
        );
    }
    met
}
