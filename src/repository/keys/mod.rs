//! Keys of a repository: making it, unlocking it, its slots, machines and recovery.
//!
//! What it is: the operations that bring keysets, slots, the keyring, recipients and shares to a
//! storage and back.
//! Never: keeps a secret in storage but sealed; removes the last slot; replaces a record.
//! Invariants: at every point where a crash may fall, an old or a new secret opens; `config` is the
//! commit point of a new repository and is written after all else is durable.
//! Start reading at: `create`, then `unlock`.

pub mod complete;
pub mod convert;
pub mod create;
pub mod error;
pub mod keyring;
pub mod machine;
pub mod publish;
pub mod recovery;
pub mod rotate;
pub mod slots;
pub mod twin;
pub mod unlock;

#[cfg(test)]
mod tests;
