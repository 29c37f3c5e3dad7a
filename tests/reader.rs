//! The format's pages are enough: a reader in Python, written from them alone, reads what the
//! program wrote, and refuses what is not as the pages say.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::sync::Arc;

use lifeboat::clock::SystemClock;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::crypto::sealed::slot::Argon2Parameters;
use lifeboat::crypto::sealed::slot::SlotSecret;
use lifeboat::format::config::Parameters;
use lifeboat::ids::RunId;
use lifeboat::repository::keys::create;
use lifeboat::repository::keys::create::CreateOptions;
use lifeboat::repository::keys::slots::NewSlot;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::secret::SecretBytes;
use lifeboat::storage::open;
use lifeboat::storage::open::Location;

use crate::house;
use crate::support::Random;
use crate::support::compare::assert_alike;
use crate::support::compare::look;
use crate::support::generate;
use crate::torture::Place;

/// A Python with the libraries of the tests: `.ci/run` makes one.
pub fn python() -> PathBuf {
    let made = house::root().join("target/reader-venv/bin/python3");
    let named = std::env::vars_os().find(|(name, _)| name == "LIFEBOAT_TEST_PYTHON");
    named.map_or(made, |(_, path)| path.into())
}

/// Runs the reader; `way` is the variable that opens the repository, and its value.
pub fn reader(repository: &Path, way: (&str, &str), arguments: &[&str]) -> Output {
    let python = python();
    Command::new(&python)
        .arg("-B")
        .arg(house::root().join("tests/reader/reader.py"))
        .arg(repository)
        .args(arguments)
        .env_remove("LIFEBOAT_KEY_FILE")
        .env_remove("LIFEBOAT_SHARES")
        .env(way.0, way.1)
        .output()
        .unwrap_or_else(|e| panic!("{python:?}: {e}; `.ci/run` makes it"))
}

const PASSPHRASE: (&str, &str) = ("LIFEBOAT_PASSWORD", "only a test");

#[track_caller]
fn read_by(place: &Place, way: (&str, &str), arguments: &[&str]) -> String {
    let output = reader(&place.path("repository"), way, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn read(place: &Place, arguments: &[&str]) -> String {
    read_by(place, PASSPHRASE, arguments)
}

/// The reader must refuse, with a sentence of its own and no traceback.
#[track_caller]
fn refused(what: &str, output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{what} passed");
    assert!(told.lines().all(|line| line.starts_with("reader: ")), "{what}: {told}");
    assert!(!told.is_empty(), "{what}");
    told
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file with more extents than a leaf holds: 80 islands in a sea of holes.
fn put_huge(path: &Path) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::create_new(path).unwrap();
    let mut random = Random::new(80);
    for island in 0..80 {
        file.write_all_at(&random.bytes(4096), island * 131_072).unwrap();
    }
    file.set_len(80 * 131_072 + 7).unwrap();
    file.sync_all().unwrap();
}

/// A tree with everything, backed up twice with a change between.
fn everything() -> Place {
    let place = Place::new();
    let tree = place.path("tree");
    println!("not made here: {:?}", generate::full(&tree, 5));
    place.expect(0, &["backup", "--quiet", "tree"]);
    put_huge(&tree.join("huge"));
    generate::set_mtime(&tree.join("huge"), 1_700_000_000, 7);
    generate::set_mtime(&tree, -5, 999_999_999);
    place.expect(0, &["backup", "--quiet", "tree"]);
    place
}

#[test]
fn a_reader_written_from_the_pages_restores_everything() {
    let place = everything();
    let tree = place.path("tree");
    let told = read(&place, &["verify"]);
    let counts: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!(counts["snapshots"], 2, "{counts}");
    let target = place.path("restored");
    read(&place, &["restore", "latest", target.to_str().unwrap()]);
    assert_alike("by the reader", &look(&tree), &look(&target.join("tree")));
    assert_listed(&place, &tree);
    let name = format!("tree/sizes/{}", 512 * 1024 + 1);
    let path = place.path("repository");
    let file = reader(&path, PASSPHRASE, &["extract", "latest", &name]).stdout;
    assert_eq!(file, std::fs::read(place.path(&name)).unwrap());
    let huge = reader(&path, PASSPHRASE, &["extract", "latest", "tree/huge"]).stdout;
    assert!(huge == std::fs::read(tree.join("huge")).unwrap());
}

/// The listing of the newest snapshot has every entry of the tree with its attributes.
fn assert_listed(place: &Place, tree: &Path) {
    let listed = read(place, &["list", "latest"]);
    let rows: BTreeMap<String, serde_json::Value> = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| (row["path"].as_str().unwrap().to_owned(), row))
        .collect();
    let mut compared = 0;
    for (name, thing) in look(tree) {
        let path = match name.as_slice() {
            [] => hex(b"tree"),
            name => hex(&[b"tree/", name].concat()),
        };
        let row = rows.get(&path).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(row["mode"], thing.mode, "{row}");
        assert_eq!(row["owner"], serde_json::json!([thing.owner.0, thing.owner.1]), "{row}");
        assert_eq!(row["mtime"], serde_json::json!([thing.mtime.0, thing.mtime.1]), "{row}");
        if row["kind"] == "hard link" {
            assert!(thing.names.1 > 1, "{row}");
        } else {
            assert_eq!(row["kind"], thing.kind, "{row}");
            assert_eq!(row["content"].as_str().unwrap(), hex(&thing.content), "{row}");
        }
        compared += 1;
    }
    assert_eq!(compared, rows.len());
}

#[test]
fn a_key_file_and_shares_open_it_too() {
    let place = Place::new();
    generate::small(&place.path("tree"), 8);
    place.expect(0, &["backup", "--quiet", "tree"]);
    let listed = read(&place, &["list", "latest"]);
    assert!(!listed.is_empty());

    let key = place.path("key");
    generate::put(&key, &Random::new(3).bytes(48));
    let key = key.to_str().unwrap();
    place.expect(0, &["key", "add", "--quiet", "--new-key-file", key]);
    assert_eq!(read_by(&place, ("LIFEBOAT_KEY_FILE", key), &["list", "latest"]), listed);

    let told = place.expect(0, &["key", "recovery", "create", "--shares", "3/5", "--json"]);
    let files: Vec<String> = told
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter_map(|line| line["words"].as_str().map(str::to_owned))
        .enumerate()
        .map(|(number, words)| {
            let path = place.path(&format!("share {number}"));
            generate::put(&path, words.to_uppercase().as_bytes());
            path.to_str().unwrap().to_owned()
        })
        .collect();
    let of = |numbers: [usize; 3]| numbers.map(|number| files[number].clone()).join(":");
    for numbers in [[0, 1, 2], [4, 2, 0]] {
        let way = of(numbers);
        assert_eq!(read_by(&place, ("LIFEBOAT_SHARES", &way), &["list", "latest"]), listed);
    }
    let two = files[1..3].join(":");
    let told = reader(&place.path("repository"), ("LIFEBOAT_SHARES", &two), &["snapshots"]);
    assert!(refused("two shares", &told).contains("3 shares are needed, found 2"));
    let mut arguments = vec!["key", "recovery", "check", "--quiet"];
    files[..3].iter().for_each(|file| arguments.extend(["--share-file", file]));
    place.expect(0, &arguments);
    read(&place, &["verify"]);
}

/// A repository with keys of this suite and a passphrase that costs little to try.
fn made_by_the_library(suite: Suite) -> Place {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let run = Run::new(RunId::new([1; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1);
    let storage = open::create(&run, &Location::Folder(place.path("repository"))).unwrap();
    let secret = SlotSecret::Passphrase(SecretBytes::new(PASSPHRASE.1.as_bytes().to_vec()));
    let argon2 = Argon2Parameters { memory_kib: 64, passes: 1, lanes: 2 };
    let slot = NewSlot { secret, argon2, label: "é".to_owned() };
    let options = CreateOptions { slot, suite, parameters: Parameters::DEFAULT };
    create::create_repository(&run, &storage, &options).unwrap();
    place
}

/// Suite 1; what the program makes by itself has suite 2.
#[test]
fn the_other_suite_is_read_too() {
    let place = made_by_the_library(Suite::X25519);
    let tree = place.path("tree");
    generate::small(&tree, 9);
    place.expect(0, &["backup", "--quiet", "tree"]);
    read(&place, &["verify"]);
    let target = place.path("restored");
    read(&place, &["restore", "latest", target.to_str().unwrap()]);
    assert_alike("suite 1", &look(&tree), &look(&target.join("tree")));
}

/// The repository that was stored when its format was new, with every kind of record in it.
#[test]
fn the_stored_repository_is_read_too() {
    let fixtures = house::root().join("tests/fixtures");
    let repository = fixtures.join("repository-1");
    let told = reader(&repository, PASSPHRASE, &["verify"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let listed = std::fs::read(fixtures.join("repository-1.json")).unwrap();
    let listed: BTreeMap<String, BTreeMap<String, (u64, String)>> =
        serde_json::from_slice(&listed).unwrap();
    let place = tempfile::tempdir().unwrap();
    for (id, files) in &listed {
        let target = place.path().join(id);
        let arguments = ["restore", id, target.to_str().unwrap()];
        let told = reader(&repository, PASSPHRASE, &arguments);
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        for (name, (len, digest)) in files {
            let bytes = std::fs::read(target.join(name)).unwrap();
            assert_eq!(
                (bytes.len() as u64, blake3::hash(&bytes).to_string()),
                (*len, digest.clone())
            );
        }
    }
    assert!(listed.len() > 3);
}

/// Runs the reader on the repository with one file altered, and puts the file back.
fn with_altered(
    repository: &Path,
    file: &Path,
    alter: impl Fn(&mut Vec<u8>),
    arguments: &[&str],
) -> Output {
    let good = std::fs::read(file).unwrap();
    let mut bad = good.clone();
    alter(&mut bad);
    std::fs::remove_file(file).unwrap();
    generate::put(file, &bad);
    let output = reader(repository, PASSPHRASE, arguments);
    std::fs::remove_file(file).unwrap();
    generate::put(file, &good);
    output
}

#[test]
fn every_kind_of_file_is_read_with_care() {
    let place = made_by_the_library(Suite::DEFAULT);
    let tree = place.path("tree");
    std::fs::create_dir(&tree).unwrap();
    generate::put(&tree.join("small"), b"small");
    generate::put(&tree.join("large"), &Random::new(4).bytes(100_000));
    place.expect(0, &["backup", "--quiet", "tree"]);
    let repository = place.path("repository");
    let wrong = reader(&repository, ("LIFEBOAT_PASSWORD", "another"), &["list", "latest"]);
    assert!(refused("another passphrase", &wrong).contains("wrong passphrase"));
    let mut altered = 0;
    for (name, thing) in look(&repository) {
        if thing.kind != "file" {
            continue;
        }
        let file = crate::support::below(&repository, &name);
        let shown = String::from_utf8_lossy(&name).into_owned();
        let len = thing.size;
        // Heads; tables, keys or objects; tags, checksums or signatures.
        for at in [9, len / 2, len - 1] {
            let flip = |bytes: &mut Vec<u8>| bytes[usize::try_from(at).unwrap()] ^= 1;
            let told = with_altered(&repository, &file, flip, &["verify"]);
            refused(&format!("{shown}, byte {at} flipped"), &told);
            altered += 1;
        }
        let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
        refused(&shown, &with_altered(&repository, &file, cut, &["verify"]));
    }
    assert!(altered > 45, "{altered}");
    read(&place, &["verify"]);
}

#[test]
fn a_damaged_copy_hides_nothing_while_another_is_good() {
    let place = Place::new();
    let tree = place.path("tree");
    generate::small(&tree, 10);
    place.expect(0, &["backup", "--quiet", "tree"]);
    let listed = read(&place, &["list", "latest"]);
    let repository = place.path("repository");
    let flip = |bytes: &mut Vec<u8>| bytes[20] ^= 1;
    let config = repository.join("config");
    let told = with_altered(&repository, &config, flip, &["list", "latest"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(String::from_utf8(told.stdout).unwrap(), listed);
    assert_eq!(String::from_utf8(told.stderr).unwrap(), "reader: config: damaged record\n");
}

/// Slots that were made before a rotation, and by whom it was made; shares from before it.
#[test]
fn the_reader_finds_new_keys_after_a_rotation() {
    let place = Place::new();
    let tree = place.path("tree");
    std::fs::create_dir(&tree).unwrap();
    generate::put(&tree.join("0"), b"before");
    let by_shares = two_shares(&place);
    let key_file = place.path("key-file");
    generate::put(&key_file, &[7; 64]);
    let key_file = key_file.to_str().unwrap().to_owned();
    place.expect(0, &["key", "add", "--new-key-file", &key_file, "--quiet"]);
    place.expect(0, &["backup", "--quiet", "tree"]);
    for (part, content) in [("--storage-secret", "second"), ("--domain", "third")] {
        place.expect(0, &["key", "rotate", part, "--quiet"]);
        generate::put(&tree.join(content), content.as_bytes());
        place.expect(0, &["backup", "--quiet", "tree"]);
    }
    let old_slot = ("LIFEBOAT_KEY_FILE", key_file.as_str());
    for way in [PASSPHRASE, old_slot, ("LIFEBOAT_SHARES", &by_shares)] {
        let told = read_by(&place, way, &["verify"]);
        let counts: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
        assert_eq!(counts["snapshots"], 3, "{way:?} {counts}");
    }
    place.expect(0, &["key", "rotate", "--restore", "--quiet"]);
    generate::put(&tree.join("fourth"), b"fourth");
    place.expect(0, &["backup", "--quiet", "tree"]);
    for way in [PASSPHRASE, ("LIFEBOAT_SHARES", &by_shares)] {
        let told = read_by(&place, way, &["verify"]);
        let counts: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
        assert_eq!(counts["snapshots"], 4, "{way:?} {counts}");
    }
    refused("a slot of a replaced key", &reader(&place.path("repository"), old_slot, &["verify"]));
}

/// Two shares of three, as the variable of the reader names them.
fn two_shares(place: &Place) -> String {
    let told = place.expect(0, &["key", "recovery", "create", "--json"]);
    let lines = told.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let words: Vec<String> =
        lines.filter_map(|line| line["words"].as_str().map(str::to_owned)).collect();
    let keep = |(number, words): (usize, &String)| {
        let path = place.path(&format!("kept-share-{number}"));
        generate::put(&path, words.as_bytes());
        path.to_str().unwrap().to_owned()
    };
    words.iter().take(2).enumerate().map(keep).collect::<Vec<_>>().join(":")
}
