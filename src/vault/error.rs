//! What can go wrong in the vault.

use crate::crypto::blind::BoxError;
use crate::crypto::blind::UnknownGeneration;
use crate::format::wire::FormatError;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::run::Stopped;
use crate::storage::BlobName;
use crate::storage::BlobNameError;
use crate::storage::StorageError;

/// An operation of the vault failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Name(#[from] BlobNameError),
    /// What was to be written breaks a limit of the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    #[error("a thread cannot be started: {detail}")]
    Thread { detail: String },
    #[error("`{name}`: {fault}")]
    Record { name: BlobName, fault: Fault },
    #[error("object {sid}: {fault}")]
    Object { sid: Sid, fault: Fault },
    #[error("object {sid} has {found_bytes} bytes, 1 to {max_bytes} are expected")]
    ObjectLength { sid: Sid, found_bytes: usize, max_bytes: usize },
    #[error("object {sid} was handed over with bytes whose hash is {found}")]
    ObjectHash { sid: Sid, found: Sid },
    #[error("object {sid} is not in the repository")]
    UnknownObject { sid: Sid },
    #[error("object {sid} is lost: {bad_copies} copies are known, none is good")]
    LostObject { sid: Sid, bad_copies: usize },
    #[error("snapshot {id} is not in the repository")]
    UnknownSnapshot { id: SnapshotId },
    #[error("manifest of snapshot {id} is lost: no copy is good")]
    LostManifest { id: SnapshotId },
    #[error("session is broken by an earlier error: {cause}")]
    Poisoned { cause: Box<VaultError> },
    #[error("session is closed")]
    Closed,
    #[error("manifest does not fit its session: {field} differs")]
    OtherSession { field: &'static str },
    #[error(
        "manifest has seq {found_seq}, but {expected_seq} is next in its chain, or prev differs"
    )]
    NotNext { expected_seq: u64, found_seq: u64 },
    #[error("other backups to this repository have been finishing for {seconds} seconds")]
    Busy { seconds: u64 },
    #[error("`{name}` went away or changed while it was relied on; back up again")]
    Gone { name: BlobName },
    #[error("parent snapshot {id} was removed without a trace; back up without it")]
    ParentGone { id: SnapshotId },
    #[error("a prune has begun to remove what snapshot {id} holds; it cannot be brought back")]
    GivenUp { id: SnapshotId },
    #[error("snapshot {id} was copied before, and was removed meanwhile; run the copy again")]
    BaseGone { id: SnapshotId },
    #[error("root {sid} of the snapshot is not in the repository")]
    RootMissing { sid: Sid },
}

impl VaultError {
    /// Whether the storage failed or gave no answer.
    #[must_use]
    pub fn is_storage(&self) -> bool {
        match self {
            Self::Storage(_) => true,
            Self::Poisoned { cause } => cause.is_storage(),
            _ => false,
        }
    }
}

/// Why bytes are not the record they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("its bytes do not have the hash that it is named by")]
    Hash,
    #[error("it is missing")]
    Missing,
    #[error("it has {found_bytes} bytes, {expected_bytes} are expected")]
    Length { expected_bytes: u64, found_bytes: u64 },
    #[error("it is longer than {bytes_max} bytes, the most that it may have")]
    TooLong { bytes_max: u64 },
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error(transparent)]
    Sealed(#[from] BoxError),
    #[error(transparent)]
    Generation(#[from] UnknownGeneration),
    #[error("it names another {field} than its place says")]
    Misplaced { field: &'static str },
    #[error("its signature is not accepted: {why}")]
    Signature { why: String },
}
