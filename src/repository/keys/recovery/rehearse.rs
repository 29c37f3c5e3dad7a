//! Access regained as a recovery regains it, with nothing written to the storage: a throw-away copy
//! of its key records takes the new slot.

use std::sync::Arc;

use crate::crypto::random_bytes;
use crate::crypto::sealed::shares::Share;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotSecret;
use crate::format::keyring::KEYRINGS;
use crate::format::recipients::RECIPIENTS;
use crate::format::record::RECORD_BYTES_MAX;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::recovery;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::unlock;
use crate::repository::keys::unlock::Unlocked;
use crate::run::Run;
use crate::secret::SecretBytes;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::storage::memory::MemoryStorage;

/// Bytes of the key that the slot of a rehearsal is opened with; it is gone with the process.
const KEY_BYTES: usize = 32;

/// Goes the whole way of [`recovery::use_shares`] on a copy of the key records in memory, and opens
/// the slot that it added there. The storage is read only.
///
/// # Errors
/// As [`recovery::use_shares`] and [`unlock::unlock`].
pub fn rehearse(
    run: &Run,
    storage: &Arc<dyn Storage>,
    shares: &[Share],
) -> Result<Unlocked, KeysError> {
    // Whether there is a repository is told before anything is copied.
    publish::load_config(run, storage)?;
    let copy: Arc<dyn Storage> = Arc::new(records(run, storage)?);
    let key = random_bytes::<KEY_BYTES>()?;
    let secret = SlotSecret::KeyFile(SecretBytes::new(key.to_vec()));
    let argon2 = Argon2Parameters::OF_COMMANDS;
    let new = NewSlot { secret: secret.clone(), argon2, label: String::new() };
    recovery::use_shares(run, &copy, shares, &new)?;
    unlock::unlock(run, &copy, &secret)
}

/// The records that shares are joined against. No slot is among them: none of the office's
/// passphrases may open what the shares have to.
fn records(run: &Run, storage: &Arc<dyn Storage>) -> Result<MemoryStorage, KeysError> {
    let copy = MemoryStorage::new(Arc::clone(&run.clock));
    let mut names = publish::config_names()?;
    for folder in [RECIPIENTS, KEYRINGS] {
        names.extend(storage.list(folder)?.into_iter().map(|listed| listed.name));
    }
    for name in names {
        run.check()?;
        take(&**storage, &copy, &name)?;
    }
    Ok(copy)
}

/// A copy that is missing stays so: a record has others.
fn take(from: &dyn Storage, to: &MemoryStorage, name: &BlobName) -> Result<(), KeysError> {
    match from.read(name, RECORD_BYTES_MAX as u64) {
        Ok(bytes) => Ok(to.create(name, &[&bytes])?),
        Err(error) => match error.kind {
            // Too long for a record is none.
            StorageErrorKind::NotFound | StorageErrorKind::Length => Ok(()),
            _ => Err(error.into()),
        },
    }
}
