//! The layers round a storage under whole operations: faults below the patience, and above it.

use std::sync::Arc;
use std::time::Duration;

use lifeboat::backup::error::BackupError;
use lifeboat::cli::failure::Failure;
use lifeboat::clock::Clock;
use lifeboat::format::object::Ref;
use lifeboat::ids::SnapshotId;
use lifeboat::path::SnapshotPath;
use lifeboat::repository::manifest::open_manifest;
use lifeboat::repository::open::Repository;
use lifeboat::restore;
use lifeboat::restore::ObjectSource;
use lifeboat::restore::archive;
use lifeboat::restore::archive::Asked;
use lifeboat::restore::archive::Form;
use lifeboat::run::Run;
use lifeboat::run::monitor::Severity;
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
use lifeboat::vault::scrub::Subset;
use lifeboat::vault::scrub::report::Verdict;
use lifeboat::verify;
use lifeboat::verify::Depth;

use crate::world::Machine;
use crate::world::Watched;
use crate::world::World;
use crate::world::fast_folder;
use crate::world::folder_target;
use crate::world::restore_options;

const OPTIONS: StackOptions = StackOptions {
    retry: RetryOptions {
        attempts_max: 5,
        wait_first: Duration::from_secs(1),
        wait_max: Duration::from_secs(8),
        whole_max: Duration::from_secs(15 * 60),
    },
    limits: Limits { up_bytes_per_s: None, down_bytes_per_s: None },
    timetable: None,
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

/// A command that reads. Whether it did all of its work.
type Reading = fn(&World, &Run, &SnapshotId) -> Result<bool, Failure>;

fn opened(world: &World, run: &Run, id: &SnapshotId) -> Result<(Repository, Ref), Failure> {
    let repository = world.open(run);
    let manifest = repository.vault().read_manifest(run, id)?;
    let root = open_manifest(&world.keyset, &manifest)?.root();
    Ok((repository, root))
}

fn restored(world: &World, run: &Run, id: &SnapshotId) -> Result<bool, Failure> {
    let (repository, root) = opened(world, run, id)?;
    let folder = fast_folder();
    let target = folder_target(folder.path());
    let source = (&repository as &dyn ObjectSource, &root);
    let done = restore::execute::execute(run, source, &target, &restore_options());
    let mut folders = vec![folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            assert!(!path.to_str().unwrap().ends_with(".damaged"), "{path:?}");
            folders.extend(path.is_dir().then_some(path));
        }
    }
    let report = done?;
    assert_eq!(report.failed_count + report.lost_nodes_count, report.unread_count);
    Ok(report.unread_count == 0)
}

fn dumped(world: &World, run: &Run, id: &SnapshotId) -> Result<bool, Failure> {
    let (repository, root) = opened(world, run, id)?;
    let within = SnapshotPath::root();
    let asked = Asked { root: &root, within: &within, form: Form::Tar };
    let report = archive::write(run, &repository, asked, &mut Vec::new())?;
    assert_eq!((report.left_out_count, report.damaged_count, report.lost_nodes_count), (0, 0, 0));
    Ok(true)
}

fn checked(world: &World, run: &Run, _: &SnapshotId) -> Result<bool, Failure> {
    let (repository, trust) = (world.open(run), verify::trust_of(&world.keyset));
    let depth = Depth::Data(Subset::All);
    let options = verify::Options { depth, snapshots: Vec::new(), threads_count: 1 };
    let report = verify::check(run, &repository, (&world.keyset, &trust), &options)?;
    assert_eq!(report.verdict(), Verdict::Ok, "{report:?}");
    Ok(true)
}

/// A scene for commands that read: files of both sizes, two names of one, nodes twice.
fn to_read() -> (World, SnapshotId) {
    let mut world = World::new();
    let machine = world.enrol("one");
    let source = MemorySource::default();
    for n in 0..6 {
        source.put(&format!("d/{n}"), format!("{n}").repeat(200).as_bytes(), 5);
    }
    source.put("large", &crate::support::Random::new(3).bytes(5000), 5);
    let watched = world.run();
    let report = world.backup(&watched, &machine, (&source, "home")).unwrap();
    (world, report.snapshot.unwrap().id)
}

#[test]
fn a_storage_that_fails_while_it_is_read_is_code_15_and_no_damage() {
    let (world, id) = to_read();
    let commands: [(&str, Reading); 3] =
        [("restore", restored), ("dump", dumped), ("check", checked)];
    for (name, reading) in commands {
        world.faults.replan(Plan::none());
        assert_eq!(reading(&world, &Watched::alone().run, &id), Ok(true), "{name}");
        let verbs = [Verb::Read, Verb::ReadRange, Verb::List, Verb::Stat];
        let counts = verbs.map(|verb| (verb, world.faults.call_count(verb)));
        let mut ended = [0; 2];
        for (verb, count) in counts {
            for (nth, lasting) in
                (1..=count).flat_map(|nth| [(nth, Lasting::Once), (nth, Lasting::Always)])
            {
                let fault = if nth % 2 == 0 { Fault::Hang } else { Fault::ErrorBefore };
                world.faults.replan(Plan::none().with(verb, nth, lasting, fault));
                let watched = Watched::alone();
                let done = reading(&world, &watched.run, &id);
                let case = format!("{name} {verb:?} {nth} {lasting:?}");
                for problem in watched.recorder.recorded().problems {
                    assert_ne!(problem.severity, Severity::Damage, "{case}: {problem}");
                }
                match done {
                    Ok(whole) => ended[usize::from(whole)] += 1,
                    Err(failure) => assert_eq!(failure.exit.code(), 15, "{case}: {failure}"),
                }
            }
        }
        // One place that cannot be read costs a restore what lies there, and no more.
        assert_eq!(ended[0] > 0, name == "restore", "{ended:?}");
    }
}

#[test]
fn a_restore_goes_on_beside_what_a_storage_cannot_read_and_ends_where_it_gives_nothing() {
    let (world, id) = to_read();
    // Objects are read in parts: the first is a branch, then a leaf, then what is in it.
    let lasting = |nth, lasting| {
        world.faults.replan(Plan::none().with(Verb::ReadRange, nth, lasting, Fault::ErrorBefore));
        let watched = Watched::alone();
        (restored(&world, &watched.run, &id), watched.problems())
    };
    world.faults.replan(Plan::none());
    restored(&world, &Watched::alone().run, &id).unwrap();
    let last = world.faults.call_count(Verb::ReadRange);
    let (done, problems) = lasting(last, Lasting::Once);
    assert_eq!(done, Ok(false));
    assert!(problems.len() == 1 && problems[0].contains("cannot read it now"), "{problems:?}");
    let away = Plan::none().with(Verb::ReadRange, last, Lasting::Always, Fault::ErrorBefore);
    world.faults.replan(away.with(Verb::Stat, 1, Lasting::Always, Fault::ErrorBefore));
    let failure = restored(&world, &Watched::alone().run, &id).unwrap_err();
    assert_eq!(failure.exit.code(), 15, "{failure}");
}
