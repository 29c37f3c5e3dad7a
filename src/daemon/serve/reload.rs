//! The configuration and the catalogue, taken anew.

use sd_notify::NotifyState;

use crate::catalogue::CatalogueError;
use crate::config::Config;
use crate::daemon::engine::Entry;
use crate::daemon::job;
use crate::daemon::serve::Daemon;
use crate::daemon::serve::notify;
use crate::daemon::status::Activity;
use crate::daemon::status::next;
use crate::schedule::plan::History;
use crate::units::Timestamp;

impl Daemon<'_> {
    /// Takes a configuration: what is at work goes on, what waits and is gone from it does not.
    pub(super) fn take(&mut self, config: &Config) -> Result<(), CatalogueError> {
        let now = self.world.clock.now();
        let all = job::all(config, &self.world.machine);
        let specs: Vec<_> = all.iter().map(job::Scheduled::spec).collect();
        let (datasets, drilled) = (job::datasets(config, now), job::drilled(config));
        self.record.catalogue.take(&specs, (&datasets, &drilled), now)?;
        self.drilled = drilled;
        self.restraint.take(config, all.iter());
        self.jobs = all
            .into_iter()
            .map(|scheduled| {
                let entry = Entry { history: History::new(now), last: None, scheduled };
                (entry.scheduled.job.key(), entry)
            })
            .collect();
        self.storages = config.storages.keys().cloned().collect();
        self.told.clear();
        self.teller.reload(self.world, config);
        self.refresh();
        self.disappoint();
        Ok(())
    }

    /// SIGHUP: a configuration with mistakes changes nothing.
    pub(super) fn reload(&mut self) {
        let monotonic = NotifyState::monotonic_usec_now();
        match monotonic {
            Ok(usec) => notify(&[NotifyState::Reloading, usec]),
            Err(_) => notify(&[NotifyState::Reloading]),
        }
        match (self.world.load)() {
            Err(mistakes) => {
                tracing::error!(mistakes, "the configuration has mistakes; the old one stays");
            }
            Ok(config) if config.state_dir != self.state_dir => {
                tracing::error!("another state_dir takes a restart; the old configuration stays");
            }
            Ok(config) => match self.take(&config) {
                Ok(()) => tracing::info!(jobs = self.jobs.len(), "the configuration is read anew"),
                Err(error) => tracing::error!(%error, "the old configuration stays"),
            },
        }
        notify(&[NotifyState::Ready]);
    }

    /// What the catalogue knows of each job.
    pub(super) fn refresh(&mut self) {
        for row in self.record.rows() {
            let Some(entry) = self.jobs.get_mut(&row.key) else { continue };
            entry.history = row.history();
            entry.last = row.last;
        }
    }

    /// When each job is due next, for those who look into the catalogue.
    pub(super) fn tell_next(&mut self, now: Timestamp) {
        let mut changed = Vec::new();
        let mut soonest: Option<(Timestamp, &str)> = None;
        for (key, entry) in &self.jobs {
            let activity = self.activity(key);
            let next = next(entry, activity, now);
            if let Some(at) = next.filter(|at| soonest.is_none_or(|(soonest, _)| *at < soonest)) {
                soonest = Some((at, key));
            }
            // One that is due now is told by its run.
            if next.is_none_or(|next| next > now) && self.told.get(key) != Some(&next) {
                changed.push((key.clone(), next));
            }
        }
        let of_next = soonest.map(|(at, key)| format!(", {key} at {}", at.to_rfc3339()));
        let (all, at_work) = (self.jobs.len(), self.at_work.len());
        let status = format!("{all} jobs, {at_work} at work{}", of_next.unwrap_or_default());
        if changed.is_empty() {
            return;
        }
        notify(&[NotifyState::Status(&status)]);
        match self.record.catalogue.set_next_of(&changed) {
            Ok(()) => self.told.extend(changed),
            Err(error) => self.record.failed(&error, (now, self.world.clock.elapsed())),
        }
    }

    pub(super) fn activity(&self, key: &str) -> Activity {
        if self.at_work.values().any(|work| work.begun.key == *key) {
            Activity::AtWork
        } else if self.queue.has(key) {
            Activity::Waiting
        } else {
            Activity::Idle
        }
    }
}
