//! Keeps sealed objects.
//!
//! What it is: packs, index, sessions and manifests over any storage, without a data key.
//! Never: opens content or names; overwrites; takes a failed listing for an empty one; leaves a lock.
//! Invariants: an object is kept under the hash of its bytes, which is checked on arrival and on every
//! read; nodes are kept twice, in different packs; a manifest is written only after everything it needs
//! is durable, and reported only after it is durable itself.
//! Start reading at: [`Vault`], then `session`.

pub mod chain;
pub mod error;
pub mod index;
pub mod names;
pub mod pack_read;
mod pack_write;
pub mod records;
pub mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::format::node_refs;
use crate::format::node_refs::NODE_REFS_KIND;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::vault::error::VaultError;
use crate::vault::index::Index;
use crate::vault::index::Location;

/// How a vault packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultOptions {
    /// Bytes at which a pack is full.
    pub pack_bytes: usize,
    /// How long a session lives without a sign, by the storage's clock.
    pub lease_ms: i64,
}

impl VaultOptions {
    pub const DEFAULT: Self = Self { pack_bytes: 16 * 1024 * 1024, lease_ms: 15 * 60 * 1000 };
}

/// A repository's storage, seen with the store keys alone.
#[derive(Debug)]
pub struct Vault {
    storage: Arc<dyn Storage>,
    keys: StoreKeys,
    options: VaultOptions,
    /// Read on first need.
    index: RwLock<Option<Index>>,
}

impl Vault {
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, keys: StoreKeys, options: VaultOptions) -> Self {
        Self { storage, keys, options, index: RwLock::new(None) }
    }

    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    #[must_use]
    pub const fn keys(&self) -> &StoreKeys {
        &self.keys
    }

    /// Calls `look` with the index, which is read first if it was not.
    pub fn with_index<T>(
        &self,
        run: &Run,
        look: impl FnOnce(&Index) -> T,
    ) -> Result<T, VaultError> {
        {
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(index) = &*index {
                return Ok(look(index));
            }
        }
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if index.is_none() {
            *index = Some(index::load(run, &self.storage, &self.keys)?.index);
        }
        Ok(look(index.get_or_insert_default()))
    }

    fn note_pack(&self, table: &crate::format::index::PackTable) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = &mut *index {
            index.add(table);
        }
    }

    /// Where an object is, for reading in the order of packs; `None` if it is nowhere.
    pub fn locate(&self, run: &Run, sid: &Sid) -> Result<Option<Location>, VaultError> {
        self.with_index(run, |index| index.find(sid).first().copied())
    }

    /// The sealed bytes of an object, whose hash is its sid. Every place is tried; a bad one is
    /// reported as damage.
    pub fn read_object(&self, run: &Run, sid: &Sid) -> Result<Vec<u8>, VaultError> {
        let places = self.with_index(run, |index| {
            let found = index.find(sid).into_iter();
            found.filter_map(|at| Some((index.pack(at.pack)?.id, at))).collect::<Vec<_>>()
        })?;
        if places.is_empty() {
            return Err(VaultError::ObjectMissing { sid: *sid });
        }
        for (pack, at) in &places {
            let name = names::pack(*pack)?;
            let mut bytes = vec![0; at.len_bytes as usize];
            let read = self.storage.read_range(&name, u64::from(at.offset), &mut bytes);
            let why = match read {
                Ok(()) if blind::sid_of(&bytes) == *sid => {
                    run.count(Count::BytesRead, bytes.len() as u64);
                    return Ok(bytes);
                }
                Ok(()) => format!("object `{sid}` at offset {} has another hash", at.offset),
                Err(error) => match error.kind {
                    StorageErrorKind::NotFound | StorageErrorKind::Length => error.to_string(),
                    _ => return Err(error.into()),
                },
            };
            run.problem(&Problem::damage(name.as_str().to_owned(), why));
        }
        Err(VaultError::ObjectDamaged { sid: *sid, copies_count: places.len() })
    }

    /// The children of a node, from its sealed bytes.
    pub fn children(&self, sid: &Sid, object: &[u8]) -> Result<Vec<Sid>, NodeError> {
        children(&self.keys, object).map_err(|why| NodeError { sid: *sid, why })
    }
}

/// A node whose list of children does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("children of node `{sid}`: {why}")]
pub struct NodeError {
    pub sid: Sid,
    pub why: String,
}

fn children(keys: &StoreKeys, object: &[u8]) -> Result<Vec<Sid>, String> {
    let parts = node_refs::split(object).map_err(|error| error.to_string())?;
    let key = keys.get(parts.generation).map_err(|error| error.to_string())?;
    let place = Place { kind: NODE_REFS_KIND, repository: keys.repository(), name: b"" };
    let opened = blind::open_box(key, place, parts.sealed_refs);
    let opened = opened.map_err(|error| error.to_string())?;
    node_refs::decode_children(&opened).map_err(|error| error.to_string())
}
