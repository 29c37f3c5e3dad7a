//! What those who ask are told.

use std::collections::BTreeMap;

use crossbeam_channel::Sender;
use jiff::tz::TimeZone;

use crate::catalogue::CatalogueError;
use crate::catalogue::query::RunFilter;
use crate::daemon::control::Answer;
use crate::daemon::control::Question;
use crate::daemon::engine::Pausing;
use crate::daemon::serve::Daemon;
use crate::daemon::serve::record::Want;
use crate::daemon::status;
use crate::daemon::status::ChannelReport;
use crate::daemon::status::JobReport;
use crate::daemon::status::ProofReport;
use crate::daemon::status::Report;
use crate::daemon::status::RunReport;
use crate::daemon::status::StorageReport;
use crate::daemon::supervise::Why;

/// Most runs that are told at once.
const RUNS_MAX: u32 = 10_000;

impl Daemon<'_> {
    pub(super) fn answer(&mut self, question: Question, reply: Sender<Answer>) {
        let answer = match question {
            Question::Status => {
                self.report().map(|report| Answer::Status { report: Box::new(report) })
            }
            Question::Runs { job, count } => self.runs(job.as_deref(), count.min(RUNS_MAX)),
            Question::Pause => Ok(self.pause(Pausing::Paused)),
            Question::Resume => Ok(self.pause(Pausing::Goes)),
            Question::Cancel { job } => Ok(self.cancel(&job)),
            Question::Drilled => {
                self.ask_ledgers();
                Ok(Answer::Done)
            }
            Question::Queue { job } => Ok(match self.want(&job) {
                Ok(_) => Answer::Done,
                Err(answer) => answer,
            }),
            Question::Run { job } => match self.want(&job) {
                Ok(key) => {
                    self.asked.push((key, reply));
                    return;
                }
                Err(answer) => Ok(answer),
            },
        };
        let answer = answer
            .unwrap_or_else(|error: CatalogueError| Answer::Failed { message: error.to_string() });
        // Whoever went away is not told.
        let _gone = reply.send(answer);
    }

    /// The key of a job by its key, or of a backup by its name.
    fn find(&self, name: &str) -> Result<String, Answer> {
        let backup = format!("backup:{name}");
        let known = [name, &backup].into_iter().find(|key| self.jobs.contains_key(*key));
        let none = || Answer::NoJob { jobs: self.jobs.keys().cloned().collect() };
        known.map(str::to_owned).ok_or_else(none)
    }

    fn want(&mut self, name: &str) -> Result<String, Answer> {
        let key = self.find(name)?;
        if self.is_leaving {
            return Err(Answer::Failed { message: "the daemon is stopping".to_owned() });
        }
        // One that is at work does: it began before, and whoever asks wants one from now on.
        let now = self.world.clock.now();
        self.record.want(&key, Want::Run, (now, self.world.clock.elapsed()));
        self.queue.want(&key, now);
        tracing::info!(job = key, "somebody asks for it");
        Ok(key)
    }

    fn pause(&mut self, pausing: Pausing) -> Answer {
        self.pausing = pausing;
        match pausing {
            Pausing::Paused => tracing::warn!("paused: nothing starts by itself"),
            Pausing::Goes => tracing::info!("goes on"),
        }
        Answer::Done
    }

    fn cancel(&mut self, name: &str) -> Answer {
        let key = match self.find(name) {
            Ok(key) => key,
            Err(answer) => return answer,
        };
        let (now, elapsed) = (self.world.clock.now(), self.world.clock.elapsed());
        let has_waited = self.queue.remove(&key);
        if has_waited {
            self.record.want(&key, Want::Nothing, (now, elapsed));
        }
        let at_work = self.at_work.iter_mut().find(|(_, work)| work.begun.key == key);
        let stopped = at_work.map(|(run, work)| {
            // On record before it is asked to stop, so that nothing starts it again.
            self.record.cancel(*run, (now, elapsed));
            work.stop(Why::Cancelled, elapsed);
        });
        let is_stopped = stopped.is_some();
        self.world.reached("cancelled");
        if !has_waited && !is_stopped {
            return Answer::Idle;
        }
        if !is_stopped {
            let message = "it was cancelled before it began".to_owned();
            self.tell(&key, &Answer::Failed { message });
        }
        tracing::warn!(job = key, "cancelled");
        Answer::Done
    }

    /// A run has ended: tells whoever asked for it.
    pub(super) fn answer_end(&mut self, key: &str, run: i64) {
        if self.queue.has(key) || !self.asked.iter().any(|(asked, _)| asked == key) {
            return;
        }
        let found = match self.runs(Some(key), 5) {
            Ok(Answer::Runs { runs }) => {
                runs.into_iter().find(|found| self.record.is(run, found.id))
            }
            _ => None,
        };
        let answer = match found {
            Some(run) => Answer::Ran { run: Box::new(run) },
            None => Answer::Failed { message: "the run is not on record".to_owned() },
        };
        self.tell(key, &answer);
    }

    /// Whoever waits for a job that is gone from the configuration, and not at work, is told.
    pub(super) fn disappoint(&mut self) {
        let is_to_come = |key: &String| {
            self.jobs.contains_key(key) || self.at_work.values().any(|work| work.begun.key == *key)
        };
        let keys = self.asked.iter().map(|(key, _)| key.clone());
        let gone: Vec<String> = keys.filter(|key| !is_to_come(key)).collect();
        let jobs: Vec<String> = self.jobs.keys().cloned().collect();
        for key in gone {
            self.tell(&key, &Answer::NoJob { jobs: jobs.clone() });
        }
    }

    fn tell(&mut self, key: &str, answer: &Answer) {
        self.asked.retain(|(asked, reply)| {
            if asked == key {
                let _gone = reply.send(answer.clone());
            }
            asked != key
        });
    }

    fn report(&mut self) -> Result<Report, CatalogueError> {
        let rows = self.record.rows();
        let now = self.world.clock.now();
        let rows: BTreeMap<&str, _> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
        let job = |(key, entry): (&String, _)| {
            let row = rows.get(key.as_str()).copied();
            JobReport::new(entry, row, self.activity(key), now)
        };
        let daemon = match self.pausing {
            _ if self.is_leaving => status::Daemon::Stopping,
            Pausing::Paused => status::Daemon::Paused,
            Pausing::Goes if self.is_on_battery() => status::Daemon::OnBattery,
            Pausing::Goes => status::Daemon::Running,
        };
        let zone = self.jobs.values().next().map(|entry| entry.scheduled.plan.zone.clone());
        let zone = zone.unwrap_or(TimeZone::UTC);
        let silent_channels = ChannelReport::of(self.record.catalogue.channels()?, &zone);
        let proofs = self.record.catalogue.proofs()?.into_iter();
        let proofs = proofs.map(|row| ProofReport::of(row, &zone, now)).collect();
        let storages = self.record.catalogue.storages()?;
        let storages = storages.into_iter().filter(|row| self.storages.contains(&row.name));
        let storages = storages.map(|row| StorageReport::of(row, &zone)).collect();
        let jobs = self.jobs.iter().map(job).collect();
        Ok(Report {
            daemon,
            jobs,
            silent_channels,
            proofs,
            storages,
            limits_missing: self.restraint.missing.clone(),
            record_fault: self.record.fault().map(|(_, why)| why.clone()),
        })
    }

    fn runs(&self, job: Option<&str>, count: u32) -> Result<Answer, CatalogueError> {
        let key = job.map(|name| self.find(name).unwrap_or_else(|_| name.to_owned()));
        let filter = RunFilter { job: key.as_deref(), before: None };
        let mut rows = self.record.late_runs(key.as_deref());
        let late: Vec<i64> = rows.iter().map(|(_, row)| row.id).collect();
        let kept = self.record.catalogue.runs(filter, count)?;
        rows.extend(kept.into_iter().filter(|(_, row)| !late.contains(&row.id)));
        rows.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let run = |(key, row): (String, _)| {
            let zone = self.jobs.get(&key).map(|entry| &entry.scheduled.plan.zone);
            RunReport::new(&key, &row, zone.unwrap_or(&TimeZone::UTC))
        };
        Ok(Answer::Runs { runs: rows.into_iter().map(run).collect() })
    }
}
