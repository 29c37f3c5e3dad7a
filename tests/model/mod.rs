//! Random sequences of what people do, against a plain map of trees (H5). Every acknowledged
//! snapshot restores to the tree of its time, whatever happened before and after.
//!
//! A failure prints `seed S operations N`; [`replay`] runs that and nothing else.

mod keeping;
mod museum;
mod restoring;
mod sequence;
mod silent;
mod tree;

use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use self::sequence::Honest;
use self::sequence::Plant;
use self::sequence::Sequence;
use crate::support::profile::Profile;
use crate::support::tally::Tally;

const OPERATIONS: usize = 40;

/// One sequence that went wrong.
#[derive(Debug)]
struct Failure {
    seed: u64,
    operations: usize,
    why: String,
    log: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, operations, why, log } = self;
        write!(f, "seed {seed} operations {operations}: {why}\n  {}", log.join("\n  "))
    }
}

/// Runs one sequence; its counts, or what went wrong.
fn run(seed: u64, operations: usize, plant: &dyn Plant) -> Result<Vec<(String, u64)>, Failure> {
    let mut sequence = None;
    let done = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let sequence = sequence.insert(Sequence::new(seed, plant));
        (0..operations).try_for_each(|_| sequence.step())?;
        sequence.end()
    }));
    let text = |payload: Box<dyn std::any::Any + Send>| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic".to_owned())
    };
    let done = done.unwrap_or_else(|payload| Err(format!("panicked: {}", text(payload))));
    let sequence = sequence.expect("made before anything else");
    match done {
        Ok(()) => Ok(sequence.counts.into_iter().collect()),
        Err(why) => Err(Failure { seed, operations, why, log: sequence.log }),
    }
}

/// The shortest beginning of a failing sequence that fails as well.
fn shortest(failure: Failure, plant: &dyn Plant) -> Failure {
    let mut best = failure;
    let mut operations = best.operations;
    while operations > 1 {
        let Some(fewer) = [operations / 2, operations - 1]
            .into_iter()
            .find_map(|fewer| run(best.seed, fewer, plant).err())
        else {
            break;
        };
        operations = fewer.operations;
        best = fewer;
    }
    best
}

#[test]
fn every_acknowledged_snapshot_restores_to_the_tree_of_its_time() {
    let first = 1;
    let sequences = Profile::of_process().pick(150, 3000, 200_000);
    let mut tally = Tally::start("h5-model", first);
    let next = AtomicU64::new(first);
    let results = Mutex::new((Vec::new(), std::collections::BTreeMap::<String, u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + sequences || results.lock().unwrap().0.len() >= 3 {
                        return;
                    }
                    let done = run(seed, OPERATIONS, &Honest);
                    let mut results = results.lock().unwrap();
                    match done {
                        Ok(counts) => {
                            for (what, n) in counts {
                                *results.1.entry(what).or_default() += n;
                            }
                        }
                        Err(failure) => results.0.push(failure),
                    }
                }
            });
        }
    });
    let (failures, counts) = results.into_inner().unwrap();
    tally.trials = (next.into_inner() - first).min(sequences);
    tally.failures = failures.len() as u64;
    tally.count("operations", tally.trials * OPERATIONS as u64);
    for (what, n) in counts {
        tally.count(&what, n);
    }
    tally.finish();
    let shown: Vec<String> =
        failures.into_iter().map(|failure| shortest(failure, &Honest).to_string()).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
}

/// One sequence again: `LIFEBOAT_TEST_REPLAY="seed 17 operations 40" cargo test replay`.
#[test]
#[expect(clippy::disallowed_methods, reason = "the one line that replays a failure")]
fn replay() {
    let asked = std::env::var("LIFEBOAT_TEST_REPLAY").unwrap_or_default();
    let numbers: Vec<u64> = asked.split(' ').filter_map(|word| word.parse().ok()).collect();
    let (seed, operations) = match numbers[..] {
        [seed, operations] => (seed, usize::try_from(operations).unwrap()),
        _ => (1, 3),
    };
    let done = run(seed, operations, &Honest);
    assert!(done.is_ok(), "{}", done.unwrap_err());
}

/// A seed decides everything but keys: the same sequence makes the same operations.
#[test]
fn one_seed_run_twice_makes_the_same_operations() {
    let log = |seed| {
        let mut sequence = Sequence::new(seed, &Honest);
        (0..OPERATIONS).try_for_each(|_| sequence.step()).unwrap();
        (sequence.log, sequence.counts)
    };
    assert_eq!(log(4), log(4));
    assert_ne!(log(4).0, log(5).0);
}
