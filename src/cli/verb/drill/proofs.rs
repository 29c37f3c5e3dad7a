//! `drill proofs`: how each dataset is proven, as the ledger has it.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::open;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::run::chain::open_actions;
use crate::cli::verb::drill::told;
use crate::drill::follow::Followed;
use crate::drill::follow::SEARCH;
use crate::drill::follow::is_proven;
use crate::drill::record::Item;
use crate::drill::record::Record;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Verdict;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Ledger;
use crate::run::monitor::Severity;

/// Records that are looked through, from the newest back.
const RECORDS_MAX: usize = 2000;

/// Tell of each dataset the last drill, the last that proved it, and when a new one is due, as the
/// ledger of the repository has them.
///
/// A dataset is proven by a drill that judged it so and reached the level that it needs; its proof
/// is as old as the begin of that drill. Searches for a good snapshot prove nothing here.
///
/// Exit codes: 0 all was read; 3 a record could not be.
#[derive(Debug, Clone, Args)]
pub struct ProofsArgs {
    /// Only what this machine backed up.
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
}

/// One dataset.
#[derive(Debug, Serialize)]
struct Proof {
    dataset: String,
    drill: String,
    held_at: String,
    verdict: Verdict,
    failures: Vec<FailureCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    /// End of the day by which a new drill is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
}

pub fn run(context: &Context, args: &ProofsArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let access = ledger::access(context, &storage, &unlocked)?;
    let ledger = Ledger::open(&context.run, storage, access)?;
    let (mut proofs, unread_count) = read(context, &ledger, args.host.as_deref())?;
    for action in open_actions(&ledger)? {
        if let Some(proof) = proofs.get_mut(&action.dataset) {
            let due = due(&action, &proof.held_at);
            proof.due_at = match proof.due_at.take() {
                Some(other) if moment(&other) < moment(&due) => Some(other),
                _ => Some(due),
            };
        }
    }
    show(context, proofs.values().collect())?;
    let exit = if unread_count > 0 { Exit::Problems } else { Exit::Done };
    Ok(Ended { exit, skipped_count: unread_count })
}

/// The last moment of a day, in the offset that records are told in.
fn due(action: &Followed, told: &str) -> String {
    let offset = told.get(19..).filter(|it| it.len() == 6).unwrap_or("Z");
    format!("{}T23:59:59{offset}", action.due)
}

fn moment(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok()
}

/// By dataset, and how many records could not be read.
fn read(
    context: &Context,
    ledger: &Ledger,
    host: Option<&str>,
) -> Result<(BTreeMap<String, Proof>, u64), Failure> {
    let mut proofs: BTreeMap<String, Proof> = BTreeMap::new();
    let mut unread_count = 0;
    let records = ledger.entries().iter().rev().filter(|it| it.entry.kind == Kind::Record);
    for stored in records.take(RECORDS_MAX) {
        context.run.check()?;
        let document = match ledger.document(stored.entry.document) {
            Ok(document) => document,
            Err(error) => {
                let subject = texts::A_RECORD.with("code", stored.entry.subject.as_str());
                context.problem(Severity::Problem, subject, Said::heard(error));
                unread_count += 1;
                continue;
            }
        };
        // What another program keeps as a record proves nothing that we know of.
        let Ok(record) = serde_json::from_value::<Record>(document) else { continue };
        let is_own = |item: &&Item| {
            // One without a snapshot is of no machine.
            let is_here = item.machine.is_empty() || host.is_none_or(|it| it == item.machine);
            is_here && item.stratum != SEARCH
        };
        for item in record.items.iter().filter(is_own) {
            take(&mut proofs, &record, item);
        }
    }
    Ok((proofs, unread_count))
}

/// Records come from the newest back: the first stands.
fn take(proofs: &mut BTreeMap<String, Proof>, record: &Record, item: &Item) {
    let proof = proofs.entry(item.dataset.clone()).or_insert_with(|| Proof {
        dataset: item.dataset.clone(),
        drill: record.drill.code.clone(),
        held_at: record.drill.started_at.clone(),
        verdict: item.verdict,
        failures: item.failures.clone(),
        proven_at: None,
        snapshot: None,
        level: None,
        due_at: None,
    });
    if proof.proven_at.is_none() && is_proven(item) {
        proof.proven_at = Some(record.drill.started_at.clone());
        proof.snapshot = Some(item.snapshot.clone());
        proof.level = item.proof_level;
    }
}

fn show(context: &Context, proofs: Vec<&Proof>) -> Result<(), Failure> {
    if context.output.is_json() {
        for proof in proofs {
            context.output.json("result", Some("proof"), proof)?;
        }
        return Ok(());
    }
    let language = context.output.language();
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let day = |text: Option<&String>| or_dash(text.and_then(|text| text.get(..10)));
    let row = |proof: &Proof| {
        vec![
            proof.dataset.clone(),
            proof.drill.clone(),
            told::verdict(proof.verdict).words(language).to_owned(),
            day(proof.proven_at.as_ref()),
            proof.level.map_or("-".to_owned(), |level| format!("{level:?}")),
            or_dash(proof.snapshot.as_deref().map(told::short)),
            day(proof.due_at.as_ref()),
        ]
    };
    let rows: Vec<_> = proofs.into_iter().map(row).collect();
    let titles = [
        texts::COLUMN_DATASET,
        texts::COLUMN_LAST,
        texts::COLUMN_VERDICT,
        texts::COLUMN_PROVEN,
        texts::COLUMN_LEVEL,
        texts::COLUMN_SNAPSHOT,
        texts::COLUMN_DUE,
    ];
    let columns = titles.map(|title| (title.words(language), Align::Left));
    context.output.raw(format!("{}\n", render(&columns, &rows)).as_bytes())?;
    Ok(())
}
