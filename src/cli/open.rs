//! Opens the repository for a verb.

pub mod reserve;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::backup::LEFTOVERS;
use crate::cli::language::table::backup::UNFINISHED;
use crate::cli::language::table::keeping::rotation;
use crate::cli::language::table::keeping::storage as texts;
use crate::cli::language::table::options;
use crate::cli::local::Local;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::settings::CacheUse;
use crate::cli::settings::configured;
use crate::cli::settings::place::Place;
use crate::cli::settings::place::location::location;
use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::slot::SlotSecret;
use crate::format::config::ConfigRecord;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Identity;
use crate::repository::keys::machine::revoke;
use crate::repository::keys::machine::revoke::Standing;
use crate::repository::keys::publish;
use crate::repository::keys::unlock;
use crate::repository::keys::unlock::Unlocked;
use crate::repository::open::Repository;
use crate::run::monitor::Severity;
use crate::secret::SecretBytes;
use crate::source::host::host_name;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::layer::kept::Kept;
use crate::storage::layer::retry::RetryOptions;
use crate::storage::leftovers::Strangers;
use crate::storage::open;
use crate::storage::open::Location;
use crate::storage::stack::StackOptions;
use crate::storage::stack::stack;
use crate::storage::together;
use crate::units::Bytes;
use crate::vault::Vault;
use crate::vault::VaultOptions;
use crate::vault::names;
use crate::vault::names::KEEPING;
use crate::vault::tally::listing;

/// Name and version, as written into snapshots and sessions.
pub const PROGRAM: &str = concat!("lifeboat ", env!("CARGO_PKG_VERSION"));
/// A backup that gives no sign for so long has to look again at what it relies on.
const LEASE_MS: i64 = 15 * 60 * 1000;

/// For how long one call is tried, whatever each attempt takes.
const WHOLE_MAX: Duration = Duration::from_secs(15 * 60);
/// On this machine: up to four waits, of at most 15 seconds together, before a storage counts as
/// unreachable.
const RETRY: RetryOptions = RetryOptions {
    attempts_max: 5,
    wait_first: Duration::from_secs(1),
    wait_max: Duration::from_secs(8),
    whole_max: WHOLE_MAX,
};
/// Over a network, once it has answered: the work goes on behind a line that was cut for ten
/// minutes.
const RETRY_REMOTE: RetryOptions = RetryOptions {
    attempts_max: 40,
    wait_first: Duration::from_secs(1),
    wait_max: Duration::from_secs(30),
    whole_max: WHOLE_MAX,
};

/// How often what lies beside blobs is looked for again.
const STRANGERS_TRIES: usize = 3;

/// Threads that read over a network: most of their time goes by in waiting.
const REMOTE_THREADS: usize = 8;

/// How many threads read from the repository at the same time.
#[must_use]
pub fn threads(context: &Context) -> usize {
    let own = std::thread::available_parallelism().map_or(2, usize::from);
    let place = context.settings.repository.as_ref();
    let is_remote = place.is_some_and(|place| place.as_folder().is_none());
    if is_remote { own.max(REMOTE_THREADS) } else { own }
}

/// Which storages are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those on this machine.
    Near,
    Everywhere,
}

/// The storage that the settings name.
///
/// # Errors
/// When none is named (2), there is nothing (10), or it cannot be reached (15).
pub fn storage(context: &Context) -> Result<Arc<dyn Storage>, Failure> {
    storage_at(context, context.settings.repository()?)
}

/// The place that is meant: a storage of the configuration file by its name, as with --repo, or
/// what the text itself says.
///
/// # Errors
/// When the file that was named has mistakes, or the text is none (2).
pub fn place(context: &Context, named: &Path) -> Result<Place, Failure> {
    let (settings, environment) = (&context.settings, &context.environment);
    match configured::repository(named.as_os_str(), &settings.config, environment)? {
        Some(found) => Ok(found.place),
        None => Place::parse(named.as_os_str())
            .map_err(|said| Failure::usage(said, options::NAME_REPOSITORY)),
    }
}

/// The storage at this place.
///
/// # Errors
/// When there is nothing (10), or it cannot be reached (15).
pub fn storage_at(context: &Context, place: &Place) -> Result<Arc<dyn Storage>, Failure> {
    let (base, location) = bare_at(context, place)?;
    Ok(stacked(context, base, &location))
}

/// The storage that the settings name, with nothing round it.
///
/// # Errors
/// As [`storage`].
pub fn bare(context: &Context) -> Result<Arc<dyn Storage>, Failure> {
    bare_at(context, context.settings.repository()?).map(|(base, _)| base)
}

fn bare_at(context: &Context, place: &Place) -> Result<(Arc<dyn Storage>, Location), Failure> {
    let location = location(place, &context.environment)?;
    let base = open::open(&context.run, &location).map_err(|error| match error.kind {
        // A bucket is made by nobody but its administrator: what is missing is told as it is.
        StorageErrorKind::NotFound if !matches!(location, Location::S3(_)) => {
            KeysError::NoRepository { location: error.location }.into()
        }
        _ => Failure::from(error),
    })?;
    Ok((base, location))
}

/// The storage with what goes round it: patience with passing faults, and limits of speed.
#[must_use]
pub fn stacked(context: &Context, base: Arc<dyn Storage>, location: &Location) -> Arc<dyn Storage> {
    let retry = if location.is_remote() { RETRY_REMOTE } else { RETRY };
    let options = StackOptions {
        retry,
        limits: context.settings.limits,
        timetable: context.settings.timetable.clone(),
    };
    stack(&context.run, base, &options).storage
}

/// Removes what writers left that were killed more than a day ago. Nobody fails for it. Over a
/// network that takes a listing of everything: `Near` leaves it to whoever lists all the same.
pub fn remove_leftovers(context: &Context, reach: Reach) {
    let Ok(place) = context.settings.repository() else { return };
    let Ok(location) = location(place, &context.environment) else { return };
    if location.is_remote() && reach == Reach::Near {
        return;
    }
    match open::remove_leftovers(&context.run, &location) {
        Ok(removed) if removed.count > 0 => context
            .output
            .note(LEFTOVERS.with("count", removed.count).with("bytes", Bytes(removed.bytes))),
        Ok(_) => {}
        Err(error) => {
            context.problem(Severity::Problem, UNFINISHED, Said::heard(error));
        }
    }
}

/// As [`storage`], but makes it if it is missing.
///
/// # Errors
/// When none is named (2), or it cannot be made (1).
pub fn new_storage(context: &Context) -> Result<Arc<dyn Storage>, Failure> {
    let location = location(context.settings.repository()?, &context.environment)?;
    Ok(stacked(context, open::create(&context.run, &location)?, &location))
}

/// What a storage holds, for programs: a listing that nobody waits for without need.
#[must_use]
pub fn held_bytes(context: &Context, storage: &Arc<dyn Storage>) -> Option<u64> {
    if !context.output.is_json() {
        return None;
    }
    let listed = listing(&context.run, storage.as_ref());
    listed.inspect_err(|error| tracing::warn!(%error, "the storage cannot be listed")).ok().map(
        |found| {
            let blobs = [found.packs, found.index, found.manifests, found.others];
            blobs.iter().map(|blobs| blobs.bytes).sum()
        },
    )
}

/// Makes the locks of all that is not about to go last longer, where the storage has locks. Nobody
/// fails for it.
pub fn renew_locks(context: &Context, vault: &Vault) {
    let Ok(place) = context.settings.repository() else { return };
    let Ok(location @ Location::S3(_)) = location(place, &context.environment) else { return };
    let renewed = vault
        .lasting(&context.run)
        .map_err(Failure::from)
        .and_then(|names| Ok(open::renew_locks(&context.run, &location, &names)?));
    match renewed {
        Ok(renewed) => {
            if renewed.count > 0 {
                context.output.note(texts::RENEWED.with("count", renewed.count));
            }
            if let Some(detail) = renewed.refused {
                context.problem(Severity::Problem, texts::LOCKS, Said::heard(detail));
            }
        }
        Err(failure) => context.problem(Severity::Problem, texts::LOCKS, failure.message),
    }
}

/// The storage as it was before somebody replaced or removed what lies there.
///
/// # Errors
/// When it keeps no versions (2), they may not be seen (1), or it cannot be reached (15).
pub fn beneath(context: &Context) -> Result<Arc<dyn Storage>, Failure> {
    let location = location(context.settings.repository()?, &context.environment)?;
    let found = open::beneath(&context.run, &location, names::is_genuine)?;
    let base = found.ok_or_else(|| Failure::usage(texts::NO_VERSIONS, texts::NAME_STORAGE))?;
    Ok(stacked(context, base, &location))
}

/// Does `work`, and looks what lies beside the blobs of the storage: meanwhile, over a way of its
/// own, where that is reached over a network.
///
/// # Errors
/// Those of `work`, or when it cannot be listed (15).
pub fn with_strangers<T>(
    context: &Context,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<(T, Strangers), Failure> {
    let location = location(context.settings.repository()?, &context.environment)?;
    let look = || open::strangers(&context.run, &location);
    let (found, done) = match location.is_remote() {
        true => together::beside(look, work),
        false => {
            let done = work()?;
            (look(), Ok(done))
        }
    };
    let (done, mut found) = (done?, found);
    // The way of its own may be cut like any other; that the server is there is known by now.
    for _ in 0..STRANGERS_TRIES {
        if !found.as_ref().is_err_and(StorageError::is_retryable) {
            break;
        }
        context.run.clock.wait(RETRY_REMOTE.wait_first);
        found = look();
    }
    Ok((done, found?))
}

/// Machines whose records are read ahead besides all.
const OWN_MAX: usize = 4;

/// The storage with the records of keys read ahead.
///
/// # Errors
/// When the names of records cannot be made.
pub fn ahead(context: &Context, storage: &Arc<dyn Storage>) -> Result<Arc<dyn Storage>, Failure> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment);
    let keysets = match local {
        Ok(local) if storage.is_far() => local.keysets(),
        _ => Vec::new(),
    };
    let own = keysets.iter().filter_map(|bytes| convert::decode_agent(bytes).ok());
    let own: Vec<_> = own.map(|keyset| keyset.machine).take(OWN_MAX).collect();
    Ok(publish::ahead(storage, &own)?)
}

/// Opens the restore keyset with the user's secret.
///
/// # Errors
/// When there is no repository (10), the secret is wrong (12), or keys are damaged (20).
pub fn unlock(context: &Context, storage: &Arc<dyn Storage>) -> Result<Unlocked, Failure> {
    // Whether there is a repository is told before a passphrase is asked for.
    publish::load_config(&context.run, storage)?;
    let secret = context.settings.secret.fetch(&context.output, Asked::Existing)?;
    Ok(unlock::unlock(&context.run, storage, &secret)?)
}

/// What a machine needs to add snapshots.
pub struct Writer {
    pub storage: Arc<dyn Storage>,
    pub config: ConfigRecord,
    pub keyset: AgentKeyset,
    pub local: Local,
}

/// Opens the repository for writing. It needs no passphrase where this machine has its keyset; one
/// that is given has to be right all the same.
///
/// # Errors
/// As [`unlock`].
pub fn for_writing(context: &Context, storage: &Arc<dyn Storage>) -> Result<Writer, Failure> {
    let ahead = ahead(context, storage)?;
    let config = publish::load_config(&context.run, &ahead)?;
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
    if let Some((keyset, bytes)) = own_keyset(&local, &config)? {
        prove(context, &ahead, (&local, &keyset, &bytes))?;
        let keyset = newest_keys(context, &ahead, (&local, keyset), &config)?;
        let keyset = newest_recipients(context, &ahead, (&local, keyset))?;
        let storage = Arc::clone(storage);
        return Ok(Writer { storage, config, keyset, local });
    }
    let secret = context.settings.secret.fetch(&context.output, Asked::Existing)?;
    let unlocked = unlock::unlock(&context.run, &ahead, &secret)?;
    let keyset = join(context, storage, &unlocked, (&local, &secret))?;
    Ok(Writer { storage: Arc::clone(storage), config, keyset, local })
}

/// The keyset with the newest keys of the repository, if a passphrase is at hand. Without one a
/// machine goes on under an old domain secret, and not under an old store key.
fn newest_keys(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (local, keyset): (&Local, AgentKeyset),
    config: &ConfigRecord,
) -> Result<AgentKeyset, Failure> {
    // What is wrong with the records is told by whoever needs them.
    let standing = revoke::standing(&context.run.unwatched(), storage, &keyset)?;
    if standing == Standing::Current {
        return Ok(keyset);
    }
    if !matches!(context.settings.secret, SecretSource::Prompt) {
        let secret = context.settings.secret.fetch(&context.output, Asked::Existing)?;
        let unlocked = unlock::unlock(&context.run, storage, &secret)?;
        renew_own(context, storage, (local, config, &unlocked.keyset), &secret)?;
        return Ok(own_keyset(local, config)?.map_or(keyset, |(renewed, _)| renewed));
    }
    match standing {
        Standing::StoreOld { newest, own } => Err(KeysError::StoreKeyOld { newest, own }.into()),
        Standing::DomainOld { newest, own } => {
            let text = rotation::DOMAIN_OLD.with("newest", u64::from(newest));
            context.output.warn(text.with("own", u64::from(own)));
            Ok(keyset)
        }
        Standing::Current => Ok(keyset),
    }
}

/// Brings this machine's own keyset up to the newest keys; whether it has one.
///
/// # Errors
/// When the keyset does not belong to a machine that may add snapshots, or cannot be kept.
pub fn renew_own(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (local, config, restore): (&Local, &ConfigRecord, &RestoreKeyset),
    secret: &SlotSecret,
) -> Result<bool, Failure> {
    let Some((old, _)) = own_keyset(local, config)? else { return Ok(false) };
    let renewed = machine::renew(&context.run.unwatched(), storage, restore, &old)?;
    let bytes = convert::encode_agent(&renewed);
    local.keep_keyset(renewed.repository, &bytes)?;
    local.remember(renewed.repository, &bytes, secret_bytes(secret));
    Ok(true)
}

/// The keyset with the newest list of recipients, kept before anything is sealed to it.
///
/// # Errors
/// When the newest list is older than the one this machine knows (13).
pub fn newest_recipients(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (local, keyset): (&Local, AgentKeyset),
) -> Result<AgentKeyset, Failure> {
    let Some(newer) = machine::refresh_recipients(&context.run, storage, &keyset)? else {
        return Ok(keyset);
    };
    local.keep_keyset(newer.repository, &convert::encode_agent(&newer))?;
    Ok(newer)
}

/// This machine's keyset of a repository, with its bytes; `None` if it has none.
///
/// # Errors
/// When there is one that cannot be read.
pub fn own_keyset(
    local: &Local,
    config: &ConfigRecord,
) -> Result<Option<(AgentKeyset, SecretBytes)>, Failure> {
    let Some(bytes) = local.keyset(config.repository)? else { return Ok(None) };
    let keyset = convert::decode_agent(&bytes)?;
    let is_own =
        keyset.repository == config.repository && *keyset.root_public.as_bytes() == config.root;
    Ok(is_own.then_some((keyset, bytes)))
}

/// Enrols this machine, or finds it again by its name, and keeps its keyset.
///
/// # Errors
/// When the storage or the local state cannot be written.
pub fn join(
    context: &Context,
    storage: &Arc<dyn Storage>,
    unlocked: &Unlocked,
    (local, secret): (&Local, &SlotSecret),
) -> Result<AgentKeyset, Failure> {
    let name = String::from_utf8_lossy(&host_name()).into_owned();
    let (run, restore) = (&context.run, &unlocked.keyset);
    let keyset = match machine::rejoin(run, storage, restore, &name)? {
        Some(keyset) => keyset,
        None => machine::enrol(run, storage, restore, (&name, Identity::Own))?,
    };
    let bytes = convert::encode_agent(&keyset);
    local.keep_keyset(keyset.repository, &bytes)?;
    local.remember(keyset.repository, &bytes, secret_bytes(secret));
    Ok(keyset)
}

fn prove(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (local, keyset, bytes): (&Local, &AgentKeyset, &SecretBytes),
) -> Result<(), Failure> {
    if matches!(context.settings.secret, SecretSource::Prompt) {
        return Ok(());
    }
    let secret = context.settings.secret.fetch(&context.output, Asked::Existing)?;
    if local.is_proven(keyset.repository, bytes, secret_bytes(&secret)) {
        return Ok(());
    }
    unlock::unlock(&context.run, storage, &secret)?;
    local.remember(keyset.repository, bytes, secret_bytes(&secret));
    Ok(())
}

const fn secret_bytes(secret: &SlotSecret) -> &SecretBytes {
    match secret {
        SlotSecret::Passphrase(bytes) | SlotSecret::KeyFile(bytes) => bytes,
    }
}

/// The storage for whoever only uses the index: over a network its files are read once.
///
/// # Errors
/// When the place of local state cannot be told.
pub fn with_index(
    context: &Context,
    storage: &Arc<dyn Storage>,
    config: &ConfigRecord,
) -> Result<Arc<dyn Storage>, Failure> {
    if !storage.is_far() || context.settings.cache_use != CacheUse::Yes {
        return Ok(Arc::clone(storage));
    }
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
    let folder = local.folder(config.repository).join("index");
    Ok(Arc::new(Kept::new(Arc::clone(storage), folder, KEEPING)))
}

/// The objects of the repository, to whoever holds the store keys.
///
/// # Errors
/// When the run was told to stop.
pub fn repository(
    context: &Context,
    (storage, config): (&Arc<dyn Storage>, &ConfigRecord),
    keys: StoreKeys,
) -> Result<Repository, Failure> {
    let options = VaultOptions {
        pack_bytes: config.parameters.pack_bytes,
        lease_ms: LEASE_MS,
        program: PROGRAM.to_owned(),
    };
    let keys = (keys, context.settings.wait);
    let vault = Vault::open_waiting(&context.run, Arc::clone(storage), keys, options)?;
    Ok(Repository::new(vault))
}
