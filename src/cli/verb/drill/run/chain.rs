//! A drill in the ledger: each step as it is reached, the record, and the sandbox's end.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::verb::drill::keep::Open;
use crate::cli::verb::drill::ledger;
use crate::drill::engine::Stage;
use crate::drill::engine::Steps;
use crate::drill::follow;
use crate::drill::follow::Followed;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::evidence::drill;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::Receipt;
use crate::evidence::ledger::Signer;
use crate::run::Run;
use crate::units::Timestamp;

/// The ledger, at one drill.
pub struct Chain {
    run: Run,
    signer: Signer,
    code: String,
    /// Whether the ledger is a copy that ends with this process.
    is_copy: bool,
    state: Mutex<State>,
}

struct State {
    ledger: Ledger,
    last: Option<drill::Stage>,
    /// The first entry that could not be added: none follows it.
    failed: Option<EvidenceError>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain({})", self.code)
    }
}

impl Chain {
    /// Opens the ledger of the repository, which is founded if there is none, at a new drill: one
    /// more of the same day and class gets a number.
    ///
    /// # Errors
    /// When it does not verify (23) or cannot be read (15).
    pub fn begin(context: &Context, keys: &Keys, code: &str) -> Result<Self, Failure> {
        let mut number = 1_u32;
        loop {
            let name = if number == 1 { code.to_owned() } else { format!("{code}-{number}") };
            let chain = Self::resume(context, keys, &name)?;
            if chain.lock().last.is_none() {
                return Ok(chain);
            }
            number += 1;
        }
    }

    /// The same at a drill that was begun.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn resume(context: &Context, keys: &Keys, code: &str) -> Result<Self, Failure> {
        let ledger = ledger::founded(context, keys.ledger(), &keys.unlocked)?;
        let (found, _) = ledger.drill_state(code)?;
        let state = State { ledger, last: found.stage, failed: None };
        Ok(Self {
            // A drill that is told to stop has a record all the same.
            run: context.run.unstopped(),
            signer: ledger::office(&keys.unlocked),
            code: code.to_owned(),
            is_copy: keys.ledger.is_some(),
            state: Mutex::new(state),
        })
    }

    /// What the ledger calls the drill.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, state: &mut State, kind: Kind, document: Value) -> Option<Receipt> {
        self.append_draft(state, &Draft::new(kind, &self.code, document))
    }

    fn append_draft(&self, state: &mut State, draft: &Draft) -> Option<Receipt> {
        if state.failed.is_some() {
            return None;
        }
        match state.ledger.append(&self.run, &self.signer, draft) {
            Ok(receipt) => Some(receipt),
            Err(error) => {
                state.failed = Some(error);
                None
            }
        }
    }

    /// The order, before anything else.
    ///
    /// # Errors
    /// When it cannot be added: then nothing may start.
    pub fn order(&self, open: &Open) -> Result<(), Failure> {
        let mut state = self.lock();
        let document = json!({
            "schema": Kind::Order.schema(),
            "code": open.code,
            "class": open.class,
            "datasets": open.datasets,
            "storage": open.storage,
            "started_at": open.started_at,
        });
        self.append(&mut state, Kind::Order, document);
        state.last = Some(drill::Stage::Approved);
        match state.failed.take() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Hash of the ledger's last entry.
    #[must_use]
    pub fn head(&self) -> String {
        self.lock().ledger.head().map(|(_, hash)| hash.to_string()).unwrap_or_default()
    }

    /// Adds the step unless the drill is there or farther already.
    fn go(&self, to: drill::Stage) {
        let mut state = self.lock();
        if state.last.is_some_and(|last| last >= to) {
            return;
        }
        let document = json!({ "schema": Kind::Transition.schema(), "to": to.name() });
        self.append(&mut state, Kind::Transition, document);
        state.last = Some(to);
    }

    /// Everything was gone through. Where nothing could be restored nothing was measured.
    fn measured(&self) {
        let last = self.lock().last;
        match last {
            Some(drill::Stage::Restoring) => self.go(drill::Stage::Verifying),
            Some(drill::Stage::Verifying) => {}
            _ => return,
        }
        self.go(drill::Stage::Measured);
    }

    /// Keeps the record. Its hash in the ledger, if it could be added or was there before.
    pub fn record(&self, record: &Record, ended: Ended) -> Option<String> {
        let last = self.lock().last;
        // One that was never ordered was never begun.
        last?;
        match ended {
            Ended::Whole if last == Some(drill::Stage::Measured) => {}
            Ended::Stopped => self.go(drill::Stage::Aborted),
            Ended::Whole | Ended::Broken => self.go(drill::Stage::Broken),
        }
        let mut state = self.lock();
        if let Ok((found, _)) = state.ledger.drill_state(&self.code)
            && let Some(place) = found.record
        {
            return Some(place.hash.to_string());
        }
        let document = value(record);
        let receipt = self.append(&mut state, Kind::Record, document)?;
        state.last = Some(drill::Stage::Recorded);
        Some(receipt.document.to_string())
    }

    /// Keeps what became of the sandbox, and what comes next: sign-off for the formal classes.
    pub fn closing(&self, closing: &Closing, class: &str) {
        if closing.record.is_none() {
            return;
        }
        self.go(drill::Stage::Cleaning);
        // A process that was killed may have come so far.
        if self.lock().last.is_none_or(|last| last < drill::Stage::Cleaned) {
            let mut state = self.lock();
            self.append(&mut state, Kind::Closing, value(closing));
            state.last = Some(drill::Stage::Cleaned);
        }
        match class {
            "D0" | "D1" => self.go(drill::Stage::Closed),
            _ => self.go(drill::Stage::AwaitingSignoff),
        }
    }

    /// Adds a corrective action as it stands now.
    pub fn action(&self, followed: &Followed) {
        let mut state = self.lock();
        let draft = Draft::new(Kind::Action, &followed.drill, value(followed));
        self.append_draft(&mut state, &draft);
    }

    /// Every corrective action of the ledger, as often as it was kept.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn actions(&self) -> Result<Vec<Followed>, EvidenceError> {
        let kept = kept_actions(&self.lock().ledger)?;
        Ok(kept.into_iter().map(|(_, followed)| followed).collect())
    }

    /// The record of the drill, if the ledger has it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept_record(&self) -> Result<Option<Record>, EvidenceError> {
        let state = self.lock();
        let (found, _) = state.ledger.drill_state(&self.code)?;
        let Some(place) = found.record else { return Ok(None) };
        Ok(serde_json::from_value(state.ledger.document(place.hash)?).ok())
    }

    /// The code of the ledger as it stands now, for paper; empty where nobody can ask for it later.
    ///
    /// # Errors
    /// With the first entry that could not be added, or when the checkpoint cannot be kept.
    pub fn finish(self) -> Result<String, Failure> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed {
            return Err(error.into());
        }
        let (checkpoint, _) = state.ledger.put_checkpoint(&self.signer)?;
        if self.is_copy {
            return Ok(String::new());
        }
        Ok(checkpoint.code().to_string())
    }
}

/// How a drill ended, as its process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every item was gone through, or preflight let none begin.
    Whole,
    /// Somebody stopped it.
    Stopped,
    /// Its process is gone.
    Broken,
}

/// Corrective actions of a ledger that no drill has closed.
///
/// # Errors
/// When one cannot be read.
pub fn open_actions(ledger: &Ledger) -> Result<Vec<Followed>, EvidenceError> {
    let kept = kept_actions(ledger)?;
    Ok(follow::open(kept.into_iter().map(|(_, followed)| followed)))
}

/// Every state of every corrective action, with the time of its entry.
///
/// # Errors
/// When one cannot be read.
pub fn kept_actions(ledger: &Ledger) -> Result<Vec<(Timestamp, Followed)>, EvidenceError> {
    let kept = ledger.entries().iter().filter(|stored| stored.entry.kind == Kind::Action);
    let mut actions = Vec::new();
    for stored in kept {
        let document = ledger.document(stored.entry.document)?;
        // What another program keeps as an action is not ours to close.
        let followed = serde_json::from_value::<Followed>(document).ok();
        actions.extend(followed.map(|it| (stored.entry.time.at, it)));
    }
    Ok(actions)
}

fn value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).unwrap_or(Value::Null)
}

impl Steps for Chain {
    fn reached(&self, stage: Stage) {
        match stage {
            Stage::Preflight => self.go(drill::Stage::Preflight),
            Stage::Restoring => self.go(drill::Stage::Restoring),
            Stage::Verifying => self.go(drill::Stage::Verifying),
            Stage::Measured => self.measured(),
        }
    }
}
