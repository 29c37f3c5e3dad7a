use std::num::NonZeroU64;
use std::time::Duration;

use super::*;

use crate::clock::ManualClock;
use crate::ids::RunId;
use crate::run::Stopped;
use crate::run::monitor::Silent;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::storage::layer::Verb;
use crate::storage::layer::fault::FaultLayer;
use crate::storage::layer::fault::plan::Fault;
use crate::storage::layer::fault::plan::Lasting;
use crate::storage::layer::fault::plan::Plan;
use crate::storage::layer::record::Record;
use crate::storage::memory::MemoryStorage;
use crate::units::Timestamp;

const OPTIONS: StackOptions = StackOptions {
    retry: RetryOptions {
        attempts_max: 4,
        wait_first: Duration::from_secs(1),
        wait_max: Duration::from_secs(3),
        whole_max: Duration::from_secs(15 * 60),
    },
    limits: Limits { up_bytes_per_s: None, down_bytes_per_s: None },
    timetable: None,
};

fn name(text: &str) -> BlobName {
    BlobName::new(text).unwrap()
}

fn run() -> Run {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
    Run::new(RunId::new([0; 16]), Arc::new(Silent), clock, 1)
}

/// A stack over a record over faults over memory.
fn faulty(run: &Run, plan: Plan) -> (Stack, Arc<Record>) {
    let memory = Arc::new(MemoryStorage::new(Arc::clone(&run.clock)));
    let faults = Arc::new(FaultLayer::new(Arc::clone(&run.clock), memory, plan));
    let record = Arc::new(Record::new(faults));
    (stack(run, Arc::clone(&record) as Arc<dyn Storage>, &OPTIONS), record)
}

#[test]
fn passing_faults_are_cured_with_growing_waits() {
    let run = run();
    let throttled = Fault::Throttled { calls_count: 3 };
    let (stack, record) =
        faulty(&run, Plan::none().with(Verb::Create, 1, Lasting::Once, throttled));
    stack.storage.create(&name("a"), &[b"12", b"3"]).unwrap();
    assert_eq!(record.count(Verb::Create), 4);
    let waited = run.clock.elapsed();
    assert!((3000..=6000).contains(&waited.as_millis()), "{waited:?}");
    let figures = stack.metrics.figures()[&Verb::Create];
    assert_eq!((figures.calls_count, figures.errors_count, figures.bytes), (4, 3, 3));
}

#[test]
fn patience_ends_and_a_stopped_run_is_not_kept() {
    let run = run();
    let plan = || Plan::none().with(Verb::List, 1, Lasting::Always, Fault::ListFails);
    let (stack, record) = faulty(&run, plan());
    assert_eq!(stack.storage.list("").unwrap_err().kind, StorageErrorKind::Transient);
    assert_eq!(record.count(Verb::List), 4);
    let waited = run.clock.elapsed();
    run.cancel.stop(Stopped::Interrupted);
    let (stack, record) = faulty(&run, plan());
    assert!(stack.storage.list("").is_err());
    assert_eq!((record.count(Verb::List), run.clock.elapsed()), (1, waited));
}

#[test]
fn a_lost_answer_is_success_only_if_the_blob_is_ours() {
    let run = run();
    let lost = |verb| Plan::none().with(verb, 1, Lasting::Once, Fault::ErrorAfter);
    let (stack, record) = faulty(&run, lost(Verb::Create));
    stack.storage.create(&name("a"), &[b"12", b"", b"3"]).unwrap();
    assert_eq!((record.count(Verb::Create), record.count(Verb::Read)), (2, 1));
    for other in [b"1234".as_slice(), b"12", b"124"] {
        let taken = stack.storage.create(&name("a"), &[other]).unwrap_err();
        assert_eq!(taken.kind, StorageErrorKind::AlreadyExists);
    }
    let cut = Fault::CutLeftVisible { len_bytes: 2 };
    let (stack, _) = faulty(&run, Plan::none().with(Verb::Create, 1, Lasting::Once, cut));
    let taken = stack.storage.create(&name("a"), &[b"123"]).unwrap_err();
    assert_eq!(taken.kind, StorageErrorKind::AlreadyExists);
    let (stack, _) = faulty(&run, lost(Verb::Delete));
    stack.storage.create(&name("a"), &[b"1"]).unwrap();
    stack.storage.delete(&name("a")).unwrap();
    let missing = stack.storage.delete(&name("a")).unwrap_err();
    assert_eq!(missing.kind, StorageErrorKind::NotFound);
}

#[test]
fn a_failed_sync_is_not_repeated() {
    let run = run();
    let (stack, record) =
        faulty(&run, Plan::none().with(Verb::Sync, 1, Lasting::Once, Fault::ErrorBefore));
    assert!(stack.storage.sync().is_err());
    assert_eq!(record.count(Verb::Sync), 1);
}

#[test]
fn a_limit_holds_in_both_directions() {
    let run = run();
    let rate = NonZeroU64::new(1000);
    let limits = Limits { up_bytes_per_s: rate, down_bytes_per_s: rate };
    let memory = Arc::new(MemoryStorage::new(Arc::clone(&run.clock)));
    let stack = stack(&run, memory, &StackOptions { limits, ..OPTIONS });
    // One second's worth may go at once.
    stack.storage.create(&name("a"), &[&[0; 1000]]).unwrap();
    assert_eq!(run.clock.elapsed(), Duration::ZERO);
    stack.storage.create(&name("b"), &[&[0; 2500]]).unwrap();
    assert_eq!(run.clock.elapsed(), Duration::from_millis(2500));
    stack.storage.read(&name("b"), 2500).unwrap();
    assert_eq!(run.clock.elapsed(), Duration::from_millis(4000));
    stack.storage.read_range(&name("a"), 0, &mut [0; 100]).unwrap();
    assert_eq!(run.clock.elapsed(), Duration::from_millis(4100));
}
