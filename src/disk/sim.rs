//! A disk in memory that forgets what was not synced.
//!
//! Every call changes the image that its callers see, and is kept as one or more steps. `crash`
//! replays the steps up to any of them and drops, tears or keeps what had not been synced there.
//! Folders and contents are synced apart from each other, as the standard allows and no journal
//! promises otherwise.

pub mod crash;
pub mod image;
pub mod script;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::disk::DiskItem;
use crate::disk::DiskStat;
use crate::disk::FileSystem;
use crate::disk::Held;

use self::crash::History;
use self::crash::Scope;
use self::crash::Step;
use self::image::Change;
use self::image::Image;
use self::image::NodeId;
use self::image::NodeKind;
use self::image::Place;
use self::script::DiskVerb;
use self::script::Script;
use self::script::SimError;

/// How the simulated disk behaves. What lies is a planted bug that tests must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    #[default]
    Honest,
    /// A whole file system cannot be synced, only folders.
    FoldersOnly,
    /// Contents are claimed durable and are not.
    ContentSyncLies,
    /// Names are claimed durable and are not.
    NameSyncLies,
}

/// The simulated disk.
pub struct SimDisk {
    clock: Arc<dyn Clock>,
    manner: Manner,
    state: Arc<Mutex<State>>,
    held: Arc<AtomicBool>,
}

/// The simulated file system, opened by one process.
struct SimFileSystem {
    manner: Manner,
    state: Arc<Mutex<State>>,
    /// Steps up to which this process knows of losses.
    seen: AtomicUsize,
}

/// Nobody else may hold the disk while this lives.
struct SimHold(Arc<AtomicBool>);

impl Drop for SimHold {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

struct State {
    image: Image,
    history: History,
    script: Script,
}

impl State {
    fn step(&mut self, step: Step) {
        if let Step::Change(change) = &step {
            self.image.apply(change);
        }
        self.history.steps.push(step);
    }

    fn change(&mut self, change: Change) {
        self.step(Step::Change(change));
    }
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::from_image(clock, Image::default())
    }

    /// A disk that holds `image`, all of it durable: what a machine finds after a crash.
    #[must_use]
    pub fn from_image(clock: Arc<dyn Clock>, image: Image) -> Self {
        let history = History { start: image.clone(), steps: Vec::new() };
        let state = State { image, history, script: Script::default() };
        let (state, held) = (Arc::new(Mutex::new(state)), Arc::default());
        Self { clock, manner: Manner::Honest, state, held }
    }

    #[must_use]
    pub fn with_manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// Makes the `nth` call of `verb` from now (1 is the next) fail, once.
    pub fn fail(&self, verb: DiskVerb, nth: u64, error: SimError) {
        self.lock().script.add(verb, nth, error);
    }

    /// How many calls of `verb` there were.
    #[must_use]
    pub fn call_count(&self, verb: DiskVerb) -> u64 {
        self.lock().script.call_count(verb)
    }

    /// How many steps were taken so far: a crash at this count or later comes after all calls that
    /// have returned by now.
    #[must_use]
    pub fn step_count(&self) -> usize {
        self.lock().history.steps.len()
    }

    /// Everything that happened, for [`History::visit_crashes`].
    #[must_use]
    pub fn history(&self) -> History {
        self.lock().history.clone()
    }

    /// What callers see now.
    #[must_use]
    pub fn image(&self) -> Image {
        self.lock().image.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, verb: DiskVerb) -> (MutexGuard<'_, State>, Option<SimError>) {
        let mut state = self.lock();
        let scripted = state.script.next(verb);
        (state, scripted)
    }

    /// For calls that either work or fail without a trace.
    fn plain(&self, verb: DiskVerb) -> io::Result<MutexGuard<'_, State>> {
        match self.begin(verb) {
            (state, None) => Ok(state),
            (_, Some(error)) => Err(error.to_io()),
        }
    }
}

impl State {
    fn sync(&mut self, manner: Manner, scripted: Option<SimError>, scope: Scope) -> io::Result<()> {
        match scripted {
            None if manner == Manner::NameSyncLies => Ok(()),
            None => {
                self.step(Step::Sync(scope));
                Ok(())
            }
            Some(error) => {
                if error == SimError::SyncLost {
                    self.step(Step::Lose(scope));
                }
                Err(error.to_io())
            }
        }
    }
}

impl FileSystem for SimFileSystem {
    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let scripted = state.script.next(DiskVerb::SyncAll);
        let seen = self.seen.load(Ordering::SeqCst);
        let since = state.history.steps.get(seen..).unwrap_or_default();
        let is_lost = since.iter().any(|step| matches!(step, Step::Lose(_)));
        let synced = match scripted {
            None if is_lost => Err(SimError::SyncLost.to_io()),
            scripted => state.sync(self.manner, scripted, Scope::All),
        };
        self.seen.store(state.history.steps.len(), Ordering::SeqCst);
        synced
    }
}

impl fmt::Debug for SimFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimFileSystem")
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimDisk({} steps)", self.step_count())
    }
}

fn content_of(state: &State, path: &Path) -> io::Result<Arc<[u8]>> {
    let node = state.image.find(path)?;
    state.image.content(node)
}

/// The place of a new name, if it is free.
fn free_place(image: &Image, path: &Path) -> io::Result<Place> {
    let place = image.place(path)?;
    match image.at(&place) {
        Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        None => Ok(place),
    }
}

impl Disk for SimDisk {
    fn create_synced(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let (mut state, scripted) = self.begin(DiskVerb::Create);
        if scripted == Some(SimError::Io) {
            return Err(SimError::Io.to_io());
        }
        let place = free_place(&state.image, path)?;
        let node = state.image.next_node();
        let mut content = parts.concat();
        if scripted == Some(SimError::NoSpace) {
            content.truncate(content.len() / 2);
        }
        state.change(Change::Make { place: place.clone(), node, kind: NodeKind::File });
        let modified = self.clock.now();
        state.change(Change::Content { node, content: content.into(), modified });
        match scripted {
            None if self.manner == Manner::ContentSyncLies => Ok(()),
            None => {
                state.step(Step::Sync(Scope::Content(node)));
                Ok(())
            }
            Some(error) => {
                if error == SimError::SyncLost {
                    state.step(Step::Lose(Scope::Content(node)));
                }
                state.change(Change::Remove { place, node });
                Err(error.to_io())
            }
        }
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.plain(DiskVerb::Rename)?;
        let from_place = state.image.place(from)?;
        let node: NodeId = state.image.find(from)?;
        let to_place = free_place(&state.image, to)?;
        state.change(Change::Rename { from: from_place, to: to_place, node });
        Ok(())
    }

    fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let state = self.plain(DiskVerb::Read)?;
        let content = content_of(&state, path)?;
        if content.len() as u64 > bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(content.to_vec())
    }

    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let state = self.plain(DiskVerb::Read)?;
        let content = content_of(&state, path)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = content.get(start..start.saturating_add(into.len()));
        into.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn stat(&self, path: &Path) -> io::Result<DiskStat> {
        let state = self.plain(DiskVerb::Stat)?;
        let node = state.image.find(path)?;
        state.image.stat(node)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<DiskItem>> {
        let state = self.plain(DiskVerb::List)?;
        let node = state.image.find(folder)?;
        state.image.list(node)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.plain(DiskVerb::Remove)?;
        let place = state.image.place(path)?;
        let node = state.image.find(path)?;
        state.image.content(node)?;
        state.change(Change::Remove { place, node });
        Ok(())
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.plain(DiskVerb::MakeFolder)?;
        let place = free_place(&state.image, path)?;
        let node = state.image.next_node();
        state.change(Change::Make { place, node, kind: NodeKind::Folder });
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let (mut state, scripted) = self.begin(DiskVerb::SyncFolder);
        let scope = Scope::Names(state.image.find(folder)?);
        state.sync(self.manner, scripted, scope)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.plain(DiskVerb::Remove)?;
        let place = state.image.place(folder)?;
        let node = state.image.find(folder)?;
        if !state.image.list(node)?.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.change(Change::Remove { place, node });
        Ok(())
    }

    fn open_file_system(&self, folder: &Path) -> io::Result<Box<dyn FileSystem>> {
        if self.manner == Manner::FoldersOnly {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let state = self.lock();
        state.image.find(folder)?;
        let seen = AtomicUsize::new(state.history.steps.len());
        let (manner, state) = (self.manner, Arc::clone(&self.state));
        Ok(Box::new(SimFileSystem { manner, state, seen }))
    }

    fn try_hold(&self, _folder: &Path) -> io::Result<Option<Held>> {
        let is_taken = self.held.swap(true, Ordering::SeqCst);
        Ok((!is_taken).then(|| Box::new(SimHold(Arc::clone(&self.held))) as Held))
    }
}

#[cfg(test)]
mod tests;
