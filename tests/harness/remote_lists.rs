//! Listings over real servers that do not show what is there: an older one, none of it, a part of
//! it, or a part of it twice. The servers keep all that they were sent, and are asked by clients of
//! their own; only what a process is told of a listing is another.

use std::sync::Arc;
use std::sync::OnceLock;

use lifeboat::clock::Clock;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::storage::Storage;
use lifeboat::storage::layer::Verb;
use lifeboat::storage::layer::fault::FaultLayer;
use lifeboat::storage::layer::fault::plan::Fault;
use lifeboat::storage::layer::fault::plan::Lasting;
use lifeboat::storage::layer::fault::plan::Plan;
use lifeboat::storage::layer::retry::Retry;

use crate::support::profile;
use crate::support::profile::Profile;

use super::crash::Wrap;
use super::laws;
use super::laws::Broken;
use super::laws::Claim;
use super::office::Office;
use super::office::Open;
use super::remote::Bucket;
use super::remote::Lab;
use super::remote::RETRY;
use super::remote::Shot;
use super::remote::Ssh;
use super::remote::round_trip;
use super::remote_bugs;

const FAULTS: [Fault; 4] =
    [Fault::ListStale, Fault::ListEmpty, Fault::ListCut { rows_count: 2 }, Fault::ListRepeats];

/// The `nth` listing of a round trip, from 1, or all from there on.
#[derive(Debug, Clone, Copy)]
struct Wrong {
    nth: u64,
    lasting: Lasting,
    fault: Fault,
}

/// A layer that tells listings wrongly, and a storage above it.
type Client = (Arc<FaultLayer>, Arc<dyn Storage>);

/// What came of a round trip.
struct Told {
    lists_count: u64,
    wrong_count: usize,
    held: Result<(), Broken>,
}

/// One round trip over one client, which is told of listings as planned, and the laws over a sound
/// one.
fn fire(lab: &mut dyn Lab, wrong: Option<Wrong>, wrap: Wrap) -> Told {
    lab.begin(Shot::Nothing, 0);
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let plan = wrong.map_or_else(Plan::none, |Wrong { nth, lasting, fault }| {
        Plan::none().with(Verb::List, nth, lasting, fault)
    });
    // One for all processes, as an older listing is one that another process was told.
    let client: Arc<OnceLock<Client>> = Arc::default();
    let (held, base, faulty_clock) = (Arc::clone(&client), lab.directly(), Arc::clone(&clock));
    let open: Open = Arc::new(move |run, opening| {
        if held.get().is_none() {
            let clock = Arc::clone(&faulty_clock) as Arc<dyn Clock>;
            let faulty = Arc::new(FaultLayer::new(clock, base(run, opening)?, plan.clone()));
            let storage = wrap(Arc::clone(&faulty) as _);
            drop(held.set((faulty, Arc::new(Retry::new(run, storage, RETRY)))));
        }
        Ok(Arc::clone(&held.get().unwrap().1))
    });
    let mut office = Office::new(&clock, (open, Arc::new(|| 0)), profile::seed());
    let act = std::panic::AssertUnwindSafe(|| round_trip(&mut office));
    let ended = std::panic::catch_unwind(act);
    let faulty = &client.get().unwrap().0;
    let (lists_count, wrong_count) = (faulty.call_count(Verb::List), faulty.injected().len());
    let claim = match wrong {
        None => Claim::All,
        Some(wrong) if wrong.fault == Fault::ListRepeats => Claim::All,
        Some(_) => Claim::Kept,
    };
    let held = match ended {
        Err(_) => Err(Broken { law: "K10", found: "a panic in a command".to_owned() }),
        Ok(Err(found)) if found.starts_with('K') => Err(Broken { law: "K9", found }),
        Ok(Err(found)) if claim == Claim::All => Err(Broken { law: "K3 goes on", found }),
        Ok(_) => {
            let base = lab.directly();
            let open: Open = Arc::new(move |run, opening| base(run, opening));
            let mut after = office.moved((open, Arc::new(|| 0)), &clock);
            laws::forget_later(&mut after, 0);
            laws::hold_as(&mut after, claim)
        }
    };
    Told { lists_count, wrong_count, held }
}

/// Each fault, once and from there on: at each listing, or one of both at some of them.
fn wrongs(lists_count: u64) -> Vec<Wrong> {
    let (is_all, each) = Profile::of_process().pick((false, 3), (false, 8), (true, lists_count));
    let step = lists_count.div_ceil(each);
    let mut all = Vec::new();
    for (number, fault) in FAULTS.into_iter().enumerate() {
        let first = (profile::seed() + number as u64 * 5) % step;
        for nth in (1..=lists_count).filter(|nth| nth % step == first) {
            let (one, other) = match (nth / step + number as u64) % 2 {
                0 => (Lasting::Once, Lasting::Always),
                _ => (Lasting::Always, Lasting::Once),
            };
            all.push(Wrong { nth, lasting: one, fault });
            if is_all {
                all.push(Wrong { nth, lasting: other, fault });
            }
        }
    }
    all
}

fn hold(lab: &mut dyn Lab) {
    let clock = SystemClock::new();
    let clean = fire(lab, None, |storage| storage);
    clean.held.unwrap();
    assert!(clean.lists_count > 10, "{}", clean.lists_count);
    let all = wrongs(clean.lists_count);
    let mut wrong_count = 0;
    for wrong in &all {
        let told = fire(lab, Some(*wrong), |storage| storage);
        let (name, seed) = (lab.name(), profile::seed());
        told.held.unwrap_or_else(|broken| panic!("{broken}\n{name}, {wrong:?}, seed {seed}"));
        wrong_count += told.wrong_count as u64;
    }
    let trials = all.len() as u64;
    // What a fault changes may make a later one not be met.
    assert!(wrong_count >= trials * 9 / 10, "{wrong_count} of {trials}");
    let counts = [("trials", trials), ("lists", wrong_count), ("failures", 0)];
    let name = format!("{} listings", lab.name());
    profile::report("remote", &name, clock.elapsed(), &counts);
}

#[test]
fn wrong_listings_over_sftp_lose_nothing() {
    hold(&mut Ssh::start());
}

#[test]
fn wrong_listings_of_a_bucket_lose_nothing() {
    hold(&mut Bucket::start());
}

#[test]
fn a_bug_that_trusts_listings_is_found_over_servers() {
    let labs: [&mut dyn Lab; 2] = [&mut Bucket::start(), &mut Ssh::start()];
    for lab in labs {
        let (bug, wrap) = remote_bugs::OF_LISTS;
        let lists_count = fire(lab, None, |storage| storage).lists_count;
        let mut wrongs = (1..=lists_count).rev().flat_map(|nth| {
            let fault = |fault| Wrong { nth, lasting: Lasting::Once, fault };
            [Fault::ListEmpty, Fault::ListStale].map(fault)
        });
        let found = wrongs.find_map(|wrong| fire(lab, Some(wrong), wrap).held.err());
        let found = found.unwrap_or_else(|| panic!("{}: {bug} was not found", lab.name()));
        println!("{}: {bug}: {found}", lab.name());
    }
}
