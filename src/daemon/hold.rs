//! One daemon has a state folder.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::FlockOperation;
use rustix::fs::flock;

const LOCK: &str = "daemon.lock";
const CATALOGUE: &str = "catalogue.sqlite";
const SOCKET: &str = "control.sock";

/// The folder is this process's until it ends, however it ends.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

/// Why it is not.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error("process {pid} has it")]
    Taken { pid: String },
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[must_use]
pub fn catalogue(state_dir: &Path) -> PathBuf {
    state_dir.join(CATALOGUE)
}

#[must_use]
pub fn socket(state_dir: &Path) -> PathBuf {
    state_dir.join(SOCKET)
}

/// Takes the folder, and makes it if it is missing.
///
/// # Errors
/// When another process has it, or the system refuses.
pub fn take(state_dir: &Path) -> Result<Hold, HoldError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o750).create(state_dir)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o640);
    let mut file = options.open(state_dir.join(LOCK))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            file.take(20).read_to_string(&mut pid)?;
            return Err(HoldError::Taken { pid: pid.trim().to_owned() });
        }
        Err(error) => return Err(HoldError::Io(error.into())),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Hold { _file: file })
}
