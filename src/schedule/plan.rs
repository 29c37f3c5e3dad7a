//! Now, or when.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::schedule::cron::Cron;
use crate::schedule::local;
use crate::schedule::window::Window;
use crate::units::Timestamp;

/// How late a run without `catch_up` may start: whoever keeps the clock is not always prompt.
const LATE_MAX_MS: i64 = 60_000;
/// A record from further in the future than this was made by a clock that was wrong.
const TRUSTED_MS: i64 = 24 * 60 * 60 * 1000;
/// Slots looked at for one that a window lets start in time.
const TRIES_MAX: usize = 2_000;

/// When a job is to run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub cron: Cron,
    pub zone: TimeZone,
    /// This job on this machine starts so much after each slot; see [`steady`].
    pub delay: Duration,
    /// How long after its start a missed run is still made, once for all that were missed.
    pub catch_up: Duration,
    /// Hours in which it may start.
    pub window: Option<Window>,
    /// How long a run may take.
    pub deadline: Option<Duration>,
}

/// What is known of a job's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// When the job came under a schedule: what was before is nobody's.
    pub since: Timestamp,
    /// The slot of the run that ended last, well or not. A run that was cut off, by a power cut for
    /// one, does not count: its slot is caught up.
    pub slot: Option<Timestamp>,
    /// The greatest slot of any run that ended: it differs from `slot` where a clock went back.
    pub slot_max: Option<Timestamp>,
}

impl History {
    #[must_use]
    pub const fn new(since: Timestamp) -> Self {
        Self { since, slot: None, slot_max: None }
    }

    /// With a run for `slot` that ended.
    #[must_use]
    pub fn and(self, slot: Timestamp) -> Self {
        let slot_max = self.slot_max.map_or(slot, |max| max.max(slot));
        Self { slot: Some(slot), slot_max: Some(slot_max), ..self }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Run it; one run stands for `slot` and all that were missed before it.
    Now { slot: Timestamp, timing: Timing, stop_by: Option<Timestamp> },
    /// Nothing before `start`, if the clock does not jump; then the run for `slot`.
    At { start: Timestamp, slot: Timestamp },
    /// The expression does not come again, or never within the window.
    Never,
}

/// Whether a run comes when it was meant to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    OnTime,
    CatchUp,
}

/// How long after each slot a job starts, less than `jitter`: always the same for a job on a
/// machine, and spread over jobs and machines.
#[must_use]
pub fn steady(jitter: Duration, job: &str, machine: &[u8]) -> Duration {
    let mut hasher = blake3::Hasher::new();
    for part in [job.as_bytes(), machine] {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    let mut lot = [0; 8];
    hasher.finalize_xof().fill(&mut lot);
    let seconds = u64::from_le_bytes(lot).checked_rem(jitter.as_secs()).unwrap_or(0);
    Duration::from_secs(seconds)
}

/// What a job is to do at `now`.
#[must_use]
pub fn next(plan: &Plan, history: &History, now: Timestamp) -> Due {
    next_in_range(plan, history, now).unwrap_or(Due::Never)
}

/// `None` beyond the end of the calendar.
fn next_in_range(plan: &Plan, history: &History, now: Timestamp) -> Option<Due> {
    let done = done(history, now);
    let reached = at(now)?.checked_sub(jiff::SignedDuration::try_from(plan.delay).ok()?).ok()?;
    let latest = local::latest(&plan.cron, &plan.zone, reached).map(ms).filter(|at| *at > done);
    let mut waiting = None;
    if let Some(slot) = latest {
        let planned = planned(plan, slot)?;
        let start = plan.opens(now)?;
        if start.ms_since(planned) <= plan.late_max_ms() {
            if start <= now {
                return Some(plan.now(slot, (planned, now)));
            }
            waiting = Some(Due::At { start, slot });
        }
    }
    let mut slot = latest.unwrap_or(done).max(ms(reached));
    for _ in 0..TRIES_MAX {
        let Some(later) = local::after(&plan.cron, &plan.zone, at(slot)?) else { break };
        slot = ms(later);
        let planned = planned(plan, slot)?;
        let start = plan.opens(planned)?;
        if start.ms_since(planned) > plan.late_max_ms() {
            continue;
        }
        return match waiting {
            Some(Due::At { start: earlier, .. }) if earlier < start => waiting,
            _ => Some(Due::At { start, slot }),
        };
    }
    waiting
}

/// No slot up to here is run any more.
fn done(history: &History, now: Timestamp) -> Timestamp {
    let trusted = |time: &Timestamp| time.ms_since(now) <= TRUSTED_MS;
    let known = [Some(history.since), history.slot, history.slot_max];
    let done = known.into_iter().flatten().filter(trusted).max();
    // A clock that was far ahead has come back: what ran before it went is not known.
    let newest = history.slot.unwrap_or(history.since);
    let fresh = Timestamp::from_unix_ms(now.unix_ms.saturating_sub(LATE_MAX_MS));
    match done {
        Some(done) if trusted(&newest) => done,
        Some(done) => done.max(fresh),
        None => fresh,
    }
}

/// When the run for `slot` is to start.
fn planned(plan: &Plan, slot: Timestamp) -> Option<Timestamp> {
    let delay = i64::try_from(plan.delay.as_millis()).ok()?;
    slot.unix_ms.checked_add(delay).map(Timestamp::from_unix_ms)
}

impl Plan {
    fn late_max_ms(&self) -> i64 {
        i64::try_from(self.catch_up.as_millis()).unwrap_or(i64::MAX).max(LATE_MAX_MS)
    }

    fn opens(&self, from: Timestamp) -> Option<Timestamp> {
        match &self.window {
            None => Some(from),
            Some(window) => window.from(&self.zone, at(from)?).map(ms),
        }
    }

    fn now(&self, slot: Timestamp, (planned, now): (Timestamp, Timestamp)) -> Due {
        let late_ms = now.ms_since(planned);
        let timing = if late_ms > LATE_MAX_MS { Timing::CatchUp } else { Timing::OnTime };
        let deadline = self.deadline.and_then(|time| i64::try_from(time.as_millis()).ok());
        let stop_by = deadline.map(|ms| Timestamp::from_unix_ms(now.unix_ms.saturating_add(ms)));
        Due::Now { slot, timing, stop_by }
    }
}

/// A run that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coming {
    pub slot: Timestamp,
    pub start: Timestamp,
}

/// The next runs, if each ends before the next and the clock goes on evenly.
#[must_use]
pub fn preview(plan: &Plan, now: Timestamp, count: usize) -> Vec<Coming> {
    let mut history = History::new(now);
    let mut now = now;
    let mut coming = Vec::new();
    while coming.len() < count {
        let Due::At { start, slot } = next(plan, &history, now) else { break };
        coming.push(Coming { slot, start });
        history = history.and(slot);
        now = start;
    }
    coming
}

fn at(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(time.unix_ms).ok()
}

fn ms(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(time.as_millisecond())
}
