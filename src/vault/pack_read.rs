//! Reading packs: their tables, and objects out of them.

use std::sync::Arc;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::format::index::PackTable;
use crate::format::pack;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::format::pack::PACK_TABLE_KIND;
use crate::format::pack::PACK_TRAILER_BYTES;
use crate::format::pack::Trailer;
use crate::format::wire::FormatError;
use crate::ids::PackId;
use crate::storage::Storage;
use crate::vault::error::VaultError;
use crate::vault::names;

/// Bytes of a pack's end that are read at once: mostly the whole table.
const TAIL_BYTES: u64 = 64 * 1024;

/// The table of a pack, from its end. Whether the objects are whole is not looked at.
pub fn table(
    storage: &Arc<dyn Storage>,
    keys: &StoreKeys,
    id: PackId,
    len_bytes: u64,
) -> Result<PackTable, VaultError> {
    let name = names::pack(id)?;
    let format = |error| VaultError::Format { name: name.clone(), error };
    let short = FormatError::Truncated { what: "pack" };
    if len_bytes < PACK_HEAD_BYTES + PACK_TRAILER_BYTES as u64 {
        return Err(format(short));
    }
    let read = |bytes: u64| -> Result<Vec<u8>, VaultError> {
        let bytes = bytes.min(len_bytes);
        let mut tail = vec![0; usize::try_from(bytes).unwrap_or(0)];
        storage.read_range(&name, len_bytes - bytes, &mut tail)?;
        Ok(tail)
    };
    let mut tail = read(TAIL_BYTES)?;
    let trailer = Trailer::decode(&tail).map_err(format)?;
    let needed = u64::from(trailer.table_len_bytes) + PACK_TRAILER_BYTES as u64;
    if needed > len_bytes - PACK_HEAD_BYTES {
        return Err(format(short));
    }
    if needed > tail.len() as u64 {
        tail = read(needed)?;
    }
    let table = from_tail(keys, id, trailer, &tail)?;
    if table.pack_len_bytes() != len_bytes {
        let why = "its length is not what its table says";
        return Err(format(FormatError::Invalid { what: "pack", why }));
    }
    Ok(table)
}

/// Opens the table at the end of `bytes`, which end as the pack does.
pub fn from_tail(
    keys: &StoreKeys,
    id: PackId,
    trailer: Trailer,
    bytes: &[u8],
) -> Result<PackTable, VaultError> {
    let name = names::pack(id)?;
    let end = bytes.len().saturating_sub(PACK_TRAILER_BYTES);
    let start = end.checked_sub(trailer.table_len_bytes as usize);
    let truncated = FormatError::Truncated { what: "pack" };
    let sealed = start.and_then(|start| bytes.get(start..end));
    let sealed =
        sealed.ok_or_else(|| VaultError::Format { name: name.clone(), error: truncated })?;
    let key = keys.get(trailer.generation);
    let key = key.map_err(|error| VaultError::Generation { name: name.clone(), error })?;
    let place = Place { kind: PACK_TABLE_KIND, repository: keys.repository(), name: b"" };
    let rows = blind::open_box(key, place, sealed)
        .map_err(|error| VaultError::Sealed { name: name.clone(), error })?;
    let rows = pack::decode_rows(&rows).map_err(|error| VaultError::Format { name, error })?;
    Ok(PackTable { pack: id, sealed_table_bytes: trailer.table_len_bytes, rows })
}
