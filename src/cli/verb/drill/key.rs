//! `drill key`: who may sign records.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::Subcommand;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::drill as texts;
use crate::cli::open;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::verb::drill::files;
use crate::cli::verb::drill::ledger;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::evidence::entry::OFFSET_MINUTES_DEFAULT;
use crate::evidence::keys::KeyEvent;
use crate::evidence::keys::Right;
use crate::evidence::keys::fingerprint;
use crate::evidence::ledger::Access;
use crate::evidence::ledger::Ledger;
use crate::evidence::personal;
use crate::evidence::personal::PersonalKey;
use crate::repository::keys::publish;

/// Make and list the keys that sign records of drills.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    pub verb: KeyVerb,
}

#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Make a personal key: a file under a passphrase of its own, for one person.
    ///
    /// It takes no passphrase of the repository. It counts once `drill key add` has let it in.
    Create {
        /// Who it is for: an id such as `cntt-1`, not a name.
        #[arg(value_name = "HOLDER")]
        holder: String,
        /// The file to write; it must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Read the new passphrase from the first line of a file; else it is asked for.
        #[arg(long, value_name = "FILE")]
        key_password_file: Option<PathBuf>,
    },
    /// Let a personal key in. It takes the passphrase of the repository.
    Add {
        /// The file that `drill key create` wrote, or a copy: its passphrase is not needed.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What it may sign; with commas.
        #[arg(long, value_name = "ROLE", required = true, value_delimiter = ',')]
        may: Vec<Role>,
    },
    /// List all keys there ever were. It takes no passphrase.
    List,
}

/// In which role a record is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    Operator,
    Owner,
    Chair,
}

impl Role {
    const fn right(self) -> Right {
        match self {
            Self::Operator => Right::Operator,
            Self::Owner => Right::Owner,
            Self::Chair => Right::Chair,
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::Chair => "chair",
        }
    }
}

#[derive(Serialize)]
struct KeyLine {
    holder: String,
    fingerprint: String,
    may: Vec<Right>,
    from_seq: u64,
    until_seq: Option<u64>,
}

pub fn run(context: &Context, args: &KeyArgs) -> Result<Ended, Failure> {
    match &args.verb {
        KeyVerb::Create { holder, out, key_password_file } => {
            let storage = open::storage(context)?;
            let config = publish::load_config(&context.run, &storage)?;
            let secret = secret(key_password_file.as_ref()).fetch(&context.output, Asked::New)?;
            let how = (&secret, Argon2Parameters::OF_COMMANDS);
            let (signer, file) = personal::create(config.repository, holder, how)?;
            files::write_one(out, &file)?;
            let line = KeyLine {
                holder: signer.holder.clone(),
                fingerprint: fingerprint(&signer.key.verifying_key()).to_string(),
                may: vec![],
                from_seq: 0,
                until_seq: None,
            };
            context.output.report("key", &line, || {
                let said = texts::KEY_MADE.with("holder", line.holder.clone());
                said.with("print", line.fingerprint.clone())
            })?;
        }
        KeyVerb::Add { file, may } => add(context, file, may)?,
        KeyVerb::List => list(context)?,
    }
    Ok(Ended::done())
}

/// Where the passphrase of a personal key comes from.
pub fn secret(file: Option<&PathBuf>) -> SecretSource {
    file.map_or(SecretSource::Prompt, |path| SecretSource::File(path.clone()))
}

fn add(context: &Context, file: &std::path::Path, may: &[Role]) -> Result<(), Failure> {
    let personal = PersonalKey::decode(&files::read_one(file)?)?;
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let mut ledger = ledger::founded(context, &storage, &unlocked)?;
    let office = ledger::office(&unlocked);
    let may: Vec<Right> = may.iter().map(|role| role.right()).collect();
    let event = KeyEvent::add(&personal.holder, &personal.key, &may);
    let receipt = ledger.append_key(&context.run, (&office, &office), &event)?;
    let line = KeyLine {
        holder: personal.holder,
        fingerprint: fingerprint(&personal.key).to_string(),
        may: event.may,
        from_seq: receipt.seq,
        until_seq: None,
    };
    context.output.report("key", &line, || {
        let said = texts::KEY_ADDED.with("holder", line.holder.clone());
        said.with("print", line.fingerprint.clone()).with("seq", line.from_seq)
    })
}

fn list(context: &Context) -> Result<(), Failure> {
    let storage = open::storage(context)?;
    let config = publish::load_config(&context.run, &storage)?;
    let access = Access {
        repository: config.repository,
        recipients: vec![],
        secrets: vec![],
        offset_minutes: OFFSET_MINUTES_DEFAULT,
    };
    let ledger = Ledger::open(&context.run, Arc::clone(&storage), access)?;
    let lines = ledger.keys().all().iter().map(|held| KeyLine {
        holder: held.holder.clone(),
        fingerprint: fingerprint(&held.key).to_string(),
        may: held.may.clone(),
        from_seq: held.from_seq,
        until_seq: held.until_seq,
    });
    let lines: Vec<KeyLine> = lines.collect();
    if context.output.is_json() {
        return lines.iter().try_for_each(|line| context.output.json("result", Some("key"), line));
    }
    let row = |line: &KeyLine| {
        let may: Vec<String> = line.may.iter().map(|it| format!("{it:?}").to_lowercase()).collect();
        let until = line.until_seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
        let (holder, from) = (line.holder.clone(), line.from_seq.to_string());
        vec![holder, may.join(","), from, until, line.fingerprint.clone()]
    };
    let columns = ["holder", "may", "from", "until", "fingerprint"].map(|it| (it, Align::Left));
    let table = render(&columns, &lines.iter().map(row).collect::<Vec<_>>());
    context.output.raw(format!("{table}\n").as_bytes())
}
