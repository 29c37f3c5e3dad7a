//! Backups from snapshots of Btrfs, on a file system of the test's own.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

use super::scene::Scene;
use super::scene::Told;
use crate::support::Random;
use crate::support::generate::is_root;

/// A Btrfs on a loop device, taken away at the end.
struct Mounted(PathBuf);

fn done(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}

impl Mounted {
    fn at(scene: &Scene, name: &str) -> Self {
        assert!(is_root(), "this takes root, who mounts file systems");
        let (image, folder) = (scene.path("image"), scene.path(name));
        std::fs::File::create_new(&image).unwrap().set_len(128 << 20).unwrap();
        std::fs::create_dir(&folder).unwrap();
        done("mkfs.btrfs", &["-q", image.to_str().unwrap()]);
        done("mount", &["-o", "loop", image.to_str().unwrap(), folder.to_str().unwrap()]);
        Self(folder)
    }

    fn subvolume(&self, name: &str) {
        done("btrfs", &["subvolume", "create", self.0.join(name).to_str().unwrap()]);
    }

    /// Snapshots of ours that stand in a subvolume.
    fn left(&self, name: &str) -> Vec<String> {
        let items = std::fs::read_dir(self.0.join(name)).unwrap().map(|item| item.unwrap());
        let names = items.map(|item| item.file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".lifeboat-")).collect()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

/// Waits until a backup that was started reads from its snapshot.
fn until_taken(disk: &Mounted, child: &mut std::process::Child) -> String {
    loop {
        if let Some(name) = disk.left("data").pop() {
            return name;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before it made a snapshot");
        std::thread::yield_now();
    }
}

#[test]
fn what_is_read_is_of_one_moment_and_stands_where_it_always_did() {
    let scene = Scene::new();
    scene.expect(0, &["init"]);
    let disk = Mounted::at(&scene, "disk");
    disk.subvolume("data");
    let data = disk.0.join("data");
    scene.file("disk/data/sub/kept", b"as it was");
    scene.file("disk/data/other", b"other");
    scene.file("disk/data/large", &Random::new(1).bytes(1 << 20));
    let kept = data.join("sub/kept");
    // While the large file goes up, slowly, the one that is read after it changes.
    let slow = ["backup", "-q", "--limit-upload", "500KiB", "--fs-snapshot", "btrfs"];
    let mut command = scene.command(&slow);
    let mut child = command.arg(&data).stderr(Stdio::piped()).spawn().unwrap();
    until_taken(&disk, &mut child);
    scene.file("disk/data/sub/kept", b"as it is");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(disk.left("data"), Vec::<String>::new());
    scene.file("disk/data/sub/kept", b"as it was");
    let place = format!("latest:{}", kept.display());
    assert_eq!(scene.expect(0, &["dump", &place]).stdout, b"as it was");
    // Files as young as a backup are read again: from here on an hour has passed.
    let later = |code: i32, more: &[&Path]| {
        let mut args = vec!["backup", "--json"];
        args.extend(more.iter().map(|path| path.to_str().unwrap()));
        let told = scene.run_under(&["faketime", "-f", "+1h"], &args);
        assert_eq!(told.code, Some(code), "{told}");
        told
    };
    let from = Path::new("--fs-snapshot=btrfs");
    let unchanged = |told: &Told| told.json_of("result")[0]["files_unchanged_count"].clone();
    assert_eq!(unchanged(&later(0, &[from, &data])), 0);
    // What has not changed is not read again, though it is another snapshot.
    assert_eq!(unchanged(&later(0, &[from, &data])), 3);
    // Nor from the living files, which are the same dataset.
    assert_eq!(unchanged(&later(0, &[&data])), 3);
    // A part of a subvolume, and two parts of one.
    let told = later(0, &[from, &data.join("sub"), &data.join("other")]);
    let id = told.json_of("result")[0]["snapshot_id"].as_str().unwrap().to_owned();
    let place = format!("{id}:{}", kept.display());
    assert_eq!(scene.expect(0, &["dump", &place]).stdout, b"as it was");
    // A subvolume within is not in the snapshot: that is told, and the rest is kept.
    disk.subvolume("data/within");
    scene.file("disk/data/within/lost", b"1");
    let told = later(3, &[from, &data]);
    let problems = told.json_of("problem");
    assert!(
        problems.len() == 1 && problems[0].to_string().contains("subvolume of its own"),
        "{told}"
    );
    // Elsewhere there are no snapshots.
    let told = scene.expect(1, &["backup", "-q", "--fs-snapshot", "btrfs", "."]);
    assert!(told.stderr.contains("lies on no Btrfs"), "{told}");
    assert_eq!(disk.left("data"), Vec::<String>::new());
}

/// The tool goes by paths: where somebody else could put a link, nothing is made and nothing read.
#[test]
fn a_subvolume_that_others_can_change_is_refused() {
    let scene = Scene::new();
    scene.expect(0, &["init"]);
    let disk = Mounted::at(&scene, "disk");
    disk.subvolume("data");
    scene.file("disk/data/kept", b"kept");
    let data = disk.0.join("data");
    std::os::unix::fs::chown(&data, Some(65_534), Some(65_534)).unwrap();
    let args = ["backup", "-q", "--fs-snapshot", "btrfs", data.to_str().unwrap()];
    let told = scene.expect(1, &args);
    assert!(told.stderr.contains("others can change the folder"), "{told}");
    std::os::unix::fs::chown(&data, Some(0), Some(0)).unwrap();
    let writable = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&data, writable).unwrap();
    scene.expect(1, &args);
    assert_eq!(disk.left("data"), Vec::<String>::new());
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&data, closed).unwrap();
    scene.expect(0, &args);
}

/// The backup is killed while it reads; what it left is gone after the next one.
#[test]
fn a_killed_backup_leaves_no_snapshot_for_good() {
    let scene = Scene::new();
    scene.expect(0, &["init"]);
    let disk = Mounted::at(&scene, "disk");
    disk.subvolume("data");
    scene.file("disk/data/kept", &Random::new(2).bytes(1 << 20));
    let data = disk.0.join("data");
    let args = [
        "backup",
        "-q",
        "--fs-snapshot",
        "btrfs",
        "--limit-upload",
        "20KiB",
        data.to_str().unwrap(),
    ];
    let mut killed = scene.command(&args).stderr(Stdio::null()).spawn().unwrap();
    let beside = until_taken(&disk, &mut killed);
    // One that is at work is left alone by another.
    scene.file("disk/data/more", b"more");
    scene.expect(0, &["backup", "-q", "--fs-snapshot", "btrfs", data.to_str().unwrap()]);
    assert_eq!(disk.left("data"), std::slice::from_ref(&beside));
    assert_eq!(std::fs::metadata(data.join(&beside)).unwrap().ino(), 256);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(disk.left("data"), [beside]);
    let told =
        scene.expect(0, &["backup", "--json", "--fs-snapshot", "btrfs", data.to_str().unwrap()]);
    assert_eq!(told.json_of("result")[0]["files_count"], Value::from(2), "{told}");
    assert_eq!(disk.left("data"), Vec::<String>::new());
    // One that is interrupted removes its own.
    scene.file("disk/data/yet", &Random::new(3).bytes(1 << 20));
    let mut stopped = scene.command(&args).stderr(Stdio::null()).spawn().unwrap();
    until_taken(&disk, &mut stopped);
    done("kill", &["-INT", &stopped.id().to_string()]);
    assert_eq!(stopped.wait().unwrap().code(), Some(130));
    assert_eq!(disk.left("data"), Vec::<String>::new());
}
