//! `ls`: what a snapshot holds.

use std::ffi::OsString;

use clap::Args;

use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::table::restore;
use crate::cli::output::entry;
use crate::format::entry::Entry;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::tree::reader::TreeReader;

/// List a folder of a snapshot.
#[derive(Debug, Args)]
pub struct LsArgs {
    /// Which snapshot, and which path in it.
    #[arg(value_name = "SNAPSHOT[:PATH]")]
    pub snapshot: OsString,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Show rights, owner, size and time.
    #[arg(short, long)]
    pub long: bool,
    /// Go into folders.
    #[arg(short = 'R', long)]
    pub recursive: bool,
}

pub fn run(context: &Context, args: &LsArgs) -> Result<Ended, Failure> {
    let place = Place::parse(&args.snapshot)?;
    let opened = opened::for_objects(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    opened::warn_if_suspect(context, &opened.snapshots, chosen);
    let mut seen = false;
    for leaf in TreeReader::new(&context.run, &opened.reader, &chosen.root, &place.path) {
        let leaf = match leaf {
            Ok(leaf) => leaf,
            Err(error) => {
                opened::node_problem(context, chosen, error)?;
                continue;
            }
        };
        for entry in &leaf.entries {
            seen = true;
            if is_listed(entry, &place.path, args) {
                let path = entry::slashed(entry);
                let line = entry::line(entry, &path, Some(&chosen.id));
                context
                    .output
                    .result("entry", &line, || text(entry, args, context.output.language()))?;
            }
        }
    }
    if !seen && !place.path.is_root() && context.watch.damage_count() == 0 {
        return Err(no_such_path(&place.path));
    }
    Ok(Ended::done())
}

/// Without `--recursive`: what stands in the folder itself, or the entry that is no folder.
fn is_listed(entry: &Entry, within: &SnapshotPath, args: &LsArgs) -> bool {
    if args.recursive {
        return true;
    }
    match entry.path.depth().checked_sub(within.depth()) {
        Some(0) => entry.meta.kind != Kind::Directory,
        Some(beneath) => beneath == 1,
        None => false,
    }
}

fn text(entry: &Entry, args: &LsArgs, language: Language) -> String {
    if args.long { entry::long(entry, language) } else { entry.path.to_string() }
}

/// The path is not in the snapshot.
#[must_use]
pub fn no_such_path(path: &SnapshotPath) -> Failure {
    let message = restore::NOT_IN_SNAPSHOT.with("path", path.to_string());
    Failure::new(Exit::Failed, message, restore::SEE_LS)
}
