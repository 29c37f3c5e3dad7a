//! What stands under a blob's name is no blob, or one that cannot be: every verb says the same as
//! if nothing were there, or names it.

use std::path::Path;
use std::path::PathBuf;

use lifeboat::disk::Disk as _;
use lifeboat::disk::unix::RealDisk;

use super::round_trip::with_files;
use super::scene::Scene;

/// Longer than any blob may be; nothing of it is on the disk.
const TOO_LONG: u64 = 1024 * 1024 * 1024 + 1;
/// Enough for the program, and not for a pack of the greatest length.
const LITTLE_MEMORY: &str = "--as=900000000";

/// A scene with two snapshots.
fn backed_up() -> Scene {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    scene.file("source/a.txt", b"alpha and more");
    scene.expect(0, &["-q", "backup", "."]);
    scene
}

/// Files below a folder of the repository, in the order of their names.
fn blobs(scene: &Scene, folder: &str) -> Vec<PathBuf> {
    let all = scene.files(&format!("repository/{folder}")).into_iter().map(PathBuf::from);
    all.filter(|path| path.symlink_metadata().unwrap().is_file()).collect()
}

/// What each verb that reads answers, in one row.
fn answers(scene: &Scene) -> Vec<(String, Option<i32>)> {
    let verbs: [&[&str]; 8] = [
        &["check"],
        &["check", "--read-data"],
        &["snapshots"],
        &["ls", "latest"],
        &["prune", "--dry-run"],
        &["forget", "--keep-last", "1", "-n"],
        &["repair", "-n"],
        &["dump", "latest:sub/b.txt"],
    ];
    let run = |verb: &&[&str]| (verb.join(" "), scene.run(&[&["-q"], *verb].concat()).code);
    verbs.iter().map(run).collect()
}

#[test]
fn what_is_no_file_is_missing_to_every_verb() {
    let scene = backed_up();
    let aside = scene.path("aside");
    let mut names = vec![scene.path("repository/config.1")];
    for folder in ["manifests", "manifests.2", "packs", "index", "recipients"] {
        names.extend(blobs(&scene, folder).pop());
    }
    assert_eq!(names.len(), 6);
    for name in names {
        RealDisk.rename_new(&name, &aside).unwrap();
        let missing = answers(&scene);
        std::fs::create_dir(&name).unwrap();
        assert_eq!(answers(&scene), missing, "a folder as {}", name.display());
        std::fs::remove_dir(&name).unwrap();
        std::os::unix::fs::symlink(&aside, &name).unwrap();
        assert_eq!(answers(&scene), missing, "a link as {}", name.display());
        std::fs::remove_file(&name).unwrap();
        RealDisk.rename_new(&aside, &name).unwrap();
    }
    assert!(answers(&scene).iter().all(|(_, code)| *code == Some(0)));
}

/// Nothing is put in the place of what is no file: the user is told what to move away.
#[test]
fn a_repair_names_what_is_in_the_way_and_goes_on_without_it() {
    let scene = backed_up();
    let name = blobs(&scene, "manifests.2").pop().unwrap();
    std::fs::remove_file(&name).unwrap();
    std::fs::create_dir(&name).unwrap();
    let told = scene.expect(1, &["-q", "repair"]);
    assert!(told.stderr.contains("something that is not a regular file has this name"), "{told}");
    assert!(told.stderr.contains("next:  look at what has this name"), "{told}");
    std::fs::remove_dir(&name).unwrap();
    scene.expect(0, &["-q", "repair"]);
    scene.expect(0, &["-q", "check", "--read-data"]);
}

fn lengthen(path: &Path, len_bytes: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(len_bytes).unwrap();
}

#[test]
fn a_pack_that_is_too_long_is_named_and_takes_no_memory() {
    let scene = backed_up();
    let packs = blobs(&scene, "packs");
    let largest = packs.iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let len_bytes = largest.metadata().unwrap().len();
    lengthen(largest, TOO_LONG);
    let little = |args: &[&str]| scene.run_under(&["prlimit", LITTLE_MEMORY], args);
    for (code, args) in [
        (3, &["check", "--read-data"][..]),
        (3, &["repair", "-n"]),
        (3, &["check"]),
        (0, &["dump", "latest:sub/b.txt"]),
    ] {
        let told = little(args);
        assert_eq!(told.code, Some(code), "{args:?}: {told}");
        if code == 3 {
            let name = largest.file_name().unwrap().to_str().unwrap();
            assert!((told.text() + &told.stderr).contains(name), "{args:?}: {told}");
        }
    }
    let told = little(&["check", "--read-data"]);
    let why = "it is longer than 1073741824 bytes, the most that it may have";
    assert!((told.text() + &told.stderr).contains(why), "{told}");
    // What is in it is looked at all the same.
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(largest).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, len_bytes / 2).unwrap();
    file.write_all_at(&[byte[0] ^ 1], len_bytes / 2).unwrap();
    let told = little(&["check", "--read-data"]);
    let why = "its bytes do not have the hash that it is named by";
    assert!(matches!(told.code, Some(3 | 20)) && told.stderr.contains(why), "{told}");
}

/// A limit of this process is no fault of the medium: nothing is waited for, and what to do is
/// said. Where only the soft limit is low, it is raised.
#[test]
fn few_open_files_are_told_at_once_as_what_they_are() {
    let scene = backed_up();
    let under = |limit: &str, args: &[&str]| scene.run_under(&["prlimit", limit], args);
    for args in
        [&["-q", "backup", "."][..], &["-q", "check", "--read-data"], &["-q", "ls", "latest"]]
    {
        let told = under("--nofile=8:4096", args);
        assert_eq!(told.code, Some(0), "{args:?}: {told}");
    }
    for limit in [9, 16, 31] {
        let words = format!("--nofile={limit}:{limit}");
        for args in [&["-q", "check", "--read-data"][..], &["-q", "ls", "latest"]] {
            let told = under(&words, args);
            assert_eq!(told.code, Some(1), "{limit} {args:?}: {told}");
            let why = format!("this process may have {limit} files open at once; at least 32");
            let is_told = told.stderr.contains(&why) && told.stderr.contains("ulimit -n");
            assert!(is_told, "{limit} {args:?}: {told}");
        }
    }
    // With the least of them all goes to its end.
    for args in [&["-q", "check", "--read-data"][..], &["-q", "backup", "."]] {
        let told = under("--nofile=32:32", args);
        assert_eq!(told.code, Some(0), "{args:?}: {told}");
    }
    scene.expect(0, &["-q", "check", "--read-data"]);
}
