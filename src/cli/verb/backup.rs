//! `backup`: a new snapshot of folders, standard input or a command's output.

pub mod canary;
pub mod input;
pub mod witness;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use clap::Args;
use minicbor::bytes::ByteVec;
use serde::Serialize;

use crate::backup::Cutting;
use crate::backup::parent::ParentTree;
use crate::backup::snapshot;
use crate::backup::snapshot::BackupReport;
use crate::backup::snapshot::Comparison;
use crate::backup::snapshot::Given;
use crate::backup::snapshot::Request;
use crate::backup::snapshot::Unchanged;
use crate::backup::snapshot::attach::Attachments;
use crate::backup::snapshot::attach::Nothing;
use crate::backup::snapshot::shrink::Shrink;
use crate::backup::snapshot::shrink::Shrinking;
use crate::backup::snapshot::shrink::Size;
use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Which;
use crate::cli::choose::snapshot::choose;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::backup as texts;
use crate::cli::language::table::options::CORRECT_OPTION;
use crate::cli::language::table::options::EXPECTED_HOST;
use crate::cli::local::heads;
use crate::cli::local::heads::Heads;
use crate::cli::open;
use crate::cli::settings;
use crate::cli::settings::CacheUse;
use crate::cli::verb::backup::input::Input;
use crate::cli::verb::backup::witness::Recorder;
use crate::cli::verb::config::database;
use crate::cli::verb::config::job;
use crate::config::job::Backup;
use crate::format::object::Ref;
use crate::format::snapshot::SnapshotInfo;
use crate::path::SnapshotPath;
use crate::path::escape;
use crate::run::monitor::Severity;
use crate::source::host::host_name;
use crate::units::Bytes;

use crate::cli::open::PROGRAM;
use crate::storage::together;

/// Make a snapshot.
///
/// An unreadable file is a problem, counted and marked in the snapshot, with exit code 3. Whatever
/// was sent before an interruption is used again by the next run.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// What to back up; after `--stdin-from-command --` the command and its arguments.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Make the backup of this name of the configuration file: its paths or command, what it
    /// leaves out, its tags, into its storage.
    #[arg(long, value_name = "NAME")]
    #[arg(conflicts_with_all = ["paths", "stdin", "stdin_from_command"])]
    #[arg(conflicts_with_all = ["files_from", "files_from0"])]
    pub job: Option<String>,
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
    /// As --exclude, without regard to upper and lower case.
    #[arg(long, value_name = "PATTERN")]
    pub iexclude: Vec<String>,
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
    pub exclude_larger_than: Option<Bytes>,
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
    /// As --files-from, but a zero byte ends each path, as `find -print0` writes them.
    #[arg(long, value_name = "FILE")]
    pub files_from0: Vec<PathBuf>,
    /// Read from a read-only snapshot of the file system, made before and removed after.
    #[arg(long, value_name = "KIND", conflicts_with_all = ["stdin", "stdin_from_command"])]
    pub fs_snapshot: Option<FsSnapshot>,
    #[command(flatten)]
    pub stream: StreamArgs,
}

/// File systems that have snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FsSnapshot {
    /// By `btrfs` of btrfs-progs; it takes root.
    Btrfs,
}

/// Standard input or a command's output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Other sources")]
pub struct StreamArgs {
    /// Back up what comes from standard input.
    #[arg(long, conflicts_with_all = ["paths", "files_from", "files_from0"])]
    pub stdin: bool,
    /// Back up what a command prints, without a shell. If it fails there is no snapshot.
    #[arg(long, requires = "paths", conflicts_with_all = ["stdin", "files_from", "files_from0"])]
    pub stdin_from_command: bool,
    /// Name of the file that standard input becomes.
    #[arg(long, value_name = "NAME", default_value = "stdin")]
    pub stdin_filename: OsString,
    /// No snapshot if the stream has fewer bytes, such as `1MiB`.
    #[arg(long, value_name = "SIZE")]
    pub bytes_min: Option<Bytes>,
    /// No snapshot if the stream's last line is another; with `*` and `?`.
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub last_line: Option<String>,
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
    /// Which snapshot changes are found against: `latest` (this machine's newest of the same
    /// paths), `none` (everything is read again), or the first digits of an id.
    #[arg(long, value_name = "WHICH", default_value = "latest")]
    pub parent: Parent,
    /// A problem if more of the files or bytes is gone since the snapshot before, such as `20%`;
    /// `100%`: only if everything is gone; `none`: never. [default: 100%, or what the job says]
    #[arg(long, value_name = "SHARE", value_parser = shrink)]
    pub shrink_max: Option<Shrink>,
    /// Say what would be done and write nothing at all.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Which snapshot changes are found against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// This machine's newest of the same paths.
    Latest,
    /// None: everything is read again.
    None,
    /// Lower-case hex digits that its id starts with.
    Id(String),
}

impl FromStr for Parent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        match Which::parse(text.as_bytes()) {
            Ok(Which::Latest) => Ok(Self::Latest),
            Ok(Which::Prefix(digits)) => Ok(Self::Id(digits)),
            Err(_) => Err("expected `latest`, `none` or the first digits of an id".to_owned()),
        }
    }
}

/// `20%`, or `none`.
fn shrink(text: &str) -> Result<Shrink, String> {
    if text == "none" {
        return Ok(Shrink::Any);
    }
    let percent = text.strip_suffix('%').and_then(|digits| digits.trim().parse().ok());
    match percent {
        Some(percent @ 0..=100) => Ok(Shrink::AtMost { percent }),
        _ => Err("expected a share such as `20%`, or `none`".to_owned()),
    }
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
    /// Whether more is gone than may be.
    has_shrunk: bool,
    /// What the storage holds now; none if it cannot be listed.
    repository_bytes: Option<u64>,
    duration_ms: i64,
}

#[derive(Serialize)]
struct Planned {
    entries_count: u64,
    to_read_count: u64,
    to_read_bytes: u64,
}

pub fn run(context: &Context, args: BackupArgs) -> Result<Ended, Failure> {
    if args.job.is_none() {
        return run_once(context, (&args, None));
    }
    let (settings, args, backup) = job::resolve(context, args)?;
    let context = &context.with(settings);
    if args.how.dry_run {
        return run_once(context, (&args, Some(&backup)));
    }
    job::before(context, &backup)?;
    let ended = run_once(context, (&args, Some(&backup)));
    job::after(context, &backup);
    ended
}

fn run_once(
    context: &Context,
    (args, job): (&BackupArgs, Option<&Backup>),
) -> Result<Ended, Failure> {
    if let Some(host) = args.label.host.as_deref().filter(|host| !settings::is_host(host)) {
        let found = format!("`{}`", escape(host.as_encoded_bytes()));
        let message = EXPECTED_HOST.with("origin", "--host").with("found", found);
        return Err(Failure::usage(message, CORRECT_OPTION));
    }
    let mut input = match job.map(|backup| database::input(context, backup)).transpose()? {
        Some(Some(input)) => input,
        _ => input::resolve(context, args)?,
    };
    if let Some(backup) = job {
        // The name is the dataset, whatever paths it has.
        input.dataset = [b"job", backup.name.as_bytes()].join(&0);
        if let Some(witness) = database::witness(context, backup)? {
            input.witness = witness;
        }
        if !args.how.dry_run {
            input.canaries = canary::renewed(context, backup);
        }
    }
    let storage = open::storage(context)?;
    let writer = open::for_writing(context, &storage)?;
    if !args.how.dry_run {
        open::remove_leftovers(context, open::Reach::Near);
    }
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
    let storage = open::with_index(context, &writer.storage, &writer.config)?;
    let repository = open::repository(context, (&storage, &writer.config), keys)?;
    let folder = writer.local.root();
    let info = |root: &Ref| info(context, (args, input), root);
    let recorder = Recorder {
        dataset: input.recorded.as_deref().or(args.job.as_deref()).unwrap_or_default(),
        source: &*input.source,
        witness: &input.witness,
        base: base(input),
        before: Mutex::default(),
        canaries: input.canaries.clone(),
    };
    // A dataset of the file is drilled.
    let is_drilled = args.job.is_some() || input.recorded.is_some();
    let attachments: &dyn Attachments = if is_drilled { &recorder } else { &Nothing };
    let request = Request {
        source: &*input.source,
        dataset: &input.dataset,
        info: &info,
        cutting: Cutting::of(&writer.config.parameters),
        level: i32::from(context.settings.compression),
        workers_count: std::thread::available_parallelism().map_or(2, usize::from),
        cache: (context.settings.cache_use == CacheUse::Yes).then_some(folder),
        unchanged: if args.how.skip_if_unchanged { Unchanged::Skip } else { Unchanged::Commit },
        comparison: comparison(context, args, writer)?,
        shrink: args.how.shrink_max.unwrap_or(Shrink::AtMost { percent: 100 }),
        attachments,
    };
    if args.how.dry_run {
        let plan = snapshot::plan(&context.run, &repository, &writer.keyset, &request)?;
        let planned = Planned {
            entries_count: plan.entries_count,
            to_read_count: plan.to_read_count,
            to_read_bytes: plan.to_read_bytes,
        };
        context.output.plan("backup", &planned, || {
            texts::WOULD_READ
                .with("count", planned.to_read_count)
                .with("total", planned.entries_count)
                .with("bytes", Bytes(planned.to_read_bytes))
        })?;
        return Ok((Ended::done(), None));
    }
    let heads = Heads::new(&writer.local, writer.config.repository, &writer.storage.location());
    let (run, vault, made_here) = (&context.run, repository.vault(), heads.all()?);
    let (looked, report) = together::both(
        &*writer.storage,
        || heads::look_for(run, vault, &made_here),
        || snapshot::execute(run, &repository, &writer.keyset, &request),
    );
    looked?;
    let report = report?;
    if let Some(place) = &report.snapshot
        && let Err(failure) = heads.remember(run, vault, (place, report.parent.as_ref()))
    {
        // The snapshot is safe; only its loss would not be noticed here.
        context.problem(Severity::Problem, texts::A_LOCAL_STATE, failure.message);
    }
    show(context, &report, writer)?;
    let exit = if report.tree.flagged_count > 0 { Exit::Problems } else { Exit::Done };
    Ok((Ended { exit, skipped_count: 0 }, Some(report)))
}

/// The folder that holds all that is named.
fn base(input: &Input) -> SnapshotPath {
    let mut paths = input.paths.iter().filter_map(|path| SnapshotPath::from_user(path).ok());
    let Some(mut base) = paths.next() else { return SnapshotPath::root() };
    for path in paths {
        while !path.is_within(&base) {
            base = base.parent().unwrap_or_default();
        }
    }
    base
}

/// What changes are found against. A machine's own keyset opens no snapshot, so one that is named
/// by its id takes the passphrase.
fn comparison(
    context: &Context,
    args: &BackupArgs,
    writer: &open::Writer,
) -> Result<Comparison, Failure> {
    let digits = match &args.how.parent {
        Parent::Latest => return Ok(Comparison::Newest),
        Parent::None => return Ok(Comparison::Nothing),
        Parent::Id(digits) => digits,
    };
    let opened = opened::for_reading(context)?;
    let which = Which::Prefix(digits.clone());
    let chosen = choose(&opened.snapshots, &which, &FilterArgs::default())?;
    if chosen.machine != writer.keyset.machine {
        let message = texts::OTHER_MACHINE.with("id", chosen.id.short());
        return Err(Failure::usage(message, texts::NAME_OWN));
    }
    Ok(Comparison::Given(Box::new(Given {
        snapshot: chosen.id,
        tree: ParentTree {
            root: chosen.root.clone(),
            started: chosen.time,
            decayed: BTreeSet::new(),
        },
        size: Size { files_count: chosen.files_count, content_bytes: chosen.content_bytes },
    })))
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

fn show(context: &Context, report: &BackupReport, writer: &open::Writer) -> Result<(), Failure> {
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
        has_shrunk: report.shrinking == Shrinking::TooMuch,
        repository_bytes: open::held_bytes(context, &writer.storage),
        duration_ms,
    };
    context.output.report("backup", &made, || text(report, &made))
}

fn text(report: &BackupReport, made: &Made) -> Said {
    let first = match &report.snapshot {
        Some(place) => texts::SAFE.with("id", place.id.short()),
        None => texts::UNCHANGED.into(),
    };
    let took = Duration::from_millis(u64::try_from(made.duration_ms).unwrap_or(0));
    let done = texts::DONE
        .with("first", first)
        .with("new", made.files_new_count)
        .with("changed", made.files_changed_count)
        .with("unchanged", made.files_unchanged_count)
        .with("bytes", Bytes(made.content_bytes))
        .with("stored", Bytes(made.stored_bytes))
        .with("took", took);
    if made.flagged_count == 0 {
        return done;
    }
    texts::FLAGGED.with("done", done).with("count", made.flagged_count)
}
