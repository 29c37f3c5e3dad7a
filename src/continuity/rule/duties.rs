//! R17, R26 and R27: what has to be looked at, tested and reported by the calendar.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::continuity::fact::Entries;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::rule::quarter::quarter_of;
use crate::continuity::rule::quarter::year_of;
use crate::continuity::said::Said;
use crate::continuity::said::Value;
use crate::continuity::span::Span;
use crate::continuity::words;
use crate::schedule::work::Period;

const DAY_S: u64 = 24 * 3600;
const TEST_GREEN: Period = Period::Elapsed(std::time::Duration::from_secs(8 * DAY_S));
const TEST_AMBER: Period = Period::Elapsed(std::time::Duration::from_secs(14 * DAY_S));
/// The last day of a month on which the report of the month before is in time.
const MONTH_DUE: i8 = 5;
/// A transition that ends within this many days has to be done with.
const TRANSITION_DAYS: i32 = 180;

impl Look<'_> {
    /// Who holds sealed shares was asked this quarter, and one more than is needed is there.
    pub(super) fn seals(&self, rule: Rule) -> Judged {
        let seals = match self.entries().map(|it| &it.seals) {
            Err(why) => return Judged::of(rule, Colour::Red, why),
            Ok(None) => return Judged::of(rule, Colour::Red, words::SEALS_NEVER.said()),
            Ok(Some(seals)) => seals,
        };
        if !seals.broken.is_empty() {
            let names = Value::List(seals.broken.iter().map(Value::from).collect());
            let reason = words::SEALS_BROKEN.with([names, self.date(seals.at)]);
            return Judged::of(rule, Colour::Red, reason);
        }
        let of = |at| quarter_of(self.plan.calendar.date(at));
        let by_age = match of(self.facts.now) - of(seals.at) {
            ..=0 => Colour::Green,
            1 => Colour::Amber,
            _ => Colour::Red,
        };
        let by_count = match (seals.present, seals.needed) {
            (_, 0) => Colour::Red,
            (present, needed) if present > needed => Colour::Green,
            (present, needed) if present == needed => Colour::Amber,
            _ => Colour::Red,
        };
        let count = |count: u64| Value::from(usize::try_from(count).unwrap_or(usize::MAX));
        let values = [self.date(seals.at), count(seals.present), count(seals.needed)];
        Judged::of(rule, by_age.min(by_count), words::SEALS_AT.with(values))
    }

    /// A failure on purpose was heard within half an hour, a week ago at most.
    pub(super) fn alarm(&self, rule: Rule) -> Judged {
        let tested = match self.entries().map(|it| &it.alarm) {
            Err(why) => return Judged::of(rule, Colour::Red, why),
            Ok(None) => return Judged::of(rule, Colour::Red, words::ALARM_NEVER.said()),
            Ok(Some(tested)) => tested,
        };
        let on = self.date(tested.at);
        if !tested.missed.is_empty() {
            let names = Value::List(tested.missed.iter().map(Value::from).collect());
            return Judged::of(rule, Colour::Red, words::ALARM_MISSED.with([on, names]));
        }
        let colour = self.within_either(tested.at, TEST_GREEN, TEST_AMBER);
        Judged::of(rule, colour, words::ALARM_AT.with([on]))
    }

    /// The reports of the month and of the year that ended last, and the law's transition.
    pub(super) fn reports(&self, rule: Rule) -> Judged {
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(why) => return Judged::of(rule, Colour::Red, why),
        };
        let today = self.plan.calendar.date(self.facts.now);
        let mut tally = Tally::default();
        let month = today.first_of_month();
        let due = month.checked_add(i64::from(MONTH_DUE - 1).days()).unwrap_or(month);
        self.report(&mut tally, entries, (&Span::month_before(today), month, due));
        if let (Some(begun), Some((month, day))) =
            (year_of(today, self.year_begins), self.report_before)
        {
            let late = Date::new(begun.year(), month, day).unwrap_or(begun);
            let due = late.yesterday().unwrap_or(late);
            let name = Span::year_before(today, self.year_begins);
            self.report(&mut tally, entries, (&name, begun, due));
        }
        match self.transition(today) {
            Some((Colour::Green, _)) => tally.green(),
            Some((colour, reason)) => tally.add(colour, reason),
            None => {}
        }
        tally.judged(rule, words::REPORT_NONE)
    }

    /// A report of a period that ended on `ended`, in time until `due`.
    fn report(
        &self,
        tally: &mut Tally,
        entries: &Entries,
        (period, ended, due): (&str, Date, Date),
    ) {
        let known = self.facts.datasets.values().filter_map(|it| it.known_since).min();
        let is_before = known.is_some_and(|since| self.plan.calendar.date(since) >= ended);
        // Before there was anything nobody owes a report.
        if is_before || entries.reports.iter().any(|(_, delivered)| delivered == period) {
            return tally.green();
        }
        let values = [period.into(), due.into()];
        if self.plan.calendar.date(self.facts.now) <= due {
            tally.add(Colour::Amber, words::REPORT_DUE.with(values));
        } else {
            tally.add(Colour::Red, words::REPORT_LATE.with(values));
        }
    }

    fn transition(&self, today: Date) -> Option<(Colour, Said)> {
        let until = self.transition?;
        let reason = words::TRANSITION.with([until.into()]);
        if self.plan.org.transition_met_on.is_some() {
            return Some((Colour::Green, reason));
        }
        let left = today.until(until).map_or(0, |span| span.get_days());
        let colour = match left {
            ..0 => Colour::Red,
            left if left <= TRANSITION_DAYS => Colour::Amber,
            _ => Colour::Green,
        };
        Some((colour, reason))
    }
}
