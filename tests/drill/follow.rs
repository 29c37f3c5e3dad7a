//! What follows a drill that failed: search, pins, freeze, actions.

use serde_json::Value;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::files::docx;
use super::folder;
use super::item;
use crate::cli::scene::Scene;

fn office() -> Scene {
    let scene = configured(&[]);
    write(&scene, &|text| text.to_vec());
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    scene
}

fn write(scene: &Scene, change: &dyn Fn(&[u8]) -> Vec<u8>) {
    for at in 0..20 {
        let text = format!("Công văn số {at} ").repeat(40);
        scene.file(format!("shared/công văn {at}.docx"), &change(&docx(&text)));
    }
}

/// As a program that encrypts leaves them.
fn encrypted(scene: &Scene, key: u8) {
    write(scene, &|bytes| bytes.iter().map(|byte| byte ^ key).collect());
}

fn snapshots(scene: &Scene) -> Vec<Value> {
    scene.expect(0, &["snapshots", "--json"]).json_of("result")
}

fn has(snapshot: &Value, tag: &str) -> bool {
    snapshot["tags_later"].as_array().is_some_and(|tags| tags.iter().any(|it| it == tag))
}

fn of<'s>(all: &'s [Value], id: &Value) -> &'s Value {
    all.iter().find(|it| it["id"] == *id).unwrap()
}

fn actions(scene: &Scene) -> Vec<Value> {
    scene.expect(0, &["drill", "actions", "--json"]).json_of("result")
}

/// FG17: the newest clean snapshot is searched for, named and kept; retention freezes.
#[test]
fn the_newest_snapshot_before_an_attack_is_found_and_kept() {
    let scene = office();
    for at in 0..2 {
        scene.file("shared/nhật ký.txt", format!("ngày {at}").as_bytes());
        backup(&scene, "shared");
    }
    let clean = snapshots(&scene).remove(1)["id"].clone();
    for key in [0x5a, 0x5b, 0x5c] {
        encrypted(&scene, key);
        backup(&scene, "shared");
    }
    let record = drill(&scene, 21);
    assert_eq!(item(&record, "shared")["attack_signs"], true);
    let action = &record["actions"][0];
    assert_eq!(action["redrill"], true);
    let finding = action["finding"].as_str().unwrap();
    assert!(finding.starts_with("shared: F1 (L4.files.open"), "{finding}");
    let followed = &record["followed"][0];
    let search = &followed["search"];
    assert_eq!((&search["ended"], &search["newest_good"]), (&"found".into(), &clean), "{search}");
    let verdicts: Vec<_> = search["tried"].as_array().unwrap().iter().collect();
    assert_eq!(verdicts.len(), 3, "{search}");
    assert_eq!(followed["pinned"], serde_json::json!([clean]));
    // Each drill of the search has its record and its own place in the ledger.
    let listed = scene.expect(0, &["drill", "list", "--json"]).json_of("result");
    assert_eq!(listed.len(), 4, "{listed:?}");
    let all = snapshots(&scene);
    let newest = of(&all, &item(&record, "shared")["snapshot"]);
    assert!(has(of(&all, &clean), "pinned") && has(newest, "attack-signs"), "{all:?}");

    // Rules remove nothing of it, however few they keep, until somebody has looked.
    let told = scene.expect(13, &["forget", "--keep-last", "1", "--dry-run"]);
    assert!(told.stderr.contains("saw signs of an attack"), "{told}");
    // Who knows why much has changed has not looked at what the drill saw.
    let accepted = ["forget", "--keep-last", "1", "--accept-change", "--dry-run"];
    let told = scene.expect(13, &accepted);
    assert!(told.stderr.contains("saw signs of an attack"), "{told}");
    let short = newest["short_id"].as_str().unwrap();
    scene.expect(0, &["tag", short, "--remove", "attack-signs"]);
    let told = scene.expect(0, &["forget", "--keep-last", "1", "--json"]);
    let rows = told.json_of("result");
    let kept: Vec<_> = rows.iter().filter(|it| it["action"] == "keep").collect();
    assert_eq!(kept.len(), 2, "{told}");
    assert!(kept.iter().any(|it| it["id"] == clean && it["reasons"][0] == "pinned"), "{told}");

    // It is shown, printed and open until a drill proves the data again.
    let shown = format!("{}", scene.expect(0, &["drill", "show", record_id(&record)]));
    for part in ["newest good snapshot", "attack-signs", "lifeboat backup --job shared"] {
        assert!(shown.contains(part), "`{part}`\n{shown}");
    }
    let args = ["drill", "report", record_id(&record), "--lang", "vi", "--format", "html"];
    let out = scene.path("minutes.html").display().to_string();
    scene.expect(0, &[&args[..], &["--out", &out]].concat());
    let page = std::fs::read_to_string(scene.path("minutes.html")).unwrap();
    for part in ["Bản chụp tốt gần nhất", "tìm nguyên nhân, sao lưu lại", "tạm dừng loại bỏ"]
    {
        assert!(page.contains(part), "`{part}`\n{page}");
    }
    assert_eq!(actions(&scene)[0]["id"], followed["id"]);
    write(&scene, &<[u8]>::to_vec);
    backup(&scene, "shared");
    let record = drill(&scene, 0);
    assert_eq!(record["closed"][0]["id"], followed["id"]);
    assert_eq!(actions(&scene), Vec::<Value>::new());
    verified(&scene, &record);
}

fn record_id(record: &Value) -> &str {
    record["record_id"].as_str().unwrap()
}

/// The evidence holds with all that was added.
#[track_caller]
fn verified(scene: &Scene, record: &Value) {
    let bundle = scene.path("bundle").display().to_string();
    scene.expect(0, &["drill", "bundle", "--out", &bundle]);
    let code = record["ledger_code"].as_str().unwrap();
    let told = scene.expect(0, &["drill", "verify-evidence", &bundle, "--code", code, "--json"]);
    assert_eq!(told.json_of("result").last().unwrap()["verdict"], "valid", "{told}");
}

fn packs(scene: &Scene) -> Vec<String> {
    let is_file = |path: &String| std::path::Path::new(path).is_file();
    scene.files("repository/packs").into_iter().filter(is_file).collect()
}

/// Bytes that nothing can be guessed from.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..40_000).flat_map(|_| next()).collect()
}

/// F1 by a damaged pack: what was proven is proven no more, and the one before it is named.
#[test]
fn a_pack_that_is_damaged_after_its_proof_sends_the_search_back() {
    let scene = office();
    backup(&scene, "shared");
    drill(&scene, 0);
    let older = snapshots(&scene).remove(0);
    assert!(has(&older, "drill-proven"), "{older}");
    let before = packs(&scene);
    scene.file("shared/ảnh.bin", &noise(7));
    backup(&scene, "shared");
    let newer = drill(&scene, 0)["items"][0]["snapshot"].clone();
    assert!(has(of(&snapshots(&scene), &newer), "drill-proven"));
    let fresh = packs(&scene).into_iter().filter(|it| !before.contains(it));
    let largest = fresh.max_by_key(|it| std::fs::metadata(it).unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let relative = std::path::Path::new(&largest).strip_prefix(scene.path("")).unwrap();
    std::fs::remove_file(&largest).unwrap();
    scene.file(relative, &bytes);
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert!(shared["failures"].as_array().unwrap().contains(&"F1".into()), "{shared}");
    let followed = &record["followed"][0];
    assert_eq!(followed["search"]["newest_good"], older["id"], "{followed}");
    assert_eq!(followed["frozen"], false);
    let all = snapshots(&scene);
    assert!(!has(of(&all, &newer), "drill-proven"), "{all:?}");
    assert!(has(of(&all, &older["id"]), "pinned"), "{all:?}");
    verified(&scene, &record);
}

/// Where nothing older is good, that is what is said.
#[test]
fn a_search_without_a_good_snapshot_says_so() {
    let scene = office();
    encrypted(&scene, 0x11);
    backup(&scene, "shared");
    encrypted(&scene, 0x12);
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    let search = &record["followed"][0]["search"];
    assert_eq!((&search["ended"], &search["newest_good"]), (&"none_good".into(), &Value::Null));
    assert_eq!(record["followed"][0]["pinned"], Value::Null);
}

/// The newest that a drill has proven stays, whatever the rules; a machine cannot say so itself.
#[test]
fn retention_keeps_the_newest_that_is_proven() {
    let scene = office();
    backup(&scene, "shared");
    drill(&scene, 0);
    let proven = snapshots(&scene).remove(0)["id"].clone();
    let path = scene.path("shared").display().to_string();
    for at in 0..2 {
        scene.file("shared/nhật ký.txt", format!("ngày {at}").as_bytes());
        let tags = ["--tag", "shared", "--tag", "drill-proven", "--tag", "attack-signs"];
        scene.expect(0, &[&["backup", "-q"], &tags[..], &[&path]].concat());
    }
    let all = snapshots(&scene);
    assert!(all[1]["tags"].as_array().unwrap().iter().all(|it| it != "drill-proven"), "{all:?}");
    let told = scene.expect(0, &["forget", "--group-by", "host", "--keep-last", "1", "--json"]);
    let rows = told.json_of("result");
    let kept: Vec<_> = rows.iter().filter(|it| it["action"] == "keep").collect();
    assert_eq!(kept.len(), 2, "{told}");
    assert!(kept.iter().any(|it| it["id"] == proven && it["reasons"][0] == "proven"), "{told}");
}
