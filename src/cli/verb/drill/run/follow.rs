//! What is done at once after a drill that showed that data would not come back.

use std::time::Duration;

use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::verb::drill::run::carry;
use crate::cli::verb::drill::run::carry::Desk;
use crate::cli::verb::drill::run::chain::Chain;
use crate::cli::verb::drill::run::pick;
use crate::cli::verb::tag;
use crate::crypto::random_bytes;
use crate::drill::engine;
use crate::drill::follow;
use crate::drill::follow::Followed;
use crate::drill::follow::SEARCH;
use crate::drill::follow::SearchEnd;
use crate::drill::follow::Sought;
use crate::drill::follow::Tried;
use crate::drill::follow::search;
use crate::drill::follow::search::Search;
use crate::drill::plan::More;
use crate::drill::plan::Plan;
use crate::drill::plan::Planned;
use crate::drill::plan::Room;
use crate::drill::record::Record;
use crate::drill::verdict::Verdict;
use crate::ids::RunId;
use crate::retention;
use crate::run::monitor::Severity;

/// Searches are no formal drills: nobody signs them.
const SEARCH_CLASS: &str = "D1";

/// The drill that is over.
pub struct Past<'a> {
    pub plan: &'a Plan,
    pub record: &'a Record,
    /// By the clock that never jumps: the search ends with the drill's lease.
    pub began: Duration,
}

/// Marks what is proven, and does what was planned; `code` becomes the ledger's newest. The second
/// says whether it was stopped.
///
/// Nothing of it fails the drill, which is over.
pub fn react(
    context: &Context,
    desk: &Desk<'_>,
    (past, planned, code): (&Past<'_>, Vec<Followed>, &mut String),
) -> (Vec<Followed>, Result<(), Failure>) {
    mark_proven(context, desk, past.record);
    let mut followed = planned;
    let mut done = Ok(());
    for followed in &mut followed {
        done = done.and_then(|()| {
            hold(context, desk, followed);
            sought(context, desk, (past, followed))
        });
    }
    if !followed.is_empty() {
        match told(context, desk, (past, &followed)) {
            Ok(newest) => *code = newest,
            Err(failure) => context.problem(Severity::Problem, texts::ACTIONS, failure.message),
        }
    }
    (followed, done)
}

/// What was done stands in the ledger too.
fn told(
    context: &Context,
    desk: &Desk<'_>,
    (past, followed): (&Past<'_>, &[Followed]),
) -> Result<String, Failure> {
    let record = past.record;
    let chain = Chain::resume(context, desk.keys, &record.drill.code)?;
    followed.iter().for_each(|followed| chain.action(followed));
    let code = chain.finish()?;
    desk.drills.keep_code(&record.record_id, &code)?;
    Ok(code)
}

fn of<'s>(desk: &Desk<'s>, id: &str) -> Option<&'s Snapshot> {
    desk.snapshots.iter().find(|snapshot| snapshot.id.to_string() == id)
}

fn has(snapshot: &Snapshot, word: &str) -> bool {
    snapshot.tags_later.iter().any(|tag| tag == word)
}

/// Adds or takes a word; whether it is as wanted.
fn mark(
    context: &Context,
    desk: &Desk<'_>,
    (snapshot, change, comment): (&Snapshot, tag::Change<'_>, &str),
) -> bool {
    let marked = tag::mark(context, desk.keys, (snapshot, change, comment));
    if let Err(failure) = marked {
        let subject = texts::A_MARK.with("id", snapshot.id.short());
        context.problem(Severity::Problem, subject, failure.message);
        return false;
    }
    true
}

/// What is proven may be told by retention, and what is proven no more is not.
pub fn mark_proven(context: &Context, desk: &Desk<'_>, record: &Record) {
    for item in &record.items {
        let Some(snapshot) = of(desk, &item.snapshot) else { continue };
        let is_marked = has(snapshot, retention::DRILL_PROVEN);
        let change = match (item.verdict, is_marked) {
            (Verdict::Fail, true) => tag::Change::Take(retention::DRILL_PROVEN),
            (_, false) if follow::is_proven(item) => tag::Change::Add(retention::DRILL_PROVEN),
            _ => continue,
        };
        mark(context, desk, (snapshot, change, ""));
    }
}

/// Pins the newest that is known to be good, and freezes retention where somebody may be at work.
fn hold(context: &Context, desk: &Desk<'_>, followed: &mut Followed) {
    let Some(failed) = of(desk, &followed.snapshot) else { return };
    let comment = format!("drill {}", followed.drill);
    if followed.attack_signs {
        let change = tag::Change::Add(retention::ATTACK_SIGNS);
        followed.frozen = mark(context, desk, (failed, change, &comment));
    }
    let proven = desk
        .snapshots
        .iter()
        .filter(|it| (it.machine, it.source) == (failed.machine, failed.source))
        .filter(|it| it.id != failed.id && has(it, retention::DRILL_PROVEN))
        .max_by_key(|it| it.seq);
    if let Some(proven) = proven {
        pin(context, desk, (proven, followed));
    }
}

fn pin(context: &Context, desk: &Desk<'_>, (snapshot, followed): (&Snapshot, &mut Followed)) {
    let id = snapshot.id.to_string();
    let comment = format!("drill {}", followed.drill);
    let change = tag::Change::Add(retention::PINNED);
    if !followed.pinned.contains(&id) && mark(context, desk, (snapshot, change, &comment)) {
        followed.pinned.push(id);
    }
}

/// Drills older snapshots of the dataset for the newest good one, which is pinned.
fn sought(
    context: &Context,
    desk: &Desk<'_>,
    (past, followed): (&Past<'_>, &mut Followed),
) -> Result<(), Failure> {
    let Some(failed) = of(desk, &followed.snapshot) else { return Ok(()) };
    let is_item = |item: &&Planned| item.snapshot.id == followed.snapshot;
    let Some(planned) = past.plan.items.iter().find(is_item) else { return Ok(()) };
    let is_older = |it: &&Snapshot| {
        (it.machine, it.source) == (failed.machine, failed.source)
            && it.seq < failed.seq
            && it.suspect_since.is_none()
            && it.tags.contains(&followed.dataset)
    };
    let mut older: Vec<&Snapshot> = desk.snapshots.iter().filter(is_older).collect();
    older.sort_by_key(|it| std::cmp::Reverse(it.seq));
    let mut search = Search::new(older.len());
    let mut tried = Vec::new();
    let mut stopped = Ok(());
    let ended = loop {
        let Some((at, snapshot)) = search.next().and_then(|at| Some((at, *older.get(at)?))) else {
            let has_found = search.good().is_some();
            break if has_found { SearchEnd::Found } else { SearchEnd::NoneGood };
        };
        let spent = context.run.clock.elapsed().saturating_sub(past.began);
        let left = past.plan.room.lease.saturating_sub(spent);
        if tried.len() >= search::DRILLS_MAX || left.is_zero() {
            break SearchEnd::Budget;
        }
        match look(context, desk, (past, planned, snapshot, left)) {
            Ok((drill, verdict)) => {
                tried.push(Tried { drill, snapshot: snapshot.id.to_string(), verdict });
                match verdict {
                    Verdict::Pass | Verdict::Conditional => search.is_good(at),
                    Verdict::Fail => search.is_bad(at),
                    Verdict::Inconclusive => break SearchEnd::Inconclusive,
                }
            }
            Err(failure) => {
                if context.run.check().is_err() {
                    stopped = Err(failure);
                } else {
                    let subject = texts::A_SEARCH.with("name", followed.dataset.as_str());
                    context.problem(Severity::Problem, subject, failure.message);
                }
                break SearchEnd::Inconclusive;
            }
        }
    };
    let good = search.good().and_then(|at| older.get(at).copied());
    let taken_at = good.map(|good| engine::told(good.time, past.plan.offset_s));
    let newest_good = good.map(|good| good.id.to_string());
    followed.search = Some(Sought { ended, newest_good, taken_at, tried });
    if let Some(good) = good {
        pin(context, desk, (good, followed));
    }
    stopped
}

/// One drill of a search: its code, and what it found.
fn look(
    context: &Context,
    desk: &Desk<'_>,
    (past, planned, snapshot, left): (&Past<'_>, &Planned, &Snapshot, Duration),
) -> Result<(String, Verdict), Failure> {
    let id = random_bytes::<{ RunId::LEN }>().map_err(|error| carry::no_random(&error))?;
    let plan = past.plan;
    let date = plan.code.split_once('-').map_or(plan.code.as_str(), |(_, date)| date);
    let targets = (SEARCH, planned.storage.as_str(), planned.targets.clone());
    let named = (planned.dataset.as_str(), planned.kind, planned.extent);
    let more = More { shrink: None, ..planned.more.clone() };
    let item = pick::planned(named, snapshot, targets, more);
    let plan = Plan {
        record_id: RunId::new(id).to_string(),
        code: format!("{SEARCH_CLASS}-{date}"),
        class: SEARCH_CLASS.to_owned(),
        plan_ref: Some(past.record.drill.code.clone()),
        room: Room { lease: left, ..plan.room.clone() },
        items: vec![item],
        absent: Vec::new(),
        ..plan.clone()
    };
    let carried = carry::carry(context, desk, (&plan, &mut |_| ()))?;
    mark_proven(context, desk, &carried.record);
    Ok((carried.record.drill.code, carried.record.verdict))
}
