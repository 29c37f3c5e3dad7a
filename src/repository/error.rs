//! What can go wrong between keys and vault.

use crate::format::wire::FormatError;
use crate::ids::Sid;
use crate::repository::seal::SealError;
use crate::repository::seal::UnsealError;
use crate::run::Stopped;

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
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
