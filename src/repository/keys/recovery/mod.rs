//! The recovery key: k-of-n shares on paper that open everything, with the storage alone.
//!
//! What it is: making the shares, typing them back as a proof, and regaining access with them.
//! Never: writes a share or the recovery secret to storage; removes or replaces a slot.
//! Invariants: a root key is believed only if the shares' set id names it; access is regained by
//! adding a slot, so what opened before opens still.
//! Start reading at: [`use_shares`].

pub mod rehearse;
pub mod sheet;
pub mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::shares;
use crate::crypto::sealed::shares::Share;
use crate::crypto::self_test;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::config::ConfigRecord;
use crate::format::machine::CUSTODY;
use crate::format::machine::CUSTODY_COPIES;
use crate::format::machine::CustodyRecord;
use crate::format::recipients::RecipientsRecord;
use crate::format::recipients::Role;
use crate::ids::RepositoryId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::keyring;
use crate::repository::keys::publish;
use crate::repository::keys::publish::Placed;
use crate::repository::keys::slots;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::unlock::InSlot;
use crate::repository::keys::unlock::Unlocked;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::Storage;
use crate::vault::records;
use crate::vault::records::Records;
use crate::vault::records::RecordsError;

/// The suites that a recovery key may have; a share does not name one, its set id tells.
const SUITES: [Suite; 2] = [Suite::X25519, Suite::XWing];

/// The shares of one recovery key, to be printed and handed out.
#[derive(Debug)]
pub struct Shares {
    pub repository: RepositoryId,
    /// Where the storage was when they were made, for the sheets.
    pub location: String,
    /// By rising index.
    pub shares: Vec<Share>,
}

/// Splits the recovery secret of an open keyset: any `k` of the `n` shares open everything. The
/// shares are joined again and the keyring opened before they are handed out. Writes nothing; two
/// calls make two sets whose shares do not go together.
pub fn create(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    (k, n): (u8, u8),
) -> Result<Shares, KeysError> {
    let recovery = keyset.recovery.as_ref().ok_or(KeysError::RecoveryOffline)?;
    let id = shares::set_id(&keyset.root_public, &recovery.public());
    let made = shares::split(recovery.secret(), id, (k, n))?;
    let last = made.get(usize::from(n - k)..).unwrap_or_default();
    for some in [made.get(..usize::from(k)).unwrap_or_default(), last] {
        rebuild(run, storage, some)?;
    }
    Ok(Shares { repository: keyset.repository, location: storage.location(), shares: made })
}

/// Proves that the shares open the keyring, and writes down that they did: a custody record,
/// signed by an administrator and durable when this returns.
pub fn check(
    run: &Run,
    storage: &Arc<dyn Storage>,
    shares: &[Share],
) -> Result<CustodyRecord, KeysError> {
    let Rebuilt { keyset, recovery, .. } = rebuild(run, storage, shares)?;
    let mut indices: Vec<u8> = shares.iter().map(|share| share.index).collect();
    indices.sort_unstable();
    indices.dedup();
    let (k, n) = shares.first().map_or((0, 0), |share| (share.k, share.n));
    let checked = run.clock.now();
    let (repository, recovery) = (keyset.repository, recovery.key_id());
    let custody = CustodyRecord { repository, checked, recovery, k, n, indices };
    let bytes = publish::sign(&custody, Purpose::Custody, &keyset.admin);
    let at = u64::try_from(checked.unix_ms).unwrap_or(0);
    let name = publish::numbered(CUSTODY, at, &bytes);
    let store = Records::new(Arc::clone(storage));
    run.check()?;
    store.create_all(&records::numbered_names(&name, CUSTODY_COPIES)?, &bytes)?;
    store.sync()?;
    Ok(custody)
}

/// Regains access with shares and storage alone: opens the keyring, rebuilds the restore keyset and
/// wraps it in a new slot, durable when this returns. Slots that are there stay.
pub fn use_shares(
    run: &Run,
    storage: &Arc<dyn Storage>,
    shares: &[Share],
    new: &NewSlot,
) -> Result<Unlocked, KeysError> {
    let Rebuilt { config, keyset, .. } = rebuild(run, storage, shares)?;
    run.check()?;
    let slot = slots::add(run, storage, &keyset, new)?;
    Ok(Unlocked { config, keyset, slot, in_slot: InSlot::All })
}

/// The newest custody check of the recovery key now in use; `None` says that the repository is not
/// protected against the loss of its passphrases.
pub fn last_check(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (repository, root): (RepositoryId, &VerifyingKey),
) -> Result<Option<CustodyRecord>, KeysError> {
    let list = publish::load_recipients(run, storage, (repository, root))?;
    let admins = convert::admin_keys(&list)?;
    let current = recovery_keys(&list)?;
    let store = Records::new(Arc::clone(storage));
    let mut newest: Option<CustodyRecord> = None;
    for name in store.list(CUSTODY)? {
        run.check()?;
        let names = records::numbered_names(&name, CUSTODY_COPIES)?;
        let decode = |bytes: &[u8]| {
            let found = records::signed::<CustodyRecord>(bytes)?;
            let at = u64::try_from(found.0.checked.unix_ms).unwrap_or(0);
            let expected = publish::numbered(CUSTODY, at, bytes);
            let place = Placed::of((found.0.repository, repository), (&name, &expected));
            publish::believed(found, (Purpose::Custody, &admins), place)
        };
        let custody = match store.load(run, &names, decode) {
            Ok(loaded) => loaded,
            Err(RecordsError::Unreadable { error, .. }) => {
                run.problem(&Problem::damage(name, error.to_string()));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if custody.repository != repository {
            continue;
        }
        let in_use = current.iter().any(|key| key.key_id() == custody.recovery);
        if in_use && newest.as_ref().is_none_or(|newest| newest.checked < custody.checked) {
            newest = Some(custody);
        }
    }
    Ok(newest)
}

fn recovery_keys(list: &RecipientsRecord) -> Result<Vec<KemPublic>, KeysError> {
    let recovery = list.recipients.iter().filter(|entry| entry.role == Role::Recovery);
    recovery.map(convert::recipient_key).collect()
}

struct Rebuilt {
    config: ConfigRecord,
    keyset: RestoreKeyset,
    recovery: KemPublic,
}

/// From shares to the restore keyset. The set id names root and recovery key together, so a config
/// of a stranger, a share of another set and a wrong value all end as "do not fit".
fn rebuild(run: &Run, storage: &Arc<dyn Storage>, shares: &[Share]) -> Result<Rebuilt, KeysError> {
    self_test::ensure()?;
    let secret = shares::join(shares)?;
    let config = publish::load_config(run, storage)?;
    let repository = config.repository;
    let root_public = VerifyingKey::from_bytes(&config.root)?;
    let named = |key: &KemSecret| {
        let id = shares::set_id(&root_public, &key.public());
        shares.iter().all(|share| share.set_id == id)
    };
    let mut keys = SUITES.into_iter().map(|suite| KemSecret::new(suite, secret.clone()));
    let key = keys.find(named).ok_or(KeysError::SharesDoNotFit)?;
    let recovery = key.public();
    let list = publish::load_recipients(run, storage, (repository, &root_public))?;
    if !recovery_keys(&list)?.contains(&recovery) {
        return Err(KeysError::RecoveryReplaced);
    }
    let mut signers = convert::admin_keys(&list)?;
    signers.push(root_public);
    let keyrings = keyring::load_all(run, storage, (repository, &signers))?;
    let secrets = keyring::open(&keyrings, (repository, &list), &key)?;
    let keyset = convert::from_keyring(&secrets, (repository, root_public), Some(key))?;
    let restore = convert::recipient_entry(Role::Restore, &keyset.restore.public());
    if !list.recipients.contains(&restore) || !signers.contains(&keyset.admin.verifying_key()) {
        return Err(KeysError::BadKey);
    }
    Ok(Rebuilt { config, keyset, recovery })
}
