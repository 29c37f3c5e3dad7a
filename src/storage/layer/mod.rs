//! What goes round a storage.
//!
//! What it is: storages that wrap a storage: each does one thing that cuts across them all.
//! Never: knows which other layers there are; `storage::stack` alone orders them. Outside of all,
//! whoever opens a repository puts `ahead` for a moment, and `kept` for as long as it is open.
//! Invariants: a layer keeps every promise of [`Storage`](crate::storage::Storage), but `fault`,
//! which is there to break them.
//! Start reading at: `retry`.

pub mod ahead;
#[cfg(any(test, feature = "testing"))]
pub mod far;
#[cfg(any(test, feature = "testing"))]
pub mod fault;
pub mod kept;
pub mod limit;
pub mod metrics;
pub mod record;
pub mod retry;

/// The calls of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    Create,
    Read,
    ReadRange,
    List,
    Stat,
    Delete,
    Sync,
}

impl Verb {
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Read,
        Self::ReadRange,
        Self::List,
        Self::Stat,
        Self::Delete,
        Self::Sync,
    ];
}
