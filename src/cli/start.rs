//! From the words of the command line to an exit code.

pub mod verifier;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::args::Cli;
use crate::cli::args::Verb;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::context::Hearers;
use crate::cli::environment::Environment;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::interrupt;
use crate::cli::language::said::Said;
use crate::cli::language::table::common;
#[cfg(unix)]
use crate::cli::language::table::errors;
use crate::cli::language::table::options;
use crate::cli::output::Format;
use crate::cli::output::Level;
use crate::cli::output::Output;
use crate::cli::output::Summary;
use crate::cli::output::log;
use crate::cli::output::watch::Drawing;
use crate::cli::output::watch::Watch;
use crate::cli::settings;
use crate::cli::settings::Progress;
use crate::cli::settings::Settings;
use crate::cli::settings::Terminal;
use crate::cli::verb;
use crate::clock::Clock;
use crate::clock::SystemClock;
use crate::daemon::PARENT;
#[cfg(unix)]
use crate::disk::unix::handles;
use crate::ids::RunId;
use crate::path::escape;
use crate::run::Run;

/// Does what the process was started with.
#[must_use]
pub fn main() -> Exit {
    run(std::env::args_os().collect(), Environment::of_process())
}

/// Does what `args` say; `args[0]` is the program's name.
#[must_use]
pub fn run(args: Vec<OsString>, environment: Environment) -> Exit {
    #[cfg(unix)]
    handles::raise();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&args, &error, clock.as_ref()),
    };
    let format = format(&cli);
    let level = settings::level(&cli.global.output);
    // A language that is none of ours is told with the other mistakes, in English.
    let language = settings::language(&cli.global, &environment).ok().flatten();
    let output = Arc::new(Output::new(format, level).speaking(language));
    let watch = Arc::new(Watch::new(Arc::clone(&output)));
    let ended = guarded(|| start(cli, environment, &watch, (&output, &clock)));
    conclude(ended, &watch, &output, clock.as_ref())
}

/// A fault of ours must not end without a message, an exit code and a summary.
fn guarded(work: impl FnOnce() -> Result<Ended, Failure>) -> Result<Ended, Failure> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Failure::new(Exit::Failed, common::INTERNAL, common::REPORT_IT)
            .meaning(common::UNTOUCHED))
    })
}

fn format(cli: &Cli) -> Format {
    match &cli.verb {
        _ if !cli.global.output.json => Format::Human,
        Verb::Dump(_) => Format::JsonOnStderr,
        _ => Format::Json,
    }
}

fn start(
    cli: Cli,
    environment: Environment,
    watch: &Arc<Watch>,
    (output, clock): (&Arc<Output>, &Arc<dyn Clock>),
) -> Result<Ended, Failure> {
    #[cfg(unix)]
    enough_open_files()?;
    let terminal = if std::io::stderr().is_terminal() { Terminal::Yes } else { Terminal::No };
    let settings = settings::resolve(&cli.global, &environment, terminal)?;
    if let Some(language) = settings.office_language {
        output.speak(language);
    }
    let is_daemon = matches!(cli.verb, Verb::Daemon(_));
    let filter = settings.log.as_deref().or(is_daemon.then_some(log::DAEMON));
    if let Some(filter) = filter {
        start_log(filter, &settings, &environment)?;
    }
    let (output, watch) = (Arc::clone(output), Arc::clone(watch));
    let run = new_run(&watch, clock)?;
    if let Some(parent) = environment.get(PARENT) {
        interrupt::end_with(parent, &run.cancel);
    }
    let context =
        Context { settings, environment, output, watch, run, hearers: Hearers::Everybody };
    let is_long = match &cli.verb {
        Verb::Quickstart(_)
        | Verb::Backup(_)
        | Verb::Restore(_)
        | Verb::Check(_)
        | Verb::Copy(_)
        | Verb::Repair(_)
        | Verb::Prune(_)
        | Verb::Drill(_)
        | Verb::Stats(_) => true,
        // Not over the content of a file.
        Verb::Dump(args) => args.target.is_some() || !std::io::stdout().is_terminal(),
        _ => false,
    };
    let progress = if is_long { context.settings.progress } else { Progress::Silent };
    let _drawing = Drawing::start(&context.watch, clock, progress);
    dispatch(&context, cli.verb)
}

fn start_log(filter: &str, settings: &Settings, environment: &Environment) -> Result<(), Failure> {
    let place = settings.log_file.as_deref();
    log::start(filter, (settings.log_form, place), environment).map_err(|error| {
        let path = place.unwrap_or_else(|| Path::new("")).as_os_str();
        let message = options::LOG_FILE.with("path", escape(path.as_encoded_bytes()));
        Failure::usage(message.with("detail", Said::heard(error)), options::NAME_LOG_FILE)
    })
}

/// A limit of this process is no fault of anything that it works on.
#[cfg(unix)]
fn enough_open_files() -> Result<(), Failure> {
    match handles::limit().filter(|limit| *limit < handles::LEAST) {
        None => Ok(()),
        Some(limit) => {
            let told = errors::FEW_HANDLES.with("count", limit).with("least", handles::LEAST);
            Err(Failure::new(Exit::Failed, told, errors::MORE_HANDLES))
        }
    }
}

fn dispatch(context: &Context, verb: Verb) -> Result<Ended, Failure> {
    match verb {
        Verb::Quickstart(args) => verb::quickstart::run(context, &args),
        Verb::Init(args) => verb::init::run(context, &args),
        Verb::Backup(args) => verb::backup::run(context, args),
        Verb::Snapshots(args) => verb::read::snapshots::run(context, &args),
        Verb::Ls(args) => verb::read::ls::run(context, &args),
        Verb::Find(args) => verb::read::find::run(context, &args),
        Verb::Diff(args) => verb::read::diff::run(context, &args),
        Verb::Stats(args) => verb::read::stats::run(context, &args),
        Verb::Cat(args) => verb::read::cat::run(context, &args),
        Verb::Check(args) => verb::check::run(context, &args),
        Verb::Copy(args) => verb::copy::run(context, &args),
        Verb::Restore(args) => verb::restore::run(context, &args),
        Verb::Repair(args) => verb::repair::run(context, &args),
        Verb::Drill(args) => verb::drill::run(context, &args),
        Verb::Prune(args) => verb::prune::run(context, &args),
        Verb::Tag(args) => verb::tag::run(context, &args),
        Verb::Forget(args) => verb::forget::run(context, args),
        Verb::Key(args) => verb::key::run(context, &args),
        Verb::Dump(args) => verb::dump::run(context, &args),
        Verb::Config(args) => verb::config::run(context, &args),
        Verb::Continuity(args) => verb::continuity::run(context, &args),
        Verb::Schedule(args) => verb::schedule::run(context, &args),
        Verb::Daemon(args) => verb::daemon::run(context, &args),
        Verb::Status(args) => verb::daemon::status::run(context, &args),
        Verb::Runs(args) => verb::daemon::runs::run(context, &args),
        Verb::Run(args) => verb::daemon::ask::run(context, args),
        Verb::Cancel(args) => verb::daemon::ask::cancel(context, args),
        Verb::Pause(args) => verb::daemon::ask::pause(context, &args),
        Verb::Resume(args) => verb::daemon::ask::resume(context, &args),
        Verb::Notify(args) => verb::notify::run(context, &args),
        Verb::Serve(args) => verb::serve::run(context, &args),
        Verb::Storage(args) => verb::storage::run(context, &args),
        Verb::Completion(args) => verb::completion::run(context, &args),
        Verb::Man(args) => verb::man::run(context, &args),
    }
}

fn new_run(watch: &Arc<Watch>, clock: &Arc<dyn Clock>) -> Result<Run, Failure> {
    let mut random = [0_u8; 24];
    getrandom::fill(&mut random).map_err(|error| {
        let message = common::NO_RANDOM.with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, common::START_UP)
    })?;
    let (id, seed) = random.split_at(RunId::LEN);
    let id = RunId::from_slice(id).unwrap_or(RunId::new([0; 16]));
    let seed = seed.iter().fold(0, |seed, &byte| seed << 8 | u64::from(byte));
    let watch = Arc::clone(watch);
    let run = Run::new(id, watch, Arc::clone(clock), seed);
    // Without handlers the system's own rule stands: the process ends at the first signal.
    let _by_the_system = interrupt::listen(&run.cancel);
    Ok(run)
}

/// Help and version are results; everything else is a mistake in the options.
fn not_parsed(args: &[OsString], error: &clap::Error, clock: &dyn Clock) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // If nobody reads the help there is nobody to tell.
        let _unread = error.print();
        return Exit::Done;
    }
    let is_json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    if !is_json {
        let _unread = error.print();
        return Exit::Usage;
    }
    let output = Arc::new(Output::new(Format::Json, Level::Quiet));
    let text = error.render().to_string();
    let message = text.lines().next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let failure = Failure::usage(message, common::SEE_HELP);
    conclude(Err(failure), &Watch::new(Arc::clone(&output)), &output, clock)
}

/// Prints why it ended, then the summary.
fn conclude(
    ended: Result<Ended, Failure>,
    watch: &Watch,
    output: &Output,
    clock: &dyn Clock,
) -> Exit {
    let mut exit = Exit::Done;
    if watch.problems_count() > 0 {
        exit = Exit::Problems;
    }
    if watch.damage_count() > 0 {
        exit = Exit::Damage;
    }
    let mut skipped_count = 0;
    match ended {
        Ok(ended) => {
            exit = exit.or(ended.exit);
            skipped_count = ended.skipped_count;
        }
        Err(failure) => {
            output.failure(&failure);
            exit = if failure.is_silent() { exit } else { failure.exit };
        }
    }
    let summary = Summary {
        exit_code: exit.code(),
        problems_count: watch.problems_count(),
        skipped_count,
        duration_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    output.summary(summary, exit)
}
