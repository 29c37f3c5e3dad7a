//! The command line as its users meet it: the real program, its output, code and files.

pub mod scene;

mod archive;
mod cat;
mod dump;
mod hostile;
mod keys;
#[cfg(unix)]
mod medium;
mod options;
mod quickstart;
mod reading;
mod refusals;
pub mod round_trip;
mod since;
mod stats;
