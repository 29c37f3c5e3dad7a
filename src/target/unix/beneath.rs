//! Folders beneath the root, by handle.

use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::fd::OwnedFd;
use rustix::fs::Dir;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::io::Errno;

use crate::path::SnapshotPath;

/// Longest path that one call may resolve; a longer one goes component by component.
const ONE_CALL_BYTES_MAX: usize = 4000;
/// How often a path is resolved again when a rename in the tree disturbed it.
const RETRIES_MAX: usize = 32;

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The root and the folder that was used last.
#[derive(Debug)]
pub(super) struct Folders {
    root: Arc<OwnedFd>,
    last: Option<(Box<[u8]>, Arc<OwnedFd>)>,
}

impl Folders {
    pub(super) fn new(root: Arc<OwnedFd>) -> Self {
        Self { root, last: None }
    }

    /// Opens a folder beneath the root; a link in its path is an error.
    pub(super) fn open(&mut self, folder: &[u8]) -> Result<Arc<OwnedFd>, Errno> {
        if folder.is_empty() {
            return Ok(Arc::clone(&self.root));
        }
        if let Some((path, handle)) = &self.last
            && **path == *folder
        {
            return Ok(Arc::clone(handle));
        }
        let handle = Arc::new(open_beneath(&self.root, folder)?);
        self.last = Some((folder.into(), Arc::clone(&handle)));
        Ok(handle)
    }

    /// The folder that holds `path`, and its last name. The root itself has neither.
    pub(super) fn open_parent<'a>(
        &mut self,
        path: &'a SnapshotPath,
    ) -> Result<(Arc<OwnedFd>, &'a [u8]), Errno> {
        let name = path.name().ok_or(Errno::INVAL)?;
        let stored = path.as_stored();
        let parent_len = (stored.len() - name.len()).saturating_sub(1);
        let parent = stored.get(..parent_len).ok_or(Errno::INVAL)?;
        Ok((self.open(parent)?, name))
    }

    /// Forgets the last folder, which may be gone.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }
}

fn open_beneath(root: &OwnedFd, folder: &[u8]) -> Result<OwnedFd, Errno> {
    if folder.len() > ONE_CALL_BYTES_MAX {
        return open_by_components(root, folder);
    }
    let slashed: Vec<u8> = folder.iter().map(|&b| if b == 0 { b'/' } else { b }).collect();
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..RETRIES_MAX {
        match rustix::fs::openat2(root, &*slashed, FOLDER, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // An older kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM | Errno::TOOBIG) => break,
            answer => return answer,
        }
    }
    open_by_components(root, folder)
}

fn open_by_components(root: &OwnedFd, folder: &[u8]) -> Result<OwnedFd, Errno> {
    let mut handle: Option<OwnedFd> = None;
    for name in folder.split(|&b| b == 0) {
        let within = handle.as_ref().unwrap_or(root);
        handle = Some(rustix::fs::openat(within, name, FOLDER, Mode::empty())?);
    }
    handle.ok_or(Errno::INVAL)
}

/// The names in an open folder, without `.` and `..`.
pub(super) fn list(folder: &impl AsFd) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for item in Dir::read_from(folder)? {
        let item = item?;
        let name = item.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways of opening keep the same rule.
    #[test]
    fn links_are_refused_in_one_call_and_by_components() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(temp.path().join("root/a/b")).unwrap();
        std::fs::create_dir_all(temp.path().join("outside/b")).unwrap();
        std::os::unix::fs::symlink("../outside", temp.path().join("root/link")).unwrap();
        std::os::unix::fs::symlink("a", temp.path().join("root/inner")).unwrap();
        let root = rustix::fs::open(temp.path().join("root"), FOLDER, Mode::empty()).unwrap();
        for open in [open_beneath, open_by_components] {
            assert!(open(&root, b"a\0b").is_ok());
            for path in [&b"link"[..], b"link\0b", b"inner", b"inner\0b", b"missing"] {
                assert!(open(&root, path).is_err(), "{path:?}");
            }
        }
        // `..` cannot be in a path of a snapshot; the kernel refuses it once more.
        for path in [&b".."[..], b"a\0..\0..", b"a\0b\0..\0..\0.."] {
            assert!(open_beneath(&root, path).is_err(), "{path:?}");
        }
    }
}
