//! Room that is kept back in a folder: whoever removes something has to write first what it
//! removes, and on a full medium could not.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::disk::FileKind;
use crate::run::Run;
use crate::run::seed::Choices;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::folder::FolderStorage;
use crate::storage::refuse::Refuse as _;

/// For whom room is kept back. Who removes snapshots must leave some for who gives space back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    Removal,
    Prune,
}

const ALL: [Reserve; 2] = [Reserve::Removal, Reserve::Prune];
/// Of each: a tombstone takes a block of the medium, so these are some sixty; a condemned pack
/// takes 32 bytes.
const RESERVE_BYTES: usize = 256 * 1024;

/// Less is of no use.
const RESERVE_BYTES_MIN: usize = 32 * 1024;

impl Reserve {
    /// A file in the root that no blob can be called.
    const fn name(self) -> &'static str {
        match self {
            Self::Removal => ".reserve-removal",
            Self::Prune => ".reserve-prune",
        }
    }
}

/// Whether a file in the root is one of these.
pub(in crate::storage) fn is_reserve(name: &str) -> bool {
    ALL.iter().any(|reserve| reserve.name() == name)
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl FolderStorage {
    fn reserve(&self, reserve: Reserve) -> PathBuf {
        self.root.join(reserve.name())
    }

    /// Keeps the room back, unless that was done; less of it where there is not enough.
    ///
    /// # Errors
    /// Those of writing a file: there is not even room for the least.
    pub fn keep_reserves(&self, run: &Run) -> Result<(), StorageError> {
        let mut choices = Choices::new(run.seed, "storage::folder::reserve");
        let mut is_new = false;
        for reserve in ALL {
            let failed = |error: io::Error| self.failed("keep room", reserve.name(), &error);
            let path = self.reserve(reserve);
            match self.disk.stat(&path) {
                Ok(stat) if stat.len_bytes == RESERVE_BYTES as u64 => continue,
                // Cut off while it was written, or there was less room.
                Ok(stat) if stat.kind == FileKind::File => {
                    self.disk.remove(&path).map_err(failed)?;
                }
                Ok(_) => return Err(self.refused_in_the_way(reserve)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            // Bytes by chance: a file system may pack zeros and keep no room for them.
            let bytes: Vec<u8> =
                (0..RESERVE_BYTES / 8).flat_map(|_| choices.next_number().to_le_bytes()).collect();
            self.keep_some(&path, &bytes).map_err(failed)?;
            is_new = true;
        }
        let synced = if is_new { self.disk.sync_folder(&self.root) } else { Ok(()) };
        synced.map_err(|error| self.failed("keep room", "", &error))
    }

    fn keep_some(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut len = bytes.len();
        loop {
            match self.disk.create_synced(path, &[bytes.get(..len).unwrap_or_default()]) {
                Err(error) if is_full(&error) && len > RESERVE_BYTES_MIN => len /= 2,
                done => return done,
            }
        }
    }

    fn refused_in_the_way(&self, reserve: Reserve) -> StorageError {
        let detail = "something that is not a regular file has this name";
        self.refused("keep room", reserve.name(), StorageErrorKind::Blocked, detail)
    }

    /// Gives the room up; whether there was any.
    ///
    /// # Errors
    /// Those of removing a file.
    pub fn spend_reserve(&self, reserve: Reserve) -> Result<bool, StorageError> {
        let failed = |error: io::Error| self.failed("give up room", reserve.name(), &error);
        match self.disk.remove(&self.reserve(reserve)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            removed => removed.map_err(failed)?,
        }
        self.disk.sync_folder(&self.root).map_err(failed)?;
        Ok(true)
    }
}
