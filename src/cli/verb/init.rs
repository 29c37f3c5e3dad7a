//! `init`: a new repository with its keys.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::table::keeping::copy as texts;
use crate::cli::language::table::keys;
use crate::cli::local::Local;
use crate::cli::open;
use crate::cli::open::reserve;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::verb::key::recovery;
use crate::cli::verb::key::recovery::Paper;
use crate::cli::verb::key::shares::ShareCounts;
use crate::cli::verb::storage;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotSecret;
use crate::format::config::Parameters;
use crate::repository::keys::create;
use crate::repository::keys::create::CreateOptions;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::twin;
use crate::repository::keys::unlock;
use crate::repository::keys::unlock::InSlot;
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
    /// Folder for the sheets of --shares, in place of the terminal.
    #[arg(long, value_name = "FOLDER", requires = "shares")]
    pub sheets: Option<PathBuf>,
    /// File for the sheets of --shares as PDF, in place of the terminal. It must not exist.
    #[arg(long, value_name = "FILE", requires = "shares")]
    pub pdf: Option<PathBuf>,
    /// Share deduplication with another repository: the same data is stored as the same objects in
    /// both, so they can be copied as they are. Cutting sizes are taken over too.
    #[arg(long, value_name = "REPOSITORY")]
    pub copy_domain_from: Option<PathBuf>,
    /// Make the same repository in a second place, still without snapshots: `copy` fills it. Its
    /// keys and passphrases are those of that repository, and none is asked for.
    #[arg(long, value_name = "REPOSITORY", conflicts_with_all = ["copy_domain_from", "shares"])]
    pub twin_of: Option<PathBuf>,
    /// File with the passphrase of that other repository; without it the new one's is tried.
    #[arg(long, value_name = "FILE", requires = "copy_domain_from")]
    pub from_password_file: Option<PathBuf>,
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
    if let Some(original) = &args.twin_of {
        return twin(context, original);
    }
    let secret = context.settings.secret.fetch(&context.output, Asked::New)?;
    let other = args.copy_domain_from.as_deref();
    let other = other.map(|other| open_other(context, other, (args, &secret))).transpose()?;
    let storage = open::new_storage(context)?;
    if context.settings.repository()?.as_folder().is_none() {
        storage::prove(context)?;
    }
    let unlocked = make_like(context, &storage, (&local, &secret), other.as_ref())?;
    if let Some(counts) = args.shares {
        let (folder, pdf) = (args.sheets.as_deref(), args.pdf.as_deref());
        let paper = Paper { counts, folder, pdf };
        recovery::create(context, &storage, &unlocked.keyset, paper)?;
    }
    Ok(Ended::done())
}

#[derive(Serialize)]
struct Twin {
    repository_id: String,
    location: String,
}

fn twin(context: &Context, original: &Path) -> Result<Ended, Failure> {
    let from = open::storage_at(context, &open::place(context, original)?)?;
    publish::load_config(&context.run, &from)?;
    let storage = open::new_storage(context)?;
    let config = twin::create_twin(&context.run, &from, &storage)?;
    reserve::keep(context);
    let made = Twin { repository_id: config.repository.to_string(), location: storage.location() };
    context.output.report("twin", &made, || {
        texts::TWIN_MADE
            .with("id", config.repository.short())
            .with("location", crate::path::escape(made.location.as_bytes()))
    })?;
    Ok(Ended::done())
}

/// Told before a passphrase is asked for; making the repository looks again, and closer.
fn refuse_if_taken(context: &Context, storage: &Arc<dyn Storage>) -> Result<(), Failure> {
    match publish::load_config(&context.run, storage) {
        Err(KeysError::NoRepository { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(config) => {
            // The error's own words, which are English in every language.
            let found = keys::TAKEN.with("id", config.repository.short()).told_in(Language::En);
            Err(KeysError::AlreadyThere { location: storage.location(), found }.into())
        }
    }
}

/// Opens the repository whose domains are shared.
fn open_other(
    context: &Context,
    other: &Path,
    (args, secret): (&InitArgs, &SlotSecret),
) -> Result<Unlocked, Failure> {
    let storage = open::storage_at(context, &open::place(context, other)?)?;
    let own = args.from_password_file.clone().map(SecretSource::File);
    let own = own.map(|source| source.fetch(&context.output, Asked::Existing)).transpose()?;
    Ok(unlock::unlock(&context.run, &storage, own.as_ref().unwrap_or(secret))?)
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
    make_like(context, storage, (local, secret), None)
}

fn make_like(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (local, secret): (&Local, &SlotSecret),
    other: Option<&Unlocked>,
) -> Result<Unlocked, Failure> {
    let slot = NewSlot {
        secret: secret.clone(),
        argon2: Argon2Parameters::OF_COMMANDS,
        label: "made with the repository".to_owned(),
    };
    let parameters = other.map_or(Parameters::DEFAULT, |other| other.config.parameters);
    let options = CreateOptions { slot, suite: Suite::DEFAULT, parameters };
    let created = match other {
        None => create::create_repository(&context.run, storage, &options)?,
        Some(other) => {
            let domains = other.keyset.domains.clone();
            create::create_in_domains(&context.run, storage, &options, domains)?
        }
    };
    let create::Created { config, keyset, slot } = created;
    let unlocked = Unlocked { config, keyset, slot, in_slot: InSlot::All };
    let machine = open::join(context, storage, &unlocked, (local, secret))?;
    reserve::keep(context);
    let made = Made {
        repository_id: unlocked.config.repository.to_string(),
        location: storage.location(),
        slot_id: slot.to_string(),
        machine_id: machine.machine.to_string(),
    };
    context.output.report("repository", &made, || {
        keys::MADE
            .with("id", unlocked.config.repository.short())
            .with("location", crate::path::escape(made.location.as_bytes()))
    })?;
    Ok(unlocked)
}
