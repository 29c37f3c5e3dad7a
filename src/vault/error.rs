//! What can go wrong while bytes are kept.

use crate::crypto::blind::BoxError;
use crate::crypto::blind::UnknownGeneration;
use crate::format::wire::FormatError;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::run::Stopped;
use crate::storage::BlobName;
use crate::storage::BlobNameError;
use crate::storage::StorageError;

/// A vault operation failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Name(#[from] BlobNameError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("`{name}`: {error}")]
    Format { name: BlobName, error: FormatError },
    #[error("`{name}`: {error}")]
    Sealed { name: BlobName, error: BoxError },
    #[error("`{name}`: {error}")]
    Generation { name: BlobName, error: UnknownGeneration },
    #[error("`{name}`: its hash is not its name")]
    Misnamed { name: BlobName },
    #[error("object `{sid}` is in no pack")]
    ObjectMissing { sid: Sid },
    #[error("object `{sid}` is damaged in all {copies_count} places it is kept in")]
    ObjectDamaged { sid: Sid, copies_count: usize },
    #[error("object `{expected}` arrived with the hash `{found}`")]
    ObjectMismatch { expected: Sid, found: Sid },
    #[error("an object of {found_bytes} bytes, at most {bytes_max} are allowed")]
    ObjectTooLong { found_bytes: usize, bytes_max: usize },
    #[error("the session failed before and takes nothing more: {cause}")]
    Poisoned { cause: String },
    #[error("pack `{pack}`, which the new snapshot needs, is gone")]
    PackGone { pack: PackId },
    #[error("parent snapshot `{snapshot}` is gone and nothing says who removed it")]
    ParentGone { snapshot: SnapshotId },
    #[error("root `{sid}` of the snapshot was never handed over")]
    RootMissing { sid: Sid },
    #[error("a snapshot with sequence number {seq} exists already in this chain")]
    SeqTaken { seq: u64 },
    #[error("no snapshot `{snapshot}` in this repository")]
    NoSnapshot { snapshot: SnapshotId },
    #[error("the system gives no random numbers")]
    NoRandom,
    #[error("the thread that writes packs ended early")]
    WriterGone,
}
