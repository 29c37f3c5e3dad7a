//! How much a test tries, and what it says of it: one line for people, and the same as JSON in
//! `target/reliability/`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

/// Chooses the profile: `quick`, which is the default, or `gate`, which `.ci/run` asks for.
pub const PROFILE_VARIABLE: &str = "LIFEBOAT_TEST_PROFILE";

/// How much a test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Quick,
    Gate,
}

impl Profile {
    /// What the caller of the tests asked for.
    #[expect(clippy::disallowed_methods, reason = "the one variable that tests read")]
    pub fn asked() -> Self {
        match std::env::var(PROFILE_VARIABLE).as_deref() {
            Err(_) | Ok("" | "quick") => Self::Quick,
            // What has no longer profile of its own does as much as at the gate.
            Ok("gate" | "long") => Self::Gate,
            Ok(other) => panic!("{PROFILE_VARIABLE} is `quick`, `gate` or `long`, not `{other}`"),
        }
    }

    /// One value for each profile.
    pub fn pick<T>(self, quick: T, gate: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Gate => gate,
        }
    }
}

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
    /// `name` is one word, such as `h5-model`; it names the file too.
    pub fn start(name: &'static str, seed: u64) -> Self {
        let watch = Watch::start();
        Self { name, seed, watch, trials: 0, failures: 0, counts: BTreeMap::new() }
    }

    /// Adds to a count of the part's own.
    pub fn count(&mut self, what: &str, n: u64) {
        *self.counts.entry(what.to_owned()).or_default() += n;
    }

    /// The same as JSON, in one line.
    fn json(&self) -> String {
        let mut line = serde_json::json!({
            "name": self.name,
            "profile": Profile::asked().pick("quick", "gate"),
            "seed": self.seed,
            "trials": self.trials,
            "failures": self.failures,
            "seconds": (self.watch.elapsed().as_secs_f64() * 10.0).round() / 10.0,
        });
        for (what, n) in &self.counts {
            line[what] = (*n).into();
        }
        line.to_string()
    }

    /// Prints and keeps the figures. Call it before anything that may fail.
    pub fn finish(&self) {
        let line = self.json();
        println!("{line}");
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{}.jsonl", self.name));
        let mut options = std::fs::File::options();
        let mut file = options.write(true).create(true).truncate(true).open(&path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// Where the figures of the last run are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("reliability")
}

#[test]
fn figures_are_one_line_of_json() {
    let mut tally = Tally::start("self-test", 7);
    tally.trials = 3;
    tally.count("faults", 2);
    tally.count("faults", 3);
    tally.finish();
    let kept = std::fs::read_to_string(folder().join("self-test.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(kept.trim_end()).unwrap();
    assert_eq!((&line["name"], &line["seed"]), (&"self-test".into(), &7.into()));
    assert_eq!((&line["trials"], &line["faults"]), (&3.into(), &5.into()));
    assert!(kept.ends_with('\n') && kept.lines().count() == 1);
}
