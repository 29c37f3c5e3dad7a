//! What the catalogue knows, and what it could not take yet: jobs wait for no disk of ours.

use std::time::Duration;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::query::JobStatus;
use crate::catalogue::query::RunRow;
use crate::catalogue::record::Outcome;
use crate::catalogue::record::RunEnd;
use crate::daemon::supervise::Begun;
use crate::units::Timestamp;

/// After the catalogue could not be written, it is tried again.
const AGAIN: Duration = Duration::from_secs(10);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Runs older than this go, but for each job's last, last ended and last good one.
const RUNS_DAYS_MAX: i64 = 400;

pub(super) struct Record {
    pub(super) catalogue: Catalogue,
    /// As it was last read.
    known: Vec<JobStatus>,
    late: Vec<Late>,
    /// Runs that are not on record have numbers below zero.
    last_number: i64,
    again_at: Option<Duration>,
    /// Since when it cannot be written, and why.
    fault: Option<(Timestamp, String)>,
    /// When old runs were last removed.
    trimmed: Timestamp,
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Run,
    Nothing,
}

/// A run whose beginning or end is not on record.
struct Late {
    number: i64,
    begun: Begun,
    /// Its number in the catalogue, once it has begun there.
    recorded: Option<i64>,
    end: Option<(RunEnd, Timestamp)>,
}

impl Record {
    pub(super) fn new(catalogue: Catalogue) -> Self {
        let trimmed = Timestamp::from_unix_ms(0);
        let (known, late) = (Vec::new(), Vec::new());
        Self { catalogue, known, late, last_number: 0, again_at: None, fault: None, trimmed }
    }

    /// When it is tried again.
    pub(super) const fn again_at(&self) -> Option<Duration> {
        self.again_at
    }

    /// Since when it cannot be written, and why.
    pub(super) const fn fault(&self) -> Option<&(Timestamp, String)> {
        self.fault.as_ref()
    }

    /// Runs that are not on record as they are.
    pub(super) fn late_count(&self) -> usize {
        self.late.iter().filter(|late| late.recorded.is_none() || late.end.is_some()).count()
    }

    /// It could not be written.
    pub(super) fn failed(&mut self, error: &CatalogueError, (now, elapsed): (Timestamp, Duration)) {
        if self.fault.is_none() {
            tracing::error!(%error, "nothing can be put on record; jobs go on without");
        }
        let since = self.fault.take().map_or(now, |(since, _)| since);
        self.fault = Some((since, error.to_string()));
        // What fails meanwhile does not put it off.
        self.again_at.get_or_insert(elapsed.saturating_add(AGAIN));
    }

    /// The number of a run that is about to begin. If it cannot be put on record it begins all the
    /// same: a backup is worth more than a record of it.
    pub(super) fn begin(&mut self, begun: Begun, elapsed: Duration) -> i64 {
        let Begun { key, slot, started } = &begun;
        let error = match self.catalogue.begin(key, *slot, *started) {
            Ok(run) => return run,
            Err(error) => error,
        };
        self.failed(&error, (begun.started, elapsed));
        self.last_number -= 1;
        self.late.push(Late { number: self.last_number, begun, recorded: None, end: None });
        self.last_number
    }

    /// Notes how a run ended, as soon as the catalogue takes it.
    pub(super) fn end(&mut self, (number, begun): (i64, Begun), end: RunEnd, now: Timestamp) {
        match self.late.iter_mut().find(|late| late.number == number) {
            Some(late) => late.end = Some((end, now)),
            None => {
                let (recorded, end) = (Some(number), Some((end, now)));
                self.late.push(Late { number, begun, recorded, end });
            }
        }
    }

    /// Somebody asks for a run, or takes that back.
    pub(super) fn want(&mut self, key: &str, want: Want, (now, elapsed): (Timestamp, Duration)) {
        let at = match want {
            Want::Run => Some(now),
            Want::Nothing => None,
        };
        if let Err(error) = self.catalogue.want(key, at) {
            self.failed(&error, (now, elapsed));
        }
    }

    /// Somebody stops a run.
    pub(super) fn cancel(&mut self, number: i64, (now, elapsed): (Timestamp, Duration)) {
        let late = self.late.iter().find(|late| late.number == number);
        let run = late.and_then(|late| late.recorded).unwrap_or(number);
        if let Err(error) = self.catalogue.cancel(run) {
            self.failed(&error, (now, elapsed));
        }
    }

    /// Gives the catalogue what it has not taken yet.
    pub(super) fn save(&mut self, now: Timestamp, elapsed: Duration) {
        if self.again_at.is_some_and(|at| at > elapsed) {
            return;
        }
        self.again_at = None;
        match self.try_to_save() {
            Ok(()) if self.fault.take().is_some() => tracing::info!("runs are on record again"),
            Ok(()) => {}
            Err(error) => self.failed(&error, (now, elapsed)),
        }
    }

    fn try_to_save(&mut self) -> Result<(), CatalogueError> {
        for late in &mut self.late {
            let run = match late.recorded {
                Some(run) => run,
                None => {
                    let Begun { key, slot, started } = &late.begun;
                    self.catalogue.begin(key, *slot, *started)?
                }
            };
            late.recorded = Some(run);
            let Some((end, at)) = &late.end else { continue };
            match self.catalogue.end(run, end, *at) {
                // It has an end already: nothing is left to save.
                Ok(()) | Err(CatalogueError::NoRun(_)) => late.end = None,
                Err(error) => return Err(error),
            }
            late.number = 0;
        }
        // What has come to its end and is on record needs nobody to remember it.
        self.late.retain(|late| late.number != 0);
        if self.fault.is_some() {
            self.catalogue.touch()?;
        }
        Ok(())
    }

    /// Every job as the catalogue has it, with what it could not take yet.
    pub(super) fn rows(&mut self) -> Vec<JobStatus> {
        match self.catalogue.status() {
            Ok(rows) => self.known = rows,
            Err(error) => tracing::error!(%error, "the catalogue cannot be read"),
        }
        let mut rows = self.known.clone();
        for late in &self.late {
            if let Some(row) = rows.iter_mut().find(|row| row.key == late.begun.key) {
                late.over(row);
            }
        }
        rows
    }

    /// Runs of a job, or of all, that are not on record; the newest first.
    pub(super) fn late_runs(&self, key: Option<&str>) -> Vec<(String, RunRow)> {
        let is_late = |late: &&Late| late.recorded.is_none() || late.end.is_some();
        let late = self.late.iter().rev().filter(is_late);
        let late = late.filter(|late| key.is_none_or(|key| late.begun.key == key));
        late.map(|late| (late.begun.key.clone(), late.row(1))).collect()
    }

    /// Whether a run of this number is told under that one.
    pub(super) fn is(&self, number: i64, told: i64) -> bool {
        let late = self.late.iter().find(|late| late.number == number);
        told == number || late.is_some_and(|late| late.recorded == Some(told))
    }

    /// Once a day, old runs go; whether a day has passed.
    pub(super) fn trim(&mut self, now: Timestamp) -> bool {
        if now.ms_since(self.trimmed) < DAY_MS {
            return false;
        }
        self.trimmed = now;
        let before = Timestamp::from_unix_ms(now.unix_ms.saturating_sub(RUNS_DAYS_MAX * DAY_MS));
        match self.catalogue.trim(before) {
            Ok(0) => {}
            Ok(runs) => tracing::info!(runs, "old runs are removed from the catalogue"),
            Err(error) => tracing::error!(%error, "old runs cannot be removed"),
        }
        true
    }
}

impl Late {
    fn row(&self, attempt: i64) -> RunRow {
        let end = self.end.as_ref();
        let number = |count: Option<u64>| count.and_then(|count| i64::try_from(count).ok());
        let of = |value: fn(&RunEnd) -> Option<u64>| number(end.and_then(|(end, _)| value(end)));
        RunRow {
            id: self.recorded.unwrap_or(self.number),
            slot_ms: self.begun.slot.map(|slot| slot.unix_ms),
            attempt,
            started_ms: self.begun.started.unix_ms,
            ended_ms: end.map(|(_, at)| at.unix_ms),
            outcome: end.map(|(end, _)| end.outcome.word()),
            exit_code: end.map(|(end, _)| i64::from(end.exit_code)),
            problems_count: of(|end| Some(end.problems_count)).unwrap_or(0),
            files_count: of(|end| end.files_count),
            content_bytes: of(|end| end.content_bytes),
            stored_bytes: of(|end| end.stored_bytes),
            snapshot: end.and_then(|(end, _)| end.snapshot.clone()),
            message: end.and_then(|(end, _)| end.message.clone()),
            shrunk_from: end.and_then(|(end, _)| end.shrunk_from),
        }
    }

    /// What the catalogue would say.
    fn over(&self, row: &mut JobStatus) {
        let slot_ms = self.begun.slot.map(|slot| slot.unix_ms);
        let same = row.last.as_ref().filter(|last| slot_ms.is_some() && last.slot_ms == slot_ms);
        let is_again = same.is_some_and(|last| self.recorded != Some(last.id));
        let attempt = same.map_or(1, |last| last.attempt + i64::from(is_again));
        let run = self.row(attempt);
        row.last = Some(run.clone());
        let Some((end, _)) = &self.end else { return };
        if end.outcome.is_own() {
            row.last_ended = Some(run.clone());
        }
        if end.outcome.is_good() {
            row.last_good = Some(run);
        }
        if let Some(slot) = slot_ms.filter(|_| end.outcome != Outcome::Cut) {
            row.slot_ms = Some(slot);
            row.slot_max_ms = Some(row.slot_max_ms.map_or(slot, |max| max.max(slot)));
        }
    }
}
