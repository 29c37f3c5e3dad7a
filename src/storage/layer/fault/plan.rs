//! Which call meets which fault.

use std::collections::BTreeMap;

use crate::run::seed::Choices;
use crate::storage::layer::Verb;

/// The twenty faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Fails and does nothing.
    ErrorBefore,
    /// Does it and fails: the answer was lost.
    ErrorAfter,
    /// Answers well and does nothing.
    DoneNotStored,
    /// Fails, and the first bytes are left under the name.
    CutLeftVisible { len_bytes: usize },
    /// Answers well, and all after the first bytes is zeros.
    Torn { len_bytes: usize },
    /// Answers well, and one bit was stored wrong.
    CorruptWrite { bit: usize },
    /// One bit is read wrong.
    CorruptRead { bit: usize },
    /// Only the first bytes are read.
    ShortRead { len_bytes: usize },
    /// Another blob of the folder is read, the first by name.
    WrongObject,
    /// What the name held before this layer saw it deleted; a name that held nothing is missing.
    OlderVersion,
    /// From now on only so many more bytes fit.
    NoSpaceAfter { bytes: u64 },
    /// This call and those after it are turned away.
    Throttled { calls_count: u32 },
    /// It takes so long.
    Delay { ms: u64 },
    /// It takes an hour, and fails.
    Hang,
    /// A listing fails midway.
    ListFails,
    /// A listing is empty.
    ListEmpty,
    /// A listing ends early.
    ListCut { rows_count: usize },
    /// A listing has its first half twice.
    ListRepeats,
    /// A listing is the one before, or empty if there was none.
    ListStale,
    /// From now on the times of blobs are wrong.
    Times(Times),
}

/// Ways in which a medium's times are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    Constant { unix_ms: i64 },
    Skewed { ms: i64 },
}

/// A fault that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    pub verb: Verb,
    pub name: String,
    /// Which call of the verb it was, from 1.
    pub nth: u64,
    pub fault: Fault,
}

/// How long a planned fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    Once,
    /// Every call of the verb from the n-th.
    Always,
}

/// Maps (verb, n-th call) to a fault.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    scripted: Vec<(Verb, u64, Lasting, Fault)>,
    drawn: Option<(Choices, u64)>,
    call_counts: BTreeMap<Verb, u64>,
    pub injected: Vec<Injected>,
}

impl Plan {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a fault at the `nth` call of `verb`, from 1.
    #[must_use]
    pub fn with(mut self, verb: Verb, nth: u64, lasting: Lasting, fault: Fault) -> Self {
        self.scripted.push((verb, nth, lasting, fault));
        self
    }

    /// Faults by seed, on so many of a thousand calls.
    #[must_use]
    pub fn drawn(seed: u64, per_mille: u64) -> Self {
        let choices = Choices::new(seed, "storage::layer::fault");
        Self { drawn: Some((choices, per_mille)), ..Self::default() }
    }

    #[must_use]
    pub fn call_count(&self, verb: Verb) -> u64 {
        self.call_counts.get(&verb).copied().unwrap_or(0)
    }

    /// Counts a call, and gives its fault.
    pub fn next(&mut self, verb: Verb, name: &str) -> Option<Fault> {
        let count = self.call_counts.entry(verb).or_default();
        *count += 1;
        let nth = *count;
        let scripted = self.scripted.iter().find(|(of, at, lasting, _)| {
            *of == verb && (*at == nth || (*lasting == Lasting::Always && *at < nth))
        });
        let fault = match scripted {
            Some((_, _, _, fault)) => Some(*fault),
            None => self.draw(verb),
        };
        if let Some(fault) = fault {
            self.injected.push(Injected { verb, name: name.to_owned(), nth, fault });
        }
        fault
    }

    fn draw(&mut self, verb: Verb) -> Option<Fault> {
        let (choices, per_mille) = self.drawn.as_mut()?;
        if choices.below(1000) >= *per_mille {
            return None;
        }
        let small = usize::try_from(choices.below(64)).unwrap_or(0);
        let apt = apt_for(verb, small);
        let at = usize::try_from(choices.below(apt.len() as u64)).unwrap_or(0);
        apt.get(at).copied()
    }
}

/// Every fault that does something to a verb; `small` sizes those that have a size.
#[must_use]
pub fn apt_for(verb: Verb, small: usize) -> Vec<Fault> {
    let few = u32::try_from(small % 3).unwrap_or(0) + 1;
    let mut faults = vec![
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::Throttled { calls_count: few },
        Fault::Delay { ms: small as u64 },
        Fault::Hang,
    ];
    match verb {
        Verb::Create => faults.extend([
            Fault::DoneNotStored,
            Fault::CutLeftVisible { len_bytes: small },
            Fault::Torn { len_bytes: small },
            Fault::CorruptWrite { bit: small },
            Fault::NoSpaceAfter { bytes: small as u64 },
        ]),
        Verb::Read => faults.extend([
            Fault::CorruptRead { bit: small },
            Fault::ShortRead { len_bytes: small },
            Fault::WrongObject,
            Fault::OlderVersion,
        ]),
        Verb::ReadRange => faults
            .extend([Fault::CorruptRead { bit: small }, Fault::ShortRead { len_bytes: small }]),
        Verb::List => faults.extend([
            Fault::ListFails,
            Fault::ListEmpty,
            Fault::ListCut { rows_count: small },
            Fault::ListRepeats,
            Fault::ListStale,
        ]),
        Verb::Stat => faults.extend([
            Fault::Times(Times::Constant { unix_ms: 0 }),
            Fault::Times(Times::Skewed { ms: -1000 * 60 * 60 * 24 * 365 }),
        ]),
        Verb::Delete | Verb::Sync => faults.push(Fault::DoneNotStored),
    }
    faults
}
