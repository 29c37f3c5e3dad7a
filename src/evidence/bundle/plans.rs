//! Drills that should have been held, and drills that have not come to their end.

use serde_json::Value;

use crate::evidence::bundle::finding::Finding;
use crate::evidence::drill::DrillState;
use crate::evidence::drill::Stage;
use crate::evidence::entry::LedgerTime;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A drill that a programme, or its own planning, names, and by when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) text: String,
    pub(super) at: LedgerTime,
}

/// What a programme plans: `drills`, each with `drill` and `due`.
pub(super) fn planned(programme: &Value) -> Vec<(String, Due)> {
    let drills = programme.get("drills").and_then(Value::as_array);
    let row = |row: &Value| {
        let drill = row.get("drill").and_then(Value::as_str)?;
        Some((drill.to_owned(), due(row)?))
    };
    drills.into_iter().flatten().filter_map(row).collect()
}

/// The field `due`, a time as entries have it.
pub(super) fn due(document: &Value) -> Option<Due> {
    let text = document.get("due").and_then(Value::as_str)?;
    Some(Due { text: text.to_owned(), at: LedgerTime::parse(text)? })
}

/// A drill by its entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) state: DrillState,
    /// Of its last entry.
    pub(super) last: Option<LedgerTime>,
    pub(super) due: Option<Due>,
}

/// What is open or missing as of the last entry of all.
pub(super) fn judge<'a>(
    drills: impl Iterator<Item = (&'a String, &'a Seen)>,
    head: LedgerTime,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (drill, seen) in drills {
        let (state, drill) = (&seen.state, drill.clone());
        for word in state.refusals() {
            let (drill, holder) = (drill.clone(), word.holder.clone());
            findings.push(Finding::Refused { drill, holder });
        }
        let is_late =
            |time: LedgerTime| head.at.ms_since(time.at) > Finding::PATIENCE_DAYS * DAY_MS;
        match (state.stage, state.record) {
            (Some(Stage::Closed | Stage::Missed), _) => {}
            (_, Some(record)) if is_late(record.time) && state.closing_seq.is_none() => {
                findings.push(Finding::NoClosing { drill });
            }
            (Some(Stage::Signed), Some(_)) => {}
            (_, Some(record)) if is_late(record.time) && state.needs_signatures() => {
                findings.push(Finding::NoSignatures { drill });
            }
            (stage, None) if stage.is_none_or(|stage| stage <= Stage::Approved) => {
                match &seen.due {
                    Some(due) if due.at.at < head.at && !state.is_deferred => {
                        let due = due.text.clone();
                        findings.push(Finding::NotHeld { drill, due });
                    }
                    _ => {}
                }
            }
            (Some(_), None) if seen.last.is_some_and(is_late) => {
                findings.push(Finding::NoRecord { drill });
            }
            (Some(stage), _) => findings.push(Finding::Open { drill, stage }),
            (None, _) => {}
        }
    }
    findings
}
