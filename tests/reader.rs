//! The format's pages are enough: a reader in Python, written from them alone, reads what the
//! program wrote.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use crate::house;
use crate::support::compare::look;
use crate::support::generate;
use crate::torture::Place;

/// A Python with the four libraries: `.ci/run` makes one.
fn python() -> PathBuf {
    let made = house::root().join("target/reader-venv/bin/python3");
    let named = std::env::vars_os().find(|(name, _)| name == "LIFEBOAT_TEST_PYTHON");
    named.map_or(made, |(_, path)| path.into())
}

fn reader(place: &Place, passphrase: &str, arguments: &[&str]) -> Output {
    let python = python();
    Command::new(&python)
        .arg("-B")
        .arg(house::root().join("tests/reader/reader.py"))
        .arg(place.path("repository"))
        .args(arguments)
        .env("LIFEBOAT_PASSWORD", passphrase)
        .output()
        .unwrap_or_else(|e| panic!("{python:?}: {e}; `.ci/run` makes it"))
}

#[track_caller]
fn read(place: &Place, arguments: &[&str]) -> Vec<u8> {
    let output = reader(place, "only a test", arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_reader_written_from_the_pages_reads_every_entry() {
    let place = Place::new();
    let tree = place.path("tree");
    generate::full(&tree, 5);
    place.expect(0, &["backup", "--quiet", "tree"]);
    let listed = String::from_utf8(read(&place, &["list", "latest"])).unwrap();
    let rows: BTreeMap<String, serde_json::Value> = listed
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| (row["path"].as_str().unwrap().to_owned(), row))
        .collect();
    let mut compared = 0;
    for (name, thing) in look(&tree) {
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
        if thing.kind == "symlink" && row["kind"] != "hard link" {
            assert_eq!(row["link"].as_str().unwrap(), hex(&thing.link), "{row}");
        }
        compared += 1;
    }
    assert_eq!(compared, rows.len());
    let file = tree.join("sizes").join((512 * 1024 + 1).to_string());
    let name = format!("tree/sizes/{}", 512 * 1024 + 1);
    assert_eq!(read(&place, &["extract", "latest", &name]), std::fs::read(file).unwrap());
}

#[test]
fn the_reader_refuses_what_is_wrong() {
    let place = Place::new();
    let tree = place.path("tree");
    std::fs::create_dir(&tree).unwrap();
    generate::put(&tree.join("file"), &[7; 100_000]);
    place.expect(0, &["backup", "--quiet", "tree"]);
    let wrong = reader(&place, "another", &["list", "latest"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("wrong passphrase"));
    // One flipped bit in a pack.
    let packs = place.path("repository/packs");
    let name = look(&packs).into_iter().find(|(_, thing)| thing.kind == "file").unwrap().0;
    let pack = crate::support::below(&packs, &name);
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&pack).unwrap();
    generate::put(&pack, &bytes);
    let damaged = reader(&place, "only a test", &["list", "latest"]);
    assert!(!damaged.status.success());
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("reader: "));
}
