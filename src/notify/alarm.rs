//! What there is to be told, from what the catalogue knows.

use std::collections::BTreeMap;

use crate::catalogue::proof::ProofStatus;
use crate::catalogue::query::JobStatus;
use crate::catalogue::query::RunRow;
use crate::catalogue::query::Size;
use crate::config::tell::Event;
use crate::units::Timestamp;

/// The exit code of a run that found damage.
const DAMAGE: u8 = 20;

/// What a drill found of a dataset, and the age of its proof, as alarms name them.
pub const DATA: &str = "data";
pub const PROOF: &str = "proof";

/// The job that fails on purpose, by the first part of its name, and the exit code of a failure
/// that is one: that of what is busy, so that it is looked at again after a minute.
pub const TEST: &str = "alarm:";
pub const PROVOKED: u8 = 11;

/// What stands for an alarm as long as it lasts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub event: Event,
    /// The job, such as `backup:files`.
    pub job: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Problem,
    Failure,
    Damage,
}

impl Severity {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Failure => "failure",
            Self::Damage => "damage",
        }
    }
}

/// Something that is wrong. It never holds the name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub key: Key,
    pub severity: Severity,
    pub dataset: Option<String>,
    pub storage: Option<String>,
    /// From when on.
    pub since: Timestamp,
    pub exit_code: Option<u8>,
    /// What failed in a drill.
    pub codes: Option<String>,
    pub problems_count: u64,
    /// When it last went well.
    pub good: Option<Timestamp>,
    /// How much there is, and how much there usually is, if that is what is wrong.
    pub shrunk: Option<Box<(Size, Size)>>,
}

/// How one thing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Fine,
    /// A run is at work, was stopped or cut off: what was known stands.
    Unknown,
    Raised(Alarm),
}

/// Everything that is looked at. What is not in it is there no more.
pub type Observed = BTreeMap<Key, State>;

enum Verdict {
    Good,
    Problems,
    Damage,
    Failed,
    Unknown,
}

fn verdict(run: Option<&RunRow>) -> Verdict {
    let Some(run) = run else { return Verdict::Unknown };
    let is_damage = exit_code(run) == Some(DAMAGE);
    match run.outcome {
        Some("problems" | "failed") if is_damage => Verdict::Damage,
        Some("done") => Verdict::Good,
        Some("problems") => Verdict::Problems,
        Some("failed") => Verdict::Failed,
        _ => Verdict::Unknown,
    }
}

fn exit_code(run: &RunRow) -> Option<u8> {
    run.exit_code.and_then(|code| u8::try_from(code).ok())
}

/// How every job stands at `now`.
#[must_use]
pub fn observe(jobs: &[JobStatus], now: Timestamp) -> Observed {
    let mut observed = Observed::new();
    for job in jobs {
        of_run(job, &mut observed);
        of_age(job, now, &mut observed);
        of_size(job, &mut observed);
    }
    observed
}

fn of_run(job: &JobStatus, observed: &mut Observed) {
    let failing = if job.key.starts_with("drill:") { Event::Drill } else { Event::Failed };
    let verdict = verdict(job.last.as_ref());
    for (event, severity) in [
        (failing, Severity::Failure),
        (Event::Problems, Severity::Problem),
        (Event::Damage, Severity::Damage),
    ] {
        let raised = || State::Raised(alarm(job, (event, severity), started(job)));
        let state = match (&verdict, event) {
            (Verdict::Failed, Event::Failed | Event::Drill)
            | (Verdict::Problems, Event::Problems)
            | (Verdict::Damage, Event::Damage) => raised(),
            // Who kept something has not failed, and who read everything he was to found no damage.
            (Verdict::Good | Verdict::Problems, _) => State::Fine,
            _ => State::Unknown,
        };
        observed.insert(Key { event, job: job.key.clone() }, state);
    }
}

/// Silence: nobody has to run for it.
fn of_age(job: &JobStatus, now: Timestamp, observed: &mut Observed) {
    let Some(age_max_ms) = job.age_max_ms else { return };
    let good = job.last_good.as_ref().map_or(job.since_ms, |run| run.started_ms);
    let since = Timestamp::from_unix_ms(good.saturating_add(age_max_ms));
    let state = if job.is_silent(now) {
        let mut alarm = alarm(job, (Event::Silent, Severity::Failure), since);
        alarm.exit_code = None;
        State::Raised(alarm)
    } else {
        State::Fine
    };
    observed.insert(Key { event: Event::Silent, job: job.key.clone() }, state);
}

/// How each dataset is proven at `now`: what its last drill found, and how old its proof is.
#[must_use]
pub fn observe_proofs(proofs: &[ProofStatus], now: Timestamp) -> Observed {
    let mut observed = Observed::new();
    for proof in proofs {
        let key =
            |kind: &str| Key { event: Event::Drill, job: format!("{kind}:{}", proof.dataset) };
        let raised = |kind: &str, since_ms: i64, codes: Option<String>| {
            State::Raised(Alarm {
                key: key(kind),
                severity: Severity::Failure,
                dataset: Some(proof.dataset.clone()),
                storage: None,
                since: Timestamp::from_unix_ms(since_ms),
                exit_code: None,
                codes,
                problems_count: 0,
                good: proof.proven_ms().map(Timestamp::from_unix_ms),
                shrunk: None,
            })
        };
        let of_data = match &proof.last {
            Some(last) if last.verdict == "fail" => {
                raised(DATA, last.held_ms, Some(last.failures.clone()))
            }
            Some(last) if last.verdict != "inconclusive" => State::Fine,
            // What was not looked at is as it was.
            _ => State::Unknown,
        };
        observed.insert(key(DATA), of_data);
        let of_age = match proof.old_ms().filter(|_| proof.is_old(now)) {
            Some(old_ms) => raised(PROOF, old_ms, None),
            None => State::Fine,
        };
        observed.insert(key(PROOF), of_age);
    }
    observed
}

/// When the next proof will be too old, if nothing happens before.
#[must_use]
pub fn next_old(proofs: &[ProofStatus], now: Timestamp) -> Option<Timestamp> {
    let coming = proofs.iter().filter_map(|it| Some(it.old_ms()?.saturating_add(1)));
    coming.filter(|at| *at > now.unix_ms).min().map(Timestamp::from_unix_ms)
}

/// A dataset has become small: it is so until that is what is usual.
fn of_size(job: &JobStatus, observed: &mut Observed) {
    let Some(good) = job.last_good.as_ref().filter(|_| job.dataset.is_some()) else { return };
    let state = match good.shrunk_from {
        None => State::Fine,
        Some(usual) => {
            let since = Timestamp::from_unix_ms(good.started_ms);
            let mut alarm = alarm(job, (Event::Shrink, Severity::Problem), since);
            let now = Size { files_count: good.files_count, content_bytes: good.content_bytes };
            alarm.exit_code = None;
            alarm.shrunk = Some(Box::new((now, usual)));
            State::Raised(alarm)
        }
    };
    observed.insert(Key { event: Event::Shrink, job: job.key.clone() }, state);
}

/// Stands for the catalogue in the place of a job.
const RECORD: &str = "catalogue";

impl Key {
    /// Whether it is about the test of alarms.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.job.starts_with(TEST)
    }

    /// Whether it is about the catalogue, and no job.
    #[must_use]
    pub fn is_record(&self) -> bool {
        self.job == RECORD
    }
}

#[must_use]
pub fn record_key() -> Key {
    Key { event: Event::Failed, job: RECORD.to_owned() }
}

/// The catalogue itself: since when nothing can be put on record.
#[must_use]
pub fn of_record(fault: Option<&(Timestamp, String)>) -> State {
    let Some((since, _)) = fault else { return State::Fine };
    State::Raised(Alarm {
        key: record_key(),
        severity: Severity::Failure,
        dataset: None,
        storage: None,
        since: *since,
        exit_code: None,
        codes: None,
        problems_count: 0,
        good: None,
        shrunk: None,
    })
}

/// When the next job will have been silent for too long, if nothing happens before.
#[must_use]
pub fn next_silence(jobs: &[JobStatus], now: Timestamp) -> Option<Timestamp> {
    let of = |job: &JobStatus| {
        let good = job.last_good.as_ref().map_or(job.since_ms, |run| run.started_ms);
        Some(good.saturating_add(job.age_max_ms?).saturating_add(1))
    };
    let coming = jobs.iter().filter_map(of).filter(|at| *at > now.unix_ms);
    coming.min().map(Timestamp::from_unix_ms)
}

fn started(job: &JobStatus) -> Timestamp {
    Timestamp::from_unix_ms(job.last_ended.as_ref().map_or(job.since_ms, |run| run.started_ms))
}

fn alarm(job: &JobStatus, (event, severity): (Event, Severity), since: Timestamp) -> Alarm {
    let last = job.last_ended.as_ref();
    Alarm {
        key: Key { event, job: job.key.clone() },
        severity,
        dataset: job.dataset.clone(),
        storage: job.storage.clone(),
        since,
        exit_code: last.and_then(exit_code),
        codes: None,
        problems_count: last.map_or(0, |run| u64::try_from(run.problems_count).unwrap_or(0)),
        good: job.last_good.as_ref().map(|run| Timestamp::from_unix_ms(run.started_ms)),
        shrunk: None,
    }
}
