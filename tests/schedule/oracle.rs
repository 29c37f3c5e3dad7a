//! A slow second opinion: looks at a wall clock step by step and shares no code with the product.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const NAMES: [(&str, [&str; 12]); 2] = [
    ("month", ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("weekday", ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "", "", "", "", ""]),
];

/// One field, taken apart: stars, steps and ranges.
struct Terms(Vec<(u32, u32, u32)>);

impl Terms {
    fn read(text: &str, kind: &str) -> Self {
        let value = |word: &str| -> u32 {
            let lower = word.to_lowercase();
            for (name, names) in NAMES {
                if let Some(at) = names.iter().position(|n| *n == lower).filter(|_| name == kind) {
                    return u32::try_from(at).unwrap() + u32::from(kind == "month");
                }
            }
            word.parse().unwrap()
        };
        let first = if kind == "month" || kind == "day" { 1 } else { 0 };
        let term = |part: &str| {
            let mut halves = part.split('/');
            let range = halves.next().unwrap();
            let step = halves.next().map_or(1, |step| step.parse().unwrap());
            let mut ends = range.split('-');
            match (range, ends.next().unwrap(), ends.next()) {
                ("*", _, _) => (first, 99, step),
                (_, low, Some(high)) => (value(low), value(high), step),
                (_, one, None) => (value(one), value(one), step),
            }
        };
        Self(text.split(',').map(term).collect())
    }

    fn fits(&self, number: u32) -> bool {
        self.0.iter().any(|(low, high, step)| {
            *low <= number && number <= *high && (number - low).is_multiple_of(*step)
        })
    }
}

/// A crontab line's five fields.
pub struct Line {
    minute: Terms,
    hour: Terms,
    day: Terms,
    month: Terms,
    weekday: Terms,
    /// Both day and weekday begin with something else than a star: either will do.
    either: bool,
}

impl Line {
    pub fn read(text: &str) -> Self {
        let parts: Vec<&str> = text.split(' ').collect();
        let [minute, hour, day, month, weekday] = parts[..] else { panic!("{text}") };
        Self {
            minute: Terms::read(minute, "minute"),
            hour: Terms::read(hour, "hour"),
            day: Terms::read(day, "day"),
            month: Terms::read(month, "month"),
            weekday: Terms::read(weekday, "weekday"),
            either: !day.starts_with('*') && !weekday.starts_with('*'),
        }
    }

    pub fn fits(&self, time: DateTime) -> bool {
        let number = |n: i8| u32::try_from(n).unwrap();
        let sunday_first = number(time.weekday().to_sunday_zero_offset());
        // Sunday is 7 too.
        let weekday = self.weekday.fits(sunday_first) || sunday_first == 0 && self.weekday.fits(7);
        let day = self.day.fits(number(time.day()));
        self.minute.fits(number(time.minute()))
            && self.hour.fits(number(time.hour()))
            && self.month.fits(number(time.month()))
            && if self.either { day || weekday } else { day && weekday }
    }
}

/// What a wall clock shows from one moment on, step by step.
pub struct Clock {
    /// Moments in order, with all minutes that the clock shows or skips there for the first time.
    pub steps: Vec<(Timestamp, Vec<DateTime>)>,
}

impl Clock {
    /// From `from` until `to`, in seconds since 1970. Nothing may come twice just before `from`.
    pub fn watch(zone: &TimeZone, from: i64, to: i64) -> Self {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let offset = |second: i64| zone.to_offset(at(second)).seconds();
        // Some zones were off by seconds once.
        let is_even = (from..=to).step_by(3600).chain([from, to]).all(|s| offset(s) % 60 == 0);
        let step = if is_even { 60 } else { 5 };
        let mut steps = Vec::new();
        let minute = |second: i64| zone.to_datetime(at(second)).with().second(0).build().unwrap();
        let mut high = minute(from);
        for second in (from..=to).step_by(step) {
            let shown = minute(second);
            let mut new = Vec::new();
            while high < shown {
                high = high.checked_add(jiff::Span::new().minutes(1)).unwrap();
                new.push(high);
            }
            if !new.is_empty() {
                steps.push((at(second), new));
            }
        }
        Self { steps }
    }

    /// When the line comes.
    pub fn slots(&self, line: &Line) -> Vec<Timestamp> {
        let comes = |(_, new): &&(Timestamp, Vec<DateTime>)| new.iter().any(|&t| line.fits(t));
        self.steps.iter().filter(comes).map(|(at, _)| *at).collect()
    }
}
