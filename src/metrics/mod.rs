//! Numbers for those who ask: the text that Prometheus reads.
//!
//! What it is: a snapshot of what the catalogue knows as numbers, their text, and a small listener
//! that gives it out.
//! Never: reads the catalogue itself, names a file or a snapshot, answers anything but
//! `GET /metrics`, listens anywhere but where the configuration says.
//! Invariants: one connection at a time, with limits of bytes and time; without questions nothing
//! wakes up; ages are those of the moment of the question.
//! Start reading at: [`Snapshot::of`], [`text`], then `listen`. Whoever has a loop starts a
//! [`listen::Listener`] and calls `show` with a new snapshot when something has changed.

pub mod listen;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::EncodeMetric as _;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::proof::ProofStatus;
use crate::catalogue::query::JobStatus;
use crate::catalogue::query::StorageRow;
use crate::catalogue::told::ChannelRow;
use crate::units::Timestamp;

/// What is known at a moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    jobs: Vec<JobStatus>,
    channels: Vec<ChannelRow>,
    proofs: Vec<ProofStatus>,
    storages: Vec<StorageRow>,
    queue_count: u64,
    late_count: u64,
}

impl Snapshot {
    /// These jobs, and what the catalogue knows beside them.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(jobs: Vec<JobStatus>, catalogue: &Catalogue) -> Result<Self, CatalogueError> {
        let (channels, storages) = (catalogue.channels()?, catalogue.storages()?);
        Ok(Self { jobs, channels, storages, proofs: catalogue.proofs()?, ..Self::default() })
    }

    /// Jobs that are due and wait, and runs that could not be put on record.
    #[must_use]
    pub fn waiting(self, queue_count: u64, late_count: u64) -> Self {
        Self { queue_count, late_count, ..self }
    }
}

/// The text, with ages as they are at `now`.
#[must_use]
pub fn text(snapshot: &Snapshot, now: Timestamp) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Moment { snapshot: snapshot.clone(), now }));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _always_ok = prometheus_text::encode(&mut text, &registry);
    text
}

#[derive(Debug)]
struct Moment {
    snapshot: Snapshot,
    now: Timestamp,
}

/// A number of a job; none where nothing is known.
type OfJob = fn(&JobStatus, Timestamp) -> Option<f64>;

const JOB: &[(&str, &str, OfJob)] = &[
    ("last_success_timestamp_seconds", "Begin of the last run that kept something", |job, _| {
        job.last_good.as_ref().map(|run| seconds(run.started_ms))
    }),
    ("last_success_age_seconds", "Time since the begin of the last run that kept something", age),
    ("age_max_seconds", "Age from which on silence is an alarm", |job, _| {
        job.age_max_ms.map(seconds)
    }),
    ("silent", "1 if there is no run as young as there has to be", |job, now| {
        job.age_max_ms.map(|_| if job.is_silent(now) { 1.0 } else { 0.0 })
    }),
    ("running", "1 while a run is at work", |job, _| {
        let is_running = job.last.as_ref().is_some_and(|run| run.outcome.is_none());
        Some(if is_running { 1.0 } else { 0.0 })
    }),
    ("last_exit_code", "Exit code of the last run that came to its end", |job, _| {
        job.last_ended.as_ref().and_then(|run| run.exit_code).map(number)
    }),
    ("last_problems", "Problems of the last run that came to its end", |job, _| {
        job.last_ended.as_ref().map(|run| number(run.problems_count))
    }),
    ("last_duration_seconds", "Duration of the last run that came to its end", |job, _| {
        let run = job.last_ended.as_ref()?;
        Some(seconds(run.ended_ms?.saturating_sub(run.started_ms)))
    }),
    ("last_success_files", "Files of the last run that kept something", |job, _| {
        job.last_good.as_ref().and_then(|run| run.files_count).map(number)
    }),
    ("last_success_content_bytes", "Bytes read by the last run that kept something", |job, _| {
        job.last_good.as_ref().and_then(|run| run.content_bytes).map(number)
    }),
    ("last_success_stored_bytes", "Bytes that it stored", |job, _| {
        job.last_good.as_ref().and_then(|run| run.stored_bytes).map(number)
    }),
    ("shrunk", "1 if the last run that kept something found far less than usual", |job, _| {
        job.dataset.as_ref()?;
        let good = job.last_good.as_ref()?;
        Some(if good.shrunk_from.is_some() { 1.0 } else { 0.0 })
    }),
    ("next_run_timestamp_seconds", "When the next run is due", |job, _| job.next_ms.map(seconds)),
];

fn age(job: &JobStatus, now: Timestamp) -> Option<f64> {
    let good = job.last_good.as_ref()?;
    Some(seconds(now.unix_ms.saturating_sub(good.started_ms)))
}

type OfProof = fn(&ProofStatus, Timestamp) -> Option<f64>;

const PROOF: &[(&str, &str, OfProof)] = &[
    ("proof_timestamp_seconds", "Begin of the last drill that proved the dataset", |proof, _| {
        proof.proven_ms().map(seconds)
    }),
    ("proof_age_seconds", "Time since then", |proof, now| {
        proof.proven_ms().map(|ms| seconds(now.unix_ms.saturating_sub(ms)))
    }),
    ("proof_age_max_seconds", "Age from which on it is an alarm", |proof, _| {
        proof.age_max_ms.map(seconds)
    }),
    ("proof_old", "1 if there is no proof as young as there has to be", |proof, now| {
        proof.age_max_ms.map(|_| if proof.is_old(now) { 1.0 } else { 0.0 })
    }),
    (
        "last_verdict",
        "Last drill: 0 none, 1 not proven, 2 no conclusion, 3 with conditions, 4 proven",
        |proof, _| {
            Some(match proof.last.as_ref().map(|last| last.verdict.as_str()) {
                None => 0.0,
                Some("pass") => 4.0,
                Some("conditional") => 3.0,
                Some("fail") => 1.0,
                Some(_) => 2.0,
            })
        },
    ),
    ("redrill_due_timestamp_seconds", "When a new drill is due", |proof, _| {
        proof.due_ms.map(seconds)
    }),
];

/// Prometheus knows no other numbers.
fn number(count: i64) -> f64 {
    count as f64
}

fn seconds(ms: i64) -> f64 {
    number(ms) / 1000.0
}

/// One family of numbers.
fn family<const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    rows: impl Iterator<Item = ([(&'static str, String); N], f64)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in rows {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

impl Collector for Moment {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let build = [("version", env!("CARGO_PKG_VERSION").to_owned())];
        let about = ("lifeboat_build_info", "The program");
        family(encoder, about, std::iter::once((build, 1.0)))?;
        for (name, help, of) in JOB {
            let rows =
                self.snapshot.jobs.iter().filter_map(|job| Some((labels(job), of(job, self.now)?)));
            family(encoder, (&format!("lifeboat_job_{name}"), help), rows)?;
        }
        for (name, help, of) in PROOF {
            let rows = self.snapshot.proofs.iter().filter_map(|proof| {
                Some(([("dataset", proof.dataset.clone())], of(proof, self.now)?))
            });
            family(encoder, (&format!("lifeboat_dataset_{name}"), help), rows)?;
        }
        type OfStorage = (&'static str, &'static str, fn(&StorageRow) -> f64);
        let storage: [OfStorage; 2] = [
            ("bytes", "What a storage held when a run last looked", |row| number(row.bytes)),
            ("looked_timestamp_seconds", "When that was", |row| seconds(row.looked_ms)),
        ];
        for (name, help, of) in storage {
            let storages = self.snapshot.storages.iter();
            let rows = storages.map(|row| ([("storage", row.name.clone())], of(row)));
            family(encoder, (&format!("lifeboat_storage_{name}"), help), rows)?;
        }
        let queue = number(i64::try_from(self.snapshot.queue_count).unwrap_or(i64::MAX));
        let about = ("lifeboat_queue_jobs", "Jobs that are due and wait");
        family(encoder, about, std::iter::once(([], queue)))?;
        let late = number(i64::try_from(self.snapshot.late_count).unwrap_or(i64::MAX));
        let about = ("lifeboat_unrecorded_runs", "Runs that could not be put on record yet");
        family(encoder, about, std::iter::once(([], late)))?;
        let about = ("lifeboat_channel_failures", "Messages that did not arrive, since one did");
        let rows = self.snapshot.channels.iter().map(|channel| {
            ([("channel", channel.name.clone())], f64::from(channel.failures_count))
        });
        family(encoder, about, rows)
    }
}

fn labels(job: &JobStatus) -> [(&'static str, String); 3] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [("job", job.key.clone()), ("dataset", text(&job.dataset)), ("storage", text(&job.storage))]
}
