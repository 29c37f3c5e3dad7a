use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn parts_are_written_in_order_and_read_back() {
    let folder = folder();
    let path = folder.path().join("a");
    let many: Vec<Vec<u8>> =
        (0..3000_u32).map(|n| n.to_le_bytes()[..(n % 4) as usize].into()).collect();
    let parts: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    RealDisk.create_synced(&path, &parts).unwrap();
    let whole = many.concat();
    assert_eq!(RealDisk.read(&path, 1 << 20).unwrap(), whole);
    let long = RealDisk.read(&path, whole.len() as u64 - 1).unwrap_err();
    assert_eq!(long.kind(), io::ErrorKind::FileTooLarge);
    let mut part = [0; 5];
    RealDisk.read_at(&path, 7, &mut part).unwrap();
    assert_eq!(part, whole[7..12]);
    let past = RealDisk.read_at(&path, whole.len() as u64 - 4, &mut part).unwrap_err();
    assert_eq!(past.kind(), io::ErrorKind::UnexpectedEof);
    let taken = RealDisk.create_synced(&path, &[b"other"]).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(RealDisk.stat(&path).unwrap().len_bytes, whole.len() as u64);
}

#[test]
fn a_rename_never_replaces() {
    let folder = folder();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    RealDisk.create_synced(&a, &[b"a"]).unwrap();
    RealDisk.create_synced(&b, &[b"b"]).unwrap();
    let taken = RealDisk.rename_new(&a, &b).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(RealDisk.read(&b, 9).unwrap(), b"b");
    RealDisk.remove(&b).unwrap();
    RealDisk.rename_new(&a, &b).unwrap();
    assert_eq!(RealDisk.list(folder.path()).unwrap().len(), 1);
    RealDisk.sync_folder(folder.path()).unwrap();
}

#[test]
fn links_and_fifos_are_not_read() {
    let folder = folder();
    let (link, fifo) = (folder.path().join("link"), folder.path().join("fifo"));
    RealDisk.create_synced(&folder.path().join("a"), &[b"a"]).unwrap();
    std::os::unix::fs::symlink("a", &link).unwrap();
    rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(RealDisk.read(&link, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let error = RealDisk.read(folder.path(), 9).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    assert_eq!(RealDisk.read(&fifo, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(RealDisk.stat(&link).unwrap().kind, FileKind::Other);
}

#[test]
fn a_folder_is_held_by_one_and_free_again_when_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let held = RealDisk.try_hold(folder.path()).unwrap();
    assert!(held.is_some());
    // As another process would: with a file of its own.
    assert!(RealDisk.try_hold(folder.path()).unwrap().is_none());
    drop(held);
    assert!(RealDisk.try_hold(folder.path()).unwrap().is_some());
}

/// As root in somebody's folder; elsewhere there is nothing to give away.
#[test]
fn what_is_made_follows_no_link_and_belongs_to_its_folder() {
    let folder = folder();
    let is_root = rustix::process::geteuid().is_root();
    let owner = if is_root { 65_534 } else { rustix::process::geteuid().as_raw() };
    std::os::unix::fs::chown(folder.path(), Some(owner), None).unwrap();
    let (link, victim) = (folder.path().join("link"), folder.path().join("victim"));
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    let refused = create_private(&link).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    create_private_folder(&link).unwrap_err();
    assert!(!victim.exists());
    let made = folder.path().join("made");
    create_private(&made).unwrap();
    create_private_folder(&folder.path().join("within")).unwrap();
    for name in ["made", "within"] {
        let found = folder.path().join(name).symlink_metadata().unwrap();
        assert_eq!((found.uid(), found.mode() & 0o077), (owner, 0), "{name}");
    }
    // What lies there already is nobody's to give.
    create_private(&made).unwrap_err();
}
