//! How the jobs stand, as those who ask are told.

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::Serialize;

use crate::catalogue::proof::ProofStatus;
use crate::catalogue::query::JobStatus;
use crate::catalogue::query::RunRow;
use crate::catalogue::query::StorageRow;
use crate::catalogue::told::ChannelRow;
use crate::daemon::engine::Entry;
use crate::schedule::plan;
use crate::schedule::plan::Due;
use crate::units::Timestamp;

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub daemon: Daemon,
    pub jobs: Vec<JobReport>,
    /// Channels whose last message did not arrive.
    #[serde(default)]
    pub silent_channels: Vec<ChannelReport>,
    /// How each dataset is proven.
    #[serde(default)]
    pub proofs: Vec<ProofReport>,
    /// How large storages were when a run last looked.
    #[serde(default)]
    pub storages: Vec<StorageReport>,
    /// Why limits of memory and processor are not held, though some are wanted.
    #[serde(default)]
    pub limits_missing: Option<String>,
    /// Why nothing can be put on record.
    #[serde(default)]
    pub record_fault: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Daemon {
    Running,
    Paused,
    /// Jobs wait for power.
    OnBattery,
    Stopping,
    /// None answers.
    Absent,
}

/// Whether a job's newest success is young enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Ok,
    /// Its last run failed, and the one before is young enough still.
    Failed,
    /// Older than it may be.
    Late,
    /// It has not succeeded yet.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    Idle,
    Waiting,
    AtWork,
}

/// Times are RFC 3339 in the job's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    pub job: String,
    pub dataset: Option<String>,
    pub storage: Option<String>,
    pub health: Health,
    /// Whether somebody should look.
    pub is_wrong: bool,
    pub activity: Activity,
    pub last_success: Option<String>,
    pub age_s: Option<i64>,
    pub age_max_s: Option<i64>,
    pub next: Option<String>,
    pub snapshot_id: Option<String>,
    pub last: Option<RunReport>,
    /// The newest that came to an end of its own; not the one at work.
    #[serde(default)]
    pub last_ended: Option<RunReport>,
    /// Whether the newest success found far less than usual.
    #[serde(default)]
    pub shrunk: Option<Shrunk>,
}

/// Far less than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shrunk {
    pub files_count: Option<i64>,
    pub content_bytes: Option<i64>,
    pub usual_files_count: Option<i64>,
    pub usual_content_bytes: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageReport {
    pub storage: String,
    pub bytes: i64,
    /// RFC 3339.
    pub looked: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    pub id: i64,
    pub job: String,
    pub started: String,
    pub duration_ms: Option<i64>,
    pub attempt: i64,
    /// None: at work.
    pub outcome: Option<String>,
    pub exit_code: Option<i64>,
    pub problems_count: i64,
    pub files_count: Option<i64>,
    pub content_bytes: Option<i64>,
    pub stored_bytes: Option<i64>,
    pub snapshot_id: Option<String>,
    pub message: Option<String>,
}

/// A channel that tells nobody anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelReport {
    pub channel: String,
    /// Messages that did not arrive, since one did.
    pub failures_count: u32,
    /// Of the last one that did not; RFC 3339.
    pub last_failure: Option<String>,
    /// Why; never a secret.
    pub failure: Option<String>,
}

/// How a dataset is proven. Times are RFC 3339 in the office's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofReport {
    pub dataset: String,
    /// Whether somebody should look.
    pub is_wrong: bool,
    /// Of the newest drill; none if there never was one.
    pub drill: Option<String>,
    pub held_at: Option<String>,
    pub verdict: Option<String>,
    /// Codes of what failed.
    pub failures: Option<String>,
    pub proven_at: Option<String>,
    pub proof_age_s: Option<i64>,
    /// None if no drill of the configuration is about it.
    pub proof_age_max_s: Option<i64>,
    pub level: Option<String>,
    pub snapshot_id: Option<String>,
    /// When a new drill is due, if a corrective action is open.
    pub redrill_due: Option<String>,
}

impl ProofReport {
    #[must_use]
    pub fn of(row: ProofStatus, zone: &TimeZone, now: Timestamp) -> Self {
        let at = |ms: Option<i64>| ms.map(|ms| local(ms, zone));
        let proven_ms = row.proven_ms();
        let is_wrong = row.is_old(now) || row.has_failed() || row.is_overdue(now);
        let (last, proven) = (row.last, row.proven);
        let failures = last.as_ref().map(|last| last.failures.clone());
        Self {
            dataset: row.dataset,
            is_wrong,
            drill: last.as_ref().map(|last| last.drill.clone()),
            held_at: at(last.as_ref().map(|last| last.held_ms)),
            verdict: last.map(|last| last.verdict),
            failures: failures.filter(|it| !it.is_empty()),
            proven_at: at(proven_ms),
            proof_age_s: proven_ms.map(|ms| now.unix_ms.saturating_sub(ms).div_euclid(1000)),
            proof_age_max_s: row.age_max_ms.map(|ms| ms.div_euclid(1000)),
            level: proven.as_ref().and_then(|proven| proven.level.clone()),
            snapshot_id: proven.and_then(|proven| proven.snapshot),
            redrill_due: at(row.due_ms),
        }
    }
}

impl Report {
    /// Whether somebody should look.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        let is_silent = !self.silent_channels.is_empty();
        let is_unproven = self.proofs.iter().any(|proof| proof.is_wrong);
        let is_job_wrong = self.jobs.iter().any(|job| job.is_wrong);
        let is_ill = self.daemon == Daemon::Absent || self.record_fault.is_some();
        is_ill || is_silent || is_unproven || is_job_wrong
    }
}

impl StorageReport {
    #[must_use]
    pub fn of(row: StorageRow, zone: &TimeZone) -> Self {
        Self { storage: row.name, bytes: row.bytes, looked: local(row.looked_ms, zone) }
    }
}

impl Shrunk {
    fn of(run: &RunRow) -> Option<Self> {
        run.shrunk_from.map(|usual| Self {
            files_count: run.files_count,
            content_bytes: run.content_bytes,
            usual_files_count: usual.files_count,
            usual_content_bytes: usual.content_bytes,
        })
    }
}

impl ChannelReport {
    /// Of those that do not answer.
    #[must_use]
    pub fn of(rows: Vec<ChannelRow>, zone: &TimeZone) -> Vec<Self> {
        let silent = rows.into_iter().filter(|row| row.failures_count > 0);
        let report = |row: ChannelRow| Self {
            channel: row.name,
            failures_count: row.failures_count,
            last_failure: row.failed_ms.map(|failed_ms| local(failed_ms, zone)),
            failure: row.failure,
        };
        silent.map(report).collect()
    }
}

impl JobReport {
    /// `row` is what the catalogue has; none if it has nothing of this job yet.
    #[must_use]
    pub fn new(entry: &Entry, row: Option<&JobStatus>, activity: Activity, now: Timestamp) -> Self {
        let zone = &entry.scheduled.plan.zone;
        let key = entry.scheduled.job.key();
        let good = row.and_then(|row| row.last_good.as_ref());
        let last = row.and_then(|row| row.last.as_ref());
        let ended = row.and_then(|row| row.last_ended.as_ref());
        let has_failed = ended.is_some_and(|last| last.outcome == Some("failed"));
        let shrunk = good.and_then(Shrunk::of);
        let is_silent = row.is_some_and(|row| row.is_silent(now));
        let health = match good {
            None => Health::Never,
            Some(_) if is_silent => Health::Late,
            Some(_) if has_failed => Health::Failed,
            Some(_) => Health::Ok,
        };
        let seconds = |ms: i64| ms.div_euclid(1000);
        let age_max = entry.scheduled.age_max;
        Self {
            dataset: entry.scheduled.job.dataset().map(str::to_owned),
            storage: Some(entry.scheduled.job.storage().to_owned()),
            health,
            is_wrong: is_silent || has_failed || shrunk.is_some(),
            activity,
            last_success: good.map(|run| local(run.started_ms, zone)),
            age_s: good.map(|run| seconds(now.unix_ms.saturating_sub(run.started_ms))),
            age_max_s: age_max.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
            next: next(entry, activity, now).map(|next| local(next.unix_ms, zone)),
            snapshot_id: good.and_then(|run| run.snapshot.clone()),
            last: last.map(|run| RunReport::new(&key, run, zone)),
            last_ended: ended.map(|run| RunReport::new(&key, run, zone)),
            shrunk,
            job: key,
        }
    }
}

impl RunReport {
    #[must_use]
    pub fn new(job: &str, run: &RunRow, zone: &TimeZone) -> Self {
        Self {
            id: run.id,
            job: job.to_owned(),
            started: local(run.started_ms, zone),
            duration_ms: run.ended_ms.map(|ended| ended.saturating_sub(run.started_ms).max(0)),
            attempt: run.attempt,
            outcome: run.outcome.map(str::to_owned),
            exit_code: run.exit_code,
            problems_count: run.problems_count,
            files_count: run.files_count,
            content_bytes: run.content_bytes,
            stored_bytes: run.stored_bytes,
            snapshot_id: run.snapshot.clone(),
            message: run.message.clone(),
        }
    }
}

/// When a job starts next; of one at work, the run after this one.
#[must_use]
pub fn next(entry: &Entry, activity: Activity, now: Timestamp) -> Option<Timestamp> {
    let due = match (activity, entry.last.as_ref().and_then(|last| last.slot_ms)) {
        (Activity::AtWork, Some(slot)) => {
            let history = entry.history.and(Timestamp::from_unix_ms(slot));
            plan::next(&entry.scheduled.plan, &history, now)
        }
        (Activity::AtWork, None) => plan::next(&entry.scheduled.plan, &entry.history, now),
        _ => crate::daemon::engine::due(entry, now),
    };
    match due {
        Due::Now { .. } => Some(now),
        Due::At { start, .. } => Some(start),
        Due::Never => None,
    }
}

/// RFC 3339 in a zone.
#[must_use]
pub fn local(unix_ms: i64, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(unix_ms) {
        Ok(at) => at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Err(_) => Timestamp::from_unix_ms(unix_ms).to_rfc3339(),
    }
}
