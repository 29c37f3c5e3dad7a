//! What can go wrong with a ledger.

use crate::crypto::blind::BoxError;
use crate::crypto::sealed::hpke::HpkeError;
use crate::evidence::canonical::CanonicalError;
use crate::evidence::chain::Break;
use crate::evidence::drill::StepError;
use crate::evidence::entry::EntryError;
use crate::evidence::keys::KeyRefused;
use crate::format::wire::FormatError;
use crate::ids::LedgerHash;
use crate::run::Stopped;
use crate::storage::BlobNameError;
use crate::storage::StorageError;
use crate::units::Timestamp;

/// A ledger that cannot be read or added to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EvidenceError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Name(#[from] BlobNameError),
    #[error("document: {0}")]
    Canonical(#[from] CanonicalError),
    #[error("entry: {0}")]
    Entry(#[from] EntryError),
    #[error("document {document}: {error}")]
    Format { document: LedgerHash, error: FormatError },
    #[error("ledger entry {seq}: {why}; nothing is added to a ledger that does not verify")]
    Broken { seq: u64, why: Break },
    #[error("the newest checkpoint, of {size} entries, is damaged; the entries themselves verify")]
    CheckpointDamaged { size: u64 },
    #[error("there is no ledger yet")]
    NotFounded,
    #[error("the ledger was founded by key {found}, this one is {expected}")]
    OtherLedger { found: String, expected: String },
    #[error("key of `{holder}`: {why}")]
    Key { holder: String, why: KeyRefused },
    #[error("`{holder}` may not sign this: the ledger knows another key, or gives no right to it")]
    NotASigner { holder: String },
    #[error("a document of kind `{kind}` has schema `{expected}`, found `{found}`")]
    Schema { kind: &'static str, expected: &'static str, found: String },
    #[error("a text with a zero byte cannot be signed")]
    NotText,
    #[error("field `{field}` of a document is the ledger's to fill in")]
    FieldTaken { field: &'static str },
    #[error("drill `{drill}`: {why}")]
    Step { drill: String, why: StepError },
    #[error("document {document} is missing or not what its name says")]
    DocumentLost { document: LedgerHash },
    #[error("document {document} is not sealed to a key that is at hand")]
    NotARecipient { document: LedgerHash },
    #[error("document {document} does not open: {error}")]
    DoesNotOpen { document: LedgerHash, error: HpkeError },
    #[error("document {document} does not open: {error}")]
    BoxDoesNotOpen { document: LedgerHash, error: BoxError },
    #[error(
        "the clock says {}, the last entry was written at {}: it was set back",
        .now.to_rfc3339(), .last.to_rfc3339()
    )]
    ClockWentBack { now: Timestamp, last: Timestamp },
    #[error("others wrote an entry each time this one was to be written ({attempts} times)")]
    Contended { attempts: u32 },
    #[error("no random numbers from the system")]
    NoRandom,
    #[error("a document cannot be sealed: {0}")]
    DoesNotSeal(HpkeError),
    #[error("blob `{name}` was written and read back otherwise")]
    WrittenOtherwise { name: String },
}
