//! Two readings and a finding, side by side.

use std::collections::BTreeMap;

use crate::capsule::compare::Compared;

/// The same thing in both readings and in what was found.
pub(super) struct Three<'a, T> {
    pub(super) before: Option<&'a T>,
    pub(super) after: Option<&'a T>,
    pub(super) found: Option<&'a T>,
}

impl<T> Three<'_, T> {
    /// What the readings and the finding give, an absent one the number of nothing.
    fn each<N: Default>(&self, of: impl Fn(&T) -> N) -> [N; 3] {
        [self.before, self.after, self.found].map(|one| one.map(&of).unwrap_or_default())
    }

    /// Whether the finding lies between the readings.
    pub(super) fn holds(&self, of: impl Fn(&T) -> u64) -> bool {
        let [before, after, found] = self.each(of);
        (before.min(after)..=before.max(after)).contains(&found)
    }

    /// Whether the finding is what both readings agree on; where they do not, it is not known.
    pub(super) fn agrees<N: Default + PartialEq>(&self, of: impl Fn(&T) -> N) -> bool {
        let [before, after, found] = self.each(of);
        before != after || before == found
    }
}

/// All that one of the three has, by its name.
pub(super) fn named<'a, T>(sides: [Option<&'a BTreeMap<String, T>>; 3]) -> Vec<Three<'a, T>> {
    let mut names: Vec<&String> = sides.iter().flatten().flat_map(|side| side.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &String| {
        let [before, after, found] = sides.map(|side| side.and_then(|it| it.get(name)));
        Three { before, after, found }
    };
    names.into_iter().map(of).collect()
}

/// Numbers of all together; they agree if those of each lie between its readings.
pub(super) fn counted<T>(
    what: &'static str,
    all: &[Three<'_, T>],
    of: &dyn Fn(&T) -> Vec<u64>,
) -> Compared {
    let each: Vec<[Vec<u64>; 3]> = all.iter().map(|one| one.each(of)).collect();
    let width = each.iter().flatten().map(Vec::len).max().unwrap_or(0);
    let total = |side: usize| {
        let values = || each.iter().filter_map(|one| one.get(side));
        let sum = |at| values().filter_map(|one| one.get(at)).sum::<u64>().to_string();
        (0..width).map(sum).collect::<Vec<_>>().join("/")
    };
    let holds =
        |one: &Three<'_, T>, at: usize| one.holds(|it| of(it).get(at).copied().unwrap_or(0));
    let agrees = (0..width).all(|at| all.iter().all(|one| holds(one, at)));
    let (before, after) = (total(0), total(1));
    let expected = if before == after { before } else { format!("{before}..{after}") };
    Compared { what, expected, found: total(2), agrees }
}

/// How far apart two numbers are, in thousandths of the larger one.
pub(super) fn permille(one: u64, other: u64) -> u64 {
    let (low, high) = (one.min(other), one.max(other));
    (high - low).saturating_mul(1000).checked_div(high).unwrap_or(0)
}
