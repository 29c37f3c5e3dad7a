//! Facts for the rules: what storages hold, what drills recorded, what the ledger says.

use std::collections::BTreeMap;

use crate::catalogue::query::RunFilter;
use crate::catalogue::query::RunRow;
use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::settings::configured;
use crate::cli::verb::continuity::ledgers::Ledgers;
use crate::cli::verb::continuity::ledgers::Told;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::daemon::status;
use crate::cli::verb::drill::keep::Drills;
use crate::config::Config;
use crate::config::job::Backup;
use crate::config::plan::Hold;
use crate::continuity::fact::Canaries;
use crate::continuity::fact::Dataset;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Facts;
use crate::continuity::fact::FromNothing;
use crate::continuity::fact::Item;
use crate::continuity::fact::Taken;
use crate::continuity::fact::Truth;
use crate::continuity::fact::Unseen;
use crate::daemon::job;
use crate::drill::record;
use crate::drill::record::Capsule;
use crate::drill::record::REAL;
use crate::drill::record::Record;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::retention;
use crate::retention::Candidate;
use crate::schedule::local;
use crate::units::Timestamp;

/// Runs of a job that are looked at, from the newest back.
const RUNS_MAX: u32 = 1000;
/// Checks of this name compare with the truth capsule.
const CAPSULE: &str = ".capsule";
/// And these look for canaries.
const CANARY: &str = "canary.";

/// Facts, and what could not be looked at.
pub struct Gathered {
    pub facts: Facts,
    pub unread: Vec<Unread>,
    pub told: Told,
    /// Records of this machine, and those that ledgers have of others; the oldest first.
    pub records: Vec<Record>,
}

/// A storage that could not be asked, and why.
pub struct Unread {
    pub storage: String,
    pub why: String,
    /// Whether nothing answered: then it may be one that is not connected.
    pub may_be_away: bool,
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
    let mut records = records(context)?;
    let mut ledgers = Ledgers::new(&office.text);
    let mut unread = Vec::new();
    for name in config.storages.keys() {
        context.run.check()?;
        match read(context, (config, name), &mut datasets) {
            Ok((context, keys)) => ledgers.look_at(name, &context, &keys)?,
            Err(failure) => {
                let may_be_away = matches!(failure.exit, Exit::NoRepository | Exit::Storage);
                let (storage, why) = (name.clone(), failure.message.told_in(language));
                unread.push(Unread { storage, why, may_be_away });
            }
        }
    }
    by_catalogue(context, (config, &unread), &mut datasets)?;
    for it in unread.iter().filter(|it| may_have_ledger(office, it, &records)) {
        ledgers.miss(&it.storage, &it.why);
    }
    let codes = records.iter().filter_map(|(record, code)| {
        Some((record.drill.code.as_str(), time(&record.drill.ended_at), code.as_deref()?))
    });
    let told = ledgers.told();
    let others = ledgers.records_beside(&records);
    let ledger = ledgers.finish(codes);
    records.extend(others.into_iter().map(|record| (record, None)));
    sort(&mut records);
    // A real restore is in reports; how far it proves data nobody looked.
    let held = records.iter().filter(|(record, _)| record.kind != REAL);
    let drills = held.map(|(record, _)| drill(record)).collect();
    let now = context.run.clock.now();
    let storages = config.storages.keys().cloned().collect();
    let facts = Facts { now, storages, datasets, drills, ledger };
    let records = records.into_iter().map(|(record, _)| record).collect();
    Ok(Gathered { facts, unread, told, records })
}

/// Whether entries that no other ledger has may be in a storage that could not be asked. One that
/// is offline by plan gets its ledger by copies, unless drills are held from it.
fn may_have_ledger(office: &Office, unread: &Unread, records: &[(Record, Option<String>)]) -> bool {
    let plan = office.found.plan.as_ref();
    let place = plan.and_then(|plan| plan.storages.get(&unread.storage));
    let is_put_away = unread.may_be_away && place.is_some_and(|it| it.hold == Hold::Offline);
    let mut items = records.iter().flat_map(|(record, _)| &record.items);
    !is_put_away || items.any(|item| item.target == unread.storage)
}

/// Asks a storage for its snapshots, by the dataset that their tags name.
fn read(
    context: &Context,
    (config, name): (&Config, &str),
    datasets: &mut BTreeMap<String, Dataset>,
) -> Result<(Context, Keys), Failure> {
    let mut settings = context.settings.clone();
    if let Some(found) = configured::named(config, name) {
        settings.take(found, &context.environment);
    }
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

/// Of storages that could not be asked, what the catalogue has: runs that were done, and whose
/// snapshots retention leaves. Nobody saw them there.
fn by_catalogue(
    context: &Context,
    (config, unread): (&Config, &[Unread]),
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
    let mut unseen: BTreeMap<(&String, &String), Vec<Taken>> = BTreeMap::new();
    // Good runs of a dataset, with their ends.
    let mut good: BTreeMap<&String, Vec<(Taken, i64)>> = BTreeMap::new();
    for backup in &config.backups {
        let rows = runs(&format!("backup:{}", backup.name))?;
        let kept = left(config, backup, rows.iter().filter_map(|(_, run)| kept(run)).collect());
        let taken = kept.iter().map(|(taken, _)| *taken).collect();
        unseen.insert((&backup.name, &backup.storage), taken);
        good.insert(&backup.name, kept);
    }
    let scheduled = job::all(config, &crate::source::host::host_name());
    let copies = scheduled.iter().filter_map(|it| match &it.job {
        job::Job::Copy { from, to } => Some((it.job.key(), from, to)),
        _ => None,
    });
    for (key, from, to) in copies {
        let rows = runs(&key)?;
        let Some((_, last)) = rows.iter().find(|(_, run)| run.outcome == Some("done")) else {
            continue;
        };
        for (name, dataset) in datasets.iter() {
            let seen = dataset.held.get(from).or_else(|| unseen.get(&(name, from)));
            let newest = seen.into_iter().flatten().map(|it| it.at).max();
            // What had ended when the copy began, and is in the storage that it was taken from.
            let is_there = |(taken, ended_ms): &&(Taken, i64)| {
                *ended_ms <= last.started_ms && newest.is_some_and(|newest| taken.at <= newest)
            };
            let Some((name, runs)) = good.get_key_value(name) else { continue };
            let there: Vec<Taken> = runs.iter().filter(is_there).map(|(taken, _)| *taken).collect();
            for to in to {
                unseen.entry((name, to)).or_default().extend(&there);
            }
        }
    }
    for ((name, storage), taken) in &unseen {
        let is_unread = unread.iter().find(|it| it.storage == **storage);
        if let (Some(dataset), Some(unread)) = (datasets.get_mut(*name), is_unread) {
            let may_be_away = unread.may_be_away;
            let found = Unseen { taken: taken.clone(), may_be_away };
            dataset.unseen.insert((*storage).clone(), found);
        }
    }
    Ok(())
}

/// Of the snapshots of runs those that the retention of their backup leaves: the others are
/// removed, or will be.
fn left(config: &Config, backup: &Backup, runs: Vec<(Taken, i64)>) -> Vec<(Taken, i64)> {
    let rules = backup.retention.as_ref().and_then(|name| config.retentions.get(name));
    let zone = local::zone(&backup.schedule.time_zone);
    let Some((rules, zone)) = rules.zip(zone) else { return runs };
    let tags: Vec<String> = backup.tags.iter().chain([&backup.name]).cloned().collect();
    let candidates: Vec<Candidate> = runs
        .iter()
        .map(|(_, ended_ms)| {
            let received = Timestamp::from_unix_ms(*ended_ms);
            Candidate { received, seq: 0, tags: tags.clone(), holds: Vec::new() }
        })
        .collect();
    let reasons = retention::plan(&rules.rules, &zone, &candidates);
    let stays = runs.into_iter().zip(reasons).filter(|(_, reasons)| !reasons.is_empty());
    stays.map(|(run, _)| run).collect()
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
    sort(&mut records);
    Ok(records)
}

fn sort(records: &mut [(Record, Option<String>)]) {
    // Codes of one day are numbered in the order of its drills.
    records.sort_by(|(one, _), (two, _)| {
        let key = |record: &Record| (time(&record.drill.ended_at), record.drill.code.len());
        key(one).cmp(&key(two)).then_with(|| one.drill.code.cmp(&two.drill.code))
    });
}

/// A time of a record; 0 if it cannot be told.
#[must_use]
pub fn time(text: &str) -> Timestamp {
    let at = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond);
    Timestamp::from_unix_ms(at.unwrap_or_default())
}

/// What a record says to the rules.
#[must_use]
pub fn drill(record: &Record) -> Drill {
    let led = record.people.as_ref().filter(|people| people.operator.is_some());
    Drill {
        code: record.drill.code.clone(),
        class: record.drill.class.clone(),
        ended: time(&record.drill.ended_at),
        by_substitute: led.and_then(|people| people.substitute),
        is_conclusive: record.verdict != Verdict::Inconclusive,
        from_nothing: record.recovery.as_ref().map(|recovery| FromNothing {
            kit: recovery.kit.as_ref().map(|kit| kit.sums_sha256.clone()),
        }),
        items: record.items.iter().map(item).collect(),
    }
}

/// The number of a level.
#[must_use]
pub fn number(level: Level) -> u8 {
    let at = Level::ALL.iter().position(|known| *known == level);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

fn item(item: &record::Item) -> Item {
    let is_compared = |check: &record::Check| {
        check.id.contains(CAPSULE) && matches!(check.result, Outcome::Pass | Outcome::Fail)
    };
    let is_canary = |check: &&record::Check| check.id.contains(CANARY);
    let canaries = item.checks.iter().filter(is_canary).map(|it| it.result);
    let canaries: Vec<Outcome> = canaries.filter(|it| *it != Outcome::NotApplicable).collect();
    Item {
        dataset: item.dataset.clone(),
        storage: item.target.clone(),
        stratum: item.stratum.clone(),
        is_proven: matches!(item.verdict, Verdict::Pass | Verdict::Conditional),
        is_conclusive: item.verdict != Verdict::Inconclusive,
        level: item.proof_level.map(number),
        level_min: number(item.min_proof),
        // Part of a dataset says nothing of the time for all of it.
        rto_s: item.measures.rto_tech_s.filter(|_| item.mode == "full"),
        bytes: item.logical_bytes,
        truth: match item.capsule {
            _ if !item.checks.iter().any(is_compared) => Truth::None,
            Capsule::SamePoint => Truth::SamePoint,
            // Readings that lie apart by more than a hundredth are proven with conditions only.
            Capsule::Interval if item.verdict == Verdict::Pass => Truth::SamePoint,
            Capsule::Interval => Truth::Interval,
            Capsule::Absent => Truth::None,
        },
        canaries: match canaries.as_slice() {
            [] => Canaries::None,
            all if all.iter().all(|it| *it == Outcome::Pass) => Canaries::Good,
            _ => Canaries::Bad,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::continuity::rule::tests::CONFIG;
    use crate::continuity::rule::tests::Nothing;

    #[test]
    fn a_run_whose_snapshot_retention_removes_is_no_copy() {
        let now = Timestamp::from_unix_ms(1_796_090_400_000);
        let acc = CONFIG.replacen("schedule =", "retention = \"short\"\nschedule =", 1);
        let text = format!("{acc}[retention.short]\nkeep_last = 2\n");
        let config = config::read(&text, &Nothing, now).config.unwrap();
        let run = |hours: i64| {
            let at = Timestamp::from_unix_ms(now.unix_ms - hours * 3_600_000);
            (Taken { at, is_whole: true, is_pinned: false }, at.unix_ms + 1000)
        };
        let left_of = |name: &str| -> Vec<i64> {
            let backup = config.backup(name).unwrap();
            let runs = left(&config, backup, [1, 2, 3, 4].map(run).into());
            runs.iter().map(|(taken, _)| (now.unix_ms - taken.at.unix_ms) / 3_600_000).collect()
        };
        assert_eq!(left_of("acc"), [1, 2]);
        assert_eq!(left_of("files"), [1, 2, 3, 4]);
    }
}
