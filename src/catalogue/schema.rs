//! The tables, and the way from older ones. A step that has been released never changes.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::TransactionBehavior;

use crate::catalogue::CatalogueError;
use crate::catalogue::shown;
use crate::catalogue::told;

const STEPS: [&str; 4] = [
    "
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    dataset TEXT,
    storage TEXT,
    age_max_ms INTEGER,
    is_gone INTEGER NOT NULL DEFAULT 0,
    since_ms INTEGER NOT NULL,
    slot_ms INTEGER,
    slot_max_ms INTEGER,
    next_ms INTEGER,
    last_run INTEGER REFERENCES run (id),
    last_good INTEGER REFERENCES run (id)
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES job (id),
    slot_ms INTEGER,
    attempt INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    outcome TEXT CHECK (outcome IN ('done', 'problems', 'failed', 'stopped', 'cut')),
    exit_code INTEGER,
    problems_count INTEGER NOT NULL DEFAULT 0,
    files_count INTEGER,
    content_bytes INTEGER,
    stored_bytes INTEGER,
    snapshot TEXT,
    message TEXT,
    CHECK ((ended_ms IS NULL) = (outcome IS NULL))
) STRICT;
CREATE UNIQUE INDEX run_of_slot ON run (job, slot_ms, attempt);
CREATE INDEX run_of_job ON run (job, started_ms);
CREATE INDEX run_by_time ON run (started_ms);
CREATE INDEX run_at_work ON run (id) WHERE ended_ms IS NULL;
CREATE INDEX job_of_last ON job (last_run);
CREATE INDEX job_of_last_good ON job (last_good);
CREATE TABLE problem (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('problem', 'healable', 'damage')),
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE told (
    channel TEXT NOT NULL,
    event TEXT NOT NULL,
    job TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    told_ms INTEGER,
    PRIMARY KEY (channel, event, job)
) STRICT, WITHOUT ROWID;
CREATE TABLE channel (
    name TEXT PRIMARY KEY,
    good_ms INTEGER,
    failed_ms INTEGER,
    failures_count INTEGER NOT NULL DEFAULT 0,
    failure TEXT,
    letter TEXT
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE dataset (
    name TEXT PRIMARY KEY,
    since_ms INTEGER NOT NULL,
    age_max_ms INTEGER,
    is_gone INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE proof (
    dataset TEXT NOT NULL,
    storage TEXT NOT NULL,
    drill TEXT NOT NULL,
    held_ms INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    failures TEXT NOT NULL,
    proven_ms INTEGER,
    snapshot TEXT,
    level TEXT,
    due_ms INTEGER,
    PRIMARY KEY (dataset, storage)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE job ADD COLUMN last_ended INTEGER REFERENCES run (id);
UPDATE job SET last_ended = (SELECT id FROM run WHERE run.job = job.id
    AND outcome IN ('done', 'problems', 'failed') ORDER BY started_ms DESC LIMIT 1);
CREATE INDEX job_of_last_ended ON job (last_ended);
ALTER TABLE job ADD COLUMN wanted_ms INTEGER;
ALTER TABLE run ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN usual_files_count INTEGER;
ALTER TABLE run ADD COLUMN usual_content_bytes INTEGER;
CREATE TABLE storage (
    name TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    looked_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
",
];

/// Brings the tables up to date: each step whole, or not at all.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), CatalogueError> {
    let told = |error| told(path, error);
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    let step =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    let found: u32 = step.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(told)?;
    if found > known {
        return Err(CatalogueError::Newer { path: shown(path), found, known });
    }
    for sql in STEPS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        step.execute_batch(sql).map_err(told)?;
    }
    if found < known {
        step.pragma_update(None, "user_version", known).map_err(told)?;
    }
    step.commit().map_err(told)
}
