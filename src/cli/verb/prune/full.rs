//! Pruning where nothing is free: as much is copied at a time as there is room for.

use crate::cli::context::Context;
use crate::cli::open::reserve;
use crate::vault::gc::GcError;
use crate::vault::gc::PruneOptions;
use crate::vault::gc::PruneReport;
use crate::vault::gc::Trash;

/// What is copied at first, and how much more each time.
const FIRST_BYTES: u64 = 64 * 1024;
const FACTOR: u64 = 4;

/// How far it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    /// Something unused stays beside what is used, because there was no room to part them.
    TooLittle,
}

/// What a prune would do, and what one does.
pub(super) struct Verbs<'v> {
    pub(super) plan: &'v dyn Fn(&PruneOptions) -> Result<PruneReport, GcError>,
    pub(super) act: &'v dyn Fn(&PruneOptions) -> Result<PruneReport, GcError>,
}

/// Prunes; where the medium is full, with the room that is kept back.
pub(super) fn prune(
    context: &Context,
    options: &PruneOptions,
    verbs: &Verbs<'_>,
) -> Result<(PruneReport, Room), GcError> {
    match (verbs.act)(options) {
        Err(error) if reserve::for_prune(context, &error) => in_steps(options, verbs),
        done => Ok((done?, Room::Enough)),
    }
}

fn in_steps(options: &PruneOptions, verbs: &Verbs<'_>) -> Result<(PruneReport, Room), GcError> {
    // Whether it is too much is asked of all that goes, and not of each step.
    (verbs.plan)(options)?.refuse_too_much(options.max_delete_percent)?;
    let wanted = options.max_repack_bytes.unwrap_or(u64::MAX);
    let up_to = |bytes: u64| PruneOptions {
        max_repack_bytes: Some(bytes),
        max_delete_percent: 100,
        ..options.clone()
    };
    // What nothing needs goes first: that needs no copies.
    let mut all = (verbs.act)(&up_to(0))?;
    if options.trash == Trash::Waits {
        // Copies would give nothing back before the grace is over.
        let is_parted = (verbs.plan)(options)?.repacked_packs_count == 0;
        return Ok((all, if is_parted { Room::Enough } else { Room::TooLittle }));
    }
    let mut step = FIRST_BYTES.min(wanted);
    let mut left = wanted;
    while left > 0 {
        match (verbs.act)(&up_to(step.min(left))) {
            Ok(pass) => {
                left = left.saturating_sub(pass.copied_bytes);
                all = together(&all, pass);
                if pass.copied_bytes == 0 {
                    if step >= wanted {
                        break;
                    }
                    step = step.saturating_mul(FACTOR).min(wanted);
                }
            }
            Err(error) if reserve::is_wanting(&error) => {
                // Copies that were made in vain are no use to anybody.
                let swept = (verbs.act)(&up_to(0));
                return Ok((swept.map_or(all, |pass| together(&all, pass)), Room::TooLittle));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((all, Room::Enough))
}

/// One prune after another, as one.
fn together(first: &PruneReport, second: PruneReport) -> PruneReport {
    PruneReport {
        total_bytes: first.total_bytes,
        condemned_packs_count: first.condemned_packs_count + second.condemned_packs_count,
        condemned_bytes: first.condemned_bytes + second.condemned_bytes,
        repacked_packs_count: first.repacked_packs_count + second.repacked_packs_count,
        copied_objects_count: first.copied_objects_count + second.copied_objects_count,
        copied_bytes: first.copied_bytes + second.copied_bytes,
        removed_snapshots_count: first.removed_snapshots_count + second.removed_snapshots_count,
        removed_packs_count: first.removed_packs_count + second.removed_packs_count,
        removed_bytes: first.removed_bytes + second.removed_bytes,
        removed_indexes_count: first.removed_indexes_count + second.removed_indexes_count,
        removed_set_aside_count: first.removed_set_aside_count + second.removed_set_aside_count,
        removed_set_aside_bytes: first.removed_set_aside_bytes + second.removed_set_aside_bytes,
        ..second
    }
}
