//! What is read: the state of every job, and runs from the newest back.

use rusqlite::Row;
use rusqlite::params;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::record::Outcome;
use crate::catalogue::told;
use crate::schedule::plan::History;
use crate::units::Timestamp;

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobStatus {
    pub key: String,
    pub dataset: Option<String>,
    pub storage: Option<String>,
    pub age_max_ms: Option<i64>,
    pub since_ms: i64,
    pub slot_ms: Option<i64>,
    pub slot_max_ms: Option<i64>,
    pub next_ms: Option<i64>,
    /// Somebody asked for a run, which has not come to its end yet.
    pub wanted_ms: Option<i64>,
    pub last: Option<RunRow>,
    /// The newest that came to an end of its own: neither at work, nor stopped, nor cut off.
    pub last_ended: Option<RunRow>,
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

    /// What the schedule has to know.
    #[must_use]
    pub fn history(&self) -> History {
        let time = |ms: Option<i64>| ms.map(Timestamp::from_unix_ms);
        History {
            since: Timestamp::from_unix_ms(self.since_ms),
            slot: time(self.slot_ms),
            slot_max: time(self.slot_max_ms),
        }
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
    /// What its dataset usually held, if it found far less.
    pub shrunk_from: Option<Size>,
}

/// How much a dataset holds, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Size {
    pub files_count: Option<i64>,
    pub content_bytes: Option<i64>,
}

/// What a job's good runs usually found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usual {
    pub size: Size,
    /// Whether the newest of them found far less.
    pub has_shrunk: bool,
}

/// How large a storage was when a run last looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StorageRow {
    pub name: String,
    pub bytes: i64,
    pub looked_ms: i64,
}

/// Which runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter<'f> {
    pub job: Option<&'f str>,
    pub before: Option<Timestamp>,
}

/// Good runs of a dataset that say what is usual.
const USUAL_COUNT_MAX: usize = 10;

/// In the order in which [`run`] reads them.
const COLUMNS: [&str; 15] = [
    "id",
    "slot_ms",
    "attempt",
    "started_ms",
    "ended_ms",
    "outcome",
    "exit_code",
    "problems_count",
    "files_count",
    "content_bytes",
    "stored_bytes",
    "snapshot",
    "message",
    "usual_files_count",
    "usual_content_bytes",
];

fn columns(table: &str) -> String {
    COLUMNS.map(|column| format!("{table}.{column}")).join(", ")
}

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
        shrunk_from: size(row, at + 13)?,
    }))
}

fn size(row: &Row<'_>, at: usize) -> Result<Option<Size>, rusqlite::Error> {
    let size = Size { files_count: row.get(at)?, content_bytes: row.get(at + 1)? };
    Ok((size != Size::default()).then_some(size))
}

/// The greater one of the two in the middle: what is usual is told rather high.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

impl Catalogue {
    /// Every job of the configuration, by its key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn status(&self) -> Result<Vec<JobStatus>, CatalogueError> {
        let sql = format!(
            "SELECT key, dataset, storage, age_max_ms, since_ms, job.slot_ms, slot_max_ms, next_ms,
             wanted_ms, {}, {}, {} FROM job LEFT JOIN run AS a ON a.id = last_run
             LEFT JOIN run AS b ON b.id = last_ended LEFT JOIN run AS c ON c.id = last_good
             WHERE is_gone = 0 ORDER BY key",
            columns("a"),
            columns("b"),
            columns("c")
        );
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| {
                Ok(JobStatus {
                    key: row.get(0)?,
                    dataset: row.get(1)?,
                    storage: row.get(2)?,
                    age_max_ms: row.get(3)?,
                    since_ms: row.get(4)?,
                    slot_ms: row.get(5)?,
                    slot_max_ms: row.get(6)?,
                    next_ms: row.get(7)?,
                    wanted_ms: row.get(8)?,
                    last: run(row, 9)?,
                    last_ended: run(row, 9 + COLUMNS.len())?,
                    last_good: run(row, 9 + 2 * COLUMNS.len())?,
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
            "SELECT {}, job.key FROM run JOIN job ON job.id = run.job
             WHERE started_ms < ?1 {of_job} ORDER BY started_ms DESC, run.id DESC LIMIT ?2",
            columns("run")
        );
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let row = |row: &Row<'_>| Ok((row.get(COLUMNS.len())?, run(row, 0)?));
            let rows = match filter.job {
                Some(job) => statement.query_map(params![before, count, job], row)?,
                None => statement.query_map(params![before, count], row)?,
            };
            rows.collect::<Result<Vec<(String, Option<RunRow>)>, _>>()
        };
        let rows = read().map_err(|error| self.told(error))?;
        Ok(rows.into_iter().filter_map(|(key, run)| Some((key, run?))).collect())
    }

    /// What a job's good runs usually held: the median of the last ten.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn usual(&self, key: &str) -> Result<Usual, CatalogueError> {
        let sql = format!(
            "SELECT files_count, content_bytes, usual_files_count, usual_content_bytes
             FROM run WHERE job = (SELECT id FROM job WHERE key = ?1)
             AND outcome IN ('done', 'problems') AND content_bytes IS NOT NULL
             ORDER BY started_ms DESC LIMIT {USUAL_COUNT_MAX}"
        );
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map([key], |row| {
                Ok((size(row, 0)?.unwrap_or_default(), size(row, 2)?.is_some()))
            })?;
            rows.collect::<Result<Vec<(Size, bool)>, _>>()
        };
        let found = read().map_err(|error| self.told(error))?;
        let of = |value: fn(&Size) -> Option<i64>| {
            median(found.iter().filter_map(|(size, _)| value(size)).collect())
        };
        let files_count = of(|size| size.files_count);
        let size = Size { files_count, content_bytes: of(|size| size.content_bytes) };
        Ok(Usual { size, has_shrunk: found.first().is_some_and(|(_, has_shrunk)| *has_shrunk) })
    }

    /// How large each storage was when a run last looked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn storages(&self) -> Result<Vec<StorageRow>, CatalogueError> {
        let read = || {
            let sql = "SELECT name, bytes, looked_ms FROM storage ORDER BY 1";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(StorageRow { name: row.get(0)?, bytes: row.get(1)?, looked_ms: row.get(2)? })
            })?;
            rows.collect::<Result<Vec<StorageRow>, _>>()
        };
        read().map_err(|error| self.told(error))
    }

    fn told(&self, error: rusqlite::Error) -> CatalogueError {
        told(self.connection.path().unwrap_or_default().as_ref(), error)
    }
}
