//! Every promise behind a network that fails, with the layer that tries again.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use lifeboat::storage::Storage;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::conformance;
use lifeboat::storage::s3::S3Storage;

use super::IMPATIENT;
use super::by;
use super::name;
use super::opened;
use super::proxy::Fate;
use super::proxy::Proxy;
use super::proxy::Seen;
use super::retrying;
use super::run;
use super::server::server;

/// Who tries again cannot tell its own work from another's: a name that is taken again with the
/// very same bytes, and a blob that is deleted and was never there, count as done. Those are
/// spared.
fn is_spared(seen: &Seen) -> bool {
    let is_about = ["/a/b", "/none", "/none/b"].iter().any(|end| seen.target.ends_with(end));
    is_about || seen.target.contains("max-keys=1&")
}

/// All promises, where one request in `every` meets one of these fates, in turn.
fn kept_behind(fates: &'static [Fate], every: usize) {
    let met_count = Arc::new(AtomicUsize::new(0));
    let proxies = Mutex::new(Vec::new());
    let make = || -> Arc<dyn Storage> {
        let met_count = Arc::clone(&met_count);
        let proxy = Proxy::start(server().port, move |seen| {
            if seen.number % every != every - 1 || is_spared(seen) {
                return Fate::Pass;
            }
            fates[met_count.fetch_add(1, Ordering::Relaxed) % fates.len()]
        });
        let options = server().options(&server().new_bucket());
        let storage = retrying(by(&options, proxy.endpoint()));
        proxies.lock().unwrap().push(proxy);
        storage
    };
    assert_eq!(conformance::all(&make), Ok(()), "{fates:?}");
    let met_count = met_count.load(Ordering::Relaxed);
    assert!(met_count >= 5 * fates.len(), "{fates:?} met {met_count} times");
}

#[test]
fn connections_that_end_and_busy_servers_are_survived() {
    const FATES: [Fate; 6] = [
        Fate::Cut,
        Fate::CutInside,
        Fate::CutAnswer,
        Fate::LoseAnswer,
        Fate::Busy(503),
        Fate::Busy(429),
    ];
    kept_behind(&FATES, 4);
}

#[test]
fn connections_that_stand_still_are_survived() {
    const FATES: [Fate; 2] = [Fate::Stall, Fate::StallAnswer];
    kept_behind(&FATES, 30);
}

#[test]
fn every_fault_has_its_kind() {
    let options = server().options(&server().new_bucket());
    opened(options.clone()).create(&name("a"), &[&[7; 5000]]).unwrap();
    for fate in [Fate::Cut, Fate::CutAnswer, Fate::Stall, Fate::StallAnswer, Fate::Busy(429)] {
        let proxy = Proxy::start(server().port, move |seen| {
            if seen.target.contains("/a") && seen.method == "GET" { fate } else { Fate::Pass }
        });
        let by_proxy = by(&options, proxy.endpoint());
        let storage = S3Storage::open_with(&run(), by_proxy, IMPATIENT).unwrap();
        let error = storage.read(&name("a"), 5000).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Transient, "{fate:?}: {error}");
        let error = storage.read_range(&name("a"), 10, &mut [0; 100]).unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Transient, "{fate:?}: {error}");
        assert_eq!(storage.list("").unwrap().len(), 1);
    }
}

#[test]
fn something_else_that_answers_well_is_not_believed() {
    let options = server().options(&server().new_bucket());
    let proxy = Proxy::start(server().port, |seen| {
        if seen.method == "PUT" && seen.target.ends_with("/a") {
            Fate::Busy(200)
        } else {
            Fate::Pass
        }
    });
    let storage = opened(by(&options, proxy.endpoint()));
    let error = storage.create(&name("a"), &[b"1"]).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Other, "{error}");
    assert!(error.to_string().contains("ETag"), "{error}");
}
