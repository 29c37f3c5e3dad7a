//! How long it takes until the whole office is back: an estimate from drills.
//!
//! A storage is a lane: it serves one restore at a time, and what was measured there says how long
//! one takes, `t = a + b · bytes` by least squares. Services come back in the plan's order, none
//! before those that it depends on; an operator brings one back at a time. Bootstrap (Efron 1979):
//! drills are drawn again with replacement, fitted anew, and each time gets the error of a drawn
//! drill; quantiles are those of all rounds. It is time of machines: what people need for deciding,
//! fetching and confirming is not in it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::config::plan::Criticality;
use crate::config::plan::Plan;
use crate::config::plan::Role;
use crate::config::plan::Service;
use crate::continuity::fact::Drill;

/// First line of what the seed is made of.
const SEED: &str = "lifeboat/fleet/1";
const ROUNDS: usize = 500;
/// Fewer drills are no ground for an estimate.
pub const DRILLS_MIN: usize = 3;
/// Of a lane the newest count: a storage that was replaced is forgotten some time.
const LANE_MAX: usize = 24;
/// Restores that differ less than this in size, in thousandths, say nothing of a slope.
const SPREAD_MIN: f64 = 1.05;

/// What a drill measured.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    bytes: f64,
    took_s: f64,
}

/// Seconds, by machines alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    pub p50_s: u64,
    pub p90_s: u64,
}

/// Until when the office is back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The first critical service; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_critical: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_critical: Option<Quantiles>,
    pub all: Quantiles,
    /// Drills that it rests on.
    pub basis_count: usize,
    pub operators_count: usize,
    /// SHA-256 over what was measured: the draws follow from it.
    pub seed: String,
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoEstimate {
    /// So many drills have measured a whole dataset.
    Few(usize),
    /// No drill has measured these.
    Unmeasured(Vec<String>),
}

/// An estimate over drills, the oldest first.
///
/// # Errors
/// When they are too few, or a dataset of the plan was never measured.
pub fn estimate(plan: &Plan, drills: &[Drill]) -> Result<Estimate, NoEstimate> {
    let measures = |drill: &&Drill| drill.items.iter().any(|item| item.rto_s.is_some());
    let basis_count = drills.iter().filter(measures).count();
    if basis_count < DRILLS_MIN {
        return Err(NoEstimate::Few(basis_count));
    }
    let lanes = Lanes::of(drills);
    let all = plan.services.values().flat_map(|it| it.datasets.keys());
    let missing = all.filter(|name| !lanes.last.contains_key(*name));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() {
        return Err(NoEstimate::Unmeasured(missing));
    }
    let leads = |role: &Role| matches!(role, Role::Operator | Role::Substitute);
    let leaders = plan.people.values().filter(|it| it.roles.iter().any(leads));
    let operators_count = leaders.count().max(1);
    let services = in_order(plan);
    let mut dice = Dice::of(&lanes);
    let seed = dice.hex();
    let mut rounds: Vec<Ends> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let times = lanes.drawn(&mut dice);
        rounds.push(simulated(&services, (&lanes, &times), operators_count));
    }
    let of = |end: fn(&Ends) -> Option<f64>| quantiles(rounds.iter().filter_map(end).collect());
    let nothing = Quantiles { p50_s: 0, p90_s: 0 };
    Ok(Estimate {
        first_critical: of(|it| it.first_critical),
        all_critical: of(|it| it.all_critical),
        all: of(|it| Some(it.all)).unwrap_or(nothing),
        basis_count,
        operators_count,
        seed,
    })
}

/// When a simulated recovery had come so far.
#[derive(Debug, Clone, Copy)]
struct Ends {
    first_critical: Option<f64>,
    all_critical: Option<f64>,
    all: f64,
}

/// What each storage has done, and where each dataset comes from.
#[derive(Debug, Default)]
struct Lanes<'d> {
    points: BTreeMap<&'d str, Vec<Point>>,
    /// Storage and size of each dataset in its last whole restore.
    last: BTreeMap<&'d String, (&'d str, f64)>,
}

impl<'d> Lanes<'d> {
    fn of(drills: &'d [Drill]) -> Self {
        let mut lanes = Self::default();
        let items = drills.iter().rev().flat_map(|drill| &drill.items);
        for (item, took_s) in items.filter_map(|item| Some((item, item.rto_s?))) {
            let point = Point { bytes: float(item.bytes), took_s: float(took_s) };
            let lane = lanes.points.entry(&item.storage).or_default();
            if lane.len() < LANE_MAX {
                lane.push(point);
            }
            lanes.last.entry(&item.dataset).or_insert((&item.storage, point.bytes));
        }
        lanes
    }

    /// How long each dataset takes in one round.
    fn drawn(&self, dice: &mut Dice) -> BTreeMap<&'d String, f64> {
        let mut fits: BTreeMap<&str, (Line, Vec<f64>)> = BTreeMap::new();
        for (lane, points) in &self.points {
            let drawn: Vec<Point> =
                points.iter().filter_map(|_| dice.pick(points).copied()).collect();
            let whole = Line::through(points);
            let errors = points.iter().map(|it| it.took_s - whole.at(it.bytes)).collect();
            fits.insert(lane, (Line::through(&drawn), errors));
        }
        let time = |(lane, bytes): (&str, f64), dice: &mut Dice| {
            let (line, errors) = fits.get(lane)?;
            let error = dice.pick(errors).copied().unwrap_or(0.0);
            Some((line.at(bytes) + error).max(1.0))
        };
        let all = self.last.iter();
        all.filter_map(|(name, from)| Some((*name, time(*from, dice)?))).collect()
    }
}

fn float(number: u64) -> f64 {
    Duration::from_secs(number).as_secs_f64()
}

/// `t = a + b · bytes`.
#[derive(Debug, Clone, Copy)]
struct Line {
    a: f64,
    b: f64,
}

impl Line {
    /// By least squares; neither part is ever below zero. Restores of one size say nothing of the
    /// part that does not grow with it: then all grows.
    fn through(points: &[Point]) -> Self {
        let count = float(u64::try_from(points.len()).unwrap_or(1)).max(1.0);
        let mean_x = points.iter().map(|it| it.bytes).sum::<f64>() / count;
        let mean_t = points.iter().map(|it| it.took_s).sum::<f64>() / count;
        let by_size = Self { a: 0.0, b: if mean_x > 0.0 { mean_t / mean_x } else { 0.0 } };
        let least = points.iter().map(|it| it.bytes).fold(f64::INFINITY, f64::min);
        let most = points.iter().map(|it| it.bytes).fold(0.0, f64::max);
        if least <= 0.0 && most <= 0.0 {
            return Self { a: mean_t, b: 0.0 };
        }
        if most < least.max(1.0) * SPREAD_MIN {
            return by_size;
        }
        let over: f64 = points.iter().map(|it| (it.bytes - mean_x) * (it.took_s - mean_t)).sum();
        let under: f64 = points.iter().map(|it| (it.bytes - mean_x).powi(2)).sum();
        let b = over / under;
        let a = mean_t - b * mean_x;
        if b < 0.0 {
            Self { a: mean_t, b: 0.0 }
        } else if a < 0.0 {
            by_size
        } else {
            Self { a, b }
        }
    }

    fn at(self, bytes: f64) -> f64 {
        self.a + self.b * bytes
    }
}

/// Services in the plan's order, each after those that it depends on.
fn in_order(plan: &Plan) -> Vec<(&String, &Service)> {
    let mut left: Vec<(&String, &Service)> = plan.services.iter().collect();
    left.sort_by_key(|(id, service)| (service.order, *id));
    let mut done: BTreeSet<&String> = BTreeSet::new();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |(_, service): &(&String, &Service)| {
            service.depends_on.iter().all(|on| done.contains(on) || !plan.services.contains_key(on))
        };
        // A plan that was read has no circle; if it had one, it would be cut here.
        let next = left.iter().position(is_free).unwrap_or(0);
        let (id, service) = left.remove(next);
        done.insert(id);
        order.push((id, service));
    }
    order
}

/// One recovery: whoever is free first takes the next service; its datasets come one after another,
/// each when its storage is free.
fn simulated(
    services: &[(&String, &Service)],
    (lanes, times): (&Lanes<'_>, &BTreeMap<&String, f64>),
    operators_count: usize,
) -> Ends {
    let mut operators = vec![0.0_f64; operators_count];
    let mut busy: BTreeMap<&str, f64> = BTreeMap::new();
    let mut ends: BTreeMap<&String, f64> = BTreeMap::new();
    for (id, service) in services {
        let ready = service.depends_on.iter().filter_map(|on| ends.get(on)).copied();
        let ready = ready.fold(0.0, f64::max);
        let free = operators.iter().enumerate().min_by(|one, two| one.1.total_cmp(two.1));
        let (at, free) = free.map_or((0, 0.0), |(at, free)| (at, *free));
        let mut now = free.max(ready);
        for name in service.datasets.keys() {
            let lane = lanes.last.get(name).map_or("", |(lane, _)| lane);
            let lane = busy.entry(lane).or_insert(0.0);
            now = now.max(*lane) + times.get(name).copied().unwrap_or(0.0);
            *lane = now;
        }
        if let Some(operator) = operators.get_mut(at) {
            *operator = now;
        }
        ends.insert(id, now);
    }
    let critical = services.iter().filter(|(_, it)| it.criticality == Criticality::Critical);
    let critical: Vec<f64> = critical.filter_map(|(id, _)| ends.get(id)).copied().collect();
    Ends {
        first_critical: critical.iter().copied().reduce(f64::min),
        all_critical: critical.iter().copied().reduce(f64::max),
        all: ends.values().copied().fold(0.0, f64::max),
    }
}

/// Whole seconds, rounded up.
fn quantiles(mut found: Vec<f64>) -> Option<Quantiles> {
    found.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let rank = (found.len() * percent).div_ceil(100).max(1);
        found.get(rank - 1).copied()
    };
    let whole = |seconds: f64| {
        Duration::try_from_secs_f64(seconds.ceil()).map_or(u64::MAX, |it| it.as_secs())
    };
    Some(Quantiles { p50_s: whole(at(50)?), p90_s: whole(at(90)?) })
}

/// Numbers that follow from what was measured, so that anybody gets the same.
struct Dice {
    seed: [u8; 32],
    count: u32,
}

impl Dice {
    fn of(lanes: &Lanes<'_>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(format!("{SEED}\n"));
        for (lane, points) in &lanes.points {
            for point in points {
                hasher.update(format!("{lane} {} {}\n", point.bytes, point.took_s));
            }
        }
        Self { seed: hasher.finalize().into(), count: 0 }
    }

    fn hex(&self) -> String {
        crate::ids::hex(&self.seed)
    }

    fn pick<'p, T>(&mut self, all: &'p [T]) -> Option<&'p T> {
        let mut hasher = Sha256::new();
        hasher.update(self.seed);
        hasher.update(self.count.to_be_bytes());
        self.count = self.count.wrapping_add(1);
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hasher.finalize().into();
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        // Of so few things no one is favoured by more than a billionth.
        let at = number.checked_rem(u64::try_from(all.len()).ok()?)?;
        all.get(usize::try_from(at).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::continuity::fact::Item;
    use crate::continuity::rule::tests::good;

    const HOUR_S: u64 = 3600;
    const GIB: u64 = 1 << 30;

    fn items(all: &[(&str, &str, u64, u64)]) -> Vec<Drill> {
        let (_, facts) = good();
        let usual: Item = facts.drills[0].items[0].clone();
        let drill = |(dataset, storage, bytes, took_s): &(&str, &str, u64, u64)| Drill {
            items: vec![Item {
                dataset: (*dataset).to_owned(),
                storage: (*storage).to_owned(),
                bytes: *bytes,
                rto_s: Some(*took_s),
                ..usual.clone()
            }],
            ..facts.drills[0].clone()
        };
        all.iter().map(drill).collect()
    }

    #[test]
    fn exact_measures_give_an_exact_estimate() {
        let (mut plan, _) = good();
        // t = 60 s + 100 s per GiB, in two lanes, so both services come back at once.
        let t = |gib: u64| 60 + 100 * gib;
        let drills = items(&[
            ("acc", "main", GIB, t(1)),
            ("acc", "main", 3 * GIB, t(3)),
            ("files", "far", 10 * GIB, t(10)),
            ("files", "far", 20 * GIB, t(20)),
            ("acc", "main", 2 * GIB, t(2)),
        ]);
        let found = estimate(&plan, &drills).unwrap();
        assert_eq!((found.basis_count, found.operators_count), (5, 2));
        let all = found.all;
        // A round may draw one drill alone, and then knows no constant part.
        assert!(all.p50_s.abs_diff(t(20)) <= 120 && all.p90_s.abs_diff(t(20)) <= 1200, "{all:?}");
        let first = found.first_critical.unwrap();
        assert!(first.p50_s.abs_diff(t(2)) <= 30, "{first:?}");
        assert_eq!(found.first_critical, found.all_critical);
        assert_eq!(estimate(&plan, &drills).unwrap(), found);
        // Alone, one after the other.
        plan.people.retain(|_, it| !it.roles.contains(&Role::Substitute));
        let alone = estimate(&plan, &drills).unwrap().all;
        assert!(alone.p50_s.abs_diff(t(20) + t(2)) <= 150, "{alone:?}");
    }

    #[test]
    fn a_lane_serves_one_at_a_time_and_dependence_waits() {
        let (mut plan, _) = good();
        let same = items(&[
            ("acc", "far", GIB, HOUR_S),
            ("files", "far", GIB, HOUR_S),
            ("acc", "far", GIB, HOUR_S),
        ]);
        assert_eq!(estimate(&plan, &same).unwrap().all.p50_s, 2 * HOUR_S);
        let two = items(&[
            ("acc", "far", GIB, HOUR_S),
            ("files", "main", GIB, HOUR_S),
            ("acc", "far", GIB, HOUR_S),
        ]);
        assert_eq!(estimate(&plan, &two).unwrap().all.p90_s, HOUR_S);
        let docs = plan.services.get_mut("docs").unwrap();
        docs.depends_on = vec!["pay".to_owned()];
        assert_eq!(estimate(&plan, &two).unwrap().all.p90_s, 2 * HOUR_S);
        // What others wait for comes first, whatever its number.
        docs_first(&mut plan);
        assert_eq!(estimate(&plan, &two).unwrap().first_critical.unwrap().p50_s, HOUR_S);
    }

    fn docs_first(plan: &mut Plan) {
        plan.services.get_mut("docs").unwrap().order = 0;
    }

    #[test]
    fn the_worst_tenth_shows_in_the_upper_quantile() {
        let (plan, _) = good();
        let mut all = vec![("acc", "far", GIB, HOUR_S); 8];
        all.extend([("acc", "far", GIB, 5 * HOUR_S), ("acc", "far", GIB, 5 * HOUR_S)]);
        all.push(("files", "main", GIB, 60));
        let found = estimate(&plan, &items(&all)).unwrap().all;
        assert!(found.p90_s >= 4 * HOUR_S && found.p50_s <= 2 * HOUR_S, "{found:?}");
    }

    #[test]
    fn without_ground_nothing_is_estimated() {
        let (plan, _) = good();
        let two = items(&[("acc", "far", GIB, 1), ("files", "far", GIB, 1)]);
        assert_eq!(estimate(&plan, &two), Err(NoEstimate::Few(2)));
        let one = items(&[("acc", "far", GIB, 1); 3]);
        assert_eq!(estimate(&plan, &one), Err(NoEstimate::Unmeasured(vec!["files".to_owned()])));
        let empty = items(&[("acc", "far", 0, 5), ("files", "far", 0, 5), ("acc", "far", 0, 5)]);
        assert_eq!(estimate(&plan, &empty).unwrap().all.p90_s, 10);
    }
}
