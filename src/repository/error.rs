//! What can go wrong between keys and vault.

use crate::crypto::blind::BoxError;
use crate::crypto::sealed::hpke::HpkeError;
use crate::format::wire::FormatError;
use crate::ids::Sid;
use crate::repository::seal::SealError;
use crate::repository::seal::UnsealError;
use crate::run::Stopped;
use crate::vault::error::VaultError;

/// A repository operation failed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("object `{sid}` does not open: {error}")]
    Unseal { sid: Sid, error: UnsealError },
    #[error("node `{sid}` is not valid: {error}")]
    NodeInvalid { sid: Sid, error: FormatError },
    #[error("node `{sid}` does not fit the node above it")]
    NodeLevel { sid: Sid },
    #[error("entry `{path}` comes out of order")]
    EntryOutOfOrder { path: String },
    #[error("a tree would be higher than the format allows")]
    TreeTooHigh,
    #[error("the system gives no random numbers")]
    NoRandom,
    #[error(transparent)]
    Hpke(#[from] HpkeError),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("the sealed part of a manifest does not open: {0}")]
    Sealed(#[from] BoxError),
    #[error("a snapshot key has not 32 bytes")]
    SnapshotKey,
    #[error("the sealed part of a manifest is not what its public part says")]
    SnapshotInfo,
    #[error("the snapshot is sealed to none of the keys at hand")]
    NotARecipient,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl RepositoryError {
    /// Whether the storage failed or gave no answer: then nothing is known to be damaged.
    #[must_use]
    pub fn is_storage(&self) -> bool {
        matches!(self, Self::Vault(error) if error.is_storage())
    }
}
