//! The only place that prints.

pub mod entry;
pub mod log;
pub mod names;
pub mod table;
pub mod watch;

use std::collections::BTreeSet;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use indicatif::ProgressBar;
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::heard;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell;
use crate::cli::language::table::common;
use crate::cli::output::names::Name;
use crate::path::escape;
use crate::run::monitor::Problem;
use crate::run::monitor::Severity;

/// Version of the JSON lines; fields are added, never renamed.
pub const JSON_VERSION: u32 = 1;

/// What standard output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    /// JSON lines on standard output.
    Json,
    /// JSON lines on standard error, because standard output has a file's content.
    JsonOnStderr,
}

/// How much is told to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Quiet,
    Normal,
    Verbose,
}

/// Prints. Shared by the verb and by the threads that report problems.
pub struct Output {
    format: Format,
    level: Level,
    /// As somebody said it for this command.
    said: Option<Language>,
    /// As the office's configuration has it, once that is read.
    office: OnceLock<Language>,
    out: Mutex<BufWriter<io::Stdout>>,
    /// The progress line, which has to step aside for other text on the terminal.
    bar: Mutex<Option<ProgressBar>>,
    /// Warnings so far.
    told: Mutex<BTreeSet<String>>,
}

#[derive(Serialize)]
struct Line<'a, T> {
    message_type: &'a str,
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a str>,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct ProblemLine<'a> {
    severity: &'static str,
    #[serde(flatten)]
    subject: Name<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Warning {
    message: String,
}

#[derive(Serialize)]
struct ErrorLine {
    exit_code: u8,
    message: String,
    meaning: String,
    next: String,
}

/// The last JSON line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub exit_code: u8,
    pub problems_count: u64,
    pub skipped_count: u64,
    pub duration_ms: u64,
}

impl Output {
    #[must_use]
    pub fn new(format: Format, level: Level) -> Self {
        let out = Mutex::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
        let (bar, told) = (Mutex::new(None), Mutex::default());
        Self { format, level, said: None, office: OnceLock::new(), out, bar, told }
    }

    /// Tells people everything in this language, if one was said.
    #[must_use]
    pub fn speaking(mut self, said: Option<Language>) -> Self {
        self.said = said;
        self
    }

    /// From now on in the office's language, unless another one was said.
    pub fn speak(&self, office: Language) {
        // The first configuration that is read stands.
        let _spoken = self.office.set(office);
    }

    #[must_use]
    pub fn language(&self) -> Language {
        self.said.or(self.office.get().copied()).unwrap_or(Language::En)
    }

    #[must_use]
    pub fn is_json(&self) -> bool {
        self.format != Format::Human
    }

    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// A result: the JSON line, or for people the text that `human` makes.
    pub fn result<T: Serialize, W: Tell>(
        &self,
        item: &str,
        body: &T,
        human: impl FnOnce() -> W,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Human => self.say(human()),
            _ => self.json("result", Some(item), body),
        }
    }

    /// A line for people on standard output.
    fn say(&self, words: impl Tell) -> Result<(), Failure> {
        self.raw(format!("{}\n", words.said().told_in(self.language())).as_bytes())
    }

    /// A report of what was done: as [`Output::result`], but `--quiet` leaves it out for people.
    pub fn report<T: Serialize, W: Tell>(
        &self,
        item: &str,
        body: &T,
        human: impl FnOnce() -> W,
    ) -> Result<(), Failure> {
        if self.format == Format::Human && self.level == Level::Quiet {
            return Ok(());
        }
        self.result(item, body, human)
    }

    /// What would be done, for `--dry-run`.
    pub fn plan<T: Serialize, W: Tell>(
        &self,
        item: &str,
        body: &T,
        human: impl FnOnce() -> W,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Human => self.say(human()),
            _ => self.json("plan", Some(item), body),
        }
    }

    /// Bytes for standard output as they are.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(out.write_all(bytes)?)
    }

    /// One JSON line.
    pub fn json<T: Serialize>(
        &self,
        message_type: &str,
        item: Option<&str>,
        body: &T,
    ) -> Result<(), Failure> {
        let line = Line { message_type, v: JSON_VERSION, item, body };
        let mut text = serde_json::to_vec(&line).map_err(io::Error::from)?;
        text.push(b'\n');
        match self.format {
            Format::JsonOnStderr => self.stderr(&text),
            _ => self.raw(&text)?,
        }
        Ok(())
    }

    /// Makes sure that what was printed has left the process.
    pub fn flush(&self) -> Result<(), Failure> {
        Ok(self.out.lock().unwrap_or_else(PoisonError::into_inner).flush()?)
    }

    /// Something worth knowing, on standard error; not with `--quiet` or `--json`.
    pub fn note(&self, words: impl Tell) {
        if self.format == Format::Human && self.level > Level::Quiet {
            let text = words.said().told_in(self.language());
            self.stderr(format!("{text}\n").as_bytes());
        }
    }

    /// Something that the user should change, on standard error, once; not with `--quiet`.
    pub fn warn(&self, words: impl Tell) {
        let said = words.said();
        let message = said.told_in(Language::En);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.level == Level::Quiet || !told.insert(message.clone()) {
            return;
        }
        if self.format == Format::JsonOnStderr {
            // Standard error has JSON lines only then.
            let _unread = self.json("status", Some("warning"), &Warning { message });
        } else {
            let label = common::WARNING.words(self.language());
            let text = said.told_in(self.language());
            self.stderr(format!("{label} {text}\n").as_bytes());
        }
    }

    /// A problem, as it happens. Whether it could be printed makes no difference to the run.
    pub fn problem(&self, problem: &Problem) {
        if self.format == Format::Human {
            let message = heard::told_in(self.language(), &problem.message);
            self.problem_for_people(problem.severity, &escape(&problem.subject), &message);
            return;
        }
        self.problem_for_programs(
            problem.severity,
            Name::subject(&problem.subject),
            &problem.message,
        );
    }

    /// A problem of a thing that has a name in each language.
    pub fn problem_of(&self, severity: Severity, subject: &Said, message: &Said) {
        if self.format == Format::Human {
            let (subject, message) =
                (subject.told_in(self.language()), message.told_in(self.language()));
            self.problem_for_people(severity, &subject, &message);
            return;
        }
        let (subject, message) = (subject.told_in(Language::En), message.told_in(Language::En));
        self.problem_for_programs(severity, Name::subject(subject.as_bytes()), &message);
    }

    fn problem_for_people(&self, severity: Severity, subject: &str, message: &str) {
        let label = match severity {
            Severity::Problem => common::PROBLEM,
            Severity::Healable => common::HEALABLE,
            Severity::Damage => common::DAMAGE,
        };
        let label = label.words(self.language());
        self.stderr(format!("{label} {subject}: {message}\n").as_bytes());
    }

    fn problem_for_programs(&self, severity: Severity, subject: Name<'_>, message: &str) {
        let severity = match severity {
            Severity::Problem => "problem",
            Severity::Healable => "healable",
            Severity::Damage => "damage",
        };
        let line = ProblemLine { severity, subject, message };
        let _unread = self.json("problem", None, &line).and_then(|()| self.flush());
    }

    /// Why the command ended early.
    pub fn failure(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        if self.format == Format::Human {
            self.stderr(format!("{}\n", failure.told_in(self.language())).as_bytes());
            return;
        }
        // Programs read it, so it is English.
        let english = |said: &Said| said.told_in(Language::En);
        let line = ErrorLine {
            exit_code: failure.exit.code(),
            message: english(&failure.message),
            meaning: failure.meaning.as_ref().map(english).unwrap_or_default(),
            next: english(&failure.next),
        };
        let _unread = self.json("error", None, &line);
    }

    /// The last line with `--json`. Answers the exit code that stands in the end.
    pub fn summary(&self, summary: Summary, exit: Exit) -> Exit {
        let printed = match self.format {
            Format::Human => Ok(()),
            _ => self.json("summary", None, &summary),
        };
        match printed.and_then(|()| self.flush()) {
            Err(failure) if !failure.is_silent() => {
                self.stderr(format!("{}\n", failure.told_in(self.language())).as_bytes());
                exit.or(failure.exit)
            }
            _ => exit,
        }
    }

    /// From now on text on standard error goes above this line; `None`: there is none any more.
    pub fn set_bar(&self, bar: Option<ProgressBar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    /// Asks something at the terminal while nothing else is drawn or printed there.
    pub fn alone<T>(&self, ask: impl FnOnce() -> T) -> T {
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(ask),
            None => ask(),
        }
    }

    /// Standard error; if it is gone there is nobody to tell.
    pub fn stderr(&self, text: &[u8]) {
        let print = || {
            let _unread = io::stderr().lock().write_all(text);
        };
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}
