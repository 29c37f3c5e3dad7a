//! Tombstones: who removed a snapshot, when and why; without one a missing manifest is damage.
//!
//! ```text
//! "LBTOMB" 0 version u8 | repository 16 | machine 16 | source 16 | seq u64 | snapshot 32 | time
//! i64
//! | signer 16 | reason, string | signature 64
//! ```

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_string;
use crate::ids::KeyId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::units::Timestamp;

pub const TOMBSTONE_MAGIC: &[u8; 8] = b"LBTOMB\0\x01";
/// Most bytes of a tombstone.
pub const TOMBSTONE_BYTES_MAX: u64 = 64 * 1024;
/// Most bytes of the reason.
pub const REASON_BYTES_MAX: usize = 4096;
const SIGNATURE_BYTES: usize = 64;

/// The deliberate removal of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    pub repository: RepositoryId,
    pub machine: MachineId,
    pub source: SourceId,
    pub seq: u64,
    pub snapshot: SnapshotId,
    pub time: Timestamp,
    pub signer: KeyId,
    /// The rule or the words of whoever removed it.
    pub reason: String,
}

impl Tombstone {
    /// What is to be signed.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        let mut out = TOMBSTONE_MAGIC.to_vec();
        out.extend_from_slice(self.repository.as_bytes());
        out.extend_from_slice(self.machine.as_bytes());
        out.extend_from_slice(self.source.as_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(self.snapshot.as_bytes());
        out.extend_from_slice(&self.time.unix_ms.to_le_bytes());
        out.extend_from_slice(self.signer.as_bytes());
        push_string(&mut out, self.reason.as_bytes());
        out
    }
}

/// A tombstone with its signature, which the reader has yet to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTombstone {
    pub tombstone: Tombstone,
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedTombstone {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.tombstone.unsigned();
        out.extend_from_slice(&self.signature);
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let what = "tombstone";
        let mut reader = Reader::new(what, bytes);
        if reader.array::<8>()? != *TOMBSTONE_MAGIC {
            return Err(reader.invalid("it does not begin as a tombstone of version 1"));
        }
        let tombstone = Tombstone {
            repository: RepositoryId::new(reader.array()?),
            machine: MachineId::new(reader.array()?),
            source: SourceId::new(reader.array()?),
            seq: u64::from_le_bytes(reader.array()?),
            snapshot: SnapshotId::new(reader.array()?),
            time: Timestamp::from_unix_ms(i64::from_le_bytes(reader.array()?)),
            signer: KeyId::new(reader.array()?),
            reason: str::from_utf8(reader.string(REASON_BYTES_MAX)?)
                .map_err(|_| FormatError::Invalid { what, why: "reason is not UTF-8" })?
                .to_owned(),
        };
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { tombstone, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_round_trip_and_every_cut_is_refused() {
        let tombstone = Tombstone {
            repository: RepositoryId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            seq: 4,
            snapshot: SnapshotId::new([5; 32]),
            time: Timestamp::from_unix_ms(-6),
            signer: KeyId::new([7; 16]),
            reason: "keep-daily 7".to_owned(),
        };
        let signed = SignedTombstone { tombstone, signature: [8; 64] };
        let bytes = signed.encode();
        assert_eq!(SignedTombstone::decode(&bytes), Ok(signed));
        for cut in 0..bytes.len() {
            assert!(SignedTombstone::decode(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}
