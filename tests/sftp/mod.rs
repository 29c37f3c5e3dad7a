//! Storages on a server that speaks SFTP: real OpenSSH on loopback.

mod budget;
mod faults;
mod login;
mod program;
pub mod server;
pub mod slow;
pub mod trips;

use std::cell::Cell;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use lifeboat::clock::SystemClock;
use lifeboat::ids::RunId;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::storage::BlobName;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::conformance;
use lifeboat::storage::layer::retry::Retry;
use lifeboat::storage::layer::retry::RetryOptions;
use lifeboat::storage::sftp::SftpOptions;
use lifeboat::storage::sftp::SftpStorage;
use lifeboat::storage::sftp::Way;

use self::server::Sshd;

pub(crate) fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1)
}

pub(crate) fn name(text: &str) -> BlobName {
    BlobName::new(text).unwrap()
}

/// With the patience of a user, and less time between attempts.
pub(crate) fn patient(storage: SftpStorage) -> Arc<dyn Storage> {
    let options = RetryOptions {
        attempts_max: 20,
        wait_first: Duration::from_millis(5),
        wait_max: Duration::from_millis(100),
        whole_max: Duration::from_secs(15 * 60),
    };
    Arc::new(Retry::new(&run(), Arc::new(storage), options))
}

/// OpenSSH's program for SFTP, without SSH around it.
fn by_program(arguments: &[&str], root: &std::path::Path) -> SftpOptions {
    let mut argv = vec![OsString::from("/usr/lib/openssh/sftp-server")];
    argv.extend(arguments.iter().map(OsString::from));
    SftpOptions { way: Way::Program(argv), root: root.display().to_string() }
}

#[test]
fn a_server_keeps_the_promises() {
    let sshd = Sshd::start();
    let count = Cell::new(0);
    let make = || {
        count.set(count.get() + 1);
        let options = sshd.at(&format!("office/storage-{}", count.get()));
        Arc::new(SftpStorage::create(&run(), options).unwrap()) as Arc<dyn Storage>
    };
    conformance::all(&make).unwrap();
    assert!(count.get() >= 8, "{} storages", count.get());
}

/// With and without what OpenSSH adds to the protocol.
#[test]
fn a_program_keeps_the_promises() {
    let poor = "fsync,limits,statvfs,hardlink,posix-rename";
    for arguments in [&[][..], &["-P", poor]] {
        let folder = tempfile::tempdir().unwrap();
        let count = Cell::new(0);
        let make = || {
            count.set(count.get() + 1);
            let root = folder.path().join(count.get().to_string());
            let storage = SftpStorage::create(&run(), by_program(arguments, &root)).unwrap();
            let is_poor = !arguments.is_empty();
            assert_eq!(storage.weaknesses().is_empty(), !is_poor, "{:?}", storage.weaknesses());
            Arc::new(storage) as Arc<dyn Storage>
        };
        conformance::all(&make).unwrap();
    }
}

#[test]
fn large_blobs_come_back_whole_and_in_parts() {
    let sshd = Sshd::start();
    let storage = SftpStorage::create(&run(), sshd.at("large")).unwrap();
    let content: Vec<u8> =
        (0..7_000_003_u32).flat_map(|n| n.to_le_bytes()).take(9_000_001).collect();
    let (start, rest) = content.split_at(1_234_567);
    storage.create(&name("packs/a"), &[start, &[], rest]).unwrap();
    storage.sync().unwrap();
    assert_eq!(storage.read(&name("packs/a"), 9_000_001).unwrap(), content);
    let mut part = vec![0; 3_333_333];
    storage.read_range(&name("packs/a"), 4_444_444, &mut part).unwrap();
    assert_eq!(part, content[4_444_444..7_777_777]);
    let error = storage.read(&name("packs/a"), 9_000_000).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Length, "{error}");
    // Files and folders are the user's alone.
    use std::os::unix::fs::PermissionsExt as _;
    for (path, mode) in [("large/packs", 0o700), ("large/packs/a", 0o600)] {
        let found = sshd.path(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}");
    }
}

/// Parts of more files than stay open, in turn; and none of them outlives its blob.
#[test]
fn files_that_stay_open_are_those_that_are_there() {
    let sshd = Sshd::start();
    let storage = SftpStorage::create(&run(), sshd.at("parts")).unwrap();
    let names: Vec<_> = (0..20_u8).map(|n| name(&format!("packs/{n}"))).collect();
    for (n, name) in (0..).zip(&names) {
        storage.create(name, &[&[n; 1000]]).unwrap();
    }
    let part = |name: &BlobName, offset| {
        let mut part = [0; 10];
        storage.read_range(name, offset, &mut part).map(|()| part)
    };
    for round in 0..3 {
        for (n, name) in (0..).zip(&names) {
            assert_eq!(part(name, round * 300).unwrap(), [n; 10]);
        }
    }
    let last = &names[19];
    assert_eq!(part(last, 995).unwrap_err().kind, StorageErrorKind::Length);
    storage.delete(last).unwrap();
    assert_eq!(part(last, 0).unwrap_err().kind, StorageErrorKind::NotFound);
    storage.create(last, &[&[99; 20]]).unwrap();
    assert_eq!(part(last, 5).unwrap(), [99; 10]);
}

/// Longer than one answer of the server, and with what is no blob.
#[test]
fn long_folders_are_listed_whole() {
    let sshd = Sshd::start();
    let storage = SftpStorage::create(&run(), sshd.at("long")).unwrap();
    for folder in ["p", "p/q", "r"] {
        std::fs::create_dir(sshd.path("long").join(folder)).unwrap();
        for n in 0..1_234 {
            let path = sshd.path("long").join(folder).join(format!("{n:04}"));
            std::fs::File::create_new(path).unwrap();
        }
    }
    for stranger in [".tmp-0123", "UPPER", "p/.hidden"] {
        std::fs::File::create_new(sshd.path("long").join(stranger)).unwrap();
    }
    std::os::unix::fs::symlink("p", sshd.path("long/link")).unwrap();
    assert_eq!(storage.list("").unwrap().len(), 3 * 1_234);
    assert_eq!(storage.list("p/").unwrap().len(), 2 * 1_234);
    assert_eq!(storage.list("r/").unwrap().len(), 1_234);
    let strangers = storage.strangers().unwrap();
    assert_eq!(strangers.temporaries_count, 1);
    assert_eq!(strangers.unknown, ["UPPER", "link", "p/.hidden"]);
}

#[test]
fn leftovers_are_removed_after_a_day_by_the_servers_clock() {
    let folder = tempfile::tempdir().unwrap();
    let storage = SftpStorage::open(&run(), by_program(&[], folder.path())).unwrap();
    std::fs::create_dir(folder.path().join("packs")).unwrap();
    for (path, hours) in [(".tmp-1", 25), ("packs/.tmp-2", 30), (".tmp-3", 1), ("packs/a", 99)] {
        let path = folder.path().join(path);
        let mut file = std::fs::File::create_new(path).unwrap();
        file.write_all(b"12345").unwrap();
        let old = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(3600 * hours);
        file.set_modified(old).unwrap();
    }
    let removed = storage.remove_leftovers().unwrap();
    assert_eq!((removed.count, removed.bytes), (2, 10));
    let names = |folder: &std::path::Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(folder.path()), [".tmp-3", "packs"]);
    assert_eq!(names(&folder.path().join("packs")), ["a"]);
}

use std::io::Write as _;
