//! A pack while it is filled.

use std::sync::Arc;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::format::index::PackTable;
use crate::format::object::ObjectKind;
use crate::format::pack;
use crate::format::pack::PACK_MAGIC;
use crate::format::pack::PACK_OBJECTS_COUNT_MAX;
use crate::format::pack::PACK_TABLE_KIND;
use crate::format::pack::TableRow;
use crate::format::pack::Trailer;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::vault::error::VaultError;

/// Objects in the order in which they came; their bytes are shared, not copied.
#[derive(Debug, Default)]
pub(in crate::vault) struct PackBuilder {
    rows: Vec<TableRow>,
    objects: Vec<Arc<Vec<u8>>>,
    len_bytes: u64,
}

/// A pack ready to be written.
#[derive(Debug)]
pub(in crate::vault) struct FinishedPack {
    objects: Vec<Arc<Vec<u8>>>,
    sealed_table: Vec<u8>,
    trailer: [u8; pack::PACK_TRAILER_BYTES],
    pub table: PackTable,
}

impl PackBuilder {
    pub(in crate::vault) fn push(&mut self, sid: Sid, kind: ObjectKind, bytes: Arc<Vec<u8>>) {
        let len_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.rows.push(TableRow { kind, sid, len_bytes });
        self.len_bytes += u64::from(len_bytes);
        self.objects.push(bytes);
    }

    pub(in crate::vault) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(in crate::vault) fn is_full(&self, pack_bytes: u64) -> bool {
        self.len_bytes >= pack_bytes || self.rows.len() >= PACK_OBJECTS_COUNT_MAX
    }

    /// Seals the table and names the pack by its hash. The table's salt is random, so a pack made
    /// again of the same objects has another name and never meets a damaged namesake.
    pub(in crate::vault) fn finish(self, keys: &StoreKeys) -> Result<FinishedPack, VaultError> {
        let mut rows = Vec::new();
        pack::encode_rows(&mut rows, &self.rows);
        let (generation, key) = keys.newest();
        let place = Place { kind: PACK_TABLE_KIND, repository: keys.repository(), name: b"" };
        let sealed_table = blind::seal_box(key, place, &rows)?;
        let table_len_bytes = u32::try_from(sealed_table.len()).unwrap_or(u32::MAX);
        let trailer = Trailer { table_len_bytes, generation }.encode();
        let pack = PackId::new([0; 32]);
        let table = PackTable { pack, sealed_table_bytes: table_len_bytes, rows: self.rows };
        let mut finished = FinishedPack { objects: self.objects, sealed_table, trailer, table };
        finished.table.pack = PackId::new(blind::hash_parts(&finished.parts()));
        Ok(finished)
    }
}

impl FinishedPack {
    /// The file, in order.
    pub(in crate::vault) fn parts(&self) -> Vec<&[u8]> {
        let mut parts = Vec::with_capacity(self.objects.len() + 3);
        parts.push(&PACK_MAGIC[..]);
        parts.extend(self.objects.iter().map(|object| object.as_slice()));
        parts.push(&self.sealed_table);
        parts.push(&self.trailer);
        parts
    }
}
