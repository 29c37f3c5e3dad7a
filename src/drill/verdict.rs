//! From checks to verdicts: pure functions.

use serde::Deserialize;
use serde::Serialize;

use crate::drill::record::Capsule;
use crate::drill::record::Check;
use crate::drill::record::Item;
use crate::drill::record::Measures;

/// Rungs of the ladder: what a check proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Every object is there, authentic and opens.
    L0,
    /// The restored set is the snapshot's, byte for byte.
    L1,
    /// Owners, rights, times, links.
    L2,
    /// Canaries.
    L3,
    /// Files open as what they are named.
    L4,
    /// The real engine starts on it and reads all of it.
    L5,
    /// It equals the truth recorded at the source.
    L6,
    /// A person confirms.
    L7,
}

impl Level {
    pub const ALL: [Self; 8] =
        [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4, Self::L5, Self::L6, Self::L7];
}

/// What became of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    #[serde(rename = "pass")]
    Pass,
    #[serde(rename = "fail")]
    Fail,
    #[serde(rename = "skip")]
    Skip,
    #[serde(rename = "timeout")]
    Timeout,
    /// The level does not exist for this kind.
    #[serde(rename = "n/a")]
    NotApplicable,
}

/// The judgement of an item or a drill; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Data is wrong, lost or not to be opened.
    Fail,
    /// A mandatory check was not carried out.
    Inconclusive,
    /// Data is proven, and a target missed or a minor finding made.
    Conditional,
    Pass,
}

/// What kind of failure it was; decides what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FailureCode {
    /// Damaged.
    F1,
    /// Missing or different.
    F2,
    /// Does not start.
    F3,
    /// Too slow.
    F4,
    /// Too old.
    F5,
    /// Keys, access.
    F6,
    /// Procedure, people.
    F7,
    /// The drill's own environment: never evidence against the data.
    F8,
}

/// Whether two readings of the source may lie so far apart, in thousandths.
pub const WIDTH_PERMILLE_MAX: u64 = 10;

/// What an item is judged by.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub checks: &'a [Check],
    pub measures: &'a Measures,
    pub capsule: Capsule,
    /// How far apart two readings of the source lie.
    pub width_permille: u64,
    /// Whether something kept the drill from being carried out.
    pub broken: bool,
}

/// The verdict of an item: the first that applies.
#[must_use]
pub fn item(evidence: &Evidence<'_>) -> Verdict {
    let any = |mandatory: bool, results: &[Outcome]| {
        let is = |check: &&Check| check.mandatory == mandatory && results.contains(&check.result);
        evidence.checks.iter().any(|check| is(&check))
    };
    if any(true, &[Outcome::Fail]) {
        return Verdict::Fail;
    }
    let has_any = evidence.checks.iter().any(|check| check.mandatory);
    if evidence.broken || !has_any || any(true, &[Outcome::Skip, Outcome::Timeout]) {
        return Verdict::Inconclusive;
    }
    let measures = evidence.measures;
    let missed = |found: Option<u64>, target: Option<u64>| {
        found.zip(target).is_some_and(|(found, target)| found > target)
    };
    let too_slow = missed(measures.rto_tech_s, measures.rto_target_s);
    let too_old = missed(measures.rpo_s, measures.rpo_target_s);
    let is_vague = evidence.width_permille > WIDTH_PERMILLE_MAX;
    let unsure = evidence.capsule == Capsule::Absent || is_vague;
    let minor = any(false, &[Outcome::Fail, Outcome::Timeout]);
    if too_slow || too_old || unsure || minor { Verdict::Conditional } else { Verdict::Pass }
}

/// Codes of what failed, with those of missed targets.
#[must_use]
pub fn failures(evidence: &Evidence<'_>) -> Vec<FailureCode> {
    let bad = |check: &&Check| {
        matches!(check.result, Outcome::Fail | Outcome::Skip | Outcome::Timeout) && check.mandatory
    };
    let mut codes: Vec<_> =
        evidence.checks.iter().filter(bad).filter_map(|check| check.code).collect();
    let measures = evidence.measures;
    let missed = |found: Option<u64>, target: Option<u64>| {
        found.zip(target).is_some_and(|(found, target)| found > target)
    };
    if missed(measures.rto_tech_s, measures.rto_target_s) {
        codes.push(FailureCode::F4);
    }
    if missed(measures.rpo_s, measures.rpo_target_s) {
        codes.push(FailureCode::F5);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Highest level up to which every mandatory check passed. A level without a mandatory check is
/// stepped over, and is not the answer itself. Without a capsule L5 is the ceiling.
#[must_use]
pub fn proof_level(checks: &[Check], capsule: Capsule) -> Option<Level> {
    let mut proven = None;
    for level in Level::ALL {
        let mut own = checks.iter().filter(|it| it.level == level && it.mandatory).peekable();
        if own.peek().is_none() {
            continue;
        }
        if !own.all(|it| matches!(it.result, Outcome::Pass | Outcome::NotApplicable)) {
            break;
        }
        proven = Some(level);
    }
    match capsule {
        Capsule::Absent => proven.map(|level| level.min(Level::L5)),
        _ => proven,
    }
}

/// The verdict of a drill: its worst item's. One without items proves nothing.
#[must_use]
pub fn drill(items: &[Item], preflight: &[Check]) -> Verdict {
    let is_bad = |check: &Check| check.mandatory && check.result != Outcome::Pass;
    if preflight.iter().any(is_bad) {
        return Verdict::Inconclusive;
    }
    items.iter().map(|item| item.verdict).min().unwrap_or(Verdict::Inconclusive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::check::Weight;
    use crate::drill::check::Weight::Mandatory;
    use crate::drill::check::Weight::Minor;

    fn check(level: Level, weight: Weight, result: Outcome) -> Check {
        Check {
            id: "x".to_owned(),
            level,
            mandatory: weight == Weight::Mandatory,
            result,
            code: Some(FailureCode::F2),
            expected: None,
            actual: None,
            detail: None,
            ms: 0,
        }
    }

    fn judged(checks: &[Check], change: impl FnOnce(&mut Evidence<'_>)) -> Verdict {
        let measures = Measures::default();
        let capsule = Capsule::SamePoint;
        let mut evidence =
            Evidence { checks, measures: &measures, capsule, width_permille: 0, broken: false };
        change(&mut evidence);
        item(&evidence)
    }

    #[test]
    fn the_first_that_applies_is_the_verdict() {
        use Outcome::*;
        let good = check(Level::L1, Mandatory, Pass);
        let all = |result, weight| [good.clone(), check(Level::L4, weight, result)];
        for (result, weight, wanted) in [
            (Pass, Mandatory, Verdict::Pass),
            (NotApplicable, Mandatory, Verdict::Pass),
            (Fail, Mandatory, Verdict::Fail),
            (Skip, Mandatory, Verdict::Inconclusive),
            (Timeout, Mandatory, Verdict::Inconclusive),
            (Fail, Minor, Verdict::Conditional),
            (Skip, Minor, Verdict::Pass),
        ] {
            let found = judged(&all(result, weight), |_| ());
            assert_eq!(found, wanted, "{result:?} {weight:?}");
        }
        let checks = all(Pass, Mandatory);
        assert_eq!(judged(&[], |_| ()), Verdict::Inconclusive);
        assert_eq!(judged(&checks, |it| it.broken = true), Verdict::Inconclusive);
        assert_eq!(judged(&checks, |it| it.capsule = Capsule::Absent), Verdict::Conditional);
        assert_eq!(judged(&checks, |it| it.width_permille = 11), Verdict::Conditional);
        let slow = Measures { rto_tech_s: Some(11), rto_target_s: Some(10), ..Measures::default() };
        let evidence = Evidence {
            checks: &checks,
            measures: &slow,
            capsule: Capsule::Interval,
            width_permille: 10,
            broken: false,
        };
        assert_eq!(item(&evidence), Verdict::Conditional);
        assert_eq!(failures(&evidence), [FailureCode::F4]);
    }

    #[test]
    fn proof_ends_at_the_first_level_that_is_not_whole() {
        use Outcome::*;
        let checks = [
            check(Level::L0, Mandatory, Pass),
            check(Level::L1, Mandatory, Pass),
            check(Level::L3, Minor, Skip),
            check(Level::L4, Mandatory, Pass),
            check(Level::L6, Mandatory, Pass),
        ];
        assert_eq!(proof_level(&checks, Capsule::SamePoint), Some(Level::L6));
        assert_eq!(proof_level(&checks, Capsule::Absent), Some(Level::L5));
        let mut broken = checks.clone();
        broken[1].result = Skip;
        assert_eq!(proof_level(&broken, Capsule::SamePoint), Some(Level::L0));
        broken[0].result = Fail;
        assert_eq!(proof_level(&broken, Capsule::SamePoint), None);
    }

    #[test]
    fn a_drill_is_as_good_as_its_worst_item() {
        assert_eq!(drill(&[], &[]), Verdict::Inconclusive);
        assert!(Verdict::Fail < Verdict::Inconclusive && Verdict::Conditional < Verdict::Pass);
    }
}
