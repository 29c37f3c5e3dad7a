//! What a run tells while it works.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// Entries found so far, and bytes of their content: what a progress line measures against.
    EntriesFound,
    BytesFound,
    /// Entries finished, and bytes of their content.
    EntriesDone,
    BytesDone,
    /// Files that are new, changed, unchanged against the parent snapshot.
    FilesNew,
    FilesChanged,
    FilesUnchanged,
    DirectoriesDone,
    /// Entries left out by a rule.
    EntriesExcluded,
    /// Objects handed to the vault that it did not have, and their sealed bytes.
    ObjectsNew,
    BytesStored,
    /// Objects that the vault had already.
    ObjectsKnown,
    /// Packs written, packs read.
    PacksWritten,
    PacksRead,
    /// Sealed bytes read from storage.
    BytesRead,
    /// Restore: entries left alone because they were as wanted; removed by `--delete`.
    EntriesKept,
    EntriesRemoved,
    /// Bytes of content that there will be, as far as it is known before the walk: those of the
    /// snapshot, or of the one before it.
    BytesExpected,
    /// Walks that came to their end: from then on what was found is all there is.
    WalksDone,
}

/// What a run is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Opening,
    Scanning,
    BackingUp,
    Committing,
    Restoring,
    Verifying,
    Checking,
    Planning,
    Copying,
    Finished,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something was not done as asked, such as a file that could not be read.
    Problem,
    /// A copy of something stored is bad or missing, and another one stands in for it.
    Healable,
    /// Stored data is lost, or missing without a reason.
    Damage,
}

/// A finding that does not end the run. It is counted, listed and makes the exit code 3, or 20 if
/// it is damage.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    pub severity: Severity,
    /// What it concerns, as raw bytes; a path or a name in storage.
    pub subject: Vec<u8>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl Problem {
    #[must_use]
    pub fn new(subject: impl Into<Vec<u8>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, subject: subject.into(), message: message.into() }
    }

    #[must_use]
    pub fn healable(subject: impl Into<Vec<u8>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Healable, subject: subject.into(), message: message.into() }
    }

    #[must_use]
    pub fn damage(subject: impl Into<Vec<u8>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Damage, subject: subject.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", crate::path::escape(&self.subject), self.message)
    }
}

/// Who watches a run. Calls come from several threads and must be quick.
pub trait Monitor: Send + Sync {
    fn count(&self, what: Count, n: u64);
    fn problem(&self, problem: &Problem);
    fn phase(&self, phase: Phase);
}

/// A monitor that hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn count(&self, _what: Count, _n: u64) {}
    fn problem(&self, _problem: &Problem) {}
    fn phase(&self, _phase: Phase) {}
}

/// Passes counts and phases on, and of the problems only those of what is stored: bad copies and
/// losses.
pub struct Losses(pub Arc<dyn Monitor>);

impl Monitor for Losses {
    fn count(&self, what: Count, n: u64) {
        self.0.count(what, n);
    }

    fn problem(&self, problem: &Problem) {
        if problem.severity != Severity::Problem {
            self.0.problem(problem);
        }
    }

    fn phase(&self, phase: Phase) {
        self.0.phase(phase);
    }
}

/// Passes everything on to two monitors.
pub struct Both<A, B>(pub A, pub B);

impl<A: Monitor, B: Monitor> Monitor for Both<A, B> {
    fn count(&self, what: Count, n: u64) {
        self.0.count(what, n);
        self.1.count(what, n);
    }

    fn problem(&self, problem: &Problem) {
        self.0.problem(problem);
        self.1.problem(problem);
    }

    fn phase(&self, phase: Phase) {
        self.0.phase(phase);
        self.1.phase(phase);
    }
}

/// Passes counts and phases on, and keeps problems until it is known whether they are any: what is
/// read may be taken away by somebody who may.
pub struct Held {
    inner: Arc<dyn Monitor>,
    problems: Mutex<Vec<Problem>>,
}

impl Held {
    #[must_use]
    pub fn new(inner: Arc<dyn Monitor>) -> Self {
        Self { inner, problems: Mutex::default() }
    }

    fn take(&self) -> Vec<Problem> {
        std::mem::take(&mut self.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// They are problems.
    pub fn tell(&self) {
        self.take().iter().for_each(|problem| self.inner.problem(problem));
    }

    /// They were none.
    pub fn forget(&self) {
        drop(self.take());
    }
}

impl Monitor for Held {
    fn count(&self, what: Count, n: u64) {
        self.inner.count(what, n);
    }

    fn problem(&self, problem: &Problem) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.push(problem.clone());
    }

    fn phase(&self, phase: Phase) {
        self.inner.phase(phase);
    }
}

/// Keeps every problem and count, for summaries and tests.
#[derive(Debug, Default)]
pub struct Recorder {
    state: Mutex<Recorded>,
}

/// What a [`Recorder`] has heard.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    pub counts: std::collections::BTreeMap<Count, u64>,
    pub problems: Vec<Problem>,
    pub phases: Vec<Phase>,
}

impl Recorder {
    #[must_use]
    pub fn recorded(&self) -> Recorded {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Monitor for Recorder {
    fn count(&self, what: Count, n: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state.counts.entry(what).or_default() += n;
    }

    fn problem(&self, problem: &Problem) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.problems.push(problem.clone());
    }

    fn phase(&self, phase: Phase) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).phases.push(phase);
    }
}

impl<M: Monitor + ?Sized> Monitor for std::sync::Arc<M> {
    fn count(&self, what: Count, n: u64) {
        (**self).count(what, n);
    }

    fn problem(&self, problem: &Problem) {
        (**self).problem(problem);
    }

    fn phase(&self, phase: Phase) {
        (**self).phase(phase);
    }
}
