//! What the machine says of its power, and what holds a job's share of it.

pub mod group;
pub mod power;
