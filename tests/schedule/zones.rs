//! Slots around the transitions of zones, compared with a clock that is looked at step by step.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lifeboat::schedule::cron::Cron;
use lifeboat::schedule::local;

use crate::schedule::oracle::Clock;
use crate::schedule::oracle::Line;
use crate::support::profile::Profile;
use crate::support::profile::seed;
use crate::support::tally::Tally;

/// Zones with whole and half hours of summer time, none, one that goes back in Ramadan, a quarter.
const SAMPLE: [&str; 8] = [
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Monrovia",
];

const LINES: [&str; 14] = [
    "0 * * * *",
    "30 * * * *",
    "*/10 * * * *",
    "*/7 1-3 * * *",
    "0 0 * * *",
    "30 2 * * *",
    "15 1,2,3 * * *",
    "59 23 * * *",
    "30 0 1 * *",
    "0 2 29-31 * *",
    "30 1 31 */2 *",
    "45 2 * * 0",
    "0 3 1 * sun,mon",
    "20 2 28-31 3,10 6-7",
];

const HOUR: i64 = 3600;
/// 1970 until 2037.
const ERA: (i64, i64) = (0, 2_145_916_800);

fn transitions(zone: &TimeZone) -> Vec<i64> {
    let start = Timestamp::from_second(ERA.0).unwrap();
    let all = zone.following(start).map(|change| change.timestamp().as_second());
    all.take_while(|second| *second < ERA.1).collect()
}

/// Slots, and what was last at some moments, around one transition; how many questions were asked.
fn compare(name: &str, zone: &TimeZone, change: i64, lines: &[(Cron, Line, &str)]) -> u64 {
    // Far enough before for what a clock shows twice, far enough behind for what it skips.
    let around =
        (zone.following(Timestamp::from_second(change - 1).unwrap()).next()).map_or(0, |found| {
            let before = Timestamp::from_second(change - 1).unwrap();
            i64::from(found.offset().seconds() - zone.to_offset(before).seconds()).abs()
        });
    let (from, to) = (change - 3 * HOUR - around, change + 4 * HOUR + around);
    let clock = Clock::watch(zone, from, to);
    let mut asked = 0;
    for (cron, line, text) in lines {
        let expected = clock.slots(line);
        let mut found = Vec::new();
        let mut at = Timestamp::from_second(from).unwrap();
        let end = Timestamp::from_second(to).unwrap();
        while let Some(slot) = local::after(cron, zone, at).filter(|slot| *slot <= end) {
            found.push(slot);
            at = slot;
        }
        assert_eq!(found, expected, "{name}, around {change}: `{text}`");
        for second in (change - HOUR - around..to).step_by(2377) {
            let at = Timestamp::from_second(second).unwrap();
            let Some(last) = expected.iter().rev().find(|slot| **slot <= at) else { continue };
            let found = local::latest(cron, zone, at);
            assert_eq!(found, Some(*last), "{name}, at {at}: the last of `{text}`");
            asked += 1;
        }
        asked += 1;
    }
    asked
}

#[test]
fn slots_are_those_of_a_clock_that_is_looked_at() {
    let profile = Profile::of_process();
    let lines: Vec<(Cron, Line, &str)> =
        LINES.iter().map(|text| (text.parse().unwrap(), Line::read(text), *text)).collect();
    let all = local::zones();
    assert!(all.len() > 400, "{} zones only", all.len());
    let mut names: Vec<&str> = all.iter().map(String::as_str).collect();
    if profile == Profile::Quick {
        names.retain(|name| SAMPLE.contains(name));
        assert_eq!(names.len(), SAMPLE.len(), "{names:?}");
    }
    let mut tally = Tally::start("h10-calendars", seed());
    for name in names {
        let zone = local::zone(name).unwrap();
        for change in transitions(&zone) {
            tally.count("transitions", 1);
            tally.trials += compare(name, &zone, change, &lines);
        }
        tally.count("zones", 1);
    }
    tally.finish();
}

#[test]
fn a_skipped_hour_comes_after_and_a_repeated_one_once() {
    let slots = |name: &str, text: &str, from: &str, count: usize| {
        let (zone, cron): (_, Cron) = (local::zone(name).unwrap(), text.parse().unwrap());
        let mut at: Timestamp = from.parse().unwrap();
        let next = |_| {
            at = local::after(&cron, &zone, at).unwrap();
            at.to_string()
        };
        (0..count).map(next).collect::<Vec<_>>()
    };
    // Clocks go from 02:00 to 03:00: the run of 02:30 is at 03:00, and only one.
    assert_eq!(
        slots("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    // And from 03:00 back to 02:00.
    assert_eq!(
        slots("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // Samoa had no 30 December 2011.
    assert_eq!(
        slots("Pacific/Apia", "0 12 * * *", "2011-12-29T12:00:00Z", 3),
        ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]
    );
}
