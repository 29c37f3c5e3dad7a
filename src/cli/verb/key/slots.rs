//! `key list`, `add`, `remove`, `passwd`: passphrases and key files.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::keys;
use crate::cli::language::table::options::MORE_DIGITS;
use crate::cli::language::table::read;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;
use crate::cli::open;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::verb::key::NewSecretArgs;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::format::slot::SlotKind;
use crate::format::slot::SlotPublic;
use crate::ids::SlotId;
use crate::path::escape;
use crate::repository::keys::slots;
use crate::repository::keys::slots::NewSlot;

#[derive(Serialize)]
struct SlotLine {
    id: String,
    kind: &'static str,
    label: String,
    created: String,
    is_current: bool,
}

#[derive(Serialize)]
struct Changed {
    id: String,
    change: &'static str,
}

pub fn list(context: &Context) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let all = slots::list(&context.run, &storage, unlocked.config.repository)?;
    if context.output.is_json() {
        for slot in &all {
            context.output.json("result", Some("slot"), &line(slot, unlocked.slot))?;
        }
        return Ok(Ended::done());
    }
    let language = context.output.language();
    let columns = [read::ID, keys::OPENS_WITH, keys::MADE_AT, keys::LABEL]
        .map(|title| (title.words(language), Align::Left));
    let row = |slot: &SlotPublic| {
        let label = escape(slot.label.as_bytes());
        let label = match slot.slot == unlocked.slot {
            true => keys::USED_NOW.with("label", label).told_in(language).trim().to_owned(),
            false => label,
        };
        let kind = match slot.kind {
            SlotKind::Passphrase { .. } => keys::PASSPHRASE,
            SlotKind::KeyFile { .. } => keys::KEY_FILE,
        };
        let created = Value::from(slot.created).told_in(language);
        vec![slot.slot.short(), kind.words(language).to_owned(), created, label]
    };
    let text = table::render(&columns, &all.iter().map(row).collect::<Vec<_>>());
    context.output.raw(format!("{text}\n").as_bytes())?;
    Ok(Ended::done())
}

const fn kind(slot: &SlotPublic) -> &'static str {
    match slot.kind {
        SlotKind::Passphrase { .. } => "passphrase",
        SlotKind::KeyFile { .. } => "key file",
    }
}

fn line(slot: &SlotPublic, current: SlotId) -> SlotLine {
    SlotLine {
        id: slot.slot.to_string(),
        kind: kind(slot),
        label: slot.label.clone(),
        created: slot.created.to_rfc3339(),
        is_current: slot.slot == current,
    }
}

pub fn add(context: &Context, args: &NewSecretArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let new = new_slot(context, args)?;
    let id = slots::add(&context.run, &storage, &unlocked.keyset, &new)?;
    report(context, id, ("added", keys::SLOT_ADDED))
}

pub fn change(context: &Context, args: &NewSecretArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let new = new_slot(context, args)?;
    let place = (&unlocked.keyset, unlocked.slot);
    let id = slots::change(&context.run, &storage, place, &new)?;
    report(context, id, ("changed", keys::SLOT_CHANGED))
}

pub fn remove(context: &Context, digits: &str) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let repository = unlocked.config.repository;
    let all = slots::list(&context.run, &storage, repository)?;
    let matching: Vec<SlotId> = all
        .iter()
        .map(|slot| slot.slot)
        .filter(|id| !digits.is_empty() && id.to_string().starts_with(digits))
        .collect();
    let id = match matching[..] {
        [id] => id,
        [] => {
            let message = keys::NO_SUCH_SLOT.with("digits", escape(digits.as_bytes()));
            return Err(Failure::new(Exit::Failed, message, keys::SEE_KEY_LIST));
        }
        _ => {
            let message = keys::SEVERAL_SLOTS.with("digits", digits);
            return Err(Failure::usage(message, MORE_DIGITS));
        }
    };
    slots::remove(&context.run, &storage, (repository, id))?;
    report(context, id, ("removed", keys::SLOT_REMOVED))
}

/// A slot for the passphrase or key file that the options name.
///
/// # Errors
/// When it cannot be read.
pub fn new_slot(context: &Context, args: &NewSecretArgs) -> Result<NewSlot, Failure> {
    let source = match (&args.new_key_file, &args.new_password_file) {
        (Some(path), _) => SecretSource::KeyFile(path.clone()),
        (None, Some(path)) => SecretSource::File(path.clone()),
        (None, None) => SecretSource::Prompt,
    };
    let secret = source.fetch(&context.output, Asked::New)?;
    Ok(NewSlot { secret, argon2: Argon2Parameters::OF_COMMANDS, label: args.label.clone() })
}

fn report(
    context: &Context,
    id: SlotId,
    (change, text): (&'static str, Text),
) -> Result<Ended, Failure> {
    let changed = Changed { id: id.to_string(), change };
    context.output.report("slot", &changed, || text.with("id", id.short()))?;
    Ok(Ended::done())
}
