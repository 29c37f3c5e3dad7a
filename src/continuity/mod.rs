//! Whether the office can go on: rules over its plan and over what was found.
//!
//! What it is: the rules R01 to R27, each with a colour, its reasons, the clauses that ask for it
//! and the papers that answer; what a month has to drill, and draws that anybody can repeat; what a
//! month or a year brought; pure functions of a plan and of facts that somebody else gathered.
//! Never: reads a clock, a disk or a repository; calls green what nobody looked at; guesses a fact.
//! Invariants: a fact that is missing is red; a rule whose facts this version cannot know is not
//! judged, and counted; every ratio has all datasets in its denominator; the same facts give the
//! same words.
//! Start reading at: [`rule::judge`], [`fact::Facts`], then [`draw::Seed`].

pub mod draw;
pub mod fact;
pub mod fleet;
pub mod legal;
pub mod programme;
pub mod rule;
pub mod said;
pub mod span;
pub mod summary;
#[cfg(test)]
mod summary_tests;
pub mod words;
