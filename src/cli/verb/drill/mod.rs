//! `drill`: restores that are rehearsed, with their records.

pub mod keep;
pub mod list;
pub mod pick;
pub mod run;
pub mod told;

use clap::Args;
use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;

/// Rehearse restores: restore for real into a throw-away place, compare with the truth recorded at
/// the source, open, measure, judge, and keep a record.
#[derive(Debug, Args)]
pub struct DrillArgs {
    #[command(subcommand)]
    pub verb: DrillVerb,
}

#[derive(Debug, Subcommand)]
pub enum DrillVerb {
    Run(run::RunArgs),
    List(list::ListArgs),
    Show(list::ShowArgs),
}

pub fn run(context: &Context, args: &DrillArgs) -> Result<Ended, Failure> {
    match &args.verb {
        DrillVerb::Run(args) => run::run(context, args),
        DrillVerb::List(args) => list::list(context, args),
        DrillVerb::Show(args) => list::show(context, args),
    }
}
