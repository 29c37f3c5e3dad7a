//! Where each object is: sorted columns of what storage holds, and an overlay of what was added.

use std::collections::HashMap;
use std::sync::Arc;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::format::index;
use crate::format::index::INDEX_BYTES_MAX;
use crate::format::index::INDEX_KIND;
use crate::format::index::PackTable;
use crate::format::object::ObjectKind;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::ids::IndexId;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::pack_read;

/// The first 16 bytes of a sid: enough that nobody finds a second object for one
/// (2^128 / objects), half the memory.
type Prefix = [u8; 16];

/// Where one copy of an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Number of the pack in the index.
    pub pack: u32,
    pub offset: u32,
    pub len_bytes: u32,
    pub kind: ObjectKind,
}

/// A pack that the index knows.
#[derive(Debug, Clone)]
pub struct KnownPack {
    pub id: PackId,
    pub len_bytes: u64,
    pub objects_count: u32,
}

/// All objects of all packs that are present.
#[derive(Debug, Default)]
pub struct Index {
    packs: Vec<KnownPack>,
    numbers: HashMap<PackId, u32>,
    prefixes: Vec<Prefix>,
    locations: Vec<Location>,
    /// Added since the columns were sorted.
    added: HashMap<Prefix, Vec<Location>>,
}

fn prefix(sid: &Sid) -> Prefix {
    let (prefix, _) = sid.as_bytes().split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    *prefix
}

impl Index {
    /// Builds the columns from tables; each pack counts once.
    #[must_use]
    pub fn from_tables(tables: Vec<PackTable>) -> Self {
        let mut index = Self::default();
        let objects = tables.iter().map(|table| table.rows.len()).sum();
        let mut rows: Vec<(Prefix, Location)> = Vec::with_capacity(objects);
        for table in tables {
            let Some(number) = index.add_pack(&table) else { continue };
            each_location(&table, number, |sid, location| rows.push((prefix(sid), location)));
        }
        rows.sort_unstable_by_key(|row| row.0);
        index.prefixes = rows.iter().map(|row| row.0).collect();
        index.locations = rows.into_iter().map(|row| row.1).collect();
        index
    }

    fn add_pack(&mut self, table: &PackTable) -> Option<u32> {
        if self.numbers.contains_key(&table.pack) {
            return None;
        }
        let number = u32::try_from(self.packs.len()).ok()?;
        self.numbers.insert(table.pack, number);
        let objects_count = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
        let len_bytes = table.pack_len_bytes();
        self.packs.push(KnownPack { id: table.pack, len_bytes, objects_count });
        Some(number)
    }

    /// Adds a pack that was just written.
    pub fn add(&mut self, table: &PackTable) {
        let Some(number) = self.add_pack(table) else { return };
        let added = &mut self.added;
        each_location(table, number, |sid, location| {
            added.entry(prefix(sid)).or_default().push(location);
        });
    }

    /// Every place that holds the object.
    #[must_use]
    pub fn find(&self, sid: &Sid) -> Vec<Location> {
        let wanted = prefix(sid);
        let start = self.prefixes.partition_point(|prefix| *prefix < wanted);
        let sorted = self.prefixes[start..].iter().zip(&self.locations[start..]);
        let sorted = sorted.take_while(|(prefix, _)| **prefix == wanted).map(|(_, at)| *at);
        let added = self.added.get(&wanted).into_iter().flatten().copied();
        sorted.chain(added).collect()
    }

    #[must_use]
    pub fn pack(&self, number: u32) -> Option<&KnownPack> {
        self.packs.get(number as usize)
    }

    #[must_use]
    pub fn packs(&self) -> &[KnownPack] {
        &self.packs
    }

    #[must_use]
    pub fn has_pack(&self, id: &PackId) -> bool {
        self.numbers.contains_key(id)
    }

    /// Places of objects; an object that is kept twice counts twice.
    #[must_use]
    pub fn places_count(&self) -> usize {
        self.locations.len() + self.added.values().map(Vec::len).sum::<usize>()
    }
}

fn each_location(table: &PackTable, pack: u32, mut each: impl FnMut(&Sid, Location)) {
    let mut offset = PACK_HEAD_BYTES;
    for row in &table.rows {
        if let Ok(at) = u32::try_from(offset) {
            each(&row.sid, Location { pack, offset: at, len_bytes: row.len_bytes, kind: row.kind });
        }
        offset = offset.saturating_add(u64::from(row.len_bytes));
    }
}

/// What was found while the index was read.
#[derive(Debug)]
pub struct Loaded {
    pub index: Index,
    /// Packs that no index file names: leftovers of an interrupted run, or a lost index.
    pub unindexed: Vec<PackTable>,
    /// Packs that an index file names and storage does not have.
    pub missing: Vec<PackId>,
}

/// Reads all index files, and the tables of packs that none of them names. A bad index file or
/// table is reported and passed over: whoever needs its objects finds them missing.
pub fn load(run: &Run, storage: &Arc<dyn Storage>, keys: &StoreKeys) -> Result<Loaded, VaultError> {
    let mut present = HashMap::new();
    for listed in storage.list(names::PACK_PREFIX)? {
        if let Some(id) = names::parse_pack(&listed.name) {
            present.insert(id, listed.len_bytes);
        }
    }
    let mut tables = Vec::new();
    let mut missing = Vec::new();
    for listed in storage.list(names::INDEX_PREFIX)? {
        run.check()?;
        let Some(id) = names::parse_index(&listed.name) else { continue };
        match read_index(storage, keys, id, &listed.name) {
            Ok(found) => {
                for table in found {
                    match present.get(&table.pack) {
                        Some(_) => tables.push(table),
                        None => missing.push(table.pack),
                    }
                }
            }
            Err(VaultError::Storage(error)) => return Err(error.into()),
            Err(error) => {
                let name = listed.name.as_str().to_owned();
                run.problem(&Problem::damage(name, error.to_string()));
            }
        }
    }
    for table in &tables {
        present.remove(&table.pack);
    }
    let mut unnamed: Vec<_> = present.into_iter().collect();
    unnamed.sort_unstable();
    let mut unindexed = Vec::new();
    for (id, len_bytes) in unnamed {
        run.check()?;
        match pack_read::table(storage, keys, id, len_bytes) {
            Ok(table) => {
                tables.push(table.clone());
                unindexed.push(table);
            }
            Err(VaultError::Storage(error)) if error.is_retryable() => return Err(error.into()),
            Err(error) => {
                run.problem(&Problem::damage(id.to_string(), error.to_string()));
            }
        }
    }
    missing.sort_unstable();
    missing.dedup();
    Ok(Loaded { index: Index::from_tables(tables), unindexed, missing })
}

fn read_index(
    storage: &Arc<dyn Storage>,
    keys: &StoreKeys,
    id: IndexId,
    name: &BlobName,
) -> Result<Vec<PackTable>, VaultError> {
    let bytes = storage.read(name, INDEX_BYTES_MAX)?;
    let name = || name.clone();
    if blind::hash(&bytes) != *id.as_bytes() {
        return Err(VaultError::Misnamed { name: name() });
    }
    let format = |error| VaultError::Format { name: name(), error };
    let (generation, sealed) = index::split(&bytes).map_err(format)?;
    let key = keys.get(generation);
    let key = key.map_err(|error| VaultError::Generation { name: name(), error })?;
    let place = Place { kind: INDEX_KIND, repository: keys.repository(), name: b"" };
    let body = blind::open_box(key, place, sealed)
        .map_err(|error| VaultError::Sealed { name: name(), error })?;
    index::decode_tables(&body).map_err(format)
}

/// Writes one index file for these packs.
pub fn write(
    storage: &Arc<dyn Storage>,
    keys: &StoreKeys,
    tables: &[PackTable],
) -> Result<IndexId, VaultError> {
    let unnamed = |error| match BlobName::new("index/new") {
        Ok(name) => VaultError::Format { name, error },
        Err(error) => error.into(),
    };
    let body = index::encode_tables(tables).map_err(unnamed)?;
    let (generation, key) = keys.newest();
    let place = Place { kind: INDEX_KIND, repository: keys.repository(), name: b"" };
    let sealed = blind::seal_box_deterministic(key, place, &body);
    let bytes = index::join(generation, &sealed);
    let id = IndexId::new(blind::hash(&bytes));
    match storage.create(&names::index(id)?, &[&bytes]) {
        Ok(()) => Ok(id),
        // The same tables were written before; equal names hold equal bytes.
        Err(error) if error.kind == crate::storage::StorageErrorKind::AlreadyExists => Ok(id),
        Err(error) => Err(error.into()),
    }
}
