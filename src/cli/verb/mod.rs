//! The verbs, one file each: options, and what they print.

pub mod completion;
pub mod man;
