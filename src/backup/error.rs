//! Why a backup ends without a snapshot.

use crate::chunk::ChunkSizesError;
use crate::repository::error::RepositoryError;
use crate::repository::seal::SealError;
use crate::run::Stopped;
use crate::source::SourceError;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Cutting(#[from] ChunkSizesError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("a worker thread ended early")]
    WorkerGone,
}

impl From<SealError> for BackupError {
    fn from(error: SealError) -> Self {
        Self::Repository(error.into())
    }
}
