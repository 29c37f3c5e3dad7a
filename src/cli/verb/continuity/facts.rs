//! Facts for the rules: what storages hold, what drills recorded, what the ledger says.

use std::collections::BTreeMap;

use crate::catalogue::query::RunFilter;
use crate::catalogue::query::RunRow;
use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::settings::configured;
use crate::cli::verb::continuity::ledgers::Ledgers;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::daemon::status;
use crate::cli::verb::drill::keep::Drills;
use crate::config::Config;
use crate::continuity::fact::Dataset;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Facts;
use crate::continuity::fact::Item;
use crate::continuity::fact::Taken;
use crate::continuity::fact::Truth;
use crate::daemon::job;
use crate::drill::record;
use crate::drill::record::Capsule;
use crate::drill::record::Record;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::retention;
use crate::units::Timestamp;

/// Runs of a job that are looked at, from the newest back.
const RUNS_MAX: u32 = 1000;
/// Checks of this name compare with the truth capsule.
const CAPSULE: &str = ".capsule";

/// Facts, and what could not be looked at.
pub struct Gathered {
    pub facts: Facts,
    /// Storages that could not be asked, and why.
    pub unread: Vec<(String, String)>,
}

/// Looks at everything. A storage that cannot be read is no failure: what it holds is not known.
///
/// # Errors
/// When local state or the catalogue cannot be read, or the run was told to stop.
pub fn gather(context: &Context, office: &Office) -> Result<Gathered, Failure> {
    let config = office.configuration.config()?;
    let language = context.output.language();
    let mut datasets: BTreeMap<String, Dataset> = BTreeMap::new();
    for backup in &config.backups {
        let dataset = Dataset { storage: backup.storage.clone(), ..Dataset::default() };
        datasets.insert(backup.name.clone(), dataset);
    }
    let records = records(context)?;
    let mut ledgers = Ledgers::new(&office.text);
    let mut unread = Vec::new();
    for name in config.storages.keys() {
        context.run.check()?;
        match read(context, (config, name), &mut datasets) {
            Ok((context, keys)) => ledgers.look_at(&context, &keys)?,
            Err(failure) => unread.push((name.clone(), why(&failure, language))),
        }
    }
    by_catalogue(context, (config, &unread), &mut datasets)?;
    let codes = records.iter().filter_map(|(record, code)| {
        Some((record.drill.code.as_str(), time(&record.drill.ended_at), code.as_deref()?))
    });
    let reason = unread.first().map(|(name, why)| format!("{name}: {why}"));
    let ledger = ledgers.finish(codes, reason);
    let mut drills: Vec<Drill> = records.iter().map(|(record, _)| drill(record)).collect();
    drills.sort_by_key(|drill| drill.ended);
    let now = context.run.clock.now();
    Ok(Gathered { facts: Facts { now, datasets, drills, ledger }, unread })
}

fn why(failure: &Failure, language: Language) -> String {
    failure.message.told_in(language)
}

/// Asks a storage for its snapshots, by the dataset that their tags name.
fn read(
    context: &Context,
    (config, name): (&Config, &str),
    datasets: &mut BTreeMap<String, Dataset>,
) -> Result<(Context, Keys), Failure> {
    let mut settings = context.settings.clone();
    settings.take(configured::named(config, name)?, &context.environment);
    let context = context.with(settings).unwatched();
    let keys = opened::keys(&context)?;
    let snapshots = opened::list(&context, &keys)?;
    for (dataset, found) in datasets.iter_mut() {
        let own = snapshots.iter().filter(|it| it.suspect_since.is_none());
        let own: Vec<_> = own.filter(|it| it.tags.contains(dataset)).collect();
        let newest = own.iter().max_by_key(|it| it.time);
        let changed =
            newest.and_then(|it| it.files_changed.saturating_mul(1000).checked_div(it.files_count));
        found.changed_permille = found.changed_permille.max(changed);
        let taken = own.iter().map(|it| Taken {
            at: it.time,
            is_whole: it.problems_count == 0,
            is_pinned: it.tags.iter().any(|tag| tag == retention::DRILL_PROVEN),
        });
        let taken: Vec<Taken> = taken.collect();
        known(found, taken.iter().map(|it| it.at).min());
        found.held.insert(name.to_owned(), taken);
    }
    Ok((context, keys))
}

fn known(dataset: &mut Dataset, at: Option<Timestamp>) {
    let all = dataset.known_since.into_iter().chain(at);
    dataset.known_since = all.min();
}

/// Of storages that could not be asked, what the catalogue has: runs that were done.
fn by_catalogue(
    context: &Context,
    (config, unread): (&Config, &[(String, String)]),
    datasets: &mut BTreeMap<String, Dataset>,
) -> Result<(), Failure> {
    let now = context.run.clock.now();
    let Some(catalogue) = status::catalogue(config, now)? else { return Ok(()) };
    let wrong = |error| status::unreadable(config, &error);
    let runs = |key: &str| {
        let filter = RunFilter { job: Some(key), before: None };
        catalogue.runs(filter, RUNS_MAX).map_err(wrong)
    };
    for row in catalogue.status().map_err(wrong)? {
        if let Some(dataset) = row.dataset.as_ref().and_then(|name| datasets.get_mut(name)) {
            known(dataset, Some(Timestamp::from_unix_ms(row.since_ms)));
        }
    }
    let is_unread = |name: &String| unread.iter().any(|(known, _)| known == name);
    // Good runs of a dataset, with their ends.
    let mut good: BTreeMap<&String, Vec<(Taken, i64)>> = BTreeMap::new();
    for backup in &config.backups {
        let rows = runs(&format!("backup:{}", backup.name))?;
        let kept = rows.iter().filter_map(|(_, run)| kept(run));
        let kept: Vec<(Taken, i64)> = kept.collect();
        if let Some(dataset) = datasets.get_mut(&backup.name).filter(|_| is_unread(&backup.storage))
        {
            let taken = kept.iter().map(|(taken, _)| *taken);
            dataset.held.insert(backup.storage.clone(), taken.collect());
        }
        good.insert(&backup.name, kept);
    }
    for scheduled in job::all(config, &crate::source::host::host_name()) {
        let job::Job::Copy { from, to } = &scheduled.job else { continue };
        let rows = runs(&scheduled.job.key())?;
        let Some((_, last)) = rows.iter().find(|(_, run)| run.outcome == Some("done")) else {
            continue;
        };
        for (name, dataset) in datasets.iter_mut() {
            let newest = dataset.held.get(from).into_iter().flatten().map(|it| it.at).max();
            // What had ended when the copy began, and is in the storage that it was taken from.
            let is_there = |(taken, ended_ms): &&(Taken, i64)| {
                *ended_ms <= last.started_ms && newest.is_some_and(|newest| taken.at <= newest)
            };
            let there = good.get(name).into_iter().flatten().filter(is_there);
            let there: Vec<Taken> = there.map(|(taken, _)| *taken).collect();
            for to in to.iter().filter(|to| is_unread(to)) {
                dataset.held.entry(to.clone()).or_default().extend(&there);
            }
        }
    }
    Ok(())
}

/// The snapshot that a run made, and when it had ended.
fn kept(run: &RunRow) -> Option<(Taken, i64)> {
    run.snapshot.as_ref()?;
    let at = Timestamp::from_unix_ms(run.started_ms);
    let is_whole = match run.outcome? {
        "done" => true,
        "problems" => false,
        _ => return None,
    };
    Some((Taken { at, is_whole, is_pinned: false }, run.ended_ms?))
}

/// Records of this machine, each with the code of the ledger that was printed for it; the oldest
/// first.
///
/// # Errors
/// When they cannot be read.
pub fn records(context: &Context) -> Result<Vec<(Record, Option<String>)>, Failure> {
    let drills = Drills::new(context)?;
    let mut records = Vec::new();
    for id in drills.ids()? {
        if let Some(record) = drills.record(&id)? {
            records.push((record, drills.code(&id)?));
        }
    }
    records.sort_by_key(|(record, _)| time(&record.drill.ended_at));
    Ok(records)
}

/// A time of a record; 0 if it cannot be told.
#[must_use]
pub fn time(text: &str) -> Timestamp {
    let at = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond);
    Timestamp::from_unix_ms(at.unwrap_or_default())
}

fn drill(record: &Record) -> Drill {
    let led = record.people.as_ref().filter(|people| people.operator.is_some());
    Drill {
        code: record.drill.code.clone(),
        class: record.drill.class.clone(),
        ended: time(&record.drill.ended_at),
        by_substitute: led.and_then(|people| people.substitute),
        is_conclusive: record.verdict != Verdict::Inconclusive,
        items: record.items.iter().map(item).collect(),
    }
}

fn number(level: Level) -> u8 {
    let at = Level::ALL.iter().position(|known| *known == level);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

fn item(item: &record::Item) -> Item {
    let is_compared = |check: &record::Check| {
        check.id.contains(CAPSULE) && matches!(check.result, Outcome::Pass | Outcome::Fail)
    };
    Item {
        dataset: item.dataset.clone(),
        storage: item.target.clone(),
        stratum: item.stratum.clone(),
        is_proven: matches!(item.verdict, Verdict::Pass | Verdict::Conditional),
        level: item.proof_level.map(number),
        level_min: number(item.min_proof),
        // Part of a dataset says nothing of the time for all of it.
        rto_s: item.measures.rto_tech_s.filter(|_| item.mode == "full"),
        truth: match item.capsule {
            _ if !item.checks.iter().any(is_compared) => Truth::None,
            Capsule::SamePoint => Truth::SamePoint,
            // Readings that lie apart by more than a hundredth are proven with conditions only.
            Capsule::Interval if item.verdict == Verdict::Pass => Truth::SamePoint,
            Capsule::Interval => Truth::Interval,
            Capsule::Absent => Truth::None,
        },
    }
}
