//! The runbook's commands as they are printed, and the kit.

use std::path::Path;

use crate::cli::continuity::judged::rule;
use crate::cli::continuity::office;
use crate::cli::scene::Scene;

/// Two services in two places, the second of which only takes.
const TWO: &str = r#"[org]
name = "Sở A"
legal_profile = "vn-2026"
[people]
an = { name = "Nguyễn An", roles = ["operator", "chair", "share_holder"], phones = ["0900"] }
binh = { name = "Trần Bình", roles = ["substitute", "owner", "share_holder"] }
[storage]
main = { medium = "disk", failure_domain = "tru-so" }
far = { medium = "disk", failure_domain = "kho-tinh", offline = true }
[services.ho-so]
name = "Tiếp nhận hồ sơ"
owner = "binh"
level = 3
criticality = "critical"
order = 1
rto = "8wh"
mtd = "3d"
fallback = "Sổ giấy, biểu mẫu M-01"
[services.ho-so.datasets.cases]
[services.tai-lieu]
name = "Tài liệu dùng chung"
owner = "binh"
level = 2
criticality = "important"
order = 2
mtd = "5d"
depends_on = ["ho-so"]
[services.tai-lieu.datasets.files]
[contacts]
incident = { name = "Công an tỉnh", phone = "0900 000 004", verified_on = 2026-11-23 }
"#;

/// An office with a folder and an SQLite database, copied to a second place, with shares on paper.
pub(crate) fn two_places() -> (Scene, Vec<String>) {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    let path = |name: &str| scene.path(name).display().to_string();
    let text = format!(
        r#"version = 1
[keys]
passphrase = {{ file = "{secret}" }}
[storage.main]
kind = "folder"
path = "{main}"
[storage.far]
kind = "folder"
path = "{far}"
[[backup]]
name = "files"
storage = "main"
source = {{ kind = "files", paths = ["{source}"] }}
schedule = {{ cron = "@daily" }}
[[backup]]
name = "cases"
storage = "main"
source = {{ kind = "sqlite", path = "{database}" }}
schedule = {{ cron = "@daily" }}
[[copy]]
from = "main"
to = ["far"]
schedule = {{ cron = "@daily" }}
[[drill]]
name = "monthly"
class = "D2"
storage = "main"
schedule = {{ cron = "0 8 5 * *" }}
sandbox = {{ path = "{drills}" }}
"#,
        secret = path("secret"),
        main = path("main"),
        far = path("far away"),
        source = path("source"),
        database = path("cases.db"),
        drills = path("drills"),
    );
    scene.file("lifeboat.toml", text.as_bytes());
    scene.file("plan.toml", TWO.as_bytes());
    scene.file("secret", b"no other file has these words\n");
    std::fs::set_permissions(
        scene.path("secret"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    scene.file("source/báo cáo.txt", "đã khôi phục\n".as_bytes());
    let database = rusqlite::Connection::open(scene.path("cases.db")).unwrap();
    database
        .execute_batch("CREATE TABLE ho_so (so TEXT); INSERT INTO ho_so VALUES ('1');")
        .unwrap();
    drop(database);
    std::fs::create_dir(scene.path("home")).unwrap();
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene.unset("LIFEBOAT_PASSWORD");
    scene.expect(0, &["init", "-q", "-r", "main"]);
    scene.expect(0, &["init", "-q", "--twin-of", "main", "-r", "far"]);
    scene.expect(0, &["backup", "-q", "--job", "files"]);
    scene.expect(0, &["backup", "-q", "--job", "cases"]);
    scene.expect(0, &["drill", "run", "monthly", "-q"]);
    let told = scene.expect(0, &["-r", "main", "key", "recovery", "create", "--json"]);
    let words = |line: &serde_json::Value| line["words"].as_str().map(str::to_owned);
    let shares: Vec<String> = told.json_of("result").iter().filter_map(words).collect();
    assert_eq!(shares.len(), 3);
    scene.expect(0, &["-r", "main", "copy", "--to", "far", "-q"]);
    (scene, shares)
}

/// Types every command of a booklet as it is printed, in one shell, with shares where they are
/// asked for; each has to go well and show what the page says.
fn type_all(scene: &Scene, program: &Path, booklet: &serde_json::Value, shares: &[String]) {
    let scenario = booklet["scenario"].as_str().unwrap();
    let commands = booklet["commands"].as_array().unwrap();
    assert!(commands.len() > 5, "{scenario}");
    let mut script = String::from("set -e\n");
    for (number, command) in commands.iter().enumerate() {
        let line = command["line"].as_str().unwrap();
        let out = scene.path(format!("out-{scenario}-{number}")).display().to_string();
        let input = match line.contains("key recovery use") {
            true => format!(" < {}", scene.path("shares").display()),
            false => String::new(),
        };
        // Braces keep what a line sets for those that follow.
        script.push_str(&format!("{{ {line}\n}} > '{out}'{input}\n"));
    }
    scene.file("shares", format!("{}\n{}\n\n", shares[2], shares[0]).as_bytes());
    scene.file(format!("{scenario}.sh"), script.as_bytes());
    let output = std::process::Command::new("bash")
        .arg(scene.path(format!("{scenario}.sh")))
        .env_clear()
        .env("HOME", scene.path("home"))
        .env("XDG_RUNTIME_DIR", scene.path("volatile"))
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}: {told}\n{script}");
    for (number, command) in commands.iter().enumerate() {
        let shown = scene.path(format!("out-{scenario}-{number}"));
        let shown = std::fs::read_to_string(shown).unwrap();
        match command["sign"].as_str() {
            Some(sign) => assert!(shown.contains(sign), "{command}: {shown}"),
            None => assert_eq!(shown, "", "{command}"),
        }
    }
}

/// The folder of the program that was built.
fn built() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lifeboat")).parent().unwrap()
}

/// The server is gone, with all that it knew.
fn lose(scene: &Scene) {
    for gone in ["main", "cache", "lifeboat.toml", "plan.toml", "secret", "source", "cases.db"] {
        let path = scene.path(gone);
        std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path)).unwrap();
    }
    std::fs::create_dir(scene.path("source")).unwrap();
    let _not_there = std::fs::remove_dir_all(scene.path("home"));
    std::fs::create_dir(scene.path("home")).unwrap();
}

fn assert_back(scene: &Scene) {
    let back = scene.files("home");
    let report = back.iter().find(|it| it.ends_with("báo cáo.txt")).unwrap();
    assert_eq!(std::fs::read_to_string(report).unwrap(), "đã khôi phục\n");
    assert!(back.iter().any(|it| it.ends_with("cases.db")), "{back:?}");
}

#[test]
fn every_command_of_the_runbook_works_as_it_is_printed() {
    for language in ["vi", "en"] {
        let (scene, shares) = two_places();
        let pdf = scene.path("so-tay.pdf");
        let args = ["continuity", "runbook", "--json", "--language", language, "-o"];
        let told = scene.expect(0, &[&args[..], &[pdf.to_str().unwrap()]].concat());
        assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF"));
        let made = told.json_of("result").remove(0);
        let booklets = made["booklets"].as_array().unwrap();
        let names: Vec<&str> = booklets.iter().map(|it| it["scenario"].as_str().unwrap()).collect();
        assert_eq!(names, ["file", "workstation", "server", "ransomware", "site"]);
        for booklet in booklets {
            type_all(&scene, built(), booklet, &shares);
        }
        // With the server and all that it knew gone, paper and the far place are enough.
        for gone in ["main", "cache", "lifeboat.toml", "plan.toml", "secret", "source", "cases.db"]
        {
            let path = scene.path(gone);
            let removed = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
            removed.unwrap();
        }
        std::fs::remove_dir_all(scene.path("home")).unwrap();
        std::fs::create_dir(scene.path("home")).unwrap();
        type_all(&scene, built(), booklets.last().unwrap(), &shares);
        assert_back(&scene);
    }
}

#[test]
fn a_scenario_without_a_storage_is_refused() {
    let scene = office();
    let pdf = scene.path("x.pdf");
    let pdf = pdf.to_str().unwrap();
    let told = scene.expect(2, &["continuity", "runbook", "-o", pdf]);
    assert!(told.stderr.contains("ransomware"), "{}", told.stderr);
    scene.expect(0, &["continuity", "runbook", "-o", pdf, "--scenario", "server,file", "-q"]);
    // Never over another file.
    scene.expect(1, &["continuity", "runbook", "-o", pdf, "--scenario", "file"]);
}

#[test]
fn a_kit_brings_everything_back_with_the_far_place_and_shares_alone() {
    let (mut scene, shares) = two_places();
    let pdf = scene.path("so-tay.pdf");
    let args = ["continuity", "runbook", "--json", "--scenario", "site", "-o"];
    let told = scene.expect(0, &[&args[..], &[pdf.to_str().unwrap()]].concat());
    let made = told.json_of("result").remove(0);
    let kit = scene.path("kit");
    let kit = kit.to_str().unwrap();
    assert_eq!(rule(&scene, "R18"), "red");
    let told = scene.expect(0, &["continuity", "kit", kit, "--sign", "-r", "main", "--json"]);
    let told = told.json_of("result").remove(0);
    assert!(told["files_count"].as_u64().unwrap() >= 10);
    assert_eq!(told["ledger_code"].as_str().unwrap().len(), 23);
    assert_eq!(rule(&scene, "R18"), "green");
    // Nothing is written over, and the list is what everybody's tool reads.
    scene.expect(1, &["continuity", "kit", kit]);
    let sums = std::process::Command::new("sha256sum")
        .args(["-c", "--quiet", "SHA256SUMS"])
        .current_dir(kit)
        .status();
    assert!(sums.unwrap().success());
    scene.expect(0, &["continuity", "kit", "--check", kit]);
    for file in scene.files("kit").iter().filter(|it| Path::new(it).is_file()) {
        let bytes = std::fs::read(file).unwrap();
        let has = |secret: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!has(b"no other file has these words"), "{file}");
    }

    lose(&scene);
    scene.unset("LIFEBOAT_CONFIG");
    type_all(&scene, Path::new(kit), &made["booklets"][0], &shares);
    assert_back(&scene);

    assert_changes_are_named(&scene);
}

/// What was changed, lost or added; a check neither follows links nor reads devices.
fn assert_changes_are_named(scene: &Scene) {
    let path = |name: &str| scene.path(format!("kit/{name}"));
    let named = |exit: i32, key: &str| {
        let kit = path("");
        let args = ["continuity", "kit", "--check", "--json", kit.to_str().unwrap()];
        let told = scene.expect(exit, &args);
        told.json_of("result")[0][key].clone()
    };
    scene.file("kit/format/tệp lạ", b"x");
    scene.file("kit/more/evil/x", b"x");
    assert_eq!(named(3, "strays"), serde_json::json!(["format/tệp lạ", "more"]));
    assert_eq!(named(3, "bad"), serde_json::json!([]));

    rustix::fs::rename(path("INDEX.txt"), scene.path("index")).unwrap();
    std::os::unix::fs::symlink(scene.path("index"), path("INDEX.txt")).unwrap();
    rustix::fs::rename(path("format/format"), scene.path("pages")).unwrap();
    std::os::unix::fs::symlink(scene.path("pages"), path("format/format")).unwrap();
    std::fs::remove_file(path("plan.toml")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(path("plan.toml")).status();
    assert!(fifo.unwrap().success());
    std::fs::remove_file(path("lifeboat.toml")).unwrap();
    scene.file("kit/runbook-en.pdf", b"elsewhere\n");
    let pages = ["capsule", "keys", "tree", "vault"].map(|it| format!("format/format/{it}.md"));
    let bad = ["lifeboat.toml", "plan.toml", "INDEX.txt", "runbook-en.pdf"].map(str::to_owned);
    assert_eq!(named(20, "bad"), serde_json::json!([&bad[..], &pages].concat()));
    assert_eq!(named(20, "strays"), serde_json::json!(["format/format", "format/tệp lạ", "more"]));

    // What is neither there nor in the list is missing too.
    let sums = std::fs::read_to_string(path("SHA256SUMS")).unwrap();
    let kept =
        sums.lines().filter(|it| !it.ends_with("format/format.md")).map(|it| format!("{it}\n"));
    scene.file("kit/SHA256SUMS", kept.collect::<String>().as_bytes());
    std::fs::remove_file(path("format/format.md")).unwrap();
    let all = [&bad[..], &pages, &["format/format.md".to_owned()]].concat();
    assert_eq!(named(20, "bad"), serde_json::json!(all));
    scene.file("kit/SHA256SUMS", b"00  ../secret\n");
    assert_eq!(named(20, "bad")[0], "00  ../secret");
    std::fs::remove_file(path("SHA256SUMS")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("SHA256SUMS")).unwrap();
    for folder in [path(""), scene.path("no")] {
        scene.expect(20, &["continuity", "kit", "--check", folder.to_str().unwrap()]);
    }
}
