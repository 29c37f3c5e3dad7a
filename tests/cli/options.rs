//! Options, variables and help.

use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::daemon;
use super::daemon::Daemon;
use super::scene::Scene;
use crate::support::tally::Watch;

#[test]
fn help_and_version_are_results() {
    let scene = Scene::new();
    let told = scene.expect(0, &["--help"]);
    assert!(told.text().contains("Usage: lifeboat [OPTIONS] <COMMAND>"), "{told}");
    assert!(told.stderr.is_empty(), "{told}");
    assert!(scene.expect(0, &["--version"]).text().starts_with("lifeboat "));
}

#[test]
fn wrong_options_are_code_2_with_and_without_json() {
    let scene = Scene::new();
    for args in [&["--no-such-option"][..], &["no-such-verb"], &[], &["completion", "tcl"]] {
        let told = scene.run(args);
        assert_eq!(told.code, Some(2), "{told}");
        assert!(told.stdout.is_empty() && !told.stderr.is_empty(), "{told}");
    }
    let told = scene.expect(2, &["--json", "no-such-verb"]);
    let lines = told.json();
    assert_eq!(lines.len(), 2, "{told}");
    assert_eq!(lines[0]["message_type"], "error");
    assert!(lines[0]["message"].as_str().unwrap().contains("no-such-verb"), "{told}");
}

#[test]
fn a_variable_that_does_not_parse_is_code_2() {
    let wrong = [
        ("LIFEBOAT_REPOSITORY", "s3:https://host"),
        ("LIFEBOAT_REPOSITORY_FILE", "/nonexistent"),
        ("LIFEBOAT_PASSWORD_FILE", "/nonexistent"),
        ("LIFEBOAT_PASSWORD_COMMAND", "pass 'open"),
        ("LIFEBOAT_KEY_FILE", "/nonexistent"),
        ("LIFEBOAT_CONFIG", "/etc/lifeboat.toml"),
        ("LIFEBOAT_COMPRESSION", "99"),
        ("LIFEBOAT_HOST", "two\nlines"),
        ("LIFEBOAT_LANG", "fr"),
        ("LIFEBOAT_LOG", "lifeboat=loud"),
        ("LIFEBOAT_LOG_FORMAT", "yaml"),
        ("LIFEBOAT_PROGRESS_FPS", "-1"),
    ];
    for (name, value) in wrong {
        let mut scene = Scene::new();
        scene.expect(0, &["init", "-q"]);
        if name.starts_with("LIFEBOAT_PASSWORD") || name == "LIFEBOAT_KEY_FILE" {
            scene.unset("LIFEBOAT_PASSWORD");
        }
        if name == "LIFEBOAT_REPOSITORY_FILE" {
            scene.unset("LIFEBOAT_REPOSITORY");
        }
        scene.set(name, value);
        let told = scene.expect(2, &["key", "list"]);
        // A location may stand in several variables; all else is told by its name.
        let by_name = told.stderr.contains(name) || told.stderr.contains(value);
        assert!(by_name && told.stderr.contains("\nnext:  "), "{name}: {told}");
        assert!(told.stdout.is_empty(), "{name}: {told}");
    }
    let scene = Scene::new();
    scene.expect(2, &["backup", ".", "--host", "two\nlines"]);
    scene.expect(2, &["backup", ".", "--host", ""]);
}

#[test]
fn variables_do_what_their_options_do() {
    let mut scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.file("source/a", &vec![7; 2_000_000]);
    scene.file("where", scene.path("repository").to_str().unwrap().as_bytes());
    scene.file("secret", b"x\nmore\n");
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.set("LIFEBOAT_REPOSITORY_FILE", scene.path("where"));
    scene.unset("LIFEBOAT_PASSWORD");
    scene.set("LIFEBOAT_PASSWORD_FILE", scene.path("secret"));
    scene.set("LIFEBOAT_HOST", "máy-chủ");
    scene.set("LIFEBOAT_COMPRESSION", "none");
    scene.expect(0, &["backup", "-q", "."]);
    let listed = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert_eq!(listed[0]["host"], "máy-chủ");
    let made = scene.expect(0, &["backup", ".", "--json", "--host", "other", "--parent", "none"]);
    assert_eq!(made.json_of("result")[0]["stored_bytes"].as_u64().unwrap() / 1000, 0, "{made}");
    assert_eq!(scene.expect(0, &["snapshots", "-H", "other", "--json"]).json_of("result").len(), 1);
    scene.unset("LIFEBOAT_PASSWORD_FILE");
    scene.set("LIFEBOAT_PASSWORD_COMMAND", "printf '%s\\n' x");
    scene.expect(0, &["snapshots"]);
    assert!(scene.path("cache").is_dir(), "LIFEBOAT_CACHE_DIR");
}

#[test]
fn progress_is_silent_unless_asked_for() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for n in 0..4_u8 {
        let bytes: Vec<u8> = (0..4_000_000_u32).map(|i| (i % 251) as u8 ^ n).collect();
        scene.file(format!("source/{n}"), &bytes);
    }
    let told = scene.expect(0, &["backup", ".", "--json", "--progress-every", "1ms"]);
    let lines = told.json_of("status");
    assert!(!lines.is_empty(), "{told}");
    for line in &lines {
        assert!(line["phase"].is_string() && line["elapsed_ms"].is_u64(), "{line}");
        assert!(line["percent"].as_u64().is_none_or(|percent| percent < 100), "{line}");
    }
    let told = scene.expect(0, &["check", "--read-data", "--progress-every", "1ms"]);
    assert!(told.stderr.lines().any(|line| line.contains(" entries  ")), "{told}");
    for more in [&["--progress-every", "0"][..], &[], &["-q", "--progress-every", "1ms"]] {
        let told = scene.expect(0, &[&["check", "--read-data"][..], more].concat());
        let lines = told.stderr.lines().filter(|line| !line.starts_with("warning: "));
        assert_eq!(lines.count(), 0, "{told}");
    }
    scene.expect(2, &["check", "--progress-every", "often"]);
}

#[test]
fn a_repository_file_has_to_name_a_repository() {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.file("where", b"\n");
    scene.set("LIFEBOAT_REPOSITORY_FILE", scene.path("where"));
    let told = scene.expect(2, &["completion", "bash"]);
    assert!(told.stderr.contains("LIFEBOAT_REPOSITORY_FILE"), "{told}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_a_failure_and_a_closed_one_is_not() {
    let scene = Scene::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = scene.command(&["completion", "bash"]).stdout(full).stderr(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = scene.command(&["completion", "bash"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

/// Lines of a log of objects.
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn the_log_is_json_if_it_is_asked_to_be() {
    let mut scene = daemon::office("");
    scene.set("LIFEBOAT_LOG_FORMAT", "json");
    let log = Daemon::start(&scene).stop();
    let lines = objects(&log);
    let ready = lines.iter().find(|line| line["fields"]["message"] == "ready").unwrap();
    assert_eq!((&ready["level"], &ready["fields"]["jobs"]), (&"INFO".into(), &0.into()), "{log}");
    assert!(ready["timestamp"].is_string() && ready["target"].is_string(), "{log}");
}

#[test]
fn the_log_goes_to_the_end_of_a_file_if_it_is_asked_to() {
    let mut scene = daemon::office("");
    let file = scene.path("log");
    scene.file("log", b"before\n");
    scene.set("LIFEBOAT_LOG_FILE", &file);
    let mut child = scene.command(&["daemon"]).stderr(Stdio::piped()).spawn().unwrap();
    let (watch, read) = (Watch::start(), || std::fs::read_to_string(&file).unwrap());
    while !read().contains("ready") {
        assert!(watch.elapsed() < Duration::from_secs(60), "{}", read());
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let text = read();
    assert!(text.starts_with("before\n") && text.contains("stopped"), "{text}");
    assert!(text.contains(" INFO ") && !text.contains('\u{1b}'), "{text}");
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
    assert!(!told.contains("ready"), "{told}");

    // One that is made is its owner's alone; one that cannot be is said.
    let own = scene.path("own");
    scene.set("LIFEBOAT_LOG", "info");
    scene.set("LIFEBOAT_LOG_FILE", &own);
    scene.expect(3, &["status"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&own.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    scene.set("LIFEBOAT_LOG_FILE", scene.path("nowhere/log"));
    let told = scene.expect(2, &["status"]);
    assert!(told.stderr.contains("nowhere/log"), "{told}");
}
