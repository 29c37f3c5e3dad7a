//! How drills went, month by month, up to two years back.

use jiff::civil::Date;
use serde::Serialize;

use crate::continuity::summary::Held;
use crate::continuity::summary::HeldItem;
use crate::continuity::summary::Look;
use crate::continuity::summary::Verdict;
use crate::continuity::summary::days;

/// Most months that are shown.
pub const MONTHS_MAX: usize = 24;

/// What of some is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Share {
    pub count: usize,
    pub of_count: usize,
}

/// Drills of a month, and how the office was proven at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Month {
    /// `2026-11`.
    pub month: String,
    /// Drills that proved all that they were about, with conditions or without, of those held.
    pub drills: Share,
    /// The same of the datasets in them.
    pub items: Share,
    /// Datasets whose proof was as young at the month's end as the plan wants it, of all that there
    /// are now.
    pub covered: Share,
    /// Datasets that stayed within their target, of those that were measured and have one.
    pub rto: Share,
    pub rpo: Share,
    /// The middle of all that was measured, in bytes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_bps: Option<u64>,
    /// Days since the oldest proof at the month's end; absent while a dataset has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_proof_days: Option<u64>,
}

impl Look<'_> {
    /// From the first month with a drill to the last one of the period, the oldest first.
    pub(super) fn trend(&self) -> Vec<Month> {
        let calendar = &self.plan.calendar;
        let held = || self.recorded.held.iter().filter(|it| !it.is_real);
        let Some(first) = held().map(|it| calendar.date(it.ended).first_of_month()).min() else {
            return Vec::new();
        };
        let mut months = Vec::new();
        let mut month = self.span.last().min(calendar.date(self.facts.now)).first_of_month();
        while month >= first && months.len() < MONTHS_MAX {
            let own = |it: &&Held| calendar.date(it.ended).first_of_month() == month;
            months.push(self.month(month, held().filter(own).collect()));
            let Ok(before) = month.yesterday() else { break };
            month = before.first_of_month();
        }
        months.reverse();
        months
    }

    fn month(&self, month: Date, held: Vec<&Held>) -> Month {
        let items: Vec<&HeldItem> = held.iter().flat_map(|it| &it.items).collect();
        let is_proven = |verdict: Verdict| verdict <= Verdict::Conditional;
        let within = |of: fn(&HeldItem) -> (Option<u64>, Option<u64>)| {
            let both = items.iter().filter_map(|it| of(it).0.zip(of(it).1));
            let both: Vec<(u64, u64)> = both.collect();
            let count = both.iter().filter(|(found, target)| found <= target).count();
            Share { count, of_count: both.len() }
        };
        let mut speeds: Vec<u64> = items.iter().filter_map(|it| it.throughput_bps).collect();
        speeds.sort_unstable();
        let (covered, oldest_proof_days) = self.proven_at_end(month);
        Month {
            month: format!("{:04}-{:02}", month.year(), month.month()),
            drills: Share {
                count: held.iter().filter(|it| is_proven(it.verdict)).count(),
                of_count: held.len(),
            },
            items: Share {
                count: items.iter().filter(|it| is_proven(it.verdict)).count(),
                of_count: items.len(),
            },
            covered,
            rto: within(|it| (it.rto_s, it.rto_target_s)),
            rpo: within(|it| (it.rpo_s, it.rpo_target_s)),
            throughput_bps: speeds.get(speeds.len() / 2).copied(),
            oldest_proof_days,
        }
    }

    /// By drills that had ended then, and the plan as it is now.
    fn proven_at_end(&self, month: Date) -> (Share, Option<u64>) {
        let calendar = &self.plan.calendar;
        let next = month.last_of_month().tomorrow().unwrap_or(month);
        let end = calendar.start_of(next).min(self.facts.now);
        let known = self.facts.drills.partition_point(|drill| drill.ended < end);
        let drills = self.facts.drills.get(..known).unwrap_or_default();
        let datasets = self.datasets();
        let (mut covered, mut oldest) = (0, Some(0));
        for name in &datasets {
            let (at, is_young) = self.proven(name, drills, end);
            covered += usize::from(is_young);
            let age = at.map(|at| days(at, end));
            oldest = oldest.zip(age).map(|(one, other): (u64, u64)| one.max(other));
        }
        let share = Share { count: covered, of_count: datasets.len() };
        (share, oldest.filter(|_| !datasets.is_empty()))
    }
}
