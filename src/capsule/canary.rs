//! Canaries: files that are placed at the source so that they can be looked for in what comes back.

use serde::Deserialize;
use serde::Serialize;

/// The file that never changes.
pub const FIXED: &str = "lifeboat-canary.txt";
/// Most tokens that are remembered.
pub const TOKENS_MAX: usize = 64;

/// What was placed where the office works, as it was when the backup began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canaries {
    /// Digest of the file that never changes.
    pub fixed: String,
    /// The newest first.
    pub tokens: Vec<Token>,
}

/// A file that is there for some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub digest: String,
    /// Seconds since 1970.
    pub placed_s: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub removed_s: Option<i64>,
}

/// What a set of found files says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighted {
    pub has_fixed: bool,
    /// When the newest of the tokens that are there was placed.
    pub newest_s: Option<i64>,
    /// When the newest of all was placed.
    pub expected_s: Option<i64>,
    /// Tokens that were removed before, and are there.
    pub undead_count: u64,
    /// Tokens that were removed before.
    pub removed_count: u64,
}

/// What a file is known by: the first 16 bytes of BLAKE3, as 32 hex digits.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let hash = blake3::hash(bytes);
    hash.as_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Canaries {
    /// Looks for what was placed among the digests of files that are there.
    #[must_use]
    pub fn sighted(&self, found: &[String]) -> Sighted {
        let is_there = |digest: &String| found.contains(digest);
        let (gone, live): (Vec<&Token>, Vec<&Token>) =
            self.tokens.iter().partition(|token| token.removed_s.is_some());
        let there = self.tokens.iter().filter(|token| is_there(&token.digest));
        Sighted {
            has_fixed: is_there(&self.fixed),
            newest_s: there.map(|token| token.placed_s).max(),
            expected_s: live.iter().map(|token| token.placed_s).max(),
            undead_count: gone.iter().filter(|token| is_there(&token.digest)).count() as u64,
            removed_count: gone.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_tells_how_old_it_is() {
        let token = |name: &str, placed_s, removed_s| Token {
            digest: digest(name.as_bytes()),
            placed_s,
            removed_s,
        };
        let canaries = Canaries {
            fixed: digest(b"fixed"),
            tokens: vec![token("c", 30, None), token("b", 20, None), token("a", 10, Some(25))],
        };
        let seen = |names: &[&str]| {
            let found: Vec<_> = names.iter().map(|name| digest(name.as_bytes())).collect();
            canaries.sighted(&found)
        };
        let good = seen(&["fixed", "b", "c", "something else"]);
        assert_eq!((good.has_fixed, good.newest_s, good.undead_count), (true, Some(30), 0));
        assert_eq!((good.expected_s, good.removed_count), (Some(30), 1));
        let old = seen(&["fixed", "a"]);
        assert_eq!((old.newest_s, old.undead_count), (Some(10), 1));
        assert_eq!((seen(&[]).has_fixed, seen(&[]).newest_s), (false, None));
    }
}
