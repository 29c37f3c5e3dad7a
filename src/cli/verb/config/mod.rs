//! `config`: the configuration file.

pub mod database;
pub mod generate;
pub mod job;
pub mod show;
pub mod validate;

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;

/// Write, check and show the configuration file.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Write a commented file to start from; with `--lang vi` its comments are Vietnamese.
    Generate(generate::GenerateArgs),
    /// Tell every mistake with its line, what is probably not meant, and when each job runs next.
    ///
    /// A mistake is exit code 2; a warning is none.
    Validate {
        /// The file; without it the one of --config, LIFEBOAT_CONFIG or the system.
        file: Option<PathBuf>,
    },
    /// Print every value and where it comes from; of secrets, only where they are.
    Show,
}

pub fn run(context: &Context, args: &ConfigArgs) -> Result<Ended, Failure> {
    match &args.verb {
        ConfigVerb::Generate(args) => generate::run(context, args),
        ConfigVerb::Validate { file } => validate::run(context, file.as_deref()),
        ConfigVerb::Show => show::run(context),
    }
}
