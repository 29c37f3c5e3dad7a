//! Verbs that only read.

pub mod diff;
pub mod find;
pub mod ls;
pub mod snapshots;
