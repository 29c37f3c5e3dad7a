//! Restores while somebody swaps parts of the target (H11), and restores of hostile snapshots.
//! Whatever happens in the target, nothing beside it changes.

mod attacked;
mod hostile;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::ids::SnapshotId;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::restore::Delete;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::Replaced;
use lifeboat::source::memory::MemorySource;

use self::attacked::Attacked;
use self::attacked::Attacker;
use self::attacked::How;
use crate::support::Random;
use crate::support::compare::Tree;
use crate::support::compare::differences;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::support::tally::Watch;
use crate::world::World;
use crate::world::fast_folder;
use crate::world::folder_target;
use crate::world::restore_options;

/// Two snapshots, and beside each target a folder that looks just like the newer one.
struct Arena {
    world: World,
    older: SnapshotId,
    newer: SnapshotId,
    names: Vec<String>,
    base: tempfile::TempDir,
    /// What lies beside the target, as it has to stay.
    canary: Tree,
}

fn source(version: u64) -> MemorySource {
    let source = MemorySource::default();
    let mut random = Random::new(version);
    for folder in ["a", "a/b", "a/b/c", "d"] {
        source.put_meta(folder, Meta::plain(Kind::Directory, 0), b"");
        for (name, size) in [("small", 40), ("empty", 0), ("large", 3000)] {
            let path = format!("{folder}/{name}");
            source.put(&path, &random.bytes(size), 1_700_000_000);
            source.edit(&path, |meta| meta.mode = 0o4755);
        }
        // Both versions have the same in this one, so that a restore leaves it alone.
        source.put(&format!("{folder}/same"), b"the same in both", 1_600_000_000);
    }
    let mut meta = Meta::plain(Kind::File, 5);
    (meta.inode, meta.links_count) = (900, 2);
    for name in ["a/one", "d/two"] {
        source.put_meta(name, meta.clone(), b"twins");
    }
    source.put_meta("d/fifo", Meta::plain(Kind::Fifo, 0), b"");
    source
}

impl Arena {
    fn new() -> Self {
        let mut world = World::new();
        let machine = world.enrol("desk");
        let mut backup = |version| {
            let watched = world.run();
            let report = world.backup(&watched, &machine, (&source(version), "home")).unwrap();
            report.snapshot.unwrap().id
        };
        let (older, newer) = (backup(1), backup(2));
        let base = fast_folder();
        let outside = base.path().join("outside");
        let watched = world.run();
        let target = folder_target(&outside);
        world.restore(&watched, &newer, (&target, &restore_options())).unwrap();
        let mut names: Vec<String> = Vec::new();
        for (name, thing) in look(&outside) {
            let path = crate::support::below(&outside, &name);
            // Other rights than the snapshot's, so that a change shows.
            let mode = if thing.kind == "folder" { 0o711 } else { 0o604 };
            let rights = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(&path, rights).unwrap();
            names.extend(String::from_utf8(name).ok().filter(|name| !name.is_empty()));
        }
        let canary = look(&outside);
        Self { world, older, newer, names, base, canary }
    }

    fn outside(&self) -> PathBuf {
        self.base.path().join("outside")
    }

    /// One restore under attack; what changed outside of the target, and how many calls it made.
    fn race(&mut self, mode: usize, attack: Option<(u64, How, u64)>) -> (Vec<String>, u64) {
        let folder = self.base.path().join("target");
        let moved = self.base.path().join("moved");
        for path in [&folder, &moved] {
            if path.exists() {
                std::fs::remove_dir_all(path).unwrap();
            }
            std::fs::create_dir(path).unwrap();
        }
        let mut options = restore_options();
        if mode > 0 {
            let watched = self.world.run();
            let target = folder_target(&folder);
            self.world.restore(&watched, &self.older, (&target, &options)).unwrap();
            options = over(mode);
        }
        let attacker = Attacker::new((&folder, &moved, &self.outside()), &self.names, attack);
        let target = Attacked { inner: Box::new(folder_target(&folder)), attacker: &attacker };
        let watched = self.world.run();
        let newer = self.newer;
        let done = self.world.restore(&watched, &newer, (&target, &options));
        if let Ok(report) = &done {
            let sum = report.restored_count + report.kept_count + report.failed_count;
            assert_eq!(report.asked_count, sum, "{report:?}");
            let told = watched.problems().len() as u64;
            assert!(told >= report.failed_count, "{report:?}");
        }
        (differences(&self.canary, &look(&self.outside())), attacker.calls())
    }
}

const MODES: usize = 5;

/// Ways to restore over what stands there.
fn over(mode: usize) -> Options {
    let overwrite = match mode {
        1 | 4 => Overwrite::Always,
        2 => Overwrite::IfChanged,
        _ => Overwrite::IfNewer,
    };
    let delete = if mode == 1 { Delete::Strangers } else { Delete::Nothing };
    let replaced = if mode == 4 { Replaced::Kept } else { Replaced::Dropped };
    Options { overwrite, delete, replaced, ..restore_options() }
}

/// At each call of a restore, each kind of attack.
#[test]
fn nothing_beside_the_target_changes_whatever_is_swapped_in_it() {
    let seed = 7;
    let mut tally = Tally::start("h11-races", seed);
    let (quick, gate, long) = ((2500, 30), (u64::MAX, 110), (u64::MAX, 3600));
    let (races_max, seconds_max) = Profile::of_process().pick(quick, gate, long);
    let watch = Watch::start();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|thread| {
                scope.spawn(move || {
                    let until =
                        |races| races < races_max / 2 && watch.elapsed().as_secs() < seconds_max;
                    races(seed + thread, until)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut found = Vec::new();
    for (counts, failures) in results {
        for (what, n) in counts {
            tally.trials += n;
            tally.count(what, n);
        }
        found.extend(failures);
    }
    tally.failures = found.len() as u64;
    tally.finish();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(tally.trials >= 1000, "only {} races", tally.trials);
}

type Counts = BTreeMap<&'static str, u64>;

fn races(seed: u64, go_on: impl Fn(u64) -> bool) -> (Counts, Vec<String>) {
    let mut arena = Arena::new();
    let mut random = Random::new(seed);
    let calls: Vec<u64> = (0..MODES).map(|mode| arena.race(mode, None).1).collect();
    let (mut counts, mut found, mut races) = (BTreeMap::new(), Vec::new(), 0);
    while go_on(races) && found.len() < 5 {
        let mode = random.below(MODES);
        let how = How::ALL[random.below(How::ALL.len())];
        let attack = (1 + random.next() % calls[mode], how, random.next());
        let (changed, _) = arena.race(mode, Some(attack));
        if !changed.is_empty() {
            found.push(format!("mode {mode} attack {attack:?}: {changed:#?}"));
            arena = Arena::new();
        }
        *counts.entry(how.name()).or_default() += 1;
        races += 1;
    }
    (counts, found)
}

/// The same by a thread that never rests, with two workers.
#[test]
fn an_attacker_that_never_rests_reaches_nothing() {
    let rounds = Profile::of_process().pick(60, 5000, 100_000);
    let mut tally = Tally::start("h11-thread-races", 3);
    let mut arena = Arena::new();
    let strikes = AtomicU64::new(0);
    for round in 0..rounds {
        let folder = arena.base.path().join(format!("target-{}", round % 2));
        let moved = arena.base.path().join(format!("moved-{}", round % 2));
        for path in [&folder, &moved] {
            if path.exists() {
                std::fs::remove_dir_all(path).unwrap();
            }
            std::fs::create_dir(path).unwrap();
        }
        let options = Options {
            threads_count: 2,
            ..if round % 2 == 0 { restore_options() } else { over(1) }
        };
        let attacker = Attacker::new((&folder, &moved, &arena.outside()), &arena.names, None);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let watched = arena.world.run();
        std::thread::scope(|scope| {
            let (stop, strikes) = (&stop, &strikes);
            scope.spawn(move || {
                let mut random = Random::new(round);
                while !stop.load(Ordering::Relaxed) {
                    attacker.strike(How::ALL[random.below(How::ALL.len())], &mut random);
                    strikes.fetch_add(1, Ordering::Relaxed);
                }
            });
            let target = folder_target(&folder);
            let newer = arena.newer;
            let done = arena.world.restore(&watched, &newer, (&target, &options));
            stop.store(true, Ordering::Relaxed);
            drop(done);
        });
        tally.trials += 1;
        let changed = differences(&arena.canary, &look(&arena.outside()));
        tally.failures += u64::from(!changed.is_empty());
        if !changed.is_empty() {
            tally.finish();
            panic!("round {round}: {changed:#?}");
        }
    }
    tally.count("strikes", strikes.into_inner());
    tally.finish();
}

/// duplicacy #691: content is written through a link that stands in the target.
#[test]
fn duplicacy_691_write_through_link_is_caught() {
    let watch = Watch::start();
    let mut arena = Arena::new();
    let folder = arena.base.path().join("target");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(arena.outside().join("a"), folder.join("a")).unwrap();
    let target = attacked::ThroughLinks { inner: folder_target(&folder), root: folder.clone() };
    let watched = arena.world.run();
    let newer = arena.newer;
    let _either = arena.world.restore(&watched, &newer, (&target, &over(3)));
    let changed = differences(&arena.canary, &look(&arena.outside()));
    assert!(changed.iter().any(|line| line.starts_with("a/small: mtime")), "{changed:#?}");
    profile::caught("duplicacy-691-write-through-link", watch);
}

/// The attacks do something: without the product's care the canary would change.
#[test]
fn the_attacks_reach_what_a_careless_program_touches() {
    let arena = Arena::new();
    let folder = arena.base.path().join("target");
    let moved = arena.base.path().join("moved");
    for how in How::ALL {
        for path in [&folder, &moved] {
            let _none_yet = std::fs::remove_dir_all(path);
            std::fs::create_dir(path).unwrap();
        }
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        for name in ["a/small", "a/b/small"] {
            generate::put(&folder.join(name), b"before");
        }
        let attacker = Attacker::new((&folder, &moved, &arena.outside()), &arena.names, None);
        let before = look(&folder);
        let mut random = Random::new(1);
        for _ in 0..20 {
            attacker.strike(how, &mut random);
        }
        assert!(!differences(&before, &look(&folder)).is_empty(), "{how:?} did nothing");
        assert_eq!(differences(&arena.canary, &look(&arena.outside())), Vec::<String>::new());
    }
}

/// Everything below a folder, following nothing.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let Ok(rows) = std::fs::read_dir(&folder) else { continue };
        for path in rows.filter_map(Result::ok).map(|row| row.path()) {
            if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
                waiting.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}
