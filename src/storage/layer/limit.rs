//! A storage at no more than so many bytes a second.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::clock::Clock;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;

/// How much may go at once after a pause, in time at the full rate.
const BURST: Duration = Duration::from_secs(1);

/// Bytes a second to the storage and from it; none is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub up_bytes_per_s: Option<NonZeroU64>,
    pub down_bytes_per_s: Option<NonZeroU64>,
}

/// A token bucket kept as the time at which it will be full again (the virtual scheduling form of
/// the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug)]
struct Bucket {
    bytes_per_s: NonZeroU64,
    full_at: Mutex<Duration>,
}

impl Bucket {
    /// Takes `bytes`, and waits until they were due. What is larger than the burst waits longer.
    fn take(&self, clock: &dyn Clock, bytes: u64) {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_s.get());
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
    up: Option<Bucket>,
    down: Option<Bucket>,
}

impl Limit {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, inner: Arc<dyn Storage>, limits: Limits) -> Self {
        let bucket = |bytes_per_s| Bucket { bytes_per_s, full_at: Mutex::new(Duration::ZERO) };
        let (up, down) = (limits.up_bytes_per_s, limits.down_bytes_per_s);
        Self { inner, clock, up: up.map(bucket), down: down.map(bucket) }
    }

    fn take(&self, bucket: Option<&Bucket>, bytes: usize) {
        if let Some(bucket) = bucket {
            bucket.take(&*self.clock, bytes as u64);
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
        self.take(self.up.as_ref(), parts.iter().map(|part| part.len()).sum());
        self.inner.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let content = self.inner.read(name, bytes_max)?;
        self.take(self.down.as_ref(), content.len());
        Ok(content)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.inner.read_range(name, offset, into)?;
        self.take(self.down.as_ref(), into.len());
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
