//! How long a server may be silent.

use std::time::Duration;

use crate::run::Run;
use crate::storage::StorageError;

use super::SftpOptions;
use super::SftpStorage;

/// How long nothing may come before it counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Making a connection, up to the first answers of SFTP.
    pub connect: Duration,
    /// One request, in whole seconds, at least one: a long write to a slow disk, on a slow link,
    /// behind all others that are in flight. SSH by itself may well answer meanwhile.
    pub request: Duration,
    /// A barrier, as long as the server is away: with all that it tries.
    pub away: Duration,
}

impl Patience {
    pub const USUAL: Self = Self {
        connect: Duration::from_secs(30),
        request: Duration::from_secs(180),
        away: Duration::from_secs(15 * 60),
    };
}

impl SftpStorage {
    /// [`SftpStorage::open`], with a patience of one's own.
    ///
    /// # Errors
    /// Those of [`SftpStorage::open`].
    pub fn open_with(
        run: &Run,
        options: SftpOptions,
        patience: Patience,
    ) -> Result<Self, StorageError> {
        let storage = Self::over(run, options, patience)?;
        storage.open_root()?;
        Ok(storage)
    }
}
