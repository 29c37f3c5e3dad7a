//! What every storage promises, tried.
//!
//! What it is: one function for each promise on [`Storage`](crate::storage::Storage), of the same
//! name, run for every medium and every layer; and the promises after a crash, run on the simulated
//! disk.
//! Never: knows which storage it tries; panics, so that a planted bug can be seen caught.
//! Invariants: `make` gives an empty storage each time it is called.
//! Start reading at: [`all`].

pub mod crash;

mod promises;

use std::sync::Arc;

use crate::storage::Storage;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken promise {promise}: {found}")]
pub struct Broken {
    pub promise: &'static str,
    pub found: String,
}

/// Gives an empty storage.
pub type Make<'a> = &'a dyn Fn() -> Arc<dyn Storage>;

type Promise = fn(Make<'_>) -> Result<(), String>;

const PROMISES: [(&str, Promise); 8] = [
    ("create_is_whole_or_absent", promises::create_is_whole_or_absent),
    ("create_never_replaces", promises::create_never_replaces),
    ("durable_after_sync", promises::durable_after_sync),
    ("read_after_create", promises::read_after_create),
    ("list_is_complete_or_an_error", promises::list_is_complete_or_an_error),
    ("list_ignores_strangers", promises::list_ignores_strangers),
    ("reads_are_bounded", promises::reads_are_bounded),
    ("missing_blobs_are_not_found", promises::missing_blobs_are_not_found),
];

/// Tries every promise that needs no crash.
///
/// # Errors
/// The first that was not kept.
pub fn all(make: Make<'_>) -> Result<(), Broken> {
    PROMISES
        .into_iter()
        .try_for_each(|(promise, kept)| kept(make).map_err(|found| Broken { promise, found }))
}

#[cfg(test)]
mod tests;
