//! `drill list` and `drill show`: records of this machine.

pub mod report;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::told;
use crate::drill::follow::Followed;
use crate::drill::record::Record;

/// List the drills of this machine with their verdicts.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {}

/// Show the record of one drill.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// First digits of its id, as `drill list` has it, or its code; without it the newest.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    record_id: &'a str,
    code: &'a str,
    title: &'a str,
    started_at: &'a str,
    verdict: crate::drill::verdict::Verdict,
    datasets: Vec<&'a str>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    record: &'a Record,
    followed: &'a [Followed],
}

fn records(context: &Context) -> Result<Vec<Record>, Failure> {
    let drills = Drills::new(context)?;
    let mut records = Vec::new();
    for id in drills.ids()? {
        records.extend(drills.record(&id)?);
    }
    records.sort_by(|one, two| one.drill.started_at.cmp(&two.drill.started_at));
    Ok(records)
}

pub fn list(context: &Context, _args: &ListArgs) -> Result<Ended, Failure> {
    let records = records(context)?;
    let language = context.output.language();
    let mut rows = Vec::with_capacity(records.len());
    for record in &records {
        let datasets: Vec<&str> = record.items.iter().map(|item| item.dataset.as_str()).collect();
        rows.push(vec![
            record.record_id.get(..8).unwrap_or_default().to_owned(),
            record.drill.code.clone(),
            record.drill.started_at.clone(),
            told::verdict(record.verdict).words(language).to_owned(),
            datasets.join(", "),
        ]);
        let line = Line {
            record_id: &record.record_id,
            code: &record.drill.code,
            title: &record.drill.title,
            started_at: &record.drill.started_at,
            verdict: record.verdict,
            datasets,
        };
        if context.output.is_json() {
            context.output.json("result", Some("drill"), &line)?;
        }
    }
    if !context.output.is_json() {
        let columns = [
            ("ID", Align::Left),
            (texts::COLUMN_CODE.words(language), Align::Left),
            (texts::COLUMN_STARTED.words(language), Align::Left),
            (texts::COLUMN_VERDICT.words(language), Align::Left),
            (texts::COLUMN_DATASETS.words(language), Align::Left),
        ];
        context.output.raw(format!("{}\n", render(&columns, &rows)).as_bytes())?;
    }
    Ok(Ended::done())
}

/// The newest drill, or that of an id or code.
///
/// # Errors
/// When there is none.
pub fn found(context: &Context, id: Option<&str>) -> Result<Record, Failure> {
    let is_meant = |record: &Record| match id {
        None => true,
        Some(id) => record.record_id.starts_with(id) || record.drill.code == id,
    };
    let found = records(context)?.into_iter().rev().find(is_meant);
    found.ok_or_else(|| {
        let id = crate::path::escape(id.unwrap_or_default().as_bytes());
        Failure::usage(texts::NO_RECORD.with("id", id), texts::SEE_LIST)
    })
}

pub fn show(context: &Context, args: &ShowArgs) -> Result<Ended, Failure> {
    let record = found(context, args.id.as_deref())?;
    let followed = Drills::new(context)?.followed(&record.record_id)?;
    let shown = Shown { record: &record, followed: &followed };
    context.output.result("drill", &shown, || {
        let language = context.output.language();
        let mut lines = vec![told::record(&record, ("", ""), language)];
        lines.extend(told::followed(&followed, language));
        lines.join("\n")
    })?;
    Ok(Ended::done())
}
