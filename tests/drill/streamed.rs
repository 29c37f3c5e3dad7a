//! Folders that are read and written nowhere.

use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::Value;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::folder;
use super::item;
use crate::cli::scene::Scene;

const FILES: usize = 40;
const EACH_BYTES: usize = 20_000;

/// A folder with what a stream has to get right, and a sandbox that could not hold it.
fn office(more: &str) -> Scene {
    let scene = configured(&[]);
    for at in 0..FILES {
        let content = format!("nội dung {at}\n").repeat(EACH_BYTES / 16);
        scene.file(format!("shared/{}/tệp {at}.txt", at % 5), content.as_bytes());
    }
    // What does not shrink fills the pack that it lies in.
    let mut photo = vec![0; 400_000];
    blake3::Hasher::new().finalize_xof().fill(&mut photo);
    scene.file("shared/photo.raw", &photo);
    std::fs::hard_link(scene.path("shared/0/tệp 0.txt"), scene.path("shared/một tên khác"))
        .unwrap();
    std::os::unix::fs::symlink("0", scene.path("shared/link")).unwrap();
    let hole = std::fs::File::create_new(scene.path("shared/hole")).unwrap();
    hole.set_len(50_000_000).unwrap();
    drop(UnixListener::bind(scene.path("shared/socket")).unwrap());
    let backups = [("shared", folder(&scene.path("shared")))];
    configure(&scene, &backups, &format!("mode = \"streamed\"\n{more}"));
    let small = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let place = format!("path = \"{}\"", scene.path("drills").display());
    let small = small.replacen(&place, &format!("{place}, bytes_max = \"1KiB\""), 1);
    scene.file("lifeboat.toml", small.as_bytes());
    backup(&scene, "shared");
    scene
}

#[test]
fn a_folder_that_does_not_fit_is_read_to_its_last_byte() {
    let scene = office("");
    let record = drill(&scene, 0);
    let shared = item(&record, "shared");
    assert_eq!((&shared["mode"], &shared["verdict"]), (&"streamed".into(), &"pass".into()));
    assert_eq!(failing(shared), [""; 0]);
    assert!(shared["read_bytes"].as_u64().unwrap() > 50_000_000, "{shared}");
    // It was compared with the truth of its source, and proves no more than that it can be read.
    let ids: Vec<&str> =
        shared["checks"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert!(ids.iter().any(|id| id.starts_with("L6.capsule.")), "{ids:?}");
    assert_eq!((&shared["proof_level"], &shared["min_proof"]), (&"L1".into(), &"L6".into()));
    assert_eq!(shared["measures"].get("rto_tech_s"), None, "{shared}");
    let proofs = scene.expect(0, &["drill", "proofs", "--json"]).json_of("result");
    assert_eq!(proofs[0]["proven_at"], Value::Null, "{proofs:?}");
    let told = format!("{}", scene.expect(0, &["drill", "show", "--lang", "vi"]));
    assert!(told.contains("L1"), "{told}");
    // As a whole it does not fit.
    let file = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    scene.file("lifeboat.toml", file.replace("mode = \"streamed\"\n", "").as_bytes());
    let record = drill(&scene, 22);
    let space = record["preflight"].as_array().unwrap().iter().find(|it| it["id"] == "PF.space");
    assert_eq!(space.unwrap()["result"], "fail", "{record}");
}

#[test]
fn a_lost_byte_is_found_without_writing_any() {
    let scene = office("");
    let packs = scene.files("repository/packs");
    let files = packs.iter().filter(|it| Path::new(it).is_file());
    let largest = files.max_by_key(|it| std::fs::metadata(it).unwrap().len()).unwrap();
    let mut bytes = std::fs::read(largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(largest).unwrap();
    super::written(Path::new(largest), &bytes);
    let told = super::run(&scene, 21, &["monthly"]);
    let record = told.json_of("result").remove(0);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared)[0], "L0.files.objects", "{shared}");
    // Whoever sits there is told which file it is; the record has no name of one.
    let problems = told.json_of("problem");
    let is_named = |it: &Value| it["subject"].as_str().is_some_and(|it| it.ends_with("photo.raw"));
    assert!(problems.iter().any(is_named), "{problems:?}");
    assert!(!record.to_string().contains("photo"), "{record}");
    assert_eq!(shared["failures"][0], "F1", "{shared}");
}

#[test]
fn what_has_to_be_looked_at_on_disk_is_no_conclusion() {
    let more = "[[drill.check]]\nkind = \"file\"\ndataset = \"shared\"\npath = \"/hole\"\n";
    let scene = office(more);
    let record = drill(&scene, 22);
    let shared = item(&record, "shared");
    assert_eq!(failing(shared), ["L3.custom.1"], "{shared}");
}
