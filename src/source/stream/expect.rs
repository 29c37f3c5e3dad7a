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
    /// What it begins with: at most [`HEAD_BYTES_MAX`].
    pub head: &'static [u8],
    /// What it ends with.
    pub end: &'static [u8],
}

/// Bytes of the beginning that are compared.
pub const HEAD_BYTES_MAX: usize = 16;

/// A line with `*` and `?`, which the last line that is not empty has to match.
#[derive(Debug, Clone)]
pub struct LastLine {
    matcher: GlobMatcher,
    /// How many of the last lines that are not empty are looked at.
    within: usize,
}

impl LastLine {
    /// # Errors
    /// When the pattern is none.
    pub fn new(pattern: &str) -> Result<Self, globset::Error> {
        let mut builder = GlobBuilder::new(pattern);
        builder.literal_separator(false).backslash_escape(true);
        Ok(Self { matcher: builder.build()?.compile_matcher(), within: 1 })
    }

    /// One of the last `lines` lines is enough.
    #[must_use]
    pub const fn within(mut self, lines: usize) -> Self {
        self.within = lines;
        self
    }

    fn matches(&self, line: &[u8]) -> bool {
        self.matcher.is_match_candidate(&globset::Candidate::from_bytes(line))
    }
}

/// The end of what has passed.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes_count: u64,
    head: Vec<u8>,
    /// The last lines, cut in front.
    end: Vec<u8>,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes_count += bytes.len() as u64;
        let wanted = HEAD_BYTES_MAX.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(wanted));
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
        if !self.head.starts_with(expected.head) {
            return Some("it does not begin as such a file does".to_owned());
        }
        if !self.end.ends_with(expected.end) {
            return Some("it does not end as such a file does: it may be cut off".to_owned());
        }
        let wanted = expected.last_line.as_ref()?;
        let lines = self.end.rsplit(|&b| b == b'\n').map(<[u8]>::trim_ascii_end);
        let mut last = lines.filter(|line| !line.is_empty()).take(wanted.within).peekable();
        let nothing = last.peek().is_none().then_some(&b""[..]);
        if last.chain(nothing).any(|line| wanted.matches(line)) {
            return None;
        }
        // The line itself may be data: it is not told.
        let pattern = wanted.matcher.glob();
        Some(format!("its last line does not match `{pattern}`: it may be cut off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(text: &[&[u8]], bytes_min: u64, last_line: &str) -> Option<String> {
        let mut tail = Tail::default();
        text.iter().for_each(|part| tail.push(part));
        tail.lack(&Expected {
            bytes_min,
            last_line: Some(LastLine::new(last_line).unwrap()),
            ..Expected::default()
        })
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
    fn a_line_near_the_end_is_enough_where_it_is_allowed() {
        let mut tail = Tail::default();
        tail.push(b"-- complete\n--\n\n\\unrestrict x\n\n");
        let line = |within| Some(LastLine::new("-- complete").unwrap().within(within));
        let lack = |within| tail.lack(&Expected { last_line: line(within), ..Expected::default() });
        assert!(lack(1).is_some() && lack(2).is_some());
        assert_eq!(lack(3), None);
    }

    #[test]
    fn the_beginning_and_the_end() {
        let mut tail = Tail::default();
        for byte in b"PGDMP data 0000" {
            tail.push(&[*byte]);
        }
        let lack = |head, end| tail.lack(&Expected { head, end, ..Expected::default() });
        assert_eq!(lack(b"PGDMP", b"000"), None);
        assert!(lack(b"PGDMX", b"").unwrap().contains("begin"));
        assert!(lack(b"", b"00 ").unwrap().contains("cut off"));
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
        assert_eq!(tail.lack(&Expected { last_line, ..Expected::default() }), None);
    }
}
