//! What a month or a year brought: backups, drills, findings, counted from what was recorded.

pub mod trend;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use crate::config::Config;
use crate::config::plan::Plan;
use crate::continuity::fact;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Facts;
use crate::continuity::fleet;
use crate::continuity::fleet::Estimate;
use crate::continuity::span::Span;
use crate::continuity::summary::trend::Month;
use crate::schedule::local;
use crate::units::Timestamp;

/// Version of the summary.
pub const SCHEMA: &str = "lifeboat/continuity-summary/1";
/// A schedule with more slots than these is not counted.
const SLOTS_MAX: u64 = 100_000;
const MS: i64 = 1000;
const DAY_MS: i64 = 24 * 3600 * MS;

/// What is looked at, beside the plan and the facts.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Runs of each dataset's backup, in any order.
    pub runs: BTreeMap<String, Vec<Run>>,
    /// Drills and real restores, the oldest first.
    pub held: Vec<Held>,
    pub actions: Vec<Acted>,
}

/// A run of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub slot: Option<Timestamp>,
    pub started: Timestamp,
    pub outcome: Outcome,
    pub content_bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It left something out.
    Problems,
    Failed,
    /// Somebody stopped it, or the machine did.
    Broken,
    AtWork,
}

/// A drill, as its record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    pub code: String,
    pub class: String,
    /// A real restore and no rehearsal.
    pub is_real: bool,
    #[serde(skip)]
    pub ended: Timestamp,
    pub ended_at: String,
    pub verdict: Verdict,
    pub is_announced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_substitute: Option<bool>,
    pub items: Vec<HeldItem>,
}

/// A dataset of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldItem {
    pub dataset: String,
    pub storage: String,
    pub stratum: String,
    pub verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto_target_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_target_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_bps: Option<u64>,
}

/// As drills judge, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Conditional,
    Inconclusive,
    Fail,
}

/// A corrective action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    pub id: String,
    pub dataset: String,
    pub opened: Timestamp,
    pub closed: Option<Timestamp>,
    pub due: Option<Date>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub schema: &'static str,
    /// `2026-11` or `2026`.
    pub period: String,
    /// First and last day, as `2026-11-01`.
    pub from: String,
    pub until: String,
    /// Whether it had ended when this was made.
    pub is_over: bool,
    pub scope: Scope,
    pub backups: Vec<Backups>,
    pub drills: Drills,
    pub restores: Vec<Held>,
    pub actions: Actions,
}

/// What there is, and what of it is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    pub services_count: usize,
    pub datasets_count: usize,
    /// A whole snapshot of these is in some storage that was looked at.
    pub protected_count: usize,
    pub unprotected: Vec<Unprotected>,
    /// Datasets without one.
    pub without_copy: Vec<String>,
}

/// What is left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unprotected {
    pub id: String,
    pub reason: String,
    /// Id of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_on: Option<String>,
}

/// Backups of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Backups {
    pub dataset: String,
    /// Slots of its schedule within the period, as it is now; absent if there are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_count: Option<u64>,
    pub done_count: u64,
    pub problems_count: u64,
    pub failed_count: u64,
    pub broken_count: u64,
    /// Slots at which nothing was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_count: Option<u64>,
    /// Longest time within the period without a good run.
    pub longest_gap_s: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_s: Option<u64>,
    /// What the first and the last good run held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_bytes: Option<u64>,
}

/// Drills of the period, and how every dataset is proven now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drills {
    pub held: Vec<Held>,
    pub unannounced_count: usize,
    pub by_substitute_count: usize,
    /// Nobody recorded who led these.
    pub leader_unknown_count: usize,
    pub proofs: Vec<Proof>,
    /// Datasets whose proof is as young as the plan wants it.
    pub covered_count: usize,
    /// How long until the whole office is back; absent where drills are no ground for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Estimate>,
    /// Months up to the period's end, the oldest first.
    pub trend: Vec<Month>,
}

/// How a dataset is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    pub dataset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Days since its last proof; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_on: Option<String>,
    pub is_covered: bool,
    /// Its last drill, of whatever verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<HeldItem>,
}

/// Corrective actions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Actions {
    pub opened_count: usize,
    pub closed_count: usize,
    pub open: Vec<String>,
    pub overdue: Vec<String>,
}

/// Counts everything.
#[must_use]
pub fn summary(
    (plan, config, facts): (&Plan, &Config, &Facts),
    span: &Span,
    recorded: &Recorded,
) -> Summary {
    let look = Look { plan, config, facts, span, recorded };
    let within = |held: &&Held| span.holds(held.ended);
    let all = || recorded.held.iter().filter(within);
    Summary {
        schema: SCHEMA,
        period: span.to_string(),
        from: span.first.to_string(),
        until: span.last().to_string(),
        is_over: facts.now >= span.until,
        scope: look.scope(),
        backups: config.backups.iter().map(|it| look.backups(&it.name)).collect(),
        drills: look.drills(all().filter(|it| !it.is_real).cloned().collect()),
        restores: all().filter(|it| it.is_real).cloned().collect(),
        actions: look.actions(),
    }
}

fn days(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.ms_since(since) / DAY_MS).unwrap_or(0)
}

struct Look<'l> {
    plan: &'l Plan,
    config: &'l Config,
    facts: &'l Facts,
    span: &'l Span,
    recorded: &'l Recorded,
}

impl Look<'_> {
    /// Datasets of the configuration and those that only the plan has.
    fn datasets(&self) -> BTreeSet<&String> {
        let planned = self.plan.services.values().flat_map(|it| it.datasets.keys());
        planned.chain(self.config.backups.iter().map(|it| &it.name)).collect()
    }

    fn scope(&self) -> Scope {
        let datasets = self.datasets();
        let has_copy = |name: &&&String| {
            let found = self.facts.datasets.get(**name);
            found.is_some_and(|it| it.held.values().flatten().any(|taken| taken.is_whole))
        };
        let without: Vec<String> =
            datasets.iter().filter(|it| !has_copy(it)).map(|it| (*it).clone()).collect();
        let unprotected = self.plan.unprotected.iter().map(|(id, it)| Unprotected {
            id: id.clone(),
            reason: it.reason.clone(),
            approved_by: it.approved_by.clone(),
            approved_on: it.approved_on.map(|date| date.to_string()),
        });
        Scope {
            services_count: self.plan.services.len(),
            datasets_count: datasets.len(),
            protected_count: datasets.len() - without.len(),
            unprotected: unprotected.collect(),
            without_copy: without,
        }
    }

    fn backups(&self, name: &str) -> Backups {
        let known = self.recorded.runs.get(name).map_or(&[][..], Vec::as_slice);
        let mut runs: Vec<Run> =
            known.iter().filter(|run| self.span.holds(run.started)).copied().collect();
        runs.sort_by_key(|run| run.started);
        let count = |outcome| runs.iter().filter(|run| run.outcome == outcome).count() as u64;
        let is_good = |run: &&Run| matches!(run.outcome, Outcome::Done | Outcome::Problems);
        let bytes = |run: &Run| run.content_bytes;
        let begun: BTreeSet<Timestamp> = runs.iter().filter_map(|run| run.slot).collect();
        let since = self.facts.datasets.get(name).and_then(|it| it.known_since);
        let planned = self.planned(name, since);
        let service = self.plan.services.values().find(|it| it.datasets.contains_key(name));
        Backups {
            dataset: name.to_owned(),
            planned_count: planned,
            done_count: count(Outcome::Done),
            problems_count: count(Outcome::Problems),
            failed_count: count(Outcome::Failed),
            broken_count: count(Outcome::Broken),
            missed_count: planned.map(|it| it.saturating_sub(begun.len() as u64)),
            longest_gap_s: self.gap(since, known.iter().filter(is_good).map(|run| run.started)),
            rpo_s: service.map(|it| self.plan.calendar.effort_s(it.rpo.period())),
            first_bytes: runs.iter().filter(is_good).find_map(bytes),
            last_bytes: runs.iter().rev().filter(is_good).find_map(bytes),
        }
    }

    /// From when to when something can have happened.
    fn bounds(&self, since: Option<Timestamp>) -> (Timestamp, Timestamp) {
        let from = since.map_or(self.span.from, |since| since.max(self.span.from));
        (from, self.facts.now.min(self.span.until))
    }

    /// Slots of a schedule.
    fn planned(&self, name: &str, since: Option<Timestamp>) -> Option<u64> {
        let schedule = &self.config.backup(name)?.schedule;
        let zone = local::zone(&schedule.time_zone)?;
        let (from, until) = self.bounds(since);
        // A slot at the very beginning counts.
        let mut at = jiff::Timestamp::from_millisecond(from.unix_ms - 1).ok()?;
        let mut count = 0;
        while let Some(next) = local::after(&schedule.cron, &zone, at) {
            if next.as_millisecond() >= until.unix_ms {
                return Some(count);
            }
            count += 1;
            if count > SLOTS_MAX {
                return None;
            }
            at = next;
        }
        Some(count)
    }

    /// What is older than the period counts for its beginning.
    fn gap(&self, since: Option<Timestamp>, good: impl Iterator<Item = Timestamp>) -> u64 {
        let (from, until) = self.bounds(since);
        let mut good: Vec<Timestamp> = good.filter(|at| *at < until).collect();
        good.sort_unstable();
        let before = good.iter().rev().find(|at| **at < from).copied();
        let mut at = before.unwrap_or(from);
        let mut longest = 0;
        for next in good.into_iter().filter(|at| *at >= from).chain([until]) {
            longest = longest.max(next.ms_since(at));
            at = next;
        }
        u64::try_from(longest / MS).unwrap_or(0)
    }

    fn drills(&self, held: Vec<Held>) -> Drills {
        let proofs: Vec<Proof> = self.datasets().into_iter().map(|it| self.proof(it)).collect();
        Drills {
            unannounced_count: held.iter().filter(|it| !it.is_announced).count(),
            by_substitute_count: held.iter().filter(|it| it.by_substitute == Some(true)).count(),
            leader_unknown_count: held.iter().filter(|it| it.by_substitute.is_none()).count(),
            covered_count: proofs.iter().filter(|it| it.is_covered).count(),
            held,
            proofs,
            fleet: fleet::estimate(self.plan, &self.facts.drills).ok(),
            trend: self.trend(),
        }
    }

    fn proof(&self, name: &String) -> Proof {
        let service = self.plan.services.values().find(|it| it.datasets.contains_key(name));
        let (at, is_covered) = self.proven(name, &self.facts.drills, self.facts.now);
        let items = self.recorded.held.iter().rev().filter(|it| !it.is_real);
        let last = items.flat_map(|it| &it.items).find(|it| it.dataset == *name);
        Proof {
            dataset: name.clone(),
            service: service.map(|it| it.name.clone()),
            age_days: at.map(|at| days(at, self.facts.now)),
            proven_on: at.map(|at| self.plan.calendar.date(at).to_string()),
            is_covered,
            last: last.cloned(),
        }
    }

    /// When some drills, the oldest first, last proved a dataset, and whether that was as lately as
    /// the plan wants it at a time.
    fn proven(&self, name: &str, drills: &[Drill], now: Timestamp) -> (Option<Timestamp>, bool) {
        let dataset = self.plan.services.values().find_map(|it| it.datasets.get(name));
        let at = fact::proven(drills, name, dataset.and_then(|it| it.min_proof));
        let is_young = at
            .zip(dataset)
            .is_some_and(|(at, it)| self.plan.calendar.after(at, it.drill.period(), 2) >= now);
        (at, is_young)
    }

    fn actions(&self) -> Actions {
        let all = &self.recorded.actions;
        let today = self.plan.calendar.date(self.facts.now);
        let open = || all.iter().filter(|it| it.closed.is_none());
        let told = |it: &Acted| format!("{} ({})", it.id, it.dataset);
        let overdue = open().filter(|it| it.due.is_none_or(|due| due < today));
        Actions {
            opened_count: all.iter().filter(|it| self.span.holds(it.opened)).count(),
            closed_count: all
                .iter()
                .filter_map(|it| it.closed)
                .filter(|at| self.span.holds(*at))
                .count(),
            open: open().map(told).collect(),
            overdue: overdue.map(told).collect(),
        }
    }
}
