//! Where the parts of a snapshot are restored to.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::choose::opened::Opened;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::verb::read::ls::no_such_path;
use crate::cli::verb::restore::RestoreArgs;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::tree::reader::find_entry;

/// One restore: what, and into which folder.
pub(super) struct Task {
    pub(super) within: SnapshotPath,
    pub(super) target: PathBuf,
}

pub(super) fn tasks(
    context: &Context,
    opened: &Opened,
    chosen: &Snapshot,
    (args, within): (&RestoreArgs, &SnapshotPath),
) -> Result<Vec<Task>, Failure> {
    if !args.place.in_place {
        let target = match &args.place.target {
            Some(target) => target.clone(),
            None => fresh_folder(chosen),
        };
        return Ok(vec![Task { within: within.clone(), target }]);
    }
    let mut tasks = Vec::new();
    for source in &chosen.paths {
        let (base, named) = stands_at(context, opened, chosen, source)?;
        let part = match (within.is_within(&named), named.is_within(within)) {
            (true, _) => within.clone(),
            (false, true) => named,
            (false, false) => continue,
        };
        let found = find_entry(&context.run, &opened.reader, &chosen.root, &part)?;
        let folder = match found {
            Some(entry) if entry.meta.kind != Kind::Directory => part.parent(),
            None if !part.is_root() => continue,
            _ => Some(part.clone()),
        };
        let target = base.join(os_path(&folder.unwrap_or_default().to_slashed()));
        tasks.push(Task { within: part, target });
    }
    if tasks.is_empty() { Err(no_such_path(within)) } else { Ok(tasks) }
}

/// Where a source path stands in the snapshot, and the folder that this is relative to. What was
/// named with an absolute path stands there with all its names, else with the last ones.
fn stands_at(
    context: &Context,
    opened: &Opened,
    chosen: &Snapshot,
    source: &[u8],
) -> Result<(PathBuf, SnapshotPath), Failure> {
    let whole = SnapshotPath::from_user(source).unwrap_or_default();
    let names: Vec<&[u8]> = whole.components().collect();
    for above in 0..names.len() {
        let (base, rest) = names.split_at(above);
        let named = SnapshotPath::from_stored(&rest.join(&0)).unwrap_or_default();
        if find_entry(&context.run, &opened.reader, &chosen.root, &named)?.is_some() {
            return Ok((Path::new("/").join(os_path(&base.join(&b'/'))), named));
        }
    }
    Ok((Path::new("/").join(os_path(&names.join(&b'/'))), SnapshotPath::root()))
}

#[cfg(unix)]
fn os_path(bytes: &[u8]) -> PathBuf {
    let text: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    PathBuf::from(text)
}

#[cfg(not(unix))]
fn os_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// A folder beneath the current one that does not exist.
fn fresh_folder(chosen: &Snapshot) -> PathBuf {
    let name = format!("restored-{}", chosen.id.short());
    let numbered = (2_u32..).map(|n| format!("{name}-{n}"));
    let mut names = std::iter::once(name.clone()).chain(numbered).map(PathBuf::from);
    names.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| PathBuf::from(name))
}
