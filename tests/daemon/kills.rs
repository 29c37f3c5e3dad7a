//! Killed at every state of a job. After the next start nothing is lost, and nothing is done twice
//! but what may be.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use lifeboat::catalogue::Catalogue;
use lifeboat::catalogue::record::Outcome;
use lifeboat::catalogue::record::RunEnd;
use lifeboat::clock::Clock as _;
use lifeboat::clock::SystemClock;
use lifeboat::disk::unix::RealDisk;
use lifeboat::units::Timestamp;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::poll;
use serde_json::Value;

use super::restraint::children;
use crate::cli::daemon::Daemon;
use crate::cli::daemon::configure;
use crate::cli::daemon::fifo;
use crate::cli::daemon::job;
use crate::cli::daemon::late;
use crate::cli::daemon::office;
use crate::cli::daemon::runs;
use crate::cli::daemon::slow;
use crate::cli::daemon::status;
use crate::cli::scene::Scene;

/// Where a test has the daemon stand still.
const STANDS_AT: &str = "LIFEBOAT_TEST_STANDS_AT";

/// An office whose backup is late, and reads a pipe that the test holds.
fn waiting() -> (Scene, PathBuf) {
    let scene = office("");
    let pipe = fifo(&scene);
    configure(&scene, &slow("slow", &pipe));
    late(&scene, &["backup:slow"]);
    (scene, pipe)
}

/// A daemon that stands still at a place; `meanwhile` brings it there.
fn standing(scene: &mut Scene, place: &str, meanwhile: impl FnOnce(&Scene, &mut Daemon)) -> Daemon {
    scene.set(STANDS_AT, place);
    let mut daemon = Daemon::start(scene);
    scene.unset(STANDS_AT);
    meanwhile(scene, &mut daemon);
    daemon.until("stands still");
    daemon
}

/// Kills a daemon, and waits until what it has started is gone too: it ends with the daemon, and
/// not in the same moment.
fn kill_all(daemon: Daemon) {
    let pids = children(daemon.pid()).into_iter();
    let open = |pid: u32| {
        let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap()
    };
    let handles: Vec<_> = pids.map(open).collect();
    assert!(!handles.is_empty(), "it has started nothing");
    daemon.kill();
    for handle in &handles {
        let mut ends = [PollFd::new(handle, PollFlags::IN)];
        assert_eq!(poll(&mut ends, None).unwrap(), 1);
    }
}

/// Lets whoever reads the pipe read this.
fn feed(pipe: &Path, text: &str) {
    let mut writer = std::fs::OpenOptions::new().write(true).open(pipe).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
}

fn outcomes(scene: &Scene) -> Vec<Value> {
    runs(scene).iter().map(|run| run["outcome"].clone()).collect()
}

/// What everybody may rely on in the end.
#[track_caller]
fn sound(scene: &Scene, snapshots: usize) {
    let path = scene.path("state/catalogue.sqlite");
    let (catalogue, _) = Catalogue::open(&path, &RealDisk, Timestamp::from_unix_ms(0)).unwrap();
    catalogue.check(&path).unwrap();
    let listed = scene.expect(0, &["snapshots", "-r", "main", "--json"]).json_of("result");
    assert_eq!(listed.len(), snapshots, "{listed:?}");
    scene.expect(0, &["check", "-r", "main", "--read-data"]);
}

/// Starts again, lets the backup that is owed come to its end, and stops.
fn go_on(scene: &Scene, pipe: &Path) {
    let mut daemon = Daemon::start(scene);
    daemon.until("begins");
    feed(pipe, "all of it\n");
    daemon.until("ended");
    let told = status(scene, 0);
    let slow = job(&told, "backup:slow");
    assert_eq!((&slow["health"], &slow["activity"]), (&"ok".into(), &"idle".into()), "{slow}");
    daemon.stop();
}

#[test]
fn on_record_and_not_started() {
    let (mut scene, pipe) = waiting();
    standing(&mut scene, "begun", |_, _| ()).kill();
    go_on(&scene, &pipe);
    assert_eq!(outcomes(&scene), ["done", "cut"]);
    sound(&scene, 1);
}

#[test]
fn started() {
    let (mut scene, pipe) = waiting();
    let daemon = standing(&mut scene, "started", |_, _| ());
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    kill_all(daemon);
    drop(writer);
    go_on(&scene, &pipe);
    assert_eq!(outcomes(&scene), ["done", "cut"]);
    sound(&scene, 1);
}

/// The snapshot is made, and nobody knows: it is made again, and both are whole.
#[test]
fn ended_and_not_on_record() {
    let (mut scene, pipe) = waiting();
    standing(&mut scene, "ending", |_, _| feed(&pipe, "all of it\n")).kill();
    go_on(&scene, &pipe);
    assert_eq!(outcomes(&scene), ["done", "cut"]);
    sound(&scene, 2);
}

#[test]
fn ended_and_told_to_nobody() {
    let (mut scene, pipe) = waiting();
    standing(&mut scene, "recorded", |_, _| feed(&pipe, "all of it\n")).kill();
    let daemon = Daemon::start(&scene);
    assert_eq!(job(&status(&scene, 0), "backup:slow")["activity"], "idle", "nothing is owed");
    let log = daemon.stop();
    assert!(!log.contains("begins"), "{log}");
    assert_eq!(outcomes(&scene), ["done"]);
    sound(&scene, 1);
}

/// Whoever stopped it does not want it again.
#[test]
fn cancelled_and_not_yet_stopped() {
    let (mut scene, pipe) = waiting();
    let daemon = standing(&mut scene, "cancelled", |scene, daemon| {
        daemon.until("begins");
        // Nobody answers any more.
        scene.expect(1, &["cancel", "slow"]);
    });
    daemon.kill();
    let daemon = Daemon::start(&scene);
    let log = daemon.stop();
    assert!(!log.contains("begins"), "{log}");
    assert_eq!(outcomes(&scene), ["stopped"]);
    let told = job(&status(&scene, 3), "backup:slow").clone();
    assert!(told["next"].as_str().unwrap().contains("-01-01T00:00:00"), "{told}");
    sound(&scene, 0);
    drop(pipe);
}

#[test]
fn stopping_and_not_yet_stopped() {
    let (mut scene, pipe) = waiting();
    let daemon = standing(&mut scene, "leaving", |_, daemon| {
        daemon.until("begins");
        daemon.signal("-TERM");
    });
    daemon.kill();
    go_on(&scene, &pipe);
    assert_eq!(outcomes(&scene), ["done", "cut"]);
    sound(&scene, 1);
}

/// Somebody asked for a check, which has to wait for a backup to end.
#[test]
fn wanted_and_not_begun() {
    let (scene, pipe) = waiting();
    let maintenance = "[maintenance]\nstorages = [\"main\"]\ncheck = { cron = \"0 0 1 1 *\" }\n";
    configure(&scene, &format!("{}{maintenance}", slow("slow", &pipe)));
    let mut daemon = Daemon::start(&scene);
    daemon.until("begins");
    // The source is open: the backup reads.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    scene.expect(0, &["run", "check:main", "--detach"]);
    assert_eq!(job(&status(&scene, 0), "check:main")["activity"], "waiting");
    kill_all(daemon);
    drop(writer);
    let mut daemon = Daemon::start(&scene);
    daemon.until("begins");
    feed(&pipe, "all of it\n");
    daemon.until("ended");
    daemon.until("ended");
    daemon.stop();
    // It was owed once.
    let log = Daemon::start(&scene).stop();
    assert!(!log.contains("begins"), "{log}");
    let told: Vec<_> = runs(&scene).iter().map(|run| run["job"].clone()).collect();
    assert_eq!(told, ["backup:slow", "check:main", "backup:slow"]);
    assert_eq!(outcomes(&scene), ["done", "done", "cut"]);
    sound(&scene, 1);
}

/// The next try comes when it would have come, and is the next one in number.
#[test]
fn waiting_for_another_try() {
    let (scene, pipe) = waiting();
    let path = scene.path("state/catalogue.sqlite");
    let now = SystemClock::new().now();
    let (mut catalogue, _) = Catalogue::open(&path, &RealDisk, now).unwrap();
    let slot = lifeboat::units::Timestamp::from_unix_ms(now.unix_ms - 3_600_000);
    // Its second try has failed a moment ago: the third comes two minutes later.
    for _ in 0..2 {
        let run = catalogue.begin("backup:slow", Some(slot), now).unwrap();
        catalogue.end(run, &RunEnd::new(Outcome::Failed, 15), now).unwrap();
    }
    drop(catalogue);
    let next = |scene: &Scene| job(&status(scene, 3), "backup:slow")["next"].clone();
    let daemon = Daemon::start(&scene);
    let before = next(&scene);
    daemon.kill();
    let daemon = Daemon::start(&scene);
    assert_eq!(next(&scene), before);
    let log = daemon.stop();
    assert!(!log.contains("begins"), "{log}");
    assert_eq!(outcomes(&scene), ["failed", "failed"]);
    sound(&scene, 0);
    drop(pipe);
}

/// A pause ends with the daemon, so that no machine is unprotected for having been forgotten.
#[test]
fn paused() {
    let scene = office("");
    let daemon = Daemon::start(&scene);
    scene.expect(0, &["pause"]);
    assert_eq!(status(&scene, 0)["daemon"], "paused");
    daemon.kill();
    let pipe = fifo(&scene);
    configure(&scene, &slow("slow", &pipe));
    late(&scene, &["backup:slow"]);
    go_on(&scene, &pipe);
    assert_eq!(outcomes(&scene), ["done"]);
    sound(&scene, 1);
}
