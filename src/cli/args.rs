//! What the command line accepts: global options and the list of verbs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;

use crate::cli::verb;
use crate::units::Bytes;

const HEADING: &str = "Global options";

/// Back up folders into a sealed repository, and prove that they come back.
///
/// A repository is a folder that keeps encrypted, deduplicated snapshots. Nobody can read it
/// without the passphrase, a key file or the recovery key.
#[derive(Debug, Parser)]
#[command(name = "lifeboat", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub struct GlobalArgs {
    /// Where the repository is: a folder, or the name of a storage in the configuration file.
    #[arg(short, long, global = true, value_name = "REPOSITORY")]
    pub repo: Option<OsString>,
    /// The configuration file; its storages can be named with --repo.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub secret: SecretArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub cache: CacheArgs,
    /// How long a backup waits for its turn to commit while another one commits, such as `90s`;
    /// five minutes if not given. Nothing else waits for anybody.
    #[arg(long, global = true, value_name = "TIME")]
    pub wait: Option<String>,
    #[command(flatten)]
    pub limit: LimitArgs,
    /// Language of messages: `en` or `vi`. Help and JSON lines are English always.
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub lang: Option<OsString>,
    /// zstd level, 1 to 19, or `none`.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub compression: Option<OsString>,
}

/// How fast the storage is used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub struct LimitArgs {
    /// Write no more than this to the storage each second, such as `5MiB`.
    #[arg(long, global = true, value_name = "SIZE")]
    pub limit_upload: Option<Bytes>,
    /// Read no more than this from the storage each second.
    #[arg(long, global = true, value_name = "SIZE")]
    pub limit_download: Option<Bytes>,
}

/// Where the passphrase or key comes from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub struct SecretArgs {
    /// Read the passphrase from the first line of a file.
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Run a program (no shell) and take the passphrase from the first line that it prints.
    #[arg(long, global = true, value_name = "COMMAND", conflicts_with = "password_file")]
    pub password_command: Option<OsString>,
    /// Open the repository with a key file in place of a passphrase.
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(conflicts_with_all = ["password_file", "password_command"])]
    pub key_file: Option<PathBuf>,
}

/// What is printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub struct OutputArgs {
    /// Print JSON lines only; the last is always a `summary`.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but results, errors and problems.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Tell more; twice: log what happens inside.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Also tell progress where there is no terminal, once every so often, such as `10s`.
    #[arg(long, global = true, value_name = "TIME")]
    pub progress_every: Option<String>,
}

/// Local state.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub struct CacheArgs {
    /// Folder for local state: this machine's keys, what is known of its newest snapshot.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub cache_dir: Option<PathBuf>,
    /// Neither read nor write local state, except this machine's keys and the ids of its newest
    /// snapshots.
    #[arg(long, global = true)]
    pub no_cache: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    Quickstart(verb::quickstart::QuickstartArgs),
    Init(verb::init::InitArgs),
    Backup(verb::backup::BackupArgs),
    Snapshots(verb::read::snapshots::SnapshotsArgs),
    Ls(verb::read::ls::LsArgs),
    Find(verb::read::find::FindArgs),
    Diff(verb::read::diff::DiffArgs),
    Stats(verb::read::stats::StatsArgs),
    Cat(verb::read::cat::CatArgs),
    Restore(verb::restore::RestoreArgs),
    Dump(verb::dump::DumpArgs),
    Check(verb::check::CheckArgs),
    Copy(verb::copy::CopyArgs),
    Repair(verb::repair::RepairArgs),
    Drill(verb::drill::DrillArgs),
    Prune(verb::prune::PruneArgs),
    Tag(verb::tag::TagArgs),
    Forget(Box<verb::forget::ForgetArgs>),
    Key(verb::key::KeyArgs),
    Config(verb::config::ConfigArgs),
    Continuity(verb::continuity::ContinuityArgs),
    Schedule(verb::schedule::ScheduleArgs),
    Daemon(verb::daemon::DaemonArgs),
    Status(verb::daemon::status::StatusArgs),
    Runs(verb::daemon::runs::RunsArgs),
    Run(verb::daemon::ask::RunArgs),
    Cancel(verb::daemon::ask::CancelArgs),
    Pause(verb::daemon::ask::PauseArgs),
    Resume(verb::daemon::ask::ResumeArgs),
    Notify(verb::notify::NotifyArgs),
    Storage(verb::storage::StorageArgs),
    Serve(verb::serve::ServeArgs),
    Completion(verb::completion::CompletionArgs),
    Man(verb::man::ManArgs),
}
