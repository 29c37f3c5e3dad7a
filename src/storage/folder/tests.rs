use super::*;

use crate::clock::SystemClock;
use crate::disk::sim::SimDisk;
use crate::disk::sim::script::DiskVerb;
use crate::disk::sim::script::SimError;
use crate::disk::unix::RealDisk;
use crate::ids::RunId;
use crate::run::monitor::Silent;

fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1)
}

fn name(text: &str) -> BlobName {
    BlobName::new(text).unwrap()
}

fn open(root: &Path) -> Result<FolderStorage, StorageError> {
    FolderStorage::open(&run(), Arc::new(RealDisk), root)
}

#[test]
fn a_missing_folder_is_named_and_is_not_an_empty_storage() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none");
    let error = open(&missing).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound);
    assert!(error.to_string().ends_with("none: no such folder"), "{error}");
    let storage = FolderStorage::create(&run(), Arc::new(RealDisk), &missing).unwrap();
    storage.create(&name("a/b"), &[b"x"]).unwrap();
    RealDisk.rename_new(&missing, &folder.path().join("moved")).unwrap();
    for error in [
        storage.list("").unwrap_err(),
        storage.list("a/").unwrap_err(),
        storage.read(&name("a/b"), 9).unwrap_err(),
        storage.create(&name("c/d"), &[]).unwrap_err(),
    ] {
        assert_eq!(error.kind, StorageErrorKind::Other, "{error}");
        assert!(error.detail.contains("folder is gone"), "{error}");
    }
    assert!(!missing.exists());
}

/// No listing tells of it, so nobody may find it otherwise.
#[test]
fn what_is_no_file_is_no_blob_and_keeps_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path()).unwrap();
    storage.create(&name("packs/aa/b"), &[b"x"]).unwrap();
    RealDisk.make_folder(&folder.path().join("folder")).unwrap();
    std::os::unix::fs::symlink("packs/aa/b", folder.path().join("link")).unwrap();
    std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    for other in ["folder", "link", "socket"] {
        for error in [
            storage.read(&name(other), 9).unwrap_err(),
            storage.read_range(&name(other), 0, &mut [0]).unwrap_err(),
            storage.stat(&name(other)).unwrap_err(),
        ] {
            assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
            assert!(error.detail.contains("not a regular file"), "{error}");
        }
        let error = storage.create(&name(other), &[b"y"]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Blocked, "{error}");
    }
    let error = storage.delete(&name("folder")).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
    // A file where a folder of blobs would be.
    let below = name("packs/aa/b/c");
    assert_eq!(storage.read(&below, 9).unwrap_err().kind, StorageErrorKind::NotFound);
    assert_eq!(storage.stat(&below).unwrap_err().kind, StorageErrorKind::NotFound);
    assert_eq!(storage.delete(&below).unwrap_err().kind, StorageErrorKind::NotFound);
    assert_eq!(storage.list("packs/aa/b/").unwrap(), vec![]);
    assert_eq!(storage.list("").unwrap().len(), 1);
}

#[test]
fn errors_of_the_whole_storage_name_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    RealDisk.create_synced(&file, &[]).unwrap();
    let error = open(&file).unwrap_err().to_string();
    assert!(error.starts_with(&format!("open {}: ", file.display())), "{error}");
    let storage = open(folder.path()).unwrap();
    let error = storage.read(&name("a"), 9).unwrap_err().to_string();
    assert!(error.starts_with(&format!("read `a` in {}: ", folder.path().display())), "{error}");
}

#[cfg(unix)]
#[test]
fn a_want_of_open_files_is_no_fault_of_the_medium() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path()).unwrap();
    let error = storage.failed("read", "a", &io::Error::from_raw_os_error(24));
    assert_eq!((error.kind, error.is_retryable()), (StorageErrorKind::Handles, false));
    assert!(error.detail.contains("open at once"), "{error}");
}

#[test]
fn strangers_are_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path()).unwrap();
    storage.create(&name("packs/aa/b.c"), &[b"x", b"yz"]).unwrap();
    for stranger in [".tmp-1", "UPPER", "lost+found", "packs/.hidden"] {
        RealDisk.create_synced(&folder.path().join(stranger), &[b"?"]).unwrap();
    }
    std::os::unix::fs::symlink("packs", folder.path().join("link")).unwrap();
    let listed = vec![Listed { name: name("packs/aa/b.c"), len_bytes: 3 }];
    assert_eq!(storage.list("").unwrap(), listed);
    assert_eq!(storage.list("packs/").unwrap(), listed);
    assert_eq!(storage.list("none/").unwrap(), vec![]);
    assert_eq!(storage.list("packs").unwrap_err().kind, StorageErrorKind::Other);
}

#[test]
fn only_old_temporaries_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(folder.path()).unwrap();
    storage.create(&name("a/b"), &[b"x"]).unwrap();
    for temp in ["a/.tmp-1", ".tmp-2"] {
        RealDisk.create_synced(&folder.path().join(temp), &[b"old"]).unwrap();
    }
    assert_eq!(storage.remove_leftovers().unwrap().count, 0);
    let old = std::fs::File::open(folder.path().join("a/.tmp-1")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    let removed = storage.remove_leftovers().unwrap();
    assert_eq!((removed.count, removed.bytes), (1, 3));
    assert!(folder.path().join(".tmp-2").exists() && folder.path().join("a/b").exists());
}

fn on_sim() -> (Arc<SimDisk>, FolderStorage) {
    let disk = Arc::new(SimDisk::new(Arc::new(SystemClock::new())));
    let shared = Arc::clone(&disk) as Arc<dyn Disk>;
    let storage = FolderStorage::create(&run(), shared, Path::new("/repo")).unwrap();
    (disk, storage)
}

#[test]
fn a_barrier_costs_one_sync() {
    let (disk, storage) = on_sim();
    let made = disk.call_count(DiskVerb::SyncFolder);
    let syncs =
        || (disk.call_count(DiskVerb::SyncFolder) - made, disk.call_count(DiskVerb::SyncAll));
    for n in 0..20 {
        storage.create(&name(&format!("packs/{:02x}/{n}", n % 7)), &[b"pack"]).unwrap();
    }
    assert_eq!(disk.call_count(DiskVerb::Create), 20 + 7);
    storage.sync().unwrap();
    assert_eq!(syncs(), (0, 1));
    storage.create(&name("packs/03/x"), &[b"pack"]).unwrap();
    storage.delete(&name("packs/03/3")).unwrap();
    storage.sync().unwrap();
    assert_eq!(syncs(), (1, 1));
    storage.sync().unwrap();
    assert_eq!(syncs(), (1, 1));
}

#[test]
fn after_a_failed_barrier_nothing_is_taken_any_more() {
    let (disk, storage) = on_sim();
    storage.create(&name("a"), &[b"x"]).unwrap();
    disk.fail(DiskVerb::SyncFolder, 1, SimError::SyncLost);
    let error = storage.sync().unwrap_err();
    assert!(!error.is_retryable());
    assert!(storage.sync().is_err());
    assert!(storage.create(&name("b"), &[b"x"]).is_err());
    assert_eq!(storage.read(&name("a"), 9).unwrap(), b"x");
    // What it covered may be taken away, so that nobody relies on it.
    storage.delete(&name("a")).unwrap();
    assert!(storage.sync().is_err());
    open_on(&disk).create(&name("b"), &[b"x"]).unwrap();
}

/// What one process fails to make durable, another one is told of that relies on it.
#[test]
fn a_barrier_tells_what_another_process_has_lost() {
    let (disk, one) = on_sim();
    let two = open_on(&disk);
    one.create(&name("packs/01/a"), &[b"x"]).unwrap();
    two.create(&name("packs/02/b"), &[b"x"]).unwrap();
    disk.fail(DiskVerb::SyncAll, 1, SimError::SyncLost);
    assert!(one.sync().is_err());
    assert!(two.sync().is_err());
    // An empty folder is lost like the file in it, and nothing may be put there.
    one.delete(&name("packs/01/a")).unwrap();
    two.delete(&name("packs/02/b")).unwrap();
    let late = open_on(&disk);
    late.create(&name("packs/01/c"), &[b"x"]).unwrap();
    late.sync().unwrap();
    let history = disk.history();
    history.visit_crashes_from(history.steps.len(), 1, 0, &mut |point, image| {
        assert!(image.files().contains_key(&b"/repo/packs/01/c"[..]), "{point:?}");
    });
}

fn open_on(disk: &Arc<SimDisk>) -> FolderStorage {
    let shared = Arc::clone(disk) as Arc<dyn Disk>;
    FolderStorage::open(&run(), shared, Path::new("/repo")).unwrap()
}

#[test]
fn a_create_that_fails_leaves_nothing_and_may_be_tried_again() {
    let errors = [
        (DiskVerb::Create, SimError::Io, StorageErrorKind::Transient),
        (DiskVerb::Create, SimError::NoSpace, StorageErrorKind::Full),
        (DiskVerb::Create, SimError::SyncLost, StorageErrorKind::Transient),
        (DiskVerb::Rename, SimError::Io, StorageErrorKind::Transient),
        (DiskVerb::Rename, SimError::NoSpace, StorageErrorKind::Full),
    ];
    for (verb, error, kind) in errors {
        let (disk, storage) = on_sim();
        disk.fail(verb, 1, error);
        let failed = storage.create(&name("a"), &[b"content"]).unwrap_err();
        assert_eq!(failed.kind, kind, "{failed}");
        assert_eq!(disk.image().files().len(), 0);
        storage.create(&name("a"), &[b"content"]).unwrap();
        storage.sync().unwrap();
        assert_eq!(storage.read(&name("a"), 9).unwrap(), b"content");
    }
}

#[test]
fn a_listing_that_fails_is_an_error() {
    let (disk, storage) = on_sim();
    storage.create(&name("a/b"), &[b"x"]).unwrap();
    for nth in 1..=2 {
        disk.fail(DiskVerb::List, nth, SimError::Io);
        let error = storage.list("").unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Transient);
    }
    assert_eq!(storage.list("").unwrap().len(), 1);
}
