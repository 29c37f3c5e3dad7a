//! Folders of a Unix system.

mod beneath;
#[cfg(target_os = "linux")]
mod btrfs;
mod list;
mod read;
mod record;
mod walk;
mod xattr;

use std::collections::BTreeMap;
use std::ffi::OsStr;
#[cfg(target_os = "linux")]
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::StatxFlags;
use rustix::io::Errno;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::source::Found;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::exclude::Excludes;

use self::beneath::Opener;
use self::read::FolderReader;
use self::record::Owners;
use self::record::Record;
use self::walk::Walk;

/// Where an entry named by the user, or a folder above one, really is.
#[derive(Debug, Clone)]
struct Place {
    /// Absolute.
    real: PathBuf,
    /// A folder above a named one: only itself, links followed.
    is_above: bool,
}

#[derive(Debug)]
struct Inner {
    /// Named places and the folders above them. None lies in a named one but itself.
    places: BTreeMap<SnapshotPath, Place>,
    excludes: Excludes,
    opener: Opener,
    owners: Owners,
    /// What named places are read from in place of the living files.
    #[cfg(target_os = "linux")]
    snapshots: Vec<btrfs::Taken>,
}

/// Folders and files of this machine.
///
/// An absolute path stands in the snapshot with all its components, a relative one as it is; `.` is
/// the snapshot's root. A relative path that leaves upwards becomes absolute. A link that is named
/// is kept as a link; links above it are followed.
#[derive(Debug)]
pub struct FolderSource {
    inner: Arc<Inner>,
}

impl FolderSource {
    /// Fails if one of `paths` does not exist, or if two different things would stand under one
    /// path of the snapshot.
    pub fn new(paths: &[PathBuf], excludes: Excludes) -> Result<Self, SourceError> {
        let mut named: BTreeMap<SnapshotPath, PathBuf> = BTreeMap::new();
        for path in paths {
            let (snapshot, real) = resolve(path)?;
            stat_path(&real, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| missing(path, error))?;
            let covering =
                named.iter().find(|(other, _)| snapshot.is_within(other)).map(|(other, top)| {
                    let rest = snapshot.relative_to(other).unwrap_or_default();
                    top.join(OsStr::from_bytes(&rest.to_slashed()))
                });
            if let Some(same) = covering {
                same_thing(&snapshot, &real, &same)?;
                continue;
            }
            let inside: Vec<_> =
                named.keys().filter(|other| other.is_within(&snapshot)).cloned().collect();
            for other in inside {
                let Some(other_real) = named.remove(&other) else { continue };
                let rest = other.relative_to(&snapshot).unwrap_or_default();
                same_thing(&other, &real.join(OsStr::from_bytes(&rest.to_slashed())), &other_real)?;
            }
            named.insert(snapshot, real);
        }
        let mut places = BTreeMap::new();
        for (snapshot, real) in named {
            let mut above = (snapshot.parent(), real.parent().map(Path::to_path_buf));
            while let (Some(path), Some(folder)) = above
                && !path.is_root()
            {
                above = (path.parent(), folder.parent().map(Path::to_path_buf));
                places.entry(path).or_insert(Place { real: folder, is_above: true });
            }
            places.insert(snapshot, Place { real, is_above: false });
        }
        Ok(Self::of(places, excludes))
    }

    /// What stands at `real` now, links followed, under `path` of a snapshot.
    pub fn at(path: SnapshotPath, real: &Path, excludes: Excludes) -> Result<Self, SourceError> {
        let real = real.canonicalize().map_err(|error| SourceError::Missing {
            path: crate::path::escape(real.as_os_str().as_bytes()),
            detail: error.to_string(),
        })?;
        Ok(Self::of(BTreeMap::from([(path, Place { real, is_above: false })]), excludes))
    }

    fn of(places: BTreeMap<SnapshotPath, Place>, excludes: Excludes) -> Self {
        let (opener, owners) = (Opener::default(), Owners::default());
        Self {
            inner: Arc::new(Inner {
                places,
                excludes,
                opener,
                owners,
                #[cfg(target_os = "linux")]
                snapshots: Vec::new(),
            }),
        }
    }

    /// Reads all named places from read-only snapshots of their Btrfs, which last as long as this
    /// source. What is read stands in the backup under the paths that it always has. Programs get
    /// the environment but for the variables in `hidden`.
    ///
    /// # Errors
    /// When a place lies on another file system, or a snapshot cannot be made.
    #[cfg(target_os = "linux")]
    pub fn from_btrfs(self, run: &Run, hidden: &[OsString]) -> Result<Self, SourceError> {
        // Nobody else has it yet.
        let Ok(mut inner) = Arc::try_unwrap(self.inner) else {
            let detail = "it is being read already".to_owned();
            return Err(SourceError::Missing { path: String::new(), detail });
        };
        for place in inner.places.values_mut().filter(|place| !place.is_above) {
            let found = inner.snapshots.iter().find_map(|taken| taken.place(&place.real));
            place.real = match found {
                Some(real) => real,
                None => {
                    let taken = btrfs::Taken::of(run, &place.real, hidden)?;
                    let real = taken.place(&place.real);
                    inner.snapshots.push(taken);
                    real.unwrap_or_else(|| place.real.clone())
                }
            };
        }
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Source for FolderSource {
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        Ok(Box::new(Walk::start(Arc::clone(&self.inner), run)?))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(FolderReader::new(&self.inner))
    }

    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        run.check()?;
        Ok(())
    }
}

impl Inner {
    /// The named place that `path` lies in.
    fn place_of(&self, path: &SnapshotPath) -> Option<(&SnapshotPath, &Place)> {
        let (at, place) = self.places.range::<SnapshotPath, _>(..=path).next_back()?;
        if path == at {
            return Some((at, place));
        }
        // What sorts between is beside: a named folder's descendants follow it without a gap.
        (path.is_within(at) && !place.is_above).then_some((at, place))
    }

    /// Whether what is read stands still.
    #[cfg(target_os = "linux")]
    fn is_snapshot(&self) -> bool {
        !self.snapshots.is_empty()
    }

    #[cfg(not(target_os = "linux"))]
    fn is_snapshot(&self) -> bool {
        false
    }

    /// The device of what is backed up, whatever it is read from.
    #[cfg(target_os = "linux")]
    fn living(&self, device: u64) -> u64 {
        self.snapshots.iter().find_map(|taken| taken.living(device)).unwrap_or(device)
    }

    #[cfg(not(target_os = "linux"))]
    fn living(&self, device: u64) -> u64 {
        device
    }

    fn meta(&self, record: &Record, rdev: (u32, u32)) -> Meta {
        let mut meta = record.meta(&self.owners, rdev);
        meta.device = self.living(meta.device);
        meta
    }

    /// Opens the folder at `path`.
    fn open_folder(&self, path: &SnapshotPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        let (at, place) = self.place_of(path).ok_or(Errno::NOENT)?;
        let rest = path.relative_to(at).unwrap_or_default();
        if rest.is_root() {
            let nofollow = if place.is_above { OFlags::empty() } else { OFlags::NOFOLLOW };
            let flags = flags | nofollow | OFlags::DIRECTORY | OFlags::CLOEXEC;
            return rustix::fs::openat(CWD, &place.real, flags, Mode::empty());
        }
        let flags_top = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let top = rustix::fs::openat(CWD, &place.real, flags_top, Mode::empty())?;
        self.opener.open(&top, rest.as_stored(), flags)
    }

    /// What stands at a place now.
    fn stat_place(&self, place: &Place) -> Result<(Record, (u32, u32)), Errno> {
        let flags = if place.is_above { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
        stat_path(&place.real, flags)
    }
}

fn stat_path(real: &Path, flags: AtFlags) -> Result<(Record, (u32, u32)), Errno> {
    let stat = rustix::fs::statx(CWD, real, flags, StatxFlags::BASIC_STATS)?;
    Ok((Record::new(&stat), (stat.stx_rdev_major, stat.stx_rdev_minor)))
}

fn missing(path: &Path, error: Errno) -> SourceError {
    let path = crate::path::escape(path.as_os_str().as_bytes());
    SourceError::Missing { path, detail: record::text(error) }
}

/// An error unless both paths name one thing.
fn same_thing(snapshot: &SnapshotPath, one: &Path, other: &Path) -> Result<(), SourceError> {
    let identity = |path: &Path| {
        stat_path(path, AtFlags::SYMLINK_NOFOLLOW).map(|(record, _)| (record.device, record.inode))
    };
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) if one == other => Ok(()),
        _ => Err(SourceError::Missing {
            path: snapshot.to_string(),
            detail: "two different things would stand under this path of the snapshot".to_owned(),
        }),
    }
}

/// The path in the snapshot and the absolute real path.
fn resolve(path: &Path) -> Result<(SnapshotPath, PathBuf), SourceError> {
    let detail = |detail: String| SourceError::Missing {
        path: crate::path::escape(path.as_os_str().as_bytes()),
        detail,
    };
    if path.as_os_str().is_empty() {
        return Err(detail("the path is empty".to_owned()));
    }
    let bytes = path.as_os_str().as_bytes();
    let mut base = PathBuf::from("/");
    let mut names = Vec::new();
    if !path.is_absolute() {
        base = std::env::current_dir().map_err(|error| detail(error.to_string()))?;
    }
    let mut leaves_upwards = false;
    for name in bytes.split(|&b| b == b'/') {
        match name {
            b"" | b"." => {}
            b".." => leaves_upwards |= names.pop().is_none(),
            name => names.push(name),
        }
    }
    if leaves_upwards && !path.is_absolute() {
        return resolve_upwards(&base.join(path));
    }
    let joined = names.join(&0);
    let snapshot = SnapshotPath::from_stored(&joined).map_err(|error| detail(error.to_string()))?;
    let rest = snapshot.to_slashed();
    let real = if rest.is_empty() { base } else { base.join(OsStr::from_bytes(&rest)) };
    Ok((snapshot, real))
}

/// As [`resolve`] for a path that was made absolute.
fn resolve_upwards(path: &Path) -> Result<(SnapshotPath, PathBuf), SourceError> {
    debug_assert!(path.is_absolute());
    resolve(path)
}

fn is_folder(record: &Record) -> bool {
    record.kind() == Kind::Directory
}

#[cfg(test)]
mod tests;
