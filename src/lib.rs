//! Lifeboat: backups of an office, proven by restore drills.
//!
//! The rooms below are listed from the ground up; a room may name only rooms above it, and of
//! those only what `tests/architecture.rs` grants. `doc/ARCHITECTURE.md` is the map.

#[cfg(all(feature = "testing", not(debug_assertions)))]
compile_error!("the feature `testing` is for debug builds only");

// Words: values that every room may use.
pub mod clock;
pub mod ids;
pub mod meta;
pub mod path;
pub mod secret;
pub mod units;

pub mod run;

pub mod capsule;
pub mod chunk;
pub mod crypto;
pub mod document;
pub mod format;
pub mod retention;
pub mod schedule;

pub mod config;
pub mod continuity;

pub mod catalogue;
pub mod disk;
pub mod metrics;
pub mod notify;
pub mod storage;

pub mod source;
pub mod target;

pub mod vault;

pub mod repository;

pub mod backup;
pub mod copy;
pub mod repair;
pub mod restore;
pub mod verify;

pub mod drill;
pub mod evidence;
pub mod report;

pub mod daemon;

pub mod cli;
