//! Damaged and evil repositories (H15): the stored repository of each format with something done to
//! it, every command over it, and what that is to end in. No command may panic, hang, or write
//! where it only reads.
//!
//! What is expected stands in `tests/fixtures/corpora-1.json`; the codes are those of the README.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use serde_json::json;

use crate::formats::copy;
use crate::formats::digest;
use crate::formats::is_writing;
use crate::house;
use crate::support::generate::put;
use crate::support::profile;
use crate::support::tally::Tally;
use crate::torture::Place;

/// Two snapshots of the chain that has the most.
const OLDER: &str = "c9f999fd";
const NEWER: &str = "3ad4b020";
/// What only reads.
const READS: [&[&str]; 14] = [
    &["snapshots"],
    &["ls", NEWER],
    &["find", "*"],
    &["stats"],
    &["diff", OLDER, NEWER],
    &["cat", "config"],
    &["dump", NEWER],
    &["check"],
    &["check", "--read-data"],
    &["key", "list"],
    &["repair", "-n"],
    &["prune", "--dry-run"],
    &["forget", "-n", "--keep-last", "1"],
    &["restore", NEWER, "--target", "back"],
];
/// What writes; each starts from the same damage.
const WRITES: [&[&str]; 5] = [
    &["backup", "tree"],
    &["tag", "--add", "seen", NEWER],
    &["forget", "--keep-last", "1"],
    &["prune", "--empty-trash", "--max-delete", "100%"],
    &["repair"],
];
/// Codes that the README knows and that a command over a repository may end in.
const CODES: [i32; 9] = [0, 1, 3, 10, 12, 13, 14, 15, 20];

/// A repository in a folder, to be damaged.
struct Victim {
    root: PathBuf,
}

impl Victim {
    /// Names of blobs that begin so, sorted.
    fn names(&self, prefix: &str) -> Vec<PathBuf> {
        let mut found = BTreeMap::new();
        super::files(&self.root, "", &mut found);
        let names = found.into_keys().filter(|name| name.starts_with(prefix));
        names.map(|name| self.root.join(name)).collect()
    }

    fn remove(&self, prefix: &str) {
        let names = self.names(prefix);
        assert!(!names.is_empty(), "{prefix}");
        names.iter().for_each(|name| std::fs::remove_file(name).unwrap());
    }

    fn change(&self, path: &Path, edit: impl Fn(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(path).unwrap();
        edit(&mut bytes);
        std::fs::remove_file(path).unwrap();
        put(path, &bytes);
    }

    fn add(&self, name: &str, bytes: &[u8]) {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        put(&path, bytes);
    }

    /// The longest packs hold data, the shortest one node.
    fn packs(&self) -> Vec<PathBuf> {
        let mut packs = self.names("packs/");
        packs.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
        packs
    }
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

/// The same, whichever name it stands under.
fn nobody(name: &str) -> String {
    name.repeat(64).chars().take(64).collect()
}

type Damage = fn(&Victim);

const DAMAGED: [(&str, Damage); 13] = [
    ("whole", |_| {}),
    ("two-configs-gone", |it| {
        it.remove("config.1");
        it.remove("config.2");
    }),
    ("every-config-gone", |it| it.remove("config")),
    ("every-slot-gone", |it| it.remove("slots/")),
    ("newest-recipients-gone", |it| it.remove("recipients/2-")),
    ("index-gone", |it| it.remove("index/")),
    ("largest-pack-flipped", |it| it.change(&it.packs()[0], |bytes| flip(bytes))),
    ("largest-pack-gone", |it| std::fs::remove_file(&it.packs()[0]).unwrap()),
    ("packs-swapped", |it| {
        let packs = it.packs();
        let [one, other] = [&packs[0], &packs[1]].map(|path| std::fs::read(path).unwrap());
        it.change(&packs[0], |bytes| other.clone_into(bytes));
        it.change(&packs[1], |bytes| one.clone_into(bytes));
    }),
    ("every-pack-cut", |it| {
        it.packs().iter().for_each(|path| it.change(path, |bytes| bytes.truncate(40)));
    }),
    ("manifest-in-the-middle-gone", |it| {
        for folder in ["manifests", "manifests.2"] {
            it.names(folder)
                .iter()
                .filter(|name| name.to_str().unwrap().contains("/3-"))
                .for_each(|name| std::fs::remove_file(name).unwrap());
        }
    }),
    ("first-copies-of-manifests-flipped", |it| {
        it.names("manifests/").iter().for_each(|name| it.change(name, |bytes| flip(bytes)));
    }),
    ("tombstone-flipped", |it| it.change(&it.names("tombstones/")[0], |bytes| flip(bytes))),
];

/// Not what a medium does by itself.
const EVIL: [(&str, Damage); 6] = [
    ("strange-names", |it| {
        for name in ["NAME", "packs/zz/short", "manifests/x", "index/.hidden/a", "extra/a/b/c"] {
            it.add(name, b"nothing of ours");
        }
    }),
    ("fifos-and-links", |it| {
        std::fs::create_dir_all(it.root.join("packs/aa")).unwrap();
        for (folder, name) in [("packs/aa", nobody("a")), ("index", nobody("b"))] {
            let path = it.root.join(folder).join(name);
            rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from(0o600)).unwrap();
        }
        let link = it.root.join("packs/aa").join(nobody("ac"));
        std::os::unix::fs::symlink("/dev/zero", link).unwrap();
    }),
    ("blobs-too-long", |it| {
        let pack = format!("packs/ad/{}", nobody("ad"));
        for (name, len) in [(pack, 64 << 20), (format!("index/{}", nobody("ae")), 200 << 20)] {
            it.add(&name, b"");
            let file = std::fs::File::options().write(true).open(it.root.join(name)).unwrap();
            file.set_len(len).unwrap();
        }
    }),
    ("folders-for-blobs", |it| {
        it.remove("config.1");
        std::fs::create_dir(it.root.join("config.1")).unwrap();
        let first = it.names("manifests/")[0].clone();
        std::fs::remove_file(&first).unwrap();
        std::fs::create_dir(first).unwrap();
    }),
    ("bits-all-set", |it| {
        for prefix in ["manifests/", "index/", "slots/", "keyring/", "machines/"] {
            it.change(&it.names(prefix)[0], |bytes| bytes.fill(0xff));
        }
    }),
    ("records-of-another-kind", |it| {
        let slot = std::fs::read(&it.names("slots/")[0]).unwrap();
        let manifest = std::fs::read(&it.names("manifests/")[0]).unwrap();
        it.change(&it.names("config")[0], |bytes| manifest.clone_into(bytes));
        it.change(&it.names("tombstones/")[0], |bytes| slot.clone_into(bytes));
        it.change(&it.names("index/")[0], |bytes| slot.clone_into(bytes));
    }),
];

/// Every file with its digest; what is no file, by its name.
fn state(place: &Place) -> BTreeMap<String, (usize, String)> {
    let mut found = BTreeMap::new();
    sparse(&place.path("repository"), "", &mut found);
    found
}

/// As `files`, but what is long is not read, and what is no file neither.
fn sparse(folder: &Path, below: &str, into: &mut BTreeMap<String, (usize, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let name = format!("{below}/{}", path.file_name().unwrap().to_str().unwrap());
        if meta.is_dir() {
            sparse(&path, &name, into);
        } else if meta.is_file() && meta.len() < 32 << 20 {
            let bytes = std::fs::read(path).unwrap();
            into.insert(name, (bytes.len(), digest(&bytes)));
        } else {
            into.insert(name, (0, format!("{:?}", meta.file_type())));
        }
    }
}

/// A place with the stored repository, damaged.
fn damaged(damage: Damage) -> Place {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    copy(&house::root().join("tests/fixtures/repository-1"), &place.path("repository"));
    let victim = Victim { root: place.path("repository") };
    // Whether its lease has ended depends on the day.
    victim.remove("sessions/");
    damage(&victim);
    let tree = place.path("tree");
    std::fs::create_dir(&tree).unwrap();
    put(&tree.join("file"), b"new");
    place
}

/// Runs a command; one that hangs is ended, and that is no code that anybody expects.
fn run(place: &Place, arguments: &[&str]) -> Output {
    let program = place.command(arguments);
    let mut command = std::process::Command::new("timeout");
    command.args(["-s", "KILL", "60"]).arg(program.get_program()).args(program.get_args());
    command.env_clear().envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command.current_dir(place.folder.path()).stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    let code = output.status.code();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(code.is_some_and(|it| CODES.contains(&it)), "{arguments:?}: {code:?}\n{told}");
    assert!(!told.contains("panicked"), "{arguments:?}: {told}");
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// The report of a check, without what differs from run to run.
fn report(place: &Place) -> Value {
    let output = run(place, &["check", "--read-data", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut results = lines.filter(|line| line["message_type"] == "result");
    let Some(mut result) = results.next() else { return Value::Null };
    let fields = result.as_object_mut().unwrap();
    fields.retain(|name, value| {
        let is_told = !matches!(value, Value::Array(items) if items.is_empty());
        is_told && name != "duration_ms" && name != "message_type" && name != "v"
    });
    result
}

fn case(damage: Damage, tally: &mut Tally) -> Value {
    let place = damaged(damage);
    let before = state(&place);
    let mut codes = serde_json::Map::new();
    for arguments in READS {
        let output = run(&place, arguments);
        codes.insert(arguments.join(" "), code(&output).into());
        assert_eq!(state(&place), before, "{arguments:?} has written");
        tally.trials += 1;
    }
    let report = report(&place);
    for arguments in WRITES {
        let place = damaged(damage);
        let output = run(&place, arguments);
        let mut told = code(&output).to_string();
        let checked = run(&place, &["check", "--read-data"]);
        told.push_str(&format!(", then check {}", code(&checked)));
        codes.insert(arguments.join(" "), told.into());
        tally.trials += 1;
    }
    json!({ "codes": codes, "report": report })
}

/// Every command over every damaged and evil repository ends as it is written.
#[test]
fn damaged_and_evil_repositories_end_as_expected() {
    let path = house::root().join("tests/fixtures/corpora-1.json");
    let mut tally = Tally::start("h15-corpora", profile::seed());
    let mut found = serde_json::Map::new();
    for (name, damage) in DAMAGED.into_iter().chain(EVIL) {
        found.insert(name.to_owned(), case(damage, &mut tally));
    }
    tally.count("repositories", found.len() as u64);
    tally.count("commands", (READS.len() + WRITES.len()) as u64);
    let found = Value::Object(found);
    if is_writing() {
        let text = format!("{}\n", serde_json::to_string_pretty(&found).unwrap());
        put(&path, text.as_bytes());
    }
    let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let differs = |name: &&String| expected[name.as_str()] != found[name.as_str()];
    let names: Vec<&String> = found.as_object().unwrap().keys().filter(differs).collect();
    tally.failures = names.len() as u64;
    tally.finish();
    for name in &names {
        println!("{name}: {:#}", found[name.as_str()]);
    }
    assert!(names.is_empty(), "{names:?}");
    assert_eq!(expected.as_object().map(|it| it.len()), found.as_object().map(|it| it.len()));
}
