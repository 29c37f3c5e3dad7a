//! Blobs that go up in parts.

use lifeboat::storage::Storage;
use lifeboat::storage::StorageErrorKind;

use super::by;
use super::name;
use super::opened;
use super::proxy::Fate;
use super::proxy::Proxy;
use super::proxy::Seen;
use super::server::server;

/// Above what goes up whole, and no multiple of a part.
const LARGE_BYTES: usize = (66 << 20) + 12_345;
/// More than the buffers of a connection, less than a blob or a part.
const HELD_BYTES_MAX: u64 = 4 << 20;

fn content() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()
    };
    let mut bytes: Vec<u8> = (0..LARGE_BYTES.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(LARGE_BYTES);
    bytes
}

#[test]
fn a_large_blob_goes_up_in_parts_and_comes_back_without_a_copy() {
    let bucket = server().new_bucket();
    let options = server().options(&bucket);
    let proxy = Proxy::start(server().port, |_| Fate::Pass);
    let storage = opened(by(&options, proxy.endpoint()));
    let bytes = content();
    let (start, end) = bytes.split_at(LARGE_BYTES / 3);
    let held = allocation_counter::measure(|| {
        storage.create(&name("packs/big"), &[start, &[], end]).unwrap();
    });
    assert!(held.bytes_max < HELD_BYTES_MAX, "{held:?}");
    let parts = proxy.seen().iter().filter(|seen| seen.target.contains("partNumber")).count();
    assert_eq!(parts, LARGE_BYTES.div_ceil(16 << 20));
    // Each part with its checksum; the joining without one, where it would be that of the whole.
    let sums = |seen: &&Seen| seen.head.contains("x-amz-checksum-sha256:");
    let (with, without): (Vec<_>, Vec<_>) = proxy.seen().into_iter().partition(|it| sums(&it));
    assert!(with.iter().all(|seen| seen.method == "PUT"), "{with:?}");
    assert!(without.iter().all(|seen| seen.method != "PUT"), "{without:?}");
    assert!(without.iter().any(|seen| seen.method == "POST" && seen.target.contains("uploadId")));

    assert_eq!(storage.stat(&name("packs/big")).unwrap().len_bytes, LARGE_BYTES as u64);
    assert!(storage.read(&name("packs/big"), LARGE_BYTES as u64).unwrap() == bytes);
    let mut tail = [0; 1000];
    storage.read_range(&name("packs/big"), LARGE_BYTES as u64 - 1000, &mut tail).unwrap();
    assert_eq!(tail[..], bytes[LARGE_BYTES - 1000..]);
    let held = allocation_counter::measure(|| {
        let error = storage.read(&name("packs/big"), 1000).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Length);
    });
    assert!(held.bytes_max < HELD_BYTES_MAX, "{held:?}");

    let again = storage.create(&name("packs/big"), &[&bytes]).unwrap_err();
    assert_eq!(again.kind, StorageErrorKind::AlreadyExists);
    assert_eq!(storage.strangers().unwrap().temporaries_count, 0);
}

#[test]
fn an_upload_that_fails_is_taken_back() {
    let options = server().options(&server().new_bucket());
    let proxy = Proxy::start(server().port, |seen| {
        if seen.target.contains("partNumber=3&") { Fate::CutInside } else { Fate::Pass }
    });
    let storage = opened(by(&options, proxy.endpoint()));
    let error = storage.create(&name("a"), &[&content()]).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    assert_eq!(storage.stat(&name("a")).unwrap_err().kind, StorageErrorKind::NotFound);
    assert_eq!(storage.strangers().unwrap().temporaries_count, 0);
}

#[test]
fn an_upload_that_may_be_joined_is_left_to_be_found() {
    let options = server().options(&server().new_bucket());
    let proxy = Proxy::start(server().port, |seen| {
        let is_joining = seen.method == "POST" && seen.target.contains("uploadId=");
        if is_joining { Fate::LoseAnswer } else { Fate::Pass }
    });
    let storage = opened(by(&options, proxy.endpoint()));
    let bytes = content();
    let error = storage.create(&name("a"), &[&bytes]).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    assert!(!proxy.seen().iter().any(|seen| seen.method == "DELETE"));
    // The server had done it: who tries again finds the very bytes.
    let again = storage.create(&name("a"), &[&bytes]).unwrap_err();
    assert_eq!(again.kind, StorageErrorKind::AlreadyExists);
    assert!(storage.read(&name("a"), LARGE_BYTES as u64).unwrap() == bytes);
}

#[test]
fn uploads_that_nobody_finished_go_after_a_day() {
    let bucket = server().new_bucket();
    let options = server().options(&bucket);
    let key = format!("/{bucket}/copies/of%20the%20office/packs/x");
    let (status, said) = server().ask("POST", &format!("{key}?uploads="), &[], b"");
    assert_eq!(status, 200, "{said}");
    let (_, id) = said.split_once("<UploadId>").unwrap();
    let (id, _) = id.split_once('<').unwrap();
    let part = format!("{key}?partNumber=1&uploadId={id}");
    assert_eq!(server().ask("PUT", &part, &[], &[1; 3000]).0, 200);
    let beside = format!("/{bucket}/of-others?uploads=");
    assert_eq!(server().ask("POST", &beside, &[], b"").0, 200);

    let storage = opened(options.clone());
    let found = storage.strangers().unwrap();
    assert_eq!((found.temporaries_count, found.temporaries_bytes), (1, 3000));
    assert_eq!(storage.remove_leftovers().unwrap().count, 0);
    // Two days on, by the server's clock.
    let proxy = Proxy::start(server().port, |_| Fate::Later);
    let removed = opened(by(&options, proxy.endpoint())).remove_leftovers().unwrap();
    assert_eq!((removed.count, removed.bytes), (1, 3000));
    assert_eq!(storage.strangers().unwrap().temporaries_count, 0);
    let (_, left) = server().ask("GET", &format!("/{bucket}?uploads="), &[], b"");
    assert!(left.contains("of-others"), "{left}");
}
