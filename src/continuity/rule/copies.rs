//! R01 to R04: nothing forgotten, fresh, enough copies, far enough.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::config::plan::Criticality;
use crate::config::plan::Exception;
use crate::config::plan::Hold;
use crate::config::plan::Place;
use crate::continuity::fact::Dataset;
use crate::continuity::fact::Taken;
use crate::continuity::fact::Unseen;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Planned;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::said::Said;
use crate::continuity::said::Value;
use crate::continuity::words;
use crate::schedule::work::Period;
use crate::units::Timestamp;

const DAY_S: u64 = 24 * 3600;
const UNASSIGNED: Period = Period::Elapsed(std::time::Duration::from_secs(7 * DAY_S));
/// A clock that is set wrongly by less has its time zone wrong.
const AHEAD_MS: i64 = 24 * 3600 * 1000;
const REVIEW_SOON_DAYS: i64 = 30;
/// With the original.
const COPIES_MIN: usize = 3;
const MEDIA_MIN: usize = 2;
const DOMAINS_MIN: usize = 2;

impl<'l> Look<'l> {
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

    /// What is held of a dataset, storage by storage.
    fn held(&self, dataset: &'l Dataset, counted: Counted) -> Held<'l> {
        let mut held: Held<'l> = BTreeMap::new();
        for (storage, taken) in &dataset.held {
            held.insert(storage, taken);
        }
        for (storage, unseen) in &dataset.unseen {
            if counted == Counted::All || self.is_put_away(storage, unseen) {
                held.insert(storage, &unseen.taken);
            }
        }
        held
    }

    /// A storage that the plan keeps offline is not expected to answer.
    fn is_put_away(&self, storage: &str, unseen: &Unseen) -> bool {
        let is_offline = self.plan.storages.get(storage).is_some_and(|it| it.hold == Hold::Offline);
        is_offline && unseen.may_be_away
    }

    /// Judges a dataset by what was seen. What is better only with what nobody saw is amber, and
    /// says where that would be. None: green.
    fn by_what_was_seen(
        &self,
        planned: &Planned<'l>,
        judge: impl Fn(&Held<'l>) -> Option<(Colour, Said)>,
    ) -> Option<(Colour, Said)> {
        let Some(dataset) = self.facts.datasets.get(planned.name) else {
            return judge(&BTreeMap::new());
        };
        let (colour, reason) = judge(&self.held(dataset, Counted::Seen))?;
        let with_all = judge(&self.held(dataset, Counted::All)).map_or(Colour::Green, |it| it.0);
        if with_all <= colour {
            return Some((colour, reason));
        }
        Some((Colour::Amber, self.rests_on(planned.name, dataset)))
    }

    fn rests_on(&self, name: &String, dataset: &Dataset) -> Said {
        let unseen = dataset.unseen.iter().filter(|(it, unseen)| !self.is_put_away(it, unseen));
        let unseen = unseen.map(|(storage, _)| Value::from(storage)).collect();
        words::UNSEEN.with([name.into(), Value::List(unseen)])
    }

    /// Whether a snapshot says that it is of a time to come: a clock was wrong.
    fn is_ahead(&self, taken: &Taken) -> bool {
        self.facts.now.ms_since(taken.at) < -AHEAD_MS
    }

    pub(super) fn fresh(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            let judged = self.by_what_was_seen(&planned, |held| self.freshness(&planned, held));
            let ahead = self.facts.datasets.get(planned.name).and_then(|dataset| {
                let all = self.held(dataset, Counted::All);
                all.into_values().flatten().filter(|it| self.is_ahead(it)).map(|it| it.at).max()
            });
            if let Some(at) = ahead {
                tally.add(Colour::Amber, words::AHEAD.with([planned.name.into(), self.date(at)]));
            }
            match judged {
                Some((colour, reason)) => tally.add(colour, reason),
                None => tally.green(),
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    fn freshness(&self, planned: &Planned<'_>, held: &Held<'_>) -> Option<(Colour, Said)> {
        let rpo = planned.service.rpo.period();
        let all = held.values().copied().flatten().filter(|it| !self.is_ahead(it));
        let all: Vec<&Taken> = all.collect();
        let newest = |is_meant: &dyn Fn(&Taken) -> bool| {
            all.iter().filter(|it| is_meant(it)).map(|it| it.at).max()
        };
        let judged = |at: Option<Timestamp>| at.map_or(Colour::Red, |at| self.within(at, (rpo, 3)));
        let Some(any) = newest(&|_| true) else {
            return Some((Colour::Red, words::NO_SNAPSHOT.with([planned.name.into()])));
        };
        match (judged(newest(&|it| it.is_whole)), judged(Some(any))) {
            (Colour::Green, _) => None,
            (whole, of_any) if of_any > whole => {
                Some((Colour::Amber, words::NOT_WHOLE.with([planned.name.into()])))
            }
            (_, colour) => {
                let values = [planned.name.into(), self.since(any), rpo.into()];
                Some((colour, words::OLD.with(values)))
            }
        }
    }

    /// Described storages that hold a snapshot.
    fn places(&self, held: &Held<'_>) -> Vec<&Place> {
        let held = held.iter().filter(|(_, taken)| !taken.is_empty());
        held.filter_map(|(storage, _)| self.plan.storages.get(*storage)).collect()
    }

    pub(super) fn enough_copies(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            match self.by_what_was_seen(&planned, |held| self.copies(&planned, held)) {
                Some((colour, reason)) => tally.add(colour, reason),
                None => tally.green(),
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    fn copies(&self, planned: &Planned<'_>, held: &Held<'_>) -> Option<(Colour, Said)> {
        let places = self.places(held);
        let media: BTreeSet<_> = places.iter().map(|it| it.medium).collect();
        let domains: BTreeSet<&str> = places.iter().map(|it| it.failure_domain.as_str()).collect();
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
            0 => return None,
            1 if planned.service.criticality != Criticality::Critical => Colour::Amber,
            _ => Colour::Red,
        };
        Some((colour, words::COPIES.with([planned.name.into(), Value::List(missing)])))
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
        let mut tally = Tally::default();
        for planned in self.planned() {
            let dataset = self.facts.datasets.get(planned.name);
            let judged = self.by_what_was_seen(&planned, |held| {
                let lag = dataset.map_or(Lag::Nowhere, |it| self.behind(it, held));
                self.lag(planned.name, &lag)
            });
            // What is not known to be at home is not known to be missing elsewhere.
            let home = dataset.and_then(|it| Some((it, it.unseen.get(&it.storage)?)));
            let home = home.filter(|(it, unseen)| !self.is_put_away(&it.storage, unseen));
            match (judged, home) {
                (Some((colour, reason)), _) => tally.add(colour, reason),
                (None, Some((dataset, _))) => {
                    tally.add(Colour::Amber, self.rests_on(planned.name, dataset));
                }
                (None, None) => tally.green(),
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    fn lag(&self, name: &String, lag: &Lag) -> Option<(Colour, Said)> {
        let goal = self.plan.goals.offsite_lag;
        match *lag {
            Lag::Nowhere => Some((Colour::Red, words::NO_OFFSITE.with([name.into()]))),
            Lag::None => None,
            Lag::Since(since) => match self.within(since, (goal, 6)) {
                Colour::Green => None,
                colour => {
                    let values = [name.into(), self.since(since), goal.into()];
                    Some((colour, words::OFFSITE_LAG.with(values)))
                }
            },
        }
    }

    /// How far the best copy that is held in another failure domain is behind.
    fn behind(&self, dataset: &Dataset, held: &Held<'_>) -> Lag {
        let Some(home) = self.plan.storages.get(&dataset.storage) else { return Lag::Nowhere };
        let times = |taken: &'_ [Taken]| -> Vec<Timestamp> {
            taken.iter().filter(|it| !self.is_ahead(it)).map(|it| it.at).collect()
        };
        let is_away = |storage: &str| {
            let place = self.plan.storages.get(storage);
            place.is_some_and(|it| it.failure_domain != home.failure_domain)
        };
        let away = held.iter().filter(|(storage, _)| is_away(storage));
        let Some(away) = away.flat_map(|(_, taken)| times(taken)).max() else {
            return Lag::Nowhere;
        };
        // The first snapshot that is not there yet has waited longest, wherever it is.
        let all = self.held(dataset, Counted::All);
        let all = all.into_values().flat_map(times);
        all.filter(|at| *at > away).min().map_or(Lag::None, Lag::Since)
    }
}

/// Snapshots of a dataset by storage.
type Held<'l> = BTreeMap<&'l String, &'l [Taken]>;

/// What counts as held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// What was seen, and what lies in storages that are put away by plan.
    Seen,
    /// With what runs once brought into storages that could not be asked.
    All,
}

enum Lag {
    /// There is no copy elsewhere.
    Nowhere,
    None,
    Since(Timestamp),
}
