//! What stays and what goes, group by group.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::choose::snapshot::narrow;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::table::keeping::forget as texts;
use crate::cli::language::table::keeping::rotation;
use crate::cli::language::table::read;
use crate::cli::language::value::Value;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::cli::verb::forget::ForgetArgs;
use crate::cli::verb::forget::GroupBy;
use crate::cli::verb::forget::TimeOf;
use crate::cli::verb::forget::freeze;
use crate::cli::verb::forget::freeze::Dataset;
use crate::cli::verb::forget::place;
use crate::ids::SnapshotId;
use crate::path::escape;
use crate::retention;
use crate::retention::Candidate;
use crate::retention::Hold;
use crate::retention::InSpan;
use crate::retention::Reason;
use crate::retention::change::MassChange;
use crate::retention::rule::Rule;
use crate::units::Timestamp;

pub(super) const HOUR_MS: i64 = 3_600_000;
/// A backup that a machine began this long before the storage had it cannot be: a session lasts 72
/// hours at most. Then the storage's date is that of a copy.
const UPLOAD_MS_MAX: i64 = 73 * HOUR_MS;

/// Snapshots that the rules look at together.
pub(super) struct Group<'a> {
    pub name: String,
    pub members: Vec<Decided<'a>>,
    /// Why nothing is removed.
    pub frozen: Option<Freeze>,
}

/// What looks like an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Freeze {
    /// Too much of a dataset changed or vanished at once.
    Changed(MassChange),
    /// A drill saw it in this snapshot.
    Drill { snapshot: SnapshotId },
}

/// One snapshot and what becomes of it.
pub(super) struct Decided<'a> {
    pub snapshot: &'a Snapshot,
    pub received: Timestamp,
    pub reasons: Vec<Why>,
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    Rule(Reason),
    /// Something looks like an attack on its dataset.
    Frozen(Freeze),
}

impl Decided<'_> {
    pub(super) const fn goes(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// By the rules, each group for itself.
pub(super) fn by_rules<'a>(
    context: &Context,
    (keys, all): (&Keys, &'a [Snapshot]),
    args: &ForgetArgs,
    (rules, zone): (&[Rule], &TimeZone),
) -> Result<Vec<Group<'a>>, Failure> {
    let mut grouped: BTreeMap<Vec<String>, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in narrow(all, &args.filter) {
        let key = args.how.group_by.iter().map(|by| key(snapshot, *by)).collect();
        grouped.entry(key).or_default().push(snapshot);
    }
    let mut frozen =
        if args.how.accept_change { BTreeMap::new() } else { freeze::changed(context, keys, all)? };
    // Who knows why much has changed has not looked at what a drill saw.
    frozen.extend(freeze::attacked(all));
    let proven = newest_proven(all);
    let mut groups = Vec::new();
    for members in grouped.into_values() {
        let mut candidates = Vec::new();
        for snapshot in &members {
            let time = time(context, (keys, snapshot), args.how.time)?;
            let pinned =
                snapshot.tags.iter().any(|tag| tag == retention::PINNED).then_some(Hold::Pinned);
            let in_doubt = time.in_doubt.then_some(Hold::TimeInDoubt);
            let suspect = snapshot.suspect_since.map(|_| Hold::Suspect);
            let proven = proven.contains(&snapshot.id).then_some(Hold::Proven);
            let holds = pinned.into_iter().chain(proven).chain(in_doubt).chain(suspect).collect();
            let (received, seq) = (time.at, snapshot.seq);
            candidates.push(Candidate { received, seq, tags: snapshot.tags.clone(), holds });
        }
        let reasons = retention::plan(rules, zone, &candidates);
        let is_frozen = |it: &&Snapshot| frozen.get(&(it.machine, it.source)).copied();
        let frozen_now = members.iter().filter_map(is_frozen).max();
        let mut decided: Vec<Decided<'_>> = members
            .into_iter()
            .zip(candidates)
            .zip(reasons)
            .map(|((snapshot, candidate), reasons)| {
                let mut reasons: Vec<Why> = reasons.into_iter().map(Why::Rule).collect();
                if reasons.is_empty() {
                    reasons.extend(is_frozen(&snapshot).map(Why::Frozen));
                }
                Decided { snapshot, received: candidate.received, reasons }
            })
            .collect();
        decided.sort_by_key(|it| (it.received, it.snapshot.seq, it.snapshot.id));
        let name = decided.first().map(|it| name(it.snapshot)).unwrap_or_default();
        groups.push(Group { name, members: decided, frozen: frozen_now });
    }
    Ok(groups)
}

/// Those that are named go; nothing else is looked at.
pub(super) fn by_ids<'a>(
    context: &Context,
    (keys, all): (&Keys, &'a [Snapshot]),
    args: &ForgetArgs,
) -> Result<Vec<Group<'a>>, Failure> {
    let mut chosen = opened::several(all, &args.ids, &args.filter)?;
    chosen.sort_by_key(|it| (it.machine, it.source, it.seq, it.id));
    chosen.dedup_by_key(|it| it.id);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for snapshot in chosen {
        let received = time(context, (keys, snapshot), args.how.time)?.at;
        let decided = Decided { snapshot, received, reasons: Vec::new() };
        let dataset = |it: &Snapshot| (it.machine, it.source);
        match groups.last_mut() {
            Some(group)
                if group.members.last().map(|it| dataset(it.snapshot))
                    == Some(dataset(snapshot)) =>
            {
                group.members.push(decided);
            }
            _ => groups.push(Group { name: name(snapshot), members: vec![decided], frozen: None }),
        }
    }
    Ok(groups)
}

fn key(snapshot: &Snapshot, by: GroupBy) -> String {
    match by {
        GroupBy::Dataset => format!("{} {}", snapshot.machine, snapshot.source),
        GroupBy::Host => escape(&snapshot.host),
        GroupBy::Paths => snapshot.paths_text(),
        GroupBy::Tags => {
            let mut tags = snapshot.tags.clone();
            tags.sort_unstable();
            tags.join(",")
        }
    }
}

fn name(snapshot: &Snapshot) -> String {
    format!("{}: {}", escape(&snapshot.host), snapshot.paths_text())
}

pub(super) struct When {
    pub at: Timestamp,
    in_doubt: bool,
}

/// When a snapshot was made. A machine whose clock runs ahead changes nothing, since the storage's
/// date counts. A storage that is much later than the machine has been copied from elsewhere, or
/// the machine's clock is far behind; either way the snapshot stays.
pub(super) fn time(
    context: &Context,
    (keys, snapshot): (&Keys, &Snapshot),
    of: TimeOf,
) -> Result<When, Failure> {
    let machine = snapshot.time;
    if of == TimeOf::Machine {
        return Ok(When { at: machine, in_doubt: false });
    }
    let received = keys.repository.vault().received(&context.run, &place(snapshot))?;
    Ok(match received {
        // It went away meanwhile.
        None => When { at: machine, in_doubt: true },
        Some(at) => When { at, in_doubt: at.ms_since(machine) > UPLOAD_MS_MAX },
    })
}

/// Of each dataset the newest snapshot that a drill has proven.
fn newest_proven(all: &[Snapshot]) -> BTreeSet<SnapshotId> {
    let mut newest: BTreeMap<Dataset, &Snapshot> = BTreeMap::new();
    for snapshot in all.iter().filter(|it| has(it, retention::DRILL_PROVEN)) {
        let known = newest.entry((snapshot.machine, snapshot.source)).or_insert(snapshot);
        if snapshot.seq > known.seq {
            *known = snapshot;
        }
    }
    newest.into_values().map(|snapshot| snapshot.id).collect()
}

pub(super) fn has(snapshot: &Snapshot, word: &str) -> bool {
    snapshot.tags_later.iter().any(|tag| tag == word)
}

/// For programs.
pub(super) fn code(why: &Why) -> String {
    match why {
        Why::Frozen(_) => "frozen".to_owned(),
        Why::Rule(Reason::Spread { unit, limit, place }) => {
            let rule = Rule::Spread { unit: *unit, limit: *limit };
            match place {
                InSpan::Only => rule.to_string(),
                InSpan::First => format!("{rule} first"),
                InSpan::Last => format!("{rule} last"),
            }
        }
        Why::Rule(Reason::Tags(tags)) => Rule::Tags(tags.clone()).to_string(),
        Why::Rule(Reason::Pinned) => "pinned".to_owned(),
        Why::Rule(Reason::Proven) => "proven".to_owned(),
        Why::Rule(Reason::TimeInDoubt) => "time in doubt".to_owned(),
        Why::Rule(Reason::Suspect) => "suspect".to_owned(),
        Why::Rule(Reason::Newest) => "newest".to_owned(),
    }
}

fn reason(why: &Why, language: Language) -> String {
    let text = match why {
        Why::Frozen(Freeze::Changed(_)) => texts::FROZEN,
        Why::Frozen(Freeze::Drill { .. }) => texts::ATTACK,
        Why::Rule(Reason::Spread { unit, limit, place }) => {
            let rule = Rule::Spread { unit: *unit, limit: *limit }.to_string();
            let text = match place {
                InSpan::Only => return rule,
                InSpan::First => texts::FIRST,
                InSpan::Last => texts::LAST,
            };
            return text.with("rule", rule).told_in(language);
        }
        Why::Rule(Reason::Tags(tags)) => return Rule::Tags(tags.clone()).to_string(),
        Why::Rule(Reason::Pinned) => texts::PINNED,
        Why::Rule(Reason::Proven) => texts::PROVEN,
        Why::Rule(Reason::TimeInDoubt) => texts::IN_DOUBT,
        Why::Rule(Reason::Suspect) => rotation::SUSPECT_STAYS,
        Why::Rule(Reason::Newest) => texts::NEWEST,
    };
    text.words(language).to_owned()
}

/// A group as a table.
pub(super) fn text(group: &Group<'_>, language: Language) -> String {
    let columns = [texts::ACTION, read::ID, texts::RECEIVED, read::TAGS, texts::WHY]
        .map(|title| (title.words(language), Align::Left));
    let row = |decided: &Decided<'_>| {
        let action = if decided.goes() { texts::REMOVE } else { texts::KEEP };
        let reasons = decided.reasons.iter().map(|why| reason(why, language));
        vec![
            action.words(language).to_owned(),
            decided.snapshot.id.short(),
            Value::from(decided.received).told_in(language),
            escape(decided.snapshot.tags.join(",").as_bytes()),
            reasons.collect::<Vec<_>>().join("; "),
        ]
    };
    let rows: Vec<_> = group.members.iter().map(row).collect();
    format!("{}\n{}\n\n", group.name, table::render(&columns, &rows))
}
