//! The jobs of a configuration: what each is, how it is started, which overlap.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::catalogue::proof::DatasetSpec;
use crate::catalogue::record::JobSpec;
use crate::config::Config;
use crate::config::drill::Drill;
use crate::config::job::Backup;
use crate::config::job::Schedule;
use crate::config::job::limits::JobLimits;
use crate::schedule::local;
use crate::schedule::plan::Plan;
use crate::units::Timestamp;

/// The job that tests alarms.
pub const ALARM_TEST: &str = "alarm:test";

/// Something that the daemon does. Each can be done twice: a backup finds what was sent, a copy
/// what was copied, the others find nothing left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    Backup {
        name: String,
        storage: String,
    },
    Copy {
        from: String,
        to: Vec<String>,
    },
    Forget {
        storage: String,
        backups: Vec<String>,
    },
    Prune {
        storage: String,
        grace_s: Option<u64>,
        max_delete_percent: Option<u8>,
    },
    Check {
        storage: String,
        read_data_percent: Option<u8>,
    },
    Drill {
        name: String,
        storage: String,
    },
    Report {
        name: String,
        storage: String,
    },
    /// Fails on purpose, and sees whether somebody was told.
    AlarmTest {
        storage: String,
    },
}

/// A job with its times.
#[derive(Debug, Clone)]
pub struct Scheduled {
    pub job: Job,
    pub plan: Plan,
    pub age_max: Option<Duration>,
    /// How much less than usual a run of a dataset may find.
    pub shrink_max_percent: Option<u8>,
    pub limits: JobLimits,
}

impl Job {
    /// Stands for it in the catalogue and on the command line.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Backup { name, .. } => format!("backup:{name}"),
            Self::Copy { from, to } => format!("copy:{from}:{}", to.join(",")),
            Self::Forget { storage, .. } => format!("forget:{storage}"),
            Self::Prune { storage, .. } => format!("prune:{storage}"),
            Self::Check { storage, .. } => format!("check:{storage}"),
            Self::Drill { name, .. } => format!("drill:{name}"),
            Self::Report { name, .. } => format!("report:{name}"),
            Self::AlarmTest { .. } => ALARM_TEST.to_owned(),
        }
    }

    #[must_use]
    pub fn dataset(&self) -> Option<&str> {
        match self {
            Self::Backup { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The storage that it is about.
    #[must_use]
    pub fn storage(&self) -> &str {
        match self {
            Self::Copy { from, .. } => from,
            Self::Backup { storage, .. }
            | Self::Forget { storage, .. }
            | Self::Prune { storage, .. }
            | Self::Check { storage, .. }
            | Self::Drill { storage, .. }
            | Self::Report { storage, .. }
            | Self::AlarmTest { storage } => storage,
        }
    }

    /// Of jobs that wait, the smallest goes first: what is not backed up is worse than what is not
    /// tidy.
    #[must_use]
    pub const fn priority(&self) -> u8 {
        match self {
            Self::Backup { .. } => 0,
            Self::Copy { .. } => 1,
            Self::AlarmTest { .. } => 2,
            Self::Report { .. } => 3,
            Self::Forget { .. } => 4,
            Self::Drill { .. } => 5,
            Self::Check { .. } => 6,
            Self::Prune { .. } => 7,
        }
    }

    /// The commands that it is, one after the other, without global options.
    #[must_use]
    pub fn steps(&self) -> Vec<Vec<String>> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        match self {
            Self::Backup { name, storage } => {
                vec![words(&["backup", "-r", storage, "--job", name])]
            }
            Self::Copy { from, to } => {
                to.iter().map(|to| words(&["copy", "-r", from, "--to", to])).collect()
            }
            Self::Forget { storage, backups } => {
                let step = |name: &String| words(&["forget", "-r", storage, "--job", name]);
                backups.iter().map(step).collect()
            }
            Self::Prune { storage, grace_s, max_delete_percent } => {
                let mut step: Vec<String> = words(&["prune", "-r", storage]);
                step.extend(grace_s.iter().flat_map(|s| ["--grace".to_owned(), format!("{s}s")]));
                let most = max_delete_percent.iter();
                step.extend(most.flat_map(|n| ["--max-delete".to_owned(), format!("{n}%")]));
                vec![step]
            }
            Self::Check { storage, read_data_percent } => {
                let mut step: Vec<String> = words(&["check", "-r", storage]);
                let part = read_data_percent.iter().filter(|&&percent| percent > 0);
                step.extend(part.flat_map(|n| ["--read-data-subset".to_owned(), format!("{n}%")]));
                vec![step]
            }
            Self::Drill { name, storage } => {
                vec![words(&["drill", "run", "-r", storage, name])]
            }
            Self::Report { name, storage } => {
                vec![words(&["continuity", "report", "-r", storage, "--job", name])]
            }
            Self::AlarmTest { storage } => vec![words(&["notify", "provoke", "-r", storage])],
        }
    }

    /// The storages that its commands write into, one after the other.
    #[must_use]
    pub fn written(&self) -> Vec<&str> {
        match self {
            Self::Copy { to, .. } => to.iter().map(String::as_str).collect(),
            other => vec![other.storage()],
        }
    }

    /// Whether both may be at work at once. `doc/concurrency.md` allows more; here what only adds
    /// goes beside what only adds, and everything else is alone in its storage.
    #[must_use]
    pub fn may_overlap(&self, other: &Self) -> bool {
        if self.key() == other.key() {
            return false;
        }
        // A drill, a report and a test of alarms read, and add to the ledger.
        let adds = |job: &Self| match job {
            Self::Backup { .. } | Self::Copy { .. } | Self::Drill { .. } => true,
            Self::Report { .. } | Self::AlarmTest { .. } => true,
            Self::Forget { .. } | Self::Prune { .. } | Self::Check { .. } => false,
        };
        (adds(self) && adds(other)) || self.storages().is_disjoint(&other.storages())
    }

    fn storages(&self) -> BTreeSet<&str> {
        let mut storages = BTreeSet::from([self.storage()]);
        if let Self::Copy { to, .. } = self {
            storages.extend(to.iter().map(String::as_str));
        }
        storages
    }
}

impl Scheduled {
    fn new(job: Job, schedule: &Schedule, machine: &[u8]) -> Self {
        let plan = schedule.plan(&job.key(), machine);
        Self { job, plan, age_max: None, shrink_max_percent: None, limits: schedule.limits }
    }

    /// As the catalogue has it.
    #[must_use]
    pub fn spec(&self) -> JobSpec {
        JobSpec {
            key: self.job.key(),
            dataset: self.job.dataset().map(str::to_owned),
            storage: Some(self.job.storage().to_owned()),
            age_max_ms: self.age_max.map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX)),
        }
    }
}

/// Slots that the greatest gap of a schedule is looked for among.
const SLOTS: usize = 4;

/// Every dataset, with the age that its proof may reach: one and a half times the greatest gap
/// between drills of it, of the drill that comes most often.
#[must_use]
pub fn datasets(config: &Config, now: Timestamp) -> Vec<DatasetSpec> {
    let spec = |backup: &Backup| {
        let is_about =
            |drill: &&Drill| drill.backups(config).iter().any(|own| own.name == backup.name);
        let gaps = config.drills.iter().filter(is_about).filter_map(|it| gap_ms(it, now));
        let age_max_ms = gaps.min().map(|gap| gap.saturating_add(gap / 2));
        DatasetSpec { name: backup.name.clone(), age_max_ms }
    };
    config.backups.iter().map(spec).collect()
}

fn gap_ms(drill: &Drill, now: Timestamp) -> Option<i64> {
    let Plan { cron, zone, .. } = drill.schedule.plan(&drill.name, &[]);
    let now = jiff::Timestamp::from_millisecond(now.unix_ms).ok()?;
    let after = |at: &jiff::Timestamp| local::after(&cron, &zone, *at);
    let slots = std::iter::successors(after(&now), after).take(SLOTS);
    let slots: Vec<i64> = slots.map(jiff::Timestamp::as_millisecond).collect();
    slots.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?)).max()
}

/// Storages whose ledgers tell of drills.
#[must_use]
pub fn drilled(config: &Config) -> Vec<String> {
    let storages: BTreeSet<&String> = config.drills.iter().map(|drill| &drill.storage).collect();
    storages.into_iter().cloned().collect()
}

/// Every job, in the order of the file.
#[must_use]
pub fn all(config: &Config, machine: &[u8]) -> Vec<Scheduled> {
    let mut jobs = Vec::new();
    for backup in &config.backups {
        let (name, storage) = (backup.name.clone(), backup.storage.clone());
        let job = Scheduled::new(Job::Backup { name, storage }, &backup.schedule, machine);
        let shrink_max_percent = Some(backup.expect.shrink_max_percent);
        jobs.push(Scheduled { age_max: backup.expect.age_max, shrink_max_percent, ..job });
    }
    for copy in &config.copies {
        let job = Job::Copy { from: copy.from.clone(), to: copy.to.clone() };
        jobs.push(Scheduled::new(job, &copy.schedule, machine));
    }
    for storage in &config.maintenance.storages {
        jobs.extend(maintenance(config, storage, machine));
    }
    for drill in &config.drills {
        let job = Job::Drill { name: drill.name.clone(), storage: drill.storage.clone() };
        jobs.push(Scheduled::new(job, &drill.schedule, machine));
    }
    for report in &config.reports {
        let job = Job::Report { name: report.name.clone(), storage: report.storage.clone() };
        jobs.push(Scheduled::new(job, &report.schedule, machine));
    }
    if let Some(test) = &config.alarm_test {
        let job = Job::AlarmTest { storage: test.storage.clone() };
        jobs.push(Scheduled::new(job, &test.schedule, machine));
    }
    jobs
}

fn maintenance(config: &Config, storage: &str, machine: &[u8]) -> Vec<Scheduled> {
    let mut jobs = Vec::new();
    let backups = kept_in(config, storage);
    // A storage that no rule is for has nothing to forget.
    if let Some(schedule) = config.maintenance.forget.as_ref().filter(|_| !backups.is_empty()) {
        let job = Job::Forget { storage: storage.to_owned(), backups };
        jobs.push(Scheduled::new(job, schedule, machine));
    }
    if let Some(prune) = &config.maintenance.prune {
        let job = Job::Prune {
            storage: storage.to_owned(),
            grace_s: prune.grace.map(|grace| grace.as_secs()),
            max_delete_percent: prune.max_delete_percent,
        };
        jobs.push(Scheduled::new(job, &prune.schedule, machine));
    }
    if let Some(check) = &config.maintenance.check {
        let read_data_percent = check.read_data_percent;
        let job = Job::Check { storage: storage.to_owned(), read_data_percent };
        jobs.push(Scheduled::new(job, &check.schedule, machine));
    }
    jobs
}

/// Backups with rules whose snapshots come to a storage, by themselves or by copies.
fn kept_in(config: &Config, storage: &str) -> Vec<String> {
    let mut from = BTreeSet::from([storage]);
    // As many rounds as there are copies: the longest chain has no more.
    for _ in 0..=config.copies.len() {
        for copy in &config.copies {
            if copy.to.iter().any(|to| from.contains(to.as_str())) {
                from.insert(&copy.from);
            }
        }
    }
    let backups = config.backups.iter().filter(|backup| backup.retention.is_some());
    let kept = backups.filter(|backup| from.contains(backup.storage.as_str()));
    kept.map(|backup| backup.name.clone()).collect()
}
