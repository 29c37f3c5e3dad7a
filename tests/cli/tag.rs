//! `tag`: words that change after the backup, in notes that nobody can forge or lose unseen.

use std::path::Path;

use super::round_trip::with_files;
use super::scene::Scene;

/// Two snapshots of one folder, the first with the tag `daily`.
fn tagged() -> Scene {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", ".", "--tag", "daily"]);
    scene.file("source/a.txt", b"later");
    scene.expect(0, &["-q", "backup", "."]);
    scene
}

fn ids(scene: &Scene) -> Vec<String> {
    let all = scene.expect(0, &["-q", "snapshots", "--json"]).json_of("result");
    all.iter().map(|line| line["short_id"].as_str().unwrap().to_owned()).collect()
}

/// Tags of each snapshot, and those of them that came later.
fn tags(scene: &Scene) -> Vec<(serde_json::Value, serde_json::Value)> {
    let all = scene.expect(0, &["-q", "snapshots", "--json"]).json_of("result");
    all.iter().map(|line| (line["tags"].clone(), line["tags_later"].clone())).collect()
}

/// Both copies of every note.
fn notes(scene: &Scene, folder: &str) -> Vec<String> {
    let root = scene.path("repository").join(folder);
    if !root.exists() {
        return Vec::new();
    }
    let all = scene.files(&format!("repository/{folder}")).into_iter();
    all.filter(|path| Path::new(path).is_file()).collect()
}

#[test]
fn words_come_and_go_and_find_the_snapshot() {
    let scene = tagged();
    let one = &ids(&scene)[0];
    let told = scene.expect(
        0,
        &["tag", one, "--add", "merger,audit", "--remove", "daily", "--comment", "for the auditor"],
    );
    assert_eq!(told.text(), format!("snapshot {one} has the tags merger,audit now\n"));
    let expected = serde_json::json!(["merger", "audit"]);
    let none = serde_json::json!([]);
    let null = serde_json::Value::Null;
    assert_eq!(tags(&scene), [(expected.clone(), expected), (none, null)]);
    let found = scene.expect(0, &["-q", "snapshots", "--tag", "audit,merger"]).text();
    assert!(found.contains(one) && found.contains("+merger,+audit"), "{found}");
    assert!(!scene.expect(0, &["-q", "snapshots", "--tag", "daily"]).text().contains(one));
    // Any verb that takes a snapshot finds it by them.
    assert_eq!(scene.expect(0, &["-q", "dump", "latest:a.txt", "--tag", "audit"]).stdout, b"alpha");
    let json = scene.expect(0, &["-q", "snapshots", "--json"]).json_of("result");
    assert_eq!(json[0]["comment"], "for the auditor");

    let told = scene.expect(0, &["tag", one, "--set", "kept,daily"]);
    assert_eq!(told.text(), format!("snapshot {one} has the tags kept,daily now\n"));
    let shown = scene.expect(0, &["-q", "snapshots"]).text();
    assert!(shown.contains("  +kept,daily"), "{shown}");
    let told = scene.expect(0, &["tag", one, "--set", "daily,kept", "--json"]);
    assert_eq!(told.json_of("result")[0]["is_changed"], false);
    let told = scene.expect(0, &["tag", one, "--set", ""]);
    assert_eq!(told.text(), format!("snapshot {one} has no tags now\n"));

    let records = scene.expect(0, &["-q", "cat", "notes", one, "--json"]).json_of("result");
    let numbers: Vec<u64> =
        records.iter().map(|record| record["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(records[1]["prev_id"], records[0]["id"]);
    assert_eq!(records[0]["added"], serde_json::json!(["merger", "audit"]));
    assert_eq!(records[0]["removed"], serde_json::json!(["daily"]));
    let report = scene.expect(0, &["check", "--json"]).json_of("result");
    assert_eq!(report[0]["notes_count"], 3);
}

#[test]
fn several_snapshots_at_once_and_words_that_are_refused() {
    let scene = tagged();
    let ids = ids(&scene);
    scene.expect(0, &["-q", "tag", &ids[0], &ids[1], "latest", "--add", "both"]);
    assert_eq!(scene.expect(0, &["-q", "snapshots", "--tag", "both"]).text().lines().count(), 3);
    assert_eq!(notes(&scene, "notes").len(), 2, "`latest` is one of them");
    let refused: [&[&str]; 6] = [
        &["tag", "latest"],
        &["tag", "latest", "--add", "a\nb"],
        &["tag", "latest", "--add", &"x".repeat(129)],
        &["tag", "latest", "--add", "a", "--remove", "a"],
        &["tag", "latest", "--add", "a", "--set", "b"],
        &["tag", "latest", "--comment", &"x".repeat(4097)],
    ];
    for args in refused {
        let told = scene.expect(2, args);
        assert!(told.stderr.starts_with("error: "), "{told}");
    }
    let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
    let told = scene.expect(2, &["-q", "tag", "latest", "--add", &many.join(",")]);
    assert!(told.stderr.contains("65 words would change at once, 64 may"), "{told}");
    assert_eq!(notes(&scene, "notes").len(), 2);
    // The storage reads no word.
    for path in notes(&scene, "notes") {
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(4).any(|part| part == b"both"));
    }
}

#[test]
fn a_copy_that_was_not_written_is_written_by_the_next_tag() {
    let mut scene = tagged();
    scene.expect(0, &["-q", "tag", "latest", "--add", "one"]);
    let first = notes(&scene, "notes").remove(0);
    std::fs::remove_file(&first).unwrap();
    let text = "tag was interrupted between the two copies of a note; the next tag of this \
                snapshot writes it\n";
    let told = scene.expect(3, &["-q", "check"]);
    assert!(told.stderr.starts_with("healable: notes/") && told.stderr.ends_with(text), "{told}");
    let told = scene.expect(3, &["-q", "snapshots"]);
    assert!(told.text().contains("+one") && told.stderr.ends_with(text), "{told}");
    // Also one that has nothing else to do.
    scene.expect(3, &["-q", "tag", "latest", "--add", "one"]);
    assert_eq!((notes(&scene, "notes").len(), notes(&scene, "notes.2").len()), (1, 1));
    std::fs::remove_file(&first).unwrap();
    scene.expect(3, &["-q", "tag", "latest", "--add", "two"]);
    assert_eq!((notes(&scene, "notes").len(), notes(&scene, "notes.2").len()), (2, 2));
    scene.transcript(0, &["-q", "check"], "");
    scene.set("LIFEBOAT_LANG", "vi");
    let told = scene.expect(0, &["tag", "latest", "--remove", "one"]).text();
    assert!(told.ends_with(" nay có các nhãn two\n"), "{told}");
    let told = scene.expect(2, &["-q", "tag", "latest"]);
    assert!(told.stderr.contains("lỗi: chưa nêu cần thay đổi gì\n"), "{told}");
}

#[test]
fn damage_to_notes_is_named_and_counts_for_nothing() {
    let scene = tagged();
    scene.expect(0, &["-q", "tag", "latest", "--add", "one"]);
    scene.expect(0, &["-q", "tag", "latest", "--add", "two"]);
    let pairs: Vec<(String, Vec<u8>)> = ["notes", "notes.2"]
        .into_iter()
        .flat_map(|folder| notes(&scene, folder))
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect();
    let restore = || {
        for (path, bytes) in &pairs {
            if Path::new(path).exists() {
                std::fs::remove_file(path).unwrap();
            }
            scene.file(path, bytes);
        }
    };
    let is_note = |path: &str, number: &str| {
        path.rsplit_once('/').is_some_and(|(_, name)| name.starts_with(number))
    };
    // One copy of each: everything is still known.
    for (path, bytes) in &pairs {
        for bit in [0, bytes.len() * 4, bytes.len() * 8 - 1] {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            std::fs::remove_file(path).unwrap();
            scene.file(path, &other);
            let told = scene.expect(3, &["-q", "check", "--json"]);
            let report = &told.json_of("result")[0];
            assert_eq!(report["verdict"], "healable", "{told}");
            assert_eq!(report["bad"][0]["kind"], "note", "{told}");
            restore();
        }
    }
    // Both copies of the first note.
    for (path, _) in pairs.iter().filter(|(path, _)| is_note(path, "1-")) {
        std::fs::remove_file(path).unwrap();
    }
    let told = scene.expect(20, &["-q", "check"]);
    assert!(told.stderr.contains("note 1 is missing\n"), "{told}");
    let told = scene.expect(20, &["-q", "snapshots"]);
    assert!(told.text().contains("+two") && !told.text().contains("+one"), "{told}");
    restore();
    // A note of a later version: reading goes on, `tag` does not.
    for (path, bytes) in pairs.iter().filter(|(path, _)| is_note(path, "2-")) {
        let mut newer = bytes.clone();
        newer[7] = 2;
        let hash = blake3::hash(&newer).to_hex();
        let (folder, _) = path.rsplit_once('/').unwrap();
        std::fs::remove_file(path).unwrap();
        scene.file(format!("{folder}/2-{}", &hash[..32]), &newer);
    }
    let told = scene.expect(14, &["-q", "tag", "latest", "--add", "three"]);
    assert!(told.stderr.contains("version 2, this program knows 1"), "{told}");
    let told = scene.expect(3, &["-q", "dump", "latest:a.txt"]);
    assert_eq!(told.stdout, b"later", "{told}");
}

#[test]
fn notes_of_a_snapshot_that_is_gone_are_left_over() {
    let scene = tagged();
    scene.expect(0, &["-q", "tag", "latest", "--add", "one"]);
    let id = ids(&scene).remove(1);
    // Nobody remembers it: as if it had been made and removed by another machine.
    for path in scene.files("repository") {
        if path.contains("/manifests") && path.contains(&format!("/2-{id}")) {
            std::fs::remove_file(path).unwrap();
        }
    }
    let told = scene.run(&["check", "--json", "--cache-dir", "/nonexistent"]);
    let report = &told.json_of("result")[0];
    assert_eq!(report["leftover_notes"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(report["bad"], serde_json::json!([]), "{told}");
}
