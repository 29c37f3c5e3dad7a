//! `drill from-nothing`: a recovery as it would be if only the storage and the shares were left.

pub mod access;
pub mod failed;
pub mod items;
pub mod kit;
pub mod take_in;

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::ValueEnum;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::nothing as texts;
use crate::cli::local;
use crate::cli::secrets::SecretSource;
use crate::cli::settings::CacheUse;
use crate::cli::settings::configured::ConfigFile;
use crate::cli::verb::continuity::kit::PROGRAM;
use crate::cli::verb::drill::keep;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::list::report;
use crate::cli::verb::drill::nothing::kit::Used;
use crate::cli::verb::drill::run;
use crate::cli::verb::drill::run::carry;
use crate::cli::verb::drill::run::carry::Carried;
use crate::cli::verb::drill::run::carry::Desk;
use crate::cli::verb::drill::run::follow;
use crate::cli::verb::drill::run::follow::Past;
use crate::cli::verb::key::recovery;
use crate::cli::verb::key::recovery::ShareSource;
use crate::config::drill;
use crate::crypto::sealed::shares::Share;
use crate::drill::check::Checks;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::plan::Plan;
use crate::drill::record::Check;
use crate::drill::record::Recovery;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::path::escape;
use crate::run::monitor::Severity;

/// What a kit calls its configuration.
const CONFIGURATION: &str = "lifeboat.toml";

/// Rehearse a recovery of which only the storage and the shares of the recovery key are left
/// (class D3).
///
/// Access is rebuilt from shares into a throw-away key store, snapshots are restored and checked as
/// in any drill, and the record names the kit that it was held with. Nothing of this machine is
/// used: no configuration but the kit's, no passphrase, no keyset, no cache. The folder takes
/// everything that the drill leaves: its record, its minutes, and meanwhile the sandbox. Shares
/// come from files, commands or standard input.
///
/// Exit codes: 0 proven; 3 proven, with conditions; 20 no kit there; 21 not proven, such as shares
/// that do not open the repository; 22 no conclusion, such as a storage that does not answer or a
/// kit with other files than it was made with.
#[derive(Debug, Clone, Args)]
pub struct NothingArgs {
    /// A new folder for everything that the drill leaves.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub shares: ShareSource,
    /// The recovery kit. Its files are checked, its program holds the drill, and its configuration
    /// and plan say what there is. Without it folders and SQLite files are known by their capsules.
    #[arg(long, value_name = "FOLDER")]
    pub kit: Option<PathBuf>,
    /// Only this dataset; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub dataset: Vec<String>,
    /// Which snapshot of each.
    #[arg(long, value_name = "WHICH", default_value = "newest")]
    pub stratum: Stratum,
    /// What the kit's configuration calls the storage, if its address there is another one.
    #[arg(long, value_name = "NAME")]
    pub storage: Option<String>,
    /// Who leads it: an id under `[people]` of the kit's plan.
    #[arg(long, value_name = "ID")]
    pub operator: Option<String>,
    /// Where restored data lies meanwhile; without it in the folder.
    #[arg(long, value_name = "FOLDER")]
    pub sandbox: Option<PathBuf>,
    /// What is taken to have happened, and where it is held: for the minutes.
    #[arg(long, value_name = "TEXT")]
    pub scenario: Option<String>,
    #[arg(long, value_name = "TEXT")]
    pub location: Option<String>,
    /// How far this machine is from the rest: I1, programs without a network; I2, besides on an
    /// unplugged switch; I3, the same off-site. With I2 and I3 nothing of production may answer.
    #[arg(long, value_name = "LEVEL", default_value = "I1")]
    pub isolation: Apart,
    /// An address of production, with its port, that must not answer from here; may be given
    /// several times, beside those of the kit's configuration.
    #[arg(long, value_name = "HOST:PORT", value_parser = drill::host_port)]
    pub apart_from: Vec<String>,
    /// Add nothing to the ledger of this storage: for a copy of another one, whose ledgers must not
    /// part. The record is signed; `drill take-in` puts it into the office's ledger.
    #[arg(long)]
    pub ledger_later: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stratum {
    Newest,
    Oldest,
    Middle,
    /// One of the three, by the ledger.
    Drawn,
}

impl Stratum {
    const fn of(self) -> drill::Stratum {
        match self {
            Self::Newest => drill::Stratum::Newest,
            Self::Oldest => drill::Stratum::Oldest,
            Self::Middle => drill::Stratum::Middle,
            Self::Drawn => drill::Stratum::Drawn,
        }
    }
}

/// How far a machine is from production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Apart {
    I1,
    I2,
    I3,
}

impl Apart {
    const fn of(self) -> drill::Isolation {
        match self {
            Self::I1 => drill::Isolation::I1,
            Self::I2 => drill::Isolation::I2,
            Self::I3 => drill::Isolation::I3,
        }
    }
}

/// When the ledger gets what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ledger {
    Now,
    Later,
}

impl NothingArgs {
    const fn ledger(&self) -> Ledger {
        if self.ledger_later { Ledger::Later } else { Ledger::Now }
    }
}

pub fn begin(context: &Context, args: &NothingArgs) -> Result<Ended, Failure> {
    let began = context.run.clock.elapsed();
    // Only a name of the configuration brings the office's language along.
    if context.settings.office_language.is_some() {
        return Err(Failure::usage(texts::BY_NAME, texts::NAME_ADDRESS));
    }
    context.settings.repository()?;
    if args.stratum == Stratum::Drawn && args.ledger() == Ledger::Later {
        return Err(Failure::usage(texts::DRAWN_LATER, texts::NAME_STRATUM));
    }
    let kit = args.kit.as_deref().map(|folder| kit::begin(context, folder)).transpose()?;
    make_folder(&args.folder)?;
    let context = &apart(context, args, kit.as_ref());
    let given = recovery::typed(context, &args.shares);
    let regained = given.and_then(|shares| {
        let keys = access::regain(context, &shares, args.ledger())?;
        Ok((keys, shares))
    });
    let stand = Stand { args, kit: kit.as_ref(), began };
    match regained {
        Ok((keys, shares)) => hold(context, &stand, (&keys, &shares)),
        Err(failure) => failed::keep(context, &stand, failure),
    }
}

/// What a drill was begun with.
pub struct Stand<'a> {
    pub args: &'a NothingArgs,
    pub kit: Option<&'a Used>,
    /// By the clock that never goes back.
    pub began: Duration,
}

/// A folder that is new, empty, or of an earlier drill that was cut short.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    let shown = || escape(folder.as_os_str().as_encoded_bytes());
    let failed = |error: io::Error| {
        let message = texts::FOLDER.with("path", shown()).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::NAME_EMPTY)
    };
    let has_others = match std::fs::read_dir(folder) {
        Ok(entries) => {
            let names: Vec<_> = entries.filter_map(Result::ok).map(|it| it.file_name()).collect();
            !names.is_empty() && names.iter().all(|name| name != keep::DRILLS)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(error)),
    };
    if has_others {
        let message = texts::NOT_EMPTY.with("path", shown());
        return Err(Failure::new(Exit::Refused, message, texts::NAME_EMPTY));
    }
    local::make_private_folder(folder).map_err(failed)
}

/// Settings with nothing of this machine: its configuration, its secrets and what it keeps.
fn apart(context: &Context, args: &NothingArgs, kit: Option<&Used>) -> Context {
    let mut settings = context.settings.clone();
    let whole = args.kit.as_ref().filter(|_| kit.is_some_and(|kit| kit.is_whole));
    settings.config = match whole {
        Some(kit) => ConfigFile::Named(kit.join(CONFIGURATION)),
        // Where there is none.
        None => ConfigFile::Default(args.folder.join(CONFIGURATION)),
    };
    settings.secret = SecretSource::Prompt;
    settings.cache_dir = Some(args.folder.clone());
    settings.cache_use = CacheUse::KeysOnly;
    settings.timetable = None;
    context.with(settings)
}

/// What was looked at before anything is restored.
fn looked(context: &Context, kit: Option<&Used>, access: Found) -> Vec<Check> {
    let mut checks = Checks::new(&context.run);
    if let Some(kit) = kit {
        checks.note((Level::L0, "PF.kit"), Weight::Mandatory, kit.found());
    }
    checks.note((Level::L0, "PF.access"), Weight::Mandatory, access);
    let mut list = checks.list;
    for check in &mut list {
        // They belong to no rung.
        check.id = check.id.trim_start_matches("L0.").to_owned();
    }
    list
}

fn hold(
    context: &Context,
    stand: &Stand<'_>,
    (keys, shares): (&Keys, &[Share]),
) -> Result<Ended, Failure> {
    let args = stand.args;
    let head = context.run.clock.elapsed().saturating_sub(stand.began);
    let drills = Drills::new(context)?;
    carry::clear(context, &drills, keys)?;
    let snapshots = opened::list(context, keys)?;
    let loaded = match stand.kit.filter(|kit| kit.is_whole) {
        Some(_) => Some(context.configuration()?),
        None => None,
    };
    let config = loaded.as_ref().map(|loaded| loaded.config()).transpose()?;
    let plan = items::plan(context, args, (config, keys, &snapshots))?;
    let kit = stand.kit.map(|kit| kit.recorded(context, keys, plan.offset_s)).transpose()?;
    let count = shares.len() as u64;
    let recovery = Recovery {
        shares_count: count,
        needed_count: shares.first().map(|share| u64::from(share.k)),
        keys_s: Some(head.as_secs()),
        kit,
    };
    let opened = Found::equal(FailureCode::F6, "keys", "keys");
    let opened = opened.with(format!("{count} shares opened the repository"));
    let plan =
        Plan { recovery: Some(recovery), head, looked: looked(context, stand.kit, opened), ..plan };
    let desk = Desk { drills: &drills, keys, snapshots: &snapshots };
    let ended = carry_out(context, &desk, &plan);
    // Others may have theirs in it.
    let _others_are_there = std::fs::remove_dir(items::sandbox(args));
    ended
}

fn carry_out(context: &Context, desk: &Desk<'_>, plan: &Plan) -> Result<Ended, Failure> {
    let began = context.run.clock.elapsed();
    let Carried { record, planned, closed, record_file, closing, mut code } =
        carry::carry(context, desk, (plan, &mut |_| ()))?;
    let past = Past { plan, record: &record, began };
    let (followed, stopped) = follow::react(context, desk, (&past, planned, &mut code));
    desk.drills.keep_followed(&record.record_id, &followed)?;
    stopped?;
    let mut documents = documents(context, desk.drills, &record.record_id);
    if desk.keys.ledger.is_some() {
        let signed = take_in::sign(desk, (&record, &closing))?;
        let path = escape(signed.as_os_str().as_encoded_bytes());
        context.output.note(texts::NOT_KEPT.with("path", path.as_str()));
        documents.push(path);
    }
    let held = run::Held {
        record: &record,
        record_file: escape(record_file.as_os_str().as_encoded_bytes()),
        closing: &closing,
        followed: &followed,
        closed: &closed,
        documents,
        ledger_code: code,
    };
    run::conclude(context, &held)
}

/// Minutes beside the record. Without them the drill is what it was: a problem.
fn documents(context: &Context, drills: &Drills, record_id: &str) -> Vec<String> {
    match report::all(context, drills, record_id, (context.output.language(), None)) {
        Ok(files) => files.iter().map(|it| escape(it.as_os_str().as_encoded_bytes())).collect(),
        Err(failure) => {
            context.problem(Severity::Problem, PROGRAM, failure.message);
            Vec::new()
        }
    }
}
