//! How long the harness runs, with which seed, and what it writes down.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::tally::Watch;
use crate::house;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Every `cargo test`.
    Quick,
    /// Every submission, by `.ci/run`.
    Gate,
    /// By hand, for hours.
    Long,
}

impl Profile {
    /// The one of this process: `LIFEBOAT_TEST_PROFILE`, or quick.
    pub fn of_process() -> Self {
        match variable("LIFEBOAT_TEST_PROFILE").as_deref() {
            None | Some("" | "quick") => Self::Quick,
            Some("gate") => Self::Gate,
            Some("long") => Self::Long,
            Some(other) => panic!("expected quick, gate or long, found `{other}`"),
        }
    }

    /// One of three numbers.
    pub fn pick<T>(self, quick: T, gate: T, long: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Gate => gate,
            Self::Long => long,
        }
    }

    pub fn name(self) -> &'static str {
        self.pick("quick", "gate", "long")
    }
}

fn variable(name: &str) -> Option<String> {
    let found = std::env::vars_os().find(|(found, _)| found == name);
    found.map(|(_, value): (OsString, OsString)| value.into_string().expect("UTF-8"))
}

/// The seed of every random choice: `LIFEBOAT_TEST_SEED`, or 1.
pub fn seed() -> u64 {
    variable("LIFEBOAT_TEST_SEED").map_or(1, |text| text.parse().expect("a number"))
}

/// A case to run alone, as a failure printed it: `LIFEBOAT_TEST_CASE`.
pub fn case() -> Option<String> {
    variable("LIFEBOAT_TEST_CASE")
}

/// Where the figures of the last run are.
pub fn folder() -> PathBuf {
    house::root().join("target/reliability")
}

/// Prints what a part of the harness counted, and adds it to `target/reliability/PART.jsonl`, from
/// which `.ci/reliability` makes one page.
pub fn report(part: &str, name: &str, took: Duration, counts: &[(&str, u64)]) {
    report_of((part, name), seed(), took, counts);
}

/// Notes that a planted bug was caught, for which `since` is when the search began.
pub fn caught(bug: &str, since: Watch) {
    report("h14", bug, since.elapsed(), &[("planted", 1), ("caught", 1)]);
}

/// The same of a part that has a seed of its own.
pub fn report_of((part, name): (&str, &str), seed: u64, took: Duration, counts: &[(&str, u64)]) {
    let mut line = serde_json::Map::new();
    line.insert("part".to_owned(), part.into());
    line.insert("name".to_owned(), name.into());
    line.insert("profile".to_owned(), Profile::of_process().name().into());
    line.insert("seed".to_owned(), seed.into());
    for (name, count) in counts {
        line.insert((*name).to_owned(), (*count).into());
    }
    let seconds = (took.as_secs_f64() * 100.0).round() / 100.0;
    line.insert("seconds".to_owned(), seconds.into());
    let line = serde_json::Value::Object(line).to_string();
    println!("{line}");
    std::fs::create_dir_all(folder()).unwrap();
    let path = folder().join(format!("{part}.jsonl"));
    let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
    // One write, so that lines of several threads do not mix.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}
