//! The verbs, one file each: options, and what they print.

pub mod backup;
pub mod check;
pub mod completion;
pub mod config;
pub mod continuity;
pub mod copy;
pub mod daemon;
pub mod drill;
pub mod dump;
pub mod forget;
pub mod init;
pub mod key;
pub mod man;
pub mod notify;
pub mod prune;
pub mod quickstart;
pub mod read;
pub mod repair;
pub mod restore;
pub mod schedule;
pub mod serve;
pub mod storage;
pub mod tag;
