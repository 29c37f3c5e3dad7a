//! What is wrong with a file, and where; and what was probably meant.

use std::fmt;

use serde::Serialize;

/// A place in the file, counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// Something to correct, or to think about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mistake {
    pub place: Place,
    /// The full key, such as `retention.office.keep_daily`; empty where the text is no TOML.
    pub key: String,
    /// What is wrong: lower case, no full stop, never a secret.
    pub what: String,
}

/// `59:1: retention.office.keep_dayly: unknown, did you mean keep_daily?`
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, what } = self;
        write!(f, "{}:{}: ", place.line, place.column)?;
        if key.is_empty() { f.write_str(what) } else { write!(f, "{key}: {what}") }
    }
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    pub(super) fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..at).unwrap_or_default();
        // Bytes that go on in a character are none of their own.
        let column = 1 + before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Place { line: line.max(1), column }
    }
}

/// `, did you mean X?` where one of the names is near.
pub(super) fn did_you_mean<'n>(found: &str, names: impl Iterator<Item = &'n str>) -> String {
    let lower: String = found.chars().take(64).collect::<String>().to_lowercase();
    let near = names.map(|name| (distance(&lower, &name.to_lowercase()), name)).min();
    match near {
        Some((far, name)) if far <= (name.chars().count() / 3).max(1) => {
            format!(", did you mean {name}?")
        }
        _ => String::new(),
    }
}

/// How many letters must be changed, left out, put in or swapped with their neighbour.
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let mut rows = vec![(0..=two.len()).collect::<Vec<usize>>()];
    for (at, letter) in one.iter().enumerate() {
        let above = rows.last().cloned().unwrap_or_default();
        let mut row = vec![at + 1];
        for (to, other) in two.iter().enumerate() {
            let value = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(0);
            let changed = value(&above, to) + usize::from(letter != other);
            let mut least = changed.min(value(&above, to + 1) + 1).min(value(&row, to) + 1);
            let is_swapped = at > 0
                && to > 0
                && one.get(at - 1) == Some(other)
                && two.get(to - 1) == Some(letter);
            if is_swapped && let Some(earlier) = rows.len().checked_sub(2) {
                let before = rows.get(earlier).map_or(0, |row| value(row, to - 1));
                least = least.min(before + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let names = ["keep_daily", "keep_weekly", "path"];
        let meant = |found| did_you_mean(found, names.into_iter());
        assert_eq!(meant("keep_dayly"), ", did you mean keep_daily?");
        assert_eq!(meant("Keep_Weekly"), ", did you mean keep_weekly?");
        assert_eq!(meant("apth"), ", did you mean path?");
        assert_eq!(meant("colour"), "");
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn columns_are_characters() {
        let lines = Lines::of("a\nầb = 1\n");
        assert_eq!(lines.place(0), Place { line: 1, column: 1 });
        assert_eq!(lines.place(2 + "ầ".len()), Place { line: 2, column: 2 });
        assert_eq!(lines.place(999), Place { line: 3, column: 1 });
    }
}
