//! The two repositories of a copy.

use std::path::Path;
use std::sync::Arc;

use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::copy as texts;
use crate::cli::local::Local;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::settings::place::Place;
use crate::cli::verb::copy::CopyArgs;
use crate::copy::Ends;
use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::slot::SlotSecret;
use crate::crypto::sign::VerifyingKey;
use crate::format::config::ConfigRecord;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::twin;
use crate::repository::keys::unlock;
use crate::repository::keys::unlock::Unlocked;
use crate::repository::open::Repository;
use crate::repository::trust::Enrolled;
use crate::run::Run;
use crate::storage::Storage;

/// From where to where.
pub(super) struct Places {
    pub source: Place,
    pub target: Place,
}

/// The two, opened.
pub(super) enum Opened {
    Twins(Box<Twins>),
    Others(Box<Others>),
}

/// Two repositories with keys of their own.
pub(super) struct Others {
    pub source: Keys,
    pub target: Keys,
    /// What this machine adds snapshots with; none if nothing is to be written and it never did.
    pub agent: Option<AgentKeyset>,
}

/// Two repositories that are one.
pub(super) struct Twins {
    source: Repository,
    target: Repository,
    signers: Enrolled,
}

/// # Errors
/// When no repository is named, or both are one place (2).
pub(super) fn places(context: &Context, args: &CopyArgs) -> Result<Places, Failure> {
    let own = context.settings.repository()?.to_owned();
    let named = |path: &Path| open::place(context, path);
    let (source, target) = match (&args.to, &args.from) {
        (_, Some(from)) => (named(from)?, own),
        (Some(to), None) => (own, named(to)?),
        // The options see to it that one of them is there.
        (None, None) => (own.clone(), own),
    };
    if source.is(&target) {
        let path = source.shown();
        return Err(Failure::usage(texts::SAME_PLACE.with("path", path), texts::NAME_SECOND));
    }
    Ok(Places { source, target })
}

/// # Errors
/// When one of them is no repository (10), they are not what they say (13), or nothing opens them
/// (12).
pub(super) fn open(
    context: &Context,
    (args, places): (&CopyArgs, &Places),
) -> Result<Opened, Failure> {
    let from = open::storage_at(context, &places.source)?;
    let config = publish::load_config(&context.run, &from)?;
    let (to, other) = second(context, places)?;
    if config.repository != other.repository {
        return others(context, args, (&from, &to)).map(|others| Opened::Others(Box::new(others)));
    }
    if config.root != other.root {
        return Err(Failure::new(Exit::Refused, texts::OTHER_ROOT, texts::NAME_SECOND));
    }
    let (keys, root) = store_keys(context, (&from, &config))?;
    let signers = Enrolled::load_nameless(&context.run, &from, (config.repository, &root))?;
    let source = open::repository(context, (&from, &config), keys.clone())?;
    let target = open::repository(context, (&to, &config), keys)?;
    Ok(Opened::Twins(Box::new(Twins { source, target, signers })))
}

/// Both take a secret: what is sealed anew has to be opened first.
fn others(
    context: &Context,
    args: &CopyArgs,
    (from, to): (&Arc<dyn Storage>, &Arc<dyn Storage>),
) -> Result<Others, Failure> {
    let (settings, output) = (&context.settings, &context.output);
    let own = settings.secret.fetch(output, Asked::Existing)?;
    let other = args.secret.source(&context.environment)?;
    let other = other.map(|source| source.fetch(output, Asked::Existing)).transpose()?;
    let other = other.unwrap_or_else(|| own.clone());
    let (source_secret, target_secret) =
        if args.from.is_some() { (&other, &own) } else { (&own, &other) };
    let open = |storage: &Arc<dyn Storage>, secret: &SlotSecret, is_other: bool| {
        keys(context, storage, secret).map_err(|failure| match failure.exit {
            Exit::WrongKey if is_other => {
                let message = texts::OTHER_SECRET.with("path", storage.location());
                Failure::new(Exit::WrongKey, message, texts::GIVE_OTHER_SECRET)
            }
            _ => failure,
        })
    };
    let source = open(from, source_secret, args.from.is_some())?;
    let target = open(to, target_secret, args.from.is_none())?;
    let agent = agent(context, args, (to, &target.unlocked, target_secret))?;
    Ok(Others { source, target, agent })
}

fn keys(
    context: &Context,
    storage: &Arc<dyn Storage>,
    secret: &SlotSecret,
) -> Result<Keys, Failure> {
    let unlocked = unlock::unlock(&context.run, storage, secret)?;
    let signers = Enrolled::load(&context.run, storage, &unlocked.keyset)?;
    let store = unlocked.keyset.store.clone();
    let repository = open::repository(context, (storage, &unlocked.config), store)?;
    Ok(Keys { unlocked, signers, repository, ledger: None })
}

/// This machine at the target. A dry run enrols nobody.
fn agent(
    context: &Context,
    args: &CopyArgs,
    (storage, unlocked, secret): (&Arc<dyn Storage>, &Unlocked, &SlotSecret),
) -> Result<Option<AgentKeyset>, Failure> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
    if let Some((keyset, _)) = open::own_keyset(&local, &unlocked.config)? {
        return open::newest_recipients(context, storage, (&local, keyset)).map(Some);
    }
    if args.dry_run {
        return Ok(None);
    }
    open::join(context, storage, unlocked, (&local, secret)).map(Some)
}

fn second(context: &Context, places: &Places) -> Result<(Arc<dyn Storage>, ConfigRecord), Failure> {
    let opened = open::storage_at(context, &places.target).and_then(|storage| {
        let config = publish::load_config(&context.run, &storage)?;
        Ok((storage, config))
    });
    opened.map_err(|failure| match failure.exit {
        Exit::NoRepository => {
            let message = texts::NO_SECOND.with("path", places.target.shown());
            Failure::new(Exit::NoRepository, message, make_twin(places))
        }
        _ => failure,
    })
}

fn make_twin(places: &Places) -> crate::cli::language::said::Said {
    texts::MAKE_TWIN.with("source", places.source.shown()).with("path", places.target.shown())
}

/// What opens tables and lists of children: from this machine's keyset, or with a passphrase.
fn store_keys(
    context: &Context,
    (storage, config): (&Arc<dyn Storage>, &ConfigRecord),
) -> Result<(StoreKeys, VerifyingKey), Failure> {
    let is_named = !matches!(context.settings.secret, SecretSource::Prompt);
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment);
    if let (Ok(local), false) = (local, is_named)
        && let Some((keyset, _)) = open::own_keyset(&local, config)?
    {
        return Ok((keyset.store, keyset.root_public));
    }
    let keyset = open::unlock(context, storage)?.keyset;
    if *keyset.root_public.as_bytes() != config.root {
        return Err(KeysError::OtherRepository { what: "config" }.into());
    }
    Ok((keyset.store, keyset.root_public))
}

impl Twins {
    /// # Errors
    /// When one of the storages fails.
    pub(super) fn carry_records(&self, run: &Run) -> Result<(), Failure> {
        let (from, to) = (self.source.vault().storage(), self.target.vault().storage());
        twin::carry_records(run, from, to)?;
        to.sync()?;
        Ok(())
    }

    /// The other way round.
    pub(super) fn back(&self) -> Ends<'_> {
        Ends { source: self.target.vault(), target: self.source.vault(), signers: &self.signers }
    }

    pub(super) fn ends(&self) -> Ends<'_> {
        Ends { source: self.source.vault(), target: self.target.vault(), signers: &self.signers }
    }
}
