//! Evidence of real drills, tampered with in ten ways, by strangers and by who holds the office's
//! keys: the program finds each, and each has its verdict.

use std::path::Path;

use lifeboat::crypto::sign::SigningKey;
use lifeboat::evidence::bundle::Bundle;
use lifeboat::evidence::checkpoint::Checkpoint;
use lifeboat::evidence::entry::Entry;
use lifeboat::evidence::entry::Kind;
use lifeboat::evidence::entry::NO_PREV;
use lifeboat::evidence::signed::Signed;
use lifeboat::evidence::tree;
use lifeboat::evidence::tree::Tree;
use lifeboat::secret::Secret32;
use serde_json::json;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::files::docx;
use super::folder;
use crate::cli::evidence::Office;
use crate::cli::scene::Scene;

const DAY_MS: i64 = 24 * 3600 * 1000;
const PLANNED: &str = "D2-2026-01";

/// A drill that was proven, one that was not, and one of the programme that was not held and has a
/// word why.
fn office() -> (Scene, SigningKey) {
    let scene = configured(&[]);
    scene.file("shared/a.docx", &docx("một"));
    let backups = [("shared", folder(&scene.path("shared")))];
    configure(&scene, &backups, "");
    backup(&scene, "shared");
    drill(&scene, 0);
    let asked = "[[drill.check]]\nkind = \"file\"\ndataset = \"shared\"\npath = \"/no/such\"\n";
    configure(&scene, &backups, asked);
    drill(&scene, 21);
    let mut office = Office::of(&scene.path("repository"));
    let due = json!([{"drill": PLANNED, "due": "2026-01-10T00:00:00.000+07:00"}]);
    office.add(Kind::Programme, "2026", json!({"drills": due}));
    office.add(Kind::Missed, PLANNED, json!({"reason": "the server was moved"}));
    let key = office.office.key.clone();
    (scene, key)
}

/// The bundle of a folder.
fn read(scene: &Scene, name: &str) -> Bundle {
    let beneath = scene.path(name);
    let of = |path: String| {
        let path = Path::new(&path);
        let name = path.strip_prefix(&beneath).unwrap().to_str().unwrap().to_owned();
        path.is_file().then(|| (name, std::fs::read(path).unwrap()))
    };
    Bundle::from_files(scene.files(name).into_iter().filter_map(of).collect::<Vec<_>>())
}

fn entry(file: &Signed) -> Entry {
    Entry::decode(&file.bytes).unwrap()
}

/// Number of the first entry of this kind of a drill whose code begins so.
fn seq(bundle: &Bundle, (drill, kind): (&str, Kind)) -> u64 {
    let is_it = |file: &Signed| {
        let entry = entry(file);
        entry.kind == kind && entry.subject.starts_with(drill)
    };
    *bundle.entries.iter().find(|(_, file)| is_it(file)).unwrap().0
}

/// All entries numbered, linked and signed anew, as whoever holds the key can do it, with a
/// checkpoint over them: in itself there is no fault in any link.
fn anew(bundle: &mut Bundle, key: &SigningKey) {
    let mut prev = NO_PREV;
    let all = std::mem::take(&mut bundle.entries).into_values();
    for (file, seq) in all.zip(1..) {
        let entry = Entry { seq, prev, ..entry(&file) };
        let file = Signed::sign(key, entry.encode().unwrap()).unwrap();
        prev = file.hash();
        bundle.entries.insert(seq, file);
    }
    bundle.proofs.clear();
    bundle.checkpoints.clear();
    checkpoint(bundle, key);
}

/// A checkpoint of what is there.
fn checkpoint(bundle: &mut Bundle, key: &SigningKey) {
    let mut tree = Tree::default();
    bundle.entries.values().for_each(|file| tree.push(tree::leaf(&file.bytes)));
    let (size, origin) = (tree.size(), bundle.origin.clone());
    let note = Checkpoint { origin, size, root: tree.root(size).unwrap() }.sign(key);
    bundle.checkpoints.insert(size, note.into_bytes());
}

/// What is done to a bundle, by the office's key where that is needed.
type Way = fn(&mut Bundle, &SigningKey);

const INVALID: (&str, &str) = ("INVALID", "KHÔNG HỢP LỆ");
const MISSING: (&str, &str) = ("RECORD MISSING", "THIẾU BẢN GHI");

/// The way, its verdict in both languages, and what is told of it.
const WAYS: [(&str, (&str, &str), &str, Way); 10] = [
    ("deleted", MISSING, "are missing", |bundle, _| {
        let seq = seq(bundle, ("D2", Kind::Record));
        bundle.entries.remove(&seq);
    }),
    ("reordered", INVALID, "it says that it is number", |bundle, _| {
        let seq = seq(bundle, ("D2", Kind::Record));
        let (one, two) = (bundle.entries[&seq].clone(), bundle.entries[&(seq + 1)].clone());
        bundle.entries.insert(seq, two);
        bundle.entries.insert(seq + 1, one);
    }),
    ("edited", INVALID, "its text is not that of its hash", |bundle, _| {
        let seq = bundle
            .entries
            .keys()
            .rev()
            .find(|seq| entry(&bundle.entries[seq]).kind == Kind::Record);
        let hash = entry(&bundle.entries[seq.unwrap()]).document;
        let file = bundle.documents.get_mut(&hash).unwrap();
        let text = String::from_utf8(file.bytes.clone()).unwrap();
        assert!(text.contains("\"verdict\":\"fail\""), "{text}");
        file.bytes = text.replace("\"verdict\":\"fail\"", "\"verdict\":\"pass\"").into_bytes();
    }),
    ("back-dated", INVALID, "it is dated before the entry before it", |bundle, key| {
        let seq = seq(bundle, ("D2", Kind::Record));
        let mut entry = entry(&bundle.entries[&seq]);
        entry.time.at.unix_ms -= DAY_MS;
        bundle.entries.insert(seq, Signed::sign(key, entry.encode().unwrap()).unwrap());
        anew(bundle, key);
    }),
    // Without a fault in itself: it is the paper that knows better.
    ("a failed drill dropped", MISSING, "fits no state of this ledger", |bundle, key| {
        let subject = |file: &Signed| entry(file).subject;
        let failed = bundle.entries.values().rev().find(|it| entry(it).kind == Kind::Action);
        let failed = subject(failed.unwrap());
        bundle.entries.retain(|_, file| subject(file) != failed);
        anew(bundle, key);
    }),
    ("a planned drill dropped", MISSING, "was due", |bundle, key| {
        bundle.entries.retain(|_, file| entry(file).kind != Kind::Missed);
        anew(bundle, key);
    }),
    ("a forged signature", INVALID, "the signature of `office` does not hold", |bundle, _| {
        let seq = seq(bundle, ("D2", Kind::Record));
        bundle.entries.get_mut(&seq).unwrap().signature[10] ^= 1;
    }),
    ("a foreign key", INVALID, "the signature of `office` does not hold", |bundle, _| {
        let seq = seq(bundle, ("D2", Kind::Record));
        let stranger = SigningKey::from_seed(&Secret32::new([77; 32]));
        let text = bundle.entries[&seq].bytes.clone();
        bundle.entries.insert(seq, Signed::sign(&stranger, text).unwrap());
    }),
    ("a replaced checkpoint", INVALID, "its root is not that of these entries", |bundle, key| {
        let size = *bundle.checkpoints.keys().max().unwrap();
        let root = tree::sha256(b"another ledger");
        let note = Checkpoint { origin: bundle.origin.clone(), size, root }.sign(key);
        bundle.checkpoints.insert(size, note.into_bytes());
    }),
    ("a cut end", MISSING, "fits no state of this ledger", |bundle, key| {
        let first = seq(bundle, ("D2", Kind::Record));
        bundle.entries.retain(|seq, _| *seq < first);
        bundle.proofs.clear();
        bundle.checkpoints.clear();
        checkpoint(bundle, key);
    }),
];

#[test]
fn ten_ways_of_tampering_are_found_each_by_its_verdict() {
    let (scene, key) = office();
    let out = scene.path("whole").display().to_string();
    let told = scene.expect(0, &["drill", "bundle", "--out", &out, "--json"]);
    let line = told.json_of("result").remove(0);
    let (print, code) = (line["fingerprint"].as_str().unwrap(), line["code"].as_str().unwrap());
    let whole = read(&scene, "whole");
    let inspect = |name: &str, code_: i32, lang: &str| {
        let folder = scene.path(name).display().to_string();
        let args = ["drill", "verify-evidence", &folder, "--fingerprint", print, "--code", code];
        let told = scene.expect(code_, &[&args[..], &["--lang", lang]].concat());
        String::from_utf8(told.stdout).unwrap()
    };
    let shown = inspect("whole", 0, "en");
    assert!(shown.contains("VALID: ") && !shown.contains("INVALID"), "{shown}");
    for (way, (en, vi), why, change) in WAYS {
        let mut bundle = whole.clone();
        change(&mut bundle, &key);
        assert_ne!(bundle, whole, "{way}");
        let name = way.replace(' ', "-");
        for (file, bytes) in bundle.files() {
            scene.file(format!("{name}/{file}"), &bytes);
        }
        let shown = inspect(&name, 23, "en");
        let head = shown.lines().next().unwrap();
        assert!(head.starts_with(&format!("{en}: ")), "{way}: {shown}");
        assert!(shown.contains(why), "{way}: {shown}");
        // Nothing worse is said than what was done.
        assert!(en == INVALID.0 || !shown.contains(INVALID.0), "{way}: {shown}");
        let shown = inspect(&name, 23, "vi");
        assert!(shown.starts_with(&format!("{vi}: ")), "{way}: {shown}");
    }
}
