//! The ledger's blobs: their names, and a document that only recipients open. What stands in them
//! is text; see `doc/evidence.md`.

use crate::format::manifest::SealedPart;
use crate::format::wire::FormatError;
use crate::ids::LedgerHash;

/// Folder of all that the ledger keeps.
pub const LEDGER: &str = "ledger/";
/// Folders within it.
pub const LEDGER_ENTRIES: &str = "ledger/entries/";
pub const LEDGER_DOCUMENTS: &str = "ledger/documents/";
pub const LEDGER_CHECKPOINTS: &str = "ledger/checkpoints/";
/// Kind of the box of a document's content.
pub const LEDGER_DOCUMENT_KIND: &str = "ledger document";
/// What a sealed document begins with; one in clear begins with `{`.
pub const LEDGER_DOCUMENT_MAGIC: &[u8; 8] = b"LBLEDG\x00\x01";
/// Highest number of an entry: ten digits.
pub const LEDGER_SEQ_MAX: u64 = 9_999_999_999;

/// What a blob of the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerName {
    /// By number, from 1.
    Entry(u64),
    /// By the SHA-256 of its text.
    Document(LedgerHash),
    /// By the number of entries that it covers.
    Checkpoint(u64),
}

impl LedgerName {
    /// The inverse of `Display`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let number = |digits: &str| {
            let number = digits.parse().ok().filter(|n| (1..=LEDGER_SEQ_MAX).contains(n));
            number.filter(|_| digits.len() == 10 && digits.bytes().all(|c| c.is_ascii_digit()))
        };
        if let Some(digits) = name.strip_prefix(LEDGER_ENTRIES) {
            number(digits).map(Self::Entry)
        } else if let Some(digits) = name.strip_prefix(LEDGER_CHECKPOINTS) {
            number(digits).map(Self::Checkpoint)
        } else {
            name.strip_prefix(LEDGER_DOCUMENTS)?.parse().ok().map(Self::Document)
        }
    }
}

impl std::fmt::Display for LedgerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry(seq) => write!(f, "{LEDGER_ENTRIES}{seq:010}"),
            Self::Document(hash) => write!(f, "{LEDGER_DOCUMENTS}{hash}"),
            Self::Checkpoint(size) => write!(f, "{LEDGER_CHECKPOINTS}{size:010}"),
        }
    }
}

/// A document as it is kept: magic, then who can open it and what they open.
pub fn encode_sealed(sealed: &SealedPart) -> Result<Vec<u8>, FormatError> {
    let mut out = LEDGER_DOCUMENT_MAGIC.to_vec();
    out.extend_from_slice(&sealed.encode()?);
    Ok(out)
}

/// The inverse of [`encode_sealed`]; `None` if the document is kept in clear.
pub fn decode_sealed(bytes: &[u8]) -> Option<Result<SealedPart, FormatError>> {
    bytes.strip_prefix(LEDGER_DOCUMENT_MAGIC).map(SealedPart::decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_made_and_only_so() {
        let hash = LedgerHash::new([0xab; 32]);
        for name in [
            LedgerName::Entry(1),
            LedgerName::Entry(LEDGER_SEQ_MAX),
            LedgerName::Document(hash),
            LedgerName::Checkpoint(12),
        ] {
            assert_eq!(LedgerName::parse(&name.to_string()), Some(name));
        }
        for odd in [
            "ledger/entries/0000000000",
            "ledger/entries/1",
            "ledger/entries/+000000001",
            "ledger/entries/0000000001/x",
            "ledger/documents/ab",
            "ledger/x",
        ] {
            assert_eq!(LedgerName::parse(odd), None, "{odd}");
        }
    }
}
