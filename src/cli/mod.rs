//! The command line.
//!
//! What it is: verbs (one file each), their options, what is printed and the exit code. What was
//! said becomes values first (`args`, `environment`), then what will happen (`settings`).
//! Never: does a room's work; guesses; prints a secret; prints text from a snapshot unescaped.
//! Invariants: standard output has results only; with `--json` it has JSON lines only, and the last
//! is a `summary`; every failure has an exit code, a message and one next step.
//! Start reading at: `start::run`, then `verb`.

pub mod args;
pub mod choose;
pub mod context;
pub mod environment;
pub mod exit;
pub mod failure;
pub mod interrupt;
pub mod language;
pub mod local;
pub mod open;
pub mod output;
pub mod secrets;
pub mod settings;
pub mod start;
pub mod verb;
