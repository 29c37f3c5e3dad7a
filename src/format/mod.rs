//! The bytes of each record: encode and decode, nothing else.
//!
//! What it is: one file per record, in the order of `doc/format.md`, which is the contract.
//! Never: reads storage, opens a cipher, trusts a length.
//! Invariants: every decoder checks a length before it allocates; same content gives same bytes;
//! unknown versions and kinds are refused.
//! Start reading at: `object`.

pub mod branch;
pub mod entry;
pub mod frame;
pub mod leaf;
pub mod map;
pub mod object;
mod tree;
pub mod wire;
