//! What is to be drilled in a month: what has to be, and the pool that the rest is drawn from.

use std::str::FromStr;

use jiff::civil::Date;

use crate::config::plan::Dataset;
use crate::config::plan::Plan;
use crate::config::plan::Service;
use crate::continuity::draw::Factors;
use crate::continuity::draw::Weighed;
use crate::continuity::draw::weight;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Facts;
use crate::continuity::rule::programme::is_formal;
use crate::continuity::rule::programme::is_from;
use crate::continuity::rule::programme::storages;
use crate::continuity::rule::quarter::quarter_of;
use crate::continuity::said::Said;
use crate::continuity::words::programme as words;
use crate::units::Timestamp;

const DAY_MS: i64 = 24 * 3600 * 1000;
const QUARTILES: usize = 4;

/// A month by the office's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    first: Date,
}

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a month such as `2026-12`, found `{found}`")]
pub struct MonthError {
    found: String,
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let wrong = || MonthError { found: text.chars().take(40).collect() };
        let first: Date = format!("{text}-01").parse().map_err(|_| wrong())?;
        let month = Self { first };
        if month.to_string() == text { Ok(month) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl Month {
    /// The month that a date lies in.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self { first: date.first_of_month() }
    }

    /// The first day of the next one.
    fn end(self) -> Date {
        self.first.last_of_month().tomorrow().unwrap_or(self.first)
    }
}

/// A dataset that was put off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    pub dataset: String,
    pub at: Timestamp,
}

/// What a month asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// Datasets that have to be drilled, and why.
    pub due: Vec<(String, Said)>,
    /// What else has to be seen to: storages, the oldest copy, the substitute.
    pub also: Vec<Said>,
    /// All others, from which the rest is drawn.
    pub pool: Vec<Weighed>,
}

/// The programme of a month; every dataset of the plan is in it, due or in the pool.
#[must_use]
pub fn of(plan: &Plan, facts: &Facts, month: Month, deferred: &[Deferred]) -> Programme {
    let mut programme = Programme { due: Vec::new(), also: also(plan, facts, month), pool: vec![] };
    for service in plan.services.values() {
        for (name, dataset) in &service.datasets {
            let Some(at) = facts.proven(name, dataset.min_proof) else {
                programme.due.push((name.clone(), words::NEVER.said()));
                continue;
            };
            match due(plan, (name, dataset), at, (month, deferred)) {
                Some(why) => programme.due.push((name.clone(), why)),
                None => {
                    let weight = weight(&factors(facts, service, (name, at)));
                    programme.pool.push(Weighed { dataset: name.clone(), weight });
                }
            }
        }
    }
    programme.due.sort_by(|one, other| one.0.cmp(&other.0));
    programme.pool.sort();
    programme
}

/// Why a dataset that was proven at this time has to be drilled again in the month.
fn due(
    plan: &Plan,
    (name, dataset): (&str, &Dataset),
    at: Timestamp,
    (month, deferred): (Month, &[Deferred]),
) -> Option<Said> {
    if deferred.iter().any(|it| it.dataset == name && it.at > at) {
        return Some(words::DEFERRED.said());
    }
    let until = plan.calendar.after(at, dataset.drill.period(), 2);
    let until = plan.calendar.date(until);
    (until < month.end()).then(|| words::COVERAGE.with([until.into()]))
}

fn factors(facts: &Facts, service: &Service, (dataset, at): (&str, Timestamp)) -> Factors {
    let last = facts.items(dataset).next_back();
    Factors {
        criticality: service.criticality,
        days_since_proof: u64::try_from(facts.now.ms_since(at) / DAY_MS).unwrap_or(0),
        open_findings_count: last.map_or(0, |(_, item)| u64::from(!item.is_proven)),
        change_quartile: quartile(facts, dataset),
    }
}

/// How much a dataset changes beside the others; 1 where that is not known.
fn quartile(facts: &Facts, dataset: &str) -> u64 {
    let own = facts.datasets.get(dataset).and_then(|it| it.changed_permille);
    let Some(own) = own else { return 1 };
    let all: Vec<u64> = facts.datasets.values().filter_map(|it| it.changed_permille).collect();
    let calmer = all.iter().filter(|other| **other < own).count();
    u64::try_from(1 + calmer * QUARTILES / all.len().max(1)).unwrap_or(1)
}

/// What rules ask for beside datasets.
fn also(plan: &Plan, facts: &Facts, month: Month) -> Vec<Said> {
    let own = quarter_of(month.first);
    let is_here = |drill: &&Drill| quarter_of(plan.calendar.date(drill.ended)) == own;
    let here: Vec<&Drill> = facts.drills.iter().filter(is_here).collect();
    let mut also = Vec::new();
    for storage in storages(plan, facts) {
        if !here.iter().any(|drill| is_from(drill, storage)) {
            also.push(words::STORAGE.with([storage.into()]));
        }
    }
    let held: Vec<&Drill> =
        here.into_iter().filter(|it| is_formal(it) && it.is_conclusive).collect();
    let has_oldest =
        |drill: &&Drill| drill.items.iter().any(|item| item.stratum == "oldest" && item.is_proven);
    if !held.iter().any(has_oldest) {
        also.push(words::OLDEST.said());
    }
    if !held.iter().any(|drill| drill.by_substitute == Some(true)) {
        also.push(words::SUBSTITUTE.said());
    }
    also
}

#[cfg(test)]
mod tests;
