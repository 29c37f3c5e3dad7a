//! Bad input: a clear message and a documented code each, nothing lost.

use super::round_trip::with_files;
use super::scene::Scene;

#[test]
fn a_path_that_does_not_exist_is_code_1_and_writes_nothing() {
    let scene = with_files();
    let before = scene.files("repository");
    let told = scene.expect(1, &["backup", "nowhere"]);
    assert!(told.stderr.contains("`nowhere`") && told.stderr.contains("\nnext:  "), "{told}");
    assert_eq!(scene.files("repository"), before);
    scene.expect(2, &["backup"]);
}

#[test]
fn a_wrong_passphrase_is_code_12_in_every_verb() {
    let mut scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.set("LIFEBOAT_PASSWORD", "y");
    let verbs: [&[&str]; 5] =
        [&["backup", "."], &["snapshots"], &["ls", "latest"], &["key", "list"], &["find", "*"]];
    for args in verbs {
        scene.expect(12, args);
    }
    scene.set("LIFEBOAT_PASSWORD", "x");
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
}

#[test]
fn no_repository_is_code_10() {
    let scene = Scene::new();
    for args in [&["backup", "."][..], &["snapshots"], &["restore", "latest"]] {
        let told = scene.expect(10, args);
        assert!(told.stderr.contains("lifeboat init"), "{told}");
    }
    assert!(!scene.path("repository").exists());
}

#[test]
fn a_foreign_repository_is_code_14_and_a_damaged_one_20() {
    let scene = Scene::new();
    scene.file("repository/config", b"{\"version\": 2, \"id\": \"of another program\"}");
    scene.expect(14, &["snapshots"]);
    let scene = with_files();
    for name in ["config", "config.1", "config.2"] {
        let path = scene.path("repository").join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::remove_file(&path).unwrap();
        scene.file(path, &bytes);
    }
    scene.expect(20, &["snapshots"]);
}

#[test]
#[cfg(unix)]
fn an_interrupt_is_code_130_and_the_next_run_goes_on() {
    let scene = with_files();
    let mut child = scene.command(&["backup", "--stdin"]);
    let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, &vec![1; 8_000_000]).unwrap();
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(pipe);
    assert!(scene.expect(0, &["snapshots", "--json"]).json_of("result").is_empty());
    scene.expect(0, &["backup", "-q", "."]);
}

#[test]
#[cfg(unix)]
fn an_unreadable_file_is_code_3_and_the_rest_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let scene = with_files();
    let path = scene.path("source/a.txt");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        return; // Whoever may read everything meets no such file.
    }
    let told = scene.expect(3, &["backup", ".", "--json"]);
    assert_eq!(told.json_of("problem").len(), 1, "{told}");
    assert_eq!(told.json_of("summary")[0]["problems_count"], 1);
}
