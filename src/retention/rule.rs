//! Rules as people write them.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::units::Timestamp;

/// One rule; a snapshot stays if any says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Of each span of time the first and the last snapshot.
    Spread { unit: Unit, limit: Limit },
    /// Those that have all of these tags.
    Tags(Vec<String>),
}

/// A span of time that snapshots are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Each snapshot is a span of its own.
    Each,
    Hour,
    Day,
    /// From Monday on, as ISO 8601 counts.
    Week,
    Month,
    Year,
}

/// How far back a rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// This many spans that have a snapshot; empty ones are not counted.
    Newest(u32),
    All,
    /// Spans as old as this, counted from the newest snapshot.
    Within(Age),
}

/// An age as the calendar counts it: months differ in length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    pub years: u16,
    pub months: u16,
    pub days: u32,
    pub hours: u32,
}

/// Names a span; later spans are greater. Of two hours that a clock shows twice in autumn, each is
/// one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span([i64; 4]);

impl Unit {
    pub(super) fn span(self, at: Timestamp, zone: &TimeZone, number: usize) -> Span {
        let Ok(time) = jiff::Timestamp::from_millisecond(at.unix_ms) else {
            // A time that no calendar has stands for itself.
            return Span([at.unix_ms, 0, 0, 0]);
        };
        let local = time.to_zoned_datetime(zone.clone());
        let (year, month) = (i64::from(local.year()), i64::from(local.month()));
        let day = i64::from(local.day());
        Span(match self {
            // Newest first, and later spans are greater.
            Self::Each => [-i64::try_from(number).unwrap_or(i64::MAX), 0, 0, 0],
            Self::Hour => {
                let start = at.unix_ms.div_euclid(1000) + i64::from(local.offset().seconds());
                [start.div_euclid(3600), -i64::from(local.offset().seconds()), 0, 0]
            }
            Self::Day => [year, month, day, 0],
            Self::Week => {
                let week = local.date().iso_week_date();
                [i64::from(week.year()), i64::from(week.week()), 0, 0]
            }
            Self::Month => [year, month, 0, 0],
            Self::Year => [year, 0, 0, 0],
        })
    }
}

impl Limit {
    pub(super) fn count(self) -> usize {
        match self {
            Self::Newest(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Self::All | Self::Within(_) => usize::MAX,
        }
    }

    /// The oldest time that counts; `None` is any.
    pub(super) fn since(self, newest: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let Self::Within(age) = self else { return None };
        let newest =
            jiff::Timestamp::from_millisecond(newest.unix_ms).ok()?.to_zoned_datetime(zone.clone());
        let span = 0
            .years()
            .try_years(age.years)
            .and_then(|span| span.try_months(age.months))
            .and_then(|span| span.try_days(age.days))
            .and_then(|span| span.try_hours(age.hours));
        let since = newest.checked_sub(span.ok()?).ok()?;
        Some(Timestamp::from_unix_ms(since.timestamp().as_millisecond()))
    }
}

/// A text that is no limit or age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("expected a number from 1 on or `all`, found `{0}`")]
    Count(String),
    #[error(
        "expected an age such as `14d` or `1y6m2w3d12h` (years, months, weeks, days, hours), found \
         `{0}`"
    )]
    Age(String),
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// `7`, or `all` (restic's `unlimited` and `-1` too).
pub fn parse_count(text: &str) -> Result<Limit, RuleError> {
    match text {
        "all" | "unlimited" | "-1" => Ok(Limit::All),
        number => match number.parse() {
            Ok(count) if count > 0 => Ok(Limit::Newest(count)),
            _ => Err(RuleError::Count(shown(text))),
        },
    }
}

impl FromStr for Age {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wrong = || RuleError::Age(shown(text));
        let mut age = Self::default();
        let mut rest = text;
        // Each unit once, from the greatest down.
        for unit in ['y', 'm', 'w', 'd', 'h'] {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, behind) = rest.split_at(digits);
            let Some(behind) = behind.strip_prefix(unit) else { continue };
            let number: u16 = number.parse().map_err(|_| wrong())?;
            rest = behind;
            match unit {
                'y' if number < 1000 => age.years = number,
                'm' if number < 12_000 => age.months = number,
                'w' => age.days = u32::from(number) * 7,
                'd' => age.days += u32::from(number),
                'h' => age.hours = u32::from(number),
                _ => return Err(wrong()),
            }
        }
        if rest.is_empty() && age != Self::default() { Ok(age) } else { Err(wrong()) }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { years, months, days, hours } = *self;
        let parts = [(years.into(), 'y'), (months.into(), 'm'), (days, 'd'), (hours, 'h')];
        parts.iter().filter(|(n, _)| *n > 0).try_for_each(|(n, unit)| write!(f, "{n}{unit}"))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest(count) => write!(f, "{count}"),
            Self::All => f.write_str("all"),
            Self::Within(age) => write!(f, "{age}"),
        }
    }
}

impl Unit {
    /// The unit's adverb, as options and reports name it.
    #[must_use]
    pub const fn adverb(self) -> &'static str {
        match self {
            Self::Each => "last",
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Year => "yearly",
        }
    }
}

/// As the option that asks for it, such as `keep-daily 7` or `keep-within-weekly 2y`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spread { unit: Unit::Each, limit: Limit::Within(age) } => {
                write!(f, "keep-within {age}")
            }
            Self::Spread { unit, limit: Limit::Within(age) } => {
                write!(f, "keep-within-{} {age}", unit.adverb())
            }
            Self::Spread { unit, limit } => write!(f, "keep-{} {limit}", unit.adverb()),
            Self::Tags(tags) => write!(f, "keep-tag {}", tags.join(",")),
        }
    }
}
