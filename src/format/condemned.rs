//! The record of packs that are about to go, and of snapshots that are given up.
//!
//! ```text
//! "LBCOND" 0 version u8 | generation of S u32 | sealed body
//! body: id 16 | number of packs u32 | pack ids | number of snapshots u32 | for each: machine 16,
//! source 16, seq u64, id 32
//! ```

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::CondemnedId;
use crate::ids::MachineId;
use crate::ids::PackId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;

pub const CONDEMNED_MAGIC: &[u8; 8] = b"LBCOND\0\x01";
/// Most packs that one record names.
pub const CONDEMNED_PACKS_COUNT_MAX: usize = 65_536;
/// Most snapshots that one record gives up.
pub const CONDEMNED_SNAPSHOTS_COUNT_MAX: usize = 16_384;
/// Most bytes of a record.
pub const CONDEMNED_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Kind of the box that holds the body; its name is the record's id.
pub const CONDEMNED_KIND: &str = "condemned";

const _: () = assert!(
    (CONDEMNED_PACKS_COUNT_MAX * 32 + CONDEMNED_SNAPSHOTS_COUNT_MAX * 72 + 1024) as u64
        <= CONDEMNED_BYTES_MAX
);

/// A snapshot whose manifest is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GivenUp {
    pub machine: MachineId,
    pub source: SourceId,
    pub seq: u64,
    pub snapshot: SnapshotId,
}

/// What is about to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondemnedRecord {
    pub id: CondemnedId,
    /// Nothing that is needed lies in them, or it lies elsewhere too.
    pub packs: Vec<PackId>,
    pub snapshots: Vec<GivenUp>,
}

impl CondemnedRecord {
    /// The body before it is sealed.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let wrong = |why| Reader::new("condemned", &[]).invalid(why);
        let count = |len: usize, max: usize| {
            let count = u32::try_from(len).ok().filter(|_| len <= max);
            count.ok_or_else(|| wrong("too many for one record"))
        };
        let mut out = self.id.as_bytes().to_vec();
        let packs = count(self.packs.len(), CONDEMNED_PACKS_COUNT_MAX)?;
        out.extend_from_slice(&packs.to_le_bytes());
        self.packs.iter().for_each(|pack| out.extend_from_slice(pack.as_bytes()));
        let snapshots = count(self.snapshots.len(), CONDEMNED_SNAPSHOTS_COUNT_MAX)?;
        out.extend_from_slice(&snapshots.to_le_bytes());
        for given_up in &self.snapshots {
            out.extend_from_slice(given_up.machine.as_bytes());
            out.extend_from_slice(given_up.source.as_bytes());
            out.extend_from_slice(&given_up.seq.to_le_bytes());
            out.extend_from_slice(given_up.snapshot.as_bytes());
        }
        Ok(out)
    }

    pub fn decode(body: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new("condemned", body);
        let id = CondemnedId::new(reader.array()?);
        let count = |reader: &mut Reader<'_>, max: usize, row: usize| {
            let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
            let fits = count.checked_mul(row).is_some_and(|bytes| bytes <= reader.left());
            match count <= max && fits {
                true => Ok(count),
                false => Err(reader.invalid("more are announced than follow or may be")),
            }
        };
        let packs_count = count(&mut reader, CONDEMNED_PACKS_COUNT_MAX, 32)?;
        let mut packs = Vec::with_capacity(packs_count);
        for _ in 0..packs_count {
            packs.push(PackId::new(reader.array()?));
        }
        let snapshots_count = count(&mut reader, CONDEMNED_SNAPSHOTS_COUNT_MAX, 72)?;
        let mut snapshots = Vec::with_capacity(snapshots_count);
        for _ in 0..snapshots_count {
            snapshots.push(GivenUp {
                machine: MachineId::new(reader.array()?),
                source: SourceId::new(reader.array()?),
                seq: u64::from_le_bytes(reader.array()?),
                snapshot: SnapshotId::new(reader.array()?),
            });
        }
        reader.finish()?;
        Ok(Self { id, packs, snapshots })
    }
}

/// Splits the file of a record: generation of the store key, sealed body.
pub fn split(file: &[u8]) -> Result<(u32, &[u8]), FormatError> {
    let mut reader = Reader::new("condemned", file);
    if reader.array::<8>()? != *CONDEMNED_MAGIC {
        return Err(reader.invalid("it does not begin as a record of version 1"));
    }
    let generation = reader.u32()?;
    let body = reader.bytes(reader.left())?;
    Ok((generation, body))
}

/// Puts the file of a record together.
#[must_use]
pub fn join(generation: u32, sealed_body: &[u8]) -> Vec<u8> {
    [&CONDEMNED_MAGIC[..], &generation.to_le_bytes()[..], sealed_body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip_and_every_cut_is_refused() {
        let given_up = GivenUp {
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            seq: 7,
            snapshot: SnapshotId::new([4; 32]),
        };
        let record = CondemnedRecord {
            id: CondemnedId::new([1; 16]),
            packs: vec![PackId::new([5; 32]), PackId::new([6; 32])],
            snapshots: vec![given_up],
        };
        let bytes = record.encode().unwrap();
        assert_eq!(CondemnedRecord::decode(&bytes), Ok(record.clone()));
        for cut in 0..bytes.len() {
            assert!(CondemnedRecord::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let many = CondemnedRecord { packs: vec![PackId::new([0; 32]); 65_537], ..record };
        assert!(many.encode().is_err());
    }
}
