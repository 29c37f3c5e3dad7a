//! What somebody has replaced or removed in a bucket with versions, and locks that come to an end.

use lifeboat::clock::Clock as _;
use lifeboat::clock::SystemClock;
use lifeboat::storage::BlobName;
use lifeboat::storage::Storage as _;
use lifeboat::storage::s3::S3Options;
use lifeboat::storage::s3::S3Storage;

use super::locks::locking_bucket;
use super::opened;
use super::program;
use super::server::OWNER;
use super::server::server;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The bucket of a scene, past the program.
fn bucket(name: &str) -> S3Storage {
    let options = server().options(name);
    opened(S3Options { prefix: "office".to_owned(), ..options })
}

fn names(bucket: &S3Storage, prefix: &str) -> Vec<BlobName> {
    bucket.list(prefix).unwrap().into_iter().map(|listed| listed.name).collect()
}

fn put(bucket: &str, name: &BlobName, bytes: &[u8]) {
    let (status, said) = server().ask("PUT", &format!("/{bucket}/office/{name}"), &[], bytes);
    assert_eq!(status, 200, "{said}");
}

/// Whoever has the daily keys removes what he can, and replaces the rest.
#[test]
fn what_an_attacker_hides_is_found_and_stored_anew() {
    let name = locking_bucket();
    let scene = program::scene(server(), &name, OWNER);
    // The server lacks a promise in such a bucket, and says so.
    scene.expect(3, &["-q", "init"]);
    scene.expect(0, &["-q", "backup", "."]);
    scene.file("source/letters/three.txt", &[b'3'; 100_000]);
    scene.expect(0, &["-q", "backup", "."]);
    let bucket = bucket(&name);
    for pack in names(&bucket, "packs/") {
        bucket.delete(&pack).unwrap();
    }
    for index in names(&bucket, "index/") {
        put(&name, &index, b"evil");
    }
    // Both copies of the older snapshot go, both of the newer one are others.
    for folder in ["manifests/", "manifests.2/"] {
        let manifests = names(&bucket, folder);
        bucket.delete(&manifests[0]).unwrap();
        put(&name, &manifests[1], b"evil");
    }
    scene.expect(20, &["-q", "check"]);
    scene.expect(20, &["-q", "repair", "-n"]);
    let planned = scene.expect(20, &["repair", "-n", "--from", "versions"]);
    assert!(planned.to_string().contains("from elsewhere"), "{planned}");
    let told = scene.run(&["repair", "--from", "versions"]);
    assert!(matches!(told.code, Some(0 | 3)), "{told}");
    let listed = scene.expect(0, &["snapshots", "--json"]).json_of("result");
    assert_eq!(listed.len(), 2, "{told}");
    let checked = scene.run(&["check", "--read-data"]);
    assert!(matches!(checked.code, Some(0 | 3)), "{checked}");
    let dumped = scene.expect(0, &["dump", "latest:letters/three.txt"]);
    assert_eq!(dumped.stdout, [b'3'; 100_000]);
    // Where nothing is hidden there is nothing to look beneath.
    let folder = scene.path("folder").display().to_string();
    scene.expect(0, &["-q", "-r", &folder, "init"]);
    let told = scene.expect(2, &["-r", &folder, "repair", "--from", "versions"]);
    assert!(told.stderr.contains("reads what a bucket hides"), "{told}");
}

/// Made when the bucket locked for a day; now it locks for thirty.
#[test]
fn a_prune_renews_the_locks_of_what_stays() {
    let name = locking_bucket();
    let lock = |days: u32| {
        let body = format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>\
             <DefaultRetention><Mode>COMPLIANCE</Mode><Days>{days}</Days></DefaultRetention>\
             </Rule></ObjectLockConfiguration>"
        );
        let (status, said) =
            server().ask("PUT", &format!("/{name}?object-lock="), &[], body.as_bytes());
        assert_eq!(status, 200, "{said}");
    };
    lock(1);
    let scene = program::scene(server(), &name, OWNER);
    // The server lacks a promise in such a bucket, and says so.
    scene.expect(3, &["-q", "init"]);
    scene.expect(0, &["-q", "backup", "."]);
    lock(30);
    let bucket = bucket(&name);
    let days = |name: &BlobName| {
        let left = bucket.lock_of(name).unwrap().unwrap().until.ms_since(SystemClock::new().now());
        (left + DAY_MS / 2) / DAY_MS
    };
    let all = |bucket: &S3Storage| {
        let is_lasting = |name: &BlobName| !name.as_str().starts_with("probe/");
        names(bucket, "").into_iter().filter(is_lasting).collect::<Vec<_>>()
    };
    let before = all(&bucket);
    assert!(before.len() > 10 && before.iter().all(|name| days(name) == 1), "{before:?}");
    let told = scene.expect(0, &["prune"]);
    assert!(told.stderr.contains(&format!("the locks of {} blobs", before.len())), "{told}");
    assert_eq!(all(&bucket), before);
    assert!(before.iter().all(|name| days(name) == 30), "{before:?}");
    // There is nothing to do a moment later.
    let told = scene.expect(0, &["prune"]);
    assert!(!told.stderr.contains("the locks of"), "{told}");
}
