//! `drill mend-checkpoint`: a ledger whose newest checkpoint is damaged goes on, and says so.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::drill as texts;
use crate::cli::open;
use crate::cli::verb::drill::ledger;
use crate::evidence::ledger::Ledger;

/// Sign a new checkpoint of the ledger where the newest one is damaged.
///
/// Every entry is checked first. An entry says which checkpoint is damaged, what is there in its
/// place and why; the new checkpoint covers it. Nothing is removed. A ledger whose entries do not
/// verify, and one whose checkpoint is well signed and of other entries, is refused: that is no
/// damage of a checkpoint.
///
/// Exit codes: 0 mended, or nothing to mend; 12 wrong passphrase; 23 the ledger does not verify.
#[derive(Debug, Clone, Args)]
pub struct MendArgs {
    /// What is known of how it came to that.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

#[derive(Serialize)]
struct Mended {
    /// Entries of the checkpoint that was damaged; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged_size: Option<u64>,
    size: u64,
    ledger_code: String,
}

pub fn run(context: &Context, args: &MendArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let access = ledger::access(context, &storage, &unlocked)?;
    let opened = Ledger::open_to_mend(&context.run, Arc::clone(&storage), access)?;
    let (mut ledger, damaged) = opened;
    let writer = ledger::office(&unlocked);
    let checkpoint = match damaged {
        Some(damaged) => {
            let why = (damaged, args.reason.as_str());
            Some(ledger.mend_checkpoint(&context.run, &writer, why)?)
        }
        None => ledger.checkpoint(),
    };
    let mended = Mended {
        damaged_size: damaged.map(|damaged| damaged.size),
        size: checkpoint.as_ref().map_or(0, |it| it.size),
        ledger_code: checkpoint.map(|it| it.code().to_string()).unwrap_or_default(),
    };
    context.output.report("checkpoint", &mended, || match mended.damaged_size {
        Some(size) => texts::MENDED.with("size", size).with("code", mended.ledger_code.as_str()),
        None => texts::NOTHING_TO_MEND.into(),
    })?;
    Ok(Ended::done())
}
