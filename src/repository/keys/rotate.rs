//! Rotation: a new generation of the domain secret or of the store key, or a new restore key.
//!
//! A rotation is one new keyring, which every slot of the same restore key finds, and then the slot
//! in use anew. A new restore key is one when the recipients list says so, and that is written
//! after keyring and slot: whatever falls between two writes, what opened opens.

use std::sync::Arc;
use std::time::Duration;

use crate::crypto::blind::StoreKeys;
use crate::crypto::random_secret;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sealed::keyset::DomainSecret;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::SigningKey;
use crate::disk::Held;
use crate::format::keyset::GENERATIONS_MAX;
use crate::format::keyset::RETIRED_MAX;
use crate::format::recipients::RecipientsRecord;
use crate::format::recipients::Role;
use crate::format::slot::SlotPublic;
use crate::ids::DomainId;
use crate::ids::SlotId;
use crate::repository::keys::complete;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::keyring;
use crate::repository::keys::publish;
use crate::repository::keys::slots;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::unlock::InSlot;
use crate::repository::keys::unlock::Unlocked;
use crate::run::Run;
use crate::storage::Alone;
use crate::storage::Storage;
use crate::vault::records::Records;

/// How long a rotation waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(300);
const WAIT_STEP: Duration = Duration::from_millis(100);

/// What is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The secret that objects of one domain derive from.
    Domain,
    /// The store key S.
    Store,
    /// The key that opens snapshots.
    Restore,
}

/// What a rotation would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub part: Part,
    /// Whether this only ends what another run, or another administrator, has begun.
    pub step: Step,
    /// Generation of the domain secret or of S, or version of the recipients list; before and
    /// after.
    pub from: u32,
    pub to: u32,
    /// Generation of the keyring afterwards.
    pub keyring: u32,
    /// Slots that go. The one in use is made anew under the same passphrase or key file.
    pub removed: Vec<SlotPublic>,
}

/// How much is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    All,
    /// The keyring is there; the slot in use does not hold it yet.
    SlotOnly,
}

/// What a rotation has made.
#[derive(Debug)]
pub struct Rotated {
    pub keyset: RestoreKeyset,
    pub slot: SlotId,
}

/// Which generations of its keys a repository is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generations {
    pub keyring: u32,
    pub store: u32,
    /// The domain that new machines join, and the generation of its secret.
    pub domain: (DomainId, u32),
    /// Version of the recipients list.
    pub recipients: u32,
    pub replaced_count: u64,
}

/// What a keyset holds, and what the records say.
///
/// # Errors
/// When the records cannot be read.
pub fn generations(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
) -> Result<Generations, KeysError> {
    let place = (keyset.repository, &keyset.root_public);
    let list = publish::load_recipients(run, storage, place)?;
    let mut signers = convert::admin_keys(&list)?;
    signers.push(keyset.root_public);
    let keyrings = keyring::load_all(run, storage, (keyset.repository, &signers))?;
    let domain = keyset.domains.last().ok_or(KeysError::BadKey)?;
    Ok(Generations {
        keyring: keyrings.iter().map(|keyring| keyring.generation).max().unwrap_or(0),
        store: keyset.store.newest().0,
        domain: (domain.domain, domain.generation),
        recipients: list.version,
        replaced_count: keyset.retired.len() as u64,
    })
}

/// Looks at what there is; writes nothing.
///
/// # Errors
/// When a key that is needed is not at hand, or the records cannot be read.
pub fn plan(
    run: &Run,
    storage: &Arc<dyn Storage>,
    unlocked: &Unlocked,
    part: Part,
) -> Result<Plan, KeysError> {
    let keyset = &unlocked.keyset;
    let list = current_list(run, storage, keyset)?;
    let mut signers = convert::admin_keys(&list)?;
    signers.push(keyset.root_public);
    let keyrings = keyring::load_all(run, storage, (keyset.repository, &signers))?;
    let newest = keyrings.iter().map(|keyring| keyring.generation).max().unwrap_or(0);
    let is_behind = unlocked.in_slot == InSlot::Older;
    let step = if is_behind && part != Part::Restore { Step::SlotOnly } else { Step::All };
    let now = match part {
        Part::Domain => keyset.domains.last().map_or(0, |secret| secret.generation),
        Part::Store => keyset.store.newest().0,
        Part::Restore => list.version,
    };
    let next = |number: u32| match step {
        Step::All => number.checked_add(1).ok_or(KeysError::TooManyGenerations),
        Step::SlotOnly => Ok(number),
    };
    let count = match part {
        Part::Domain => keyset.domains.len(),
        Part::Store => keyset.store.generations().len(),
        Part::Restore => keyset.retired.len() + GENERATIONS_MAX - RETIRED_MAX,
    };
    if count >= GENERATIONS_MAX && step == Step::All {
        return Err(KeysError::TooManyGenerations);
    }
    if part == Part::Restore && keyset.root.is_none() {
        return Err(KeysError::RootOffline);
    }
    let mut removed = slots::list(run, storage, keyset.repository)?;
    removed.retain(|slot| part == Part::Restore || slot.slot == unlocked.slot);
    Ok(Plan { part, step, from: now, to: next(now)?, keyring: next(newest)?, removed })
}

/// Does what was planned. `slot` has the secret of the slot in use, which it takes the place of.
///
/// # Errors
/// When another rotation came between, or the storage fails: then an old or a new secret opens, and
/// the next run ends it.
pub fn execute(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (unlocked, agreed): (&Unlocked, &Plan),
    slot: &NewSlot,
) -> Result<Rotated, KeysError> {
    let _alone = alone(run, storage)?;
    if plan(&run.unwatched(), storage, unlocked, agreed.part)? != *agreed {
        return Err(KeysError::RotatedMeanwhile);
    }
    complete::lasting_records(run, storage)?;
    match (agreed.part, agreed.step) {
        (Part::Restore, _) => replace_restore(run, storage, (unlocked, agreed), slot),
        (_, Step::SlotOnly) => renew_slot(run, storage, (unlocked.keyset.clone(), unlocked), slot),
        (part, Step::All) => {
            let keyset = with_next(&unlocked.keyset, part)?;
            let list = current_list(&run.unwatched(), storage, &keyset)?;
            let mut recipients = vec![keyset.restore.public()];
            recipients.extend(recovery_keys(&list)?);
            let store = Records::new(Arc::clone(storage));
            run.check()?;
            keyring::publish(run, &store, &keyset, (agreed.keyring, &recipients))?;
            store.sync()?;
            renew_slot(run, storage, (keyset, unlocked), slot)
        }
    }
}

fn renew_slot(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (keyset, unlocked): (RestoreKeyset, &Unlocked),
    slot: &NewSlot,
) -> Result<Rotated, KeysError> {
    let added = slots::change(run, storage, (&keyset, unlocked.slot), slot)?;
    // A run that was cut short may have left one that the same secret opens.
    for other in slots::load_all(&run.unwatched(), storage, keyset.repository)? {
        let id = other.public.slot;
        if id != added && slots::open(&other, &slot.secret).is_ok() {
            slots::remove(run, storage, (keyset.repository, id))?;
        }
    }
    Ok(Rotated { keyset, slot: added })
}

/// The keyset with one generation more.
fn with_next(keyset: &RestoreKeyset, part: Part) -> Result<RestoreKeyset, KeysError> {
    let mut next = keyset.clone();
    if part == Part::Domain {
        let last = keyset.domains.last().ok_or(KeysError::BadKey)?;
        let generation = last.generation.checked_add(1).ok_or(KeysError::TooManyGenerations)?;
        let secret = random_secret()?;
        next.domains.push(DomainSecret { domain: last.domain, generation, secret });
    } else {
        let mut generations = keyset.store.generations().to_vec();
        let (newest, _) = keyset.store.newest();
        let generation = newest.checked_add(1).ok_or(KeysError::TooManyGenerations)?;
        generations.push((generation, random_secret()?));
        next.store = StoreKeys::new(keyset.repository, generations).ok_or(KeysError::BadKey)?;
    }
    Ok(next)
}

/// In this order: the keyring, for the new key and the recovery key alone; a slot with the new key;
/// the recipients list, from which on it counts; and then every other slot goes.
fn replace_restore(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (unlocked, agreed): (&Unlocked, &Plan),
    slot: &NewSlot,
) -> Result<Rotated, KeysError> {
    let old = &unlocked.keyset;
    let root = old.root.as_ref().ok_or(KeysError::RootOffline)?;
    let list = current_list(&run.unwatched(), storage, old)?;
    let mut keyset = old.clone();
    keyset.restore = KemSecret::generate(old.restore.suite())?;
    keyset.retired.push(old.restore.clone());
    let mut recipients = vec![keyset.restore.public()];
    recipients.extend(recovery_keys(&list)?);
    let store = Records::new(Arc::clone(storage));
    run.check()?;
    keyring::publish(run, &store, &keyset, (agreed.keyring, &recipients))?;
    store.sync()?;
    let added = slots::add(run, storage, &keyset, slot)?;
    publish_list(run, &store, (list, &keyset), root)?;
    for old in &agreed.removed {
        slots::remove(run, storage, (keyset.repository, old.slot))?;
    }
    Ok(Rotated { keyset, slot: added })
}

/// The next version of the list, with the new restore key in place of the old one.
fn publish_list(
    run: &Run,
    store: &Records,
    (mut list, keyset): (RecipientsRecord, &RestoreKeyset),
    root: &SigningKey,
) -> Result<(), KeysError> {
    list.version = list.version.checked_add(1).ok_or(KeysError::TooManyGenerations)?;
    list.created = run.clock.now();
    list.recipients.retain(|entry| entry.role != Role::Restore);
    list.recipients.insert(0, convert::recipient_entry(Role::Restore, &keyset.restore.public()));
    publish::publish_recipients(store, &list, root)?;
    Ok(store.sync()?)
}

/// The recipients list, if the restore key of the keyset stands in it.
fn current_list(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
) -> Result<RecipientsRecord, KeysError> {
    let place = (keyset.repository, &keyset.root_public);
    let list = publish::load_recipients(run, storage, place)?;
    let own = convert::recipient_entry(Role::Restore, &keyset.restore.public());
    if list.recipients.contains(&own) { Ok(list) } else { Err(KeysError::RestoreReplaced) }
}

fn recovery_keys(list: &RecipientsRecord) -> Result<Vec<KemPublic>, KeysError> {
    let recovery = list.recipients.iter().filter(|entry| entry.role == Role::Recovery);
    recovery.map(convert::recipient_key).collect()
}

/// Two rotations at once would make two keys of one generation. Where the medium knows no turns,
/// only what both have read is compared.
fn alone(run: &Run, storage: &Arc<dyn Storage>) -> Result<Option<Held>, KeysError> {
    let since = run.clock.elapsed();
    loop {
        match storage.try_alone()? {
            Alone::Yes(held) => return Ok(Some(held)),
            Alone::Unknown => return Ok(None),
            Alone::No => {}
        }
        run.check()?;
        if run.clock.elapsed().saturating_sub(since) > WAIT_MAX {
            return Err(KeysError::Busy { seconds: WAIT_MAX.as_secs() });
        }
        run.clock.wait(WAIT_STEP);
    }
}
