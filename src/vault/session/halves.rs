//! Manifests of which a writer that died has left one copy.

use crate::format::manifest::MANIFEST_BYTES_MAX;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc;
use crate::vault::gc::GcError;
use crate::vault::gc::condemned;

impl Vault {
    /// Writes the other copy of every manifest that stands with one, and answers how many. While a
    /// writer may be at work that takes its one copy back, nothing is written.
    pub fn complete_manifests(&self, run: &Run) -> Result<u64, VaultError> {
        let vault = &*self.inner;
        let is_none =
            ChainNames::list_scope(&*vault.storage, Scope::All)?.without_twin().count() == 0;
        if is_none {
            return Ok(0);
        }
        let alone = gc::wait_alone(run, vault)?;
        if alone.is_none() && is_any_at_work(vault)? {
            return Ok(0);
        }
        let names = ChainNames::list_scope(&*vault.storage, Scope::All)?;
        let count = complete(run, vault, &names)?;
        vault.storage.sync()?;
        Ok(count)
    }
}

/// Where the storage's clock is in doubt, somebody may be.
fn is_any_at_work(vault: &Inner) -> Result<bool, VaultError> {
    let (probe, now) = condemned::probe(vault)?;
    let found = gc::any_session(vault, now);
    match vault.storage.delete(&probe.name) {
        Err(error) if error.kind != StorageErrorKind::Denied => return Err(error.into()),
        _gone_or_swept_later => {}
    }
    match found {
        Err(GcError::Vault(error)) => Err(error),
        Err(_) => Ok(true),
        Ok(found) => Ok(found),
    }
}

/// Nobody else commits meanwhile. A copy that cannot be read is no reason not to go on; `check`
/// tells of it.
pub(super) fn complete(run: &Run, vault: &Inner, names: &ChainNames) -> Result<u64, VaultError> {
    let mut count = 0;
    for (place, prefix) in names.without_twin() {
        run.check()?;
        if let Ok(Some(manifest)) = vault.read_manifest_at(&place) {
            create_same(vault, &place.name(prefix)?, manifest.as_bytes())?;
            count += 1;
        }
    }
    Ok(count)
}

/// A taken name is good if the same bytes lie there.
pub(super) fn create_same(vault: &Inner, name: &BlobName, bytes: &[u8]) -> Result<(), VaultError> {
    match vault.storage.create(name, &[bytes]) {
        Err(error) if error.kind == StorageErrorKind::AlreadyExists => is_same(vault, name, bytes),
        created => Ok(created?),
    }
}

/// As [`create_same`], but only after `may` has agreed. What can be done before that is done
/// meanwhile.
pub(super) fn create_same_if<T>(
    vault: &Inner,
    (name, bytes): (&BlobName, &[u8]),
    may: impl FnOnce() -> Result<T, VaultError>,
) -> Result<T, VaultError> {
    let (mut may, mut answer) = (Some(may), None);
    let created = vault.storage.create_if(name, &[bytes], &mut || {
        let asked = may.take().map(|may| may());
        let has_agreed = asked.as_ref().is_some_and(Result::is_ok);
        answer = asked;
        has_agreed
    });
    let Some(answer) = answer.transpose()? else {
        // Only a storage that failed has not asked.
        return Err(created.err().map_or(VaultError::Closed, VaultError::from));
    };
    match created {
        Err(error) if error.kind == StorageErrorKind::AlreadyExists => is_same(vault, name, bytes)?,
        created => drop(created?),
    }
    Ok(answer)
}

/// An error if other bytes lie there.
pub(super) fn is_same(vault: &Inner, name: &BlobName, bytes: &[u8]) -> Result<(), VaultError> {
    match vault.storage.read(name, MANIFEST_BYTES_MAX)? == bytes {
        true => Ok(()),
        false => Err(VaultError::Record { name: name.clone(), fault: Fault::Hash }),
    }
}
