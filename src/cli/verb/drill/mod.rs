//! `drill`: restores that are rehearsed, with their records and their evidence.

pub mod actions;
pub mod bundle;
pub mod files;
pub mod keep;
pub mod key;
pub mod ledger;
pub mod list;
pub mod nothing;
pub mod plan;
pub mod proofs;
pub mod run;
pub mod sign;
pub mod told;
pub mod verify;

use clap::Args;
use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::verb::backup::canary;
use crate::cli::verb::backup::canary::CanaryArgs;

/// Rehearse restores: restore for real into a throw-away place, compare with the truth recorded at
/// the source, open, measure, judge, and keep a record; sign, show and check the evidence.
#[derive(Debug, Args)]
pub struct DrillArgs {
    #[command(subcommand)]
    pub verb: DrillVerb,
}

#[derive(Debug, Subcommand)]
pub enum DrillVerb {
    Plan(plan::PlanArgs),
    Run(run::RunArgs),
    FromNothing(nothing::NothingArgs),
    TakeIn(nothing::take_in::TakeInArgs),
    List(list::ListArgs),
    Show(list::ShowArgs),
    Actions(actions::ActionsArgs),
    Canary(CanaryArgs),
    Proofs(proofs::ProofsArgs),
    Key(key::KeyArgs),
    Sign(sign::SignArgs),
    Bundle(bundle::BundleArgs),
    VerifyEvidence(verify::VerifyArgs),
    MendCheckpoint(ledger::mend::MendArgs),
    Report(list::report::ReportArgs),
}

pub fn run(context: &Context, args: &DrillArgs) -> Result<Ended, Failure> {
    match &args.verb {
        DrillVerb::Plan(args) => plan::run(context, args),
        DrillVerb::Run(args) => run::run(context, args),
        DrillVerb::FromNothing(args) => nothing::begin(context, args),
        DrillVerb::TakeIn(args) => nothing::take_in::run(context, args),
        DrillVerb::List(args) => list::list(context, args),
        DrillVerb::Show(args) => list::show(context, args),
        DrillVerb::Actions(args) => actions::run(context, args),
        DrillVerb::Canary(args) => canary::run(context, args),
        DrillVerb::Proofs(args) => proofs::run(context, args),
        DrillVerb::Key(args) => key::run(context, args),
        DrillVerb::Sign(args) => sign::run(context, args),
        DrillVerb::Bundle(args) => bundle::run(context, args),
        DrillVerb::VerifyEvidence(args) => verify::run(context, args),
        DrillVerb::MendCheckpoint(args) => ledger::mend::run(context, args),
        DrillVerb::Report(args) => list::report::run(context, args),
    }
}
