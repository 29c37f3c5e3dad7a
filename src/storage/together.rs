//! Calls that do not depend on each other, made at the same time.
//!
//! Over a line with a long way each call takes as long as the way there and back, whatever it asks
//! for. So a storage that says it is far is asked by several threads; any other by one, in order.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::storage::Storage;

/// Calls under way at once.
const CALLS_MAX: usize = 16;

/// Calls `ask` for every item, and answers in the order of the items. After an error no further
/// call is begun.
pub fn each<T: Sync, R: Send, E: Send>(
    storage: &dyn Storage,
    items: &[T],
    ask: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    if !storage.is_far() || items.len() < 2 {
        return items.iter().map(ask).collect();
    }
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::with_capacity(items.len()));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            let answer = ask(item);
            if answer.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((at, answer));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..items.len().min(CALLS_MAX) {
            // Without a further thread the others do all of it.
            let thread = std::thread::Builder::new().name("together".to_owned());
            drop(thread.spawn_scoped(scope, work));
        }
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_unstable_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Calls both, and answers both; the first one before the other where the storage is near.
pub fn both<A: Send, B>(
    storage: &dyn Storage,
    first: impl Fn() -> A + Send + Sync,
    second: impl FnOnce() -> B,
) -> (A, B) {
    if storage.is_far() {
        return beside(first, second);
    }
    let first = first();
    (first, second())
}

/// Calls both at the same time, and answers both.
pub fn beside<A: Send, B>(
    first: impl Fn() -> A + Send + Sync,
    second: impl FnOnce() -> B,
) -> (A, B) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("together".to_owned());
        let Ok(thread) = thread.spawn_scoped(scope, &first) else {
            let first = first();
            return (first, second());
        };
        let second = second();
        match thread.join() {
            Ok(first) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Barrier;

    use super::*;
    use crate::clock::ManualClock;
    use crate::storage::layer::far::Far;
    use crate::storage::memory::MemoryStorage;
    use crate::units::Timestamp;

    fn near() -> MemoryStorage {
        MemoryStorage::new(Arc::new(ManualClock::new(Timestamp::from_unix_ms(0))))
    }

    fn far() -> Far {
        Far::new(Arc::new(near()))
    }

    #[test]
    fn far_calls_are_under_way_at_the_same_time_and_answered_in_order() {
        let items: Vec<u64> = (0..16).collect();
        // Nobody passes before all have come.
        let met = Barrier::new(16);
        let answers = each(&far(), &items, |item| {
            met.wait();
            Ok::<u64, ()>(item * 2)
        });
        assert_eq!(answers.unwrap(), (0..16).map(|n| n * 2).collect::<Vec<_>>());
        let met = Barrier::new(2);
        let wait = || met.wait().is_leader();
        let (one, other) = both(&far(), wait, wait);
        assert_ne!(one, other);
    }

    #[test]
    fn an_error_ends_it_and_a_near_storage_is_asked_in_order() {
        let items: Vec<u64> = (0..10_000).collect();
        let asked = AtomicUsize::new(0);
        let ask = |item: &u64| {
            asked.fetch_add(1, Ordering::Relaxed);
            if *item == 40 { Err(*item) } else { Ok(()) }
        };
        assert_eq!(each(&far(), &items, ask), Err(40));
        assert!(asked.swap(0, Ordering::Relaxed) < 10_000);
        assert_eq!(each(&near(), &items, ask), Err(40));
        assert_eq!(asked.load(Ordering::Relaxed), 41);
        let order = Mutex::new(Vec::new());
        let push = |n: u8| order.lock().unwrap().push(n);
        both(&near(), || push(1), || push(2));
        assert_eq!(order.into_inner().unwrap(), [1, 2]);
    }
}
