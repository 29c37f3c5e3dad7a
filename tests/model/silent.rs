//! Faults that nobody is told of: bits that flip, blobs that end early or vanish between two
//! commands. Then `check` names what is bad and nothing else, a restore gives all that is not said
//! to be lost, and once the medium is as it was, nothing is missing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use lifeboat::meta::Kind;
use lifeboat::storage::BlobName;
use lifeboat::storage::Storage;
use lifeboat::storage::memory::MemoryBlobs;
use lifeboat::vault::scrub::report::LostPart;
use lifeboat::vault::scrub::report::Report;
use lifeboat::vault::scrub::report::Verdict;

use super::restoring;
use super::sequence::Done;
use super::sequence::Sequence;
use super::sequence::Snapshot;
use crate::support::Random;

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Flipped,
    Cut,
    Vanished,
}

type Harms = BTreeMap<BlobName, Harm>;

pub fn step(sequence: &mut Sequence<'_>) -> Done {
    if sequence.snapshots.is_empty() {
        return Ok(());
    }
    let listed = sequence.listed()?;
    let known: BTreeSet<String> =
        sequence.world.check().bad.into_iter().map(|bad| bad.name).collect();
    let before = sequence.world.memory.blobs();
    let harms = harm(sequence, &before);
    // Names follow from keys, and so from no seed.
    let kinds: Vec<_> = harms.iter().map(|(name, harm)| (kind(name).to_owned(), harm)).collect();
    sequence.log.push(format!("silently: {kinds:?}"));
    sequence.count("silent_faults");
    judge(sequence, &harms, &known)?;
    let failed = backup_meanwhile(sequence, &harms);
    heal(sequence, &before, &harms);
    match failed {
        Some(dataset) => sequence.adopt(dataset, &listed),
        None => Ok(()),
    }
}

/// Harms one blob, or two of which the second is no small record.
fn harm(sequence: &mut Sequence<'_>, blobs: &MemoryBlobs) -> Harms {
    let (random, removed) = (&mut sequence.random, &sequence.removed);
    let mut harms = Harms::new();
    let is_data = |name: &BlobName| ["packs/", "index/"].iter().any(|it| starts(name, it));
    for at in 0..1 + random.below(2) {
        // What belongs to removed snapshots is promised to nobody.
        let is_removed = |name: &BlobName| {
            let of_removal = ["tombstones/", "condemned/"].iter().any(|it| starts(name, it));
            of_removal || removed.iter().any(|id| name.as_str().ends_with(id))
        };
        let is_wanted = |name: &BlobName| {
            (at == 0 || is_data(name)) && !is_removed(name) && !is_half(blobs, name)
        };
        let name = pick(blobs, random, is_wanted);
        let bytes = &blobs[&name].content;
        let what = [Harm::Flipped, Harm::Cut, Harm::Vanished][random.below(3)];
        let memory = &sequence.world.memory;
        let _once = memory.delete(&name);
        let mut harmed = bytes.to_vec();
        match what {
            Harm::Flipped => {
                let bit = random.below(harmed.len() * 8);
                harmed[bit / 8] ^= 1 << (bit % 8);
            }
            Harm::Cut => harmed.truncate(random.below(harmed.len())),
            Harm::Vanished => {}
        }
        if what != Harm::Vanished {
            memory.create(&name, &[&harmed]).unwrap();
        }
        harms.insert(name, what);
    }
    harms
}

/// A manifest whose twin a stopped backup has not written: its one copy is all that there is, and
/// no backup has said that it stays.
fn is_half(blobs: &MemoryBlobs, name: &BlobName) -> bool {
    let (first, second) = ("manifests/", "manifests.2/");
    let twin = match (name.as_str().strip_prefix(first), name.as_str().strip_prefix(second)) {
        (Some(rest), _) => format!("{second}{rest}"),
        (None, Some(rest)) => format!("{first}{rest}"),
        (None, None) => return false,
    };
    !blobs.keys().any(|name| name.as_str() == twin)
}

fn starts(name: &BlobName, with: &str) -> bool {
    name.as_str().starts_with(with)
}

fn kind(name: &BlobName) -> &str {
    name.as_str().split('/').next().unwrap()
}

/// A blob of a kind by chance, so that the few small records are met as often as packs. Sessions
/// hold nothing that anybody restores. Of a kind they stand by age and length, because their names
/// follow from no seed.
fn pick(blobs: &MemoryBlobs, random: &mut Random, wanted: impl Fn(&BlobName) -> bool) -> BlobName {
    let mut kinds: BTreeMap<&str, Vec<&BlobName>> = BTreeMap::new();
    for name in blobs.keys().filter(|name| !starts(name, "sessions/") && wanted(name)) {
        kinds.entry(kind(name)).or_default().push(name);
    }
    let kinds: Vec<Vec<&BlobName>> = kinds.into_values().collect();
    let mut of_kind = kinds[random.below(kinds.len())].clone();
    of_kind.sort_by_key(|name| (blobs[name].created.unix_ms, blobs[name].content.len()));
    of_kind[random.below(of_kind.len())].clone()
}

fn heal(sequence: &Sequence<'_>, before: &MemoryBlobs, harms: &Harms) {
    let memory = &sequence.world.memory;
    for name in harms.keys() {
        let _nothing_or_harmed = memory.delete(name);
        memory.create(name, &[&before[name].content]).unwrap();
    }
}

fn judge(sequence: &mut Sequence<'_>, harms: &Harms, known: &BTreeSet<String>) -> Done {
    let report = sequence.world.check();
    names_are_right(&report, harms, known)?;
    let lost_all = sequence.snapshots.clone().into_iter().map(|snapshot| {
        let lost = lost_of(&report, &snapshot);
        (snapshot, lost)
    });
    let lost_all: Vec<(Snapshot, BTreeSet<String>)> = lost_all.collect();
    let mut some: BTreeSet<usize> = (0..2).map(|_| sequence.random.below(lost_all.len())).collect();
    some.extend((0..lost_all.len()).filter(|at| !lost_all[*at].1.is_empty()).take(4));
    for at in some {
        let (snapshot, lost) = &lost_all[at];
        sequence.count("silent_restores");
        sequence.count(if lost.is_empty() { "silent_whole" } else { "silent_lossy" });
        let is_lossy = report.lost_files.iter().any(|lost| lost.snapshot == snapshot.id);
        rest_is_given(sequence, snapshot, (lost, is_lossy))
            .map_err(|why| format!("{harms:?}: {why}\n{:?}", report.lost_files))?;
    }
    Ok(())
}

/// Everything that is bad is named, and nothing that is whole.
fn names_are_right(report: &Report, harms: &Harms, known: &BTreeSet<String>) -> Done {
    let named: BTreeSet<&str> = report.bad.iter().map(|bad| bad.name.as_str()).collect();
    for (name, harm) in harms {
        // What is gone is missed where something needs it; what is there is always read.
        let is_needed = *harm != Harm::Vanished
            || !["packs/", "index/", "tombstones/"].iter().any(|it| starts(name, it));
        if is_needed && !named.contains(name.as_str()) {
            return Err(format!("undetected: {name} was {harm:?}, and check names {named:?}"));
        }
    }
    let is_ours = |name: &str| {
        let is_harmed = harms.keys().any(|harmed| harmed.as_str() == name);
        // An object without a second copy is named by itself, packs without a row together.
        is_harmed || known.contains(name) || name == "index/" || name.starts_with("packs/ (")
    };
    match named.iter().find(|name| !is_ours(name)) {
        Some(name) => Err(format!("false alarm: {name} is named, and bad is {harms:?}")),
        None if report.verdict() == Verdict::Ok && !report.lost_files.is_empty() => {
            Err("check says OK of files that are lost".to_owned())
        }
        None => Ok(()),
    }
}

/// The paths that check calls lost, with the other names of the same files.
fn lost_of(report: &Report, snapshot: &Snapshot) -> BTreeSet<String> {
    let stored = |path: &str| crate::world::snapshot_path(path).as_stored().to_vec();
    let mut lost = BTreeSet::new();
    for found in report.lost_files.iter().filter(|found| found.snapshot == snapshot.id) {
        let names = snapshot.tree.names.keys();
        match &found.what {
            LostPart::File { path, .. } => {
                lost.insert(String::from_utf8(path.to_slashed()).unwrap());
            }
            LostPart::Entries { from, before } => lost.extend(
                names
                    .filter(|path| {
                        let stored = stored(path);
                        from.as_stored() <= stored.as_slice()
                            && before.as_ref().is_none_or(|end| stored.as_slice() < end.as_stored())
                    })
                    .cloned(),
            ),
            LostPart::Objects { .. } => panic!("a check with all keys counts objects"),
        }
    }
    let inodes: BTreeSet<u64> =
        lost.iter().filter_map(|path| snapshot.tree.names.get(path)).copied().collect();
    let names = snapshot.tree.names.iter();
    lost.extend(names.filter(|(_, inode)| inodes.contains(inode)).map(|(path, _)| path.clone()));
    lost
}

/// A restore gives everything but what is lost, and tells if anything is.
fn rest_is_given(
    sequence: &mut Sequence<'_>,
    snapshot: &Snapshot,
    (lost, is_lossy): (&BTreeSet<String>, bool),
) -> Done {
    let (told, wrong) = restoring::what_is_left(sequence, snapshot)?;
    let is_lost = |line: &String| {
        lost.iter().any(|path| {
            let name = path.as_bytes().escape_ascii();
            ["", ".damaged"].iter().any(|end| line.starts_with(&format!("{name}{end}:")))
        })
    };
    if let Some(line) = wrong.iter().find(|line| !is_lost(line)) {
        return Err(format!("over-loss in snapshot {}: {line}", snapshot.number));
    }
    // What is in doubt was not compared.
    let doubt = snapshot.doubt.as_ref().map(|path| snapshot.tree.names[path]);
    let is_compared = |path: &&String| {
        snapshot.tree.inode(path).kind == Kind::File && doubt != Some(snapshot.tree.names[*path])
    };
    for path in lost.iter().filter(is_compared) {
        let start = format!("{}:", path.as_bytes().escape_ascii());
        if !wrong.iter().any(|line| line.starts_with(&start)) {
            return Err(format!("false alarm: {path:?} of snapshot {} restores", snapshot.number));
        }
    }
    if told != is_lossy && snapshot.doubt.is_none() {
        return Err(format!("restore told of trouble: {told}, and something is lost: {is_lossy}"));
    }
    Ok(())
}

/// A backup while the medium is harmed; the dataset, if it failed.
fn backup_meanwhile(sequence: &mut Sequence<'_>, harms: &Harms) -> Option<usize> {
    // With a manifest or a record gone the chain may look shorter than it is: people heal first.
    let is_data = |name: &BlobName| starts(name, "packs/") || starts(name, "index/");
    let is_tried = sequence.random.below(2) == 0 && harms.keys().all(is_data);
    if is_tried { sequence.backup_over_harm() } else { None }
}
