//! Restores that are rehearsed, measured and judged.
//!
//! What it is: one drill from its plan to its record: sandbox, restore, a ladder of checks against
//! the truth recorded at the source, marks of time, verdict; and the sandbox's end.
//! Never: runs what it restored, but in a throw-away server; writes outside its sandbox; deletes
//! what does not carry its mark; takes a skipped check for a passed one; writes to a repository.
//! Invariants: the record is a value and says nothing about the sandbox's end, which has a record
//! of its own; what could not be looked at is not proven; a stopped drill has a record too.
//! Start reading at: [`engine::execute`], then [`verdict`].

pub mod apart;
pub mod check;
pub mod engine;
pub mod follow;
pub mod item;
pub mod plan;
pub mod preflight;
pub mod record;
pub mod sample;
pub mod sandbox;
pub mod server;
pub mod verdict;
