//! One worker thread: files with their content and attributes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::chunk::digest::ContentHasher;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::ids::Digest;
use crate::meta::Flags;
use crate::path::SnapshotPath;
use crate::path::escape;
use crate::repository::error::RepositoryError;
use crate::repository::tree::map::LostExtents;
use crate::repository::tree::map::MapReader;
use crate::restore::ObjectSource;
use crate::restore::Options;
use crate::restore::Replaced;
use crate::restore::Report;
use crate::restore::RestoreError;
use crate::restore::decide::Action;
use crate::restore::decide::decide;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::target::Lack;
use crate::target::Naming;
use crate::target::NewFile;
use crate::target::OldFile;
use crate::target::Placing;
use crate::target::Target;
use crate::target::TargetError;
use crate::target::TargetErrorKind;
use crate::target::UNSETTLED_TIME;
use crate::target::Writer;

use super::data::Bundles;
use super::filling::Filled;
use super::filling::Filling;
use super::filling::Loss;
use super::settle::Barrier;
use super::settle::Waiting;
use super::settle::time_of_new;

const READ_BYTES: usize = 1 << 20;
/// Ranges that are named for a damaged file.
const RANGES_NAMED_MAX: usize = 16;

/// An entry and where it goes.
pub(super) struct Job {
    pub(super) entry: Entry,
    pub(super) path: SnapshotPath,
}

/// What all threads of one restore share.
pub(super) struct Shared<'a> {
    pub(super) run: &'a Run,
    pub(super) source: &'a dyn ObjectSource,
    pub(super) target: &'a dyn Target,
    pub(super) options: &'a Options,
    pub(super) bundles: Bundles,
    pub(super) stop: AtomicBool,
    pub(super) state: Mutex<State>,
    pub(super) barrier: Barrier,
    /// Asks for the disk to be set to work; a second asking while it works is not needed.
    pub(super) ahead: Mutex<Option<crossbeam_channel::Sender<()>>>,
}

/// What the threads have found.
#[derive(Default)]
pub(super) struct State {
    pub(super) report: Report,
    /// Files that do not have the snapshot's content, so nothing is linked to them.
    pub(super) absent: BTreeSet<SnapshotPath>,
    /// Files that get their times behind the next barrier.
    pub(super) waiting: Waiting,
    /// Reads that the storage failed since something was restored.
    pub(super) unread_in_a_row: u32,
    pub(super) failure: Option<RestoreError>,
}

impl Shared<'_> {
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells of a problem. The root of the snapshot has no name and gets one here.
    pub(super) fn tell(&self, problem: &Problem) {
        if problem.subject.is_empty() {
            self.run.problem(&Problem { subject: b"/".to_vec(), ..problem.clone() });
        } else {
            self.run.problem(problem);
        }
        self.with(|state| state.report.problems_count += 1);
    }

    /// An entry is not there as asked.
    pub(super) fn fail(&self, job: &Job, problem: &Problem) {
        self.tell(problem);
        self.with(|state| {
            state.report.failed_count += 1;
            state.absent.insert(job.path.clone());
        });
    }

    /// A target that is full ends the restore; anything else costs one entry.
    pub(super) fn fail_target(&self, job: &Job, error: TargetError) -> Result<(), RestoreError> {
        if error.kind == TargetErrorKind::Full {
            return Err(error.into());
        }
        let twin = error.kind == TargetErrorKind::Taken && self.target.standing().fresh;
        let why = if twin {
            format!("{error}: its name differs from an earlier one only by case or Unicode form")
        } else {
            error.to_string()
        };
        self.fail(job, &Problem::new(job.entry.path.to_slashed(), why));
        Ok(())
    }

    pub(super) fn restored(&self, job: &Job, lacks: Vec<Lack>, bytes: u64) {
        for lack in lacks {
            self.tell(&Problem::new(job.entry.path.to_slashed(), lack.to_string()));
        }
        self.run.count(Count::EntriesDone, 1);
        self.run.count(Count::BytesDone, bytes);
        if self.barrier.add(bytes)
            && let Some(ahead) = &*self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
        {
            let _asked_already = ahead.try_send(());
        }
        self.with(|state| {
            state.unread_in_a_row = 0;
            state.report.restored_count += 1;
            state.report.restored_bytes += bytes;
        });
    }

    pub(super) fn kept(&self, job: &Job, lacks: Vec<Lack>) {
        for lack in lacks {
            self.tell(&Problem::new(job.entry.path.to_slashed(), lack.to_string()));
        }
        self.run.count(Count::EntriesDone, 1);
        self.run.count(Count::EntriesKept, 1);
        self.run.count(Count::BytesDone, job.entry.meta.size_bytes);
        self.with(|state| state.report.kept_count += 1);
    }

    pub(super) fn placing(&self, action: Action) -> Placing {
        match (action, self.options.replaced) {
            (Action::Create, _) => Placing::New,
            (_, Replaced::Dropped) => Placing::Replace,
            (_, Replaced::Kept) => Placing::KeepReplaced,
        }
    }

    /// What stands in a job's place, and so what to do.
    pub(super) fn decide(&self, writer: &mut dyn Writer, job: &Job) -> Result<Action, TargetError> {
        if self.target.standing().fresh {
            return Ok(Action::Create);
        }
        let standing = writer.look(&job.path)?;
        Ok(decide(&job.entry.meta, standing.as_ref(), self.options.overwrite))
    }
}

/// A worker thread's own things.
pub(super) struct Worker<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) writer: Box<dyn Writer + 'a>,
    /// By path in the snapshot: names that lie outside of what was asked for, and the first of
    /// their other names that was restored.
    pub(super) stand_ins: BTreeMap<SnapshotPath, SnapshotPath>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(shared: &'a Shared<'a>) -> Self {
        Self { shared, writer: shared.target.writer(), stand_ins: BTreeMap::new() }
    }

    /// Takes jobs until there are no more or the restore has failed.
    pub(super) fn work(&mut self, jobs: &crossbeam_channel::Receiver<Vec<Job>>) {
        for group in jobs {
            for job in &group {
                if self.shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let done = self.shared.run.check().map_err(RestoreError::from);
                if let Err(error) = done.and_then(|()| self.file(job)) {
                    self.shared.with(|state| state.failure.get_or_insert(error).to_string());
                    self.shared.stop.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// Whether nothing stands in its place, so that all of it will be read.
    pub(super) fn is_absent(&mut self, job: &Job) -> bool {
        matches!(self.shared.decide(&mut *self.writer, job), Ok(Action::Create))
    }

    pub(super) fn file(&mut self, job: &Job) -> Result<(), RestoreError> {
        let shared = self.shared;
        if job.entry.meta.flags.has(Flags::UNREADABLE) {
            let why = "has no content in the snapshot: it could not be read when it was backed up";
            shared.fail(job, &Problem::new(job.entry.path.to_slashed(), why));
            return Ok(());
        }
        if job.entry.meta.flags.has(Flags::TRUNCATED) {
            let why = "is only its beginning: a read failed when it was backed up";
            shared.tell(&Problem::new(job.entry.path.to_slashed(), why));
        }
        match self.file_or_error(job) {
            Err(RestoreError::Target(error)) => shared.fail_target(job, error),
            answer => answer,
        }
    }

    fn file_or_error(&mut self, job: &Job) -> Result<(), RestoreError> {
        let shared = self.shared;
        let mut action = shared.decide(&mut *self.writer, job)?;
        let mut unsettled = false;
        if action == Action::Compare {
            let old = self.writer.open_file(&job.path)?;
            unsettled = old.meta().mtime == UNSETTLED_TIME;
            let equal = match is_same(shared, old, &job.entry) {
                Err(RestoreError::Storage(error)) => return shared.not_had(job, *error),
                answer => answer?,
            };
            action = if equal { Action::KeepEqual } else { Action::Replace };
        }
        match action {
            Action::KeepProtected => {
                shared.with(|state| state.absent.insert(job.path.clone()));
                shared.kept(job, Vec::new());
            }
            Action::KeepEqual => {
                let mut xattrs = Vec::new();
                let (mut wanted, mut lacks) = shared.attributes(&job.entry.meta, &mut xattrs);
                if unsettled {
                    wanted.mtime = UNSETTLED_TIME;
                }
                let kind = job.entry.meta.kind;
                let set = self.writer.set_attributes(&job.path, kind, &wanted);
                // A file with several names, of which one may lie outside of the target: what is
                // wanted comes as a file of its own.
                if matches!(&set, Err(error) if error.kind == TargetErrorKind::Taken) {
                    return self.write(job, Action::Replace);
                }
                lacks.extend(set?);
                shared.kept(job, lacks);
                if unsettled {
                    self.settle_later(job)?;
                }
            }
            Action::Blocked => {
                let why = "a folder stands in its place";
                shared.fail(job, &Problem::new(job.entry.path.to_slashed(), why));
            }
            Action::Create | Action::Replace | Action::Compare => self.write(job, action)?,
        }
        Ok(())
    }

    fn write(&mut self, job: &Job, action: Action) -> Result<(), RestoreError> {
        let shared = self.shared;
        let (file, filled) = match &job.entry.content {
            Content::Slice { bundle, offset, len, digest } => {
                let bundle = shared.bundles.get(shared.run, shared.source, bundle);
                let raw = match bundle {
                    Err(error) => return shared.not_had(job, error),
                    Ok(raw) => raw,
                };
                let start = *offset as usize;
                let bytes = raw.get(start..start.saturating_add(*len as usize));
                // Nothing has been made yet: a small file is checked before it exists.
                match bytes.filter(|bytes| hash(bytes) == *digest) {
                    None => {
                        shared.lost(job, "the digest of its content differs");
                        return Ok(());
                    }
                    Some(bytes) => {
                        let mut file = self.create_small(job)?;
                        file.write_at(0, bytes)?;
                        (file, Filled::Whole)
                    }
                }
            }
            Content::None => (self.create_small(job)?, Filled::Whole),
            Content::Extents { .. } | Content::Map { .. } => self.write_extents(job, action)?,
        };
        let mut xattrs = Vec::new();
        let (mut wanted, mut lacks) = shared.attributes(&job.entry.meta, &mut xattrs);
        match filled {
            Filled::Whole => {}
            Filled::Damaged(loss) => return self.publish_damaged(job, file, &loss),
            Filled::Unread(why) => {
                shared.unread(job, &why);
                return Ok(());
            }
        }
        wanted.mtime = time_of_new(job.entry.meta.size_bytes, wanted.mtime);
        lacks.extend(file.publish(shared.placing(action), &wanted)?);
        shared.restored(job, lacks, job.entry.meta.size_bytes);
        if wanted.mtime == UNSETTLED_TIME { self.settle_later(job) } else { Ok(()) }
    }

    /// A file whose content is at hand and verified.
    fn create_small(&mut self, job: &Job) -> Result<Box<dyn NewFile>, TargetError> {
        let fresh = self.shared.target.standing().fresh;
        let naming = if fresh { Naming::AtOnce } else { Naming::WhenWhole };
        self.writer.create_file(&job.path, naming)
    }

    /// What is left of a file goes beside its name, never under it.
    fn publish_damaged(
        &mut self,
        job: &Job,
        file: Box<dyn NewFile>,
        loss: &Loss,
    ) -> Result<(), RestoreError> {
        let mut xattrs = Vec::new();
        let (wanted, _) = self.shared.attributes(&job.entry.meta, &mut xattrs);
        drop(file.publish(Placing::Replace, &wanted)?);
        let named = loss.ranges.iter().take(RANGES_NAMED_MAX);
        let mut ranges: Vec<String> = named.map(|(start, end)| format!("{start}-{end}")).collect();
        if loss.ranges.len() > RANGES_NAMED_MAX {
            ranges.push(format!("{} more", loss.ranges.len() - RANGES_NAMED_MAX));
        }
        let (ranges, why) = (ranges.join(", "), &loss.why);
        let name = escape(&damaged_name(job));
        let text = format!("the rest is in `{name}`; lost bytes {ranges}: {why}");
        self.shared.fail(job, &Problem::damage(job.entry.path.to_slashed(), text));
        Ok(())
    }

    /// Writes a large file chunk by chunk, taking from an older version what is equal in it.
    fn write_extents(
        &mut self,
        job: &Job,
        action: Action,
    ) -> Result<(Box<dyn NewFile>, Filled), RestoreError> {
        let shared = self.shared;
        let mut old = match action {
            Action::Replace => self.writer.open_file(&job.path).ok(),
            _ => None,
        };
        let mut file = self.writer.create_file(&job.path, Naming::WhenWhole)?;
        file.set_len(job.entry.meta.size_bytes)?;
        let mut filling = Filling::new();
        let mut extents = extents(shared, &job.entry.content);
        let size = job.entry.meta.size_bytes;
        while !filling.is_over() {
            shared.run.check()?;
            match extents.next() {
                None => break,
                Some(Err(LostExtents { len_bytes, error })) => {
                    let left = size.saturating_sub(filling.offset);
                    let why = shared.endure(error)?;
                    filling.miss(len_bytes.map_or(left, |len| len.min(left)), why);
                }
                Some(Ok(extent)) if extent.len_bytes() > size.saturating_sub(filling.offset) => {
                    filling.lose(0, "its chunks are longer than its size");
                    break;
                }
                Some(Ok(Extent::Hole { len_bytes })) => filling.hole(len_bytes),
                Some(Ok(chunk)) => filling.chunk(shared, &mut *file, &mut old, &chunk)?,
            }
        }
        let filled = filling.finish(size, digest_wanted(&job.entry.content));
        if matches!(filled, Filled::Damaged(_)) {
            file.set_name(&damaged_name(job))?;
        }
        Ok((file, filled))
    }
}

/// The name for what is left of a damaged file.
fn damaged_name(job: &Job) -> Vec<u8> {
    let mut name = job.path.name().unwrap_or_default().to_vec();
    name.extend_from_slice(b".damaged");
    name
}

pub(super) fn hash(bytes: &[u8]) -> Digest {
    Digest::new(*blake3::hash(bytes).as_bytes())
}

/// Whether a file that stands in the target has an entry's content, its holes read as zero.
pub(super) fn is_same(
    shared: &Shared<'_>,
    mut file: Box<dyn OldFile>,
    entry: &Entry,
) -> Result<bool, RestoreError> {
    if file.meta().size_bytes != entry.meta.size_bytes {
        return Ok(false);
    }
    let mut hasher = ContentHasher::default();
    let whole = matches!(entry.content, Content::None | Content::Slice { .. });
    if whole && !read_part(shared, &mut *file, &mut hasher, (entry.meta.size_bytes, Part::Data))? {
        return Ok(false);
    }
    for extent in extents(shared, &entry.content) {
        let extent = match extent {
            Ok(extent) => extent,
            Err(LostExtents { error: RepositoryError::Stopped(stopped), .. }) => {
                return Err(stopped.into());
            }
            Err(LostExtents { error, .. }) if error.is_storage() => {
                return Err(RestoreError::Storage(error.into()));
            }
            Err(_) => return Ok(false),
        };
        let part = match extent {
            Extent::Hole { .. } => Part::Hole,
            Extent::Chunk { .. } => Part::Data,
        };
        if !read_part(shared, &mut *file, &mut hasher, (extent.len_bytes(), part))? {
            return Ok(false);
        }
    }
    let len_same = hasher.len_bytes() == entry.meta.size_bytes;
    Ok(len_same && Some(hasher.finish()) == digest_wanted(&entry.content))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Data,
    Hole,
}

/// Reads on from where the hasher stands; `false` if the file ends or a hole is not zero.
fn read_part(
    shared: &Shared<'_>,
    file: &mut dyn OldFile,
    hasher: &mut ContentHasher,
    (len_bytes, part): (u64, Part),
) -> Result<bool, RestoreError> {
    let mut buffer = vec![0; READ_BYTES];
    let start = hasher.len_bytes();
    let mut done = 0_u64;
    while done < len_bytes {
        shared.run.check()?;
        let left = usize::try_from(len_bytes - done).unwrap_or(usize::MAX).min(READ_BYTES);
        let into = buffer.get_mut(..left).unwrap_or_default();
        if file.read_at(start.saturating_add(done), into)? < left {
            return Ok(false);
        }
        match part {
            Part::Data => hasher.update(into),
            Part::Hole if into.iter().all(|&byte| byte == 0) => {}
            Part::Hole => return Ok(false),
        }
        done += left as u64;
    }
    if part == Part::Hole {
        hasher.hole(len_bytes);
    }
    Ok(true)
}

/// The extents of a large file.
fn extents<'a>(
    shared: &'a Shared<'_>,
    content: &'a Content,
) -> Box<dyn Iterator<Item = Result<Extent, LostExtents>> + 'a> {
    match content {
        Content::Extents { extents, .. } => Box::new(extents.iter().cloned().map(Ok)),
        Content::Map { root, .. } => Box::new(MapReader::new(shared.run, shared.source, root)),
        Content::None | Content::Slice { .. } => Box::new(std::iter::empty()),
    }
}

/// The digest that an entry's content must have.
pub(super) fn digest_wanted(content: &Content) -> Option<Digest> {
    Some(content.digest().copied().unwrap_or_else(|| hash(b"")))
}
