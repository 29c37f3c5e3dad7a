//! Many generated trees through the library: backup, restore, every attribute compared; then
//! changed, and again.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lifeboat::backup::Cutting;
use lifeboat::restore::Options;
use lifeboat::restore::select::Selection;
use lifeboat::source::exclude::Excludes;
use lifeboat::source::unix::FolderSource;
use lifeboat::vault::scrub::report::Verdict;

use crate::support::compare::Thing;
use crate::support::compare::differences;
use crate::support::compare::look;
use crate::support::generate;
use crate::support::mutate::mutate;
use crate::support::profile::Profile;
use crate::support::tally::Tally;
use crate::world::Machine;
use crate::world::World;
use crate::world::fast_folder;
use crate::world::folder_target;
use crate::world::restore_options;
use crate::world::snapshot_path;

/// What [`Thing`] has besides its name.
const ATTRIBUTES: u64 = 11;

/// Backs up `tree`, restores it, and tells every difference; how many things were compared.
fn round_trip(world: &mut World, machine: &Machine, tree: &Path) -> (u64, Vec<String>) {
    let source = FolderSource::new(&[tree.to_path_buf()], Excludes::default()).unwrap();
    let watched = world.run();
    let report = world.backup_cut(&watched, machine, (&source, "tree"), Cutting::DEFAULT).unwrap();
    let mut found = watched.problems();
    let id = report.snapshot.unwrap().id;
    let within = snapshot_path(tree.to_str().unwrap());
    let selection = Selection::new(within, &[], &[]).unwrap();
    let options = Options { selection, threads_count: 2, ..restore_options() };
    let folder = fast_folder();
    let target = folder.path().join("target");
    let watched = world.run();
    world.restore(&watched, &id, (&folder_target(&target), &options)).unwrap();
    found.extend(watched.problems());
    let before = look(tree);
    found.extend(differences(&before, &look(&target)));
    (before.len() as u64, found)
}

/// One tree: as it is, and after changes. Every twentieth has everything that a folder can hold.
fn torture(seed: u64) -> (u64, Vec<String>) {
    let mut world = World::new();
    let machine = world.enrol("desk");
    let folder = fast_folder();
    let tree = folder.path().join("tree");
    if seed.is_multiple_of(20) {
        generate::full(&tree, seed);
    } else {
        generate::small(&tree, seed);
    }
    let (mut things, mut found) = round_trip(&mut world, &machine, &tree);
    for round in 0..2 {
        mutate(&tree, seed * 10 + round, 6);
        let (more, wrong) = round_trip(&mut world, &machine, &tree);
        things += more;
        found.extend(wrong);
    }
    if seed.is_multiple_of(5) && world.check().verdict() != Verdict::Ok {
        found.push("the check is not content".to_owned());
    }
    (things, found)
}

#[test]
fn generated_trees_come_back_with_every_attribute() {
    let first = 1;
    let trees = Profile::of_process().pick(25, 500, 20_000);
    let mut tally = Tally::start("h11-trees", first);
    let next = AtomicU64::new(first);
    let done = std::sync::Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + trees || !done.lock().unwrap().1.is_empty() {
                        return;
                    }
                    let (things, found) = torture(seed);
                    let mut done = done.lock().unwrap();
                    done.0 += things;
                    let found = found.into_iter().take(10);
                    done.1.extend(found.map(|line| format!("seed {seed}: {line}")));
                }
            });
        }
    });
    let (things, found) = done.into_inner().unwrap();
    tally.trials = (next.into_inner() - first).min(trees);
    tally.count("things", things);
    tally.count("attributes", things * ATTRIBUTES);
    tally.failures = found.len() as u64;
    tally.finish();
    assert!(found.is_empty(), "{}", found.join("\n"));
    // A new field of the comparer has to be counted, and so looked at, here.
    let Thing { kind, mode, owner, mtime, size, content, data, device, link, xattrs, names } =
        look(Path::new("/dev/null")).remove(b"".as_slice()).unwrap();
    let _counted = (kind, mode, owner, mtime, size, content, (data, device, link, xattrs, names));
}
