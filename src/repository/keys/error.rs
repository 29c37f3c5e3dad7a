//! What can go wrong with keys.

use crate::crypto::sealed::hpke::HpkeError;
use crate::crypto::sealed::shares::ShareError;
use crate::crypto::sealed::slot::SlotError;
use crate::crypto::self_test::SelfTestFailed;
use crate::crypto::sign::SignError;
use crate::format::record::RecordError;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::SlotId;
use crate::repository::keys::recovery::words::WordsError;
use crate::run::Stopped;
use crate::storage::BlobNameError;
use crate::storage::StorageError;
use crate::vault::records::RecordsError;

/// An operation on keys failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeysError {
    #[error("no repository in {location}")]
    NoRepository { location: String },
    #[error("{location} already holds a repository or a part of one (`{found}`)")]
    AlreadyThere { location: String, found: String },
    #[error("wrong passphrase or key: none of {tried} slots opens")]
    WrongSecret { tried: usize },
    #[error("no slot of this repository can be read")]
    NoSlots,
    #[error("no slot of this repository can be tried: {found} are damaged")]
    SlotsDamaged { found: usize },
    #[error("no slot {slot}")]
    NoSuchSlot { slot: SlotId },
    #[error("slot {slot} is the last one: without it nothing opens")]
    LastSlot { slot: SlotId },
    #[error("{what} belongs to another repository or to another root key")]
    OtherRepository { what: &'static str },
    #[error("{what} is signed by {signer}, who has no right to")]
    UnknownSigner { what: &'static str, signer: KeyId },
    #[error("no {what} in this repository")]
    NoRecord { what: &'static str },
    #[error("the root key was moved offline; it is needed for this")]
    RootOffline,
    #[error("the recovery secret is not in this keyset: it lives on paper only")]
    RecoveryOffline,
    #[error("the shares do not fit this repository, or come from different printings")]
    SharesDoNotFit,
    #[error("the shares are of a recovery key that was replaced")]
    RecoveryReplaced,
    #[error(
        "the recipients list went back to version {found}, this machine knows version {pinned}: \
         the storage was set back, or someone hides a newer list"
    )]
    RecipientsWentBack { pinned: u32, found: u32 },
    #[error("the keys were rotated by somebody else just now")]
    RotatedMeanwhile,
    #[error("the restore key of this passphrase or key file was replaced by a rotation")]
    RestoreReplaced,
    #[error("there are as many generations of a key as a repository may have")]
    TooManyGenerations,
    #[error("others were committing for {seconds} seconds")]
    Busy { seconds: u64 },
    #[error("the store key was rotated: generation {newest} seals now, this machine has {own}")]
    StoreKeyOld { newest: u32, own: u32 },
    #[error("machine {machine} has more than {count_max} sources")]
    TooManySources { machine: MachineId, count_max: usize },
    #[error("machine {machine} is revoked")]
    Revoked { machine: MachineId },
    #[error("no machine {machine}")]
    NoSuchMachine { machine: MachineId },
    #[error("a key or keyset in this repository is not valid")]
    BadKey,
    #[error("what was written to slot {slot} does not read back")]
    SlotReadBack { slot: SlotId },
    #[error("label has {found_bytes} bytes, at most {bytes_max} are expected")]
    Label { found_bytes: usize, bytes_max: usize },
    #[error("no random numbers from the system: {0}")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Name(#[from] BlobNameError),
    #[error(transparent)]
    Slot(#[from] SlotError),
    #[error(transparent)]
    Hpke(#[from] HpkeError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    SelfTest(#[from] SelfTestFailed),
    #[error(transparent)]
    Share(#[from] ShareError),
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl KeysError {
    /// Whether the storage failed or gave no answer: then nothing is known of the keys.
    #[must_use]
    pub const fn is_storage(&self) -> bool {
        matches!(self, Self::Storage(_) | Self::Records(RecordsError::Storage(_)))
    }
}
