//! Numbers of what a vault keeps, and where single things lie: from the index and the listings; no
//! object is read.

use crate::format::frame::padding_max;
use crate::format::index::PackTable;
use crate::format::object::ObjectKind;
use crate::ids::IndexId;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::storage::Storage;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load;
use crate::vault::names;

/// Bytes of the tag of an object; its frame is shorter by so much at least.
const TAG_BYTES: u32 = 16;

/// One copy of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyPlace {
    pub pack: PackId,
    pub kind: Option<ObjectKind>,
    pub offset: u32,
    pub len_bytes: u32,
    /// Whether the pack is listed with the length that its table asks for.
    pub is_present: bool,
}

/// How an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The same for one object as long as the vault is open, and below [`Tally::rows_count`].
    pub number: u32,
    pub len_bytes: u32,
    pub copies_count: u32,
}

/// Objects, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Objects {
    pub count: u64,
    pub bytes: u64,
}

impl Objects {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// What all packs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows of all tables: copies of objects.
    pub rows_count: u64,
    /// Packs that the index names, and their bytes as it says.
    pub packs: Objects,
    /// Packs among them that are not there, or shorter or longer.
    pub bad_packs_count: u64,
    /// Chunks, bundles and capsules.
    pub data: Objects,
    /// Nodes, their first copies.
    pub nodes: Objects,
    /// Copies beyond the first, of nodes mostly.
    pub copies: Objects,
    /// Most bytes that may be padding; usually about half of it is.
    pub padding_max_bytes: u64,
}

/// Blobs beneath one folder of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Blobs {
    pub count: u64,
    pub bytes: u64,
}

/// What a storage shows to whoever has no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listing {
    pub packs: Blobs,
    pub index: Blobs,
    /// Both copies of each.
    pub manifests: Blobs,
    /// Configuration, keys, sessions and the like.
    pub others: Blobs,
}

/// Counts the blobs of a storage; nothing is read.
///
/// # Errors
/// When the storage cannot be listed.
pub fn listing(run: &Run, storage: &dyn Storage) -> Result<Listing, VaultError> {
    run.check()?;
    let mut found = Listing::default();
    for listed in storage.list("")? {
        let name = listed.name.as_str();
        let blobs = if name.starts_with(names::PACKS) {
            &mut found.packs
        } else if name.starts_with(names::INDEX) {
            &mut found.index
        } else if names::MANIFESTS.iter().any(|prefix| name.starts_with(prefix)) {
            &mut found.manifests
        } else {
            &mut found.others
        };
        blobs.count += 1;
        blobs.bytes += listed.len_bytes;
    }
    Ok(found)
}

impl Vault {
    /// How an object is kept; none if no table names it.
    pub fn kept(&self, run: &Run, sid: &Sid) -> Result<Option<Kept>, VaultError> {
        self.inner.with_locations(run, |locations| {
            let (number, rows) = locations.loaded(sid);
            let (number, first) = (u32::try_from(number).ok()?, rows.first()?);
            let copies_count = u32::try_from(locations.find(sid).count()).unwrap_or(u32::MAX);
            Some(Kept { number, len_bytes: first.len_bytes(), copies_count })
        })
    }

    /// Every copy of an object, in the order of the index.
    pub fn copies(&self, run: &Run, sid: &Sid) -> Result<Vec<CopyPlace>, VaultError> {
        self.inner.with_locations(run, |locations| {
            let place = |row: super::locations::Row| {
                let pack = locations.pack(row.pack)?;
                Some(CopyPlace {
                    pack: pack.id,
                    kind: row.kind(),
                    offset: row.offset,
                    len_bytes: row.len_bytes(),
                    is_present: pack.is_present,
                })
            };
            locations.find(sid).filter_map(place).collect()
        })
    }

    /// Counts everything that the tables name.
    pub fn tally(&self, run: &Run) -> Result<Tally, VaultError> {
        run.check()?;
        self.inner.with_locations(run, |locations| {
            let mut tally = Tally::default();
            for pack in locations.packs() {
                tally.packs.add(pack.len_bytes);
                tally.bad_packs_count += u64::from(!pack.is_present);
            }
            let mut last = None;
            for row in locations.rows() {
                let bytes = u64::from(row.len_bytes());
                tally.rows_count += 1;
                tally.padding_max_bytes += padding_max(row.len_bytes().saturating_sub(TAG_BYTES));
                if last.replace(row.prefix()) == Some(row.prefix()) {
                    tally.copies.add(bytes);
                } else if row.is_node() {
                    tally.nodes.add(bytes);
                } else {
                    tally.data.add(bytes);
                }
            }
            tally
        })
    }

    /// The table at the end of a pack, and the pack's length in bytes as it is listed.
    pub fn pack_table(
        &self,
        run: &Run,
        id: &PackId,
    ) -> Result<(Result<PackTable, Fault>, u64), VaultError> {
        run.check()?;
        match load::list_packs(&self.inner)?.get(id).copied() {
            Some(len_bytes) => Ok((load::read_table(&self.inner, id, len_bytes)?, len_bytes)),
            None => Ok((Err(Fault::Missing), 0)),
        }
    }

    /// All index files that storage lists, with their lengths in bytes.
    pub fn indexes(&self, run: &Run) -> Result<Vec<(IndexId, u64)>, VaultError> {
        run.check()?;
        let listed = self.inner.storage.list(names::INDEX)?.into_iter();
        let mut found: Vec<_> =
            listed.filter_map(|it| Some((names::parse_index(&it.name)?, it.len_bytes))).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The tables that an index file holds.
    pub fn index_tables(
        &self,
        run: &Run,
        id: &IndexId,
    ) -> Result<Result<Vec<PackTable>, Fault>, VaultError> {
        run.check()?;
        load::read_index(&self.inner, &names::index(id)?)
    }
}
