//! What follows a drill that showed that data would not come back: pure functions.
//!
//! It is planned from the record alone and carried out by whoever held the drill; what was done is
//! kept beside the record and in the ledger.

pub mod search;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::drill::engine::told;
use crate::drill::record::Action;
use crate::drill::record::Check;
use crate::drill::record::Item;
use crate::drill::record::Record;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::units::Timestamp;

/// Version of what is kept of a corrective action.
pub const SCHEMA: &str = "lifeboat/corrective-action/1";
/// A new drill is due within so many days.
pub const REDRILL_DAYS: i64 = 7;
/// Stratum of snapshots that are looked through for the newest good one.
pub const SEARCH: &str = "search";
/// Checks that a finding names; the record has all.
const NAMED_MAX: usize = 3;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// A corrective action with what was done at once. The last one of an id stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    pub schema: String,
    pub id: String,
    pub state: State,
    /// Code of the drill that it follows.
    pub drill: String,
    pub dataset: String,
    pub failures: Vec<FailureCode>,
    pub attack_signs: bool,
    /// Of the snapshot that failed; empty if there was none.
    pub snapshot: String,
    pub stratum: String,
    pub taken_at: String,
    /// Date of the new drill.
    pub due: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub search: Option<Sought>,
    /// Snapshots that were pinned against retention.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pinned: Vec<String>,
    /// Whether retention of the dataset was frozen.
    pub frozen: bool,
    /// Code of the drill that closed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Open,
    Closed,
}

/// What the search for the newest good snapshot found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    pub ended: SearchEnd,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub newest_good: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub taken_at: Option<String>,
    /// Every drill of the search, in order.
    pub tried: Vec<Tried>,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchEnd {
    /// The next newer one is bad.
    Found,
    /// None of those that were tried is good, down to the oldest.
    NoneGood,
    /// Time or number of drills was used up.
    Budget,
    /// A drill came to no conclusion.
    Inconclusive,
}

/// One drill of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub drill: String,
    pub snapshot: String,
    pub verdict: Verdict,
}

/// Whether a failure says something about the data, or about what opens it.
#[must_use]
pub const fn is_about_data(code: FailureCode) -> bool {
    matches!(code, FailureCode::F1 | FailureCode::F2 | FailureCode::F3 | FailureCode::F6)
}

/// Whether a dataset counts as proven: judged so, up to the level that it needs.
#[must_use]
pub fn is_proven(item: &Item) -> bool {
    item.verdict >= Verdict::Conditional
        && item.proof_level.is_some_and(|level| level >= item.min_proof)
}

/// What is to be done after a drill that began at `began`, a dataset each.
#[must_use]
pub fn plan(record: &Record, began: Timestamp, offset_s: i32) -> Vec<Followed> {
    let due = Timestamp { unix_ms: began.unix_ms.saturating_add(REDRILL_DAYS * DAY_MS) };
    let due: String = told(due, offset_s).chars().take(10).collect();
    let has_failed = |item: &&Item| {
        item.stratum != SEARCH && item.failures.iter().any(|code| is_about_data(*code))
    };
    let code = &record.drill.code;
    let followed = |item: &Item| Followed {
        schema: SCHEMA.to_owned(),
        id: format!("{code}.{}", item.dataset),
        state: State::Open,
        drill: code.clone(),
        dataset: item.dataset.clone(),
        failures: item.failures.clone(),
        attack_signs: item.attack_signs,
        snapshot: item.snapshot.clone(),
        stratum: item.stratum.clone(),
        taken_at: item.taken_at.clone(),
        due: due.clone(),
        search: None,
        pinned: Vec::new(),
        frozen: false,
        closed_by: None,
    };
    record.items.iter().filter(has_failed).map(followed).collect()
}

/// The same as records have it: without what is done only after the record was kept.
#[must_use]
pub fn actions(record: &Record, planned: &[Followed]) -> Vec<Action> {
    let finding = |followed: &Followed| {
        let codes: Vec<String> = followed.failures.iter().map(|code| format!("{code:?}")).collect();
        let item = record.items.iter().find(|item| item.dataset == followed.dataset);
        let checks = item.map(failed_checks).unwrap_or_default();
        format!("{}: {} ({checks})", followed.dataset, codes.join(", "))
    };
    let action = |followed: &Followed| Action {
        id: followed.id.clone(),
        finding: finding(followed),
        action: "find the cause, back up anew and drill that".to_owned(),
        owner: None,
        due: followed.due.clone(),
        redrill: true,
    };
    planned.iter().map(action).collect()
}

fn failed_checks(item: &Item) -> String {
    let is_bad = |check: &&Check| {
        check.mandatory && !matches!(check.result, Outcome::Pass | Outcome::NotApplicable)
    };
    let bad: Vec<&str> = item.checks.iter().filter(is_bad).map(|check| check.id.as_str()).collect();
    let named = bad.get(..bad.len().min(NAMED_MAX)).unwrap_or_default().join(", ");
    match bad.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        Some(more) => format!("{named}, +{more}"),
        None => named,
    }
}

/// Whether a drill closes an action: its dataset is proven, by a snapshot that is no older than the
/// one that failed, and from the same place in time.
#[must_use]
pub fn closes(record: &Record, open: &Followed) -> bool {
    let since = moment(&open.taken_at);
    record.items.iter().any(|item| {
        let is_same = item.stratum == open.stratum || item.snapshot == open.snapshot;
        let is_late = moment(&item.taken_at) >= since;
        item.dataset == open.dataset && is_same && is_late && is_proven(item)
    })
}

fn moment(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// Actions that no drill has closed, of all that were ever kept, the oldest first.
#[must_use]
pub fn open(kept: impl IntoIterator<Item = Followed>) -> Vec<Followed> {
    let mut last: BTreeMap<String, (usize, Followed)> = BTreeMap::new();
    for (at, followed) in kept.into_iter().enumerate() {
        let first = last.get(&followed.id).map_or(at, |(first, _)| *first);
        last.insert(followed.id.clone(), (first, followed));
    }
    let mut open: Vec<_> = last.into_values().filter(|it| it.1.state == State::Open).collect();
    open.sort_by_key(|(first, _)| *first);
    open.into_iter().map(|(_, followed)| followed).collect()
}

#[cfg(test)]
mod tests;
