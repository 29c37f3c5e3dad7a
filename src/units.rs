//! Sizes, rates and times as people write them.
//!
//! What it is: byte counts with units, a file's time stamp, a point in time.
//! Never: reads a clock (see `clock`).
//! Invariants: sizes are powers of 1024; a time before 1970 is as good as any other.
//! Start reading at: [`FileTime`] and [`Timestamp`].

use std::fmt;
use std::str::FromStr;

pub const KIB: u64 = 1024;
pub const MIB: u64 = 1024 * KIB;
pub const GIB: u64 = 1024 * MIB;

/// A count of bytes that prints and parses with a binary unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < KIB {
            return write!(f, "{} B", self.0);
        }
        let mut unit = 0;
        let mut whole = self.0;
        let mut rest = 0;
        while whole >= KIB * 1000 / 1024 + 24 && unit < UNITS.len() {
            rest = whole % KIB;
            whole /= KIB;
            unit += 1;
        }
        write!(f, "{whole}.{} {}", rest * 10 / KIB, UNITS[unit.saturating_sub(1)])
    }
}

/// A text that is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a size such as `512`, `64KiB`, `10G` or `1.5TiB`, found `{0}`")]
pub struct SizeError(String);

impl FromStr for Bytes {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let wrong = || SizeError(text.chars().take(80).collect());
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim().to_ascii_lowercase();
        let shift =
            match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
                "" => 0_u32,
                "k" => 10,
                "m" => 20,
                "g" => 30,
                "t" => 40,
                "p" => 50,
                _ => return Err(wrong()),
            };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let mut bytes = whole.checked_mul(1 << shift).ok_or_else(wrong)?;
        if !fraction.is_empty() {
            let digits = u32::try_from(fraction.len()).map_err(|_| wrong())?;
            let scale = 10_u64.checked_pow(digits).ok_or_else(wrong)?;
            let part: u64 = fraction.parse().map_err(|_| wrong())?;
            let part = part.checked_mul(1 << shift).ok_or_else(wrong)? / scale;
            bytes = bytes.checked_add(part).ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }
}

/// A file's time stamp: seconds since 1970 (negative before) and nanoseconds 0 to 999 999 999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileTime {
    pub secs: i64,
    pub nanos: u32,
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    pub unix_ms: i64,
}

impl Timestamp {
    #[must_use]
    pub const fn from_unix_ms(unix_ms: i64) -> Self {
        Self { unix_ms }
    }

    /// Milliseconds from `earlier` to here; negative if it lies after.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> i64 {
        self.unix_ms.saturating_sub(earlier.unix_ms)
    }

    /// RFC 3339 in UTC with milliseconds, such as `2026-11-24T08:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.unix_ms) {
            Ok(time) => format!("{time:.3}"),
            Err(_) => format!("{} ms since 1970", self.unix_ms),
        }
    }
}

/// How much of `before` is gone, in hundredths: rounded up, but 100 only if nothing is left.
#[must_use]
pub fn lost_percent(before: u64, now: u64) -> u8 {
    match before.checked_sub(now) {
        None | Some(0) => 0,
        Some(_) if now == 0 => 100,
        Some(lost) => {
            let percent = (u128::from(lost) * 100).div_ceil(u128::from(before)).min(99);
            u8::try_from(percent).unwrap_or(99)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_parse_with_units() {
        let cases = [("0", 0), ("64KiB", 64 * KIB), ("10G", 10 * GIB), ("1.5 MiB", 1_572_864)];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "x", "-1", "1X", "99999999999999999999", "1.5.5K"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_print_with_one_decimal() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB")];
        for (bytes, text) in cases {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn time_prints_as_rfc3339() {
        assert_eq!(Timestamp::from_unix_ms(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
    }
}
