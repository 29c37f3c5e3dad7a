//! `key list`, `add`, `remove`, `passwd`: passphrases and key files.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
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
    let columns = [
        ("id", Align::Left),
        ("opens with", Align::Left),
        ("made", Align::Left),
        ("label", Align::Left),
    ];
    let row = |slot: &SlotPublic| {
        let mark = if slot.slot == unlocked.slot { " (used now)" } else { "" };
        let label = escape(slot.label.as_bytes());
        vec![slot.slot.short(), kind(slot).to_owned(), slot.created.to_rfc3339(), label + mark]
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
    report(context, id, ("added", "opens the repository from now on"))
}

pub fn change(context: &Context, args: &NewSecretArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let new = new_slot(context, args)?;
    let place = (&unlocked.keyset, unlocked.slot);
    let id = slots::change(&context.run, &storage, place, &new)?;
    report(context, id, ("changed", "takes the place of the one that was used"))
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
            let message =
                format!("no slot has an id that starts with `{}`", escape(digits.as_bytes()));
            return Err(Failure::new(Exit::Failed, message, "see `lifeboat key list`"));
        }
        _ => {
            let message = format!("several slots have ids that start with `{digits}`");
            return Err(Failure::usage(message, "give more digits"));
        }
    };
    slots::remove(&context.run, &storage, (repository, id))?;
    report(context, id, ("removed", "no longer opens the repository; a copy of it still would"))
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
    Ok(NewSlot { secret, argon2: Argon2Parameters::DEFAULT, label: args.label.clone() })
}

fn report(
    context: &Context,
    id: SlotId,
    (change, meaning): (&'static str, &str),
) -> Result<Ended, Failure> {
    let changed = Changed { id: id.to_string(), change };
    context.output.report("slot", &changed, || format!("slot {} {meaning}", id.short()))?;
    Ok(Ended::done())
}
