//! Index files: the tables of many packs.
//!
//! ```text
//! "LBINDX" 0 version u8 | generation of S u32 | sealed body
//! body: for each pack: pack id 32 | length of its sealed table u32 | rows u32 | rows as in its
//! table
//! ```
//! An index is a copy of what stands in the packs; whoever lacks one reads the packs' tables.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::pack;
use crate::format::pack::PACK_OBJECTS_COUNT_MAX;
use crate::format::pack::TABLE_ROW_BYTES;
use crate::format::pack::TableRow;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;
use crate::ids::PackId;

pub const INDEX_MAGIC: &[u8; 8] = b"LBINDX\0\x01";
/// Most bytes of an index file.
pub const INDEX_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Kind of the box that holds the body; its name is empty, the file's hash is its name.
pub const INDEX_KIND: &str = "index";

/// The table of one pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackTable {
    pub pack: PackId,
    /// Length of the table in the pack, sealed.
    pub sealed_table_bytes: u32,
    pub rows: Vec<TableRow>,
}

impl PackTable {
    /// What the pack's file has if it is whole.
    #[must_use]
    pub fn pack_len_bytes(&self) -> u64 {
        let objects =
            self.rows.iter().fold(0_u64, |sum, row| sum.saturating_add(u64::from(row.len_bytes)));
        pack::pack_len_bytes(objects, u64::from(self.sealed_table_bytes))
    }
}

/// Splits an index file: generation of the store key, sealed body.
pub fn split(file: &[u8]) -> Result<(u32, &[u8]), FormatError> {
    let mut reader = Reader::new("index", file);
    if reader.array::<8>()? != *INDEX_MAGIC {
        return Err(reader.invalid("it does not begin as an index of version 1"));
    }
    let generation = reader.u32()?;
    let body = reader.bytes(reader.left())?;
    Ok((generation, body))
}

/// Puts an index file together.
#[must_use]
pub fn join(generation: u32, sealed_body: &[u8]) -> Vec<u8> {
    [&INDEX_MAGIC[..], &generation.to_le_bytes()[..], sealed_body].concat()
}

/// The body before it is sealed.
pub fn encode_tables(tables: &[PackTable]) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    for table in tables {
        let found = table.rows.len() as u64;
        let over = FormatError::Limit { what: "index", found, max: PACK_OBJECTS_COUNT_MAX as u64 };
        let count = u32::try_from(found).map_err(|_| over)?;
        out.extend_from_slice(table.pack.as_bytes());
        out.extend_from_slice(&table.sealed_table_bytes.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        pack::encode_rows(&mut out, &table.rows);
    }
    Ok(out)
}

/// The inverse of [`encode_tables`].
pub fn decode_tables(body: &[u8]) -> Result<Vec<PackTable>, FormatError> {
    let what = "index";
    let mut reader = Reader::new(what, body);
    let mut tables = Vec::new();
    while reader.left() > 0 {
        let pack = PackId::new(reader.array()?);
        let sealed_table_bytes = reader.u32()?;
        let found = reader.u32()?;
        let over = FormatError::Limit {
            what,
            found: u64::from(found),
            max: PACK_OBJECTS_COUNT_MAX as u64,
        };
        let count = usize::try_from(found).ok().filter(|&n| n <= PACK_OBJECTS_COUNT_MAX);
        let bytes = count.and_then(|n| n.checked_mul(TABLE_ROW_BYTES)).ok_or(over)?;
        let rows = pack::decode_rows(reader.bytes(bytes)?)?;
        tables.push(PackTable { pack, sealed_table_bytes, rows });
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::object::ObjectKind;
    use crate::ids::Sid;

    #[test]
    fn tables_round_trip_and_every_cut_is_refused() {
        let row = TableRow { kind: ObjectKind::Bundle, sid: Sid::new([3; 32]), len_bytes: 9 };
        let table = |n: u8, count| PackTable {
            pack: PackId::new([n; 32]),
            sealed_table_bytes: 117,
            rows: vec![row; count],
        };
        let tables = vec![table(1, 2), table(2, 1)];
        let body = encode_tables(&tables).unwrap();
        assert_eq!(decode_tables(&body).unwrap(), tables);
        let first = 40 + 2 * TABLE_ROW_BYTES;
        for cut in (1..body.len()).filter(|&cut| cut != first) {
            assert!(decode_tables(&body[..cut]).is_err(), "{cut}");
        }
        assert_eq!(tables[0].pack_len_bytes(), 8 + 18 + 117 + 16);
        let file = join(5, &body);
        assert_eq!(split(&file), Ok((5, &body[..])));
        assert!(split(&file[1..]).is_err());
    }
}
