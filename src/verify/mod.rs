//! The workflow that says whether everything restores.
//!
//! What it is: on top of the keeper's own look (`vault::scrub`) it opens manifests and trees with
//! the restore key, and on request every object, and compares every digest, those of files of
//! several chunks too.
//! Never: writes, heals or removes anything; says OK about what it has not read.
//! Invariants: each level says what it looked at; whatever is missing or bad is named once, with
//! the snapshots, files and bytes that are lost by it.
//! Start reading at: [`check`].

mod data;
mod losses;
mod needs;
#[cfg(test)]
mod tests;
mod walk;
mod whole;

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::format::object::Ref;
use crate::ids::SnapshotId;
use crate::repository::error::RepositoryError;
use crate::repository::manifest::open_manifest;
use crate::repository::manifest::open_with_key;
use crate::repository::notes::open_note;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::secret::Secret32;
use crate::vault::chains::StoredManifest;
use crate::vault::names::Place;
use crate::vault::scrub::Listing;
use crate::vault::scrub::Scrub;
use crate::vault::scrub::Subset;
use crate::vault::scrub::Trust;
use crate::vault::scrub::objects::Index;
use crate::vault::scrub::report::Level;
use crate::vault::scrub::report::LostFile;
use crate::vault::scrub::report::Report;

use self::data::BadParts;
use self::losses::Known;
use self::needs::Needs;
use self::walk::Walk;

/// How deep a check goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Depth {
    /// Manifests, trees, and whether every object is there.
    Structure,
    /// Also every byte of these packs, opened and compared.
    Data(Subset),
}

/// What to check.
#[derive(Debug, Clone)]
pub struct Options {
    pub depth: Depth,
    /// Only these snapshots; all if empty.
    pub snapshots: Vec<SnapshotId>,
    pub threads_count: usize,
}

/// Whom the holder of this keyset believes.
#[must_use]
pub fn trust_of(keyset: &RestoreKeyset) -> Trust {
    Trust {
        repository: keyset.repository,
        root: keyset.root_public,
        admins: vec![keyset.admin.verifying_key()],
        recipients_version_min: 0,
        heads: Vec::new(),
    }
}

/// Checks a repository. An error means that the check itself could not be done.
pub fn check(
    run: &Run,
    repository: &Repository,
    keys: (&RestoreKeyset, &Trust),
    options: &Options,
) -> Result<Report, RepositoryError> {
    let listing = Listing::take(run, &**repository.vault().storage())?;
    check_listed(run, (repository, listing), keys, options)
}

/// As [`check`], of what was listed before.
pub fn check_listed(
    run: &Run,
    (repository, listing): (&Repository, Listing),
    (keyset, trust): (&RestoreKeyset, &Trust),
    options: &Options,
) -> Result<Report, RepositoryError> {
    run.phase(Phase::Checking);
    let vault = repository.vault();
    let small = || {
        let place = (vault.storage(), Some(vault));
        let mut scrub = Scrub::of(run, place, (listing, trust))?;
        let manifests = scrub.manifests()?;
        open_notes(&mut scrub, keyset, &manifests)?;
        Ok::<_, RepositoryError>((scrub, manifests))
    };
    let (mut scrub, manifests) = match vault.storage().is_far() {
        true => {
            let (index, small) = vault.both(|| Index::read(run, vault), small);
            let (mut scrub, manifests) = small?;
            scrub.take_index(vault, index?);
            (scrub, manifests)
        }
        false => {
            let (mut scrub, manifests) = small()?;
            scrub.look_at_index()?;
            (scrub, manifests)
        }
    };
    let roots = open_roots(&mut scrub, keyset, &manifests, options);
    let mut needs = Needs::default();
    let depth = options.depth;
    let mut walk = Walk { run, repository, scrub: &mut scrub, depth };
    for (_, root) in &roots {
        walk.collect(root, &mut needs)?;
    }
    needs.data.values_mut().for_each(needs::Need::drop_twins);
    for sid in std::mem::take(&mut needs.contradictions) {
        scrub.mark_useless(sid);
    }
    let mut bad_parts = BadParts::new();
    scrub.report.level = Level::Linked;
    if let Depth::Data(subset) = depth {
        run.phase(Phase::Verifying);
        let threads_count = options.threads_count;
        bad_parts = data::read(&mut scrub, (repository, &needs), (subset, threads_count))?;
        scrub.report.level = Level::Opened;
    }
    scrub.conclude(needs.nodes.keys().chain(needs.data.keys()))?;
    let any_lost = !scrub.report.lost_objects.is_empty();
    if any_lost || !bad_parts.is_empty() || needs.files.any_bad() {
        let known = Known { needs: &needs, bad_parts: &bad_parts };
        let mut walk = Walk { run, repository, scrub: &mut scrub, depth };
        for (place, root) in &roots {
            walk.name_losses((place.id, root), &known)?;
        }
    }
    // What lies below a lost node, or in a snapshot that was not asked for, may be needed.
    let is_node_lost = scrub.report.lost_objects.iter().any(|sid| needs.nodes.contains_key(sid));
    if is_node_lost || roots.len() < manifests.len() {
        scrub.report.unreferenced_packs.clear();
        scrub.report.gone_packs.clear();
    }
    let report = scrub.finish()?;
    run.phase(Phase::Finished);
    Ok(report)
}

/// Opens every note with the key of its snapshot.
fn open_notes(
    scrub: &mut Scrub<'_>,
    keyset: &RestoreKeyset,
    manifests: &[StoredManifest],
) -> Result<(), RepositoryError> {
    let mut known: Option<(Place, Secret32)> = None;
    for stored in scrub.notes()? {
        let snapshot = stored.place.snapshot;
        if known.as_ref().is_none_or(|(place, _)| *place != snapshot) {
            let manifest = manifests.iter().find(|it| it.place == snapshot);
            let opened = manifest.and_then(|it| open_with_key(keyset, &it.manifest).ok());
            // Of a snapshot that does not open more is told than that.
            let Some(opened) = opened else { continue };
            known = Some((snapshot, opened.snapshot_key));
        }
        if let Some((_, key)) = &known
            && let Err(error) = open_note(key, &stored.note)
        {
            scrub.note_does_not_open(&stored, &error.to_string());
        }
    }
    Ok(())
}

/// The roots of the snapshots that were asked for.
fn open_roots(
    scrub: &mut Scrub<'_>,
    keyset: &RestoreKeyset,
    manifests: &[StoredManifest],
    options: &Options,
) -> Vec<(Place, Ref)> {
    let wanted =
        |place: &Place| options.snapshots.is_empty() || options.snapshots.contains(&place.id);
    let mut roots = Vec::new();
    for stored in manifests.iter().filter(|stored| wanted(&stored.place)) {
        match open_manifest(keyset, &stored.manifest) {
            Ok(info) => roots.push((stored.place, info.root())),
            Err(error) => {
                let lost = LostFile::all_of(stored.place.id, &error.to_string());
                scrub.report.lost_files.insert(lost);
            }
        }
    }
    scrub.report.snapshots_count = roots.len() as u64;
    roots
}
