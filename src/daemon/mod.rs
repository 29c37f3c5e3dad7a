//! The daemon: jobs on time, each in a process of its own.
//!
//! What it is: the jobs of a configuration, which of them to start now, their processes, what the
//! catalogue is told of them, who is told of alarms, and a local socket for those who ask.
//! Never: opens a repository, keeps a secret, prints; deletes anything but its own socket and the
//! control groups (`job-*`) of runs that are over.
//! Invariants: a run is on record before its process starts, unless the catalogue cannot be
//! written, which is told and made good when there is room; what was at work when the daemon was
//! killed counts as cut off and is caught up; one daemon has a state folder; a configuration with
//! mistakes changes nothing; it sleeps until something happens, and looks again and again, every
//! ten seconds, only at a battery that jobs wait for and at a catalogue that cannot be written.
//! Start reading at: [`serve::serve`], then `engine`.

pub mod control;
pub mod engine;
pub mod hold;
pub mod job;
pub mod lines;
pub mod restraint;
pub mod serve;
mod shrink;
pub mod status;
pub mod supervise;
mod wake;

/// Says whose child a process is, so that it stops when the daemon is killed.
pub const PARENT: &str = "LIFEBOAT_PARENT";
