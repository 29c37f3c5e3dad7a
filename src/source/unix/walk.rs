//! The walk: threads list folders ahead of the one who takes the entries.
//!
//! Folders wait in the order of their paths, so the threads work nearest to the consumer. The
//! consumer needs a folder's listing when it comes to the folder: it takes it if it is ready, waits
//! if a thread is at it, and else lists it itself, so it never waits for nothing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use rustix::fs::OFlags;

use crate::meta::Flags;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::source::Found;
use crate::source::SourceError;

use super::Inner;
use super::Place;
use super::is_folder;
use super::list::Lister;
use super::list::Listing;
use super::record::Record;
use super::record::text;

/// Most entries listed ahead of the consumer; one folder may go beyond.
const AHEAD_ENTRIES_MAX: usize = 65_536;
/// Threads that had to stop go on when fewer than this are ahead, and not for each folder taken.
const AHEAD_ENTRIES_LOW: usize = AHEAD_ENTRIES_MAX / 2;
/// Most folders that wait to be listed ahead.
const PENDING_FOLDERS_MAX: usize = 4096;
/// How many of a folder's sub-folders may wait at once.
const AHEAD_FOLDERS: usize = 64;
/// Most threads.
const THREADS_MAX: usize = 16;

/// A folder to list.
#[derive(Debug, Clone, Copy)]
struct Task {
    device: u64,
    inode: u64,
    root_device: u64,
}

/// A folder's listing, and how far its sub-folders were handed to the threads.
#[derive(Debug, Default)]
struct Ready {
    listing: Listing,
    queued_to: usize,
}

#[derive(Debug, Default)]
struct State {
    pending: BTreeMap<SnapshotPath, Task>,
    busy: BTreeSet<SnapshotPath>,
    ready: BTreeMap<SnapshotPath, Ready>,
    ahead_entries: usize,
}

struct Pool {
    inner: Arc<Inner>,
    closed: AtomicBool,
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, path: &SnapshotPath, task: Task) -> Listing {
        let is_snapshot = self.inner.is_snapshot();
        let lister = Lister { excludes: &self.inner.excludes, closed: &self.closed, is_snapshot };
        if !lister.enters(task.device, task.root_device) {
            return Listing { excluded_count: 1, ..Listing::default() };
        }
        let fd = self.inner.open_folder(path, OFlags::RDONLY);
        lister.list(fd, path, (task.device, task.inode))
    }

    /// Hands sub-folders from `ready.queued_to` on to the threads, up to `ahead` of them.
    fn queue(&self, state: &mut State, path: &SnapshotPath, ready: &mut Ready, task: Task) {
        let mut left = AHEAD_FOLDERS;
        while left > 0 && state.pending.len() < PENDING_FOLDERS_MAX {
            let Some(listed) = ready.listing.entries.get(ready.queued_to) else { break };
            ready.queued_to += 1;
            if !is_folder(&listed.record) {
                continue;
            }
            left -= 1;
            let Record { device, inode, .. } = listed.record;
            if let Ok(child) = path.join(ready.listing.name(listed)) {
                state.pending.insert(child, Task { device, inode, ..task });
                if state.ahead_entries < AHEAD_ENTRIES_MAX {
                    self.work.notify_one();
                }
            }
        }
    }

    /// The listing of `path`, by whom it may be.
    fn take(&self, path: &SnapshotPath, task: Task) -> Ready {
        let mut state = self.lock();
        loop {
            if let Some(ready) = state.ready.remove(path) {
                let before = state.ahead_entries;
                state.ahead_entries -= ready.listing.entries.len() + 1;
                if before >= AHEAD_ENTRIES_LOW && state.ahead_entries < AHEAD_ENTRIES_LOW {
                    self.work.notify_all();
                }
                return ready;
            }
            if state.pending.remove(path).is_some() || !state.busy.contains(path) {
                break;
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        let mut ready = Ready { listing: self.list(path, task), queued_to: 0 };
        self.queue(&mut self.lock(), path, &mut ready, task);
        ready
    }

    /// A thread's life.
    fn help(&self) {
        let mut state = self.lock();
        while !self.closed.load(Ordering::Relaxed) {
            let has_room = state.ahead_entries < AHEAD_ENTRIES_MAX;
            let Some((path, task)) = has_room.then(|| state.pending.pop_first()).flatten() else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.busy.insert(path.clone());
            drop(state);
            let at_work = AtWork { pool: self, path: &path };
            let mut ready = Ready { listing: self.list(&path, task), queued_to: 0 };
            state = self.lock();
            self.queue(&mut state, &path, &mut ready, task);
            state.ahead_entries += ready.listing.entries.len() + 1;
            state.ready.insert(path.clone(), ready);
            state.busy.remove(&path);
            std::mem::forget(at_work);
            self.done.notify_all();
        }
    }
}

/// Gives a folder back if the thread that is at it dies.
struct AtWork<'a> {
    pool: &'a Pool,
    path: &'a SnapshotPath,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.pool.lock().busy.remove(self.path);
        self.pool.done.notify_all();
    }
}

/// A folder the consumer is in.
struct Frame {
    path: SnapshotPath,
    task: Task,
    ready: Ready,
    next: usize,
}

/// All entries in path order.
pub(super) struct Walk {
    pool: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
    run: Run,
    places: std::vec::IntoIter<(SnapshotPath, Place)>,
    frames: Vec<Frame>,
}

impl Walk {
    pub(super) fn start(inner: Arc<Inner>, run: &Run) -> Result<Self, SourceError> {
        run.check()?;
        let places: Vec<_> =
            inner.places.iter().map(|(path, place)| (path.clone(), place.clone())).collect();
        let pool = Arc::new(Pool {
            inner,
            closed: AtomicBool::new(false),
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        let wanted = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        let mut threads = Vec::new();
        for _ in 0..wanted {
            let pool = Arc::clone(&pool);
            let builder = std::thread::Builder::new().name("walk".to_owned());
            // Without threads the consumer lists everything itself.
            if let Ok(thread) = builder.spawn(move || pool.help()) {
                threads.push(thread);
            }
        }
        let places = places.into_iter();
        Ok(Self { pool, threads, run: run.clone(), places, frames: Vec::new() })
    }

    fn next_place(&mut self) -> Option<Found> {
        loop {
            let (path, place) = self.places.next()?;
            match self.pool.inner.stat_place(&place) {
                Ok((record, rdev)) if place.is_above => {
                    return Some(Found { path, meta: self.pool.inner.meta(&record, rdev) });
                }
                Ok((record, rdev)) => return Some(self.emit(path, record, rdev, record.device)),
                Err(error) => self.problem(&path, &format!("cannot read: {}", text(error))),
            }
        }
    }

    /// The next entry of the innermost folder that has one.
    fn next_in_frames(&mut self) -> Option<Found> {
        while let Some(frame) = self.frames.last_mut() {
            let Some(listed) = frame.ready.listing.entries.get(frame.next).copied() else {
                self.frames.pop();
                continue;
            };
            frame.next += 1;
            let rdev = frame.ready.listing.rdev(&listed.record);
            let root_device = frame.task.root_device;
            let name = frame.ready.listing.name(&listed);
            match frame.path.join(name) {
                Ok(path) => return Some(self.emit(path, listed.record, rdev, root_device)),
                Err(error) => {
                    let mut subject = frame.path.to_slashed();
                    subject.push(b'/');
                    subject.extend_from_slice(name);
                    self.run.problem(&Problem::new(subject, error.to_string()));
                }
            }
        }
        None
    }

    fn emit(
        &mut self,
        path: SnapshotPath,
        record: Record,
        rdev: (u32, u32),
        root_device: u64,
    ) -> Found {
        let mut meta = self.pool.inner.meta(&record, rdev);
        if is_folder(&record) {
            let task = Task { device: record.device, inode: record.inode, root_device };
            self.refill();
            let ready = self.pool.take(&path, task);
            if ready.listing.is_incomplete {
                meta.flags = meta.flags.with(Flags::UNREADABLE);
            }
            self.report(&path, &ready.listing);
            self.frames.push(Frame { path: path.clone(), task, ready, next: 0 });
        }
        Found { path, meta }
    }

    /// Hands more sub-folders of the innermost folder to the threads when the consumer comes near.
    fn refill(&mut self) {
        if let Some(frame) = self.frames.last_mut()
            && frame.ready.queued_to < frame.next + AHEAD_FOLDERS / 2
        {
            frame.ready.queued_to = frame.ready.queued_to.max(frame.next);
            let mut state = self.pool.lock();
            self.pool.queue(&mut state, &frame.path, &mut frame.ready, frame.task);
        }
    }

    fn report(&self, path: &SnapshotPath, listing: &Listing) {
        if listing.excluded_count > 0 {
            self.run.count(Count::EntriesExcluded, listing.excluded_count);
        }
        for (name, message) in &listing.problems {
            match path.join(name) {
                Ok(child) => self.problem(&child, message),
                Err(_) => self.problem(path, message),
            }
        }
    }

    fn problem(&self, path: &SnapshotPath, message: &str) {
        self.run.problem(&Problem::new(path.to_slashed(), message));
    }
}

impl Iterator for Walk {
    type Item = Result<Found, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(stopped) = self.run.check() {
            return Some(Err(stopped.into()));
        }
        self.next_in_frames().or_else(|| self.next_place()).map(Ok)
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        // Under the lock, so that no thread looks before and waits after.
        let state = self.pool.lock();
        self.pool.closed.store(true, Ordering::Relaxed);
        drop(state);
        self.pool.work.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that died has given its folder back already.
            let _ended = thread.join();
        }
    }
}
