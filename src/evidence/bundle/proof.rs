//! That one entry is part of a checkpoint, as a file: for showing a record without the rest.

use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::tree;
use crate::evidence::tree::PROOF_HASHES_MAX;
use crate::ids::LedgerHash;

/// The first line.
const HEAD: &str = "lifeboat/ledger-inclusion/1";

/// The path of an entry to a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    pub seq: u64,
    pub size: u64,
    pub root: LedgerHash,
    pub path: Vec<LedgerHash>,
}

impl Inclusion {
    /// Lines: what it is, number of the entry, size, root, then the path from the leaf upwards.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = format!("{HEAD}\n{}\n{}\n{}\n", self.seq, self.size, self.root);
        for hash in &self.path {
            text.push_str(&format!("{hash}\n"));
        }
        text
    }

    /// The inverse of [`Self::encode`].
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        lines.next().filter(|head| *head == HEAD)?;
        let number = |text: &str| {
            let number: u64 = text.parse().ok()?;
            (number.to_string() == text).then_some(number)
        };
        let (seq, size) = (number(lines.next()?)?, number(lines.next()?)?);
        let root = lines.next()?.parse().ok()?;
        let path: Vec<LedgerHash> = lines
            .take(PROOF_HASHES_MAX + 1)
            .map(|line| line.parse().ok())
            .collect::<Option<_>>()?;
        (path.len() <= PROOF_HASHES_MAX).then_some(Self { seq, size, root, path })
    }

    /// Whether this entry's text leads to this checkpoint.
    #[must_use]
    pub fn holds(&self, entry: &[u8], checkpoint: &Checkpoint) -> bool {
        let Some(index) = self.seq.checked_sub(1) else { return false };
        (self.size, self.root) == (checkpoint.size, checkpoint.root)
            && tree::is_included((tree::leaf(entry), index), (self.root, self.size), &self.path)
    }
}
