//! The copies that drills have proven.

use std::collections::BTreeMap;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::verb::continuity::facts;
use crate::drill::record::Record;
use crate::drill::verdict::Verdict;
use crate::units::Timestamp;

/// Digits of an id that are typed.
const ID_CHARS: usize = 8;
/// Only what restored all of a dataset says how long that takes.
const FULL: &str = "full";

/// A copy of a dataset that a drill has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub short: String,
    pub taken: Timestamp,
    pub on: Timestamp,
    pub took_s: Option<u64>,
}

/// The newest proven copy of each dataset, by the records of this machine.
///
/// # Errors
/// When they cannot be read.
pub fn proven(context: &Context) -> Result<BTreeMap<String, Proven>, Failure> {
    let records = facts::records(context)?;
    Ok(newest(records.iter().map(|(record, _)| record)))
}

/// Of the snapshots that were proven and did not fail in the same drill or a later one, the newest
/// of each dataset. Records come in the order in which their drills ended.
fn newest<'r>(records: impl Iterator<Item = &'r Record>) -> BTreeMap<String, Proven> {
    let mut all: BTreeMap<(&str, &str), Proven> = BTreeMap::new();
    for record in records {
        let on = facts::time(&record.drill.ended_at);
        let good = |verdict| matches!(verdict, Verdict::Pass | Verdict::Conditional);
        for item in record.items.iter().filter(|item| good(item.verdict)) {
            let key = (item.dataset.as_str(), item.snapshot.as_str());
            let took_s = item.measures.rto_tech_s.filter(|_| item.mode == FULL);
            let before = all.get(&key).and_then(|proven| proven.took_s);
            let found = Proven {
                short: item.snapshot.chars().take(ID_CHARS).collect(),
                taken: facts::time(&item.taken_at),
                on,
                took_s: took_s.or(before),
            };
            all.insert(key, found);
        }
        for item in record.items.iter().filter(|item| item.verdict == Verdict::Fail) {
            all.remove(&(item.dataset.as_str(), item.snapshot.as_str()));
        }
    }
    let mut newest: BTreeMap<String, Proven> = BTreeMap::new();
    for ((dataset, _), found) in all {
        let is_newest = newest.get(dataset).is_none_or(|known| known.taken < found.taken);
        if is_newest {
            newest.insert(dataset.to_owned(), found);
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    const OLD: (&str, &str) = ("aaaaaaaa0000", "2026-01-01T08:00:00+07:00");
    const NEW: (&str, &str) = ("bbbbbbbb0000", "2026-11-01T08:00:00+07:00");

    fn item((snapshot, taken_at): (&str, &str), verdict: &str) -> Value {
        json!({
            "dataset": "files", "machine": "pc", "snapshot": snapshot, "taken_at": taken_at,
            "point": { "kind": "backup_began", "at": taken_at }, "stratum": "newest",
            "target": "main", "mode": "full", "logical_bytes": 0, "read_bytes": 0,
            "files_count": 0, "checked_count": 0, "marks": {}, "measures": { "rto_tech_s": 60 },
            "checks": [], "capsule": "absent", "min_proof": "L4", "verdict": verdict,
            "attack_signs": false,
        })
    }

    fn record(day: &str, items: &[Value]) -> Record {
        let at = format!("2026-11-{day}T08:00:00+07:00");
        let record = json!({
            "schema": "lifeboat/drill-record/1", "kind": "drill", "record_id": day,
            "drill": {
                "code": day, "class": "D2", "title": "", "period": "2026-11", "announced": true,
                "started_at": at, "ended_at": at,
            },
            "env": {
                "isolation": "", "volume": "", "host": "", "os": "", "tools": {}, "lease_s": 0,
            },
            "preflight": [], "items": items, "verdict": "pass",
            "privacy": { "personal_data": false, "access": [] },
        });
        serde_json::from_value(record).unwrap()
    }

    fn found(records: &[Record]) -> Option<(String, Option<u64>)> {
        newest(records.iter()).remove("files").map(|proven| (proven.short, proven.took_s))
    }

    #[test]
    fn a_drill_of_the_oldest_copy_does_not_take_the_place_of_the_newest() {
        let drills = [record("10", &[item(NEW, "pass")]), record("11", &[item(OLD, "pass")])];
        assert_eq!(found(&drills), Some(("bbbbbbbb".to_owned(), Some(60))));
        let both = record("12", &[item(NEW, "conditional"), item(OLD, "pass")]);
        assert_eq!(found(&[both]), Some(("bbbbbbbb".to_owned(), Some(60))));
    }

    #[test]
    fn what_failed_later_is_proven_no_more() {
        let passed = || record("10", &[item(OLD, "pass"), item(NEW, "pass")]);
        let failed = || record("11", &[item(NEW, "fail")]);
        let old = Some(("aaaaaaaa".to_owned(), Some(60)));
        assert_eq!(found(&[passed(), failed()]), old);
        // From one storage it came back, from another it did not.
        let parted = record("12", &[item(OLD, "fail"), item(OLD, "pass")]);
        assert_eq!(found(&[passed(), failed(), parted]), None);
        // What was not carried out to its end says nothing; what passes again is proven again.
        let broken = record("11", &[item(NEW, "inconclusive")]);
        let new = Some(("bbbbbbbb".to_owned(), Some(60)));
        assert_eq!(found(&[passed(), broken]), new);
        assert_eq!(found(&[passed(), failed(), record("12", &[item(NEW, "pass")])]), new);
    }

    #[test]
    fn a_sample_does_not_say_how_long_all_of_it_takes() {
        let mut sample = item(NEW, "pass");
        sample["mode"] = "sample".into();
        let new = |took_s| Some(("bbbbbbbb".to_owned(), took_s));
        assert_eq!(found(&[record("10", &[sample.clone()])]), new(None));
        let full = record("10", &[item(NEW, "pass")]);
        assert_eq!(found(&[full, record("11", &[sample])]), new(Some(60)));
    }
}
