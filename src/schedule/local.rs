//! From the times that a wall clock shows to points in time.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;
use jiff::tz::TimeZone;
use jiff::tz::TimeZoneDatabase;

use crate::schedule::cron::Cron;

/// A zone of the database that this program carries: the same rules on every machine.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// Names of all zones.
#[must_use]
pub fn zones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// When a clock in `zone` first shows `local` or, if it skips that, the first moment after.
#[must_use]
pub fn first(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // By the clock that comes later, the skipped moment lies before the change.
            let before = after.to_timestamp(local).ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
    }
}

/// The first slot of `cron` after `at`.
#[must_use]
pub fn after(cron: &Cron, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let mut local = zone.to_datetime(at);
    loop {
        local = cron.after(local)?;
        // What a clock shows a second time has been.
        let slot = first(zone, local)?;
        if slot > at {
            return Some(slot);
        }
    }
}

/// The last slot of `cron` at `at` or before.
#[must_use]
pub fn latest(cron: &Cron, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let shown = zone.to_datetime(at);
    let mut found = None;
    let mut local = shown;
    // Where a clock shows an hour again, slots that it shows later have been.
    while let Some(later) = cron.after(local) {
        match first(zone, later) {
            Some(slot) if slot <= at => found = Some(slot),
            _ => break,
        }
        local = later;
    }
    if found.is_some() {
        return found;
    }
    let next = shown.checked_add(jiff::Span::new().seconds(1)).ok()?;
    first(zone, cron.before(next.with().subsec_nanosecond(0).build().ok()?)?)
}
