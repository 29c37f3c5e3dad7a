//! `check`: names exactly what is bad, and says OK if and only if everything restores.

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;

use super::scene::Scene;
use super::scene::Told;
use crate::support::Random;
use crate::support::compare::Tree;
use crate::support::compare::look;

/// A repository with small files, a file of several chunks and a sparse one, in two snapshots.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for n in 0..30 {
        scene.file(format!("source/d{}/small-{n}", n % 4), format!("{n}").repeat(90).as_bytes());
    }
    scene.file("source/large", &Random::new(7).bytes(6_000_000));
    let sparse = {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).open(scene.path("source/sparse")).unwrap()
    };
    sparse.set_len(3_000_000).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, &Random::new(8).bytes(400_000), 1 << 20)
        .unwrap();
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/d1/small-1", b"changed");
    scene.expect(0, &["backup", "-q", "."]);
    scene
}

fn report(told: &Told) -> Value {
    let results = told.json_of("result");
    results.into_iter().find(|line| line["item"] == "check").unwrap_or_else(|| panic!("{told}"))
}

fn check(scene: &Scene, args: &[&str]) -> (Option<i32>, Value) {
    let told = scene.run(&[&["check", "--json"], args].concat());
    (told.code, report(&told))
}

/// Files of the repository below a folder, by name in it.
fn blobs(scene: &Scene, folder: &str) -> Vec<String> {
    let root = scene.path("repository");
    let mut found: Vec<String> = scene
        .files("repository")
        .into_iter()
        .filter(|path| Path::new(path).is_file())
        .map(|path| Path::new(&path).strip_prefix(&root).unwrap().display().to_string())
        .filter(|name| name.starts_with(folder))
        .collect();
    found.sort_unstable();
    found
}

fn bytes_of(scene: &Scene, name: &str) -> Vec<u8> {
    std::fs::read(scene.path("repository").join(name)).unwrap()
}

fn put(scene: &Scene, name: &str, bytes: Option<&[u8]>) {
    let path: PathBuf = Path::new("repository").join(name);
    if scene.path(&path).exists() {
        std::fs::remove_file(scene.path(&path)).unwrap();
    }
    if let Some(bytes) = bytes {
        scene.file(path, bytes);
    }
}

/// Ways to damage a blob: nothing left of it, one bit changed, half of it cut off.
fn damaged(bytes: &[u8]) -> [Option<Vec<u8>>; 3] {
    let mut flipped = bytes.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 16;
    [None, Some(flipped), Some(bytes[..bytes.len() / 2].to_vec())]
}

fn bad(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let bad = report["bad"].as_array().unwrap().iter();
    bad.map(|bad| (text(&bad["name"]), text(&bad["class"]))).collect()
}

/// Exit code of a restore of the newest snapshot, and whether all of it is there.
fn restores(scene: &Scene, wanted: &Tree) -> (Option<i32>, bool) {
    let target = scene.path("target");
    if target.exists() {
        std::fs::remove_dir_all(&target).unwrap();
    }
    let told = scene.run(&["restore", "-q", "latest", "--target", target.to_str().unwrap()]);
    (told.code, target.exists() && look(&target) == *wanted)
}

#[test]
fn a_whole_repository_is_ok_at_every_level() {
    let scene = scene();
    let cases: [(&[&str], &str); 5] = [
        (&[], "linked"),
        (&["--read-data"], "opened"),
        (&["--read-data-subset", "1/2"], "opened"),
        (&["--structure-only"], "linked"),
        (&["--structure-only", "--read-data"], "read"),
    ];
    for (args, level) in cases {
        let (code, report) = check(&scene, args);
        assert_eq!(
            (code, &report["verdict"], &report["level"]),
            (Some(0), &"ok".into(), &level.into())
        );
        assert_eq!(report["unknown"], serde_json::json!([]));
        assert_eq!(report["unreferenced_packs"], serde_json::json!([]));
    }
    let (_, report) = check(&scene, &["--read-data"]);
    assert_eq!(report["files_compared_count"], 2, "the large file and the sparse one");
    assert_eq!(report["packs_read_count"], report["packs_count"]);
}

#[test]
fn without_any_key_names_sizes_and_hashes_are_looked_at() {
    let scene = scene();
    let bare = |args: &[&str]| {
        let mut command = scene.command(&[&["check", "--json", "--structure-only"], args].concat());
        let output = command.env_remove("LIFEBOAT_PASSWORD").env("LIFEBOAT_CACHE_DIR", "nowhere");
        let output = output.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let told = Told { code: output.status.code(), stdout: output.stdout, stderr };
        (told.code, report(&told))
    };
    let (code, report) = bare(&["--read-data"]);
    assert_eq!((code, &report["level"]), (Some(0), &"listed".into()));
    assert_eq!(report["packs_read_count"], report["packs_count"]);
    let pack = blobs(&scene, "packs/").remove(0);
    let whole = bytes_of(&scene, &pack);
    put(&scene, &pack, damaged(&whole)[1].as_deref());
    assert_eq!(bare(&[]).0, Some(0), "nothing was read");
    let (code, report) = bare(&["--read-data"]);
    assert_eq!(code, Some(20));
    assert_eq!(bad(&report), [(pack.clone(), "unclear".to_owned())]);
    put(&scene, &pack, Some(&whole));
    let newest = blobs(&scene, "manifests/").pop().unwrap();
    put(&scene, &newest, None);
    let (code, report) = bare(&[]);
    assert_eq!((code, bad(&report)), (Some(3), vec![(newest, "healable".to_owned())]));
}

#[test]
fn one_bad_copy_of_any_record_is_named_healable_and_everything_restores() {
    let scene = scene();
    let wanted = look(&scene.path("source"));
    let folders =
        ["config", "slots/", "keyring/", "recipients/", "machines/", "manifests/", "manifests.2/"];
    let mut cases = 0;
    for name in folders.iter().flat_map(|folder| blobs(&scene, folder)) {
        let whole = bytes_of(&scene, &name);
        for (way, damage) in damaged(&whole).into_iter().enumerate() {
            put(&scene, &name, damage.as_deref());
            let (code, report) = check(&scene, &[]);
            assert_eq!(code, Some(3), "{name} {way}");
            assert_eq!(bad(&report), [(name.clone(), "healable".to_owned())], "{way}");
            assert_eq!(report["verdict"], "healable");
            cases += 1;
        }
        put(&scene, &name, None);
        let (code, is_whole) = restores(&scene, &wanted);
        assert!(matches!(code, Some(0 | 3)) && is_whole, "{name}: {code:?}");
        put(&scene, &name, Some(&whole));
    }
    assert!(cases >= 3 * 15, "{cases}");
    assert_eq!(check(&scene, &[]).0, Some(0));
}

#[test]
fn a_record_that_is_bad_in_every_copy_is_lost() {
    let scene = scene();
    for folder in ["keyring/", "recipients/", "machines/"] {
        let names = blobs(&scene, folder);
        let whole: Vec<_> = names.iter().map(|name| bytes_of(&scene, name)).collect();
        for (name, whole) in names.iter().zip(&whole) {
            put(&scene, name, damaged(whole)[1].as_deref());
        }
        let (code, report) = check(&scene, &[]);
        assert_eq!(code, Some(20), "{folder}");
        let found = bad(&report);
        for name in &names {
            assert!(found.contains(&(name.clone(), "lost".to_owned())), "{name} {found:?}");
        }
        for (name, whole) in names.iter().zip(&whole) {
            put(&scene, name, Some(whole));
        }
    }
}

#[test]
fn every_damage_to_packs_and_index_is_told_as_it_restores() {
    let scene = scene();
    let wanted = look(&scene.path("source"));
    let (mut whole_count, mut lost_count) = (0, 0);
    for name in ["packs/", "index/"].iter().flat_map(|folder| blobs(&scene, folder)) {
        let whole = bytes_of(&scene, &name);
        let end = whole.len();
        let mut ways: Vec<Option<Vec<u8>>> = damaged(&whole).to_vec();
        for at in [0, 40, end / 3, end - 200, end - 15, end - 11, end - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            ways.push(Some(flipped));
        }
        ways.push(Some([&whole[..], b"more"].concat()));
        for (way, damage) in ways.into_iter().enumerate() {
            put(&scene, &name, damage.as_deref());
            let (code, report) = check(&scene, &["--read-data"]);
            let (restore_code, is_whole) = restores(&scene, &wanted);
            let what = format!("{name}, way {way}: {code:?}, restore {restore_code:?}\n{report}");
            assert_ne!(code, Some(0), "{what}");
            assert!(!is_whole || matches!(restore_code, Some(0 | 3)), "{what}");
            if is_whole && report["lost_files"] == serde_json::json!([]) {
                assert_eq!(code, Some(3), "{what}");
                whole_count += 1;
            } else {
                assert_eq!(code, Some(20), "{what}");
                lost_count += 1;
            }
            if !is_whole {
                assert_ne!(report["lost_files"], serde_json::json!([]), "{what}");
            }
        }
        put(&scene, &name, Some(&whole));
    }
    assert!(whole_count > 10 && lost_count > 5, "{whole_count} {lost_count}");
    assert_eq!(check(&scene, &["--read-data"]).0, Some(0));
}

#[test]
fn what_belongs_to_nothing_is_reported_and_no_damage() {
    let scene = scene();
    scene.file("repository/trash/old", b"x");
    scene.file("repository/packs/.tmp-0123", b"half of a pack");
    scene.file("repository/Read me.txt", b"x");
    let (code, report) = check(&scene, &["--read-data"]);
    assert_eq!((code, &report["verdict"]), (Some(0), &"ok".into()));
    assert_eq!(report["unknown"], serde_json::json!(["Read me.txt", "trash/old"]));
    assert_eq!(
        (&report["temporaries_count"], &report["temporaries_bytes"]),
        (&1.into(), &14.into())
    );
}

#[test]
fn a_missing_snapshot_is_damage() {
    let scene = scene();
    scene.file("source/more", b"more");
    scene.expect(0, &["backup", "-q", "."]);
    for folder in ["manifests/", "manifests.2/"] {
        let second = blobs(&scene, folder).into_iter().find(|name| name.contains("/2-")).unwrap();
        put(&scene, &second, None);
    }
    let (code, report) = check(&scene, &[]);
    assert_eq!((code, &report["verdict"]), (Some(20), &"damaged".into()));
    let message = report["troubles"][0]["message"].as_str().unwrap();
    assert!(message.contains("snapshot 2 is missing"), "{message}");
}

/// Both copies of the newest manifest, with their bytes, removed.
fn remove_newest(scene: &Scene) -> Vec<(String, Vec<u8>)> {
    let mut removed = Vec::new();
    for folder in ["manifests/", "manifests.2/"] {
        let name = blobs(scene, folder).pop().unwrap();
        removed.push((name.clone(), bytes_of(scene, &name)));
        put(scene, &name, None);
    }
    removed
}

#[test]
fn the_newest_snapshot_gone_is_noticed_by_the_machine_that_made_it() {
    let scene = scene();
    let removed = remove_newest(&scene);
    let (code, report) = check(&scene, &[]);
    assert_eq!((code, &report["verdict"]), (Some(20), &"damaged".into()));
    let trouble = report["troubles"][0]["message"].as_str().unwrap();
    assert!(trouble.contains("this machine made it, and it is gone"), "{trouble}");
    // Who never saw it cannot know.
    assert_eq!(check(&scene, &["--cache-dir", "elsewhere"]).0, Some(0));
    // The next backup says so, makes its snapshot all the same, and does not forget.
    let told = scene.expect(20, &["backup", "-q", "."]);
    assert!(told.stderr.contains("this machine made it, and it is gone"), "{told}");
    assert_eq!(check(&scene, &[]).0, Some(20));
    scene.expect(20, &["backup", "-q", "."]);
    // Two snapshots with one number are what is left when the lost one comes back: nothing is lost.
    for (name, bytes) in removed {
        put(&scene, &name, Some(&bytes));
    }
    assert_eq!(check(&scene, &[]).0, Some(3));
}

#[test]
fn a_list_of_recipients_that_went_back_is_refused() {
    use lifeboat::repository::keys::convert;
    use lifeboat::secret::SecretBytes;
    let scene = scene();
    let name = scene.files("cache").into_iter().find(|name| name.ends_with("machine.keyset"));
    let name = name.unwrap();
    let bytes = SecretBytes::new(std::fs::read(&name).unwrap());
    let mut keyset = convert::decode_agent(&bytes).unwrap();
    // To this machine the storage now looks as if it had been put back to an older list.
    keyset.recipients_version += 1;
    std::fs::remove_file(&name).unwrap();
    scene.file(&name, convert::encode_agent(&keyset).expose());
    let manifests = blobs(&scene, "manifests/");
    let told = scene.expect(13, &["backup", "-q", "."]);
    assert!(told.stderr.contains("went back to version 1"), "{told}");
    assert_eq!(blobs(&scene, "manifests/"), manifests, "nothing was made");
    let (code, report) = check(&scene, &[]);
    assert_eq!(code, Some(20));
    let message = report["troubles"][0]["message"].as_str().unwrap();
    assert!(message.contains("this machine knows version 2"), "{message}");
}

#[test]
fn old_leftovers_go_with_the_next_backup_and_young_ones_stay() {
    let scene = scene();
    for (name, hours) in [("packs/.tmp-old", 25), ("index/.tmp-old", 48), (".tmp-young", 23)] {
        let name = Path::new("repository").join(name);
        scene.file(&name, b"half");
        let file = std::fs::OpenOptions::new().write(true).open(scene.path(&name)).unwrap();
        let age = std::time::Duration::from_secs(hours * 3600);
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - age).unwrap();
    }
    scene.expect(0, &["backup", "-n", "."]);
    assert_eq!(check(&scene, &[]).1["temporaries_count"], 3, "a dry run changes nothing");
    scene.expect(0, &["backup", "-q", "."]);
    let left: Vec<_> =
        blobs(&scene, "").into_iter().filter(|name| name.contains(".tmp-")).collect();
    assert_eq!(left, [".tmp-young"]);
}

#[test]
fn limits_hold_and_nonsense_is_refused() {
    let scene = scene();
    scene.expect(2, &["check", "--limit-download", "0"]);
    scene.expect(2, &["check", "--limit-upload", "fast"]);
    // Some six megabytes at two a second, of which the first second's worth goes at once.
    let (code, _) = check(&scene, &["--read-data"]);
    let told = scene.expect(0, &["check", "--json", "--read-data", "--limit-download", "2MiB"]);
    let duration = told.json_of("summary")[0]["duration_ms"].as_u64().unwrap();
    assert!(code == Some(0) && duration >= 1500, "{duration} ms");
}

#[test]
fn a_lost_chunk_is_told_by_file_and_bytes_and_without_a_passphrase_by_snapshot() {
    let scene = scene();
    // The largest pack holds the chunks of the large file.
    let names = blobs(&scene, "packs/");
    let pack = names.iter().max_by_key(|name| bytes_of(&scene, name).len()).unwrap();
    let mut bytes = bytes_of(&scene, pack);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    put(&scene, pack, Some(&bytes));
    let (code, report) = check(&scene, &["--read-data"]);
    assert_eq!(code, Some(20));
    assert_eq!(bad(&report), [(pack.clone(), "lost".to_owned())]);
    assert_eq!(report["bad"][0]["part"], "object");
    assert_eq!(report["lost_objects"].as_array().unwrap().len(), 1);
    let lost = report["lost_files"].as_array().unwrap();
    assert_eq!(lost.len(), 2, "in both snapshots");
    for lost in lost {
        assert_eq!(lost["path"], "/large");
        let ranges = lost["lost_ranges"].as_array().unwrap();
        assert_eq!(ranges.len(), 1);
        let (start, end) =
            (ranges[0]["start"].as_u64().unwrap(), ranges[0]["end"].as_u64().unwrap());
        assert!(start < end && end <= 6_000_000 && end - start <= 4 << 20, "{start}..{end}");
    }
    // What a chunk of another file is good for is not doubted, and a subset that does not read it
    // says nothing of it.
    let (code, report) = check(&scene, &["--structure-only", "--read-data"]);
    assert_eq!((code, &report["level"]), (Some(20), &"read".into()));
    let counts: Vec<_> = report["lost_files"].as_array().unwrap().iter().collect();
    assert_eq!(counts.len(), 2);
    assert!(counts.iter().all(|lost| lost["objects_count"] == 1 && lost["path"].is_null()));
}

#[test]
fn a_backup_waits_for_its_turn_no_longer_than_it_was_told() {
    let scene = scene();
    let folder = std::fs::File::open(scene.path("repository")).unwrap();
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive).unwrap();
    scene.file("source/more", b"more");
    let told = scene.expect(11, &["backup", "-q", ".", "--wait", "100ms"]);
    assert!(told.stderr.contains("next:"), "{told}");
    assert_eq!(check(&scene, &[]).0, Some(0), "a check waits for nobody");
    drop(folder);
    scene.expect(0, &["backup", "-q", ".", "--wait", "0"]);
}
