//! How the daemon stands back behind what the machine is for.

use std::path::Path;
use std::path::PathBuf;

use crate::config::Config;
use crate::config::job::limits::OnBattery;
use crate::daemon::job::Scheduled;
use crate::daemon::restraint::group;
use crate::daemon::restraint::group::Groups;

/// What the configuration asks for, and what holds it.
#[derive(Debug, Default)]
pub(super) struct Restraint {
    pub(super) on_battery: OnBattery,
    groups: Option<Groups>,
    /// Why limits of memory and processor cannot be held, though some are wanted.
    pub(super) missing: Option<String>,
}

impl Restraint {
    /// Takes a configuration. Groups are made when a job asks for one for the first time.
    pub(super) fn take<'j>(&mut self, config: &Config, jobs: impl Iterator<Item = &'j Scheduled>) {
        self.on_battery = config.limits.on_battery;
        self.missing = None;
        let is_wanted = { jobs }.any(|job| job.limits.need_group());
        if !is_wanted || self.groups.is_some() {
            return;
        }
        match Groups::take(Path::new(group::MOUNT), Path::new(group::OWN)) {
            Ok(groups) => self.groups = Some(groups),
            Err(error) => {
                tracing::warn!(%error, "limits of memory and processor are not held");
                self.missing = Some(error.to_string());
            }
        }
    }

    /// The group of a run; none if it needs none, or there are none.
    pub(super) fn group(&self, run: i64, scheduled: &Scheduled) -> Option<PathBuf> {
        let groups = self.groups.as_ref().filter(|_| scheduled.limits.need_group())?;
        let opened = groups.open(run, &scheduled.limits);
        opened.inspect_err(|error| tracing::warn!(run, %error, "it runs without its limits")).ok()
    }

    /// Removes what runs have left that are over.
    pub(super) fn clear(&self) {
        if let Some(groups) = &self.groups {
            groups.clear();
        }
    }
}
