//! R12 and R13: how long recovery takes.

use crate::continuity::fleet;
use crate::continuity::fleet::NoEstimate;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::said::Value;
use crate::continuity::words;

/// Drills whose median counts.
const DRILLS: usize = 3;

/// The middle one; of two the longer.
fn median(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

impl Look<'_> {
    /// How long a dataset takes, and of how many drills that is the median.
    fn recovery_s(&self, dataset: &str) -> Option<(u64, usize)> {
        let measured = self.facts.items(dataset).rev().filter_map(|(_, item)| item.rto_s);
        let times: Vec<u64> = measured.take(DRILLS).collect();
        let count = times.len();
        median(times).map(|found_s| (found_s, count))
    }

    /// A service is back when its last dataset is.
    pub(super) fn recovery_time(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        let calendar = &self.plan.calendar;
        for (id, service) in &self.plan.services {
            let times = service.datasets.keys().map(|name| (name, self.recovery_s(name)));
            let times: Vec<(&String, Option<(u64, usize)>)> = times.collect();
            let unknown = times.iter().filter(|(_, found)| found.is_none());
            let unknown: Vec<Value> = unknown.map(|(name, _)| Value::from(*name)).collect();
            let longest = times.iter().filter_map(|(_, found)| *found).max();
            let Some((found_s, count)) = longest.filter(|_| unknown.is_empty()) else {
                let values = [id.into(), Value::List(unknown)];
                tally.add(Colour::Red, words::NO_TIME.with(values));
                continue;
            };
            let (rto, mtd) = (service.rto.period(), service.mtd);
            if found_s <= calendar.effort_s(rto) {
                tally.green();
                continue;
            }
            let took = Value::Lasting(found_s);
            match mtd {
                Some(mtd) if found_s > calendar.from_monday_s(mtd) => {
                    let values = [id.into(), took, count.into(), mtd.into()];
                    tally.add(Colour::Red, words::SLOW_MTD.with(values));
                }
                mtd => {
                    // How long it may stand still is not said: then the target is the limit.
                    let colour = if mtd.is_some() { Colour::Amber } else { Colour::Red };
                    let values = [id.into(), took, count.into(), rto.into()];
                    tally.add(colour, words::SLOW.with(values));
                }
            }
        }
        tally.judged(rule, words::NO_DATASETS)
    }

    /// The whole office, estimated from drills.
    pub(super) fn fleet(&self, rule: Rule) -> Judged {
        let goal = self.plan.goals.fleet;
        let found = match fleet::estimate(self.plan, &self.facts.drills) {
            Ok(found) => found,
            Err(NoEstimate::Few(count)) => {
                return Judged::of(rule, Colour::Amber, words::FLEET_FEW.with([count.into()]));
            }
            Err(NoEstimate::Unmeasured(names)) => {
                let names = Value::List(names.iter().map(Value::from).collect());
                return Judged::of(rule, Colour::Red, words::FLEET_UNMEASURED.with([names]));
            }
        };
        let goal_s = self.plan.calendar.effort_s(goal);
        let colour = if found.all.p90_s <= goal_s {
            Colour::Green
        } else if found.all.p50_s <= goal_s {
            Colour::Amber
        } else {
            Colour::Red
        };
        let values = [
            Value::Lasting(found.all.p50_s),
            Value::Lasting(found.all.p90_s),
            found.basis_count.into(),
            goal.into(),
        ];
        Judged::of(rule, colour, words::FLEET.with(values))
    }
}
