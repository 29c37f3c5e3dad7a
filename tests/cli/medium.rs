//! What the place of the repository, the source or the clock does: full, read-only, gone, shared,
//! set back. The message says what to do, and what was there before is still there.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use super::round_trip::with_files;
use super::scene::Scene;
use super::scene::Told;
use crate::support::Random;
use crate::support::generate::is_root;

const NOBODY: u32 = 65_534;

/// Gives everything in the scene to somebody without rights, if this user has them all.
fn give_away(scene: &Scene) {
    if !is_root() {
        return;
    }
    let mut all = scene.files("");
    all.push(scene.path("").display().to_string());
    for path in all {
        std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// Runs as somebody without rights.
fn run_without_rights(scene: &Scene, args: &[&str]) -> Told {
    let mut command = scene.command(args);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    Told {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn set_modes(scene: &Scene, folder: &str, folder_mode: u32) {
    let mut all = scene.files(folder);
    all.push(scene.path(folder).display().to_string());
    for path in all.iter().filter(|path| Path::new(path).is_dir()) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(folder_mode)).unwrap();
    }
}

fn snapshots_count(scene: &Scene) -> usize {
    scene.expect(0, &["-q", "snapshots", "--json"]).json_of("result").len()
}

#[test]
fn a_read_only_repository_can_be_read_and_says_so_when_written() {
    let scene = with_files();
    give_away(&scene);
    let told = run_without_rights(&scene, &["-q", "backup", "."]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
    let before = scene.files("repository");
    set_modes(&scene, "repository", 0o500);
    let told = run_without_rights(&scene, &["-q", "backup", "."]);
    assert_eq!(told.code, Some(1), "{told}");
    assert_eq!(
        scene.shown(&told),
        "error: create `sessions/#.0` in @/repository: Permission denied (os error 13)\n       \
         earlier snapshots are untouched\nnext:  get the right to read and write there\n"
    );
    let told = run_without_rights(&scene, &["-q", "check"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{told}");
    let target = scene.path("target").display().to_string();
    let told = run_without_rights(&scene, &["-q", "restore", "latest", "--target", &target]);
    assert_eq!(told.code, Some(0), "{told}");
    set_modes(&scene, "repository", 0o700);
    assert_eq!(scene.files("repository"), before);
}

/// Everything below a folder that is not this user's.
fn not_of(scene: &Scene, folder: &str, uid: u32) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let all = scene.files(folder).into_iter();
    all.filter(|path| Path::new(path).symlink_metadata().unwrap().uid() != uid).collect()
}

/// Root works by hand on what a service owns: the service can go on with it, and clean it up.
#[test]
fn what_root_does_by_hand_belongs_to_the_owner_of_the_folder() {
    assert!(is_root(), "this takes root, who gives files away");
    let scene = with_files();
    give_away(&scene);
    scene.expect(0, &["-q", "backup", "."]);
    scene.file("source/more", b"more");
    scene.expect(0, &["-q", "backup", "."]);
    scene.expect(0, &["-q", "forget", "--keep-last", "1"]);
    scene.expect(0, &["-q", "prune", "--max-delete", "100%", "--max-unused", "0%"]);
    for folder in ["repository", "cache"] {
        assert_eq!(not_of(&scene, folder, NOBODY), Vec::<String>::new());
    }
    scene.file("source/yet-more", b"yet more");
    for args in [
        &["-q", "backup", "."][..],
        &["-q", "prune", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"],
        &["-q", "check", "--read-data"],
    ] {
        let told = run_without_rights(&scene, args);
        assert_eq!(told.code, Some(0), "{args:?} {told}");
    }
    // Folders that are absent above others too.
    std::fs::remove_dir_all(scene.path("cache")).unwrap();
    scene.expect(0, &["-q", "backup", "."]);
    assert_eq!(not_of(&scene, "cache", NOBODY), Vec::<String>::new());
    let told = run_without_rights(&scene, &["-q", "backup", "."]);
    assert_eq!(told.code, Some(0), "{told}");
    // What is made for somebody to keep is not the folder's owner's.
    let shares = scene.path("shares.pdf").display().to_string();
    let create = ["-q", "key", "recovery", "create", "--shares", "2/3", "--pdf", &shares];
    scene.expect(0, &create);
    assert!(not_of(&scene, "", NOBODY).contains(&shares), "{shares} was given away");
    assert_eq!(not_of(&scene, "repository", NOBODY), Vec::<String>::new());
    // Where the folder is root's, everything stays root's.
    let own = with_files();
    own.expect(0, &["-q", "backup", "."]);
    assert_eq!(not_of(&own, "repository", 0), Vec::<String>::new());
}

#[test]
fn an_unreadable_file_is_code_3_and_the_rest_is_kept() {
    let scene = with_files();
    give_away(&scene);
    let path = scene.path("source/a.txt");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let told = run_without_rights(&scene, &["-q", "backup", "."]);
    assert_eq!(told.code, Some(3), "{told}");
    assert_eq!(scene.shown(&told), "problem: a.txt: cannot open: permission denied\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let listed = run_without_rights(&scene, &["-q", "snapshots"]).text();
    assert!(listed.lines().last().unwrap().trim_end().ends_with(" 1"), "{listed}");
    let told = run_without_rights(&scene, &["-q", "dump", "latest:sub/b.txt"]);
    assert_eq!(told.stdout, b"beta", "{told}");
}

/// Programs that run one after the other on a small disk of their own; it is gone when they end.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=3m none "$DISK"
export LIFEBOAT_REPOSITORY="$DISK/repository"
step() { "$PROGRAM" -q "$@" >>"$LOG" 2>&1; echo "$1 $?" >>"$LOG"; }
step init
step backup sub/b.txt
step backup large
step check --read-data
rm large
step backup sub
step check --read-data
"#;

/// Where no disk can be made, a limit on the size of files stands in for it.
const UNDER_A_LIMIT: &str = r#"
export LIFEBOAT_REPOSITORY="$DISK/repository"
step() { "$PROGRAM" -q "$@" >>"$LOG" 2>&1; echo "$1 $?" >>"$LOG"; }
trap '' XFSZ
step init
step backup sub/b.txt
(ulimit -f 2000; step backup large)
step check --read-data
rm large
step backup sub
step check --read-data
"#;

#[test]
fn a_full_disk_is_code_1_and_earlier_snapshots_stay() {
    let scene = with_files();
    let noise = Random::new(1).bytes(6_000_000);
    scene.file("source/large", &noise);
    std::fs::create_dir(scene.path("disk")).unwrap();
    let (shell, script): (&[&str], _) =
        if is_root() { (&["unshare", "-m"], ON_A_SMALL_DISK) } else { (&[], UNDER_A_LIMIT) };
    let words = [shell, &["bash", "-c", script]].concat();
    let mut command = std::process::Command::new(words[0]);
    let log = scene.path("log");
    command
        .args(&words[1..])
        .env_clear()
        .envs(scene.command::<&str>(&[]).get_envs().filter_map(|(k, v)| Some((k, v?))))
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("PROGRAM", env!("CARGO_BIN_EXE_lifeboat"))
        .env("DISK", scene.path("disk"))
        .env("LOG", &log)
        .current_dir(scene.path("source"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = std::fs::read_to_string(&log).unwrap();
    let told = Told { code: None, stdout: Vec::new(), stderr: told };
    let why = if is_root() {
        "No space left on device (os error 28)"
    } else {
        "File too large (os error 27)"
    };
    let expected = format!(
        "init 0\nbackup 0\nerror: create `packs/?/#` in @/disk/repository: {why}\n       earlier \
         snapshots are untouched\nnext:  make room there and run the command again\nbackup \
         1\ncheck 0\nbackup 0\ncheck 0\n"
    );
    assert_eq!(without_pack_folder(&scene.shown(&told)), expected);
}

/// The first two digits of a pack's id are too few to be told from a word.
fn without_pack_folder(text: &str) -> String {
    match text.split_once("`packs/") {
        Some((before, after)) => format!("{before}`packs/?{}", after.get(2..).unwrap_or("")),
        None => text.to_owned(),
    }
}

#[test]
fn one_path_that_is_gone_stops_a_backup_of_several_before_it_writes() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    let before = scene.files("repository");
    scene.transcript(
        1,
        &["-q", "backup", "sub", "gone"],
        "error: `gone`: no such file or directory\n       no snapshot was made; nothing is \
         lost\nnext:  correct the path\n",
    );
    assert_eq!(scene.files("repository"), before);
}

#[test]
fn a_source_that_vanishes_is_told_and_the_last_snapshot_stays() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    std::fs::remove_dir_all(scene.path("source/sub")).unwrap();
    scene.transcript(
        1,
        &["-q", "backup", "sub"],
        "error: `sub`: no such file or directory\n       no snapshot was made; nothing is \
         lost\nnext:  correct the path\n",
    );
    assert_eq!(scene.expect(0, &["-q", "dump", "latest:sub/b.txt"]).stdout, b"beta");
    // The folder above is there: what is no longer in it is a change like any other.
    scene.expect(0, &["-q", "backup", "."]);
    assert_eq!(snapshots_count(&scene), 2);
}

#[test]
fn backups_at_the_same_time_all_become_snapshots() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    let mut made = 1;
    for round in 0..4 {
        scene.file("source/a.txt", format!("round {round}").as_bytes());
        let running: Vec<_> = (0..4)
            .map(|_| scene.command(&["-q", "backup", "."]).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        for child in running {
            let output = child.wait_with_output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), told.as_str()), (Some(0), ""));
            made += 1;
        }
    }
    assert_eq!(snapshots_count(&scene), made);
    scene.transcript(0, &["-q", "check", "--read-data"], "");
}

#[test]
fn a_clock_set_back_loses_and_reorders_nothing() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    for (shift, content) in [("-3d", "earlier"), ("+400d", "later"), ("-20y", "long ago")] {
        scene.file("source/a.txt", content.as_bytes());
        let told = scene.run_under(&["faketime", "-f", shift], &["-q", "backup", "."]);
        assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "{shift}: {told}");
        let found = scene.expect(0, &["-q", "dump", "latest:a.txt"]).stdout;
        assert_eq!(String::from_utf8(found).unwrap(), content, "{shift}");
    }
    scene.expect(0, &["-q", "backup", "."]);
    assert_eq!(snapshots_count(&scene), 5);
    scene.transcript(0, &["-q", "check", "--read-data"], "");
}
