//! What to start now and when to look again: no process, no clock of its own.

use std::collections::BTreeMap;

use crate::catalogue::query::RunRow;
use crate::daemon::job::Job;
use crate::daemon::job::Scheduled;
use crate::schedule::plan;
use crate::schedule::plan::Due;
use crate::schedule::plan::History;
use crate::units::Timestamp;

#[cfg(test)]
mod tests;

/// Most jobs at work at once.
pub const AT_WORK_MAX: usize = 2;
/// Most tries for one slot.
const ATTEMPTS_MAX: i64 = 6;
const RETRY_FIRST_MS: i64 = 60_000;
const RETRY_MAX_MS: i64 = 30 * 60_000;
/// Whoever has waited for so long goes before those who came later, whatever they are.
const PATIENCE_MS: i64 = 60 * 60_000;
/// Exit codes after which it is worth trying again: busy, and a storage that does not answer.
const WORTH_RETRYING: [i64; 2] = [11, 15];

/// A job, and what is known of its past.
#[derive(Debug, Clone)]
pub struct Entry {
    pub scheduled: Scheduled,
    pub history: History,
    pub last: Option<RunRow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pausing {
    Goes,
    Paused,
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub key: String,
    /// None: somebody asked for it.
    pub slot: Option<Timestamp>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    pub start: Vec<Start>,
    /// When to decide again, if nothing happens and the clock does not jump.
    pub wake: Option<Timestamp>,
}

/// Jobs that are due and could not start yet; each at most once.
#[derive(Debug, Clone, Default)]
pub struct Queue(BTreeMap<String, Waiting>);

#[derive(Debug, Clone, Copy)]
struct Waiting {
    slot: Option<Timestamp>,
    is_wanted: bool,
    since: Timestamp,
}

/// What there is to decide on.
#[derive(Debug, Clone, Copy)]
pub struct View<'v> {
    pub jobs: &'v BTreeMap<String, Entry>,
    /// Jobs at work; one may be gone from the configuration.
    pub at_work: &'v [Job],
    pub pausing: Pausing,
}

impl Queue {
    /// Somebody asks for a run.
    pub fn want(&mut self, key: &str, now: Timestamp) {
        let fresh = Waiting { slot: None, is_wanted: true, since: now };
        self.0.entry(key.to_owned()).or_insert(fresh).is_wanted = true;
    }

    /// Takes a job that has not started out again.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// What to start at `now`; what is started leaves the queue.
    pub fn decide(&mut self, view: View<'_>, now: Timestamp) -> Decision {
        self.0.retain(|key, _| view.jobs.contains_key(key));
        let mut decision = Decision::default();
        for (key, entry) in view.jobs {
            if view.at_work.iter().any(|job| job.key() == *key) {
                continue;
            }
            match due(entry, now) {
                Due::Now { slot, .. } if view.pausing == Pausing::Goes => self.add(key, slot, now),
                Due::At { start, .. } => {
                    self.close(key, entry, now);
                    let wake = decision.wake.map_or(start, |wake| wake.min(start));
                    decision.wake = Some(wake);
                }
                Due::Now { .. } | Due::Never => self.close(key, entry, now),
            }
        }
        for key in self.in_order(view, now) {
            if let Some(waiting) = self.0.remove(&key) {
                decision.start.push(Start { key, slot: waiting.slot });
            }
        }
        decision
    }

    fn add(&mut self, key: &str, slot: Timestamp, now: Timestamp) {
        let fresh = Waiting { slot: Some(slot), is_wanted: false, since: now };
        // One run stands for all slots that were missed.
        self.0.entry(key.to_owned()).or_insert(fresh).slot = Some(slot);
    }

    /// A job that waited until its window closed does not start any more; its slot is missed.
    fn close(&mut self, key: &str, entry: &Entry, now: Timestamp) {
        let is_wanted = self.0.get(key).is_some_and(|waiting| waiting.is_wanted);
        if !is_wanted && opens(entry, now) > now {
            self.0.remove(key);
        }
    }

    /// Those that can start, in order. One that has to wait keeps later ones from its storage, so
    /// that it comes to its turn.
    fn in_order(&self, view: View<'_>, now: Timestamp) -> Vec<String> {
        let rank = |(key, waiting): (&'_ String, &'_ Waiting)| {
            let job = &view.jobs.get(key)?.scheduled.job;
            let is_old = now.ms_since(waiting.since) >= PATIENCE_MS;
            let rank = (!waiting.is_wanted, !is_old, job.priority(), waiting.since, key.clone());
            Some((rank, job))
        };
        let goes =
            |(_, waiting): &(&String, &Waiting)| view.pausing == Pausing::Goes || waiting.is_wanted;
        let mut queue: Vec<_> = self.0.iter().filter(goes).filter_map(rank).collect();
        queue.sort_by(|one, other| one.0.cmp(&other.0));
        let mut ahead: Vec<&Job> = view.at_work.iter().collect();
        let mut free = AT_WORK_MAX.saturating_sub(ahead.len());
        let mut starting = Vec::new();
        for ((.., key), job) in queue {
            let is_free = free > 0 && ahead.iter().all(|other| job.may_overlap(other));
            ahead.push(job);
            if is_free {
                free -= 1;
                starting.push(key);
            }
        }
        starting
    }
}

/// When a job is due, with tries after a failure that may pass.
#[must_use]
pub fn due(entry: &Entry, now: Timestamp) -> Due {
    let planned = plan::next(&entry.scheduled.plan, &entry.history, now);
    let Some((start, slot)) = retry(entry, now) else { return planned };
    match planned {
        Due::Now { .. } => planned,
        Due::At { start: earlier, .. } if earlier <= start => planned,
        _ if start <= now => Due::Now { slot, timing: plan::Timing::CatchUp, stop_by: None },
        _ => Due::At { start, slot },
    }
}

/// When a slot is tried again. It follows from the catalogue, so a restart forgets nothing.
fn retry(entry: &Entry, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let last = entry.last.as_ref().filter(|last| last.outcome == Some("failed"))?;
    let (slot, ended) = (last.slot_ms?, last.ended_ms?);
    let is_worth_it = last.exit_code.is_some_and(|code| WORTH_RETRYING.contains(&code));
    if !is_worth_it || last.attempt >= ATTEMPTS_MAX {
        return None;
    }
    let doublings = u32::try_from(last.attempt.saturating_sub(1)).unwrap_or(0);
    let pause = RETRY_FIRST_MS.saturating_mul(1_i64 << doublings.min(20)).min(RETRY_MAX_MS);
    // A clock that went back does not make it wait for longer.
    let at = if ended > now.unix_ms { now.unix_ms } else { ended.saturating_add(pause) };
    let start = opens(entry, Timestamp::from_unix_ms(at));
    Some((start, Timestamp::from_unix_ms(slot)))
}

/// When a job may start, from `at` on.
fn opens(entry: &Entry, at: Timestamp) -> Timestamp {
    let Some(window) = &entry.scheduled.plan.window else { return at };
    let zone = &entry.scheduled.plan.zone;
    let time = jiff::Timestamp::from_millisecond(at.unix_ms).ok();
    let open = time.and_then(|time| window.from(zone, time));
    open.map_or(at, |open| Timestamp::from_unix_ms(open.as_millisecond()).max(at))
}
