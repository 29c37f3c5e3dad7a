//! H3: a crash after every operation of the simulated disk, in every way to lose what was not
//! synced, and again inside the recovery.

use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::path::Path;
use std::sync::Arc;

use lifeboat::clock::Clock;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::disk::Disk;
use lifeboat::disk::sim::Manner;
use lifeboat::disk::sim::SimDisk;
use lifeboat::disk::sim::crash::CrashPoint;
use lifeboat::disk::sim::image::Image;
use lifeboat::storage::Storage;
use lifeboat::storage::folder::FolderStorage;
use lifeboat::units::Timestamp;

use crate::support::profile;
use crate::support::profile::Profile;

use super::laws;
use super::laws::Broken;
use super::office::Now;
use super::office::Office;
use super::office::Open;
use super::office::Opening;
use super::scenarios::Scenario;

pub const START_MS: i64 = 1_800_000_000_000;

/// What goes round the storage of every process: a planted bug.
pub type Wrap = fn(Arc<dyn Storage>) -> Arc<dyn Storage>;
/// The same beneath the storage.
pub type WrapDisk = fn(Arc<dyn Disk>) -> Arc<dyn Disk>;

/// The disk and what stands on it.
#[derive(Clone, Copy)]
pub struct Lab {
    pub manner: Manner,
    pub wrap: Wrap,
    pub wrap_disk: WrapDisk,
}

impl Lab {
    pub const HONEST: Self =
        Self { manner: Manner::Honest, wrap: |storage| storage, wrap_disk: |disk| disk };

    /// How a process opens the storage on a disk, and how the disk counts.
    pub fn on(self, disk: &Arc<SimDisk>) -> (Open, Now) {
        let (counted, disk) = (Arc::clone(disk), Arc::clone(disk));
        let open: Open = Arc::new(move |run, opening| {
            let disk = (self.wrap_disk)(Arc::clone(&disk) as _);
            let root = Path::new("/repository");
            let storage = match opening {
                Opening::Existing => FolderStorage::open(run, disk, root)?,
                Opening::New => FolderStorage::create(run, disk, root)?,
            };
            Ok((self.wrap)(Arc::new(storage)))
        });
        (open, Arc::new(move || counted.step_count()))
    }

    pub fn office(self, disk: &Arc<SimDisk>, clock: &Arc<ManualClock>, seed: u64) -> Office {
        Office::new(clock, self.on(disk), seed)
    }
}

/// How much is tried of one scenario.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub distinct: u64,
    pub random: usize,
    /// One judged state in so many is crashed again in its recovery.
    pub recover_every: u64,
    /// States tried in one recovery.
    pub recovery_states: u64,
    pub seconds_max: u64,
}

impl Effort {
    pub fn of(profile: Profile) -> Self {
        Self {
            distinct: profile.pick(700, 9_500, 400_000),
            random: profile.pick(8, 60, 200),
            recover_every: 40,
            recovery_states: profile.pick(8, 24, 60),
            seconds_max: profile.pick(15, 120, 7200),
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub states: u64,
    pub distinct: u64,
    /// States that a program can tell apart from all others.
    pub judged: u64,
    pub recovery: u64,
    pub rounds: u64,
}

/// Whether it is the first crash, or one while the first was got over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Depth {
    First,
    Recovery,
}

/// A broken law, and where.
#[derive(Debug)]
pub struct Failure {
    pub broken: Broken,
    pub case: String,
}

struct Enumeration<'a> {
    lab: Lab,
    scenario: &'a Scenario,
    effort: Effort,
    seed: u64,
    clock: SystemClock,
    tally: Tally,
    distinct: HashSet<u64>,
    judged: HashSet<u64>,
}

/// Runs a scenario and tries the laws on every state that a crash may leave, round by round with
/// other trees and other draws.
///
/// # Errors
/// The first broken law.
pub fn enumerate(lab: Lab, scenario: &Scenario, effort: Effort) -> Result<Tally, Failure> {
    let seed = profile::seed();
    let clock = SystemClock::new();
    let (distinct, judged) = (HashSet::new(), HashSet::new());
    let tally = Tally::default();
    let mut all = Enumeration { lab, scenario, effort, seed, clock, tally, distinct, judged };
    while !all.is_done() {
        all.seed = seed + all.tally.rounds;
        let before = all.tally.distinct;
        all.round()?;
        all.tally.rounds += 1;
        if all.tally.distinct - before < 10 {
            // What writes nothing has one state, and one round shows it.
            break;
        }
    }
    Ok(all.tally)
}

impl Enumeration<'_> {
    fn is_done(&self) -> bool {
        self.tally.distinct >= self.effort.distinct
            || self.clock.elapsed().as_secs() >= self.effort.seconds_max
    }

    fn round(&mut self) -> Result<(), Failure> {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(START_MS)));
        let disk = Arc::new(SimDisk::new(Arc::clone(&clock) as _));
        let mut office = self.lab.office(&disk, &clock, self.seed);
        (self.scenario.prepare)(&mut office).expect(self.scenario.name);
        let start = disk.image();
        let disk = SimDisk::from_image(Arc::clone(&clock) as _, start);
        let disk = Arc::new(disk.with_manner(self.lab.manner));
        let mut office = office.moved(self.lab.on(&disk), &clock);
        (self.scenario.act)(&mut office).expect(self.scenario.name);
        self.crashes(&disk, &office, None)
    }

    /// Every crash of what happened on `disk`; for recoveries some, after the one at `first`.
    fn crashes(
        &mut self,
        disk: &SimDisk,
        office: &Office,
        first: Option<CrashPoint>,
    ) -> Result<(), Failure> {
        let depth = if first.is_some() { Depth::Recovery } else { Depth::First };
        let history = disk.history();
        let random = if first.is_some() { 2 } else { self.effort.random };
        let left = self.effort.recovery_states;
        let stride = (history.steps.len() as u64 * 8 / left.max(1)).max(1);
        let (mut failure, mut number) = (None, self.seed % stride);
        let wanted = profile::case();
        history.visit_crashes(self.seed, random, &mut |point, image| {
            number += 1;
            let is_sampled = first.is_none() || number.is_multiple_of(stride);
            if failure.is_some() || !is_sampled || (first.is_none() && self.is_done()) {
                return;
            }
            self.tally.states += 1;
            let case = format!("{} {} {first:?} {point:?}", self.scenario.name, self.seed);
            if first.is_none() && wanted.as_ref().is_some_and(|wanted| *wanted != case) {
                return;
            }
            if let Err(broken) = self.state(office, (point, image), depth) {
                failure = Some(Failure { broken, case });
            }
        });
        failure.map_or(Ok(()), Err)
    }

    fn state(
        &mut self,
        office: &Office,
        (point, image): (CrashPoint, &Image),
        depth: Depth,
    ) -> Result<(), Broken> {
        let promised = office.promises_until(point.step_count);
        let key = |digest: u64| {
            let mut hasher = DefaultHasher::new();
            (digest, promised, self.seed, depth).hash(&mut hasher);
            hasher.finish()
        };
        if !self.distinct.insert(key(image.digest())) {
            return Ok(());
        }
        if depth == Depth::Recovery {
            self.tally.recovery += 1;
        } else {
            self.tally.distinct += 1;
        }
        let visible = key(visible_digest(image));
        if !self.judged.insert(visible) {
            return Ok(());
        }
        self.tally.judged += 1;
        self.judge(office, (point, image), (visible, depth))
    }

    fn judge(
        &mut self,
        office: &Office,
        (point, image): (CrashPoint, &Image),
        (number, depth): (u64, Depth),
    ) -> Result<(), Broken> {
        let later = office.clock.now().unix_ms + 60_000;
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(later)));
        let disk = Arc::new(SimDisk::from_image(Arc::clone(&clock) as _, image.clone()));
        let mut after = office.moved(self.lab.on(&disk), &clock);
        after.random_seed = number;
        laws::forget_later(&mut after, point.step_count);
        after.vary(number);
        laws::hold(&mut after).inspect_err(|_| keep(self.scenario.name, image))?;
        let again = depth == Depth::First && number.is_multiple_of(self.effort.recover_every);
        if again {
            return self.crashes(&disk, &after, Some(point)).map_err(|failure| Broken {
                found: format!("{}; in recovery: {}", failure.broken.found, failure.case),
                ..failure.broken
            });
        }
        Ok(())
    }
}

/// Equal for images that no program can tell apart: leftovers of writers are seen by nobody.
pub fn visible_digest(image: &Image) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (path, content) in image.files() {
        if !path.windows(6).any(|part| part == b"/.tmp-") {
            (path, content).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Keeps a failing image as a folder, for looking at it.
fn keep(name: &str, image: &Image) {
    let root = profile::folder().join("failing").join(name);
    drop(std::fs::remove_dir_all(&root));
    for (path, content) in image.files() {
        let path = crate::support::below(&root, &path[1..]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut options = std::fs::File::options();
        let mut file = options.create(true).truncate(true).write(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, &content).unwrap();
    }
}

/// Enumerates as the profile says, reports, and fails with the line that replays a failure.
pub fn run(scenario: &Scenario) {
    let clock = SystemClock::new();
    let tally = match enumerate(Lab::HONEST, scenario, Effort::of(Profile::of_process())) {
        Ok(tally) => tally,
        Err(Failure { broken, case }) => {
            let seed = case.split(' ').nth(1).unwrap();
            panic!(
                "{broken}\nreplay: LIFEBOAT_TEST_SEED={seed} LIFEBOAT_TEST_CASE='{case}' \
                 cargo test --features testing harness::scenarios::crashed::{}",
                scenario.name
            );
        }
    };
    let counts = [
        ("trials", tally.states),
        ("distinct", tally.distinct),
        ("judged", tally.judged),
        ("in_recovery", tally.recovery),
        ("rounds", tally.rounds),
        ("failures", 0),
    ];
    profile::report("h3", scenario.name, clock.elapsed(), &counts);
}
