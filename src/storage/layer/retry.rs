//! Passing faults are tried again.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::run::Run;
use crate::run::seed::Choices;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::units::Timestamp;

/// How often and how patiently. The n-th wait is drawn between half and all of
/// `wait_first · 2^(n-1)`, at most `wait_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOptions {
    /// Calls in all; 1 is no retry.
    pub attempts_max: u32,
    pub wait_first: Duration,
    pub wait_max: Duration,
    /// From the begin of the first attempt to the end of the last one. Only a second attempt is
    /// made in any case: the first may have been a long one over a slow line.
    pub whole_max: Duration,
}

impl RetryOptions {
    /// The longest wait after so many attempts.
    fn wait_after(&self, failed_count: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failed_count.saturating_sub(1)).unwrap_or(u32::MAX);
        self.wait_first.saturating_mul(doubled).min(self.wait_max)
    }

    /// All waits of a call together, at their longest.
    fn patience(&self) -> Duration {
        (1..self.attempts_max).map(|failed_count| self.wait_after(failed_count)).sum()
    }
}

/// Repeats calls that failed with a retryable error.
///
/// A `create` or `delete` whose answer was lost may have been done: then the second attempt finds
/// it done, and that counts as success if the blob holds the very bytes, or is gone. A `sync` is
/// never repeated: after a failed one the data may be lost while the next one succeeds.
///
/// A server that asks to be left alone for a while is left alone for so long. Where that is longer
/// than all waits of the options together, the call fails at once: nobody comes back too early.
pub struct Retry {
    inner: Arc<dyn Storage>,
    run: Run,
    options: RetryOptions,
    choices: Mutex<Choices>,
}

impl Retry {
    #[must_use]
    pub fn new(run: &Run, inner: Arc<dyn Storage>, options: RetryOptions) -> Self {
        let choices = Mutex::new(Choices::new(run.seed, "storage::layer::retry"));
        Self { inner, run: run.clone(), options, choices }
    }

    /// Calls `work` with the number of earlier attempts until it succeeds or patience ends. A run
    /// that was told to stop is not kept waiting.
    fn repeat<T>(
        &self,
        mut work: impl FnMut(u32) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let (mut failed_count, mut waited) = (0, Duration::ZERO);
        let began = self.run.clock.elapsed();
        loop {
            let tried = self.run.clock.elapsed();
            let error = match work(failed_count) {
                Err(error) if error.is_retryable() => error,
                result => return result,
            };
            failed_count += 1;
            if failed_count >= self.options.attempts_max || self.run.check().is_err() {
                return Err(error);
            }
            let asked = error.after_s.map_or(0, |seconds| seconds.get().into());
            let wait = self.wait_after(failed_count).max(Duration::from_secs(asked));
            waited = wait.saturating_add(waited);
            if waited > self.options.patience() {
                return Err(error);
            }
            let now = self.run.clock.elapsed();
            // If the next attempt takes as long as this one.
            let next = now.saturating_sub(tried).saturating_add(wait);
            let whole = now.saturating_sub(began);
            if failed_count > 1 && whole.saturating_add(next) > self.options.whole_max {
                let tried = format!("; tried {failed_count} times in {} s", whole.as_secs());
                return Err(StorageError { detail: error.detail + &tried, ..error });
            }
            self.run.clock.wait(wait);
        }
    }

    fn wait_after(&self, failed_count: u32) -> Duration {
        let longest = self.options.wait_after(failed_count);
        let half_ms = u64::try_from(longest.as_millis() / 2).unwrap_or(u64::MAX);
        let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        longest / 2 + Duration::from_millis(choices.below(half_ms.saturating_add(1)))
    }

    fn holds(&self, name: &BlobName, parts: &[&[u8]]) -> Result<bool, StorageError> {
        let len_bytes: u64 = parts.iter().map(|part| part.len() as u64).sum();
        let found = match self.inner.read(name, len_bytes) {
            Err(error) if error.kind == StorageErrorKind::Length => return Ok(false),
            found => found?,
        };
        let mut rest = found.as_slice();
        let same = parts.iter().all(|part| match rest.split_at_checked(part.len()) {
            Some((start, after)) => {
                rest = after;
                start == *part
            }
            None => false,
        });
        Ok(same && rest.is_empty())
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Retry({:?})", self.inner)
    }
}

impl Storage for Retry {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.repeat(|earlier| match self.inner.create(name, parts) {
            Err(error) if error.kind == StorageErrorKind::AlreadyExists && earlier > 0 => {
                if self.holds(name, parts)? { Ok(()) } else { Err(error) }
            }
            result => result,
        })
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        self.repeat(|_| self.inner.read(name, bytes_max))
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        self.repeat(|_| self.inner.read_range(name, offset, into))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        self.repeat(|_| self.inner.list(prefix))
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        self.repeat(|_| self.inner.stat(name))
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.repeat(|earlier| match self.inner.delete(name) {
            Err(error) if error.kind == StorageErrorKind::NotFound && earlier > 0 => Ok(()),
            result => result,
        })
    }

    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        if !self.inner.is_far() {
            // Each of both has the whole patience.
            self.create(name, parts)?;
            return Ok(self.stat(name)?.created);
        }
        let dated = self.repeat(|earlier| match self.inner.create_dated(name, parts) {
            Ok(created) => Ok(Some(created)),
            Err(error) if error.kind == StorageErrorKind::AlreadyExists && earlier > 0 => {
                if self.holds(name, parts)? { Ok(None) } else { Err(error) }
            }
            Err(error) => Err(error),
        })?;
        match dated {
            Some(created) => Ok(created),
            None => Ok(self.stat(name)?.created),
        }
    }

    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        // Asked once, however often the call is repeated.
        let mut said = None;
        self.repeat(|earlier| {
            let mut may = || *said.get_or_insert_with(&mut *may);
            match self.inner.create_if(name, parts, &mut may) {
                Err(error) if error.kind == StorageErrorKind::AlreadyExists && earlier > 0 => {
                    if self.holds(name, parts)? {
                        Ok(true)
                    } else {
                        Err(error)
                    }
                }
                result => result,
            }
        })
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
