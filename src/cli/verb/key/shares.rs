//! `K/N`: how many shares rebuild a recovery key, out of how many.

use std::str::FromStr;

/// Most shares of a recovery key.
pub const SHARES_MAX: u8 = 16;

/// Any `needed` of `total` shares rebuild the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareCounts {
    pub needed: u8,
    pub total: u8,
}

/// A text that does not say how many shares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `K/N` with 2 <= K <= N <= {SHARES_MAX}")]
pub struct ShareCountsError;

impl FromStr for ShareCounts {
    type Err = ShareCountsError;

    fn from_str(text: &str) -> Result<Self, ShareCountsError> {
        let (needed, total) = text.split_once('/').ok_or(ShareCountsError)?;
        let needed: u8 = needed.trim().parse().map_err(|_| ShareCountsError)?;
        let total: u8 = total.trim().parse().map_err(|_| ShareCountsError)?;
        // With one, each share alone would be the whole key.
        if (2..=total).contains(&needed) && total <= SHARES_MAX {
            Ok(Self { needed, total })
        } else {
            Err(ShareCountsError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_counts() {
        assert_eq!("2/3".parse(), Ok(ShareCounts { needed: 2, total: 3 }));
        for text in ["", "3", "0/3", "4/3", "1/3", "1/1", "2/17", "a/b", "2/3/4", "-1/3"] {
            assert_eq!(text.parse::<ShareCounts>(), Err(ShareCountsError), "{text}");
        }
    }
}
