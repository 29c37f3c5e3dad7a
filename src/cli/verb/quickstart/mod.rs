//! What `quickstart` is made of.

pub mod compare;
