//! `notify provoke`: a failure on purpose, and whether it was heard.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use crate::catalogue::Catalogue;
use crate::catalogue::query::RunFilter;
use crate::catalogue::query::RunRow;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::daemon::telling as texts;
use crate::cli::open;
use crate::cli::verb::continuity::ledgers::ALARM;
use crate::cli::verb::continuity::ledgers::ALARM_MISSED;
use crate::cli::verb::daemon::status;
use crate::cli::verb::drill::ledger;
use crate::config::Config;
use crate::config::tell::Event;
use crate::daemon::job::ALARM_TEST;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::notify::alarm::PROVOKED;
use crate::units::Timestamp;

/// Whoever is not told within this is not told in time.
const LIMIT_MS: i64 = 30 * 60 * 1000;
/// A failure on purpose that is older is one of another week.
const FRESH_MS: i64 = 2 * LIMIT_MS;
/// Runs that are looked at, from the newest back.
const RUNS_MAX: u32 = 16;

/// Whether each channel took the alarm.
#[derive(Debug, Serialize)]
struct Heard {
    /// When the failure was provoked, in milliseconds since 1970.
    provoked_ms: i64,
    /// Seconds until each channel that hears of failures had taken it.
    told_s: BTreeMap<String, i64>,
    missed: Vec<String>,
}

pub(super) fn run(context: &Context) -> Result<Ended, Failure> {
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let hearers = hearers(config);
    if hearers.is_empty() {
        return Err(Failure::usage(texts::NOBODY_HEARS, texts::ADD_NOTIFY));
    }
    let now = context.run.clock.now();
    let Some(catalogue) = status::catalogue(config, now)? else {
        return Err(Failure::new(Exit::Failed, texts::NO_DAEMON, texts::START_DAEMON));
    };
    let unreadable = |error| status::unreadable(config, &error);
    let filter = RunFilter { job: Some(ALARM_TEST), before: None };
    let runs = catalogue.runs(filter, RUNS_MAX).map_err(unreadable)?;
    let Some(provoked_ms) = provoked(runs.iter().map(|(_, run)| run), now) else {
        return Err(failing(texts::PROVOKED));
    };
    let heard = heard(&catalogue, &hearers, provoked_ms).map_err(unreadable)?;
    if !heard.missed.is_empty() && now.unix_ms - provoked_ms < LIMIT_MS {
        return Err(failing(texts::NOT_HEARD_YET));
    }
    keep(context, &heard)?;
    let missed = heard.missed.join(", ");
    context.output.report("alarm_test", &heard, || match heard.missed.is_empty() {
        true => texts::ALL_HEARD.with("count", heard.told_s.len()),
        false => texts::NOT_HEARD.with("channels", missed.as_str()),
    })?;
    if heard.missed.is_empty() {
        return Ok(Ended::done());
    }
    let message = texts::NOT_HEARD.with("channels", missed);
    Err(Failure::new(Exit::Failed, message, texts::SEE_ANSWERS))
}

/// Exit code of what is to be looked at again.
fn failing(text: crate::cli::language::text::Text) -> Failure {
    Failure::new(Exit::Busy, text, texts::NOTHING_TO_DO)
}

/// Channels that some rule tells of failed jobs.
fn hearers(config: &Config) -> BTreeSet<String> {
    let rules = config.notify.iter().filter(|rule| rule.on.contains(&Event::Failed));
    rules.flat_map(|rule| rule.to.iter().cloned()).collect()
}

/// When the failure that is waited for was provoked: the first of the failures on purpose that
/// stand at the end; none if the last of them was long ago, or is done with.
fn provoked<'r>(runs: impl Iterator<Item = &'r RunRow>, now: Timestamp) -> Option<i64> {
    // The newest is at work: it is this one.
    let ended = runs.filter(|run| run.outcome.is_some());
    let is_it = |run: &&RunRow| {
        let is_fresh = now.unix_ms - run.started_ms < FRESH_MS;
        is_fresh && run.outcome == Some("failed") && run.exit_code == Some(i64::from(PROVOKED))
    };
    ended.take_while(is_it).map(|run| run.started_ms).min()
}

fn heard(
    catalogue: &Catalogue,
    hearers: &BTreeSet<String>,
    provoked_ms: i64,
) -> Result<Heard, crate::catalogue::CatalogueError> {
    let told = catalogue.messages_told()?;
    let mut heard = Heard { provoked_ms, told_s: BTreeMap::new(), missed: Vec::new() };
    for channel in hearers {
        let own = told.iter().filter(|row| row.job == ALARM_TEST && row.channel == *channel);
        let own = own.filter(|row| row.event == Event::Failed.word());
        let at = own
            .filter_map(|row| row.told_ms)
            .find(|at| (provoked_ms..=provoked_ms.saturating_add(LIMIT_MS)).contains(at));
        match at {
            Some(at) => drop(heard.told_s.insert(channel.clone(), (at - provoked_ms) / 1000)),
            None => heard.missed.push(channel.clone()),
        }
    }
    Ok(heard)
}

/// Says in the ledger who was told, by the names of channels.
fn keep(context: &Context, heard: &Heard) -> Result<(), Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let mut ledger = ledger::founded(context, &storage, &unlocked)?;
    let writer = ledger::office(&unlocked);
    let document = json!({
        "schema": Kind::Custody.schema(),
        "provoked_ms": heard.provoked_ms,
        "told_s": heard.told_s,
        ALARM_MISSED: heard.missed,
    });
    ledger.append(&context.run, &writer, &Draft::new(Kind::Custody, ALARM, document))?;
    ledger.put_checkpoint(&writer)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(started_ms: i64, outcome: Option<&'static str>, exit_code: Option<i64>) -> RunRow {
        RunRow {
            id: started_ms,
            slot_ms: None,
            attempt: 1,
            started_ms,
            ended_ms: outcome.map(|_| started_ms + 1),
            outcome,
            exit_code,
            problems_count: 0,
            files_count: None,
            content_bytes: None,
            stored_bytes: None,
            snapshot: None,
            message: None,
            shrunk_from: None,
        }
    }

    #[test]
    fn the_first_of_the_failures_at_the_end_is_waited_for() {
        let now = Timestamp::from_unix_ms(100 * LIMIT_MS);
        let at = |minutes: i64| now.unix_ms - minutes * 60_000;
        let own = run(at(0), None, None);
        let failed = |minutes| run(at(minutes), Some("failed"), Some(11));
        let of = |runs: &[RunRow]| provoked(runs.iter(), now);
        assert_eq!(of(std::slice::from_ref(&own)), None);
        assert_eq!(of(&[own.clone(), failed(1), failed(4)]), Some(at(4)));
        // Done with, or of another kind, or of another week.
        let done = run(at(2), Some("done"), Some(0));
        assert_eq!(of(&[own.clone(), done, failed(4)]), None);
        let missed = run(at(2), Some("failed"), Some(1));
        assert_eq!(of(&[own.clone(), missed, failed(4)]), None);
        assert_eq!(of(&[own.clone(), failed(61)]), None);
        assert_eq!(of(&[own, failed(3), failed(61)]), Some(at(3)));
    }
}
