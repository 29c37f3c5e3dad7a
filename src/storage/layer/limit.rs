//! A storage at no more than so many bytes a second.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::units::Timestamp;

/// How much may go at once after a pause, in time at the full rate.
const BURST: Duration = Duration::from_secs(1);

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Bytes a second to the storage and from it; none is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    pub up_bytes_per_s: Option<NonZeroU64>,
    pub down_bytes_per_s: Option<NonZeroU64>,
}

/// Limits from one minute of the day to another; over midnight where the second is the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    pub from_minute: u16,
    /// The first minute in which they hold no more.
    pub to_minute: u16,
    pub limits: Limits,
}

/// Limits by the time of day, where clocks show it.
#[derive(Debug, Clone)]
pub struct Timetable {
    zone: TimeZone,
    hours: Vec<Hours>,
}

impl Timetable {
    /// The first that holds at a time counts.
    #[must_use]
    pub const fn new(zone: TimeZone, hours: Vec<Hours>) -> Self {
        Self { zone, hours }
    }

    fn at(&self, now: Timestamp) -> Option<&Limits> {
        let since_epoch = now.ms_since(Timestamp::from_unix_ms(0));
        let time = jiff::Timestamp::from_millisecond(since_epoch).ok()?;
        let time = time.to_zoned_datetime(self.zone.clone()).time();
        let minute =
            u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        let holds = |hours: &&Hours| {
            let (from, to) = (hours.from_minute, hours.to_minute);
            let into = (minute + DAY_MINUTES - from % DAY_MINUTES) % DAY_MINUTES;
            into < (to + DAY_MINUTES - from - 1) % DAY_MINUTES + 1
        };
        self.hours.iter().find(holds).map(|hours| &hours.limits)
    }
}

/// A token bucket kept as the time at which it will be full again (the virtual scheduling form of
/// the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Default)]
struct Bucket {
    full_at: Mutex<Duration>,
}

impl Bucket {
    /// Takes `bytes`, and waits until they were due. What is larger than the burst waits longer.
    fn take(&self, clock: &dyn Clock, bytes: u64, bytes_per_s: NonZeroU64) {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_s.get());
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let now = clock.elapsed();
        let due = {
            let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
            *full_at = (*full_at).max(now).saturating_add(cost);
            full_at.saturating_sub(BURST)
        };
        if due > now {
            clock.wait(due.saturating_sub(now));
        }
    }
}

/// Slows a storage down. What is written waits before it is sent, what is read after it came.
pub struct Limit {
    inner: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// Stands before the limits, at its hours.
    timetable: Option<Arc<Timetable>>,
    up: Bucket,
    down: Bucket,
}

impl Limit {
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        inner: Arc<dyn Storage>,
        limits: Limits,
        timetable: Option<Arc<Timetable>>,
    ) -> Self {
        Self { inner, clock, limits, timetable, up: Bucket::default(), down: Bucket::default() }
    }

    fn now(&self) -> Limits {
        let at = self.timetable.as_ref().and_then(|timetable| timetable.at(self.clock.now()));
        let own = at.copied().unwrap_or_default();
        Limits {
            up_bytes_per_s: own.up_bytes_per_s.or(self.limits.up_bytes_per_s),
            down_bytes_per_s: own.down_bytes_per_s.or(self.limits.down_bytes_per_s),
        }
    }

    fn take_up(&self, bytes: usize) {
        if let Some(rate) = self.now().up_bytes_per_s {
            self.up.take(&*self.clock, bytes as u64, rate);
        }
    }

    fn take_down(&self, bytes: usize) {
        if let Some(rate) = self.now().down_bytes_per_s {
            self.down.take(&*self.clock, bytes as u64, rate);
        }
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limit({:?})", self.inner)
    }
}

impl Storage for Limit {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.take_up(parts.iter().map(|part| part.len()).sum());
        self.inner.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let content = self.inner.read(name, bytes_max)?;
        self.take_down(content.len());
        Ok(content)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.inner.read_range(name, offset, into)?;
        self.take_down(into.len());
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.inner.list(prefix)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.inner.stat(name)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.inner.delete(name)
    }

    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        self.take_up(parts.iter().map(|part| part.len()).sum());
        self.inner.create_dated(name, parts)
    }

    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        self.take_up(parts.iter().map(|part| part.len()).sum());
        self.inner.create_if(name, parts, may)
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn weaknesses(&self) -> Vec<String> {
        self.inner.weaknesses()
    }

    fn try_alone(&self) -> Result<Alone, StorageError> {
        self.inner.try_alone()
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.inner.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::clock::ManualClock;
    use crate::storage::memory::MemoryStorage;

    fn rate(bytes_per_s: u64) -> Limits {
        let rate = NonZeroU64::new(bytes_per_s);
        Limits { up_bytes_per_s: rate, down_bytes_per_s: rate }
    }

    /// 2026-03-02 in a zone seven hours ahead.
    fn at(hour: i64, minute: i64) -> Timestamp {
        const MIDNIGHT_MS: i64 = 1_772_384_400_000;
        Timestamp::from_unix_ms(MIDNIGHT_MS + (hour * 60 + minute) * 60_000)
    }

    fn office() -> Timetable {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let hours = |from_minute, to_minute, bytes_per_s| Hours {
            from_minute,
            to_minute,
            limits: rate(bytes_per_s),
        };
        let night = hours(22 * 60, 5 * 60, 9000);
        Timetable::new(zone, vec![hours(7 * 60, 17 * 60 + 30, 1000), night])
    }

    #[test]
    fn hours_are_those_of_the_clock_on_the_wall() {
        for (hour, minute, expected) in [
            (0, 0, 9000),
            (4, 59, 9000),
            (5, 0, 0),
            (6, 59, 0),
            (7, 0, 1000),
            (17, 29, 1000),
            (17, 30, 0),
            (21, 59, 0),
            (22, 0, 9000),
        ] {
            let found = office().at(at(hour, minute)).copied().unwrap_or_default();
            assert_eq!(found, rate(expected), "{hour}:{minute}");
        }
        let zone = TimeZone::UTC;
        let always = Hours { from_minute: 60, to_minute: 60, limits: rate(1) };
        assert_eq!(Timetable::new(zone, vec![always]).at(at(13, 0)), Some(&rate(1)));
    }

    #[test]
    fn a_long_upload_takes_the_rate_of_its_hour() {
        let clock = Arc::new(ManualClock::new(at(17, 29)));
        let memory = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
        let limit = Limit::new(
            Arc::clone(&clock) as _,
            memory,
            Limits { up_bytes_per_s: None, down_bytes_per_s: NonZeroU64::new(500) },
            Some(Arc::new(office())),
        );
        let name = |n: u64| BlobName::new(&n.to_string()).unwrap();
        // A minute's worth, less the second that may go at once.
        limit.create(&name(1), &[&[0; 61_000]]).unwrap();
        assert_eq!(clock.elapsed(), Duration::from_secs(60));
        // After work there is no limit for what goes there, and the usual one for what comes back.
        limit.create(&name(2), &[&[0; 1_000_000]]).unwrap();
        assert_eq!(clock.elapsed(), Duration::from_secs(60));
        limit.read(&name(1), 61_000).unwrap();
        assert_eq!(clock.elapsed(), Duration::from_secs(60 + 121));
    }
}
