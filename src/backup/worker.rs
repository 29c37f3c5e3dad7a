//! One worker thread: reads, bundles, seals.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::backup::Cutting;
use crate::backup::bundle::BundleBuffer;
use crate::backup::bundle::ReadTo;
use crate::backup::error::BackupError;
use crate::backup::job::Job;
use crate::backup::job::Outcome;
use crate::backup::job::Task;
use crate::backup::large;
use crate::backup::large::LargeFile;
use crate::backup::large::SealJob;
use crate::backup::large::Window;
use crate::chunk::Cutter;
use crate::chunk::digest::digest;
use crate::format::entry::Content;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Digest;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::repository::ObjectSink;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Sealer;
use crate::repository::tree::NodeSink;
use crate::repository::tree::NodeSource;
use crate::repository::tree::map::MapWriter;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::source::ReadError;
use crate::source::Reader;

/// How often a small file that changes under the reader is read again.
const ATTEMPTS: usize = 2;

/// What all workers share.
pub(super) struct Shared<'a> {
    pub(super) run: &'a Run,
    pub(super) sink: &'a dyn ObjectSink,
    pub(super) nodes: &'a dyn NodeSource,
    pub(super) cutter: &'a Cutter,
    pub(super) cutting: Cutting,
}

/// One worker.
pub(super) struct Worker<'a> {
    pub(super) run: &'a Run,
    sink: &'a dyn ObjectSink,
    pub(super) nodes: &'a dyn NodeSource,
    pub(super) cutter: &'a Cutter,
    cutting: Cutting,
    sealer: Sealer,
    pub(super) seal_jobs: Option<Sender<SealJob>>,
    pub(super) seal_queue: Receiver<SealJob>,
    pub(super) window: Window,
    bundle: BundleBuffer,
}

/// A small file in the bundle that is being filled.
struct Gathered {
    slot: u64,
    meta: Meta,
    offset: usize,
    len: usize,
    digest: Digest,
}

/// Passes a map's nodes on to the vault.
struct MapSink<'a>(&'a dyn ObjectSink);

impl NodeSink for MapSink<'_> {
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError> {
        self.0.put(object).map(|_| ())
    }

    fn reuse(&mut self, _node: &Ref) -> Result<(), RepositoryError> {
        Ok(())
    }
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        shared: &Shared<'a>,
        sealer: Sealer,
        queue: (Sender<SealJob>, Receiver<SealJob>),
    ) -> Self {
        Self {
            run: shared.run,
            sink: shared.sink,
            nodes: shared.nodes,
            cutter: shared.cutter,
            cutting: shared.cutting,
            sealer,
            seal_jobs: Some(queue.0),
            seal_queue: queue.1,
            window: Window::default(),
            bundle: BundleBuffer::default(),
        }
    }

    /// Works until there are no more jobs, then helps with the chunks of others.
    pub(super) fn work(
        mut self,
        jobs: &Receiver<Job>,
        reader: &mut dyn Reader,
        answers: &Sender<Result<Vec<Outcome>, BackupError>>,
    ) {
        let queue = self.seal_queue.clone();
        loop {
            if let Ok(job) = queue.try_recv() {
                job.execute(&mut self);
                continue;
            }
            crossbeam_channel::select! {
                recv(queue) -> job => if let Ok(job) = job { job.execute(&mut self) },
                recv(jobs) -> job => {
                    let Ok(job) = job else { break };
                    let outcomes = self.execute(job, reader);
                    let failed = outcomes.is_err();
                    if answers.send(outcomes).is_err() || failed {
                        break;
                    }
                }
            }
        }
        self.seal_jobs = None;
        while let Ok(job) = queue.recv() {
            job.execute(&mut self);
        }
    }

    fn execute(&mut self, job: Job, reader: &mut dyn Reader) -> Result<Vec<Outcome>, BackupError> {
        match job {
            Job::Batch(tasks) => self.batch(tasks, reader),
            Job::Large(task) => Ok(vec![self.large(*task, reader)?]),
        }
    }

    pub(super) fn seal(&mut self, kind: ObjectKind, raw: &[u8]) -> Result<Ref, BackupError> {
        let (reference, object) = self.sealer.seal_data(kind, raw)?;
        self.sink.put(object)?;
        Ok(reference)
    }

    pub(super) fn push_extent(
        &mut self,
        map: &mut MapWriter,
        extent: Extent,
    ) -> Result<(), BackupError> {
        map.push(&mut self.sealer, &mut MapSink(self.sink), extent)?;
        Ok(())
    }

    pub(super) fn finish_map(
        &mut self,
        map: MapWriter,
        digest: Digest,
    ) -> Result<Content, BackupError> {
        Ok(map.finish(&mut self.sealer, &mut MapSink(self.sink), digest)?)
    }

    fn batch(
        &mut self,
        tasks: Vec<Task>,
        reader: &mut dyn Reader,
    ) -> Result<Vec<Outcome>, BackupError> {
        let mut outcomes = Vec::with_capacity(tasks.len());
        let mut gathered = Vec::new();
        self.bundle.truncate(0);
        for task in tasks {
            self.run.check()?;
            if task.found.meta.kind == Kind::File {
                match self.small(task, reader)? {
                    Small::Gathered(file) => gathered.push(file),
                    Small::Done(outcome) => outcomes.push(outcome),
                }
            } else {
                outcomes.push(self.attributes(&task, reader));
            }
        }
        if !gathered.is_empty() {
            let bundle = std::mem::take(&mut self.bundle);
            let sealed = self.seal(ObjectKind::Bundle, bundle.filled());
            self.bundle = bundle;
            let sealed = Arc::new(sealed?);
            let entries = gathered.into_iter().map(|file| file.into_outcome(&sealed));
            outcomes.extend(entries);
        }
        Ok(outcomes)
    }

    fn attributes(&self, task: &Task, reader: &mut dyn Reader) -> Outcome {
        match reader.attributes(self.run, &task.found) {
            Ok(meta) => Outcome::Entry { slot: task.slot, meta, content: Content::None },
            Err(error) => self.unreadable(task, &error),
        }
    }

    /// Reports why an entry cannot be read. What still stands there is kept without content.
    fn unreadable(&self, task: &Task, error: &ReadError) -> Outcome {
        self.run.problem(&Problem::new(task.found.path.to_slashed(), error.to_string()));
        match error {
            ReadError::Vanished | ReadError::Replaced => Outcome::Gone { slot: task.slot },
            ReadError::Denied(_) | ReadError::Failed(_) => {
                let mut meta = task.found.meta.clone();
                meta.flags = meta.flags.with(Flags::UNREADABLE);
                Outcome::Entry { slot: task.slot, meta, content: Content::None }
            }
        }
    }

    fn small(&mut self, task: Task, reader: &mut dyn Reader) -> Result<Small, BackupError> {
        let offset = self.bundle.len();
        let limit = usize::try_from(self.cutting.small_file_bytes).unwrap_or(usize::MAX);
        for attempt in 1..=ATTEMPTS {
            self.bundle.truncate(offset);
            let mut content = match reader.open(self.run, &task.found) {
                Ok(content) => content,
                Err(error) => return Ok(Small::Done(self.unreadable(&task, &error))),
            };
            if has_hole(&mut *content) {
                let file = large::store(self, &mut *content, &[], task.parent.as_ref())?;
                let meta = content.meta().clone();
                let seen = seen(&mut *content);
                return Ok(Small::Done(self.entry(&task, meta, file, seen)));
            }
            match self.bundle.read(&mut *content, offset + limit) {
                Err(error) => {
                    self.bundle.truncate(offset);
                    return Ok(Small::Done(self.unreadable(&task, &error)));
                }
                Ok(ReadTo::Limit) => {
                    let head = self.bundle.from(offset).to_vec();
                    self.bundle.truncate(offset);
                    let file = large::store(self, &mut *content, &head, task.parent.as_ref())?;
                    let meta = content.meta().clone();
                    let seen = seen(&mut *content);
                    return Ok(Small::Done(self.entry(&task, meta, file, seen)));
                }
                Ok(ReadTo::End) => {
                    let seen = seen(&mut *content);
                    if !seen.has(Flags::CHANGED) || attempt == ATTEMPTS {
                        let meta = content.meta().clone();
                        return Ok(self.gather(&task, meta, offset, seen));
                    }
                }
            }
        }
        Err(BackupError::WorkerGone)
    }

    fn gather(&mut self, task: &Task, mut meta: Meta, offset: usize, seen: Flags) -> Small {
        let slot = task.slot;
        let bytes = self.bundle.from(offset);
        let len = bytes.len();
        self.note_change(task, &mut meta, len as u64, seen);
        self.run.count(Count::BytesDone, len as u64);
        if len == 0 {
            return Small::Done(Outcome::Entry { slot, meta, content: Content::None });
        }
        let digest = digest(self.bundle.from(offset));
        if let Some(parent) = &task.parent
            && parent.meta.size_bytes == len as u64
            && parent.content.digest() == Some(&digest)
        {
            self.bundle.truncate(offset);
            let content = parent.content.clone();
            return Small::Done(Outcome::Entry { slot, meta, content });
        }
        Small::Gathered(Gathered { slot, meta, offset, len, digest })
    }

    /// Sets the size to what was read; a file that changed meanwhile is flagged and counted.
    fn note_change(&self, task: &Task, meta: &mut Meta, read_bytes: u64, seen: Flags) {
        if seen.has(Flags::CHANGED) || meta.size_bytes != read_bytes {
            meta.flags = meta.flags.with(Flags::CHANGED);
            let subject = task.found.path.to_slashed();
            self.run.problem(&Problem::new(subject, "changed while it was read"));
        }
        meta.size_bytes = read_bytes;
    }

    fn large(&mut self, task: Task, reader: &mut dyn Reader) -> Result<Outcome, BackupError> {
        let mut content = match reader.open(self.run, &task.found) {
            Ok(content) => content,
            Err(error) => return Ok(self.unreadable(&task, &error)),
        };
        let file = large::store(self, &mut *content, &[], task.parent.as_ref())?;
        let meta = content.meta().clone();
        let seen = seen(&mut *content);
        Ok(self.entry(&task, meta, file, seen))
    }

    fn entry(&self, task: &Task, mut meta: Meta, file: LargeFile, seen: Flags) -> Outcome {
        let LargeFile { content, size_bytes, failed } = file;
        if let Some(error) = failed {
            meta.flags = meta.flags.with(Flags::TRUNCATED);
            let message = format!("only the first {size_bytes} bytes could be read: {error}");
            self.run.problem(&Problem::new(task.found.path.to_slashed(), message));
            meta.size_bytes = size_bytes;
        } else {
            self.note_change(task, &mut meta, size_bytes, seen);
        }
        Outcome::Entry { slot: task.slot, meta, content }
    }
}

enum Small {
    Gathered(Gathered),
    Done(Outcome),
}

impl Gathered {
    fn into_outcome(self, bundle: &Arc<Ref>) -> Outcome {
        let (offset, len) = (u32::try_from(self.offset), u32::try_from(self.len));
        let content = match (offset, len) {
            (Ok(offset), Ok(len)) => {
                let bundle = Arc::clone(bundle);
                Content::Slice { bundle, offset, len, digest: self.digest }
            }
            // A sealed bundle is at most a frame long, so this cannot be.
            _ => Content::None,
        };
        Outcome::Entry { slot: self.slot, meta: self.meta, content }
    }
}

/// Whether a file has a hole: then it is kept as extents however small it is, since a slice of a
/// bundle cannot tell a hole from zeros. Leaves the place of `read` at the start.
fn has_hole(content: &mut dyn crate::source::Content) -> bool {
    let size_bytes = content.meta().size_bytes;
    if size_bytes == 0 || !content.may_have_holes() {
        return false;
    }
    match content.seek_data(0) {
        Ok(Some(range)) => range.offset > 0 || range.len_bytes < size_bytes,
        Ok(None) => true,
        Err(_) => false,
    }
}

/// What happened to the file while it was read.
fn seen(content: &mut dyn crate::source::Content) -> Flags {
    if content.changed() { Flags::CHANGED } else { Flags::default() }
}
