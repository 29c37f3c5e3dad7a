//! `drill bundle` and `drill verify-evidence`: evidence of a repository, checked with the program
//! and without it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use lifeboat::clock::SystemClock;
use lifeboat::crypto::sealed::slot::SlotSecret;
use lifeboat::evidence::entry::Kind;
use lifeboat::evidence::keys::OFFICE;
use lifeboat::evidence::ledger::Access;
use lifeboat::evidence::ledger::Draft;
use lifeboat::evidence::ledger::Ledger;
use lifeboat::evidence::ledger::Signer;
use lifeboat::ids::RunId;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::run::Run;
use lifeboat::run::monitor::Recorder;
use lifeboat::secret::SecretBytes;
use lifeboat::storage::open;
use lifeboat::storage::open::Location;
use serde_json::Value;
use serde_json::json;

use super::round_trip::with_files;
use super::scene::Scene;

/// The ledger of a repository with the passphrase `x`, as the program opens it.
pub(crate) struct Office {
    run: Run,
    ledger: Ledger,
    pub(crate) office: Signer,
}

impl Office {
    pub(crate) fn of(repository: &Path) -> Self {
        let (recorder, clock) = (Arc::new(Recorder::default()), Arc::new(SystemClock::new()));
        let run = Run::new(RunId::new([1; 16]), recorder, clock, 1);
        let storage = open::open(&run, &Location::Folder(repository.to_owned())).unwrap();
        let secret = SlotSecret::Passphrase(SecretBytes::new(b"x".to_vec()));
        let keyset = unlock(&run, &storage, &secret).unwrap().keyset;
        let access = Access {
            repository: keyset.repository,
            recipients: vec![keyset.restore.public()],
            secrets: vec![keyset.restore.clone()],
            offset_minutes: 420,
        };
        let mut ledger = Ledger::open(&run, storage, access).unwrap();
        let root = (&keyset.root_public, keyset.root.as_ref());
        ledger.ensure_founded(&run, &keyset.admin, root).unwrap();
        let office = Signer { holder: OFFICE.to_owned(), key: keyset.admin.clone() };
        Self { run, ledger, office }
    }

    pub(crate) fn add(&mut self, kind: Kind, drill: &str, mut document: Value) -> String {
        document["schema"] = json!(kind.schema());
        let draft = Draft::new(kind, drill, document);
        let receipt = self.ledger.append(&self.run, &self.office, &draft).unwrap();
        receipt.document.to_string()
    }

    /// A weekly drill from its planning to its end.
    fn weekly(&mut self, drill: &str, verdict: &str) {
        for to in ["planned", "approved", "preflight", "restoring", "verifying", "measured"] {
            self.add(Kind::Transition, drill, json!({"to": to, "class": "D1"}));
        }
        let record = self.add(Kind::Record, drill, json!({"verdict": verdict}));
        self.add(Kind::Closing, drill, json!({"record": record}));
        self.add(Kind::Transition, drill, json!({"to": "closed"}));
        self.ledger.put_checkpoint(&self.office).unwrap();
    }
}

/// Two weekly drills in a repository, the second one failed.
fn with_evidence() -> Scene {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let mut office = Office::of(&scene.path("repository"));
    office.weekly("D1-2026-48", "pass");
    office.weekly("D1-2026-49", "fail");
    scene
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Writes the bundle; what its JSON line says.
fn bundle(scene: &Scene, name: &str) -> (String, Value) {
    let out = text(&scene.path(name));
    let told = scene.expect(0, &["drill", "bundle", "--out", &out, "--json"]);
    (out, told.json_of("result").remove(0))
}

/// A scene for whoever has nothing but the bundle.
fn auditor() -> Scene {
    let mut scene = Scene::new();
    for name in ["LIFEBOAT_REPOSITORY", "LIFEBOAT_CACHE_DIR", "LIFEBOAT_PASSWORD"] {
        scene.unset(name);
    }
    scene
}

#[test]
fn a_bundle_is_inspected_without_repository_or_key() {
    let scene = with_evidence();
    let (out, line) = bundle(&scene, "bundle");
    assert_eq!(line["verdict"], "valid");
    let (print, code) = (line["fingerprint"].as_str().unwrap(), line["code"].as_str().unwrap());
    let auditor = auditor();
    let args = ["drill", "verify-evidence", &out, "--fingerprint", print, "--code", code];
    let told = auditor.expect(0, &args);
    let shown = String::from_utf8(told.stdout.clone()).unwrap();
    assert!(shown.starts_with("VALID: 19 entries, 19 documents, 2 drills"), "{shown}");
    assert!(shown.contains(print) && shown.contains(code), "{shown}");
    assert!(told.stderr.is_empty(), "{told}");
    let vi = auditor.expect(0, &[&args[..], &["--lang", "vi"]].concat());
    let vi = String::from_utf8(vi.stdout).unwrap();
    assert!(vi.starts_with("HỢP LỆ: 19 bản ghi"), "{vi}");
    // Without paper it says what was not checked.
    let told = auditor.expect(0, &["drill", "verify-evidence", &out, "--json"]);
    let lines = told.json_of("result");
    let notes = lines.iter().filter(|line| line["class"] == "note").count();
    assert_eq!((notes, &lines.last().unwrap()["verdict"]), (2, &json!("valid")));
    // Paper of another office.
    let other = "0".repeat(64);
    let told = auditor.expect(23, &["drill", "verify-evidence", &out, "--fingerprint", &other]);
    let shown = String::from_utf8(told.stdout).unwrap();
    assert!(shown.contains("INVALID: the fingerprint is that of another ledger"), "{shown}");
    // A bundle is written once.
    let told = scene.run(&["drill", "bundle", "--out", &out]);
    assert_eq!(told.code, Some(1), "{told}");
}

#[test]
fn what_was_taken_or_changed_is_told_in_both_languages() {
    let scene = with_evidence();
    let auditor = auditor();
    let inspect = |out: &str, lang: &str| {
        let told = auditor.expect(23, &["drill", "verify-evidence", out, "--lang", lang]);
        String::from_utf8(told.stdout).unwrap()
    };
    let (out, _) = bundle(&scene, "less");
    for end in ["json", "sig"] {
        std::fs::remove_file(Path::new(&out).join(format!("entries/0000000012.{end}"))).unwrap();
    }
    let shown = inspect(&out, "en");
    assert!(shown.contains("RECORD MISSING: entries 12 to 12 are missing"), "{shown}");
    let shown = inspect(&out, "vi");
    assert!(shown.contains("THIẾU BẢN GHI: thiếu các bản ghi từ 12 đến 12"), "{shown}");
    let (out, _) = bundle(&scene, "other");
    let path = Path::new(&out).join("entries/0000000012.json");
    let altered = std::fs::read_to_string(&path).unwrap().replace("2026-49", "2026-50");
    std::fs::remove_file(&path).unwrap();
    std::io::Write::write_all(&mut std::fs::File::create_new(&path).unwrap(), altered.as_bytes())
        .unwrap();
    let shown = inspect(&out, "en");
    let told = "INVALID: entry 12: the signature of `office` does not hold";
    assert!(shown.contains(told), "{shown}");
    let shown = inspect(&out, "vi");
    let told = "KHÔNG HỢP LỆ: bản ghi 12: chữ ký của `office` không hợp lệ";
    assert!(shown.contains(told), "{shown}");
}

/// The program that can do nothing else says the same, with nothing in its environment.
#[test]
fn the_auditors_own_program_says_the_same() {
    let scene = with_evidence();
    let auditor = auditor();
    let (whole, line) = bundle(&scene, "whole");
    let (less, _) = bundle(&scene, "less");
    std::fs::remove_file(Path::new(&less).join("entries/0000000012.sig")).unwrap();
    let print = line["fingerprint"].as_str().unwrap();
    let nowhere = text(&scene.path("nowhere"));
    for (code, args) in [
        (0, vec![&*whole]),
        (0, vec![&*whole, "--fingerprint", print, "--lang", "vi"]),
        (23, vec![&*whole, "--code", "00000-00000-00000-00000"]),
        (23, vec![&*less, "--lang", "vi"]),
        (2, vec![&*nowhere]),
        (2, vec![&*whole, "--code", "123"]),
    ] {
        let big = auditor.expect(code, &[&["drill", "verify-evidence"][..], &args].concat());
        let small = Command::new(env!("CARGO_BIN_EXE_lifeboat-verify"))
            .args(&args)
            .env_clear()
            .current_dir("/")
            .output()
            .unwrap();
        assert_eq!(small.status.code(), Some(code), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&small.stdout), String::from_utf8_lossy(&big.stdout));
        let told = String::from_utf8(small.stderr).unwrap();
        assert_eq!(told.lines().next(), big.stderr.lines().next(), "{args:?}");
    }
    let small = Command::new(env!("CARGO_BIN_EXE_lifeboat-verify"))
        .args([&*less, "--json"])
        .env_clear()
        .output()
        .unwrap();
    let lines = String::from_utf8(small.stdout).unwrap();
    assert!(lines.contains(r#""verdict":"record_missing""#), "{lines}");
    assert!(lines.lines().last().unwrap().contains(r#""exit_code":23"#), "{lines}");
}

#[test]
fn what_is_no_bundle_is_refused() {
    let scene = with_files();
    let auditor = auditor();
    let nowhere = text(&scene.path("nowhere"));
    auditor.expect(2, &["drill", "verify-evidence", &nowhere]);
    let empty = text(&scene.path("source"));
    auditor.expect(2, &["drill", "verify-evidence", &empty]);
    auditor.expect(2, &["drill", "verify-evidence", &empty, "--code", "123"]);
    auditor.expect(2, &["drill", "verify-evidence", &empty, "--fingerprint", "12"]);
    // A repository in which no drill was held.
    let told = scene.run(&["drill", "bundle", "--out", &text(&scene.path("bundle"))]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.stderr.contains("no drill was ever recorded"), "{told}");
}

/// The words of README.txt, run as they stand there, and for every row of list.txt.
#[test]
fn the_recipe_of_the_readme_works_with_openssl() {
    let scene = with_evidence();
    let (out, line) = bundle(&scene, "bundle");
    let folder = PathBuf::from(&out);
    let sh = |command: &str| {
        let output = Command::new("sh").args(["-c", command]).current_dir(&folder).output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), told + &String::from_utf8_lossy(&output.stderr))
    };
    let readme = std::fs::read_to_string(folder.join("README.txt")).unwrap();
    let readme = readme.replace("\\\n", "");
    let command = |start: &str| {
        let line = readme.lines().find(|line| line.trim_start().starts_with(start));
        line.unwrap_or_else(|| panic!("`{start}` in\n{readme}")).trim().to_owned()
    };
    let (_, print) = sh(&command("openssl pkey "));
    assert_eq!(print.split(' ').next().unwrap(), line["fingerprint"].as_str().unwrap());
    let verify = command("openssl pkeyutl ");
    assert_eq!(sh(&verify), (true, "Signature Verified Successfully\n".to_owned()));
    // Every entry and document, by the key that the list names.
    let list = std::fs::read_to_string(folder.join("list.txt")).unwrap();
    let (mut count, mut expected) = (0, Vec::new());
    for row in list.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [entry, _, _, _, key, document, author] = cells[..] else { panic!("{row}") };
        for (file, key) in [(entry, key), (document, author)] {
            let signature = file.replace(".json", ".sig");
            let command = verify
                .replace("entries/0000000001.json", file)
                .replace("entries/0000000001.sig", &signature)
                .replace("keys/office.1.pem", key);
            let (holds, told) = sh(&command);
            assert!(holds, "{command}: {told}");
            count += 1;
        }
        expected.push((entry.to_owned(), document.to_owned()));
    }
    assert_eq!(count, 38);
    // The hashes, as the third step has them.
    let (_, sums) = sh(&command("sha256sum "));
    let sum_of = |file: &str| {
        let line = sums.lines().find(|line| line.ends_with(&format!("  {file}")));
        line.unwrap_or_else(|| panic!("{file} in {sums}")).split(' ').next().unwrap().to_owned()
    };
    let mut prev = "0".repeat(64);
    for (entry, document) in expected {
        let value = std::fs::read(folder.join(&entry)).unwrap();
        let value: Value = serde_json::from_slice(&value).unwrap();
        assert_eq!(value["document"], sum_of(&document));
        assert_eq!(document, format!("documents/{}.json", sum_of(&document)));
        assert_eq!(value["prev"], prev);
        prev = sum_of(&entry);
    }
    // And it finds an edit.
    let (holds, _) = sh(&format!("sed -i s/office/offizz/ entries/0000000001.json; {verify}"));
    assert!(!holds);
}

/// `check` takes it for what it is, `prune` leaves it, `copy` carries it to a twin.
#[test]
fn other_verbs_know_the_ledger() {
    let scene = with_evidence();
    let before = scene.files("repository/ledger");
    assert!(before.len() > 38, "{before:?}");
    for args in [&["check", "--read-data"][..], &["prune"], &["check"]] {
        let told = scene.expect(0, args);
        assert!(!told.stderr.contains("ledger"), "{told}");
        let told = scene.expect(0, &[args, &["--json"]].concat());
        assert!(!String::from_utf8(told.stdout).unwrap().contains("ledger/"), "{args:?}");
    }
    assert_eq!(scene.files("repository/ledger"), before);
    let (original, twin) = (text(&scene.path("repository")), text(&scene.path("twin")));
    scene.expect(0, &["init", "-q", "--twin-of", &original, "-r", &twin]);
    let copy = |code: i32| {
        let told = scene.expect(code, &["copy", "--to", &twin, "--json"]);
        let lines = told.json_of("result");
        let line = lines.into_iter().find(|line| line["item"] == "copy").unwrap();
        line["ledger_count"].as_u64().unwrap()
    };
    // 19 entries, 19 documents, 2 checkpoints.
    assert_eq!((copy(0), copy(0)), (40, 0));
    let name = |repository: &str| {
        let out = text(&scene.path(format!("bundle-of-{repository}")));
        let from = text(&scene.path(repository));
        scene.expect(0, &["drill", "bundle", "--out", &out, "-r", &from]);
        std::fs::read(Path::new(&out).join("list.txt")).unwrap()
    };
    assert_eq!(name("repository"), name("twin"));
    // The twins go on by themselves: what parts is told, and stays.
    Office::of(&scene.path("repository")).add(Kind::Transition, "D1-a", json!({"to": "planned"}));
    Office::of(&scene.path("twin")).add(Kind::Transition, "D1-b", json!({"to": "planned"}));
    let there = scene.files("twin/ledger");
    assert_eq!(copy(20), 0);
    assert_eq!(scene.files("twin/ledger"), there);
}

/// Three persons with keys of their own, each under a passphrase of its own.
#[test]
fn persons_sign_a_record_in_their_order_and_the_bundle_shows_it() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let people = [("cntt-1", "operator"), ("ke-toan", "owner"), ("giam-doc", "chair")];
    for (holder, role) in people {
        let file = text(&scene.path(format!("{holder}.key")));
        let secret = format!("passphrase of {holder}\n");
        scene.file(format!("{holder}.secret"), secret.as_bytes());
        let secret = text(&scene.path(format!("{holder}.secret")));
        let create = ["drill", "key", "create", holder, "--out", &file];
        let told = scene.expect(0, &[&create[..], &["--key-password-file", &secret]].concat());
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains(&format!("made a personal key for {holder}")), "{told}");
        scene.expect(0, &["drill", "key", "add", &file, "--may", role]);
        // A key is let in once, and a file is never replaced.
        scene.expect(13, &["drill", "key", "add", &file, "--may", role]);
        scene.expect(1, &[&create[..], &["--key-password-file", &secret]].concat());
    }
    let listed = scene.expect(0, &["drill", "key", "list", "--json"]).json_of("result");
    assert_eq!(listed.len(), 4);
    assert_eq!((&listed[3]["holder"], &listed[3]["may"]), (&json!("giam-doc"), &json!(["chair"])));
    let drill = "D2-2026-12-01";
    let sign = |code: i32, (holder, role): (&str, &str), more: &[&str]| {
        let key = text(&scene.path(format!("{holder}.key")));
        let secret = text(&scene.path(format!("{holder}.secret")));
        let args = ["drill", "sign", drill, "--role", role, "--key", &key, "--key-password-file"];
        let args = [&args[..], &[&secret, "--opinion", "đúng như đã thấy"], more].concat();
        scene.expect(code, &args)
    };
    // There is nothing to sign yet, and then nothing that is over.
    sign(13, people[0], &[]);
    let mut office = Office::of(&scene.path("repository"));
    for to in ["planned", "approved", "preflight", "restoring", "verifying", "measured"] {
        office.add(Kind::Transition, drill, json!({"to": to, "class": "D2"}));
    }
    let record = office.add(Kind::Record, drill, json!({"verdict": "pass"}));
    sign(13, people[0], &[]);
    office.add(Kind::Closing, drill, json!({"record": record}));
    sign(13, people[1], &[]);
    sign(13, ("ke-toan", "operator"), &[]);
    let told = sign(0, people[0], &["--json"]).json_of("result").remove(0);
    assert_eq!((&told["stage"], &told["holder"]), (&json!("awaiting_signoff"), &json!("cntt-1")));
    let told = sign(0, people[1], &["--refuse", "--lang", "vi"]);
    assert!(String::from_utf8(told.stdout).unwrap().contains("ke-toan đã từ chối ký"));
    sign(13, people[2], &[]);
    sign(0, people[1], &[]);
    let told = sign(0, people[2], &["--json"]).json_of("result").remove(0);
    assert_eq!(told["stage"], "signed");
    let code = told["code"].as_str().unwrap().to_owned();
    // Another's passphrase opens nothing.
    let (key, secret) = (text(&scene.path("ke-toan.key")), text(&scene.path("cntt-1.secret")));
    let args = ["drill", "sign", drill, "--role", "owner", "--key", &key, "--opinion", "x"];
    scene.expect(12, &[&args[..], &["--key-password-file", &secret]].concat());
    let (out, _) = bundle(&scene, "bundle");
    let told = auditor().expect(0, &["drill", "verify-evidence", &out, "--code", &code]);
    let shown = String::from_utf8(told.stdout).unwrap();
    assert!(shown.contains("VALID: 16 entries, 16 documents, 1 drills"), "{shown}");
    assert!(shown.contains(&format!("code of all 16 entries: {code}")), "{shown}");
}
