//! The blind keeper of sealed objects.
//!
//! What it is: sessions, packs, the index, chains of manifests and the check of their structure,
//! over any storage and with the store key alone. `records` keeps the small records of the keys.
//! Never: names a content key or plaintext; overwrites a blob; takes a lock that a crash can leave;
//! reads a failed listing as an empty one.
//! Invariants: an object enters only under the hash of its bytes; a node is kept twice, in
//! different packs; packs are durable before the manifest that needs them; lists discover, point
//! reads decide.
//! Start reading at: [`Vault`], then `session` and its `commit`.

pub mod chains;
pub mod error;
pub mod gc;
mod load;
mod locations;
pub mod names;
pub mod notes;
pub mod read;
pub mod records;
pub mod removal;
pub mod repair;
pub mod scrub;
pub mod session;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod whole;

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;

use crate::crypto::blind::StoreKeys;
use crate::format::config::CONFIG_NAMES;
use crate::format::object::ObjectKind;
use crate::ids::Sid;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::vault::error::VaultError;
use crate::vault::locations::Locations;
use crate::vault::read::soon::Soon;

/// How a vault packs and how long its leases last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultOptions {
    /// A pack is closed when it has at least so many bytes.
    pub pack_bytes: u64,
    /// A session that gives no sign for so long has to look again at what it relies on.
    pub lease_ms: i64,
    /// Version of the program, for the records of sessions.
    pub program: String,
}

/// How long a commit waits for its turn if nobody says otherwise.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Largest [`VaultOptions::pack_bytes`] that is used: the last object must fit the format's limit.
const PACK_TARGET_BYTES_MAX: u64 = 512 * 1024 * 1024;
const _: () = assert!(
    PACK_TARGET_BYTES_MAX + (crate::format::object::OBJECT_BYTES_MAX as u64) * 2
        < crate::format::pack::PACK_BYTES_MAX
);
const _: () = assert!(crate::format::pack::PACK_BYTES_MAX <= crate::storage::BLOB_BYTES_MAX);

/// A keeper over one storage; clones are the same keeper.
#[derive(Debug, Clone)]
pub struct Vault {
    pub(in crate::vault) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(in crate::vault) struct Inner {
    pub storage: Arc<dyn Storage>,
    pub keys: StoreKeys,
    pub options: VaultOptions,
    /// How long others may be committing before a commit gives up.
    pub wait_max: Duration,
    /// Read from the index files when first needed.
    locations: RwLock<Option<Locations>>,
    soon: Soon,
}

/// Where an object lies, for reading in the order of the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub pack: u32,
    pub offset: u32,
}

/// An object as the index tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredObject {
    pub position: Position,
    pub kind: ObjectKind,
    pub len_bytes: u32,
}

impl Vault {
    /// Reads nothing yet.
    pub fn open(
        run: &Run,
        storage: Arc<dyn Storage>,
        keys: StoreKeys,
        options: VaultOptions,
    ) -> Result<Self, VaultError> {
        Self::open_waiting(run, storage, (keys, WAIT_MAX), options)
    }

    /// As [`Self::open`]; a commit waits so long for its turn.
    pub fn open_waiting(
        run: &Run,
        storage: Arc<dyn Storage>,
        (keys, wait_max): (StoreKeys, Duration),
        options: VaultOptions,
    ) -> Result<Self, VaultError> {
        run.check()?;
        let pack_bytes = options.pack_bytes.clamp(1, PACK_TARGET_BYTES_MAX);
        let options = VaultOptions { pack_bytes, ..options };
        let (locations, soon) = (RwLock::new(None), Soon::default());
        Ok(Self { inner: Arc::new(Inner { storage, keys, options, wait_max, locations, soon }) })
    }

    #[must_use]
    pub fn keys(&self) -> &StoreKeys {
        &self.inner.keys
    }

    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.inner.storage
    }

    /// Calls both, beside each other where the storage is far.
    pub fn both<A: Send, B>(
        &self,
        first: impl Fn() -> A + Send + Sync,
        second: impl FnOnce() -> B,
    ) -> (A, B) {
        together::both(&*self.inner.storage, first, second)
    }

    /// Whether the storage answers at all: asked when it failed to give something.
    #[must_use]
    pub fn answers(&self) -> bool {
        let [first, ..] = CONFIG_NAMES;
        let asked = BlobName::new(first).map(|name| self.inner.storage.stat(&name));
        asked.is_ok_and(|answer| match answer {
            Ok(_) => true,
            Err(error) => error.kind == StorageErrorKind::NotFound,
        })
    }

    /// Where an object lies first; none if the vault does not know it. Loads the index.
    pub fn locate(&self, run: &Run, sid: &Sid) -> Result<Option<Position>, VaultError> {
        self.inner.with_locations(run, |locations| {
            let position = |row: &locations::Row| Position { pack: row.pack, offset: row.offset };
            locations.find(sid).map(|row| position(&row)).min()
        })
    }

    /// What an object is and where it lies first; none if the vault does not know it. Loads the
    /// index.
    pub fn stored(&self, run: &Run, sid: &Sid) -> Result<Option<StoredObject>, VaultError> {
        self.inner.with_locations(run, |locations| {
            let stored = |row: locations::Row| {
                let position = Position { pack: row.pack, offset: row.offset };
                Some(StoredObject { position, kind: row.kind()?, len_bytes: row.len_bytes() })
            };
            locations.find(sid).filter_map(stored).min_by_key(|stored| stored.position)
        })
    }

    /// Reads the index, unless that was done.
    pub fn warm(&self, run: &Run) -> Result<(), VaultError> {
        self.inner.with_locations(run, |_| ())
    }

    /// Forgets the index, so that the next use reads it anew and sees what others have added.
    pub fn refresh(&self) {
        self.inner.forget_locations();
    }
}

impl Inner {
    /// Calls `look` with the index, after loading it if this is the first use.
    pub(in crate::vault) fn with_locations<T>(
        &self,
        run: &Run,
        look: impl FnOnce(&Locations) -> T,
    ) -> Result<T, VaultError> {
        {
            let locations = self.locations.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(locations) = locations.as_ref() {
                return Ok(look(locations));
            }
        }
        let mut slot = self.locations.write().unwrap_or_else(PoisonError::into_inner);
        let loaded = match slot.take() {
            Some(loaded) => loaded,
            None => load::load(run, self)?,
        };
        let answer = look(&loaded);
        *slot = Some(loaded);
        Ok(answer)
    }

    /// See [`Vault::refresh`].
    pub(in crate::vault) fn forget_locations(&self) {
        *self.locations.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.soon.forget();
    }

    /// Takes an index that was just read.
    pub(in crate::vault) fn replace_locations(&self, locations: Locations) {
        *self.locations.write().unwrap_or_else(PoisonError::into_inner) = Some(locations);
        self.soon.forget();
    }

    /// Calls `change` with the index if it is loaded; else it will be read from storage anyway.
    pub(in crate::vault) fn change_locations<T>(
        &self,
        change: impl FnOnce(&mut Locations) -> T,
    ) -> Option<T> {
        let mut slot = self.locations.write().unwrap_or_else(PoisonError::into_inner);
        slot.as_mut().map(change)
    }
}
