//! What a stream is expected to be when it has ended: a program that ends well may all the same
//! have printed half.

use globset::GlobBuilder;
use globset::GlobMatcher;

/// Most bytes of a last line that are compared.
const LAST_LINE_BYTES_MAX: usize = 64 * 1024;

/// What is expected of a whole stream.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub bytes_min: u64,
    pub last_line: Option<LastLine>,
}

/// A line with `*` and `?`, which the last line that is not empty has to match.
#[derive(Debug, Clone)]
pub struct LastLine(GlobMatcher);

impl LastLine {
    /// # Errors
    /// When the pattern is none.
    pub fn new(pattern: &str) -> Result<Self, globset::Error> {
        let mut builder = GlobBuilder::new(pattern);
        builder.literal_separator(false).backslash_escape(true);
        Ok(Self(builder.build()?.compile_matcher()))
    }

    fn matches(&self, line: &[u8]) -> bool {
        self.0.is_match_candidate(&globset::Candidate::from_bytes(line))
    }
}

/// The end of what has passed.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes_count: u64,
    /// The last lines, cut in front.
    end: Vec<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes_count += bytes.len() as u64;
        let kept = bytes.len().saturating_sub(LAST_LINE_BYTES_MAX);
        self.end.extend_from_slice(bytes.get(kept..).unwrap_or_default());
        let surplus = self.end.len().saturating_sub(LAST_LINE_BYTES_MAX);
        self.end.drain(..surplus);
    }

    /// What is not as expected.
    pub(super) fn lack(&self, expected: &Expected) -> Option<String> {
        let (found, least) = (self.bytes_count, expected.bytes_min);
        if found < least {
            return Some(format!("it gave {found} bytes, at least {least} are expected"));
        }
        let wanted = expected.last_line.as_ref()?;
        let line = self.end.trim_ascii_end().rsplit(|&b| b == b'\n').next().unwrap_or_default();
        if wanted.matches(line) {
            return None;
        }
        // The line itself may be data: it is not told.
        let pattern = wanted.0.glob();
        Some(format!("its last line does not match `{pattern}`: it may be cut off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(text: &[&[u8]], bytes_min: u64, last_line: &str) -> Option<String> {
        let mut tail = Tail::default();
        text.iter().for_each(|part| tail.push(part));
        tail.lack(&Expected { bytes_min, last_line: Some(LastLine::new(last_line).unwrap()) })
    }

    #[test]
    fn the_last_line_and_the_least_size() {
        let dump: [&[u8]; 2] = [b"insert\n-- Dump comp", b"leted on 2026-11-25\n\n"];
        assert_eq!(lack(&dump, 40, "-- Dump completed*"), None);
        assert!(lack(&dump, 41, "-- Dump completed*").unwrap().contains("40 bytes"));
        assert!(lack(&dump[..1], 0, "-- Dump completed*").unwrap().contains("cut off"));
        assert!(lack(&[], 0, "-- Dump completed*").is_some());
        assert_eq!(lack(&[b"a/b \xff c"], 0, "a*c"), None);
        assert!(LastLine::new("a[").is_err());
    }

    #[test]
    fn a_long_stream_keeps_only_its_end() {
        let mut tail = Tail::default();
        for _ in 0..20 {
            tail.push(&[b'x'; 100_000]);
        }
        tail.push(b"\nend");
        assert_eq!(tail.end.len(), LAST_LINE_BYTES_MAX);
        assert_eq!(tail.bytes_count, 2_000_004);
        let last_line = Some(LastLine::new("end").unwrap());
        assert_eq!(tail.lack(&Expected { bytes_min: 0, last_line }), None);
    }
}
