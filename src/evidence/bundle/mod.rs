//! The inspection bundle: a ledger with its documents in clear, as files that need no program.
//!
//! What it is: the files and their names, the way from a storage to them, and the inspection.
//! Never: believes a name, a key beside the entries, or a proof; needs a key, a storage or a
//! network to inspect.
//! Invariants: what is not as this room writes it is told; the same bundle gives the same report.
//! Start reading at: [`Bundle`], then `inspect`.

pub mod draws;
pub mod export;
pub mod finding;
pub mod inspect;
pub mod plans;
pub mod proof;
pub mod readme;
#[cfg(test)]
mod tests;
pub mod witness;

use std::collections::BTreeMap;

use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::checkpoint::CHECKPOINT_BYTES_MAX;
use crate::evidence::entry::ENTRY_BYTES_MAX;
use crate::evidence::signed::Signed;
use crate::format::ledger::LEDGER_SEQ_MAX;
use crate::ids::LedgerHash;

/// What a ledger is called, in a file of its own.
pub const ORIGIN_FILE: &str = "origin.txt";
/// How to check by hand.
pub const README_FILE: &str = "README.txt";
/// Every entry in a line, for people.
pub const LIST_FILE: &str = "list.txt";
/// Most bytes of any file of a bundle.
pub const FILE_BYTES_MAX: usize = DOCUMENT_BYTES_MAX;
/// Most files that are taken.
pub const FILES_COUNT_MAX: usize = 4_000_000;
const ORIGIN_BYTES_MAX: usize = 256;

/// A ledger as files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    pub origin: String,
    /// By the number in the file's name.
    pub entries: BTreeMap<u64, Signed>,
    /// By the hash in the file's name.
    pub documents: BTreeMap<LedgerHash, Signed>,
    /// By the number in the file's name.
    pub checkpoints: BTreeMap<u64, Vec<u8>>,
    /// Inclusion of an entry in a checkpoint, by the entry's number.
    pub proofs: BTreeMap<u64, Vec<u8>>,
    /// Files that are not what their names say, and files of which the other half is missing.
    pub unreadable: Vec<String>,
    pub halves: Vec<String>,
    /// Files that are no part of a bundle.
    pub strays: Vec<String>,
}

/// What a file of a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Origin,
    /// For people; nothing depends on it.
    Aside,
    Entry(u64, Half),
    Document(LedgerHash, Half),
    Checkpoint(u64),
    Proof(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Text,
    Signature,
}

impl File {
    fn parse(name: &str) -> Option<Self> {
        if name == ORIGIN_FILE {
            return Some(Self::Origin);
        }
        if name == README_FILE || name == LIST_FILE {
            return Some(Self::Aside);
        }
        let (folder, file) = name.split_once('/')?;
        let (stem, end) = file.rsplit_once('.')?;
        let half = match end {
            "json" => Some(Half::Text),
            "sig" => Some(Half::Signature),
            _ => None,
        };
        match (folder, end) {
            ("entries", _) => Some(Self::Entry(number(stem)?, half?)),
            ("documents", _) => Some(Self::Document(stem.parse().ok()?, half?)),
            ("checkpoints", "txt") => number(stem).map(Self::Checkpoint),
            ("proofs", "txt") => number(stem).map(Self::Proof),
            ("keys", "pem") => Some(Self::Aside),
            _ => None,
        }
    }

    const fn bytes_max(self) -> usize {
        match self {
            Self::Origin => ORIGIN_BYTES_MAX,
            Self::Aside => FILE_BYTES_MAX,
            Self::Entry(_, Half::Text) => ENTRY_BYTES_MAX,
            Self::Document(_, Half::Text) => DOCUMENT_BYTES_MAX,
            Self::Entry(_, Half::Signature) | Self::Document(_, Half::Signature) => 64,
            Self::Checkpoint(_) | Self::Proof(_) => CHECKPOINT_BYTES_MAX,
        }
    }
}

/// Ten digits.
fn number(digits: &str) -> Option<u64> {
    let number = digits.parse().ok().filter(|n| (1..=LEDGER_SEQ_MAX).contains(n))?;
    (format!("{number:010}") == digits).then_some(number)
}

/// Name of the two files of an entry, without their ends.
#[must_use]
pub fn entry_stem(seq: u64) -> String {
    format!("entries/{seq:010}")
}

/// Name of the two files of a document, without their ends.
#[must_use]
pub fn document_stem(hash: &LedgerHash) -> String {
    format!("documents/{hash}")
}

/// Texts and signatures as they come, before they are put together.
type Halves<K> = BTreeMap<K, [Option<Vec<u8>>; 2]>;

impl Bundle {
    /// From files, by their names with `/` between the parts; in any order.
    #[must_use]
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut bundle = Self::default();
        let mut entries: Halves<u64> = BTreeMap::new();
        let mut documents: Halves<LedgerHash> = BTreeMap::new();
        for (name, bytes) in files {
            let Some(file) = File::parse(&name) else {
                bundle.strays.push(name);
                continue;
            };
            if bytes.len() > file.bytes_max() {
                bundle.unreadable.push(name);
                continue;
            }
            match file {
                File::Origin => match String::from_utf8(bytes) {
                    Ok(text) => text.trim_end_matches('\n').clone_into(&mut bundle.origin),
                    Err(_) => bundle.unreadable.push(name),
                },
                File::Aside => {}
                File::Entry(seq, half) => put(entries.entry(seq).or_default(), half, bytes),
                File::Document(hash, half) => put(documents.entry(hash).or_default(), half, bytes),
                File::Checkpoint(size) => {
                    bundle.checkpoints.insert(size, bytes);
                }
                File::Proof(seq) => {
                    bundle.proofs.insert(seq, bytes);
                }
            }
        }
        for (seq, halves) in entries {
            if let Some(signed) = bundle.joined(&entry_stem(seq), halves) {
                bundle.entries.insert(seq, signed);
            }
        }
        for (hash, halves) in documents {
            if let Some(signed) = bundle.joined(&document_stem(&hash), halves) {
                bundle.documents.insert(hash, signed);
            }
        }
        bundle
    }

    fn joined(&mut self, stem: &str, halves: [Option<Vec<u8>>; 2]) -> Option<Signed> {
        match halves {
            [Some(bytes), Some(signature)] => match signature.try_into() {
                Ok(signature) => Some(Signed { bytes, signature }),
                Err(_) => {
                    self.unreadable.push(format!("{stem}.sig"));
                    None
                }
            },
            [None, _] => {
                self.halves.push(format!("{stem}.json"));
                None
            }
            [_, None] => {
                self.halves.push(format!("{stem}.sig"));
                None
            }
        }
    }

    /// The files that are looked at, in the order of their names. What is for people is beside
    /// them: see `readme`.
    #[must_use]
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![(ORIGIN_FILE.to_owned(), format!("{}\n", self.origin).into_bytes())];
        let entries = self.entries.iter().map(|(seq, signed)| (entry_stem(*seq), signed));
        let documents = self.documents.iter().map(|(hash, signed)| (document_stem(hash), signed));
        for (stem, signed) in entries.chain(documents) {
            files.push((format!("{stem}.json"), signed.bytes.clone()));
            files.push((format!("{stem}.sig"), signed.signature.to_vec()));
        }
        let notes = self.checkpoints.iter().map(|(n, note)| (format!("checkpoints/{n:010}"), note));
        let proofs = self.proofs.iter().map(|(n, proof)| (format!("proofs/{n:010}"), proof));
        for (stem, bytes) in notes.chain(proofs) {
            files.push((format!("{stem}.txt"), bytes.clone()));
        }
        files.sort_unstable();
        files
    }
}

fn put([text, signature]: &mut [Option<Vec<u8>>; 2], half: Half, bytes: Vec<u8>) {
    match half {
        Half::Text => *text = Some(bytes),
        Half::Signature => *signature = Some(bytes),
    }
}
