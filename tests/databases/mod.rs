//! Backups of databases and their way back, with real servers on loopback.

mod mariadb;
mod postgresql;
mod server;
mod sqlite;

pub(crate) use self::server::Mariadb;
pub(crate) use self::server::Postgresql;
pub(crate) use self::server::fed;
pub(crate) use self::server::told;
use crate::cli::scene::Scene;
use crate::cli::scene::Told;

/// What no output may have.
pub(crate) const PASSWORD: &str = r#"hush #1 "mật" \khẩu'"#;

/// A repository and a configuration with backups of these names and sources.
fn configured(backups: &[(&str, &str)]) -> Scene {
    let scene = Scene::new();
    configure(&scene, backups);
    private(&scene, "password", PASSWORD);
    scene.expect(0, &["init", "-q"]);
    scene
}

/// Head of a configuration: its passphrase, which is kept, and its one storage.
pub(crate) fn head(scene: &Scene) -> String {
    private(scene, "passphrase", "x");
    format!(
        "version = 1\n[keys]\npassphrase = {{ file = \"{}\" }}\n[storage.main]\n\
         kind = \"folder\"\npath = \"{}\"\n",
        scene.path("passphrase").display(),
        scene.path("repository").display(),
    )
}

fn configure(scene: &Scene, backups: &[(&str, &str)]) {
    let mut text = head(scene);
    for (name, source) in backups {
        text.push_str(&format!(
            "[[backup]]\nname = \"{name}\"\nstorage = \"main\"\nsource = {{ {source} }}\n\
             schedule = {{ cron = \"@daily\" }}\nexpect = {{ shrink_max = \"20%\" }}\n"
        ));
    }
    scene.file("lifeboat.toml", text.as_bytes());
}

pub(crate) fn private(scene: &Scene, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    scene.file(name, text.as_bytes());
    let rights = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(scene.path(name), rights).unwrap();
}

/// Makes a backup of the configuration and demands this exit code.
#[track_caller]
fn backup(scene: &Scene, code: i32, name: &str) -> Told {
    let file = scene.path("lifeboat.toml");
    let args = ["backup", "--config", file.to_str().unwrap(), "--job", name, "--json"];
    let told = scene.expect(code, &args);
    let said = format!("{told}");
    assert!(!said.contains("hush"), "{said}");
    told
}

fn snapshots_count(scene: &Scene) -> usize {
    scene.expect(0, &["snapshots", "--json"]).json_of("result").len()
}

/// Paths of the newest snapshot of a backup.
fn paths(scene: &Scene, name: &str) -> Vec<String> {
    let args = ["ls", "latest", "--tag", name, "--recursive", "--json"];
    let listed = scene.expect(0, &args).json_of("result");
    listed.iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect()
}

/// A file of the newest snapshot of a backup.
fn dumped(scene: &Scene, name: &str, path: &str) -> Vec<u8> {
    scene.expect(0, &["dump", &format!("latest:{path}"), "--tag", name]).stdout
}

/// A program of this name that is found before the real one.
pub(crate) fn in_front(scene: &mut Scene, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = format!("bin/{name}");
    scene.file(&path, format!("#!/bin/sh\n{script}\n").as_bytes());
    let rights = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(scene.path(&path), rights).unwrap();
    let bin = scene.path("bin");
    scene.set("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
}
