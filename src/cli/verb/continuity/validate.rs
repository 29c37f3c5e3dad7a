//! `continuity validate` and `continuity show`.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Tell;
use crate::cli::language::table::continuity as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::config::show::Values;
use crate::cli::verb::config::show::values;
use crate::cli::verb::continuity::load;
use crate::config::mistake::Mistake;
use crate::config::plan::Criticality;
use crate::config::plan::Plan;
use crate::config::plan::Service;
use crate::config::plan::Target;

#[derive(Serialize)]
struct Validated<'v> {
    path: String,
    mistakes: &'v [Mistake],
    warnings: &'v [Mistake],
}

pub fn run(context: &Context) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    let found = &office.found;
    if context.output.is_json() {
        let (mistakes, warnings) = (&found.mistakes[..], &found.warnings[..]);
        let validated = Validated { path: office.shown_path(), mistakes, warnings };
        context.output.json("result", Some("plan"), &validated)?;
        office.plan()?;
        return Ok(Ended::done());
    }
    for warning in &found.warnings {
        context.output.warn(office.line(warning));
    }
    let plan = office.plan()?;
    let datasets: usize = plan.services.values().map(|service| service.datasets.len()).sum();
    context.output.report("plan", &(), || {
        texts::GOOD
            .with("path", office.shown_path())
            .with("services", plan.services.len())
            .with("datasets", datasets)
            .with("people", plan.people.len())
            .with("warnings", found.warnings.len())
            .with("table", table(plan, context.output.language()))
    })?;
    Ok(Ended::done())
}

/// Services in the order in which they come back.
fn table(plan: &Plan, language: Language) -> String {
    let columns = [
        (texts::ORDER.words(language), Align::Right),
        (texts::SERVICE.words(language), Align::Left),
        (texts::CRITICALITY.words(language), Align::Left),
        (texts::OWNER.words(language), Align::Left),
        (texts::RTO.words(language), Align::Left),
        (texts::RPO.words(language), Align::Left),
        (texts::MTD.words(language), Align::Left),
        (texts::DATASETS.words(language), Align::Left),
    ];
    let mut services: Vec<(&String, &Service)> = plan.services.iter().collect();
    services.sort_by_key(|(id, service)| (service.order, *id));
    let row = |(id, service): (&String, &Service)| {
        let datasets: Vec<&str> = service.datasets.keys().map(String::as_str).collect();
        vec![
            service.order.to_string(),
            id.clone(),
            criticality(service.criticality).words(language).to_owned(),
            service.owner.clone(),
            target(service.rto, language),
            target(service.rpo, language),
            match service.mtd {
                Some(mtd) => mtd.to_string(),
                None => texts::NOT_SAID.words(language).to_owned(),
            },
            datasets.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = services.into_iter().map(row).collect();
    render(&columns, &rows)
}

/// How a criticality is told.
#[must_use]
pub const fn criticality(criticality: Criticality) -> crate::cli::language::text::Text {
    match criticality {
        Criticality::Critical => texts::CRITICAL,
        Criticality::Important => texts::IMPORTANT,
        Criticality::Normal => texts::NORMAL,
    }
}

fn target(target: Target, language: Language) -> String {
    match target {
        Target::Said(period) => period.to_string(),
        Target::Default(period) => {
            texts::NOT_APPROVED.with("value", period.to_string()).said().told_in(language)
        }
    }
}

/// `continuity show`.
pub fn show(context: &Context) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    office.plan()?;
    let shown = &office.found.shown[..];
    let body = Values { path: office.shown_path(), values: shown };
    let language = context.output.language();
    context.output.result("plan", &body, || values(shown, language))?;
    Ok(Ended::done())
}
