//! Reading the index: index files first, then the tables of packs that none of them names.

use std::collections::BTreeMap;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::format::index;
use crate::format::index::INDEX_BYTES_MAX;
use crate::format::index::INDEX_KIND;
use crate::format::index::PackTable;
use crate::format::pack;
use crate::format::pack::PACK_BYTES_MAX;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::format::pack::PACK_TABLE_KIND;
use crate::format::pack::PACK_TRAILER_BYTES;
use crate::format::pack::Trailer;
use crate::ids::PackId;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::vault::Inner;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::locations::Locations;
use crate::vault::names;

/// What is read of a pack at first: its table, unless that is very large.
const TAIL_BYTES: u64 = 64 * 1024;
/// Bytes of index files, and tables of packs, that are read together.
const INDEX_BYTES_TOGETHER: u64 = 4 * 1024 * 1024;
const TABLES_TOGETHER: usize = 64;
/// How often the index is read while somebody takes away what is listed.
const LOADS_MAX: u32 = 4;

/// Reads where every object lies. A damaged index file or pack is a problem; a storage that cannot
/// be read is an error.
pub(in crate::vault) fn load(run: &Run, vault: &Inner) -> Result<Locations, VaultError> {
    load_telling(run, vault, &mut |name, fault| {
        let message = format!("{fault}; what it tells is looked for elsewhere");
        run.problem(&Problem::healable(name.as_str(), message));
    })
}

/// As [`load`], but whoever asks is told of each bad index file, and of each pack that no index
/// file names and whose own table is bad.
pub(in crate::vault) fn load_telling(
    run: &Run,
    vault: &Inner,
    tell: &mut dyn FnMut(&BlobName, &Fault),
) -> Result<Locations, VaultError> {
    let mut loaded = load_once(run, vault)?;
    for _ in 1..LOADS_MAX {
        if loaded.seen == Seen::All {
            break;
        }
        loaded = load_once(run, vault)?;
    }
    loaded.bad.iter().for_each(|(name, fault)| tell(name, fault));
    Ok(loaded.locations)
}

/// Whether all that was listed was there to be read. What went meanwhile was moved by a prune, to
/// where the same look may have been too early to see it.
#[derive(PartialEq, Eq)]
enum Seen {
    All,
    Some,
}

struct Loaded {
    locations: Locations,
    bad: Vec<(BlobName, Fault)>,
    seen: Seen,
}

fn load_once(run: &Run, vault: &Inner) -> Result<Loaded, VaultError> {
    let mut locations = Locations::default();
    let (mut bad, mut seen) = (Vec::new(), Seen::All);
    let storage = &*vault.storage;
    let (listed, indexes) =
        together::both(storage, || list_doomed(run, vault), || storage.list(names::INDEX));
    let (condemned, packs) = listed?;
    locations.condemn(&condemned.packs());
    let mut indexes = indexes?;
    indexes.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let mut rest = indexes.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(read_together(storage, rest));
        let read = together::each(storage, now, |listed| {
            run.check()?;
            read_index(vault, &listed.name)
        })?;
        for (listed, read) in now.iter().zip(read) {
            match read {
                Ok(tables) => tables
                    .iter()
                    .for_each(|table| locations.load(table, packs.get(&table.pack).copied())),
                Err(Fault::Missing) => seen = Seen::Some,
                Err(fault) => bad.push((listed.name.clone(), fault)),
            }
        }
        rest = later;
    }
    let unknown: Vec<_> = packs.iter().filter(|(id, _)| !locations.knows_pack(id)).collect();
    for some in unknown.chunks(TABLES_TOGETHER) {
        let read = together::each(storage, some, |(id, len_bytes)| {
            run.check()?;
            read_table(vault, id, **len_bytes)
        })?;
        for ((id, len_bytes), read) in some.iter().zip(read) {
            match read {
                Ok(table) => {
                    locations.load(&table, Some(**len_bytes));
                    locations.unindexed.push(table);
                }
                Err(Fault::Missing) => seen = Seen::Some,
                Err(fault) => bad.push((names::pack(id)?, fault)),
            }
        }
    }
    locations.finish_loading();
    Ok(Loaded { locations, bad, seen })
}

/// What is condemned, and then the packs: whoever deletes removes the record after them.
fn list_doomed(run: &Run, vault: &Inner) -> Result<(Condemned, BTreeMap<PackId, u64>), VaultError> {
    Ok((Condemned::read(run, vault)?, list_packs(vault)?))
}

/// How many of the first index files are read together.
fn read_together(storage: &dyn Storage, listed: &[Listed]) -> usize {
    let bytes_max = if storage.is_far() { INDEX_BYTES_TOGETHER } else { 0 };
    let mut bytes = 0_u64;
    let fits = listed.iter().take_while(|listed| {
        bytes = bytes.saturating_add(listed.len_bytes);
        bytes <= bytes_max
    });
    fits.count().max(1)
}

/// Every pack that is listed, with its length.
pub(in crate::vault) fn list_packs(vault: &Inner) -> Result<BTreeMap<PackId, u64>, VaultError> {
    let listed = vault.storage.list(names::PACKS)?.into_iter();
    Ok(listed.filter_map(|it| Some((names::parse_pack(&it.name)?, it.len_bytes))).collect())
}

/// Bytes of a blob, or what is wrong with it; an error if the storage cannot tell.
pub(in crate::vault) fn absent_or_error<T>(
    result: Result<T, StorageError>,
    expected_bytes: u64,
) -> Result<Result<T, Fault>, VaultError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match error.kind {
            StorageErrorKind::NotFound => Ok(Err(Fault::Missing)),
            StorageErrorKind::Length => Ok(Err(Fault::Length { expected_bytes, found_bytes: 0 })),
            _ => Err(error.into()),
        },
    }
}

/// The same of a blob that was read whole.
pub(in crate::vault) fn whole_or_error(
    read: Result<Vec<u8>, StorageError>,
    bytes_max: u64,
) -> Result<Result<Vec<u8>, Fault>, VaultError> {
    let told = absent_or_error(read, bytes_max)?;
    Ok(told.map_err(|fault| match fault {
        Fault::Length { .. } => Fault::TooLong { bytes_max },
        other => other,
    }))
}

/// The tables that an index file holds.
pub(in crate::vault) fn read_index(
    vault: &Inner,
    name: &BlobName,
) -> Result<Result<Vec<PackTable>, Fault>, VaultError> {
    let file = match whole_or_error(vault.storage.read(name, INDEX_BYTES_MAX), INDEX_BYTES_MAX)? {
        Ok(file) => file,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(open_index(vault, name, &file))
}

pub(in crate::vault) fn open_index(
    vault: &Inner,
    name: &BlobName,
    file: &[u8],
) -> Result<Vec<PackTable>, Fault> {
    if names::parse_index(name).is_none_or(|id| *id.as_bytes() != blind::hash(file)) {
        return Err(Fault::Hash);
    }
    let (generation, sealed) = index::split(file)?;
    let place = Place { kind: INDEX_KIND, repository: vault.keys.repository(), name: b"" };
    let body = blind::open_box(vault.keys.get(generation)?, place, sealed)?;
    Ok(index::decode_tables(&body)?)
}

/// The table at the end of a pack.
pub(in crate::vault) fn read_table(
    vault: &Inner,
    id: &PackId,
    len_bytes: u64,
) -> Result<Result<PackTable, Fault>, VaultError> {
    let least = PACK_HEAD_BYTES + PACK_TRAILER_BYTES as u64;
    if !(least..=PACK_BYTES_MAX).contains(&len_bytes) {
        return Ok(Err(Fault::Length { expected_bytes: least, found_bytes: len_bytes }));
    }
    let name = names::pack(id)?;
    let mut tail_bytes = TAIL_BYTES.min(len_bytes);
    loop {
        let mut tail = vec![0; usize::try_from(tail_bytes).unwrap_or_default()];
        let read = vault.storage.read_range(&name, len_bytes - tail_bytes, &mut tail);
        if let Err(fault) = absent_or_error(read, len_bytes)? {
            return Ok(Err(fault));
        }
        let trailer = match Trailer::decode(&tail) {
            Ok(trailer) => trailer,
            Err(error) => return Ok(Err(error.into())),
        };
        let needed = u64::from(trailer.table_len_bytes) + PACK_TRAILER_BYTES as u64;
        if needed > len_bytes - PACK_HEAD_BYTES {
            let fault = Fault::Length { expected_bytes: needed, found_bytes: len_bytes };
            return Ok(Err(fault));
        }
        if needed <= tail_bytes {
            return Ok(open_table(vault, id, &tail, len_bytes));
        }
        tail_bytes = needed;
    }
}

/// Opens the table in the last bytes of a pack of `len_bytes`.
pub(in crate::vault) fn open_table(
    vault: &Inner,
    id: &PackId,
    tail: &[u8],
    len_bytes: u64,
) -> Result<PackTable, Fault> {
    let trailer = Trailer::decode(tail)?;
    let found_bytes = tail.len() as u64;
    let short = Fault::Length { expected_bytes: u64::from(trailer.table_len_bytes), found_bytes };
    let end = tail.len().checked_sub(PACK_TRAILER_BYTES);
    let table_len = usize::try_from(trailer.table_len_bytes).ok();
    let start = end.zip(table_len).and_then(|(end, len)| end.checked_sub(len));
    let sealed = start.zip(end).and_then(|(start, end)| tail.get(start..end)).ok_or(short)?;
    let place = Place { kind: PACK_TABLE_KIND, repository: vault.keys.repository(), name: b"" };
    let rows = blind::open_box(vault.keys.get(trailer.generation)?, place, sealed)?;
    let rows = pack::decode_rows(&rows)?;
    let table = PackTable { pack: *id, sealed_table_bytes: trailer.table_len_bytes, rows };
    let expected_bytes = table.pack_len_bytes();
    if expected_bytes != len_bytes {
        return Err(Fault::Length { expected_bytes, found_bytes: len_bytes });
    }
    Ok(table)
}
