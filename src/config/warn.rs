//! What is allowed and probably not meant.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Config;
use crate::config::job::Backup;
use crate::config::job::Schedule;
use crate::config::read::Reader;
use crate::schedule::local;
use crate::units::Timestamp;

/// Of a channel; whoever has the record takes it back.
pub const UNTESTED: &str = "untested: there is no record that a message has arrived";

/// Slots looked at for the longest time between two: at least so many, and for so long.
const SLOTS_MIN: usize = 13;
const SLOTS_MAX: usize = 1000;
const LOOK_S: i64 = 15 * 24 * 3600;

/// Notes everything; `now` is where schedules are looked at from.
pub(super) fn warn(config: &Config, reader: &Reader<'_>, now: Timestamp) {
    for backup in &config.backups {
        let key = format!("backup.{}", backup.name);
        let others = reachable(config, &backup.storage);
        if others.is_empty() {
            let what = format!(
                "no second location: no [[copy]] takes storage {} elsewhere",
                backup.storage
            );
            reader.warn(backup.at, &key, what);
        }
        if backup.retention.is_none() {
            reader.warn(backup.at, &key, "no retention: every snapshot is kept");
        }
        age(config, reader, (backup, &key, now));
        drills(config, reader, (backup, &key, &others));
    }
    told(config, reader);
    kept(config, reader);
}

/// Storages that copies reach from one.
pub(super) fn reachable(config: &Config, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![from.to_owned()];
    while let Some(storage) = waiting.pop() {
        for copy in config.copies.iter().filter(|copy| copy.from == storage) {
            for to in copy.to.iter().filter(|to| *to != from) {
                if found.insert(to.clone()) {
                    waiting.push(to.clone());
                }
            }
        }
    }
    found
}

fn age(config: &Config, reader: &Reader<'_>, (backup, key, now): (&Backup, &str, Timestamp)) {
    let Some(age_max) = backup.expect.age_max else {
        reader.warn(backup.at, key, "no expect.age_max: nobody is told if nothing arrives");
        return;
    };
    let Some(period) = longest(&backup.schedule, now) else { return };
    if period > age_max {
        let what = format!(
            "expect.age_max is {}, and up to {} lie between two runs",
            shown(age_max),
            shown(period)
        );
        reader.warn(backup.at, key, what);
        return;
    }
    let copies = config.copies.iter().filter(|copy| copy.from == backup.storage);
    let best = copies.filter_map(|copy| longest(&copy.schedule, now)).min();
    if let Some(copied) = best.map(|copy| copy + period).filter(|copied| *copied > age_max) {
        let what = format!(
            "expect.age_max is {}, and a second location may be {} behind",
            shown(age_max),
            shown(copied)
        );
        reader.warn(backup.at, key, what);
    }
}

/// Longest time from one run to the next, jitter included.
fn longest(schedule: &Schedule, now: Timestamp) -> Option<Duration> {
    let zone = local::zone(&schedule.time_zone)?;
    let start = jiff::Timestamp::from_millisecond(now.unix_ms).ok()?;
    let mut slot = local::after(&schedule.cron, &zone, start)?;
    let end = slot.as_second() + LOOK_S;
    let mut longest = 0;
    for count in 0..SLOTS_MAX {
        if count >= SLOTS_MIN && slot.as_second() > end {
            break;
        }
        let Some(next) = local::after(&schedule.cron, &zone, slot) else { break };
        longest = longest.max(next.as_second() - slot.as_second());
        slot = next;
    }
    u64::try_from(longest).ok().map(Duration::from_secs)
}

/// `1d 2h 30m`.
fn shown(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let parts = [(minutes / 1440, "d"), (minutes / 60 % 24, "h"), (minutes % 60, "m")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let text: Vec<String> = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { format!("{}s", time.as_secs()) } else { text.join(" ") }
}

/// Where there are drills, they draw from all that their storage holds.
fn drills(
    config: &Config,
    reader: &Reader<'_>,
    (backup, key, others): (&Backup, &str, &BTreeSet<String>),
) {
    let held = |storage: &String| *storage == backup.storage || others.contains(storage);
    if !config.drills.iter().any(|drill| held(&drill.storage)) {
        reader.warn(backup.at, key, "in no drill: nothing will prove that it comes back");
    }
    for drill in config.drills.iter().filter(|drill| drill.datasets.contains(&backup.name)) {
        if !held(&drill.storage) {
            let what = format!(
                "drill {} wants it from storage {}, where no copy takes it",
                drill.name, drill.storage
            );
            reader.warn(drill.at, key, what);
        }
    }
}

fn told(config: &Config, reader: &Reader<'_>) {
    if config.notify.is_empty() {
        reader.warn(0, "notify", "nobody is told of failures");
    }
    let reports = config.drills.iter().filter_map(|drill| drill.report.as_ref());
    let used: BTreeSet<&String> = config
        .notify
        .iter()
        .flat_map(|notify| &notify.to)
        .chain(reports.flat_map(|report| &report.to))
        .chain(config.reports.iter().flat_map(|report| &report.to))
        .collect();
    for name in config.channels.keys() {
        let what = if used.contains(name) { UNTESTED } else { "nothing is sent there" };
        let key = format!("channel.{name}");
        reader.warn(reader.at(&key), &key, what);
    }
}

fn kept(config: &Config, reader: &Reader<'_>) {
    let named: BTreeSet<&String> = config.backups.iter().map(|backup| &backup.storage).collect();
    let copied = config.copies.iter().flat_map(|copy| &copy.to);
    let used: BTreeSet<&String> = named.into_iter().chain(copied).collect();
    for name in &used {
        if !config.maintenance.storages.contains(name) {
            let key = format!("storage.{name}");
            reader.warn(
                reader.at(&key),
                &key,
                "not in maintenance.storages: nothing is forgotten or checked",
            );
        }
    }
    if config.maintenance.check.is_none() && !used.is_empty() {
        reader.warn(
            reader.at("maintenance"),
            "maintenance",
            "no check: nobody reads what is stored",
        );
    }
    for name in config.storages.keys().filter(|name| !used.contains(name)) {
        let key = format!("storage.{name}");
        reader.warn(reader.at(&key), &key, "nothing is stored there");
    }
    for name in config.retentions.keys() {
        let is_used = |backup: &Backup| backup.retention.as_ref() == Some(name);
        if !config.backups.iter().any(is_used) {
            let key = format!("retention.{name}");
            reader.warn(reader.at(&key), &key, "no backup names it");
        }
    }
}
