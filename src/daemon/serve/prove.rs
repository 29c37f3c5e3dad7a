//! How datasets are proven, as the ledgers of their storages say; and what follows a drill that
//! failed by its schedule: a backup at once, and the drill again when that is there.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;

use serde::Deserialize;

use crate::catalogue::proof::ProofRow;
use crate::catalogue::record::Outcome;
use crate::daemon::job::Job;
use crate::daemon::serve::Daemon;
use crate::daemon::serve::Event;
use crate::daemon::supervise;
use crate::daemon::supervise::Work;
use crate::notify::Occasion;
use crate::units::Timestamp;

/// Most bytes that are read of what a ledger says.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Exit code of a drill that showed that data would not come back.
const NOT_PROVEN: u8 = 21;
const SECOND_MS: i64 = 1000;

/// A dataset, as `drill proofs` tells it. Times are RFC 3339.
#[derive(Debug, Deserialize)]
pub struct Proof {
    dataset: String,
    drill: String,
    held_at: String,
    verdict: String,
    failures: Vec<String>,
    proven_at: Option<String>,
    snapshot: Option<String>,
    level: Option<String>,
    due_at: Option<String>,
}

/// What the ledger of a storage says: nothing, if it could not be asked.
pub(super) type Said = Option<Vec<Proof>>;

/// A scheduled drill that failed, and is to be followed up when its ledger has been asked.
#[derive(Debug)]
pub(super) struct Failed {
    drill: String,
    storage: String,
    began: Timestamp,
}

fn ms(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

impl Proof {
    fn row(&self) -> Option<ProofRow> {
        Some(ProofRow {
            dataset: self.dataset.clone(),
            drill: self.drill.clone(),
            held_ms: ms(&self.held_at)?,
            verdict: self.verdict.clone(),
            failures: self.failures.join(", "),
            proven_ms: self.proven_at.as_deref().and_then(ms),
            snapshot: self.snapshot.clone(),
            level: self.level.clone(),
            due_ms: self.due_at.as_deref().and_then(ms),
        })
    }
}

impl Daemon<'_> {
    /// Asks the ledger of each storage that drills are about, in a process of its own.
    pub(super) fn ask_ledgers(&self) {
        let host = String::from_utf8_lossy(&self.world.machine);
        for storage in &self.drilled {
            let step = ["drill", "proofs", "-r", storage, "--host", &host].map(str::to_owned);
            let (events, name) = (self.events.clone(), storage.clone());
            let take = move |pipe| {
                let event = Event::Proven { storage: name, said: read(pipe) };
                let _nobody_listens = events.send(event);
            };
            if let Err(error) = supervise::ask(&step, &self.world.program, take) {
                tracing::warn!(storage, %error, "the ledger cannot be asked what is proven");
            }
        }
    }

    /// Puts on record what a ledger says.
    pub(super) fn proven(&mut self, storage: &str, said: Said) {
        let Some(said) = said else {
            tracing::warn!(storage, "the ledger did not say what is proven");
            return;
        };
        let rows: Vec<ProofRow> = said.iter().filter_map(Proof::row).collect();
        if let Err(error) = self.record.catalogue.keep_proofs(storage, &rows) {
            tracing::error!(storage, %error, "what is proven cannot be put on record");
        }
        tracing::info!(storage, datasets = rows.len(), "the ledger was asked what is proven");
        self.follow_up(storage, &rows);
        self.teller.happened(Occasion::Tick);
    }

    /// A drill has ended: its ledger knows more, and may ask for a backup.
    pub(super) fn drill_ended(&mut self, work: &Work, exit_code: u8) {
        let Job::Drill { storage, .. } = &work.job else { return };
        // One that somebody asked for, or that follows a failure itself, is followed by nothing.
        if exit_code == NOT_PROVEN && work.is_scheduled {
            let (drill, storage) = (work.begun.key.clone(), storage.clone());
            self.failed.push(Failed { drill, storage, began: work.begun.started });
        }
        self.ask_ledgers();
    }

    fn follow_up(&mut self, storage: &str, rows: &[ProofRow]) {
        let now = self.world.clock.now();
        for failed in std::mem::take(&mut self.failed) {
            if failed.storage != storage {
                self.failed.push(failed);
                continue;
            }
            // Records have whole seconds.
            let began_ms = failed.began.unix_ms - failed.began.unix_ms.rem_euclid(SECOND_MS);
            let is_new = |row: &&ProofRow| row.verdict == "fail" && row.held_ms >= began_ms;
            for row in rows.iter().filter(is_new) {
                let backup = format!("backup:{}", row.dataset);
                if self.jobs.contains_key(&backup) {
                    tracing::warn!(job = backup, drill = row.drill, "a fresh backup after a drill");
                    self.queue.want(&backup, now);
                    self.again.insert(backup, failed.drill.clone());
                }
            }
        }
    }

    /// A backup that a failed drill asked for has ended: the drill is held again, once all are
    /// there.
    pub(super) fn backed_up(&mut self, key: &str, outcome: Outcome) {
        let Some(drill) = self.again.remove(key) else { return };
        let is_good = matches!(outcome, Outcome::Done | Outcome::Problems);
        if is_good && !self.again.values().any(|other| *other == drill) {
            tracing::warn!(job = drill, "again, with the fresh backup");
            self.queue.want(&drill, self.world.clock.now());
        }
    }
}

/// Every line, if the process came to its end.
fn read(pipe: impl Read) -> Said {
    #[derive(Deserialize)]
    struct Line {
        message_type: String,
        item: Option<String>,
        exit_code: Option<u8>,
    }
    let lines = BufReader::new(pipe.take(BYTES_MAX)).split(b'\n').map_while(Result::ok);
    let (mut said, mut is_whole) = (Vec::new(), false);
    for line in lines {
        let Ok(head) = serde_json::from_slice::<Line>(&line) else { continue };
        if head.message_type == "summary" {
            is_whole = head.exit_code == Some(0);
        } else if head.item.as_deref() == Some("proof") {
            said.extend(serde_json::from_slice::<Proof>(&line).ok());
        }
    }
    is_whole.then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "{\"message_type\":\"result\",\"item\":\"proof\",\"dataset\":\"a\",\
        \"drill\":\"D2-2026-12-05\",\"held_at\":\"2026-12-05T08:00:00+07:00\",\
        \"verdict\":\"fail\",\"failures\":[\"F1\",\"F2\"],\
        \"due_at\":\"2026-12-12T00:00:00+07:00\"}\n";

    #[test]
    fn what_a_ledger_says_counts_only_when_it_came_to_its_end() {
        let end = |code: u8| format!("{{\"message_type\":\"summary\",\"exit_code\":{code}}}\n");
        let said = read(format!("noise\n{LINE}{}", end(0)).as_bytes()).unwrap();
        let row = said[0].row().unwrap();
        assert_eq!((row.failures.as_str(), row.proven_ms), ("F1, F2", None));
        assert_eq!(row.due_ms.map(|due| due - row.held_ms), Some(6 * 86_400_000 + 16 * 3_600_000));
        assert!(read(LINE.as_bytes()).is_none());
        assert!(read(format!("{LINE}{}", end(15)).as_bytes()).is_none());
    }
}
