//! Walk, workers and tree joined by bounded queues.

use std::collections::BTreeMap;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::backup::Cutting;
use crate::backup::error::BackupError;
use crate::backup::job::Job;
use crate::backup::job::Outcome;
use crate::backup::job::Task;
use crate::backup::merge::Decision;
use crate::backup::merge::Merge;
use crate::backup::parent::ParentCursor;
use crate::backup::parent::ParentTree;
use crate::backup::usage::BundleUsage;
use crate::backup::worker::Shared;
use crate::backup::worker::Worker;
use crate::chunk::Cutter;
use crate::format::entry::Entry;
use crate::format::object::Ref;
use crate::ids::Sid;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::ObjectSink;
use crate::repository::seal::SealKeys;
use crate::repository::seal::Sealer;
use crate::repository::tree::NodeSink;
use crate::repository::tree::NodeSource;
use crate::repository::tree::writer::Item;
use crate::repository::tree::writer::TreeWriter;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::source::Found;
use crate::source::Source;

/// Entries that may wait for one before them; bounds memory.
pub(super) const WINDOW_ENTRIES_MAX: usize = 16 * 1024;
/// Jobs that wait for each worker.
const JOBS_PER_WORKER: usize = 4;

/// What a backup works with.
pub struct Pipeline<'a> {
    pub source: &'a dyn Source,
    pub parent: Option<&'a ParentTree>,
    /// Gives the parent's nodes.
    pub nodes: &'a dyn NodeSource,
    /// Takes data and the maps of huge files.
    pub objects: &'a dyn ObjectSink,
    pub keys: &'a SealKeys,
    pub cutting: Cutting,
    /// Worker threads; at least one.
    pub workers_count: usize,
}

impl std::fmt::Debug for Pipeline<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pipeline({} workers)", self.workers_count)
    }
}

/// The tree that a backup made.
#[derive(Debug, Clone)]
pub struct TreeReport {
    pub root: Ref,
    /// Bundles that the next backup gathers anew.
    pub decayed: Vec<Sid>,
    pub entries_count: u64,
    pub files_count: u64,
    /// Bytes of all files' content.
    pub content_bytes: u64,
    pub files_new: u64,
    pub files_changed: u64,
    pub files_unchanged: u64,
    /// Entries whose flags say that something of them is missing.
    pub flagged_count: u64,
}

/// What a dry run finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plan {
    pub entries_count: u64,
    /// Entries that would be read, and bytes of their files.
    pub to_read_count: u64,
    pub to_read_bytes: u64,
}

/// Walks and compares, and reads nothing.
pub fn plan(run: &Run, pipeline: &Pipeline<'_>) -> Result<Plan, BackupError> {
    let cursor = ParentCursor::new(run, pipeline.nodes, pipeline.parent);
    let mut merge = Merge::new(cursor, pipeline.cutting.small_file_bytes);
    let mut plan = Plan::default();
    for found in pipeline.source.walk(run)? {
        run.check()?;
        let decision = merge.decide(plan.entries_count, found?)?;
        plan.entries_count += 1;
        if let Decision::Small(task) | Decision::Large(task) = decision {
            plan.to_read_count += 1;
            plan.to_read_bytes += task.found.meta.size_bytes;
        }
    }
    Ok(plan)
}

/// Backs up the source into a tree; `tree_sink` gets its nodes in order. A source that says at its
/// end that it failed makes no tree.
pub fn execute(
    run: &Run,
    pipeline: &Pipeline<'_>,
    tree_sink: &mut dyn NodeSink,
) -> Result<TreeReport, BackupError> {
    let gear = pipeline.keys.domain.gear_table();
    let cutter = Cutter::new(pipeline.cutting.chunks, gear)?;
    let shared = Shared {
        run,
        sink: pipeline.objects,
        nodes: pipeline.nodes,
        cutter: &cutter,
        cutting: pipeline.cutting,
    };
    let workers = pipeline.workers_count.max(1);
    let (job_sender, jobs) = crossbeam_channel::bounded(workers * JOBS_PER_WORKER);
    let (answer_sender, answers) = crossbeam_channel::unbounded();
    let seal_queue = crossbeam_channel::bounded(workers);
    let mut sealers = Vec::with_capacity(workers);
    for _ in 0..workers {
        sealers.push(Sealer::new(pipeline.keys)?);
    }
    let mut sealer = Sealer::new(pipeline.keys)?;
    let report = std::thread::scope(|scope| {
        for sealer in sealers {
            let worker = Worker::new(&shared, sealer, seal_queue.clone());
            let (jobs, answers) = (jobs.clone(), answer_sender.clone());
            let source = pipeline.source;
            scope.spawn(move || {
                let mut reader = source.reader();
                worker.work(&jobs, &mut *reader, &answers);
            });
        }
        // Only the workers hold these from here on, so that their end is noticed.
        drop((jobs, answer_sender, seal_queue));
        let tree = TreeWriter::new(&mut sealer, tree_sink, pipeline.cutting.tree);
        let collector = Collector::new(run, tree, answers);
        drive(run, pipeline, collector, job_sender)
    })?;
    pipeline.source.finish(run)?;
    Ok(report)
}

/// The planner's loop: walk, decide, hand out, collect.
fn drive(
    run: &Run,
    pipeline: &Pipeline<'_>,
    mut collector: Collector<'_>,
    jobs: Sender<Job>,
) -> Result<TreeReport, BackupError> {
    let cursor = ParentCursor::new(run, pipeline.nodes, pipeline.parent);
    let mut merge = Merge::new(cursor, pipeline.cutting.small_file_bytes);
    let mut batch = Batch::default();
    for found in pipeline.source.walk(run)? {
        run.check()?;
        let found = found?;
        run.count(Count::EntriesFound, 1);
        run.count(Count::BytesFound, found.meta.size_bytes);
        let slot = collector.next_slot();
        match merge.decide(slot, found)? {
            Decision::Keep(item) => {
                run.count(Count::BytesDone, item.entry.meta.size_bytes);
                if item.entry.meta.kind == Kind::File {
                    collector.report.files_unchanged += 1;
                    run.count(Count::FilesUnchanged, 1);
                }
                collector.ready(slot, item);
            }
            Decision::Link(item) => collector.ready(slot, item),
            Decision::Small(task) => {
                collector.waiting(slot, &task);
                batch.push(task);
                if batch.is_full(&pipeline.cutting) {
                    collector.hand_out(&jobs, batch.take())?;
                }
            }
            Decision::Large(task) => {
                collector.waiting(slot, &task);
                collector.hand_out(&jobs, Job::Large(Box::new(task)))?;
            }
        }
        collector.advance()?;
        collector.hold_window(&jobs, &mut batch)?;
    }
    run.count(Count::WalksDone, 1);
    if !batch.tasks.is_empty() {
        collector.hand_out(&jobs, batch.take())?;
    }
    drop(jobs);
    collector.finish()
}

/// Small files and attributes that go to a worker together.
#[derive(Default)]
struct Batch {
    tasks: Vec<Task>,
    content_bytes: u64,
}

impl Batch {
    fn push(&mut self, task: Task) {
        if task.found.meta.kind == Kind::File {
            self.content_bytes += task.found.meta.size_bytes;
        }
        self.tasks.push(task);
    }

    fn is_full(&self, cutting: &Cutting) -> bool {
        self.content_bytes >= cutting.bundle_bytes || self.tasks.len() >= cutting.bundle_files
    }

    fn take(&mut self) -> Job {
        self.content_bytes = 0;
        Job::Batch(std::mem::take(&mut self.tasks))
    }
}

/// Puts answers back in order and writes the tree.
struct Collector<'a> {
    run: &'a Run,
    tree: TreeWriter<'a>,
    answers: Receiver<Result<Vec<Outcome>, BackupError>>,
    /// From the oldest unfinished entry on.
    slots: std::collections::VecDeque<Slot>,
    first_slot: u64,
    /// Entries that have not come back from a worker.
    waiting_count: usize,
    usage: BundleUsage,
    report: TreeReport,
    /// Paths and kinds of what workers have, by slot.
    out: BTreeMap<u64, (SnapshotPath, bool)>,
}

enum Slot {
    Waiting,
    Ready(Box<Item>),
    Gone,
}

impl<'a> Collector<'a> {
    fn new(
        run: &'a Run,
        tree: TreeWriter<'a>,
        answers: Receiver<Result<Vec<Outcome>, BackupError>>,
    ) -> Self {
        let root =
            Ref { sid: Sid::new([0; 32]), key: crate::secret::ObjectKey::new([0; 32]), raw_len: 0 };
        let report = TreeReport {
            root,
            decayed: Vec::new(),
            entries_count: 0,
            files_count: 0,
            content_bytes: 0,
            files_new: 0,
            files_changed: 0,
            files_unchanged: 0,
            flagged_count: 0,
        };
        Self {
            run,
            tree,
            answers,
            slots: std::collections::VecDeque::new(),
            first_slot: 0,
            waiting_count: 0,
            usage: BundleUsage::default(),
            report,
            out: BTreeMap::new(),
        }
    }

    fn next_slot(&self) -> u64 {
        self.first_slot + self.slots.len() as u64
    }

    fn ready(&mut self, slot: u64, item: Item) {
        debug_assert_eq!(slot, self.next_slot());
        self.slots.push_back(Slot::Ready(Box::new(item)));
    }

    fn waiting(&mut self, slot: u64, task: &Task) {
        debug_assert_eq!(slot, self.next_slot());
        let Found { path, meta } = &task.found;
        if meta.kind == Kind::File {
            let (what, count) = if task.parent.is_some() {
                (Count::FilesChanged, &mut self.report.files_changed)
            } else {
                (Count::FilesNew, &mut self.report.files_new)
            };
            *count += 1;
            self.run.count(what, 1);
        }
        self.out.insert(slot, (path.clone(), task.parent.is_some()));
        self.slots.push_back(Slot::Waiting);
        self.waiting_count += 1;
    }

    fn hand_out(&mut self, jobs: &Sender<Job>, job: Job) -> Result<(), BackupError> {
        // Workers never wait for the collector, so this ends, unless they all have failed. Why they
        // did comes behind what they had finished before.
        if jobs.send(job).is_err() {
            loop {
                self.collect_one()?;
            }
        }
        Ok(())
    }

    /// The oldest entry waits in a batch that is not full, and the window is: it must go now.
    fn waits_for_batch(&self, batch: &Batch) -> bool {
        self.slots.len() >= WINDOW_ENTRIES_MAX
            && batch.tasks.len() == self.waiting_count
            && !batch.tasks.is_empty()
    }

    fn hold_window(&mut self, jobs: &Sender<Job>, batch: &mut Batch) -> Result<(), BackupError> {
        while self.slots.len() >= WINDOW_ENTRIES_MAX && self.waiting_count > 0 {
            if self.waits_for_batch(batch) {
                self.hand_out(jobs, batch.take())?;
            }
            self.collect_one()?;
            self.write_ready()?;
        }
        Ok(())
    }

    /// Takes what has come back, without waiting, and writes what is next in order.
    fn advance(&mut self) -> Result<(), BackupError> {
        while let Ok(outcomes) = self.answers.try_recv() {
            self.take(outcomes?);
        }
        self.write_ready()
    }

    fn collect_one(&mut self) -> Result<(), BackupError> {
        let outcomes = self.answers.recv().map_err(|_| BackupError::WorkerGone)?;
        self.take(outcomes?);
        Ok(())
    }

    fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let (slot, entry) = match outcome {
                Outcome::Entry { slot, meta, content } => (slot, Some((meta, content))),
                Outcome::Gone { slot } => (slot, None),
            };
            let Some((path, _)) = self.out.remove(&slot) else { continue };
            let at = usize::try_from(slot - self.first_slot).unwrap_or(usize::MAX);
            if let Some(place) = self.slots.get_mut(at) {
                self.waiting_count -= 1;
                *place = entry.map_or(Slot::Gone, |(meta, content)| {
                    let entry = Entry { path, meta, content };
                    Slot::Ready(Box::new(Item { entry, kept: None }))
                });
            }
        }
    }

    fn write_ready(&mut self) -> Result<(), BackupError> {
        loop {
            match self.slots.front() {
                None | Some(Slot::Waiting) => return Ok(()),
                Some(Slot::Ready(_) | Slot::Gone) => {}
            }
            let slot = self.slots.pop_front();
            self.first_slot += 1;
            if let Some(Slot::Ready(item)) = slot {
                self.write(*item)?;
            }
        }
    }

    fn write(&mut self, item: Item) -> Result<(), BackupError> {
        let meta = &item.entry.meta;
        self.report.entries_count += 1;
        if meta.kind == Kind::File {
            self.report.files_count += 1;
            self.report.content_bytes += meta.size_bytes;
        } else if meta.kind == Kind::Directory {
            self.run.count(Count::DirectoriesDone, 1);
        }
        if meta.flags != Flags::default() {
            self.report.flagged_count += 1;
        }
        self.usage.add(&item.entry.content);
        self.run.count(Count::EntriesDone, 1);
        self.tree.push(item)?;
        Ok(())
    }

    fn finish(mut self) -> Result<TreeReport, BackupError> {
        while self.waiting_count > 0 {
            self.collect_one()?;
            self.write_ready()?;
        }
        self.write_ready()?;
        self.report.decayed = self.usage.decayed();
        self.report.root = self.tree.finish()?;
        Ok(self.report)
    }
}
