//! Files that change while they are read. What the snapshot has of one is one of its states, or the
//! entry is flagged and told: never an unflagged mix.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::meta::Meta;
use lifeboat::restore::Options;
use lifeboat::restore::select::Selection;
use lifeboat::run::Run;
use lifeboat::source::Content;
use lifeboat::source::DataRange;
use lifeboat::source::Found;
use lifeboat::source::ReadError;
use lifeboat::source::Reader;
use lifeboat::source::Source;
use lifeboat::source::SourceError;
use lifeboat::source::exclude::Excludes;
use lifeboat::source::unix::FolderSource;

use crate::support::Random;
use crate::support::generate;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::support::tally::Watch;
use crate::world::World;
use crate::world::fast_folder;
use crate::world::folder_target;
use crate::world::restore_options;
use crate::world::snapshot_path;

/// What happens to the file between two calls of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// New bytes of the same length, in place.
    Rewrite,
    Grow,
    Shrink,
    Empty,
    Vanish,
    /// Another file under the same name.
    Swap,
    ToFifo,
    ToLink,
    ToFolder,
}

const CHANGES: [Change; 9] = [
    Change::Rewrite,
    Change::Grow,
    Change::Shrink,
    Change::Empty,
    Change::Vanish,
    Change::Swap,
    Change::ToFifo,
    Change::ToLink,
    Change::ToFolder,
];

/// Whether the source says that a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    Truth,
    /// A planted bug: nothing is ever said to have changed.
    Nothing,
}

/// A file whose states are told apart by their bytes: state n is n, n, n, ….
struct Moving {
    path: PathBuf,
    change: Change,
    /// At which calls it happens: the first, and then every so many.
    at: (u64, u64),
    calls: AtomicU64,
    state: AtomicU64,
    size: usize,
    saying: Saying,
}

impl Moving {
    fn call(&self) {
        let nth = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let (first, every) = self.at;
        // A file that always grows faster than it is read has no end.
        let again = every > 0 && (first..40).contains(&nth) && (nth - first).is_multiple_of(every);
        if nth == first || again {
            self.happen();
        }
    }

    fn happen(&self) {
        let state = self.state.fetch_add(1, Ordering::SeqCst) + 1;
        let byte = u8::try_from(state % 251).unwrap();
        let open = || std::fs::File::options().write(true).open(&self.path);
        let write = |size: usize| {
            if let Ok(file) = open() {
                file.set_len(size as u64).unwrap();
                file.write_all_at(&vec![byte; size], 0).unwrap();
                // Old kernels date changes by the tick; the test is not about those.
                generate::set_mtime(&self.path, 1_700_000_000, i64::try_from(state).unwrap());
            }
        };
        match self.change {
            Change::Rewrite => write(self.size),
            Change::Grow => write(self.size + usize::try_from(state).unwrap() * 1000),
            Change::Shrink => write(self.size / 2 / usize::try_from(state).unwrap()),
            Change::Empty => write(0),
            Change::Swap => {
                let other = self.path.with_file_name("other");
                generate::put(&other, &vec![byte; self.size]);
                rustix::fs::rename(&other, &self.path).unwrap();
            }
            gone => {
                if std::fs::remove_file(&self.path).is_err() {
                    return;
                }
                match gone {
                    Change::ToLink => std::os::unix::fs::symlink("still", &self.path).unwrap(),
                    Change::ToFolder => std::fs::create_dir(&self.path).unwrap(),
                    Change::ToFifo => {
                        let mode = rustix::fs::Mode::from_raw_mode(0o600);
                        let kind = rustix::fs::FileType::Fifo;
                        rustix::fs::mknodat(rustix::fs::CWD, &self.path, kind, mode, 0).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A folder with one file that does not stand still.
struct Restless<'a> {
    inner: FolderSource,
    moving: &'a Moving,
}

impl Source for Restless<'_> {
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        self.inner.walk(run)
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(RestlessReader { inner: self.inner.reader(), moving: self.moving })
    }

    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        self.inner.finish(run)
    }
}

struct RestlessReader<'a> {
    inner: Box<dyn Reader + 'a>,
    moving: &'a Moving,
}

impl Reader for RestlessReader<'_> {
    fn attributes(&mut self, run: &Run, found: &Found) -> Result<Meta, ReadError> {
        self.inner.attributes(run, found)
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        if found.path.name() != Some(b"moving") {
            return self.inner.open(run, found);
        }
        self.moving.call();
        let inner = self.inner.open(run, found)?;
        Ok(Box::new(RestlessContent { inner, moving: self.moving }))
    }
}

struct RestlessContent<'a> {
    inner: Box<dyn Content + 'a>,
    moving: &'a Moving,
}

impl Content for RestlessContent<'_> {
    fn meta(&self) -> &Meta {
        self.inner.meta()
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        self.moving.call();
        // Short reads, so that there are many moments to change something.
        let len = into.len().min(self.moving.size / 6 + 1);
        self.inner.read(&mut into[..len])
    }

    fn seek_data(&mut self, offset: u64) -> Result<Option<DataRange>, ReadError> {
        self.moving.call();
        self.inner.seek_data(offset)
    }

    fn may_have_holes(&self) -> bool {
        self.inner.may_have_holes()
    }

    fn changed(&mut self) -> bool {
        let changed = self.inner.changed();
        self.moving.call();
        changed && self.moving.saying == Saying::Truth
    }
}

/// One state: one byte over and over, and some length that the file had.
fn is_one_state(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|first| bytes.iter().all(|byte| byte == first))
}

/// One backup with one restless file; what is wrong with what was kept, and whether it was flagged.
fn trial(random: &mut Random, folder: &Path, saying: Saying) -> (Change, bool, Option<String>) {
    let mut world = World::new();
    let machine = world.enrol("desk");
    let tree = folder.join("tree");
    std::fs::create_dir(&tree).unwrap();
    let size = [100, 400, 511, 512, 3000, 20_000][random.below(6)];
    let path = tree.join("moving");
    generate::put(&path, &vec![0; size]);
    for name in ["before", "still", "zz"] {
        generate::put(&tree.join(name), b"stands still");
    }
    let change = CHANGES[random.below(CHANGES.len())];
    let at = (1 + random.next() % 9, [0, 0, 1, 3][random.below(4)]);
    let (calls, state) = (AtomicU64::new(0), AtomicU64::new(0));
    let moving = Moving { path, change, at, calls, state, size, saying };
    let what = format!("{change:?} of {size} bytes at {at:?}");
    let inner = FolderSource::new(std::slice::from_ref(&tree), Excludes::default()).unwrap();
    let watched = world.run();
    let source = Restless { inner, moving: &moving };
    let report = world.backup(&watched, &machine, (&source, "tree")).unwrap();
    let flagged = watched.problems().iter().any(|line| line.contains("moving"));
    let wrong = |why: String| Some(format!("{what}: {why}; told: {:?}", watched.problems()));
    if !flagged && !watched.problems().is_empty() {
        return (change, flagged, wrong("a problem of what stands still".to_owned()));
    }
    if report.tree.flagged_count > 0 && !flagged {
        return (change, flagged, wrong("flagged and not told".to_owned()));
    }
    let within = snapshot_path(tree.to_str().unwrap());
    let options =
        Options { selection: Selection::new(within, &[], &[]).unwrap(), ..restore_options() };
    let target = folder.join("target");
    let restored = world.run();
    let id = report.snapshot.unwrap().id;
    world.restore(&restored, &id, (&folder_target(&target), &options)).unwrap();
    for name in ["before", "still", "zz"] {
        if std::fs::read(target.join(name)).ok().as_deref() != Some(b"stands still") {
            return (change, flagged, wrong(format!("`{name}` was harmed")));
        }
    }
    let kept = std::fs::read(target.join("moving"));
    let whole = kept.as_ref().is_ok_and(|bytes| is_one_state(bytes));
    if !flagged && !whole {
        let shown = kept.map(|bytes| format!("{} bytes, mixed", bytes.len()));
        return (change, flagged, wrong(format!("unflagged, and kept as {shown:?}")));
    }
    (change, flagged, None)
}

#[test]
fn a_file_that_changes_while_it_is_read_is_one_state_or_flagged() {
    let seed = 11;
    let trials = Profile::of_process().pick(400, 5000, 100_000);
    let mut tally = Tally::start("h11-moving", seed);
    let mut random = Random::new(seed);
    let mut found = Vec::new();
    for _ in 0..trials {
        let folder = fast_folder();
        let (change, flagged, wrong) = trial(&mut random, folder.path(), Saying::Truth);
        tally.trials += 1;
        tally.count(&format!("{change:?}"), 1);
        tally.count("flagged", u64::from(flagged));
        found.extend(wrong);
    }
    tally.failures = found.len() as u64;
    tally.finish();
    assert!(found.is_empty(), "seed {seed}: {} of {trials}\n{}", found.len(), found.join("\n"));
}

/// borg #8573: a file that changed while it was read is kept as if it had stood still.
#[test]
fn an_unflagged_mix_is_caught() {
    let watch = Watch::start();
    let mut random = Random::new(11);
    let caught = (1..=200).find(|_| {
        let folder = fast_folder();
        trial(&mut random, folder.path(), Saying::Nothing).2.is_some()
    });
    println!("borg-8573-unflagged-mix: caught by trial {caught:?}");
    assert!(caught.is_some());
    profile::caught("borg-8573-unflagged-mix", watch);
}
