//! Keys and a vault.
//!
//! What it is: reads and writes objects, trees and manifests: what is sealed here, the vault keeps.
//! Never: touches storage but through the vault; hands the vault an object that it has not opened
//! again and compared.
//! Invariants: a reader releases nothing before hash, tag, version, kind and lengths are right; the
//! local cache is only ever a shortcut: whatever it says is checked by name and key.
//! Start reading at: [`Repository`], then `seal` and `tree`.

pub mod browse;
pub mod cache;
pub mod error;
pub mod forget;
pub mod keys;
pub mod manifest;
pub mod notes;
pub mod open;
pub mod seal;
pub mod tree;
pub mod trust;

use crate::format::object::SealedObject;
use crate::repository::error::RepositoryError;

/// What became of an object that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    New { sealed_bytes: u64 },
    Known,
}

/// Takes sealed objects from several threads.
pub trait ObjectSink: Sync {
    fn put(&self, object: SealedObject) -> Result<Stored, RepositoryError>;
}
