//! The newest good snapshot behind a bad one: which to drill next. Pure.
//!
//! It steps back, twice as far each time, until one is good, and then halves what lies between.
//! Where everything behind some point is good, that is the newest good one; where good and bad
//! alternate it is a good one whose next newer neighbour is bad.

/// Most drills of one search.
pub const DRILLS_MAX: usize = 16;

/// A search among `count` older snapshots; 0 is the newest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    count: usize,
    /// So many of the newest are known, or taken, to be bad.
    bad: usize,
    good: Option<usize>,
    step: usize,
}

impl Search {
    #[must_use]
    pub const fn new(count: usize) -> Self {
        Self { count, bad: 0, good: None, step: 1 }
    }

    /// The next one to look at; none if it is over.
    #[must_use]
    pub fn next(&self) -> Option<usize> {
        match self.good {
            None if self.bad >= self.count => None,
            None => Some((self.bad + self.step - 1).min(self.count - 1)),
            Some(good) if good == self.bad => None,
            Some(good) => Some(self.bad + (good - self.bad) / 2),
        }
    }

    /// The one that [`Self::next`] gave is good.
    pub const fn is_good(&mut self, at: usize) {
        self.good = Some(at);
    }

    /// The one that [`Self::next`] gave is bad.
    pub const fn is_bad(&mut self, at: usize) {
        self.bad = at + 1;
        self.step = self.step.saturating_mul(2);
    }

    /// The newest good one that is known.
    #[must_use]
    pub const fn good(&self) -> Option<usize> {
        self.good
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn searched(good: &[bool]) -> (Option<usize>, usize) {
        let (mut search, mut looks) = (Search::new(good.len()), 0);
        while let Some(at) = search.next() {
            looks += 1;
            assert!(looks <= good.len(), "it ends");
            match good[at] {
                true => search.is_good(at),
                false => search.is_bad(at),
            }
        }
        (search.good(), looks)
    }

    #[test]
    fn nothing_older_and_nothing_good() {
        assert_eq!(searched(&[]), (None, 0));
        assert_eq!(searched(&[false]), (None, 1));
        assert_eq!(searched(&[true]), (Some(0), 1));
        assert_eq!(searched(&[false, true]), (Some(1), 2));
    }

    proptest! {
        #[test]
        fn the_newest_behind_a_point_is_found_in_few_looks(
            bad in 0usize..3000,
            good in 0usize..3000,
        ) {
            let all: Vec<bool> = (0..bad + good).map(|at| at >= bad).collect();
            let (found, looks) = searched(&all);
            prop_assert_eq!(found, (good > 0).then_some(bad));
            let log = usize::try_from((bad + good).max(1).ilog2()).unwrap();
            prop_assert!(looks <= 2 * log + 3, "{looks}");
        }

        #[test]
        fn what_is_found_is_good_and_its_newer_neighbour_was_seen_to_be_bad(
            all in prop::collection::vec(any::<bool>(), 0..200),
        ) {
            let (found, _) = searched(&all);
            match found {
                Some(at) => prop_assert!(all[at] && (at == 0 || !all[at - 1])),
                None => prop_assert!(all.last() != Some(&true)),
            }
        }
    }
}
