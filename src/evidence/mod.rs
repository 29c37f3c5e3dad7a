//! The evidence ledger: what happened, chained and signed, so that nobody can take it back.
//!
//! What it is: entries (canonical JSON, each naming the hash of the one before and of a document),
//! the tree over them, the keys that may sign, where a drill stands, the ledger in a storage, and
//! the inspection of a bundle without any of it. [`doc/evidence.md`] is the contract.
//! Never: rewrites or removes a blob; adds to a ledger that does not verify; takes what is not in
//! canonical form; keeps a document in clear, but those about public keys.
//! Invariants: a document is durable before its entry; an entry's number is taken by creating its
//! blob; who signs is decided by the entries before; verification needs no key and no storage.
//! Start reading at: `entry`, `chain`, then `ledger`.
//!
//! [`doc/evidence.md`]: https://example.invalid/lifeboat/doc/evidence.md

pub mod bundle;
pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod document;
pub mod drill;
pub mod entry;
pub mod error;
pub mod keys;
pub mod ledger;
pub mod personal;
pub mod signed;
#[cfg(test)]
mod tests;
pub mod tree;
