//! `diff`: what changed between two snapshots, or since a snapshot.

mod live;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::read as texts;
use crate::cli::output::entry;
use crate::cli::output::entry::EntryLine;
use crate::cli::verb::backup::ExcludeArgs;
use crate::format::entry::Entry;
use crate::path::SnapshotPath;
use crate::repository::browse::diff::Change;
use crate::repository::browse::diff::Differences;
use crate::repository::browse::diff::TreeDiff;
use crate::units::Bytes;

/// Show what changed from one snapshot to another, or since a snapshot.
///
/// `+` added, `-` removed, `M` other content, `U` other attributes, `T` another kind of thing.
///
/// With `--with FOLDER` a snapshot is compared with a folder as it stands now. Without a path that
/// is the folder's own path in the snapshot, or the whole snapshot if it has no such path. A file
/// of equal size and time is taken for equal unless `--content` is given; one whose time differs is
/// shown as `M`. What the snapshot's own rules left out is left out here too.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The earlier snapshot; with a path only what lies beneath it.
    #[arg(value_name = "BEFORE[:PATH]")]
    pub before: OsString,
    /// The later snapshot.
    #[arg(value_name = "AFTER", required_unless_present = "with", conflicts_with = "with")]
    pub after: Option<OsString>,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Compare with this folder, or file, as it stands now.
    #[arg(short, long, value_name = "FOLDER")]
    pub with: Option<PathBuf>,
    /// Read every file and compare its bytes and extended attributes.
    #[arg(short, long)]
    pub content: bool,
    #[command(flatten)]
    pub exclude: ExcludeArgs,
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
    /// Of these: kind or content; the others differ in attributes alone.
    content_changed_count: u64,
    attributes_changed_count: u64,
    added_bytes: u64,
    removed_bytes: u64,
}

pub fn run(context: &Context, args: &DiffArgs) -> Result<Ended, Failure> {
    let before = Place::parse(&args.before)?;
    let after = match (&args.with, &args.after) {
        (None, Some(after)) => Place::parse(after)?,
        (Some(folder), _) => return live::run(context, args, (&before, folder)),
        (None, None) => {
            return Err(Failure::usage(texts::NOTHING_TO_COMPARE, texts::NAME_SECOND));
        }
    };
    if has_rules(&args.exclude) || args.content {
        return Err(Failure::usage(texts::AS_THEY_ARE, texts::LEAVE_RULES));
    }
    if !after.path.is_root() && after.path != before.path {
        return Err(Failure::usage(texts::ONE_PATH, texts::PATH_WITH_FIRST));
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
    totals.tell(context)?;
    Ok(Ended::done())
}

const fn has_rules(args: &ExcludeArgs) -> bool {
    !(args.exclude.is_empty()
        && args.exclude_file.is_empty()
        && args.exclude_if_present.is_empty()
        && args.exclude_larger_than.is_none())
        || args.exclude_caches
        || args.one_file_system
}

impl Totals {
    fn tell(&self, context: &Context) -> Result<(), Failure> {
        context.output.report("diff", self, || {
            texts::DIFF_TOTALS
                .with("added", self.added_count)
                .with("added_bytes", Bytes(self.added_bytes))
                .with("removed", self.removed_count)
                .with("removed_bytes", Bytes(self.removed_bytes))
                .with("changed", self.content_changed_count)
                .with("attributes", self.attributes_changed_count)
        })
    }
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
        Change::Changed { what, .. } => {
            totals.changed_count += 1;
            let deep = Differences::KIND.with(Differences::CONTENT);
            totals.content_changed_count += u64::from(what.has(deep));
            totals.attributes_changed_count += u64::from(!what.has(deep));
        }
    }
    let path = entry::slashed(shown);
    let entry = entry::line(shown, &path, None);
    let size_before_bytes = before.map(|before| before.meta.size_bytes);
    let line = ChangeLine { change: name, entry, size_before_bytes };
    context.output.result("change", &line, || format!("{sign} {}", shown.path))
}
