//! A vault with the means to open what it keeps.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::crypto::blind::StoreKeys;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Sid;
use crate::repository::ObjectSink;
use crate::repository::Stored;
use crate::repository::cache::Cache;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Opener;
use crate::repository::tree::NodeSource;
use crate::run::Run;
use crate::vault::Vault;
use crate::vault::session::Put;
use crate::vault::session::Session;

/// Reads objects of a vault by reference. Whoever holds a ref can open what it names; holding a
/// `Repository` opens nothing by itself.
#[derive(Debug)]
pub struct Repository {
    vault: Vault,
    store: StoreKeys,
    /// Spare openers, so that threads do not wait for each other.
    openers: Mutex<Vec<Opener>>,
}

impl Repository {
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        let store = vault.keys().clone();
        Self { vault, store, openers: Mutex::new(Vec::new()) }
    }

    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    fn with_opener<T>(
        &self,
        open: impl FnOnce(&mut Opener) -> Result<T, RepositoryError>,
    ) -> Result<T, RepositoryError> {
        let spare = self.openers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut opener = match spare {
            Some(opener) => opener,
            None => Opener::new(self.store.repository())?,
        };
        let opened = open(&mut opener);
        self.openers.lock().unwrap_or_else(PoisonError::into_inner).push(opener);
        opened
    }

    /// Raw content of a chunk, a bundle or a capsule.
    pub fn data(
        &self,
        run: &Run,
        object: &Ref,
        kind: ObjectKind,
    ) -> Result<Vec<u8>, RepositoryError> {
        let sealed = self.vault.read_object(run, &object.sid)?;
        self.open_data(&sealed, object, kind)
    }

    /// Opens sealed bytes that were read elsewhere.
    pub fn open_data(
        &self,
        sealed: &[u8],
        object: &Ref,
        kind: ObjectKind,
    ) -> Result<Vec<u8>, RepositoryError> {
        self.with_opener(|opener| {
            let opened = opener.open_data(sealed, object, kind);
            let wrong = |error| RepositoryError::Unseal { sid: object.sid, error };
            opened.map(<[u8]>::to_vec).map_err(wrong)
        })
    }

    /// Opens sealed bytes and shows the raw content to `look`, without a copy.
    pub fn look_at_data<T>(
        &self,
        sealed: &[u8],
        object: &Ref,
        kind: ObjectKind,
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, RepositoryError> {
        self.with_opener(|opener| {
            let opened = opener.open_data(sealed, object, kind);
            opened.map(look).map_err(|error| RepositoryError::Unseal { sid: object.sid, error })
        })
    }

    /// Opens a node from its sealed bytes: raw content and children.
    pub fn open_node(
        &self,
        sealed: &[u8],
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        self.with_opener(|opener| {
            let opened = opener.open_node(sealed, node, (kind, &self.store));
            let wrong = |error| RepositoryError::Unseal { sid: node.sid, error };
            opened.map(|(raw, sids)| (raw.to_vec(), sids)).map_err(wrong)
        })
    }
}

impl NodeSource for Repository {
    fn node(
        &self,
        run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        let sealed = self.vault.read_object(run, &node.sid)?;
        self.open_node(&sealed, node, kind)
    }

    fn soon(&self, run: &Run, which: &mut dyn FnMut() -> Vec<Sid>) {
        if self.vault.storage().is_far() {
            self.vault.soon(run, &which());
        }
    }
}

/// Reads nodes from the machine's own cache first.
#[derive(Debug)]
pub struct CachedNodes<'a> {
    pub repository: &'a Repository,
    pub cache: Option<&'a Cache>,
}

impl NodeSource for CachedNodes<'_> {
    fn node(
        &self,
        run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        if let Some(sealed) = self.cache.and_then(|cache| cache.node(&node.sid))
            && let Ok(opened) = self.repository.open_node(&sealed, node, kind)
        {
            return Ok(opened);
        }
        self.repository.node(run, node, kind)
    }

    fn soon(&self, run: &Run, which: &mut dyn FnMut() -> Vec<Sid>) {
        let is_here = |sid: &Sid| self.cache.is_some_and(|cache| cache.has(sid));
        let mut others = || which().into_iter().filter(|sid| !is_here(sid)).collect();
        self.repository.soon(run, &mut others);
    }
}

impl ObjectSink for Session {
    fn put(&self, object: SealedObject) -> Result<Stored, RepositoryError> {
        let copies = if object.kind.is_node() { 2 } else { 1 };
        let sealed_bytes = object.bytes.len() as u64 * copies;
        Ok(match Session::put(self, object)? {
            Put::New => Stored::New { sealed_bytes },
            Put::Known => Stored::Known,
        })
    }
}
