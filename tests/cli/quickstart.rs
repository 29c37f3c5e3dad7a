//! `quickstart`: from nothing to a proof.

use super::scene::Scene;

/// No repository and no passphrase named, as on a fresh machine.
fn fresh() -> Scene {
    let mut scene = Scene::new();
    scene.unset("LIFEBOAT_REPOSITORY");
    scene.unset("LIFEBOAT_PASSWORD");
    scene.file("source/a.txt", b"alpha");
    scene.file("source/sub/b.txt", b"beta");
    scene.file("source/sub/large.bin", &vec![7; 3_000_000]);
    scene
}

#[test]
fn a_fresh_machine_gets_a_repository_and_a_proof() {
    let scene = fresh();
    let told = scene.expect(0, &["quickstart", "."]);
    let text = told.text();
    for part in [
        "repository ",
        "is safe",
        "Proven: what was backed up came back",
        "backup ",
        "drill ",
        ": proven, to level L6",
        "5 entries, 0 differ",
        "2.8 MiB in 3 files",
        "a second place",
        "recovery key on paper",
    ] {
        assert!(text.contains(part), "{part}: {told}");
    }
    let made = scene.files("home/.local/share/lifeboat");
    let of = |part: &str| made.iter().filter(|name| name.contains(part)).count();
    assert_eq!((of("/passphrase-"), of("-drill")), (1, 0), "{made:?}");
    let file = made.iter().find(|name| name.contains("/passphrase-")).unwrap();
    assert!(text.contains(file.as_str()), "{told}");
    let secret = std::fs::read_to_string(file).unwrap();
    assert!(secret.trim().len() > 32 && !text.contains(secret.trim()), "{told}");
    assert!(!told.stderr.contains(secret.trim()), "{told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// What the first command promises: a real drill, recorded and printed beside the configuration.
#[test]
fn it_ends_in_a_drill_with_its_minutes() {
    let scene = fresh();
    let told = scene.expect(0, &["quickstart", ".", "--json", "--lang", "vi"]);
    let proven = told.json_of("result").pop().unwrap();
    assert_eq!((&proven["verdict"], &proven["proof_level"]), (&"pass".into(), &"L6".into()));
    let files: Vec<&str> =
        proven["documents"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let beside = scene.path("home/.config/lifeboat").display().to_string();
    assert!(files.iter().all(|file| file.starts_with(&beside)), "{files:?}");
    let [pdf, docx, html, json] = files[..] else { panic!("{files:?}") };
    let text = super::paper::printed("pdftotext", &[pdf, "-"]);
    for part in ["BIÊN BẢN", "ĐẠT", proven["ledger_code"].as_str().unwrap()] {
        assert!(text.contains(part), "`{part}`\n{text}");
    }
    assert!(std::fs::read(docx).unwrap().starts_with(b"PK"));
    assert!(std::fs::read_to_string(html).unwrap().contains("BIÊN BẢN"));
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(
        (&record["drill"]["class"], &record["items"][0]["dataset"]),
        (&"D1".into(), &"files".into())
    );
    // It stands in the ledger, whose evidence holds.
    let file = proven["configuration"].as_str().unwrap();
    let head = ["--config", file, "-r", "main"];
    let bundle = scene.path("bundle").display().to_string();
    scene.expect(0, &[&head[..], &["drill", "bundle", "--out", &bundle]].concat());
    let code = proven["ledger_code"].as_str().unwrap();
    scene.expect(0, &["drill", "verify-evidence", &bundle, "--code", code]);
    let proofs = scene.expect(0, &[&head[..], &["drill", "proofs", "--json"]].concat());
    assert_eq!(proofs.json_of("result")[0]["snapshot"], proven["snapshot_id"], "{proofs}");
}

/// A document that does not open is told, though every byte of it came back.
#[test]
fn what_does_not_open_is_not_proven() {
    let scene = fresh();
    scene.file("source/a.docx", b"PK\x03\x04 and no more");
    let told = scene.expect(21, &["quickstart", "."]);
    let text = told.text();
    for part in ["Not proven", "6 entries, 0 differ", "L4.files.open", "NOT PROVEN"] {
        assert!(text.contains(part), "`{part}`\n{told}");
    }
}

#[test]
fn a_second_run_uses_the_repository_of_the_first() {
    let scene = fresh();
    scene.expect(0, &["quickstart", "-q", "."]);
    scene.file("source/new.txt", b"new");
    let told = scene.expect(0, &["quickstart", ".", "--json"]);
    let proven = told.json_of("result").pop().unwrap();
    assert_eq!(proven["item"], "quickstart");
    let counts = (&proven["files_count"], &proven["differences_count"], &proven["is_proven"]);
    assert_eq!(counts, (&4.into(), &0.into(), &true.into()), "{told}");
    let repository = proven["repository"].as_str().unwrap();
    let file = proven["password_file"].as_str().unwrap();
    let args = ["-r", repository, "--password-file", file, "snapshots", "--json"];
    assert_eq!(scene.expect(0, &args).json_of("result").len(), 2);
}

/// The configuration that the first run leaves makes the same backup, by name.
#[test]
fn it_leaves_a_configuration_that_does_the_same() {
    let scene = fresh();
    let told = scene.expect(0, &["quickstart", ".", "--json"]);
    let proven = told.json_of("result").pop().unwrap();
    let file = proven["configuration"].as_str().unwrap();
    assert_eq!(file, scene.path("home/.config/lifeboat/lifeboat.toml").to_str().unwrap());
    assert!(proven["service"].as_array().unwrap().len() > 1, "{told}");
    let text = std::fs::read_to_string(file).unwrap();
    let valid = scene.expect(0, &["config", "validate", file]);
    assert!(valid.text().contains("backup:files"), "{valid}");
    scene.file("source/new.txt", b"new");
    scene.expect(0, &["--config", file, "backup", "--job", "files"]);
    let list = ["--config", file, "-r", "main", "ls", "latest", "--tag", "files", "--recursive"];
    assert!(scene.expect(0, &list).text().contains("new.txt"));
    scene.expect(0, &["--config", file, "-r", "main", "check", "-q", "--read-data"]);

    // The same once more is the same file; other folders are another, and none is overwritten.
    let told = scene.expect(0, &["quickstart", "."]).text();
    assert!(told.contains(&format!("The configuration is in  {file}\n")), "{told}");
    let told = scene.expect(0, &["quickstart", "sub"]).text();
    assert!(told.contains(&format!("{file} is another configuration")), "{told}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), text);
}

#[test]
fn the_report_says_how_it_runs_on_time() {
    let scene = fresh();
    let told = scene.expect(0, &["quickstart", "."]).text();
    let (_, told) = told.split_once("The repository is in ").unwrap();
    let mut told = told.replace(scene.path("home").to_str().unwrap(), "~");
    let (before, rest) = told.split_once("passphrase-").unwrap();
    told = format!("{before}passphrase-N{}", &rest[16..]);
    let service = if rustix::process::geteuid().is_root() {
        "  install -m 0640 -g lifeboat ~/.config/lifeboat/lifeboat.toml \
         /etc/lifeboat/lifeboat.toml\n  \
         chown -R lifeboat: ~/.local/share/lifeboat/quickstart\n  \
         install -d /etc/systemd/system/lifeboat.service.d\n  \
         printf '[Service]\\nReadWritePaths=\"%s\"\\n' ~/.local/share/lifeboat/quickstart > \
         /etc/systemd/system/lifeboat.service.d/storage.conf\n  \
         systemctl daemon-reload && systemctl enable --now lifeboat\n"
    } else {
        "  systemctl --user enable --now lifeboat\n  loginctl enable-linger\n"
    };
    let wanted = format!(
        " ~/.local/share/lifeboat/quickstart\n\
         Its passphrase is in  ~/.local/share/lifeboat/passphrase-N\n\
         The configuration is in  ~/.config/lifeboat/lifeboat.toml\n\n\
         On time, until it is ended:\n  \
         lifeboat daemon --config ~/.config/lifeboat/lifeboat.toml\n\
         On time, as a service, where the Debian package is installed:\n\
         {service}\nStill missing for safety:\n"
    );
    let (told, _) = told.split_once("  a second place").unwrap();
    assert_eq!(told, wanted);
}

/// What the file cannot say, or must not, is told; the proof stands all the same.
#[test]
fn without_a_configuration_it_says_why() {
    let mut scene = fresh();
    scene.file("secret", b"correct horse\n");
    scene.set("LIFEBOAT_PASSWORD_FILE", scene.path("secret"));
    let storage = scene.path("store");
    let args = ["quickstart", ".", "--storage", storage.to_str().unwrap()];
    let told = scene.expect(0, &args).text();
    assert!(told.contains("No configuration was written: ") && told.contains("Proven"), "{told}");
    assert!(told.contains("everybody can read"), "{told}");
}

#[test]
fn a_named_storage_and_passphrase_are_taken() {
    let mut scene = fresh();
    scene.file("secret", b"correct horse\n");
    scene.set("LIFEBOAT_PASSWORD_FILE", scene.path("secret"));
    let storage = scene.path("elsewhere/store");
    let storage = storage.to_str().unwrap();
    let args = ["quickstart", "sub", "a.txt", "--storage", storage, "--json"];
    let told = scene.expect(0, &args);
    let proven = told.json_of("result").pop().unwrap();
    assert!(proven["password_file"].is_null(), "{told}");
    assert_eq!(proven["files_count"], 3, "{told}");
    scene.expect(0, &["-r", storage, "check", "-q", "--read-data"]);
    assert!(!scene.path("home").exists());
    let other = scene.path("other");
    scene.file("other", b"wrong\n");
    scene.set("LIFEBOAT_PASSWORD_FILE", other);
    scene.expect(12, &args);
}

#[test]
fn nothing_is_made_inside_what_is_backed_up() {
    let scene = fresh();
    let before = scene.files("source");
    let inside = scene.path("source/store");
    let told = scene.expect(2, &["quickstart", ".", "--storage", inside.to_str().unwrap()]);
    assert!(told.stderr.contains("--storage FOLDER outside"), "{told}");
    let whole = scene.path("");
    let told = scene.expect(2, &["quickstart", whole.to_str().unwrap()]);
    assert!(told.stderr.contains("lie inside each other"), "{told}");
    assert_eq!(scene.files("source"), before);
    scene.expect(2, &["quickstart"]);
    scene.expect(1, &["quickstart", "/nonexistent/folder"]);
}
