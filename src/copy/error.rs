//! What can end a copy early.

use crate::repository::error::RepositoryError;
use crate::repository::keys::error::KeysError;
use crate::run::Stopped;
use crate::storage::StorageError;
use crate::vault::error::VaultError;

/// A copy ended early. What was sent is reused by the next.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("a worker of the copy ended without an answer")]
    WorkerGone,
}
