//! Lines that are cut, servers that lose what they took, full disks, missing rights.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use lifeboat::disk::Disk as _;
use lifeboat::disk::unix::RealDisk;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::layer::retry::Retry;
use lifeboat::storage::layer::retry::RetryOptions;
use lifeboat::storage::sftp::SftpOptions;
use lifeboat::storage::sftp::SftpStorage;
use lifeboat::storage::sftp::Way;
use lifeboat::storage::sftp::patience::Patience;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process;

use crate::support::profile::Profile;

use super::by_program;
use super::name;
use super::patient;
use super::run;
use super::server::Line;
use super::server::Sshd;

/// The server through a line.
fn through(sshd: &Sshd, line: &Line, root: &str) -> SftpOptions {
    let mut ssh = sshd.ssh();
    ssh.port = line.port;
    SftpOptions { way: Way::Ssh(ssh), root: sshd.path(root).display().to_string() }
}

fn content(n: usize) -> Vec<u8> {
    let lengths = [0, 10, 300_000, 1_048_576, 65_536, 1];
    let pattern: Vec<u8> = (0..=250).map(|byte: u8| byte.wrapping_mul(7)).collect();
    pattern.into_iter().cycle().skip(n).take(lengths[n % lengths.len()]).collect()
}

/// What a writer does: creates, makes durable, looks, deletes.
fn work(storage: &Arc<dyn Storage>) {
    for n in 0..6 {
        storage.create(&name(&format!("p/{n}")), &[&content(n)]).unwrap();
    }
    storage.sync().unwrap();
    for n in 0..6 {
        let found = storage.read(&name(&format!("p/{n}")), 2 << 20).unwrap();
        assert!(found == content(n), "blob {n}");
    }
    storage.delete(&name("p/0")).unwrap();
    assert_eq!(storage.list("p/").unwrap().len(), 5);
    assert_eq!(storage.stat(&name("p/3")).unwrap().len_bytes, 1_048_576);
    let mut part = vec![0; 100_000];
    storage.read_range(&name("p/3"), 900_000, &mut part).unwrap();
    assert!(part == content(3)[900_000..1_000_000]);
}

/// The line is cut when so many bytes have gone, all along the work: nobody notices.
#[test]
fn a_cut_anywhere_is_survived() {
    let sshd = Sshd::start();
    let line = Line::to(sshd.port);
    let storage = SftpStorage::create(&run(), through(&sshd, &line, "whole")).unwrap();
    let opened = line.sent();
    work(&patient(storage));
    let whole = line.sent() - opened;
    assert!(whole > 1_400_000, "{whole} bytes");
    let cuts = Profile::of_process().pick(24, 240, 2_400);
    // Most requests are short: half of the cuts are among the last bytes, after the contents.
    for cut in 0..cuts {
        let storage =
            SftpStorage::create(&run(), through(&sshd, &line, &format!("cut-{cut}"))).unwrap();
        let at = if cut % 2 == 0 { whole * cut / cuts } else { whole - 12_000 * cut / cuts };
        line.cut_at(line.sent() + at.max(1));
        // And the line that is made anew, in its handshake or its login.
        line.cut_again_after(300 + 150 * (cut % 20));
        work(&patient(storage));
    }
}

/// What was created over a line that was cut is looked at again before anybody relies on it.
#[test]
fn what_a_server_loses_while_it_is_away_is_noticed() {
    type Loss = fn(&std::path::Path);
    let losses: [(&str, Loss); 3] = [
        ("removed", |path| std::fs::remove_file(path).unwrap()),
        ("cut short", |path| {
            std::fs::File::options().write(true).open(path).unwrap().set_len(99_999).unwrap();
        }),
        ("zeroed", |path| {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_len(0).unwrap();
            file.set_len(100_000).unwrap();
        }),
    ];
    let sshd = Sshd::start();
    for (how, lose) in losses {
        let line = Line::to(sshd.port);
        let storage = SftpStorage::create(&run(), through(&sshd, &line, how)).unwrap();
        storage.create(&name("a"), &[&[1; 1000]]).unwrap();
        storage.create(&name("p/b"), &[&[2; 100_000]]).unwrap();
        line.cut();
        // The one call that finds out may fail; the next makes a new connection.
        let _finds_out = storage.create(&name("p/c"), &[b"c"]);
        lose(&sshd.path(how).join("p/b"));
        let error = storage.sync().unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Other, "{how}: {error}");
        assert!(error.to_string().contains("has lost `p/b`"), "{how}: {error}");
        // Nothing may be built on it any more.
        assert!(storage.create(&name("d"), &[b"d"]).is_err(), "{how}");
        assert!(storage.sync().is_err(), "{how}");
        storage.delete(&name("a")).unwrap();
    }
}

/// And what it has kept is believed.
#[test]
fn what_a_server_keeps_while_it_is_away_is_believed() {
    let sshd = Sshd::start();
    let line = Line::to(sshd.port);
    let storage = SftpStorage::create(&run(), through(&sshd, &line, "kept")).unwrap();
    storage.create(&name("p/b"), &[&[2; 100_000], b"end"]).unwrap();
    storage.create(&name("p/empty"), &[]).unwrap();
    line.cut();
    storage.sync().unwrap();
    storage.create(&name("p/c"), &[b"c"]).unwrap();
    storage.sync().unwrap();
}

/// A line that is down for a while ends no work that has begun.
#[test]
fn a_line_that_is_down_is_waited_for() {
    let sshd = Sshd::start();
    let line = Line::to(sshd.port);
    let storage = patient(SftpStorage::create(&run(), through(&sshd, &line, "down")).unwrap());
    storage.create(&name("a"), &[b"a"]).unwrap();
    line.down();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            storage.create(&name("b"), &[b"b"]).unwrap();
            storage.sync().unwrap();
        });
        line.wait_for_refusal();
        line.up();
    });
    assert_eq!(storage.list("").unwrap().len(), 2);
    // To a server that was never there nobody is so patient.
    line.down();
    let error = SftpStorage::open(&run(), through(&sshd, &line, "down")).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
}

/// SSH answers, and SFTP does not: that is told in words, and not waited for without an end.
#[test]
fn a_server_that_is_silent_behind_its_connection_is_given_up() {
    const PATIENCE: Patience = Patience {
        connect: Duration::from_secs(1),
        request: Duration::from_secs(1),
        away: Duration::from_secs(4),
    };
    const RETRY: RetryOptions = RetryOptions {
        attempts_max: 1_000,
        wait_first: Duration::from_millis(5),
        wait_max: Duration::from_millis(5),
        whole_max: Duration::from_secs(5),
    };
    let sshd = Sshd::configured("ForceCommand sh @/sftp\n");
    let (pid, silent) = (sshd.path("pid"), sshd.path("silent"));
    let script = format!(
        "[ -e {} ] && exec sleep 60\necho $$ > {}\nexec /usr/lib/openssh/sftp-server\n",
        silent.display(),
        pid.display()
    );
    std::fs::File::create_new(sshd.path("sftp")).unwrap().write_all(script.as_bytes()).unwrap();
    std::fs::create_dir(sshd.path("root")).unwrap();
    let run = run();
    let storage = SftpStorage::open_with(&run, sshd.at("root"), PATIENCE).unwrap();
    let storage = Retry::new(&run, Arc::new(storage), RETRY);
    storage.create(&name("a"), &[b"a"]).unwrap();
    let server = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    let server = Pid::from_raw(server).unwrap();
    kill_process(server, Signal::STOP).unwrap();
    // One that is asked anew answers.
    assert_eq!(storage.read(&name("a"), 9).unwrap(), b"a");
    kill_process(server, Signal::KILL).unwrap();
    let server = std::fs::read_to_string(sshd.path("pid")).unwrap().trim().parse().unwrap();
    let server = Pid::from_raw(server).unwrap();
    std::fs::File::create_new(silent).unwrap();
    kill_process(server, Signal::STOP).unwrap();
    let began = run.clock.elapsed();
    let error = storage.read(&name("a"), 9).unwrap_err();
    let took = run.clock.elapsed() - began;
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    for words in ["answer of SFTP", "; tried ", " times in "] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!((Duration::from_secs(2)..RETRY.whole_max).contains(&took), "{took:?}");
    let began = run.clock.elapsed();
    let error = storage.sync().unwrap_err();
    let took = run.clock.elapsed() - began;
    assert!(error.to_string().contains("answer of SFTP"), "{error}");
    assert!(took < PATIENCE.away, "{took:?}");
    kill_process(server, Signal::KILL).unwrap();
}

#[test]
fn missing_folders_and_rights_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none");
    let error = SftpStorage::open(&run(), by_program(&[], &missing)).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
    assert!(error.to_string().ends_with("none: no such folder"), "{error}");
    std::fs::File::create_new(folder.path().join("file")).unwrap();
    let error = SftpStorage::open(&run(), by_program(&[], &folder.path().join("file")));
    assert!(error.is_err(), "a file is no folder");

    let root = folder.path().join("root");
    let storage = SftpStorage::create(&run(), by_program(&[], &root)).unwrap();
    storage.create(&name("p/a"), &[b"a"]).unwrap();
    storage.sync().unwrap();
    let reader = SftpStorage::open(&run(), by_program(&["-R"], &root)).unwrap();
    assert_eq!(reader.read(&name("p/a"), 9).unwrap(), b"a");
    for (what, error) in [
        ("create", reader.create(&name("p/b"), &[b"b"]).unwrap_err()),
        ("delete", reader.delete(&name("p/a")).unwrap_err()),
    ] {
        assert_eq!(error.kind, StorageErrorKind::Denied, "{what}: {error}");
    }
    // All gone: nobody may conclude that there is nothing.
    RealDisk.rename_new(&root, &folder.path().join("moved")).unwrap();
    for error in [
        storage.list("").unwrap_err(),
        storage.list("p/").unwrap_err(),
        storage.read(&name("p/a"), 9).unwrap_err(),
        storage.create(&name("c/d"), &[]).unwrap_err(),
        storage.delete(&name("p/a")).unwrap_err(),
    ] {
        assert_eq!(error.kind, StorageErrorKind::Other, "{error}");
        assert!(error.detail.contains("folder is gone"), "{error}");
    }
    assert!(!root.exists());
}

/// A folder under a blob's name is as if nothing were there, by OpenSSH's own server.
#[test]
fn a_folder_is_no_blob_and_keeps_its_name() {
    let root = tempfile::tempdir().unwrap();
    let storage = SftpStorage::open(&run(), by_program(&[], root.path())).unwrap();
    storage.create(&name("p/a"), &[b"a"]).unwrap();
    std::fs::create_dir(root.path().join("p/b")).unwrap();
    for error in [
        storage.read(&name("p/b"), 9).unwrap_err(),
        storage.read(&name("p/b"), 1 << 20).unwrap_err(),
        storage.read_range(&name("p/b"), 0, &mut [0; 9]).unwrap_err(),
        storage.read_range(&name("p/b"), 1 << 30, &mut [0; 9]).unwrap_err(),
        storage.stat(&name("p/b")).unwrap_err(),
        storage.delete(&name("p/b")).unwrap_err(),
    ] {
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
    }
    assert!(root.path().join("p/b").is_dir());
    let error = storage.create(&name("p/b"), &[b"b"]).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Blocked, "{error}");
    let listed: Vec<_> = storage.list("").unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(listed, [name("p/a")]);
}

/// A full disk of the server is told as such, and what was there stays.
#[test]
fn a_full_disk_is_told() {
    assert!(rustix::process::geteuid().is_root(), "this takes root, who mounts");
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "none"])
        .arg(&disk)
        .status();
    assert!(mounted.unwrap().success());
    let tried = std::panic::catch_unwind(|| {
        let storage = SftpStorage::open(&run(), by_program(&[], &disk)).unwrap();
        storage.create(&name("a"), &[&[1; 500_000]]).unwrap();
        let error = storage.create(&name("b"), &[&[2; 700_000]]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Full, "{error}");
        assert!(error.to_string().contains("no space is left"), "{error}");
        // The half that was written is gone.
        storage.create(&name("c"), &[&[3; 400_000]]).unwrap();
        storage.sync().unwrap();
        let mut names: Vec<_> =
            storage.list("").unwrap().into_iter().map(|row| row.name.to_string()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(storage.strangers().unwrap().temporaries_count, 0);
    });
    let status = std::process::Command::new("umount").arg("-l").arg(&disk).status();
    assert!(status.unwrap().success());
    tried.unwrap();
}

/// A folder that others may look into stays as its administrator made it.
#[test]
fn rights_of_an_existing_folder_stay() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o750)).unwrap();
    let storage = SftpStorage::create(&run(), by_program(&[], folder.path())).unwrap();
    storage.create(&name("a"), &[]).unwrap();
    assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o750);
}
