//! What is written: jobs, the begin and the end of each run.

use rusqlite::OptionalExtension as _;
use rusqlite::Transaction;
use rusqlite::TransactionBehavior;
use rusqlite::params;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::proof;
use crate::catalogue::proof::DatasetSpec;
use crate::catalogue::query::Size;
use crate::catalogue::told;
use crate::units::Timestamp;

/// Most problems of a run that are kept one by one; all are counted.
const PROBLEMS_MAX: usize = 1000;

/// A job as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSpec {
    pub key: String,
    pub dataset: Option<String>,
    pub storage: Option<String>,
    pub age_max_ms: Option<i64>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Problems,
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// The machine or the program went away under it.
    Cut,
}

impl Outcome {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Problems => "problems",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Cut => "cut",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        let all = [Self::Done, Self::Problems, Self::Failed, Self::Stopped, Self::Cut];
        all.into_iter().find(|outcome| outcome.word() == word)
    }

    /// Whether it came to an end of its own.
    #[must_use]
    pub const fn is_own(self) -> bool {
        !matches!(self, Self::Stopped | Self::Cut)
    }

    /// Whether something was kept.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Done | Self::Problems)
    }
}

/// A problem of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRow {
    /// `problem`, `healable` or `damage`.
    pub severity: &'static str,
    pub subject: String,
    pub message: String,
}

/// What is known at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    pub outcome: Outcome,
    pub exit_code: u8,
    pub problems_count: u64,
    pub files_count: Option<u64>,
    pub content_bytes: Option<u64>,
    pub stored_bytes: Option<u64>,
    pub snapshot: Option<String>,
    pub message: Option<String>,
    pub problems: Vec<ProblemRow>,
    /// What its dataset usually held, if it found far less.
    pub shrunk_from: Option<Size>,
    /// How large storages were after it, by their names.
    pub storages_bytes: Vec<(String, u64)>,
}

impl RunEnd {
    #[must_use]
    pub const fn new(outcome: Outcome, exit_code: u8) -> Self {
        Self {
            outcome,
            exit_code,
            problems_count: 0,
            files_count: None,
            content_bytes: None,
            stored_bytes: None,
            snapshot: None,
            message: None,
            problems: Vec::new(),
            shrunk_from: None,
            storages_bytes: Vec::new(),
        }
    }
}

/// SQLite has no greater numbers.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Problems, and how large storages were.
fn keep_findings(
    transaction: &Transaction<'_>,
    (run, end): (i64, &RunEnd),
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    let mut keep = transaction.prepare("INSERT INTO problem VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (at, problem) in (0_i64..).zip(end.problems.iter().take(PROBLEMS_MAX)) {
        let ProblemRow { severity, subject, message } = problem;
        keep.execute(params![run, at, severity, subject, message])?;
    }
    let mut keep = transaction.prepare("INSERT OR REPLACE INTO storage VALUES (?1, ?2, ?3)")?;
    for (name, bytes) in &end.storages_bytes {
        keep.execute(params![name, number(*bytes), now.unix_ms])?;
    }
    Ok(())
}

fn take_jobs(
    transaction: &Transaction<'_>,
    jobs: &[JobSpec],
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    transaction.execute("UPDATE job SET is_gone = is_gone + 1", [])?;
    // One that comes back (2: it was gone before) is a new one as far as missed runs go.
    let mut take = transaction.prepare(
        "INSERT INTO job (key, dataset, storage, age_max_ms, since_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key) DO UPDATE SET is_gone = 0, dataset = excluded.dataset,
         storage = excluded.storage, age_max_ms = excluded.age_max_ms,
         since_ms = iif(is_gone > 1, excluded.since_ms, since_ms)",
    )?;
    for job in jobs {
        let JobSpec { key, dataset, storage, age_max_ms } = job;
        take.execute(params![key, dataset, storage, age_max_ms, now.unix_ms])?;
    }
    transaction.execute("UPDATE job SET is_gone = 1 WHERE is_gone > 1", [])?;
    Ok(())
}

impl Catalogue {
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, CatalogueError> {
        let path = self.connection.path().unwrap_or_default().to_owned();
        let told = |error| told(path.as_ref(), error);
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(told)?;
        let done = work(&transaction).map_err(told)?;
        transaction.commit().map_err(told)?;
        Ok(done)
    }

    /// Takes a configuration, whole or not at all: its jobs, where others stay with their runs and
    /// count as gone, its datasets, and the storages whose ledgers count.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(
        &mut self,
        jobs: &[JobSpec],
        (datasets, storages): (&[DatasetSpec], &[String]),
        now: Timestamp,
    ) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            take_jobs(transaction, jobs, now)?;
            proof::take_datasets(transaction, (datasets, storages), now)
        })
    }

    /// The jobs alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take_jobs(&mut self, jobs: &[JobSpec], now: Timestamp) -> Result<(), CatalogueError> {
        self.write(|transaction| take_jobs(transaction, jobs, now))
    }

    /// Notes that a run is about to begin; its number.
    ///
    /// # Errors
    /// When there is no such job, or the file cannot be written: whoever begins all the same puts
    /// it on record later.
    pub fn begin(
        &mut self,
        key: &str,
        slot: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<i64, CatalogueError> {
        let slot = slot.map(|slot| slot.unix_ms);
        let run = self.write(|transaction| {
            let job: Option<i64> = transaction
                .query_row("SELECT id FROM job WHERE key = ?1", [key], |row| row.get(0))
                .optional()?;
            let Some(job) = job else { return Ok(None) };
            transaction.execute(
                "INSERT INTO run (job, slot_ms, attempt, started_ms) VALUES (?1, ?2,
                 (SELECT coalesce(max(attempt), 0) + 1 FROM run WHERE job = ?1 AND slot_ms IS ?2),
                 ?3)",
                params![job, slot, now.unix_ms],
            )?;
            let run = transaction.last_insert_rowid();
            transaction.execute("UPDATE job SET last_run = ?2 WHERE id = ?1", [job, run])?;
            Ok(Some(run))
        })?;
        run.ok_or_else(|| CatalogueError::NoJob(key.to_owned()))
    }

    /// Notes how a run ended: only now does its slot count.
    ///
    /// # Errors
    /// When it is not at work, or the file cannot be written.
    pub fn end(&mut self, run: i64, end: &RunEnd, now: Timestamp) -> Result<(), CatalogueError> {
        let usual = end.shrunk_from.unwrap_or_default();
        let ended = self.write(|transaction| {
            let updated = transaction.execute(
                "UPDATE run SET ended_ms = ?2, outcome = ?3, exit_code = ?4, problems_count = ?5,
                 files_count = ?6, content_bytes = ?7, stored_bytes = ?8, snapshot = ?9,
                 message = ?10, usual_files_count = ?11, usual_content_bytes = ?12
                 WHERE id = ?1 AND ended_ms IS NULL",
                params![
                    run,
                    now.unix_ms,
                    end.outcome.word(),
                    end.exit_code,
                    number(end.problems_count),
                    end.files_count.map(number),
                    end.content_bytes.map(number),
                    end.stored_bytes.map(number),
                    end.snapshot,
                    end.message,
                    usual.files_count,
                    usual.content_bytes
                ],
            )?;
            if updated == 0 {
                return Ok(false);
            }
            keep_findings(transaction, (run, end), now)?;
            if end.outcome != Outcome::Cut {
                transaction.execute(
                    "UPDATE job SET slot_ms = run.slot_ms,
                     slot_max_ms = max(coalesce(job.slot_max_ms, run.slot_ms), run.slot_ms)
                     FROM run WHERE run.id = ?1 AND job.id = run.job AND run.slot_ms IS NOT NULL",
                    [run],
                )?;
            }
            if end.outcome != Outcome::Cut {
                let sql = "UPDATE job SET wanted_ms = NULL FROM run
                           WHERE run.id = ?1 AND job.id = run.job AND wanted_ms <= run.started_ms";
                transaction.execute(sql, [run])?;
            }
            let (is_own, is_good) = (end.outcome.is_own(), end.outcome.is_good());
            for (column, is_it) in [("last_ended", is_own), ("last_good", is_good)] {
                if is_it {
                    let sql = format!(
                        "UPDATE job SET {column} = ?1
                         WHERE id = (SELECT job FROM run WHERE id = ?1)"
                    );
                    transaction.execute(&sql, [run])?;
                }
            }
            Ok(true)
        })?;
        if ended { Ok(()) } else { Err(CatalogueError::NoRun(run)) }
    }

    /// Takes a snapshot that a repository has as the good run of a job that has none on record;
    /// whether it did.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn recall(
        &mut self,
        key: &str,
        end: &RunEnd,
        started: Timestamp,
    ) -> Result<bool, CatalogueError> {
        self.write(|transaction| {
            let recalled = transaction.execute(
                "INSERT INTO run (job, attempt, started_ms, ended_ms, outcome, exit_code,
                 problems_count, content_bytes, snapshot)
                 SELECT id, 1, ?2, ?2, ?3, ?4, ?5, ?6, ?7 FROM job
                 WHERE key = ?1 AND last_run IS NULL",
                params![
                    key,
                    started.unix_ms,
                    end.outcome.word(),
                    end.exit_code,
                    number(end.problems_count),
                    end.content_bytes.map(number),
                    end.snapshot
                ],
            )?;
            if recalled == 0 {
                return Ok(false);
            }
            let run = transaction.last_insert_rowid();
            let sql = "UPDATE job SET last_run = ?2, last_ended = ?2, last_good = ?2
                       WHERE key = ?1";
            transaction.execute(sql, params![key, run])?;
            Ok(true)
        })
    }

    /// Somebody asks for a run (or, with none, takes that back): it is owed until one that began
    /// later has come to its end.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn want(&mut self, key: &str, at: Option<Timestamp>) -> Result<(), CatalogueError> {
        let at = at.map(|at| at.unix_ms);
        self.write(|transaction| {
            let sql = "UPDATE job SET wanted_ms = ?2 WHERE key = ?1";
            transaction.execute(sql, params![key, at]).map(|_| ())
        })
    }

    /// Somebody stops a run: if it is cut off before it has stopped, it counts as stopped.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cancel(&mut self, run: i64) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            let sql = "UPDATE run SET is_cancelled = 1 WHERE id = ?1 AND ended_ms IS NULL";
            transaction.execute(sql, [run]).map(|_| ())
        })
    }

    /// Runs that a crash or power cut took away, told once when the program starts. One that was
    /// being stopped is none of them: its slot counts as done. What somebody asked for after it
    /// began is still owed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cut_off(&mut self, now: Timestamp) -> Result<usize, CatalogueError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE job SET slot_ms = coalesce(run.slot_ms, job.slot_ms),
                 wanted_ms = iif(wanted_ms <= run.started_ms, NULL, wanted_ms),
                 slot_max_ms = max(coalesce(job.slot_max_ms, run.slot_ms),
                     coalesce(run.slot_ms, job.slot_max_ms))
                 FROM run WHERE job.id = run.job AND run.ended_ms IS NULL AND is_cancelled = 1",
                [],
            )?;
            transaction.execute(
                "UPDATE run SET outcome = 'stopped', ended_ms = max(started_ms, ?1)
                 WHERE ended_ms IS NULL AND is_cancelled = 1",
                [now.unix_ms],
            )?;
            transaction.execute(
                "UPDATE run SET outcome = 'cut', ended_ms = max(started_ms, ?1)
                 WHERE ended_ms IS NULL",
                [now.unix_ms],
            )
        })
    }

    /// When a job is due next, for those who look.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_next(&mut self, key: &str, next: Option<Timestamp>) -> Result<(), CatalogueError> {
        let next = next.map(|next| next.unix_ms);
        self.write(|transaction| {
            let sql = "UPDATE job SET next_ms = ?2 WHERE key = ?1";
            transaction.execute(sql, params![key, next]).map(|_| ())
        })
    }

    /// The same of several jobs at once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_next_of(
        &mut self,
        all: &[(String, Option<Timestamp>)],
    ) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            let mut set = transaction.prepare("UPDATE job SET next_ms = ?2 WHERE key = ?1")?;
            for (key, next) in all {
                set.execute(params![key, next.map(|next| next.unix_ms)])?;
            }
            Ok(())
        })
    }

    /// Writes something that changes nothing: whether it can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub fn touch(&mut self) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            let version = "PRAGMA user_version";
            let known: u32 = transaction.query_row(version, [], |row| row.get(0))?;
            transaction.pragma_update(None, "user_version", known)
        })
    }

    /// Removes runs that began before, but for each job's last, last ended and last good one; how
    /// many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn trim(&mut self, before: Timestamp) -> Result<usize, CatalogueError> {
        self.write(|transaction| {
            transaction.execute(
                "DELETE FROM run WHERE started_ms < ?1 AND ended_ms IS NOT NULL
                 AND id NOT IN (SELECT last_run FROM job WHERE last_run IS NOT NULL)
                 AND id NOT IN (SELECT last_ended FROM job WHERE last_ended IS NOT NULL)
                 AND id NOT IN (SELECT last_good FROM job WHERE last_good IS NOT NULL)",
                [before.unix_ms],
            )
        })
    }
}
