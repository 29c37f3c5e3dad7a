//! What is damaged is mended from what is left.
//!
//! What it is: from what a check found a plan, from a plan a repair with a signed journal, and from
//! a journal the way back. It needs the store key, and none to content.
//! Never: overwrites; deletes bytes that do not lie in quarantine too; touches what has the hash
//! that its name tells, or is of a version that it does not know.
//! Invariants: what is good in a damaged pack lies in a new one that was read back before the old
//! one goes; the journal names what is moved and added before it is; each step may be done twice.
//! Start reading at: [`plan`], then `apply`.

mod apply;
mod journal;
pub mod lost;
pub mod plan;
mod salvage;
mod save;
mod undo;
mod unknown;

use std::fmt;

use serde::Serialize;

use crate::crypto::blind;
use crate::ids::BlobId;
use crate::ids::KeyId;
use crate::run::Run;
use crate::run::Stopped;
use crate::storage::BLOB_BYTES_MAX;
use crate::storage::BlobName;
use crate::storage::BlobNameError;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc::GcError;
use crate::vault::load::whole_or_error;
use crate::vault::names;
use crate::vault::names::Place;

/// Why nothing, or nothing more, was repaired.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RepairError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("`{name}` is as it was written, and of a version that this program does not know")]
    Newer { name: BlobName },
    #[error("`{name}` is not what it was when this was planned")]
    Changed { name: BlobName },
    #[error("{why}")]
    Overtaken { why: String },
    #[error("a backup is at work, and this medium cannot keep it out meanwhile")]
    AtWork,
    #[error(
        "a prune may be at work, and this medium cannot keep it out meanwhile; if one was killed, \
         the next prune ends that"
    )]
    PruneAtWork,
    #[error("no repair is there that could be taken back")]
    NothingToUndo,
    #[error("journal `{name}`: {why}")]
    Journal { name: BlobName, why: String },
    #[error("`{name}` cannot be taken back: {why}")]
    Relied { name: String, why: String },
    #[error("`{name}` cannot come back: its copy in quarantine is damaged")]
    QuarantineLost { name: String },
    #[error(
        "`{name}` cannot come back: it is not in quarantine any more, where a prune leaves it for \
         as long as a removed snapshot"
    )]
    QuarantineEmptied { name: String },
}

impl From<Stopped> for RepairError {
    fn from(stopped: Stopped) -> Self {
        Self::Vault(stopped.into())
    }
}

impl From<StorageError> for RepairError {
    fn from(error: StorageError) -> Self {
        Self::Vault(error.into())
    }
}

impl From<BlobNameError> for RepairError {
    fn from(error: BlobNameError) -> Self {
        Self::Vault(error.into())
    }
}

impl From<GcError> for RepairError {
    fn from(error: GcError) -> Self {
        match error {
            GcError::Vault(error) => Self::Vault(error),
            other => Self::Overtaken { why: other.to_string() },
        }
    }
}

/// Who signs the journal.
pub struct Signer<'s> {
    pub id: KeyId,
    pub sign: &'s dyn Fn(&[u8]) -> [u8; 64],
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RepairReport {
    /// Id of the journal; empty if there was nothing to do.
    pub repair: String,
    /// Blobs that went to quarantine.
    pub moved_count: u64,
    pub moved_bytes: u64,
    /// Copies of records that were written anew.
    pub copies_count: u64,
    /// Objects that were written into new packs.
    pub objects_count: u64,
    pub objects_bytes: u64,
    pub packs_count: u64,
    pub indexes_count: u64,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct UndoReport {
    pub repair: String,
    /// Blobs that have their names again.
    pub returned_count: u64,
    /// Blobs that the repair had added and that are gone.
    pub removed_count: u64,
}

fn id_of(bytes: &[u8]) -> BlobId {
    BlobId::new(blind::hash(bytes))
}

/// A whole blob; `None` if it is missing or longer than any blob may be. A medium that says one
/// length and gives another is not believed: what it gives may be less than what lies there.
fn read(vault: &Inner, name: &BlobName) -> Result<Option<Vec<u8>>, VaultError> {
    let bytes = match whole_or_error(vault.storage.read(name, BLOB_BYTES_MAX), BLOB_BYTES_MAX)? {
        Ok(bytes) => bytes,
        Err(Fault::Missing | Fault::TooLong { .. }) => return Ok(None),
        Err(fault) => return Err(VaultError::Record { name: name.clone(), fault }),
    };
    let expected_bytes = vault.storage.stat(name)?.len_bytes;
    let found_bytes = bytes.len() as u64;
    if expected_bytes != found_bytes {
        let fault = Fault::Length { expected_bytes, found_bytes };
        return Err(VaultError::Record { name: name.clone(), fault });
    }
    Ok(Some(bytes))
}

fn is_there(vault: &Inner, name: &BlobName) -> Result<bool, VaultError> {
    match vault.storage.stat(name) {
        Ok(_) => Ok(true),
        Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Creates a blob; one that is there already is good if it has the same bytes.
fn create(vault: &Inner, name: &BlobName, bytes: &[u8]) -> Result<(), RepairError> {
    match vault.storage.create(name, &[bytes]) {
        Ok(()) => Ok(()),
        Err(error) if error.kind == StorageErrorKind::AlreadyExists => {
            let is_same = read(vault, name)?.is_some_and(|found| found == bytes);
            is_same.then_some(()).ok_or_else(|| RepairError::Changed { name: name.clone() })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether there was something to remove.
fn remove(vault: &Inner, name: &BlobName) -> Result<bool, VaultError> {
    match vault.storage.delete(name) {
        Ok(()) => Ok(true),
        Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Vault {
    /// Whether a repair came after this snapshot: what it could not mend is absent since.
    pub fn is_repaired_since(
        &self,
        run: &Run,
        snapshot: Option<&Place>,
    ) -> Result<bool, VaultError> {
        let storage = &self.inner.storage;
        let listed = storage.list(names::REPAIRS)?;
        if listed.is_empty() {
            return Ok(false);
        }
        let received = match snapshot {
            Some(place) => self.received(run, place)?,
            None => None,
        };
        let Some(received) = received else { return Ok(true) };
        for listed in listed {
            match storage.stat(&listed.name) {
                Ok(stat) if stat.created >= received => return Ok(true),
                Ok(_) => {}
                // Taken back meanwhile.
                Err(error) if error.kind == StorageErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
