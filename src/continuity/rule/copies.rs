//! R01 to R04: nothing forgotten, fresh, enough copies, far enough.

use std::collections::BTreeSet;

use crate::config::plan::Criticality;
use crate::config::plan::Exception;
use crate::config::plan::Hold;
use crate::config::plan::Place;
use crate::continuity::fact::Dataset;
use crate::continuity::fact::Taken;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::said::Said;
use crate::continuity::said::Value;
use crate::continuity::words;
use crate::schedule::work::Period;
use crate::units::Timestamp;

const DAY_S: u64 = 24 * 3600;
const UNASSIGNED: Period = Period::Elapsed(std::time::Duration::from_secs(7 * DAY_S));
const REVIEW_SOON_DAYS: i64 = 30;
/// With the original.
const COPIES_MIN: usize = 3;
const MEDIA_MIN: usize = 2;
const DOMAINS_MIN: usize = 2;

impl Look<'_> {
    pub(super) fn nothing_forgotten(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        let owned: BTreeSet<&String> = self.planned().map(|it| it.name).collect();
        for (name, dataset) in &self.facts.datasets {
            let is_known = owned.contains(name) || self.plan.unprotected.contains_key(name);
            match dataset.known_since {
                _ if is_known => tally.green(),
                Some(since) => {
                    let reason = words::UNASSIGNED.with([name.into(), self.since(since)]);
                    let colour = self.within(since, (UNASSIGNED, 2)).min(Colour::Amber);
                    tally.add(colour, reason);
                }
                None => tally.add(Colour::Red, words::UNASSIGNED_UNKNOWN.with([name.into()])),
            }
        }
        for name in owned.iter().filter(|name| !self.facts.datasets.contains_key(**name)) {
            tally.add(Colour::Red, words::NOT_CONFIGURED.with([(*name).into()]));
        }
        for (id, exception) in &self.plan.unprotected {
            match self.exception(id, exception) {
                Some((colour, reason)) => tally.add(colour, reason),
                None => tally.green(),
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    fn exception(&self, id: &str, exception: &Exception) -> Option<(Colour, Said)> {
        let (Some(_), Some(on)) = (&exception.approved_by, exception.approved_on) else {
            return Some((Colour::Red, words::NOT_APPROVED.with([id.into()])));
        };
        let calendar = &self.plan.calendar;
        let due = calendar.date(calendar.after(calendar.start_of(on), exception.review, 2));
        let left =
            calendar.date(self.facts.now).until(due).map_or(0, |it| i64::from(it.get_days()));
        let told = |words: crate::continuity::said::Words| words.with([id.into(), due.into()]);
        match left {
            left if left < 0 => Some((Colour::Red, told(words::REVIEW_LATE))),
            left if left <= REVIEW_SOON_DAYS => Some((Colour::Amber, told(words::REVIEW_DUE))),
            _ => None,
        }
    }

    pub(super) fn fresh(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            let rpo = planned.service.rpo.period();
            let held = self.facts.datasets.get(planned.name).map(|it| &it.held);
            let all: Vec<&Taken> = held.into_iter().flat_map(|it| it.values()).flatten().collect();
            let newest = |is_meant: &dyn Fn(&Taken) -> bool| {
                all.iter().filter(|it| is_meant(it)).map(|it| it.at).max()
            };
            let judged =
                |at: Option<Timestamp>| at.map_or(Colour::Red, |at| self.within(at, (rpo, 3)));
            let Some(any) = newest(&|_| true) else {
                tally.add(Colour::Red, words::NO_SNAPSHOT.with([planned.name.into()]));
                continue;
            };
            match (judged(newest(&|it| it.is_whole)), judged(Some(any))) {
                (Colour::Green, _) => tally.green(),
                (whole, of_any) if of_any > whole => {
                    let reason = words::NOT_WHOLE.with([planned.name.into()]);
                    tally.add(Colour::Amber, reason);
                }
                (_, colour) => {
                    let values = [planned.name.into(), self.since(any), rpo.into()];
                    tally.add(colour, words::OLD.with(values));
                }
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    /// Described storages that hold a snapshot of a dataset.
    fn places(&self, dataset: &Dataset) -> Vec<&Place> {
        let held = dataset.held.iter().filter(|(_, taken)| !taken.is_empty());
        held.filter_map(|(storage, _)| self.plan.storages.get(storage)).collect()
    }

    pub(super) fn enough_copies(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            let places = self.facts.datasets.get(planned.name).map(|it| self.places(it));
            let places = places.unwrap_or_default();
            let media: BTreeSet<_> = places.iter().map(|it| it.medium).collect();
            let domains: BTreeSet<&str> =
                places.iter().map(|it| it.failure_domain.as_str()).collect();
            let copies_count = places.len() + usize::from(!places.is_empty());
            let mut missing: Vec<Value> = Vec::new();
            if copies_count < COPIES_MIN {
                missing.push(words::COPIES_FEW.with([copies_count.into()]).into());
            }
            if media.len() < MEDIA_MIN {
                missing.push(words::MEDIA_FEW.said().into());
            }
            if domains.len() < DOMAINS_MIN {
                missing.push(words::DOMAINS_FEW.said().into());
            }
            if places.iter().all(|it| it.hold == Hold::Open) {
                missing.push(words::NONE_HELD.said().into());
            }
            let colour = match missing.len() {
                0 => {
                    tally.green();
                    continue;
                }
                1 if planned.service.criticality != Criticality::Critical => Colour::Amber,
                _ => Colour::Red,
            };
            let values = [planned.name.into(), Value::List(missing)];
            tally.add(colour, words::COPIES.with(values));
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    /// Nobody is to lose the last copy that is known to come back.
    pub(super) fn pinned(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned().filter(|planned| planned.is_critical()) {
            let held = self.facts.datasets.get(planned.name).map(|it| &it.held);
            let pinned = held
                .into_iter()
                .flatten()
                .filter(|(_, taken)| taken.iter().any(|taken| taken.is_pinned));
            let places = pinned.map(|(storage, _)| self.plan.storages.get(storage));
            // A storage that is not described counts for a domain that nobody knows.
            let domains: BTreeSet<Option<&str>> =
                places.map(|it| it.map(|it| it.failure_domain.as_str())).collect();
            match domains.len() {
                0 => tally.add(Colour::Red, words::PINNED_NONE.with([planned.name.into()])),
                _ if domains.iter().flatten().count() >= DOMAINS_MIN => tally.green(),
                _ => tally.add(Colour::Amber, words::PINNED_ONE.with([planned.name.into()])),
            }
        }
        if tally.count == 0 {
            return Judged::of(rule, Colour::Green, words::NO_CRITICAL.said());
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    pub(super) fn offsite(&self, rule: Rule) -> Judged {
        let goal = self.plan.goals.offsite_lag;
        let mut tally = Tally::default();
        for planned in self.planned() {
            let lag = self.facts.datasets.get(planned.name).map(|it| self.behind(it));
            match lag.unwrap_or(Lag::Nowhere) {
                Lag::Nowhere => {
                    tally.add(Colour::Red, words::NO_OFFSITE.with([planned.name.into()]));
                }
                Lag::None => tally.green(),
                Lag::Since(since) => match self.within(since, (goal, 6)) {
                    Colour::Green => tally.green(),
                    colour => {
                        let values = [planned.name.into(), self.since(since), goal.into()];
                        tally.add(colour, words::OFFSITE_LAG.with(values));
                    }
                },
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    /// How far the best copy in another failure domain is behind.
    fn behind(&self, dataset: &Dataset) -> Lag {
        let Some(home) = self.plan.storages.get(&dataset.storage) else { return Lag::Nowhere };
        let newest = |taken: &Vec<Taken>| taken.iter().map(|it| it.at).max();
        let is_away = |storage: &String| {
            let place = self.plan.storages.get(storage);
            place.is_some_and(|it| it.failure_domain != home.failure_domain)
        };
        let away = dataset.held.iter().filter(|(storage, _)| is_away(storage));
        let Some(away) = away.filter_map(|(_, taken)| newest(taken)).max() else {
            return Lag::Nowhere;
        };
        // The first snapshot that is not there yet has waited longest.
        let all = dataset.held.values().flatten().map(|it| it.at);
        all.filter(|at| *at > away).min().map_or(Lag::None, Lag::Since)
    }
}

enum Lag {
    /// There is no copy elsewhere.
    Nowhere,
    None,
    Since(Timestamp),
}
