//! `forget`: remove snapshots by rules or by name, and take that back.

mod freeze;
mod plan;
pub mod rules;
mod undo;

use clap::Args;
use clap::ValueEnum;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::choose::snapshot::SnapshotLine;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::forget as texts;
use crate::cli::local::Local;
use crate::cli::local::heads::Heads;
use crate::cli::open::reserve;
use crate::cli::output::Level;
use crate::cli::verb::config::job;
use crate::cli::verb::forget::plan::Decided;
use crate::cli::verb::forget::plan::Group;
use crate::cli::verb::forget::rules::RuleArgs;
use crate::cli::verb::prune;
use crate::cli::verb::prune::SpaceArgs;
use crate::cli::verb::tag;
use crate::repository::forget::tombstone;
use crate::retention::rule::Rule;
use crate::run::monitor::Severity;
use crate::vault::chains::Copies;
use crate::vault::chains::Verifier;
use crate::vault::names::Chain;
use crate::vault::names::Place;

/// Remove snapshots by rules, or those that are named.
///
/// A snapshot stays if any rule keeps it; of each hour, day, week, month or year that a rule keeps,
/// the first and the last snapshot stay. The newest of every dataset always stays, and so does what
/// has the tag `pinned`. When it was made is told by the storage, not by the machine.
///
/// Nothing is deleted yet: a removed snapshot can be taken back with `--undo` until `prune` gives
/// the space back.
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Remove exactly these, whatever the rules.
    #[arg(value_name = "SNAPSHOT", conflicts_with = "rules")]
    pub ids: Vec<String>,
    /// By the retention rules that the configuration file has for the backup of this name, in its
    /// storage and zone, among what this machine made for it.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["ids", "rules", "undo"])]
    pub job: Option<String>,
    /// Take the removal of these snapshots back.
    #[arg(long, requires = "ids", conflicts_with_all = ["rules", "reason", "accept_change"])]
    pub undo: bool,
    /// Give the space of all removed snapshots back as well, as `lifeboat prune --empty-trash`
    /// does: at once if no backup is at work. They cannot be taken back then.
    #[arg(long, conflicts_with = "undo")]
    pub prune: bool,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub how: ForgetHowArgs,
    #[command(flatten)]
    pub space: SpaceArgs,
}

/// How it goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "How")]
pub struct ForgetHowArgs {
    /// Apply the rules to each group of what is alike; a dataset is one machine's backups of the
    /// same paths.
    #[arg(short, long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    #[arg(default_value = "dataset")]
    pub group_by: Vec<GroupBy>,
    /// Days and months of this zone, such as `Asia/Ho_Chi_Minh`; without it the system's.
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// Whose clock counts. `machine` is for repositories that were copied by other programs, whose
    /// storage knows only when the copy was made.
    #[arg(long, value_enum, value_name = "WHOSE", default_value_t = TimeOf::Storage)]
    pub time: TimeOf,
    /// Go on although much of a dataset changed or vanished at once within the last two weeks.
    /// Where a drill saw signs of an attack nothing is removed all the same.
    #[arg(long)]
    pub accept_change: bool,
    /// Why, for the record that stays.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Say what would be removed, and why the rest stays; write nothing at all.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// What snapshots of one group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    Dataset,
    Host,
    Paths,
    Tags,
}

/// Whose clock says when a snapshot was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TimeOf {
    Storage,
    Machine,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Plan,
    Act,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    snapshot: SnapshotLine,
    received: String,
    action: &'static str,
    reasons: &'a [String],
}

#[derive(Serialize)]
struct Totals {
    kept_count: u64,
    removed_count: u64,
    frozen_groups_count: u64,
}

pub fn run(context: &Context, mut args: Box<ForgetArgs>) -> Result<Ended, Failure> {
    let Some(name) = args.job.take() else {
        let rules = args.rules.parse()?;
        return forget(context, &args, &rules);
    };
    let kept = job::retention(context, &name)?;
    let filter = &mut args.filter;
    if filter.host.is_empty() {
        filter.host.push(kept.host);
    }
    // Several tags are of any, with commas of all.
    let tagged = filter.tag.iter().map(|tags| format!("{tags},{}", kept.tag)).collect();
    filter.tag = if filter.tag.is_empty() { vec![kept.tag] } else { tagged };
    args.how.time_zone.get_or_insert(kept.time_zone);
    forget(&context.with(kept.settings), &args, &kept.rules)
}

fn forget(context: &Context, args: &ForgetArgs, rules: &[Rule]) -> Result<Ended, Failure> {
    let doing = if args.how.dry_run { Doing::Plan } else { Doing::Act };
    if args.undo {
        return undo::run(context, &args.ids, doing);
    }
    if rules.is_empty() && args.ids.is_empty() {
        return Err(Failure::usage(texts::NO_RULES, texts::NAME_RULES));
    }
    let zone = zone(args.how.time_zone.as_deref())?;
    let keys = opened::keys(context)?;
    let space = SpaceArgs { empty_trash: true, ..args.space.clone() };
    let space = args.prune.then(|| space.options(context, &keys)).transpose()?;
    let snapshots = opened::list(context, &keys)?;
    let groups = if args.ids.is_empty() {
        refuse_damaged(context, &keys)?;
        plan::by_rules(context, (&keys, &snapshots), args, (rules, &zone))?
    } else {
        plan::by_ids(context, (&keys, &snapshots), args)?
    };
    let removed: Vec<&Decided<'_>> =
        groups.iter().flat_map(|group| &group.members).filter(|it| it.goes()).collect();
    if doing == Doing::Act {
        bury(context, &keys, (&removed, args), rules)?;
    }
    show(context, &groups, doing)?;
    let frozen = groups.iter().filter(|group| group.frozen.is_some()).count();
    let kept = groups.iter().map(|group| group.members.len()).sum::<usize>() - removed.len();
    let totals = Totals {
        kept_count: kept as u64,
        removed_count: removed.len() as u64,
        frozen_groups_count: frozen as u64,
    };
    let text = match doing {
        Doing::Plan => texts::WOULD,
        Doing::Act if args.prune => texts::DONE_BEFORE_PRUNE,
        Doing::Act => texts::DONE,
    };
    let told = || text.with("removed", totals.removed_count).with("kept", totals.kept_count);
    if doing == Doing::Plan {
        context.output.plan("forget", &totals, told)?;
    } else {
        context.output.report("forget", &totals, told)?;
    }
    match (space, doing) {
        (Some(options), Doing::Act) => prune::prune(context, &keys, &options)?,
        // What is removed by the plan is still there, so there is no telling what would go.
        (Some(_), Doing::Plan) => context.output.note(texts::PRUNE_AFTER),
        (None, _) => {}
    }
    let exit = if frozen > 0 { Exit::Refused } else { Exit::Done };
    Ok(Ended { exit, skipped_count: frozen as u64 })
}

/// What cannot be read may be what a rule would keep, and so may what this machine made and is
/// gone.
fn refuse_damaged(context: &Context, keys: &Keys) -> Result<(), Failure> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
    let vault = keys.repository.vault();
    let place = vault.storage().location();
    let heads = Heads::new(&local, keys.unlocked.config.repository, &place);
    heads.look_for(&context.run, vault)?;
    // Words that this program cannot read may be what a rule goes by.
    let asked: (_, &dyn Verifier) = (Copies::First, &keys.signers);
    tag::refuse_newer(&vault.notes(&context.unwatched().run, None, asked)?)?;
    match context.watch.damage_count() {
        0 => Ok(()),
        count => {
            let message = texts::DAMAGED.with("count", count);
            Err(Failure::new(Exit::Damage, message, texts::CHECK_FIRST))
        }
    }
}

fn zone(name: Option<&str>) -> Result<TimeZone, Failure> {
    let Some(name) = name else { return Ok(TimeZone::system()) };
    TimeZone::get(name).map_err(|_| {
        let shown = crate::path::escape(name.as_bytes());
        Failure::usage(texts::NO_ZONE.with("zone", shown), texts::NAME_ZONE)
    })
}

fn bury(
    context: &Context,
    keys: &Keys,
    (removed, args): (&[&Decided<'_>], &ForgetArgs),
    rules: &[Rule],
) -> Result<(), Failure> {
    let why: Vec<String> = if args.ids.is_empty() {
        rules.iter().map(ToString::to_string).collect()
    } else {
        vec!["named".to_owned()]
    };
    let mut why = why.join(", ");
    if !args.how.reason.is_empty() {
        why = format!("{}: {why}", args.how.reason);
    }
    let now = context.run.clock.now();
    let keyset = &keys.unlocked.keyset;
    let sign = |decided: &&Decided<'_>| tombstone(keyset, &place(decided.snapshot), now, &why);
    let tombstones: Vec<_> = removed.iter().map(sign).collect();
    let vault = keys.repository.vault();
    match vault.bury(&context.run, &tombstones) {
        Err(error) if reserve::for_removal(context, &error) => {
            vault.bury(&context.run, &tombstones)?;
        }
        buried => buried?,
    }
    Ok(())
}

pub(super) const fn place(snapshot: &Snapshot) -> Place {
    let chain = Chain { machine: snapshot.machine, source: snapshot.source };
    Place { chain, seq: snapshot.seq, id: snapshot.id }
}

fn show(context: &Context, groups: &[Group<'_>], doing: Doing) -> Result<(), Failure> {
    for group in groups {
        if let Some(freeze) = group.frozen {
            context.problem(Severity::Problem, Said::plain(&group.name), freeze::said(freeze));
        }
        if !context.output.is_json() {
            if context.output.level() != Level::Quiet || doing == Doing::Plan {
                context.output.raw(plan::text(group, context.output.language()).as_bytes())?;
            }
            continue;
        }
        for decided in &group.members {
            let reasons: Vec<String> = decided.reasons.iter().map(plan::code).collect();
            let row = Row {
                snapshot: decided.snapshot.line(),
                received: decided.received.to_rfc3339(),
                action: if decided.goes() { "remove" } else { "keep" },
                reasons: &reasons,
            };
            let kind = if doing == Doing::Plan { "plan" } else { "result" };
            context.output.json(kind, Some("snapshot"), &row)?;
        }
    }
    Ok(())
}
