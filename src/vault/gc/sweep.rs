//! The second mark, and what goes after it.
//!
//! From the look at records, manifests and packs to the last deletion nobody commits where the
//! medium can keep others out. Manifests go first, then packs, then the records that name them: a
//! crash between any two leaves what the next run takes away.

use std::collections::BTreeSet;

use crate::ids::PackId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::vault::Inner;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::error::VaultError;
use crate::vault::gc::GcError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::gc::condemned::Stored;
use crate::vault::gc::condemned::place_of;
use crate::vault::gc::mark::Mark;
use crate::vault::load;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::names::NOTES;
use crate::vault::names::NotePlace;
use crate::vault::names::Place;

/// What went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Swept {
    pub snapshots_count: u64,
    pub packs_count: u64,
    pub bytes: u64,
}

/// Whether all is as it was when it was marked: no manifest, no record and no missing pack is new.
/// `own` was written since.
pub(super) fn still_holds(
    run: &Run,
    vault: &Inner,
    mark: &Mark,
    (own, copied): (&[Stored], &[PackId]),
) -> Result<bool, GcError> {
    let condemned = Condemned::read(run, vault)?.packs();
    let mut known = mark.condemned.packs();
    let own = own.iter().flat_map(|stored| &stored.record.packs);
    // Another prune that empties the trash may have carried it out: the record goes last.
    let present: BTreeSet<PackId> = load::list_packs(vault)?.into_keys().collect();
    if own.clone().any(|pack| present.contains(pack) && !condemned.contains(pack)) {
        return Err(GcError::doubt(names::CONDEMNED, "the record of this prune was not kept"));
    }
    known.extend(own);
    if !condemned.is_subset(&known) {
        return Ok(false);
    }
    let names = ChainNames::list_scope(&*vault.storage, Scope::All)?;
    let is_old = names.places().all(|place| mark.manifests.contains(place));
    if !is_old || !mark.tombstones.is_subset(names.removed()) {
        return Ok(false);
    }
    let mut needed = mark.packs.iter().chain(copied).filter(|pack| !known.contains(pack));
    Ok(needed.all(|pack| present.contains(pack)))
}

/// Removes what the records name. Everything that is needed of it has been copied.
pub(super) fn sweep(
    run: &Run,
    vault: &Inner,
    mark: &Mark,
    due: &[Stored],
) -> Result<Swept, GcError> {
    let mut swept = Swept::default();
    let given_up: BTreeSet<&Place> = mark.given_up.iter().collect();
    let named = due.iter().flat_map(|stored| &stored.record.snapshots).map(place_of);
    for place in named.filter(|place| given_up.contains(place)).collect::<BTreeSet<_>>() {
        run.check()?;
        swept.snapshots_count += u64::from(remove_snapshot(vault, &place)?);
    }
    sync(vault)?;
    let packs: BTreeSet<PackId> =
        due.iter().flat_map(|stored| stored.record.packs.iter().copied()).collect();
    let present = load::list_packs(vault)?;
    for pack in packs {
        let Some(len_bytes) = present.get(&pack) else { continue };
        run.check()?;
        if remove(vault, &names::pack(&pack)?)? {
            swept.packs_count += 1;
            swept.bytes += len_bytes;
        }
    }
    sync(vault)?;
    Ok(swept)
}

/// Both copies of the manifest and all notes. The tombstone stays: it tells of the gap.
fn remove_snapshot(vault: &Inner, place: &Place) -> Result<bool, GcError> {
    let mut was_there = false;
    for prefix in MANIFESTS {
        was_there |= remove(vault, &place.name(prefix)?)?;
    }
    for prefix in NOTES {
        let listed = vault.storage.list(&NotePlace::folder(prefix, place));
        for listed in listed.map_err(GcError::storage)? {
            remove(vault, &listed.name)?;
        }
    }
    Ok(was_there)
}

/// Removes the records of which nothing is left.
pub(super) fn remove_records(vault: &Inner, due: &[Stored]) -> Result<(), GcError> {
    let present = load::list_packs(vault)?;
    let names = ChainNames::list_scope(&*vault.storage, Scope::All)?;
    for Stored { name, record } in due {
        let stays = |place: &Place| names.manifest(&place.id).is_some();
        let is_removed = |place: &Place| names.removed().contains(place);
        let mut given_up = record.snapshots.iter().map(place_of);
        let any_stays = given_up.any(|place| stays(&place) && is_removed(&place));
        if !any_stays && !record.packs.iter().any(|pack| present.contains_key(pack)) {
            remove(vault, name)?;
        }
    }
    sync(vault)
}

pub(super) fn sync(vault: &Inner) -> Result<(), GcError> {
    vault.storage.sync().map_err(GcError::storage)
}

/// Whether there was something to remove.
pub(super) fn remove(vault: &Inner, name: &BlobName) -> Result<bool, GcError> {
    match vault.storage.delete(name) {
        Ok(()) => Ok(true),
        Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
        Err(error) => Err(VaultError::from(error).into()),
    }
}
