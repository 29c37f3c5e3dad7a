//! The bytes of each record: encode and decode, nothing else.
//!
//! What it is: one file per record, in the order of `doc/format.md`, which is the contract.
//! Never: reads storage, opens a cipher, trusts a length.
//! Invariants: every decoder checks a length before it allocates; same content gives same bytes;
//! unknown versions and kinds are refused.
//! Start reading at: `object`.

pub mod branch;
mod cbor;
pub mod condemned;
pub mod config;
pub mod entry;
pub mod frame;
pub mod index;
pub mod keyring;
pub mod keyset;
pub mod leaf;
pub mod ledger;
pub mod machine;
pub mod manifest;
mod manifest_public;
pub mod map;
pub mod node_refs;
pub mod note;
pub mod object;
pub mod pack;
pub mod recipients;
pub mod record;
pub mod repair;
pub mod session;
pub mod slot;
pub mod snapshot;
pub mod tombstone;
mod tree;
pub mod wire;
