//! `diff`: what changed between two snapshots.

use std::ffi::OsString;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::output::entry;
use crate::cli::output::entry::EntryLine;
use crate::format::entry::Entry;
use crate::path::SnapshotPath;
use crate::repository::browse::diff::Change;
use crate::repository::browse::diff::Differences;
use crate::repository::browse::diff::TreeDiff;
use crate::units::Bytes;

/// Show what changed from one snapshot to another.
///
/// `+` added, `-` removed, `M` other content, `U` other attributes, `T` another kind of thing.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The earlier snapshot; with a path only what lies beneath it.
    #[arg(value_name = "BEFORE[:PATH]")]
    pub before: OsString,
    /// The later snapshot.
    #[arg(value_name = "AFTER")]
    pub after: OsString,
    #[command(flatten)]
    pub filter: FilterArgs,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    change: &'static str,
    #[serde(flatten)]
    entry: EntryLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_before_bytes: Option<u64>,
}

#[derive(Default, Serialize)]
struct Totals {
    added_count: u64,
    removed_count: u64,
    changed_count: u64,
    added_bytes: u64,
    removed_bytes: u64,
}

pub fn run(context: &Context, args: &DiffArgs) -> Result<Ended, Failure> {
    let (before, after) = (Place::parse(&args.before)?, Place::parse(&args.after)?);
    if !after.path.is_root() && after.path != before.path {
        return Err(Failure::usage(
            "both snapshots are compared beneath one path",
            "give the path with the first snapshot only",
        ));
    }
    let opened = opened::for_reading(context)?;
    let old = snapshot::choose(&opened.snapshots, &before.snapshot, &args.filter)?;
    let new = snapshot::choose(&opened.snapshots, &after.snapshot, &args.filter)?;
    let mut totals = Totals::default();
    for change in TreeDiff::new(&context.run, &opened.reader, &old.root, &new.root) {
        match change {
            Ok(change) => show(context, &change, &before.path, &mut totals)?,
            Err(error) => opened::node_problem(context, old, error)?,
        }
    }
    context.output.report("diff", &totals, || {
        let Totals { added_count, removed_count, changed_count, .. } = totals;
        let (added, removed) = (Bytes(totals.added_bytes), Bytes(totals.removed_bytes));
        format!(
            "{added_count} added ({added}), {removed_count} removed ({removed}), \
             {changed_count} changed"
        )
    })?;
    Ok(Ended::done())
}

fn show(
    context: &Context,
    change: &Change,
    within: &SnapshotPath,
    totals: &mut Totals,
) -> Result<(), Failure> {
    let (sign, name, shown, before): (_, _, &Entry, Option<&Entry>) = match change {
        Change::Added(entry) => ("+", "added", entry, None),
        Change::Removed(entry) => ("-", "removed", entry, None),
        Change::Changed { before, after, what } if what.has(Differences::KIND) => {
            ("T", "kind", after, Some(before))
        }
        Change::Changed { before, after, what } if what.has(Differences::CONTENT) => {
            ("M", "content", after, Some(before))
        }
        Change::Changed { before, after, .. } => ("U", "attributes", after, Some(before)),
    };
    if !shown.path.is_within(within) {
        return Ok(());
    }
    match change {
        Change::Added(entry) => {
            totals.added_count += 1;
            totals.added_bytes += entry.meta.size_bytes;
        }
        Change::Removed(entry) => {
            totals.removed_count += 1;
            totals.removed_bytes += entry.meta.size_bytes;
        }
        Change::Changed { .. } => totals.changed_count += 1,
    }
    let path = entry::slashed(shown);
    let entry = entry::line(shown, &path, None);
    let size_before_bytes = before.map(|before| before.meta.size_bytes);
    let line = ChangeLine { change: name, entry, size_before_bytes };
    context.output.result("change", &line, || format!("{sign} {}", shown.path))
}
