//! `diff --with`: a snapshot against a folder as it stands now.

use std::path::Path;

use super::round_trip::with_files;
use super::scene::Scene;
use crate::support::generate;
use crate::support::generate::set_mtime;

fn shown(scene: &Scene, args: &[&str]) -> Vec<String> {
    let told = scene.expect(0, &[&["diff", "-q"], args].concat());
    told.text().lines().map(str::to_owned).collect()
}

#[test]
fn an_untouched_folder_is_equal_in_everything() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    println!("not made here: {:?}", generate::full(&scene.path("source/tree"), 9));
    scene.expect(0, &["backup", "-q", "tree"]);
    for more in [&[][..], &["--content"]] {
        let args = [&["latest:tree", "--with", "tree"], more].concat();
        assert_eq!(shown(&scene, &args), Vec::<String>::new());
    }
    let told = scene.expect(0, &["diff", "latest:tree", "--with", "tree", "--json"]);
    let result = told.json_of("result");
    assert_eq!((result.len(), &result[0]["changed_count"]), (1, &0.into()), "{told}");
}

#[test]
fn every_kind_of_change_is_shown_and_counted() {
    let scene = with_files();
    scene.file("source/kept", b"same");
    scene.file("source/kind", b"a file");
    scene.file("source/touched", b"touched");
    scene.file("source/secret", b"12345");
    for name in ["secret", "touched", "kept"] {
        set_mtime(&scene.path("source").join(name), 1_700_000_000, 0);
    }
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/a.txt", b"alpha and more");
    scene.file("source/new", b"new");
    std::fs::remove_file(scene.path("source/sub/b.txt")).unwrap();
    std::fs::remove_file(scene.path("source/kind")).unwrap();
    std::os::unix::fs::symlink("a.txt", scene.path("source/kind")).unwrap();
    set_mtime(&scene.path("source/touched"), 1_700_000_001, 0);
    // Same size, same time: only the bytes tell.
    scene.file("source/secret", b"54321");
    set_mtime(&scene.path("source/secret"), 1_700_000_000, 0);
    mode(&scene.path("source/kept"), 0o600);
    let expected = ["U /", "M /a.txt", "U /kept", "T /kind", "+ /new", "U /sub", "- /sub/b.txt"];
    let quick = shown(&scene, &["latest", "--with", "."]);
    let mut by_time = expected.to_vec();
    by_time.push("M /touched");
    assert_eq!(quick, by_time);
    let mut by_content = expected.to_vec();
    by_content.insert(5, "M /secret");
    by_content.push("U /touched");
    assert_eq!(shown(&scene, &["latest", "--with", ".", "--content"]), by_content);
    let told = scene.expect(0, &["diff", "latest", "--with", ".", "--content", "--json"]);
    let totals = told.json_of("result").pop().unwrap();
    let counts = ["added_count", "removed_count", "changed_count", "content_changed_count"];
    assert_eq!(counts.map(|name| totals[name].as_u64().unwrap()), [1, 1, 7, 3], "{told}");
    assert_eq!((&totals["added_bytes"], &totals["removed_bytes"]), (&3.into(), &4.into()));
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_place_is_found_and_rules_are_those_of_the_backup() {
    let scene = with_files();
    scene.file("source/sub/x.tmp", b"left out");
    scene.file("source/sub/x.log", b"a log");
    let source = scene.path("source/sub").canonicalize().unwrap();
    let source = source.to_str().unwrap();
    scene.expect(0, &["backup", "-q", "--exclude", "*.tmp", source]);
    // An absolute path in the snapshot: no place has to be named.
    assert_eq!(shown(&scene, &["latest", "--with", source]), Vec::<String>::new());
    assert_eq!(shown(&scene, &["latest", "--with", "sub"]), Vec::<String>::new());
    let all = shown(&scene, &["latest", "--with", source, "--exclude", "!*.tmp"]);
    assert_eq!(all, [format!("+ {source}/x.tmp")]);
    let less = shown(&scene, &["latest", "--with", source, "--exclude", "*.log"]);
    assert_eq!(less, [format!("- {source}/x.log")]);
    // Another folder against the same place of the snapshot.
    scene.file("other/b.txt", b"beta");
    let place = format!("latest:{source}");
    let other = scene.path("other");
    let found = shown(&scene, &[&place, "--with", other.to_str().unwrap()]);
    assert!(found.contains(&format!("- {source}/x.log")), "{found:?}");
    assert!(!found.iter().any(|line| line.starts_with('+')), "{found:?}");
}

/// A backup of a relative path stands under that path, wherever one looks from.
#[test]
fn an_untouched_folder_is_found_where_its_backup_put_it() {
    let scene = Scene::new();
    scene.expect(0, &["init", "-q"]);
    scene.file("source/letters/may/a.txt", b"alpha");
    scene.file("source/letters/b.txt", b"beta");
    let absolute = scene.path("source/letters").canonicalize().unwrap();
    let absolute = absolute.to_str().unwrap().to_owned();
    let inner = format!("{absolute}/may");
    for given in ["letters", "."] {
        scene.expect(0, &["backup", "-q", "--tag", given, given]);
        for folder in ["letters", "letters/may", &absolute, &inner] {
            let args = ["latest", "--tag", given, "--with", folder, "--content"];
            assert_eq!(shown(&scene, &args), Vec::<String>::new(), "{given}: {folder}");
        }
    }
    // What is new has the path that the next backup will give it.
    scene.file("source/letters/june/c.txt", b"c");
    let june = ["latest", "--tag", "letters", "--with", "letters/june"];
    assert_eq!(shown(&scene, &june), ["+ /letters/june", "+ /letters/june/c.txt"]);
}

#[test]
fn wrong_words_are_code_2_and_missing_things_code_1() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let cases: [(i32, &[&str]); 6] = [
        (2, &["diff", "latest"]),
        (2, &["diff", "latest", "latest", "--with", "."]),
        (2, &["diff", "latest", "latest", "--content"]),
        (2, &["diff", "latest", "latest", "--exclude", "x"]),
        (1, &["diff", "latest:nowhere", "--with", "."]),
        (1, &["diff", "latest", "--with", "/nonexistent/folder"]),
    ];
    for (code, args) in cases {
        let told = scene.expect(code, args);
        assert!(told.stdout.is_empty() && !told.stderr.is_empty(), "{told}");
    }
}
