//! A folder of a Unix system as target.

mod attributes;
mod beneath;
mod file;
mod owners;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use rustix::fd::OwnedFd;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::path::SnapshotPath;
use crate::path::escape;
use crate::target::Standing;
use crate::target::Target;
use crate::target::TargetError;
use crate::target::TargetErrorKind;
use crate::target::Writer;

use self::owners::Owners;
use self::writer::FolderWriter;

/// A folder, held by its handle: whoever renames it later does not move the restore elsewhere.
#[derive(Debug)]
pub struct FolderTarget {
    root: Arc<OwnedFd>,
    standing: Standing,
    owners: Owners,
    names: Arc<TemporaryNames>,
}

impl FolderTarget {
    /// Opens the folder, which is made if it is missing; its parents are the user's own path and
    /// may hold links. `seed` goes into temporary names.
    pub fn open(path: &Path, seed: u64) -> Result<Self, TargetError> {
        use std::os::unix::fs::DirBuilderExt;
        let shown = escape(path.as_os_str().as_encoded_bytes());
        let failed = |operation, errno| failed_text(operation, shown.clone(), errno);
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).map_err(|error| {
            failed("make folder", Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty());
        let root = root.map_err(|errno| failed("open folder", errno))?;
        let names = beneath::list(&root).map_err(|errno| failed("list folder", errno))?;
        let standing =
            Standing { privileged: rustix::process::geteuid().is_root(), fresh: names.is_empty() };
        let names = Arc::new(TemporaryNames { seed, next: AtomicU64::new(0) });
        Ok(Self { root: Arc::new(root), standing, owners: Owners::load(), names })
    }
}

impl Target for FolderTarget {
    fn standing(&self) -> Standing {
        self.standing
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        Box::new(FolderWriter::new(Arc::clone(&self.root), Arc::clone(&self.names)))
    }

    fn owner_ids(&self, user: &[u8], group: &[u8]) -> (Option<u32>, Option<u32>) {
        (self.owners.user(user), self.owners.group(group))
    }

    fn sync(&self) -> Result<(), TargetError> {
        rustix::fs::syncfs(&*self.root)
            .map_err(|errno| failed("sync", &SnapshotPath::root(), errno))
    }
}

/// Names for what has no final name yet. They need not be secret: whatever is made under one is
/// made exclusively.
#[derive(Debug)]
struct TemporaryNames {
    seed: u64,
    next: AtomicU64,
}

impl TemporaryNames {
    fn next(&self) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!(".lifeboat-{:016x}-{number:x}.part", self.seed).into_bytes()
    }
}

fn failed(operation: &'static str, path: &SnapshotPath, errno: Errno) -> TargetError {
    failed_text(operation, path.to_string(), errno)
}

fn failed_text(operation: &'static str, path: String, errno: Errno) -> TargetError {
    let kind = match errno {
        Errno::NOENT => TargetErrorKind::NotFound,
        Errno::EXIST | Errno::NOTEMPTY | Errno::ISDIR => TargetErrorKind::Taken,
        Errno::LOOP | Errno::NOTDIR | Errno::XDEV => TargetErrorKind::NotFolder,
        Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL => TargetErrorKind::Name,
        Errno::PERM | Errno::ACCESS | Errno::ROFS => TargetErrorKind::Denied,
        Errno::NOSPC | Errno::DQUOT => TargetErrorKind::Full,
        Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK => TargetErrorKind::Unsupported,
        _ => TargetErrorKind::Other,
    };
    let detail = std::io::Error::from(errno).to_string();
    TargetError { kind, operation, path, detail }
}
