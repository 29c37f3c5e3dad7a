//! The restore as a whole.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::Ref;
use crate::ids::Sid;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::reader::TreeReader;
use crate::restore::Delete;
use crate::restore::ObjectSource;
use crate::restore::Options;
use crate::restore::Report;
use crate::restore::RestoreError;
use crate::restore::Verify;
use crate::restore::decide::Action;
use crate::restore::decide::decide;
use crate::restore::select::IsFolder;
use crate::restore::select::Selection;
use crate::restore::select::Selector;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::target::Target;

use super::data::Bundles;
use super::data::Why;
use super::data::grouped;
use super::file::Job;
use super::file::Shared;
use super::file::State;
use super::file::Worker;
use super::file::is_same;
use super::remove::remove_strangers;
use super::settle::Barrier;

/// Groups of jobs that wait for a worker thread.
const GROUPS_WAITING_MAX: usize = 64;

/// A snapshot's tree and what is asked for of it.
pub(super) struct Snapshot<'a> {
    pub(super) root: &'a Ref,
    selection: &'a Selection,
}

impl Snapshot<'_> {
    /// Whether the entry at `path`, which is no folder, is asked for.
    pub(super) fn selects(&self, path: &SnapshotPath) -> bool {
        if !path.is_within(&self.selection.within) {
            return false;
        }
        let mut folders: Vec<SnapshotPath> = Vec::new();
        let mut folder = path.parent();
        while let Some(found) = folder {
            folder = found.parent();
            folders.push(found);
        }
        let mut selector = Selector::new(self.selection);
        for folder in folders.iter().rev() {
            selector.takes(folder, IsFolder::Yes);
        }
        selector.takes(path, IsFolder::No)
    }
}

/// One item of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In the snapshot; for what is removed, in the target.
    pub path: SnapshotPath,
    pub kind: Kind,
    pub size_bytes: u64,
    pub action: Action,
}

/// Says for every selected entry what `execute` would do, and changes nothing. What stands in the
/// target is only looked at, not read.
pub fn plan(
    run: &Run,
    (source, root): (&dyn ObjectSource, &Ref),
    target: &dyn Target,
    options: &Options,
    tell: &mut dyn FnMut(Step),
) -> Result<(), RestoreError> {
    run.phase(Phase::Planning);
    let mut writer = target.writer();
    let mut selector = Selector::new(&options.selection);
    for leaf in TreeReader::new(run, source, root, &options.selection.within) {
        let entries = match leaf {
            Ok(leaf) => leaf.entries,
            Err(RepositoryError::Stopped(why)) => return Err(why.into()),
            Err(error) if error.is_storage() => return Err(RestoreError::Storage(error.into())),
            Err(error) => {
                run.problem(&Problem::damage(Vec::new(), error.to_string()));
                continue;
            }
        };
        for entry in entries {
            let folder = is_folder(&entry);
            if !selector.takes(&entry.path, folder) {
                continue;
            }
            let Some(path) = options.selection.place(&entry.path, folder) else { continue };
            // A folder that is missing or replaced by a link has nothing in it.
            let standing = writer.look(&path).ok().flatten();
            let action = match (folder, &standing) {
                (IsFolder::Yes, Some(found)) if found.kind == Kind::Directory => Action::KeepEqual,
                _ => decide(&entry.meta, standing.as_ref(), options.overwrite),
            };
            let (kind, size_bytes) = (entry.meta.kind, entry.meta.size_bytes);
            tell(Step { path: entry.path, kind, size_bytes, action });
        }
    }
    Ok(())
}

/// Whether anything is selected. What is unknown, in a part of the tree that is lost, counts.
pub fn selects_any(
    run: &Run,
    (source, root): (&dyn ObjectSource, &Ref),
    selection: &Selection,
) -> Result<bool, RestoreError> {
    let mut selector = Selector::new(selection);
    for leaf in TreeReader::new(run, source, root, &selection.within) {
        let entries = match leaf {
            Ok(leaf) => leaf.entries,
            Err(RepositoryError::Stopped(why)) => return Err(why.into()),
            Err(error) if error.is_storage() => return Err(RestoreError::Storage(error.into())),
            Err(_) => return Ok(true),
        };
        if entries.iter().any(|entry| selector.takes(&entry.path, is_folder(entry))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Restores what is selected. An error means that the restore ended early; what it left is whole
/// and a second run goes on from there.
pub fn execute(
    run: &Run,
    (source, root): (&dyn ObjectSource, &Ref),
    target: &dyn Target,
    options: &Options,
) -> Result<Report, RestoreError> {
    if options.delete == Delete::Strangers && options.selection.has_patterns() {
        return Err(RestoreError::DeleteWithPatterns);
    }
    run.phase(Phase::Restoring);
    let (ahead, asked) = crossbeam_channel::bounded(1);
    let shared = Shared {
        run,
        source,
        target,
        options,
        bundles: Bundles::default(),
        stop: std::sync::atomic::AtomicBool::new(false),
        state: std::sync::Mutex::new(State::default()),
        barrier: Barrier::default(),
        ahead: std::sync::Mutex::new(Some(ahead)),
    };
    let snapshot = Snapshot { root, selection: &options.selection };
    let mut walk = Walk::new(&shared, &snapshot);
    let (sender, receiver) = crossbeam_channel::bounded(GROUPS_WAITING_MAX);
    let walked = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads_count.max(1))
            .map(|_| {
                let (shared, receiver) = (&shared, receiver.clone());
                scope.spawn(move || Worker::new(shared).work(&receiver))
            })
            .collect();
        drop(receiver);
        let shared = &shared;
        scope.spawn(move || shared.barrier.work_ahead(target, &asked));
        let walked = walk.walk(sender);
        if walked.is_err() {
            shared.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        // Every thread is waited for, also behind one that failed.
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join().is_ok()).collect();
        drop(shared.ahead.lock().unwrap_or_else(PoisonError::into_inner).take());
        let all = ended.into_iter().all(|ended| ended);
        walked.and(if all { Ok(()) } else { Err(RestoreError::Worker) })
    });
    if let Some(failure) = shared.with(|state| state.failure.take()) {
        return Err(failure);
    }
    walked?;
    walk.finish()?;
    target.sync()?;
    if options.verify == Verify::ReadAgain {
        verify(&shared, root)?;
    }
    run.phase(Phase::Finished);
    Ok(shared.with(|state| state.report))
}

/// Objects that hold the content of files, each once in a row.
fn contents<'j>(jobs: impl Iterator<Item = &'j Job>) -> Vec<Sid> {
    let mut sids = Vec::new();
    for job in jobs {
        match &job.entry.content {
            Content::None => {}
            Content::Slice { bundle, .. } => sids.push(bundle.sid),
            Content::Map { root, .. } => sids.push(root.sid),
            Content::Extents { extents, .. } => {
                sids.extend(extents.iter().filter_map(|extent| match extent {
                    Extent::Chunk { chunk, .. } => Some(chunk.sid),
                    Extent::Hole { .. } => None,
                }));
            }
        }
    }
    sids.dedup();
    sids
}

fn is_folder(entry: &Entry) -> IsFolder {
    if entry.meta.kind == Kind::Directory { IsFolder::Yes } else { IsFolder::No }
}

/// The main thread: reads the tree, makes folders, hands out files, does the rest at the end.
struct Walk<'a> {
    shared: &'a Shared<'a>,
    snapshot: &'a Snapshot<'a>,
    worker: Worker<'a>,
    /// Folders on the way to here that were not asked for themselves.
    ancestors: Vec<Entry>,
    folders: Vec<Job>,
    late: Vec<Job>,
    /// A folder that could not be made: nothing beneath it can be.
    closed: Option<SnapshotPath>,
    /// Folders that were met, from the first node on that cannot be read: those in it are unknown,
    /// and what lies in them may still be there.
    met: Option<BTreeSet<SnapshotPath>>,
    /// Names of each folder, for removal of strangers.
    names: BTreeMap<SnapshotPath, BTreeSet<Vec<u8>>>,
}

impl<'a> Walk<'a> {
    fn new(shared: &'a Shared<'a>, snapshot: &'a Snapshot<'a>) -> Self {
        Self {
            shared,
            snapshot,
            worker: Worker::new(shared),
            ancestors: Vec::new(),
            folders: Vec::new(),
            late: Vec::new(),
            closed: None,
            met: None,
            names: BTreeMap::new(),
        }
    }

    fn walk(&mut self, files: crossbeam_channel::Sender<Vec<Job>>) -> Result<(), RestoreError> {
        let shared = self.shared;
        let selection = &shared.options.selection;
        let mut selector = Selector::new(selection);
        for leaf in
            TreeReader::new(shared.run, shared.source, self.snapshot.root, &selection.within)
        {
            let entries = match leaf {
                Ok(leaf) => leaf.entries,
                Err(error) => {
                    self.lose_node(error)?;
                    let folders = || self.folders.iter().map(|job| job.entry.path.clone());
                    self.met.get_or_insert_with(|| folders().collect());
                    continue;
                }
            };
            let mut jobs = Vec::new();
            for entry in entries {
                self.ancestors.retain(|folder| entry.path.is_within(&folder.path));
                let taken = selector.takes(&entry.path, is_folder(&entry));
                if taken {
                    self.take(entry, &mut jobs)?;
                } else if entry.meta.kind == Kind::Directory {
                    self.ancestors.push(entry);
                }
            }
            shared.source.soon(shared.run, &mut || {
                contents(jobs.iter().filter(|job| self.worker.is_absent(job)))
            });
            for group in grouped(jobs) {
                // Only fails when every worker has ended, which the caller finds out.
                if files.send(group).is_err() {
                    return Ok(());
                }
            }
        }
        if shared.with(|state| state.report == Report::default()) && !selection.within.is_root() {
            return Err(RestoreError::NothingSelected { path: selection.within.to_string() });
        }
        Ok(())
    }

    /// The entries of a part of the tree cannot be had.
    fn lose_node(&self, error: RepositoryError) -> Result<(), RestoreError> {
        let shared = self.shared;
        let subject = shared.options.selection.within.to_slashed();
        let problem = match shared.endure(error)? {
            Why::Lost(why) => Problem::damage(subject, format!("entries are lost: {why}")),
            Why::Unread(why) => {
                shared.with(|state| state.report.unread_count += 1);
                let why =
                    format!("entries are missing, for the storage cannot read them now: {why}");
                Problem::new(subject, why)
            }
        };
        shared.tell(&problem);
        shared.with(|state| state.report.lost_nodes_count += 1);
        Ok(())
    }

    fn take(&mut self, entry: Entry, files: &mut Vec<Job>) -> Result<(), RestoreError> {
        for folder in std::mem::take(&mut self.ancestors) {
            self.take_one(folder, files)?;
        }
        self.take_one(entry, files)
    }

    fn take_one(&mut self, entry: Entry, files: &mut Vec<Job>) -> Result<(), RestoreError> {
        let shared = self.shared;
        self.make_unknown_folders(&entry.path)?;
        let Some(path) = shared.options.selection.place(&entry.path, is_folder(&entry)) else {
            return Ok(());
        };
        if let Some(met) = self.met.as_mut().filter(|_| entry.meta.kind == Kind::Directory) {
            met.insert(entry.path.clone());
        }
        shared.run.count(Count::EntriesFound, 1);
        shared.run.count(Count::BytesFound, entry.meta.size_bytes);
        shared.with(|state| state.report.asked_count += 1);
        if shared.options.delete == Delete::Strangers
            && let (Some(folder), Some(name)) = (path.parent(), path.name())
        {
            self.names.entry(folder).or_default().insert(name.to_vec());
        }
        let job = Job { entry, path };
        if self.closed.as_ref().is_some_and(|closed| job.path.is_within(closed)) {
            let why = "the folder that it belongs in could not be made";
            shared.fail(&job, &Problem::new(job.entry.path.to_slashed(), why));
            return Ok(());
        }
        match job.entry.meta.kind {
            Kind::Directory => {
                if self.worker.folder(&job)? {
                    self.folders.push(job);
                } else {
                    self.closed = Some(job.path);
                }
            }
            Kind::File => files.push(job),
            _ => self.late.push(job),
        }
        Ok(())
    }

    /// Makes the folders above an entry whose own entries are lost. They keep the attributes that
    /// every new folder has.
    fn make_unknown_folders(&mut self, path: &SnapshotPath) -> Result<(), RestoreError> {
        let Some(met) = &mut self.met else { return Ok(()) };
        let above = std::iter::successors(path.parent(), SnapshotPath::parent);
        let unknown: Vec<_> = above.take_while(|folder| !met.contains(folder)).collect();
        for folder in unknown.into_iter().rev() {
            met.insert(folder.clone());
            let place = self.shared.options.selection.place(&folder, IsFolder::Yes);
            let Some(path) = place.filter(|_| !folder.is_root()) else { continue };
            let why = "the folder's own entry is lost: it is made anew, without its attributes";
            self.shared.tell(&Problem::damage(folder.to_slashed(), why));
            let meta = Meta::plain(Kind::Directory, 0);
            let job = Job { entry: Entry { path: folder, meta, content: Content::None }, path };
            if !self.worker.folder(&job)? {
                self.closed = Some(job.path);
                break;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), RestoreError> {
        let shared = self.shared;
        for job in &self.late {
            shared.run.check()?;
            self.worker.late(job, self.snapshot)?;
        }
        // Before the folders, whose rights may close the way to what is in them.
        self.worker.settle_all()?;
        self.remove_strangers()?;
        for job in self.folders.iter().rev() {
            shared.run.check()?;
            self.worker.finish_folder(job)?;
        }
        Ok(())
    }

    fn remove_strangers(&mut self) -> Result<(), RestoreError> {
        let shared = self.shared;
        // With a part of the tree unknown, what looks like a stranger may be wanted.
        let lost = shared.with(|state| state.report.lost_nodes_count);
        if shared.options.delete == Delete::Nothing || lost > 0 {
            return Ok(());
        }
        let nothing = BTreeSet::new();
        for job in &self.folders {
            let wanted = self.names.get(&job.path).unwrap_or(&nothing);
            let writer = &mut *self.worker.writer;
            let removed = remove_strangers(shared.run, writer, &job.path, wanted)?;
            shared.with(|state| state.report.removed_count += removed.count);
            for problem in removed.problems {
                shared.tell(&problem);
            }
        }
        Ok(())
    }
}

/// Reads every restored file again and compares its digest.
fn verify(shared: &Shared<'_>, root: &Ref) -> Result<(), RestoreError> {
    let (run, selection) = (shared.run, &shared.options.selection);
    run.phase(Phase::Verifying);
    let mut writer = shared.target.writer();
    let mut selector = Selector::new(selection);
    for leaf in TreeReader::new(run, shared.source, root, &selection.within) {
        let entries = match leaf {
            Ok(leaf) => leaf.entries,
            Err(RepositoryError::Stopped(why)) => return Err(why.into()),
            // Told when the restore met it.
            Err(_) => continue,
        };
        for entry in entries {
            let folder = is_folder(&entry);
            let taken = selector.takes(&entry.path, folder) && entry.meta.kind == Kind::File;
            let place = selection.place(&entry.path, folder).filter(|_| taken);
            let Some(path) = place else { continue };
            if shared.with(|state| state.absent.contains(&path)) {
                continue;
            }
            let found = writer.open_file(&path).map_err(RestoreError::from);
            let why = match found.and_then(|file| is_same(shared, file, &entry)) {
                Ok(true) => {
                    shared.with(|state| state.report.verified_count += 1);
                    continue;
                }
                Ok(false) => "read again, its content differs".to_owned(),
                Err(error @ (RestoreError::Stopped(_) | RestoreError::Storage(_))) => {
                    return Err(error);
                }
                Err(error) => format!("cannot be read again: {error}"),
            };
            shared.tell(&Problem::damage(entry.path.to_slashed(), why));
            shared.with(|state| {
                state.report.failed_count += 1;
                state.report.restored_count = state.report.restored_count.saturating_sub(1);
            });
        }
    }
    Ok(())
}
