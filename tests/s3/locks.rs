//! Object locks and the versions that a name hides, on a real bucket with both.

use lifeboat::clock::Clock;
use lifeboat::clock::SystemClock;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::s3::S3Options;
use lifeboat::storage::s3::versions::BucketLock;
use lifeboat::storage::s3::versions::DefaultLock;
use lifeboat::storage::s3::versions::LOCK_DAYS_MAX;
use lifeboat::storage::s3::versions::Lock;
use lifeboat::storage::s3::versions::LockMode;
use lifeboat::units::Timestamp;

use super::name;
use super::opened;
use super::server::GUEST;
use super::server::server;
use super::setup::blocks_of_the_guide;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn days_on(days: i64) -> Timestamp {
    Timestamp::from_unix_ms(SystemClock::new().now().unix_ms + days * DAY_MS)
}

/// A bucket that locks what is new, made as the guide says.
pub(super) fn locking_bucket() -> String {
    let bucket = server().new_locked_bucket();
    let lock = blocks_of_the_guide("xml").remove(0);
    let (status, said) =
        server().ask("PUT", &format!("/{bucket}?object-lock="), &[], lock.as_bytes());
    assert_eq!(status, 200, "{said}");
    bucket
}

/// The server's names of all versions of a name, data only.
fn versions_of(bucket: &str, key: &str) -> Vec<String> {
    let target = format!("/{bucket}?prefix=copies%2Fof%20the%20office%2F{key}&versions=");
    let (status, said) = server().ask("GET", &target, &[], b"");
    assert_eq!(status, 200, "{said}");
    // A neighbour begins with the same letters.
    let is_it = format!("/{}</Key>", key.replace("%2F", "/"));
    let rows = said.split("<Version>").skip(1).filter(|row| row.contains(&is_it));
    let id = |row: &str| row.split("<VersionId>").nth(1)?.split('<').next().map(str::to_owned);
    rows.map(|row| id(row).unwrap()).collect()
}

#[test]
fn what_a_lock_keeps_is_found_beneath() {
    let bucket = locking_bucket();
    let storage = opened(server().options(&bucket));
    let default = DefaultLock { mode: LockMode::Compliance, days: 30 };
    assert_eq!(storage.bucket_lock().unwrap(), BucketLock::Default(default));
    storage.create(&name("packs/a"), &[b"good"]).unwrap();
    storage.create(&name("packs/a-b"), &[b"neighbour"]).unwrap();
    assert_eq!(storage.hidden(&name("packs/a")).unwrap(), []);
    let lock = storage.lock_of(&name("packs/a")).unwrap().unwrap();
    assert_eq!(lock.mode, LockMode::Compliance);
    assert!((29..=31).contains(&(lock.until.ms_since(days_on(0)) / DAY_MS)), "{lock:?}");

    // Another writer with the same keys replaces it, and one deletes it.
    let target = format!("/{bucket}/copies/of%20the%20office/packs/a");
    assert_eq!(server().ask("PUT", &target, &[], b"evil bytes").0, 200);
    assert_eq!(storage.read(&name("packs/a"), 99).unwrap(), b"evil bytes");
    storage.delete(&name("packs/a")).unwrap();
    assert_eq!(storage.read(&name("packs/a"), 99).unwrap_err().kind, StorageErrorKind::NotFound);
    let listed = storage.list("packs/").unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");

    let hidden = storage.hidden(&name("packs/a")).unwrap();
    let contents: Vec<Vec<u8>> = hidden
        .iter()
        .map(|version| storage.read_hidden(&name("packs/a"), version, 99).unwrap())
        .collect();
    assert_eq!(contents, [b"evil bytes".to_vec(), b"good".to_vec()]);
    assert_eq!(hidden[1].len_bytes, 4);
    let long = storage.read_hidden(&name("packs/a"), &hidden[1], 3).unwrap_err();
    assert_eq!(long.kind, StorageErrorKind::Length);
    // No version goes before its time, whoever asks.
    let versions = versions_of(&bucket, "packs%2Fa");
    assert_eq!(versions.len(), 2);
    for id in versions {
        let (status, said) = server().ask("DELETE", &format!("{target}?versionId={id}"), &[], b"");
        assert_eq!(status, 403, "{said}");
    }
    // The name is free again, and what repair writes there is seen.
    storage.create(&name("packs/a"), &[b"good"]).unwrap();
    assert_eq!(storage.read(&name("packs/a"), 99).unwrap(), b"good");
    assert_eq!(storage.hidden(&name("packs/a")).unwrap().len(), 2);
}

#[test]
fn a_lock_is_renewed_and_never_shortened() {
    let bucket = locking_bucket();
    let storage = opened(server().options(&bucket));
    let a = name("a");
    storage.create(&a, &[b"1"]).unwrap();
    let until = |days| Lock { mode: LockMode::Governance, until: days_on(days) };
    storage.renew(&a, until(90)).unwrap();
    let renewed = storage.lock_of(&a).unwrap().unwrap();
    assert_eq!(renewed.mode, LockMode::Compliance, "a compliance lock stays one");
    assert_eq!((renewed.until.ms_since(days_on(0)) + DAY_MS / 2) / DAY_MS, 90);
    storage.renew(&a, until(10)).unwrap();
    assert_eq!(storage.lock_of(&a).unwrap(), Some(renewed));
    let far = storage.renew(&a, until(LOCK_DAYS_MAX + 2)).unwrap_err();
    assert_eq!(far.kind, StorageErrorKind::Other, "{far}");
    assert_eq!(storage.lock_of(&a).unwrap(), Some(renewed));
    let missing = storage.renew(&name("b"), until(90)).unwrap_err();
    assert_eq!(missing.kind, StorageErrorKind::NotFound, "{missing}");
}

#[test]
fn a_bucket_without_locks_says_so() {
    let storage = opened(server().options(&server().new_bucket()));
    assert_eq!(storage.bucket_lock().unwrap(), BucketLock::None);
    storage.create(&name("a"), &[b"1"]).unwrap();
    assert_eq!(storage.lock_of(&name("a")).unwrap(), None);
    let lock = Lock { mode: LockMode::Compliance, until: days_on(1) };
    assert_eq!(storage.renew(&name("a"), lock).unwrap_err().kind, StorageErrorKind::Other);
    assert_eq!(storage.hidden(&name("a")).unwrap(), []);
    let on_demand = opened(server().options(&server().new_locked_bucket()));
    assert_eq!(on_demand.bucket_lock().unwrap(), BucketLock::OnDemand);
}

/// The user of the guide who may only add, on the bucket of the guide.
#[test]
fn the_user_of_the_guide_adds_and_takes_nothing_away() {
    let bucket = locking_bucket();
    let policy = blocks_of_the_guide("json").remove(0).replace("lifeboat-office", &bucket);
    let policy = policy.replace("user/lifeboat-daily", "user/guest");
    let (status, said) = server().ask("PUT", &format!("/{bucket}?policy="), &[], policy.as_bytes());
    assert_eq!(status, 204, "{said}");
    let daily = opened(S3Options { keys: GUEST.keys(), ..server().options(&bucket) });
    daily.create(&name("a"), &[b"content"]).unwrap();
    daily.create(&name("big"), &[&vec![3; 65 << 20]]).unwrap();
    assert_eq!(daily.read(&name("a"), 9).unwrap(), b"content");
    assert_eq!(daily.list("").unwrap().len(), 2);
    assert_eq!(daily.strangers().unwrap().temporaries_count, 0);
    assert_eq!(daily.hidden(&name("a")).unwrap(), []);
    assert_eq!(daily.delete(&name("a")).unwrap_err().kind, StorageErrorKind::Denied);
    let lock = Lock { mode: LockMode::Compliance, until: days_on(60) };
    daily.renew(&name("a"), lock).unwrap();
    assert_eq!(daily.read(&name("a"), 9).unwrap(), b"content");
}
