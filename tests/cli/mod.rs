//! The command line as its users meet it: the real program, its output, code and files.

pub mod scene;

mod archive;
mod backup;
#[cfg(target_os = "linux")]
mod btrfs;
mod cat;
mod check;
mod config;
pub mod continuity;
mod copy;
#[cfg(target_os = "linux")]
pub mod daemon;
mod dump;
pub mod evidence;
mod forget;
mod freeze;
mod hostile;
mod keys;
mod language;
mod manual;
#[cfg(unix)]
mod medium;
mod options;
#[cfg(unix)]
pub mod paper;
mod prune;
mod quickstart;
mod reading;
mod refusals;
mod repair;
mod restore;
mod rotate;
pub mod round_trip;
mod since;
#[cfg(unix)]
mod stand_in;
mod stats;
mod tag;
