//! Snapshots that were made elsewhere, committed as they are.
//!
//! The order is that of a backup: packs durable, a look at all that is relied on, the second copies
//! of the manifests, another look, then the first copies. A snapshot may come behind a later one of
//! its chain: what was damaged where it comes from is copied once it is whole.

use crate::crypto::blind;
use crate::disk::Held;
use crate::format::manifest::SignedManifest;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::names::Chain;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::session::Session;
use crate::vault::session::lease::LeaseState;

impl Session {
    /// Writes what is open, makes it durable, looks at everything that the snapshots rely on, and
    /// writes their manifests. They are there once this returns. `bases` are snapshots that stand
    /// here already and reach what was not asked for again.
    ///
    /// Those whose tombstone stands here are left out; the answer has the others.
    pub fn adopt(
        &mut self,
        run: &Run,
        manifests: &[&SignedManifest],
        bases: &[SnapshotId],
    ) -> Result<Vec<SnapshotId>, VaultError> {
        run.phase(Phase::Committing);
        let repository = self.vault.keys.repository();
        if manifests.iter().any(|manifest| manifest.public.repository != repository) {
            return Err(VaultError::OtherSession { field: "repository" });
        }
        self.flush()?;
        let adopted = self.adopt_flushed(run, manifests, bases);
        adopted.map_err(|error| match error {
            VaultError::Storage(_) => self.writer.poison(error),
            other => other,
        })
    }

    fn adopt_flushed(
        &self,
        run: &Run,
        manifests: &[&SignedManifest],
        bases: &[SnapshotId],
    ) -> Result<Vec<SnapshotId>, VaultError> {
        self.write_index(run)?;
        if self.relies_on_packs() {
            self.barrier(run)?;
        }
        let state = self.writer.progress().lease.renew(run, &self.vault)?;
        // As for a commit: nobody else writes a manifest or deletes until the last one is there.
        let alone = self.alone(run)?;
        self.rely(run)?;
        let names = ChainNames::list_scope(&*self.vault.storage, Scope::All)?;
        self.look_at_bases(run, bases, &names)?;
        if state == LeaseState::Expired {
            self.writer.progress().lease.pin_again();
        }
        let mut adopted = Vec::new();
        for manifest in manifests {
            let place = place_of(manifest);
            if names.removed().contains(&place) {
                continue;
            }
            let root = &manifest.public.root;
            if !self.vault.with_locations(run, |locations| locations.holds(root))? {
                return Err(VaultError::RootMissing { sid: *root });
            }
            adopted.push((place, *manifest));
        }
        let mut created = Vec::new();
        let written = self.write_adopted(run, (&adopted, bases), &mut created);
        if let Err(error) = written {
            self.take_back(alone.as_ref(), &created, &error);
            return Err(error);
        }
        self.writer.progress().lease.close(&self.vault);
        Ok(adopted.into_iter().map(|(place, _)| place.id).collect())
    }

    fn write_adopted(
        &self,
        run: &Run,
        (adopted, bases): (&[(Place, &SignedManifest)], &[SnapshotId]),
        created: &mut Vec<BlobName>,
    ) -> Result<(), VaultError> {
        let [first, second] = MANIFESTS;
        for (place, manifest) in adopted {
            self.create_adopted(place.name(second)?, manifest, created)?;
        }
        // A prune that did not see these manifests has a record that is seen now.
        self.rely(run)?;
        let names = ChainNames::list_scope(&*self.vault.storage, Scope::All)?;
        self.look_at_bases(run, bases, &names)?;
        for (place, manifest) in adopted {
            self.create_adopted(place.name(first)?, manifest, created)?;
        }
        Ok(self.vault.storage.sync()?)
    }

    fn create_adopted(
        &self,
        name: BlobName,
        manifest: &SignedManifest,
        created: &mut Vec<BlobName>,
    ) -> Result<(), VaultError> {
        match self.vault.storage.create(&name, &[manifest.as_bytes()]) {
            Ok(()) => created.push(name),
            Err(error) if error.kind == StorageErrorKind::AlreadyExists => {
                let len_bytes = manifest.as_bytes().len() as u64;
                let found = self.vault.storage.read(&name, len_bytes)?;
                if found != manifest.as_bytes() {
                    return Err(VaultError::Record { name, fault: Fault::Hash });
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn look_at_bases(
        &self,
        run: &Run,
        bases: &[SnapshotId],
        names: &ChainNames,
    ) -> Result<(), VaultError> {
        if bases.is_empty() {
            return Ok(());
        }
        let condemned = Condemned::read(run, &self.vault)?;
        let stands: std::collections::BTreeSet<_> = names.places().map(|place| place.id).collect();
        match bases.iter().find(|id| condemned.gives_up(id) || !stands.contains(id)) {
            Some(id) => Err(VaultError::BaseGone { id: *id }),
            None => Ok(()),
        }
    }

    /// Takes away the manifests that this call has made. If a storage failed where nobody can be
    /// kept out they stay: somebody may have followed them.
    fn take_back(&self, alone: Option<&Held>, created: &[BlobName], error: &VaultError) {
        if alone.is_none() && matches!(error, VaultError::Storage(_)) {
            return;
        }
        for name in created.iter().rev() {
            drop(self.vault.storage.delete(name));
        }
    }
}

fn place_of(manifest: &SignedManifest) -> Place {
    let public = &manifest.public;
    let chain = Chain { machine: public.machine, source: public.source };
    let id = SnapshotId::new(blind::hash(manifest.as_bytes()));
    Place { chain, seq: public.seq, id }
}
