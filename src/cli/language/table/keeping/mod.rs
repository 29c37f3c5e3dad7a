//! Verbs that keep a repository over the years.

pub mod forget;
pub mod prune;
pub mod rotation;
