//! Snapshots are removed, that is taken back, and space is given back. What was removed is promised
//! to nobody; all else is, whatever a prune meets.

use lifeboat::repository::forget::tombstone;
use lifeboat::repository::trust::Enrolled;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::gc::GcError;
use lifeboat::vault::gc::MaxUnused;
use lifeboat::vault::gc::PruneOptions;
use lifeboat::vault::gc::Trash;

use super::sequence::Done;
use super::sequence::Sequence;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub fn step(sequence: &mut Sequence<'_>) -> Done {
    if sequence.random.below(2) == 0 {
        return forget(sequence);
    }
    // The second mark is another run, where the medium knows no turns.
    (0..1 + sequence.random.below(3)).try_for_each(|_| prune(sequence))
}

fn forget(sequence: &mut Sequence<'_>) -> Done {
    if sequence.snapshots.is_empty() {
        return Ok(());
    }
    let at = sequence.random.below(sequence.snapshots.len());
    let snapshot = sequence.snapshots.remove(at);
    let is_undone = sequence.random.below(3) == 0;
    let watched = sequence.world.run();
    let run = &watched.run;
    let repository = sequence.world.open(run);
    let (vault, keyset) = (repository.vault(), &sequence.world.keyset);
    let enrolled = Enrolled::load(run, &sequence.world.storage, keyset).map_err(text)?;
    let found = vault.manifests(run, Scope::All, Copies::First, &enrolled).map_err(text)?;
    let stored = found.manifests.iter().find(|stored| stored.place.id == snapshot.id);
    let place = stored.ok_or("a snapshot is not listed")?.place;
    vault.bury(run, &[tombstone(keyset, &place, run.clock.now(), "model")]).map_err(text)?;
    let undone = if is_undone { "and back" } else { "" };
    sequence.log.push(format!("snapshot {} is removed {undone}", snapshot.number));
    sequence.count("removed");
    if is_undone {
        vault.revive(run, &snapshot.id).map_err(text)?;
        sequence.snapshots.insert(at, snapshot);
        sequence.count("taken_back");
    } else {
        sequence.removed.push(snapshot.id.to_string());
    }
    Ok(())
}

fn prune(sequence: &mut Sequence<'_>) -> Done {
    let trash = [Trash::Waits, Trash::Emptied][sequence.random.below(2)];
    let options = PruneOptions {
        max_unused: MaxUnused::Percent(5),
        max_repack_bytes: None,
        max_delete_percent: 100,
        grace_ms: [0, 0, 0, 7 * DAY_MS][sequence.random.below(4)],
        trash,
        heads: Vec::new(),
    };
    sequence.log.push(format!("prune {trash:?} after {} ms", options.grace_ms));
    let watched = sequence.world.run();
    let run = &watched.run;
    let repository = sequence.world.open(run);
    let (storage, keyset) = (&sequence.world.storage, &sequence.world.keyset);
    let enrolled = Enrolled::load(run, storage, keyset).map_err(text)?;
    match repository.vault().prune(run, &enrolled, &options) {
        Ok(report) => {
            sequence.count("prunes");
            sequence.count(match report.removed_packs_count {
                0 => "prunes_that_removed_nothing",
                _ => "prunes_that_removed_packs",
            });
        }
        // The clock went back: nothing is deleted until it is beyond what it was.
        Err(GcError::Clock { .. }) => sequence.count("prunes_refused"),
        Err(error) => return Err(format!("prune: {error}")),
    }
    Ok(())
}
