//! The hours in which a job may start.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::schedule::local;

/// From one time of day until another, such as `20:00-06:00`; the end belongs to it no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: Time,
    until: Time,
}

/// A text that is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected two times of day that differ, such as `20:00-06:00`, found `{0}`")]
pub struct WindowError(String);

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let parse = || {
            let (from, until) = text.split_once('-')?;
            let window = Self { from: time_of_day(from)?, until: time_of_day(until)? };
            (window.from != window.until).then_some(window)
        };
        parse().ok_or_else(|| WindowError(text.chars().take(80).collect()))
    }
}

/// `HH:MM`; `24:00` is the end of a day.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_two = |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_two(hour) || !is_two(minute) {
        return None;
    }
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    match (hour, minute) {
        (24, 0) => Some(Time::midnight()),
        _ => Time::new(hour, minute, 0, 0).ok(),
    }
}

impl Window {
    fn has(&self, time: Time) -> bool {
        if self.from < self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }

    /// `at` if it lies in the window, else when the window opens next.
    #[must_use]
    pub fn from(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let shown = zone.to_datetime(at);
        if self.has(shown.time()) {
            return Some(at);
        }
        let mut date = shown.date();
        loop {
            let open = local::first(zone, date.to_datetime(self.from))?;
            if open >= at {
                return Some(open);
            }
            date = date.tomorrow().ok()?;
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{}-{}", from.strftime("%H:%M"), until.strftime("%H:%M"))
    }
}
