//! Checks and codes in words.

use crate::drill::record::Check;
use crate::drill::record::Record;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::report::Language;
use crate::report::words;
use crate::report::words::Words;
use crate::report::words::check;

#[must_use]
pub const fn verdict(verdict: Verdict) -> Words {
    match verdict {
        Verdict::Pass => words::PASS,
        Verdict::Conditional => words::CONDITIONAL,
        Verdict::Fail => words::FAIL,
        Verdict::Inconclusive => words::INCONCLUSIVE,
    }
}

#[must_use]
pub const fn outcome(outcome: Outcome) -> Words {
    match outcome {
        Outcome::Pass => words::CHECK_PASS,
        Outcome::Fail => words::CHECK_FAIL,
        Outcome::Skip => words::CHECK_SKIP,
        Outcome::Timeout => words::CHECK_TIMEOUT,
        Outcome::NotApplicable => words::CHECK_NA,
    }
}

#[must_use]
pub const fn level(level: Level) -> Words {
    match level {
        Level::L0 => words::L0,
        Level::L1 => words::L1,
        Level::L2 => words::L2,
        Level::L3 => words::L3,
        Level::L4 => words::L4,
        Level::L5 => words::L5,
        Level::L6 => words::L6,
        Level::L7 => words::L7,
    }
}

/// `F4 Chậm hơn mục tiêu (RTO)`.
#[must_use]
pub fn failure(code: FailureCode, language: Language) -> String {
    let told = match code {
        FailureCode::F1 => words::F1,
        FailureCode::F2 => words::F2,
        FailureCode::F3 => words::F3,
        FailureCode::F4 => words::F4,
        FailureCode::F5 => words::F5,
        FailureCode::F6 => words::F6,
        FailureCode::F7 => words::F7,
        FailureCode::F8 => words::F8,
    };
    format!("{code:?} {}", told.of(language))
}

/// Codes whose failure asks for a new drill within days.
#[must_use]
pub const fn asks_for_redrill(code: FailureCode) -> bool {
    use FailureCode::F1;
    use FailureCode::F2;
    use FailureCode::F3;
    use FailureCode::F6;
    matches!(code, F1 | F2 | F3 | F6)
}

/// A word of the record that the glossary has; another one as it is.
#[must_use]
pub fn term(word: &str, language: Language) -> String {
    let known = match word {
        "D0" => words::D0,
        "D1" => words::D1,
        "D2" => words::D2,
        "D3" => words::D3,
        "D4" => words::D4,
        "I0" => words::I0,
        "I1" => words::I1,
        "I2" => words::I2,
        "I3" => words::I3,
        "newest" => words::NEWEST,
        "oldest" => words::OLDEST,
        "middle" => words::MIDDLE,
        "critical" => words::CRITICAL,
        "important" => words::IMPORTANT,
        "normal" => words::NORMAL,
        "full" => words::FULL,
        "sample" => words::SAMPLE,
        "streamed" => words::STREAMED,
        "operator" => words::OPERATOR,
        "substitute" => words::SUBSTITUTE,
        "owner" => words::OWNER,
        "witness" => words::WITNESS,
        "chair" => words::CHAIR_ROLE,
        other => return other.to_owned(),
    };
    known.of(language).to_owned()
}

/// What a check looks at, from its id; an id that is not known stands for itself.
#[must_use]
pub fn name(id: &str, language: Language) -> String {
    let parts: Vec<&str> = id.split('.').collect();
    let last = parts.last().copied().unwrap_or_default();
    let inner = parts.iter().rev().nth(1).copied().unwrap_or_default();
    if let ("capsule", Some(told)) = (inner, of_capsule(last)) {
        return check::OF_CAPSULE.with(language, &[told.of(language)]);
    }
    if inner == "custom" {
        return check::CUSTOM.with(language, &[last]);
    }
    let known = match last {
        "paths" => check::PATHS,
        "space" => check::SPACE,
        "engine" => check::ENGINE,
        "isolation" => check::ISOLATION,
        "apart" => check::APART,
        "lease" => check::LEASE,
        "readonly" => check::READONLY,
        "clock" => check::CLOCK,
        "process" => check::PROCESS,
        "snapshot" => check::SNAPSHOT,
        "objects" => check::OBJECTS,
        "environment" => check::ENVIRONMENT,
        "bytes" => check::BYTES,
        "set" => check::SET,
        "problems" => check::PROBLEMS,
        "attributes" => check::ATTRIBUTES,
        "open" if inner == "sqlite" => check::START,
        "open" => check::OPEN,
        "drift" => check::DRIFT,
        "header" => check::HEADER,
        "start" => check::START,
        "integrity" => check::INTEGRITY,
        "read" => check::READ,
        "capsule" => check::CAPSULE,
        "path" => check::GONE,
        "trailer" => check::TRAILER,
        "restore" => check::RESTORE,
        "check" | "amcheck" => check::TABLES_CHECKED,
        "verifybackup" => check::VERIFYBACKUP,
        "unpack" => check::UNPACK,
        "newest" => check::NEWEST,
        "last_message" => check::LAST_MESSAGE,
        "wal_pair" => check::WAL_PAIR,
        "rolling" if inner == "canary" => check::CANARY_ROLLING,
        "tombstone" if inner == "canary" => check::CANARY_TOMBSTONE,
        _ if inner == "canary" => check::CANARY,
        _ => return id.to_owned(),
    };
    known.of(language).to_owned()
}

fn of_capsule(what: &str) -> Option<Words> {
    Some(match what {
        "files" => check::FILES,
        "shrink" => check::SHRINK,
        "messages" => check::MESSAGES,
        "told" => check::TOLD,
        "dirs" => check::DIRS,
        "links" => check::LINKS,
        "others" => check::OTHERS,
        "bytes" => check::SIZE,
        "names" => check::NAMES,
        "tables" => check::TABLES,
        "objects" => check::INDEXES,
        "version" => check::VERSION,
        "references" => check::REFERENCES,
        "rows" => check::ROWS,
        "digest" => check::DIGEST,
        _ => return None,
    })
}

/// How many checks ended in which way; each stands in one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    pub timed_out: u64,
    pub not_applicable: u64,
}

impl Tally {
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let mut tally = Self::default();
        for check in all(record) {
            let count = match check.result {
                Outcome::Pass => &mut tally.passed,
                Outcome::Fail => &mut tally.failed,
                Outcome::Skip => &mut tally.skipped,
                Outcome::Timeout => &mut tally.timed_out,
                Outcome::NotApplicable => &mut tally.not_applicable,
            };
            *count += 1;
        }
        tally
    }

    /// What was really looked at.
    #[must_use]
    pub const fn carried_out(&self) -> u64 {
        self.passed + self.failed
    }

    #[must_use]
    pub const fn not_carried_out(&self) -> u64 {
        self.skipped + self.timed_out
    }

    #[must_use]
    pub const fn all(&self) -> u64 {
        self.carried_out() + self.not_carried_out() + self.not_applicable
    }
}

/// Every check of a drill, those before its start first.
pub fn all(record: &Record) -> impl Iterator<Item = &Check> {
    record.preflight.iter().chain(record.items.iter().flat_map(|item| &item.checks))
}

/// Names of what was not carried out, each with its dataset.
#[must_use]
pub fn not_carried_out(record: &Record, language: Language) -> Vec<String> {
    let is_open = |check: &&Check| matches!(check.result, Outcome::Skip | Outcome::Timeout);
    let mut names: Vec<String> =
        record.preflight.iter().filter(is_open).map(|check| name(&check.id, language)).collect();
    for item in &record.items {
        let open = item.checks.iter().filter(is_open);
        names.extend(open.map(|check| format!("{}: {}", item.dataset, name(&check.id, language))));
    }
    names
}
