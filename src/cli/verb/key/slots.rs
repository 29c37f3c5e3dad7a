//! `key add`, `remove`, `passwd`: passphrases and key files.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::keys;
use crate::cli::language::table::options::MORE_DIGITS;
use crate::cli::language::text::Text;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::verb::key::NewSecretArgs;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::ids::SlotId;
use crate::path::escape;
use crate::repository::keys::slots;
use crate::repository::keys::slots::NewSlot;

#[derive(Serialize)]
struct Changed {
    id: String,
    change: &'static str,
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
