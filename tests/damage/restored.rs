//! What a restore gives of a damaged repository: every file that is not lost, right bytes under
//! every final name, and the rest of a damaged file beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use lifeboat::path::SnapshotPath;
use lifeboat::repository::manifest::open_manifest;
use lifeboat::repository::trust::Enrolled;
use lifeboat::restore::Delete;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::Owners;
use lifeboat::restore::Replaced;
use lifeboat::restore::Rights;
use lifeboat::restore::Verify;
use lifeboat::restore::execute::execute;
use lifeboat::restore::select::Selection;
use lifeboat::storage::Storage;
use lifeboat::target::unix::FolderTarget;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;

use crate::damage::oracle::Access;
use crate::damage::oracle::Expected;
use crate::damage::oracle::Oracle;
use crate::damage::oracle::Snapshot;
use crate::damage::verdict;

fn options() -> Options {
    Options {
        selection: Selection::new(SnapshotPath::root(), &[], &[]).unwrap(),
        overwrite: Overwrite::Always,
        replaced: Replaced::Dropped,
        delete: Delete::Nothing,
        owners: Owners::Own,
        rights: Rights::Careful,
        verify: Verify::No,
        threads_count: 1,
    }
}

/// Restores every snapshot that can be had; what is wrong with what came back, and how many files
/// were compared.
pub fn try_all(
    oracle: &Oracle,
    storage: &Arc<dyn Storage>,
    expected: &Expected,
) -> (Vec<String>, usize) {
    let opened = match verdict::open(storage) {
        Ok(opened) => opened,
        Err(_) if !expected.opens() => return (Vec::new(), 0),
        Err(error) => return (vec![format!("over-loss: it does not open: {error}")], 0),
    };
    let signers = match Enrolled::load(&opened.run, storage, &opened.keyset) {
        Ok(signers) => signers,
        Err(_) if expected.access < Access::All => return (Vec::new(), 0),
        Err(error) => return (vec![format!("over-loss: machines: {error}")], 0),
    };
    let vault = opened.repository.vault();
    let listed = vault.manifests(&opened.run, Scope::All, Copies::First, &signers).unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for snapshot in &oracle.snapshots {
        let stored = listed.manifests.iter().find(|it| it.place.id.to_string() == snapshot.id);
        let all = snapshot.made.files.keys().map(|path| (snapshot.id.clone(), Some(path.clone())));
        let Some(stored) = stored else {
            if !all.into_iter().all(|file| expected.losses.contains_key(&file)) {
                wrong.push(format!("over-loss: snapshot {} is not listed", snapshot.place));
            }
            continue;
        };
        let root = open_manifest(&opened.keyset, &stored.manifest).unwrap().root();
        let folder = tempfile::tempdir().unwrap();
        let target = FolderTarget::open(&folder.path().join("root"), 1).unwrap();
        let report = execute(&opened.run, (&opened.repository, &root), &target, &options());
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                wrong.push(format!("over-loss: restore ends: {error}"));
                continue;
            }
        };
        let is_whole = !expected.losses.keys().any(|(id, _)| *id == snapshot.id);
        if is_whole && (report.failed_count, report.lost_nodes_count) != (0, 0) {
            wrong.push(format!("over-loss: {report:?}"));
        }
        if !is_whole && report.failed_count == 0 && report.lost_nodes_count == 0 {
            wrong.push(format!("undetected by restore: {report:?}"));
        }
        compared += snapshot.made.files.len();
        wrong.extend(compare(snapshot, &folder.path().join("root"), expected));
    }
    (wrong, compared)
}

fn compare(snapshot: &Snapshot, root: &Path, expected: &Expected) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, bytes) in &snapshot.made.files {
        let found = std::fs::read(root.join(path)).ok();
        let lost = expected.losses.get(&(snapshot.id.clone(), Some(path.clone())));
        match (lost, found) {
            (None, Some(found)) if found == *bytes => {}
            (None, Some(_)) => wrong.push(format!("wrong bytes under {path}")),
            (None, None) => wrong.push(format!("over-loss: {path} is missing")),
            (Some(_), Some(_)) => wrong.push(format!("{path} is lost and has its final name")),
            (Some(ranges), None) => wrong.extend(remains(root, path, bytes, ranges)),
        }
    }
    let mut names = BTreeMap::new();
    list(root, "", &mut names);
    for name in names.keys() {
        let known = name.strip_suffix(".damaged").unwrap_or(name);
        let is_link = name == "link";
        if !snapshot.made.files.contains_key(known) && !is_link {
            wrong.push(format!("{name} was never there"));
        }
    }
    wrong
}

/// What is left of a damaged file: right outside of what is lost, zeros within.
fn remains(root: &Path, path: &str, bytes: &[u8], ranges: &[(u64, u64)]) -> Option<String> {
    let found = std::fs::read(root.join(format!("{path}.damaged"))).ok()?;
    let is_lost = |at: u64| ranges.iter().any(|(start, end)| (*start..*end).contains(&at));
    let right = |(at, byte): (usize, &u8)| {
        let lost = is_lost(at as u64);
        *byte == if lost { 0 } else { bytes[at] }
    };
    let is_right = found.len() == bytes.len() && found.iter().enumerate().all(right);
    (!is_right).then(|| format!("wrong bytes in {path}.damaged"))
}

fn list(folder: &Path, below: &str, into: &mut BTreeMap<String, ()>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if std::fs::symlink_metadata(&path).unwrap().is_dir() {
            list(&path, &name, into);
        } else {
            into.insert(name, ());
        }
    }
}
