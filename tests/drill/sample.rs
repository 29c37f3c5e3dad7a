//! Samples: files that are drawn, what they say, and that anybody can draw them again.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::Value;

use lifeboat::drill::sample::Seed;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::files::docx;
use super::folder;
use super::item;
use crate::cli::scene::Scene;

const FILES: usize = 150;

fn office(claim: &str) -> Scene {
    let scene = configured(&[]);
    for at in 0..FILES {
        scene.file(format!("shared/{}/tệp {at}.txt", at % 5), format!("nội dung {at}").as_bytes());
    }
    scene.file("shared/bảng.docx", &docx("x"));
    let more = format!("mode = \"sample\"\nclaim = \"{claim}\"\n");
    configure(&scene, &[("shared", folder(&scene.path("shared")))], &more);
    backup(&scene, "shared");
    scene
}

#[test]
fn a_sample_says_what_it_says_and_can_be_drawn_again() {
    let scene = office("5%");
    let record = drill(&scene, 0);
    let shared = item(&record, "shared");
    assert_eq!((&shared["mode"], &shared["verdict"]), (&"sample".into(), &"pass".into()));
    // A folder is proven by more than that.
    assert_eq!((&shared["proof_level"], &shared["min_proof"]), (&"L4".into(), &"L6".into()));
    assert_eq!(failing(shared), ["L6.files.capsule"]);
    let claim = shared["claim"].as_str().unwrap();
    let wanted = "shared: 59 of 151 files were drawn and are good: with 95 % confidence fewer \
                  than 5 % of all are bad";
    assert_eq!(claim, wanted);
    let sample = &shared["sample"];
    let counts = (&sample["population_count"], &sample["drawn_count"]);
    assert_eq!(counts, (&151.into(), &59.into()), "{sample}");
    let restored = 59 + sample["added_count"].as_u64().unwrap();
    assert_eq!(shared["checked_count"].as_u64(), Some(restored), "{shared}");
    // From the ledger's entry, as an auditor does.
    let root = sample["root"].as_str().unwrap();
    let id = record["record_id"].as_str().unwrap();
    let seed = Seed::of(root, id, ("shared", shared["snapshot"].as_str().unwrap()));
    assert_eq!(sample["seed"], Value::from(seed.to_hex()));
    let bundle = scene.path("bundle").display().to_string();
    scene.expect(0, &["drill", "bundle", "--out", &bundle]);
    let listed = std::fs::read_dir(scene.path("bundle/entries")).unwrap().flatten();
    let hashes =
        listed.map(|it| lifeboat::evidence::tree::sha256(&std::fs::read(it.path()).unwrap()));
    assert!(hashes.into_iter().any(|hash| hash.to_string() == root), "{root}");
    let told = format!("{}", scene.expect(0, &["drill", "show", "--lang", "vi"]));
    assert!(told.contains("đã rút ngẫu nhiên 59 trong 151 tệp"), "{told}");
    // It is no proof.
    let proofs = scene.expect(0, &["drill", "proofs", "--json"]).json_of("result");
    assert_eq!(proofs[0]["proven_at"], Value::Null, "{proofs:?}");
}

#[test]
fn fewer_files_than_a_sample_asks_for_are_all() {
    let scene = office("1%");
    let record = drill(&scene, 0);
    let shared = item(&record, "shared");
    assert_eq!(shared["claim"], "shared: all 151 files are good");
    assert_eq!(shared["checked_count"], 151, "{shared}");
}

/// What is drawn and bad says nothing of the rest.
#[test]
fn a_bad_file_in_the_sample_fails_it_and_takes_the_claim() {
    let scene = office("1%");
    scene.file("shared/bảng.docx", b"PK\x03\x04 and no more");
    backup(&scene, "shared");
    let record = drill(&scene, 21);
    let shared = item(&record, "shared");
    assert_eq!((&shared["claim"], &shared["verdict"]), (&Value::Null, &"fail".into()));
    assert!(failing(shared).contains(&"L4.files.open".to_owned()), "{shared}");
}

/// Snapshots are drawn too, and anybody can draw them again.
#[test]
fn which_snapshot_is_restored_is_drawn_by_the_ledger() {
    let scene = configured(&[]);
    let backups = [("shared", folder(&scene.path("shared")))];
    configure(&scene, &backups, "stratum = \"drawn\"\n");
    let mut ids = Vec::new();
    for at in 0..3 {
        scene.file("shared/a.txt", format!("{at}").as_bytes());
        backup(&scene, "shared");
        let listed = scene.expect(0, &["snapshots", "--json"]).json_of("result");
        ids = listed.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    }
    let among = Value::from(vec![ids[2].clone(), ids[0].clone(), ids[1].clone()]);
    for _ in 0..3 {
        let record = drill(&scene, 0);
        let shared = item(&record, "shared");
        assert_eq!(shared["drawn_among"], among, "{shared}");
        let root = shared["drawn_root"].as_str().unwrap();
        let id = record["record_id"].as_str().unwrap();
        let at = Seed::of_strata(root, id, "shared").below(3);
        let strata = ["newest", "oldest", "middle"];
        assert_eq!((&shared["snapshot"], &shared["stratum"]), (&among[at], &strata[at].into()));
    }
}

/// Three files of a folder never stood still: each is a problem of the backup, and what was stored
/// of it comes back.
#[test]
fn files_that_changed_while_they_were_read_do_not_turn_a_drill_red() {
    let scene = office("5%");
    let names = [1, 2, 3].map(|at| format!("shared/log {at}.txt"));
    names.iter().for_each(|name| scene.file(name, "một dòng\n".repeat(1 << 20).as_bytes()));
    let writing = AtomicBool::new(true);
    let told = std::thread::scope(|scope| {
        scope.spawn(|| {
            let open = |name| OpenOptions::new().append(true).open(scene.path(name)).unwrap();
            let mut files: Vec<File> = names.iter().map(open).collect();
            while writing.load(Relaxed) {
                files.iter_mut().for_each(|file| file.write_all(b"x\n").unwrap());
            }
        });
        let file = scene.path("lifeboat.toml");
        let args = ["backup", "--config", file.to_str().unwrap(), "--job", "shared", "--json"];
        let told = scene.run(&args);
        writing.store(false, Relaxed);
        told
    });
    assert_eq!(told.code, Some(3), "{told}");
    assert_eq!(told.text().matches("changed while it was read").count(), 3, "{told}");
    let record = drill(&scene, 3);
    let shared = item(&record, "shared");
    assert_eq!(shared["sample"]["population_count"], 154, "{shared}");
    assert_eq!(shared["verdict"], "conditional", "{shared}");
    assert_eq!(failing(shared), ["L1.source.problems", "L6.files.capsule"]);
}
