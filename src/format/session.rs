//! The record of one backup's lease on the vault.
//!
//! ```text
//! "LBSESS" 0 version u8 | generation of S u32 | sealed body
//! body: session 16 | machine 16 | source 16 | parent: 0, or 1 and 32 bytes | program version,
//! string
//! ```

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::format::wire::push_string;
use crate::ids::MachineId;
use crate::ids::SessionId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;

pub const SESSION_MAGIC: &[u8; 8] = b"LBSESS\0\x01";
/// Most bytes of a session record.
pub const SESSION_BYTES_MAX: u64 = 64 * 1024;
/// Most bytes of the program's version.
pub const PROGRAM_BYTES_MAX: usize = 256;
/// Kind of the box that holds the body; its name is the session's id.
pub const SESSION_KIND: &str = "session";

/// Who works on the vault, and what it builds upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    pub session: SessionId,
    pub machine: MachineId,
    pub source: SourceId,
    /// The snapshot whose objects the session reuses.
    pub parent: Option<SnapshotId>,
    /// Version of the program, for people.
    pub program: String,
}

impl SessionRecord {
    /// The body before it is sealed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.session.as_bytes().to_vec();
        out.extend_from_slice(self.machine.as_bytes());
        out.extend_from_slice(self.source.as_bytes());
        match &self.parent {
            None => out.push(0),
            Some(parent) => {
                out.push(1);
                out.extend_from_slice(parent.as_bytes());
            }
        }
        push_string(&mut out, self.program.as_bytes());
        out
    }

    pub fn decode(body: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new("session", body);
        let session = SessionId::new(reader.array()?);
        let machine = MachineId::new(reader.array()?);
        let source = SourceId::new(reader.array()?);
        let parent = match reader.u8()? {
            0 => None,
            1 => Some(SnapshotId::new(reader.array()?)),
            _ => return Err(reader.invalid("parent is neither absent nor present")),
        };
        let program = str::from_utf8(reader.string(PROGRAM_BYTES_MAX)?)
            .map_err(|_| reader.invalid("program version is not UTF-8"))?
            .to_owned();
        reader.finish()?;
        Ok(Self { session, machine, source, parent, program })
    }
}

/// Splits the file of a session: generation of the store key, sealed body.
pub fn split(file: &[u8]) -> Result<(u32, &[u8]), FormatError> {
    let mut reader = Reader::new("session", file);
    if reader.array::<8>()? != *SESSION_MAGIC {
        return Err(reader.invalid("it does not begin as a session of version 1"));
    }
    let generation = reader.u32()?;
    let body = reader.bytes(reader.left())?;
    Ok((generation, body))
}

/// Puts the file of a session together.
#[must_use]
pub fn join(generation: u32, sealed_body: &[u8]) -> Vec<u8> {
    [&SESSION_MAGIC[..], &generation.to_le_bytes()[..], sealed_body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_round_trip_and_every_cut_is_refused() {
        for parent in [None, Some(SnapshotId::new([4; 32]))] {
            let record = SessionRecord {
                session: SessionId::new([1; 16]),
                machine: MachineId::new([2; 16]),
                source: SourceId::new([3; 16]),
                parent,
                program: "0.1.0".to_owned(),
            };
            let bytes = record.encode();
            assert_eq!(SessionRecord::decode(&bytes), Ok(record));
            for cut in 0..bytes.len() {
                assert!(SessionRecord::decode(&bytes[..cut]).is_err(), "{cut}");
            }
        }
    }
}
