//! `schedule`: when jobs of the configuration run.

use clap::Args;
use clap::Subcommand;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::config::Config;
use crate::config::Job;
use crate::schedule::plan::preview;
use crate::source::host::host_name;
use crate::units::Timestamp;

/// See when jobs run.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    #[command(subcommand)]
    pub verb: ScheduleVerb,
}

#[derive(Debug, Subcommand)]
pub enum ScheduleVerb {
    /// Tell the next runs of every job, with this machine's jitter, in the job's own time zone.
    Preview {
        /// One job only, such as `backup:files`, `files` or `prune:main`.
        #[arg(long, value_name = "JOB")]
        job: Option<String>,
        /// Runs of each job.
        #[arg(long, value_name = "N", default_value_t = 5)]
        #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
    },
}

/// The next runs of a job.
#[derive(Debug, Serialize)]
pub struct Upcoming {
    pub job: String,
    pub cron: String,
    pub time_zone: String,
    /// How long after each slot this machine starts.
    pub jitter_s: u64,
    pub runs: Vec<Run>,
}

#[derive(Debug, Serialize)]
pub struct Run {
    /// RFC 3339, in the job's zone.
    pub slot: String,
    pub start: String,
}

impl Run {
    /// As people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        self.start.get(..16).unwrap_or(&self.start).replace('T', " ")
    }
}

/// The next `count` runs of each job.
#[must_use]
pub fn upcoming(config: &Config, now: Timestamp, count: usize) -> Vec<Upcoming> {
    let machine = host_name();
    let of = |job: Job<'_>| {
        let plan = job.schedule.plan(&job.key, &machine);
        let runs = preview(&plan, now, count).into_iter().map(|coming| Run {
            slot: local(coming.slot, &plan.zone),
            start: local(coming.start, &plan.zone),
        });
        Upcoming {
            cron: job.schedule.cron.to_string(),
            time_zone: job.schedule.time_zone.clone(),
            jitter_s: plan.delay.as_secs(),
            runs: runs.collect(),
            job: job.key,
        }
    };
    config.jobs().into_iter().map(of).collect()
}

fn local(time: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(time.unix_ms) {
        Ok(at) => at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Err(_) => time.to_rfc3339(),
    }
}

pub fn run(context: &Context, args: &ScheduleArgs) -> Result<Ended, Failure> {
    let ScheduleVerb::Preview { job, count } = &args.verb;
    let now = context.run.clock.now();
    let loaded = context.configuration()?;
    let mut jobs = upcoming(loaded.config()?, now, usize::from(*count));
    if let Some(name) = job {
        let all = jobs.iter().map(|job| Said::plain(&job.job)).collect();
        let wanted = |job: &Upcoming| {
            job.job == *name || job.job.strip_prefix("backup:").is_some_and(|rest| rest == name)
        };
        jobs.retain(wanted);
        if jobs.is_empty() {
            let name = crate::path::escape(name.as_bytes());
            let message = texts::NO_JOB.with("name", name).with("jobs", Said::list(all));
            return Err(Failure::usage(message, texts::NAME_JOB));
        }
    }
    if context.output.is_json() {
        for job in &jobs {
            context.output.json("result", Some("schedule"), job)?;
        }
        return Ok(Ended::done());
    }
    let language = context.output.language();
    let columns = [
        (texts::JOB.words(language), Align::Left),
        (texts::START.words(language), Align::Left),
        (texts::DELAY.words(language), Align::Right),
        (texts::ZONE.words(language), Align::Left),
    ];
    let mut rows = Vec::new();
    for job in &jobs {
        for run in &job.runs {
            let start = run.start.replacen('T', " ", 1);
            let delay = format!("{} s", job.jitter_s);
            rows.push(vec![job.job.clone(), start, delay, job.time_zone.clone()]);
        }
    }
    context.output.result("schedule", &(), || render(&columns, &rows))?;
    Ok(Ended::done())
}
