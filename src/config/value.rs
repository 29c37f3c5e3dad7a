//! Values as people write them: with their units.

use std::time::Duration;

use serde::Serializer;

use crate::retention::rule::Age;
use crate::units::Bytes;

/// Longest time that is taken: a century.
const TIME_MAX_S: u64 = 100 * 366 * 24 * 3600;
const NAME_CHARS_MAX: usize = 64;

pub(super) type Parsed<T> = Result<T, &'static str>;

/// `20MiB`; a number alone could be anything.
pub(super) fn size(text: &str) -> Parsed<u64> {
    const EXPECTED: &str = "a size with its unit, such as \"20MiB\"";
    if !text.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(EXPECTED);
    }
    text.parse::<Bytes>().map(|size| size.0).map_err(|_| EXPECTED)
}

/// `20MiB/s`.
pub(super) fn rate(text: &str) -> Parsed<u64> {
    const EXPECTED: &str = "a size each second, such as \"20MiB/s\"";
    let rate = text.strip_suffix("/s").and_then(|rate| size(rate.trim_end()).ok());
    rate.filter(|rate| *rate > 0).ok_or(EXPECTED)
}

/// `07:30`, as minutes of the day.
pub(super) fn minute_of_day(text: &str) -> Parsed<u16> {
    const EXPECTED: &str = "a time of day, such as \"07:30\"";
    let two = |digits: &str| {
        let is_two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        is_two.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (two(hour)?, two(minute)?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    read().ok_or(EXPECTED)
}

/// `12h`, `1d12h`, `90s`; `0s` is none.
pub(super) fn time(text: &str) -> Parsed<Duration> {
    const EXPECTED: &str = "a time with its unit, such as \"12h\", \"10m\" or \"1d12h\"";
    let parse = || {
        let mut rest = text;
        let mut seconds: u64 = 0;
        // Each unit once, from the greatest down.
        for (unit, unit_s) in [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)] {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, behind) = rest.split_at_checked(digits)?;
            let Some(behind) = behind.strip_prefix(unit) else { continue };
            let number: u64 = number.parse().ok()?;
            seconds = seconds.checked_add(number.checked_mul(unit_s)?)?;
            rest = behind;
        }
        let is_whole = rest.is_empty() && !text.is_empty() && seconds <= TIME_MAX_S;
        is_whole.then(|| Duration::from_secs(seconds))
    };
    parse().ok_or(EXPECTED)
}

/// `20%`.
pub(super) fn percent(text: &str) -> Parsed<u8> {
    let digits = text.strip_suffix('%').map(str::trim_end);
    let percent = digits.and_then(|digits| digits.parse().ok());
    percent.filter(|percent| *percent <= 100).ok_or("a share from \"0%\" to \"100%\"")
}

/// `14d`, as the calendar counts.
pub(super) fn age(text: &str) -> Parsed<Age> {
    text.parse().map_err(|_| "an age, such as \"14d\" or \"1y6m\"")
}

/// What datasets, storages, rules, channels and drills are called.
pub(super) fn name(text: &str) -> Parsed<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = starts && text.chars().count() <= NAME_CHARS_MAX && text.chars().all(is_plain);
    let expected = "a name of letters, digits, `-`, `_` and `.`, at most 64 of them";
    fits.then(|| text.to_owned()).ok_or(expected)
}

pub(super) fn not_empty(text: &str) -> Parsed<String> {
    (!text.trim().is_empty()).then(|| text.to_owned()).ok_or("some text")
}

/// `https://host/path`; a password in it would be a literal secret.
pub(super) fn url(text: &str, schemes: &[&str]) -> Parsed<String> {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)?.strip_prefix("://"));
    let rest = rest.ok_or("an address that begins as this kind does")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("an address without a user or password in it: they have keys of their own");
    }
    let is_text = !host.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    is_text.then(|| text.to_owned()).ok_or("an address with a host")
}

pub(super) fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(time.as_secs())
}

pub(super) fn maybe_seconds<S: Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_some(&time.as_secs()),
        None => to.serialize_none(),
    }
}

pub(super) fn as_text<S: Serializer>(
    value: &impl std::fmt::Display,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub(super) fn maybe_text<S: Serializer>(
    value: &Option<impl std::fmt::Display>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required() {
        assert_eq!(size("20MiB"), Ok(20 << 20));
        assert!(size("20").is_err() && size("20 parsecs").is_err() && size("").is_err());
        assert_eq!(rate("20MiB/s"), Ok(20 << 20));
        assert!(rate("20MiB").is_err() && rate("0MiB/s").is_err() && rate("20/s").is_err());
        assert_eq!(time("1d12h"), Ok(Duration::from_secs(36 * 3600)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        for text in ["", "12", "h", "12h1d", "1h1h", "-1h", "12 h", "99999999999999999999s", "1.5h"]
        {
            assert!(time(text).is_err(), "{text}");
        }
        assert_eq!(percent("20%"), Ok(20));
        assert!(percent("20").is_err() && percent("101%").is_err() && percent("-1%").is_err());
    }

    #[test]
    fn an_address_holds_no_password() {
        assert!(url("smtps://mail.example:465", &["smtp", "smtps"]).is_ok());
        assert!(url("smtps://me:hush@mail.example", &["smtps"]).is_err());
        assert!(url("https://host/a@b", &["https"]).is_ok());
        for text in ["", "https://", "ftp://host", "https:host", "https://a b"] {
            assert!(url(text, &["https"]).is_err(), "{text}");
        }
    }
}
