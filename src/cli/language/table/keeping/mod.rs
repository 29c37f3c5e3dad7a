//! Verbs that keep a repository over the years.

pub mod copy;
pub mod drill;
pub mod forget;
pub mod nothing;
pub mod prune;
pub mod repair;
pub mod rotation;
pub mod storage;
