//! Things in the target that the snapshot does not have.

use std::collections::BTreeSet;

use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::restore::RestoreError;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::target::TargetError;
use crate::target::Writer;

/// What a removal did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) count: u64,
    pub(super) problems: Vec<Problem>,
}

/// Removes from `folder` what `wanted` does not name, with all beneath it, following nothing.
pub(super) fn remove_strangers(
    run: &Run,
    writer: &mut dyn Writer,
    folder: &SnapshotPath,
    wanted: &BTreeSet<Vec<u8>>,
) -> Result<Removed, RestoreError> {
    let mut removed = Removed::default();
    let names = match writer.list(folder) {
        Ok(names) => names,
        Err(error) => {
            removed.problems.push(Problem::new(folder.to_slashed(), error.to_string()));
            return Ok(removed);
        }
    };
    for name in names.into_iter().filter(|name| !is_kept(name, wanted)) {
        let Ok(path) = folder.join(&name) else { continue };
        remove_all(run, writer, path, &mut removed)?;
    }
    Ok(removed)
}

/// Whether the snapshot has the name, or a restore put it beside such a name.
fn is_kept(name: &[u8], wanted: &BTreeSet<Vec<u8>>) -> bool {
    let is_beside = |mark: &[u8]| {
        let at = name.windows(mark.len()).rposition(|part| part == mark);
        at.and_then(|at| name.get(..at)).is_some_and(|stem| wanted.contains(stem))
    };
    wanted.contains(name) || is_beside(b".damaged") || is_beside(b".replaced")
}

fn remove_all(
    run: &Run,
    writer: &mut dyn Writer,
    path: SnapshotPath,
    removed: &mut Removed,
) -> Result<(), RestoreError> {
    let mut stack = vec![(path, Visit::First)];
    while let Some((path, visit)) = stack.pop() {
        run.check()?;
        let step = remove_one(writer, &path, visit);
        match step {
            Ok(Step::Inside(names)) => {
                stack.push((path.clone(), Visit::Emptied));
                let inside = names.iter().filter_map(|name| path.join(name).ok());
                stack.extend(inside.map(|path| (path, Visit::First)));
            }
            Ok(Step::Removed) => {
                run.count(Count::EntriesRemoved, 1);
                removed.count += 1;
            }
            Ok(Step::Gone) => {}
            Err(error) => {
                removed.problems.push(Problem::new(path.to_slashed(), error.to_string()));
            }
        }
    }
    Ok(())
}

/// A folder is visited before and after what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    First,
    Emptied,
}

enum Step {
    Removed,
    Gone,
    Inside(Vec<Vec<u8>>),
}

fn remove_one(
    writer: &mut dyn Writer,
    path: &SnapshotPath,
    visit: Visit,
) -> Result<Step, TargetError> {
    let Some(found) = writer.look(path)? else { return Ok(Step::Gone) };
    if found.kind == Kind::Directory && visit == Visit::First {
        return writer.list(path).map(Step::Inside);
    }
    writer.remove(path, found.kind).map(|()| Step::Removed)
}
