//! What was written once is read for ever: a stored repository of each format, the cuts of
//! large files, and hostile records with the error that each ends in. Examples of single records
//! stand in the format's pages, which `pages.rs` reads.
//!
//! `LIFEBOAT_TEST_NEW_FIXTURES=1` writes the fixtures of the newest format anew; that is for a
//! change of the format, never for a test that fails.

#[cfg(unix)]
mod corpora;
mod cuts;
mod evil;

use std::collections::BTreeMap;
use std::path::Path;

use lifeboat::crypto::sealed::hpke::Suite;
use serde_json::Value;

use crate::damage::scene;
use crate::house;
use crate::support::generate::put;
use crate::support::hex;
use crate::torture::Place;

/// Whether fixtures are to be written.
fn is_writing() -> bool {
    std::env::vars_os().any(|(name, _)| name == "LIFEBOAT_TEST_NEW_FIXTURES")
}

fn digest(bytes: &[u8]) -> String {
    hex(blake3::hash(bytes).as_bytes())
}

/// Size and digest of every file of every snapshot.
type Listing = BTreeMap<String, BTreeMap<String, (usize, String)>>;

/// Writes a repository with every kind of object and record, and what it holds.
fn write_repository(folder: &Path, listing: &Path) {
    let scene = scene::build(7, Suite::DEFAULT);
    if folder.exists() {
        std::fs::remove_dir_all(folder).unwrap();
    }
    for (name, blob) in &scene.blobs {
        let path = folder.join(name.as_str());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        put(&path, &blob.content);
    }
    let mut listed = Listing::new();
    for made in &scene.snapshots {
        let file =
            |(path, bytes): (&String, &Vec<u8>)| (path.clone(), (bytes.len(), digest(bytes)));
        listed.insert(made.place.id.to_string(), made.files.iter().map(file).collect());
    }
    put(listing, format!("{}\n", serde_json::to_string_pretty(&listed).unwrap()).as_bytes());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            put(&target, &std::fs::read(path).unwrap());
        }
    }
}

/// Every file beneath a folder with size and digest.
fn files(folder: &Path, below: &str, into: &mut BTreeMap<String, (usize, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            files(&path, &name, into);
        } else if kind.is_file() {
            let bytes = std::fs::read(path).unwrap();
            into.insert(name, (bytes.len(), digest(&bytes)));
        }
    }
}

/// Repositories of every released format open, list, check and restore to what they held.
#[test]
fn stored_repositories_restore_to_what_they_held() {
    let fixtures = house::root().join("tests/fixtures");
    let (folder, listing) = (fixtures.join("repository-1"), fixtures.join("repository-1.json"));
    if is_writing() {
        write_repository(&folder, &listing);
    }
    let listed: Listing = serde_json::from_slice(&std::fs::read(listing).unwrap()).unwrap();
    let place = Place { folder: tempfile::tempdir().unwrap() };
    copy(&folder, &place.path("repository"));
    let shown = place.expect(0, &["snapshots", "--json"]);
    let shown: Vec<String> = ids_in(&shown);
    assert!(!listed.is_empty());
    assert_eq!(shown.iter().collect::<Vec<_>>(), listed.keys().collect::<Vec<_>>());
    place.expect(0, &["check", "--quiet", "--read-data"]);
    for (id, expected) in &listed {
        let target = place.path(id);
        place.expect(0, &["restore", "--quiet", id, "--target", target.to_str().unwrap()]);
        let mut found = BTreeMap::new();
        files(&target, "", &mut found);
        assert_eq!(found, *expected, "{id}");
        assert_eq!(std::fs::read_link(target.join("link")).unwrap(), Path::new("map"));
    }
}

/// A new machine joins a stored repository, and its backups stand beside the old ones.
#[test]
fn stored_repositories_take_new_backups() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    copy(&house::root().join("tests/fixtures/repository-1"), &place.path("repository"));
    let before = ids_in(&place.expect(0, &["snapshots", "--json"])).len();
    let tree = place.path("tree");
    std::fs::create_dir(&tree).unwrap();
    put(&tree.join("file"), b"new");
    place.expect(0, &["backup", "--quiet", "tree"]);
    place.expect(0, &["check", "--quiet", "--read-data"]);
    assert_eq!(ids_in(&place.expect(0, &["snapshots", "--json"])).len(), before + 1);
}

/// Every snapshot id in JSON lines, sorted.
fn ids_in(lines: &str) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(id) if (name == "id" || name == "snapshot_id") && id.len() == 64 => {
                            into.push(id.to_owned());
                        }
                        _ => collect(value, into),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
            _ => {}
        }
    }
    let mut ids = Vec::new();
    for line in lines.lines() {
        collect(&serde_json::from_str(line).unwrap(), &mut ids);
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}
