//! The program with a repository on a server.

use std::io::Write as _;
use std::time::Duration;

use lifeboat::storage::Storage as _;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::sftp::SftpOptions;
use lifeboat::storage::sftp::SftpStorage;

use crate::cli::scene::Scene;

use super::run;
use super::server::Line;
use super::server::Sshd;

/// A scene whose repository is on the server, as a user of `ssh` would have it.
pub(crate) fn scene(sshd: &Sshd, port: u16) -> Scene {
    let mut scene = Scene::new();
    scene.set("LIFEBOAT_SFTP_KNOWN_HOSTS", scene.path("known"));
    scene.set("LIFEBOAT_SFTP_IDENTITY", sshd.path("login"));
    move_to(&mut scene, sshd, ("127.0.0.1", port));
    scene.file("source/letters/one.txt", b"Dear office,\n");
    scene.file("source/letters/two.txt", &vec![b'x'; 300_000]);
    scene.file("source/data.bin", &(0..400_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    scene
}

/// The same repository by another way.
pub(crate) fn move_to(scene: &mut Scene, sshd: &Sshd, (host, port): (&str, u16)) {
    let known = sshd.known_as(&format!("[{host}]:{port}"), "host_ed25519");
    scene.file("known", known.as_bytes());
    scene.set("LIFEBOAT_REPOSITORY", address(sshd, (host, port)));
}

fn address(sshd: &Sshd, (host, port): (&str, u16)) -> String {
    let root = sshd.path("repository").display().to_string();
    format!("sftp://{}@{host}:{port}{root}", sshd.user)
}

#[test]
fn a_repository_lives_on_a_server() {
    let sshd = Sshd::start();
    let scene = scene(&sshd, sshd.port);
    scene.expect(10, &["-q", "snapshots"]);
    scene.expect(0, &["-q", "init"]);
    let tested = scene.expect(0, &["storage", "test", "--json"]).json_of("result");
    let checks: Vec<_> = tested.iter().map(|row| row["check"].as_str().unwrap()).collect();
    assert_eq!(checks.len(), 10, "{checks:?}");
    assert!(tested.iter().all(|row| row["holds"] == true), "{tested:?}");
    assert!(tested[9]["up_bytes_per_s"].as_u64().unwrap() > 100_000, "{tested:?}");
    scene.expect(0, &["-q", "backup", "."]);
    scene.file("source/letters/three.txt", b"more");
    std::fs::remove_file(scene.path("source/data.bin")).unwrap();
    scene.expect(0, &["-q", "backup", "."]);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 2);
    scene.expect(0, &["-q", "check", "--read-data"]);
    let target = scene.path("restored").display().to_string();
    scene.expect(0, &["-q", "restore", "latest", "--target", &target]);
    let found = std::fs::read(scene.path("restored/letters/two.txt"));
    let found = found.or_else(|_| {
        let source = scene.path("source");
        std::fs::read(
            scene.path("restored").join(source.strip_prefix("/").unwrap()).join("letters/two.txt"),
        )
    });
    assert_eq!(found.unwrap().len(), 300_000);
    scene.expect(0, &["-q", "forget", "--keep-last", "1"]);
    let prune = ["-q", "prune", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"];
    scene.expect(0, &prune);
    scene.expect(0, &["-q", "check", "--read-data"]);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
    // A copy on this machine, and back.
    let copy = scene.path("copy").display().to_string();
    scene.expect(
        0,
        &["-q", "-r", &copy, "init", "--twin-of", &address(&sshd, ("127.0.0.1", sshd.port))],
    );
    scene.expect(0, &["-q", "copy", "--to", &copy]);
    scene.expect(0, &["-q", "-r", &copy, "check", "--read-data"]);
    scene.expect(2, &["-q", "copy", "--to", &address(&sshd, ("127.0.0.1", sshd.port))]);
}

/// A storage of the configuration, with everything said there.
#[test]
fn a_configuration_says_all_of_a_server() {
    let sshd = Sshd::start();
    let mut scene = scene(&sshd, sshd.port);
    for name in ["LIFEBOAT_SFTP_KNOWN_HOSTS", "LIFEBOAT_SFTP_IDENTITY"] {
        scene.unset(name);
    }
    scene.set("LIFEBOAT_REPOSITORY", "nas");
    let file = |key: &str| {
        format!(
            "version = 1\n[storage.nas]\nkind = \"sftp\"\nhost = \"127.0.0.1\"\nport = {}\n\
             user = \"{}\"\npath = \"{}\"\nhost_key = \"{}\"\nidentity = {{ file = \"{}\" }}\n",
            sshd.port,
            sshd.user,
            sshd.path("repository").display(),
            sshd.fingerprint(key),
            sshd.path("login").display(),
        )
    };
    scene.file("lifeboat.toml", file("host_ed25519").as_bytes());
    scene.set("LIFEBOAT_CONFIG", scene.path("lifeboat.toml"));
    scene.expect(0, &["-q", "init"]);
    scene.expect(0, &["-q", "backup", "."]);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
    // A server with another key gets nothing.
    scene.file("lifeboat.toml", file("stranger").as_bytes());
    let told = scene.expect(15, &["-q", "snapshots"]);
    assert!(told.stderr.contains("is not the server that is meant"), "{told}");
}

/// The line is cut in the middle of a backup, again and again: it goes on by itself.
#[test]
fn a_backup_goes_on_over_a_line_that_is_cut() {
    let sshd = Sshd::start();
    let line = Line::to(sshd.port);
    let scene = scene(&sshd, line.port);
    scene.expect(0, &["-q", "init"]);
    let mut seed = 1_u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    scene.file("source/noise", &noise.take(4_000_000).collect::<Vec<u8>>());
    for n in 1..=3 {
        line.cut_at(line.sent() + n * 700_000);
        scene.file("source/changed", format!("{n}").as_bytes());
        scene.expect(0, &["-q", "backup", "."]);
    }
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 3);
    line.cut_at(line.sent() + 20_000);
    scene.expect(0, &["-q", "check", "--read-data"]);
}

#[test]
fn what_is_wrong_with_a_server_is_told_with_its_code() {
    let sshd = Sshd::start();
    let mut scene = scene(&sshd, sshd.port);
    scene.expect(0, &["-q", "init"]);
    // Nobody knows the server.
    scene.set("LIFEBOAT_SFTP_KNOWN_HOSTS", scene.path("none"));
    let told = scene.expect(15, &["-q", "snapshots"]);
    assert!(told.stderr.contains("nobody has said which key"), "{told}");
    scene.set("LIFEBOAT_SFTP_HOST_KEY", sshd.fingerprint("host_ecdsa"));
    scene.expect(0, &["-q", "snapshots"]);
    // Nobody lets us in.
    scene.set("LIFEBOAT_SFTP_IDENTITY", sshd.path("stranger"));
    let told = scene.expect(1, &["-q", "snapshots"]);
    assert!(told.stderr.contains("was not let in"), "{told}");
    scene.set("LIFEBOAT_SFTP_IDENTITY", sshd.path("none"));
    scene.expect(2, &["-q", "snapshots"]);
    // Nobody is there.
    scene.set("LIFEBOAT_SFTP_IDENTITY", sshd.path("login"));
    scene.set("LIFEBOAT_REPOSITORY", address(&sshd, ("127.0.0.1", super::server::free_port())));
    let told = scene.expect(15, &["-q", "snapshots"]);
    assert!(told.stderr.contains("SSH: "), "{told}");
    // A password in an address is refused and not repeated.
    scene.set("LIFEBOAT_REPOSITORY", "sftp:office:hush@127.0.0.1:/x");
    let told = scene.expect(2, &["-q", "snapshots"]);
    assert!(!told.stderr.contains("hush"), "{told}");
}

/// A machine that was stolen, or its attacker, adds and takes nothing away.
#[test]
fn who_may_only_add_takes_nothing_away() {
    let sshd = Sshd::start();
    let served = sshd.path("served");
    std::fs::create_dir(&served).unwrap();
    // One line of `authorized_keys`: whatever is asked for, this is what runs.
    let forced = format!(
        "command=\"{} serve --stdio --append-only {}\",restrict {}",
        env!("CARGO_BIN_EXE_lifeboat"),
        served.display(),
        sshd.text("login.pub"),
    );
    std::fs::remove_file(sshd.path("authorized")).unwrap();
    let mut authorized = std::fs::File::create_new(sshd.path("authorized")).unwrap();
    authorized.write_all(forced.as_bytes()).unwrap();
    let mut scene = scene(&sshd, sshd.port);
    let address = format!("sftp://{}@127.0.0.1:{}/", sshd.user, sshd.port);
    scene.set("LIFEBOAT_REPOSITORY", &address);
    let told = scene.expect(0, &["init"]);
    assert!(told.stderr.contains("this user may not delete"), "{told}");
    scene.expect(0, &["-q", "backup", "."]);
    scene.file("source/letters/three.txt", b"more");
    scene.expect(0, &["-q", "backup", "."]);
    scene.expect(0, &["-q", "check", "--read-data"]);
    let target = scene.path("restored").display().to_string();
    scene.expect(0, &["-q", "restore", "latest", "--target", &target]);
    let prune = ["-q", "prune", "--empty-trash", "--max-delete", "100%", "--max-unused", "0%"];
    // A tombstone is an addition: it hides, and is taken back.
    scene.expect(0, &["-q", "forget", "--keep-last", "1"]);
    scene.expect(1, &prune);
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);

    // By the protocol itself, with the machine's own key.
    let options = SftpOptions { root: "/".to_owned(), ..sshd.at("") };
    let storage = SftpStorage::open(&run(), options).unwrap();
    let all = storage.list("").unwrap();
    assert!(all.len() > 10, "{} blobs", all.len());
    for row in &all {
        let error = storage.delete(&row.name).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Denied, "{error}");
        let error = storage.create(&row.name, &[b"another"]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::AlreadyExists, "{error}");
    }
    assert_eq!(storage.list("").unwrap(), all);
    for root in ["/..", "/packs/../..", "/.ssh", "/etc"] {
        let options = SftpOptions { root: root.to_owned(), ..sshd.at("") };
        let error = SftpStorage::open(&run(), options).unwrap_err();
        let is_shut = matches!(error.kind, StorageErrorKind::Denied | StorageErrorKind::NotFound);
        assert!(is_shut, "{root}: {error}");
    }

    // On the server itself what is old is removed, with what the test of `init` has left.
    let probes = || std::fs::read_dir(served.join("probe")).map_or(0, |items| items.count());
    assert!(probes() > 20, "{} blobs", probes());
    for item in std::fs::read_dir(served.join("probe")).unwrap() {
        let file = std::fs::File::options().write(true).open(item.unwrap().path()).unwrap();
        let old = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(90_000);
        file.set_modified(old).unwrap();
    }
    scene.set("LIFEBOAT_REPOSITORY", &served);
    scene.expect(0, &prune);
    assert_eq!(probes(), 0);
    scene.expect(0, &["-q", "check", "--read-data"]);
}

#[test]
fn a_folder_that_is_missing_is_not_served() {
    let scene = Scene::new();
    let told = scene.expect(1, &["serve", "--stdio", "--append-only", "/none/at/all"]);
    assert!(told.stderr.contains("`/none/at/all` cannot be served"), "{told}");
    scene.expect(2, &["serve", "--stdio", "/tmp"]);
    scene.expect(2, &["serve", "--append-only", "/tmp"]);
}
