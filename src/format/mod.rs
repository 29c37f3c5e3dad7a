//! The bytes of each record: encode and decode, nothing else.
//!
//! What it is: one file per record, in the order of `doc/format.md`, which is the contract.
//! Never: reads storage, opens a cipher, trusts a length.
//! Invariants: every decoder checks a length before it allocates; same content gives same bytes;
//! unknown versions and kinds are refused.
//! Start reading at: `object`.

pub mod entry;
pub mod object;
