//! `drill take-in`: the record of a drill that could not, or was not to, add to the ledger.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::nothing as texts;
use crate::cli::verb::drill::files;
use crate::cli::verb::drill::keep::Open;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::run::carry::Desk;
use crate::cli::verb::drill::run::chain::Chain;
use crate::cli::verb::drill::run::chain::Ended as How;
use crate::cli::verb::drill::told;
use crate::drill::engine::Stage;
use crate::drill::engine::Steps as _;
use crate::drill::follow;
use crate::drill::record::CLOSING_SCHEMA;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::drill::record::SCHEMA;
use crate::drill::sandbox::Mark;
use crate::drill::verdict::Verdict;
use crate::evidence::canonical;
use crate::evidence::entry;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::signed::Signed;
use crate::path::escape;

/// What stands beside a record that is taken in later.
const SIGNED: &str = "record.signed";
/// Room for the number that a second drill of one day gets.
const CODE_BYTES_MAX: usize = entry::NAME_BYTES_MAX - 12;

/// Put the record of a drill from nothing into the ledger of the office.
///
/// One that was signed with the office's key is taken as it is; one that was not only if it says
/// that data was not proven, for anybody could write the other.
///
/// Exit codes: 0 taken in; 2 no record; 13 refused: proven and not signed, signed by another key,
/// or in the ledger already; 23 the ledger does not verify.
#[derive(Debug, Clone, Args)]
pub struct TakeInArgs {
    /// `record.json` or `record.signed`.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What is signed: a record, and what became of its sandbox.
#[derive(Serialize, Deserialize)]
struct Brought {
    schema: String,
    record: Record,
    closing: Closing,
}

const BROUGHT_SCHEMA: &str = "lifeboat/drill-brought/1";

#[derive(Serialize)]
struct Taken {
    record_id: String,
    code: String,
    verdict: Verdict,
    is_signed: bool,
    ledger_code: String,
}

/// Signs a record with the office's key and keeps it beside itself.
///
/// # Errors
/// When it cannot be signed or written.
pub fn sign(desk: &Desk<'_>, (record, closing): (&Record, &Closing)) -> Result<PathBuf, Failure> {
    let (schema, record_id) = (BROUGHT_SCHEMA.to_owned(), &record.record_id);
    let brought = Brought { schema, record: record.clone(), closing: closing.clone() };
    let value = serde_json::to_value(&brought).unwrap_or(Value::Null);
    let text = canonical::composed(&value).and_then(|value| canonical::write(&value));
    let text = text.map_err(EvidenceError::from)?;
    let key = &ledger::office(&desk.keys.unlocked).key;
    let signed = Signed::sign(key, text).ok_or(EvidenceError::NotText)?;
    desk.drills.keep_document(record_id, SIGNED, &signed.encode())
}

pub fn run(context: &Context, args: &TakeInArgs) -> Result<Ended, Failure> {
    let shown = escape(args.file.as_os_str().as_encoded_bytes());
    let bytes = files::read_one(&args.file)?;
    let signed = Signed::decode(&bytes);
    let read = match &signed {
        Some(signed) => brought(&signed.bytes),
        None => alone(&bytes),
    };
    let Brought { record, closing, .. } = read.map_err(|why| {
        let message = texts::NO_RECORD.with("path", shown.as_str()).with("detail", why);
        Failure::usage(message, texts::NAME_RECORD)
    })?;
    if signed.is_none() && record.verdict > Verdict::Inconclusive {
        return Err(Failure::new(Exit::Refused, texts::UNSIGNED, texts::NAME_SIGNED));
    }
    let keys = opened::keys(context)?;
    let office = keys.unlocked.keyset.admin.verifying_key();
    if signed.as_ref().is_some_and(|signed| !signed.is_signed_by(&office)) {
        let message = texts::OTHER_KEY.with("path", shown);
        return Err(Failure::new(Exit::Refused, message, texts::NAME_RECORD));
    }
    not_there(context, &keys, &record)?;
    let taken = add(context, &keys, (record, closing, signed.is_some()))?;
    context.output.report("drill", &taken, || {
        let said = texts::TAKEN_IN.with("code", taken.code.as_str());
        let said = said.with("verdict", told::verdict(taken.verdict));
        said.with("ledger", taken.ledger_code.as_str())
    })?;
    Ok(Ended::done())
}

/// What was signed.
fn brought(bytes: &[u8]) -> Result<Brought, Said> {
    let brought: Brought = serde_json::from_slice(bytes).map_err(Said::heard)?;
    let is_own = brought.schema == BROUGHT_SCHEMA;
    if !is_own || brought.closing.record_id != brought.record.record_id {
        return Err(Said::plain(escape(brought.schema.as_bytes())));
    }
    fits(brought)
}

/// A record of which nothing was restored, so that no sandbox was made.
fn alone(bytes: &[u8]) -> Result<Brought, Said> {
    let record: Record = serde_json::from_slice(bytes).map_err(Said::heard)?;
    let closing = Closing {
        schema: CLOSING_SCHEMA.to_owned(),
        record_id: record.record_id.clone(),
        record: None,
        destroyed_at: record.drill.ended_at.clone(),
        checks: Vec::new(),
        leftovers: Vec::new(),
        late: true,
    };
    fits(Brought { schema: BROUGHT_SCHEMA.to_owned(), record, closing })
}

/// A record of a drill from nothing, and nothing else.
fn fits(brought: Brought) -> Result<Brought, Said> {
    let record = &brought.record;
    let code = &record.drill.code;
    let fits = record.schema == SCHEMA
        && record.kind == "drill"
        && record.recovery.is_some()
        && entry::is_name(code)
        && code.len() <= CODE_BYTES_MAX;
    if fits { Ok(brought) } else { Err(Said::plain(escape(record.schema.as_bytes()))) }
}

/// Nobody brings one in twice.
fn not_there(context: &Context, keys: &Keys, record: &Record) -> Result<(), Failure> {
    let ledger = ledger::founded(context, keys.ledger(), &keys.unlocked)?;
    for stored in ledger.entries().iter().filter(|it| it.entry.kind == Kind::Record) {
        let document = ledger.document(stored.entry.document)?;
        let id = document.get("record_id").and_then(Value::as_str);
        if id == Some(record.record_id.as_str()) {
            let message = texts::KEPT_BEFORE.with("code", stored.entry.subject.as_str());
            return Err(Failure::new(Exit::Refused, message, texts::NOTHING_TO_DO));
        }
    }
    Ok(())
}

/// The whole way of a drill, as far as it came: what the record says, the ledger says.
fn add(
    context: &Context,
    keys: &Keys,
    (mut record, closing, is_signed): (Record, Closing, bool),
) -> Result<Taken, Failure> {
    let chain = Chain::begin(context, keys, &record.drill.code)?;
    record.drill.code = chain.code().to_owned();
    let datasets = record.items.iter().map(|item| item.dataset.clone());
    chain.order(&Open {
        mark: Mark { record_id: record.record_id.clone(), token: String::new() },
        sandbox: PathBuf::new(),
        code: record.drill.code.clone(),
        class: record.drill.class.clone(),
        datasets: datasets.collect(),
        storage: record.items.first().map(|item| item.target.clone()).unwrap_or_default(),
        started_at: record.drill.started_at.clone(),
    })?;
    let how = if is_signed { How::Whole } else { How::Broken };
    if is_signed {
        let all = [Stage::Preflight, Stage::Restoring, Stage::Verifying, Stage::Measured];
        all.into_iter().for_each(|stage| chain.reached(stage));
    }
    let planned = follow::plan(&record, context.run.clock.now(), 0);
    record.actions = follow::actions(&record, &planned);
    let hash = chain.record(&record, how);
    let closing = Closing { record: hash, late: true, ..closing };
    chain.closing(&closing, &record.drill.class);
    planned.iter().for_each(|followed| chain.action(followed));
    let ledger_code = chain.finish()?;
    Ok(Taken {
        record_id: record.record_id,
        code: record.drill.code,
        verdict: record.verdict,
        is_signed,
        ledger_code,
    })
}
