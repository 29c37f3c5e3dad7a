//! A snapshot back to a target.
//!
//! What it is: `plan` says what would be done, `execute` does it: folders first, files by worker
//! threads, links and special things after them, times of files behind a barrier, folder
//! attributes last.
//! Never: gives content a final name before its digest was right; follows a link; writes zeros for
//! what is lost; keeps silent about an entry.
//! Invariants: entries asked for = restored + kept + named as problems; success is told only after
//! the target was synced, and a file has its time only when its bytes were; a second run finishes
//! what the first left, also after a power cut.
//! Start reading at: [`execute::execute`], then `file`.

pub mod archive;
mod data;
pub mod decide;
pub mod dump;
pub mod execute;
mod file;
mod filling;
mod late;
mod remove;
pub mod rights;
pub mod select;
mod settle;
#[cfg(test)]
mod tests;

use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Sid;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSource;
use crate::run::Run;
use crate::run::Stopped;
use crate::target::TargetError;
use crate::vault::whole::Presence;

use self::rights::Allowed;
use self::select::Selection;

/// Gives the content of objects, opened and checked. Called from several threads.
pub trait ObjectSource: NodeSource {
    /// Raw content of a chunk or bundle.
    fn data(&self, run: &Run, object: &Ref, kind: ObjectKind) -> Result<Vec<u8>, RepositoryError>;

    /// `false` if an object is known to be missing; it is not read, so `true` is no promise.
    fn has_object(&self, _run: &Run, _sid: &Sid) -> bool {
        true
    }

    /// `false` if the storage is known to give nothing at all. Asked when it failed.
    fn answers(&self) -> bool {
        true
    }
}

/// What happens to files that stand in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Replaced, unless the content is equal.
    Always,
    /// Replaced, unless size and modification time are equal.
    IfChanged,
    /// Replaced if the snapshot's modification time is later.
    IfNewer,
    Never,
}

/// What happens to a file that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    Dropped,
    /// Stays beside the new one as `NAME.replaced`.
    Kept,
}

/// What happens to things in restored folders that the snapshot does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delete {
    Nothing,
    /// They are removed. Asks for a selection without patterns.
    Strangers,
}

/// Where owners come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// By name where the target's system knows it, else by number.
    ByName,
    ByNumber,
    /// Whoever runs the restore.
    Own,
}

/// How it is decided which devices, setuid bits, capabilities and owners are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything, by a privileged user into a fresh folder; otherwise owners only.
    Careful,
    /// As careful, and these in any case.
    CarefulAnd(Allowed),
    /// These and nothing else.
    Only(Allowed),
    All,
}

/// Whether restored files are read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    No,
    ReadAgain,
}

/// What a restore is asked to do.
#[derive(Debug, Clone)]
pub struct Options {
    pub selection: Selection,
    pub overwrite: Overwrite,
    pub replaced: Replaced,
    pub delete: Delete,
    pub owners: Owners,
    pub rights: Rights,
    pub verify: Verify,
    /// Worker threads; at least 1.
    pub threads_count: usize,
}

/// What a restore did. `asked_count = restored_count + kept_count + failed_count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    pub asked_count: u64,
    pub restored_count: u64,
    /// Left alone: as wanted already, or protected by the overwrite mode.
    pub kept_count: u64,
    /// Entries that are not there as asked; each was named as a problem.
    pub failed_count: u64,
    /// Bytes of content written.
    pub restored_bytes: u64,
    pub removed_count: u64,
    /// Everything told as a problem: failed entries, and attributes that could not be set.
    pub problems_count: u64,
    /// Nodes of the tree that could not be read: the entries in them are unknown.
    pub lost_nodes_count: u64,
    pub verified_count: u64,
    /// Of the failed entries, and of the nodes: those that the storage could not read.
    pub unread_count: u64,
}

/// The restore as a whole ended early.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The target is full or gone; a second run goes on from here.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The storage gives nothing any more; a second run goes on from here.
    #[error(transparent)]
    Storage(Box<RepositoryError>),
    #[error("the snapshot holds nothing at `{path}`")]
    NothingSelected { path: String },
    #[error("things can only be deleted in a restore without patterns")]
    DeleteWithPatterns,
    #[error("a worker thread ended by itself")]
    Worker,
}

impl ObjectSource for crate::repository::open::Repository {
    fn data(&self, run: &Run, object: &Ref, kind: ObjectKind) -> Result<Vec<u8>, RepositoryError> {
        Self::data(self, run, object, kind)
    }

    fn has_object(&self, run: &Run, sid: &Sid) -> bool {
        // A listing that fails now is told by whoever reads.
        !matches!(self.vault().presence(run, sid), Ok(Presence::Missing))
    }

    fn answers(&self) -> bool {
        self.vault().answers()
    }
}
