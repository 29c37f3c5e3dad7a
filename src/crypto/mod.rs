//! Hashing, sealing, signing.
//!
//! What it is: `blind` is what a keeper without data keys may use: hashing and what the store key
//! opens. `sealed` is content keys, slots, recipients and shares. `sign` makes and checks
//! signatures.
//! Never: invents a primitive; takes a nonce or counter from the other side; seals two messages
//! with one key.
//! Invariants: every derivation names its context from `context`; commitments are compared before
//! a cipher opens; the self-test passes before the first use.
//! Start reading at: `context`, then `blind`.

pub mod aead;
pub mod blind;
pub mod context;
pub mod sealed;
pub mod self_test;
pub mod sign;

use crate::secret::Secret32;

/// A fresh key from the system's generator.
pub fn random_secret() -> Result<Secret32, getrandom::Error> {
    random_bytes().map(Secret32::new)
}

/// Random bytes from the system's generator: salts and ids.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
