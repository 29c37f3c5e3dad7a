//! `copy`: snapshots to a second repository.

mod ends;

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::copy as texts;
use crate::copy::Doing;
use crate::copy::verbatim;
use crate::copy::verbatim::CopyOptions;
use crate::copy::verbatim::CopyReport;
use crate::units::Bytes;

/// Snapshots are committed together until they bring so much.
const BATCH_BYTES: u64 = 4 << 30;

/// Copy snapshots to a second repository.
///
/// Into a twin (see `init --twin-of`) sealed objects go as they are, and only those that are
/// missing; no passphrase is needed where this machine has its keyset. What is removed here stays
/// there, and what was removed there does not come back. A copy that is stopped goes on where it
/// was.
///
/// Exit codes: 0 done; 3 a copy of something was bad and another stood in; 20 a snapshot is not
/// copied because something that it needs is lost.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The repository that snapshots are copied to.
    #[arg(long, value_name = "REPOSITORY", required_unless_present = "from")]
    pub to: Option<PathBuf>,
    /// The repository that snapshots are copied from: the one of `--repo` fetches them.
    #[arg(long, value_name = "REPOSITORY", conflicts_with = "to")]
    pub from: Option<PathBuf>,
    /// Only tell what would be copied.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

pub fn run(context: &Context, args: &CopyArgs) -> Result<Ended, Failure> {
    let places = ends::places(context, args)?;
    let opened = ends::open(context, &places)?;
    let doing = if args.dry_run { Doing::Plan } else { Doing::Copy };
    if doing == Doing::Copy {
        opened.carry_records(&context.run)?;
    }
    let options = CopyOptions { doing, batch_bytes: BATCH_BYTES };
    let report = verbatim::copy(&context.run, opened.ends(), options)?;
    match doing {
        Doing::Plan => context.output.plan("copy", &report, || told(&report, doing))?,
        Doing::Copy => context.output.report("copy", &report, || told(&report, doing))?,
    }
    let skipped_count = report.removed_count + report.unfinished_count;
    Ok(Ended { skipped_count, ..Ended::done() })
}

fn told(report: &CopyReport, doing: Doing) -> Said {
    let text = match doing {
        Doing::Plan => texts::PLANNED,
        Doing::Copy => texts::COPIED,
    };
    let mut said = text
        .with("copied", report.copied_count)
        .with("objects", report.objects_count)
        .with("bytes", Bytes(report.bytes))
        .with("known", report.known_count);
    for (text, count) in [
        (texts::LEFT_REMOVED, report.removed_count),
        (texts::LEFT_UNFINISHED, report.unfinished_count),
        (texts::LEFT_DAMAGED, report.damaged_count),
    ] {
        if count > 0 {
            said = text.with("done", said).with("count", count);
        }
    }
    said
}
