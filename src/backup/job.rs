//! What the planner asks of the workers, and what they answer.

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::meta::Meta;
use crate::source::Found;

/// One entry to be read. `slot` is its place in the order of the walk.
#[derive(Debug)]
pub struct Task {
    pub slot: u64,
    pub found: Found,
    /// The parent's entry of the same path, where its content may be referred to again.
    pub parent: Option<Entry>,
}

/// A unit of work.
#[derive(Debug)]
pub enum Job {
    /// Entries in walk order; their small files make one bundle.
    Batch(Vec<Task>),
    /// One file that is cut into chunks.
    Large(Box<Task>),
}

/// What became of one task.
#[derive(Debug)]
pub enum Outcome {
    Entry {
        slot: u64,
        meta: Meta,
        content: Content,
    },
    /// There is nothing to put into the snapshot; the problem was reported.
    Gone {
        slot: u64,
    },
}
