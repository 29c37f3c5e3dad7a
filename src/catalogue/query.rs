//! What is read: the state of every job, and runs from the newest back.

use rusqlite::Row;
use rusqlite::params;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::record::Outcome;
use crate::catalogue::told;
use crate::units::Timestamp;

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobStatus {
    pub key: String,
    pub dataset: Option<String>,
    pub storage: Option<String>,
    pub age_max_ms: Option<i64>,
    pub since_ms: i64,
    pub next_ms: Option<i64>,
    pub last: Option<RunRow>,
    pub last_good: Option<RunRow>,
}

impl JobStatus {
    /// Whether its newest good run is older than it may be; a job without one counts from when it
    /// came.
    #[must_use]
    pub fn is_silent(&self, now: Timestamp) -> bool {
        let good = self.last_good.as_ref().map_or(self.since_ms, |run| run.started_ms);
        self.age_max_ms.is_some_and(|max| now.unix_ms.saturating_sub(good) > max)
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRow {
    pub id: i64,
    pub slot_ms: Option<i64>,
    pub attempt: i64,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    /// None: it is at work.
    pub outcome: Option<&'static str>,
    pub exit_code: Option<i64>,
    pub problems_count: i64,
    pub files_count: Option<i64>,
    pub content_bytes: Option<i64>,
    pub stored_bytes: Option<i64>,
    pub snapshot: Option<String>,
    pub message: Option<String>,
}

/// Which runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter<'f> {
    pub job: Option<&'f str>,
    pub before: Option<Timestamp>,
}

const JOBS: &str = "SELECT key, dataset, storage, age_max_ms, since_ms, next_ms,
    a.id, a.slot_ms, a.attempt, a.started_ms, a.ended_ms, a.outcome, a.exit_code,
    a.problems_count, a.files_count, a.content_bytes, a.stored_bytes, a.snapshot, a.message,
    b.id, b.slot_ms, b.attempt, b.started_ms, b.ended_ms, b.outcome, b.exit_code,
    b.problems_count, b.files_count, b.content_bytes, b.stored_bytes, b.snapshot, b.message
    FROM job LEFT JOIN run AS a ON a.id = job.last_run LEFT JOIN run AS b ON b.id = job.last_good
    WHERE is_gone = 0 ORDER BY key";
const COLUMNS: &str = "run.id, run.slot_ms, attempt, started_ms, ended_ms, outcome, exit_code,
    problems_count, files_count, content_bytes, stored_bytes, snapshot, message";

fn run(row: &Row<'_>, at: usize) -> Result<Option<RunRow>, rusqlite::Error> {
    let Some(id) = row.get(at)? else { return Ok(None) };
    let outcome: Option<String> = row.get(at + 5)?;
    Ok(Some(RunRow {
        id,
        slot_ms: row.get(at + 1)?,
        attempt: row.get(at + 2)?,
        started_ms: row.get(at + 3)?,
        ended_ms: row.get(at + 4)?,
        outcome: outcome.as_deref().and_then(Outcome::of).map(Outcome::word),
        exit_code: row.get(at + 6)?,
        problems_count: row.get(at + 7)?,
        files_count: row.get(at + 8)?,
        content_bytes: row.get(at + 9)?,
        stored_bytes: row.get(at + 10)?,
        snapshot: row.get(at + 11)?,
        message: row.get(at + 12)?,
    }))
}

impl Catalogue {
    /// Every job of the configuration, by its key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn status(&self) -> Result<Vec<JobStatus>, CatalogueError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(JOBS)?;
            let rows = statement.query_map([], |row| {
                Ok(JobStatus {
                    key: row.get(0)?,
                    dataset: row.get(1)?,
                    storage: row.get(2)?,
                    age_max_ms: row.get(3)?,
                    since_ms: row.get(4)?,
                    next_ms: row.get(5)?,
                    last: run(row, 6)?,
                    last_good: run(row, 19)?,
                })
            })?;
            rows.collect::<Result<Vec<JobStatus>, _>>()
        };
        read().map_err(|error| self.told(error))
    }

    /// Runs from the newest back, with the keys of their jobs; at most `count`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn runs(
        &self,
        filter: RunFilter<'_>,
        count: u32,
    ) -> Result<Vec<(String, RunRow)>, CatalogueError> {
        let before = filter.before.map_or(i64::MAX, |before| before.unix_ms);
        let of_job = filter.job.map_or("", |_| "AND run.job = (SELECT id FROM job WHERE key = ?3)");
        let sql = format!(
            "SELECT {COLUMNS}, job.key FROM run JOIN job ON job.id = run.job
             WHERE started_ms < ?1 {of_job} ORDER BY started_ms DESC, run.id DESC LIMIT ?2"
        );
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let row = |row: &Row<'_>| Ok((row.get(13)?, run(row, 0)?));
            let rows = match filter.job {
                Some(job) => statement.query_map(params![before, count, job], row)?,
                None => statement.query_map(params![before, count], row)?,
            };
            rows.collect::<Result<Vec<(String, Option<RunRow>)>, _>>()
        };
        let rows = read().map_err(|error| self.told(error))?;
        Ok(rows.into_iter().filter_map(|(key, run)| Some((key, run?))).collect())
    }

    fn told(&self, error: rusqlite::Error) -> CatalogueError {
        told(self.connection.path().unwrap_or_default().as_ref(), error)
    }
}
