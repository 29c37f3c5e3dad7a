//! Into a repository with other keys.

use super::ids;
use super::packs;
use super::restored;
use super::text;
use super::with_snapshots;
use crate::cli::scene::Scene;
use crate::support::Random;
use crate::support::compare;

/// Another repository with a passphrase of its own, whose file is named.
fn other(scene: &Scene, more: &[&str]) -> (String, String) {
    let (other, secret) = (text(&scene.path("other")), text(&scene.path("secret")));
    scene.file("secret", b"another passphrase\n");
    let args = ["init", "-q", "-r", &other, "--password-file", &secret];
    scene.expect(0, &[&args[..], more].concat());
    (other, secret)
}

fn snapshots(scene: &Scene, args: &[&str]) -> Vec<serde_json::Value> {
    let mut rows = scene.expect(0, &[&["snapshots", "--json"], args].concat()).json_of("result");
    for row in &mut rows {
        for own in ["id", "short_id", "machine_id", "dataset_id", "tags_later"] {
            row[own] = serde_json::Value::Null;
        }
    }
    rows
}

#[test]
fn another_repository_gets_the_same_files_under_its_own_keys() {
    let scene = with_snapshots();
    // A huge file has a map of its own.
    scene.file("source/one/huge", &Random::new(500).bytes(90 << 20));
    scene.expect(0, &["backup", "-q", "one"]);
    let id = ids(&scene, "repository").remove(0);
    scene.expect(0, &["tag", "-q", &id, "--add", "audited"]);
    let (place, secret) = other(&scene, &[]);
    let told = scene.run(&["copy", "-q", "--to", &place]);
    assert_eq!(told.code, Some(12), "{told}");
    assert!(told.stderr.contains("does not open the other repository"), "{told}");
    let args = ["copy", "--json", "--to", &place, "--to-password-file", &secret];
    let done = scene.expect(0, &args).json_of("result");
    assert_eq!(done[0]["copied_count"], 5, "{done:?}");
    let opens = ["-r", &place, "--password-file", &secret];
    scene.expect(0, &[&["check", "-q", "--read-data"], &opens[..]].concat());
    // Host, paths, times, words and counts are those of the original.
    assert_eq!(snapshots(&scene, &[]), snapshots(&scene, &opens));
    let rows = scene.expect(0, &[&["snapshots", "--json"], &opens[..]].concat());
    let originals = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    for (row, original) in rows.json_of("result").iter().zip(&originals) {
        let (copied, id) = (row["id"].as_str().unwrap(), original["id"].as_str().unwrap());
        let target = scene.path(format!("other-{copied}"));
        let args = ["restore", "-q", copied, "--target", &text(&target)];
        scene.expect(0, &[&args[..], &opens[..]].concat());
        let mut tree = compare::look(&target);
        tree.remove(&b""[..]);
        compare::assert_alike(copied, &restored(&scene, "repository", id), &tree);
    }
    // A second copy knows what is there, and what the first one was made of.
    let again = scene.expect(0, &args).json_of("result");
    assert_eq!((&again[0]["copied_count"], &again[0]["known_count"]), (&0.into(), &5.into()));
    scene.file("source/one/d/small", b"one file more");
    scene.expect(0, &["backup", "-q", "one"]);
    let third = scene.expect(0, &args).json_of("result");
    assert_eq!(third[0]["copied_count"], 1);
    assert!(third[0]["bytes"].as_u64().unwrap() < 100_000, "{third:?}");
}

#[test]
fn with_a_shared_domain_data_travels_as_it_is() {
    let scene = with_snapshots();
    let own = text(&scene.path("repository"));
    scene.file("own", b"x\n");
    let file = text(&scene.path("own"));
    let shared = ["--copy-domain-from", &own, "--from-password-file", &file];
    let (place, secret) = other(&scene, &shared);
    let args = ["copy", "--json", "--to", &place, "--to-password-file", &secret];
    assert_eq!(scene.expect(0, &args).json_of("result")[0]["copied_count"], 4);
    let opens = ["-r", &place, "--password-file", &secret];
    scene.expect(0, &[&["check", "-q", "--read-data"], &opens[..]].concat());
    // What a backup of the same folder would store is there already.
    let backup = ["backup", "--json", "one"];
    let done = scene.expect(0, &[&backup[..], &opens[..]].concat()).json_of("result");
    assert!(done[0]["stored_bytes"].as_u64().unwrap() < 10_000, "{done:?}");
}

#[test]
fn numbers_that_cannot_come_are_closed_and_do_not_come_back() {
    let scene = with_snapshots();
    let (place, secret) = other(&scene, &[]);
    let opens = ["-r", &place, "--password-file", &secret];
    let all = ids(&scene, "repository");
    scene.expect(0, &["forget", "-q", &all[0]]);
    let args = ["copy", "--json", "--to", &place, "--to-password-file", &secret];
    let done = scene.expect(0, &args).json_of("result");
    assert_eq!((&done[0]["copied_count"], &done[0]["tombstones_count"]), (&3.into(), &1.into()));
    scene.expect(0, &[&["check", "-q"], &opens[..]].concat());
    let rows = scene.expect(0, &[&["snapshots", "--json"], &opens[..]].concat());
    let copied = rows.json_of("result")[0]["id"].as_str().unwrap().to_owned();
    scene.expect(0, &[&["forget", "-q", &copied], &opens[..]].concat());
    let again = scene.expect(0, &args).json_of("result");
    assert_eq!((&again[0]["copied_count"], &again[0]["removed_count"]), (&0.into(), &1.into()));
    scene.expect(0, &[&["check", "-q"], &opens[..]].concat());
}

#[test]
fn some_snapshots_are_chosen_and_the_others_come_later() {
    let scene = with_snapshots();
    let (place, secret) = other(&scene, &[]);
    let opens = ["-r", &place, "--password-file", &secret];
    let all = ids(&scene, "repository");
    let last = all.last().unwrap().clone();
    let copy = |more: &[&str]| {
        let args = ["copy", "--json", "--to", &place, "--to-password-file", &secret];
        let told = scene.expect(0, &[&args[..], more].concat());
        scene.expect(0, &[&["check", "-q", "--read-data"], &opens[..]].concat());
        told.json_of("result").remove(0)
    };
    let path = text(&scene.path("source/one"));
    let done = copy(&["latest", "--path", &path]);
    assert_eq!(done["copied_count"], 1);
    assert_eq!(snapshots(&scene, &opens).len(), 1);
    assert_eq!(copy(&[&last])["snapshots_count"], 4);
    assert!(snapshots(&scene, &opens).len() <= 2);
    let rest = copy(&[]);
    assert_eq!((&rest["removed_count"], &rest["damaged_count"]), (&0.into(), &0.into()));
    assert_eq!(snapshots(&scene, &opens), snapshots(&scene, &[]));
    let twin = text(&scene.path("twin"));
    let own = text(&scene.path("repository"));
    scene.expect(0, &["init", "-q", "--twin-of", &own, "-r", &twin]);
    let told = scene.expect(2, &["copy", "--to", &twin, "latest"]);
    assert!(told.stderr.contains("a twin has all snapshots"), "{told}");
}

#[test]
fn what_was_lost_or_removed_comes_once_it_is_back() {
    let scene = with_snapshots();
    let (place, secret) = other(&scene, &[]);
    let opens = ["-r", &place, "--password-file", &secret];
    let args = ["copy", "-q", "--to", &place, "--to-password-file", &secret];
    scene.expect(0, &["forget", "-q", &ids(&scene, "repository")[0]]);
    // Of three packs with the large files two at least are needed.
    let is_large = |pack: &String| std::fs::metadata(pack).unwrap().len() > 1_000_000;
    let large: Vec<String> = packs(&scene, "repository").into_iter().filter(is_large).collect();
    assert_eq!(large.len(), 3);
    let aside: Vec<Vec<u8>> = large.iter().map(|pack| std::fs::read(pack).unwrap()).collect();
    large.iter().for_each(|pack| std::fs::remove_file(pack).unwrap());
    scene.expect(20, &args);
    let count = snapshots(&scene, &opens).len();
    assert!(count <= 1, "{count}");
    scene.expect(0, &[&["check", "-q", "--read-data"], &opens[..]].concat());
    large.iter().zip(&aside).for_each(|(pack, bytes)| scene.file(pack, bytes));
    let trash = scene.expect(0, &["snapshots", "--trash", "--json"]).json_of("result");
    scene.expect(0, &["forget", "-q", "--undo", trash[0]["id"].as_str().unwrap()]);
    scene.expect(0, &args);
    assert_eq!(snapshots(&scene, &opens), snapshots(&scene, &[]));
    scene.expect(0, &[&["check", "-q", "--read-data"], &opens[..]].concat());
}
