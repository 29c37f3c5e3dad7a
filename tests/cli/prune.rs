//! `prune`: space comes back, and nothing else goes.

use std::collections::BTreeMap;
use std::path::Path;

use super::scene::Scene;
use crate::support::Random;

/// Every file of the repository with its length.
fn lengths(scene: &Scene) -> BTreeMap<String, u64> {
    let files = scene.files("repository").into_iter().filter(|name| Path::new(name).is_file());
    files.map(|name| (name.clone(), std::fs::metadata(name).unwrap().len())).collect()
}

fn pack_bytes(scene: &Scene) -> u64 {
    let packs = lengths(scene).into_iter().filter(|(name, _)| name.contains("/packs/"));
    packs.map(|(_, len)| len).sum()
}

/// Files of 3 MB together, others for each seed, and some small ones that stay.
fn fill(scene: &Scene, seed: u64) {
    for n in 0..3 {
        scene.file(format!("source/large-{n}"), &Random::new(seed * 10 + n).bytes(1_000_000));
    }
    for n in 0..40 {
        scene.file(format!("source/d/small-{n}"), format!("{n}").repeat(300).as_bytes());
    }
}

fn ids(scene: &Scene) -> Vec<String> {
    let rows = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// Three snapshots of which the first two are removed.
fn removed() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for seed in 1..=3 {
        fill(&scene, seed);
        scene.expect(0, &["backup", "-q", "."]);
    }
    let ids = ids(&scene);
    scene.expect(0, &["forget", "-q", &ids[0], &ids[1]]);
    scene
}

#[test]
fn space_comes_back_in_one_run_when_the_trash_is_emptied() {
    let scene = removed();
    let before = lengths(&scene);
    let told = scene.expect(13, &["prune", "--empty-trash"]);
    assert!(told.stderr.contains("20 % are allowed in one run"), "{told}");
    assert_eq!(lengths(&scene), before);
    let dry = scene.expect(0, &["prune", "--empty-trash", "--dry-run"]);
    assert!(dry.text().contains("would be given back"), "{dry}");
    assert_eq!(lengths(&scene), before);
    let args = ["prune", "--empty-trash", "--max-delete", "100%"];
    let told = scene.expect(0, &args);
    assert!(told.text().contains("given back"), "{told}");
    let fresh = Scene::new();
    fresh.expect(0, &["init", "-q"]);
    fill(&fresh, 3);
    fresh.expect(0, &["backup", "-q", "."]);
    let (found, expected) = (pack_bytes(&scene), pack_bytes(&fresh));
    assert!(found * 100 <= expected * 105, "{found} for {expected}");
    scene.expect(0, &["check", "-q", "--read-data"]);
    scene.expect(0, &["restore", "-q", "latest", "--target", "../back"]);
    for n in 0..3 {
        let name = format!("large-{n}");
        let back = std::fs::read(scene.path("back").join(&name)).unwrap();
        assert_eq!(back, std::fs::read(scene.path("source").join(&name)).unwrap());
    }
    assert_eq!(scene.expect(0, &["snapshots", "--trash", "--json"]).json_of("result").len(), 0);
    let again = scene.expect(0, &[&args[..], &["--json"]].concat()).json_of("result");
    assert_eq!(
        (&again[0]["removed_packs_count"], &again[0]["is_waiting"]),
        (&0.into(), &false.into())
    );
    // The next backup builds on what stayed.
    scene.expect(0, &["backup", "-q", "."]);
    scene.expect(0, &["check", "-q", "--read-data"]);
}

#[test]
fn without_it_removed_snapshots_wait_and_come_back() {
    let scene = removed();
    let told = scene.expect(0, &["prune"]);
    assert!(told.text().contains("0 B given back"), "{told}");
    let trash = scene.expect(0, &["snapshots", "--trash", "--json"]).json_of("result");
    let id = trash[0]["id"].as_str().unwrap();
    scene.expect(0, &["forget", "-q", "--undo", id]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    // With no grace it is condemned at once, and then it is too late.
    let id = trash[1]["id"].as_str().unwrap();
    let told = scene.expect(0, &["prune", "--grace", "0", "--max-delete", "100%", "--lang", "vi"]);
    assert!(told.text().contains("đã bị đánh dấu"), "{told}");
    let told = scene.expect(13, &["forget", "--undo", id]);
    assert!(told.stderr.contains("a prune has begun to remove"), "{told}");
    scene.expect(0, &["check", "-q", "--read-data"]);
    let told = scene.expect(0, &["prune", "--grace", "0"]);
    assert!(!told.text().contains("condemned"), "{told}");
    assert_eq!(ids(&scene).len(), 2);
    scene.expect(0, &["check", "-q", "--read-data"]);
}

#[test]
fn damage_and_wrong_options_stop_it_before_anything_goes() {
    let scene = removed();
    scene.expect(2, &["prune", "--grace", "soon"]);
    scene.expect(2, &["prune", "--max-delete", "120%"]);
    scene.expect(2, &["prune", "--max-unused", "much"]);
    let pack = lengths(&scene).into_keys().find(|name| name.contains("/packs/")).unwrap();
    let bytes = std::fs::read(&pack).unwrap();
    std::fs::remove_file(&pack).unwrap();
    scene.file(&pack, &bytes[..bytes.len() - 1]);
    let before = lengths(&scene);
    let told = scene.expect(20, &["prune", "--empty-trash", "--max-delete", "100%"]);
    assert!(told.stderr.contains("nothing is deleted while this is in doubt"), "{told}");
    assert_eq!(lengths(&scene), before);
}

/// What a repair has set aside goes with the trash, and then there is no way back.
#[test]
fn quarantine_is_emptied_after_the_grace() {
    let scene = removed();
    let files = || lengths(&scene).into_keys();
    let quarantined = || files().filter(|name| name.contains("/quarantine/")).count();
    let config = files().find(|name| name.ends_with("/config")).unwrap();
    let good = std::fs::read(&config).unwrap();
    std::fs::remove_file(&config).unwrap();
    scene.file(&config, b"LIFEBOAT and nonsense");
    scene.expect(0, &["repair", "-q"]);
    assert_eq!((quarantined(), std::fs::read(&config).unwrap()), (1, good));
    let told = scene.expect(0, &["prune"]);
    assert!(told.text().contains("21 B stays in quarantine, 1 blobs"), "{told}");
    let dry = scene.expect(0, &["prune", "--grace", "0", "--dry-run", "--max-delete", "100%"]);
    assert!(dry.text().contains("21 B that a repair has put into quarantine would go"), "{dry}");
    assert_eq!(quarantined(), 1);
    scene.expect(0, &["repair", "--undo", "--dry-run"]);
    let args = ["prune", "--empty-trash", "--max-delete", "100%", "--json"];
    let told = scene.expect(0, &args).json_of("result").pop().unwrap();
    let of = |name: &str| told[name].as_u64().unwrap();
    let names = ["removed_set_aside_count", "removed_set_aside_bytes", "set_aside_count"];
    assert_eq!((names.map(of), quarantined()), ([1, 21, 0], 0));
    let told = scene.expect(13, &["repair", "--undo"]);
    assert!(told.stderr.contains("config` cannot come back: it is not in quarantine"), "{told}");
    let told = scene.expect(13, &["repair", "--undo", "--lang", "vi"]);
    assert!(told.stderr.contains("phần cách ly đã được dọn"), "{told}");
    scene.expect(0, &["check", "-q", "--read-data"]);
    // A later repair is taken back all the same.
    std::fs::remove_file(&config).unwrap();
    scene.expect(0, &["repair", "-q"]);
    scene.expect(0, &["repair", "-q", "--undo"]);
    assert!(!Path::new(&config).exists());
}

/// Real processes on a real folder: two machines' worth of backups, and two who remove and prune.
#[test]
fn prunes_beside_backups_take_nothing_that_is_needed() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    for folder in ["one", "two"] {
        scene.file(format!("source/{folder}/start"), folder.as_bytes());
        scene.expect(0, &["backup", "-q", folder]);
    }
    let prune = ["prune", "-q", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"];
    let forget = ["forget", "-q", "--keep-last", "1", "--accept-change"];
    let at_work = std::sync::atomic::AtomicUsize::new(2);
    std::thread::scope(|scope| {
        for (seed, folder) in [(1, "one"), (2, "two")] {
            let (scene, at_work) = (&scene, &at_work);
            scope.spawn(move || {
                for round in 0..8 {
                    let mut random = Random::new(seed * 100 + round);
                    for n in 0..6 {
                        let len = [300, 70_000, 600_000][usize::try_from(n % 3).unwrap()];
                        let name = format!("source/{folder}/{}", random.below(12));
                        scene.file(name, &random.bytes(len));
                    }
                    let told = scene.run(&["backup", "-q", folder]);
                    assert_eq!(told.code, Some(0), "{told}");
                }
                at_work.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                while at_work.load(std::sync::atomic::Ordering::SeqCst) > 0 {
                    for args in [&forget[..], &prune[..]] {
                        let told = scene.run(args);
                        // Another one is at it, or kept coming in between; or a slow backup
                        // stands between the two copies of its manifest.
                        let mut lines = told.stderr.lines().filter(|line| !line.is_empty());
                        let known = ["healable: manifests/", "warning: LIFEBOAT_PASSWORD"];
                        let is_known = |line: &str| known.iter().any(|it| line.starts_with(it));
                        let is_between = told.code == Some(3) && lines.all(is_known);
                        assert!(is_between || matches!(told.code, Some(0 | 11)), "{told}");
                    }
                }
            });
        }
    });
    scene.expect(0, &forget);
    scene.expect(0, &prune);
    let told = scene.expect(0, &["check", "-q", "--read-data", "--json"]);
    let checked = told.json_of("result").pop().unwrap();
    assert_eq!((&checked["is_ok"], &checked["snapshots_count"]), (&true.into(), &2.into()));
    for folder in ["one", "two"] {
        let path = scene.path("source").join(folder);
        let target = scene.path(format!("back-{folder}"));
        let args = ["restore", "-q", "latest", "--path", path.to_str().unwrap(), "--target"];
        scene.expect(0, &[&args[..], &[target.to_str().unwrap()]].concat());
        let (was, is) = (crate::support::compare::look(&path), target.join(folder));
        crate::support::compare::assert_alike(folder, &was, &crate::support::compare::look(&is));
    }
}

/// What `check` calls a problem, a prune does too; it does its work all the same.
#[test]
fn a_manifest_without_its_second_copy_is_told() {
    let scene = removed();
    let twin = lengths(&scene).into_keys().rfind(|name| name.contains("/manifests.2/")).unwrap();
    std::fs::remove_file(&twin).unwrap();
    scene.expect(3, &["check", "-q"]);
    let args = ["prune", "--empty-trash", "--max-delete", "100%"];
    for args in [&[&args[..], &["-n"]].concat()[..], &args[..]] {
        let told = scene.expect(3, args);
        assert!(told.stderr.contains("manifests.2/"), "{told}");
        assert!(told.text().contains("given back"), "{told}");
    }
    // The next backup of the folder writes it again.
    scene.expect(0, &["backup", "-q", "."]);
    scene.expect(0, &["prune", "-q"]);
    scene.expect(0, &["check", "-q", "--read-data"]);
}
