//! `config`, `schedule preview`, names of storages, and backups of the configuration.

use super::scene::Scene;

/// A scene with a configuration for its own folders.
fn configured() -> Scene {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.unset("LIFEBOAT_PASSWORD");
    let path = |name: &str| scene.path(name).display().to_string();
    let text = format!(
        r#"version = 1
time_zone = "Asia/Ho_Chi_Minh"
[keys]
passphrase = {{ file = "{secret}" }}
[storage.main]
kind = "folder"
path = "{repository}"
[storage.far]
kind = "sftp"
host = "nas"
path = "/backup"
host_key = "SHA256:EXAMPLEexampleEXAMPLEexampleEXAMPLEexample0"
identity = {{ env = "KEY" }}
[[backup]]
name = "files"
storage = "main"
source = {{ kind = "files", paths = ["{source}"], exclude = ["*.tmp"] }}
schedule = {{ cron = "0 12,22 * * *", jitter = "10m", catch_up = "12h" }}
tags = ["office"]
retention = "short"
[[backup]]
name = "dump"
storage = "main"
source.kind = "command"
source.argv = ["printf", "a\nend\n"]
source.file_name = "x.sql"
source.last_line = "e*"
schedule = {{ cron = "@daily" }}
before = ["touch", "{before}"]
after = ["touch", "{after}"]
[retention.short]
keep_last = 1
[[backup]]
name = "cases"
storage = "main"
source = {{ kind = "mariadb", method = "physical" }}
schedule = {{ cron = "@hourly" }}
"#,
        secret = path("secret"),
        repository = path("repository"),
        source = path("source"),
        before = path("before"),
        after = path("after"),
    );
    scene.file("lifeboat.toml", text.as_bytes());
    scene.file("secret", b"correct horse\n");
    mode(&scene, 0o600);
    let file = scene.path("lifeboat.toml");
    scene.set("LIFEBOAT_CONFIG", file);
    scene.file("source/kept", b"1");
    scene.file("source/left.tmp", b"2");
    scene
}

fn mode(scene: &Scene, bits: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let rights = std::fs::Permissions::from_mode(bits);
    std::fs::set_permissions(scene.path("secret"), rights).unwrap();
}

#[test]
fn what_is_generated_validates() {
    let scene = Scene::new();
    for machine in ["laptop", "office", "server"] {
        for language in ["en", "vi"] {
            let file = scene.path(format!("{machine}-{language}.toml"));
            let file = file.to_str().unwrap();
            let args = ["config", "generate", "--for", machine, "--lang", language];
            let text = scene.expect(0, &args).text();
            scene.expect(0, &[&args[..], &["--output", file]].concat());
            assert_eq!(std::fs::read_to_string(file).unwrap(), text);
            assert!(text.contains(&format!("language = \"{language}\"")), "{text}");
            let told = scene.expect(0, &["config", "validate", file]);
            assert!(told.text().contains("no mistakes"), "{told}");
            // Never over a file that is there.
            let told = scene.expect(1, &[&args[..], &["--output", file]].concat());
            assert!(told.stderr.contains("exists") || language == "vi", "{told}");
            assert_eq!(std::fs::read_to_string(file).unwrap(), text);
        }
    }
    scene.expect(2, &["config", "generate"]);
}

#[test]
fn validate_tells_all_mistakes_and_the_next_runs() {
    let scene = configured();
    let told = scene.expect(0, &["config", "validate"]);
    assert!(told.stderr.contains("warning: ") && told.stderr.contains("no second location"));
    let text = told.text();
    let row = text.lines().find(|line| line.starts_with("backup:files")).unwrap();
    assert_eq!(row.matches(", ").count(), 4, "five times: {row}");
    assert!(row.contains("Asia/Ho_Chi_Minh"), "{row}");
    let bad = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let bad = bad.replace("tags =", "tag =").replace("\"12h\"", "\"12\"");
    scene.file("bad.toml", bad.as_bytes());
    let file = scene.path("bad.toml");
    let file = file.to_str().unwrap();
    let told = scene.expect(2, &["config", "validate", file]);
    let shown = scene.shown(&told);
    for line in [
        "@/bad.toml:18:65: backup[1].schedule.catch_up: expected a time with its unit",
        "@/bad.toml:19:1: backup[1].tag: unknown, did you mean tags?",
        "\nnext:  correct the configuration file",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let told = scene.expect(2, &["config", "validate", file, "--json"]);
    let result = &told.json_of("result")[0];
    assert_eq!(result["mistakes"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(result["mistakes"][1]["place"]["line"], 19, "{told}");
    let told = scene.expect(2, &["config", "validate", "/nonexistent.toml"]);
    assert!(told.stderr.contains("lifeboat config generate"), "{told}");
    mode(&scene, 0o644);
    let told = scene.expect(2, &["config", "validate"]);
    assert!(told.stderr.contains("everybody can read"), "{told}");
}

#[test]
fn show_tells_origins_and_hides_secrets() {
    let mut scene = configured();
    scene.set("LIFEBOAT_LANG", "en");
    let told = scene.expect(0, &["config", "show", "--json"]);
    let values = told.json_of("result")[0]["values"].as_array().unwrap().clone();
    let of = |key: &str| values.iter().find(|value| value["key"] == key).unwrap().clone();
    assert_eq!(of("language")["origin"], "environment");
    assert_eq!(of("state_dir")["origin"], "default");
    assert_eq!(of("storage.main.kind")["origin"]["line"], 6);
    let told = scene.expect(0, &["config", "show"]);
    assert!(told.text().contains("line 6") && !told.text().contains("correct horse"), "{told}");
}

#[test]
fn a_storage_is_named_and_its_secret_is_found() {
    let scene = configured();
    scene.expect(0, &["-r", "main", "init", "-q"]);
    scene.expect(0, &["-r", "main", "backup", "."]);
    assert!(scene.expect(0, &["-r", "main", "snapshots"]).text().contains("source"));
    let told = scene.expect(2, &["-r", "far", "snapshots"]);
    assert!(told.stderr.contains("the variable KEY is not set"), "{told}");
    // A name that the file does not have is a folder.
    scene.expect(10, &["-r", "elsewhere", "snapshots"]);
    scene.expect(10, &["-r", "./main", "snapshots"]);
    // The secret is looked at when it is needed.
    scene.file("secret", b"wrong\n");
    scene.expect(12, &["-r", "main", "snapshots"]);
    mode(&scene, 0o604);
    scene.expect(2, &["-r", "main", "snapshots"]);
}

#[test]
fn a_backup_of_the_configuration_is_made() {
    let scene = configured();
    scene.expect(0, &["-r", "main", "init", "-q"]);
    let plan = scene.expect(0, &["backup", "--job", "files", "-n"]);
    assert!(plan.text().contains("(1 B)"), "{plan}");
    let made = scene.expect(0, &["backup", "--job", "files", "--json"]);
    assert_eq!(made.json_of("result")[0]["files_count"], 1, "{made}");
    let told = scene.expect(0, &["-r", "main", "snapshots", "--tag", "files", "--json"]);
    assert_eq!(told.json_of("result").len(), 1, "{told}");
    // The same name is the same dataset, whatever paths it has.
    let text = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    let moved = scene.path("moved").display().to_string();
    let source = scene.path("source").display().to_string();
    scene.file("moved/kept", b"1");
    scene.file(
        "lifeboat.toml",
        text.replace(&format!("\"{source}\""), &format!("\"{moved}\"")).as_bytes(),
    );
    let again = scene.expect(0, &["backup", "--job", "backup:files", "--json"]);
    let parent = &again.json_of("result")[0]["parent_id"];
    assert_eq!(*parent, made.json_of("result")[0]["snapshot_id"], "{again}");
}

#[test]
fn commands_go_before_and_after_and_sources_have_limits() {
    let scene = configured();
    scene.expect(0, &["-r", "main", "init", "-q"]);
    scene.expect(0, &["backup", "--job", "dump", "-n"]);
    assert!(!scene.path("before").exists(), "a dry run starts nothing");
    scene.expect(0, &["backup", "--job", "dump"]);
    assert!(scene.path("before").exists() && scene.path("after").exists());
    let dumped = scene.expect(0, &["-r", "main", "dump", "latest:/x.sql"]);
    assert_eq!(dumped.stdout, b"a\nend\n");
    let told = scene.expect(1, &["backup", "--job", "cases"]);
    assert!(told.stderr.contains("no snapshot was made"), "no server is there: {told}");
    let told = scene.expect(2, &["backup", "--job", "none"]);
    assert!(told.stderr.contains("files") && told.stderr.contains("dump"), "{told}");
    scene.expect(2, &["backup", "--job", "files", "/etc"]);
    let text = std::fs::read_to_string(scene.path("lifeboat.toml")).unwrap();
    scene.file("lifeboat.toml", text.replace("[\"touch\", \"", "[\"false\", \"").as_bytes());
    let told = scene.expect(1, &["backup", "--job", "dump"]);
    assert!(told.stderr.contains("`false` that goes before backup `dump` failed"), "{told}");
    let only_after =
        text.replacen("before = ", "#", 1).replace("after = [\"touch\"", "after = [\"false\"");
    scene.file("lifeboat.toml", only_after.as_bytes());
    scene.expect(3, &["backup", "--job", "dump"]);
}

#[test]
fn a_backup_is_kept_by_its_rules() {
    let scene = configured();
    scene.expect(0, &["-r", "main", "init", "-q"]);
    for text in ["1", "2", "3"] {
        scene.file("source/kept", text.as_bytes());
        scene.expect(0, &["backup", "--job", "files"]);
        // Another machine's backup of the same name, and another one of this machine.
        scene.expect(0, &["backup", "--job", "files", "--host", "other", "--parent", "none"]);
        scene.expect(0, &["backup", "--job", "dump"]);
    }
    let told = scene.expect(0, &["forget", "--job", "files", "-n", "--json"]);
    let totals = told.json_of("plan").last().unwrap().clone();
    assert_eq!((&totals["removed_count"], &totals["kept_count"]), (&2.into(), &1.into()), "{told}");
    scene.expect(0, &["forget", "--job", "files"]);
    let left = scene.expect(0, &["-r", "main", "snapshots", "--json"]).json_of("result");
    assert_eq!(left.len(), 7, "{left:?}");
    let told = scene.expect(2, &["forget", "--job", "dump"]);
    assert!(told.stderr.contains("no retention"), "{told}");
    scene.expect(2, &["forget", "--job", "files", "--keep-last", "3"]);
    scene.expect(2, &["forget", "--job", "none"]);
}

#[test]
fn a_preview_has_local_times_zones_and_jitter() {
    let scene = configured();
    let told = scene.expect(0, &["schedule", "preview", "--count", "3", "--json"]);
    let jobs = told.json_of("result");
    assert_eq!(jobs.len(), 3, "{told}");
    let files = &jobs[0];
    assert_eq!(files["job"], "backup:files");
    let runs = files["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    let jitter = files["jitter_s"].as_i64().unwrap();
    assert!((0..600).contains(&jitter));
    for run in runs {
        let time = |key: &str| -> jiff::Timestamp { run[key].as_str().unwrap().parse().unwrap() };
        assert_eq!(time("start").as_second() - time("slot").as_second(), jitter);
        let slot = run["slot"].as_str().unwrap();
        assert!(slot.ends_with(":00:00+07:00"), "{slot}");
        assert!(slot.contains("T12:") || slot.contains("T22:"), "{slot}");
    }
    let one = scene.expect(0, &["schedule", "preview", "--job", "files"]).text();
    assert_eq!(one.lines().count(), 6, "{one}");
    let told = scene.expect(2, &["schedule", "preview", "--job", "nothing"]);
    assert!(told.stderr.contains("backup:cases"), "{told}");
}

#[test]
fn a_configuration_that_was_named_has_to_be_there() {
    let mut scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.set("LIFEBOAT_CONFIG", "/nonexistent/lifeboat.toml");
    let told = scene.expect(2, &["key", "list"]);
    assert!(told.stderr.contains("LIFEBOAT_CONFIG"), "{told}");
    scene.unset("LIFEBOAT_CONFIG");
    scene.expect(2, &["config", "show", "--config", "/nonexistent/lifeboat.toml"]);
}
