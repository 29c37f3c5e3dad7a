//! `repair`: what stands twice is whole again, what is lost is listed, and all can be taken back.

use std::collections::BTreeMap;
use std::path::Path;

use super::scene::Scene;
use crate::support::Random;
use crate::support::compare::look;

/// Two snapshots of small files and of one large file.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for n in 0..30 {
        scene.file(format!("source/d{}/small-{n}", n % 4), format!("{n}").repeat(90).as_bytes());
    }
    scene.file("source/large", &Random::new(7).bytes(3_000_000));
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/d1/small-1", b"changed");
    scene.expect(0, &["backup", "-q", "."]);
    scene
}

/// Every blob of the repository; what a backup is just writing has no name yet.
fn blobs(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let root = scene.path("repository");
    let is_blob = |path: &String| Path::new(path).is_file() && !path.contains("/.tmp-");
    let files = scene.files("repository").into_iter().filter(is_blob);
    let named = files.map(|path| {
        let name = Path::new(&path).strip_prefix(&root).unwrap().display().to_string();
        let bytes = std::fs::read(path).unwrap();
        (name, bytes)
    });
    named.collect()
}

fn put(scene: &Scene, name: &str, bytes: Option<&[u8]>) {
    let path = scene.path("repository").join(name);
    if path.exists() {
        std::fs::remove_file(&path).unwrap();
    }
    if let Some(bytes) = bytes {
        scene.file(&path, bytes);
    }
}

fn flip(scene: &Scene, name: &str) {
    let mut bytes = blobs(scene).remove(name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    put(scene, name, Some(&bytes));
}

/// The first blob whose name begins so.
fn first(scene: &Scene, prefix: &str) -> String {
    blobs(scene).into_keys().find(|name| name.starts_with(prefix)).unwrap()
}

/// Packs, the smallest first: nodes lie in the small ones.
fn packs(scene: &Scene) -> Vec<String> {
    let all = blobs(scene).into_iter().filter(|(name, _)| name.starts_with("packs/"));
    let mut packs: Vec<_> = all.map(|(name, bytes)| (bytes.len(), name)).collect();
    packs.sort_unstable();
    packs.into_iter().map(|(_, name)| name).collect()
}

/// A bit of each record's first copy, of an index file and of a pack of nodes; a copy missing.
fn harm(scene: &Scene) -> usize {
    let index = first(scene, "index/");
    let nodes = packs(scene).remove(0);
    let mut count = 0;
    for name in ["config", "slots/", "keyring/", "recipients/", "machines/", "manifests/"] {
        flip(scene, &first(scene, name));
        count += 1;
    }
    flip(scene, &index);
    flip(scene, &nodes);
    let twin = blobs(scene).into_keys().rfind(|name| name.starts_with("manifests.2/")).unwrap();
    put(scene, &twin, None);
    count + 2
}

#[test]
fn what_stands_twice_is_whole_again_and_can_be_taken_back() {
    let scene = scene();
    let moved = harm(&scene);
    let harmed = blobs(&scene);
    scene.expect(3, &["check", "--read-data"]);
    let dry = scene.expect(3, &["repair", "-n"]);
    assert!(dry.text().contains(&format!("would move {moved} blobs to quarantine")), "{dry}");
    assert!(dry.text().contains("config is written anew from config.1"), "{dry}");
    assert_eq!(blobs(&scene), harmed, "a dry run writes nothing");
    let json = scene.expect(3, &["repair", "-n", "--json"]);
    let plan = json.json_of("plan");
    let of = |item: &str| plan.iter().filter(|line| line["item"] == item).count();
    assert_eq!((of("move"), of("left"), of("repair")), (moved, 0, 1), "{json}");
    assert_eq!(plan.last().unwrap()["moved_count"], moved);
    let told = scene.expect(0, &["repair", "--json"]);
    let results = told.json_of("result");
    assert_eq!(results[0]["moved_count"], moved, "{told}");
    assert_eq!(results[1]["verdict"], "ok", "{told}");
    assert_eq!(told.json_of("problem").len(), 0, "{told}");
    let told = scene.expect(0, &["check", "--read-data", "--json"]);
    assert_eq!(told.json_of("result")[0]["quarantined_count"], moved, "{told}");
    let repaired = blobs(&scene);
    let again = scene.expect(0, &["repair"]);
    assert!(again.text().contains("nothing that can be repaired"), "{again}");
    assert_eq!(blobs(&scene), repaired, "twice is once");
    scene.expect(0, &["restore", "-q", "latest", "--target", "../back"]);
    assert_eq!(look(&scene.path("back")), look(&scene.path("source")));
    let dry = scene.expect(0, &["repair", "--undo", "--dry-run"]);
    assert!(dry.text().contains("would take back repair"), "{dry}");
    assert_eq!(blobs(&scene), repaired);
    scene.expect(0, &["repair", "--undo"]);
    assert_eq!(blobs(&scene), harmed, "every byte is as it was");
    scene.expect(3, &["check", "--read-data"]);
    let told = scene.expect(1, &["repair", "--undo"]);
    assert!(told.stderr.contains("no repair is there that could be taken back"), "{told}");
}

#[test]
fn what_is_lost_is_listed_and_the_next_backup_heals_it() {
    let scene = scene();
    let largest = packs(&scene).pop().unwrap();
    flip(&scene, &largest);
    let checked = scene.expect(20, &["check", "--read-data"]);
    let lost = |told: &str| {
        let lines = told.lines().filter(|line| line.starts_with("damage: lost"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(!lost(&checked.stderr).is_empty(), "{checked}");
    let told = scene.expect(20, &["repair"]);
    assert_eq!(lost(&told.stderr), lost(&checked.stderr), "the same files, no more and no fewer");
    assert!(told.stderr.contains("back up again"), "{told}");
    // A prune gives nothing back meanwhile.
    scene.expect(20, &["prune", "--empty-trash", "--max-delete", "100%"]);
    let before = packs(&scene).len();
    scene.expect(0, &["backup", "-q", "."]);
    assert!(packs(&scene).len() > before, "what was lost is stored anew");
    scene.expect(0, &["check", "-q", "--read-data"]);
    // The repair's packs are needed by now, and yet nothing would be lost: good bytes lie in
    // quarantine too.
    scene.expect(0, &["repair", "--undo"]);
    scene.expect(3, &["check", "-q", "--read-data"]);
    scene.expect(0, &["repair", "-q"]);
    scene.expect(0, &["check", "-q", "--read-data"]);
}

/// A copy of the repository elsewhere, as a plain copying program makes it.
fn mirror(scene: &Scene) {
    for (name, bytes) in blobs(scene) {
        scene.file(Path::new("mirror").join(name), &bytes);
    }
}

#[test]
fn what_is_lost_here_comes_from_another_storage() {
    let scene = scene();
    mirror(&scene);
    for name in packs(&scene) {
        put(&scene, &name, None);
    }
    scene.expect(20, &["check", "-q"]);
    let harmed = blobs(&scene);
    let dry = scene.expect(20, &["repair", "-n", "--from", "../mirror", "--json"]);
    let plan = dry.json_of("plan").pop().unwrap();
    assert!(plan["fetched_count"].as_u64().unwrap() > 5, "{plan}");
    assert_eq!(blobs(&scene), harmed);
    scene.expect(0, &["repair", "--from", "../mirror"]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    // As long as no snapshot came since, it can be taken back; afterwards it is relied on.
    scene.expect(0, &["repair", "--undo"]);
    assert_eq!(blobs(&scene), harmed);
    scene.expect(0, &["repair", "-q", "--from", "../mirror"]);
    scene.expect(0, &["backup", "-q", "."]);
    let told = scene.expect(13, &["repair", "--undo"]);
    assert!(told.stderr.contains("snapshots came or went since"), "{told}");
    scene.expect(0, &["check", "-q", "--read-data"]);
    scene.expect(10, &["repair", "--from", "../nowhere"]);
}

#[test]
fn what_is_newer_is_refused_and_stays() {
    let scene = scene();
    let mut newer = blobs(&scene).remove("config.1").unwrap();
    newer.truncate(newer.len() - 32);
    newer[9] += 1;
    let checksum = blake3::hash(&newer);
    newer.extend_from_slice(checksum.as_bytes());
    put(&scene, "config.1", Some(&newer));
    flip(&scene, &first(&scene, "manifests/"));
    let before = blobs(&scene);
    let told = scene.expect(14, &["repair"]);
    assert!(told.stderr.contains("`config.1` is as it was written"), "{told}");
    assert_eq!(blobs(&scene), before);
}

#[test]
fn what_is_relied_on_is_not_taken_back() {
    let scene = scene();
    flip(&scene, "config.2");
    scene.expect(0, &["repair", "-q"]);
    for name in ["config", "config.1"] {
        put(&scene, name, None);
    }
    let before = blobs(&scene);
    let told = scene.expect(13, &["repair", "--undo"]);
    assert!(told.stderr.contains("it is the only good copy by now"), "{told}");
    assert_eq!(blobs(&scene), before);
    // A journal that somebody changed is followed in nothing.
    scene.expect(0, &["repair", "-q"]);
    let journals = blobs(&scene).into_keys().filter(|name| name.starts_with("repairs/"));
    for name in journals.collect::<Vec<_>>() {
        flip(&scene, &name);
    }
    let before = blobs(&scene);
    let told = scene.expect(13, &["repair", "--undo"]);
    assert!(told.stderr.contains("journal `repairs/"), "{told}");
    assert_eq!(blobs(&scene), before);
    scene.expect(0, &["check", "-q"]);
}

/// A storage that leaves half of what it failed to write must not end every later repair.
#[test]
fn half_of_a_copy_in_quarantine_is_written_anew() {
    let scene = scene();
    let name = first(&scene, "keyring/");
    flip(&scene, &name);
    let damaged = blobs(&scene).remove(&name).unwrap();
    let kept = format!("quarantine/{}", blake3::hash(&damaged));
    put(&scene, &kept, Some(&damaged[..13]));
    scene.expect(0, &["repair"]);
    assert_eq!(blobs(&scene).remove(&kept), Some(damaged));
    scene.expect(0, &["check", "--read-data"]);
}

#[test]
fn it_is_told_in_vietnamese() {
    let scene = scene();
    flip(&scene, "config");
    let told = scene.expect(3, &["repair", "-n", "--lang", "vi"]);
    assert!(told.text().contains("config được chuyển vào nơi cách ly"), "{told}");
    assert!(told.text().contains("config được ghi lại từ config.1"), "{told}");
    assert!(told.text().contains("chưa có gì bị thay đổi"), "{told}");
    let told = scene.expect(0, &["repair", "--lang", "vi"]);
    assert!(told.text().contains("đã chuyển 1 tệp vào nơi cách ly"), "{told}");
    assert!(told.text().contains("ĐẠT"), "{told}");
    let told = scene.expect(0, &["repair", "--undo", "--lang", "vi"]);
    assert!(told.text().contains("đã hoàn tác lần sửa"), "{told}");
}

/// A backup beside it: the repair takes nothing that the backup relies on.
#[test]
fn a_repair_beside_backups_leaves_all_whole() {
    let scene = scene();
    std::thread::scope(|scope| {
        let backups = scope.spawn(|| {
            for round in 0..6 {
                scene.file("source/large", &Random::new(100 + round).bytes(500_000));
                // What it relied on and was damaged went meanwhile: it says so, and made nothing.
                let relied = "went away or changed while it was relied on; back up again";
                let mut told = scene.run(&["backup", "-q", "."]);
                let mut left = 10;
                while left > 0 && told.code == Some(1) && told.stderr.contains(relied) {
                    told = scene.run(&["backup", "-q", "."]);
                    left -= 1;
                }
                assert!(matches!(told.code, Some(0 | 3)), "{told}");
            }
        });
        while !backups.is_finished() {
            let nodes = packs(&scene).remove(0);
            if scene.path("repository").join(&nodes).exists() {
                flip(&scene, &nodes);
            }
            let told = scene.run(&["repair", "-q"]);
            assert!(matches!(told.code, Some(0 | 1 | 3 | 11)), "{told}");
        }
    });
    scene.expect(0, &["repair", "-q"]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    scene.expect(0, &["restore", "-q", "latest", "--target", "../back"]);
    assert_eq!(look(&scene.path("back")), look(&scene.path("source")));
}

/// Manifests of the twin's chain, the oldest first: their names without the folder.
fn manifests(scene: &Scene) -> Vec<String> {
    let names = blobs(scene).into_keys();
    let mut places: Vec<_> =
        names.filter_map(|name| name.strip_prefix("manifests/").map(str::to_owned)).collect();
    places.sort_unstable();
    places
}

fn lose(scene: &Scene, place: &str) {
    for folder in ["manifests/", "manifests.2/"] {
        put(scene, &format!("{folder}{place}"), None);
    }
}

/// Four snapshots of a folder, and a twin that has them all.
fn twins() -> (Scene, Vec<String>) {
    let scene = scene();
    for round in 3..5 {
        scene.file("source/d2/small-2", format!("round {round}").as_bytes());
        scene.file(format!("source/only-{round}"), &Random::new(round).bytes(300_000));
        scene.expect(0, &["backup", "-q", "."]);
    }
    let own = scene.path("repository");
    scene.expect(0, &["init", "-q", "--twin-of", own.to_str().unwrap(), "-r", "../twin"]);
    scene.expect(0, &["copy", "-q", "--to", "../twin"]);
    let places = manifests(&scene);
    assert_eq!(places.len(), 4);
    (scene, places)
}

#[test]
fn lost_manifests_come_back_from_a_twin() {
    let (scene, places) = twins();
    let listed = || scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let whole = listed();
    let damages: [&dyn Fn(); 4] = [
        // The newest, which this machine remembers.
        &|| lose(&scene, &places[3]),
        // Two in a row, the first of the chain among them.
        &|| places[..2].iter().for_each(|place| lose(&scene, place)),
        // All of them.
        &|| places.iter().for_each(|place| lose(&scene, place)),
        // One of which nothing but bad bytes and half a name is left.
        &|| {
            flip(&scene, &format!("manifests/{}", places[2]));
            put(&scene, &format!("manifests.2/{}", places[2]), None);
        },
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        damage();
        let harmed = blobs(&scene);
        scene.expect(20, &["check", "-q"]);
        scene.expect(20, &["repair", "-q"]);
        assert_eq!(blobs(&scene), harmed, "{n}: alone it has nothing to go by");
        let dry = scene.expect(20, &["repair", "-n", "--from", "../twin"]);
        assert!(dry.text().contains("is written anew from ../twin"), "{n}: {dry}");
        assert_eq!(blobs(&scene), harmed, "{n}");
        scene.expect(0, &["repair", "-q", "--from", "../twin"]);
        assert_eq!(listed(), whole, "{n}");
        scene.expect(0, &["repair", "-q", "--undo"]);
        assert_eq!(blobs(&scene), harmed, "{n}: every byte is as it was");
        scene.expect(0, &["repair", "-q", "--from", "../twin"]);
        scene.expect(0, &["check", "-q", "--read-data"]);
    }
    scene.expect(0, &["restore", "-q", "latest", "--target", "../back"]);
    assert_eq!(look(&scene.path("back")), look(&scene.path("source")));
    scene.expect(0, &["backup", "-q", "."]);
    scene.expect(0, &["check", "-q", "--read-data"]);
}

/// What only the lost snapshot needs is looked for by no check.
#[test]
fn a_manifest_brings_back_what_it_reaches() {
    let (scene, places) = twins();
    lose(&scene, &places[3]);
    for name in packs(&scene) {
        put(&scene, &name, None);
    }
    scene.expect(20, &["check", "-q"]);
    let harmed = blobs(&scene);
    scene.expect(0, &["repair", "-q", "--from", "../twin"]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    scene.expect(0, &["restore", "-q", "latest", "--target", "../back"]);
    assert_eq!(look(&scene.path("back")), look(&scene.path("source")));
    scene.expect(0, &["repair", "-q", "--undo"]);
    assert_eq!(blobs(&scene), harmed, "every byte is as it was");
}

/// Removed on purpose here, or in the twin: it stays away, whatever else comes back.
#[test]
fn what_was_removed_does_not_come_back() {
    let (scene, places) = twins();
    let id = |place: &str| place.rsplit_once('-').unwrap().1.to_owned();
    scene.expect(0, &["forget", "-q", &id(&places[1])]);
    scene.expect(0, &["forget", "-q", &id(&places[2]), "-r", "../twin"]);
    for place in [&places[1], &places[2], &places[3]] {
        lose(&scene, place);
    }
    let told = scene.expect(20, &["repair", "--from", "../twin"]);
    assert!(told.stderr.contains("snapshot 3 is missing without a tombstone"), "{told}");
    assert_eq!(manifests(&scene), [places[0].clone(), places[3].clone()]);
    // A storage of another repository has nothing that belongs here.
    lose(&scene, &places[3]);
    scene.expect(0, &["init", "-q", "-r", "../stranger"]);
    let before = blobs(&scene);
    scene.expect(20, &["repair", "-q", "--from", "../stranger"]);
    assert_eq!(blobs(&scene), before);
}
