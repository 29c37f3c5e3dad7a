//! A session's lease, by the storage's clock.
//!
//! A lease is a record that the storage dates. Renewing it is a new record, then the old one
//! goes. Two dates further apart than a lease, or going backwards, mean that the session slept or
//! that the clock jumped: whoever collects may have taken it for dead, so it must look again at
//! what it relies on.

use std::time::Duration;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::format::session;
use crate::format::session::SESSION_KIND;
use crate::format::session::SessionRecord;
use crate::ids::SessionId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::session::SESSION_MS_MAX;

/// Records that are looked at together.
const SWEPT_TOGETHER: usize = 16;

/// Whether a lease has held since it was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum LeaseState {
    Held,
    Expired,
}

#[derive(Debug, Clone)]
pub(in crate::vault) struct Lease {
    id: SessionId,
    file: Vec<u8>,
    renewal_count: u64,
    /// The record before the newest, until it is removed.
    stale: Option<BlobName>,
    /// Date of the first and of the newest record.
    opened: Timestamp,
    renewed: Timestamp,
    /// The run's own time of the newest record, to know when to renew.
    renewed_at: Duration,
    state: LeaseState,
}

impl Lease {
    /// Writes the first record.
    pub(in crate::vault) fn open(
        run: &Run,
        vault: &Inner,
        record: &SessionRecord,
    ) -> Result<Self, VaultError> {
        let id = record.session;
        let (generation, key) = vault.keys.newest();
        let repository = vault.keys.repository();
        let place = Place { kind: SESSION_KIND, repository, name: id.as_bytes() };
        let file = session::join(generation, &blind::seal_box(key, place, &record.encode())?);
        let name = names::session(&id, 0)?;
        let opened = vault.storage.create_dated(&name, &[&file])?;
        let renewed_at = run.clock.elapsed();
        let state = LeaseState::Held;
        Ok(Self {
            id,
            file,
            renewal_count: 0,
            stale: None,
            opened,
            renewed: opened,
            renewed_at,
            state,
        })
    }

    /// Renews if a third of the lease has gone by on the run's clock.
    pub(in crate::vault) fn touch(&mut self, run: &Run, vault: &Inner) -> Result<(), VaultError> {
        let since = run.clock.elapsed().saturating_sub(self.renewed_at);
        let third_ms = u64::try_from(vault.options.lease_ms / 3).unwrap_or(0);
        if since >= Duration::from_millis(third_ms) {
            self.renew(run, vault)?;
            self.remove_stale(vault)?;
        }
        Ok(())
    }

    /// Writes a new record and compares its date with the last one's. The old one stays until the
    /// next renewal, or the end.
    pub(in crate::vault) fn renew(
        &mut self,
        run: &Run,
        vault: &Inner,
    ) -> Result<LeaseState, VaultError> {
        self.remove_stale(vault)?;
        let old = names::session(&self.id, self.renewal_count)?;
        let new = names::session(&self.id, self.renewal_count + 1)?;
        let now = vault.storage.create_dated(&new, &[&self.file])?;
        self.renewal_count += 1;
        let gap_ms = now.ms_since(self.renewed);
        if gap_ms < 0
            || gap_ms > vault.options.lease_ms
            || now.ms_since(self.opened) > SESSION_MS_MAX
        {
            self.state = LeaseState::Expired;
        }
        self.renewed = now;
        self.renewed_at = run.clock.elapsed();
        self.stale = Some(old);
        Ok(self.state)
    }

    fn remove_stale(&mut self, vault: &Inner) -> Result<(), VaultError> {
        let Some(old) = self.stale.take() else { return Ok(()) };
        match vault.storage.delete(&old) {
            // Who may only add leaves his records to those who may sweep.
            Err(error)
                if !matches!(error.kind, StorageErrorKind::NotFound | StorageErrorKind::Denied) =>
            {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    /// Starts a new lease: what the session relies on was looked at after the newest record.
    pub(in crate::vault) const fn pin_again(&mut self) {
        self.opened = self.renewed;
        self.state = LeaseState::Held;
    }

    /// Removes the records. What is left behind if that fails is swept by a later session.
    pub(in crate::vault) fn close(&self, vault: &Inner) {
        let storage = &*vault.storage;
        let newest = names::session(&self.id, self.renewal_count).ok();
        let own: Vec<_> = self.stale.iter().cloned().chain(newest).collect();
        // The snapshot stands; a record that stays is a leftover, not a failure.
        let removed = together::each(storage, &own, |name| {
            drop(storage.delete(name));
            Ok::<(), VaultError>(())
        });
        drop(removed);
    }

    /// Removes records that nobody can hold any more, measured against this lease's own date.
    pub(in crate::vault) fn sweep(&self, vault: &Inner) -> Result<(), VaultError> {
        let storage = &*vault.storage;
        let own = names::session(&self.id, self.renewal_count)?;
        let listed = storage.list(names::SESSIONS)?.into_iter().map(|listed| listed.name);
        let others: Vec<_> = listed.filter(|name| *name != own).collect();
        for some in others.chunks(SWEPT_TOGETHER) {
            let stats =
                together::each(storage, some, |name| Ok::<_, VaultError>(storage.stat(name)));
            for (name, stat) in some.iter().zip(stats?) {
                let Ok(stat) = stat else { continue };
                if self.opened.ms_since(stat.created) <= SESSION_MS_MAX {
                    continue;
                }
                // Who may not delete one may not delete the others.
                let swept = storage.delete(name);
                if swept.is_err_and(|error| error.kind == StorageErrorKind::Denied) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
