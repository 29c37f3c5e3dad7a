//! The layers round a storage under whole operations: faults below the patience, and above it.

use std::sync::Arc;
use std::time::Duration;

use lifeboat::backup::error::BackupError;
use lifeboat::cli::failure::Failure;
use lifeboat::clock::Clock;
use lifeboat::source::memory::MemorySource;
use lifeboat::storage::Storage;
use lifeboat::storage::layer::Verb;
use lifeboat::storage::layer::fault::FaultLayer;
use lifeboat::storage::layer::fault::plan::Fault;
use lifeboat::storage::layer::fault::plan::Lasting;
use lifeboat::storage::layer::fault::plan::Plan;
use lifeboat::storage::layer::limit::Limits;
use lifeboat::storage::layer::retry::RetryOptions;
use lifeboat::storage::stack::StackOptions;
use lifeboat::storage::stack::stack;
use lifeboat::vault::scrub::report::Verdict;

use crate::world::Machine;
use crate::world::World;

const OPTIONS: StackOptions = StackOptions {
    retry: RetryOptions {
        attempts_max: 5,
        wait_first: Duration::from_secs(1),
        wait_max: Duration::from_secs(8),
    },
    limits: Limits { up_bytes_per_s: None, down_bytes_per_s: None },
};

/// Verbs whose calls are repeated.
const REPEATED: [Verb; 6] =
    [Verb::Create, Verb::Read, Verb::ReadRange, Verb::List, Verb::Stat, Verb::Delete];

/// A world whose storage is patient, with one machine.
fn patient() -> (World, Machine, MemorySource) {
    let mut world = World::new();
    let run = world.run().run;
    let faults = Arc::clone(&world.faults) as Arc<dyn Storage>;
    world.storage = stack(&run, faults, &OPTIONS).storage;
    let machine = world.enrol("one");
    let source = MemorySource::default();
    for n in 0..20 {
        source.put(&format!("d/{n}"), format!("{n}").repeat(200).as_bytes(), 5);
    }
    (world, machine, source)
}

fn backup(world: &mut World, machine: &Machine, source: &MemorySource) -> Result<(), BackupError> {
    let watched = world.run();
    world.backup(&watched, machine, (source, "home")).map(|_| ())
}

#[test]
fn passing_faults_below_are_not_noticed_but_by_the_clock() {
    let (mut world, machine, source) = patient();
    let mut plan = Plan::none();
    for verb in REPEATED {
        for nth in (1..60).step_by(7) {
            plan = plan.with(verb, nth, Lasting::Once, Fault::ErrorBefore);
        }
        plan = plan.with(verb, 4, Lasting::Once, Fault::Throttled { calls_count: 3 });
    }
    world.faults.replan(plan);
    let before = world.clock.elapsed();
    backup(&mut world, &machine, &source).unwrap();
    let report = world.check();
    assert_eq!(report.verdict(), Verdict::Ok, "{report:?}");
    assert!(world.faults.injected().len() > 20);
    assert!(world.clock.elapsed() > before, "it waited");
}

#[test]
fn a_storage_that_stays_away_is_code_15_after_bounded_patience_and_the_next_run_goes_on() {
    for verb in [Verb::Create, Verb::List, Verb::Stat] {
        let (mut world, machine, source) = patient();
        backup(&mut world, &machine, &source).unwrap();
        source.put("d/new", b"new", 9);
        world.faults.replan(Plan::none().with(verb, 1, Lasting::Always, Fault::ErrorBefore));
        let before = world.clock.elapsed();
        let error = backup(&mut world, &machine, &source).unwrap_err();
        assert_eq!(Failure::from(error).exit.code(), 15, "{verb:?}");
        let waited = world.clock.elapsed() - before;
        assert!(waited > Duration::from_secs(5) && waited < Duration::from_secs(120), "{waited:?}");
        world.faults.replan(Plan::none());
        let report = world.check();
        assert_eq!((report.verdict(), report.snapshots_count), (Verdict::Ok, 1), "{verb:?}");
        backup(&mut world, &machine, &source).unwrap();
        assert_eq!(world.check().snapshots_count, 2);
    }
}

#[test]
fn faults_above_the_patience_end_the_run_and_leave_nothing_half_done() {
    for verb in [Verb::Create, Verb::List, Verb::Stat, Verb::Sync] {
        for nth in 1..12 {
            let (mut world, machine, source) = patient();
            let inner = Arc::clone(&world.storage);
            let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
            let plan = Plan::none().with(verb, nth, Lasting::Once, Fault::ErrorBefore);
            let above = Arc::new(FaultLayer::new(clock, inner, plan));
            world.storage = Arc::clone(&above) as Arc<dyn Storage>;
            let done = backup(&mut world, &machine, &source);
            let met = !above.injected().is_empty();
            if let Err(error) = done {
                assert!(met);
                assert_eq!(Failure::from(error).exit.code(), 15, "{verb:?} {nth}");
            }
            above.replan(Plan::none());
            backup(&mut world, &machine, &source).unwrap();
            let report = world.check();
            assert_eq!(report.verdict(), Verdict::Ok, "{verb:?} {nth}: {report:?}");
        }
    }
}
