//! `prune`: gives back the space of what no snapshot needs.

mod full;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::backup::UNFINISHED;
use crate::cli::language::table::keeping::prune as texts;
use crate::cli::language::table::keeping::storage;
use crate::cli::language::text::Text;
use crate::cli::local::Local;
use crate::cli::local::heads::Heads;
use crate::cli::open;
use crate::cli::open::reserve;
use crate::cli::settings::duration;
use crate::run::monitor::Severity;
use crate::storage::probe::sweep::sweep;
use crate::units::Bytes;
use crate::vault::gc::MaxUnused;
use crate::vault::gc::PruneOptions;
use crate::vault::gc::PruneReport;
use crate::vault::gc::Trash;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Give back the space of what no snapshot needs.
///
/// What nothing needs is condemned first, and removed by a later run: a backup that is at work
/// meanwhile loses nothing. `--empty-trash` does both in one run if no backup is at work. Whatever
/// cannot be read makes it stop before anything is deleted. It takes the passphrase.
///
/// On a full medium it gives up the room that the repository keeps back for it, and goes on in
/// steps.
///
/// Exit codes: 0 done; 3 done, and for want of room something unused stays, or a copy of a
/// manifest is missing or bad; 11 backups were committing for longer than `--wait`; 13 refused: too
/// much would go, or the clock is wrong; 20 something is damaged, and nothing was deleted.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// Only tell what would be done.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub space: SpaceArgs,
}

/// How space is given back.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Space")]
pub struct SpaceArgs {
    /// How much may lie unused in packs that stay: hundredths of what is used, or a size.
    #[arg(long, value_name = "N%|SIZE", default_value = "5%", value_parser = max_unused)]
    pub max_unused: MaxUnused,
    /// Copy no more than this out of packs that are mostly unused.
    #[arg(long, value_name = "SIZE")]
    pub max_repack_size: Option<Bytes>,
    /// How much of all that is stored may go in one run.
    #[arg(long, value_name = "N%", default_value = "20%", value_parser = percent)]
    pub max_delete: u8,
    /// How long a removed snapshot can still be brought back, and a repair be taken back.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub grace: String,
    /// Keep nothing for snapshots that were removed or for repairs, and remove in the same run what
    /// nothing needs.
    #[arg(long)]
    pub empty_trash: bool,
}

impl SpaceArgs {
    /// # Errors
    /// When the grace is no time (2).
    pub fn options(&self, context: &Context, keys: &Keys) -> Result<PruneOptions, Failure> {
        let grace = grace(&self.grace)?;
        let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
        let place = keys.repository.vault().storage().location();
        let heads = Heads::new(&local, keys.unlocked.keyset.repository, &place).all()?;
        let trash = if self.empty_trash { Trash::Emptied } else { Trash::Waits };
        Ok(PruneOptions {
            max_unused: self.max_unused,
            max_repack_bytes: self.max_repack_size.map(|size| size.0),
            max_delete_percent: self.max_delete,
            grace_ms: if self.empty_trash { 0 } else { grace },
            trash,
            heads,
        })
    }
}

pub fn run(context: &Context, args: &PruneArgs) -> Result<Ended, Failure> {
    grace(&args.space.grace)?;
    let keys = opened::keys(context)?;
    let options = args.space.options(context, &keys)?;
    if args.dry_run {
        let vault = keys.repository.vault();
        let report = vault.plan_prune(&context.run, &keys.signers, &options)?;
        context.output.plan("prune", &report, || planned(&report))?;
        return Ok(Ended::done());
    }
    prune(context, &keys, &options)?;
    open::remove_leftovers(context, open::Reach::Everywhere);
    sweep_probes(context, &keys);
    open::renew_locks(context, keys.repository.vault());
    Ok(Ended::done())
}

/// Nobody fails for what old tests of the storage left behind.
fn sweep_probes(context: &Context, keys: &Keys) {
    match sweep(&context.run, &**keys.repository.vault().storage()) {
        Ok(0) => {}
        Ok(count) => context.output.note(storage::SWEPT.with("count", count)),
        Err(error) => context.problem(Severity::Problem, UNFINISHED, Said::heard(error)),
    }
}

/// Prunes, and tells of it.
///
/// # Errors
/// When something is in doubt (20), too much would go (13), or the storage fails (15).
pub fn prune(context: &Context, keys: &Keys, options: &PruneOptions) -> Result<(), Failure> {
    let vault = keys.repository.vault();
    let verbs = full::Verbs {
        plan: &|options| vault.plan_prune(&context.run, &keys.signers, options),
        act: &|options| vault.prune(&context.run, &keys.signers, options),
    };
    let (report, room) = full::prune(context, options, &verbs)?;
    reserve::keep(context);
    if room == full::Room::TooLittle {
        context.problem(Severity::Problem, texts::SPACE, texts::ROOM_WANTED);
    }
    let is_waiting = report.waiting_packs_count > 0;
    let repository_bytes = open::held_bytes(context, vault.storage());
    let line = Pruned { is_waiting, repository_bytes, report: &report };
    context.output.report("prune", &line, || pruned(&report))
}

#[derive(Serialize)]
struct Pruned<'a> {
    /// Whether a later run has something to remove.
    is_waiting: bool,
    /// What the storage holds now; none if it cannot be listed.
    repository_bytes: Option<u64>,
    #[serde(flatten)]
    report: &'a PruneReport,
}

fn with_account(said: Said, report: &PruneReport) -> Said {
    said.with("snapshots", report.snapshots_count)
        .with("trashed", report.snapshots_in_trash_count)
        .with("live", Bytes(report.live_bytes))
        .with("unused", Bytes(report.unused_bytes))
        .with("condemned", Bytes(report.condemned_bytes))
        .with("packs", report.condemned_packs_count)
        .with("copied", Bytes(report.copied_bytes))
        .with("removed", Bytes(report.removed_bytes))
        .with("removed_packs", report.removed_packs_count)
        .with("waiting", Bytes(report.waiting_bytes))
        .with("waiting_packs", report.waiting_packs_count)
}

fn planned(report: &PruneReport) -> Said {
    with_set_aside(with_account(texts::PLANNED.into(), report), report, texts::SET_ASIDE_GOES)
}

/// What repairs have put into quarantine, where they did.
fn with_set_aside(mut said: Said, report: &PruneReport, goes: Text) -> Said {
    for (text, count, bytes) in [
        (goes, report.removed_set_aside_count, report.removed_set_aside_bytes),
        (texts::SET_ASIDE_STAYS, report.set_aside_count, report.set_aside_bytes),
    ] {
        if count > 0 {
            said = text.with("done", said).with("count", count).with("bytes", Bytes(bytes));
        }
    }
    said
}

fn pruned(report: &PruneReport) -> Said {
    let text = match (report.waiting_packs_count, report.sessions_count) {
        (0, _) => texts::PRUNED,
        (_, 0) => texts::PRUNED_WAITING,
        _ => texts::PRUNED_BESIDE,
    };
    let said = with_account(text.into(), report).with("sessions", report.sessions_count);
    with_set_aside(said, report, texts::SET_ASIDE_GONE)
}

/// Days, or a time with another unit.
fn grace(text: &str) -> Result<i64, Failure> {
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        return Ok(i64::from(days) * DAY_MS);
    }
    let time = duration(text, "--grace").map_err(|said| Failure::usage(said, texts::GIVE_TIME))?;
    Ok(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// `N%` of 0 to 100.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').and_then(|text| text.trim().parse().ok());
    number.filter(|n| *n <= 100).ok_or_else(|| format!("expected `0%` to `100%`, found `{text}`"))
}

fn max_unused(text: &str) -> Result<MaxUnused, String> {
    if text.ends_with('%') {
        return percent(text).map(MaxUnused::Percent);
    }
    let size = text.parse::<Bytes>().map(|size| MaxUnused::Bytes(size.0));
    size.map_err(|_| format!("expected `5%` or a size such as `1GiB`, found `{text}`"))
}
