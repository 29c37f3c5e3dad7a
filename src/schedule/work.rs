//! Time as an office counts it: working hours and days beside time that merely passes.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::schedule::local;
use crate::units::Timestamp;

/// Days looked through for working hours: more than a century.
const DAYS_MAX: usize = 40_000;
const DAY_S: u64 = 24 * 3600;
/// As many days as half a month has, where a month is halved.
const HALF_MONTH_DAYS: u32 = 15;
/// A Monday; weeks of its year have no change of clocks in UTC.
const A_MONDAY: Date = jiff::civil::date(2024, 1, 1);

/// How long something may take, or may lie back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Elapsed(Duration),
    /// By the calendar.
    Months(u32),
    WorkHours(u32),
    /// As many working hours as so many working days have.
    WorkDays(u32),
}

/// Working hours of a day, in minutes since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    pub from_min: u16,
    pub to_min: u16,
}

/// When an office works.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkCalendar {
    pub zone: TimeZone,
    /// Monday first.
    pub workdays: [bool; 7],
    /// In order, none within another.
    pub hours: Vec<Hours>,
    pub holidays: BTreeSet<Date>,
}

impl Period {
    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        match self {
            Self::Elapsed(time) => time.is_zero(),
            Self::Months(count) | Self::WorkHours(count) | Self::WorkDays(count) => count == 0,
        }
    }
}

/// As it is written in a plan.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Months(count) if *count > 0 && count % 12 == 0 => write!(f, "{}y", count / 12),
            Self::Months(count) => write!(f, "{count}mo"),
            Self::WorkHours(count) => write!(f, "{count}wh"),
            Self::WorkDays(count) => write!(f, "{count}wd"),
            Self::Elapsed(time) => {
                let s = time.as_secs();
                let is_days = s >= 2 * DAY_S || s > DAY_S && s % 3600 != 0;
                let units = [("d", DAY_S), ("h", 3600), ("m", 60), ("s", 1)];
                let units = if is_days { &units[..] } else { &units[1..] };
                let mut left = s;
                for (unit, unit_s) in units {
                    if left >= *unit_s {
                        write!(f, "{}{unit}", left / unit_s)?;
                        left %= unit_s;
                    }
                }
                if s == 0 { f.write_str("0s") } else { Ok(()) }
            }
        }
    }
}

fn ms(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(at.as_millisecond())
}

impl WorkCalendar {
    /// Working seconds of a working day.
    #[must_use]
    pub fn day_s(&self) -> u64 {
        let minutes = |hours: &Hours| u64::from(hours.to_min.saturating_sub(hours.from_min));
        self.hours.iter().map(minutes).sum::<u64>() * 60
    }

    /// The date that the office's calendar shows.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        let at = jiff::Timestamp::from_millisecond(at.unix_ms).unwrap_or_default();
        self.zone.to_datetime(at).date()
    }

    /// Midnight at which a date begins.
    #[must_use]
    pub fn start_of(&self, date: Date) -> Timestamp {
        let first = local::first(&self.zone, date.to_datetime(jiff::civil::Time::midnight()));
        first.map_or(Timestamp::from_unix_ms(i64::MAX), ms)
    }

    #[must_use]
    pub fn is_workday(&self, date: Date) -> bool {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.workdays.get(day).copied().unwrap_or(false) && !self.holidays.contains(&date)
    }

    /// When as many halves of a period as said have passed since `from`; two are the period itself.
    #[must_use]
    pub fn after(&self, from: Timestamp, period: Period, halves: u32) -> Timestamp {
        let never = Timestamp::from_unix_ms(i64::MAX);
        let start = jiff::Timestamp::from_millisecond(from.unix_ms).unwrap_or_default();
        let work = |seconds: u64| seconds.saturating_mul(u64::from(halves)) / 2;
        match period {
            Period::Elapsed(time) => {
                let half = i64::try_from(time.as_millis() / 2).unwrap_or(i64::MAX);
                let all = half.saturating_mul(i64::from(halves));
                Timestamp::from_unix_ms(from.unix_ms.saturating_add(all))
            }
            Period::Months(count) => {
                let all = count.saturating_mul(halves);
                let days = if all % 2 == 1 { HALF_MONTH_DAYS } else { 0 };
                let span = Span::new().try_months(all / 2).and_then(|it| it.try_days(days));
                let end = span.and_then(|span| self.zone.to_datetime(start).checked_add(span));
                let end = end.ok().and_then(|end| local::first(&self.zone, end));
                end.map_or(never, ms)
            }
            Period::WorkHours(count) => self.worked(start, work(u64::from(count) * 3600)),
            Period::WorkDays(count) => {
                self.worked(start, work(u64::from(count).saturating_mul(self.day_s())))
            }
        }
    }

    fn worked(&self, from: jiff::Timestamp, seconds: u64) -> Timestamp {
        let mut left = i64::try_from(seconds).unwrap_or(i64::MAX);
        let mut date = self.zone.to_datetime(from).date();
        if left == 0 {
            return ms(from);
        }
        for _ in 0..DAYS_MAX {
            for (start, end) in self.spans(date) {
                let start = start.max(from);
                let here = end.as_second().saturating_sub(start.as_second());
                if here >= left {
                    return Timestamp::from_unix_ms(start.as_millisecond() + left * 1000);
                }
                left -= here.max(0);
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
        Timestamp::from_unix_ms(i64::MAX)
    }

    /// Working hours of a date as points in time.
    fn spans(&self, date: Date) -> Vec<(jiff::Timestamp, jiff::Timestamp)> {
        if !self.is_workday(date) {
            return Vec::new();
        }
        let midnight: DateTime = date.to_datetime(jiff::civil::Time::midnight());
        let at = |minutes: u16| {
            let shown = midnight.checked_add(Span::new().minutes(minutes)).ok()?;
            local::first(&self.zone, shown)
        };
        let span = |hours: &Hours| Some((at(hours.from_min)?, at(hours.to_min)?));
        self.hours.iter().filter_map(span).collect()
    }

    /// What a period is where people work at it all the time: a working hour is an hour, a month
    /// has thirty days.
    #[must_use]
    pub fn effort_s(&self, period: Period) -> u64 {
        match period {
            Period::Elapsed(time) => time.as_secs(),
            Period::Months(count) => u64::from(count) * 30 * DAY_S,
            Period::WorkHours(count) => u64::from(count) * 3600,
            Period::WorkDays(count) => u64::from(count).saturating_mul(self.day_s()),
        }
    }

    /// How long a period takes that begins with the first working hour of a week without holidays.
    #[must_use]
    pub fn from_monday_s(&self, period: Period) -> u64 {
        let usual = Self { zone: TimeZone::UTC, holidays: BTreeSet::new(), ..self.clone() };
        let midnight = usual.start_of(A_MONDAY);
        let start = jiff::Timestamp::from_millisecond(midnight.unix_ms).unwrap_or_default();
        let first = usual.worked(start, 1);
        let from = Timestamp::from_unix_ms(first.unix_ms.saturating_sub(1000));
        let took_ms = usual.after(from, period, 2).ms_since(from);
        u64::try_from(took_ms / 1000).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> WorkCalendar {
        let hours = |from: u16, to: u16| Hours { from_min: from, to_min: to };
        WorkCalendar {
            zone: local::zone("Asia/Ho_Chi_Minh").unwrap(),
            workdays: [true, true, true, true, true, false, false],
            hours: vec![hours(7 * 60, 11 * 60 + 30), hours(13 * 60 + 30, 17 * 60)],
            holidays: BTreeSet::from([jiff::civil::date(2027, 1, 1)]),
        }
    }

    fn at(text: &str) -> Timestamp {
        ms(text.parse().unwrap())
    }

    #[test]
    fn working_hours_skip_noon_nights_weekends_and_holidays() {
        let office = office();
        let after = |from: &str, hours: u32| office.after(at(from), Period::WorkHours(hours), 2);
        // Thursday morning to its end; Thursday at noon over the holiday to Monday.
        assert_eq!(after("2026-12-31T07:00:00+07", 8), at("2026-12-31T17:00:00+07"));
        assert_eq!(after("2026-12-31T12:00:00+07", 4), at("2027-01-04T07:30:00+07"));
        assert_eq!(after("2026-12-26T03:00:00+07", 1), at("2026-12-28T08:00:00+07"));
        assert_eq!(after("2026-12-28T11:30:00+07", 0), at("2026-12-28T11:30:00+07"));
        let day = office.after(at("2026-12-28T16:00:00+07"), Period::WorkDays(1), 2);
        assert_eq!(day, at("2026-12-29T16:00:00+07"));
        assert_eq!(office.day_s(), 8 * 3600);
    }

    #[test]
    fn halves_stretch_a_period() {
        let office = office();
        let from = at("2026-01-31T10:00:00+07");
        let day = Period::Elapsed(Duration::from_secs(24 * 3600));
        assert_eq!(office.after(from, day, 3), at("2026-02-01T22:00:00+07"));
        assert_eq!(office.after(from, Period::Months(1), 2), at("2026-02-28T10:00:00+07"));
        assert_eq!(office.after(from, Period::Months(1), 3), at("2026-03-15T10:00:00+07"));
        assert_eq!(office.after(from, Period::Months(3), 3), at("2026-06-15T10:00:00+07"));
        assert_eq!(office.after(from, Period::Months(u32::MAX), 2).unix_ms, i64::MAX);
    }

    #[test]
    fn a_calendar_without_hours_never_ends() {
        let idle = WorkCalendar { workdays: [false; 7], ..office() };
        let end = idle.after(at("2026-01-01T00:00:00Z"), Period::WorkHours(1), 2);
        assert_eq!(end.unix_ms, i64::MAX);
        assert!(idle.from_monday_s(Period::WorkHours(1)) < u64::MAX);
    }

    #[test]
    fn periods_compare_as_effort_and_as_time_from_monday() {
        let office = office();
        assert_eq!(office.effort_s(Period::WorkDays(2)), 16 * 3600);
        assert_eq!(office.from_monday_s(Period::WorkHours(8)), 10 * 3600);
        assert_eq!(office.from_monday_s(Period::WorkHours(9)), 25 * 3600);
        assert_eq!(office.from_monday_s(Period::Elapsed(Duration::from_secs(7))), 7);
    }

    #[test]
    fn periods_are_written_as_they_are_read() {
        let hours = |hours: u64| Period::Elapsed(Duration::from_secs(hours * 3600)).to_string();
        assert_eq!([hours(24), hours(8), hours(72), hours(25)], ["24h", "8h", "3d", "25h"]);
        assert_eq!(Period::Elapsed(Duration::from_secs(90)).to_string(), "1m30s");
        assert_eq!(Period::Months(60).to_string(), "5y");
        assert_eq!(Period::Months(1).to_string(), "1mo");
        assert_eq!(Period::WorkDays(1).to_string(), "1wd");
    }
}
