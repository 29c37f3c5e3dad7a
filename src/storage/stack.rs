//! The one order of the layers.

use std::sync::Arc;

use crate::run::Run;
use crate::storage::Storage;
use crate::storage::layer::limit::Limit;
use crate::storage::layer::limit::Limits;
use crate::storage::layer::limit::Timetable;
use crate::storage::layer::metrics::Metrics;
use crate::storage::layer::retry::Retry;
use crate::storage::layer::retry::RetryOptions;

/// How to wrap a storage.
#[derive(Debug, Clone)]
pub struct StackOptions {
    pub retry: RetryOptions,
    pub limits: Limits,
    /// Limits by the time of day, which stand before those.
    pub timetable: Option<Arc<Timetable>>,
}

/// A wrapped storage, and the layer that is asked for figures.
#[derive(Debug, Clone)]
pub struct Stack {
    pub storage: Arc<dyn Storage>,
    pub metrics: Arc<Metrics>,
}

/// Wraps `base`, from the inside out: `metrics`, so that it counts what the medium really did;
/// `limit`, so that repeated calls are slowed down too; `retry`.
#[must_use]
pub fn stack(run: &Run, base: Arc<dyn Storage>, options: &StackOptions) -> Stack {
    let metrics = Arc::new(Metrics::new(base));
    let mut storage: Arc<dyn Storage> = Arc::clone(&metrics) as Arc<dyn Storage>;
    if options.limits != Limits::default() || options.timetable.is_some() {
        let (clock, timetable) = (Arc::clone(&run.clock), options.timetable.clone());
        storage = Arc::new(Limit::new(clock, storage, options.limits, timetable));
    }
    let storage = Arc::new(Retry::new(run, storage, options.retry));
    Stack { storage, metrics }
}

#[cfg(test)]
mod tests;
