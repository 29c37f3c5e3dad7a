//! `drill sign`: what operator, owner and chair say of a record.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::drill as texts;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::verb::drill::files;
use crate::cli::verb::drill::key;
use crate::cli::verb::drill::key::Role;
use crate::cli::verb::drill::ledger;
use crate::evidence::drill::Stage;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::personal::PersonalKey;
use crate::path::escape;

/// Sign the record of a drill, or refuse to, with a personal key and an opinion.
///
/// The operator signs first, then an owner of the data, who is somebody else, then the chair. A
/// refusal is kept as a signature is. It takes the passphrase of the repository and that of the
/// key.
///
/// Exit codes: 0 signed; 12 wrong passphrase; 13 refused: not this role, not this order, or the
/// drill is not cleaned up yet; 23 the ledger does not verify.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The drill, such as `D2-2026-12-01`.
    #[arg(value_name = "DRILL")]
    pub drill: String,
    /// In which role.
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// The file of the personal key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// What there is to say about the drill, in your own words.
    #[arg(long, value_name = "TEXT")]
    pub opinion: String,
    /// Refuse to sign.
    #[arg(long)]
    pub refuse: bool,
    /// Read the passphrase of the key from the first line of a file; else it is asked for.
    #[arg(long, value_name = "FILE")]
    pub key_password_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Signed {
    drill: String,
    holder: String,
    role: &'static str,
    refused: bool,
    stage: Option<&'static str>,
    seq: u64,
    size: u64,
    code: String,
}

pub fn run(context: &Context, args: &SignArgs) -> Result<Ended, Failure> {
    let personal = PersonalKey::decode(&files::read_one(&args.key)?)?;
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let access = ledger::access(context, &storage, &unlocked)?;
    let mut ledger = Ledger::open(&context.run, Arc::clone(&storage), access)?;
    let (state, _) = ledger.drill_state(&args.drill)?;
    let Some(record) = state.record else {
        let message = texts::NO_RECORD.with("drill", escape(args.drill.as_bytes()));
        return Err(Failure::new(Exit::Refused, message, texts::HOLD_A_DRILL));
    };
    let source = key::secret(args.key_password_file.as_ref());
    let secret = source.fetch(&context.output, Asked::Existing)?;
    let signer = personal.open(unlocked.keyset.repository, &secret)?;
    let kind = if args.refuse { Kind::Refusal } else { Kind::Signature };
    let document = json!({
        "schema": kind.schema(), "drill": args.drill, "record": record.hash.to_string(),
        "role": args.role.name(), "opinion": args.opinion,
    });
    let receipt = ledger.append(&context.run, &signer, &Draft::new(kind, &args.drill, document))?;
    let (state, _) = ledger.drill_state(&args.drill)?;
    let (checkpoint, _) = ledger.put_checkpoint(&ledger::office(&unlocked))?;
    let signed = Signed {
        drill: args.drill.clone(),
        holder: signer.holder,
        role: args.role.name(),
        refused: args.refuse,
        stage: state.stage.map(Stage::name),
        seq: receipt.seq,
        size: checkpoint.size,
        code: checkpoint.code().to_string(),
    };
    let text = if args.refuse { texts::REFUSED } else { texts::SIGNED };
    context.output.report("signature", &signed, || {
        let said = text.with("drill", signed.drill.clone()).with("holder", signed.holder.clone());
        said.with("code", signed.code.clone()).with("size", signed.size)
    })?;
    Ok(Ended::done())
}
