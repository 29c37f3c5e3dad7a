//! Kills at the n-th call of the system that changes or syncs something, by `strace`. Each round
//! ends with the program itself: the next backup works, everything restores, `check` says OK.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use lifeboat::clock::Clock;
use lifeboat::clock::SystemClock;

use crate::support::Random;
use crate::support::compare::Tree;
use crate::support::compare::assert_alike;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::mutate::mutate;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::world::fast_folder;

/// Calls that change something, or make it durable.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat,\
                     unlink,unlinkat,mkdir,mkdirat,openat,ftruncate,fchmod,fchown,utimensat";

/// What is killed, and what came before.
struct Deed {
    name: &'static str,
    prepare: fn(&Office),
    arguments: &'static [&'static str],
    after: fn(&Office),
}

const DEEDS: [Deed; 8] = [
    Deed { name: "init", prepare: |_| {}, arguments: &["init"], after: init_again },
    Deed { name: "first backup", prepare: made, arguments: &["backup", "tree"], after: |_| {} },
    Deed { name: "backup", prepare: backed_up, arguments: &["backup", "tree"], after: |_| {} },
    Deed {
        name: "restore",
        prepare: backed_up,
        arguments: &["restore", "latest", "--target", "out"],
        after: restore_again,
    },
    Deed {
        name: "restore over",
        prepare: half_restored,
        arguments: &["restore", "latest", "--target", "out"],
        after: restore_again,
    },
    Deed { name: "check", prepare: backed_up, arguments: &["check", "--read-data"], after: |_| {} },
    Deed {
        name: "key add",
        prepare: backed_up,
        arguments: &["key", "add", "--new-key-file", "new.key"],
        after: |_| {},
    },
    Deed {
        name: "key passwd",
        prepare: backed_up,
        arguments: &["key", "passwd", "--new-key-file", "new.key"],
        after: |_| {},
    },
];

/// A repository, a tree and two key files: the old one is in use. It lies in `here`, so that it can
/// be put back as it was.
struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn new(seed: u64) -> Self {
        let office = Self { folder: fast_folder() };
        std::fs::create_dir(office.path("")).unwrap();
        for (name, seed) in [("old.key", seed), ("new.key", seed + 1)] {
            generate::put(&office.path(name), &Random::new(seed).bytes(64));
        }
        let tree = office.path("tree");
        generate::small(&tree, seed);
        generate::put(&tree.join("large"), &Random::new(seed).bytes(1_500_000));
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("here").join(name)
    }

    /// Keeps everything as it is now.
    fn keep(&self) {
        self.copy("here", "kept");
    }

    /// Goes back to what was kept. The paths are the same, so the dataset is too.
    fn go_back(&self) {
        std::fs::remove_dir_all(self.path("")).unwrap();
        self.copy("kept", "here");
    }

    fn copy(&self, from: &str, to: &str) {
        let [from, to] = [from, to].map(|name| self.folder.path().join(name));
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(copied.success());
    }

    fn environment(&self, command: &mut Command, key: &str) {
        command
            .current_dir(self.path(""))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path(""))
            .env("LIFEBOAT_REPOSITORY", self.path("repository"))
            .env("LIFEBOAT_CACHE_DIR", self.path("cache"))
            .env("LIFEBOAT_KEY_FILE", self.path(key))
            .stdin(Stdio::null());
    }

    fn run_with(&self, key: &str, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.arg("--quiet").args(arguments);
        self.environment(&mut command, key);
        command.output().unwrap()
    }

    #[track_caller]
    fn expect(&self, arguments: &[&str]) {
        let output = self.run_with(self.key(), arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    }

    /// The key that opens: the old one, or the new one that took its place.
    fn key(&self) -> &'static str {
        match self.run_with("old.key", &["key", "list"]).status.code() {
            Some(12) => "new.key",
            _ => "old.key",
        }
    }

    /// The program under `strace` with these options.
    fn traced(&self, options: &[String], arguments: &[&str]) -> Command {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "signal=none"]).args(options);
        command.arg(env!("CARGO_BIN_EXE_lifeboat")).arg("--quiet").args(arguments);
        self.environment(&mut command, "old.key");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

fn made(office: &Office) {
    office.expect(&["init"]);
}

fn backed_up(office: &Office) {
    made(office);
    office.expect(&["backup", "tree"]);
    mutate(&office.path("tree"), 5, 6);
    office.expect(&["backup", "tree"]);
    mutate(&office.path("tree"), 6, 6);
}

fn half_restored(office: &Office) {
    backed_up(office);
    office.expect(&["restore", "latest", "--target", "out"]);
    mutate(&office.path("out/tree"), 7, 12);
}

fn init_again(office: &Office) {
    let code = office.run_with("old.key", &["init"]).status.code();
    // Made by the killed one already, or now; in between there is nothing.
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
}

/// The killed restore is finished by the next one, and nothing else stands there.
fn restore_again(office: &Office) {
    office.expect(&["restore", "latest", "--target", "out"]);
    let clean = office.path("clean");
    office.expect(&["restore", "latest", "--target", clean.to_str().unwrap()]);
    let mut resumed: Tree = look(&office.path("out/tree"));
    let wanted = look(&clean.join("tree"));
    resumed.retain(|name, _| wanted.contains_key(name));
    assert_alike("resumed", &wanted, &resumed);
}

/// How often each thread calls what, in one run that goes to its end.
fn calls_of(office: &Office, deed: &Deed) -> Vec<(String, u64)> {
    let log = office.path("calls.log");
    let options = ["-e".to_owned(), format!("trace={CALLS}"), "-o".to_owned()];
    let options = [&options[..], &[log.to_str().unwrap().to_owned()]].concat();
    let status = office.traced(&options, deed.arguments).status();
    let status = status.unwrap_or_else(|e| panic!("strace: {e}; install it"));
    assert!(status.success(), "{}: {status}", deed.name);
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.trim_start().split_once(' ') else { continue };
        let rest = rest.trim_start();
        let Some((call, _)) = rest.split_once('(') else { continue };
        if !call.is_empty() && call.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            *counts.entry((thread, call)).or_default() += 1;
        }
    }
    let mut most: BTreeMap<&str, u64> = BTreeMap::new();
    for ((_, call), count) in counts {
        let known = most.entry(call).or_default();
        *known = count.max(*known);
    }
    most.into_iter().map(|(call, count)| (call.to_owned(), count)).collect()
}

/// A kill as the `nth` call of this name begins; whether it came before the end.
fn kill_at(office: &Office, deed: &Deed, (call, nth): (&str, u64)) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let options = ["-e".to_owned(), format!("trace={call}"), "-e".to_owned(), inject];
    let options = [&options[..], &["-o".to_owned(), "/dev/null".to_owned()]].concat();
    !office.traced(&options, deed.arguments).status().unwrap().success()
}

/// The laws, with the program and a comparer of our own.
fn laws_hold(office: &Office, what: &str) {
    let tree = office.path("tree");
    if office.run_with("old.key", &["snapshots"]).status.code() == Some(10) {
        office.expect(&["init"]);
    }
    office.expect(&["backup", "tree"]);
    // A kill between the copies of a small record leaves the first: that is healable.
    let output = office.run_with(office.key(), &["check", "--read-data"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{told}");
    assert!(told.lines().all(|line| line.ends_with(": this copy is missing")), "{told}");
    let target = office.path("restored");
    office.expect(&["restore", "latest", "--target", target.to_str().unwrap()]);
    assert_alike(what, &look(&tree), &look(&target.join("tree")));
}

fn kills_of(deed: &Deed) {
    let clock = SystemClock::new();
    let profile = Profile::of_process();
    let mut random = Random::new(profile::seed());
    let office = Office::new(profile::seed() + 40);
    (deed.prepare)(&office);
    office.keep();
    let calls = calls_of(&office, deed);
    let sites: Vec<(&str, u64)> = calls
        .iter()
        .flat_map(|(call, count)| (1..=*count).map(move |nth| (call.as_str(), nth)))
        .collect();
    let rounds = profile.pick(4, 75, 6000);
    let mut killed = 0;
    for _ in 0..rounds {
        // First the kind of call, so that rare ones are not lost among writes.
        let (call, count) = &calls[random.below(calls.len())];
        let nth = 1 + random.next() % count;
        office.go_back();
        let what = format!("{} killed at {call} {nth}", deed.name);
        let came = kill_at(&office, deed, (call, nth));
        println!("{what}: {came}");
        killed += u64::from(came);
        (deed.after)(&office);
        laws_hold(&office, &what);
    }
    assert!(killed * 4 > rounds, "{}: {killed} of {rounds} were killed", deed.name);
    let counts = [
        ("trials", rounds),
        ("killed", killed),
        ("sites", sites.len() as u64),
        ("needed_a_human", 0),
        ("failures", 0),
    ];
    profile::report("h4", deed.name, clock.elapsed(), &counts);
}

fn named(name: &str) -> &'static Deed {
    static ALL: [Deed; 8] = DEEDS;
    ALL.iter().find(|deed| deed.name == name).expect("a deed")
}

macro_rules! deeds {
    ($($test:ident: $name:expr;)*) => {
        $(#[test]
        fn $test() {
            kills_of(named($name));
        })*
    };
}

deeds! {
    a_killed_init_is_finished: "init";
    a_killed_first_backup_hinders_nobody: "first backup";
    a_killed_backup_loses_nothing: "backup";
    a_killed_restore_is_finished_by_the_next: "restore";
    a_killed_restore_over_files_is_finished_by_the_next: "restore over";
    a_killed_check_changes_nothing: "check";
    a_killed_key_add_leaves_a_key: "key add";
    a_killed_key_change_leaves_a_key: "key passwd";
}

/// Asked to stop, a backup ends with its own exit code, and the next one uses what was sent.
#[test]
fn a_backup_that_is_asked_to_stop_keeps_what_it_sent() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let office = Office::new(90);
        made(&office);
        generate::put(&office.path("tree/large"), &Random::new(3).bytes(60_000_000));
        let packs = || look(&office.path("repository")).keys().filter(|name| is_pack(name)).count();
        // The signal comes as the third file becomes durable: the first pack is on its way.
        let inject = format!("inject=fsync,fdatasync:signal={signal}:when=3");
        let options =
            ["-e".to_owned(), "trace=fsync,fdatasync".to_owned(), "-e".to_owned(), inject];
        let options = [&options[..], &["-o".to_owned(), "/dev/null".to_owned()]].concat();
        let status = office.traced(&options, &["backup", "tree"]).status().unwrap();
        assert_eq!(status.code(), Some(code), "SIG{signal}");
        let before = packs();
        assert!(before > 0, "nothing was sent");
        office.expect(&["backup", "tree"]);
        let sizes: u64 = pack_sizes(&office.path("repository"));
        assert!(sizes < 70_000_000, "sent twice: {sizes} bytes in {} packs", packs());
        laws_hold(&office, "stopped");
    }
}

/// Asleep for longer than its neighbour needs for a check, then awake.
#[test]
fn a_backup_that_sleeps_in_the_middle_wakes_and_commits() {
    let office = Office::new(91);
    made(&office);
    let (mut slept, rounds) = (0, Profile::of_process().pick(4, 16, 200));
    for round in 0..rounds {
        mutate(&office.path("tree"), 200 + round, 3);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
        command.args(["--quiet", "backup", "tree"]);
        office.environment(&mut command, "old.key");
        let mut child = command.spawn().unwrap();
        // A receiver that nobody sends to: waiting on it is waiting for the delay.
        let (_sender, receiver) = std::sync::mpsc::channel::<()>();
        let delay = std::time::Duration::from_millis(5 << (round % 5));
        assert!(receiver.recv_timeout(delay).is_err());
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        slept += u64::from(!status.contains("Z (zombie)"));
        check_beside(&office);
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
        assert!(child.wait().unwrap().success(), "round {round}");
    }
    assert!(slept > 0, "no backup was put to sleep");
    laws_hold(&office, "woken");
}

/// A check beside a backup that sleeps between the two copies of its manifest tells of the one that
/// is not there yet, and of nothing else.
fn check_beside(office: &Office) {
    let output = office.run_with("old.key", &["check"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines = told.lines().filter(|line| !line.trim().is_empty());
    let is_half = |line: &str| line.contains("manifests/") && line.contains("manifest is bad");
    assert!(output.status.success() || (!told.is_empty() && lines.all(is_half)), "{told}");
}

fn is_pack(name: &[u8]) -> bool {
    name.starts_with(b"packs/") && name.iter().filter(|byte| **byte == b'/').count() == 2
}

fn pack_sizes(repository: &Path) -> u64 {
    look(repository).iter().filter(|(name, _)| is_pack(name)).map(|(_, thing)| thing.size).sum()
}
