//! Cron expressions as crontab has them, over a clock without a zone.
//!
//! The crate `cron` walks the calendar. It counts weekdays from 1, takes six fields, and wants both
//! a day and a weekday where crontab takes either; so five fields are read here, and what it gets
//! are plain lists of numbers, twice where either will do.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use chrono::Utc;
use jiff::civil;
use jiff::tz::TimeZone;

/// Most bytes of an expression.
const BYTES_MAX: usize = 512;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Days of each month, in a leap year.
const DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, names: &[] },
    Field { name: "day of month", min: 1, max: 31, names: &[] },
    Field { name: "month", min: 1, max: 12, names: &MONTHS },
    // 7 is Sunday too.
    Field { name: "day of week", min: 0, max: 7, names: &WEEKDAYS },
];

struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

/// What a field lets through.
#[derive(Debug, Clone, Copy)]
struct Set {
    bits: u64,
    /// It begins with `*`: as crontab has it, it does not choose days of its own.
    is_star: bool,
}

/// An expression that comes at least once.
#[derive(Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// A moment fits if it fits any of these.
    parts: Vec<cron::Schedule>,
}

/// A text that is no expression, or one that never comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error(
        "expected five fields (minute, hour, day of month, month, day of week) or one of @hourly, \
         @daily, @weekly, @monthly, found `{0}`"
    )]
    Fields(String),
    #[error("{field}: expected {min} to {max}, found `{found}`")]
    Number { field: &'static str, min: u32, max: u32, found: String },
    #[error("{field}: expected a range that goes up, found `{found}`")]
    Backwards { field: &'static str, found: String },
    #[error("{field}: expected a step such as `*/5` or `10-50/5`, found `{found}`")]
    Step { field: &'static str, found: String },
    #[error("`{0}` never comes: no month of it has that day")]
    Never(String),
    #[error("an expression has at most {BYTES_MAX} bytes, this one has {0}")]
    Long(usize),
    #[error("`{text}` is not understood: {detail}")]
    Other { text: String, detail: String },
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        if text.len() > BYTES_MAX {
            return Err(CronError::Long(text.len()));
        }
        let long = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            other => other,
        };
        let fields: Vec<&str> = long.split_ascii_whitespace().collect();
        let wrong = || CronError::Fields(shown(text));
        let fields: [&str; 5] = fields.try_into().map_err(|_| wrong())?;
        let mut sets = [Set { bits: 0, is_star: false }; 5];
        for ((set, field), part) in sets.iter_mut().zip(&FIELDS).zip(fields) {
            *set = field.parse(part)?;
        }
        let [minute, hour, day, month, mut weekday] = sets;
        weekday.bits = weekday.bits & 0x7f | weekday.bits >> 7;
        let times = [minute, hour];
        let parts = if day.is_star || weekday.is_star {
            if !comes(day, month) {
                return Err(CronError::Never(shown(text)));
            }
            vec![walker(text, times, [day, month, weekday])?]
        } else {
            let any = |field: usize| Set { bits: full(&FIELDS[field]), is_star: true };
            let by_weekday = walker(text, times, [any(2), month, weekday])?;
            if comes(day, month) {
                vec![walker(text, times, [day, month, any(4)])?, by_weekday]
            } else {
                vec![by_weekday]
            }
        };
        Ok(Self { text: text.trim().to_owned(), parts })
    }
}

/// Whether any month has any of the days.
fn comes(day: Set, month: Set) -> bool {
    let first = day.bits.trailing_zeros();
    DAYS.iter().zip(1..).any(|(days, number)| month.bits >> number & 1 == 1 && *days >= first)
}

fn full(field: &Field) -> u64 {
    (field.min..=field.max.min(59)).fold(0, |bits, number| bits | 1 << number)
}

fn walker(
    text: &str,
    [minute, hour]: [Set; 2],
    [day, month, weekday]: [Set; 3],
) -> Result<cron::Schedule, CronError> {
    let list = |set: Set, add: u32| {
        let numbers = (0..60_u32).filter(|number| set.bits >> number & 1 == 1);
        numbers.map(|number| (number + add).to_string()).collect::<Vec<_>>().join(",")
    };
    // All weekdays is told apart so that the crate need not look at each.
    let weekdays = match weekday.bits & 0x7f {
        0x7f => "*".to_owned(),
        _ => list(Set { bits: weekday.bits & 0x7f, ..weekday }, 1),
    };
    let [minute, hour] = [list(minute, 0), list(hour, 0)];
    let [day, month] = [list(day, 0), list(month, 0)];
    let six = format!("0 {minute} {hour} {day} {month} {weekdays}");
    six.parse().map_err(|error: cron::error::Error| CronError::Other {
        text: shown(text),
        detail: error.to_string(),
    })
}

impl Field {
    fn parse(&self, text: &str) -> Result<Set, CronError> {
        let mut bits = 0;
        for part in text.split(',') {
            bits |= self.part(part)?;
        }
        Ok(Set { bits, is_star: text.starts_with('*') })
    }

    /// `*`, `7`, `1-5`, each of a range with `/2`.
    fn part(&self, text: &str) -> Result<u64, CronError> {
        let field = self.name;
        let (range, step) = match text.split_once('/') {
            None => (text, 1),
            Some((range, step)) => {
                let wrong = || CronError::Step { field, found: shown(text) };
                let step: u32 = number(step).filter(|step| *step > 0).ok_or_else(wrong)?;
                // Of `5/10` crontabs make different things.
                if range != "*" && !range.contains('-') {
                    return Err(wrong());
                }
                (range, step)
            }
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.min, if self.max == 7 { 6 } else { self.max }),
            None => (self.number(range)?, self.number(range)?),
            Some((from, to)) => (self.number(from)?, self.number(to)?),
        };
        if from > to {
            return Err(CronError::Backwards { field, found: shown(text) });
        }
        let steps = (from..=to).step_by(usize::try_from(step).unwrap_or(usize::MAX));
        Ok(steps.fold(0, |bits, number| bits | 1 << number))
    }

    fn number(&self, text: &str) -> Result<u32, CronError> {
        let Self { name, min, max, names } = *self;
        let named = names.iter().zip(min..).find(|(name, _)| text.eq_ignore_ascii_case(name));
        let found = named.map(|(_, number)| number).or_else(|| number(text));
        let wrong = || CronError::Number { field: name, min, max, found: shown(text) };
        found.filter(|number| (min..=max).contains(number)).ok_or_else(wrong)
    }
}

/// Digits only: no sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl Cron {
    /// The first moment after `time`.
    #[must_use]
    pub fn after(&self, time: civil::DateTime) -> Option<civil::DateTime> {
        let time = to_chrono(time)?;
        self.parts.iter().filter_map(|part| part.after(&time).next()).min().and_then(from_chrono)
    }

    /// The last moment before `time`.
    #[must_use]
    pub fn before(&self, time: civil::DateTime) -> Option<civil::DateTime> {
        let time = to_chrono(time)?;
        let last = self.parts.iter().filter_map(|part| part.after(&time).next_back()).max();
        last.and_then(from_chrono)
    }
}

fn to_chrono(time: civil::DateTime) -> Option<DateTime<Utc>> {
    let at = TimeZone::UTC.to_timestamp(time).ok()?;
    DateTime::from_timestamp(at.as_second(), u32::try_from(at.subsec_nanosecond()).ok()?)
}

fn from_chrono(time: DateTime<Utc>) -> Option<civil::DateTime> {
    let at = jiff::Timestamp::from_second(time.timestamp()).ok()?;
    Some(TimeZone::UTC.to_datetime(at))
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.text)
    }
}
