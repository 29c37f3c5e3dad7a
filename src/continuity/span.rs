//! The period of a report: a month, or a year as the legal frame begins it.

use jiff::civil::Date;

use crate::schedule::work::WorkCalendar;
use crate::units::Timestamp;

const YEAR_CHARS: usize = 4;

/// A month or a year, by the office's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    name: String,
    pub first: Date,
    /// The day after the last one.
    end: Date,
    pub from: Timestamp,
    /// Not in it any more.
    pub until: Timestamp,
}

/// A text that is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as `2026-12` or a year such as `2026`, found `{found}`")]
pub struct SpanError {
    found: String,
}

impl Span {
    /// Reads `2026-12` or `2026`. A year ends before the day on which the next one begins: with
    /// (12, 15) the year 2026 runs from 15 December 2025 to 14 December 2026, with (1, 1) it is
    /// that of the calendar.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(
        text: &str,
        calendar: &WorkCalendar,
        year_begins: (i8, i8),
    ) -> Result<Self, SpanError> {
        let wrong = || SpanError { found: text.chars().take(40).collect() };
        let days = if text.len() == YEAR_CHARS { year(text, year_begins) } else { month(text) };
        let (first, end) = days.ok_or_else(wrong)?;
        let (from, until) = (calendar.start_of(first), calendar.start_of(end));
        Ok(Self { name: text.to_owned(), first, end, from, until })
    }

    /// The name of the month before the one that a date lies in.
    #[must_use]
    pub fn month_before(date: Date) -> String {
        let before = date.first_of_month().yesterday().unwrap_or(date);
        format!("{:04}-{:02}", before.year(), before.month())
    }

    /// The name of the year of reports that ended last before a date.
    #[must_use]
    pub fn year_before(date: Date, year_begins: (i8, i8)) -> String {
        let (month, day) = year_begins;
        let has_begun = Date::new(date.year(), month, day).is_ok_and(|begun| begun <= date);
        let begun = if has_begun { date.year() } else { date.year() - 1 };
        // One that begins late in the year before is called after the year in which it ends.
        let name = if year_begins == (1, 1) { begun - 1 } else { begun };
        format!("{name:04}")
    }

    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        at >= self.from && at < self.until
    }

    #[must_use]
    pub fn last(&self) -> Date {
        self.end.yesterday().unwrap_or(self.first)
    }

    #[must_use]
    pub fn is_year(&self) -> bool {
        self.name.len() == YEAR_CHARS
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

fn month(text: &str) -> Option<(Date, Date)> {
    let first: Date = format!("{text}-01").parse().ok()?;
    let is_whole = text == format!("{:04}-{:02}", first.year(), first.month());
    let end = first.last_of_month().tomorrow().ok()?;
    is_whole.then_some((first, end))
}

fn year(text: &str, (month, day): (i8, i8)) -> Option<(Date, Date)> {
    let year: i16 = text.parse().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()))?;
    // One that begins late in the year before is called after the year in which it ends.
    let (first, end) = if (month, day) == (1, 1) { (year, year + 1) } else { (year - 1, year) };
    Some((Date::new(first, month, day).ok()?, Date::new(end, month, day).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> WorkCalendar {
        WorkCalendar {
            zone: crate::schedule::local::zone("Asia/Ho_Chi_Minh").unwrap(),
            workdays: [true, true, true, true, true, false, false],
            hours: Vec::new(),
            holidays: Default::default(),
        }
    }

    #[test]
    fn months_and_years_begin_at_midnight_of_the_office() {
        let span = |text: &str, begins| Span::parse(text, &calendar(), begins).unwrap();
        let month = span("2026-12", (1, 1));
        assert_eq!(
            (month.first.to_string(), month.last().to_string()),
            ("2026-12-01".to_owned(), "2026-12-31".to_owned())
        );
        let at = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_unix_ms(at.as_millisecond())
        };
        assert!(month.holds(at("2026-12-01T00:00:00+07:00")));
        assert!(!month.holds(at("2026-11-30T23:59:59.999+07:00")));
        assert!(month.holds(at("2026-12-31T23:59:59.999+07:00")));
        assert!(!month.holds(at("2027-01-01T00:00:00+07:00")));
        let year = span("2026", (12, 15));
        assert_eq!(
            (year.first.to_string(), year.last().to_string()),
            ("2025-12-15".to_owned(), "2026-12-14".to_owned())
        );
        let year = span("2026", (1, 1));
        assert_eq!(
            (year.first.to_string(), year.last().to_string()),
            ("2026-01-01".to_owned(), "2026-12-31".to_owned())
        );
        assert!(year.is_year() && !month.is_year());
        for wrong in ["", "26", "2026-1", "2026-13", "-026", "20 6", "2026-12-01", "năm"] {
            let error = Span::parse(wrong, &calendar(), (1, 1)).unwrap_err().to_string();
            assert!(error.contains("2026-12"), "{wrong}: {error}");
        }
        assert_eq!(Span::month_before(Date::new(2027, 1, 5).unwrap()), "2026-12");
    }
}
