//! One execution.
//!
//! What it is: what every long operation is given first: who watches it, whether it was told to
//! stop, what time it is, and the seed of every random choice that is not a key.
//! Never: prints; decides an exit code.
//! Invariants: long loops call [`Run::check`] per item; a problem is reported once, through
//! [`Run::problem`], and so counted by everyone who watches.
//! Start reading at: [`Run`].

pub mod monitor;
pub mod seed;

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;

use crate::clock::Clock;
use crate::ids::RunId;

use self::monitor::Count;
use self::monitor::Monitor;
use self::monitor::Phase;
use self::monitor::Problem;

/// The run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("interrupted")]
    Interrupted,
    #[error("terminated")]
    Terminated,
}

/// The switch that stops a run; cheap to clone and to ask.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicU8>);

impl Cancel {
    /// Tells the run to stop. The first word stands.
    pub fn stop(&self, why: Stopped) {
        let code = match why {
            Stopped::Interrupted => 1,
            Stopped::Terminated => 2,
        };
        // Failing means that it was stopped already, which is as good.
        let _first = self.0.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// An error if the run was told to stop.
    pub fn check(&self) -> Result<(), Stopped> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            1 => Err(Stopped::Interrupted),
            _ => Err(Stopped::Terminated),
        }
    }
}

/// One execution; clones are the same execution.
#[derive(Clone)]
pub struct Run {
    pub id: RunId,
    pub cancel: Cancel,
    pub clock: Arc<dyn Clock>,
    /// Feeds every random choice that is not a key.
    pub seed: u64,
    monitor: Arc<dyn Monitor>,
}

impl Run {
    #[must_use]
    pub fn new(id: RunId, monitor: Arc<dyn Monitor>, clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { id, cancel: Cancel::default(), clock, seed, monitor }
    }

    /// The same run, watched by one more.
    #[must_use]
    pub fn also(&self, monitor: Arc<dyn Monitor>) -> Self {
        let both = monitor::Both(Arc::clone(&self.monitor), monitor);
        Self { monitor: Arc::new(both), ..self.clone() }
    }

    /// The same run, whose problems wait in what is given beside it.
    #[must_use]
    pub fn holding(&self) -> (Self, Arc<monitor::Held>) {
        let held = Arc::new(monitor::Held::new(Arc::clone(&self.monitor)));
        (Self { monitor: Arc::clone(&held) as _, ..self.clone() }, held)
    }

    /// The same run, of whose problems only those of what is stored are told.
    #[must_use]
    pub fn losses(&self) -> Self {
        Self { monitor: Arc::new(monitor::Losses(Arc::clone(&self.monitor))), ..self.clone() }
    }

    /// The same run with nobody watching: for what is looked at a second time.
    #[must_use]
    pub fn unwatched(&self) -> Self {
        Self { monitor: Arc::new(monitor::Silent), ..self.clone() }
    }

    /// The same run with a switch of its own: for what has to be tidied up after a stop.
    #[must_use]
    pub fn unstopped(&self) -> Self {
        Self { cancel: Cancel::default(), ..self.clone() }
    }

    /// An error if the run was told to stop.
    pub fn check(&self) -> Result<(), Stopped> {
        self.cancel.check()
    }

    pub fn count(&self, what: Count, n: u64) {
        self.monitor.count(what, n);
    }

    pub fn problem(&self, problem: &Problem) {
        self.monitor.problem(problem);
    }

    pub fn phase(&self, phase: Phase) {
        self.monitor.phase(phase);
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.id)
    }
}
