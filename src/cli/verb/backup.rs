//! `backup`: a new snapshot of folders, standard input or a command's output.

pub mod input;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use minicbor::bytes::ByteVec;
use serde::Serialize;

use crate::backup::Cutting;
use crate::backup::pipeline::TreeReport;
use crate::backup::snapshot;
use crate::backup::snapshot::BackupReport;
use crate::backup::snapshot::Comparison;
use crate::backup::snapshot::Request;
use crate::backup::snapshot::Unchanged;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::open;
use crate::cli::settings::CacheUse;
use crate::cli::verb::backup::input::Input;
use crate::format::object::Ref;
use crate::format::snapshot::SnapshotInfo;
use crate::source::host::host_name;
use crate::units::Bytes;

use crate::cli::open::PROGRAM;

/// Make a snapshot.
///
/// An unreadable file is a problem, counted and marked in the snapshot, with exit code 3. Whatever
/// was sent before an interruption is used again by the next run.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// What to back up; after `--stdin-from-command --` the command and its arguments.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub exclude: ExcludeArgs,
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub label: LabelArgs,
    #[command(flatten)]
    pub how: HowArgs,
}

/// What is left out.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is left out")]
pub struct ExcludeArgs {
    /// Leave out what matches, by the rules of .gitignore; `!` takes it in again.
    #[arg(short = 'e', long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Patterns from a file, one a line.
    #[arg(long, value_name = "FILE")]
    pub exclude_file: Vec<PathBuf>,
    /// Leave out the content of folders that hold an entry of this name.
    #[arg(long, value_name = "NAME")]
    pub exclude_if_present: Vec<OsString>,
    /// Leave out the content of folders marked with CACHEDIR.TAG.
    #[arg(long)]
    pub exclude_caches: bool,
    /// Leave out larger files, such as `2GiB`.
    #[arg(long, value_name = "SIZE")]
    pub exclude_larger_than: Option<crate::units::Bytes>,
    /// Do not go into other file systems that are mounted beneath.
    #[arg(short = 'x', long)]
    pub one_file_system: bool,
}

/// Where paths and content come from in place of arguments.
#[derive(Debug, Args)]
#[command(next_help_heading = "Other sources")]
pub struct InputArgs {
    /// More paths from a file, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub files_from: Vec<PathBuf>,
    /// Back up what comes from standard input.
    #[arg(long, conflicts_with_all = ["paths", "files_from"])]
    pub stdin: bool,
    /// Back up what a command prints, without a shell. If it fails there is no snapshot.
    #[arg(long, requires = "paths", conflicts_with_all = ["stdin", "files_from"])]
    pub stdin_from_command: bool,
    /// Name of the file that standard input becomes.
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    pub stdin_filename: OsString,
}

/// What is written into the snapshot.
#[derive(Debug, Args)]
#[command(next_help_heading = "Labels")]
pub struct LabelArgs {
    /// A word to find the snapshot by; may be given several times or with commas.
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    pub tag: Vec<String>,
    /// Name of this machine in the snapshot.
    #[arg(short = 'H', long, value_name = "NAME")]
    pub host: Option<OsString>,
}

/// How it goes.
#[derive(Debug, Args)]
pub struct HowArgs {
    /// Make no snapshot if nothing changed.
    #[arg(long)]
    pub skip_if_unchanged: bool,
    /// Which snapshot changes are found against.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Parent::Latest)]
    pub parent: Parent,
    /// Say what would be done and write nothing at all.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Which snapshot changes are found against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Parent {
    /// This machine's newest of the same paths.
    Latest,
    /// None: everything is read again.
    None,
}

#[derive(Serialize)]
struct Made {
    snapshot_id: Option<String>,
    parent_id: Option<String>,
    entries_count: u64,
    files_count: u64,
    files_new_count: u64,
    files_changed_count: u64,
    files_unchanged_count: u64,
    flagged_count: u64,
    content_bytes: u64,
    stored_bytes: u64,
    duration_ms: i64,
}

#[derive(Serialize)]
struct Planned {
    entries_count: u64,
    to_read_count: u64,
    to_read_bytes: u64,
}

pub fn run(context: &Context, args: &BackupArgs) -> Result<Ended, Failure> {
    let input = input::resolve(args)?;
    let storage = open::storage(context)?;
    let writer = open::for_writing(context, &storage)?;
    make(context, (args, &input), &writer).map(|(ended, _)| ended)
}

/// Makes the snapshot, or its plan.
///
/// # Errors
/// When the source as a whole or the storage fails; then there is no snapshot.
pub fn make(
    context: &Context,
    (args, input): (&BackupArgs, &Input),
    writer: &open::Writer,
) -> Result<(Ended, Option<BackupReport>), Failure> {
    let keys = writer.keyset.store.clone();
    let repository = open::repository(context, (&writer.storage, &writer.config), keys)?;
    let folder = writer.local.root();
    let info = |root: &Ref| info(context, (args, input), root);
    let request = Request {
        source: &*input.source,
        dataset: &input.dataset,
        info: &info,
        cutting: Cutting::DEFAULT,
        level: i32::from(context.settings.compression),
        workers_count: std::thread::available_parallelism().map_or(2, usize::from),
        cache: (context.settings.cache_use == CacheUse::Yes).then_some(folder),
        unchanged: if args.how.skip_if_unchanged { Unchanged::Skip } else { Unchanged::Commit },
        comparison: match args.how.parent {
            Parent::Latest => Comparison::Newest,
            Parent::None => Comparison::Nothing,
        },
    };
    if args.how.dry_run {
        let plan = snapshot::plan(&context.run, &repository, &writer.keyset, &request)?;
        let planned = Planned {
            entries_count: plan.entries_count,
            to_read_count: plan.to_read_count,
            to_read_bytes: plan.to_read_bytes,
        };
        context.output.plan("backup", &planned, || {
            let Planned { entries_count, to_read_count, to_read_bytes } = planned;
            let bytes = Bytes(to_read_bytes);
            format!("{to_read_count} of {entries_count} entries would be read ({bytes})")
        })?;
        return Ok((Ended::done(), None));
    }
    let report = snapshot::execute(&context.run, &repository, &writer.keyset, &request)?;
    show(context, &report)?;
    let exit = if report.tree.flagged_count > 0 { Exit::Problems } else { Exit::Done };
    Ok((Ended { exit, skipped_count: 0 }, Some(report)))
}

fn info(context: &Context, (args, input): (&BackupArgs, &Input), root: &Ref) -> SnapshotInfo {
    let given = args.label.host.clone().or_else(|| context.settings.host.clone());
    let host = given.map_or_else(host_name, OsString::into_encoded_bytes);
    let mut info = SnapshotInfo::new(root);
    info.host = String::from_utf8_lossy(&host).into_owned();
    info.paths = input.paths.iter().map(|path| ByteVec::from(path.clone())).collect();
    info.tags = args.label.tag.clone();
    info.platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    PROGRAM.clone_into(&mut info.program);
    info.excludes = input.excludes.clone();
    info
}

fn show(context: &Context, report: &BackupReport) -> Result<(), Failure> {
    let BackupReport { tree, stored_bytes, .. } = report;
    let duration_ms = report.finished.ms_since(report.started);
    let made = Made {
        snapshot_id: report.snapshot.map(|place| place.id.to_string()),
        parent_id: report.parent.map(|place| place.id.to_string()),
        entries_count: tree.entries_count,
        files_count: tree.files_count,
        files_new_count: tree.files_new,
        files_changed_count: tree.files_changed,
        files_unchanged_count: tree.files_unchanged,
        flagged_count: tree.flagged_count,
        content_bytes: tree.content_bytes,
        stored_bytes: *stored_bytes,
        duration_ms,
    };
    context.output.report("backup", &made, || {
        let TreeReport { files_new, files_changed, files_unchanged, .. } = tree;
        let first = match &report.snapshot {
            Some(place) => format!("snapshot {} is safe", place.id.short()),
            None => "nothing changed, no snapshot was made".to_owned(),
        };
        let mut text = format!(
            "{first}\nfiles: {files_new} new, {files_changed} changed, \
             {files_unchanged} unchanged; \
             {}, {} added to the repository, {}.{:01} s",
            Bytes(tree.content_bytes),
            Bytes(*stored_bytes),
            duration_ms / 1000,
            duration_ms % 1000 / 100,
        );
        if tree.flagged_count > 0 {
            let count = tree.flagged_count;
            text.push_str(&format!("\n{count} entries are incomplete in it; see above"));
        }
        text
    })
}
