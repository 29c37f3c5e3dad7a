//! Every promise behind a network that fails, with the layer that tries again.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lifeboat::clock::Clock;
use lifeboat::clock::ManualClock;
use lifeboat::clock::SystemClock;
use lifeboat::ids::RunId;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::conformance;
use lifeboat::storage::layer::retry::Retry;
use lifeboat::storage::layer::retry::RetryOptions;
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

/// A clock on which waiting takes no time tells how long was waited.
#[test]
fn a_server_that_asks_to_be_left_alone_is_left_alone() {
    const PATIENT: RetryOptions = RetryOptions {
        attempts_max: 9,
        wait_first: Duration::from_secs(1),
        wait_max: Duration::from_secs(30),
        whole_max: Duration::from_secs(15 * 60),
    };
    let options = server().options(&server().new_bucket());
    opened(options.clone()).create(&name("a"), &[b"1"]).unwrap();
    let read_behind = |asked_s: u32, times: usize| {
        let met_count = AtomicUsize::new(0);
        let proxy = Proxy::start(server().port, move |seen| {
            let is_read = seen.method == "GET" && seen.target.ends_with("/a");
            match is_read && met_count.fetch_add(1, Ordering::Relaxed) < times {
                true => Fate::BusyFor(503, asked_s),
                false => Fate::Pass,
            }
        });
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let id = RunId::new([0; 16]);
        let run = Run::new(id, Arc::new(Silent), Arc::clone(&clock) as Arc<dyn Clock>, 1);
        let storage = S3Storage::open(&run, by(&options, proxy.endpoint())).unwrap();
        let storage = Retry::new(&run, Arc::new(storage), PATIENT);
        let read = storage.read(&name("a"), 9);
        let asked_count = proxy.seen().iter().filter(|seen| seen.target.ends_with("/a")).count();
        (read, clock.elapsed(), asked_count)
    };
    let (read, waited, asked_count) = read_behind(20, 2);
    assert_eq!((read.unwrap(), waited, asked_count), (b"1".to_vec(), Duration::from_secs(40), 3));
    // Not asked for again before its time, and not waited for longer than for any other fault.
    let (read, waited, asked_count) = read_behind(7_200, 1);
    let error = read.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    assert!(error.to_string().contains("left alone for 7200 s"), "{error}");
    assert_eq!((waited, asked_count), (Duration::ZERO, 1));
}
