//! A storage that fails as told.
//!
//! A plan maps calls to faults: by script (the n-th call of a verb) or by seed. The layer goes
//! under `retry`, as the medium's own misbehaviour, or above it, as what retrying cannot cure.

pub mod plan;

mod call;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::clock::Clock;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::layer::Verb;

use self::plan::Fault;
use self::plan::Injected;
use self::plan::Plan;
use self::plan::Times;

/// How long a hanging call takes before somebody gives up.
pub const HANG: Duration = Duration::from_secs(3600);

/// Breaks promises.
pub struct FaultLayer {
    inner: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    plan: Plan,
    /// Bytes that still fit, once the medium fills up.
    space_bytes: Option<u64>,
    /// Calls that are still throttled.
    throttled_count: u32,
    times: Option<Times>,
    /// What every name held before, for faults that serve the past.
    past: BTreeMap<BlobName, Vec<u8>>,
    listings: BTreeMap<String, Vec<Listed>>,
}

impl FaultLayer {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, inner: Arc<dyn Storage>, plan: Plan) -> Self {
        Self { inner, clock, state: Mutex::new(State { plan, ..State::default() }) }
    }

    /// Every fault so far.
    #[must_use]
    pub fn injected(&self) -> Vec<Injected> {
        self.lock().plan.injected.clone()
    }

    /// How many calls of a verb there were.
    #[must_use]
    pub fn call_count(&self, verb: Verb) -> u64 {
        self.lock().plan.call_count(verb)
    }

    /// Replaces the plan and heals whatever an earlier fault left switched on.
    pub fn replan(&self, plan: Plan) {
        let mut state = self.lock();
        state.plan = plan;
        state.space_bytes = None;
        state.throttled_count = 0;
        state.times = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, verb: Verb, name: &str, kind: StorageErrorKind, detail: &str) -> StorageError {
        let operation = match verb {
            Verb::Create => "create",
            Verb::Read | Verb::ReadRange => "read",
            Verb::List => "list",
            Verb::Stat => "stat",
            Verb::Delete => "delete",
            Verb::Sync => "sync",
        };
        let (location, name, detail) = (self.location(), name.to_owned(), detail.to_owned());
        StorageError { kind, after_s: None, location, operation, name, detail }
    }

    fn passing(&self, verb: Verb, name: &str, detail: &str) -> StorageError {
        self.error(verb, name, StorageErrorKind::Transient, detail)
    }

    /// The fault of this call, after those that act before any call were dealt with.
    fn begin(&self, verb: Verb, name: &str) -> Result<Option<Fault>, StorageError> {
        let fault = {
            let mut state = self.lock();
            let fault = state.plan.next(verb, name);
            match fault {
                Some(Fault::Throttled { calls_count }) => state.throttled_count = calls_count,
                Some(Fault::NoSpaceAfter { bytes }) => state.space_bytes = Some(bytes),
                Some(Fault::Times(times)) => state.times = Some(times),
                _ => {}
            }
            if state.throttled_count > 0 {
                state.throttled_count -= 1;
                return Err(self.passing(verb, name, "503 slow down"));
            }
            fault
        };
        match fault {
            Some(Fault::ErrorBefore) => Err(self.passing(verb, name, "connection refused")),
            Some(Fault::Hang) => {
                self.clock.wait(HANG);
                Err(self.passing(verb, name, "no answer"))
            }
            Some(Fault::Delay { ms }) => {
                self.clock.wait(Duration::from_millis(ms));
                Ok(None)
            }
            Some(Fault::ListFails) => Err(self.passing(verb, name, "listing cut off")),
            fault => Ok(fault),
        }
    }

    /// Loses the answer if told so.
    fn end<T>(
        &self,
        (verb, name): (Verb, &str),
        fault: Option<Fault>,
        done: T,
    ) -> Result<T, StorageError> {
        match fault {
            Some(Fault::ErrorAfter) => Err(self.passing(verb, name, "connection reset")),
            _ => Ok(done),
        }
    }
}

impl fmt::Debug for FaultLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultLayer({:?})", self.inner)
    }
}

impl Storage for FaultLayer {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        let fault = self.begin(Verb::Create, name.as_str())?;
        self.create_with(name, parts, fault)?;
        self.end((Verb::Create, name.as_str()), fault, ())
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let fault = self.begin(Verb::Read, name.as_str())?;
        let content = self.read_with(name, bytes_max, fault)?;
        self.end((Verb::Read, name.as_str()), fault, content)
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let fault = self.begin(Verb::ReadRange, name.as_str())?;
        self.read_range_with(name, offset, into, fault)?;
        self.end((Verb::ReadRange, name.as_str()), fault, ())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let fault = self.begin(Verb::List, prefix)?;
        let listed = self.list_with(prefix, fault)?;
        self.end((Verb::List, prefix), fault, listed)
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let fault = self.begin(Verb::Stat, name.as_str())?;
        let mut stat = self.inner.stat(name)?;
        match self.lock().times {
            Some(Times::Constant { unix_ms }) => stat.created.unix_ms = unix_ms,
            Some(Times::Skewed { ms }) => {
                stat.created.unix_ms = stat.created.unix_ms.saturating_add(ms);
            }
            None => {}
        }
        self.end((Verb::Stat, name.as_str()), fault, stat)
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        let fault = self.begin(Verb::Delete, name.as_str())?;
        self.remember(name);
        if fault != Some(Fault::DoneNotStored) {
            self.inner.delete(name)?;
        }
        self.end((Verb::Delete, name.as_str()), fault, ())
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
        let fault = self.begin(Verb::Sync, "")?;
        if fault != Some(Fault::DoneNotStored) {
            self.inner.sync()?;
        }
        self.end((Verb::Sync, ""), fault, ())
    }
}

#[cfg(test)]
mod tests;
