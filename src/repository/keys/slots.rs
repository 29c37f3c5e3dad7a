//! Slots: making, listing, removing, and changing the secret of one.

use std::sync::Arc;

use crate::crypto::random_bytes;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::slot;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotSecret;
use crate::crypto::sealed::slot::Stretch;
use crate::format::record;
use crate::format::record::Record;
use crate::format::record::RecordError;
use crate::format::slot::SLOT_LABEL_BYTES_MAX;
use crate::format::slot::SLOTS;
use crate::format::slot::SlotKind;
use crate::format::slot::SlotPublic;
use crate::format::slot::SlotRecord;
use crate::ids::RepositoryId;
use crate::ids::SlotId;
use crate::repository::keys::complete;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::vault::records;
use crate::vault::records::Copy;
use crate::vault::records::Records;
use crate::vault::records::RecordsError;

pub(in crate::repository::keys) const SLOT_COPIES: u8 = 2;

/// What a new slot is made with.
#[derive(Debug, Clone)]
pub struct NewSlot {
    pub secret: SlotSecret,
    /// Work per guess, for a passphrase.
    pub argon2: Argon2Parameters,
    /// For people; not secret.
    pub label: String,
}

fn names_of(slot: SlotId) -> Result<Vec<BlobName>, KeysError> {
    Ok(records::twin_names(&format!("{SLOTS}{slot}"), SLOT_COPIES)?)
}

fn stretch_of(kind: &SlotKind) -> Stretch {
    match *kind {
        SlotKind::Passphrase { memory_kib, passes, lanes, salt } => {
            Stretch::Passphrase { argon2: Argon2Parameters { memory_kib, passes, lanes }, salt }
        }
        SlotKind::KeyFile { salt } => Stretch::KeyFile { salt },
    }
}

/// Opens one slot.
pub(in crate::repository::keys) fn open(
    slot: &SlotRecord,
    secret: &SlotSecret,
) -> Result<RestoreKeyset, KeysError> {
    let public = record::to_cbor(&slot.public);
    let repository = slot.public.repository;
    let how = stretch_of(&slot.public.kind);
    let keyset = slot::unwrap(secret, &how, (repository, &public), &slot.sealed)?;
    let keyset = convert::decode_restore(&keyset)?;
    if keyset.repository != repository {
        return Err(KeysError::OtherRepository { what: "keyset" });
    }
    Ok(keyset)
}

/// Wraps the keyset in a new slot; durable when this returns, and opened once from what was read
/// back.
pub fn add(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    new: &NewSlot,
) -> Result<SlotId, KeysError> {
    let found_bytes = new.label.len();
    if found_bytes > SLOT_LABEL_BYTES_MAX {
        return Err(KeysError::Label { found_bytes, bytes_max: SLOT_LABEL_BYTES_MAX });
    }
    new.secret.check()?;
    complete::slots(run, storage)?;
    let salt = random_bytes()?;
    let Argon2Parameters { memory_kib, passes, lanes } = new.argon2;
    let kind = match &new.secret {
        SlotSecret::Passphrase(_) => SlotKind::Passphrase { memory_kib, passes, lanes, salt },
        SlotSecret::KeyFile(_) => SlotKind::KeyFile { salt },
    };
    let id = SlotId::new(random_bytes()?);
    let repository = keyset.repository;
    let label = new.label.clone();
    let public = SlotPublic { repository, slot: id, created: run.clock.now(), label, kind };
    let encoded = record::to_cbor(&public);
    let message = convert::encode_restore(keyset);
    let sealed = slot::wrap(&new.secret, &stretch_of(&kind), (repository, &encoded), &message)?;
    let written = SlotRecord { public, sealed };
    let store = Records::new(Arc::clone(storage));
    let names = names_of(id)?;
    store.create_all(&names, &record::encode(&written))?;
    store.sync()?;
    for name in &names {
        match store.read_copy(name, records::plain::<SlotRecord>) {
            Copy::Good(found) if found == written => {}
            _ => return Err(KeysError::SlotReadBack { slot: id }),
        }
    }
    open(&written, &new.secret)?;
    Ok(id)
}

/// Every slot of this repository that can be read, by id. Others are reported and left out.
pub fn load_all(
    run: &Run,
    storage: &Arc<dyn Storage>,
    repository: RepositoryId,
) -> Result<Vec<SlotRecord>, KeysError> {
    let store = Records::new(Arc::clone(storage));
    let mut slots = Vec::new();
    for name in store.list(SLOTS)? {
        run.check()?;
        let names = records::twin_names(&name, SLOT_COPIES)?;
        let decode = |bytes: &[u8]| {
            let slot = records::plain::<SlotRecord>(bytes)?;
            let is_own = slot.public.repository == repository;
            let expected = format!("{SLOTS}{}", slot.public.slot);
            // A copy of another slot is passed over for the twin.
            if is_own && name != expected {
                return Err(RecordError::Misplaced { noun: SlotRecord::NOUN });
            }
            Ok(slot)
        };
        match store.load(run, &names, decode) {
            Ok(slot) if slot.public.repository != repository => {}
            Ok(slot) => slots.push(slot),
            Err(RecordsError::Unreadable { error, .. }) => {
                run.problem(&Problem::damage(name, error.to_string()));
            }
            Err(RecordsError::Missing { .. }) => {} // Removed since the listing.
            Err(error) => return Err(error.into()),
        }
    }
    Ok(slots)
}

/// Whether there are slots of another repository: then it is the config that was put here.
pub fn has_others(storage: &Arc<dyn Storage>, repository: RepositoryId) -> Result<bool, KeysError> {
    let store = Records::new(Arc::clone(storage));
    for name in store.list(SLOTS)? {
        for copy in records::twin_names(&name, SLOT_COPIES)? {
            if let Copy::Good(slot) = store.read_copy(&copy, records::plain::<SlotRecord>)
                && slot.public.repository != repository
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What people see of a slot.
pub fn list(
    run: &Run,
    storage: &Arc<dyn Storage>,
    repository: RepositoryId,
) -> Result<Vec<SlotPublic>, KeysError> {
    Ok(load_all(run, storage, repository)?.into_iter().map(|slot| slot.public).collect())
}

/// Removes a slot, unless it is the last that can be read. Whoever copied it can still open the
/// copy: this is no revocation.
pub fn remove(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (repository, slot): (RepositoryId, SlotId),
) -> Result<(), KeysError> {
    complete::slots(run, storage)?;
    let slots = load_all(run, storage, repository)?;
    if !slots.iter().any(|found| found.public.slot == slot) {
        return Err(KeysError::NoSuchSlot { slot });
    }
    if slots.len() < 2 {
        return Err(KeysError::LastSlot { slot });
    }
    let store = Records::new(Arc::clone(storage));
    store.delete_all(&names_of(slot)?)?;
    Ok(store.sync()?)
}

/// Changes the secret of a slot: the new slot is durable and proven before the old one goes.
pub fn change(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (keyset, old): (&RestoreKeyset, SlotId),
    new: &NewSlot,
) -> Result<SlotId, KeysError> {
    let slots = load_all(run, storage, keyset.repository)?;
    if !slots.iter().any(|found| found.public.slot == old) {
        return Err(KeysError::NoSuchSlot { slot: old });
    }
    let added = add(run, storage, keyset, new)?;
    remove(run, storage, (keyset.repository, old))?;
    Ok(added)
}
