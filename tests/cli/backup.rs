//! Options of `backup`.

use std::io::Write;
use std::process::Stdio;

use super::round_trip::with_files;
use super::scene::Scene;

/// Paths of the newest snapshot, sorted.
fn listed(scene: &Scene) -> Vec<String> {
    let all = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let newest = all.last().unwrap()["id"].as_str().unwrap().to_owned();
    let text = scene.expect(0, &["ls", "-R", &newest]).text();
    let mut paths: Vec<String> = text.lines().map(str::to_owned).collect();
    paths.sort_unstable();
    paths
}

fn snapshots_count(scene: &Scene) -> usize {
    scene.expect(0, &["snapshots", "--json"]).json_of("result").len()
}

fn bytes_in(scene: &Scene, folder: &str) -> u64 {
    let lengths = scene.files(folder).into_iter().map(|path| {
        let meta = std::fs::symlink_metadata(path).unwrap();
        if meta.is_file() { meta.len() } else { 0 }
    });
    lengths.sum()
}

#[test]
#[cfg(unix)]
fn paths_from_files_and_from_standard_input() {
    let scene = with_files();
    scene.file("source/line\nbreak", b"odd");
    scene.file("source/-", b"dash");
    scene.file("lines", b"a.txt\r\n\nsub/b.txt\n");
    scene.file("zeros", b"line\nbreak\0./-\0");
    let path = |name: &str| scene.path(name).to_str().unwrap().to_owned();
    let (lines, zeros) = (path("lines"), path("zeros"));
    scene.expect(0, &["backup", "-q", "--files-from", &lines, "--files-from0", &zeros]);
    let wanted = ["/-", "/a.txt", "/line\\x0abreak", "/sub", "/sub/b.txt"];
    assert_eq!(listed(&scene), wanted);

    let mut child = scene.command(&["backup", "-q", "--files-from0", "-"]);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"line\nbreak\0").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(listed(&scene), ["/line\\x0abreak"]);

    scene.expect(1, &["backup", "-q", "--files-from", &zeros]);
    let told = scene.expect(2, &["backup", "--files-from", "/nonexistent"]);
    assert!(told.stderr.contains("--files-from `/nonexistent`"), "{told}");
}

#[test]
fn what_is_left_out() {
    let scene = with_files();
    for name in ["x.TMP", "Báo Cáo/NHÁP.docx", "cache/y", "marked/z", "keep.tmpl"] {
        scene.file(format!("source/{name}"), b"content");
    }
    scene.file("source/cache/CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n");
    scene.file("source/marked/.nobackup", b"");
    let how = ["--iexclude", "*.tmp", "--iexclude", "/BÁO CÁO/nháp.*", "--exclude-caches"];
    let more = ["--exclude-if-present", ".nobackup", "--exclude-larger-than", "1MiB"];
    scene.expect(0, &[&["backup", "-q", "."], &how[..], &more[..]].concat());
    let paths = listed(&scene);
    let left: Vec<&str> = paths.iter().map(String::as_str).collect();
    let wanted = [
        "/",
        "/Báo Cáo",
        "/a.txt",
        "/cache",
        "/cache/CACHEDIR.TAG",
        "/keep.tmpl",
        "/marked",
        "/marked/.nobackup",
        "/sub",
        "/sub/b.txt",
        "/sub/deep",
    ];
    assert_eq!(left, wanted);
}

#[test]
fn a_parent_is_chosen_by_its_id() {
    let mut scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let first = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let id = first[0]["id"].as_str().unwrap().to_owned();
    let new = |scene: &Scene, parent: &str| {
        let made = scene.expect(0, &["backup", ".", "--json", "--parent", parent]);
        made.json_of("result")[0]["files_new_count"].as_u64().unwrap()
    };
    assert_eq!(new(&scene, "none"), 3);
    assert_eq!(new(&scene, "latest"), 0);
    // What the machine remembers is lost, as after a new installation.
    let repository = scene.files("cache").into_iter().find(|name| name.ends_with(".keyset"));
    let folder = std::path::PathBuf::from(repository.unwrap());
    for entry in std::fs::read_dir(folder.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path != folder {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(new(&scene, &id[..12]), 0);
    scene.expect(0, &["check", "-q", "--read-data"]);
    scene.expect(1, &["backup", ".", "--parent", "ffffffffffff"]);
    scene.expect(2, &["backup", ".", "--parent", "newest"]);

    let keyset = scene.path("other.keyset");
    scene.expect(0, &["key", "agent", "other", "-q", "--output", keyset.to_str().unwrap()]);
    let name = folder.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    scene.file(format!("cache-of-other/{name}/machine.keyset"), &std::fs::read(keyset).unwrap());
    scene.set("LIFEBOAT_CACHE_DIR", scene.path("cache-of-other"));
    let told = scene.expect(2, &["backup", ".", "--parent", &id]);
    assert!(told.stderr.contains("was made by another machine"), "{told}");
}

#[test]
fn nothing_is_compressed_on_request() {
    let packed = with_files();
    packed.expect(0, &["backup", "-q", "."]);
    let plain = with_files();
    plain.expect(0, &["backup", "-q", ".", "--compression", "none"]);
    let (packed, bytes) = (bytes_in(&packed, "repository"), bytes_in(&plain, "repository"));
    assert!(packed < 1_000_000, "{packed}");
    // Equal chunks of the file are stored once, but none is smaller than it was.
    assert!(bytes > packed + 256 * 1024, "{bytes}");
    plain.expect(0, &["check", "-q", "--read-data"]);
    assert_eq!(plain.expect(0, &["dump", "latest:a.txt"]).stdout, b"alpha");
}

#[test]
#[cfg(unix)]
fn a_command_gets_no_secret_of_ours() {
    let mut scene = with_files();
    scene.set("OFFICE_SETTING", "kept");
    scene.expect(0, &["backup", "-q", "--stdin-from-command", "--", "sh", "-c", "env"]);
    let seen = String::from_utf8(scene.expect(0, &["dump", "latest:stdin"]).stdout).unwrap();
    assert!(seen.contains("OFFICE_SETTING=kept") && seen.contains("PATH="), "{seen}");
    assert!(!seen.contains("LIFEBOAT_"), "{seen}");
}

#[test]
#[cfg(unix)]
fn half_a_dump_is_no_snapshot() {
    let scene = with_files();
    let run = |script: &str, code: i32| {
        let how = ["--bytes-min", "20", "--last-line", "-- Dump completed*"];
        let args = [&["backup", "-q"], &how[..], &["--stdin-from-command", "--", "sh", "-c"]];
        scene.expect(code, &[&args.concat()[..], &[script]].concat())
    };
    let told = run("echo insert; echo -- Dump", 1);
    assert!(told.stderr.contains("gave 15 bytes, at least 20 are expected"), "{told}");
    let told = run("echo 'insert into cases'; echo -- Dump", 1);
    assert!(told.stderr.contains("last line does not match `-- Dump completed*`"), "{told}");
    assert_eq!(snapshots_count(&scene), 0);
    run("echo 'insert into cases'; echo '-- Dump completed on 2026-11-25'; echo", 0);
    assert_eq!(snapshots_count(&scene), 1);
    scene.expect(2, &["backup", ".", "--bytes-min", "1KiB"]);
    scene.expect(2, &["backup", "--stdin", "--last-line", "a["]);
}

#[test]
fn a_source_that_is_suddenly_empty_is_told() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    std::fs::remove_dir_all(scene.path("source/sub")).unwrap();
    scene.expect(0, &["backup", "-q", "."]);
    std::fs::remove_file(scene.path("source/a.txt")).unwrap();
    let told = scene.expect(3, &["backup", "--json", "."]);
    let problem = &told.json_of("problem")[0];
    assert!(problem["message"].as_str().unwrap().contains("100 % is gone"), "{told}");
    assert_eq!(snapshots_count(&scene), 3, "it is kept all the same");
    let all = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert_eq!(all[2]["snapshot_problems_count"], 1);
    for n in 0..10 {
        scene.file(format!("source/{n}"), b"content");
    }
    scene.expect(0, &["backup", "-q", "."]);
    for n in 0..3 {
        std::fs::remove_file(scene.path(format!("source/{n}"))).unwrap();
    }
    scene.expect(3, &["backup", "-q", ".", "--shrink-max", "20%"]);
    std::fs::remove_file(scene.path("source/4")).unwrap();
    scene.expect(0, &["backup", "-q", ".", "--shrink-max", "20%"]);
    scene.expect(2, &["backup", "-q", ".", "--shrink-max", "20"]);
}

/// Files of the repository's packs.
fn packs(scene: &Scene) -> Vec<String> {
    let files = scene.files("repository").into_iter().filter(|name| name.contains("/packs/"));
    files.filter(|name| std::path::Path::new(name).is_file()).collect()
}

/// Whoever removes packs by hand loses nothing that the source still has.
#[test]
fn packs_that_somebody_removed_are_stored_anew() {
    let scene = with_files();
    for n in 0..40_u64 {
        scene.file(format!("source/many/{n}"), format!("{n} ").repeat(500).as_bytes());
    }
    scene.file("source/large", &crate::support::Random::new(3).bytes(5_000_000));
    scene.expect(0, &["backup", "-q", "."]);
    // One more, so that packs of several backups are there.
    scene.file("source/many/later", b"later");
    scene.expect(0, &["backup", "-q", "."]);
    let before = packs(&scene);
    assert!(before.len() >= 4, "{before:?}");
    let each = before.iter().map(std::slice::from_ref);
    for gone in each.chain([&before[..]]) {
        let gone: Vec<String> =
            gone.iter().filter(|pack| std::path::Path::new(pack).exists()).cloned().collect();
        gone.iter().for_each(|pack| std::fs::remove_file(pack).unwrap());
        let told = scene.run(&["backup", "--skip-if-unchanged", "."]);
        let is_told = told.stderr.contains("a pack is gone or cut short");
        assert_eq!(told.code, Some(if is_told { 3 } else { 0 }), "{told}");
        // Only the index still names it; nothing that is needed is missing.
        let checked = scene.run(&["check", "-q", "--read-data"]);
        assert!(matches!(checked.code, Some(0 | 3)), "{checked}");
        scene.expect(0, &["backup", "-q", "."]);
        scene.expect(0, &["prune", "-q", "--max-unused", "100%"]);
        scene.expect(0, &["check", "-q", "--read-data"]);
        // A prune writes the index anew, and nobody wonders about it.
        scene.expect(0, &["backup", "-q", "."]);
    }
    // A pack that was cut short is found by its length: here the one with the large file.
    let len = |pack: &String| std::fs::metadata(pack).unwrap().len();
    let pack = packs(&scene).into_iter().max_by_key(len).unwrap();
    let bytes = std::fs::read(&pack).unwrap();
    std::fs::remove_file(&pack).unwrap();
    scene.file(&pack, &bytes[..bytes.len() - 1]);
    let told = scene.expect(3, &["backup", "."]);
    assert!(told.stderr.contains("a pack is gone or cut short"), "{told}");
    scene.expect(0, &["repair", "-q"]);
    scene.expect(0, &["check", "-q", "--read-data"]);
    let all = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let id = all[0]["id"].as_str().unwrap();
    scene.expect(0, &["restore", "-q", id, "--target", "../back"]);
    let large = std::fs::read(scene.path("back/large")).unwrap();
    assert_eq!(large, crate::support::Random::new(3).bytes(5_000_000));
}
