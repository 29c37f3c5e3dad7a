//! Snapshots to a second repository.
//!
//! What it is: the plan of what a second repository lacks, and the way there: sealed objects as
//! they are into a twin, notes, removals and the ledger with them.
//! Never: opens content on the way into a twin; deletes anything; makes a snapshot that lacks an
//! object.
//! Invariants: a snapshot is at the target whole or not at all; the target is written to as a
//! backup writes (session, packs durable, look, manifest); the source is only read; what is removed
//! at the source stays at the target, and what is removed at the target does not come back.
//! Start reading at: [`verbatim::copy`], then `walk`.

pub mod error;
mod extras;
pub mod heal;
mod ledger;
pub mod reseal;
mod transfer;
pub mod verbatim;
mod walk;

use crate::vault::Vault;
use crate::vault::chains::Verifier;

/// The two repositories. They are twins: one id, the same keys.
#[derive(Clone, Copy)]
pub struct Ends<'a> {
    pub source: &'a Vault,
    pub target: &'a Vault,
    pub signers: &'a dyn Verifier,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Plan,
    Copy,
}
