//! Snapshots that were made elsewhere, committed as they are.
//!
//! The order is that of a backup: packs durable, a look at all that is relied on, the second copies
//! of the manifests, another look, then the first copies. A snapshot may come behind a later one of
//! its chain: what was damaged where it comes from is copied once it is whole.

use std::collections::BTreeMap;

use crate::crypto::blind;
use crate::disk::Held;
use crate::format::manifest::SignedManifest;
use crate::format::tombstone::SignedTombstone;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::names::Chain;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;
use crate::vault::removal;
use crate::vault::session::Session;
use crate::vault::session::halves;
use crate::vault::session::lease::LeaseState;

/// What is to be committed.
#[derive(Debug, Clone, Copy)]
pub struct Adoption<'a> {
    pub manifests: &'a [&'a SignedManifest],
    /// Why other numbers of their chains are empty.
    pub tombstones: &'a [&'a SignedTombstone],
    /// Snapshots that stand here already and reach what was not asked for again.
    pub bases: &'a [SnapshotId],
}

/// One number of a chain.
#[derive(Clone, Copy)]
enum Step<'a> {
    Manifest(Place, &'a SignedManifest),
    Tombstone(Place, &'a SignedTombstone),
}

/// Names that a call has made, in order, and how many of them are durable.
#[derive(Debug, Default)]
struct Created {
    names: Vec<BlobName>,
    durable_count: usize,
}

impl Session {
    /// Writes what is open, makes it durable, looks at everything that the snapshots rely on, and
    /// writes their manifests. They are there once this returns.
    ///
    /// Those whose tombstone stands here are left out; the answer has the others.
    pub fn adopt(
        &mut self,
        run: &Run,
        adoption: Adoption<'_>,
    ) -> Result<Vec<SnapshotId>, VaultError> {
        run.phase(Phase::Committing);
        let repository = self.vault.keys.repository();
        let is_other = |manifest: &&SignedManifest| manifest.public.repository != repository;
        if adoption.manifests.iter().any(is_other) {
            return Err(VaultError::OtherSession { field: "repository" });
        }
        self.flush()?;
        self.poisoned(self.adopt_flushed(run, adoption))
    }

    fn adopt_flushed(
        &self,
        run: &Run,
        adoption: Adoption<'_>,
    ) -> Result<Vec<SnapshotId>, VaultError> {
        let settled = self.settle(run, || Ok(()))?;
        let alone = settled.alone;
        let names = ChainNames::list_scope(&*self.vault.storage, Scope::All)?;
        self.look_at_bases(run, adoption.bases, &names)?;
        if settled.lease == LeaseState::Expired {
            self.writer.progress().lease.pin_again();
        }
        let mut steps = Vec::new();
        for manifest in adoption.manifests {
            let place = place_of(manifest);
            if names.removed().contains(&place) {
                continue;
            }
            let root = &manifest.public.root;
            if !self.vault.with_locations(run, |locations| locations.holds(root))? {
                return Err(VaultError::RootMissing { sid: *root });
            }
            steps.push(Step::Manifest(place, manifest));
        }
        for signed in adoption.tombstones {
            let place = removal::place_of(&signed.tombstone);
            if !names.holds(&place) {
                steps.push(Step::Tombstone(place, signed));
            }
        }
        let mut created = Created::default();
        let written = self.write_adopted(run, (&steps, adoption.bases), &mut created);
        if let Err(error) = written {
            self.take_back(alone.as_ref(), &created, &error);
            return Err(error);
        }
        self.writer.progress().lease.close(&self.vault);
        let id = |step: &Step<'_>| match step {
            Step::Manifest(place, _) => Some(place.id),
            Step::Tombstone(..) => None,
        };
        Ok(steps.iter().filter_map(id).collect())
    }

    fn write_adopted(
        &self,
        run: &Run,
        (steps, bases): (&[Step<'_>], &[SnapshotId]),
        created: &mut Created,
    ) -> Result<(), VaultError> {
        let [first, second] = MANIFESTS;
        for round in rounds(steps) {
            for step in round {
                match step {
                    Step::Manifest(place, manifest) => {
                        self.create_adopted(place.name(second)?, manifest.as_bytes(), created)?;
                    }
                    Step::Tombstone(place, signed) => {
                        self.create_adopted(place.name(TOMBSTONES)?, &signed.encode(), created)?;
                    }
                }
            }
            self.vault.storage.sync()?;
            created.durable_count = created.names.len();
        }
        // A prune that did not see these manifests has a record that is seen now.
        self.rely(run)?;
        let names = ChainNames::list_scope(&*self.vault.storage, Scope::All)?;
        self.look_at_bases(run, bases, &names)?;
        for step in steps {
            if let Step::Manifest(place, manifest) = step {
                // What stands with one copy is whole and may stay, whatever comes now.
                let mut last = Created::default();
                self.create_adopted(place.name(first)?, manifest.as_bytes(), &mut last)?;
            }
        }
        Ok(self.vault.storage.sync()?)
    }

    fn create_adopted(
        &self,
        name: BlobName,
        bytes: &[u8],
        created: &mut Created,
    ) -> Result<(), VaultError> {
        // An error does not say that nothing is there.
        created.names.push(name.clone());
        match self.vault.storage.create(&name, &[bytes]) {
            Ok(()) => {}
            Err(error) if error.kind == StorageErrorKind::AlreadyExists => {
                created.names.pop();
                halves::is_same(&self.vault, &name, bytes)?;
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

    /// Takes away what this call has made. If a storage failed, what is durable already stays: it
    /// is whole, and nobody deletes meanwhile. Where nobody can be kept out all stays then:
    /// somebody may have followed.
    fn take_back(&self, alone: Option<&Held>, created: &Created, error: &VaultError) {
        let kept_count = match (error, alone) {
            (VaultError::Storage(_), None) => return,
            (VaultError::Storage(_), Some(_)) => created.durable_count,
            _ => 0,
        };
        for name in created.names.iter().skip(kept_count).rev() {
            drop(self.vault.storage.delete(name));
            // So that no crash takes an earlier number and leaves a later one.
            drop(self.vault.storage.sync());
        }
    }
}

/// The first of every chain, then the second, and so on: with a barrier between them, no crash
/// leaves a number without those before it.
fn rounds<'a, 'b>(steps: &'b [Step<'a>]) -> Vec<Vec<&'b Step<'a>>> {
    let mut chains: BTreeMap<Chain, Vec<(u64, &Step<'_>)>> = BTreeMap::new();
    for step in steps {
        let (Step::Manifest(place, _) | Step::Tombstone(place, _)) = step;
        chains.entry(place.chain).or_default().push((place.seq, step));
    }
    let mut rounds: Vec<Vec<&Step<'_>>> = Vec::new();
    for mut members in chains.into_values() {
        members.sort_by_key(|(seq, _)| *seq);
        for (number, (_, step)) in members.into_iter().enumerate() {
            if rounds.len() == number {
                rounds.push(Vec::new());
            }
            rounds.iter_mut().skip(number).take(1).for_each(|round| round.push(step));
        }
    }
    rounds
}

fn place_of(manifest: &SignedManifest) -> Place {
    let public = &manifest.public;
    let chain = Chain { machine: public.machine, source: public.source };
    let id = SnapshotId::new(blind::hash(manifest.as_bytes()));
    Place { chain, seq: public.seq, id }
}
