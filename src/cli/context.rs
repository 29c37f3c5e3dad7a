//! What every verb is given, and what it gives back.

use std::sync::Arc;

use crate::cli::environment::Environment;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Tell;
use crate::cli::output::Output;
use crate::cli::output::watch::Watch;
use crate::cli::settings::Settings;
use crate::cli::settings::configured;
use crate::cli::settings::configured::Loaded;
use crate::run::Run;
use crate::run::monitor::Severity;

/// What every verb is given.
pub struct Context {
    pub settings: Settings,
    pub environment: Environment,
    pub output: Arc<Output>,
    pub watch: Arc<Watch>,
    pub run: Run,
    pub hearers: Hearers,
}

/// Who is told of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearers {
    Everybody,
    Nobody,
}

impl Context {
    /// Reads the configuration file; from then on its language is spoken, unless another was said.
    ///
    /// # Errors
    /// When it cannot be read (2). Mistakes in it are no error here.
    pub fn configuration(&self) -> Result<Loaded, Failure> {
        let now = self.run.clock.now();
        let loaded = self.settings.config.load(&self.environment, now)?;
        if let Some(config) = &loaded.found.config {
            self.output.speak(configured::language(config));
        }
        Ok(loaded)
    }

    /// A problem of a thing that is named in the reader's language, where a path or a name in
    /// storage goes to the run as it is.
    pub fn problem(&self, severity: Severity, subject: impl Tell, message: impl Tell) {
        if self.hearers == Hearers::Everybody {
            self.watch.tell(severity, &subject.said(), &message.said());
        }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with(&self, settings: Settings) -> Self {
        Self {
            settings,
            environment: self.environment.clone(),
            output: Arc::clone(&self.output),
            watch: Arc::clone(&self.watch),
            run: self.run.clone(),
            hearers: self.hearers,
        }
    }

    /// The same with nobody told of problems: for what is looked at a second time, and told then.
    #[must_use]
    pub fn unwatched(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            environment: self.environment.clone(),
            output: Arc::clone(&self.output),
            watch: Arc::clone(&self.watch),
            run: self.run.unwatched(),
            hearers: Hearers::Nobody,
        }
    }
}

/// How a verb that went to its end ended. Problems that were reported are added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub exit: Exit,
    /// What was left out on purpose or by a limit, counted apart from problems.
    pub skipped_count: u64,
}

impl Ended {
    #[must_use]
    pub const fn done() -> Self {
        Self { exit: Exit::Done, skipped_count: 0 }
    }
}
