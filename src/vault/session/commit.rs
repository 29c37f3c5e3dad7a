//! The one step that makes a snapshot: packs durable, then the manifest, then the answer.

use std::time::Duration;

use crate::crypto::blind;
use crate::disk::Held;
use crate::format::manifest::SignedManifest;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::storage::Alone;
use crate::vault::chains::ChainNames;
use crate::vault::error::VaultError;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::session::Session;
use crate::vault::session::halves;
use crate::vault::session::lease::LeaseState;

/// How often a commit asks whether it is its turn.
const ALONE_STEP: Duration = Duration::from_millis(20);

impl Session {
    /// Writes what is open, makes it durable, looks at everything that the snapshot relies on, and
    /// writes the manifest. The snapshot is there once this returns without an error.
    ///
    /// [`VaultError::NotNext`] leaves the session as it is: a manifest for the next place in the
    /// chain may be committed without putting anything again. No object can be put after a commit.
    pub fn commit(
        &mut self,
        run: &Run,
        manifest: &SignedManifest,
    ) -> Result<SnapshotId, VaultError> {
        run.phase(Phase::Committing);
        self.check_fields(manifest)?;
        self.flush()?;
        self.poisoned(self.commit_flushed(run, manifest))
    }

    /// After an error of the storage nothing more is written.
    pub(super) fn poisoned<T>(&self, ended: Result<T, VaultError>) -> Result<T, VaultError> {
        ended.map_err(|error| match error {
            VaultError::Storage(_) => self.writer.poison(error),
            other => other,
        })
    }

    /// Makes durable what was flushed, and looks at everything that is relied on. From that look to
    /// the last manifest nobody else may write one, or take away what a failed barrier covered.
    pub(super) fn settle(&self, run: &Run) -> Result<(LeaseState, Option<Held>), VaultError> {
        self.write_index(run)?;
        if self.relies_on_packs() {
            self.barrier(run)?;
        }
        let state = self.writer.progress().lease.renew(run, &self.vault)?;
        let alone = self.alone(run)?;
        self.rely(run)?;
        Ok((state, alone))
    }

    fn commit_flushed(
        &self,
        run: &Run,
        manifest: &SignedManifest,
    ) -> Result<SnapshotId, VaultError> {
        let id = SnapshotId::new(blind::hash(manifest.as_bytes()));
        let storage = &self.vault.storage;
        let (state, alone) = self.settle(run)?;
        self.check_chain(run, manifest)?;
        if state == LeaseState::Expired {
            self.writer.progress().lease.pin_again();
        }
        let place = Place { chain: self.chain(), seq: manifest.public.seq, id };
        // The second copy goes first, so that nothing shows under the first name before both are.
        let [first, second] = MANIFESTS;
        halves::create_same(&self.vault, &place.name(second)?, manifest.as_bytes())?;
        // A prune that did not see this manifest has a record that is seen now.
        if let Err(error) = self.rely(run) {
            self.disown_manifest(&place);
            return Err(error);
        }
        halves::create_same(&self.vault, &place.name(first)?, manifest.as_bytes())?;
        if let Err(error) = storage.sync() {
            if alone.is_some() {
                self.disown_manifest(&place);
            }
            return Err(error.into());
        }
        self.writer.progress().lease.close(&self.vault);
        Ok(id)
    }

    /// Waits until no other process that commits to this repository is between its look at the
    /// chain and its manifest. Where the medium knows no such thing, two may make a fork, which
    /// every reader sees.
    pub(in crate::vault) fn alone(&self, run: &Run) -> Result<Option<Held>, VaultError> {
        let since = run.clock.elapsed();
        loop {
            match self.vault.storage.try_alone()? {
                Alone::Yes(held) => return Ok(Some(held)),
                Alone::Unknown => return Ok(None),
                Alone::No => {}
            }
            run.check()?;
            let waited = run.clock.elapsed().saturating_sub(since);
            if waited > self.vault.wait_max {
                return Err(VaultError::Busy { seconds: waited.as_secs() });
            }
            run.clock.wait(ALONE_STEP);
        }
    }

    fn check_fields(&self, manifest: &SignedManifest) -> Result<(), VaultError> {
        let public = &manifest.public;
        let fields = [
            ("repository", public.repository == self.vault.keys.repository()),
            ("machine", public.machine == self.request.machine),
            ("source", public.source == self.request.source),
            ("session", public.session == self.id()),
        ];
        match fields.into_iter().find(|(_, is_equal)| !is_equal) {
            Some((field, _)) => Err(VaultError::OtherSession { field }),
            None => Ok(()),
        }
    }

    /// The manifest is the next of its chain, that of its parent is still there (what a removed
    /// snapshot reaches is kept until it is given up), and its root is here.
    fn check_chain(&self, run: &Run, manifest: &SignedManifest) -> Result<(), VaultError> {
        let names = ChainNames::list(&self.vault, &self.chain())?;
        let head = names.head();
        let expected_seq = head.map_or(1, |head| head.seq.saturating_add(1));
        let found_seq = manifest.public.seq;
        if found_seq != expected_seq || manifest.public.prev != head.map(|head| head.id) {
            return Err(VaultError::NotNext { expected_seq, found_seq });
        }
        if let Some(id) = self.request.parent
            && names.manifest(&id).is_none()
        {
            return Err(VaultError::ParentGone { id });
        }
        self.check_root(run, &manifest.public.root, &names)?;
        halves::complete(run, &self.vault, &names).map(drop)
    }

    /// A root that was not put now is either the parent's or known to the index.
    fn check_root(&self, run: &Run, root: &Sid, names: &ChainNames) -> Result<(), VaultError> {
        if self.has_put(root) {
            return Ok(());
        }
        if let Some(place) = self.request.parent.and_then(|id| names.manifest(&id))
            && let Some(parent) = self.vault.read_manifest_at(&place)?
            && parent.public.root == *root
        {
            return Ok(());
        }
        if self.vault.with_locations(run, |locations| locations.holds(root))? {
            return Ok(());
        }
        Err(VaultError::RootMissing { sid: *root })
    }
}
