//! `dump`.

use serde_json::Value;

use super::round_trip::with_files;
use crate::support::Random;

#[test]
fn a_file_comes_out_byte_for_byte() {
    let scene = with_files();
    scene.file("source/empty", b"");
    #[cfg(unix)]
    std::fs::hard_link(scene.path("source/a.txt"), scene.path("source/z-link")).unwrap();
    scene.expect(0, &["backup", "-q", "."]);
    assert_eq!(scene.expect(0, &["dump", "latest:a.txt"]).stdout, b"alpha");
    assert_eq!(scene.expect(0, &["dump", "latest:/sub/b.txt"]).stdout, b"beta");
    assert_eq!(scene.expect(0, &["dump", "latest:empty"]).stdout, b"");
    let large = scene.expect(0, &["dump", "latest:sub/deep/large.bin"]);
    assert!(large.stdout == vec![7; 3_000_000], "{} bytes", large.stdout.len());
    #[cfg(unix)]
    assert_eq!(scene.expect(0, &["dump", "latest:z-link"]).stdout, b"alpha");
}

#[test]
fn what_is_no_file_is_refused() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("a.txt", scene.path("source/to-a")).unwrap();
        scene.expect(0, &["backup", "-q", "."]);
        let told = scene.expect(1, &["dump", "latest:to-a"]);
        assert!(told.stdout.is_empty() && told.stderr.contains("is not a file"), "{told}");
    }
    let told = scene.expect(1, &["dump", "latest:gone"]);
    assert!(told.stderr.contains("is not in the snapshot"), "{told}");
    let told = scene.expect(0, &["dump", "latest:a.txt", "--json"]);
    assert_eq!(told.stdout, b"alpha");
    let result = &told.json_on_stderr_of("result")[0];
    assert_eq!((&result["content_bytes"], &result["archive"]), (&5.into(), &Value::Null));
}

#[test]
fn damage_is_told_and_never_printed() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let packs: Vec<_> =
        scene.files("repository").into_iter().filter(|name| name.contains("/packs/")).collect();
    let mut damaged_count = 0;
    for pack in packs.iter().filter(|path| std::fs::metadata(path).unwrap().is_file()) {
        let mut bytes = std::fs::read(pack).unwrap();
        bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
        std::fs::remove_file(pack).unwrap();
        scene.file(pack, &bytes);
        damaged_count += 1;
    }
    assert!(damaged_count > 0, "{:?}", scene.files("repository"));
    let told = scene.run(&["dump", "latest:a.txt"]);
    assert!(told.code != Some(0) && told.stdout.is_empty(), "{told}");
}

#[test]
fn one_bad_object_takes_only_its_own_file_out_of_an_archive() {
    let scene = with_files();
    scene.file("source/noise", &Random::new(5).bytes(1_500_000));
    scene.expect(0, &["backup", "-q", "."]);
    let len_of = |path: &String| std::fs::metadata(path).unwrap().len();
    let packs = scene.files("repository").into_iter().filter(|name| name.contains("/packs/"));
    let largest = packs.max_by_key(len_of).unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&largest).unwrap();
    scene.file(&largest, &bytes);
    let out = scene.path("out.tar").display().to_string();
    let told = scene.expect(20, &["dump", "latest", "--target", &out, "--json"]);
    let result = &told.json_on_stderr_of("result")[0];
    assert_eq!((&result["left_out_count"], &result["members_count"]), (&1.into(), &6.into()));
    assert_eq!(result["content_bytes"], 3_000_009, "{told}");
}
