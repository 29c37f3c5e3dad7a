//! What goes beside snapshots: notes, and why a number of a chain is empty.

use std::collections::BTreeSet;

use crate::copy::Doing;
use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::format::tombstone::SignedTombstone;
use crate::run::Run;
use crate::vault::chains::Copies;
use crate::vault::chains::Manifests;
use crate::vault::names::Chain;
use crate::vault::names::NotePlace;
use crate::vault::names::Place;

/// Copies the notes of snapshots that stand at the target, and answers how many it lacked.
pub(super) fn notes(
    run: &Run,
    ends: Ends<'_>,
    (standing, doing): (&BTreeSet<Place>, Doing),
) -> Result<u64, CopyError> {
    let asked = (Copies::First, ends.signers);
    let found = ends.source.notes(run, None, asked)?;
    for finding in &found.findings {
        run.problem(&finding.problem());
    }
    // What is wrong at the target is for a check to tell; a note that is lost there is put again
    // only where its name is free.
    let own = ends.target.notes(&run.unwatched(), None, asked)?;
    let own: BTreeSet<NotePlace> = own.notes.iter().map(|stored| stored.place).collect();
    let mut count = 0;
    for stored in &found.notes {
        run.check()?;
        if own.contains(&stored.place) || !standing.contains(&stored.place.snapshot) {
            continue;
        }
        if doing == Doing::Copy {
            ends.target.put_note(run, &stored.note)?;
        }
        count += 1;
    }
    Ok(count)
}

/// Tombstones of snapshots that the target never had: without them a number would be missing there
/// without a reason. Where the snapshot stands, it goes on standing.
pub(super) fn tombstones(source: &Manifests, target: &BTreeSet<Place>) -> Vec<SignedTombstone> {
    let is_unknown = |signed: &&SignedTombstone| !target.contains(&place_of(signed));
    let mut missing: Vec<_> = source.tombstones.iter().filter(is_unknown).cloned().collect();
    missing.sort_by_key(place_of);
    missing
}

pub(super) fn place_of(signed: &SignedTombstone) -> Place {
    let tombstone = &signed.tombstone;
    let chain = Chain { machine: tombstone.machine, source: tombstone.source };
    Place { chain, seq: tombstone.seq, id: tombstone.snapshot }
}
