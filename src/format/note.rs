//! Notes: words by which a snapshot is found, added or taken away after it was made.
//!
//! ```text
//! "LBNOTE" 0 version u8 | repository 16 | machine 16 | source 16 | seq u64 | snapshot 32
//! | number u32 | id of the note before 16, or zeros | time i64 | signer 16
//! | length of the box u32 | box | signature 64
//! ```

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;

use minicbor::Decode;
use minicbor::Encode;

use crate::format::record::from_cbor;
use crate::format::record::to_cbor;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::NoteId;
use crate::ids::RepositoryId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::units::Timestamp;

/// First bytes of a note; its version follows.
pub const NOTE_MAGIC: &[u8; 7] = b"LBNOTE\0";
const NOTE_VERSION: u8 = 1;
/// Kind of the box that holds the words.
pub const NOTE_KIND: &str = "note";
/// Most bytes of a note.
pub const NOTE_BYTES_MAX: u64 = 16 * 1024;
/// Most notes of a snapshot.
pub const NOTES_COUNT_MAX: u32 = 1024;
/// Most words of a note, added and removed together.
pub const NOTE_WORDS_MAX: usize = 64;
/// Most bytes of a word.
pub const WORD_BYTES_MAX: usize = 128;
/// Most bytes of a comment.
pub const COMMENT_BYTES_MAX: usize = 4096;
const SIGNATURE_BYTES: usize = 64;
const WHAT: &str = "note";

/// What anyone may read of a note: where it belongs and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotePublic {
    pub repository: RepositoryId,
    pub machine: MachineId,
    pub source: SourceId,
    pub seq: u64,
    pub snapshot: SnapshotId,
    /// Place among the notes of this snapshot; the first is 1.
    pub number: u32,
    /// The note before; none for the first.
    pub prev: Option<NoteId>,
    pub time: Timestamp,
    pub signer: KeyId,
}

impl NotePublic {
    /// The open part: what the box is bound to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = NOTE_MAGIC.to_vec();
        out.push(NOTE_VERSION);
        out.extend_from_slice(self.repository.as_bytes());
        out.extend_from_slice(self.machine.as_bytes());
        out.extend_from_slice(self.source.as_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(self.snapshot.as_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        let prev = self.prev.unwrap_or(NoteId::new([0; NoteId::LEN]));
        out.extend_from_slice(prev.as_bytes());
        out.extend_from_slice(&self.time.unix_ms.to_le_bytes());
        out.extend_from_slice(self.signer.as_bytes());
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        if reader.array::<7>()? != *NOTE_MAGIC {
            return Err(reader.invalid("it does not begin as a note"));
        }
        let found = reader.u8()?;
        if found != NOTE_VERSION {
            return Err(FormatError::Version { what: WHAT, found });
        }
        let public = Self {
            repository: RepositoryId::new(reader.array()?),
            machine: MachineId::new(reader.array()?),
            source: SourceId::new(reader.array()?),
            seq: u64::from_le_bytes(reader.array()?),
            snapshot: SnapshotId::new(reader.array()?),
            number: reader.u32()?,
            prev: Some(reader.array()?).filter(|id| *id != [0; NoteId::LEN]).map(NoteId::new),
            time: Timestamp::from_unix_ms(i64::from_le_bytes(reader.array()?)),
            signer: KeyId::new(reader.array()?),
        };
        if !(1..=NOTES_COUNT_MAX).contains(&public.number) {
            let (found, max) = (public.number.into(), NOTES_COUNT_MAX.into());
            return Err(FormatError::Limit { what: WHAT, found, max });
        }
        if public.prev.is_none() != (public.number == 1) {
            return Err(reader.invalid("the first note and no other has none before it"));
        }
        Ok(public)
    }
}

/// A note with its box and signature, which the reader has yet to open and to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    pub public: NotePublic,
    /// [`NoteWords`], under a key that derives from the snapshot key.
    pub sealed: Vec<u8>,
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedNote {
    /// What is to be signed.
    pub fn unsigned(public: &NotePublic, sealed: &[u8]) -> Result<Vec<u8>, FormatError> {
        let (found, max) = (sealed.len() as u64, NOTE_BYTES_MAX);
        let len = u32::try_from(found).ok().filter(|len| u64::from(*len) <= max);
        let len = len.ok_or(FormatError::Limit { what: WHAT, found, max })?;
        let mut out = public.encode();
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(sealed);
        Ok(out)
    }

    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let mut out = Self::unsigned(&self.public, &self.sealed)?;
        out.extend_from_slice(&self.signature);
        let (found, max) = (out.len() as u64, NOTE_BYTES_MAX);
        if found > max {
            return Err(FormatError::Limit { what: WHAT, found, max });
        }
        Ok(out)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let (found, max) = (bytes.len() as u64, NOTE_BYTES_MAX);
        if found > max {
            return Err(FormatError::Limit { what: WHAT, found, max });
        }
        let mut reader = Reader::new(WHAT, bytes);
        let public = NotePublic::read(&mut reader)?;
        let len = usize::try_from(reader.u32()?).map_err(|_| reader.invalid("length of a box"))?;
        let sealed = reader.bytes(len)?.to_vec();
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { public, sealed, signature })
    }
}

/// What a note says; only whoever opens the snapshot reads it. A CBOR array.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct NoteWords {
    #[n(0)]
    pub added: Vec<String>,
    #[n(1)]
    pub removed: Vec<String>,
    #[n(2)]
    pub comment: String,
}

impl NoteWords {
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        Ok(to_cbor(self).to_vec())
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let wrong = FormatError::Invalid { what: WHAT, why: "an unknown field or a wrong form" };
        let words: Self = from_cbor(bytes).ok_or(wrong)?;
        words.check()?;
        Ok(words)
    }

    /// Whether the words are within their limits, and none stands twice.
    pub fn check(&self) -> Result<(), FormatError> {
        let all = || self.added.iter().chain(&self.removed);
        limit(all().count(), NOTE_WORDS_MAX)?;
        limit(all().map(String::len).max().unwrap_or_default(), WORD_BYTES_MAX)?;
        limit(self.comment.len(), COMMENT_BYTES_MAX)?;
        if all().any(String::is_empty) {
            return Err(FormatError::Invalid { what: WHAT, why: "an empty word" });
        }
        if all().collect::<BTreeSet<_>>().len() < all().count() {
            return Err(FormatError::Invalid { what: WHAT, why: "a word stands twice" });
        }
        Ok(())
    }

    /// What becomes of a snapshot's words by this note.
    pub fn apply(&self, tags: &mut Vec<String>) {
        tags.retain(|tag| !self.removed.contains(tag));
        let new = self.added.iter().filter(|word| !tags.contains(word));
        let new: Vec<String> = new.cloned().collect();
        tags.extend(new);
    }
}

fn limit(found: usize, max: usize) -> Result<(), FormatError> {
    if found > max {
        let (found, max) = (found as u64, max as u64);
        return Err(FormatError::Limit { what: WHAT, found, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> SignedNote {
        let public = NotePublic {
            repository: RepositoryId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            seq: 4,
            snapshot: SnapshotId::new([5; 32]),
            number: 2,
            prev: Some(NoteId::new([6; 16])),
            time: Timestamp::from_unix_ms(-6),
            signer: KeyId::new([7; 16]),
        };
        SignedNote { public, sealed: b"sealed".to_vec(), signature: [8; 64] }
    }

    #[test]
    fn notes_round_trip_and_every_cut_is_refused() {
        let bytes = note().encode().unwrap();
        assert_eq!(SignedNote::decode(&bytes), Ok(note()));
        for cut in 0..bytes.len() {
            assert!(SignedNote::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let mut newer = bytes;
        newer[7] = 2;
        let error = SignedNote::decode(&newer).unwrap_err();
        assert_eq!(error, FormatError::Version { what: "note", found: 2 });
    }

    #[test]
    fn numbers_and_the_note_before_fit_together() {
        for (number, prev) in [(0, None), (1, Some(6)), (2, None), (1025, Some(6))] {
            let mut wrong = note();
            wrong.public.number = number;
            wrong.public.prev = prev.map(|byte| NoteId::new([byte; 16]));
            let bytes = wrong.encode().unwrap();
            assert!(SignedNote::decode(&bytes).is_err(), "{number}");
        }
        let mut first = note();
        (first.public.number, first.public.prev) = (1, None);
        assert_eq!(SignedNote::decode(&first.encode().unwrap()), Ok(first));
    }

    fn words(added: &[&str], removed: &[&str]) -> NoteWords {
        let all = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        NoteWords { added: all(added), removed: all(removed), comment: "why".to_owned() }
    }

    #[test]
    fn words_round_trip_within_their_limits() {
        let good = words(&["before the merger", "trước sáp nhập"], &["daily"]);
        assert_eq!(NoteWords::decode(&good.encode().unwrap()), Ok(good.clone()));
        let long = "x".repeat(129);
        let many: Vec<String> = (0..65).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let comment = NoteWords { comment: "x".repeat(4097), ..Default::default() };
        let refused = [
            words(&[""], &[]),
            words(&["a"], &["a"]),
            words(&["a", "a"], &[]),
            words(&[], &[long.as_str()]),
            words(&many[..33], &many[33..]),
            comment,
        ];
        for words in refused {
            assert!(words.encode().is_err(), "{words:?}");
            assert!(NoteWords::decode(&to_cbor(&words)).is_err(), "{words:?}");
        }
    }

    #[test]
    fn the_largest_note_fits() {
        let word = |n: usize| format!("{n:0>128}");
        let added = (0..NOTE_WORDS_MAX).map(word).collect();
        let comment = "x".repeat(COMMENT_BYTES_MAX);
        let words = NoteWords { added, removed: Vec::new(), comment }.encode().unwrap();
        let sealed = vec![0; words.len() + 80];
        assert!(SignedNote { sealed, ..note() }.encode().is_ok());
    }

    #[test]
    fn removed_words_go_and_added_words_come_once() {
        let mut tags = vec!["daily".to_owned(), "kept".to_owned()];
        words(&["kept", "new"], &["daily", "never there"]).apply(&mut tags);
        assert_eq!(tags, ["kept", "new"]);
    }
}
