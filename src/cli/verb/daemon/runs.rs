//! `runs`: what jobs have done.

use clap::Args;
use jiff::tz::TimeZone;

use crate::catalogue::query::RunFilter;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::table::daemon as common;
use crate::cli::language::table::daemon::service as texts;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::daemon::status::catalogue;
use crate::cli::verb::daemon::status::minute;
use crate::cli::verb::daemon::status::unreadable;
use crate::config::Config;
use crate::daemon::control;
use crate::daemon::control::Answer;
use crate::daemon::control::Question;
use crate::daemon::hold;
use crate::daemon::status::RunReport;
use crate::path::escape;
use crate::schedule::local::zone;
use crate::units::Timestamp;

/// Tell what jobs have done, from the newest back.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// One job only, such as `backup:files`, `files` or `prune:main`.
    #[arg(long, value_name = "JOB")]
    pub job: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub count: u32,
}

pub fn run(context: &Context, args: &RunsArgs) -> Result<Ended, Failure> {
    let now = context.run.clock.now();
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let question = Question::Runs { job: args.job.clone(), count: args.count };
    let runs = match control::ask(&hold::socket(&config.state_dir), &question) {
        Ok(Answer::Runs { runs }) => runs,
        _ => absent(config, args, now)?,
    };
    if context.output.is_json() {
        for run in &runs {
            context.output.json("result", Some("run"), run)?;
        }
        return Ok(Ended::done());
    }
    context.output.result("runs", &(), || told(&runs, context.output.language()))?;
    Ok(Ended::done())
}

fn absent(config: &Config, args: &RunsArgs, now: Timestamp) -> Result<Vec<RunReport>, Failure> {
    let Some(catalogue) = catalogue(config, now)? else { return Ok(Vec::new()) };
    let key = args.job.as_ref().map(|name| {
        let is_backup = config.backup(name).is_some();
        if is_backup { format!("backup:{name}") } else { name.clone() }
    });
    let filter = RunFilter { job: key.as_deref(), before: None };
    let rows = catalogue.runs(filter, args.count).map_err(|error| unreadable(config, &error))?;
    let zone = zone(&config.time_zone).unwrap_or(TimeZone::UTC);
    Ok(rows.iter().map(|(key, row)| RunReport::new(key, row, &zone)).collect())
}

fn told(runs: &[RunReport], language: Language) -> String {
    let columns = [
        (texts::STARTED.words(language), Align::Left),
        (common::JOB.words(language), Align::Left),
        (texts::OUTCOME.words(language), Align::Left),
        (texts::TOOK.words(language), Align::Right),
        (texts::REMARK.words(language), Align::Left),
    ];
    let row = |run: &RunReport| {
        let message = run.message.as_deref().unwrap_or_default();
        let code = run.exit_code.filter(|code| *code != 0);
        let code = code.map_or(String::new(), |code| format!(" ({code})"));
        vec![
            minute(&run.started),
            run.job.clone(),
            format!("{}{code}", outcome(run.outcome.as_deref(), language)),
            run.duration_ms.map(|ms| took(ms).told_in(language)).unwrap_or_default(),
            escape(message.as_bytes()),
        ]
    };
    render(&columns, &runs.iter().map(row).collect::<Vec<_>>())
}

/// How long it took.
pub(super) fn took(ms: i64) -> Value {
    Value::Took(std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

/// In words; none is at work.
pub(super) fn outcome(outcome: Option<&str>, language: Language) -> &'static str {
    let text: Text = match outcome {
        Some("done") => texts::OUTCOME_DONE,
        Some("problems") => texts::OUTCOME_PROBLEMS,
        Some("failed") => texts::OUTCOME_FAILED,
        Some("stopped") => texts::OUTCOME_STOPPED,
        Some(_) => texts::OUTCOME_CUT,
        None => texts::AT_WORK,
    };
    text.words(language)
}
