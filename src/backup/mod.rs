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

use crate::chunk::ChunkSizes;
use crate::format::config::Parameters;
use crate::repository::tree::TreeSizes;

/// Files in a bundle at most, however small they are.
const BUNDLE_FILES_MAX: usize = 4096;

/// How content is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutting {
    /// Files below this size are bundled.
    pub small_file_bytes: u64,
    /// Raw bytes at which a bundle is full.
    pub bundle_bytes: u64,
    /// Most files of one bundle.
    pub bundle_files: usize,
    pub chunks: ChunkSizes,
    pub tree: TreeSizes,
}

/// What an entry of a leaf weighs on average, in bytes (measured).
const ENTRY_BYTES: u32 = 128;

impl Cutting {
    /// What a new repository has.
    pub const DEFAULT: Self = Self::of(&Parameters::DEFAULT);

    /// As a repository's config says.
    #[must_use]
    pub const fn of(parameters: &Parameters) -> Self {
        let between = parameters.node_bytes_avg.saturating_sub(parameters.node_bytes_min);
        let entries = between / ENTRY_BYTES;
        Self {
            small_file_bytes: parameters.small_file_bytes as u64,
            bundle_bytes: parameters.bundle_bytes as u64,
            bundle_files: BUNDLE_FILES_MAX,
            chunks: ChunkSizes {
                min_bytes: parameters.chunk_bytes_min,
                avg_bytes: parameters.chunk_bytes_avg,
                max_bytes: parameters.chunk_bytes_max,
            },
            tree: TreeSizes {
                leaf_min: parameters.node_bytes_min,
                leaf_max: parameters.node_bytes_max,
                leaf_cut_bits: if entries == 0 { 0 } else { entries.ilog2() },
                ..TreeSizes::DEFAULT
            },
        }
    }
}
