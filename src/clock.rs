//! The only source of time.
//!
//! What it is: a clock as a value that a run carries, so that tests can turn it.
//! Never: decides anything; the vault's leases use the storage's clock (`doc/concurrency.md`).
//! Invariants: no other room asks the system for the time or sleeps.
//! Start reading at: [`Clock`].

use std::sync::Mutex;
use std::time::Duration;

use crate::units::Timestamp;

/// Where a run gets its time from.
pub trait Clock: Send + Sync {
    /// Wall-clock time; it may jump.
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary start; it never goes back.
    fn elapsed(&self) -> Duration;
    /// Waits for `duration`.
    fn wait(&self, duration: Duration);
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        let unix_ms = match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp { unix_ms }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is where waiting happens")]
    fn wait(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that moves only when told; waiting moves it.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<(Timestamp, Duration)>,
}

impl ManualClock {
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { now: Mutex::new((start, Duration::ZERO)) }
    }

    /// Moves wall-clock time by `ms`, which may be negative; elapsed time only goes forward.
    pub fn jump(&self, ms: i64) {
        let mut now = self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        now.0.unix_ms = now.0.unix_ms.saturating_add(ms);
        now.1 = now.1.saturating_add(Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0
    }

    fn elapsed(&self) -> Duration {
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1
    }

    fn wait(&self, duration: Duration) {
        self.jump(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    }
}
