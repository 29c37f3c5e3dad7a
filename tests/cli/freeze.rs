//! What looks like an attack freezes `forget`; ordinary work does not.

use super::scene::Scene;
use crate::support::Random;

const CONFIG: &str = r#"version = 1
[storage.main]
kind = "folder"
path = "HERE/repository"
[[backup]]
name = "office"
storage = "main"
source = { kind = "files", paths = ["HERE/source"] }
schedule = { cron = "@daily" }
"#;

const EXTENSIONS: [&str; 5] = ["docx", "pdf", "png", "txt", "csv"];

/// A document that begins as its name promises.
fn document(n: u64, extension: &str) -> Vec<u8> {
    let head: &[u8] = match extension {
        "docx" => b"PK\x03\x04",
        "pdf" => b"%PDF-1.7\n",
        "png" => b"\x89PNG\r\n\x1a\n",
        _ => b"day,amount\n",
    };
    let text = format!("line {n} of the accounts of the office; nothing in it is by chance\n");
    [head, text.repeat(12).as_bytes()].concat()
}

fn name(n: u64) -> String {
    let extension = EXTENSIONS[usize::try_from(n).unwrap() % EXTENSIONS.len()];
    format!("source/d{}/file-{n}.{extension}", n % 3)
}

/// A folder of 240 documents and a mailbox, backed up by a job.
fn office() -> Scene {
    let mut scene = Scene::new();
    let here = scene.path("").display().to_string();
    let config = CONFIG.replace("HERE", here.trim_end_matches('/'));
    scene.file("lifeboat.toml", config.as_bytes());
    scene.set("LIFEBOAT_CONFIG", scene.path("lifeboat.toml"));
    scene.expect(0, &["init", "-q"]);
    for n in 0..240 {
        let name = name(n);
        let extension = name.rsplit_once('.').unwrap().1.to_owned();
        scene.file(&name, &document(n, &extension));
    }
    scene.file("source/mail/all.pst", &Random::new(1).bytes(2_000_000));
    back_up(&scene);
    scene
}

fn back_up(scene: &Scene) {
    scene.expect(0, &["backup", "-q", "--job", "office"]);
}

/// Rewrites documents with random bytes, and gives them the name that `rename` says.
fn encrypt(scene: &Scene, chosen: impl Fn(u64) -> bool, rename: impl Fn(&str) -> String) {
    for n in (0..240).filter(|n| chosen(*n)) {
        let name = name(n);
        let len = usize::try_from(scene.path(&name).metadata().unwrap().len()).unwrap();
        std::fs::remove_file(scene.path(&name)).unwrap();
        scene.file(rename(&name), &Random::new(n + 77).bytes(len));
    }
}

fn assert_frozen(scene: &Scene, why: &str) {
    let told = scene.expect(13, &["forget", "--keep-last", "1"]);
    assert!(told.stderr.contains(why), "{told}");
    let json = scene.expect(0, &["snapshots", "--json"]);
    assert_eq!(json.json_of("result").len(), 2, "{json}");
}

#[test]
fn an_ordinary_week_is_forgotten_by_its_rules() {
    let scene = office();
    // An eighth of the documents is worked on, and the mailbox.
    for n in (0..240).filter(|n| n % 8 == 0) {
        let mut longer = std::fs::read(scene.path(name(n))).unwrap();
        longer.extend_from_slice(b"one more line\n");
        scene.file(name(n), &longer);
    }
    scene.file("source/mail/all.pst", &Random::new(2).bytes(2_000_000));
    back_up(&scene);
    // A folder with a third of all gets another name.
    rustix::fs::rename(scene.path("source/d1"), scene.path("source/archive")).unwrap();
    back_up(&scene);
    // Everything gets new times, as on a new disk.
    for path in scene.files("source") {
        let file = std::fs::File::open(path).unwrap();
        let times = std::fs::FileTimes::new();
        let day = std::time::Duration::from_secs(86_400 * 365 * 40);
        file.set_times(times.set_modified(std::time::UNIX_EPOCH + day)).unwrap();
    }
    back_up(&scene);
    // Pictures come.
    for n in 0..300 {
        scene.file(format!("source/photos/{n}.jpg"), &Random::new(n).bytes(1000));
    }
    back_up(&scene);
    scene.expect(0, &["forget", "-q", "--keep-last", "1"]);
    let json = scene.expect(0, &["snapshots", "--json"]);
    assert_eq!(json.json_of("result").len(), 1, "{json}");
}

#[test]
fn documents_under_new_names_freeze() {
    let scene = office();
    encrypt(&scene, |_| true, |name| format!("{name}.locked"));
    back_up(&scene);
    assert_frozen(&scene, "of its files got another extension at once");
}

#[test]
fn an_attack_that_has_only_begun_freezes() {
    let scene = office();
    encrypt(&scene, |n| n % 6 == 0, |name| format!("{name}.locked"));
    back_up(&scene);
    assert_frozen(&scene, "16 % of its files got another extension at once");
}

#[test]
fn documents_rewritten_in_place_freeze() {
    let scene = office();
    encrypt(&scene, |_| true, str::to_owned);
    back_up(&scene);
    assert_frozen(&scene, "of its files changed or vanished at once");
}

/// A quarter of the files, a small share of the bytes, every name as before.
#[test]
fn first_bytes_freeze_where_nothing_else_tells() {
    let scene = office();
    encrypt(&scene, |n| n % 4 == 0, str::to_owned);
    back_up(&scene);
    assert_frozen(&scene, "more files than before look random");
    // Whoever knows why says so.
    scene.expect(0, &["forget", "-q", "--keep-last", "1", "--accept-change"]);
}
