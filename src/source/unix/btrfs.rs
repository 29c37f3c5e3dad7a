//! Read-only snapshots of Btrfs: what is read is of one moment, whatever is written meanwhile.
//!
//! A snapshot stands in the root of its subvolume while it is read, and is held meanwhile. Its name
//! tells which process made it, so that one that was killed leaves nothing for good: the next
//! removes it. The tool goes by paths, so nobody else may be able to change one.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use rustix::fs::AtFlags;

use crate::run::Run;
use crate::run::monitor::Problem;
use crate::source::SourceError;

use super::missing;
use super::stat_path;

/// What names of snapshots begin with.
const PREFIX: &str = ".lifeboat-";
/// Number of a subvolume's root.
const ROOT_INODE: u64 = 256;
/// `linux/magic.h`.
const MAGIC: u32 = 0x9123_683e;
const TOOL: &str = "btrfs";

/// A snapshot, removed when it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    subvolume: PathBuf,
    snapshot: PathBuf,
    hidden: Vec<OsString>,
    /// Numbers of the snapshot's device and of the subvolume's.
    devices: (u64, u64),
    /// Tells others that it is in use.
    held: Option<File>,
}

impl Taken {
    /// Makes one of the subvolume that `path` lies in.
    ///
    /// # Errors
    /// When it lies on no Btrfs, or the tool fails.
    pub(super) fn of(run: &Run, path: &Path, hidden: &[OsString]) -> Result<Self, SourceError> {
        run.check()?;
        let subvolume = root_of(path).map_err(|detail| SourceError::Missing {
            path: crate::path::escape(path.as_os_str().as_bytes()),
            detail,
        })?;
        let refused = |detail| SourceError::Missing {
            path: crate::path::escape(subvolume.as_os_str().as_bytes()),
            detail,
        };
        ours_alone(&subvolume).map_err(refused)?;
        clear(run, &subvolume, hidden);
        let name = format!("{PREFIX}{}", own());
        let snapshot = subvolume.join(name);
        let words: [&OsStr; 5] = [
            "subvolume".as_ref(),
            "snapshot".as_ref(),
            "-r".as_ref(),
            subvolume.as_ref(),
            snapshot.as_ref(),
        ];
        tool(&words, hidden)
            .map_err(|detail| SourceError::Tool { tool: TOOL.to_owned(), detail })?;
        tracing::info!(subvolume = %subvolume.display(), "a snapshot is read");
        // From here on it is removed, whatever comes.
        let hidden = hidden.to_vec();
        let mut taken = Self { subvolume, snapshot, hidden, devices: (0, 0), held: None };
        taken.held = open_held(&taken.snapshot).ok().flatten();
        let device = |path: &Path| {
            let found = stat_path(path, AtFlags::SYMLINK_NOFOLLOW);
            found.map(|(record, _)| record.device).map_err(|error| missing(path, error))
        };
        taken.devices = (device(&taken.snapshot)?, device(&taken.subvolume)?);
        Ok(taken)
    }

    /// The device of the living files, if this is that of their snapshot: each snapshot has another
    /// one, and what has not changed is known by it.
    pub(super) fn living(&self, device: u64) -> Option<u64> {
        (self.devices.0 == device).then_some(self.devices.1)
    }

    /// Where what stands at `path` is in the snapshot; none if it lies in another subvolume.
    pub(super) fn place(&self, path: &Path) -> Option<PathBuf> {
        let is_own = root_of(path).is_ok_and(|root| root == self.subvolume);
        let rest = path.strip_prefix(&self.subvolume).ok().filter(|_| is_own)?;
        let is_root = rest.as_os_str().is_empty();
        Some(if is_root { self.snapshot.clone() } else { self.snapshot.join(rest) })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.snapshot, &self.hidden) {
            // The next backup tries it again, and says so.
            tracing::error!(error, "a snapshot of the file system cannot be removed");
        }
    }
}

/// Whether nobody but root and this user can put something else in the place of `subvolume`, or of
/// anything in it.
fn ours_alone(subvolume: &Path) -> Result<(), String> {
    let real = subvolume.canonicalize().map_err(|error| error.to_string())?;
    let own = rustix::process::geteuid().as_raw();
    for folder in real.ancestors() {
        let found = folder.symlink_metadata().map_err(|error| error.to_string())?;
        let is_shared = found.mode() & 0o022 != 0;
        // Where only owners remove, what is ours stays.
        let is_kept = found.mode() & 0o1000 != 0 && folder != real;
        if ![0, own].contains(&found.uid()) || (is_shared && !is_kept) {
            return Err(format!(
                "others can change the folder `{}`, and so what is read: leave `snapshot` out for \
                 it",
                crate::path::escape(folder.as_os_str().as_bytes())
            ));
        }
    }
    Ok(())
}

/// Holds a snapshot; none if somebody else does.
fn open_held(snapshot: &Path) -> io::Result<Option<File>> {
    use rustix::fs::FlockOperation;
    use rustix::fs::OFlags;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(snapshot, flags, rustix::fs::Mode::empty())?;
    match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(folder.into())),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The root of the subvolume that `path` lies in.
fn root_of(path: &Path) -> Result<PathBuf, String> {
    let magic =
        rustix::fs::statfs(path).map_err(|error| io::Error::from(error).to_string())?.f_type;
    if i128::from(magic) & 0xffff_ffff != i128::from(MAGIC) {
        return Err("it lies on no Btrfs: leave `snapshot` out for it".to_owned());
    }
    // A link that is named is kept as a link: what counts is where it stands.
    let stat = |path: &Path| path.symlink_metadata().map_err(|error| error.to_string());
    let device = stat(path)?.dev();
    for folder in path.ancestors() {
        let found = stat(folder)?;
        if found.is_dir() && found.ino() == ROOT_INODE && found.dev() == device {
            return Ok(folder.to_owned());
        }
    }
    Err("the root of its subvolume is not above it".to_owned())
}

/// This process: its number, and when it began, since numbers come again.
fn own() -> String {
    let pid = std::process::id();
    format!("{pid}-{}", began(pid).unwrap_or_default())
}

fn began(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

/// Removes what killed processes have left.
fn clear(run: &Run, subvolume: &Path, hidden: &[OsString]) {
    let Ok(items) = std::fs::read_dir(subvolume) else { return };
    for item in items.filter_map(Result::ok) {
        let name = item.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
        let Some((pid, begin)) = owner else { continue };
        let is_alive = pid.parse().ok().and_then(began).is_some_and(|began| began == begin);
        let is_snapshot = item.metadata().is_ok_and(|metadata| metadata.ino() == ROOT_INODE);
        if is_alive || !is_snapshot {
            continue;
        }
        // Not every process can be seen: one of another user, or of another container.
        if !open_held(&item.path()).is_ok_and(|held| held.is_some()) {
            continue;
        }
        if let Err(detail) = remove(&item.path(), hidden) {
            let detail = format!("an earlier backup has left a snapshot: {detail}");
            run.problem(&Problem::new(item.path().into_os_string().into_encoded_bytes(), detail));
        }
    }
}

fn remove(snapshot: &Path, hidden: &[OsString]) -> Result<(), String> {
    tool(&["subvolume".as_ref(), "delete".as_ref(), snapshot.as_ref()], hidden)
}

fn tool(words: &[&OsStr], hidden: &[OsString]) -> Result<(), String> {
    let mut command = Command::new(TOOL);
    command.args(words).stdin(Stdio::null());
    for name in hidden {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| format!("cannot start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = crate::path::escape(said.trim().as_bytes());
    match output.status.code() {
        Some(code) => Err(format!("exit code {code}: {said}")),
        None => Err(output.status.to_string()),
    }
}
