//! What a new catalogue can know from the repositories: the newest snapshot of each dataset.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;

use serde::Deserialize;

use crate::catalogue::CatalogueError;
use crate::catalogue::record::Outcome;
use crate::catalogue::record::RunEnd;
use crate::daemon::job::Job;
use crate::daemon::serve::Daemon;
use crate::daemon::serve::Event;
use crate::daemon::supervise;
use crate::units::Timestamp;

/// Most bytes that are read of what a storage has.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A snapshot, as `snapshots` tells it.
#[derive(Debug, Deserialize)]
pub struct Found {
    id: String,
    /// RFC 3339.
    time: String,
    tags: Vec<String>,
    content_bytes: u64,
    snapshot_problems_count: u64,
    /// Nobody knows who made such a one.
    suspect_since: Option<String>,
}

impl Found {
    /// Nobody knows when one was made whose time is none.
    fn made(&self) -> Option<jiff::Timestamp> {
        self.time.parse().ok()
    }
}

impl Daemon<'_> {
    /// Asks each storage that backups go to, in a process of its own.
    pub(super) fn ask_storages(&self) {
        let jobs = self.jobs.values().map(|entry| &entry.scheduled.job);
        let backups = jobs.filter(|job| matches!(job, Job::Backup { .. }));
        let storages: BTreeSet<&str> = backups.map(Job::storage).collect();
        let host = String::from_utf8_lossy(&self.world.machine);
        for storage in storages {
            let step = ["snapshots", "-r", storage, "--latest", "--host", &host];
            let step = step.map(str::to_owned);
            let (events, name) = (self.events.clone(), storage.to_owned());
            let take = move |pipe| {
                let event = Event::Recalled { storage: name, found: read(pipe) };
                let _nobody_listens = events.send(event);
            };
            if let Err(error) = supervise::ask(&step, &self.world.program, take) {
                tracing::warn!(storage, %error, "the storage cannot be asked what it has");
            }
        }
    }

    /// Puts on record what a storage has of jobs that have no run yet.
    pub(super) fn recalled(&mut self, storage: &str, found: &[Found]) {
        let mut recalled = 0;
        let keys: Vec<String> = self.jobs.keys().cloned().collect();
        for key in keys {
            match self.recall(&key, storage, found) {
                Ok(is_recalled) => recalled += u32::from(is_recalled),
                Err(error) => tracing::error!(key, %error, "a snapshot cannot be put on record"),
            }
        }
        tracing::info!(storage, recalled, "the storage was asked what it has");
        self.refresh();
    }

    fn recall(
        &mut self,
        key: &str,
        storage: &str,
        found: &[Found],
    ) -> Result<bool, CatalogueError> {
        let job = self.jobs.get(key).map(|entry| &entry.scheduled.job);
        let Some(Job::Backup { name, storage: own }) = job else { return Ok(false) };
        let is_own = |found: &&Found| found.suspect_since.is_none() && found.tags.contains(name);
        let newest = found.iter().filter(is_own).max_by_key(|found| found.made());
        let newest = newest.filter(|_| own == storage);
        let Some((newest, made)) = newest.and_then(|newest| Some((newest, newest.made()?))) else {
            return Ok(false);
        };
        let mut end = match newest.snapshot_problems_count {
            0 => RunEnd::new(Outcome::Done, 0),
            _ => RunEnd::new(Outcome::Problems, 3),
        };
        end.problems_count = newest.snapshot_problems_count;
        end.content_bytes = Some(newest.content_bytes);
        end.snapshot = Some(newest.id.clone());
        let started = Timestamp::from_unix_ms(made.as_millisecond());
        self.record.catalogue.recall(key, &end, started)
    }
}

fn read(pipe: impl Read) -> Vec<Found> {
    // What is no snapshot is no line of this kind; a pipe that fails has no more of them.
    let lines = BufReader::new(pipe.take(BYTES_MAX)).split(b'\n').map_while(Result::ok);
    lines.filter_map(|line| serde_json::from_slice(&line).ok()).collect()
}
