//! What lies beside the blobs of a storage.

/// How old a temporary must be before it counts as left behind: no `create` takes so long.
pub const LEFTOVER_AGE_MS_MIN: i64 = 24 * 60 * 60 * 1000;

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    pub count: u64,
    pub bytes: u64,
}

/// What lies beside the blobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strangers {
    /// Temporaries of writers at work, or of writers that were killed.
    pub temporaries_count: u64,
    pub temporaries_bytes: u64,
    /// Names that no blob can have, escaped for people.
    pub unknown: Vec<String>,
}
