//! `backup` and `restore`.

use std::path::Path;

use super::scene::Scene;

/// A repository and a source with a few files.
pub(crate) fn with_files() -> Scene {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.file("source/a.txt", b"alpha");
    scene.file("source/sub/b.txt", b"beta");
    scene.file("source/sub/deep/large.bin", &vec![7; 3_000_000]);
    scene
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn the_measured_commands() {
    let scene = with_files();
    let quiet = scene.expect(0, &["backup", "--quiet", "."]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{quiet}");
    let listed = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert_eq!(listed.len(), 1);
    let source = scene.path("source");
    assert_eq!(listed[0]["paths"][0], source.canonicalize().unwrap().to_str().unwrap());
    let target = scene.path("target");
    let target = target.to_str().unwrap();
    let quiet = scene.expect(0, &["restore", "--quiet", "latest", "--target", target]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{quiet}");
    for name in ["a.txt", "sub/b.txt", "sub/deep/large.bin"] {
        assert_eq!(read(scene.path("target").join(name)), read(source.join(name)), "{name}");
    }
}

#[test]
fn an_unchanged_backup_adds_nothing_and_may_be_skipped() {
    let scene = with_files();
    let first = scene.expect(0, &["backup", ".", "--json"]).json_of("result");
    // What is said to be stored lies in the packs, with nothing beside it but heads and tables.
    let packs = scene.files("repository/packs").into_iter();
    let packs = packs.filter_map(|path| std::fs::metadata(path).ok()).filter(|it| it.is_file());
    let bytes: u64 = packs.map(|it| it.len()).sum();
    let stored = first[0]["stored_bytes"].as_u64().unwrap();
    assert!(stored <= bytes && stored > bytes / 2, "{stored} of {bytes}");
    let again = scene.expect(0, &["backup", ".", "--json"]).json_of("result");
    assert_eq!((&again[0]["stored_bytes"], &again[0]["files_new_count"]), (&0.into(), &0.into()));
    scene.expect(0, &["backup", "-q", ".", "--skip-if-unchanged"]);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 2);
}

#[test]
fn a_dry_run_writes_nothing() {
    let scene = with_files();
    let before = scene.files("repository");
    let plan = scene.expect(0, &["backup", "-n", ".", "--json"]).json_of("plan");
    assert_eq!(plan[0]["to_read_bytes"], 3_000_009);
    assert_eq!(scene.files("repository"), before);
    scene.expect(0, &["backup", "-q", "."]);
    let target = scene.path("target");
    let args = ["restore", "latest", "-n", "--json", "--target", target.to_str().unwrap()];
    let plan = scene.expect(0, &args).json_of("plan");
    assert!(plan.iter().any(|step| step["path"] == "/sub/b.txt"), "{plan:?}");
    assert!(!target.exists());
}

#[test]
fn a_part_in_place_and_an_unnamed_target() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/sub/b.txt", b"changed since");
    scene.expect(0, &["restore", "-q", "latest:sub/b.txt", "--in-place"]);
    assert_eq!(read(scene.path("source/sub/b.txt")), b"beta");
    assert_eq!(read(scene.path("source/sub/b.txt.replaced")), b"changed since");
    scene.expect(0, &["restore", "-q", "latest:/sub"]);
    let fresh = scene.files("source").into_iter().find(|name| name.contains("restored-"));
    assert!(fresh.is_some(), "a fresh folder beneath the current one");
}

#[test]
fn streams_become_files_and_a_failing_command_no_snapshot() {
    let scene = with_files();
    let args = ["backup", "-q", "--stdin-filename", "dump/x.sql", "--stdin-from-command", "--"];
    scene.expect(0, &[&args[..], &["printf", "%s", "select 1"]].concat());
    let failed = scene.expect(1, &[&args[..], &["false"]].concat());
    assert!(failed.stderr.contains("no snapshot was made"), "{failed}");
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
    let target = scene.path("target");
    scene.expect(0, &["restore", "-q", "latest", "--target", target.to_str().unwrap()]);
    assert_eq!(read(target.join("dump/x.sql")), b"select 1");
}

#[test]
#[cfg(unix)]
fn names_that_are_not_utf8_go_there_and_back() {
    use std::os::unix::ffi::OsStrExt;
    let scene = with_files();
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xff\x1b[31m");
    scene.file(Path::new("source").join(odd), b"odd");
    scene.expect(0, &["backup".as_ref(), "-q".as_ref(), odd]);
    let listed = scene.expect(0, &["ls", "latest", "--json"]).json_of("result");
    assert_eq!(listed[0]["path_b64"], "L29kZC3/G1szMW0=");
    let text = scene.expect(0, &["ls", "latest"]).text();
    assert_eq!(text, "/odd-\\xff\\x1b[31m\n");
    let target = scene.path("target");
    scene.expect(0, &["restore", "-q", "latest", "--target", target.to_str().unwrap()]);
    assert_eq!(read(target.join(odd)), b"odd");
}
