//! Draws against the ledger that they stand in: its root, how old that was, and the pool that was
//! frozen.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::evidence::bundle::finding::Finding;
use crate::evidence::bundle::inspect::Draws;
use crate::evidence::entry::Entry;
use crate::evidence::entry::Kind;
use crate::evidence::tree::Tree;

/// A root counts once its last entry is as old: nobody who draws has made it for this draw.
pub const ROOT_AGE_MS: i64 = 24 * 60 * 60 * 1000;
/// Fields of a draw that a record repeats.
const OF_RECORD: [&str; 5] = ["seed", "root", "pool_hash", "word", "drawn"];
/// Fields that a draw takes from its pool as they are.
const OF_POOL: [&str; 4] = ["period", "plan", "pool_hash", "pool"];

/// The ledger, as far as it is in the bundle.
pub(super) struct Around<'a> {
    pub tree: &'a Tree,
    pub entries: BTreeMap<u64, &'a Entry>,
    /// Documents that can be believed.
    pub values: &'a BTreeMap<u64, (&'a Entry, Value)>,
    /// Whether nothing is missing: then something follows from what is not there.
    pub is_whole: bool,
}

/// A draw: its number, its entry and its document.
type Drawn<'a> = (u64, &'a Entry, &'a Value);

impl Around<'_> {
    pub(super) fn judge(&self, draws: &dyn Draws) -> Vec<Finding> {
        let mut findings = self.again();
        findings.extend(self.records());
        for (seq, (entry, value)) in self.values {
            let seq = *seq;
            if entry.kind != Kind::Draw {
                continue;
            }
            match draws.is_as_drawn(value) {
                Some(true) if self.follows((seq, entry, value)) => {}
                Some(_) => findings.push(Finding::Draw { seq }),
                None => findings.push(Finding::DrawNotRepeated { seq }),
            }
        }
        findings
    }

    /// Draws of a period that had one: whoever may repeat it chooses the result.
    fn again(&self) -> Vec<Finding> {
        let mut firsts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut findings = Vec::new();
        for (seq, entry) in self.entries.iter().filter(|(_, it)| it.kind == Kind::Draw) {
            match firsts.get(entry.subject.as_str()) {
                None => {
                    firsts.insert(&entry.subject, *seq);
                }
                Some(first) => {
                    let period = entry.subject.clone();
                    findings.push(Finding::DrawAgain { seq: *seq, period, first: *first });
                }
            }
        }
        findings
    }

    /// Records of drills that were drawn otherwise than by a draw of this ledger.
    fn records(&self) -> Vec<Finding> {
        let all = || self.values.iter().map(|(seq, (entry, value))| (*seq, entry.kind, value));
        let draws = || all().filter(|(_, kind, _)| *kind == Kind::Draw);
        let records = all().filter(|(_, kind, _)| *kind == Kind::Record);
        let drawn = records.filter_map(|(seq, _, value)| Some((seq, value.get("selection")?)));
        let is_other = |(seq, selection): &(u64, &Value)| {
            let is_it = |draw: &Value| {
                OF_RECORD.iter().all(|field| draw.get(field) == selection.get(field))
            };
            self.is_whole && !draws().any(|(own, _, draw)| own < *seq && is_it(draw))
        };
        drawn.filter(is_other).map(|(seq, _)| Finding::OtherDraw { seq }).collect()
    }

    /// Whether a draw took what was in the ledger before it, as far as that can be told.
    fn follows(&self, draw: Drawn<'_>) -> bool {
        let (_, entry, value) = draw;
        let period = value.get("period").and_then(Value::as_str);
        period == Some(entry.subject.as_str()) && self.has_root(draw) && self.has_pool(draw)
    }

    fn has_root(&self, (seq, entry, value): Drawn<'_>) -> bool {
        let size = value.get("root_size").and_then(Value::as_u64);
        let Some(size) = size.filter(|size| (1..seq).contains(size)) else { return false };
        let said = value.get("root").and_then(Value::as_str);
        let is_root = match self.tree.root(size) {
            Some(root) => said == Some(root.to_string().as_str()),
            None => !self.is_whole,
        };
        let is_old = match self.entries.get(&size) {
            Some(last) => entry.time.at.ms_since(last.time.at) >= ROOT_AGE_MS,
            None => !self.is_whole,
        };
        is_root && is_old
    }

    /// Whether the pool that was frozen last, and not drawn from since, is the one drawn from.
    fn has_pool(&self, (seq, entry, value): Drawn<'_>) -> bool {
        let before = self.entries.range(..seq).rev().find(|(_, it)| {
            matches!(it.kind, Kind::Pool | Kind::Draw) && it.subject == entry.subject
        });
        let pool = before.filter(|(_, it)| it.kind == Kind::Pool);
        let pool = pool.and_then(|(seq, _)| self.values.get(seq));
        match pool {
            Some((_, pool)) => {
                // Another pool may be among what is missing.
                let is_same = OF_POOL.iter().all(|field| pool.get(field) == value.get(field));
                is_same || !self.is_whole
            }
            None => !self.is_whole,
        }
    }
}
