use super::*;

use crate::clock::SystemClock;
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
