//! Damage: whatever is done to the bytes of a repository, a check says exactly what is bad, what
//! can be healed and what is lost, and a restore gives all the rest.
//!
//! The oracle (`damage/oracle.rs`) knows the graph of a repository with every kind of object and
//! record, and uses nothing of the program. Four failures weigh the same: undetected, false alarm,
//! over-loss, wrong class. A repository that was judged wrongly is left under
//! `target/reliability/`, with what was done to it.

mod flips;
mod harm;
mod museum;
mod oracle;
mod program;
mod reader;
mod repaired;
mod restored;
pub mod scene;
mod verdict;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use lifeboat::crypto::sealed::hpke::Suite;

use crate::damage::harm::Harm;
use crate::damage::oracle::Blobs;
use crate::damage::oracle::Oracle;
use crate::damage::scene::Scene;
use crate::support::Random;
use crate::support::profile;
use crate::support::profile::Profile;
use crate::support::tally::Tally;

const SEED: u64 = 1;
const THREADS: usize = 2;
/// Failures that are shown; the rest are counted.
const SHOWN_MAX: usize = 12;

fn world() -> (Scene, Oracle) {
    let scene = scene::build(SEED, Suite::X25519);
    let oracle = Oracle::new(&scene);
    (scene, oracle)
}

/// Does `work` for every number below `count` on two threads; what was wrong, by number.
fn in_parallel(count: usize, work: impl Fn(usize) -> Vec<String> + Sync) -> Vec<(usize, String)> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let found = work(at).into_iter().map(|text| (at, text));
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort_unstable();
    wrong
}

/// Writes the figures, and fails with the first of what was wrong.
fn finish(mut tally: Tally, trials: usize, wrong: &[(usize, String)]) {
    tally.trials += trials as u64;
    tally.failures =
        wrong.iter().map(|(at, _)| at).collect::<std::collections::BTreeSet<_>>().len() as u64;
    for class in ["undetected", "false alarm", "over-loss", "wrong class"] {
        let of_class = wrong.iter().filter(|(_, text)| text.contains(class)).count();
        tally.count(class, of_class as u64);
    }
    tally.finish();
    let shown: Vec<_> = wrong.iter().take(SHOWN_MAX).map(|(_, text)| text).collect();
    assert!(wrong.is_empty(), "{} failures, such as {shown:#?}", wrong.len());
}

/// One trial through the whole check: what differs from what must be said.
fn try_harms(oracle: &Oracle, harms: &[Harm]) -> Vec<String> {
    let mut blobs = oracle.original.clone();
    harms.iter().for_each(|harm| harm.apply(&mut blobs));
    let expected = oracle.expect(&blobs);
    let found = verdict::check(oracle, &verdict::storage_of(&blobs), &[]);
    let wrong = verdict::compare(&expected, &found);
    if !wrong.is_empty() {
        keep(&blobs, harms, &wrong);
    }
    wrong.into_iter().map(|text| format!("{harms:?}: {text}")).collect()
}

/// Leaves a repository that was judged wrongly for people to look at.
fn keep(blobs: &Blobs, harms: &[Harm], wrong: &[String]) {
    let folder = profile::folder().join("damaged");
    if folder.exists() {
        return;
    }
    for (name, bytes) in blobs {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        crate::support::generate::put(&path, bytes);
    }
    let text = format!("{harms:#?}\n{wrong:#?}\n");
    crate::support::generate::put(&folder.join(".harms"), text.as_bytes());
}

/// The oracle itself: it finds every file, and takes nothing for lost that is there.
#[test]
fn the_oracle_knows_what_each_blob_is_for() {
    let (_, oracle) = world();
    assert_eq!(oracle.kinds().keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let folders: std::collections::BTreeSet<&str> =
        oracle.original.keys().map(|name| name.split('/').next().unwrap()).collect();
    let all = [
        "config",
        "config.1",
        "config.2",
        "custody",
        "index",
        "keyring",
        "machines",
        "manifests",
        "manifests.2",
        "packs",
        "recipients",
        "sessions",
        "slots",
        "tombstones",
    ];
    assert_eq!(folders.into_iter().collect::<Vec<_>>(), all);
    let whole = oracle.expect(&oracle.original);
    assert!(whole.is_ok && whole.opens() && whole.free.is_empty(), "{whole:?}");
    let mut losing = 0;
    for name in oracle.original.keys() {
        let mut blobs = oracle.original.clone();
        blobs.remove(name);
        let expected = oracle.expect(&blobs);
        assert!(expected.copies.is_empty() && expected.opens(), "{name}");
        assert_eq!(expected.losses.is_empty(), expected.lost.is_empty(), "{name}");
        let is_named = expected.named.contains_key(name);
        assert!(is_named || expected.free.contains(name), "{name}");
        assert_eq!(!expected.gaps.is_empty(), name.starts_with("tombstones/"), "{name}");
        losing += usize::from(!expected.losses.is_empty());
        // What was emptied is named, and takes no more with it.
        blobs.insert(name.clone(), Arc::from(&b""[..]));
        let emptied = oracle.expect(&blobs);
        assert_eq!((emptied.lost, emptied.losses), (expected.lost, expected.losses), "{name}");
        assert!(emptied.named.contains_key(name), "{name}");
    }
    // The packs of data, and no other blob, stand alone.
    assert!(losing > 10 && losing < 40, "{losing}");
}

/// Nothing is wrong with what nobody damaged.
#[test]
fn a_whole_repository_is_ok_and_restores() {
    let (_, oracle) = world();
    assert_eq!(try_harms(&oracle, &[]), [""; 0]);
    let expected = oracle.expect(&oracle.original);
    let storage = verdict::storage_of(&oracle.original);
    let (wrong, compared) = restored::try_all(&oracle, &storage, &expected);
    assert_eq!(wrong, [""; 0]);
    assert!(compared > 150, "{compared}");
}

/// Every bit in the gate; one bit of every byte otherwise, another for each byte.
#[test]
fn every_flipped_bit_is_named_where_it_is() {
    let (scene, oracle) = world();
    let mut tally = Tally::start("h8-flips", SEED);
    let names: Vec<&String> = oracle.original.keys().collect();
    let tried = AtomicUsize::new(0);
    let wrong = in_parallel(names.len(), |at| {
        let blob = flips::Blob::new(&oracle, &scene.keyset, names[at]);
        let mut wrong: Vec<String> = blob.try_whole().into_iter().collect();
        let bits = 0..blob.bits();
        let turn = |bit: &usize| bit % 8 == (bit / 8 + at) % 8;
        let is_all = Profile::of_process().pick(false, true, true);
        for bit in bits.filter(|bit| is_all || turn(bit)) {
            wrong.extend(blob.try_bit(bit).map(|text| format!("undetected: {text}")));
            tried.fetch_add(1, Ordering::Relaxed);
        }
        wrong
    });
    tally.count("blobs", names.len() as u64);
    tally.count("bytes", oracle.original.values().map(|bytes| bytes.len() as u64).sum());
    finish(tally, tried.into_inner(), &wrong);
}

/// The quick look at a flip and the whole check agree.
#[test]
fn a_sample_of_flips_is_told_exactly_by_the_whole_check() {
    let (_, oracle) = world();
    let tally = Tally::start("h8-flips-checked", SEED);
    let names: Vec<&String> = oracle.original.keys().collect();
    let count = Profile::of_process().pick(200, 5000, 100_000);
    let wrong = in_parallel(count, |at| {
        let mut random = Random::new(SEED + at as u64);
        // Small blobs as often as large ones.
        let name = names[at % names.len()].clone();
        let bit = random.below(oracle.original[&name].len() * 8);
        try_harms(&oracle, &[Harm::Flip(name, bit)])
    });
    finish(tally, count, &wrong);
}

/// Every blob deleted, emptied, cut, lengthened, swapped, replaced by an older one, doubled.
#[test]
fn whatever_happens_to_a_blob_is_told_exactly() {
    let (_, oracle) = world();
    let mut tally = Tally::start("h8-blobs", SEED);
    let mut random = Random::new(SEED);
    let all = harm::all(&oracle.original, &mut random);
    let count = Profile::of_process().pick(600, all.len(), all.len());
    let wrong = in_parallel(count, |at| {
        // The quick profile takes some of each kind.
        let harm = &all[at * all.len() / count];
        try_harms(&oracle, std::slice::from_ref(harm))
    });
    tally.count("kinds of damage", all.len() as u64);
    finish(tally, count, &wrong);
}

/// Two and three damages at once, by chance.
#[test]
fn several_damages_at_once_are_told_exactly() {
    let (_, oracle) = world();
    let tally = Tally::start("h8-several", SEED);
    let count = Profile::of_process().pick(600, 36_000, 2_000_000);
    let wrong = in_parallel(count, |at| {
        let mut random = Random::new(SEED + 1_000_000 + at as u64);
        let harms: Vec<Harm> =
            (0..2 + at % 2).map(|_| harm::any(&oracle.original, &mut random)).collect();
        try_harms(&oracle, &harms)
    });
    finish(tally, count, &wrong);
}

/// A restore gives what the oracle says, of each snapshot.
#[test]
fn a_restore_gives_all_that_is_left() {
    let (_, oracle) = world();
    let mut tally = Tally::start("h8-restores", SEED);
    let count = Profile::of_process().pick(25, 1000, 50_000);
    let files = AtomicUsize::new(0);
    let wrong = in_parallel(count, |at| {
        let mut random = Random::new(SEED + 2_000_000 + at as u64);
        let harms: Vec<Harm> =
            (0..1 + at % 3).map(|_| harm::any(&oracle.original, &mut random)).collect();
        let mut blobs = oracle.original.clone();
        harms.iter().for_each(|harm| harm.apply(&mut blobs));
        let expected = oracle.expect(&blobs);
        let (wrong, compared) = restored::try_all(&oracle, &verdict::storage_of(&blobs), &expected);
        files.fetch_add(compared, Ordering::Relaxed);
        if !wrong.is_empty() {
            keep(&blobs, &harms, &wrong);
        }
        wrong.into_iter().map(|text| format!("{harms:?}: {text}")).collect()
    });
    tally.count("files compared", files.into_inner() as u64);
    finish(tally, count, &wrong);
}

fn names_below(oracle: &Oracle, prefix: &str) -> Vec<String> {
    oracle.original.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
}

/// A pack that this index file names, by chance, and all the others. Of what another one names
/// everybody would know what it held.
fn named_pack(oracle: &Oracle, index: &str, random: &mut Random) -> (String, Vec<String>) {
    let mut packs = names_below(oracle, "packs/");
    let is_named = |at: &usize| oracle.names_pack(index, &packs[*at]);
    let named: Vec<usize> = (0..packs.len()).filter(is_named).collect();
    let chosen = packs.swap_remove(named[random.below(named.len())]);
    (chosen, packs)
}

/// The same after keys were rotated: what older keys have sealed stands beside what newer ones
/// have.
#[test]
fn rotated_keys_are_judged_alike() {
    let oracle = Oracle::new(&scene::build_rotated(SEED + 1, Suite::X25519));
    let mut random = Random::new(SEED + 6_000_000);
    let harms = harm::all(&oracle.original, &mut random);
    let is_key = |harm: &Harm| {
        let text = format!("{harm:?}");
        ["slots/", "keyring/", "recipients/"].iter().any(|folder| text.contains(folder))
    };
    let stride = Profile::of_process().pick(9, 1, 1);
    let (keys, others): (Vec<_>, Vec<_>) = harms.into_iter().partition(is_key);
    let chosen: Vec<Harm> = keys.into_iter().chain(others.into_iter().step_by(stride)).collect();
    let wrong = in_parallel(chosen.len(), |at| try_harms(&oracle, &chosen[at..=at]));
    finish(Tally::start("h8-rotated", SEED), chosen.len(), &wrong);
}

/// Where an index file is bad nobody tells what lay in a lost pack, and what is below a lost node
/// is not reached: a node that comes back brings nodes along that stand once.
#[test]
fn what_is_below_a_node_that_comes_back_stands_twice_again() {
    let (_, oracle) = world();
    let indexes = names_below(&oracle, "index/");
    let trials = Profile::of_process().pick(200, 2000, 20_000);
    let wrong = in_parallel(trials, |at| {
        let mut random = Random::new(SEED + 4_000_000 + at as u64);
        let bad = indexes[at % indexes.len()].clone();
        let (lost, mut left) = named_pack(&oracle, &bad, &mut random);
        let mut drawn = || left.swap_remove(random.below(left.len()));
        let swapped = Harm::Swap(drawn(), drawn());
        let harms = [Harm::Flip(bad, 99), swapped, Harm::Delete(lost)];
        repaired::try_harms(&oracle, &harms, repaired::Restores::LeftOut)
    });
    finish(Tally::start("h8-repairs-below", SEED), trials, &wrong);
}

/// Of a pack that neither an index nor its own table tells of nobody knows what it holds: it goes
/// once nothing is lost any more, and stays while something is.
#[test]
fn what_nobody_can_tell_apart_goes_when_nothing_is_lost() {
    let (_, oracle) = world();
    let indexes = names_below(&oracle, "index/");
    let trials = Profile::of_process().pick(200, 2000, 20_000);
    let wrong = in_parallel(trials, |at| {
        let mut random = Random::new(SEED + 5_000_000 + at as u64);
        let bad = at % indexes.len();
        let (untold, mut left) = named_pack(&oracle, &indexes[bad], &mut random);
        let mut drawn = || left.swap_remove(random.below(left.len()));
        let mut harms = vec![
            Harm::Flip(indexes[bad].clone(), 99),
            Harm::Append(untold, vec![7; 7]),
            Harm::Swap(drawn(), drawn()),
        ];
        if at % 2 == 0 {
            let second = (bad + 1 + random.below(indexes.len() - 1)) % indexes.len();
            harms.push(Harm::Flip(indexes[second].clone(), 99));
        }
        repaired::try_harms(&oracle, &harms, repaired::Restores::LeftOut)
    });
    finish(Tally::start("h8-repairs-untold", SEED), trials, &wrong);
}

/// Every damage of one blob, and several at once by chance: repaired, looked at, taken back.
#[test]
fn a_repair_heals_all_that_stands_twice_and_can_be_taken_back() {
    let (_, oracle) = world();
    let mut tally = Tally::start("h8-repairs", SEED);
    let mut random = Random::new(SEED);
    let all = harm::all(&oracle.original, &mut random);
    let names: Vec<&String> = oracle.original.keys().collect();
    let profile = Profile::of_process();
    let (blobs, flips, several) =
        (profile.pick(70, 1000, all.len()), profile.pick(40, 400, 50_000), {
            profile.pick(50, 600, 200_000)
        });
    let wrong = in_parallel(blobs + flips + several, |at| {
        let mut random = Random::new(SEED + 3_000_000 + at as u64);
        let harms: Vec<Harm> = if at < blobs {
            vec![all[at * all.len() / blobs].clone()]
        } else if at < blobs + flips {
            let name = names[at % names.len()].clone();
            let bit = random.below(oracle.original[&name].len() * 8);
            vec![Harm::Flip(name, bit)]
        } else {
            (0..2 + at % 3).map(|_| harm::any(&oracle.original, &mut random)).collect()
        };
        let restores = match at % 6 {
            0 => repaired::Restores::Tried,
            _ => repaired::Restores::LeftOut,
        };
        repaired::try_harms(&oracle, &harms, restores)
    });
    tally.count("kinds of damage", all.len() as u64);
    finish(tally, blobs + flips + several, &wrong);
}

#[test]
fn a_repair_that_drops_good_objects_is_caught() {
    let (_, oracle) = world();
    repaired::assert_a_dropping_repair_is_caught(&oracle);
}
