//! Which snapshots are meant.

pub mod opened;
pub mod select;
pub mod snapshot;
