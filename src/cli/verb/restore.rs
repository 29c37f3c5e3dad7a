//! `restore`: files of a snapshot back to a folder, or a database into its server.

pub mod database;
mod record;
mod task;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::errors;
use crate::cli::language::table::options;
use crate::cli::language::table::restore as texts;
use crate::cli::open;
use crate::cli::output::names::Name;
use crate::cli::verb::restore::record::Kept;
use crate::cli::verb::restore::record::Mode;
use crate::cli::verb::restore::record::RecordArgs;
use crate::cli::verb::restore::task::Task;
use crate::cli::verb::restore::task::tasks;
use crate::format::object::Ref;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::repository::tree::reader::TreeReader;
use crate::restore::Delete;
use crate::restore::ObjectSource;
use crate::restore::Options;
use crate::restore::Owners;
use crate::restore::Replaced;
use crate::restore::Report;
use crate::restore::Rights;
use crate::restore::Verify;
use crate::restore::decide::Action;
use crate::restore::execute;
use crate::restore::execute::Step;
use crate::restore::rights;
use crate::restore::select::IsFolder;
use crate::restore::select::Selection;
use crate::restore::select::Selector;
use crate::run::monitor::Count;
use crate::target::unix::FolderTarget;
use crate::units::Bytes;

/// Bring files back, with every attribute.
///
/// Without `--target` they come into a fresh folder beneath the current one. Nothing is written
/// outside the target, and nothing stands under its final name before it was verified.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Which snapshot, and which path in it.
    #[arg(value_name = "SNAPSHOT[:PATH]")]
    pub snapshot: OsString,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
    #[command(flatten)]
    pub part: PartArgs,
    #[command(flatten)]
    pub how: RestoreHowArgs,
    #[command(flatten)]
    pub record: RecordArgs,
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// A database.
#[derive(Debug, Args)]
#[command(next_help_heading = "A database into a running server")]
pub struct DatabaseArgs {
    /// Restore the database of this name, as a backup of kind postgresql or mariadb has it.
    #[arg(long, value_name = "NAME", requires = "into")]
    #[arg(conflicts_with_all = ["target", "in_place", "include", "exclude", "delete", "allow"])]
    #[arg(conflicts_with_all = ["verify", "dry_run"])]
    pub database: Option<String>,
    /// Into which server and under which name: `postgresql://USER@HOST:PORT/NEWNAME`, or the same
    /// with `mariadb`. Each part but the first may be left out. One that is there and has tables is
    /// replaced only with `--overwrite always`.
    #[arg(long, value_name = "SERVER", requires = "database")]
    pub into: Option<String>,
    /// File whose first line is that server's password.
    #[arg(long, value_name = "FILE", requires = "database")]
    pub database_password_file: Option<PathBuf>,
    /// Unpack a physical backup of PostgreSQL or MariaDB into this fresh folder, ready for a server
    /// to start on.
    #[arg(long, value_name = "FOLDER", conflicts_with = "database")]
    #[arg(conflicts_with_all = ["target", "in_place", "include", "exclude", "delete", "allow"])]
    #[arg(conflicts_with_all = ["verify", "dry_run"])]
    pub server_files: Option<PathBuf>,
}

/// Where to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to")]
pub struct PlaceArgs {
    /// Folder to restore into.
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "in_place")]
    pub target: Option<PathBuf>,
    /// Restore to where the files came from; only what changed is written.
    #[arg(long)]
    pub in_place: bool,
}

/// Which files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which files")]
pub struct PartArgs {
    /// Only what matches, by the rules of .gitignore.
    #[arg(short, long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// Not what matches.
    #[arg(short, long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// What happens to files that are there already.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Overwrite::IfChanged)]
    pub overwrite: Overwrite,
    /// Remove from the target what the snapshot does not have.
    #[arg(long)]
    pub delete: bool,
}

/// What happens to files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Overwrite {
    /// Write all anew.
    Always,
    /// Write what differs.
    IfChanged,
    /// Write what is newer in the snapshot.
    IfNewer,
    /// Leave them alone.
    Never,
}

/// How owners are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OwnerBy {
    /// By name, by number where the name is unknown here.
    Name,
    /// By number.
    Id,
}

/// What is only restored when allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Allowed {
    /// Character and block devices.
    Devices,
    /// Programs that run with their owner's or group's rights.
    Setuid,
    /// Programs with capabilities of their own.
    Capabilities,
    /// Owners and groups; without it everything belongs to whoever restores.
    Owners,
    /// All of these.
    All,
    /// Takes away what is restored without being named; what is named beside it stays.
    None,
}

/// How it goes.
#[derive(Debug, Args)]
pub struct RestoreHowArgs {
    /// How owners are found.
    #[arg(long, value_enum, value_name = "HOW", default_value_t = OwnerBy::Name)]
    pub owner: OwnerBy,
    /// Restore these in any case. Without it root restores all of them into a fresh or empty
    /// folder; elsewhere, and for other users, it is owners alone.
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub allow: Vec<Allowed>,
    /// Read every file back from the target and compare.
    #[arg(long)]
    pub verify: bool,
    /// Say what would be done and write nothing at all.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

#[derive(Default, Serialize)]
struct Restored {
    snapshot_id: String,
    target: Option<String>,
    asked_count: u64,
    restored_count: u64,
    kept_count: u64,
    failed_count: u64,
    removed_count: u64,
    verified_count: u64,
    unread_count: u64,
    restored_bytes: u64,
    duration_ms: u64,
}

#[derive(Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    path: Name<'a>,
    action: &'static str,
    size_bytes: u64,
}

pub fn run(context: &Context, args: &RestoreArgs) -> Result<Ended, Failure> {
    if let (Some(name), Some(into)) = (&args.database.database, &args.database.into) {
        return database::run(context, args, (name, into));
    }
    if let Some(folder) = &args.database.server_files {
        return database::files::run(context, args, folder);
    }
    let place = Place::parse(&args.snapshot)?;
    // A mistake in a pattern is told before anything is opened.
    resolve(context, args, SnapshotPath::root())?;
    let opened = opened::for_objects(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    opened::warn_if_suspect(context, &opened.snapshots, chosen);
    let tasks = tasks(context, &opened, chosen, (args, &place.path))?;
    let began = context.run.clock.elapsed();
    let is_all = args.part.include.is_empty() && args.part.exclude.is_empty();
    if is_all && place.path.is_root() {
        context.run.count(Count::BytesExpected, chosen.content_bytes);
    }
    if !is_all {
        refuse_nothing(context, &opened, (chosen, &tasks), args)?;
    }
    let mut total = Report::default();
    for task in &tasks {
        let options = resolve(context, args, task.within.clone())?;
        if args.how.dry_run {
            plan(context, &opened, &chosen.root, (task, &options))?;
            continue;
        }
        let target = FolderTarget::open(&task.target, context.run.seed)?;
        let root = &chosen.root;
        let report = execute::execute(&context.run, (&opened.reader, root), &target, &options)?;
        total = sum(total, report);
    }
    if args.how.dry_run {
        return Ok(Ended::done());
    }
    let duration = context.run.clock.elapsed().saturating_sub(began);
    let restored = Restored {
        snapshot_id: chosen.id.to_string(),
        target: tasks.first().map(|task| task.target.display().to_string()),
        asked_count: total.asked_count,
        restored_count: total.restored_count,
        kept_count: total.kept_count,
        failed_count: total.failed_count,
        removed_count: total.removed_count,
        verified_count: total.verified_count,
        unread_count: total.unread_count,
        restored_bytes: total.restored_bytes,
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    };
    context.output.report("restore", &restored, || told(&restored, context.output.language()))?;
    if args.record.record {
        let how_much = if is_all && place.path.is_root() { Mode::Full } else { Mode::Part };
        let kept = Kept { chosen, total: &total, duration, mode: how_much };
        record::keep(context, &opened.unlocked, (&args.record, &kept))?;
    }
    let all_there = total.failed_count == 0 && total.lost_nodes_count == 0;
    let exit = match (all_there, total.unread_count) {
        (true, _) => Exit::Done,
        (false, 0) => Exit::Problems,
        (false, _) => Exit::Storage,
    };
    Ok(Ended { exit, skipped_count: total.kept_count })
}

/// Patterns that match nothing are a mistake in them, told before anything is written.
fn refuse_nothing(
    context: &Context,
    opened: &Opened,
    (chosen, tasks): (&Snapshot, &[Task]),
    args: &RestoreArgs,
) -> Result<(), Failure> {
    for task in tasks {
        let selection = resolve(context, args, task.within.clone())?.selection;
        let source = (&opened.reader as &dyn ObjectSource, &chosen.root);
        if execute::selects_any(&context.run, source, &selection)? {
            return Ok(());
        }
    }
    Err(Failure::new(Exit::Failed, texts::NOTHING_MATCHES, texts::SEE_LS)
        .meaning(errors::NOTHING_WRITTEN))
}

fn told(restored: &Restored, language: Language) -> String {
    let target = restored.target.as_deref().unwrap_or_default();
    let done = texts::DONE
        .with("count", restored.restored_count)
        .with("total", restored.asked_count)
        .with("bytes", Bytes(restored.restored_bytes))
        .with("target", crate::path::escape(target.as_bytes()));
    let mut text = done.told_in(language);
    for (count, what) in [
        (restored.kept_count, texts::KEPT),
        (restored.failed_count, texts::FAILED),
        (restored.unread_count, texts::UNREAD),
        (restored.removed_count, texts::REMOVED),
        (restored.verified_count, texts::VERIFIED),
    ] {
        if count > 0 {
            text.push_str(&what.with("count", count).told_in(language));
        }
    }
    text
}

const fn sum(one: Report, other: Report) -> Report {
    Report {
        asked_count: one.asked_count + other.asked_count,
        restored_count: one.restored_count + other.restored_count,
        kept_count: one.kept_count + other.kept_count,
        failed_count: one.failed_count + other.failed_count,
        restored_bytes: one.restored_bytes + other.restored_bytes,
        removed_count: one.removed_count + other.removed_count,
        problems_count: one.problems_count + other.problems_count,
        lost_nodes_count: one.lost_nodes_count + other.lost_nodes_count,
        verified_count: one.verified_count + other.verified_count,
        unread_count: one.unread_count + other.unread_count,
    }
}

fn resolve(
    context: &Context,
    args: &RestoreArgs,
    within: SnapshotPath,
) -> Result<Options, Failure> {
    let selection =
        Selection::new(within, &args.part.include, &args.part.exclude).map_err(|error| {
            let message = options::BAD_PATTERN.with("detail", Said::heard(error));
            Failure::usage(message, options::CORRECT_PATTERN)
        })?;
    if args.part.delete && selection.has_patterns() {
        return Err(Failure::usage(texts::DELETE_WITH_PATTERNS, texts::LEAVE_ONE_OUT));
    }
    let threads_count = open::threads(context);
    Ok(Options {
        selection,
        overwrite: match args.part.overwrite {
            Overwrite::Always => crate::restore::Overwrite::Always,
            Overwrite::IfChanged => crate::restore::Overwrite::IfChanged,
            Overwrite::IfNewer => crate::restore::Overwrite::IfNewer,
            Overwrite::Never => crate::restore::Overwrite::Never,
        },
        replaced: if args.place.in_place { Replaced::Kept } else { Replaced::Dropped },
        delete: if args.part.delete { Delete::Strangers } else { Delete::Nothing },
        owners: match args.how.owner {
            OwnerBy::Name => Owners::ByName,
            OwnerBy::Id => Owners::ByNumber,
        },
        rights: rights(&args.how.allow),
        verify: if args.how.verify { Verify::ReadAgain } else { Verify::No },
        threads_count,
    })
}

fn rights(named: &[Allowed]) -> Rights {
    let set = |one: &Allowed| match one {
        Allowed::Devices => rights::Allowed::DEVICES,
        Allowed::Setuid => rights::Allowed::SETUID,
        Allowed::Capabilities => rights::Allowed::CAPABILITIES,
        Allowed::Owners => rights::Allowed::OWNERS,
        Allowed::All => rights::Allowed::ALL,
        Allowed::None => rights::Allowed::NOTHING,
    };
    let all = named.iter().map(set).fold(rights::Allowed::NOTHING, rights::Allowed::and);
    if named.contains(&Allowed::None) { Rights::Only(all) } else { Rights::CarefulAnd(all) }
}

fn plan(
    context: &Context,
    opened: &Opened,
    root: &Ref,
    (task, options): (&Task, &Options),
) -> Result<(), Failure> {
    let mut printed = Ok(());
    let mut tell = |step: Step| {
        if printed.is_ok() {
            printed = print(context, &step);
        }
    };
    let reader = &opened.reader;
    if task.target.symlink_metadata().is_ok() {
        let target = FolderTarget::open(&task.target, context.run.seed)?;
        execute::plan(&context.run, (reader, root), &target, options, &mut tell)?;
        return printed;
    }
    // Opening a target makes it, so what goes into a folder that is not there is told without it.
    let mut selector = Selector::new(&options.selection);
    for leaf in TreeReader::new(&context.run, reader, root, &task.within) {
        for entry in leaf?.entries {
            let Meta { kind, size_bytes, .. } = entry.meta;
            let folder = if kind == Kind::Directory { IsFolder::Yes } else { IsFolder::No };
            if selector.takes(&entry.path, folder) {
                tell(Step { path: entry.path, kind, size_bytes, action: Action::Create });
            }
        }
    }
    printed
}

fn print(context: &Context, step: &Step) -> Result<(), Failure> {
    let (action, text) = match step.action {
        Action::Create => ("create", texts::CREATE),
        Action::Replace => ("replace", texts::REPLACE),
        Action::Compare => ("compare", texts::COMPARE),
        Action::KeepEqual => ("keep", texts::KEEP),
        Action::KeepProtected => ("protect", texts::PROTECT),
        Action::Blocked => ("blocked", texts::BLOCKED),
    };
    let mut path = vec![b'/'];
    path.extend_from_slice(&step.path.to_slashed());
    let planned = Planned { path: Name::path(&path), action, size_bytes: step.size_bytes };
    context.output.plan("restore", &planned, || text.with("path", step.path.to_string()))
}
