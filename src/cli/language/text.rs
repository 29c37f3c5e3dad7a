//! One message in both languages, with places for values: `{name}`.

use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::value::Value;

/// A message in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    en: &'static str,
    vi: &'static str,
}

impl Text {
    /// A text whose languages do not have the same places for values does not compile in a table.
    #[must_use]
    pub const fn new(en: &'static str, vi: &'static str) -> Self {
        assert!(!en.is_empty() && !vi.is_empty(), "a language is missing");
        assert!(has_all_places(en.as_bytes(), vi.as_bytes()), "a place stands in English only");
        assert!(has_all_places(vi.as_bytes(), en.as_bytes()), "a place stands in Vietnamese only");
        Self { en, vi }
    }

    /// The words as they stand in the table.
    #[must_use]
    pub const fn words(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Vi => self.vi,
        }
    }

    /// The message with its first value.
    #[must_use]
    pub fn with(self, place: &'static str, value: impl Into<Value>) -> Said {
        Said::from(self).with(place, value)
    }
}

/// Whether every `{place}` of `from` stands in `to`.
const fn has_all_places(from: &[u8], to: &[u8]) -> bool {
    let mut at = 0;
    while at < from.len() {
        if from[at] == b'{' && !has_at(from, at, to) {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether the place that begins at `at` in `from` stands anywhere in `to`.
const fn has_at(from: &[u8], at: usize, to: &[u8]) -> bool {
    let mut start = 0;
    while start < to.len() {
        let mut len = 0;
        while at + len < from.len() && start + len < to.len() && from[at + len] == to[start + len] {
            if from[at + len] == b'}' {
                return true;
            }
            len += 1;
        }
        start += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_in_both_directions() {
        let has = |from: &str, to: &str| has_all_places(from.as_bytes(), to.as_bytes());
        assert!(has("{a} and {bc}", "{bc} và {a}"));
        assert!(has("none", "{more}"));
        assert!(!has("{a}", "{b}") && !has("{a}", "{ab}") && !has("{ab}", "{a}"));
        assert!(!has("{open", "{open"));
    }
}
