//! A ledger that was damaged or touched: the next drill says so, restores nothing and adds nothing.

use std::path::Path;

use super::backup;
use super::configure;
use super::configured;
use super::drill;
use super::failing;
use super::files::docx;
use super::folder;
use super::item;
use super::written;
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
