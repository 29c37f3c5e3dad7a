//! `diff --with`: a snapshot against a folder as it stands now.

use std::path::Path;

use crate::backup::live;
use crate::backup::live::Compared;
use crate::backup::live::Depth;
use crate::backup::live::LiveError;
use crate::cli::choose::opened;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::errors::NOTHING_WRITTEN;
use crate::cli::verb::backup::input;
use crate::cli::verb::read::ls::no_such_path;
use crate::path::SnapshotPath;
use crate::repository::manifest;
use crate::repository::open::Repository;
use crate::repository::tree::reader::find_entry;
use crate::run::monitor::Phase;
use crate::source::unix::FolderSource;

use super::DiffArgs;
use super::Totals;
use super::show;

pub(super) fn run(
    context: &Context,
    args: &DiffArgs,
    (place, folder): (&Place, &Path),
) -> Result<Ended, Failure> {
    let mut own = input::rules(&args.exclude)?;
    let keys = opened::keys(context)?;
    let snapshots = opened::list(context, &keys)?;
    let chosen = snapshot::choose(&snapshots, &place.snapshot, &args.filter)?;
    // The snapshot's rules first, so that a rule of the command line can take something in again.
    let vault = keys.repository.vault();
    let signed = vault.read_manifest(&context.run, &chosen.id)?;
    let mut rules = manifest::open_manifest(&keys.unlocked.keyset, &signed)?.excludes;
    rules.append(&mut own);
    let excludes = input::excludes(&args.exclude, &rules)?;
    let within = within(context, &keys.repository, (chosen, place, folder))?;
    let source = FolderSource::at(within.clone(), folder, excludes)?;
    let depth = if args.content { Depth::Content } else { Depth::Metadata };
    context.run.phase(Phase::Scanning);
    let compared = Compared { root: &chosen.root, within: &within, source: &source, depth };
    let mut totals = Totals::default();
    live::compare(&context.run, &keys.repository, &compared, &mut |change| {
        show(context, &change, &within, &mut totals)
    })?;
    totals.tell(context)?;
    Ok(Ended::done())
}

/// The path of the snapshot that the folder is compared with.
fn within(
    context: &Context,
    reader: &Repository,
    (chosen, place, folder): (&Snapshot, &Place, &Path),
) -> Result<SnapshotPath, Failure> {
    let find = |path: &SnapshotPath| find_entry(&context.run, reader, &chosen.root, path);
    if !place.path.is_root() {
        find(&place.path)?.ok_or_else(|| no_such_path(&place.path))?;
        return Ok(place.path.clone());
    }
    let absolute = std::path::absolute(folder).ok();
    let own = absolute
        .and_then(|path| SnapshotPath::from_user(path.as_os_str().as_encoded_bytes()).ok())
        .filter(|path| !path.is_root());
    let Some(own) = own else { return Ok(SnapshotPath::root()) };
    if find(&own)?.is_some() {
        return Ok(own);
    }
    // A backup of a relative path stands under that; the snapshot names it in full too.
    let named = chosen.paths.iter().filter_map(|path| SnapshotPath::from_user(path).ok());
    let Some(above) = named.filter(|path| own.is_within(path)).max_by_key(SnapshotPath::depth)
    else {
        return Ok(SnapshotPath::root());
    };
    let rest = own.relative_to(&above).unwrap_or_else(SnapshotPath::root);
    if find(&SnapshotPath::root())?.is_some() {
        return Ok(rest);
    }
    for start in 1..above.depth() {
        let Some(given) = joined(above.components().skip(start)) else { continue };
        if find(&given)?.is_some() {
            let place = joined(given.components().chain(rest.components()));
            return Ok(place.unwrap_or(given));
        }
    }
    Ok(SnapshotPath::root())
}

fn joined<'n>(mut names: impl Iterator<Item = &'n [u8]>) -> Option<SnapshotPath> {
    names.try_fold(SnapshotPath::root(), |path, name| path.join(name)).ok()
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Source(error) => Self::from(error).meaning(NOTHING_WRITTEN),
            LiveError::Repository(error) => error.into(),
        }
    }
}
