//! Crashes, faults and kills over whole commands, each followed by the laws of keeping.
//!
//! `office` runs commands as processes over one storage and notes what they promised; `scenarios`
//! is what people do; `laws` is tried on whatever is left. `crash` enumerates what a power cut may
//! leave (H3), `faults` fails every call (H2), `kill` ends real processes (H4). `museum` and
//! `cabinet` plant old bugs of other programs, to see that they are caught.

mod cabinet;
mod crash;
mod disk_faults;
mod far;
mod faults;
mod keeping;
mod keys;
mod laws;
mod mending;
mod model;
mod museum;
mod office;
mod overtaken;
#[cfg(target_os = "linux")]
mod remote;
#[cfg(target_os = "linux")]
mod remote_bugs;
#[cfg(target_os = "linux")]
mod remote_lists;
mod restore;
mod scenarios;
mod target;
mod twins;
