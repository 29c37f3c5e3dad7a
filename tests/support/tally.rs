//! Counts that grow while a part of the harness is at work.

use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

use super::profile;

/// Time since something began, for budgets and figures.
#[derive(Debug, Clone, Copy)]
pub struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "figures are in real seconds")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The figures of one part of the harness.
#[derive(Debug)]
pub struct Tally {
    name: &'static str,
    seed: u64,
    watch: Watch,
    pub trials: u64,
    pub failures: u64,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    /// `name` is a part and a word, such as `h5-model`.
    pub fn start(name: &'static str, seed: u64) -> Self {
        let watch = Watch::start();
        Self { name, seed, watch, trials: 0, failures: 0, counts: BTreeMap::new() }
    }

    /// Adds to a count of the part's own.
    pub fn count(&mut self, what: &str, n: u64) {
        *self.counts.entry(what.to_owned()).or_default() += n;
    }

    /// Prints and keeps the figures. Call it before anything that may fail.
    pub fn finish(&self) {
        let (part, name) = self.name.split_once('-').unwrap_or((self.name, self.name));
        let mut counts = vec![("trials", self.trials), ("failures", self.failures)];
        counts.extend(self.counts.iter().map(|(what, n)| (what.as_str(), *n)));
        profile::report_of((part, name), self.seed, self.watch.elapsed(), &counts);
    }
}

#[test]
fn figures_are_one_line_of_json() {
    let mut tally = Tally::start("self-test", 7);
    tally.trials = 3;
    tally.count("faults", 2);
    tally.count("faults", 3);
    tally.finish();
    let kept = std::fs::read_to_string(profile::folder().join("self.jsonl")).unwrap();
    assert!(kept.ends_with('\n'));
    let line: serde_json::Value = serde_json::from_str(kept.lines().last().unwrap()).unwrap();
    assert_eq!((&line["part"], &line["name"]), (&"self".into(), &"test".into()));
    assert_eq!((&line["trials"], &line["faults"]), (&3.into(), &5.into()));
    assert_eq!((&line["seed"], &line["failures"]), (&7.into(), &0.into()));
}
