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
use crate::storage::together;
use crate::vault::chains::ChainNames;
use crate::vault::error::VaultError;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::session::Session;
use crate::vault::session::disown::Turn;
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

    /// Makes durable what was flushed, looks at everything that is relied on, and calls `check`.
    /// From these looks to the last manifest nobody else may write one, or take away what a failed
    /// barrier covered.
    pub(super) fn settle<T: Send>(
        &self,
        run: &Run,
        check: impl Fn() -> Result<T, VaultError> + Sync,
    ) -> Result<Settled<T>, VaultError> {
        let storage = &*self.vault.storage;
        if !storage.is_far() {
            self.write_index(run)?;
            if self.relies_on_packs() {
                self.barrier(run)?;
            }
            let lease = self.renew(run)?;
            let alone = self.alone(run)?;
            self.rely(run)?;
            return Ok(Settled { lease, alone, checked: check()? });
        }
        let alone = self.alone(run)?;
        // While a lease holds, so does its old record: the new one need not be there when the look
        // begins. What was flushed is there before it is durable; it is looked at once more after
        // that, before anything is promised.
        let look = || together::both(storage, &check, || self.rely(run));
        let renewed = || together::both(storage, || self.renew(run), look);
        let turn = if alone.is_some() { Turn::Taken } else { Turn::Open };
        let keep = || self.keep(run, turn);
        let kept = || together::both(storage, keep, renewed);
        let sweep = || self.writer.progress().lease.clone().sweep(&self.vault);
        let (swept, (kept, (lease, (checked, relied)))) = together::both(storage, sweep, kept);
        swept?;
        kept?;
        let lease = lease?;
        match lease {
            LeaseState::Expired => self.rely(run)?,
            LeaseState::Held => relied?,
        }
        Ok(Settled { lease, alone, checked: checked? })
    }

    /// Makes durable what was flushed. The index is written beside: without it every pack tells of
    /// itself, so it may come to last with the manifests.
    fn keep(&self, run: &Run, turn: Turn) -> Result<(), VaultError> {
        let storage = &*self.vault.storage;
        if !self.relies_on_packs() {
            return self.write_index(run).map(drop);
        }
        let (synced, indexed) =
            together::both(storage, || storage.sync(), || self.write_index(run));
        if let Err(error) = synced {
            self.disown_packs(run, turn);
            return Err(error.into());
        }
        indexed.map(drop)
    }

    /// Not under the lock: others look at what was written meanwhile.
    fn renew(&self, run: &Run) -> Result<LeaseState, VaultError> {
        let mut lease = self.writer.progress().lease.clone();
        let state = lease.renew(run, &self.vault);
        self.writer.progress().lease = lease;
        state
    }

    fn commit_flushed(
        &self,
        run: &Run,
        manifest: &SignedManifest,
    ) -> Result<SnapshotId, VaultError> {
        let id = SnapshotId::new(blind::hash(manifest.as_bytes()));
        let storage = &self.vault.storage;
        let place = Place { chain: self.chain(), seq: manifest.public.seq, id };
        let bytes = manifest.as_bytes();
        // The second copy goes first, so that nothing shows under the first name before both are.
        let [first, second] = MANIFESTS;
        let alone = halves::create_same_if(&self.vault, (&place.name(second)?, bytes), || {
            let settled = self.settle(run, || self.check_chain(run, manifest))?;
            halves::complete(run, &self.vault, &settled.checked)?;
            if settled.lease == LeaseState::Expired {
                self.writer.progress().lease.pin_again();
            }
            Ok(settled.alone)
        })?;
        let mut is_refused = false;
        let named = halves::create_same_if(&self.vault, (&place.name(first)?, bytes), || {
            // A prune that did not see the manifest has a record that is seen now.
            self.rely(run).inspect_err(|_| is_refused = true)
        });
        if let Err(error) = named {
            if is_refused {
                self.disown_manifest(&place);
            }
            return Err(error);
        }
        let close = || self.writer.progress().lease.close(&self.vault);
        // The lease keeps what no manifest shows yet, and now both show it.
        let synced = match storage.is_far() {
            true => together::both(&**storage, || storage.sync(), close).0,
            false => storage.sync().inspect(|()| close()),
        };
        if let Err(error) = synced {
            if alone.is_some() {
                self.disown_manifest(&place);
            }
            return Err(error.into());
        }
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
    fn check_chain(&self, run: &Run, manifest: &SignedManifest) -> Result<ChainNames, VaultError> {
        let public = &manifest.public;
        // Read beside the listing: mostly the parent is the one before.
        let before = self.request.parent.filter(|id| public.prev == Some(*id));
        let before = before.filter(|_| !self.has_put(&public.root));
        let before =
            before.map(|id| Place { chain: self.chain(), seq: public.seq.saturating_sub(1), id });
        let (names, before) = together::both(
            &*self.vault.storage,
            || ChainNames::list(&self.vault, &self.chain()),
            || before.map(|place| self.vault.read_manifest_at(&place)).transpose(),
        );
        let (names, before) = (names?, before?.flatten());
        let head = names.head();
        let expected_seq = head.map_or(1, |head| head.seq.saturating_add(1));
        let found_seq = public.seq;
        if found_seq != expected_seq || public.prev != head.map(|head| head.id) {
            return Err(VaultError::NotNext { expected_seq, found_seq });
        }
        if let Some(id) = self.request.parent {
            let place = names.manifest(&id).ok_or(VaultError::ParentGone { id })?;
            let _known_before = self.parent.set(place);
        }
        self.check_root(run, &public.root, (&names, before))?;
        Ok(names)
    }

    /// A root that was not put now is either the parent's or known to the index. `before` is the
    /// parent's manifest, if it was read.
    fn check_root(
        &self,
        run: &Run,
        root: &Sid,
        (names, before): (&ChainNames, Option<SignedManifest>),
    ) -> Result<(), VaultError> {
        if self.has_put(root) {
            return Ok(());
        }
        let parent = self.request.parent.and_then(|id| names.manifest(&id));
        let parent = match (before, parent) {
            (Some(before), Some(_)) => Some(before),
            (None, Some(place)) => self.vault.read_manifest_at(&place)?,
            (_, None) => None,
        };
        if parent.is_some_and(|parent| parent.public.root == *root) {
            return Ok(());
        }
        if self.vault.with_locations(run, |locations| locations.holds(root))? {
            return Ok(());
        }
        Err(VaultError::RootMissing { sid: *root })
    }
}

/// A session of which all that was handed over is durable and all that it relies on was looked at.
pub(super) struct Settled<T> {
    pub(super) lease: LeaseState,
    /// Whether nobody else commits until this is dropped.
    pub(super) alone: Option<Held>,
    pub(super) checked: T,
}
