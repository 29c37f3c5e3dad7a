//! Quarters, and the year of reports.

use jiff::civil::Date;

/// A quarter of a year, counted from the year 0.
pub(in crate::continuity) fn quarter_of(date: Date) -> i32 {
    i32::from(date.year()) * 4 + i32::from(date.month() - 1) / 3
}

/// The day on which the year of reports began that a date lies in.
pub(super) fn year_of(date: Date, (month, day): (i8, i8)) -> Option<Date> {
    let own = Date::new(date.year(), month, day).ok()?;
    if own <= date { Some(own) } else { Date::new(date.year() - 1, month, day).ok() }
}

/// The first 30 November from a date on.
pub(super) fn last_of_november(from: Date) -> Option<Date> {
    let own = Date::new(from.year(), 11, 30).ok()?;
    if own >= from { Some(own) } else { Date::new(from.year() + 1, 11, 30).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn quarters_follow_each_other() {
        assert_eq!(quarter_of(date(2026, 12, 31)) + 1, quarter_of(date(2027, 1, 1)));
        assert_eq!(quarter_of(date(2026, 10, 1)), quarter_of(date(2026, 12, 31)));
        assert_ne!(quarter_of(date(2026, 9, 30)), quarter_of(date(2026, 10, 1)));
    }

    #[test]
    fn a_year_of_reports_begins_in_december() {
        let of = |day| year_of(day, (12, 15));
        assert_eq!(of(date(2026, 12, 14)), Some(date(2025, 12, 15)));
        assert_eq!(of(date(2026, 12, 15)), Some(date(2026, 12, 15)));
        assert_eq!(last_of_november(date(2025, 12, 15)), Some(date(2026, 11, 30)));
        assert_eq!(last_of_november(date(2026, 1, 1)), Some(date(2026, 11, 30)));
    }
}
