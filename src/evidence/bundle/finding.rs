//! What an inspection finds.

use crate::evidence::canonical::CanonicalError;
use crate::evidence::chain::Break;
use crate::evidence::checkpoint::Code;
use crate::evidence::drill::Stage;
use crate::evidence::drill::StepError;
use crate::ids::LedgerHash;

/// What a finding means for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Nothing is wrong; it is for the reader to know.
    Note,
    /// Something that was there, or should be, is not.
    Missing,
    /// Something was altered, forged, or does not follow.
    Invalid,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("entry {seq}: {why}")]
    Entry { seq: u64, why: Break },
    #[error("document of entry {seq}: {why}")]
    Document { seq: u64, why: DocumentFault },
    #[error("file `{name}` is not what its name says")]
    Unreadable { name: String },
    #[error("checkpoint of {size} entries: {why}")]
    Checkpoint { size: u64, why: CheckpointFault },
    #[error("the code {code} of {size} entries is another: they were altered")]
    Code { code: Code, size: u64 },
    #[error("the fingerprint is that of another ledger")]
    OtherLedger,
    #[error("drill `{drill}`, entry {seq}: {why}")]
    Step { drill: String, seq: u64, why: StepError },
    #[error(
        "entry {seq}: the draw does not follow from its pool, the ledger a day before it and its \
         word"
    )]
    Draw { seq: u64 },
    #[error("entry {seq}: {period} was drawn already, by entry {first}")]
    DrawAgain { seq: u64, period: String, first: u64 },
    #[error("proof of entry {seq} does not lead to the checkpoint it names")]
    Proof { seq: u64 },
    #[error("there are no entries")]
    Empty,
    #[error("entries {from} to {to} are missing")]
    Gap { from: u64, to: u64 },
    #[error("a checkpoint covers {size} entries, there are {last}: the end is missing")]
    Cut { size: u64, last: u64 },
    #[error("the code {code} fits no state of this ledger: what it was printed of is missing")]
    CodeUnknown { code: Code },
    #[error("the document {hash} of entry {seq} is missing")]
    DocumentMissing { seq: u64, hash: LedgerHash },
    #[error("file `{name}` is missing")]
    FileMissing { name: String },
    #[error("drill `{drill}` was due {due} and has no record")]
    NotHeld { drill: String, due: String },
    #[error("drill `{drill}` was begun and has no record")]
    NoRecord { drill: String },
    #[error(
        "drill `{drill}` has a record and, after {} days, no closing record",
        Self::PATIENCE_DAYS
    )]
    NoClosing { drill: String },
    #[error(
        "drill `{drill}` has a record and, after {} days, not all signatures",
        Self::PATIENCE_DAYS
    )]
    NoSignatures { drill: String },
    #[error("drill `{drill}` is not over: {}", .stage.name())]
    Open { drill: String, stage: Stage },
    #[error("drill `{drill}`: `{holder}` has refused to sign")]
    Refused { drill: String, holder: String },
    #[error(
        "entries {from} to {to} of `{holder}`: the key was lost and may have been used by others"
    )]
    Suspect { holder: String, from: u64, to: u64 },
    #[error("entry {seq}: this program does not repeat draws; the draw was not checked")]
    DrawNotRepeated { seq: u64 },
    #[error("entry {seq}: its record names a draw that is not in this ledger")]
    OtherDraw { seq: u64 },
    #[error("file `{name}` belongs to no bundle")]
    Stray { name: String },
    #[error("document {hash} belongs to no entry")]
    NotNamed { hash: LedgerHash },
    #[error(
        "the checkpoint of {size} entries is damaged; entry {seq} says so, and a later one covers \
         it"
    )]
    Mended { size: u64, seq: u64 },
    #[error("no fingerprint from paper was given: whose ledger this is was not checked")]
    NoAnchor,
    #[error("no code or checkpoint from outside was given: a cut end would not show")]
    NoWitness,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    #[error("its text is not that of its hash")]
    Altered,
    #[error("not canonical: {0}")]
    NotCanonical(CanonicalError),
    #[error("schema `{found}`, expected `{expected}`")]
    Schema { found: String, expected: &'static str },
    #[error("author `{author}` has no key in this ledger at that point")]
    UnknownAuthor { author: String },
    #[error("the signature of `{author}` does not hold")]
    Signature { author: String },
    #[error("`{author}` may not sign in this role")]
    NoRight { author: String },
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    #[error("not a checkpoint, or under a name that does not fit")]
    NotACheckpoint,
    #[error("it is one of another ledger")]
    OtherOrigin,
    #[error("no key of this ledger has signed it")]
    Unsigned,
    #[error("its root is not that of these entries: they were altered")]
    Misfit,
}

impl Finding {
    /// Days after its record within which a drill is closed and signed: five working days, and the
    /// longest holidays.
    pub const PATIENCE_DAYS: i64 = 14;

    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Entry { .. }
            | Self::Document { .. }
            | Self::Unreadable { .. }
            | Self::Checkpoint { .. }
            | Self::Code { .. }
            | Self::OtherLedger
            | Self::Step { .. }
            | Self::Draw { .. }
            | Self::OtherDraw { .. }
            | Self::DrawAgain { .. }
            | Self::Proof { .. } => Class::Invalid,
            Self::Empty
            | Self::Gap { .. }
            | Self::Cut { .. }
            | Self::CodeUnknown { .. }
            | Self::DocumentMissing { .. }
            | Self::FileMissing { .. }
            | Self::NotHeld { .. }
            | Self::NoRecord { .. }
            | Self::NoClosing { .. }
            | Self::NoSignatures { .. } => Class::Missing,
            Self::Open { .. }
            | Self::Refused { .. }
            | Self::Suspect { .. }
            | Self::DrawNotRepeated { .. }
            | Self::Stray { .. }
            | Self::NotNamed { .. }
            | Self::Mended { .. }
            | Self::NoAnchor
            | Self::NoWitness => Class::Note,
        }
    }
}
