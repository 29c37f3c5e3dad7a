//! Which snapshots stay, and why.
//!
//! What it is: rules as people write them, and a pure function from rules and snapshots to the
//! reasons for which each one stays.
//! Never: reads a clock, a storage or a time zone from its surroundings; removes anything.
//! Invariants: the newest snapshot of a group always stays; a snapshot without a reason is the only
//! kind that may go; what is unsure stays; the order in which snapshots are given changes nothing.
//! Start reading at: [`plan`].

pub mod change;
pub mod rule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::retention::rule::Limit;
use crate::retention::rule::Rule;
use crate::retention::rule::Unit;
use crate::units::Timestamp;

/// What has this word stays.
pub const PINNED: &str = "pinned";
/// A drill has proven it: the newest of its dataset stays.
pub const DRILL_PROVEN: &str = "drill-proven";
/// A drill saw signs of an attack in it: of its dataset nothing is removed.
pub const ATTACK_SIGNS: &str = "attack-signs";
/// Words that count only if an administrator's note says them, for a machine that was taken over
/// may call its snapshots anything.
pub const BY_NOTE_ONLY: [&str; 2] = [DRILL_PROVEN, ATTACK_SIGNS];

/// What the rules look at of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// When the storage received it: a machine that lies about its clock gains nothing.
    pub received: Timestamp,
    /// Its number in the chain, between two of one time.
    pub seq: u64,
    pub tags: Vec<String>,
    pub holds: Vec<Hold>,
}

/// What makes a snapshot stay whatever the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Somebody said that it must stay.
    Pinned,
    /// The newest of its dataset that a drill has proven.
    Proven,
    /// The storage and the machine disagree about when it was made.
    TimeInDoubt,
    /// Its machine was revoked before it came: it stands for nothing, and nobody but who names it
    /// removes it.
    Suspect,
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// By a rule for spans of time: as the first of its span, the last, or both.
    Spread {
        unit: Unit,
        limit: Limit,
        place: InSpan,
    },
    /// It has all these tags.
    Tags(Vec<String>),
    Pinned,
    Proven,
    TimeInDoubt,
    Suspect,
    /// Nothing of its group would be left.
    Newest,
}

impl From<Hold> for Reason {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::Pinned => Self::Pinned,
            Hold::Proven => Self::Proven,
            Hold::TimeInDoubt => Self::TimeInDoubt,
            Hold::Suspect => Self::Suspect,
        }
    }
}

/// Where a snapshot stands in its span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InSpan {
    First,
    Last,
    Only,
}

/// The reasons for which each snapshot of one group stays, in the order given; those without a
/// reason may go. Days, weeks and months are those of `zone`.
#[must_use]
pub fn plan(rules: &[Rule], zone: &TimeZone, group: &[Candidate]) -> Vec<Vec<Reason>> {
    let mut reasons = vec![Vec::new(); group.len()];
    let mut newest_first: Vec<usize> = (0..group.len()).collect();
    newest_first.sort_by_key(|&at| {
        let candidate = group.get(at);
        std::cmp::Reverse(candidate.map(|it| (it.received, it.seq, at)))
    });
    let ordered: Vec<(usize, &Candidate)> =
        newest_first.iter().filter_map(|&at| Some((at, group.get(at)?))).collect();
    let mut keep = |at: usize, reason: Reason| {
        if let Some(reasons) = reasons.get_mut(at) {
            reasons.push(reason);
        }
    };
    for (at, candidate) in &ordered {
        for hold in &candidate.holds {
            keep(*at, (*hold).into());
        }
    }
    for rule in rules {
        match rule {
            Rule::Tags(tags) => {
                let has = |candidate: &Candidate| tags.iter().all(|it| candidate.tags.contains(it));
                let tagged = ordered.iter().filter(|(_, candidate)| has(candidate));
                tagged.for_each(|(at, _)| keep(*at, Reason::Tags(tags.clone())));
            }
            Rule::Spread { unit, limit } => {
                for (at, place) in spread(*unit, *limit, zone, &ordered) {
                    keep(at, Reason::Spread { unit: *unit, limit: *limit, place });
                }
            }
        }
    }
    // What may be a thief's does not stand for what is left.
    let trusted = ordered.iter().find(|(_, it)| !it.holds.contains(&Hold::Suspect));
    if let Some(newest) = trusted.and_then(|(at, _)| reasons.get_mut(*at))
        && newest.is_empty()
    {
        newest.push(Reason::Newest);
    }
    reasons
}

/// The first and the last snapshot of each span that the limit takes in. A snapshot whose time is
/// in doubt, or that is suspect, stays anyway and stands for no span.
fn spread(
    unit: Unit,
    limit: Limit,
    zone: &TimeZone,
    newest_first: &[(usize, &Candidate)],
) -> Vec<(usize, InSpan)> {
    let sure = || {
        let is_sure = |hold: &Hold| !matches!(hold, Hold::TimeInDoubt | Hold::Suspect);
        newest_first.iter().filter(move |(_, candidate)| candidate.holds.iter().all(is_sure))
    };
    let Some((_, newest)) = sure().next() else { return Vec::new() };
    let since = limit.since(newest.received, zone);
    let recent = sure().filter(|(_, it)| since.is_none_or(|since| it.received >= since));
    // By the span, newest first: its last snapshot and its first.
    let mut spans: BTreeMap<std::cmp::Reverse<rule::Span>, (usize, usize)> = BTreeMap::new();
    for (number, (at, candidate)) in recent.enumerate() {
        let span = unit.span(candidate.received, zone, number);
        spans.entry(std::cmp::Reverse(span)).or_insert((*at, *at)).1 = *at;
    }
    let mut kept = Vec::new();
    for (last, first) in spans.into_values().take(limit.count()) {
        if first == last {
            kept.push((last, InSpan::Only));
        } else {
            kept.extend([(last, InSpan::Last), (first, InSpan::First)]);
        }
    }
    kept
}
