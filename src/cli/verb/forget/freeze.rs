//! Datasets on which something looks like an attack: nothing of them is removed by rules.

use std::collections::BTreeMap;

use crate::capsule::Capsule;
use crate::capsule::Truth;
use crate::capsule::folder::Top;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::forget as texts;
use crate::cli::verb::forget::TimeOf;
use crate::cli::verb::forget::plan;
use crate::cli::verb::forget::plan::Freeze;
use crate::format::entry::Entry;
use crate::format::object::ObjectKind;
use crate::ids::MachineId;
use crate::ids::SourceId;
use crate::meta::Kind;
use crate::repository::browse::diff::Change;
use crate::repository::browse::diff::Differences;
use crate::repository::browse::diff::TreeDiff;
use crate::repository::error::RepositoryError;
use crate::retention;
use crate::retention::change;
use crate::retention::change::Counts;
use crate::retention::change::Heads;
use crate::retention::change::MassChange;
use crate::retention::change::Sign;
use crate::retention::change::Weigher;

/// How long a mass change freezes its dataset.
const FROZEN_MS: i64 = 14 * 24 * plan::HOUR_MS;

pub(super) type Dataset = (MachineId, SourceId);

/// The snapshots of each dataset, in their order.
fn chains(all: &[Snapshot]) -> BTreeMap<Dataset, Vec<&Snapshot>> {
    let mut chains: BTreeMap<Dataset, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in all {
        chains.entry((snapshot.machine, snapshot.source)).or_default().push(snapshot);
    }
    for chain in chains.values_mut() {
        chain.sort_by_key(|snapshot| (snapshot.seq, snapshot.id));
    }
    chains
}

/// Datasets in which a drill saw signs of an attack, until somebody takes that back.
pub(super) fn attacked(all: &[Snapshot]) -> BTreeMap<Dataset, Freeze> {
    let seen = |chain: Vec<&Snapshot>| {
        let seen = chain.into_iter().rev().find(|it| plan::has(it, retention::ATTACK_SIGNS))?;
        Some(Freeze::Drill { snapshot: seen.id })
    };
    let chains = chains(all).into_iter();
    chains.filter_map(|(dataset, chain)| Some((dataset, seen(chain)?))).collect()
}

/// Datasets of which much changed from one snapshot to the next, within two weeks before their
/// newest. Trees are read only where the counts of a backup are unusual.
pub(super) fn changed(
    context: &Context,
    keys: &Keys,
    all: &[Snapshot],
) -> Result<BTreeMap<Dataset, Freeze>, Failure> {
    let mut frozen = BTreeMap::new();
    for (dataset, chain) in chains(all) {
        let Some(newest) = chain.last() else { continue };
        let newest = plan::time(context, (keys, newest), TimeOf::Storage)?.at;
        for pair in chain.windows(2) {
            let [before, now] = pair else { continue };
            if !change::is_doubtful(counts(before), counts(now)) {
                continue;
            }
            let at = plan::time(context, (keys, now), TimeOf::Storage)?.at;
            if newest.ms_since(at) > FROZEN_MS {
                continue;
            }
            if let Some(found) = look(context, keys, (before, now))?.map(Freeze::Changed) {
                let known = frozen.entry(dataset).or_insert(found);
                *known = found.max(*known);
            }
        }
    }
    Ok(frozen)
}

pub(super) fn said(freeze: Freeze) -> Said {
    let found = match freeze {
        Freeze::Drill { snapshot } => return texts::ATTACKED.with("id", snapshot.short()),
        Freeze::Changed(found) => found,
    };
    let text = match found.sign {
        Sign::Files => texts::MUCH_CHANGED,
        Sign::Bytes => texts::MUCH_REWRITTEN,
        Sign::Names => texts::MUCH_RENAMED,
        Sign::Content => texts::MUCH_RANDOM,
    };
    text.with("percent", found.percent)
}

const fn counts(snapshot: &Snapshot) -> Counts {
    Counts {
        files: snapshot.files_count,
        bytes: snapshot.content_bytes,
        files_changed: snapshot.files_changed,
        files_unchanged: snapshot.files_unchanged,
    }
}

/// The plainest sign between two snapshots. Where trees cannot be compared, the counts have to do.
fn look(
    context: &Context,
    keys: &Keys,
    (before, now): (&Snapshot, &Snapshot),
) -> Result<Option<MassChange>, Failure> {
    let by_counts = || change::by_counts(counts(before), counts(now));
    // What stood between them is gone: then this is more than one backup's change.
    if now.seq != before.seq.saturating_add(1) {
        return Ok(by_counts());
    }
    let mut weigher = Weigher::default();
    let mut is_whole = true;
    for change in TreeDiff::new(&context.run, &keys.repository, &before.root, &now.root) {
        match change {
            Ok(change) => weigh(&mut weigher, &change),
            Err(error @ RepositoryError::Stopped(_)) => return Err(error.into()),
            Err(_) => is_whole = false,
        }
    }
    let by_trees = weigher.finish(counts(before));
    let by_counts = if is_whole { None } else { by_counts() };
    let heads = heads(context, keys, before).zip(heads(context, keys, now));
    let by_heads = heads.and_then(|(before, now)| change::by_heads(&before, &now));
    Ok(by_trees.max(by_counts).max(by_heads))
}

fn weigh(weigher: &mut Weigher, change: &Change) {
    let is_file = |entry: &Entry| entry.meta.kind == Kind::File;
    let digest = |entry: &Entry| entry.content.digest().copied();
    match change {
        Change::Added(entry) if is_file(entry) => weigher.came(&entry.path, digest(entry)),
        Change::Removed(entry) if is_file(entry) => {
            weigher.gone(&entry.path, entry.meta.size_bytes, digest(entry));
        }
        Change::Changed { before, after, what } if is_file(before) => {
            if is_file(after) && what.has(Differences::CONTENT) {
                weigher.changed(before.meta.size_bytes);
            } else if !is_file(after) {
                weigher.gone(&before.path, before.meta.size_bytes, digest(before));
            }
        }
        _ => {}
    }
}

/// What was recorded of first bytes, if that was done and can be read: a drill tells if not.
fn heads(context: &Context, keys: &Keys, of: &Snapshot) -> Option<BTreeMap<String, Heads>> {
    let reference = of.capsules.first()?;
    let bytes = keys.repository.data(&context.run, reference, ObjectKind::Capsule).ok()?;
    let Truth::Folder(folder) = Capsule::decode(&bytes).ok()?.truth else { return None };
    let heads = |top: &Top| Heads {
        promised: top.looked_at,
        wrong: top.magic_mismatch,
        weighed: top.entropy.iter().sum(),
        random: top.entropy.last().copied().unwrap_or_default(),
    };
    Some(folder.after.tops.iter().map(|(name, top)| (name.clone(), heads(top))).collect())
}
