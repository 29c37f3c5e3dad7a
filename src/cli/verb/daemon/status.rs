//! `status`: what is protected, and what is wrong.

use std::collections::BTreeMap;

use clap::Args;
use jiff::tz::TimeZone;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as common;
use crate::cli::language::table::daemon::service as texts;
use crate::cli::language::table::keeping::drill as drills;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::config::Config;
use crate::daemon::control;
use crate::daemon::control::Answer;
use crate::daemon::control::Question;
use crate::daemon::engine::Entry;
use crate::daemon::hold;
use crate::daemon::job;
use crate::daemon::status::Activity;
use crate::daemon::status::ChannelReport;
use crate::daemon::status::Daemon;
use crate::daemon::status::Health;
use crate::daemon::status::JobReport;
use crate::daemon::status::ProofReport;
use crate::daemon::status::Report;
use crate::daemon::status::RunReport;
use crate::daemon::status::StorageReport;
use crate::disk::unix::RealDisk;
use crate::path::escape;
use crate::schedule::local;
use crate::schedule::plan::History;
use crate::source::host::host_name;
use crate::units::Bytes;
use crate::units::Timestamp;

/// Tell what is protected: each job's newest success, its age, its next run, what is wrong.
///
/// The daemon answers; if there is none, its catalogue does.
///
/// Exit codes: 0 all is in order; 3 something is late, has failed, has become small or is not
/// proven, alarms do not arrive, nothing can be put on record, or no daemon runs.
#[derive(Debug, Args)]
pub struct StatusArgs {}

pub fn run(context: &Context, _args: &StatusArgs) -> Result<Ended, Failure> {
    let now = context.run.clock.now();
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let report = match control::ask(&hold::socket(&config.state_dir), &Question::Status) {
        Ok(Answer::Status { report }) => *report,
        _ => absent(config, now)?,
    };
    let is_wrong = report.is_wrong();
    if context.output.is_json() {
        context.output.json("result", Some("status"), &report)?;
    } else {
        context.output.result("status", &(), || told(&report, context.output.language()))?;
    }
    Ok(Ended { exit: if is_wrong { Exit::Problems } else { Exit::Done }, ..Ended::done() })
}

/// The catalogue as a daemon left it; none is made.
pub fn catalogue(config: &Config, now: Timestamp) -> Result<Option<Catalogue>, Failure> {
    let path = hold::catalogue(&config.state_dir);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let opened = Catalogue::open(&path, &RealDisk, now);
    opened.map(|(catalogue, _)| Some(catalogue)).map_err(|error| unreadable(config, &error))
}

pub fn unreadable(config: &Config, error: &CatalogueError) -> Failure {
    let path = super::shown(&config.state_dir);
    let message = texts::NOT_STARTED.with("path", path).with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, texts::SEE_FOLDER)
}

fn absent(config: &Config, now: Timestamp) -> Result<Report, Failure> {
    let wrong = |error| unreadable(config, &error);
    let catalogue = catalogue(config, now)?;
    let rows = catalogue.as_ref().map(Catalogue::status).transpose().map_err(wrong)?;
    let rows = rows.unwrap_or_default();
    let rows: BTreeMap<&str, _> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
    let mut jobs = Vec::new();
    for scheduled in job::all(config, &host_name()) {
        let key = scheduled.job.key();
        let row = rows.get(key.as_str()).copied();
        let mut entry = Entry { scheduled, history: History::new(now), last: None };
        if let Some(row) = row {
            entry.history = row.history();
            entry.last = row.last.clone();
        }
        jobs.push(JobReport::new(&entry, row, Activity::Idle, now));
    }
    jobs.sort_by(|one, other| one.job.cmp(&other.job));
    let channels = catalogue.as_ref().map(Catalogue::channels).transpose().map_err(wrong)?;
    let mut channels = channels.unwrap_or_default();
    channels.retain(|row| config.channels.contains_key(&row.name));
    let zone = local::zone(&config.time_zone).unwrap_or(TimeZone::UTC);
    let silent_channels = ChannelReport::of(channels, &zone);
    let proofs = catalogue.as_ref().map(Catalogue::proofs).transpose().map_err(wrong)?;
    let proofs = proofs.unwrap_or_default().into_iter();
    let proofs = proofs.map(|row| ProofReport::of(row, &zone, now)).collect();
    let storages = catalogue.as_ref().map(Catalogue::storages).transpose().map_err(wrong)?;
    let mut storages = storages.unwrap_or_default();
    storages.retain(|row| config.storages.contains_key(&row.name));
    let storages = storages.into_iter().map(|row| StorageReport::of(row, &zone)).collect();
    let daemon = Daemon::Absent;
    let (limits_missing, record_fault) = (None, None);
    Ok(Report { daemon, jobs, silent_channels, proofs, storages, limits_missing, record_fault })
}

fn told(report: &Report, language: Language) -> Said {
    let columns = [
        (common::JOB.words(language), Align::Left),
        (texts::HEALTH.words(language), Align::Left),
        (texts::LAST_GOOD.words(language), Align::Left),
        (texts::AGE.words(language), Align::Right),
        (texts::NEXT.words(language), Align::Left),
        (texts::REMARK.words(language), Align::Left),
    ];
    let rows: Vec<_> = report.jobs.iter().map(|job| row(job, language)).collect();
    let mut table = render(&columns, &rows);
    if !report.proofs.is_empty() {
        table = format!("{}\n\n{}", table.trim_end(), proofs(&report.proofs, language));
    }
    for storage in &report.storages {
        let said = texts::STORAGE_HOLDS
            .with("name", storage.storage.as_str())
            .with("bytes", size(Some(storage.bytes)))
            .with("time", minute(&storage.looked));
        table = format!("{}\n{}", table.trim_end(), said.told_in(language));
    }
    let faults = [
        (&report.record_fault, texts::NOT_RECORDED),
        (&report.limits_missing, texts::LIMITS_MISSING),
    ];
    for (detail, text) in
        faults.into_iter().filter_map(|(fault, text)| Some((fault.as_ref()?, text)))
    {
        let said = text.with("detail", Said::heard(detail));
        table = format!("{}\n{}", table.trim_end(), said.told_in(language));
    }
    for channel in &report.silent_channels {
        let said = texts::SILENT_CHANNEL
            .with("name", channel.channel.as_str())
            .with("count", u64::from(channel.failures_count))
            .with("time", channel.last_failure.as_deref().map(minute).unwrap_or_default())
            .with("detail", escape(channel.failure.as_deref().unwrap_or_default().as_bytes()));
        table = format!("{}\n{}", table.trim_end(), said.told_in(language));
    }
    let note = match report.daemon {
        Daemon::Running => return Said::plain(table),
        Daemon::Paused => texts::PAUSED,
        Daemon::OnBattery => texts::ON_BATTERY,
        Daemon::Stopping => texts::STOPPING,
        Daemon::Absent => texts::NOT_RUNNING,
    };
    texts::TABLE.with("note", Said::from(note)).with("table", table)
}

/// Each dataset with its proof, and how many have one that is young enough.
fn proofs(all: &[ProofReport], language: Language) -> String {
    let columns = [
        (texts::DATASET.words(language), Align::Left),
        (texts::PROVEN.words(language), Align::Left),
        (texts::AGE.words(language), Align::Right),
        (texts::LEVEL.words(language), Align::Left),
        (texts::LAST_DRILL.words(language), Align::Left),
        (texts::REMARK.words(language), Align::Left),
    ];
    let row = |proof: &ProofReport| {
        let never = || texts::NEVER.words(language).to_owned();
        vec![
            proof.dataset.clone(),
            proof.proven_at.as_deref().map_or_else(never, minute),
            proof.proof_age_s.map(|age| age_text(age, language)).unwrap_or_default(),
            proof.level.clone().unwrap_or_default(),
            proof.drill.clone().unwrap_or_default(),
            remark(proof, language),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let is_young = |proof: &&ProofReport| {
        let is_too_old = proof.proof_age_s.zip(proof.proof_age_max_s).is_some_and(|(a, b)| a > b);
        proof.proven_at.is_some() && !is_too_old
    };
    let said = texts::COVERAGE.with("count", all.iter().filter(is_young).count());
    format!("{}\n{}", said.with("all", all.len()).told_in(language), render(&columns, &rows))
}

fn remark(proof: &ProofReport, language: Language) -> String {
    let mut remarks = Vec::new();
    if proof.proof_age_max_s.is_none() {
        remarks.push(Said::from(texts::NO_DRILL));
    } else if proof.proof_age_s.zip(proof.proof_age_max_s).is_some_and(|(age, max)| age > max) {
        remarks.push(Said::from(texts::LATE));
    }
    let words = match proof.verdict.as_deref() {
        Some("fail") => Some(drills::FAIL),
        Some("inconclusive") => Some(drills::INCONCLUSIVE),
        Some("conditional") => Some(drills::CONDITIONAL),
        _ => None,
    };
    if let Some(words) = words {
        let codes = proof.failures.as_deref().map(|codes| format!(" ({codes})"));
        let words = words.words(language);
        remarks.push(Said::plain(format!("{words}{}", codes.unwrap_or_default())));
    }
    let due = proof.redrill_due.as_deref().and_then(|due| due.get(..10));
    remarks.extend(due.map(|due| texts::REDRILL.with("due", due)));
    let remarks: Vec<String> = remarks.iter().map(|it| it.told_in(language)).collect();
    remarks.join("; ")
}

fn row(job: &JobReport, language: Language) -> Vec<String> {
    let health = match job.health {
        Health::Ok => texts::OK,
        Health::Failed => texts::FAILED,
        Health::Late => texts::LATE,
        Health::Never => texts::NEVER,
    };
    vec![
        job.job.clone(),
        health.words(language).to_owned(),
        job.last_success.as_deref().map(minute).unwrap_or_default(),
        job.age_s.map(|age| age_text(age, language)).unwrap_or_default(),
        job.next.as_deref().map(minute).unwrap_or_default(),
        remark_of_job(job, language),
    ]
}

fn remark_of_job(job: &JobReport, language: Language) -> String {
    let activity = match job.activity {
        Activity::AtWork => Some(texts::AT_WORK),
        Activity::Waiting => Some(texts::WAITING),
        Activity::Idle => None,
    };
    let ended = match job.activity {
        Activity::AtWork | Activity::Waiting => &job.last_ended,
        Activity::Idle => &job.last,
    };
    let before = ended.as_ref().and_then(|run| ended_text(run, language));
    let remark = match (activity, before) {
        (Some(now), Some(before)) => {
            let now = now.words(language);
            texts::AND_BEFORE.with("now", now).with("before", before).told_in(language)
        }
        (now, before) => {
            before.or(now.map(|now| now.words(language).to_owned())).unwrap_or_default()
        }
    };
    let Some(shrunk) = &job.shrunk else { return remark };
    let holds = |files: Option<i64>, bytes: Option<i64>| match files {
        Some(files) => texts::HOLDS
            .with("files", u64::try_from(files).unwrap_or(0))
            .with("bytes", size(bytes))
            .told_in(language),
        None => size(bytes).to_string(),
    };
    let said = texts::SHRUNK
        .with("now", holds(shrunk.files_count, shrunk.content_bytes))
        .with("usual", holds(shrunk.usual_files_count, shrunk.usual_content_bytes));
    format!("{remark} {}", said.told_in(language)).trim_start().to_owned()
}

/// How a run ended, if there is anything to say about it.
fn ended_text(run: &RunReport, language: Language) -> Option<String> {
    // What is on record as at work, and is not, was cut off.
    let outcome = run.outcome.as_deref().unwrap_or("cut");
    if outcome == "done" {
        return None;
    }
    let outcome = super::runs::outcome(Some(outcome), language);
    let message = run.message.as_deref().unwrap_or_default();
    let code = run.exit_code.map_or(String::new(), |code| format!(" ({code})"));
    Some(format!("{outcome}{code} {}", escape(message.as_bytes())).trim_end().to_owned())
}

fn size(bytes: Option<i64>) -> Bytes {
    Bytes(bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0))
}

/// RFC 3339 as people read it.
pub(super) fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn age_text(age_s: i64, language: Language) -> String {
    let minutes = u64::try_from(age_s / 60).unwrap_or(0);
    let (text, count) = match minutes {
        0..120 => (texts::MINUTES, minutes),
        120..2880 => (texts::HOURS, minutes / 60),
        _ => (texts::DAYS, minutes / 1440),
    };
    text.with("count", count).told_in(language)
}
