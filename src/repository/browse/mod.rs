//! What readers ask of snapshots without restoring them.

pub mod diff;
pub mod usage;
pub mod wanted;
