//! `daemon`, and the verbs that ask it.

pub mod ask;
pub mod runs;
pub mod status;

use std::path::Path;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon::service as texts;
use crate::cli::verb::notify;
use crate::config::Config;
use crate::daemon::hold::HoldError;
use crate::daemon::restraint::power;
use crate::daemon::serve;
use crate::daemon::serve::ServeError;
use crate::daemon::serve::World;
use crate::daemon::supervise::Program;
use crate::disk::unix::RealDisk;
use crate::path::escape;
use crate::source::host::host_name;

const SUPPLIES: &str = "LIFEBOAT_POWER_SUPPLY";

/// Run the jobs of the configuration on time.
///
/// Stays in the foreground, as a service manager wants it, and logs on standard error. Each job is
/// a process of its own. SIGHUP reads the configuration again: what is at work goes on, and a file
/// with mistakes changes nothing. SIGTERM stops what is at work within 30 seconds; it is caught up
/// at the next start.
///
/// Exit codes: 0 stopped; 2 the configuration has mistakes; 11 another daemon has the state folder.
#[derive(Debug, Args)]
pub struct DaemonArgs {}

pub fn run(context: &Context, _args: &DaemonArgs) -> Result<Ended, Failure> {
    let load = || context.configuration()?.config().cloned();
    let config = load()?;
    let told = |failure: Failure| failure.message.told_in(Language::En);
    let world = World {
        clock: &*context.run.clock,
        disk: &RealDisk,
        program: program(context).map_err(|error| failure(&config, &error.into()))?,
        machine: host_name(),
        supplies: context.environment.get(SUPPLIES).unwrap_or(power::SUPPLIES.as_ref()).into(),
        #[cfg(feature = "testing")]
        stands_at: context
            .environment
            .get("LIFEBOAT_TEST_STANDS_AT")
            .map(|place| place.to_string_lossy().into_owned()),
        way: notify::way(context),
        load: &|| load().map_err(told),
    };
    serve::serve(&world, &config).map_err(|error| failure(&config, &error))?;
    Ok(Ended::done())
}

/// This program, with the options that hold for everything it starts.
fn program(context: &Context) -> std::io::Result<Program> {
    let settings = &context.settings;
    let mut options = vec!["--config".into(), settings.config.path().into(), "--json".into()];
    if let Some(folder) = &settings.cache_dir {
        options.extend(["--cache-dir".into(), folder.into()]);
    }
    Ok(Program { path: std::env::current_exe()?, options })
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

fn failure(config: &Config, error: &ServeError) -> Failure {
    let path = shown(&config.state_dir);
    match error {
        ServeError::Hold(HoldError::Taken { pid }) => {
            let message = texts::TAKEN.with("path", path).with("pid", pid.as_str());
            Failure::new(Exit::Busy, message, texts::ASK_IT)
        }
        error => {
            let message = texts::NOT_STARTED.with("path", path).with("detail", Said::heard(error));
            Failure::new(Exit::Failed, message, texts::SEE_FOLDER)
        }
    }
}
