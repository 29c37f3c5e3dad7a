//! Restores: a kill or a power cut after each change of the target, and each change failing.

use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

use lifeboat::clock::Clock;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::format::object::Ref;
use lifeboat::restore::Overwrite;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::target::TargetErrorKind;
use lifeboat::target::UNSETTLED_TIME;
use lifeboat::target::fault::FaultTarget;
use lifeboat::units::Timestamp;

use crate::support::Random;
use crate::support::profile;
use crate::support::profile::Profile;

use super::laws;
use super::laws::restore_as;
use super::model::Tree;
use super::office::Now;
use super::office::Office;
use super::office::Open;
use super::office::Reader;
use super::target::Change;
use super::target::MemoryTarget;
use super::target::Standings;

/// A repository with an older and a newer snapshot of one tree.
struct Scene {
    reader: Reader,
    roots: [Ref; 2],
    trees: [Arc<Tree>; 2],
}

impl Scene {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(1_800_000_000_000)));
        let memory = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
        let open: Open = Arc::new(move |_, _| Ok(Arc::clone(&memory) as _));
        let doors = (open, Arc::new(|| 0_usize) as Now);
        let mut office = Office::new(&clock, doors, seed);
        office.add_desk("one");
        office.init("first").unwrap();
        office.backup(0).unwrap();
        office.desks[0].tree.mutate(&mut Random::new(seed));
        office.backup(0).unwrap();
        let reader = office.reader().unwrap();
        let roots = [0, 1].map(|attempt| laws::root_of(&office, &reader, attempt).unwrap());
        let trees = [0, 1].map(|attempt: usize| Arc::clone(&office.known.attempts[attempt].tree));
        Self { reader, roots, trees }
    }

    /// A target that holds the older snapshot.
    fn older(&self) -> MemoryTarget {
        let target = MemoryTarget::new();
        laws::restore_to(&self.reader, &self.roots[0], &target).unwrap();
        MemoryTarget::holding(target.standings())
    }

    /// Restores the newer snapshot over what stands, and says what is wrong with the result.
    fn resume(&self, standings: Standings, overwrite: Overwrite) -> Result<(), String> {
        let target = MemoryTarget::holding(standings);
        restore_as(&self.reader, &self.roots[1], &target, overwrite)?;
        let mut found = target.standings().things();
        found.retain(|path, _| self.trees[1].things.contains_key(path));
        self.trees[1].difference(&found).map_or(Ok(()), Err)
    }

    /// K9: a file under a final name is whole, as it was or as it is to be; after a power cut, if
    /// its time does not say that its bytes are to be looked at.
    fn finals_are_whole(&self, standings: &Standings, ended: Ended) -> Result<(), String> {
        let doubtful = (UNSETTLED_TIME.secs, UNSETTLED_TIME.nanos);
        for (path, thing) in standings.things() {
            if ended == Ended::PowerCut && thing.mtime == doubtful {
                continue;
            }
            let is = |tree: &Tree| tree.things.get(&path).is_some_and(|t| t.bytes == thing.bytes);
            if !is(&self.trees[0]) && !is(&self.trees[1]) {
                return Err(format!("K9: `{path}` holds other bytes"));
            }
        }
        Ok(())
    }
}

/// How a restore ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// By an error, or killed.
    Early,
    PowerCut,
}

/// What a power cut does to a change that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
    /// Of a write the size is there, and zeros for the bytes.
    LengthOnly,
}

/// What a crash leaves of `changes`: all before the last barrier, of the rest what `fate` says.
fn left(start: &Standings, changes: &[Change], fate: impl Fn(usize) -> Fate) -> Standings {
    let synced = changes.iter().rposition(|change| matches!(change, Change::Sync));
    let mut standings = start.clone();
    for (at, change) in changes.iter().enumerate() {
        let fate = if synced.is_some_and(|synced| at < synced) { Fate::Kept } else { fate(at) };
        match (fate, change) {
            (Fate::Lost, _) => {}
            (Fate::LengthOnly, Change::Write { node, offset, bytes }) => {
                let bytes = vec![0; bytes.len()].into();
                standings.apply(&Change::Write { node: *node, offset: *offset, bytes });
            }
            _ => standings.apply(change),
        }
    }
    standings
}

/// One way to lose power behind `changes`.
fn cut(start: &Standings, changes: &[Change], draw: u64, random: &mut Random) -> Standings {
    let (number, victim) = (random.next(), random.below(changes.len() + 1));
    let by_chance = |at: usize, fate| if number >> (at % 64) & 1 == 0 { fate } else { Fate::Kept };
    let is_write = |at: usize| matches!(changes[at], Change::Write { .. });
    left(start, changes, |at| match draw % 6 {
        0 => by_chance(at, Fate::Lost),
        1 if at == victim => Fate::Lost,
        2 if at != victim && is_write(at) => Fate::Lost,
        3 if at >= victim => Fate::Lost,
        4 => Fate::LengthOnly,
        5 => by_chance(at, Fate::LengthOnly),
        _ => Fate::Kept,
    })
}

fn digest(standings: &Standings) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{standings:?}").hash(&mut hasher);
    hasher.finish()
}

#[derive(Default)]
struct Tally {
    states: u64,
    distinct: HashSet<u64>,
}

/// After each change: killed, so that all is there; or without power, so that any part is. The
/// first thing that is wrong.
fn crashes(
    scene: &Scene,
    target: &MemoryTarget,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<(), String> {
    let start = target.standings();
    restore_as(&scene.reader, &scene.roots[1], target, Overwrite::IfChanged)?;
    let changes = target.history();
    assert!(matches!(changes.last(), Some(Change::Sync)), "success was told without a barrier");
    let draws = Profile::of_process().pick(2, 12, 60);
    for step in 0..=changes.len() {
        let changes = &changes[..step];
        let killed = left(&start, changes, |_| Fate::Kept);
        tally.states += 1;
        tally.distinct.insert(digest(&killed));
        let at = |e| format!("killed at step {step}: {e}");
        scene.finals_are_whole(&killed, Ended::Early).map_err(at)?;
        scene.resume(killed, Overwrite::IfChanged).map_err(at)?;
        for draw in 0..draws {
            let draw = (step as u64).wrapping_add(draw);
            let cut = cut(&start, changes, draw, random);
            tally.states += 1;
            if !tally.distinct.insert(digest(&cut)) {
                continue;
            }
            let at = |e| format!("power cut at step {step}, draw {draw}: {e}");
            scene.finals_are_whole(&cut, Ended::PowerCut).map_err(at)?;
            for overwrite in [Overwrite::Always, Overwrite::IfChanged] {
                scene.resume(cut.clone(), overwrite).map_err(at)?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_restore_resumes_after_a_crash_at_every_change() {
    let clock = SystemClock::new();
    let mut tally = Tally::default();
    for round in 0..Profile::of_process().pick(1, 4, 40) {
        let scene = Scene::new(profile::seed() + round);
        let mut random = Random::new(profile::seed() + round);
        for target in [MemoryTarget::new(), scene.older()] {
            crashes(&scene, &target, &mut random, &mut tally).unwrap();
        }
    }
    let counts =
        [("trials", tally.states), ("distinct", tally.distinct.len() as u64), ("failures", 0)];
    profile::report("h3", "restore_target", clock.elapsed(), &counts);
}

/// A planted bug: times are set before the bytes are durable.
#[test]
fn times_before_a_barrier_are_caught() {
    let scene = Scene::new(profile::seed());
    let mut random = Random::new(profile::seed());
    let mut lazy = MemoryTarget::new();
    lazy.is_lazy = true;
    let caught = crashes(&scene, &lazy, &mut random, &mut Tally::default());
    assert!(caught.is_err_and(|why| why.starts_with("power cut")));
}

#[test]
fn a_restore_survives_each_change_failing() {
    let clock = SystemClock::new();
    let scene = Scene::new(profile::seed());
    let (mut trials, mut possible) = (0_u64, 0);
    for (fresh, kind) in [true, false].into_iter().flat_map(|fresh| {
        [TargetErrorKind::Full, TargetErrorKind::Denied, TargetErrorKind::Other]
            .map(|kind| (fresh, kind))
    }) {
        let start = if fresh { Standings::default() } else { scene.older().standings() };
        for fail_count in [1, u64::MAX] {
            let mut at = 0;
            loop {
                let inner = MemoryTarget::holding(start.clone());
                let target = FaultTarget::failing(inner.clone(), (at, fail_count), kind);
                let ended =
                    restore_as(&scene.reader, &scene.roots[1], &target, Overwrite::IfChanged);
                let was_met = target.changes_count() > at;
                let standings = inner.standings();
                scene.finals_are_whole(&standings, Ended::Early).unwrap();
                if !was_met {
                    ended.unwrap();
                    break;
                }
                trials += 1;
                possible += 1;
                // Nothing that failed is called done, but what only failed to be tidied up.
                if ended.is_ok() {
                    let same = scene.resume(standings.clone(), Overwrite::Never);
                    same.unwrap_or_else(|e| panic!("{kind:?} at {at} was called done: {e}"));
                }
                scene
                    .resume(standings, Overwrite::IfChanged)
                    .unwrap_or_else(|e| panic!("{kind:?} at {at}: {e}"));
                at += 1;
            }
        }
    }
    let counts =
        [("trials", trials), ("pairs_possible", possible), ("pairs_hit", trials), ("failures", 0)];
    profile::report("h2", "target restore", clock.elapsed(), &counts);
}
