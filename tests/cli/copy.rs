//! `copy`: a second repository that restores as the first does.

mod other;

use std::path::Path;

use super::scene::Scene;
use super::scene::Told;
use crate::support::Random;
use crate::support::compare;

/// A repository with three snapshots of one folder and one of another, and an empty twin.
fn with_twin() -> Scene {
    let scene = with_snapshots();
    let original = text(&scene.path("repository"));
    scene.expect(0, &["init", "-q", "--twin-of", &original, "-r", &text(&scene.path("twin"))]);
    scene
}

fn with_snapshots() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for round in 0..3_u64 {
        for n in 0..3 {
            let bytes = Random::new(round * 10 + n).bytes(700_000);
            scene.file(format!("source/one/large-{n}"), &bytes);
        }
        scene.file("source/one/d/small", format!("round {round}").as_bytes());
        scene.expect(0, &["backup", "-q", "one"]);
    }
    scene.file("source/two/file", b"another dataset");
    scene.expect(0, &["backup", "-q", "two"]);
    scene
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn ids(scene: &Scene, repository: &str) -> Vec<String> {
    let repository = text(&scene.path(repository));
    let rows = scene.run(&["snapshots", "--json", "-r", &repository]).json_of("result");
    let mut ids: Vec<String> =
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Copies to the twin.
fn copy(scene: &Scene, code: i32) -> serde_json::Value {
    let told = copy_told(scene, &["--json"]);
    assert_eq!(told.code, Some(code), "{told}");
    told.json_of("result").into_iter().find(|line| line["item"] == "copy").unwrap()
}

fn copy_told(scene: &Scene, more: &[&str]) -> Told {
    let twin = text(&scene.path("twin"));
    let args: Vec<&str> = ["copy", "--to", &twin].iter().chain(more).copied().collect();
    scene.run(&args)
}

fn restored(scene: &Scene, repository: &str, id: &str) -> compare::Tree {
    let target = scene.path(format!("{repository}-{id}"));
    let repository = text(&scene.path(repository));
    let told = scene.run(&["restore", "-q", "-r", &repository, id, "--target", &text(&target)]);
    // Another snapshot of the repository may be missing, or one of several copies be bad.
    assert!(matches!(told.code, Some(0 | 3 | 20)), "{told}");
    let mut tree = compare::look(&target);
    // The target folder itself is no part of a snapshot.
    tree.remove(&b""[..]);
    tree
}

fn packs(scene: &Scene, repository: &str) -> Vec<String> {
    let files = scene.files(&format!("{repository}/packs")).into_iter();
    files.filter(|name| Path::new(name).is_file()).collect()
}

/// Changes a byte in the middle of a file.
fn flip(scene: &Scene, name: &str) {
    let mut bytes = std::fs::read(name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(name).unwrap();
    scene.file(name, &bytes);
}

fn largest_pack(scene: &Scene, repository: &str) -> String {
    let len = |name: &String| std::fs::metadata(name).unwrap().len();
    packs(scene, repository).into_iter().max_by_key(len).unwrap()
}

#[test]
fn a_copy_restores_the_same_and_passes_a_check() {
    let scene = with_twin();
    let report = copy(&scene, 0);
    assert_eq!((&report["copied_count"], &report["known_count"]), (&4.into(), &0.into()));
    assert_eq!(ids(&scene, "repository"), ids(&scene, "twin"));
    let twin = text(&scene.path("twin"));
    scene.expect(0, &["check", "-q", "--read-data", "-r", &twin]);
    for id in ids(&scene, "twin") {
        let (left, right) = (restored(&scene, "repository", &id), restored(&scene, "twin", &id));
        compare::assert_alike(&id, &left, &right);
    }
}

#[test]
fn only_what_is_missing_travels() {
    let scene = with_twin();
    let first = copy(&scene, 0);
    assert!(first["bytes"].as_u64().unwrap() > 6_000_000, "{first}");
    let before = scene.files("twin");
    let again = copy(&scene, 0);
    assert_eq!((&again["copied_count"], &again["objects_count"]), (&0.into(), &0.into()));
    assert_eq!(scene.files("twin"), before);
    scene.file("source/one/d/small", b"a few bytes more");
    scene.expect(0, &["backup", "-q", "one"]);
    let third = copy(&scene, 0);
    assert_eq!(third["copied_count"], 1);
    assert!(third["bytes"].as_u64().unwrap() < 100_000, "{third}");
}

#[test]
fn it_takes_no_passphrase_where_the_machine_has_its_keyset() {
    let mut scene = with_twin();
    scene.unset("LIFEBOAT_PASSWORD");
    let told = copy_told(&scene, &["-q"]);
    assert_eq!(told.code, Some(0), "{told}");
    scene.set("LIFEBOAT_PASSWORD", "x");
    assert_eq!(ids(&scene, "twin").len(), 4);
    // Without a keyset, and with the wrong passphrase.
    scene.set("LIFEBOAT_CACHE_DIR", scene.path("another"));
    scene.set("LIFEBOAT_PASSWORD", "y");
    assert_eq!(copy_told(&scene, &["-q"]).code, Some(12));
}

#[test]
fn the_twin_fetches_as_well() {
    let scene = with_twin();
    let (twin, original) = (text(&scene.path("twin")), text(&scene.path("repository")));
    let told = scene.expect(0, &["copy", "-r", &twin, "--from", &original]);
    let expected = "4 snapshots copied: ";
    assert!(told.text().starts_with(expected), "{told}");
    assert_eq!(ids(&scene, "repository"), ids(&scene, "twin"));
}

#[test]
fn a_dry_run_tells_the_same_numbers_and_writes_nothing() {
    let scene = with_twin();
    let before = scene.files("twin");
    let told = copy_told(&scene, &["-n", "--json"]);
    let plan = told.json_of("plan").remove(0);
    assert_eq!(scene.files("twin"), before);
    let done = copy(&scene, 0);
    for field in ["copied_count", "objects_count", "bytes", "known_count"] {
        assert_eq!(plan[field], done[field], "{field}");
    }
}

#[test]
fn backups_go_on_in_the_twin_without_storing_anything_twice() {
    let scene = with_twin();
    copy(&scene, 0);
    // The first repository is gone for good.
    std::fs::remove_dir_all(scene.path("repository")).unwrap();
    let twin = text(&scene.path("twin"));
    let told = scene.expect(0, &["backup", "--json", "-r", &twin, "one"]).json_of("result");
    assert_eq!(told[0]["stored_bytes"], 0, "{told:?}");
    assert_ne!(told[0]["parent_id"], serde_json::Value::Null, "{told:?}");
    scene.expect(0, &["check", "-q", "--read-data", "-r", &twin]);
    assert_eq!(ids(&scene, "twin").len(), 5);
}

#[test]
fn what_was_sent_by_a_copy_that_was_killed_is_reused() {
    let scene = with_twin();
    copy(&scene, 0);
    // What a kill before the manifests leaves: packs, no index, no manifest.
    for folder in ["manifests", "manifests.2", "index"] {
        std::fs::remove_dir_all(scene.path("twin").join(folder)).unwrap();
    }
    let before = packs(&scene, "twin");
    let report = copy(&scene, 0);
    assert_eq!((&report["copied_count"], &report["objects_count"]), (&4.into(), &0.into()));
    assert_eq!(packs(&scene, "twin"), before);
    scene.expect(0, &["check", "-q", "--read-data", "-r", &text(&scene.path("twin"))]);
}

#[test]
fn removals_stay_where_they_were_made() {
    let scene = with_twin();
    let twin = text(&scene.path("twin"));
    let all = ids(&scene, "repository");
    scene.expect(0, &["forget", "-q", &all[0]]);
    copy(&scene, 0);
    // What the twin never had is not copied, and no number is missing without a reason.
    assert_eq!(ids(&scene, "twin"), all[1..]);
    scene.expect(0, &["check", "-q", "-r", &twin]);
    // What is removed at the source stays at the twin, and the other way round.
    scene.expect(0, &["forget", "-q", &all[1]]);
    scene.expect(0, &["forget", "-q", "-r", &twin, &all[2]]);
    let report = copy(&scene, 0);
    assert_eq!((&report["removed_count"], &report["copied_count"]), (&1.into(), &0.into()));
    assert_eq!(ids(&scene, "twin"), [all[1].clone(), all[3].clone()]);
    assert_eq!(ids(&scene, "repository"), all[2..]);
    scene.expect(0, &["check", "-q", "-r", &twin]);
}

#[test]
fn words_that_were_added_later_go_with_it() {
    let scene = with_twin();
    copy(&scene, 0);
    let id = ids(&scene, "repository").remove(0);
    scene.expect(0, &["tag", "-q", &id, "--add", "before the merger"]);
    assert_eq!(copy(&scene, 0)["notes_count"], 1);
    let twin = text(&scene.path("twin"));
    let rows = scene.expect(0, &["snapshots", "--json", "-r", &twin, &id]).json_of("result");
    assert_eq!(rows[0]["tags"][0], "before the merger");
    assert_eq!(copy(&scene, 0)["notes_count"], 0);
}

#[test]
fn a_snapshot_that_lacks_something_is_left_out_until_it_is_whole() {
    let scene = with_twin();
    let pack = largest_pack(&scene, "repository");
    let good = std::fs::read(&pack).unwrap();
    flip(&scene, &pack);
    let told = copy_told(&scene, &[]);
    assert_eq!(told.code, Some(20), "{told}");
    assert!(told.stderr.contains("it is not copied: something that it needs is lost"), "{told}");
    let twin = text(&scene.path("twin"));
    let there = ids(&scene, "twin");
    assert!(!there.is_empty() && there.len() < 4, "{there:?}");
    for id in there {
        let (left, right) = (restored(&scene, "repository", &id), restored(&scene, "twin", &id));
        compare::assert_alike(&id, &left, &right);
    }
    // Whole again, it is copied, behind later ones of its chain.
    std::fs::remove_file(&pack).unwrap();
    scene.file(&pack, &good);
    copy(&scene, 0);
    assert_eq!(ids(&scene, "repository"), ids(&scene, "twin"));
    scene.expect(0, &["check", "-q", "--read-data", "-r", &twin]);
}

#[test]
fn a_manifest_that_nobody_signed_is_damage_and_stays_behind() {
    let scene = with_twin();
    let files = scene.files("repository/manifests").into_iter();
    let manifest = files.filter(|name| Path::new(name).is_file()).max().unwrap();
    for name in [manifest.clone(), manifest.replace("/manifests/", "/manifests.2/")] {
        flip(&scene, &name);
    }
    let told = copy_told(&scene, &[]);
    assert_eq!(told.code, Some(20), "{told}");
    assert_eq!(ids(&scene, "twin").len(), 3);
}

#[test]
fn who_goes_where_is_refused_in_words() {
    let scene = with_snapshots();
    let own = scene.path("repository");
    scene.transcript(
        2,
        &["copy", "--to", &text(&own), "-q"],
        "error: both repositories are `@/repository`\n\
         next:  name another one with `--to` or `--from`\n",
    );
    scene.transcript(
        10,
        &["copy", "--to", &text(&scene.path("twin")), "-q"],
        "error: no repository in @/twin\n\
         next:  make one with `lifeboat init --twin-of @/repository -r @/twin`\n",
    );
    let other = text(&scene.path("other"));
    scene.expect(0, &["init", "-q", "-r", &other]);
    assert_eq!(scene.run(&["copy", "--to", &other, "--heal"]).code, Some(2));
    let told = scene.expect(1, &["init", "--twin-of", &text(&own), "-r", &other]);
    assert!(told.stderr.contains("already holds a repository"), "{told}");
    let (none, new) = (text(&scene.path("none")), text(&scene.path("new")));
    scene.expect(10, &["init", "--twin-of", &none, "-r", &new]);
}

/// Real processes: backups and prunes at the source, prunes at the twin, copies between.
#[test]
fn copies_beside_backups_and_prunes_on_both_sides_lose_nothing() {
    let scene = with_twin();
    let twin = text(&scene.path("twin"));
    let forget = ["forget", "--json", "--keep-last", "2", "--accept-change"];
    let prune = ["prune", "-q", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"];
    let removed_there = std::thread::scope(|scope| {
        let (scene, twin) = (&scene, &twin);
        let backups = scope.spawn(move || {
            for round in 100..106 {
                scene.file("source/one/large-1", &Random::new(round).bytes(600_000));
                let told = scene.run(&["backup", "-q", "one"]);
                assert_eq!(told.code, Some(0), "{told}");
            }
        });
        let removals = scope.spawn(move || {
            let mut removed_there = Vec::new();
            for at_twin in [false, true, false, true] {
                let place: &[&str] = if at_twin { &["-r", twin] } else { &[] };
                for words in [&forget[..], &prune[..]] {
                    let told = scene.run(&[words, place].concat());
                    // Others may have been committing, or have taken what it was about to mark.
                    assert!(matches!(told.code, Some(0 | 11 | 13)), "{told}");
                    if at_twin && words == forget {
                        let rows = told.json_of("result").into_iter();
                        let rows = rows.filter(|row| row["action"] == "remove");
                        let ids = rows.filter_map(|row| row["id"].as_str().map(str::to_owned));
                        removed_there.extend(ids);
                    }
                }
            }
            removed_there
        });
        while !(backups.is_finished() && removals.is_finished()) {
            let told = copy_told(scene, &["-q"]);
            // What went away under its hands is named, and the next copy goes on.
            assert!(matches!(told.code, Some(0 | 1 | 3)), "{told}");
        }
        removals.join().unwrap()
    });
    copy(&scene, 0);
    for repository in ["repository", "twin"] {
        let place = text(&scene.path(repository));
        scene.expect(0, &["check", "-q", "--read-data", "-r", &place]);
    }
    let (source, target) = (ids(&scene, "repository"), ids(&scene, "twin"));
    // A snapshot that the twin removed does not come back to it.
    let away = |id: &&String| !target.contains(id) && !removed_there.contains(id);
    assert_eq!(source.iter().filter(away).collect::<Vec<_>>(), [""; 0], "{removed_there:?}");
    assert!(removed_there.iter().all(|id| !target.contains(id)), "{removed_there:?}");
}

#[test]
fn twins_heal_each_other() {
    let scene = with_twin();
    copy(&scene, 0);
    // The second of three objects here, the first of a pack there: neither is lost in both.
    flip(&scene, &largest_pack(&scene, "repository"));
    let pack = largest_pack(&scene, "twin");
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&pack).unwrap();
    scene.file(&pack, &bytes);
    let twin = text(&scene.path("twin"));
    scene.expect(20, &["check", "-q", "--read-data"]);
    let before = scene.files("repository").len() + scene.files("twin").len();
    let told = copy_told(&scene, &["--heal", "--json"]);
    let healed = told.json_of("result");
    let of = |at: usize, field: &str| healed[at][field].as_u64().unwrap();
    assert_eq!((of(0, "bad_packs_count"), of(0, "lost_count")), (1, 0), "{told}");
    assert!(of(0, "objects_count") > 0 && of(1, "objects_count") > 0, "{told}");
    assert_eq!(of(1, "lost_count"), 0, "{told}");
    // Nothing was deleted: the bad pack stays, and nothing that is needed lies in it only.
    assert!(scene.files("repository").len() + scene.files("twin").len() > before);
    for place in [&text(&scene.path("repository")), &twin] {
        let told = scene.run(&["check", "--read-data", "-r", place]);
        assert!(matches!(told.code, Some(0 | 3)), "{told}");
    }
    for id in ids(&scene, "twin") {
        let (left, right) = (restored(&scene, "repository", &id), restored(&scene, "twin", &id));
        compare::assert_alike(&id, &left, &right);
    }
}

#[test]
fn what_is_not_known_of_the_rule_is_said_unknown() {
    let scene = with_twin();
    let told = copy_told(&scene, &["--json"]);
    let lines = told.json_of("result");
    let datasets: Vec<_> = lines.iter().filter(|line| line["item"] == "dataset").collect();
    assert_eq!(datasets.len(), 2, "{told}");
    for line in datasets {
        assert_eq!(line["three_copies"], "yes");
        // Both lie on one file system.
        assert_eq!((&line["two_media"], &line["one_off_site"]), (&"no".into(), &"no".into()));
        assert_eq!(line["one_offline_or_immutable"], "unknown");
        assert_eq!(line["zero_errors"], "unknown");
    }
    let told = copy_told(&scene, &["--heal", "--json"]).json_of("result");
    assert_eq!(told.last().unwrap()["zero_errors"], "yes");
}
