//! vault

pub mod records;
