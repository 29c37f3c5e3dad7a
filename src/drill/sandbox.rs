//! The folder of one drill: marked, and deleted only by its mark.

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::drill::server::process::end_orphans;

/// Name of the mark in a sandbox.
pub const MARK: &str = ".lifeboat-drill";
/// What is restored lies beneath this name.
const CONTENT: &str = "content";
/// Where a server may be if the sandbox is no place for it.
const COMMON: &str = "/var/tmp";
/// Longest path of a server's folder: a socket's name has 107 bytes.
const SERVER_PATH_BYTES_MAX: usize = 80;
/// Most bytes of a mark.
const MARK_BYTES_MAX: u64 = 4096;

/// Whose sandbox it is. The same stands outside of it, so that neither alone allows a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    pub record_id: String,
    /// 128 random bits in hex.
    pub token: String,
}

/// Why a sandbox cannot be made or removed.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("`{path}`: {source}")]
    Io {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` does not carry this drill's mark: {detail}")]
    Foreign { path: String, detail: String },
    #[error("`{path}` is never a sandbox: {detail}")]
    Refused { path: String, detail: &'static str },
}

/// A sandbox that this process made or found.
#[derive(Debug)]
pub struct Sandbox {
    path: PathBuf,
    mark: Mark,
}

fn shown(path: &Path) -> String {
    crate::path::escape(path.as_os_str().as_encoded_bytes())
}

fn failed(path: &Path) -> impl Fn(io::Error) -> SandboxError + '_ {
    move |source| SandboxError::Io { path: shown(path), source }
}

impl Sandbox {
    /// Where the sandbox of a drill lies.
    #[must_use]
    pub fn place(beneath: &Path, mark: &Mark) -> PathBuf {
        beneath.join(format!("drill-{}", mark.record_id))
    }

    /// Makes the folder, closed to others, and marks it.
    ///
    /// # Errors
    /// When it is there already, or cannot be made.
    pub fn make(beneath: &Path, mark: Mark) -> Result<Self, SandboxError> {
        std::fs::create_dir_all(beneath).map_err(failed(beneath))?;
        let path = Self::place(beneath, &mark);
        make_private(&path).map_err(failed(&path))?;
        let file = path.join(MARK);
        let text = serde_json::to_vec(&mark).map_err(|error| failed(&file)(error.into()))?;
        let made = File::create_new(&file).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        made.map_err(failed(&file))?;
        Ok(Self { path, mark })
    }

    /// Finds the sandbox of an earlier process.
    #[must_use]
    pub const fn found(path: PathBuf, mark: Mark) -> Self {
        Self { path, mark }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub const fn mark(&self) -> &Mark {
        &self.mark
    }

    /// A folder for what is restored of one item.
    #[must_use]
    pub fn content(&self, number: usize) -> PathBuf {
        self.path.join(format!("{CONTENT}-{number}"))
    }

    /// Makes a folder for a server, closed to others but to be passed through by the user that the
    /// server runs as: beside the sandbox, or, if that is no place for a socket or that user
    /// cannot come there, where everybody has room. One that was made stays until the end.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn server_place(&self) -> Result<PathBuf, SandboxError> {
        let [beside, common] = self.server_places();
        let place = if is_reached(&beside) { beside } else { common };
        if place.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return self.check_mark(&place).map(|()| place);
        }
        make_private(&place).map_err(failed(&place))?;
        let file = place.join(MARK);
        let text = serde_json::to_vec(&self.mark).map_err(|error| failed(&file)(error.into()))?;
        let made = File::create_new(&file).and_then(|mut file| file.write_all(&text));
        made.map_err(failed(&file))?;
        open_to_all(&place).map_err(failed(&place))?;
        Ok(place)
    }

    /// Where folders for servers may be.
    fn server_places(&self) -> [PathBuf; 2] {
        let id = self.mark.record_id.chars().filter(char::is_ascii_alphanumeric);
        let name = format!("drill-pg-{}", id.take(20).collect::<String>());
        let above = self.path.parent().unwrap_or(&self.path);
        [above.join(&name), Path::new(COMMON).join(format!("lifeboat-{name}"))]
    }

    /// Removes the folder of a server. Everything beneath its mark may be another user's, who
    /// might change it meanwhile: nothing is looked up twice by its name.
    fn remove_server_place(&self, place: &Path) -> Result<(), SandboxError> {
        if place.symlink_metadata().is_ok_and(|found| found.is_dir())
            && self.check_mark(place).is_ok()
        {
            end_orphans(place);
            for entry in std::fs::read_dir(place).map_err(failed(place))? {
                let entry = entry.map_err(failed(place))?;
                if entry.file_name() != MARK {
                    let path = entry.path();
                    std::fs::remove_dir_all(&path).map_err(failed(&path))?;
                }
            }
            // The mark goes last here too.
            let mark = place.join(MARK);
            std::fs::remove_file(&mark).map_err(failed(&mark))?;
            std::fs::remove_dir(place).map_err(failed(place))?;
        }
        Ok(())
    }

    /// Removes it with all that is in it: only beneath a mark that matches, on the same medium,
    /// following no link. What is gone already is fine.
    ///
    /// # Errors
    /// When the mark is another's, or something stays.
    pub fn remove(&self) -> Result<(), SandboxError> {
        for place in self.server_places() {
            self.remove_server_place(&place)?;
        }
        match self.path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&self.path)(error)),
            Ok(metadata) if !metadata.is_dir() => {
                let detail = "it is no folder".to_owned();
                return Err(SandboxError::Foreign { path: shown(&self.path), detail });
            }
            Ok(_) => {}
        }
        self.check_mark(&self.path)?;
        let own = device(&self.path).map_err(failed(&self.path))?;
        let mut pending = vec![self.path.clone()];
        let mut folders = Vec::new();
        while let Some(folder) = pending.pop() {
            if device(&folder).map_err(failed(&folder))? != own {
                let detail = "another medium is mounted there";
                return Err(SandboxError::Refused { path: shown(&folder), detail });
            }
            // Restored folders may be closed even to their owner.
            open_to_owner(&folder).map_err(failed(&folder))?;
            for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
                let entry = entry.map_err(failed(&folder))?;
                let path = entry.path();
                let kind = entry.file_type().map_err(failed(&path))?;
                if kind.is_dir() {
                    pending.push(path);
                } else if path != self.path.join(MARK) {
                    std::fs::remove_file(&path).map_err(failed(&path))?;
                }
            }
            folders.push(folder);
        }
        // The mark goes last, so that whoever is killed here can go on.
        for folder in folders.iter().skip(1).rev() {
            std::fs::remove_dir(folder).map_err(failed(folder))?;
        }
        let mark = self.path.join(MARK);
        std::fs::remove_file(&mark).map_err(failed(&mark))?;
        std::fs::remove_dir(&self.path).map_err(failed(&self.path))
    }

    fn check_mark(&self, folder: &Path) -> Result<(), SandboxError> {
        let foreign = |detail: String| SandboxError::Foreign { path: shown(folder), detail };
        let mut text = Vec::new();
        let read = File::open(folder.join(MARK))
            .and_then(|file| file.take(MARK_BYTES_MAX).read_to_end(&mut text));
        match read {
            Ok(_) => {}
            // Killed between the last two steps: nothing but an empty folder is left.
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_empty(folder) => {
                return Err(foreign("it is empty and has none".to_owned()));
            }
            Err(error) => return Err(foreign(error.to_string())),
        }
        let found: Mark = serde_json::from_slice(&text).map_err(|e| foreign(e.to_string()))?;
        if found == self.mark { Ok(()) } else { Err(foreign("it is another's".to_owned())) }
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether a server of anybody can use a folder of this path, which is not there yet.
fn is_reached(place: &Path) -> bool {
    let bytes = place.as_os_str().as_encoded_bytes();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let is_short = bytes.len() <= SERVER_PATH_BYTES_MAX && bytes.iter().all(is_plain);
    is_short && place.ancestors().skip(1).all(is_passed)
}

/// Whether anybody may pass through a folder.
#[cfg(unix)]
fn is_passed(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().is_ok_and(|found| found.mode() & 0o001 != 0)
}

#[cfg(not(unix))]
fn is_passed(_folder: &Path) -> bool {
    true
}

#[cfg(unix)]
fn open_to_all(folder: &Path) -> io::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o711);
    std::fs::set_permissions(folder, mode)
}

#[cfg(not(unix))]
fn open_to_all(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}

#[cfg(unix)]
fn device(path: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    Ok(path.symlink_metadata()?.dev())
}

#[cfg(not(unix))]
fn device(path: &Path) -> io::Result<u64> {
    path.symlink_metadata().map(|_| 0)
}

/// Restored folders may be closed even to their owner.
///
/// # Errors
/// When the folder is another's.
#[cfg(unix)]
pub fn open_to_owner(folder: &Path) -> io::Result<()> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(folder, mode)
}

#[cfg(not(unix))]
pub fn open_to_owner(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(token: &str) -> Mark {
        Mark { record_id: "r1".to_owned(), token: token.to_owned() }
    }

    #[test]
    fn a_sandbox_goes_with_closed_folders_and_leaves_what_links_lead_to() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("outside")).unwrap();
        File::create_new(dir.path().join("outside/kept")).unwrap();
        let sandbox = Sandbox::make(&dir.path().join("drills"), mark("t")).unwrap();
        let deep = sandbox.content(0).join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        File::create_new(deep.join("f")).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("outside"), deep.join("link")).unwrap();
            let closed = std::os::unix::fs::PermissionsExt::from_mode(0o000);
            std::fs::set_permissions(&deep, closed).unwrap();
        }
        sandbox.remove().unwrap();
        assert!(!sandbox.path().exists() && dir.path().join("outside/kept").exists());
        sandbox.remove().unwrap();
    }

    #[test]
    fn a_servers_place_goes_with_its_sandbox_and_anothers_stays() {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::make(dir.path(), mark("t")).unwrap();
        let place = sandbox.server_place().unwrap();
        std::fs::create_dir_all(place.join("server/data")).unwrap();
        File::create_new(place.join("server/data/f")).unwrap();
        Sandbox::found(sandbox.path().to_owned(), mark("u")).remove().unwrap_err();
        assert!(place.join("server/data/f").exists());
        sandbox.remove().unwrap();
        assert!(!place.exists() && !sandbox.path().exists());
        let long = dir.path().join("x".repeat(90));
        assert!(!is_reached(&long) && !is_reached(Path::new("/srv/a,b")));
    }

    #[test]
    fn what_carries_no_mark_or_anothers_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::make(dir.path(), mark("t")).unwrap();
        std::fs::create_dir(sandbox.content(0)).unwrap();
        let other = Sandbox::found(sandbox.path().to_owned(), mark("u"));
        assert!(matches!(other.remove(), Err(SandboxError::Foreign { .. })));
        std::fs::remove_file(sandbox.path().join(MARK)).unwrap();
        assert!(matches!(sandbox.remove(), Err(SandboxError::Foreign { .. })));
        assert!(sandbox.content(0).exists());
        assert!(Sandbox::make(dir.path(), mark("t")).is_err());
    }
}
