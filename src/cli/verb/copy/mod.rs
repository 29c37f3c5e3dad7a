//! `copy`: snapshots to a second repository.

mod ends;
mod rule;
mod secret;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::backup::Cutting;
use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::select::FilterArgs;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::copy as texts;
use crate::cli::open;
use crate::cli::verb::copy::ends::Opened;
use crate::cli::verb::copy::ends::Others;
use crate::cli::verb::copy::rule::Seen;
use crate::cli::verb::copy::secret::OtherSecretArgs;
use crate::copy::Doing;
use crate::copy::heal;
use crate::copy::heal::HealReport;
use crate::copy::reseal;
use crate::copy::reseal::Resealing;
use crate::copy::reseal::Side;
use crate::copy::verbatim;
use crate::copy::verbatim::CopyOptions;
use crate::copy::verbatim::CopyReport;
use crate::ids::SnapshotId;
use crate::units::Bytes;

/// Snapshots are committed together until they bring so much.
const BATCH_BYTES: u64 = 4 << 30;

/// Copy snapshots to a second repository.
///
/// Into a twin (see `init --twin-of`) sealed objects go as they are, and only those that are
/// missing; no passphrase is needed where this machine has its keyset. Into another repository
/// snapshots are opened, compared and sealed anew under its keys; it takes both passphrases. What
/// is removed here stays there, and what was removed there does not come back. A copy that is
/// stopped goes on where it was. At the end it says which of 3-2-1-1-0 holds, as far as it knows.
///
/// Exit codes: 0 done; 3 a copy of something was bad and another stood in; 20 a snapshot is not
/// copied because something that it needs is lost.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// Only these, by the beginning of an id or as `latest`; or without ids those that the filters
    /// leave. Not into a twin: it has all snapshots.
    #[arg(value_name = "SNAPSHOT", conflicts_with = "heal")]
    pub ids: Vec<String>,
    /// The repository that snapshots are copied to: a folder, or the name of a storage.
    #[arg(long, value_name = "REPOSITORY", required_unless_present = "from")]
    pub to: Option<PathBuf>,
    /// The repository that snapshots are copied from: the one of `--repo` fetches them.
    #[arg(long, value_name = "REPOSITORY", conflicts_with = "to")]
    pub from: Option<PathBuf>,
    /// Only tell what would be copied.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Read every byte of both twins, and write anew in the one what is bad or missing and whole in
    /// the other. Nothing is deleted.
    #[arg(long, conflicts_with = "dry_run")]
    pub heal: bool,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub secret: OtherSecretArgs,
}

impl CopyArgs {
    fn is_choice(&self) -> bool {
        let FilterArgs { host, tag, path } = &self.filter;
        !(self.ids.is_empty() && host.is_empty() && tag.is_empty() && path.is_empty())
    }
}

pub fn run(context: &Context, args: &CopyArgs) -> Result<Ended, Failure> {
    let places = ends::places(context, args)?;
    let doing = if args.dry_run { Doing::Plan } else { Doing::Copy };
    let mut healed = Vec::new();
    let report = match ends::open(context, (args, &places))? {
        Opened::Twins(_) if args.is_choice() => {
            return Err(Failure::usage(texts::TWIN_HAS_ALL, texts::LEAVE_OUT_CHOICE));
        }
        Opened::Twins(twins) => {
            if doing == Doing::Copy {
                twins.carry_records(&context.run)?;
            }
            if args.heal {
                healed.push((&places.source, heal::heal(&context.run, twins.back())?));
            }
            let options = CopyOptions { doing, batch_bytes: BATCH_BYTES };
            let report = verbatim::copy(&context.run, twins.ends(), options)?;
            if args.heal {
                healed.push((&places.target, heal::heal(&context.run, twins.ends())?));
            }
            report
        }
        Opened::Others(_) if args.heal => {
            return Err(Failure::usage(texts::HEAL_TWINS_ONLY, texts::LEAVE_OUT_HEAL));
        }
        Opened::Others(others) => reseal(context, &others, (args, doing))?,
    };
    for (place, report) in &healed {
        let path = place.shown();
        let line = Healed { path: &path, report };
        context.output.report("healed", &line, || {
            texts::HEALED
                .with("path", path.clone())
                .with("packs", report.packs_count)
                .with("bad", report.bad_packs_count)
                .with("objects", report.objects_count)
                .with("bytes", Bytes(report.bytes))
                .with("lost", report.lost_count)
        })?;
    }
    match doing {
        Doing::Plan => context.output.plan("copy", &report, || told(&report, doing))?,
        Doing::Copy => {
            let target = open::storage_at(context, &places.target)?;
            let repository_bytes = open::held_bytes(context, &target);
            let line = Copied { repository_bytes, report: &report };
            context.output.report("copy", &line, || told(&report, doing))?;
            let has_errors = context.watch.damage_count() > 0 || report.damaged_count > 0;
            let seen = match (has_errors, args.heal) {
                (true, _) => Seen::Errors,
                (false, true) => Seen::AllGood,
                (false, false) => Seen::Some,
            };
            rule::tell(context, &places, &report.datasets, seen)?;
        }
    }
    let skipped_count = report.removed_count + report.unfinished_count;
    Ok(Ended { skipped_count, ..Ended::done() })
}

#[derive(Serialize)]
struct Healed<'a> {
    path: &'a str,
    #[serde(flatten)]
    report: &'a HealReport,
}

#[derive(Serialize)]
struct Copied<'a> {
    /// What the storage that was copied to holds now; none if it cannot be listed.
    repository_bytes: Option<u64>,
    #[serde(flatten)]
    report: &'a CopyReport,
}

fn reseal(
    context: &Context,
    others: &Others,
    (args, doing): (&CopyArgs, Doing),
) -> Result<CopyReport, Failure> {
    // What is wrong with the source is told by the copy itself.
    let snapshots = opened::list(&context.unwatched(), &others.source)?;
    let chosen = opened::several(&snapshots, &args.ids, &args.filter)?;
    let Some(agent) = &others.agent else {
        let count = chosen.len() as u64;
        let bytes = chosen.iter().map(|snapshot| snapshot.content_bytes).sum();
        let report = CopyReport {
            snapshots_count: snapshots.len() as u64,
            copied_count: count,
            bytes,
            ..CopyReport::default()
        };
        return Ok(report);
    };
    let ids: BTreeSet<SnapshotId> = chosen.iter().map(|snapshot| snapshot.id).collect();
    let words = snapshots.into_iter().map(|snapshot| (snapshot.id, snapshot.tags)).collect();
    let resealing = Resealing {
        source: side(&others.source),
        target: side(&others.target),
        agent,
        sizes: Cutting::of(&others.target.unlocked.config.parameters).tree,
        level: i32::from(context.settings.compression),
        chosen: args.is_choice().then_some(&ids),
        words: &words,
        doing,
    };
    Ok(reseal::copy(&context.run, resealing)?)
}

fn side(keys: &Keys) -> Side<'_> {
    Side { repository: &keys.repository, keyset: &keys.unlocked.keyset, signers: &keys.signers }
}

fn told(report: &CopyReport, doing: Doing) -> Said {
    let text = match doing {
        Doing::Plan => texts::PLANNED,
        Doing::Copy => texts::COPIED,
    };
    let mut said = text
        .with("copied", report.copied_count)
        .with("objects", report.objects_count)
        .with("bytes", Bytes(report.bytes))
        .with("known", report.known_count);
    for (text, count) in [
        (texts::LEFT_REMOVED, report.removed_count),
        (texts::LEFT_UNFINISHED, report.unfinished_count),
        (texts::LEFT_DAMAGED, report.damaged_count),
    ] {
        if count > 0 {
            said = text.with("done", said).with("count", count);
        }
    }
    said
}
