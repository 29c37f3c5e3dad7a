//! The storage in a bucket, against a real gateway, and behind a network that fails.

mod beneath;
mod budget;
mod faults;
mod large;
mod locks;
mod program;
pub mod proxy;
pub mod server;
mod setup;
mod slow;

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
use lifeboat::storage::s3::S3Options;
use lifeboat::storage::s3::S3Storage;
use lifeboat::storage::s3::Weakness;
use lifeboat::storage::s3::client::Patience;

use self::server::server;

const IMPATIENT: Patience =
    Patience { connect: Duration::from_secs(5), stall: Duration::from_millis(700) };
const RETRY: RetryOptions = RetryOptions {
    attempts_max: 8,
    wait_first: Duration::from_millis(5),
    wait_max: Duration::from_millis(100),
    whole_max: Duration::from_secs(15 * 60),
};

fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 1)
}

fn name(text: &str) -> BlobName {
    BlobName::new(text).unwrap()
}

fn opened(options: S3Options) -> S3Storage {
    S3Storage::open(&run(), options).unwrap()
}

/// The same bucket by another way.
fn by(options: &S3Options, endpoint: String) -> S3Options {
    S3Options { endpoint: Some(endpoint), ..options.clone() }
}

fn retrying(options: S3Options) -> Arc<dyn Storage> {
    let storage = S3Storage::open_with(&run(), options, IMPATIENT).unwrap();
    Arc::new(Retry::new(&run(), Arc::new(storage), RETRY))
}

#[test]
fn a_bucket_keeps_the_promises() {
    let make =
        || -> Arc<dyn Storage> { Arc::new(opened(server().options(&server().new_bucket()))) };
    assert_eq!(conformance::all(&make), Ok(()));
}

#[test]
fn a_bucket_without_a_prefix_is_used_whole() {
    let mut options = server().options(&server().new_bucket());
    options.prefix = String::new();
    let storage = opened(options);
    assert!(!storage.location().ends_with('/'));
    storage.create(&name("packs/0a"), &[b"1", b"23"]).unwrap();
    storage.create(&name("top"), &[]).unwrap();
    let mut listed: Vec<(String, u64)> = storage
        .list("")
        .unwrap()
        .into_iter()
        .map(|row| (row.name.to_string(), row.len_bytes))
        .collect();
    listed.sort();
    assert_eq!(listed, [("packs/0a".to_owned(), 3), ("top".to_owned(), 0)]);
    assert_eq!(storage.lacks().unwrap(), []);
}

#[test]
fn a_server_that_ignores_conditions_is_found_out() {
    let storage = opened(server().options(&server().new_locked_bucket()));
    let found = storage.lacks().unwrap();
    assert_eq!(found, [Weakness::Replaces, Weakness::KeepsDeleted]);
    assert!(found[0].to_string().contains("If-None-Match"));
    // One writer after another is kept from replacing all the same.
    storage.create(&name("a"), &[b"first"]).unwrap();
    let again = storage.create(&name("a"), &[b"other"]).unwrap_err();
    assert_eq!(again.kind, StorageErrorKind::AlreadyExists);
    assert_eq!(storage.read(&name("a"), 9).unwrap(), b"first");
    storage.delete(&name("a")).unwrap();
    assert_eq!(storage.stat(&name("a")).unwrap_err().kind, StorageErrorKind::NotFound);
    assert_eq!(storage.delete(&name("a")).unwrap_err().kind, StorageErrorKind::NotFound);
    storage.create(&name("a"), &[b"second"]).unwrap();
    assert_eq!(storage.read(&name("a"), 9).unwrap(), b"second");
}

#[test]
fn a_listing_has_every_page_or_is_an_error() {
    const BLOBS_COUNT: usize = 1_050;
    let options = server().options(&server().new_bucket());
    let storage = opened(options.clone());
    std::thread::scope(|scope| {
        for first in 0..8 {
            let storage = &storage;
            scope.spawn(move || {
                for n in (first..BLOBS_COUNT).step_by(8) {
                    storage.create(&name(&format!("p/{n}")), &[b"x"]).unwrap();
                }
            });
        }
    });
    assert_eq!(storage.list("p/").unwrap().len(), BLOBS_COUNT);
    // The second page does not come.
    let proxy = proxy::Proxy::start(server().port, |seen| {
        let is_second = seen.target.contains("continuation-token");
        if is_second { proxy::Fate::CutAnswer } else { proxy::Fate::Pass }
    });
    let storage = opened(by(&options, proxy.endpoint()));
    assert_eq!(storage.list("p/").unwrap_err().kind, StorageErrorKind::Transient);
}

/// Something that answers in the place of the server, or a server with ways of its own: nobody may
/// conclude from it that there is nothing.
#[test]
fn odd_answers_are_no_answers() {
    const NO_END: &str = "<ListBucketResult/>";
    const BOTH: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <NextContinuationToken>x</NextContinuationToken></ListBucketResult>";
    const ROUND: &str = "<ListBucketResult>\
        <Contents><Key>copies/of the office/p/a</Key><Size>1</Size></Contents>\
        <IsTruncated>true</IsTruncated><NextContinuationToken>y</NextContinuationToken>\
        </ListBucketResult>";
    let options = server().options(&server().new_bucket());
    opened(options.clone()).create(&name("p/a"), &[b"1"]).unwrap();
    let through = |fate: proxy::Fate, is_meant: fn(&proxy::Seen) -> bool| {
        let proxy = proxy::Proxy::start(server().port, move |seen| match is_meant(seen) {
            true => fate,
            false => proxy::Fate::Pass,
        });
        (opened(by(&options, proxy.endpoint())), proxy)
    };
    for (body, expected) in [
        (NO_END, "does not say whether"),
        (BOTH, "does not say whether"),
        (ROUND, "not how to go on"),
    ] {
        let is_listing = |seen: &proxy::Seen| seen.target.contains("max-keys=1000");
        let (storage, _proxy) = through(proxy::Fate::Say(200, body), is_listing);
        let error = storage.list("p/").unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Other, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // Another token each time, and the same names.
    let again: &'static str =
        ROUND.replace("<NextContinuationToken>y", "<NextContinuationToken>z").leak();
    let proxy = proxy::Proxy::start(server().port, move |seen| {
        let is_next = seen.target.contains("continuation-token");
        match seen.target.contains("max-keys=1000") {
            true => proxy::Fate::Say(200, if is_next { again } else { ROUND }),
            false => proxy::Fate::Pass,
        }
    });
    let error = opened(by(&options, proxy.endpoint())).list("p/").unwrap_err();
    assert!(error.to_string().contains("goes backwards"), "{error}");
    let is_read = |seen: &proxy::Seen| {
        seen.method == "GET" && seen.target.split('?').next().unwrap().ends_with("/a")
    };
    let (storage, _proxy) = through(proxy::Fate::Say(404, "not here"), is_read);
    assert_eq!(storage.read(&name("p/a"), 9).unwrap_err().kind, StorageErrorKind::Transient);
    let error = storage.read_range(&name("p/a"), 0, &mut [0]).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    // What ails the keys now says nothing of conditions.
    let expired = "<Error><Code>ExpiredToken</Code></Error>";
    let is_probe = |seen: &proxy::Seen| seen.method == "PUT" && seen.target.contains("-probe");
    let (storage, _proxy) = through(proxy::Fate::Say(400, expired), is_probe);
    let error = storage.create(&name("p/b"), &[b"1"]).map(|()| storage.lacks().unwrap());
    assert!(!error.is_ok_and(|lacks| lacks.contains(&Weakness::Replaces)));
}

#[test]
fn what_is_no_blob_is_told_apart() {
    let bucket = server().new_bucket();
    let storage = opened(server().options(&bucket));
    storage.create(&name("a/b"), &[b"1"]).unwrap();
    for key in ["Big%01%2B%20x", "a/.hidden", "a//b"] {
        let target = format!("/{bucket}/copies/of%20the%20office/{key}");
        assert_eq!(server().ask("PUT", &target, &[], b"x").0, 200);
    }
    assert_eq!(server().ask("PUT", &format!("/{bucket}/copies/beside"), &[], b"x").0, 200);
    assert_eq!(storage.list("").unwrap().len(), 1);
    assert_eq!(storage.list("a/").unwrap().len(), 1);
    let strangers = storage.strangers().unwrap();
    assert_eq!(strangers.unknown.len(), 3, "{strangers:?}");
    assert!(strangers.unknown.contains(&"a/.hidden".to_owned()), "{strangers:?}");
}
