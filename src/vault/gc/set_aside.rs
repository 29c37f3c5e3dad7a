//! What repairs have set aside, and when it goes.
//!
//! It stays for as long as a removed snapshot does: until then the repair can be taken back. Only a
//! prune that found everything that is needed comes here, so nothing is missing for which a bad
//! copy could still be of use. A repair writes its journal before it sets anything aside, and looks
//! at it once more before the original goes.

use std::collections::BTreeSet;

use crate::format::repair::REPAIR_BYTES_MAX;
use crate::format::repair::RepairStep;
use crate::format::repair::SignedRepair;
use crate::format::wire::FormatError;
use crate::ids::BlobId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::error::VaultError;
use crate::vault::gc;
use crate::vault::gc::GcError;
use crate::vault::gc::PruneReport;
use crate::vault::gc::mark;
use crate::vault::gc::sweep;
use crate::vault::names;

/// What lies in quarantine at one time.
#[derive(Debug, Default)]
pub(super) struct SetAside {
    /// What has lain there for long enough, with lengths.
    due: Vec<(BlobName, u64)>,
    kept_count: u64,
    kept_bytes: u64,
}

impl SetAside {
    /// Writes nothing.
    pub(super) fn look(
        run: &Run,
        vault: &Inner,
        (now, grace_ms): (Timestamp, i64),
    ) -> Result<Self, GcError> {
        let mut found = Self::default();
        let mut listed = vault.storage.list(names::QUARANTINE)?;
        if listed.is_empty() {
            return Ok(found);
        }
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        let kept = of_young_repairs(run, vault, (now, grace_ms))?;
        for listed in listed {
            run.check()?;
            let id = names::parse_quarantined(&listed.name);
            let may_go = id.is_some_and(|id| kept.as_ref().is_some_and(|kept| !kept.contains(&id)));
            if may_go && is_old(vault, &listed.name, (now, grace_ms))? {
                found.due.push((listed.name, listed.len_bytes));
            } else {
                found.kept_count += 1;
                found.kept_bytes += listed.len_bytes;
            }
        }
        Ok(found)
    }

    pub(super) fn tell(&self, report: &mut PruneReport) {
        report.removed_set_aside_count = self.due.len() as u64;
        report.removed_set_aside_bytes = self.due.iter().map(|(_, len_bytes)| len_bytes).sum();
        report.set_aside_count = self.kept_count;
        report.set_aside_bytes = self.kept_bytes;
    }
}

/// Removes what has lain there for long enough, while nobody repairs or takes a repair back.
pub(super) fn empty(
    run: &Run,
    vault: &Inner,
    (now, grace_ms): (Timestamp, i64),
) -> Result<SetAside, GcError> {
    let found = SetAside::look(run, vault, (now, grace_ms))?;
    if found.due.is_empty() {
        return Ok(found);
    }
    let _alone = gc::wait_alone(run, vault)?;
    let found = SetAside::look(run, vault, (now, grace_ms))?;
    for (name, _) in &found.due {
        run.check()?;
        sweep::remove(vault, name)?;
    }
    sweep::sync(vault)?;
    Ok(found)
}

/// What repairs have moved that are not old. None where a journal does not tell.
fn of_young_repairs(
    run: &Run,
    vault: &Inner,
    at: (Timestamp, i64),
) -> Result<Option<BTreeSet<BlobId>>, GcError> {
    let mut moved = BTreeSet::new();
    for listed in vault.storage.list(names::REPAIRS)? {
        run.check()?;
        if is_old(vault, &listed.name, at)? {
            continue;
        }
        let Ok(some) = moved_by(vault, &listed.name)? else { return Ok(None) };
        moved.extend(some);
    }
    Ok(Some(moved))
}

/// What a record of a journal has moved, whoever signed it: as long as it counts, that is kept.
pub(in crate::vault) fn moved_by(
    vault: &Inner,
    name: &BlobName,
) -> Result<Result<Vec<BlobId>, FormatError>, VaultError> {
    let bytes = vault.storage.read(name, REPAIR_BYTES_MAX)?;
    let moved = |step| match step {
        RepairStep::Moved { hash, .. } => Some(hash),
        RepairStep::Added { .. } => None,
    };
    Ok(SignedRepair::decode(&bytes)
        .map(|signed| signed.record.steps.into_iter().filter_map(moved).collect()))
}

/// What is gone meanwhile is nothing to wait for.
fn is_old(
    vault: &Inner,
    name: &BlobName,
    (now, grace_ms): (Timestamp, i64),
) -> Result<bool, GcError> {
    let Some(created) = mark::date_of(vault, name)? else { return Ok(true) };
    Ok(mark::age(now, created, name)? >= grace_ms)
}
