//! The rungs of the ladder: each looks at restored data and says what it found.
//!
//! What it is: checks by level and kind, and the list that they write into.
//! Never: changes restored data; runs a restored program, but what a database makes its own server
//! do in a throw-away one; names a file in what it records.
//! Invariants: a check has one result; what it could not look at is a skip, not a pass.
//! Start reading at: [`Checks`].

pub mod canary;
pub mod capsule;
pub mod custom;
pub mod documents;
pub mod mail;
pub mod mariadb;
pub mod postgresql;
pub mod restored;
pub mod sqlite;

use std::time::Duration;

use crate::drill::record::Check;
use crate::drill::server::process::ProcessError;
use crate::drill::server::process::SHORT;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::run::Run;

/// How long a query of the office may take.
const QUERY_WAIT: Duration = Duration::from_secs(600);

/// How long a query of the office may take where one program may take `limit`.
fn queried(limit: Duration) -> Duration {
    QUERY_WAIT.min(limit).max(SHORT)
}

/// What a program that did not end as it should says of the check.
fn broken(error: &ProcessError) -> Found {
    let found = Found::skipped(FailureCode::F8, error.to_string());
    match error {
        ProcessError::TimedOut(_) => Found { result: Outcome::Timeout, ..found },
        _ => found,
    }
}

/// Whether a program says that the sandbox is full: that is nothing against the data.
fn is_full(said: &str) -> bool {
    ["No space left on device", "is full"].iter().any(|words| said.contains(words))
}

/// What one check found, before it is written down.
#[derive(Debug, Clone)]
pub struct Found {
    pub result: Outcome,
    pub code: FailureCode,
    pub expected: Option<String>,
    pub actual: Option<String>,
    pub detail: Option<String>,
}

impl Found {
    /// Passed if both are equal.
    #[must_use]
    pub fn equal(code: FailureCode, expected: impl ToString, actual: impl ToString) -> Self {
        let (expected, actual) = (expected.to_string(), actual.to_string());
        let result = if expected == actual { Outcome::Pass } else { Outcome::Fail };
        Self { result, code, expected: Some(expected), actual: Some(actual), detail: None }
    }

    /// Could not be looked at.
    #[must_use]
    pub fn skipped(code: FailureCode, detail: impl Into<String>) -> Self {
        let detail = Some(detail.into());
        Self { result: Outcome::Skip, code, expected: None, actual: None, detail }
    }

    /// Failed with a reason.
    #[must_use]
    pub fn failed(code: FailureCode, detail: impl Into<String>) -> Self {
        Self { result: Outcome::Fail, ..Self::skipped(code, detail) }
    }

    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// What is checked of one item, in order.
pub struct Checks<'r> {
    run: &'r Run,
    /// When the check that runs now began.
    since: Duration,
    pub list: Vec<Check>,
}

impl std::fmt::Debug for Checks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checks({})", self.list.len())
    }
}

/// Whether a check's failure is the item's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Mandatory,
    Minor,
}

impl<'r> Checks<'r> {
    #[must_use]
    pub fn new(run: &'r Run) -> Self {
        Self { run, since: run.clock.elapsed(), list: Vec::new() }
    }

    /// Time of what comes next counts from here.
    pub fn start(&mut self) {
        self.since = self.run.clock.elapsed();
    }

    /// Writes down what the check `<level>.<what>` found.
    pub fn note(&mut self, (level, what): (Level, &str), weight: Weight, found: Found) {
        let now = self.run.clock.elapsed();
        let took = now.saturating_sub(self.since);
        self.since = now;
        let is_good = found.result == Outcome::Pass;
        self.list.push(Check {
            id: format!("{level:?}.{what}"),
            level,
            mandatory: weight == Weight::Mandatory,
            result: found.result,
            code: (!is_good).then_some(found.code),
            expected: found.expected,
            actual: found.actual,
            detail: found.detail,
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_sandbox_is_told_from_damage() {
        assert!(is_full("tar: base/1/2: Cannot write: No space left on device"));
        assert!(is_full("ERROR 1114 (HY000) at line 3: The table 't' is full"));
        assert!(!is_full("tar: Unexpected EOF in archive"));
        let found = broken(&ProcessError::Full);
        assert_eq!((found.result, found.code), (Outcome::Skip, FailureCode::F8));
    }
}
