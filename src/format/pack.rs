//! Packs: objects back to back, a table of them, and where the table is.
//!
//! ```text
//! "LBPACK" 0 version u8 | objects | sealed table | table length u32 | generation of S u32 |
//! "LBPACK" 0 1 table row: kind u8 | sid 32 | length u32
//! ```

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::object::OBJECT_BYTES_MAX;
use crate::format::object::ObjectKind;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::Sid;

/// Head of a pack, and last bytes of its trailer.
pub const PACK_MAGIC: &[u8; 8] = b"LBPACK\0\x01";
pub const PACK_HEAD_BYTES: u64 = 8;
pub const PACK_TRAILER_BYTES: usize = 16;
/// Most bytes of a pack.
pub const PACK_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Bytes of a row in a table.
pub const TABLE_ROW_BYTES: usize = 1 + Sid::LEN + 4;
/// Most objects in a pack.
pub const PACK_OBJECTS_COUNT_MAX: usize = 1 << 20;
/// Kind of the box that holds a table; its name is empty, the pack's hash covers it.
pub const PACK_TABLE_KIND: &str = "pack table";

/// One object of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableRow {
    pub kind: ObjectKind,
    pub sid: Sid,
    pub len_bytes: u32,
}

/// Where the table of a pack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    pub table_len_bytes: u32,
    /// Generation of the store key that seals the table.
    pub generation: u32,
}

impl Trailer {
    #[must_use]
    pub fn encode(self) -> [u8; PACK_TRAILER_BYTES] {
        let mut out = [0; PACK_TRAILER_BYTES];
        let fields = self.table_len_bytes.to_le_bytes().into_iter();
        let fields = fields.chain(self.generation.to_le_bytes()).chain(*PACK_MAGIC);
        out.iter_mut().zip(fields).for_each(|(slot, byte)| *slot = byte);
        out
    }

    /// From the last bytes of a pack.
    pub fn decode(tail: &[u8]) -> Result<Self, FormatError> {
        let what = "pack trailer";
        let trailer = tail.split_last_chunk::<PACK_TRAILER_BYTES>();
        let (_, trailer) = trailer.ok_or(FormatError::Truncated { what })?;
        let mut reader = Reader::new(what, trailer);
        let table_len_bytes = reader.u32()?;
        let generation = reader.u32()?;
        if reader.array::<8>()? != *PACK_MAGIC {
            return Err(reader.invalid("it does not end as a pack of version 1"));
        }
        Ok(Self { table_len_bytes, generation })
    }
}

/// Bytes of the whole pack, from its objects' bytes and the length of the sealed table.
#[must_use]
pub const fn pack_len_bytes(objects_bytes: u64, sealed_table_bytes: u64) -> u64 {
    let ends = PACK_HEAD_BYTES.saturating_add(PACK_TRAILER_BYTES as u64);
    ends.saturating_add(objects_bytes).saturating_add(sealed_table_bytes)
}

/// Appends rows as they stand in tables and in index files.
pub fn encode_rows(out: &mut Vec<u8>, rows: &[TableRow]) {
    out.reserve(rows.len().saturating_mul(TABLE_ROW_BYTES));
    for row in rows {
        out.push(row.kind as u8);
        out.extend_from_slice(row.sid.as_bytes());
        out.extend_from_slice(&row.len_bytes.to_le_bytes());
    }
}

/// Rows back to back, nothing else: one to [`PACK_OBJECTS_COUNT_MAX`].
pub fn decode_rows(bytes: &[u8]) -> Result<Vec<TableRow>, FormatError> {
    let what = "pack table";
    let rows = bytes.chunks_exact(TABLE_ROW_BYTES);
    if !rows.remainder().is_empty() || rows.len() == 0 {
        return Err(FormatError::Invalid { what, why: "its length does not fit its rows" });
    }
    if rows.len() > PACK_OBJECTS_COUNT_MAX {
        let (found, max) = (rows.len() as u64, PACK_OBJECTS_COUNT_MAX as u64);
        return Err(FormatError::Limit { what, found, max });
    }
    rows.map(decode_row).collect()
}

fn decode_row(row: &[u8]) -> Result<TableRow, FormatError> {
    let mut reader = Reader::new("pack table", row);
    let kind = ObjectKind::from_u8(reader.u8()?);
    let kind = kind.ok_or_else(|| reader.invalid("unknown kind of object"))?;
    let sid = Sid::new(reader.array()?);
    let len_bytes = reader.u32()?;
    let (found, max) = (u64::from(len_bytes), OBJECT_BYTES_MAX as u64);
    if found == 0 {
        return Err(reader.invalid("an object without bytes"));
    }
    if found > max {
        return Err(FormatError::Limit { what: "object", found, max });
    }
    reader.finish()?;
    Ok(TableRow { kind, sid, len_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<TableRow> {
        let row = |n: u8, kind, len_bytes| TableRow { kind, sid: Sid::new([n; 32]), len_bytes };
        vec![
            row(1, ObjectKind::Chunk, 5),
            row(2, ObjectKind::Leaf, u32::try_from(OBJECT_BYTES_MAX).unwrap()),
        ]
    }

    #[test]
    fn tables_round_trip_and_bad_ones_are_refused() {
        let mut bytes = Vec::new();
        encode_rows(&mut bytes, &rows());
        assert_eq!(decode_rows(&bytes), Ok(rows()));
        assert!(decode_rows(&bytes[1..]).is_err());
        assert!(decode_rows(&[]).is_err());
        for (at, value) in [(0, 0), (0, 8), (33, 0), (36, 255)] {
            let mut bad = bytes.clone();
            bad[at] = value;
            assert!(decode_rows(&bad).is_err(), "{at}");
        }
    }

    #[test]
    fn trailers_round_trip_and_bad_ones_are_refused() {
        let trailer = Trailer { table_len_bytes: 7, generation: 9 };
        let mut bytes = b"before".to_vec();
        bytes.extend_from_slice(&trailer.encode());
        assert_eq!(Trailer::decode(&bytes), Ok(trailer));
        assert!(Trailer::decode(&bytes[7..]).is_err());
        let last = bytes.len() - 1;
        bytes[last] = 2;
        assert!(Trailer::decode(&bytes).is_err());
    }
}
