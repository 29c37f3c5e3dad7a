//! What is protected.
//!
//! What it is: folders, standard input, command output and databases as streams of entries in path
//! order, and readers that give an entry's attributes and content.
//! Never: decides whether an entry changed; follows a link; blocks on a fifo; ends because one
//! entry cannot be read. Platform code stands in `unix` only.
//! Invariants: entries come in the order of [`SnapshotPath`], without twins; what cannot be listed
//! or read is a counted problem; a reader checks that what it opened is what was listed.
//! Start reading at: [`Source`].

pub mod census;
pub mod database;
pub mod exclude;
pub mod host;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod stream;
pub mod told;
#[cfg(unix)]
pub mod unix;

use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::Stopped;

/// One thing found, with what a `stat` tells: `meta.extra` holds no attributes or link target yet,
/// but the device numbers.
#[derive(Debug, Clone)]
pub struct Found {
    pub path: SnapshotPath,
    pub meta: Meta,
}

/// Why one entry could not be read. The run goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It was listed and is gone.
    #[error("vanished while the backup ran")]
    Vanished,
    /// Something else stands under the name now.
    #[error("replaced by something else while the backup ran")]
    Replaced,
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    Failed(String),
}

/// The source as a whole cannot be used; nothing is written.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("`{path}`: {detail}")]
    Missing { path: String, detail: String },
    #[error("command `{command}`: {detail}")]
    Command { command: String, detail: String },
    /// A program that is needed is absent or too old.
    #[error("program `{tool}`: {detail}")]
    Tool { tool: String, detail: String },
    /// A database server or file as a whole.
    #[error("{database}: {detail}")]
    Database { database: String, detail: String },
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// What is protected: gives its entries once, and readers for their content.
pub trait Source: Send + Sync {
    /// Starts a walk. Its problems go to `run`; entries in path order.
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError>;

    /// A reader for one worker thread.
    fn reader(&self) -> Box<dyn Reader + '_>;

    /// Called after all content was read: an error means that there is no snapshot, such as for a
    /// command that exits with a failure.
    fn finish(&self, run: &Run) -> Result<(), SourceError>;
}

/// Reads entries of one source; keeps its place between calls.
pub trait Reader {
    /// The entry's full attributes: link target and extended attributes in `meta.extra`. For what
    /// is not a regular file. What could not be read is reported to `run` and flagged.
    fn attributes(&mut self, run: &Run, found: &Found) -> Result<Meta, ReadError>;

    /// Opens a regular file. Its attributes are those of the open handle.
    fn open<'a>(&'a mut self, run: &Run, found: &Found)
    -> Result<Box<dyn Content + 'a>, ReadError>;
}

/// A range of a file that holds data; what lies between ranges is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataRange {
    pub offset: u64,
    pub len_bytes: u64,
}

/// An open regular file.
pub trait Content {
    /// Attributes as of opening.
    fn meta(&self) -> &Meta;

    /// Reads the next bytes to the front of `into`, maybe fewer than fit; 0 means the end.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError>;

    /// The next range with data at or after `offset`, for files that have holes (`None`: no more
    /// data). A file without holes answers one range. Moves the place of `read` to its start.
    fn seek_data(&mut self, offset: u64) -> Result<Option<DataRange>, ReadError>;

    /// Whether the file may have holes, so that `seek_data` is worth asking.
    fn may_have_holes(&self) -> bool;

    /// After the last read: whether size or times differ from those at opening.
    fn changed(&mut self) -> bool;
}
