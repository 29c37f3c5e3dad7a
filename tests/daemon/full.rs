//! The disk of the catalogue is full: backups go on, it is said, and what was done is put on record
//! when there is room again.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::cli::daemon::Daemon;
use crate::cli::daemon::configure;
use crate::cli::daemon::fifo;
use crate::cli::daemon::files;
use crate::cli::daemon::job;
use crate::cli::daemon::office;
use crate::cli::daemon::slow;
use crate::cli::daemon::status;
use crate::cli::scene::Scene;
use crate::notify::daemon::metrics;
use crate::notify::receiver::Receiver;

const CONFIG: &str = r#"
[[backup]]
name = "files"
storage = "main"
source = { kind = "files", paths = ["<at>source"] }
schedule = { cron = "0 0 1 1 *" }
[channel.hook]
kind = "webhook"
url = { env = "HOOK" }
[[notify]]
on = ["failed", "recovered"]
to = ["hook"]
[metrics]
listen = "127.0.0.1:<absent>"
"#;

/// A job that waits until another one has ended, so that one ends and one begins at once.
const PINGED: &str = r#"
[maintenance]
storages = ["main"]
check = { cron = "0 0 1 1 *" }
[channel.ping]
kind = "ping"
url = { env = "HOOK" }
[[notify]]
on = ["failed"]
to = ["ping"]
"#;

/// A daemon with a repository, whose state folder is a small disk of its own.
fn start(scene: &mut Scene) -> Daemon {
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    scene.set("LIFEBOAT_PASSWORD", "x");
    let repository = scene.path("repository");
    scene.expect(0, &["init", "-r", repository.to_str().unwrap()]);
    let plain = scene.command(&["daemon"]);
    let state = scene.path("state").display().to_string();
    let script = "mount -t tmpfs -o size=4m none \"$0\" && exec \"$@\"";
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script, &state]);
    command.arg(plain.get_program()).args(plain.get_args()).env_clear().stdin(Stdio::null());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut daemon = Daemon::of(command);
    daemon.until("ready");
    daemon
}

/// That disk, as others reach it.
fn state(scene: &Scene, pid: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root{}", scene.path("state").display()))
}

/// Fills that disk to its last byte.
fn fill(folder: &Path) {
    let mut file =
        std::fs::File::options().write(true).create_new(true).open(folder.join("fill")).unwrap();
    for len in [4096, 1] {
        while file.write_all(&vec![b'x'; len]).is_ok() {}
    }
}

fn alarm(receiver: &Receiver) -> Value {
    let told = receiver.next();
    let body: Value = serde_json::from_str(told["body"].as_str().unwrap()).unwrap();
    body["alarms"][0].clone()
}

fn unrecorded(receiver: &Receiver) -> f64 {
    let told = metrics(receiver.port("absent"));
    let value = told.lines().find_map(|line| line.strip_prefix("lifeboat_unrecorded_runs "));
    value.unwrap_or_else(|| panic!("{told}")).parse().unwrap()
}

#[test]
fn backups_go_on_while_nothing_can_be_put_on_record() {
    let receiver = Receiver::start();
    let mut scene = crate::notify::scene(&receiver, CONFIG);
    scene.file("source/kept", b"1");
    let mut daemon = start(&mut scene);
    let pid = daemon.pid().to_string();
    let inside = ["nsenter", "-t", &pid, "-m"];
    let ask = |args: &[&str], code: i32| {
        let told = scene.run_under(&inside, args);
        assert_eq!(told.code, Some(code), "{told}");
        told
    };
    ask(&["run", "files"], 0);
    let state = state(&scene, &pid);
    fill(&state);
    ask(&["run", "files"], 0);
    daemon.until("nothing can be put on record");
    let raised = alarm(&receiver);
    assert_eq!(
        (&raised["event"], &raised["state"]),
        (&"failed".into(), &"raised".into()),
        "{raised}"
    );
    assert!(raised["text"].as_str().unwrap().contains("không ghi được sổ"), "{raised}");
    let told = ask(&["status", "--json"], 3).json_of("result").remove(0);
    assert!(told["record_fault"].as_str().unwrap().contains("full"), "{told}");
    assert_eq!(unrecorded(&receiver), 1.0);
    let table = ask(&["status", "--lang", "en"], 3).text();
    assert!(table.contains("NOTHING CAN BE PUT ON RECORD"), "{table}");
    ask(&["run", "files"], 0);
    let listed = scene.expect(0, &["snapshots", "-r", "main", "--json"]).json_of("result");
    assert_eq!(listed.len(), 3);
    // It is known all the same how the job stands.
    assert_eq!(told["jobs"][0]["health"], "ok", "{told}");
    assert_eq!(ask(&["runs", "--json"], 0).json_of("result").len(), 3);
    std::fs::remove_file(state.join("fill")).unwrap();
    // Whoever looks all the time does not put it off.
    let looks = |_: &usize| {
        let told = scene.run_under(&inside, &["status", "--json"]);
        told.json_of("result")[0]["record_fault"].is_string()
    };
    let count = (0..10_000).take_while(looks).count();
    println!("looked at {count} times until there was a record again");
    daemon.until("runs are on record again");
    let over = alarm(&receiver);
    assert_eq!((&over["state"], &over["event"]), (&"recovered".into(), &"failed".into()), "{over}");
    assert!(receiver.is_idle(), "it was told once");
    let told = ask(&["status", "--json"], 0).json_of("result").remove(0);
    assert_eq!((&told["record_fault"], unrecorded(&receiver)), (&Value::Null, 0.0));
    let runs = ask(&["runs", "--json"], 0).json_of("result");
    let kept: Vec<_> = runs.iter().map(|run| run["id"].as_i64().unwrap()).collect();
    assert_eq!(kept, [3, 2, 1], "{runs:?}");
    assert!(runs.iter().all(|run| run["outcome"] == "done"), "{runs:?}");
    daemon.stop();
}

#[test]
fn every_begin_and_end_is_told_while_nothing_can_be_put_on_record() {
    let receiver = Receiver::start();
    let config = format!("{}{PINGED}", slow("slow", Path::new("<at>pipe")));
    let mut scene = crate::notify::scene(&receiver, &config);
    let pipe = fifo(&scene);
    let daemon = start(&mut scene);
    let pid = daemon.pid().to_string();
    let ask = |args: &[&str]| {
        let told = scene.run_under(&["nsenter", "-t", &pid, "-m"], args);
        assert_eq!(told.code, Some(0), "{told}");
    };
    // Once it answers, what it notes at its start is on record.
    ask(&["status"]);
    fill(&state(&scene, &pid));
    let begins = || receiver.next()["path"].as_str().unwrap().ends_with("/start");
    ask(&["run", "slow", "--detach"]);
    assert_eq!([begins(), begins()], [true, false], "its begin, and that nothing is on record");
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    ask(&["run", "check:main", "--detach"]);
    drop(writer);
    assert_eq!([begins(), begins(), begins()], [false, true, false], "an end, a begin, its end");
    daemon.stop();
}

/// The catalogue takes the jobs of a configuration, and then not its datasets.
#[test]
fn a_configuration_is_put_on_record_whole_or_not_at_all() {
    let scene = office("");
    configure(&scene, &files(&scene, "one", "source"));
    let mut daemon = Daemon::start(&scene);
    scene.expect(0, &["run", "one"]);
    let catalogue = rusqlite::Connection::open(scene.path("state/catalogue.sqlite")).unwrap();
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON dataset \
                   BEGIN SELECT RAISE (ABORT, 'no room'); END";
    catalogue.execute_batch(trigger).unwrap();
    configure(&scene, &files(&scene, "two", "source"));
    daemon.signal("-HUP");
    daemon.until("the old configuration stays");
    let told = status(&scene, 0);
    assert_eq!(job(&told, "backup:one")["health"], "ok", "{told}");
    catalogue.execute_batch("DROP TRIGGER no").unwrap();
    daemon.signal("-HUP");
    daemon.until("read anew");
    assert_eq!(job(&status(&scene, 0), "backup:two")["health"], "never");
    daemon.stop();
}
