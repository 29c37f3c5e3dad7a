//! Why a backup ends without a snapshot.

use crate::chunk::ChunkSizesError;
use crate::repository::error::RepositoryError;
use crate::repository::seal::SealError;
use crate::run::Stopped;
use crate::source::SourceError;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Source(SourceError),
    #[error(transparent)]
    Repository(RepositoryError),
    #[error(transparent)]
    Cutting(#[from] ChunkSizesError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("a worker thread ended early")]
    WorkerGone,
}

/// A stop is one error, wherever it was noticed.
impl From<SourceError> for BackupError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Stopped(stopped) => Self::Stopped(stopped),
            error => Self::Source(error),
        }
    }
}

impl From<RepositoryError> for BackupError {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::Stopped(stopped) => Self::Stopped(stopped),
            error => Self::Repository(error),
        }
    }
}

impl From<SealError> for BackupError {
    fn from(error: SealError) -> Self {
        Self::Repository(RepositoryError::from(error))
    }
}
