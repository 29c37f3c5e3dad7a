//! After a barrier that failed.
//!
//! The system may have dropped what it could not make durable, and show it all the same until the
//! power goes. Whoever opens the repository now is told nothing of it and would rely on it. So the
//! session takes away what it has written and no snapshot relies on, as far as it can: it is an
//! attempt, and the barrier's own error is what is told.

use crate::crypto::blind;
use crate::run::Run;
use crate::storage::StorageError;
use crate::storage::together;
use crate::vault::Inner;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::session::Session;

/// Whether this session keeps all others from committing already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Turn {
    Open,
    Taken,
}

/// All manifests that stand at one time; equal if there are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) struct Manifests([u8; 32]);

impl Manifests {
    pub(in crate::vault) fn now(vault: &Inner) -> Result<Self, StorageError> {
        // A snapshot of which one copy stands is one as well.
        let storage = &*vault.storage;
        let listed = together::each(storage, &MANIFESTS, |prefix| storage.list(prefix))?;
        let listed = listed.iter().flatten();
        let mut names: Vec<&str> = listed.map(|listed| listed.name.as_str()).collect();
        names.sort_unstable();
        Ok(Self(blind::hash(names.join("\n").as_bytes())))
    }
}

impl Session {
    /// Makes durable what was written so far.
    pub(in crate::vault) fn barrier(&self, run: &Run) -> Result<(), VaultError> {
        let synced = self.vault.storage.sync();
        if synced.is_err() {
            self.disown_packs(run, Turn::Open);
        }
        Ok(synced?)
    }

    /// Removes this session's packs and index files, if no snapshot was made since the first of
    /// them: an older one cannot need them, and nobody commits meanwhile. Where nobody can be kept
    /// out they stay.
    pub(in crate::vault) fn disown_packs(&self, run: &Run, turn: Turn) {
        let _alone = match turn {
            Turn::Taken => None,
            Turn::Open => match self.alone(run) {
                Ok(Some(alone)) => Some(alone),
                _ => return,
            },
        };
        let progress = self.writer.progress();
        let stood = Manifests::now(&self.vault).ok();
        if stood.is_none() || stood != progress.stood {
            return;
        }
        for name in &progress.indexes {
            drop(self.vault.storage.delete(name));
        }
        for table in progress.written.iter().rev() {
            if let Ok(name) = names::pack(&table.pack) {
                drop(self.vault.storage.delete(&name));
            }
        }
    }

    /// Removes the manifest that this session has just written, before anybody can follow it.
    pub(in crate::vault) fn disown_manifest(&self, place: &Place) {
        for prefix in MANIFESTS {
            if let Ok(name) = place.name(prefix) {
                drop(self.vault.storage.delete(&name));
            }
        }
    }
}
