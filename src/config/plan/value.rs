//! Values that only a plan has: periods of work, dates, days and hours.

use jiff::civil::Date;
use toml::de::DeValue;

use crate::config::read::Item;
use crate::config::table::Table;
use crate::config::value;
use crate::config::value::Parsed;
use crate::schedule::work::Hours;
use crate::schedule::work::Period;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const COUNT_MAX: u32 = 100_000;
const MONTHS_MAX: u32 = 1200;
const PERIOD: &str = "a period in quotes, such as \"24h\", \"8wh\", \"1wd\" or \"3mo\"";

/// `24h`, `8wh` (working hours), `1wd` (working days), `3mo`, `5y`.
pub(super) fn parse_period(text: &str) -> Parsed<Period> {
    const EXPECTED: &str =
        "a period with its unit, such as \"24h\", \"8wh\", \"1wd\", \"3mo\" or \"5y\"";
    let count = |end: &str| text.strip_suffix(end).and_then(|digits| digits.parse::<u32>().ok());
    let period = if let Some(count) = count("wh") {
        (count <= COUNT_MAX).then_some(Period::WorkHours(count))
    } else if let Some(count) = count("wd") {
        (count <= COUNT_MAX).then_some(Period::WorkDays(count))
    } else if let Some(months) = count("mo") {
        (months <= MONTHS_MAX).then_some(Period::Months(months))
    } else if let Some(years) = count("y") {
        years.checked_mul(12).filter(|it| *it <= MONTHS_MAX).map(Period::Months)
    } else {
        value::time(text).ok().map(Period::Elapsed)
    };
    period.filter(|period| !period.is_zero()).ok_or(EXPECTED)
}

pub(super) fn period(table: &mut Table<'_>, key: &'static str) -> Option<Period> {
    let item = table.item(key)?;
    let period = item.parsed(parse_period, PERIOD);
    table.keep(&item, period, |period| period.to_string().into())
}

fn date_of(item: &Item<'_>) -> Option<Date> {
    const EXPECTED: &str = "a date without quotes, such as 2026-11-23";
    let parse = || {
        let DeValue::Datetime(found) = item.value else { return None };
        let (date, None, None) = (found.date?, found.time, found.offset) else { return None };
        let (year, month) = (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?);
        Date::new(year, month, i8::try_from(date.day).ok()?).ok()
    };
    let date = parse();
    if date.is_none() {
        item.wrong(EXPECTED);
    }
    date
}

pub(super) fn date(table: &mut Table<'_>, key: &'static str) -> Option<Date> {
    let item = table.item(key)?;
    let date = date_of(&item);
    table.keep(&item, date, |date| date.to_string().into())
}

pub(super) fn dates(table: &mut Table<'_>, key: &'static str) -> Option<Vec<Date>> {
    table.list(key, |_, item| date_of(item), |date| date.to_string().into())
}

/// `["mon", "tue"]`: at least one.
pub(super) fn workdays(table: &mut Table<'_>) -> Option<[bool; 7]> {
    const KEY: &str = "workdays";
    let choices: Vec<(&'static str, &'static str)> = DAYS.iter().map(|day| (*day, *day)).collect();
    let days = table.choices(KEY, &choices)?;
    if days.is_empty() {
        table.wrong(KEY, "expected at least one day, such as \"mon\"");
        return None;
    }
    Some(DAYS.map(|day| days.contains(&day)))
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_plain = |part: &str| part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit());
    if !is_plain(hour) || !is_plain(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= 24 * 60).then_some(all)
}

fn span(text: &str) -> Parsed<Hours> {
    let parse = || {
        let (from, to) = text.split_once('-')?;
        let (from_min, to_min) = (minutes(from.trim())?, minutes(to.trim())?);
        (from_min < to_min).then_some(Hours { from_min, to_min })
    };
    parse().ok_or("hours from one time to a later one, such as \"07:00-11:30\"")
}

/// `["07:00-11:30", "13:30-17:00"]`: in order and apart.
pub(super) fn hours(table: &mut Table<'_>) -> Option<Vec<Hours>> {
    const KEY: &str = "hours";
    let read = |_: &Table<'_>, item: &Item<'_>| {
        item.parsed(span, "hours in quotes, such as \"07:00-11:30\"")
    };
    let hours = table.list(KEY, read, |it| shown(*it).into())?;
    let is_apart = hours.windows(2).all(|two| match two {
        [one, two] => one.to_min <= two.from_min,
        _ => true,
    });
    if hours.is_empty() || !is_apart {
        table.wrong(KEY, "expected hours in their order, none within another, and at least one");
        return None;
    }
    Some(hours)
}

/// As it is written in a plan.
fn shown(hours: Hours) -> String {
    let Hours { from_min: from, to_min: to } = hours;
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
}

pub(super) fn usual_hours() -> Vec<Hours> {
    let hours = |from_min: u16, to_min: u16| Hours { from_min, to_min };
    vec![hours(7 * 60, 11 * 60 + 30), hours(13 * 60 + 30, 17 * 60)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_units() {
        use std::time::Duration;
        let hours = |hours: u64| Period::Elapsed(Duration::from_secs(hours * 3600));
        for (text, period) in [
            ("24h", hours(24)),
            ("3d", hours(72)),
            ("8wh", Period::WorkHours(8)),
            ("1wd", Period::WorkDays(1)),
            ("3mo", Period::Months(3)),
            ("5y", Period::Months(60)),
            ("5m", Period::Elapsed(Duration::from_secs(300))),
        ] {
            assert_eq!(parse_period(text), Ok(period), "{text}");
            assert_eq!(parse_period(&period.to_string()), Ok(period), "{period}");
        }
        for text in ["", "8", "wh", "0wh", "0h", "-1wd", "101y", "4294967295y", "1.5mo", "1mo2d"] {
            assert!(parse_period(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hours_go_forward() {
        assert_eq!(span("07:00-11:30"), Ok(Hours { from_min: 420, to_min: 690 }));
        assert_eq!(span("00:00 - 24:00"), Ok(Hours { from_min: 0, to_min: 1440 }));
        for text in ["", "7:00-8:00", "08:00-07:00", "08:00-08:00", "08:60-09:00", "08:00-25:00"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
