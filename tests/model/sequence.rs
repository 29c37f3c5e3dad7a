//! One sequence: a repository, two machines, three datasets, and what happens to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use lifeboat::ids::SlotId;
use lifeboat::ids::SnapshotId;
use lifeboat::meta::Kind;
use lifeboat::repository::keys::recovery;
use lifeboat::repository::keys::slots;
use lifeboat::repository::keys::unlock;
use lifeboat::repository::trust::Enrolled;
use lifeboat::run::Stopped;
use lifeboat::source::Source;
use lifeboat::source::memory;
use lifeboat::storage::layer::Verb;
use lifeboat::storage::layer::fault::plan::Fault;
use lifeboat::storage::layer::fault::plan::Lasting;
use lifeboat::storage::layer::fault::plan::Plan;
use lifeboat::target::Target;
use lifeboat::units::FileTime;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::scrub::report;
use lifeboat::vault::scrub::report::Report;
use lifeboat::vault::scrub::report::Verdict;

use super::keeping;
use super::restoring;
use super::silent;
use super::tree::Tree;
use crate::support::Random;
use crate::world::Machine;
use crate::world::World;
use crate::world::key_file;
use crate::world::new_slot;

/// Where a bug can be planted.
pub trait Plant: Sync {
    fn source(&self, source: memory::MemorySource) -> Box<dyn Source>;
    fn target(&self, target: Box<dyn Target>) -> Box<dyn Target>;
}

/// The product as it is.
pub struct Honest;

impl Plant for Honest {
    fn source(&self, source: memory::MemorySource) -> Box<dyn Source> {
        Box::new(source)
    }

    fn target(&self, target: Box<dyn Target>) -> Box<dyn Target> {
        target
    }
}

/// A snapshot and the tree that it is of.
#[derive(Clone)]
pub struct Snapshot {
    /// For messages: ids follow from keys, and so from no seed.
    pub number: u64,
    pub id: SnapshotId,
    pub dataset: usize,
    pub tree: Arc<Tree>,
    /// An entry that could not be read as it should; told as a problem.
    pub doubt: Option<String>,
}

/// A machine's folder; two of three are of one machine.
struct Dataset {
    machine: usize,
    name: &'static str,
    tree: Tree,
}

pub struct Sequence<'a> {
    pub world: World,
    pub plant: &'a dyn Plant,
    pub random: Random,
    pub log: Vec<String>,
    pub counts: BTreeMap<String, u64>,
    pub snapshots: Vec<Snapshot>,
    /// Ids of those that were removed for good.
    pub removed: Vec<String>,
    machines: Vec<Machine>,
    datasets: Vec<Dataset>,
    /// Key files that open, by slot.
    slots: BTreeMap<SlotId, u64>,
    gone: Vec<u64>,
    next_key: u64,
    next_snapshot: u64,
    /// Nanoseconds that make every change's time its own.
    ticks: u32,
}

pub type Done = Result<(), String>;

fn failed<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    let what = what.to_owned();
    move |error| format!("{what}: {error}")
}

impl<'a> Sequence<'a> {
    pub fn new(seed: u64, plant: &'a dyn Plant) -> Self {
        let mut world = World::new();
        let machines = vec![world.enrol("one"), world.enrol("two")];
        let datasets = [(0, "home"), (0, "data"), (1, "home")];
        let datasets = datasets
            .into_iter()
            .map(|(machine, name)| Dataset { machine, name, tree: Tree::default() })
            .collect();
        let slots = BTreeMap::from([(world.slot, 0)]);
        Self {
            world,
            plant,
            random: Random::new(seed),
            log: Vec::new(),
            counts: BTreeMap::new(),
            snapshots: Vec::new(),
            removed: Vec::new(),
            machines,
            datasets,
            slots,
            gone: Vec::new(),
            next_key: 1,
            next_snapshot: 1,
            ticks: 0,
        }
    }

    pub fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn now(&mut self) -> FileTime {
        use lifeboat::clock::Clock;
        self.ticks += 1;
        let ms = self.world.clock.now().unix_ms;
        FileTime { secs: ms.div_euclid(1000), nanos: self.ticks }
    }

    pub fn step(&mut self) -> Done {
        // Time goes on between any two things that people do.
        self.world.clock.jump(1 + self.random.below(100_000).cast_signed() as i64);
        match self.random.below(100) {
            0..=29 => {
                self.edit();
                Ok(())
            }
            30..=49 => self.backup(),
            50..=54 => self.backup_stopped(),
            55..=63 => self.backup_with_storage_fault(),
            64..=70 => self.backup_with_source_fault(),
            71..=80 => restoring::step(self),
            81..=85 => keeping::step(self),
            86..=87 => self.check(),
            88..=89 => silent::step(self),
            90..=93 => self.keys(),
            94 => self.recover(),
            95..=96 => {
                self.jump();
                Ok(())
            }
            _ => {
                self.forget_cache();
                Ok(())
            }
        }
    }

    /// What holds at the end: everything restores, and the check says so.
    pub fn end(&mut self) -> Done {
        for snapshot in self.snapshots.clone() {
            restoring::whole(self, &snapshot)?;
        }
        self.check()?;
        self.prove_keys()
    }

    fn dataset(&mut self) -> usize {
        self.random.below(self.datasets.len())
    }

    fn edit(&mut self) {
        let which = self.dataset();
        for _ in 0..=self.random.below(8) {
            let now = self.now();
            let done = self.datasets[which].tree.edit(&mut self.random, now);
            self.log.push(format!("dataset {which}: {done}"));
        }
        self.count("edits");
    }

    /// One backup of a dataset as it is now, or with `fault` at one of its entries.
    fn attempt(
        &mut self,
        which: usize,
        fault: Option<(&str, memory::Fault)>,
    ) -> (Result<Snapshot, String>, Vec<String>) {
        let Dataset { machine, name, ref tree } = self.datasets[which];
        let tree = Arc::new(tree.clone());
        let number = self.next_snapshot;
        self.next_snapshot += 1;
        let source = tree.source();
        if let Some((path, fault)) = fault {
            source.set_fault(path, Some(fault));
        }
        let source = self.plant.source(source);
        let watched = self.world.run();
        let done = self.world.backup(&watched, &self.machines[machine], (&*source, name));
        let problems = watched.problems();
        let done = done.map_err(|error| error.to_string()).map(|report| Snapshot {
            number,
            id: report.snapshot.expect("every backup makes a snapshot").id,
            dataset: which,
            tree,
            doubt: None,
        });
        (done, problems)
    }

    fn backup(&mut self) -> Done {
        let which = self.dataset();
        self.log.push(format!("dataset {which}: backup"));
        let (done, problems) = self.attempt(which, None);
        let snapshot = done.map_err(failed("a backup without any fault"))?;
        if !problems.is_empty() {
            return Err(format!("a backup without any fault: {problems:?}"));
        }
        self.snapshots.push(snapshot);
        self.count("backups");
        Ok(())
    }

    fn backup_stopped(&mut self) -> Done {
        let which = self.dataset();
        let path = self.datasets[which].tree.pick(&mut self.random, |_| true);
        let Some(path) = path else { return Ok(()) };
        self.log.push(format!("dataset {which}: backup, told to stop at {path:?}"));
        match self.attempt(which, Some((&path, memory::Fault::Stop))).0 {
            // An entry that did not change is not opened, so nobody was told to stop.
            Ok(snapshot) => self.snapshots.push(snapshot),
            // What ends a session may be told by whoever finds it ended.
            Err(error) if error.ends_with(&Stopped::Interrupted.to_string()) => {
                self.count("stopped");
            }
            Err(error) => return Err(format!("told to stop, and: {error}")),
        }
        Ok(())
    }

    fn backup_with_source_fault(&mut self) -> Done {
        let which = self.dataset();
        let tree = &self.datasets[which].tree;
        let alone = |inode: &super::tree::Inode| inode.kind == Kind::File;
        let Some(path) = tree.pick(&mut self.random, alone) else { return Ok(()) };
        let fault = [
            memory::Fault::Vanish,
            memory::Fault::Replace,
            memory::Fault::Deny,
            memory::Fault::FailAfter(self.random.below(600)),
            memory::Fault::Change(9),
            memory::Fault::Shrink(3),
        ][self.random.below(6)];
        self.log.push(format!("dataset {which}: backup, {fault:?} at {path:?}"));
        let (done, problems) = self.attempt(which, Some((&path, fault)));
        let mut snapshot = done.map_err(failed("one file's trouble ended a backup"))?;
        if !problems.is_empty() {
            snapshot.doubt = Some(path);
            self.count("flagged");
        }
        self.snapshots.push(snapshot);
        self.count("source_faults");
        Ok(())
    }

    /// A storage that fails and says so. What is acknowledged stands; what is not may.
    fn backup_with_storage_fault(&mut self) -> Done {
        let which = self.dataset();
        let (verb, nth) =
            (Verb::ALL[self.random.below(Verb::ALL.len())], 1 + self.random.next() % 8);
        let lasting = [Lasting::Once, Lasting::Always][self.random.below(2)];
        let fault = match self.random.below(6) {
            0 | 1 => Fault::ErrorBefore,
            2 => Fault::ErrorAfter,
            3 => Fault::Throttled { calls_count: 3 },
            4 => Fault::Hang,
            _ if verb == Verb::Create => Fault::NoSpaceAfter { bytes: self.random.next() % 9000 },
            _ => Fault::Delay { ms: self.random.next() % 200_000 },
        };
        self.log.push(format!("dataset {which}: backup, {fault:?} at {verb:?} {nth} {lasting:?}"));
        let before = self.listed()?;
        self.world.faults.replan(Plan::none().with(verb, nth, lasting, fault));
        let (done, _) = self.attempt(which, None);
        self.world.faults.replan(Plan::none());
        self.count("storage_faults");
        match done {
            Ok(snapshot) => self.snapshots.push(snapshot),
            Err(_) => {
                self.count("storage_failures");
                self.adopt(which, &before)?;
            }
        }
        Ok(())
    }

    /// Takes what a failed backup of a dataset has committed all the same as a snapshot.
    pub fn adopt(&mut self, which: usize, before: &[SnapshotId]) -> Done {
        let tree = Arc::new(self.datasets[which].tree.clone());
        for id in self.listed()?.into_iter().filter(|id| !before.contains(id)) {
            self.count("unacknowledged");
            let tree = Arc::clone(&tree);
            let number = self.next_snapshot - 1;
            let (dataset, doubt) = (which, None);
            self.snapshots.push(Snapshot { number, id, dataset, tree, doubt });
        }
        Ok(())
    }

    /// A backup while the medium is harmed: it works or says that it does not. The dataset, if it
    /// said so.
    pub fn backup_over_harm(&mut self) -> Option<usize> {
        let which = self.dataset();
        self.log.push(format!("dataset {which}: backup meanwhile"));
        self.count("silent_backups");
        match self.attempt(which, None).0 {
            Ok(snapshot) => {
                self.snapshots.push(snapshot);
                None
            }
            Err(_) => Some(which),
        }
    }

    pub fn listed(&mut self) -> Result<Vec<SnapshotId>, String> {
        let watched = self.world.run();
        let repository = self.world.open(&watched.run);
        let (storage, keyset) = (&self.world.storage, &self.world.keyset);
        let enrolled =
            Enrolled::load(&watched.run, storage, keyset).map_err(failed("enrolled machines"))?;
        let found =
            repository.vault().manifests(&watched.run, Scope::All, Copies::First, &enrolled);
        let found = found.map_err(failed("a list of snapshots"))?;
        Ok(found.manifests.iter().map(|stored| stored.place.id).collect())
    }

    fn check(&mut self) -> Done {
        self.log.push("check".to_owned());
        let report = self.world.check();
        // A backup that was stopped may have left a manifest without its twin, or a pack that a
        // later one uses and no index file names, and nothing else.
        let is_left =
            |bad: &report::BadLocation| bad.kind == report::Kind::Manifest || bad.name == "index/";
        let only_left = report.bad.iter().all(is_left);
        if report.verdict() > Verdict::Healable || !only_left || !report.troubles.is_empty() {
            let Report { bad, troubles, lost_objects, lost_files, .. } = report;
            return Err(format!("check: {bad:?} {troubles:?} {lost_objects:?} {lost_files:?}"));
        }
        if report.snapshots_count != self.snapshots.len() as u64 {
            let (found, known) = (report.snapshots_count, self.snapshots.len());
            return Err(format!("check saw {found} snapshots of {known}"));
        }
        self.count("checks");
        Ok(())
    }

    fn keys(&mut self) -> Done {
        let run = self.world.run().run;
        let repository = self.world.keyset.repository;
        let known: Vec<SlotId> = self.slots.keys().copied().collect();
        let slot = known[self.random.below(known.len())];
        let number = self.next_key;
        self.next_key += 1;
        let what = self.random.below(3);
        self.log.push(format!("keys: {}", ["add", "change", "remove"][what]));
        let (storage, keyset) = (&self.world.storage, &self.world.keyset);
        match what {
            0 => {
                let added = slots::add(&run, storage, keyset, &new_slot(number));
                self.slots.insert(added.map_err(failed("key add"))?, number);
            }
            1 => {
                let new = slots::change(&run, storage, (keyset, slot), &new_slot(number));
                let new = new.map_err(failed("key passwd"))?;
                self.gone.extend(self.slots.remove(&slot));
                self.slots.insert(new, number);
            }
            _ => match slots::remove(&run, storage, (repository, slot)) {
                Ok(()) if known.len() > 1 => self.gone.extend(self.slots.remove(&slot)),
                Err(_) if known.len() == 1 => {}
                other => return Err(format!("key remove with {} keys: {other:?}", known.len())),
            },
        }
        self.count("key_changes");
        self.prove_keys()
    }

    /// Every key that should opens, and no other.
    fn prove_keys(&mut self) -> Done {
        let run = self.world.run().run;
        for number in self.slots.values() {
            let opened = unlock::unlock(&run, &self.world.storage, &key_file(*number));
            opened.map_err(failed(&format!("key {number} no longer opens")))?;
        }
        for number in &self.gone {
            if unlock::unlock(&run, &self.world.storage, &key_file(*number)).is_ok() {
                return Err(format!("key {number} was removed and opens"));
            }
        }
        Ok(())
    }

    /// All keys are lost but the shares on paper.
    fn recover(&mut self) -> Done {
        self.log.push("recovery by shares".to_owned());
        let run = self.world.run().run;
        let storage = Arc::clone(&self.world.storage);
        let made = recovery::create(&run, &storage, &self.world.keyset, (2, 3));
        let shares = made.map_err(failed("shares"))?.shares;
        let first = self.random.below(2);
        let number = self.next_key;
        self.next_key += 1;
        let some = &shares[first..first + 2];
        let unlocked = recovery::use_shares(&run, &storage, some, &new_slot(number));
        let unlocked = unlocked.map_err(failed("recovery"))?;
        self.slots.insert(unlocked.slot, number);
        self.world.keyset = unlocked.keyset;
        self.count("recoveries");
        self.prove_keys()
    }

    fn jump(&mut self) {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let ms = [DAY_MS, -DAY_MS, 3650 * DAY_MS, -3650 * DAY_MS, 90_000][self.random.below(5)];
        self.log.push(format!("the clock jumps by {ms} ms"));
        self.world.clock.jump(ms);
        self.count("clock_jumps");
    }

    fn forget_cache(&mut self) {
        let which = self.random.below(self.machines.len());
        self.log.push(format!("machine {which} loses its cache"));
        self.machines[which].cache = crate::world::fast_folder();
        self.count("caches_lost");
    }
}
