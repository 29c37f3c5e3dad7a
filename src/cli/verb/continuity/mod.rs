//! `continuity`: the plan of what the office must keep doing, and how the office stands.

pub mod facts;
pub mod kit;
pub mod ledgers;
pub mod load;
pub mod report;
pub mod runbook;
pub mod seals;
pub mod sign;
pub mod status;
pub mod validate;

use clap::Args;
use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;

/// Check and show the continuity plan (services, owners, target times, people, places), and how the
/// office stands.
#[derive(Debug, Args)]
pub struct ContinuityArgs {
    #[command(subcommand)]
    pub verb: ContinuityVerb,
}

#[derive(Debug, Subcommand)]
pub enum ContinuityVerb {
    /// Tell every mistake of the plan with its line, and what is probably not meant.
    ///
    /// A mistake is exit code 2; a warning is none.
    Validate,
    /// Print every value of the plan and where it comes from.
    Show,
    Status(status::StatusArgs),
    Sign(sign::SignArgs),
    Runbook(runbook::RunbookArgs),
    Kit(kit::KitArgs),
    Seals(seals::SealsArgs),
    Report(report::ReportArgs),
}

pub fn run(context: &Context, args: &ContinuityArgs) -> Result<Ended, Failure> {
    match &args.verb {
        ContinuityVerb::Validate => validate::run(context),
        ContinuityVerb::Show => validate::show(context),
        ContinuityVerb::Status(args) => status::run(context, args),
        ContinuityVerb::Sign(args) => sign::run(context, args),
        ContinuityVerb::Runbook(args) => runbook::run(context, args),
        ContinuityVerb::Kit(args) => kit::run(context, args),
        ContinuityVerb::Seals(args) => seals::run(context, args),
        ContinuityVerb::Report(args) => report::run(context, args),
    }
}
