//! Drills that are killed as the n-th call of the system begins, by `strace`: the next start clears
//! what they left, every drill that was ordered has its record and its end, and the evidence holds.

use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

use super::backup;
use super::configure;
use super::configured;
use super::folder;
use super::run;
use crate::cli::scene::Scene;

use crate::support::profile::Profile;

/// Calls that make something durable, or make and remove something by its name.
const CALLS: [&str; 5] = ["fsync", "renameat2", "mkdir", "unlink", "unlinkat"];

fn office() -> Scene {
    let scene = configured(&[]);
    scene.file("shared/a.txt", b"a");
    scene.file("shared/b/b.txt", &vec![7; 100_000]);
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    scene
}

/// The drill under `strace` with these options.
fn traced(scene: &Scene, options: &[&str]) -> std::process::ExitStatus {
    let file = scene.path("lifeboat.toml");
    let own = scene.command(&["drill", "run", "--config", file.to_str().unwrap(), "monthly"]);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none"]).args(options);
    command.arg(own.get_program()).args(own.get_args()).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(scene.path("source"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap_or_else(|e| panic!("strace: {e}; install it"))
}

/// How often the busiest thread makes a call in a drill that goes to its end.
fn count(scene: &Scene, call: &str) -> u64 {
    let log = scene.path("calls.log");
    let trace = format!("trace={call}");
    let status = traced(scene, &["-e", &trace, "-o", log.to_str().unwrap()]);
    assert!(status.success(), "{call}: {status}");
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for line in text.lines() {
        if let Some((thread, _)) = line.trim_start().split_once(' ') {
            *counts.entry(thread).or_default() += 1;
        }
    }
    counts.into_values().max().unwrap_or(0)
}

#[test]
fn a_drill_that_is_killed_at_any_step_is_cleared_and_told() {
    let scene = office();
    let mut kills = 0;
    for call in CALLS {
        let all = count(&scene, call);
        // Rounds of each call, spread over the whole run.
        let rounds = Profile::of_process().pick(3, 6, all.max(1));
        let step = all.div_ceil(rounds).max(1);
        let mut nth = 1 + all % step.max(1);
        while nth <= all {
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let trace = format!("trace={call}");
            let status = traced(&scene, &["-e", &trace, "-e", &inject, "-o", "/dev/null"]);
            kills += u64::from(!status.success());
            let what = format!("{call} {nth} of {all}");
            cleared(&scene, &what);
            nth += step;
        }
    }
    assert!(kills >= 8, "{kills}");
    println!("{kills} drills were killed");
}

/// The next drill is held, and says of those before it what became of them.
#[track_caller]
fn cleared(scene: &Scene, what: &str) {
    let told = run(scene, 0, &["monthly"]);
    let record = told.json_of("result").pop().unwrap();
    let left: Vec<_> = std::fs::read_dir(scene.path("drills")).unwrap().collect();
    assert!(left.is_empty(), "{what}: {left:?}");
    let open = scene.files("cache").into_iter().filter(|path| path.ends_with("open.json"));
    assert_eq!(open.collect::<Vec<_>>(), [""; 0], "{what}");
    let bundle = scene.path("bundle").display().to_string();
    scene.expect(0, &["drill", "bundle", "--out", &bundle]);
    let code = record["ledger_code"].as_str().unwrap();
    let told = scene.run(&["drill", "verify-evidence", &bundle, "--code", code, "--json"]);
    let found = told.json_of("result");
    assert_eq!(found.last().unwrap()["verdict"], "valid", "{what}: {found:#?}");
    std::fs::remove_dir_all(&bundle).unwrap();
    for path in scene.files("cache").into_iter().filter(|path| path.ends_with("record.json")) {
        let record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let closing = path.replace("record.json", "closing.json");
        let closing: Value = serde_json::from_slice(&std::fs::read(closing).unwrap()).unwrap();
        let is_cut = record["preflight"][0]["id"] == "PF.process";
        assert!(!is_cut || record["verdict"] == "inconclusive", "{what}: {record}");
        assert!(!is_cut || closing["late"] == true, "{what}: {closing}");
        assert_eq!(closing["leftovers"], serde_json::json!([]), "{what}");
    }
}

/// A medium that refuses once, wherever that is: nothing panics, nothing is evidence against the
/// data, and the next drill is held.
#[test]
fn a_medium_that_fails_at_any_step_is_no_evidence_against_the_data() {
    let scene = office();
    for (call, error) in [("fsync", "EIO"), ("renameat2", "ENOSPC"), ("mkdir", "ENOSPC")] {
        let all = count(&scene, call);
        let step = all.div_ceil(Profile::of_process().pick(2, 4, all.max(1))).max(1);
        let mut nth = 1 + all % step;
        while nth <= all {
            let inject = format!("inject={call}:error={error}:when={nth}");
            let trace = format!("trace={call}");
            let status = traced(&scene, &["-e", &trace, "-e", &inject, "-o", "/dev/null"]);
            let what = format!("{error} of {call} {nth} of {all}");
            assert!(!matches!(status.code(), None | Some(20 | 21 | 101)), "{what}: {status}");
            cleared(&scene, &what);
            nth += step;
        }
    }
}
