//! Options of `restore`.

use std::path::PathBuf;

use super::round_trip::with_files;
use super::scene::Scene;

fn read(path: PathBuf) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn what_stands_in_the_target_is_replaced_as_asked() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let target = scene.path("target");
    let path = target.to_str().unwrap();
    scene.expect(0, &["restore", "-q", "latest", "--target", path]);
    scene.file("target/a.txt", b"newer, and another size");
    let restore = |how: &[&str]| {
        scene.expect(0, &[&["restore", "-q", "latest", "--target", path][..], how].concat());
        read(target.join("a.txt"))
    };
    assert_eq!(restore(&["--overwrite", "never"]), b"newer, and another size");
    assert_eq!(restore(&["--overwrite", "if-newer"]), b"newer, and another size");
    assert_eq!(restore(&["--overwrite", "if-changed"]), b"alpha");
    scene.file("target/a.txt", b"again");
    assert_eq!(restore(&["--overwrite", "always"]), b"alpha");
    assert!(!target.join("a.txt.replaced").exists(), "only --in-place keeps it");
    scene.file("target/stranger", b"");
    scene.expect(2, &["restore", "latest", "--target", path, "--delete", "--include", "*.txt"]);
    assert!(target.join("stranger").exists());
    restore(&["--delete"]);
    assert!(!target.join("stranger").exists());
}

#[test]
fn a_part_by_patterns_and_read_again() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let target = scene.path("target");
    let args = ["restore", "latest", "--include", "*.txt", "--exclude", "a.*", "--verify"];
    let told = scene.expect(0, &[&args[..], &["--target", target.to_str().unwrap()]].concat());
    assert!(told.text().contains("; 1 read again and compared"), "{told}");
    assert!(target.join("sub/b.txt").exists() && !target.join("a.txt").exists());
    assert!(!target.join("sub/deep/large.bin").exists());
}

#[test]
fn patterns_that_match_nothing_are_code_1_and_nothing_is_written() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    let target = scene.path("target");
    let path = target.to_str().unwrap();
    for more in [&[][..], &["--dry-run"]] {
        let args = [&["-q", "restore", "latest", "--target", path, "--include", "*.xt"], more];
        scene.transcript(
            1,
            &args.concat(),
            "error: nothing in the snapshot matches the patterns\n       nothing was written\n\
             next:  see `lifeboat ls SNAPSHOT --recursive`\n",
        );
        assert!(!target.exists());
    }
    let told = scene.expect(1, &["-q", "find", "*.xt", "--json"]);
    assert_eq!(told.json_of("result")[0]["matches_count"], 0, "{told}");
}

#[test]
fn in_place_keeps_what_it_replaces() {
    let scene = with_files();
    scene.expect(0, &["backup", "-q", "."]);
    scene.file("source/a.txt", b"changed since");
    scene.expect(0, &["restore", "-q", "latest", "--in-place"]);
    assert_eq!(read(scene.path("source/a.txt")), b"alpha");
    assert_eq!(read(scene.path("source/a.txt.replaced")), b"changed since");
    assert!(!scene.path("source/sub/b.txt.replaced").exists(), "it did not change");
    scene.expect(2, &["restore", "latest", "--in-place", "--target", "elsewhere"]);
}

/// Root restores everything into a fresh folder, and nothing that gives power elsewhere. Whoever is
/// not root can neither make devices nor give files away, so for him there is less to see.
#[cfg(unix)]
mod power {
    use super::*;
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    fn run(program: &str, args: &[&str], last: &Path) -> bool {
        let status = Command::new(program).args(args).arg(last).status();
        status.is_ok_and(|status| status.success())
    }

    /// A source with a program that is setuid; for root also a device and a capability.
    fn with_power() -> (Scene, bool) {
        let scene = with_files();
        let program = scene.path("source/program");
        scene.file("source/program", b"#!/bin/sh\n");
        scene.file("source/capable", b"#!/bin/sh\n");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o4755)).unwrap();
        let device = scene.path("source/null");
        let is_root = program.metadata().unwrap().uid() == 0;
        if is_root {
            let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).status();
            assert!(made.unwrap().success());
            assert!(run("setcap", &["cap_net_bind_service+ep"], &scene.path("source/capable")));
            std::os::unix::fs::chown(scene.path("source/a.txt"), Some(4711), Some(4712)).unwrap();
        }
        scene.expect(0, &["backup", "-q", "."]);
        (scene, is_root)
    }

    /// What came back: setuid, device, capability, the owner of another.
    fn power(target: &Path) -> [bool; 4] {
        let capable = Command::new("getcap").arg(target.join("capable")).output().unwrap();
        let device = target.join("null").symlink_metadata();
        [
            target.join("program").metadata().unwrap().mode() & 0o4000 != 0,
            device.is_ok_and(|meta| meta.file_type().is_char_device() && meta.rdev() == 0x103),
            String::from_utf8_lossy(&capable.stdout).contains("cap_net_bind_service"),
            target.join("a.txt").metadata().unwrap().uid() == 4711,
        ]
    }

    fn restore(scene: &Scene, name: &str, allow: &[&str]) -> (Option<i32>, [bool; 4]) {
        let target = scene.path(name);
        let path = target.to_str().unwrap();
        let args = [&["restore", "-q", "latest", "--target", path], allow].concat();
        (scene.run(&args).code, power(&target))
    }

    #[test]
    fn a_fresh_folder_gets_all_of_it_from_root() {
        let (scene, is_root) = with_power();
        let (code, found) = restore(&scene, "fresh", &[]);
        assert_eq!(found, [is_root; 4]);
        assert_eq!(code, Some(if is_root { 0 } else { 3 }), "what is left out is told");
        let (code, found) = restore(&scene, "fresh2", &["--allow", "setuid"]);
        assert_eq!((code, found[0]), (Some(0), true));
    }

    #[test]
    fn a_folder_with_something_in_it_gets_what_is_named() {
        let (scene, is_root) = with_power();
        scene.file("used/other", b"");
        let (code, found) = restore(&scene, "used", &[]);
        assert_eq!((code, found), (Some(3), [false, false, false, is_root]));
        if is_root {
            scene.file("used2/other", b"");
            let (code, found) = restore(&scene, "used2", &["--allow", "devices,capabilities"]);
            assert_eq!((code, found), (Some(3), [false, true, true, true]));
            scene.file("used3/other", b"");
            let (code, found) = restore(&scene, "used3", &["--allow", "all"]);
            assert_eq!((code, found), (Some(0), [true; 4]));
        }
    }

    #[test]
    fn none_takes_the_default_away() {
        let (scene, is_root) = with_power();
        let (code, found) = restore(&scene, "nothing", &["--allow", "none"]);
        assert_eq!((code, found), (Some(3), [false; 4]));
        if is_root {
            let (_, found) = restore(&scene, "some", &["--allow", "none,devices"]);
            assert_eq!(found, [false, true, false, false]);
        }
        scene.expect(2, &["restore", "latest", "--allow", "everything"]);
    }

    #[test]
    fn owners_are_found_by_name_or_by_number() {
        let (scene, _) = with_power();
        for how in ["name", "id"] {
            let target = scene.path(how);
            let args = ["restore", "-q", "latest:sub", "--owner", how, "--target"];
            scene.expect(0, &[&args[..], &[target.to_str().unwrap()]].concat());
            let owner = |path: PathBuf| path.metadata().unwrap().uid();
            assert_eq!(owner(target.join("b.txt")), owner(scene.path("source/sub/b.txt")));
        }
    }
}
