//! Errors that a simulated disk gives when told.

use std::collections::BTreeMap;
use std::io;

/// The calls of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskVerb {
    Create,
    Rename,
    Read,
    Stat,
    List,
    Remove,
    MakeFolder,
    SyncFolder,
    SyncAll,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimError {
    /// Input or output error, before anything is done.
    Io,
    /// The medium is full; a new file has half its content, and is removed.
    NoSpace,
    /// The sync fails, and what it covered never becomes durable, though it can still be read.
    SyncLost,
}

impl SimError {
    #[must_use]
    pub fn to_io(self) -> io::Error {
        match self {
            Self::Io => io::Error::other("input or output error"),
            Self::NoSpace => io::ErrorKind::StorageFull.into(),
            Self::SyncLost => io::Error::other("input or output error while syncing"),
        }
    }
}

/// Counts calls, and knows which of them fail.
#[derive(Debug, Clone, Default)]
pub struct Script {
    call_counts: BTreeMap<DiskVerb, u64>,
    planned: BTreeMap<(DiskVerb, u64), SimError>,
}

impl Script {
    pub fn add(&mut self, verb: DiskVerb, nth: u64, error: SimError) {
        self.planned.insert((verb, self.call_count(verb) + nth), error);
    }

    #[must_use]
    pub fn call_count(&self, verb: DiskVerb) -> u64 {
        self.call_counts.get(&verb).copied().unwrap_or(0)
    }

    /// Counts a call, and takes its error if one is planned.
    pub fn next(&mut self, verb: DiskVerb) -> Option<SimError> {
        let count = self.call_counts.entry(verb).or_default();
        *count += 1;
        self.planned.remove(&(verb, *count))
    }
}
