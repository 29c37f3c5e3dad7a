//! A ledger that was damaged or touched: the next drill says so, restores nothing and adds nothing.

use std::path::Path;

use lifeboat::evidence::checkpoint::Checkpoint;
use lifeboat::evidence::checkpoint::SignedCheckpoint;
use lifeboat::evidence::tree::sha256;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::files::docx;
use super::folder;
use super::item;
use super::written;
use crate::cli::evidence::Office;
use crate::cli::scene::Scene;

/// Two drills in the ledger.
fn office() -> Scene {
    let scene = configured(&[]);
    scene.file("shared/a.docx", &docx("một"));
    configure(&scene, &[("shared", folder(&scene.path("shared")))], "");
    backup(&scene, "shared");
    for _ in 0..2 {
        drill(&scene, 0);
    }
    scene
}

fn copied(from: &Path, to: &Path) {
    let _none = std::fs::remove_dir_all(to);
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

/// Names with what is in them.
fn contents(scene: &Scene) -> Vec<(String, Vec<u8>)> {
    let files = scene.files("repository/ledger").into_iter();
    let files = files.filter(|path| Path::new(path).is_file());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A copy of the scene's ledger with this done to its entries, the oldest first.
#[track_caller]
fn refused(scene: &Scene, what: &str, damage: impl Fn(&[String])) {
    let ledger = scene.path("repository/ledger");
    copied(&ledger, &scene.path("whole"));
    damage(&scene.files("repository/ledger/entries"));
    let before = contents(scene);
    let file = scene.path("lifeboat.toml");
    let told = scene.run(&["drill", "run", "--config", file.to_str().unwrap(), "monthly"]);
    assert_eq!(told.code, Some(23), "{what}: {told}");
    assert_eq!(contents(scene), before, "{what}: nothing is written on top");
    let left: Vec<_> = std::fs::read_dir(scene.path("drills")).unwrap().collect();
    assert!(left.is_empty(), "{what}: {left:?}");
    copied(&scene.path("whole"), &ledger);
}

#[test]
fn a_ledger_that_was_damaged_is_told_and_not_added_to() {
    let scene = office();
    let write = |path: &String, bytes: &[u8]| {
        std::fs::remove_file(path).unwrap();
        written(Path::new(path), bytes);
    };
    let middle = |all: &[String]| all[all.len() / 2].clone();
    refused(&scene, "an entry is gone", |all| std::fs::remove_file(middle(all)).unwrap());
    refused(&scene, "the first is gone", |all| std::fs::remove_file(&all[0]).unwrap());
    refused(&scene, "the last are gone", |all| {
        all[all.len() - 3..].iter().for_each(|path| std::fs::remove_file(path).unwrap());
    });
    refused(&scene, "one is cut", |all| {
        let bytes = std::fs::read(middle(all)).unwrap();
        write(&middle(all), &bytes[..bytes.len() / 2]);
    });
    refused(&scene, "one is empty", |all| write(&middle(all), b""));
    refused(&scene, "the last is empty", |all| write(all.last().unwrap(), b""));
    refused(&scene, "a bit has turned", |all| {
        let mut bytes = std::fs::read(middle(all)).unwrap();
        bytes[40] ^= 1;
        write(&middle(all), &bytes);
    });
    refused(&scene, "two have changed places", |all| {
        let at = all.len() / 2;
        let (one, other) = (std::fs::read(&all[at]).unwrap(), std::fs::read(&all[at + 1]).unwrap());
        write(&all[at], &other);
        write(&all[at + 1], &one);
    });
    refused(&scene, "one is there twice", |all| {
        let last = std::fs::read(all.last().unwrap()).unwrap();
        let next = format!("{:010}", all.len() + 1);
        let path = Path::new(&all[0]).with_file_name(next);
        written(&path, &last);
    });
    refused(&scene, "the checkpoint is garbage", |all| {
        let folder = Path::new(&all[0]).parent().unwrap().with_file_name("checkpoints");
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        names.sort_unstable();
        write(&names.last().unwrap().display().to_string(), b"garbage");
    });
    // As it was, it goes on.
    let record = drill(&scene, 0);
    assert_eq!(failing(item(&record, "shared")), [""; 0]);
}

/// The file of the newest checkpoint.
fn newest_checkpoint(scene: &Scene) -> String {
    scene.files("repository/ledger/checkpoints").pop().unwrap()
}

#[test]
fn a_damaged_checkpoint_is_mended_on_record_and_nothing_else_is() {
    let scene = office();
    let write = |path: &String, bytes: &[u8]| {
        std::fs::remove_file(path).unwrap();
        written(Path::new(path), bytes);
    };
    let file = scene.path("lifeboat.toml");
    let config = ["--config", file.to_str().unwrap()];
    let mend = |code: i32| {
        let args = ["drill", "mend-checkpoint", "--reason", "đĩa hỏng", "--json"];
        scene.expect(code, &[&args[..], &config].concat())
    };
    let path = newest_checkpoint(&scene);
    let note = std::fs::read(&path).unwrap();
    let text = String::from_utf8(note.clone()).unwrap();
    let inspected = |name: &str| {
        let out = scene.path(name).display().to_string();
        let told = scene.run(&["drill", "bundle", "--out", &out, "--json"]);
        told.json_of("result").remove(0)["verdict"].as_str().unwrap().to_owned()
    };
    // A bit of the root, garbage, half of it, nothing: each is told with the way out, and mended.
    let mut bit = note.clone();
    let at = text.lines().take(2).map(|line| line.len() + 1).sum::<usize>() + 5;
    bit[at] ^= 1;
    let half = note[..note.len() / 2].to_vec();
    for (number, bad) in [bit, b"garbage".to_vec(), half, Vec::new()].into_iter().enumerate() {
        let path = newest_checkpoint(&scene);
        write(&path, &bad);
        let told = scene.run(&[&["drill", "run", "monthly"][..], &config].concat());
        assert_eq!(told.code, Some(23), "{told}");
        assert!(told.stderr.contains("drill mend-checkpoint"), "{told}");
        assert_eq!(inspected(&format!("before-{number}")), "invalid");
        let mended = mend(0).json_of("result").remove(0);
        let size: u64 = Path::new(&path).file_name().unwrap().to_str().unwrap().parse().unwrap();
        assert_eq!(mended["damaged_size"], size, "{mended}");
        assert_eq!(mended["size"], size + 1, "{mended}");
        assert_eq!(std::fs::read(&path).unwrap(), bad, "what is there stays");
        // The auditor is told, and finds the ledger valid.
        assert_eq!(inspected(&format!("after-{number}")), "valid");
        let out = scene.path(format!("after-{number}")).display().to_string();
        let told = scene.expect(0, &["drill", "verify-evidence", &out]).text();
        assert!(told.contains(&format!("the checkpoint of {size} entries is damaged")), "{told}");
        drill(&scene, 0);
        assert!(mend(0).json_of("result")[0]["damaged_size"].is_null());
    }
    // Other garbage in that place than what the entry names is not excused.
    write(&path, b"something else");
    assert_eq!(inspected("other"), "invalid");
    write(&path, &note);
    assert_eq!(inspected("again"), "valid");

    // A checkpoint that is well signed and of other entries, and one of entries that are gone, is
    // no damage of a checkpoint.
    let last = scene.files("repository/ledger/entries").pop().unwrap();
    let entry = std::fs::read(&last).unwrap();
    std::fs::remove_file(&last).unwrap();
    let before = contents(&scene);
    mend(23);
    assert_eq!(contents(&scene), before);
    written(Path::new(&last), &entry);
    let newest = newest_checkpoint(&scene);
    let whole = std::fs::read(&newest).unwrap();
    let key = Office::of(&scene.path("repository")).office.key;
    let signed = SignedCheckpoint::decode(&whole).unwrap().checkpoint;
    let other = Checkpoint { root: sha256(b"other entries"), ..signed };
    write(&newest, other.sign(&key).as_bytes());
    let before = contents(&scene);
    mend(23);
    assert_eq!(contents(&scene), before);
}
