//! Times of files come last, when their bytes are durable.
//!
//! A power cut may keep a file's size and time and take its bytes. So a file gets its name with
//! [`UNSETTLED_TIME`], which the next restore reads as "compare the content", and its own time
//! behind a barrier that covers many files.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;

use crate::path::SnapshotPath;
use crate::restore::RestoreError;
use crate::restore::select::IsFolder;
use crate::run::monitor::Problem;
use crate::target::DOUBTFUL_TIME;
use crate::target::Settled;
use crate::target::Target;
use crate::target::TargetError;
use crate::target::TargetErrorKind;
use crate::target::UNSETTLED_TIME;
use crate::target::Writer;
use crate::units::FileTime;

use super::file::Job;
use super::file::Shared;
use super::file::Worker;

/// Memory for files that wait for a barrier: some hundred thousand.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes after which the disk is set to work, so that it does not stand idle until the barrier.
const AHEAD_BYTES: u64 = 128 * 1024 * 1024;
/// Files from which another thread is worth its start.
const FILES_A_THREAD: usize = 4096;

/// The barrier of a restore. One at a time: the system tells an error once, and whoever hears it
/// keeps it for all.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    failure: Mutex<Option<TargetError>>,
    written_bytes: AtomicU64,
}

impl Barrier {
    /// Everything that was written before is durable once this has returned without an error.
    fn hold(&self, target: &dyn Target) -> Result<(), TargetError> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            *failure = target.sync().err();
        }
        failure.clone().map_or(Ok(()), Err)
    }

    /// Counts bytes; whether it is time to set the disk to work.
    pub(super) fn add(&self, bytes: u64) -> bool {
        let before = self.written_bytes.fetch_add(bytes, Ordering::Relaxed);
        before / AHEAD_BYTES != (before + bytes) / AHEAD_BYTES
    }

    /// Holds it each time that somebody asks. What fails is told by the barrier that counts.
    pub(super) fn work_ahead(&self, target: &dyn Target, asked: &Receiver<()>) {
        for () in asked {
            let _told_later = self.hold(target);
        }
    }
}

/// Files that have their bytes and not yet their time, by path in the snapshot.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    files: Vec<(SnapshotPath, FileTime)>,
    bytes: usize,
}

impl Waiting {
    fn add(&mut self, path: &SnapshotPath, mtime: FileTime) {
        self.bytes += path.as_stored().len() + size_of::<(SnapshotPath, FileTime)>();
        self.files.push((path.clone(), mtime));
    }

    const fn is_full(&self) -> bool {
        self.bytes >= WAITING_BYTES_MAX
    }
}

impl Worker<'_> {
    /// A file stands under its name; its time comes behind the next barrier.
    pub(super) fn settle_later(&mut self, job: &Job) -> Result<(), RestoreError> {
        let full = self.shared.with(|state| {
            state.waiting.add(&job.entry.path, job.entry.meta.mtime);
            state.waiting.is_full().then(|| std::mem::take(&mut state.waiting))
        });
        full.map_or(Ok(()), |waiting| settle(self.shared, waiting))
    }

    /// Gives all files that wait their times.
    pub(super) fn settle_all(&mut self) -> Result<(), RestoreError> {
        let waiting = self.shared.with(|state| std::mem::take(&mut state.waiting));
        settle(self.shared, waiting)
    }
}

fn settle(shared: &Shared<'_>, mut waiting: Waiting) -> Result<(), RestoreError> {
    if waiting.files.is_empty() {
        return Ok(());
    }
    // Files of one folder together.
    waiting.files.sort_unstable();
    if let Err(error) = shared.barrier.hold(shared.target) {
        // The system may have dropped what it could not write and show it all the same, so the
        // next restore must not even compare. Best effort: the error itself is told.
        let mut writer = shared.target.writer();
        for (path, _) in &waiting.files {
            let _best_effort = settle_one(shared, &mut *writer, path, DOUBTFUL_TIME);
        }
        return Err(error.into());
    }
    let threads = shared.options.threads_count.min(1 + waiting.files.len() / FILES_A_THREAD).max(1);
    std::thread::scope(|scope| {
        let parts = waiting.files.chunks(waiting.files.len().div_ceil(threads));
        let started: Vec<_> =
            parts.map(|files| scope.spawn(move || settle_some(shared, files))).collect();
        let ended = started.into_iter().map(|thread| thread.join());
        let ended: Vec<_> = ended.map(|it| it.unwrap_or(Err(RestoreError::Worker))).collect();
        ended.into_iter().collect()
    })
}

fn settle_one(
    shared: &Shared<'_>,
    writer: &mut dyn Writer,
    path: &SnapshotPath,
    mtime: FileTime,
) -> Result<Settled, TargetError> {
    let place = shared.options.selection.place(path, IsFolder::No);
    place.map_or(Ok(Settled::Other), |place| writer.settle(&place, mtime))
}

fn settle_some(
    shared: &Shared<'_>,
    files: &[(SnapshotPath, FileTime)],
) -> Result<(), RestoreError> {
    let mut writer = shared.target.writer();
    for (path, mtime) in files {
        shared.run.check()?;
        let why = match settle_one(shared, &mut *writer, path, *mtime) {
            Ok(Settled::Done) => continue,
            Ok(Settled::Other) => "cannot set times: it was changed meanwhile".to_owned(),
            Err(error) if error.kind == TargetErrorKind::Full => return Err(error.into()),
            Err(error) => format!("cannot set times: {}", error.detail),
        };
        shared.tell(&Problem::new(path.to_slashed(), why));
    }
    Ok(())
}

/// The time that a file gets with its name: its own if it has no bytes to lose.
pub(super) const fn time_of_new(size_bytes: u64, mtime: FileTime) -> FileTime {
    if size_bytes == 0 { mtime } else { UNSETTLED_TIME }
}
