//! A repository opened for reading, with its snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Which;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::choose::snapshot::choose;
use crate::cli::choose::snapshot::narrow;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::rotation;
use crate::cli::language::table::read;
use crate::cli::open;
use crate::cli::secrets::SecretSource;
use crate::format::manifest::SignedManifest;
use crate::format::snapshot::SnapshotInfo;
use crate::repository::error::RepositoryError;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::unlock::Unlocked;
use crate::repository::manifest;
use crate::repository::notes::open_note;
use crate::repository::open::Repository;
use crate::repository::trust::Enrolled;
use crate::retention;
use crate::run::monitor::Severity;
use crate::secret::Secret32;
use crate::storage::Storage;
use crate::storage::together;
use crate::vault::chains::Copies;
use crate::vault::chains::Glimpse;
use crate::vault::chains::Verifier;
use crate::vault::names::Place;
use crate::vault::notes::Notes;
use crate::vault::notes::StoredNote;
use crate::vault::scrub::Listing;

/// A repository with the keys to read it.
pub struct Keys {
    pub unlocked: Unlocked,
    pub signers: Enrolled,
    pub repository: Repository,
    /// Where the ledger of evidence is, if it is not beside the snapshots.
    pub ledger: Option<Arc<dyn Storage>>,
}

impl Keys {
    /// Where the ledger of evidence is.
    #[must_use]
    pub fn ledger(&self) -> &Arc<dyn Storage> {
        self.ledger.as_ref().unwrap_or_else(|| self.repository.vault().storage())
    }
}

/// A repository with its snapshots.
pub struct Opened {
    /// Those whose signature holds and that the keys open.
    pub snapshots: Vec<Snapshot>,
    pub unlocked: Unlocked,
    pub reader: Repository,
}

/// Opens the repository with the user's secret.
///
/// # Errors
/// When there is no repository (10), the secret is wrong (12), or the storage fails (15).
pub fn keys(context: &Context) -> Result<Keys, Failure> {
    let storage = open::storage(context)?;
    let ahead = open::ahead(context, &storage)?;
    let (unlocked, repository) = unlocked_at(context, (&storage, &ahead))?;
    let signers = Enrolled::load(&context.run, &ahead, &unlocked.keyset)?;
    Ok(Keys { unlocked, signers, repository, ledger: None })
}

/// Opens the repository with the user's secret, and looks at nothing else.
///
/// # Errors
/// As [`keys`].
pub fn unlocked(context: &Context) -> Result<(Unlocked, Repository), Failure> {
    let storage = open::storage(context)?;
    let ahead = open::ahead(context, &storage)?;
    unlocked_at(context, (&storage, &ahead))
}

/// What a check begins with.
pub struct Listed {
    pub unlocked: Unlocked,
    pub repository: Repository,
    /// What is wrong with the records that tell them, the check itself says.
    pub signers: Result<Enrolled, KeysError>,
    pub listing: Listing,
}

/// Opens the repository with the user's secret, and lists all that lies there.
///
/// # Errors
/// As [`keys`], but for the machines that may add snapshots.
pub fn listed(context: &Context) -> Result<Listed, Failure> {
    let storage = open::storage(context)?;
    let list = || Listing::take(&context.run, &*storage);
    let unlock = || {
        let ahead = open::ahead(context, &storage)?;
        let (unlocked, repository) = unlocked_at(context, (&storage, &ahead))?;
        let signers = Enrolled::load(&context.run, &ahead, &unlocked.keyset);
        Ok::<_, Failure>((unlocked, repository, signers))
    };
    // Not while somebody types: much may change until then.
    let is_asked = matches!(context.settings.secret, SecretSource::Prompt);
    let (listing, unlocked) = match storage.is_far() && !is_asked {
        true => together::both(&*storage, list, unlock),
        false => {
            let unlocked = unlock()?;
            (list(), Ok(unlocked))
        }
    };
    let (unlocked, repository, signers) = unlocked?;
    Ok(Listed { unlocked, repository, signers, listing: listing? })
}

/// `ahead` is the storage with what unlocking needs read already.
fn unlocked_at(
    context: &Context,
    (storage, ahead): (&Arc<dyn Storage>, &Arc<dyn Storage>),
) -> Result<(Unlocked, Repository), Failure> {
    let unlocked = open::unlock(context, ahead)?;
    let store = unlocked.keyset.store.clone();
    let repository = open::repository(context, (storage, &unlocked.config), store)?;
    Ok((unlocked, repository))
}

/// The machines that may add snapshots.
///
/// # Errors
/// When the storage fails (15), or the list of recipients is lost (20).
pub fn signers(
    context: &Context,
    unlocked: &Unlocked,
    repository: &Repository,
) -> Result<Enrolled, Failure> {
    let ahead = open::ahead(context, repository.vault().storage())?;
    Ok(Enrolled::load(&context.run, &ahead, &unlocked.keyset)?)
}

/// The snapshots. A manifest that cannot be read, or that no enrolled machine has signed, is damage
/// and is left out.
///
/// # Errors
/// When the storage fails (15).
pub fn list(context: &Context, keys: &Keys) -> Result<Vec<Snapshot>, Failure> {
    let seen = Glimpse::take(&context.run, &**keys.repository.vault().storage())?;
    list_seen(context, keys, seen)
}

fn list_seen(context: &Context, keys: &Keys, seen: Glimpse) -> Result<Vec<Snapshot>, Failure> {
    let Keys { unlocked, signers, repository, .. } = keys;
    let vault = repository.vault();
    let (run, asked): (_, (_, &dyn Verifier)) = (&context.run, (Copies::First, signers));
    let (noted, found) = together::both(
        &**vault.storage(),
        || vault.notes(run, None, asked),
        || vault.manifests_seen(run, seen, Copies::First, signers),
    );
    let mut found = found?;
    vault.leave_out_late_twins(run, &mut found.findings)?;
    for finding in &found.findings {
        context.run.problem(&finding.problem());
    }
    let suspects = signers.suspects(&found);
    let mut notes = by_snapshot(context, noted?);
    let mut snapshots = Vec::with_capacity(found.manifests.len());
    for stored in &found.manifests {
        context.run.check()?;
        match manifest::open_with_key(&unlocked.keyset, &stored.manifest) {
            Ok(opened) => {
                let mut snapshot = snapshot(&stored.place, &stored.manifest, &opened.info);
                snapshot.suspect_since = suspects.get(&stored.place.id).copied();
                let own = notes.remove(&stored.place).unwrap_or_default();
                take_notes(context, &mut snapshot, &opened.snapshot_key, &own);
                snapshots.push(snapshot);
            }
            Err(error) => {
                let subject = read::A_SNAPSHOT.with("id", stored.place.id.short());
                context.problem(Severity::Damage, subject, Said::heard(error));
            }
        }
    }
    Ok(snapshots)
}

/// The notes, by snapshot. What is wrong with one is told, and it counts for nothing.
fn by_snapshot(context: &Context, found: Notes) -> BTreeMap<Place, Vec<StoredNote>> {
    for finding in &found.findings {
        context.run.problem(&finding.problem());
    }
    let mut all: BTreeMap<Place, Vec<StoredNote>> = BTreeMap::new();
    for stored in found.notes {
        all.entry(stored.place.snapshot).or_default().push(stored);
    }
    all
}

fn take_notes(context: &Context, snapshot: &mut Snapshot, key: &Secret32, notes: &[StoredNote]) {
    let is_free = |tag: &String| !retention::BY_NOTE_ONLY.contains(&tag.as_str());
    snapshot.tags.retain(is_free);
    let made_with = snapshot.tags.clone();
    for stored in notes {
        match open_note(key, &stored.note) {
            Ok(words) => {
                words.apply(&mut snapshot.tags);
                if !words.comment.is_empty() {
                    snapshot.comment = words.comment;
                }
            }
            Err(error) => {
                let subject = read::A_NOTE.with("place", stored.place.to_string());
                context.problem(Severity::Damage, subject, Said::heard(error));
            }
        }
    }
    let later = snapshot.tags.iter().filter(|tag| !made_with.contains(tag));
    snapshot.tags_later = later.cloned().collect();
}

/// Opens the repository and its list of snapshots.
///
/// # Errors
/// As [`keys`] and [`list`].
pub fn for_reading(context: &Context) -> Result<Opened, Failure> {
    for_what(context, Wanted::List)
}

/// As [`for_reading`], for whoever reads objects after it: the index is read beside the list.
///
/// # Errors
/// As [`for_reading`].
pub fn for_objects(context: &Context) -> Result<Opened, Failure> {
    for_what(context, Wanted::Objects)
}

/// What is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    List,
    Objects,
}

fn for_what(context: &Context, wanted: Wanted) -> Result<Opened, Failure> {
    let storage = open::storage(context)?;
    // Which manifests there are shows without a key: a long way is gone once for both.
    let (seen, keys) = together::both(
        &*storage,
        || Glimpse::take(&context.run, &*storage),
        || {
            let ahead = open::ahead(context, &storage)?;
            let unlocked = open::unlock(context, &ahead)?;
            let signers = Enrolled::load(&context.run, &ahead, &unlocked.keyset)?;
            Ok::<_, Failure>((unlocked, signers))
        },
    );
    let (unlocked, signers) = keys?;
    let storage = open::with_index(context, &storage, &unlocked.config)?;
    let store = unlocked.keyset.store.clone();
    let repository = open::repository(context, (&storage, &unlocked.config), store)?;
    let keys = Keys { unlocked, signers, repository, ledger: None };
    let seen = seen?;
    let snapshots = match wanted {
        Wanted::Objects if storage.is_far() => {
            let vault = keys.repository.vault();
            // What is wrong with the index is told to whoever reads objects.
            let warmed = || drop(vault.warm(&context.run));
            together::both(&*storage, warmed, || list_seen(context, &keys, seen)).1
        }
        _ => list_seen(context, &keys, seen),
    }?;
    Ok(Opened { snapshots, unlocked: keys.unlocked, reader: keys.repository })
}

fn snapshot(place: &Place, signed: &SignedManifest, info: &SnapshotInfo) -> Snapshot {
    Snapshot {
        id: place.id,
        time: signed.public.time,
        machine: place.chain.machine,
        source: place.chain.source,
        seq: place.seq,
        host: info.host.clone().into_bytes(),
        paths: info.paths.iter().map(|path| path.to_vec()).collect(),
        tags: info.tags.clone(),
        tags_later: Vec::new(),
        comment: String::new(),
        root: info.root(),
        capsules: info.capsules(&signed.public.capsules).unwrap_or_default(),
        entries_count: info.counts.entries,
        files_count: info.counts.files,
        files_changed: info.counts.files_changed,
        files_unchanged: info.counts.files_unchanged,
        content_bytes: info.counts.content_bytes,
        problems_count: info.counts.problems,
        suspect_since: None,
    }
}

impl Opened {
    /// As [`several`].
    ///
    /// # Errors
    /// As [`choose`].
    pub fn several(&self, ids: &[String], filter: &FilterArgs) -> Result<Vec<&Snapshot>, Failure> {
        several(&self.snapshots, ids, filter)
    }
}

/// The snapshots with these ids, or without ids all that the filter leaves.
///
/// # Errors
/// As [`choose`].
pub fn several<'a>(
    all: &'a [Snapshot],
    ids: &[String],
    filter: &FilterArgs,
) -> Result<Vec<&'a Snapshot>, Failure> {
    if ids.is_empty() {
        return Ok(narrow(all, filter));
    }
    ids.iter().map(|id| choose(all, &Which::parse(id.as_bytes())?, filter)).collect()
}

/// Says so if a snapshot that is about to be used may be a thief's, and which one is not.
pub fn warn_if_suspect(context: &Context, all: &[Snapshot], chosen: &Snapshot) {
    let Some(since) = chosen.suspect_since else { return };
    let text = rotation::SUSPECT.with("id", chosen.id.short());
    context.output.warn(text.with("since", since));
    let dataset = |it: &&Snapshot| (it.machine, it.source) == (chosen.machine, chosen.source);
    let trusted = all.iter().filter(dataset).filter(|it| it.suspect_since.is_none());
    if let Some(last) = trusted.max_by_key(|it| it.seq) {
        context.output.warn(rotation::LAST_TRUSTED.with("id", last.id.short()));
    }
}

/// A node that cannot be read is damage, named with what it belongs to; the verb goes on behind it.
///
/// # Errors
/// When the run was told to stop.
pub fn node_problem(
    context: &Context,
    snapshot: &Snapshot,
    error: RepositoryError,
) -> Result<(), Failure> {
    if let RepositoryError::Stopped(why) = error {
        return Err(why.into());
    }
    let subject = read::A_SNAPSHOT.with("id", snapshot.id.short());
    let message = Said::heard(format_args!("a part cannot be listed: {error}"));
    context.problem(Severity::Damage, subject, message);
    Ok(())
}
