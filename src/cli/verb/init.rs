//! `init`: a new repository with its keys.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::verb::key::recovery;
use crate::cli::verb::key::shares::ShareCounts;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotSecret;
use crate::format::config::Parameters;
use crate::repository::keys::create;
use crate::repository::keys::create::CreateOptions;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::unlock::Unlocked;
use crate::storage::Storage;

/// Make a repository with its keys.
///
/// The passphrase protects the restore keys. This machine gets a write-only keyset of its own, so
/// that later backups need no passphrase.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Print the recovery key in N shares of which any K rebuild it, such as `2/3`.
    #[arg(long, value_name = "K/N")]
    pub shares: Option<ShareCounts>,
}

#[derive(Serialize)]
struct Made {
    repository_id: String,
    location: String,
    slot_id: String,
    machine_id: String,
}

pub fn run(context: &Context, args: &InitArgs) -> Result<Ended, Failure> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
    match open::storage(context) {
        Ok(storage) => refuse_if_taken(context, &storage)?,
        Err(failure) if failure.exit == Exit::NoRepository => {}
        Err(failure) => return Err(failure),
    }
    let secret = context.settings.secret.fetch(&context.output, Asked::New)?;
    let storage = open::new_storage(context)?;
    let unlocked = make(context, &storage, (&local, &secret))?;
    if let Some(counts) = args.shares {
        recovery::create(context, &storage, &unlocked.keyset, (counts, None))?;
    }
    Ok(Ended::done())
}

/// Told before a passphrase is asked for; making the repository looks again, and closer.
fn refuse_if_taken(context: &Context, storage: &Arc<dyn Storage>) -> Result<(), Failure> {
    match publish::load_config(&context.run, storage) {
        Err(KeysError::NoRepository { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(config) => {
            let found = format!("repository {}", config.repository.short());
            Err(KeysError::AlreadyThere { location: storage.location(), found }.into())
        }
    }
}

/// Makes the repository and enrols this machine.
///
/// # Errors
/// When there is a repository already, or the storage cannot be written.
pub fn make(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (local, secret): (&Local, &SlotSecret),
) -> Result<Unlocked, Failure> {
    let slot = NewSlot {
        secret: secret.clone(),
        argon2: Argon2Parameters::DEFAULT,
        label: "made with the repository".to_owned(),
    };
    let options = CreateOptions { slot, suite: Suite::DEFAULT, parameters: Parameters::DEFAULT };
    let created = create::create_repository(&context.run, storage, &options)?;
    let create::Created { config, keyset, slot } = created;
    let unlocked = Unlocked { config, keyset, slot };
    let machine = open::join(context, storage, &unlocked, (local, secret))?;
    let made = Made {
        repository_id: unlocked.config.repository.to_string(),
        location: storage.location(),
        slot_id: slot.to_string(),
        machine_id: machine.machine.to_string(),
    };
    context.output.report("repository", &made, || {
        format!(
            "repository {} made in {}\n\
             Without the passphrase nobody can read it: keep it where a fire does not reach it.",
            unlocked.config.repository.short(),
            crate::path::escape(made.location.as_bytes()),
        )
    })?;
    Ok(unlocked)
}
