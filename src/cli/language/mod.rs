//! Messages in the language of whoever reads them: English or Vietnamese.
//!
//! All texts stand in `table`, each with both languages beside each other; whoever has something to
//! say names a text and its values, and only `output` turns it into words. What programs read
//! (JSON lines, logs) and what describes the options (help, manual pages) is English always.

pub mod heard;
pub mod said;
pub mod table;
pub mod text;
pub mod value;

use std::ffi::OsStr;

/// A language that messages are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    En,
    Vi,
}

impl Language {
    /// From `en` or `vi`.
    #[must_use]
    pub fn named(name: &OsStr) -> Option<Self> {
        match name.to_str()? {
            "en" => Some(Self::En),
            "vi" => Some(Self::Vi),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
