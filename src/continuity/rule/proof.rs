//! R05, R06, R08 and R14: how old proof is, how far it goes, of what, against what.

use crate::continuity::fact::Canaries;
use crate::continuity::fact::Truth;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Planned;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::words;
use crate::schedule::work::Period;

const OLDEST_GREEN: Period = Period::Months(12);
const OLDEST_AMBER: Period = Period::Months(15);

fn level(level: u8) -> crate::continuity::said::Value {
    format!("L{level}").as_str().into()
}

impl Look<'_> {
    pub(super) fn proof_age(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            let period = planned.dataset.drill.period();
            let proven = self.facts.proven(planned.name, planned.dataset.min_proof);
            let Some(at) = proven else {
                tally.add(Colour::Red, words::NEVER_PROVEN.with([planned.name.into()]));
                continue;
            };
            match self.within(at, (period, 3)) {
                Colour::Green => tally.green(),
                colour => {
                    let values = [planned.name.into(), self.since(at), period.into()];
                    tally.add(colour, words::PROOF_OLD.with(values));
                }
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    pub(super) fn proof_level(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            let name = planned.name;
            let Some((_, item)) = self.facts.items(name).next_back() else {
                tally.add(Colour::Red, words::NEVER_DRILLED.with([name.into()]));
                continue;
            };
            let min = planned.level_min(item);
            match item.level {
                Some(found) if found >= min => tally.green(),
                Some(found) => {
                    let is_near = found + 1 == min && !planned.is_critical();
                    let colour = if is_near { Colour::Amber } else { Colour::Red };
                    let values = [name.into(), level(found), level(min)];
                    tally.add(colour, words::LEVEL_LOW.with(values));
                }
                None => {
                    tally.add(Colour::Red, words::LEVEL_NONE.with([name.into(), level(min)]));
                }
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    pub(super) fn oldest(&self, rule: Rule) -> Judged {
        let proven = |drill: &&crate::continuity::fact::Drill| {
            drill.items.iter().any(|item| item.stratum == "oldest" && item.is_proven)
        };
        match self.facts.drills.iter().rev().find(proven) {
            None => Judged::of(rule, Colour::Red, words::OLDEST_NEVER.said()),
            Some(drill) => {
                let colour = self.within_either(drill.ended, OLDEST_GREEN, OLDEST_AMBER);
                Judged::of(rule, colour, words::OLDEST_AT.with([self.date(drill.ended)]))
            }
        }
    }

    pub(super) fn truth(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for planned in self.planned() {
            let name = planned.name;
            match self.facts.items(name).next_back().map(|(_, item)| item.truth) {
                Some(Truth::SamePoint) => tally.green(),
                Some(Truth::Interval) => {
                    tally.add(Colour::Amber, words::TRUTH_APART.with([name.into()]));
                }
                Some(Truth::None) => tally.add(Colour::Red, words::NO_TRUTH.with([name.into()])),
                None => tally.add(Colour::Red, words::NEVER_DRILLED.with([name.into()])),
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    /// Canaries of datasets that have some, in the last drill of each.
    pub(super) fn canaries(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for Planned { name, .. } in self.planned() {
            let Some((at, item)) = self.facts.items(name).next_back() else { continue };
            match item.canaries {
                Canaries::None => {}
                Canaries::Good => tally.green(),
                Canaries::Bad => {
                    tally.add(Colour::Red, words::CANARY_BAD.with([name.into(), self.date(at)]));
                }
            }
        }
        if tally.count == 0 {
            return Judged::of(rule, Colour::Amber, words::NO_CANARIES.said());
        }
        tally.judged(rule, words::NO_CANARIES)
    }
}
