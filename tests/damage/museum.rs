//! Real bugs of other programs, planted: the harness must catch each. They are storages that lie as
//! the bug made its program see things, or a finding left out; the program itself has no branch for
//! them.

use std::sync::Arc;

use lifeboat::storage::Storage;
use lifeboat::vault::names::Place;

use crate::damage::harm::Harm;
use crate::damage::oracle::Blobs;
use crate::damage::oracle::Oracle;
use crate::damage::oracle::manifest_name;
use crate::damage::verdict;
use crate::damage::verdict::Found;
use crate::damage::world;
use crate::support::profile;
use crate::support::tally::Watch;

/// A bug: what it makes a program see, and what it makes it keep to itself.
struct Planted {
    name: &'static str,
    /// What was done to the repository.
    harms: Vec<Harm>,
    see: fn(&Oracle, &mut Blobs),
    hide: fn(&mut Found),
    /// Heads that an honest check remembers.
    heads: Vec<Place>,
}

fn sees_all(_: &Oracle, _: &mut Blobs) {}
fn tells_all(_: &mut Found) {}

/// The blobs as a program with the bug sees them.
fn storage(oracle: &Oracle, bug: &Planted, harmed: &Blobs) -> Arc<dyn Storage> {
    let mut seen = harmed.clone();
    (bug.see)(oracle, &mut seen);
    verdict::storage_of(&seen)
}

fn bugs(oracle: &Oracle) -> Vec<Planted> {
    let delete = |name: &str| Harm::Delete(name.to_owned());
    let both = |place: &str| [0, 1].map(|copy| delete(&manifest_name(copy, place))).to_vec();
    // The first snapshot of a chain has others behind it; the newest has none.
    let first = oracle.snapshots.first().unwrap();
    let newest = oracle.snapshots.last().unwrap();
    let packs = || oracle.original.iter().filter(|(name, _)| name.starts_with("packs/"));
    let largest = packs().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let cut = Harm::Cut(largest.0.clone(), largest.1.len() - 1);
    let second = manifest_name(1, &newest.place);
    let signature = Harm::Flip(second.clone(), (oracle.original[&second].len() - 10) * 8);
    let machine = oracle.original.keys().find(|name| name.starts_with("machines/")).unwrap();
    let other_kind = Harm::Replace("config.1".to_owned(), machine.clone());
    let bug =
        |name, harms| Planted { name, harms, see: sees_all, hide: tells_all, heads: Vec::new() };
    vec![
        Planted {
            hide: |found| {
                found.gaps.clear();
                found.is_ok = true;
            },
            ..bug("restic-deleted-manifest-unseen", both(&first.place))
        },
        Planted {
            see: |_, blobs| {
                blobs.remove("config.1");
                blobs.remove("config.2");
            },
            ..bug("kopia-4305-single-config", vec![delete("config")])
        },
        Planted {
            // A short file is taken for one that is not there.
            see: |oracle, blobs| {
                blobs.retain(|name, bytes| {
                    oracle.original.get(name).is_none_or(|whole| whole.len() <= bytes.len())
                });
            },
            ..bug("restic-21977-short-record", vec![cut])
        },
        Planted {
            // What is signed is read, and nobody looks at who signed it.
            hide: |found| found.named.retain(|name, _| !name.starts_with("manifests")),
            ..bug("cve-2023-36811-signature-optional", vec![signature])
        },
        Planted {
            // Any record of this repository will do.
            hide: |found| found.named.retain(|name, _| name != "config.1"),
            ..bug("cve-2016-10099-kind-unbound", vec![other_kind])
        },
        Planted {
            // What an index file names is there.
            see: |oracle, blobs| {
                for (name, bytes) in &oracle.original {
                    blobs.entry(name.clone()).or_insert_with(|| bytes.clone());
                }
            },
            ..bug("restic-1115-index-of-gone-packs", vec![delete(largest.0)])
        },
        Planted {
            heads: vec![newest.made.place],
            ..bug("borg12-newest-commit-dropped", both(&newest.place))
        },
    ]
}

/// The harness finds nothing wrong with the honest program, and something with each bug.
#[test]
fn planted_bugs_are_caught() {
    let (_, oracle) = world();
    for bug in bugs(&oracle) {
        let mut harmed = oracle.original.clone();
        bug.harms.iter().for_each(|harm| harm.apply(&mut harmed));
        let mut expected = oracle.expect(&harmed);
        // A machine remembers its newest snapshot; the storage alone cannot tell.
        expected.is_ok &= bug.heads.is_empty();
        let honest = verdict::check(&oracle, &verdict::storage_of(&harmed), &bug.heads);
        assert_eq!(verdict::compare(&expected, &honest), [""; 0], "{}", bug.name);
        let watch = Watch::start();
        let mut found = verdict::check(&oracle, &storage(&oracle, &bug, &harmed), &[]);
        (bug.hide)(&mut found);
        let caught = verdict::compare(&expected, &found);
        println!("{}: {}", bug.name, caught.first().map_or("not caught", String::as_str));
        assert!(!caught.is_empty(), "{} is not caught", bug.name);
        profile::caught(bug.name, watch);
    }
}
