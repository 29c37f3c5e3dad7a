//! The workflow from a source to a snapshot.
//!
//! What it is: merges the source with the parent snapshot, reads what is new or changed, bundles
//! small files, cuts large ones, seals, and writes the tree.
//! Never: decides retention; knows capsules (they are attached); ends because one file cannot be
//! read.
//! Invariants: what is in a bundle depends on the source and the parent alone, so a run that starts
//! again makes the same objects; memory is bounded by the window and the queues; a file whose
//! signs of change are as young as the parent's scan is read again.
//! Start reading at: [`pipeline`], then `merge` and `worker`.

mod bundle;
pub mod error;
pub mod job;
mod large;
pub mod live;
mod merge;
pub mod parent;
pub mod pipeline;
mod remember;
pub mod snapshot;
#[cfg(test)]
mod tests;
mod usage;
mod worker;

/// Files below this many bytes go into bundles.
pub const SMALL_FILE_BYTES: u64 = 64 * 1024;

/// How content is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutting {
    /// Files below this size are bundled.
    pub small_file_bytes: u64,
    /// Raw bytes at which a bundle is full.
    pub bundle_bytes: u64,
    /// Most files of one bundle.
    pub bundle_files: usize,
    pub chunks: crate::chunk::ChunkSizes,
    pub tree: crate::repository::tree::TreeSizes,
}

impl Cutting {
    /// What `doc/format.md` gives for a new repository.
    pub const DEFAULT: Self = Self {
        small_file_bytes: SMALL_FILE_BYTES,
        bundle_bytes: 512 * 1024,
        bundle_files: 4096,
        chunks: crate::chunk::ChunkSizes {
            min_bytes: 256 * 1024,
            avg_bytes: 1024 * 1024,
            max_bytes: 4 * 1024 * 1024,
        },
        tree: crate::repository::tree::TreeSizes::DEFAULT,
    };
}
