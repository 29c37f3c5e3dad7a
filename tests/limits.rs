//! Real limits (H12): memory disks of 4 to 64 MiB as storage, cache and target, in a mount
//! namespace of their own; limits of memory and open files; a medium that turns read-only; ways of
//! keeping access times.
//!
//! Where nothing can be mounted these are not run, and the figures say so.

mod disk;

use crate::support::Random;
use crate::support::compare::assert_alike;
use crate::support::compare::look;
use crate::support::generate::put;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::support::tally::Watch;

use disk::Disk;
use disk::Told;

const MIB: u64 = 1 << 20;
/// Memory disks are given out in pages.
const PAGE: u64 = 4096;
const PRUNE: [&str; 6] = ["prune", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"];

/// A command that needs room on the disk.
struct Trial {
    name: &'static str,
    /// Makes the state that it starts from: what lies in `disk/`.
    prepare: fn(&Disk),
    arguments: &'static [&'static str],
    /// Codes of the end when there is room.
    well: &'static [i32],
    /// Works with no room at all.
    needs_nothing: bool,
}

const TRIALS: [Trial; 9] = [
    Trial {
        name: "backup",
        prepare: two_snapshots,
        arguments: &["backup", "source"],
        well: &[0],
        needs_nothing: false,
    },
    Trial {
        name: "prune",
        prepare: one_removed,
        arguments: &PRUNE,
        well: &[0],
        needs_nothing: true,
    },
    Trial {
        name: "prune-later",
        prepare: one_removed,
        arguments: &["prune", "--max-delete", "100%", "--max-unused", "0%"],
        // Something may stay for want of room, and is told.
        well: &[0, 3],
        needs_nothing: true,
    },
    Trial {
        name: "forget",
        prepare: two_snapshots,
        arguments: &["forget", "--keep-last", "1"],
        well: &[0],
        needs_nothing: true,
    },
    Trial {
        name: "restore",
        prepare: two_snapshots,
        arguments: &["restore", "latest", "--target", "disk/back"],
        well: &[0],
        needs_nothing: false,
    },
    Trial {
        name: "copy",
        prepare: empty_twin,
        arguments: &["copy", "--to", "disk/twin"],
        well: &[0],
        needs_nothing: false,
    },
    Trial {
        name: "tag",
        prepare: two_snapshots,
        arguments: &["tag", "--add", "kept", "latest"],
        well: &[0],
        needs_nothing: false,
    },
    Trial {
        name: "repair",
        prepare: one_copy_lost,
        arguments: &["repair"],
        well: &[0],
        needs_nothing: false,
    },
    Trial { name: "init", prepare: |_| {}, arguments: &["init"], well: &[0], needs_nothing: false },
];

fn tree(disk: &Disk) {
    for n in 0..40_u64 {
        let name = disk.path(&format!("source/d{}/file-{n}", n % 3));
        std::fs::create_dir_all(name.parent().unwrap()).unwrap();
        put(&name, &Random::new(n).bytes(2000));
    }
    put(&disk.path("source/large"), &Random::new(99).bytes(300_000));
}

/// Two snapshots, and a change that the next one has to store.
fn two_snapshots(disk: &Disk) {
    tree(disk);
    disk.expect(&[0], &["init"]);
    disk.expect(&[0], &["backup", "source"]);
    put(&disk.path("source/large"), &Random::new(98).bytes(300_000));
    disk.expect(&[0], &["backup", "source"]);
    put(&disk.path("source/larger"), &Random::new(97).bytes(500_000));
}

fn one_removed(disk: &Disk) {
    two_snapshots(disk);
    disk.expect(&[0], &["forget", "--keep-last", "1"]);
}

/// The original stands outside, and a twin without snapshots on the disk.
fn empty_twin(disk: &Disk) {
    tree(disk);
    disk.expect(&[0], &["init", "-r", "outside"]);
    disk.expect(&[0], &["backup", "-r", "outside", "source"]);
    disk.expect(&[0], &["init", "--twin-of", "outside", "-r", "disk/twin"]);
}

fn one_copy_lost(disk: &Disk) {
    two_snapshots(disk);
    for name in disk.files("repository/manifests.2") {
        std::fs::remove_file(name).unwrap();
    }
}

impl Trial {
    fn repository(&self) -> &'static str {
        if self.name == "copy" { "outside" } else { "disk/repository" }
    }

    /// Runs with so much room; what went wrong. `false` if there was too little.
    fn run(&self, (size, room): (u64, u64)) -> Result<bool, String> {
        let disk = Disk::new(&format!("size={size}")).ok_or("no memory disk can be mounted")?;
        (self.prepare)(&disk);
        disk.fill(room);
        let told = disk.run(self.repository(), self.arguments);
        let is_well = told.code.is_some_and(|code| self.well.contains(&code));
        if !is_well {
            told.assert_full()?;
        }
        if self.needs_nothing && !is_well {
            return Err(format!("it needs room: {told}"));
        }
        disk.empty();
        if !is_well {
            let again = disk.run(self.repository(), self.arguments);
            let is_well = again.code.is_some_and(|code| self.well.contains(&code));
            is_well.then_some(()).ok_or_else(|| format!("not even with room: {again}"))?;
        }
        self.look(&disk)?;
        Ok(is_well)
    }

    /// Whether all is whole in the end.
    fn look(&self, disk: &Disk) -> Result<(), String> {
        let place = if self.name == "copy" { "disk/twin" } else { "disk/repository" };
        let told = disk.run(place, &["check", "--read-data"]);
        if told.code != Some(0) {
            return Err(format!("check: {told}"));
        }
        if self.name == "restore" {
            let larger = disk.path("source/larger");
            std::fs::remove_file(larger).unwrap();
            assert_alike("back", &look(&disk.path("source")), &look(&disk.inside("back/source")));
        }
        Ok(())
    }

    /// What it needs when there is enough.
    fn need(&self) -> Option<u64> {
        let disk = Disk::new(&format!("size={}", 64 * MIB))?;
        (self.prepare)(&disk);
        let before = disk.room();
        let told = disk.run(self.repository(), self.arguments);
        assert!(told.code.is_some_and(|code| self.well.contains(&code)), "{}: {told}", self.name);
        // What a temporary needed on the way is gone by now.
        Some(2 * before.saturating_sub(disk.room()) + 64 * PAGE)
    }
}

/// Space runs out at every write: the command says so or succeeds, loses nothing, and ends well as
/// soon as there is room.
#[test]
fn space_runs_out_at_each_write() {
    let mut tally = Tally::start("h12-space", profile::seed());
    let (trials, steps) = Profile::of_process().pick((3, 8), (9, 40), (9, 100));
    let sizes = [4, 8, 16, 32, 64].map(|size| size * MIB);
    let mut failed = Vec::new();
    for trial in TRIALS.iter().take(trials) {
        let Some(need) = trial.need() else {
            tally.count("not_run", 1);
            tally.finish();
            return;
        };
        for step in 0..steps {
            let room = need * step / steps / PAGE * PAGE;
            let size = sizes[usize::try_from(step).unwrap() % sizes.len()];
            tally.trials += 1;
            match trial.run((size, room)) {
                Ok(true) => tally.count("had_room", 1),
                Ok(false) => tally.count("ran_out", 1),
                Err(why) => failed.push(format!("{} with {room} bytes: {why}", trial.name)),
            }
        }
    }
    tally.failures = failed.len() as u64;
    tally.count("commands", u64::try_from(trials).unwrap());
    tally.count("disks", sizes.len() as u64);
    tally.finish();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Nothing is free at all, again and again: removing snapshots and giving space back go on, and
/// give back what a prune with room gives back.
#[test]
fn a_full_disk_is_pruned() {
    let mut tally = Tally::start("h12-prune", profile::seed());
    let sizes = Profile::of_process().pick(&[8][..], &[6, 8, 12, 16, 24, 32], &[6, 8, 16, 32, 64]);
    for size in sizes {
        let options = format!("size={}", size * MIB);
        let (Some(full), Some(roomy)) = (Disk::new(&options), Disk::new(&options)) else {
            tally.count("not_run", 1);
            tally.finish();
            return;
        };
        two_snapshots(&full);
        two_snapshots(&roomy);
        for round in 0..3_u64 {
            for disk in [&full, &roomy] {
                let large = Random::new(200 + round).bytes(700_000);
                put(&disk.path("source/large"), &large);
                put(&disk.path(&format!("source/new-{round}")), &Random::new(round).bytes(9000));
                disk.expect(&[0], &["backup", "source"]);
            }
            full.fill(0);
            for disk in [&full, &roomy] {
                disk.expect(&[0], &["forget", "--keep-last", "1"]);
                disk.expect(&[0], &PRUNE);
            }
            let (given_back, most) = (full.blob_bytes(), roomy.blob_bytes());
            assert!(given_back * 100 <= most * 105, "{given_back} bytes are left of {most}");
            tally.count("bytes_freed_at_none", full.room());
            // What was kept back is kept back again, and there is nothing to give back.
            full.fill(0);
            full.expect(&[0], &["forget", "--keep-last", "1"]);
            full.expect(&[0], &PRUNE);
            assert!(full.blob_bytes() <= given_back, "round {round}");
            full.empty();
            full.expect(&[0], &["check", "--read-data"]);
            let back = format!("back-{round}");
            full.expect(&[0], &["restore", "latest", "--target", &back]);
            let restored = look(&full.path(&format!("{back}/source")));
            assert_alike(&back, &look(&full.path("source")), &restored);
            tally.trials += 2;
        }
    }
    tally.finish();
}

/// borg #9573: whoever keeps no room back cannot even remove something on a full disk.
#[test]
fn a_full_disk_without_room_kept_back_is_caught() {
    let watch = Watch::start();
    let Some(disk) = Disk::new(&format!("size={}", 8 * MIB)) else { return };
    one_removed(&disk);
    for reserve in [".reserve-removal", ".reserve-prune"] {
        std::fs::remove_file(disk.inside(&format!("repository/{reserve}"))).unwrap();
    }
    disk.fill(0);
    let told = disk.run("disk/repository", &PRUNE);
    assert_eq!(told.code, Some(1), "{told}");
    told.assert_full().unwrap();
    disk.empty();
    disk.expect(&[0], &PRUNE);
    disk.expect(&[0], &["check", "--read-data"]);
    profile::caught("borg-9573-no-room-to-delete", watch);
}

/// What is used is more than there is room for, beside something unused in one pack: that is told,
/// nothing is lost, and with room it is parted.
#[test]
fn what_cannot_be_parted_for_want_of_room_is_told() {
    let mut tally = Tally::start("h12-parted", profile::seed());
    let Some(disk) = Disk::new(&format!("size={}", 16 * MIB)) else {
        tally.count("not_run", 1);
        tally.finish();
        return;
    };
    tree(&disk);
    put(&disk.path("source/stays"), &Random::new(1).bytes(2_000_000));
    disk.expect(&[0], &["init"]);
    disk.expect(&[0], &["backup", "source"]);
    put(&disk.path("source/large"), &Random::new(2).bytes(1000));
    disk.expect(&[0], &["backup", "source"]);
    disk.fill(0);
    disk.expect(&[0], &["forget", "--keep-last", "1"]);
    let before = disk.blob_bytes();
    for _ in 0..2 {
        let told = disk.expect(&[3], &PRUNE);
        assert!(told.stderr.contains("there was no room to part them"), "{told}");
        assert!(disk.blob_bytes() <= before, "{} bytes of {before}", disk.blob_bytes());
        disk.expect(&[0], &["check", "--read-data"]);
        disk.fill(0);
        tally.trials += 1;
    }
    disk.empty();
    disk.expect(&[0], &PRUNE);
    assert!(disk.blob_bytes() + 250_000 < before, "{} bytes of {before}", disk.blob_bytes());
    disk.expect(&[0], &["check", "--read-data"]);
    tally.finish();
}

/// More snapshots go than room is kept back for: what was removed is, a prune gives its space back,
/// and the rest goes then.
#[test]
fn many_snapshots_are_removed_from_a_full_disk() {
    let mut tally = Tally::start("h12-many", profile::seed());
    let Some(disk) = Disk::new(&format!("size={}", 16 * MIB)) else {
        tally.count("not_run", 1);
        tally.finish();
        return;
    };
    disk.expect(&[0], &["init"]);
    for round in 0..75_u64 {
        put(&disk.path("source/file"), &Random::new(round).bytes(20_000));
        disk.expect(&[0], &["backup", "source"]);
    }
    let mut rounds = 0;
    loop {
        disk.fill(0);
        let forget = ["forget", "--keep-last", "1", "--accept-change"];
        let told = disk.run("disk/repository", &forget);
        disk.expect(&[0], &PRUNE);
        rounds += 1;
        if told.code == Some(0) {
            break;
        }
        told.assert_full().unwrap();
        assert!(rounds < 5, "{told}");
    }
    disk.empty();
    disk.expect(&[0], &["check", "--read-data"]);
    tally.trials = rounds;
    tally.count("rounds", rounds);
    assert!(rounds > 1, "all of them had room");
    tally.finish();
}

/// A cache that has no room costs time; what this machine cannot remember it says.
#[test]
fn a_full_cache_fails_no_backup() {
    let mut tally = Tally::start("h12-cache", profile::seed());
    let Some(disk) = Disk::new(&format!("size={}", 4 * MIB)) else {
        tally.count("not_run", 1);
        tally.finish();
        return;
    };
    tree(&disk);
    let outside = |arguments: &[&str]| {
        let mut command = disk.command("outside", arguments);
        command.env("LIFEBOAT_CACHE_DIR", disk.path("disk/cache"));
        Told::of(&mut command)
    };
    assert_eq!(outside(&["init"]).code, Some(0));
    for room in [0, PAGE, 2 * PAGE, 4 * PAGE, 16 * PAGE] {
        disk.fill(room);
        put(&disk.path("source/large"), &Random::new(room).bytes(200_000));
        for arguments in [&["backup", "source"][..], &["check"], &["snapshots"]] {
            let told = outside(arguments);
            // What this machine remembers of its newest snapshots lies there too.
            let is_told = told.code == Some(3) && told.stderr.contains("problem: local state");
            assert!(told.code == Some(0) || is_told, "{room} bytes: {told}");
            tally.trials += 1;
        }
        disk.empty();
    }
    assert_eq!(outside(&["check", "--read-data"]).code, Some(0));
    tally.finish();
}

/// Few open files and little memory: done, or said so, and nothing is lost.
#[test]
fn few_handles_and_little_memory_lose_nothing() {
    let mut tally = Tally::start("h12-limits", profile::seed());
    let disk = Disk::outside();
    tree(&disk);
    disk.expect(&[0], &["init"]);
    let mut least = [u64::MAX; 2];
    // Whoever cannot open a file now may later, so that takes its time.
    let handles: &[u64] = Profile::of_process().pick(
        &[16, 64],
        &[8, 12, 16, 24, 64],
        &[4, 6, 8, 10, 12, 14, 16, 24, 32, 64],
    );
    let handles = handles.iter().map(|n| (0, format!("--nofile={n}"), *n));
    let memory = [32, 64, 128, 256, 512, 1024].map(|n| (1, format!("--as={}", n * MIB), n));
    for (which, limit, n) in handles.chain(memory) {
        put(&disk.path("source/large"), &Random::new(n).bytes(400_000));
        let mut done = 0;
        for arguments in [&["backup", "source"][..], &["check", "--read-data"], &["ls", "latest"]] {
            let told = Told::of(&mut disk.under(&["prlimit", &limit], arguments));
            assert_ne!(told.code, Some(101), "{limit}: {told}");
            // A check that cannot open a pack must not call it damaged.
            assert_ne!(told.code, Some(20), "{limit}: {told}");
            done += u64::from(told.code == Some(0));
            tally.trials += 1;
        }
        if done == 3 {
            least[which] = least[which].min(n);
        }
        disk.expect(&[0], &["check", "--read-data"]);
    }
    tally.count("least_open_files", least[0]);
    tally.count("least_address_space_mib", least[1]);
    tally.finish();
    assert!(least[0] <= 64 && least[1] <= 1024, "{least:?}");
}

/// A medium that turns read-only under a backup, and between commands.
#[test]
fn a_medium_that_turns_read_only_loses_nothing() {
    let mut tally = Tally::start("h12-read_only", profile::seed());
    let Some(disk) = Disk::new(&format!("size={}", 32 * MIB)) else {
        tally.count("not_run", 1);
        tally.finish();
        return;
    };
    two_snapshots(&disk);
    assert!(disk.remount("ro"));
    let told = disk.run("disk/repository", &["backup", "source"]);
    assert!(told.code == Some(1) && told.stderr.contains("Read-only"), "{told}");
    disk.expect(&[0], &["check", "--read-data"]);
    disk.expect(&[0], &["restore", "latest", "--target", "back"]);
    disk.remount("rw");
    let rounds = Profile::of_process().pick(4, 20, 200);
    for round in 0..rounds {
        put(&disk.path("source/large"), &Random::new(300 + round).bytes(900_000));
        let mut child = disk.command("disk/repository", &["backup", "source"]).spawn().unwrap();
        // As soon as no file is open for writing.
        let mut is_turned = false;
        while child.try_wait().unwrap().is_none() && !is_turned {
            is_turned = disk.remount("ro");
        }
        let told = Told::from(child.wait_with_output().unwrap());
        assert!(matches!(told.code, Some(0 | 1)), "{told}");
        tally.count("turned", u64::from(is_turned));
        tally.count("failed", u64::from(told.code == Some(1)));
        tally.trials += 1;
        assert!(disk.remount("rw"));
        disk.expect(&[0], &["backup", "source"]);
        disk.expect(&[0], &["check", "--read-data"]);
        disk.expect(&[0], &["forget", "--keep-last", "1", "--accept-change"]);
        disk.expect(&[0], &PRUNE);
    }
    tally.finish();
}

/// Nothing is decided by access times, whoever keeps them and how.
#[test]
fn access_times_decide_nothing() {
    let mut tally = Tally::start("h12-access_times", profile::seed());
    for options in ["noatime", "strictatime", "relatime", "nodiratime"] {
        let Some(disk) = Disk::new(&format!("size={},{options}", 16 * MIB)) else {
            tally.count("not_run", 1);
            tally.finish();
            return;
        };
        two_snapshots(&disk);
        disk.expect(&[0], &["backup", "source"]);
        disk.expect(&[0], &["forget", "--keep-last", "1"]);
        disk.expect(&[0], &PRUNE);
        disk.expect(&[0], &["check", "--read-data"]);
        disk.expect(&[0], &["restore", "latest", "--target", "back"]);
        assert_alike(options, &look(&disk.path("source")), &look(&disk.path("back/source")));
        tally.trials += 1;
    }
    tally.finish();
}
