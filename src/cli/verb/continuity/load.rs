//! The plan's file: where it is, and what it says.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity as texts;
use crate::cli::settings::configured;
use crate::cli::settings::configured::Loaded;
use crate::cli::settings::configured::System;
use crate::config::Config;
use crate::config::mistake::Mistake;
use crate::config::plan;
use crate::config::plan::FoundPlan;
use crate::config::plan::Plan;
use crate::path::escape;

/// A plan beside the configuration whose names it uses.
pub struct Office {
    pub configuration: Loaded,
    pub path: PathBuf,
    /// As it stands in the file.
    pub text: String,
    pub found: FoundPlan,
}

/// Where the plan is: where the configuration says, else beside it.
#[must_use]
pub fn path_of(configuration: &Path, config: &Config) -> PathBuf {
    let beside = || configuration.with_file_name(plan::FILE_NAME);
    config.continuity.clone().unwrap_or_else(beside)
}

/// Reads both files.
///
/// # Errors
/// When one cannot be read, or the configuration has mistakes (2). Those of the plan are no error
/// here.
pub fn load(context: &Context) -> Result<Office, Failure> {
    let now = context.run.clock.now();
    let configuration = context.configuration()?;
    let config = configuration.config()?;
    let path = path_of(&configuration.path, config);
    let text = configured::text_of(&path, |detail| {
        let shown = escape(path.as_os_str().as_encoded_bytes());
        let message = texts::UNREADABLE.with("path", shown).with("detail", detail);
        Failure::usage(message, texts::NAME_PLAN)
    })?;
    let system = System { environment: &context.environment };
    let found = plan::read(&text, config, (&system, now));
    Ok(Office { configuration, path, text, found })
}

/// Names and titles of a plan's people by their ids.
#[must_use]
pub fn names_of(plan: &Plan) -> BTreeMap<String, String> {
    let named = plan.people.iter().map(|(id, person)| match &person.title {
        Some(title) => (id.clone(), format!("{}, {title}", person.name)),
        None => (id.clone(), person.name.clone()),
    });
    named.collect()
}

/// Names and titles of the plan's people by their ids; none where there is no plan.
#[must_use]
pub fn names(context: &Context) -> BTreeMap<String, String> {
    let plan = load(context).ok().and_then(|office| office.found.plan);
    plan.map(|plan| names_of(&plan)).unwrap_or_default()
}

impl Office {
    /// # Errors
    /// With every mistake (2).
    pub fn plan(&self) -> Result<&Plan, Failure> {
        self.found.plan.as_ref().ok_or_else(|| {
            let lines = self.found.mistakes.iter().map(|mistake| self.line(mistake)).collect();
            Failure::usage(texts::MISTAKES.with("mistakes", Said::list(lines)), texts::CORRECT)
        })
    }

    /// `FILE:59:1: key: what`.
    #[must_use]
    pub fn line(&self, mistake: &Mistake) -> Said {
        Said::plain(format!("{}:{mistake}", self.shown_path()))
    }

    #[must_use]
    pub fn shown_path(&self) -> String {
        escape(self.path.as_os_str().as_encoded_bytes())
    }
}
