//! From a passphrase or key file to the restore keyset.

use std::sync::Arc;

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::slot::SlotError;
use crate::crypto::sealed::slot::SlotSecret;
use crate::crypto::self_test;
use crate::format::config::ConfigRecord;
use crate::format::keyring::KeyringSecrets;
use crate::format::keyring::NewestKeys;
use crate::format::recipients::Role;
use crate::ids::SlotId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::keyring;
use crate::repository::keys::publish;
use crate::repository::keys::slots;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::Storage;

/// A repository whose restore keyset is open.
#[derive(Debug)]
pub struct Unlocked {
    pub config: ConfigRecord,
    pub keyset: RestoreKeyset,
    /// The slot that opened.
    pub slot: SlotId,
    pub in_slot: InSlot,
}

/// How much of the keyset came from the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InSlot {
    All,
    /// Newer generations were in the keyring only.
    Older,
}

/// Whether the restore key of a keyset is the one that snapshots are sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestoreKey {
    Current,
    Replaced,
}

/// Tries the secret on every slot of its kind, after the self-test of the ciphers.
pub fn unlock(
    run: &Run,
    storage: &Arc<dyn Storage>,
    secret: &SlotSecret,
) -> Result<Unlocked, KeysError> {
    self_test::ensure()?;
    let config = publish::load_config(run, storage)?;
    let slots = slots::load_all(run, storage, config.repository)?;
    if slots.is_empty() {
        return Err(if slots::has_others(storage, config.repository)? {
            KeysError::OtherRepository { what: "config" }
        } else {
            KeysError::NoSlots
        });
    }
    let mut damaged = 0;
    let mut replaced = None;
    for record in &slots {
        run.check()?;
        let slot = record.public.slot;
        match slots::open(record, secret) {
            Ok(keyset) if *keyset.root_public.as_bytes() != config.root => {
                return Err(KeysError::OtherRepository { what: "config" });
            }
            Ok(keyset) => {
                let (keyset, in_slot, key) = up_to_date(run, storage, keyset)?;
                let unlocked = Unlocked { config: config.clone(), keyset, slot, in_slot };
                if key == RestoreKey::Current {
                    return Ok(unlocked);
                }
                // A rotation was cut short before it removed this slot: another one opens as well.
                replaced = replaced.or(Some(unlocked));
            }
            Err(KeysError::Slot(SlotError::WrongSecret | SlotError::OtherKind)) => {}
            Err(KeysError::Slot(error @ (SlotError::Altered | SlotError::AbsurdParameters(_)))) => {
                damaged += 1;
                run.problem(&Problem::damage(format!("slots/{slot}"), error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(unlocked) = replaced {
        let message = "its restore key was replaced by a rotation: newer snapshots do not open";
        run.problem(&Problem::new(format!("slots/{}", unlocked.slot), message));
        return Ok(unlocked);
    }
    match slots.len() - damaged {
        0 => Err(KeysError::SlotsDamaged { found: damaged }),
        tried => Err(KeysError::WrongSecret { tried }),
    }
}

/// The keyset with the generations that came after its slot was made: the keyring has them all,
/// sealed to the restore key. What cannot be read of it is told by whoever looks at the records,
/// and what the slot opened is used.
fn up_to_date(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: RestoreKeyset,
) -> Result<(RestoreKeyset, InSlot, RestoreKey), KeysError> {
    let found = newer_secrets(&run.unwatched(), storage, &keyset);
    match found {
        Ok((None, key)) => Ok((keyset, InSlot::All, key)),
        Ok((Some(secrets), key)) => {
            let place = (keyset.repository, keyset.root_public);
            let newer = convert::from_keyring(&secrets, place, keyset.recovery.clone())?;
            // Root may have been moved offline since, and stays so.
            let root = keyset.root.clone().and(newer.root);
            Ok((RestoreKeyset { root, ..newer }, InSlot::Older, key))
        }
        Err(error) if error.is_storage() || matches!(error, KeysError::Stopped(_)) => Err(error),
        Err(_) => Ok((keyset, InSlot::All, RestoreKey::Current)),
    }
}

fn newer_secrets(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
) -> Result<(Option<KeyringSecrets>, RestoreKey), KeysError> {
    let repository = keyset.repository;
    let list = publish::load_recipients(run, storage, (repository, &keyset.root_public))?;
    let own = convert::recipient_entry(Role::Restore, &keyset.restore.public());
    if !list.recipients.contains(&own) {
        return Ok((None, RestoreKey::Replaced));
    }
    let mut signers = convert::admin_keys(&list)?;
    signers.push(keyset.root_public);
    let keyrings = keyring::load_all(run, storage, (repository, &signers))?;
    let held = keyring::newest_of(keyset);
    let is_newer = |newest: &NewestKeys| {
        let of = |domain| held.domains.iter().find(|known| known.domain == domain);
        newest.store > held.store
            || newest.domains.iter().any(|newest| {
                of(newest.domain).is_none_or(|known| known.generation < newest.generation)
            })
    };
    if !keyrings.iter().filter_map(|keyring| keyring.newest.as_ref()).any(is_newer) {
        return Ok((None, RestoreKey::Current));
    }
    let secrets = match keyring::open(&keyrings, (repository, &list), &keyset.restore) {
        Ok(secrets) => secrets,
        // Another rotation was cut short: its keyring is for a key that never counted.
        Err(KeysError::NoRecord { .. }) => return Ok((None, RestoreKey::Current)),
        Err(error) => return Err(error),
    };
    // Never fewer than the slot has.
    let is_more = secrets.store.len() > keyset.store.generations().len()
        || secrets.domains.len() > keyset.domains.len();
    Ok((is_more.then_some(secrets), RestoreKey::Current))
}
