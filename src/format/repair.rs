//! The journal of a repair: what it moves where, and what it adds.
//!
//! ```text
//! "LBREPR" 0 version u8 | repository 16 | repair 16 | number u32 | time i64 | signer 16 |
//! manifests 32 | steps, a count | for each: code u8 | name, string | from, string | hash 32
//! | signature 64
//! ```

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_string;
use crate::format::wire::push_varint;
use crate::ids::BlobId;
use crate::ids::KeyId;
use crate::ids::RepairId;
use crate::ids::RepositoryId;
use crate::units::Timestamp;

pub const REPAIR_MAGIC: &[u8; 8] = b"LBREPR\0\x01";
/// Most bytes of a record.
pub const REPAIR_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most steps in one record; there may be several.
pub const REPAIR_STEPS_COUNT_MAX: usize = 8192;
/// Most bytes of a blob's name in a step.
pub const REPAIR_NAME_BYTES_MAX: usize = 200;
const SIGNATURE_BYTES: usize = 64;
const MOVED: u8 = 1;
const ADDED: u8 = 2;

const _: () = assert!(
    (REPAIR_STEPS_COUNT_MAX * (1 + 2 * (REPAIR_NAME_BYTES_MAX + 2) + 32) + 1024) as u64
        <= REPAIR_BYTES_MAX
);

/// One thing that a repair does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairStep {
    /// A blob with these bytes goes from its name to quarantine.
    Moved { name: String, hash: BlobId },
    /// A blob with these bytes comes to this name; as a copy of another, where that is named.
    Added { name: String, from: String, hash: BlobId },
}

/// A part of the journal of one repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairRecord {
    pub repository: RepositoryId,
    pub repair: RepairId,
    /// From 0 on.
    pub number: u32,
    pub time: Timestamp,
    pub signer: KeyId,
    /// Hash of the places of all snapshots when the repair began.
    pub manifests: BlobId,
    pub steps: Vec<RepairStep>,
}

impl RepairRecord {
    /// What is to be signed.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        let mut out = REPAIR_MAGIC.to_vec();
        out.extend_from_slice(self.repository.as_bytes());
        out.extend_from_slice(self.repair.as_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.time.unix_ms.to_le_bytes());
        out.extend_from_slice(self.signer.as_bytes());
        out.extend_from_slice(self.manifests.as_bytes());
        push_varint(&mut out, self.steps.len() as u64);
        for step in &self.steps {
            let (code, name, from, hash) = match step {
                RepairStep::Moved { name, hash } => (MOVED, name.as_str(), "", hash),
                RepairStep::Added { name, from, hash } => {
                    (ADDED, name.as_str(), from.as_str(), hash)
                }
            };
            out.push(code);
            push_string(&mut out, name.as_bytes());
            push_string(&mut out, from.as_bytes());
            out.extend_from_slice(hash.as_bytes());
        }
        out
    }
}

/// A record with its signature, which the reader has yet to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRepair {
    pub record: RepairRecord,
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedRepair {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.record.unsigned();
        out.extend_from_slice(&self.signature);
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new("repair", bytes);
        if reader.array::<8>()? != *REPAIR_MAGIC {
            return Err(reader.invalid("it does not begin as a journal of version 1"));
        }
        let mut record = RepairRecord {
            repository: RepositoryId::new(reader.array()?),
            repair: RepairId::new(reader.array()?),
            number: reader.u32()?,
            time: Timestamp::from_unix_ms(i64::from_le_bytes(reader.array()?)),
            signer: KeyId::new(reader.array()?),
            manifests: BlobId::new(reader.array()?),
            steps: Vec::new(),
        };
        for _ in 0..reader.count(REPAIR_STEPS_COUNT_MAX)? {
            record.steps.push(decode_step(&mut reader)?);
        }
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { record, signature })
    }
}

fn decode_step(reader: &mut Reader<'_>) -> Result<RepairStep, FormatError> {
    let code = reader.u8()?;
    let name = name(reader)?;
    let from = self::name(reader)?;
    let hash = BlobId::new(reader.array()?);
    match (code, name.is_empty()) {
        (_, true) => Err(reader.invalid("a step without a name")),
        (MOVED, _) if from.is_empty() => Ok(RepairStep::Moved { name, hash }),
        (ADDED, _) => Ok(RepairStep::Added { name, from, hash }),
        _ => Err(reader.invalid("unknown step")),
    }
}

fn name(reader: &mut Reader<'_>) -> Result<String, FormatError> {
    let bytes = reader.string(REPAIR_NAME_BYTES_MAX)?;
    let text = str::from_utf8(bytes).map(str::to_owned);
    text.map_err(|_| reader.invalid("a name is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_round_trip_and_every_cut_is_refused() {
        let hash = BlobId::new([6; 32]);
        let step = |name: &str| RepairStep::Moved { name: name.to_owned(), hash };
        let copy = RepairStep::Added { name: "config".into(), from: "config.1".into(), hash };
        let record = RepairRecord {
            repository: RepositoryId::new([1; 16]),
            repair: RepairId::new([2; 16]),
            number: 3,
            time: Timestamp::from_unix_ms(-4),
            signer: KeyId::new([5; 16]),
            manifests: BlobId::new([7; 32]),
            steps: vec![step("config"), copy, step("index/ab")],
        };
        let signed = SignedRepair { record: record.clone(), signature: [8; 64] };
        let bytes = signed.encode();
        assert_eq!(SignedRepair::decode(&bytes), Ok(signed));
        for cut in 0..bytes.len() {
            assert!(SignedRepair::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        for bad in ["", &"x".repeat(201)] {
            let record = RepairRecord { steps: vec![step(bad)], ..record.clone() };
            let bytes = SignedRepair { record, signature: [8; 64] }.encode();
            assert!(SignedRepair::decode(&bytes).is_err(), "{bad}");
        }
    }
}
