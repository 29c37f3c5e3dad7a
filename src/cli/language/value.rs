//! Numbers, sizes, times and names as readers of a language expect them.

use std::time::Duration;

use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::text::Text;
use crate::units::Bytes;
use crate::units::Timestamp;

/// Vietnam has one zone and no summer time.
const VIETNAM: jiff::tz::Offset = jiff::tz::offset(7);

/// What stands in a place of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A name or a number that is no count; already escaped.
    Text(String),
    Count(u64),
    Size(Bytes),
    Took(Duration),
    Time(Timestamp),
    /// How many times, in hundredths.
    Times(u64),
    Said(Said),
    /// One below the other.
    Lines(Vec<Said>),
}

impl Value {
    #[must_use]
    pub fn told_in(&self, language: Language) -> String {
        match (self, language) {
            (Self::Text(text), _) => text.clone(),
            (Self::Count(count), Language::En) => count.to_string(),
            (Self::Count(count), Language::Vi) => grouped(*count),
            (Self::Size(size), Language::En) => size.to_string(),
            (Self::Size(size), Language::Vi) => size.to_string().replace('.', ","),
            (Self::Took(time), Language::En) => {
                format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
            }
            (Self::Took(time), Language::Vi) => duration_vi(*time),
            (Self::Time(time), Language::En) => time.to_rfc3339(),
            (Self::Time(time), Language::Vi) => time_vi(*time),
            (Self::Times(times), Language::En) => format!("{}.{:02}", times / 100, times % 100),
            (Self::Times(times), Language::Vi) => {
                format!("{},{:02}", grouped(times / 100), times % 100)
            }
            (Self::Said(said), _) => said.told_in(language),
            (Self::Lines(lines), _) => {
                lines.iter().map(|line| line.told_in(language)).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

/// `12.502.500`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// `1,5 giây`, `2 phút 05 giây`, `2 giờ 05 phút`.
fn duration_vi(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds},{} giây", time.subsec_millis() / 100),
        (0, minutes) => format!("{minutes} phút {:02} giây", seconds % 60),
        (hours, minutes) => format!("{hours} giờ {minutes:02} phút"),
    }
}

/// `23/11/2026 07:30:05 +07:00`.
fn time_vi(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.unix_ms) {
        Ok(time) => VIETNAM.to_datetime(time).strftime("%d/%m/%Y %H:%M:%S +07:00").to_string(),
        Err(_) => time.to_rfc3339(),
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl From<u8> for Value {
    fn from(count: u8) -> Self {
        Self::Count(count.into())
    }
}

impl From<Bytes> for Value {
    fn from(size: Bytes) -> Self {
        Self::Size(size)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Took(time)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<Said> for Value {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Said::from(text).into()
    }
}

impl From<Vec<Said>> for Value {
    fn from(lines: Vec<Said>) -> Self {
        Self::Lines(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vi(value: impl Into<Value>) -> String {
        value.into().told_in(Language::Vi)
    }

    fn en(value: impl Into<Value>) -> String {
        value.into().told_in(Language::En)
    }

    #[test]
    fn as_readers_expect_it() {
        assert_eq!(vi(12_502_500_000_u64), "12.502.500.000");
        assert_eq!(
            (vi(999_u64), vi(1000_u64), vi(0_u64)),
            ("999".into(), "1.000".into(), "0".into())
        );
        assert_eq!(
            (vi(Bytes(1_310_720_000)), en(Bytes(1_310_720_000))),
            ("1,2 GiB".into(), "1.2 GiB".into())
        );
        let times = |n| Value::Times(n);
        assert_eq!((vi(times(123_405)), en(times(205))), ("1.234,05".into(), "2.05".into()));
        let took = |secs| Duration::from_secs(secs) + Duration::from_millis(567);
        assert_eq!((vi(took(1)), en(took(1))), ("1,5 giây".into(), "1.5 s".into()));
        assert_eq!(vi(took(125)), "2 phút 05 giây");
        assert_eq!(vi(took(7500)), "2 giờ 05 phút");
        let time = Timestamp::from_unix_ms(1_795_393_805_000);
        assert_eq!(en(time), time.to_rfc3339());
        assert!(vi(time).ends_with(":05 +07:00"), "{}", vi(time));
        assert_eq!(vi(Timestamp::from_unix_ms(0)), "01/01/1970 07:00:00 +07:00");
    }
}
