//! `repair`: mends what is damaged from what is left.

use std::ffi::OsString;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::repair as texts;
use crate::cli::open;
use crate::cli::verb::check;
use crate::crypto::blind::StoreKeys;
use crate::repair;
use crate::repair::Found;
use crate::repair::Mender;
use crate::repository::keys::publish;
use crate::repository::keys::unlock::Unlocked;
use crate::repository::open::Repository;
use crate::units::Bytes;
use crate::vault::repair::RepairReport;
use crate::vault::repair::UndoReport;
use crate::vault::repair::lost::Elsewhere;
use crate::vault::repair::plan::Plan;
use crate::vault::scrub::report::Report;
use crate::vault::scrub::report::Verdict;

/// What --from calls the hidden versions of a bucket; a folder of that name is `./versions`.
const VERSIONS: &str = "versions";

/// Mend what is damaged from what is left.
///
/// Reads every byte, and then only adds and moves: lost copies of records are written anew from
/// good ones, the index from the packs, good objects of damaged packs into new packs. Damaged bytes
/// go to quarantine in the repository. Nothing that is whole is touched. A signed journal says
/// beforehand what is done; `--undo` takes the newest repair back. What cannot be mended is listed;
/// the next backup stores anew what the source still has. It takes the passphrase.
///
/// Exit codes: 0 all is whole; 3 everything restores, but something is left to mend; 11 backups
/// were committing for longer than `--wait`, or a prune came in between; 13 refused: something
/// relies on what would be taken back; 14 something is newer than this program; 20 damage is left.
/// With `-n` they are those of `check`.
#[derive(Debug, Clone, Args)]
pub struct RepairArgs {
    /// Only tell what would be done.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Another storage with a copy of this repository, or a repository that shares its keys:
    /// objects and snapshots that are lost here are taken from there. `versions` is what this
    /// bucket hides beneath what it shows, because somebody has replaced or removed it.
    #[arg(long, value_name = "STORAGE", conflicts_with = "undo")]
    pub from: Option<OsString>,
    /// Take the newest repair back.
    #[arg(long)]
    pub undo: bool,
}

pub fn run(context: &Context, args: &RepairArgs) -> Result<Ended, Failure> {
    // What is wrong with records is told by the check itself, once.
    let unwatched = context.unwatched();
    let (unlocked, repository) = opened::unlocked(&unwatched)?;
    let trust = check::trust_of(context, &unlocked)?;
    let threads_count = open::threads(context);
    let mender = Mender { keyset: &unlocked.keyset, trust: &trust, threads_count };
    if args.undo {
        return undo(context, (&repository, mender), args);
    }
    let other = match &args.from {
        None => None,
        Some(from) => Some(other(&unwatched, from, &unlocked)?),
    };
    let signers = other.as_ref().map(|_| opened::signers(&unwatched, &unlocked, &repository));
    let signers = signers.transpose()?;
    let elsewhere = other.as_ref().zip(signers.as_ref());
    let elsewhere = elsewhere.map(|(other, signers)| Elsewhere { vault: other.vault(), signers });
    let other = other.as_ref().map(Repository::vault);
    let Found { report, plan } = repair::look(&unwatched.run, &repository, mender, elsewhere)?;
    if args.dry_run {
        planned(context, &plan)?;
        check::tell(context, &report);
        return Ok(Ended::done());
    }
    if plan.is_empty() {
        context.output.report("repair", &RepairReport::default(), || texts::NOTHING_TO_DO)?;
        return ended(context, &report);
    }
    let carried = repair::carry_out(&unwatched.run, &repository, mender, (&plan, other));
    let (done, report) = carried?;
    context.output.report("repair", &done, || repaired(&done))?;
    open::renew_locks(context, repository.vault());
    ended(context, &report)
}

/// What is left is told as `check` tells it.
fn ended(context: &Context, report: &Report) -> Result<Ended, Failure> {
    check::tell(context, report);
    check::show(context, report, &[])?;
    if report.verdict() == Verdict::Damaged && !report.lost_objects.is_empty() {
        context.output.note(texts::BACK_UP_AGAIN);
    }
    Ok(Ended::done())
}

/// Another storage, opened with our own store keys.
fn other(
    context: &Context,
    from: &std::ffi::OsStr,
    unlocked: &Unlocked,
) -> Result<Repository, Failure> {
    let storage = match from.to_str() {
        Some(VERSIONS) => open::beneath(context)?,
        _ => open::storage_at(context, &open::place(context, from.as_ref())?)?,
    };
    let config = publish::load_config(&context.run, &storage)?;
    let own = &unlocked.keyset.store;
    // The same secrets may seal under another repository's name.
    let keys = StoreKeys::new(config.repository, own.generations().to_vec());
    open::repository(context, (&storage, &config), keys.unwrap_or_else(|| own.clone()))
}

fn undo(
    context: &Context,
    (repository, mender): (&Repository, Mender<'_>),
    args: &RepairArgs,
) -> Result<Ended, Failure> {
    let told = |text: crate::cli::language::text::Text, report: &UndoReport| {
        let said = text.with("id", report.repair.get(..8).unwrap_or_default());
        said.with("returned", report.returned_count).with("removed", report.removed_count)
    };
    if args.dry_run {
        let report = repair::plan_undo(&context.run, repository, mender)?;
        context.output.plan("undo", &report, || told(texts::WOULD_UNDO, &report))?;
        return Ok(Ended::done());
    }
    let report = repair::undo(&context.run, repository, mender)?;
    context.output.report("undo", &report, || told(texts::UNDONE, &report))?;
    Ok(Ended::done())
}

#[derive(Serialize)]
struct Totals {
    moved_count: u64,
    moved_bytes: u64,
    copies_count: u64,
    objects_count: u64,
    objects_bytes: u64,
    fetched_count: u64,
    indexed_count: u64,
    left_count: u64,
}

fn planned(context: &Context, plan: &Plan) -> Result<(), Failure> {
    let output = &context.output;
    for moved in &plan.moves {
        output.plan("move", moved, || {
            let said = texts::MOVE.with("name", moved.name.clone());
            said.with("bytes", Bytes(moved.bytes)).with("why", Said::heard(&moved.why))
        })?;
    }
    for copy in &plan.copies {
        let said = || texts::COPY.with("name", copy.name.clone()).with("from", copy.from.clone());
        output.plan("copy", copy, said)?;
    }
    for left in &plan.left {
        let said = || texts::LEFT.with("name", left.name.clone());
        output.plan("left", left, || said().with("why", Said::heard(&left.why)))?;
    }
    let totals = Totals {
        moved_count: plan.moves.len() as u64,
        moved_bytes: plan.moves.iter().map(|moved| moved.bytes).sum(),
        copies_count: plan.copies.len() as u64,
        objects_count: plan.objects_count,
        objects_bytes: plan.objects_bytes,
        fetched_count: plan.fetched_count,
        indexed_count: plan.indexed_count,
        left_count: plan.left.len() as u64,
    };
    output.plan("repair", &totals, || {
        texts::PLANNED
            .with("moved", totals.moved_count)
            .with("bytes", Bytes(totals.moved_bytes))
            .with("copies", totals.copies_count)
            .with("objects", totals.objects_count)
            .with("saved", Bytes(totals.objects_bytes))
            .with("fetched", totals.fetched_count)
            .with("indexed", totals.indexed_count)
            .with("left", totals.left_count)
    })
}

fn repaired(report: &RepairReport) -> Said {
    texts::REPAIRED
        .with("moved", report.moved_count)
        .with("bytes", Bytes(report.moved_bytes))
        .with("copies", report.copies_count)
        .with("objects", report.objects_count)
        .with("saved", Bytes(report.objects_bytes))
        .with("packs", report.packs_count)
}
