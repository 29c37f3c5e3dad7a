//! `key rotate`, `key renew` and `key revoke`.

use super::scene::Scene;

fn made() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.file("source/a", b"the first words");
    scene.expect(0, &["backup", "-q", "."]);
    scene
}

fn path(scene: &Scene, name: &str) -> String {
    scene.path(name).to_str().unwrap().to_owned()
}

/// Every snapshot restores and `check` finds every byte.
fn assert_whole(scene: &Scene, contents: &[&[u8]]) {
    let told = scene.expect(0, &["check", "--read-data", "--json"]);
    assert_eq!(told.json_of("result")[0]["is_ok"], true, "{told}");
    let mut snapshots = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    snapshots.sort_by_key(|it| it["seq"].as_u64());
    assert_eq!(snapshots.len(), contents.len());
    let datasets: std::collections::BTreeSet<_> =
        snapshots.iter().map(|it| it["dataset_id"].to_string()).collect();
    assert_eq!(datasets.len(), 1, "a rotation begins no dataset anew");
    for (number, (snapshot, content)) in snapshots.iter().zip(contents).enumerate() {
        let target = path(scene, &format!("restored-{number}-{}", contents.len()));
        let id = snapshot["id"].as_str().unwrap();
        scene.expect(0, &["restore", id, "--target", &target, "-q"]);
        let name = format!("restored-{number}-{}/a", contents.len());
        let found = scene.files(&name[..name.len() - 2]).into_iter();
        let found = found.filter(|path| path.ends_with("/a")).collect::<Vec<_>>();
        assert_eq!(std::fs::read(&found[0]).unwrap(), *content);
    }
}

#[test]
fn what_was_stored_before_each_rotation_is_read_after_it() {
    let scene = made();
    let contents: [&[u8]; 4] = [b"the first words", b"second", b"third", b"fourth"];
    for (at, part) in ["--domain", "--storage-secret", "--restore"].into_iter().enumerate() {
        let planned = scene.expect(0, &["key", "rotate", part, "--dry-run", "--json"]);
        let plan = &planned.json_of("plan")[0];
        let rotated = scene.expect(0, &["key", "rotate", part, "--json"]).json_of("result");
        for field in ["part", "from_generation", "to_generation", "removed_slot_ids"] {
            assert_eq!(rotated[0][field], plan[field], "{field}");
        }
        scene.file("source/a", contents[at + 1]);
        scene.expect(0, &["backup", "-q", "."]);
        assert_whole(&scene, &contents[..at + 2]);
    }
    let listed = scene.expect(0, &["key", "list", "--json"]).json_of("result");
    let generations = listed.iter().find(|line| line["item"] == "generations").unwrap();
    let expected = [
        ("keyring_generation", 4),
        ("store_generation", 2),
        ("domain_generation", 2),
        ("recipients_version", 2),
        ("replaced_restore_keys_count", 1),
    ];
    for (field, number) in expected {
        assert_eq!(generations[field], number, "{field}");
    }
    scene.expect(0, &["prune", "-q"]);
    assert_whole(&scene, &contents);
}

#[test]
fn a_dry_run_writes_nothing_and_one_part_has_to_be_named() {
    let scene = made();
    let before = scene.files("repository");
    for part in ["--domain", "--storage-secret", "--restore"] {
        scene.expect(0, &["key", "rotate", part, "-n"]);
    }
    scene.expect(2, &["key", "rotate"]);
    scene.expect(2, &["key", "rotate", "--domain", "--restore"]);
    assert_eq!(scene.files("repository"), before);
}

#[test]
fn a_report_says_what_a_rotation_does_not_undo() {
    let scene = made();
    let told = scene.expect(0, &["key", "rotate", "--restore"]);
    assert!(told.text().contains("what was read stays read"), "{told}");
    let told = scene.expect(0, &["key", "rotate", "--domain"]);
    assert!(told.text().contains("reads and stores all of it again"), "{told}");
    assert!(told.stderr.contains("lifeboat key renew"), "{told}");
    let told = scene.expect(0, &["key", "rotate", "--storage-secret", "--lang", "vi"]);
    assert!(told.text().contains("thế hệ cũ"), "{told}");
}

/// A machine whose keyset lies elsewhere: under the old domain secret it goes on, under the old
/// store key it is refused, and a renewed keyset goes on where it was.
#[test]
fn another_machine_is_renewed_without_its_passphrase() {
    let mut scene = made();
    let (file, renewed) = (path(&scene, "other.keyset"), path(&scene, "renewed.keyset"));
    scene.expect(0, &["key", "agent", "other", "--output", &file, "-q"]);
    let listed = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert_eq!(listed.len(), 1);
    let config = std::fs::read_dir(scene.path("cache")).unwrap().next().unwrap().unwrap();
    let id = config.file_name().into_string().unwrap();
    let place = format!("other-cache/{id}/machine.keyset");
    scene.file(&place, &std::fs::read(&file).unwrap());
    let own = scene.path("cache");
    let as_other = |scene: &mut Scene| {
        scene.set("LIFEBOAT_CACHE_DIR", scene.path("other-cache"));
        scene.unset("LIFEBOAT_PASSWORD");
    };
    let as_admin = |scene: &mut Scene| {
        scene.set("LIFEBOAT_CACHE_DIR", own.clone());
        scene.set("LIFEBOAT_PASSWORD", "x");
    };
    as_other(&mut scene);
    scene.expect(0, &["backup", "-q", "."]);
    as_admin(&mut scene);
    scene.expect(0, &["key", "rotate", "--domain", "-q"]);
    as_other(&mut scene);
    let told = scene.expect(0, &["backup", "."]);
    assert!(told.stderr.contains("domain secret was rotated"), "{told}");
    as_admin(&mut scene);
    scene.expect(0, &["key", "rotate", "--storage-secret", "-q"]);
    as_other(&mut scene);
    let told = scene.expect(13, &["backup", "."]);
    assert!(told.stderr.contains("lifeboat key renew"), "{told}");
    as_admin(&mut scene);
    scene.expect(0, &["key", "renew", &file, "--output", &renewed, "-q"]);
    scene.file(&place, &std::fs::read(&renewed).unwrap());
    as_other(&mut scene);
    scene.expect(0, &["backup", "-q", "."]);
    as_admin(&mut scene);
    let snapshots = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let mut seqs: Vec<_> = snapshots.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, [1, 1, 2, 3], "one dataset of each machine");
    scene.expect(0, &["check", "--read-data", "-q"]);
}

fn own_machine(scene: &Scene) -> String {
    let listed = scene.expect(0, &["key", "list", "--json"]).json_of("result");
    let machine = listed.iter().find(|line| line["item"] == "machine").unwrap();
    machine["machine_id"].as_str().unwrap().to_owned()
}

/// Two good snapshots, a revocation, and two snapshots by somebody who does not see it.
fn attacked() -> (Scene, String) {
    let scene = made();
    scene.file("source/a", b"second");
    scene.expect(0, &["backup", "-q", "."]);
    let id = own_machine(&scene);
    let planned = scene.expect(0, &["key", "revoke", &id[..8], "-n", "--json"]).json_of("plan");
    assert_eq!(planned[0]["state"], "revoked");
    assert_eq!(planned[0]["suspect_count"], 0);
    let told = scene.expect(0, &["key", "revoke", &id]);
    assert!(told.stderr.contains("lifeboat key rotate --domain"), "{told}");
    let refused = scene.expect(13, &["backup", "-q", "."]);
    assert!(refused.stderr.contains("is revoked"), "{refused}");
    let names = [0, 1].map(|copy| format!("repository/machines/{id}/2.{copy}"));
    let hidden = names.each_ref().map(|name| std::fs::read(scene.path(name)).unwrap());
    names.iter().for_each(|name| std::fs::remove_file(scene.path(name)).unwrap());
    for content in [&b"encrypted"[..], b"worse"] {
        scene.file("source/a", content);
        scene.expect(0, &["backup", "-q", "."]);
    }
    names.iter().zip(&hidden).for_each(|(name, bytes)| scene.file(name, bytes));
    (scene, id)
}

#[test]
fn later_snapshots_of_a_revoked_machine_are_marked_everywhere() {
    let (scene, _) = attacked();
    let snapshots = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let suspect: Vec<bool> = snapshots.iter().map(|it| it["suspect_since"].is_string()).collect();
    assert_eq!(suspect, [false, false, true, true]);
    let told = scene.expect(0, &["snapshots"]);
    assert_eq!(told.text().matches("suspect since").count(), 2, "{told}");
    let good = snapshots[1]["short_id"].as_str().unwrap();
    let target = path(&scene, "restored");
    for args in [&["ls", "latest"][..], &["restore", "latest", "--target", &target]] {
        let told = scene.expect(0, args);
        assert!(told.stderr.contains("is suspect since") && told.stderr.contains(good), "{told}");
    }
    let told = scene.expect(0, &["check", "--json"]).json_of("result");
    assert_eq!(told[0]["suspect_snapshot_ids"].as_array().unwrap().len(), 2);
    assert_eq!(told[0]["is_ok"], true);
}

#[test]
fn suspect_snapshots_push_no_good_ones_out() {
    let (scene, _) = attacked();
    let told = scene.expect(0, &["forget", "--keep-last", "1", "--accept-change", "--json"]);
    let rows = told.json_of("result").into_iter().filter(|it| it["item"] == "snapshot");
    let mut kept: Vec<(u64, Option<String>)> = rows
        .map(|it| (it["seq"].as_u64().unwrap(), it["reasons"][0].as_str().map(str::to_owned)))
        .collect();
    kept.sort_unstable();
    let why = |text: &str| Some(text.to_owned());
    let expected = [(1, None), (2, why("keep-last 1")), (3, why("suspect")), (4, why("suspect"))];
    assert_eq!(kept, expected);
    let left = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let suspect = left.iter().find(|it| it["suspect_since"].is_string()).unwrap();
    scene.expect(0, &["forget", suspect["id"].as_str().unwrap(), "-q"]);
}

#[test]
fn a_machine_is_trusted_again_and_distrusted_since_a_time() {
    let (mut scene, id) = attacked();
    let told = scene.expect(0, &["key", "revoke", &id]);
    assert!(told.text().contains("is revoked already"), "{told}");
    scene.expect(0, &["key", "revoke", &id, "--undo"]);
    let snapshots = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert!(snapshots.iter().all(|it| it["suspect_since"].is_null()));
    scene.file("source/a", b"at work again");
    scene.expect(0, &["backup", "-q", "."]);
    let told = scene.expect(0, &["key", "revoke", &id, "--undo"]);
    assert!(told.text().contains("is not revoked"), "{told}");
    // What the storage received before that time would stay trusted, and nothing was.
    scene.expect(0, &["key", "revoke", &id, "--since", "2001-01-01T00:00:00Z", "-q"]);
    let snapshots = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert!(snapshots.iter().all(|it| it["suspect_since"] == "2001-01-01T00:00:00.000Z"));
    scene.expect(2, &["key", "revoke", &id, "--since", "yesterday"]);
    scene.expect(1, &["key", "revoke", "nobody"]);
    scene.set("LIFEBOAT_LANG", "vi");
    let told = scene.expect(0, &["key", "list"]);
    assert!(told.text().contains("đã thu hồi"), "{told}");
}
