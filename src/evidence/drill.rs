//! Where a drill stands, from its entries alone: a pure function.
//!
//! `planned → approved → preflight → restoring → verifying → measured → recorded → cleaning →
//! cleaned → awaiting_signoff → signed → closed`, and the exits `aborted`, `broken` and `missed`.
//! The record says nothing about clean-up: only the closing record does, and it comes later.

use serde_json::Value;

use crate::evidence::document;
use crate::evidence::entry::Kind;
use crate::evidence::entry::LedgerTime;
use crate::evidence::keys::Right;
use crate::ids::LedgerHash;

/// Where a drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Planned,
    Approved,
    Preflight,
    Restoring,
    Verifying,
    Measured,
    Aborted,
    Broken,
    Recorded,
    Cleaning,
    Cleaned,
    AwaitingSignoff,
    Signed,
    Closed,
    Missed,
}

impl Stage {
    pub const ALL: [(Self, &'static str); 15] = [
        (Self::Planned, "planned"),
        (Self::Approved, "approved"),
        (Self::Preflight, "preflight"),
        (Self::Restoring, "restoring"),
        (Self::Verifying, "verifying"),
        (Self::Measured, "measured"),
        (Self::Aborted, "aborted"),
        (Self::Broken, "broken"),
        (Self::Recorded, "recorded"),
        (Self::Cleaning, "cleaning"),
        (Self::Cleaned, "cleaned"),
        (Self::AwaitingSignoff, "awaiting_signoff"),
        (Self::Signed, "signed"),
        (Self::Closed, "closed"),
        (Self::Missed, "missed"),
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

/// One entry of a drill, with its document.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    pub seq: u64,
    pub time: LedgerTime,
    pub kind: Kind,
    /// SHA-256 of the document.
    pub hash: LedgerHash,
    pub document: &'a Value,
}

/// What a role has said about a record; its last word counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub seq: u64,
    pub role: Right,
    /// Holder of the key.
    pub holder: String,
    pub is_refusal: bool,
}

/// The record of a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    pub seq: u64,
    pub time: LedgerTime,
    pub hash: LedgerHash,
}

/// Where a drill stands, and what led there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrillState {
    /// None before the first entry.
    pub stage: Option<Stage>,
    /// [`Stage::Aborted`] or [`Stage::Broken`], whatever followed.
    pub exit: Option<Stage>,
    /// `D0` to `D4`, once an entry said so; the strictest that was named.
    pub class: Option<String>,
    pub record: Option<RecordPlace>,
    /// `pass`, `conditional`, `fail` or `inconclusive`, as the record says.
    pub verdict: Option<String>,
    /// The closing record.
    pub closing_seq: Option<u64>,
    pub words: Vec<Word>,
    /// Put off with a reason.
    pub is_deferred: bool,
}

/// An entry that does not follow from those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("`{to}` does not follow on `{from}`")]
    Order { from: &'static str, to: &'static str },
    #[error("there is a record already")]
    SecondRecord,
    #[error("it belongs to a record, and there is none before it")]
    NoRecord,
    #[error("it names another record than that of the drill")]
    OtherRecord,
    #[error("role `{role}` signs after `{before}`")]
    TooEarly { role: &'static str, before: &'static str },
    #[error("the owner of the data is the operator of the drill")]
    SamePerson,
    #[error("field `{field}` is missing or not as it must be")]
    Field { field: &'static str },
}

/// Where a drill stands after its entries, and which of them do not follow.
#[must_use]
pub fn state_of<'a>(
    steps: impl IntoIterator<Item = Step<'a>>,
) -> (DrillState, Vec<(u64, StepError)>) {
    let mut state = DrillState::default();
    let mut wrong = Vec::new();
    for step in steps {
        if let Err(error) = state.apply(&step) {
            wrong.push((step.seq, error));
        }
    }
    (state, wrong)
}

/// Role of a word about a record, by its name in the document.
#[must_use]
pub fn role_named(name: &str) -> Option<Right> {
    match name {
        "operator" => Some(Right::Operator),
        "owner" => Some(Right::Owner),
        "chair" => Some(Right::Chair),
        _ => None,
    }
}

const fn name_of(role: Right) -> &'static str {
    match role {
        Right::Owner => "owner",
        Right::Chair => "chair",
        _ => "operator",
    }
}

impl DrillState {
    /// Whether operator, owner and chair have to sign: the formal classes, and whatever names none.
    #[must_use]
    pub fn needs_signatures(&self) -> bool {
        !matches!(self.class.as_deref(), Some("D0" | "D1"))
    }

    /// Whether this role signed and did not take it back.
    #[must_use]
    pub fn has_signed(&self, role: Right) -> bool {
        self.words.iter().rev().find(|word| word.role == role).is_some_and(|it| !it.is_refusal)
    }

    /// Roles whose last word is a refusal.
    #[must_use]
    pub fn refusals(&self) -> Vec<&Word> {
        let is_last = |word: &&Word| {
            let later = self.words.iter().any(|it| it.role == word.role && it.seq > word.seq);
            word.is_refusal && !later
        };
        self.words.iter().filter(is_last).collect()
    }

    /// Takes the next entry; an entry that does not follow changes nothing.
    pub fn apply(&mut self, step: &Step<'_>) -> Result<(), StepError> {
        match step.kind {
            Kind::Order => self.go(Stage::Approved)?,
            Kind::Transition => {
                let to = field(step.document, "to").and_then(Stage::named);
                let to = to.ok_or(StepError::Field { field: "to" })?;
                self.go(to)?;
            }
            Kind::Record => self.record(step)?,
            Kind::Closing => {
                self.names_record(step.document)?;
                self.go(Stage::Cleaned)?;
                self.closing_seq = Some(step.seq);
            }
            Kind::Signature | Kind::Refusal => self.word(step)?,
            Kind::Missed => self.go(Stage::Missed)?,
            Kind::Deferred => self.is_deferred = true,
            _ => {}
        }
        let class = field(step.document, "class");
        let nested = step.document.get("drill").and_then(|drill| field(drill, "class"));
        // Where entries differ, the stricter class stands.
        let named = class.or(nested).filter(|named| self.class.as_deref() < Some(*named));
        if let Some(named) = named {
            self.class = Some(named.to_owned());
        }
        Ok(())
    }

    fn go(&mut self, to: Stage) -> Result<(), StepError> {
        let from = self.stage;
        let fits = match to {
            Stage::Planned => from.is_none(),
            Stage::Approved => from.is_none() || from == Some(Stage::Planned),
            Stage::Preflight => from == Some(Stage::Approved),
            Stage::Restoring => from == Some(Stage::Preflight),
            Stage::Verifying => from == Some(Stage::Restoring),
            Stage::Measured => from == Some(Stage::Verifying),
            Stage::Aborted | Stage::Broken => {
                from.is_some_and(|from| (Stage::Approved..=Stage::Measured).contains(&from))
            }
            // Only a record leads there.
            Stage::Recorded => false,
            Stage::Cleaning => from == Some(Stage::Recorded),
            Stage::Cleaned => matches!(from, Some(Stage::Recorded | Stage::Cleaning)),
            Stage::AwaitingSignoff => from == Some(Stage::Cleaned),
            // Only signatures lead there.
            Stage::Signed => false,
            Stage::Closed if self.needs_signatures() => from == Some(Stage::Signed),
            Stage::Closed => {
                matches!(from, Some(Stage::Cleaned | Stage::AwaitingSignoff | Stage::Signed))
            }
            Stage::Missed => {
                from.is_none() || matches!(from, Some(Stage::Planned | Stage::Approved))
            }
        };
        // A transition says that cleaning is over no more than the record does.
        if !fits || (to == Stage::Cleaned && self.record.is_none()) {
            let from = from.map_or("nothing", Stage::name);
            return Err(StepError::Order { from, to: to.name() });
        }
        if matches!(to, Stage::Aborted | Stage::Broken) {
            self.exit = Some(to);
        }
        self.stage = Some(to);
        Ok(())
    }

    fn record(&mut self, step: &Step<'_>) -> Result<(), StepError> {
        if self.record.is_some() {
            return Err(StepError::SecondRecord);
        }
        let from = self.stage;
        if !matches!(from, Some(Stage::Measured | Stage::Aborted | Stage::Broken)) {
            let from = from.map_or("nothing", Stage::name);
            return Err(StepError::Order { from, to: Stage::Recorded.name() });
        }
        self.record = Some(RecordPlace { seq: step.seq, time: step.time, hash: step.hash });
        self.verdict = field(step.document, "verdict").map(str::to_owned);
        self.stage = Some(Stage::Recorded);
        Ok(())
    }

    fn names_record(&self, document: &Value) -> Result<(), StepError> {
        let record = self.record.ok_or(StepError::NoRecord)?;
        let named = field(document, "record").ok_or(StepError::Field { field: "record" })?;
        if named == record.hash.to_string() { Ok(()) } else { Err(StepError::OtherRecord) }
    }

    fn word(&mut self, step: &Step<'_>) -> Result<(), StepError> {
        self.names_record(step.document)?;
        if !matches!(self.stage, Some(Stage::Cleaned | Stage::AwaitingSignoff)) {
            let from = self.stage.map_or("nothing", Stage::name);
            return Err(StepError::Order { from, to: step.kind.name() });
        }
        let role = field(step.document, "role").and_then(role_named);
        let role = role.ok_or(StepError::Field { field: "role" })?;
        let opinion = field(step.document, "opinion");
        opinion.filter(|it| !it.trim().is_empty()).ok_or(StepError::Field { field: "opinion" })?;
        let author = document::author(step.document);
        let holder = author.ok_or(StepError::Field { field: "author" })?.to_owned();
        let is_refusal = step.kind == Kind::Refusal;
        if !is_refusal {
            let before = match role {
                Right::Owner => Some(Right::Operator),
                Right::Chair => Some(Right::Owner),
                _ => None,
            };
            if let Some(before) = before.filter(|before| !self.has_signed(*before)) {
                let (role, before) = (name_of(role), name_of(before));
                return Err(StepError::TooEarly { role, before });
            }
        }
        let other = |other: Right| {
            self.words.iter().any(|word| word.role == other && word.holder == holder)
        };
        let is_same = match role {
            Right::Owner => other(Right::Operator),
            Right::Operator => other(Right::Owner),
            _ => false,
        };
        if is_same {
            return Err(StepError::SamePerson);
        }
        self.words.push(Word { seq: step.seq, role, holder, is_refusal });
        let is_signed = role == Right::Chair && !is_refusal;
        self.stage = Some(if is_signed { Stage::Signed } else { Stage::AwaitingSignoff });
        Ok(())
    }
}

fn field<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
