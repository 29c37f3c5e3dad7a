//! `forget`: what goes, what stays, and how it comes back.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use super::scene::Scene;
use crate::support::generate::set_mtime;

/// 2026-11-01T05:00:00Z, noon in Việt Nam.
const FIRST_NOON: i64 = 1_793_509_200;
const DAY: i64 = 86_400;

/// The two copies of each manifest, by number.
fn manifests(scene: &Scene) -> BTreeMap<u64, Vec<PathBuf>> {
    let mut found: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    for name in scene.files("repository") {
        let path = PathBuf::from(&name);
        if name.contains("/manifests") && path.is_file() {
            let number = path.file_name().unwrap().to_str().unwrap().split_once('-').unwrap().0;
            found.entry(number.parse().unwrap()).or_default().push(path);
        }
    }
    found
}

/// A repository whose snapshots 1 to `count` came at noon of one day each.
fn with_days(count: u64) -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for day in 1..=count {
        scene.file("source/a.txt", format!("day {day}").as_bytes());
        scene.expect(0, &["backup", "-q", "."]);
    }
    date(&scene, |number| FIRST_NOON + DAY * i64::try_from(number - 1).unwrap());
    scene
}

fn date(scene: &Scene, at: impl Fn(u64) -> i64) {
    for (number, copies) in manifests(scene) {
        copies.iter().for_each(|copy| set_mtime(copy, at(number), 0));
    }
}

/// Numbers of the snapshots that are listed.
fn listed(scene: &Scene) -> Vec<u64> {
    let rows = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect()
}

/// Every file of the repository with its bytes.
fn bytes(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let files = scene.files("repository").into_iter().filter(|name| Path::new(name).is_file());
    files.map(|name| (name.clone(), std::fs::read(name).unwrap())).collect()
}

fn restored(scene: &Scene, id: &str) -> String {
    let target = scene.path(format!("back-{id}"));
    scene.expect(0, &["restore", "-q", id, "--target", target.to_str().unwrap()]);
    std::fs::read_to_string(target.join("a.txt")).unwrap()
}

#[test]
fn rules_keep_what_they_say_and_each_snapshot_has_its_reason() {
    let scene = with_days(6);
    let before = bytes(&scene);
    let rules = ["--keep-daily", "2", "--keep-weekly", "2", "--time-zone", "Asia/Ho_Chi_Minh"];
    // 1 November 2026 is a Sunday: it is the week before.
    let told = scene.expect(0, &[&["forget", "--dry-run", "--json"], &rules[..]].concat());
    let rows = told.json_of("plan");
    let action = |row: &serde_json::Value| {
        let reasons = row["reasons"].as_array().unwrap().iter();
        let reasons: Vec<&str> = reasons.map(|it| it.as_str().unwrap()).collect();
        format!("{} {} {}", row["seq"], row["action"].as_str().unwrap(), reasons.join(", "))
    };
    let shown: Vec<String> = rows.iter().filter(|row| row["seq"].is_u64()).map(action).collect();
    let expected = [
        "1 keep keep-weekly 2",
        "2 keep keep-weekly 2 first",
        "3 remove ",
        "4 remove ",
        "5 keep keep-daily 2",
        "6 keep keep-daily 2, keep-weekly 2 last",
    ];
    assert_eq!(shown, expected);
    assert_eq!(bytes(&scene), before, "a dry run writes nothing");
    let told = scene.expect(0, &[&["forget"], &rules[..]].concat());
    assert!(told.text().contains("2 snapshots removed, 4 kept"), "{told}");
    assert_eq!(listed(&scene), [1, 2, 5, 6]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    assert_eq!(restored(&scene, "latest"), "day 6");
    // The same again finds nothing to do.
    let told = scene.expect(0, &[&["forget"], &rules[..]].concat());
    assert!(told.text().contains("0 snapshots removed, 4 kept"), "{told}");
}

#[test]
fn what_was_removed_is_shown_and_comes_back() {
    let scene = with_days(3);
    let rows = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let ids: Vec<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    scene.expect(0, &["forget", "-q", &ids[0][..12], &ids[2], "--reason", "contract ended"]);
    assert_eq!(listed(&scene), [2]);
    let trash = scene.expect(0, &["snapshots", "--trash", "--json"]).json_of("result");
    assert_eq!((trash.len(), &trash[0]["seq"], &trash[1]["seq"]), (2, &1.into(), &3.into()));
    assert_eq!(trash[0]["reason"], "contract ended: named");
    let told = scene.expect(0, &["snapshots", "--trash"]);
    assert!(told.text().contains("contract ended: named"), "{told}");
    scene.expect(1, &["restore", "-q", &ids[2], "--target", "../no"]);
    // The newest is gone, and its number is not given again.
    scene.file("source/a.txt", b"day 4");
    scene.expect(0, &["backup", "-q", "."]);
    assert_eq!(listed(&scene), [2, 4]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    let before = bytes(&scene);
    scene.expect(0, &["forget", "--undo", &ids[2], "--dry-run"]);
    assert_eq!(bytes(&scene), before);
    scene.expect(0, &["forget", "-q", "--undo", &ids[0], &ids[2]]);
    assert_eq!(listed(&scene), [1, 2, 3, 4]);
    assert_eq!(restored(&scene, &ids[0]), "day 1");
    scene.expect(0, &["check", "-q", "--read-data"]);
    let told = scene.expect(1, &["forget", "--undo", &ids[0]]);
    assert!(told.stderr.contains("no removed snapshot has an id that begins with"), "{told}");
}

#[test]
fn the_storage_says_when_a_snapshot_was_made() {
    // A machine whose clock runs ten years ahead cannot push the others out.
    let scene = with_days(3);
    let ahead = scene.run_under(&["faketime", "2036-01-01 00:00:00"], &["backup", "-q", "."]);
    assert_eq!(ahead.code, Some(0), "{ahead}");
    date(&scene, |number| FIRST_NOON + DAY * i64::try_from(number.min(3) - 1).unwrap());
    scene.expect(0, &["forget", "-q", "--keep-yearly", "1", "--time-zone", "UTC"]);
    assert_eq!(listed(&scene), [1, 4], "first and last of the one year that the storage saw");
    // A copy made much later has the dates of the copy: nothing goes by those.
    date(&scene, |_| FIRST_NOON + 4000 * DAY);
    let told = scene.expect(0, &["forget", "--keep-last", "1", "--time-zone", "UTC"]);
    assert!(told.text().contains("its time is in doubt"), "{told}");
    assert_eq!(listed(&scene), [1, 4]);
    let machine = ["forget", "-q", "--keep-last", "1", "--time", "machine"];
    scene.expect(0, &machine);
    assert_eq!(listed(&scene), [4]);
}

#[test]
fn much_change_at_once_freezes_its_dataset() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    let write = |text: &str| {
        for number in 0..60 {
            let name = format!("source/{number}.txt");
            scene.file(name, format!("{text} {number}").as_bytes());
        }
    };
    write("good");
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/0.txt", b"a day's work");
    scene.expect(0, &["backup", "-q", "."]);
    write("encrypted");
    scene.expect(0, &["backup", "-q", "."]);
    let told = scene.expect(13, &["forget", "--keep-last", "1"]);
    assert!(told.stderr.contains("100 % of its files changed or vanished at once"), "{told}");
    assert!(told.text().contains("too much changed at once"), "{told}");
    assert_eq!(listed(&scene), [1, 2, 3]);
    scene.expect(0, &["forget", "-q", "--keep-last", "1", "--accept-change"]);
    assert_eq!(listed(&scene), [3]);
}

#[test]
fn tags_pins_and_groups_count() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.file("source/one/a", b"1");
    scene.file("source/two/a", b"2");
    for tag in ["year-end", "pinned", "none", "none"] {
        scene.expect(0, &["backup", "-q", "--tag", tag, "one"]);
    }
    scene.expect(0, &["backup", "-q", "two"]);
    let told = scene.expect(0, &["forget", "--keep-tag", "year-end"]);
    assert_eq!(listed(&scene), [1, 2, 4, 1], "{told}");
    // All in one group: the newest of all stays, and what is pinned.
    scene.expect(0, &["forget", "-q", "--keep-last", "1", "--group-by", "host"]);
    assert_eq!(listed(&scene), [2, 1]);
    // A filter hides the rest from the rules.
    scene.expect(0, &["forget", "-q", "--keep-last", "1", "--path", "/nowhere"]);
    assert_eq!(listed(&scene), [2, 1]);
}

#[test]
fn nothing_goes_by_rules_while_a_manifest_is_lost() {
    let scene = with_days(3);
    manifests(&scene)[&3].iter().for_each(|copy| std::fs::remove_file(copy).unwrap());
    let told = scene.expect(20, &["forget", "--keep-last", "1"]);
    assert!(told.stderr.contains("so nothing is removed by rules"), "{told}");
    scene.file("source/a.txt", b"day 4");
    scene.expect(20, &["backup", "-q", "."]);
    let before = bytes(&scene);
    scene.expect(20, &["forget", "--keep-last", "1"]);
    assert_eq!(bytes(&scene), before);
}

#[test]
fn mistakes_are_told_before_anything_is_opened() {
    let mut scene = Scene::new();
    scene.set("LIFEBOAT_REPOSITORY", "/nowhere");
    let cases: [(&[&str], &str); 7] = [
        (&["forget"], "neither a rule nor a snapshot is named"),
        (&["forget", "--keep-last", "0"], "`--keep-last`: expected a number from 1 on or `all`"),
        (&["forget", "--keep-within", "7"], "`--keep-within`: expected an age such as `14d`"),
        (&["forget", "--keep-within-daily", "x"], "`--keep-within-daily`"),
        (&["forget", "--keep-last", "1", "--time-zone", "Hà Nội"], "is no time zone"),
        (&["forget", "--keep-last", "1", "abc"], "cannot be used with"),
        (&["forget", "--undo"], "required"),
    ];
    for (args, expected) in cases {
        let told = scene.expect(2, args);
        assert!(told.stderr.contains(expected), "{args:?}: {told}");
    }
    let told = scene.expect(2, &["--lang", "vi", "forget"]);
    assert!(told.stderr.contains("chưa nêu quy tắc hay bản chụp nào"), "{told}");
}

#[test]
fn space_comes_back_in_the_same_run_when_it_is_asked_for() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for seed in 1..=4 {
        scene.file("source/large", &crate::support::Random::new(seed).bytes(2_000_000));
        scene.expect(0, &["backup", "-q", "."]);
    }
    let size = || bytes(&scene).values().map(Vec::len).sum::<usize>();
    let before = size();
    let forget = ["forget", "--keep-last", "1", "--prune"];
    scene.expect(0, &[&forget[..], &["--dry-run"]].concat());
    assert_eq!((size(), listed(&scene).len()), (before, 4));
    // Most of it would go, which is refused without a word; the removal itself stands.
    let told = scene.expect(13, &forget);
    assert!(told.stderr.contains("20 % are allowed in one run"), "{told}");
    assert_eq!(listed(&scene), [4]);
    let told = scene.expect(0, &[&forget[..], &["--max-delete", "100%"]].concat());
    assert!(told.text().contains("given back"), "{told}");
    assert!(size() * 3 < before, "{before} bytes became {}", size());
    scene.expect(0, &["check", "-q", "--read-data"]);
    let target = scene.path("back");
    scene.expect(0, &["restore", "-q", "latest", "--target", target.to_str().unwrap()]);
    let back = std::fs::read(target.join("large")).unwrap();
    assert!(back == crate::support::Random::new(4).bytes(2_000_000));
}
