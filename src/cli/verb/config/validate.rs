//! `config validate`: all mistakes at once, warnings, and when each job runs next.

use std::path::Path;

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::daemon as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::settings::configured;
use crate::cli::verb::notify;
use crate::cli::verb::schedule::Upcoming;
use crate::cli::verb::schedule::upcoming;
use crate::config::mistake::Mistake;
use crate::config::warn::UNTESTED;

/// Times that are told of each schedule.
const TIMES: usize = 5;

#[derive(Serialize)]
struct Validated<'v> {
    path: String,
    mistakes: &'v [Mistake],
    warnings: &'v [Mistake],
    jobs: Vec<Upcoming>,
}

pub fn run(context: &Context, file: Option<&Path>) -> Result<Ended, Failure> {
    let now = context.run.clock.now();
    let path = file.unwrap_or_else(|| context.settings.config.path());
    let loaded = configured::advised(path, &context.environment, now)?;
    let mut found = loaded.found.clone();
    if let Some(config) = &found.config {
        let proven = notify::proven(context, config);
        let is_old = |warning: &Mistake| {
            let name = warning.key.strip_prefix("channel.");
            warning.what.starts_with(UNTESTED)
                && name.is_some_and(|name| proven.iter().any(|proven| proven == name))
        };
        found.warnings.retain(|warning| !is_old(warning));
    }
    let found = &found;
    let jobs: Vec<Upcoming> = found.config.iter().flat_map(|c| upcoming(c, now, TIMES)).collect();
    let path = crate::path::escape(loaded.path.as_os_str().as_encoded_bytes());
    if context.output.is_json() {
        let (mistakes, warnings) = (&found.mistakes[..], &found.warnings[..]);
        let validated = Validated { path, mistakes, warnings, jobs };
        context.output.json("result", Some("config"), &validated)?;
        loaded.config()?;
        return Ok(Ended::done());
    }
    for warning in &found.warnings {
        context.output.warn(loaded.line(warning));
    }
    let config = loaded.config()?;
    context.output.report("config", &(), || {
        texts::GOOD
            .with("path", path)
            .with("backups", config.backups.len())
            .with("storages", config.storages.len())
            .with("jobs", jobs.len())
            .with("warnings", found.warnings.len())
            .with("table", table(context, &jobs))
    })?;
    Ok(Ended::done())
}

fn table(context: &Context, jobs: &[Upcoming]) -> String {
    let language = context.output.language();
    let columns = [
        (texts::JOB.words(language), Align::Left),
        (texts::NEXT_RUNS.words(language), Align::Left),
        (texts::ZONE.words(language), Align::Left),
    ];
    let mut rows = Vec::new();
    for job in jobs {
        let starts: Vec<String> = job.runs.iter().map(|run| run.shown()).collect();
        rows.push(vec![job.job.clone(), starts.join(", "), job.time_zone.clone()]);
    }
    render(&columns, &rows)
}
