//! R07, R09, R10 and R11: drills that have to be held within a quarter or a year.

use std::collections::BTreeSet;

use crate::config::plan::Plan;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Facts;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::rule::quarter::last_of_november;
use crate::continuity::rule::quarter::quarter_of;
use crate::continuity::rule::quarter::year_of;
use crate::continuity::words;
use crate::units::Timestamp;

/// Where the newest of something lies.
#[derive(Clone, Copy)]
enum Quarter {
    This,
    Last,
    Earlier,
}

/// Held by the rules.
pub(in crate::continuity) fn is_formal(drill: &Drill) -> bool {
    matches!(drill.class.as_str(), "D2" | "D3" | "D4")
}

/// Whether a formal drill brought something from a storage, or found that it does not come: what
/// was broken off is neither.
pub(in crate::continuity) fn is_from(drill: &Drill, storage: &str) -> bool {
    let is_own = |item: &crate::continuity::fact::Item| item.storage == storage;
    is_formal(drill) && drill.items.iter().any(|item| is_own(item) && item.is_conclusive)
}

/// Storages of the plan and those of the configuration.
pub(in crate::continuity) fn storages<'s>(
    plan: &'s Plan,
    facts: &'s Facts,
) -> BTreeSet<&'s String> {
    plan.storages.keys().chain(&facts.storages).collect()
}

impl Look<'_> {
    fn quarter(&self, at: Timestamp) -> Quarter {
        let of = |at| quarter_of(self.plan.calendar.date(at));
        match of(self.facts.now) - of(at) {
            ..=0 => Quarter::This,
            1 => Quarter::Last,
            _ => Quarter::Earlier,
        }
    }

    fn newest(&self, is_meant: impl Fn(&Drill) -> bool) -> Option<Timestamp> {
        self.facts.drills.iter().filter(|it| is_meant(it)).map(|it| it.ended).max()
    }

    pub(super) fn targets(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for storage in storages(self.plan, self.facts) {
            let from = |drill: &Drill| is_from(drill, storage);
            match self.newest(from).map(|at| (at, self.quarter(at))) {
                Some((_, Quarter::This)) => tally.green(),
                Some((at, Quarter::Last)) => {
                    let values = [storage.into(), self.date(at)];
                    tally.add(Colour::Amber, words::TARGET_OPEN.with(values));
                }
                Some((_, Quarter::Earlier)) => {
                    tally.add(Colour::Red, words::TARGET_MISSED.with([storage.into()]));
                }
                None => tally.add(Colour::Red, words::TARGET_NEVER.with([storage.into()])),
            }
        }
        tally.judged(rule, words::NO_PLACES)
    }

    /// Not judged while no record says who led its drill.
    pub(super) fn substitute(&self, rule: Rule) -> Judged {
        if self.facts.drills.iter().all(|drill| drill.by_substitute.is_none()) {
            return Judged::not_yet(rule);
        }
        let led = |drill: &Drill| {
            drill.is_conclusive && drill.class == "D2" && drill.by_substitute == Some(true)
        };
        let (colour, reason) = match self.newest(led).map(|at| (at, self.quarter(at))) {
            Some((at, Quarter::This)) => {
                (Colour::Green, words::SUBSTITUTE_AT.with([self.date(at)]))
            }
            Some((at, Quarter::Last)) => {
                (Colour::Amber, words::SUBSTITUTE_OPEN.with([self.date(at)]))
            }
            _ => (Colour::Red, words::SUBSTITUTE_MISSED.said()),
        };
        Judged::of(rule, colour, reason)
    }

    /// With the kit that was the newest when it was held.
    pub(super) fn of_nothing(&self, rule: Rule) -> Judged {
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(why) => return Judged::of(rule, Colour::Red, why),
        };
        let held = |drill: &Drill| {
            drill.class == "D3" && drill.from_nothing.is_some() && drill.is_proven()
        };
        let is_current = |drill: &Drill| {
            // Records tell whole seconds: what was signed within that second was there.
            let before = entries.kits.iter().filter(|(at, _)| at.ms_since(drill.ended) < 1000);
            let newest = before.max_by_key(|(at, _)| *at).map(|(_, sums)| sums);
            let used = drill.from_nothing.as_ref().and_then(|it| it.kit.as_ref());
            newest.is_some() && newest == used
        };
        let this = |at: &Timestamp| matches!(self.quarter(*at), Quarter::This);
        let current = self.newest(|drill| held(drill) && is_current(drill)).filter(this);
        let (colour, reason) = match (current, self.newest(held)) {
            (Some(at), _) => (Colour::Green, words::NOTHING_AT.with([self.date(at)])),
            (None, Some(at)) => match self.quarter(at) {
                Quarter::This => (Colour::Amber, words::NOTHING_OLD.with([self.date(at)])),
                Quarter::Last => (Colour::Amber, words::NOTHING_OPEN.with([self.date(at)])),
                Quarter::Earlier => (Colour::Red, words::NOTHING_MISSED.said()),
            },
            (None, None) => (Colour::Red, words::NOTHING_MISSED.said()),
        };
        Judged::of(rule, colour, reason)
    }

    pub(super) fn full_scale(&self, rule: Rule) -> Judged {
        let calendar = &self.plan.calendar;
        let today = calendar.date(self.facts.now);
        let begun = year_of(today, self.year_begins).unwrap_or(today);
        let due = last_of_november(begun).unwrap_or(today);
        let held = |drill: &Drill| {
            let is_full = drill.is_conclusive && drill.class == "D4";
            is_full && calendar.date(drill.ended) >= begun
        };
        let (colour, reason) = match self.newest(held) {
            Some(at) => (Colour::Green, words::FULL_AT.with([self.date(at)])),
            None if today <= due => (Colour::Amber, words::FULL_OPEN.with([due.into()])),
            None => (Colour::Red, words::FULL_MISSED.with([due.into()])),
        };
        Judged::of(rule, colour, reason)
    }
}
