//! `snapshots`, `ls`, `find`, `diff` and how a snapshot is chosen.

use super::round_trip::with_files;

#[test]
fn latest_never_guesses_between_datasets() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "sub", "--tag", "one"]);
    scene.expect(0, &["backup", "-q", "a.txt", "--tag", "two"]);
    let told = scene.expect(2, &["ls", "latest"]);
    assert!(told.stderr.contains("any of 2 datasets"), "{told}");
    assert_eq!(scene.expect(0, &["ls", "latest", "--tag", "two"]).text(), "/a.txt\n");
    let all = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let id = all[0]["short_id"].as_str().unwrap();
    scene.expect(0, &["ls", id]);
    scene.expect(1, &["ls", "ffffffffffff"]);
    scene.expect(2, &["ls", "newest"]);
    let grouped = scene.expect(0, &["snapshots", "--group-by", "tags"]).text();
    assert!(grouped.contains("tags one\n") && grouped.contains("tags two\n"), "{grouped}");
}

#[test]
fn a_folder_is_listed_flat_or_deep() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    assert_eq!(scene.expect(0, &["ls", "latest"]).text(), "/a.txt\n/sub\n");
    assert_eq!(scene.expect(0, &["ls", "latest:sub"]).text(), "/sub/b.txt\n/sub/deep\n");
    let deep = scene.expect(0, &["ls", "-R", "-l", "latest:/sub/deep"]).text();
    assert!(deep.contains("3000000") && deep.contains("/sub/deep/large.bin"), "{deep}");
    let told = scene.expect(1, &["ls", "latest:nowhere"]);
    assert!(told.stderr.contains("`/nowhere` is not in the snapshot"), "{told}");
}

#[test]
fn entries_are_found_across_snapshots() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.expect(0, &["backup", "-q", "."]);
    let found = scene.expect(0, &["find", "*.TXT", "-i", "--json"]).json_of("result");
    let entries = found.iter().filter(|line| line["item"] == "entry").count();
    assert_eq!(entries, 4);
    let large = scene.expect(0, &["find", "--size-min", "1MiB", "--type", "file"]).text();
    assert_eq!(large.lines().count(), 2, "{large}");
    scene.expect(2, &["find", "a["]);
}

#[test]
fn a_difference_is_shown_with_its_kind() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/a.txt", b"alpha and more");
    scene.file("source/new", b"");
    std::fs::remove_file(scene.path("source/sub/b.txt")).unwrap();
    scene.expect(0, &["backup", "-q", "."]);
    let all = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    let (one, two) = (all[0]["id"].as_str().unwrap(), all[1]["id"].as_str().unwrap());
    let text = scene.expect(0, &["diff", one, two]).text();
    let lines: Vec<&str> = text.lines().collect();
    for line in ["M /a.txt", "+ /new", "- /sub/b.txt"] {
        assert!(lines.contains(&line), "{text}");
    }
    let none = scene.expect(0, &["diff", one, one, "--json"]).json_of("result");
    assert_eq!((none.len(), &none[0]["changed_count"]), (1, &0.into()));
}
