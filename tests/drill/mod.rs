//! Rehearsed restores by the real program: what is whole is proven, and what only looks whole is
//! not.

mod canaries;
mod copies;
mod documents;
mod files;
mod follow;
mod guards;
mod killed;
mod ledger;
mod life;
mod mariadb;
mod months;
mod postgresql;
mod sample;
mod sqlite;
mod standing;
mod statements;
mod streamed;
mod tampered;
mod trouble;

use std::path::Path;

use serde_json::Value;

use crate::cli::scene::Scene;
use crate::cli::scene::Told;
use crate::databases::head;

/// What `faketime` puts in front of a program.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A repository, and a configuration with these backups and one drill of all of them.
fn configured(backups: &[(&str, String)]) -> Scene {
    let scene = Scene::new();
    configure(&scene, backups, "");
    scene.expect(0, &["init", "-q"]);
    scene
}

fn configure(scene: &Scene, backups: &[(&str, String)], more: &str) {
    let mut text = head(scene);
    for (name, source) in backups {
        text.push_str(&format!(
            "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\nsource = {{ {source} }}\n\
             schedule = {{ cron = \"@daily\" }}\nexpect = {{ age_max = \"26h\" }}\n"
        ));
    }
    text.push_str(&format!(
        "[[drill]]\nname = \"monthly\"\nclass = \"D2\"\nstorage = \"main\"\n\
         schedule = {{ cron = \"0 8 5 * *\" }}\nsandbox = {{ path = \"{}\" }}\n{more}",
        scene.path("drills").display()
    ));
    scene.file("lifeboat.toml", text.as_bytes());
}

/// A folder as the source of a backup.
fn folder(path: &Path) -> String {
    format!("kind = \"files\", paths = [\"{}\"]", path.display())
}

/// An SQLite file as the source of a backup.
fn database(path: &Path) -> String {
    format!("kind = \"sqlite\", path = \"{}\"", path.display())
}

#[track_caller]
fn backup(scene: &Scene, name: &str) {
    let file = scene.path("lifeboat.toml");
    scene.expect(0, &["backup", "--config", file.to_str().unwrap(), "--job", name, "--quiet"]);
}

/// Carries the drill out and demands this exit code; nothing of it is left.
#[track_caller]
fn drill(scene: &Scene, code: i32) -> Value {
    let told = run(scene, code, &["monthly"]);
    let record = told.json_of("result").remove(0);
    let left: Vec<_> = std::fs::read_dir(scene.path("drills")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(record["closing"]["leftovers"], serde_json::json!([]));
    record
}

#[track_caller]
fn run(scene: &Scene, code: i32, args: &[&str]) -> Told {
    let file = scene.path("lifeboat.toml");
    let head = ["drill", "run", "--json", "--config", file.to_str().unwrap()];
    let all: Vec<&str> = head.iter().copied().chain(args.iter().copied()).collect();
    scene.expect(code, &all)
}

/// A new file.
fn written(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::File::create_new(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

/// The item of a dataset.
fn item<'r>(record: &'r Value, dataset: &str) -> &'r Value {
    let items = record["items"].as_array().unwrap();
    items.iter().find(|item| item["dataset"] == dataset).unwrap()
}

/// Ids of an item's checks that did not pass.
fn failing(item: &Value) -> Vec<String> {
    let checks = item["checks"].as_array().unwrap().iter();
    let bad = checks.filter(|check| check["result"] != "pass" && check["result"] != "n/a");
    bad.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}
