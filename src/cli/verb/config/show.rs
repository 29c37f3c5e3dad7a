//! `config show`: every value and where it comes from.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon as texts;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::settings::configured::shown_values;
use crate::config::read::Origin;
use crate::config::read::Shown;

/// What a file says, for programs.
#[derive(Serialize)]
pub struct Values<'v> {
    pub path: String,
    pub values: &'v [Shown],
}

pub fn run(context: &Context) -> Result<Ended, Failure> {
    context.configuration()?.config()?;
    let now = context.run.clock.now();
    let loaded = shown_values(&context.settings.config, &context.environment, now)?;
    let language = context.output.language();
    let path = crate::path::escape(loaded.path.as_os_str().as_encoded_bytes());
    let body = Values { path, values: &loaded.found.shown };
    context.output.result("config", &body, || values(body.values, language))?;
    Ok(Ended::done())
}

/// Values with their origins, for people.
#[must_use]
pub fn values(values: &[Shown], language: Language) -> String {
    let columns = [
        (texts::KEY.words(language), Align::Left),
        (texts::VALUE.words(language), Align::Left),
        (texts::ORIGIN.words(language), Align::Left),
    ];
    let origin = |origin: Origin| -> Said {
        match origin {
            Origin::Line(line) => texts::LINE.with("line", line.to_string()),
            Origin::Default => texts::DEFAULT.into(),
            Origin::Environment => texts::ENVIRONMENT.into(),
        }
    };
    let row = |shown: &Shown| {
        let value = crate::path::escape(shown.value.to_string().as_bytes());
        vec![shown.key.clone(), value, origin(shown.origin).told_in(language)]
    };
    let rows: Vec<Vec<String>> = values.iter().map(row).collect();
    render(&columns, &rows)
}
