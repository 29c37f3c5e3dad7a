//! What the errors of the rooms mean for the user.

use std::fmt;

use crate::backup::error::BackupError;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::common::NOTHING_CHANGED;
use crate::cli::language::table::common::REPORT_IT;
use crate::cli::language::table::common::UNTOUCHED;
use crate::cli::language::table::errors;
use crate::cli::language::table::keeping::prune;
use crate::cli::language::table::keeping::repair;
use crate::cli::language::text::Text;
use crate::copy::error::CopyError;
use crate::crypto::sealed::slot::SlotError;
use crate::format::record::RecordError;
use crate::format::wire::FormatError;
use crate::repair::RepairError;
use crate::repository::error::RepositoryError;
use crate::repository::keys::error::KeysError;
use crate::restore::RestoreError;
use crate::restore::dump::DumpError;
use crate::source::SourceError;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::target::TargetError;
use crate::target::TargetErrorKind;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc::GcError;
use crate::vault::records::RecordsError;
use crate::vault::repair::RepairError as MendError;

/// A room's error under the sentence of its kind.
fn about(exit: Exit, (message, next): (Text, Text), error: impl fmt::Display) -> Failure {
    Failure::new(exit, message.with("detail", Said::heard(error)), next)
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let (exit, texts) = match error.kind {
            StorageErrorKind::Denied => (Exit::Failed, (errors::STORAGE_DENIED, errors::GET_RIGHT)),
            StorageErrorKind::Full => (Exit::Failed, (errors::STORAGE_FULL, errors::MAKE_ROOM)),
            StorageErrorKind::AlreadyExists => {
                (Exit::Failed, (errors::STORAGE_TAKEN, errors::RUN_COMMAND_AGAIN))
            }
            StorageErrorKind::Blocked => {
                (Exit::Failed, (errors::STORAGE_BLOCKED, errors::MOVE_AWAY))
            }
            StorageErrorKind::Handles => (Exit::Failed, (errors::NO_HANDLES, errors::MORE_HANDLES)),
            StorageErrorKind::NotFound => (Exit::Storage, (errors::STORAGE_MISSING, errors::CHECK)),
            StorageErrorKind::Length => (Exit::Damage, (errors::STORAGE_LENGTH, errors::CHECK)),
            StorageErrorKind::Transient | StorageErrorKind::Other => {
                (Exit::Storage, (errors::STORAGE_AWAY, errors::MAKE_SURE))
            }
        };
        about(exit, texts, error).meaning(UNTOUCHED)
    }
}

impl From<RecordsError> for Failure {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Storage(error) => error.into(),
            RecordsError::Unreadable { error: RecordError::Newer { .. }, .. } => {
                about(Exit::Newer, (errors::NEWER, errors::UPDATE), error).meaning(NOTHING_CHANGED)
            }
            RecordsError::Unreadable { error: RecordError::Foreign { .. }, .. } => {
                about(Exit::Newer, (errors::FOREIGN, errors::NAME_OURS), error)
                    .meaning(errors::NOT_OURS)
            }
            RecordsError::Missing { .. } | RecordsError::Unreadable { .. } => {
                about(Exit::Damage, (errors::RECORD_LOST, errors::CHECK), error)
                    .meaning(errors::A_RECORD)
            }
            RecordsError::Name(_) | RecordsError::NoNames => {
                about(Exit::Failed, (errors::RECORD_FAILED, errors::CHECK), error)
            }
        }
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let plain = |exit, message, next| about(exit, (message, next), &error);
        match error {
            KeysError::NoRepository { .. } => {
                plain(Exit::NoRepository, errors::NO_REPOSITORY, errors::CHECK_NAME)
            }
            KeysError::AlreadyThere { .. } => {
                plain(Exit::Failed, errors::ALREADY_THERE, errors::NAME_EMPTY)
                    .meaning(NOTHING_CHANGED)
            }
            KeysError::WrongSecret { .. } => {
                plain(Exit::WrongKey, errors::WRONG_SECRET, errors::TRY_ANOTHER)
            }
            KeysError::OtherRepository { .. } => {
                plain(Exit::Newer, errors::OTHER_REPOSITORY, errors::NAME_ONE)
                    .meaning(errors::TWO_LIE_THERE)
            }
            KeysError::NoSlots | KeysError::SlotsDamaged { .. } => {
                plain(Exit::Damage, errors::SLOTS_LOST, errors::BRING_SLOTS)
                    .meaning(NOTHING_CHANGED)
            }
            KeysError::NoSuchSlot { .. } | KeysError::NoSuchMachine { .. } => {
                plain(Exit::Failed, errors::NO_SUCH_KEY, errors::SEE_KEY_LIST)
            }
            KeysError::LastSlot { .. } => {
                plain(Exit::Refused, errors::LAST_SLOT, errors::ADD_ANOTHER)
            }
            KeysError::Revoked { .. } => {
                plain(Exit::Refused, errors::REVOKED, errors::ASK_ADMINISTRATOR)
            }
            KeysError::RotatedMeanwhile => {
                plain(Exit::Busy, errors::ROTATED_MEANWHILE, errors::RUN_COMMAND_AGAIN)
            }
            KeysError::Busy { .. } => plain(Exit::Busy, errors::BUSY, errors::RUN_LATER),
            KeysError::StoreKeyOld { .. } => {
                plain(Exit::Refused, errors::STORE_KEY_OLD, errors::RENEW_KEYSET)
            }
            KeysError::RestoreReplaced => {
                plain(Exit::Refused, errors::RESTORE_REPLACED, errors::ASK_FOR_SLOT)
            }
            KeysError::TooManyGenerations | KeysError::TooManySources { .. } => {
                plain(Exit::Refused, errors::KEYS_FULL, errors::NEW_REPOSITORY)
            }
            KeysError::RootOffline => {
                plain(Exit::Refused, errors::ROOT_OFFLINE, errors::BRING_ROOT)
            }
            KeysError::RecipientsWentBack { .. } => {
                plain(Exit::Refused, errors::WENT_BACK, errors::WHO_SET_BACK)
                    .meaning(errors::NOTHING_SEALED)
            }
            KeysError::RecoveryOffline | KeysError::RecoveryReplaced => {
                plain(Exit::Refused, errors::RECOVERY_OFFLINE, errors::BRING_NEWEST)
            }
            KeysError::SharesDoNotFit | KeysError::Share(_) => {
                plain(Exit::WrongKey, errors::SHARES_UNFIT, errors::BRING_SHARES)
            }
            KeysError::Label { .. } => plain(Exit::Usage, errors::LABEL_LONG, errors::SHORTER),
            KeysError::Slot(error) => error.into(),
            KeysError::Records(error) => error.into(),
            KeysError::Storage(error) => error.into(),
            KeysError::Stopped(why) => why.into(),
            KeysError::Random(_) | KeysError::Name(_) => {
                plain(Exit::Failed, errors::KEYS_FAILED, errors::RUN_AGAIN)
            }
            _ => plain(Exit::Damage, errors::KEYS_DAMAGED, errors::CHECK).meaning(NOTHING_CHANGED),
        }
    }
}

impl From<SlotError> for Failure {
    fn from(error: SlotError) -> Self {
        let (exit, texts) = match error {
            SlotError::WrongSecret | SlotError::OtherKind => {
                (Exit::WrongKey, (errors::WRONG_SECRET, errors::TRY_ANOTHER_KEY))
            }
            SlotError::AbsurdParameters(_) | SlotError::Altered => {
                (Exit::Damage, (errors::SLOT_DAMAGED, errors::CHECK))
            }
            SlotError::NoMemory(_) => (Exit::Failed, (errors::NO_MEMORY, errors::FREE_MEMORY)),
            SlotError::Random(_) => (Exit::Failed, (errors::KEYS_FAILED, errors::RUN_AGAIN)),
            SlotError::WeakParameters(_)
            | SlotError::EmptyPassphrase
            | SlotError::SecretLength { .. } => {
                (Exit::Usage, (errors::SECRET_UNFIT, errors::GIVE_ANOTHER))
            }
        };
        about(exit, texts, error)
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Storage(error) => error.into(),
            VaultError::Stopped(why) => why.into(),
            VaultError::Poisoned { cause } => (*cause).into(),
            VaultError::Busy { .. } => about(Exit::Busy, (errors::BUSY, errors::RUN_LATER), error)
                .meaning(errors::BUSY_KEPT),
            VaultError::GivenUp { .. } => {
                about(Exit::Refused, (prune::GIVEN_UP, errors::SEE_SNAPSHOTS), error)
            }
            VaultError::UnknownSnapshot { .. } => {
                about(Exit::Failed, (errors::NO_SUCH_SNAPSHOT, errors::SEE_SNAPSHOTS), error)
            }
            VaultError::Record { fault: Fault::Format(FormatError::Version { .. }), .. } => {
                about(Exit::Newer, (errors::NEWER, errors::UPDATE), error).meaning(NOTHING_CHANGED)
            }
            VaultError::Record { .. }
            | VaultError::Object { .. }
            | VaultError::UnknownObject { .. }
            | VaultError::LostObject { .. }
            | VaultError::LostManifest { .. } => {
                about(Exit::Damage, (errors::DATA_DAMAGED, errors::CHECK), error)
            }
            _ => about(Exit::Failed, (errors::VAULT_FAILED, errors::GOES_ON), error)
                .meaning(UNTOUCHED),
        }
    }
}

impl From<GcError> for Failure {
    fn from(error: GcError) -> Self {
        let (exit, texts) = match error {
            GcError::Vault(error) => return error.into(),
            GcError::Doubt { .. } => (Exit::Damage, (prune::IN_DOUBT, errors::CHECK)),
            GcError::TooMuch { .. } => (Exit::Refused, (prune::TOO_MUCH, prune::ALLOW)),
            GcError::Clock { .. } => (Exit::Refused, (prune::WRONG_CLOCK, prune::SET_CLOCK)),
            GcError::Overtaken => (Exit::Busy, (prune::OVERTAKEN, errors::RUN_LATER)),
        };
        about(exit, texts, error).meaning(prune::NOTHING_DELETED)
    }
}

impl From<MendError> for Failure {
    fn from(error: MendError) -> Self {
        let (exit, texts) = match error {
            MendError::Vault(error) => {
                return Self::from(error).meaning(repair::WHOLE_SO_FAR);
            }
            MendError::Newer { .. } => {
                return about(Exit::Newer, (errors::NEWER, errors::UPDATE), error)
                    .meaning(NOTHING_CHANGED);
            }
            MendError::Changed { .. } => {
                (Exit::Failed, (repair::CHANGED, errors::RUN_COMMAND_AGAIN))
            }
            MendError::AtWork | MendError::PruneAtWork | MendError::Overtaken { .. } => {
                (Exit::Busy, (repair::OVERTAKEN, errors::RUN_LATER))
            }
            MendError::NothingToUndo => (Exit::Failed, (repair::NOTHING_TO_UNDO, errors::CHECK)),
            MendError::Journal { .. } => (Exit::Refused, (repair::BAD_JOURNAL, errors::CHECK)),
            MendError::Relied { .. } => (Exit::Refused, (repair::RELIED, errors::CHECK)),
            MendError::QuarantineEmptied { .. } => {
                (Exit::Refused, (repair::QUARANTINE_EMPTIED, repair::NO_WAY_BACK))
            }
            MendError::QuarantineLost { .. } => {
                (Exit::Damage, (repair::QUARANTINE_LOST, errors::CHECK))
            }
        };
        about(exit, texts, error).meaning(repair::WHOLE_SO_FAR)
    }
}

impl From<RepairError> for Failure {
    fn from(error: RepairError) -> Self {
        match error {
            RepairError::Check(error) => error.into(),
            RepairError::Repair(error) => error.into(),
        }
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::Stopped(why) => why.into(),
            RepositoryError::Vault(error) => error.into(),
            RepositoryError::NotARecipient => {
                about(Exit::WrongKey, (errors::NOT_A_RECIPIENT, errors::OPEN_WITH), error)
            }
            RepositoryError::Hpke(_)
            | RepositoryError::Format(_)
            | RepositoryError::Sealed(_)
            | RepositoryError::SnapshotKey
            | RepositoryError::SnapshotInfo
            | RepositoryError::Unseal { .. }
            | RepositoryError::NodeInvalid { .. }
            | RepositoryError::NodeLevel { .. } => {
                about(Exit::Damage, (errors::DATA_DAMAGED, errors::CHECK), error)
            }
            RepositoryError::Seal(_)
            | RepositoryError::NoRandom
            | RepositoryError::EntryOutOfOrder { .. }
            | RepositoryError::TreeTooHigh => {
                about(Exit::Failed, (errors::SEAL_FAILED, errors::TEST_MEMORY), error)
                    .meaning(UNTOUCHED)
            }
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let texts = match error {
            SourceError::Stopped(why) => return why.into(),
            SourceError::Missing { .. } => (errors::SOURCE_MISSING, errors::CORRECT_PATH),
            SourceError::Command { .. } => (errors::SOURCE_COMMAND, errors::RUN_BY_HAND),
            SourceError::Tool { .. } => (errors::SOURCE_TOOL, errors::INSTALL_TOOL),
            SourceError::Database { .. } => (errors::SOURCE_DATABASE, errors::SEE_DATABASE),
        };
        about(Exit::Failed, texts, error).meaning(errors::NO_SNAPSHOT)
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Source(error) => error.into(),
            BackupError::Repository(error) => error.into(),
            BackupError::Stopped(why) => why.into(),
            BackupError::Cutting(_) => about(Exit::Damage, (errors::CUTTING, errors::CHECK), error),
            BackupError::WorkerGone => {
                about(Exit::Failed, (errors::WORKER_GONE, REPORT_IT), error).meaning(UNTOUCHED)
            }
        }
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Vault(error) => error.into(),
            CopyError::Repository(error) => error.into(),
            CopyError::Keys(error) => error.into(),
            CopyError::Storage(error) => error.into(),
            CopyError::Stopped(why) => why.into(),
            CopyError::WorkerGone => {
                about(Exit::Failed, (errors::WORKER_GONE, REPORT_IT), error).meaning(UNTOUCHED)
            }
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        let texts = match error.kind {
            TargetErrorKind::Full => (errors::TARGET_FULL, errors::TARGET_ROOM),
            TargetErrorKind::Denied => (errors::TARGET_DENIED, errors::TARGET_WRITABLE),
            _ => (errors::TARGET_FAILED, errors::TARGET_OTHER),
        };
        about(Exit::Failed, texts, error).meaning(errors::TARGET_WHOLE)
    }
}

impl From<DumpError> for Failure {
    fn from(error: DumpError) -> Self {
        match error {
            DumpError::Stopped(why) => why.into(),
            DumpError::Write(error) => error.into(),
            DumpError::Storage(error) => (*error).into(),
            DumpError::NotAFile { .. } => {
                about(Exit::Failed, (errors::NOT_A_FILE, errors::NAME_A_FILE), error)
            }
            DumpError::NoFirst { .. } => {
                about(Exit::Damage, (errors::FILE_LOST, errors::CHECK), error)
            }
            DumpError::Unreadable { .. } => {
                about(Exit::Problems, (errors::FILE_UNREADABLE, errors::TAKE_EARLIER), error)
            }
            DumpError::Lost { error, .. } if matches!(*error, RepositoryError::Vault(_)) => {
                (*error).into()
            }
            DumpError::Lost { .. } | DumpError::Differs { .. } => {
                about(Exit::Damage, (errors::FILE_LOST, errors::CHECK), error)
                    .meaning(errors::NOT_WHOLE)
            }
        }
    }
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Stopped(why) => why.into(),
            RestoreError::Target(error) => error.into(),
            RestoreError::Storage(error) => Self::from(*error).meaning(errors::RESTORED_SO_FAR),
            RestoreError::NothingSelected { .. } => {
                about(Exit::Failed, (errors::NOTHING_SELECTED, errors::SEE_LS), error)
                    .meaning(errors::NOTHING_WRITTEN)
            }
            RestoreError::DeleteWithPatterns => {
                let texts = (errors::DELETE_WITH_PATTERNS, errors::LEAVE_OUT_PATTERNS);
                about(Exit::Usage, texts, error)
            }
            RestoreError::Worker => {
                about(Exit::Failed, (errors::WORKER_GONE, errors::RUN_COMMAND_AGAIN), error)
            }
        }
    }
}
