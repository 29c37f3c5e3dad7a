//! H2 on the disk: each call fails once, as input and output do, for want of space, or as a sync
//! that loses what it covered. Then the process is gone, or the power too.

use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use lifeboat::clock::Clock;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::disk::sim::SimDisk;
use lifeboat::disk::sim::image::Image;
use lifeboat::disk::sim::script::DiskVerb;
use lifeboat::disk::sim::script::SimError;
use lifeboat::units::Timestamp;

use crate::support::profile;
use crate::support::profile::Profile;

use super::crash::Lab;
use super::crash::START_MS;
use super::crash::visible_digest;
use super::faults::hash_promises;
use super::laws;
use super::laws::Broken;
use super::office::Moment;
use super::office::Office;
use super::scenarios;
use super::scenarios::Scenario;

const VERBS: [DiskVerb; 9] = [
    DiskVerb::Create,
    DiskVerb::Rename,
    DiskVerb::Read,
    DiskVerb::Stat,
    DiskVerb::List,
    DiskVerb::Remove,
    DiskVerb::MakeFolder,
    DiskVerb::SyncFolder,
    DiskVerb::SyncAll,
];
/// Ways to lose power at the end, of those that the disk knows, from the first.
const CUTS: usize = 5;

fn errors_of(verb: DiskVerb) -> &'static [SimError] {
    match verb {
        DiskVerb::Create => &[SimError::Io, SimError::NoSpace, SimError::SyncLost],
        DiskVerb::SyncFolder | DiskVerb::SyncAll => &[SimError::Io, SimError::SyncLost],
        _ => &[SimError::Io],
    }
}

/// The calls that a scenario makes, in a repository as it was before.
struct Bench<'a> {
    lab: Lab,
    scenario: &'a Scenario,
    office: Office,
    start: Image,
}

impl Bench<'_> {
    fn disk(&self) -> (Arc<ManualClock>, Arc<SimDisk>) {
        let clock = Arc::new(ManualClock::new(self.office.clock.now()));
        let disk = SimDisk::from_image(Arc::clone(&clock) as _, self.start.clone());
        (clock, Arc::new(disk))
    }

    /// Acts on a disk whose `nth` call of `verb` fails, and tries the laws on what is left, unless
    /// another failure left the same.
    fn fire(
        &self,
        (verb, nth): (DiskVerb, u64),
        error: SimError,
        seen: &mut HashSet<u64>,
    ) -> Result<u64, Broken> {
        let (clock, disk) = self.disk();
        let mut office = self.office.moved(self.lab.on(&disk), &clock);
        disk.fail(verb, nth, error);
        let act = std::panic::AssertUnwindSafe(|| (self.scenario.act)(&mut office));
        let ended = std::panic::catch_unwind(act);
        let panicked = |_| Broken { law: "K10", found: "a panic in the command".to_owned() };
        // Whether it worked is not asked: what it promised is in `office`.
        let _promised = ended.map_err(panicked)?;
        let mut left = vec![disk.image()];
        let history = disk.history();
        history.visit_crashes_from(history.steps.len(), profile::seed(), 1, &mut |_, image| {
            if left.len() <= CUTS {
                left.push(image.clone());
            }
        });
        let count = left.len() as u64;
        for image in left {
            let later = Timestamp::from_unix_ms(clock.now().unix_ms + 60_000);
            let mut state = DefaultHasher::new();
            visible_digest(&image).hash(&mut state);
            let clock = Arc::new(ManualClock::new(later));
            let disk = Arc::new(SimDisk::from_image(Arc::clone(&clock) as _, image));
            let mut after = office.moved(self.lab.on(&disk), &clock);
            laws::forget_later(&mut after, Moment::MAX);
            hash_promises(&after, later, &mut state);
            if seen.insert(state.finish()) {
                laws::hold(&mut after)?;
            }
        }
        Ok(count)
    }
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub pairs: u64,
    pub states: u64,
}

/// Every call and every error of it.
///
/// # Errors
/// The first broken law, with its case.
pub fn fail_all(lab: Lab, scenario: &Scenario, stride: u64) -> Result<Tally, (Broken, String)> {
    let errors: Vec<_> = VERBS
        .iter()
        .flat_map(|verb| errors_of(*verb).iter().map(|error| (*verb, *error)))
        .collect();
    fail(lab, scenario, (&errors, stride))
}

fn fail(
    lab: Lab,
    scenario: &Scenario,
    (errors, stride): (&[(DiskVerb, SimError)], u64),
) -> Result<Tally, (Broken, String)> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(START_MS)));
    let disk = Arc::new(SimDisk::new(Arc::clone(&clock) as _));
    let mut office = lab.office(&disk, &clock, profile::seed());
    (scenario.prepare)(&mut office).expect(scenario.name);
    let bench = Bench { lab, scenario, office, start: disk.image() };
    let (clock, clean) = bench.disk();
    let mut office = bench.office.moved(lab.on(&clean), &clock);
    (scenario.act)(&mut office).expect(scenario.name);
    let (mut tally, mut number) = (Tally::default(), profile::seed());
    let mut seen = HashSet::new();
    for (verb, error) in errors {
        for nth in 1..=clean.call_count(*verb) {
            number += 1;
            let case = format!("{} {verb:?} {nth} {error:?}", scenario.name);
            let is_asked = profile::case().is_none_or(|wanted| wanted == case);
            if number.is_multiple_of(stride) && is_asked {
                tally.pairs += 1;
                let fired = bench.fire((*verb, nth), *error, &mut seen);
                tally.states += fired.map_err(|broken| (broken, case))?;
            }
        }
    }
    Ok(tally)
}

/// A machine backs up, maybe in vain, and then another one backs up the same files.
fn after_another(office: &mut Office) -> Result<(), String> {
    scenarios::mutate(office, 0);
    let first = office.backup(0);
    office.desks[1].tree = office.desks[0].tree.clone();
    office.backup(1)?;
    first.map(drop)
}

/// Barriers that fail and lose what they covered, in the first of two machines or in the second.
pub fn fail_barriers(lab: Lab) -> Result<Tally, (Broken, String)> {
    let scenario =
        Scenario { name: "after_another", prepare: scenarios::two_desks, act: after_another };
    fail(lab, &scenario, (&[(DiskVerb::SyncAll, SimError::SyncLost)], 1))
}

#[test]
fn what_a_failed_barrier_lost_is_relied_on_by_nobody() {
    let clock = SystemClock::new();
    let tally = fail_barriers(Lab::HONEST);
    let tally = tally.unwrap_or_else(|(broken, case)| panic!("{broken}, {case}"));
    assert!(tally.pairs >= 4, "{tally:?}");
    let counts = [("trials", tally.states), ("barriers", tally.pairs), ("failures", 0)];
    profile::report("h2", "disk after_another", clock.elapsed(), &counts);
}

/// Fails all calls as the profile says, and reports.
pub fn run(scenario: &Scenario) {
    let clock = SystemClock::new();
    let stride = Profile::of_process().pick(29, 1, 1);
    let tally = fail_all(Lab::HONEST, scenario, stride).unwrap_or_else(|(broken, case)| {
        panic!(
            "{broken}\nreplay: LIFEBOAT_TEST_SEED={} LIFEBOAT_TEST_CASE='{case}' cargo test \
             --features testing harness::scenarios::disk_failed::{}",
            profile::seed(),
            scenario.name
        )
    });
    let counts = [
        ("trials", tally.states),
        ("pairs_possible", tally.pairs),
        ("pairs_hit", tally.pairs),
        ("failures", 0),
    ];
    profile::report("h2", &format!("disk {}", scenario.name), clock.elapsed(), &counts);
}
