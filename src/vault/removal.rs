//! Snapshots that are removed on purpose, and taken back.
//!
//! A removal is a tombstone. The manifest stays beside it until space is given back, and what it
//! reaches with it: so long the removal can be undone.

use crate::format::manifest::SignedManifest;
use crate::format::tombstone::SignedTombstone;
use crate::format::tombstone::TOMBSTONE_BYTES_MAX;
use crate::format::tombstone::Tombstone;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::storage::Alone;
use crate::storage::StorageErrorKind;
use crate::units::Timestamp;
use crate::vault::Vault;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::chains::StoredManifest;
use crate::vault::chains::Verifier;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::names::Chain;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;

/// A snapshot that was removed and can still be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub snapshot: StoredManifest,
    pub tombstone: Tombstone,
}

impl Vault {
    /// When the storage received a snapshot, by its own clock. A copy that was written again later
    /// has a later date, so the earlier one of the two counts. `None` if neither copy is there.
    pub fn received(&self, run: &Run, place: &Place) -> Result<Option<Timestamp>, VaultError> {
        let mut earliest: Option<Timestamp> = None;
        for prefix in MANIFESTS {
            run.check()?;
            let stat = match self.inner.storage.stat(&place.name(prefix)?) {
                Err(error) if error.kind == StorageErrorKind::NotFound => continue,
                stat => stat?,
            };
            earliest = Some(earliest.map_or(stat.created, |found| found.min(stat.created)));
        }
        Ok(earliest)
    }

    /// Removes snapshots: durable once this returns. One that is removed already stays so.
    pub fn bury(&self, run: &Run, tombstones: &[SignedTombstone]) -> Result<(), VaultError> {
        if tombstones.is_empty() {
            return Ok(());
        }
        for signed in tombstones {
            run.check()?;
            let name = place_of(&signed.tombstone).name(TOMBSTONES)?;
            match self.inner.storage.create(&name, &[&signed.encode()]) {
                Err(error) if error.kind == StorageErrorKind::AlreadyExists => {}
                created => created?,
            }
        }
        Ok(self.inner.storage.sync()?)
    }

    /// Takes a removal back, unless a prune has begun to remove what the snapshot reaches. Nobody
    /// commits or sweeps meanwhile, where the medium can tell.
    pub fn revive(&self, run: &Run, id: &SnapshotId) -> Result<Place, VaultError> {
        run.check()?;
        let _alone = match self.inner.storage.try_alone()? {
            Alone::Yes(held) => Some(held),
            Alone::Unknown => None,
            Alone::No => return Err(VaultError::Busy { seconds: 0 }),
        };
        let names = ChainNames::list_scope(&*self.inner.storage, Scope::All)?;
        let place = names.tombstone(id).ok_or(VaultError::UnknownSnapshot { id: *id })?;
        if self.inner.read_manifest_at(&place)?.is_none() {
            return Err(VaultError::LostManifest { id: *id });
        }
        let storage = &self.inner.storage;
        let given_up = || Condemned::read(run, &self.inner).map(|records| records.gives_up(id));
        if given_up()? {
            return Err(VaultError::GivenUp { id: *id });
        }
        let name = place.name(TOMBSTONES)?;
        let tombstone = storage.read(&name, TOMBSTONE_BYTES_MAX)?;
        match storage.delete(&name) {
            Err(error) if error.kind == StorageErrorKind::NotFound => {}
            deleted => deleted?,
        }
        storage.sync()?;
        // Where nobody can be kept out, a prune may have begun meanwhile: then the removal stands.
        if given_up()? || self.inner.read_manifest_at(&place)?.is_none() {
            storage.create(&name, &[&tombstone])?;
            storage.sync()?;
            return Err(VaultError::GivenUp { id: *id });
        }
        Ok(place)
    }

    /// What was removed and can still be taken back, by machine, source, seq.
    pub fn removed(
        &self,
        run: &Run,
        tombstones: &[SignedTombstone],
        verifier: &dyn Verifier,
    ) -> Result<Vec<Removed>, VaultError> {
        let mut found = Vec::new();
        for signed in tombstones {
            run.check()?;
            let tombstone = signed.tombstone.clone();
            let place = place_of(&tombstone);
            let manifest: Option<SignedManifest> = self.inner.read_manifest_at(&place)?;
            if let Some(manifest) = manifest.filter(|it| verifier.manifest(it).is_ok()) {
                found.push(Removed { snapshot: StoredManifest { place, manifest }, tombstone });
            }
        }
        Ok(found)
    }
}

pub(in crate::vault) fn place_of(tombstone: &Tombstone) -> Place {
    let Tombstone { machine, source, seq, snapshot, .. } = *tombstone;
    Place { chain: Chain { machine, source }, seq, id: snapshot }
}
