//! `continuity sign`: the leader puts the plan into force.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::continuity as texts;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::verb::continuity::ledgers::PLAN_HASH;
use crate::cli::verb::continuity::load;
use crate::cli::verb::drill::files;
use crate::cli::verb::drill::key;
use crate::cli::verb::drill::ledger;
use crate::evidence::entry::Kind;
use crate::evidence::keys::Right;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::personal::PersonalKey;
use crate::evidence::tree::sha256;

/// Subject of the plan's entries in the ledger.
const SUBJECT: &str = "plan";

/// Sign the plan as it stands in its file, with the personal key of the chair.
///
/// The ledger keeps the hash of the file and the opinion, not the plan: names and telephones stay
/// where they are. A plan that changes, or is a year old, is to be signed again.
///
/// Exit codes: 0 signed; 2 the plan has mistakes; 12 wrong passphrase; 13 refused: the key is not
/// the chair's; 23 the ledger does not verify.
#[derive(Debug, Clone, Args)]
pub struct SignArgs {
    /// The file of the personal key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// What there is to say about the plan, in your own words.
    #[arg(long, value_name = "TEXT")]
    pub opinion: String,
    /// Read the passphrase of the key from the first line of a file; else it is asked for.
    #[arg(long, value_name = "FILE")]
    pub key_password_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Signed {
    holder: String,
    plan_sha256: String,
    seq: u64,
    size: u64,
    code: String,
}

pub fn run(context: &Context, args: &SignArgs) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    office.plan()?;
    let personal = PersonalKey::decode(&files::read_one(&args.key)?)?;
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let access = ledger::access(context, &storage, &unlocked)?;
    let mut ledger = Ledger::open(&context.run, Arc::clone(&storage), access)?;
    let source = key::secret(args.key_password_file.as_ref());
    let secret = source.fetch(&context.output, Asked::Existing)?;
    let author = personal.open(unlocked.keyset.repository, &secret)?;
    let held = ledger.keys().active(&author.holder);
    if !held.is_some_and(|held| held.may(Right::Chair)) {
        let message = texts::NOT_CHAIR.with("holder", author.holder.as_str());
        return Err(Failure::new(Exit::Refused, message, texts::LET_CHAIR_IN));
    }
    let plan_sha256 = sha256(office.text.as_bytes()).to_string();
    let document = json!({
        "schema": Kind::Plan.schema(), PLAN_HASH: plan_sha256, "opinion": args.opinion,
    });
    let draft = Draft::new(Kind::Plan, SUBJECT, document);
    let writer = ledger::office(&unlocked);
    let receipt = ledger.append_for(&context.run, (&writer, &author), &draft)?;
    let (checkpoint, _) = ledger.put_checkpoint(&writer)?;
    let signed = Signed {
        holder: author.holder,
        plan_sha256,
        seq: receipt.seq,
        size: checkpoint.size,
        code: checkpoint.code().to_string(),
    };
    context.output.report("signature", &signed, || {
        texts::SIGNED
            .with("holder", signed.holder.as_str())
            .with("hash", signed.plan_sha256.as_str())
            .with("size", signed.size)
            .with("code", signed.code.as_str())
    })?;
    Ok(Ended::done())
}
