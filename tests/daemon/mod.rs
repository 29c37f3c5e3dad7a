//! The daemon as a real process: killed at every state of a job, held back, on a full disk.

mod far;
mod full;
mod guest;
mod kills;
mod known;
mod restraint;
