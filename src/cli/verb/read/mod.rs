//! Verbs that only read.

pub mod cat;
pub mod diff;
pub mod find;
pub mod ls;
pub mod snapshots;
pub mod stats;
mod trash;
