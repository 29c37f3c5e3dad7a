use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::*;

use crate::clock::ManualClock;
use crate::disk::sim::crash::SECTOR_BYTES;
use crate::units::Timestamp;

fn disk() -> SimDisk {
    SimDisk::new(Arc::new(ManualClock::new(Timestamp::from_unix_ms(5))))
}

/// What `a` holds after each crash at the end; none if the name is gone.
fn ends_of_a(disk: &SimDisk) -> BTreeSet<Option<Vec<u8>>> {
    let last = disk.step_count();
    let mut found = BTreeSet::new();
    disk.history().visit_crashes(1, 8, &mut |point, image| {
        if point.step_count == last {
            found.insert(image.files().get(b"/a".as_slice()).map(|content| content.to_vec()));
        }
    });
    found
}

#[test]
fn a_name_needs_its_folder_synced() {
    let disk = disk();
    disk.create_synced(Path::new("/t"), &[b"da", b"ta"]).unwrap();
    disk.rename_new(Path::new("/t"), Path::new("/a")).unwrap();
    assert_eq!(disk.read(Path::new("/a"), 9).unwrap(), b"data");
    let whole = Some(b"data".to_vec());
    assert_eq!(ends_of_a(&disk), BTreeSet::from([None, whole.clone()]));
    disk.sync_folder(Path::new("/")).unwrap();
    assert_eq!(ends_of_a(&disk), BTreeSet::from([whole.clone()]));
    disk.remove(Path::new("/a")).unwrap();
    assert_eq!(ends_of_a(&disk), BTreeSet::from([None, whole]));
}

#[test]
fn content_without_sync_may_be_empty_zero_or_torn_under_its_name() {
    let disk = disk().with_manner(Manner::ContentSyncLies);
    let content = vec![7; SECTOR_BYTES + 3];
    disk.create_synced(Path::new("/a"), &[&content]).unwrap();
    let torn_zeros = [vec![7; SECTOR_BYTES], vec![0; 3]].concat();
    let expected = [
        None,
        Some(Vec::new()),
        Some(vec![0; SECTOR_BYTES + 3]),
        Some(vec![7; SECTOR_BYTES]),
        Some(torn_zeros),
        Some(content),
    ];
    assert_eq!(ends_of_a(&disk), BTreeSet::from(expected));
}

#[test]
fn a_failed_sync_loses_for_good() {
    let disk = disk();
    disk.create_synced(Path::new("/a"), &[b"x"]).unwrap();
    disk.fail(DiskVerb::SyncFolder, 1, SimError::SyncLost);
    assert!(disk.sync_folder(Path::new("/")).is_err());
    disk.sync_folder(Path::new("/")).unwrap();
    assert_eq!(disk.read(Path::new("/a"), 9).unwrap(), b"x");
    assert_eq!(ends_of_a(&disk), BTreeSet::from([None]));
}

#[test]
fn a_full_disk_leaves_nothing() {
    let disk = disk();
    disk.fail(DiskVerb::Create, 1, SimError::NoSpace);
    let error = disk.create_synced(Path::new("/a"), &[b"four"]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.image().files(), BTreeMap::new());
}

#[test]
fn a_disk_from_an_image_forgets_nothing_of_it() {
    let disk = disk();
    disk.make_folder(Path::new("/f")).unwrap();
    disk.create_synced(Path::new("/f/a"), &[b"x"]).unwrap();
    let after = SimDisk::from_image(Arc::clone(&disk.clock), disk.image());
    after.create_synced(Path::new("/f/b"), &[b"y"]).unwrap();
    let counts = after.history().visit_crashes(1, 4, &mut |_, image| {
        assert_eq!(image.files().get(b"/f/a".as_slice()).map(|x| x.to_vec()), Some(b"x".to_vec()));
    });
    assert!(counts.distinct > 3 && counts.states > counts.distinct, "{counts:?}");
    assert_eq!(after.list(Path::new("/f")).unwrap().len(), 2);
    let wrong = after.create_synced(Path::new("/none/c"), &[]).unwrap_err();
    assert_eq!(wrong.kind(), io::ErrorKind::NotFound);
}
