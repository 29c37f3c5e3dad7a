//! Restores of a sequence: whole, a part, over something older, interrupted; compared by the tests'
//! own comparer.

use std::path::Path;

use lifeboat::meta::Kind;
use lifeboat::restore::Delete;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::Report;
use lifeboat::restore::Verify;
use lifeboat::restore::select::Selection;
use lifeboat::target::Target;
use lifeboat::target::TargetErrorKind;
use lifeboat::target::fault::FaultTarget;

use super::sequence::Done;
use super::sequence::Sequence;
use super::sequence::Snapshot;
use super::tree::comparable;
use crate::support::compare::Tree as Seen;
use crate::support::compare::differences;
use crate::support::compare::look;
use crate::world::fast_folder;
use crate::world::folder_target;
use crate::world::restore_options;
use crate::world::snapshot_path;

pub fn step(sequence: &mut Sequence<'_>) -> Done {
    if sequence.snapshots.is_empty() {
        return Ok(());
    }
    let at = sequence.random.below(sequence.snapshots.len());
    let snapshot = sequence.snapshots[at].clone();
    match sequence.random.below(6) {
        0 | 1 => whole(sequence, &snapshot),
        2 => part(sequence, &snapshot),
        3 => over(sequence, &snapshot),
        4 => protecting(sequence, &snapshot),
        _ => interrupted(sequence, &snapshot),
    }
}

/// Runs one restore; a snapshot without doubt restores without a problem.
fn restore(
    sequence: &mut Sequence<'_>,
    snapshot: &Snapshot,
    folder: &Path,
    options: &Options,
) -> Result<Report, String> {
    let target = sequence.plant.target(Box::new(folder_target(folder)));
    let watched = sequence.world.run();
    sequence.count("restores");
    let report = sequence.world.restore(&watched, &snapshot.id, (&*target, options));
    let report = report.map_err(|error| format!("restore: {error}"))?;
    let sum = report.restored_count + report.kept_count + report.failed_count;
    if report.asked_count != sum || report.lost_nodes_count > 0 {
        return Err(format!("restore: the counts do not add up: {report:?}"));
    }
    let problems = watched.problems();
    if snapshot.doubt.is_none() && !problems.is_empty() && options.overwrite == Overwrite::Always {
        return Err(format!("restore: {problems:?}"));
    }
    Ok(report)
}

/// What a restore should have made, without the entry that is in doubt and its other names.
fn compare(snapshot: &Snapshot, within: &str, folder: &Path) -> Done {
    let wrong = wrong(snapshot, within, folder);
    if wrong.is_empty() { Ok(()) } else { Err(format!("restored, and {wrong:#?}")) }
}

fn wrong(snapshot: &Snapshot, within: &str, folder: &Path) -> Vec<String> {
    let wanted = comparable(snapshot.tree.expected(within), within);
    let mut found = comparable(look(folder), within);
    if !within.is_empty() {
        // Unless it is a folder, what was asked for stands under its own name.
        let root = found.remove(b"".as_slice());
        if let (Some(root), true) = (root, wanted.contains_key(b"".as_slice())) {
            found.insert(Vec::new(), root);
        }
    }
    let doubt = snapshot.doubt.as_ref().map(|path| snapshot.tree.names[path]);
    let doubtful = |line: &String| {
        snapshot.tree.names.iter().any(|(path, number)| {
            let name = path.strip_prefix(within).unwrap_or(path).trim_start_matches('/');
            Some(*number) == doubt
                && line.starts_with(&format!("{}:", name.as_bytes().escape_ascii()))
        })
    };
    let mut wrong = differences(&wanted, &found);
    wrong.retain(|line| !doubtful(line));
    wrong
}

/// A whole restore from a medium that was harmed: whether it told of trouble, and each difference
/// to what should have come.
pub fn what_is_left(
    sequence: &mut Sequence<'_>,
    snapshot: &Snapshot,
) -> Result<(bool, Vec<String>), String> {
    let folder = fast_folder();
    let target = sequence.plant.target(Box::new(folder_target(folder.path())));
    let watched = sequence.world.run();
    let options = restore_options();
    let report = sequence.world.restore(&watched, &snapshot.id, (&*target, &options));
    let told = match report {
        Ok(report) if report.failed_count + report.lost_nodes_count == 0 => false,
        Ok(_) => !watched.problems().is_empty(),
        Err(_) => true,
    };
    Ok((told, wrong(snapshot, "", folder.path())))
}

/// Into a fresh folder.
pub fn whole(sequence: &mut Sequence<'_>, snapshot: &Snapshot) -> Done {
    let folder = fast_folder();
    sequence.log.push(format!("restore of {}", snapshot.number));
    let verify = [Verify::No, Verify::ReadAgain][sequence.random.below(2)];
    let options = Options { verify, ..restore_options() };
    restore(sequence, snapshot, folder.path(), &options)?;
    compare(snapshot, "", folder.path())
}

/// One folder of it.
fn part(sequence: &mut Sequence<'_>, snapshot: &Snapshot) -> Done {
    let wanted = |inode: &super::tree::Inode| inode.kind == Kind::Directory;
    let Some(path) = snapshot.tree.pick(&mut sequence.random, wanted) else { return Ok(()) };
    sequence.log.push(format!("restore of {} of {}", path, snapshot.number));
    let folder = fast_folder();
    let selection = Selection::new(snapshot_path(&path), &[], &[]).unwrap();
    restore(sequence, snapshot, folder.path(), &Options { selection, ..restore_options() })?;
    sequence.count("restores_of_parts");
    compare(snapshot, &path, folder.path())
}

/// Another snapshot of the same dataset, or this one.
fn other(sequence: &mut Sequence<'_>, snapshot: &Snapshot) -> Snapshot {
    let of: Vec<Snapshot> = sequence
        .snapshots
        .iter()
        .filter(|other| other.dataset == snapshot.dataset)
        .cloned()
        .collect();
    of[sequence.random.below(of.len())].clone()
}

/// Over what another snapshot left: with strangers removed nothing else is there afterwards.
fn over(sequence: &mut Sequence<'_>, snapshot: &Snapshot) -> Done {
    let older = other(sequence, snapshot);
    sequence.log.push(format!("restore of {} over {}", snapshot.number, older.number));
    let folder = fast_folder();
    restore(sequence, &older, folder.path(), &restore_options())?;
    let options = Options { delete: Delete::Strangers, ..restore_options() };
    let before = look(folder.path());
    let target_blocked = blocked(snapshot, &before);
    let doubtful = Snapshot {
        // Folders are never replaced by anything else; such an entry is named as a problem.
        doubt: snapshot.doubt.clone().or(target_blocked.first().cloned()),
        ..snapshot.clone()
    };
    restore(sequence, &doubtful, folder.path(), &options)?;
    sequence.count("restores_in_place");
    if target_blocked.is_empty() && older.doubt.is_none() {
        remove_others(snapshot, folder.path());
        return compare(snapshot, "", folder.path());
    }
    Ok(())
}

/// Removes what lies in the target's root and not in the snapshot: the root is no entry, so what a
/// user has beside the restored folders is no stranger.
fn remove_others(snapshot: &Snapshot, folder: &Path) {
    for row in std::fs::read_dir(folder).unwrap() {
        let path = row.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if snapshot.tree.names.contains_key(name) {
            continue;
        }
        match std::fs::symlink_metadata(&path).unwrap().is_dir() {
            true => std::fs::remove_dir_all(&path).unwrap(),
            false => std::fs::remove_file(&path).unwrap(),
        }
    }
}

/// Names where a folder stands and the snapshot has something else.
fn blocked(snapshot: &Snapshot, standing: &Seen) -> Vec<String> {
    let is_blocked = |(path, number): &(&String, &u64)| {
        let kind = snapshot.tree.inodes[number].kind;
        let there = standing.get(path.as_bytes()).map(|thing| thing.kind);
        kind != Kind::Directory && there == Some("folder")
    };
    snapshot.tree.names.iter().filter(is_blocked).map(|(path, _)| path.clone()).collect()
}

/// With `never`, everything that stood there still stands, byte by byte, and the rest came.
fn protecting(sequence: &mut Sequence<'_>, snapshot: &Snapshot) -> Done {
    let older = other(sequence, snapshot);
    sequence.log.push(format!("restore of {} beside {}", snapshot.number, older.number));
    let folder = fast_folder();
    restore(sequence, &older, folder.path(), &restore_options())?;
    let before = look(folder.path());
    let options = Options { overwrite: Overwrite::Never, ..restore_options() };
    restore(sequence, snapshot, folder.path(), &options)?;
    let after = look(folder.path());
    for (name, thing) in before.iter().filter(|(_, thing)| thing.kind != "folder") {
        let now = after.get(name);
        let same = now.is_some_and(|now| {
            (&now.content, now.kind, now.mode, now.mtime)
                == (&thing.content, thing.kind, thing.mode, thing.mtime)
        });
        if !same {
            return Err(format!("{} was not left alone: {now:?}", name.escape_ascii()));
        }
    }
    let taken = |path: &str| {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above
            .chain([path])
            .any(|path| before.get(path.as_bytes()).is_some_and(|thing| thing.kind != "folder"))
    };
    let doubt = snapshot.doubt.as_ref().map(|path| snapshot.tree.names[path]);
    for (path, number) in &snapshot.tree.names {
        // A link to what was protected is left out, and told.
        let linked = snapshot.tree.names.values().filter(|other| *other == number).count() > 1;
        if !taken(path) && !linked && Some(*number) != doubt && !after.contains_key(path.as_bytes())
        {
            return Err(format!("{path:?} was not restored beside the others"));
        }
    }
    sequence.count("restores_beside");
    Ok(())
}

/// A target that fails part way; the second run ends right.
fn interrupted(sequence: &mut Sequence<'_>, snapshot: &Snapshot) -> Done {
    let folder = fast_folder();
    let fail_from = 1 + sequence.random.next() % 40;
    sequence.log.push(format!("restore of {}, full at {fail_from}", snapshot.number));
    let kind = [TargetErrorKind::Full, TargetErrorKind::Other][sequence.random.below(2)];
    let watched = sequence.world.run();
    let first: Box<dyn Target> =
        Box::new(FaultTarget::new(folder_target(folder.path()), fail_from, kind));
    let done = sequence.world.restore(&watched, &snapshot.id, (&*first, &restore_options()));
    drop(first);
    let told = !watched.problems().is_empty();
    match done {
        Ok(report) if report.failed_count == 0 && report.problems_count == 0 => {
            compare(snapshot, "", folder.path())?;
        }
        Ok(_) if !told => return Err("a restore failed at something and did not tell".to_owned()),
        _ => sequence.count("restores_interrupted"),
    }
    restore(sequence, snapshot, folder.path(), &restore_options())?;
    compare(snapshot, "", folder.path())
}
