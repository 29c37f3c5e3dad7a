//! Bugs of other schedulers, planted: a job that runs twice when clocks change, and one that is
//! caught up twice.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use lifeboat::schedule::cron::Cron;
use lifeboat::schedule::local;
use lifeboat::schedule::plan::Due;
use lifeboat::schedule::plan::History;
use lifeboat::schedule::plan::Plan;
use lifeboat::schedule::plan::next;
use lifeboat::units::Timestamp;

use super::oracle::Line;
use crate::support::profile;
use crate::support::tally::Watch;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// In the hour that comes twice in autumn and not at all in spring.
const NIGHTLY: &str = "30 2 * * *";

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn date(ms: i64, zone: &TimeZone) -> Date {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_zoned_datetime(zone.clone()).date()
}

/// A job of each night runs once on each date.
fn once_on_each_date(starts: &[i64], zone: &TimeZone) -> Result<(), String> {
    let mut counts: BTreeMap<Date, u32> = BTreeMap::new();
    for start in starts {
        *counts.entry(date(*start, zone)).or_default() += 1;
    }
    let (first, last) = (counts.keys().next().unwrap(), counts.keys().next_back().unwrap());
    for day in first.series(jiff::Span::new().days(1)).take_while(|day| day <= last) {
        match counts.get(&day) {
            Some(1) => {}
            found => return Err(format!("{day}: {} times", found.unwrap_or(&0))),
        }
    }
    Ok(())
}

#[test]
fn xen_orchestra_4024_twice_is_caught() {
    let watch = Watch::start();
    let zone = local::zone("Europe/Berlin").unwrap();
    let (from, to) = (at("2026-01-01T12:00:00Z"), at("2027-01-01T12:00:00Z"));
    let cron: Cron = NIGHTLY.parse().unwrap();
    let mut starts = Vec::new();
    let mut time = jiff::Timestamp::from_millisecond(from).unwrap();
    while let Some(start) = local::after(&cron, &zone, time) {
        if start.as_millisecond() >= to {
            break;
        }
        starts.push(start.as_millisecond());
        time = start;
    }
    once_on_each_date(&starts, &zone).unwrap();
    // A wall clock is looked at each minute.
    let line = Line::read(NIGHTLY);
    let minutes = (from..to).step_by(usize::try_from(MINUTE_MS).unwrap());
    let fits = |ms: &i64| {
        let time = jiff::Timestamp::from_millisecond(*ms).unwrap();
        let time = time.to_zoned_datetime(zone.clone());
        line.fits(time.datetime())
    };
    let naive: Vec<i64> = minutes.filter(fits).collect();
    let wrong = once_on_each_date(&naive, &zone).unwrap_err();
    println!("xen-orchestra-4024-twice: {wrong}");
    profile::caught("xen-orchestra-4024-twice", watch);
}

/// Whether what was run is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Kept,
    /// Of what is caught up nothing is written down.
    OfTimelyRuns,
}

/// A machine that sleeps for five days and asks every ten minutes after that; slots that it ran.
fn after_a_sleep(memory: Memory) -> Vec<i64> {
    let plan = Plan {
        cron: NIGHTLY.parse().unwrap(),
        zone: local::zone("Asia/Ho_Chi_Minh").unwrap(),
        delay: Duration::ZERO,
        catch_up: Duration::from_secs(20 * 3600),
        window: None,
        deadline: None,
    };
    let start = at("2026-03-01T00:00:00Z");
    let mut history = History::new(Timestamp::from_unix_ms(start));
    let mut ran = Vec::new();
    let wake = start + 5 * DAY_MS;
    for now in (wake..wake + DAY_MS).step_by(usize::try_from(10 * MINUTE_MS).unwrap()) {
        let now = Timestamp::from_unix_ms(now);
        if let Due::Now { slot, .. } = next(&plan, &history, now) {
            ran.push(slot.unix_ms);
            if memory == Memory::Kept {
                history = history.and(slot);
            }
        }
    }
    ran
}

fn none_twice(ran: &[i64]) -> Result<(), String> {
    let mut sorted = ran.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let count = ran.len() - sorted.len();
    if count == 0 { Ok(()) } else { Err(format!("{count} runs too many")) }
}

#[test]
fn kopia_4713_catch_up_twice_is_caught() {
    let watch = Watch::start();
    let ran = after_a_sleep(Memory::Kept);
    assert_eq!(ran.len(), 2, "{ran:?}");
    none_twice(&ran).unwrap();
    let wrong = none_twice(&after_a_sleep(Memory::OfTimelyRuns)).unwrap_err();
    println!("kopia-4713-catch-up-twice: {wrong}");
    profile::caught("kopia-4713-catch-up-twice", watch);
}
