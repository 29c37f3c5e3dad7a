//! The disk of the catalogue is full: backups go on, it is said, and what was done is put on record
//! when there is room again.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::cli::daemon::Daemon;
use crate::cli::scene::Scene;
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
"#;

/// The state folder is a small disk of the daemon's own.
fn start(scene: &Scene) -> Daemon {
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

#[test]
fn backups_go_on_while_nothing_can_be_put_on_record() {
    let receiver = Receiver::start();
    let mut scene = crate::notify::scene(&receiver, CONFIG);
    scene.set("LIFEBOAT_LOG", "lifeboat=info");
    scene.set("LIFEBOAT_PASSWORD", "x");
    scene.file("source/kept", b"1");
    let repository = scene.path("repository");
    scene.expect(0, &["init", "-r", repository.to_str().unwrap()]);
    let mut daemon = start(&scene);
    let pid = daemon.pid().to_string();
    let inside = ["nsenter", "-t", &pid, "-m"];
    let ask = |args: &[&str], code: i32| {
        let told = scene.run_under(&inside, args);
        assert_eq!(told.code, Some(code), "{told}");
        told
    };
    ask(&["run", "files"], 0);
    let state = PathBuf::from(format!("/proc/{pid}/root{}", scene.path("state").display()));
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
    assert_eq!(told["record_fault"], Value::Null);
    let runs = ask(&["runs", "--json"], 0).json_of("result");
    let kept: Vec<_> = runs.iter().map(|run| run["id"].as_i64().unwrap()).collect();
    assert_eq!(kept, [3, 2, 1], "{runs:?}");
    assert!(runs.iter().all(|run| run["outcome"] == "done"), "{runs:?}");
    daemon.stop();
}
