//! Damage: whatever is done to the bytes of a repository, a check says exactly what is bad, what
//! can be healed and what is lost, and a restore gives all the rest.
//!
//! The oracle (`damage/oracle.rs`) knows the graph of a repository with every kind of object and
//! record, and uses nothing of the program. Four failures weigh the same: undetected, false alarm,
//! over-loss, wrong class.

mod oracle;
mod reader;
pub mod scene;

use std::sync::Arc;

use lifeboat::crypto::sealed::hpke::Suite;

use crate::damage::oracle::Oracle;

/// The oracle itself: it finds every file, and takes nothing for lost that is there.
#[test]
fn the_oracle_knows_what_each_blob_is_for() {
    let scene = scene::build(1, Suite::X25519);
    let oracle = Oracle::new(&scene);
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
    assert!(whole.is_ok && whole.opens && whole.free.is_empty(), "{whole:?}");
    let mut losing = 0;
    for name in oracle.original.keys() {
        let mut blobs = oracle.original.clone();
        blobs.remove(name);
        let expected = oracle.expect(&blobs);
        assert!(expected.copies.is_empty() && expected.opens, "{name}");
        assert_eq!(expected.losses.is_empty(), expected.lost.is_empty(), "{name}");
        assert!(expected.named.contains(name) || expected.free.contains(name), "{name}");
        assert_eq!(!expected.gaps.is_empty(), name.starts_with("tombstones/"), "{name}");
        losing += usize::from(!expected.losses.is_empty());
        // What was emptied is named, and takes no more with it.
        blobs.insert(name.clone(), Arc::from(&b""[..]));
        let emptied = oracle.expect(&blobs);
        assert_eq!((emptied.lost, emptied.losses), (expected.lost, expected.losses), "{name}");
        assert!(emptied.named.contains(name), "{name}");
    }
    // The packs of data, and no other blob, stand alone.
    assert!(losing > 10 && losing < 40, "{losing}");
}
