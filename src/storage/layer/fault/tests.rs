use super::*;

use crate::clock::ManualClock;
use crate::storage::layer::fault::plan::Lasting;
use crate::storage::layer::fault::plan::apt_for;
use crate::storage::memory::MemoryStorage;
use crate::units::Timestamp;

fn name(text: &str) -> BlobName {
    BlobName::new(text).unwrap()
}

/// A layer over a storage that holds `f/a` and `f/b`, with one fault at the first call of `verb`.
fn layer(verb: Verb, fault: Fault) -> FaultLayer {
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(1000)));
    let memory = MemoryStorage::new(Arc::clone(&clock) as Arc<dyn Clock>);
    memory.create(&name("f/a"), &[b"aaaa"]).unwrap();
    memory.create(&name("f/b"), &[b"bbbb"]).unwrap();
    let plan = Plan::none().with(verb, 1, Lasting::Once, fault);
    FaultLayer::new(clock, Arc::new(memory), plan)
}

#[test]
fn faults_of_create() {
    let new = name("f/new");
    let after = |fault| {
        let layer = layer(Verb::Create, fault);
        let created = layer.create(&new, &[b"12", b"34"]);
        assert_eq!(layer.injected().len(), 1);
        (created.map_err(|error| error.kind), layer.inner.read(&new, 9).ok())
    };
    let passing = Err(StorageErrorKind::Transient);
    assert_eq!(after(Fault::ErrorBefore), (passing, None));
    assert_eq!(after(Fault::ErrorAfter), (passing, Some(b"1234".to_vec())));
    assert_eq!(after(Fault::DoneNotStored), (Ok(()), None));
    assert_eq!(after(Fault::CutLeftVisible { len_bytes: 3 }), (passing, Some(b"123".to_vec())));
    assert_eq!(after(Fault::Torn { len_bytes: 3 }), (Ok(()), Some(b"123\0".to_vec())));
    assert_eq!(after(Fault::CorruptWrite { bit: 8 }), (Ok(()), Some(b"1334".to_vec())));
    assert_eq!(after(Fault::NoSpaceAfter { bytes: 3 }), (Err(StorageErrorKind::Full), None));
    assert_eq!(after(Fault::Throttled { calls_count: 2 }), (passing, None));
    assert_eq!(after(Fault::Delay { ms: 5 }), (Ok(()), Some(b"1234".to_vec())));
    assert_eq!(after(Fault::Hang), (passing, None));
}

#[test]
fn faults_of_read() {
    let after = |fault| {
        let layer = layer(Verb::Read, fault);
        let read = layer.read(&name("f/a"), 9).map_err(|error| error.kind);
        assert_eq!(layer.read(&name("f/a"), 9).unwrap(), b"aaaa");
        read
    };
    assert_eq!(after(Fault::CorruptRead { bit: 1 }), Ok(b"caaa".to_vec()));
    assert_eq!(after(Fault::ShortRead { len_bytes: 1 }), Ok(b"a".to_vec()));
    assert_eq!(after(Fault::WrongObject), Ok(b"bbbb".to_vec()));
    assert_eq!(after(Fault::OlderVersion), Err(StorageErrorKind::NotFound));
    let layer = layer(Verb::Read, Fault::OlderVersion);
    layer.delete(&name("f/a")).unwrap();
    assert_eq!(layer.read(&name("f/a"), 9).unwrap(), b"aaaa");
    assert_eq!(layer.read(&name("f/a"), 9).unwrap_err().kind, StorageErrorKind::NotFound);
}

#[test]
fn faults_of_list_and_times() {
    let after = |fault| {
        let layer = layer(Verb::List, fault);
        let listed = layer.list("f/").map(|rows| rows.len()).map_err(|error| error.kind);
        assert_eq!(layer.list("f/").unwrap().len(), 2);
        listed
    };
    assert_eq!(after(Fault::ListFails), Err(StorageErrorKind::Transient));
    assert_eq!(after(Fault::ListEmpty), Ok(0));
    assert_eq!(after(Fault::ListCut { rows_count: 1 }), Ok(1));
    assert_eq!(after(Fault::ListRepeats), Ok(3));
    assert_eq!(after(Fault::ListStale), Ok(0));
    let layer = layer(Verb::Stat, Fault::Times(Times::Skewed { ms: -5 }));
    assert_eq!(layer.stat(&name("f/a")).unwrap().created.unix_ms, 995);
    layer.replan(Plan::none());
    assert_eq!(layer.stat(&name("f/a")).unwrap().created.unix_ms, 1000);
}

#[test]
fn a_lasting_fault_lasts_and_a_seed_repeats() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
    let memory = Arc::new(MemoryStorage::new(Arc::clone(&clock)));
    let plan = Plan::none().with(Verb::Sync, 2, Lasting::Always, Fault::ErrorBefore);
    let layer = FaultLayer::new(Arc::clone(&clock), memory, plan);
    let ends: Vec<bool> = (0..4).map(|_| layer.sync().is_ok()).collect();
    assert_eq!(ends, [true, false, false, false]);
    let drawn = || {
        let memory = Arc::new(MemoryStorage::new(Arc::clone(&clock)));
        let layer = FaultLayer::new(Arc::clone(&clock), memory, Plan::drawn(3, 300));
        for n in 0..100 {
            let _failed_or_not = layer.create(&name(&format!("x{n}")), &[b"content"]);
            let _failed_or_not = layer.list("");
        }
        layer.injected()
    };
    let injected = drawn();
    assert_eq!(injected, drawn());
    assert!((30..100).contains(&injected.len()), "{}", injected.len());
}

#[test]
fn there_are_twenty_faults() {
    let all = Verb::ALL.iter().flat_map(|verb| apt_for(*verb, 1));
    let mut kinds: Vec<std::mem::Discriminant<Fault>> = Vec::new();
    for fault in all {
        let kind = std::mem::discriminant(&fault);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    assert_eq!(kinds.len(), 20);
}
