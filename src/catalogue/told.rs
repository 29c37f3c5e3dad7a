//! What was told to whom, and how each channel does.

use rusqlite::params;
use serde::Serialize;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::told;

/// An alarm that a channel was told of, or has to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ToldRow {
    pub channel: String,
    pub event: String,
    pub job: String,
    /// From when on it was seen.
    pub since_ms: i64,
    /// None: not yet.
    pub told_ms: Option<i64>,
}

/// How a channel does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChannelRow {
    pub name: String,
    /// When a message last arrived.
    pub good_ms: Option<i64>,
    /// When one last did not.
    pub failed_ms: Option<i64>,
    /// Since the last one that arrived.
    pub failures_count: u32,
    /// Why; never a secret.
    pub failure: Option<String>,
    /// The month of the last letter, such as `2026-12`.
    pub letter: Option<String>,
}

impl Catalogue {
    /// Everything that was told or has to be.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn messages_told(&self) -> Result<Vec<ToldRow>, CatalogueError> {
        let read = || {
            let sql = "SELECT channel, event, job, since_ms, told_ms FROM told ORDER BY 1, 2, 3";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(ToldRow {
                    channel: row.get(0)?,
                    event: row.get(1)?,
                    job: row.get(2)?,
                    since_ms: row.get(3)?,
                    told_ms: row.get(4)?,
                })
            })?;
            rows.collect::<Result<Vec<ToldRow>, _>>()
        };
        read().map_err(|error| told(self.connection.path().unwrap_or_default().as_ref(), error))
    }

    /// Every channel that a message was sent to.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn channels(&self) -> Result<Vec<ChannelRow>, CatalogueError> {
        let read = || {
            let sql = "SELECT name, good_ms, failed_ms, failures_count, failure, letter
                       FROM channel ORDER BY 1";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(ChannelRow {
                    name: row.get(0)?,
                    good_ms: row.get(1)?,
                    failed_ms: row.get(2)?,
                    failures_count: row.get(3)?,
                    failure: row.get(4)?,
                    letter: row.get(5)?,
                })
            })?;
            rows.collect::<Result<Vec<ChannelRow>, _>>()
        };
        read().map_err(|error| told(self.connection.path().unwrap_or_default().as_ref(), error))
    }

    /// Takes all of it, in place of what was there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_told(
        &mut self,
        all: &[ToldRow],
        channels: &[ChannelRow],
    ) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM told", [])?;
            let mut keep = transaction.prepare("INSERT INTO told VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for row in all {
                let ToldRow { channel, event, job, since_ms, told_ms } = row;
                keep.execute(params![channel, event, job, since_ms, told_ms])?;
            }
            transaction.execute("DELETE FROM channel", [])?;
            let mut keep =
                transaction.prepare("INSERT INTO channel VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for row in channels {
                let ChannelRow { name, good_ms, failed_ms, failures_count, failure, letter } = row;
                keep.execute(params![name, good_ms, failed_ms, failures_count, failure, letter])?;
            }
            Ok(())
        })
    }

    /// Notes how a test of a channel ended.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn channel_tested(
        &mut self,
        name: &str,
        failure: Option<&str>,
        now_ms: i64,
    ) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            transaction.execute("INSERT OR IGNORE INTO channel (name) VALUES (?1)", [name])?;
            let sql = match failure {
                None => {
                    "UPDATE channel SET good_ms = ?2, failures_count = 0, failure = ?3
                     WHERE name = ?1"
                }
                Some(_) => {
                    "UPDATE channel SET failed_ms = ?2, failures_count = failures_count + 1,
                     failure = ?3 WHERE name = ?1"
                }
            };
            transaction.execute(sql, params![name, now_ms, failure]).map(|_| ())
        })
    }
}
