//! The drill itself: an isolation that was never tried, a failure that vanished from the ledger,
//! and what must not be taken for a failure.

use std::path::Path;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::FAKETIME;
use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::files::docx;
use super::folder;
use super::item;
use super::written;
use crate::cli::scene::Scene;
use crate::databases::in_front;

/// A folder that a program of the office looks at, which needs a place without a network.
fn office() -> Scene {
    let scene = configured(&[]);
    scene.file("shared/a.docx", &docx("một"));
    let check = "[[drill.check]]\nkind = \"command\"\ndataset = \"shared\"\nargv = [\"true\"]\n";
    configure(&scene, &[("shared", folder(&scene.path("shared")))], check);
    backup(&scene, "shared");
    scene
}

#[track_caller]
fn not_isolated(record: &Value) {
    let mut preflight = record["preflight"].as_array().unwrap().iter();
    let isolation = preflight.find(|it| it["id"] == "PF.isolation").unwrap();
    assert_eq!(isolation["result"], "skip", "{isolation}");
    let shared = item(record, "shared");
    assert_eq!(failing(shared), ["L6.custom.1"]);
    assert_eq!(
        (&shared["verdict"], &shared["failures"][0]),
        (&"inconclusive".into(), &"F8".into())
    );
    // What it was is told, and not what was meant.
    assert_eq!(record["env"]["isolation"], "I0");
}

/// The probe cannot start: that nothing was reached says nothing.
#[test]
fn fg24_a_probe_that_cannot_start_is_no_isolation() {
    let mut scene = office();
    for script in ["exit 1", "echo bwrap: no namespaces >&2\nexit 1", "exit 0"] {
        in_front(&mut scene, "bwrap", script);
        not_isolated(&drill(&scene, 22));
    }
    in_front(&mut scene, "bwrap", "exec /usr/bin/bwrap \"$@\"");
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
}

/// The address that is tried does not answer outside either.
#[test]
fn fg24_an_address_that_nobody_could_reach_is_no_isolation() {
    let scene = office();
    let is_root = rustix::process::geteuid().is_root();
    let file = scene.path("lifeboat.toml").display().to_string();
    let args = ["drill", "run", "--json", "--config", &file, "monthly"];
    let alone = |script: &str| {
        let words = ["unshare", if is_root { "-n" } else { "-rn" }, "sh", "-c", script, "sh"];
        scene.run_under(&words, &args)
    };
    let told = alone("exec \"$@\"");
    assert_eq!(told.code, Some(22), "{told}");
    not_isolated(&told.json_of("result")[0]);
    let told = alone("/sbin/ip link set lo up && exec \"$@\"");
    assert_eq!(told.code, Some(0), "{told}");
}

/// A machine that is said to be unplugged, with these addresses of production.
fn unplugged(scene: &Scene, level: &str, production: &[&str]) {
    let file = scene.path("lifeboat.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let begin = text.find("sandbox = {").unwrap();
    let end = begin + text[begin..].find('\n').unwrap();
    let path = scene.path("drills").display().to_string();
    let sandbox = format!(
        "sandbox = {{ path = \"{path}\", isolation = \"{level}\", apart_from = {production:?} }}"
    );
    scene.file("lifeboat.toml", [&text[..begin], &sandbox, &text[end..]].concat().as_bytes());
}

#[track_caller]
fn apart(record: &Value) -> &Value {
    let mut preflight = record["preflight"].as_array().unwrap().iter();
    preflight.find(|it| it["id"] == "PF.apart").unwrap()
}

/// A plug that was left in.
#[test]
fn a_machine_that_reaches_production_is_not_apart() {
    let scene = office();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap().to_string();
    unplugged(&scene, "I2", &["192.0.2.7:5432", &answering]);
    let file = scene.path("lifeboat.toml").display().to_string();
    let args = ["drill", "run", "--json", "--config", &file, "monthly"];
    let told = scene.expect(22, &args);
    let record = &told.json_of("result")[0];
    assert_eq!(apart(record)["result"], "fail", "{record}");
    assert!(!apart(record).to_string().contains("127.0.0.1"), "{record}");
    assert_eq!(record["items"], serde_json::json!([]), "nothing is restored");
    // Nobody says what production is.
    unplugged(&scene, "I2", &[]);
    let told = scene.expect(22, &args);
    assert_eq!(apart(&told.json_of("result")[0])["result"], "skip", "{told}");
    // What has no port is no address.
    unplugged(&scene, "I2", &["10.0.0.5"]);
    scene.expect(2, &args);
    // The same addresses from where nothing is reached; a server in its own place is there too.
    let is_root = rustix::process::geteuid().is_root();
    let script = "/sbin/ip link set lo up && exec \"$@\"";
    let words = ["unshare", if is_root { "-n" } else { "-rn" }, "sh", "-c", script, "sh"];
    for level in ["I2", "I3"] {
        unplugged(&scene, level, &["192.0.2.7:5432", "198.51.100.7:443"]);
        let told = scene.run_under(&words, &args);
        assert_eq!(told.code, Some(0), "{told}");
        let record = &told.json_of("result")[0];
        assert_eq!(apart(record)["result"], "pass", "{record}");
        assert_eq!(record["env"]["isolation"], level);
    }
}

fn bundle(scene: &Scene, name: &str) -> String {
    let out = scene.path(name).display().to_string();
    scene.expect(0, &["drill", "bundle", "--out", &out]);
    out
}

/// What the inspection says in the end.
fn inspected(scene: &Scene, bundle: &str, more: &[&str]) -> (String, String) {
    let args = [&["drill", "verify-evidence", bundle, "--json"], more].concat();
    let told = scene.run(&args);
    let lines = told.json_of("result");
    (lines.last().unwrap()["verdict"].as_str().unwrap().to_owned(), format!("{lines:?}"))
}

/// Takes the entry of a kind and its document out of a bundle, and numbers what follows anew.
fn taken_out(bundle: &Path, is_it: impl Fn(&Value) -> bool) {
    let entries = bundle.join("entries");
    let mut names: Vec<_> =
        std::fs::read_dir(&entries).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort_unstable();
    let json: Vec<_> = names.iter().filter(|it| it.to_str().unwrap().ends_with(".json")).collect();
    let entry = |name: &std::ffi::OsString| -> Value {
        serde_json::from_slice(&std::fs::read(entries.join(name)).unwrap()).unwrap()
    };
    let at = json.iter().position(|name| is_it(&entry(name))).unwrap();
    for (from, to) in json[at + 1..].iter().zip(&json[at..]) {
        for ending in ["json", "json.sig", "sig"] {
            let of = |name: &std::ffi::OsString| {
                let stem = name.to_str().unwrap().strip_suffix(".json").unwrap();
                entries.join(format!("{stem}.{ending}"))
            };
            if of(from).exists() {
                rustix::fs::rename(of(from), of(to)).unwrap();
            }
        }
        let mut changed = entry(to);
        changed["seq"] = (changed["seq"].as_u64().unwrap() - 1).into();
        std::fs::remove_file(entries.join(to)).unwrap();
        written(&entries.join(to), changed.to_string().as_bytes());
    }
}

/// FG26: every signature that is left is right.
#[test]
fn fg26_a_failed_drill_does_not_vanish() {
    let scene = configured(&[]);
    scene.file("shared/a.docx", b"no document");
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    scene.file("shared/a.docx", &docx("một"));
    let ledger = scene.path("repository/ledger");
    drill(&scene, 21);
    let copied = |from: &Path, to: &Path| {
        let _none = std::fs::remove_dir_all(to);
        let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(done.success());
    };
    copied(&ledger, &scene.path("last week"));
    backup(&scene, "shared");
    let good = drill(&scene, 0);
    let code = good["ledger_code"].as_str().unwrap();
    let whole = bundle(&scene, "whole");
    assert_eq!(inspected(&scene, &whole, &["--code", code]).0, "valid");

    // a: the entry is taken out, and what follows is numbered anew.
    copied(Path::new(&whole), &scene.path("a"));
    taken_out(&scene.path("a"), |entry| entry["kind"] == "record");
    let (verdict, said) = inspected(&scene, &scene.path("a").display().to_string(), &[]);
    assert_eq!(verdict, "invalid", "{said}");

    // b: the last entries are cut off.
    copied(Path::new(&whole), &scene.path("b"));
    let mut names = scene.files("b/entries");
    for name in names.split_off(names.len() - 6) {
        std::fs::remove_file(name).unwrap();
    }
    let (verdict, said) =
        inspected(&scene, &scene.path("b").display().to_string(), &["--code", code]);
    assert_eq!(verdict, "record_missing", "{said}");

    // c: last week's ledger, which is valid in itself, and older than what stands on paper.
    copied(&scene.path("last week"), &ledger);
    let older = bundle(&scene, "older");
    assert_eq!(inspected(&scene, &older, &[]).0, "valid", "the naive answer");
    let (verdict, said) = inspected(&scene, &older, &["--code", code]);
    assert_eq!(verdict, "record_missing", "{said}");
}

/// Names in both forms of Unicode, side by side, come back as they were.
#[test]
fn names_in_both_forms_are_two_files() {
    let scene = configured(&[]);
    for (form, text) in [("hồ sơ".nfc().collect::<String>(), "a"), ("hồ sơ".nfd().collect(), "b")]
    {
        scene.file(format!("shared/{form}.txt"), text.as_bytes());
    }
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
    assert_eq!(item(&record, "shared")["files_count"], 2);
}

/// A clock that is put right by less than anybody would notice.
#[test]
fn a_clock_that_is_put_right_by_little_is_no_failure() {
    let mut scene = office();
    scene.file("clock", b"+0");
    let clock = scene.path("clock").display().to_string();
    let script = format!("printf '+0.4' > {clock}\nexec env -u LD_PRELOAD /usr/bin/bwrap \"$@\"");
    in_front(&mut scene, "bwrap", &script);
    for (name, value) in [
        ("DONT_FAKE_MONOTONIC", "1"),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_TIMESTAMP_FILE", clock.as_str()),
    ] {
        scene.set(name, value);
    }
    let file = scene.path("lifeboat.toml").display().to_string();
    let args = ["drill", "run", "--json", "--config", &file, "monthly"];
    assert!(Path::new(FAKETIME).exists(), "install faketime");
    let preload = format!("LD_PRELOAD={FAKETIME}");
    let told = scene.run_under(&["env", &preload], &args);
    assert_eq!(told.code, Some(0), "{told}");
    assert_eq!(std::fs::read(&clock).unwrap(), b"+0.4", "it was set");
    assert_eq!(failing(item(&told.json_of("result")[0], "shared")), [""; 0]);
}
