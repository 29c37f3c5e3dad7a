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
        "restore ",
        "5 entries, 0 differ",
        "2.8 MiB in 3 files",
        "a second place",
        "recovery key on paper",
    ] {
        assert!(text.contains(part), "{part}: {told}");
    }
    let made = scene.files("home/.local/share/lifeboat");
    let of = |part: &str| made.iter().filter(|name| name.contains(part)).count();
    assert_eq!((of("/passphrase-"), of("-proof-")), (1, 0), "{made:?}");
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
