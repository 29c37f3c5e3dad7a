//! What the errors of the rooms mean for the user.

use crate::backup::error::BackupError;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::crypto::sealed::slot::SlotError;
use crate::format::record::RecordError;
use crate::repository::error::RepositoryError;
use crate::repository::keys::error::KeysError;
use crate::restore::RestoreError;
use crate::restore::dump::DumpError;
use crate::source::SourceError;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::target::TargetError;
use crate::target::TargetErrorKind;
use crate::vault::error::VaultError;
use crate::vault::records::RecordsError;

const UNTOUCHED: &str = "earlier snapshots are untouched";
const CHECK: &str = "run `lifeboat check` to see what is affected";
const UPDATE: &str = "use the version of lifeboat that wrote it, or a newer one";

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let (exit, next) = match error.kind {
            StorageErrorKind::Denied => (Exit::Failed, "get the right to read and write there"),
            StorageErrorKind::Full => (Exit::Failed, "make room there and run the command again"),
            StorageErrorKind::AlreadyExists => (Exit::Failed, "run the command again"),
            StorageErrorKind::NotFound => (Exit::Storage, CHECK),
            StorageErrorKind::Length => (Exit::Damage, CHECK),
            StorageErrorKind::Transient | StorageErrorKind::Other => {
                (Exit::Storage, "make sure that the storage is there and run the command again")
            }
        };
        Self::new(exit, error, next).meaning(UNTOUCHED)
    }
}

impl From<RecordsError> for Failure {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Storage(error) => error.into(),
            RecordsError::Unreadable { error: RecordError::Newer { .. }, .. } => {
                Self::new(Exit::Newer, error, UPDATE).meaning("nothing was changed")
            }
            RecordsError::Unreadable { error: RecordError::Foreign { .. }, .. } => {
                Self::new(Exit::Newer, error, "name a repository of lifeboat")
                    .meaning("this is not a repository of lifeboat; nothing was changed")
            }
            RecordsError::Missing { .. } | RecordsError::Unreadable { .. } => {
                Self::new(Exit::Damage, error, CHECK).meaning("a record that is needed is lost")
            }
            RecordsError::Name(_) | RecordsError::NoNames => Self::new(Exit::Failed, error, CHECK),
        }
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let plain = |exit, next: &str| Self::new(exit, &error, next);
        match error {
            KeysError::NoRepository { .. } => {
                plain(Exit::NoRepository, "check the name, or make one with `lifeboat init`")
            }
            KeysError::AlreadyThere { .. } => {
                plain(Exit::Failed, "name an empty folder, or use the repository that is there")
                    .meaning("nothing was changed")
            }
            KeysError::WrongSecret { .. } => {
                plain(Exit::WrongKey, "try another passphrase, or `lifeboat key recovery use`")
            }
            KeysError::OtherRepository { .. } => plain(
                Exit::Newer,
                "name the folder of one repository; its own config is kept three times",
            )
            .meaning("records of two repositories lie there; nothing was changed"),
            KeysError::NoSlots | KeysError::SlotsDamaged { .. } => plain(
                Exit::Damage,
                "bring back `slots/` from a copy, or use the shares: `lifeboat key recovery use`",
            )
            .meaning("nothing was changed"),
            KeysError::NoSuchSlot { .. } | KeysError::NoSuchMachine { .. } => {
                plain(Exit::Failed, "see `lifeboat key list`")
            }
            KeysError::LastSlot { .. } => {
                plain(Exit::Refused, "add another with `lifeboat key add`")
            }
            KeysError::Revoked { .. } => plain(Exit::Refused, "ask an administrator"),
            KeysError::RootOffline => plain(Exit::Refused, "bring the root key's shares"),
            KeysError::RecoveryOffline | KeysError::RecoveryReplaced => {
                plain(Exit::Refused, "bring the newest shares: `lifeboat key recovery use`")
            }
            KeysError::SharesDoNotFit | KeysError::Share(_) => {
                plain(Exit::WrongKey, "bring enough shares of one set")
            }
            KeysError::Label { .. } => plain(Exit::Usage, "give a shorter name"),
            KeysError::Slot(error) => error.into(),
            KeysError::Records(error) => error.into(),
            KeysError::Storage(error) => error.into(),
            KeysError::Stopped(why) => why.into(),
            KeysError::Random(_) | KeysError::Name(_) => plain(Exit::Failed, "run it again"),
            _ => plain(Exit::Damage, CHECK).meaning("nothing was changed"),
        }
    }
}

impl From<SlotError> for Failure {
    fn from(error: SlotError) -> Self {
        let (exit, next) = match error {
            SlotError::WrongSecret | SlotError::OtherKind => {
                (Exit::WrongKey, "try another passphrase or key")
            }
            SlotError::AbsurdParameters(_) | SlotError::Altered => (Exit::Damage, CHECK),
            SlotError::NoMemory(_) => (Exit::Failed, "free some memory and run it again"),
            SlotError::Random(_) => (Exit::Failed, "run it again"),
            SlotError::WeakParameters(_)
            | SlotError::EmptyPassphrase
            | SlotError::SecretLength { .. } => (Exit::Usage, "give another passphrase or key"),
        };
        Self::new(exit, error, next)
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Storage(error) => error.into(),
            VaultError::Stopped(why) => why.into(),
            VaultError::Poisoned { cause } => (*cause).into(),
            VaultError::Busy { .. } => Self::new(Exit::Busy, error, "run the command again later")
                .meaning("no snapshot was made; what was sent is kept and reused"),
            VaultError::UnknownSnapshot { .. } => {
                Self::new(Exit::Failed, error, "see `lifeboat snapshots`")
            }
            VaultError::Record { .. }
            | VaultError::Object { .. }
            | VaultError::UnknownObject { .. }
            | VaultError::LostObject { .. }
            | VaultError::LostManifest { .. } => Self::new(Exit::Damage, error, CHECK),
            _ => Self::new(Exit::Failed, error, "run the command again; it goes on from there")
                .meaning(UNTOUCHED),
        }
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::Stopped(why) => why.into(),
            RepositoryError::Vault(error) => error.into(),
            RepositoryError::NotARecipient => {
                Self::new(Exit::WrongKey, error, "open the repository with a key it is sealed to")
            }
            RepositoryError::Hpke(_)
            | RepositoryError::Format(_)
            | RepositoryError::Sealed(_)
            | RepositoryError::SnapshotKey
            | RepositoryError::SnapshotInfo
            | RepositoryError::Unseal { .. }
            | RepositoryError::NodeInvalid { .. }
            | RepositoryError::NodeLevel { .. } => Self::new(Exit::Damage, error, CHECK),
            RepositoryError::Seal(_)
            | RepositoryError::NoRandom
            | RepositoryError::EntryOutOfOrder { .. }
            | RepositoryError::TreeTooHigh => {
                Self::new(Exit::Failed, error, "run the command again; test the memory if it stays")
                    .meaning(UNTOUCHED)
            }
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let next = match error {
            SourceError::Stopped(why) => return why.into(),
            SourceError::Missing { .. } => "correct the path",
            SourceError::Command { .. } => "run the command by hand and see what it says",
        };
        Self::new(Exit::Failed, error, next).meaning("no snapshot was made; nothing is lost")
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Source(error) => error.into(),
            BackupError::Repository(error) => error.into(),
            BackupError::Stopped(why) => why.into(),
            BackupError::Cutting(_) => Self::new(Exit::Damage, error, CHECK),
            BackupError::WorkerGone => {
                Self::new(Exit::Failed, error, "report it").meaning(UNTOUCHED)
            }
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        let next = match error.kind {
            TargetErrorKind::Full => "make room and run the same command again; it goes on",
            TargetErrorKind::Denied => "choose a target that you may write to",
            _ => "choose another target",
        };
        Self::new(Exit::Failed, error, next)
            .meaning("what stands in the target under its final name is whole")
    }
}

impl From<DumpError> for Failure {
    fn from(error: DumpError) -> Self {
        match error {
            DumpError::Stopped(why) => why.into(),
            DumpError::Write(error) => error.into(),
            DumpError::NotAFile { .. } => {
                Self::new(Exit::Failed, error, "name a file or a folder, or add `--archive tar`")
            }
            DumpError::NoFirst { .. } => Self::new(Exit::Damage, error, CHECK),
            DumpError::Unreadable { .. } => {
                Self::new(Exit::Problems, error, "take the file from an earlier snapshot")
            }
            DumpError::Lost { error, .. } if matches!(*error, RepositoryError::Vault(_)) => {
                (*error).into()
            }
            DumpError::Lost { .. } | DumpError::Differs { .. } => {
                Self::new(Exit::Damage, error, CHECK).meaning("the whole file was not printed")
            }
        }
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Stopped(why) => why.into(),
            RestoreError::Target(error) => error.into(),
            RestoreError::NothingSelected { .. } => {
                Self::new(Exit::Failed, error, "see `lifeboat ls SNAPSHOT --recursive`")
                    .meaning("nothing was written")
            }
            RestoreError::DeleteWithPatterns => {
                Self::usage(error, "leave out the patterns or --delete")
            }
            RestoreError::Worker => Self::new(Exit::Failed, error, "run the command again"),
        }
    }
}
