//! `continuity seals`: who holds sealed shares was asked, and it is on record.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::continuity as texts;
use crate::cli::open;
use crate::cli::verb::continuity::ledgers::SEALS;
use crate::cli::verb::continuity::ledgers::SEALS_BROKEN;
use crate::cli::verb::continuity::ledgers::SEALS_NEEDED;
use crate::cli::verb::continuity::ledgers::SEALS_PRESENT;
use crate::cli::verb::continuity::load;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::key::shares::ShareCounts;
use crate::config::plan::Plan;
use crate::config::plan::Role;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::path::escape;
use crate::repository::keys::recovery;

/// Put on record who was there with a sealed share of the recovery key, and whose seal was broken.
///
/// Nobody opens an envelope for it: seals are looked at. People are named by their ids in the plan;
/// whoever has the role `share_holder` and is named neither way counts as absent. The entry of the
/// ledger is signed with the office's key; R17 is judged by the newest.
///
/// Exit codes: 0 kept, and one more is there than is needed; 2 somebody who holds none is named; 3
/// kept, and too few are there or a seal is broken.
#[derive(Debug, Clone, Args)]
pub struct SealsArgs {
    /// Who was there with a whole seal; may be given several times.
    #[arg(long, value_name = "ID")]
    pub present: Vec<String>,
    /// Whose seal was broken; may be given several times.
    #[arg(long, value_name = "ID")]
    pub broken: Vec<String>,
    /// How many shares open, out of how many; without it what was typed back last says so.
    #[arg(long, value_name = "K/N")]
    pub shares: Option<ShareCounts>,
}

#[derive(Serialize)]
struct Kept {
    needed: u64,
    present: Vec<String>,
    absent: Vec<String>,
    broken: Vec<String>,
    ledger_code: String,
}

pub fn run(context: &Context, args: &SealsArgs) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    let plan = office.plan()?;
    let holders = holders(plan);
    named(args, &holders)?;
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let place = (unlocked.keyset.repository, &unlocked.keyset.root_public);
    let needed = match &args.shares {
        Some(counts) => Some(counts.needed),
        None => recovery::last_check(&context.run, &storage, place)?.map(|check| check.k),
    };
    let Some(needed) = needed.map(u64::from) else {
        return Err(Failure::new(Exit::Refused, texts::SHARES_UNKNOWN, texts::GIVE_SHARES));
    };
    let seen: Vec<&String> = args.present.iter().chain(&args.broken).collect();
    let absent = holders.iter().filter(|id| !seen.contains(id)).map(|id| (*id).clone());
    let absent: Vec<String> = absent.collect();
    let document = json!({
        "schema": Kind::Custody.schema(),
        SEALS_NEEDED: needed,
        SEALS_PRESENT: args.present,
        SEALS_BROKEN: args.broken,
        "absent": absent,
    });
    let mut ledger = ledger::founded(context, &storage, &unlocked)?;
    let writer = ledger::office(&unlocked);
    ledger.append(&context.run, &writer, &Draft::new(Kind::Custody, SEALS, document))?;
    let (checkpoint, _) = ledger.put_checkpoint(&writer)?;
    let kept = Kept {
        needed,
        present: args.present.clone(),
        absent,
        broken: args.broken.clone(),
        ledger_code: checkpoint.code().to_string(),
    };
    context.output.report("seals", &kept, || {
        texts::SEALS_KEPT
            .with("present", kept.present.len())
            .with("needed", needed)
            .with("code", kept.ledger_code.as_str())
    })?;
    let is_good = kept.broken.is_empty() && kept.present.len() as u64 > needed;
    Ok(Ended { exit: if is_good { Exit::Done } else { Exit::Problems }, ..Ended::done() })
}

fn holders(plan: &Plan) -> BTreeSet<&String> {
    let all = plan.people.iter().filter(|(_, it)| it.roles.contains(&Role::ShareHolder));
    all.map(|(id, _)| id).collect()
}

/// Everybody holds a share, and is named once.
fn named(args: &SealsArgs, holders: &BTreeSet<&String>) -> Result<(), Failure> {
    let all: Vec<&String> = args.present.iter().chain(&args.broken).collect();
    if all.is_empty() {
        return Err(Failure::usage(texts::NOBODY_SEEN, texts::NAME_HOLDERS));
    }
    let mut seen = BTreeSet::new();
    for id in all {
        if !holders.contains(id) {
            let people: Vec<&str> = holders.iter().map(|id| id.as_str()).collect();
            let message = texts::NOT_A_HOLDER.with("id", escape(id.as_bytes()));
            let message = message.with("people", people.join(", "));
            return Err(Failure::usage(message, texts::NAME_HOLDERS));
        }
        if !seen.insert(id) {
            let message = texts::TWO_WAYS.with("id", escape(id.as_bytes()));
            return Err(Failure::usage(message, texts::NAME_HOLDERS));
        }
    }
    Ok(())
}
