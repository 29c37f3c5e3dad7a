//! Times of files come last, when their bytes are durable.
//!
//! A power cut may keep a file's size and time and take its bytes. So a file gets its name with
//! [`UNSETTLED_TIME`], which the next restore reads as "compare the content", and its own time
//! behind a barrier that covers many files.

use crate::path::SnapshotPath;
use crate::restore::RestoreError;
use crate::restore::select::IsFolder;
use crate::run::monitor::Problem;
use crate::target::DOUBTFUL_TIME;
use crate::target::Settled;
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
        full.map_or(Ok(()), |waiting| settle(self.shared, &mut *self.writer, waiting))
    }

    /// Gives all files that wait their times.
    pub(super) fn settle_all(&mut self) -> Result<(), RestoreError> {
        let waiting = self.shared.with(|state| std::mem::take(&mut state.waiting));
        settle(self.shared, &mut *self.writer, waiting)
    }
}

fn settle(
    shared: &Shared<'_>,
    writer: &mut dyn Writer,
    mut waiting: Waiting,
) -> Result<(), RestoreError> {
    if waiting.files.is_empty() {
        return Ok(());
    }
    // Files of one folder together.
    waiting.files.sort_unstable();
    let mut settle_one = |path: &SnapshotPath, mtime| -> Result<Settled, TargetError> {
        let place = shared.options.selection.place(path, IsFolder::No);
        place.map_or(Ok(Settled::Other), |place| writer.settle(&place, mtime))
    };
    if let Err(error) = shared.target.sync() {
        // The system may have dropped what it could not write and show it all the same, so the
        // next restore must not even compare. Best effort: the error itself is told.
        for (path, _) in &waiting.files {
            let _best_effort = settle_one(path, DOUBTFUL_TIME);
        }
        return Err(error.into());
    }
    for (path, mtime) in &waiting.files {
        shared.run.check()?;
        let why = match settle_one(path, *mtime) {
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
