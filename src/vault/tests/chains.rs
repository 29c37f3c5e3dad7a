use crate::format::manifest::SignedManifest;
use crate::format::note::SignedNote;
use crate::format::tombstone::SignedTombstone;
use crate::format::tombstone::Tombstone;
use crate::ids::KeyId;
use crate::ids::SnapshotId;
use crate::units::Timestamp;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::Copies;
use crate::vault::chains::Manifests;
use crate::vault::chains::Scope;
use crate::vault::chains::Verifier;
use crate::vault::error::Fault;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;
use crate::vault::tests::CHAIN;
use crate::vault::tests::Fixture;
use crate::vault::tests::Trusting;
use crate::vault::tests::keys;

fn manifests(fixture: &Fixture) -> Manifests {
    let scope = Scope::One(CHAIN);
    let read = fixture.vault.manifests(&fixture.run, scope, Copies::Both, &Trusting).unwrap();
    let all = fixture.vault.manifests(&fixture.run, Scope::All, Copies::Both, &Trusting).unwrap();
    assert_eq!(read.findings, all.findings);
    read
}

fn three() -> (Fixture, Vec<SnapshotId>) {
    let fixture = Fixture::new();
    let ids = (1..=3).map(|seed| fixture.backup(seed, 1).0).collect();
    (fixture, ids)
}

fn remove(fixture: &Fixture, prefix: &str, id: &SnapshotId) -> String {
    let names = fixture.storage.names(prefix);
    let name = names.into_iter().find(|name| name.ends_with(&id.to_string())).unwrap();
    fixture.storage.remove(&name);
    name
}

fn bury(fixture: &Fixture, place: &Place) -> SignedTombstone {
    let tombstone = Tombstone {
        repository: keys().repository(),
        machine: place.chain.machine,
        source: place.chain.source,
        seq: place.seq,
        snapshot: place.id,
        time: Timestamp::from_unix_ms(1),
        signer: KeyId::new([1; 16]),
        reason: "asked for".to_owned(),
    };
    let signed = SignedTombstone { tombstone, signature: [0; 64] };
    fixture.storage.insert(place.name(TOMBSTONES).unwrap().as_str(), signed.encode());
    signed
}

#[test]
fn whole_chains_have_no_findings() {
    let (fixture, ids) = three();
    let found = manifests(&fixture);
    let read: Vec<_> = found.manifests.iter().map(|it| (it.place.seq, it.place.id)).collect();
    assert_eq!(read, [(1, ids[0]), (2, ids[1]), (3, ids[2])]);
    assert_eq!(found.findings, []);
}

#[test]
fn a_missing_or_bad_twin_is_named_and_the_other_read() {
    for prefix in ["manifests/", "manifests.2/"] {
        let (fixture, ids) = three();
        let name = remove(&fixture, prefix, &ids[1]);
        fixture.storage.insert(&name, b"junk".to_vec());
        let found = manifests(&fixture);
        assert_eq!(found.manifests.len(), 3);
        let [ChainFinding::BadTwin { name: named, fault: Fault::Hash }] = &found.findings[..]
        else {
            panic!("{:?}", found.findings);
        };
        assert_eq!(named.as_str(), name);
        fixture.storage.remove(&name);
        let found = manifests(&fixture);
        assert!(matches!(
            &found.findings[..],
            [ChainFinding::BadTwin { fault: Fault::Missing, .. }]
        ));
    }
}

#[test]
fn a_manifest_without_a_good_copy_is_lost_and_no_gap() {
    let (fixture, ids) = three();
    for name in fixture.storage.names("manifests") {
        if name.ends_with(&ids[1].to_string()) {
            fixture.storage.flip(&name, 100);
        }
    }
    let found = manifests(&fixture);
    assert_eq!(found.manifests.len(), 2);
    let [ChainFinding::LostManifest { place, fault: Fault::Hash }] = found.findings[..] else {
        panic!("{:?}", found.findings);
    };
    assert_eq!(place, Place { chain: CHAIN, seq: 2, id: ids[1] });
}

#[test]
fn a_deleted_manifest_is_a_gap_unless_a_tombstone_tells_of_it() {
    let (fixture, ids) = three();
    remove(&fixture, "manifests/", &ids[1]);
    remove(&fixture, "manifests.2/", &ids[1]);
    let gap = ChainFinding::Gap { chain: CHAIN, first_seq: 2, last_seq: 2 };
    assert_eq!(manifests(&fixture).findings, [gap]);
    let signed = bury(&fixture, &Place { chain: CHAIN, seq: 2, id: ids[1] });
    let found = manifests(&fixture);
    assert_eq!((found.findings, found.tombstones), (vec![], vec![signed]));
}

#[test]
fn a_tombstone_removes_the_newest_but_its_number_is_not_used_again() {
    let (fixture, ids) = three();
    let head = fixture.vault.head(&fixture.run, &CHAIN).unwrap().unwrap();
    bury(&fixture, &head);
    // Half removed: the manifest is still there.
    assert_eq!(manifests(&fixture).manifests.len(), 2);
    remove(&fixture, "manifests/", &ids[2]);
    remove(&fixture, "manifests.2/", &ids[2]);
    assert_eq!(fixture.vault.head(&fixture.run, &CHAIN).unwrap(), Some(head));
    fixture.backup(4, 1);
    let found = manifests(&fixture);
    assert_eq!(found.manifests.last().unwrap().place.seq, 4);
    assert_eq!(found.findings, []);
}

#[test]
fn forks_and_other_predecessors_are_named() {
    let (fixture, ids) = three();
    let cloned = Fixture::new();
    cloned.backup(7, 1);
    let (twin, _) = cloned.backup(8, 1);
    for name in cloned.storage.names("manifests") {
        if name.ends_with(&twin.to_string()) {
            fixture.storage.insert(&name, cloned.storage.bytes(&name));
        }
    }
    let found = manifests(&fixture);
    let place = Place { chain: CHAIN, seq: 2, id: twin };
    let mut forked = vec![ids[1], twin];
    forked.sort_unstable();
    let fork = ChainFinding::Fork { chain: CHAIN, seq: 2, ids: forked };
    assert_eq!(found.findings, [fork, ChainFinding::OtherPrev { place }]);
    // Of two of which one is removed, the other stands.
    let removed = Place { id: ids[1], ..place };
    bury(&fixture, &removed);
    let found = manifests(&fixture);
    assert_eq!(found.findings, [ChainFinding::OtherPrev { place }]);
    fixture.storage.remove(removed.name(TOMBSTONES).unwrap().as_str());
    remove(&fixture, "manifests/", &ids[1]);
    remove(&fixture, "manifests.2/", &ids[1]);
    let third = Place { chain: CHAIN, seq: 3, id: ids[2] };
    let others = [place, third].map(|place| ChainFinding::OtherPrev { place });
    assert_eq!(manifests(&fixture).findings, others);
}

#[test]
fn refused_signatures_swapped_names_and_strangers_are_named() {
    struct Refusing;
    impl Verifier for Refusing {
        fn manifest(&self, _: &SignedManifest) -> Result<(), String> {
            Err("unknown signer".to_owned())
        }
        fn tombstone(&self, _: &SignedTombstone) -> Result<(), String> {
            Err("unknown signer".to_owned())
        }
        fn note(&self, _: &SignedNote) -> Result<(), String> {
            Err("unknown signer".to_owned())
        }
    }
    let (fixture, _) = three();
    let found = fixture.vault.manifests(&fixture.run, Scope::All, Copies::First, &Refusing);
    let found = found.unwrap();
    assert!(found.manifests.is_empty());
    assert_eq!(found.findings.len(), 3);

    let names = fixture.storage.names("manifests/");
    let (one, two) = (fixture.storage.bytes(&names[0]), fixture.storage.bytes(&names[1]));
    fixture.storage.insert(&names[0], two);
    fixture.storage.insert(&names[1], one);
    fixture.storage.insert("manifests/readme", vec![]);
    let found = fixture.vault.manifests(&fixture.run, Scope::All, Copies::First, &Trusting);
    let found = found.unwrap();
    assert_eq!(found.manifests.len(), 3);
    let bad = |it: &&ChainFinding| matches!(it, ChainFinding::BadTwin { fault: Fault::Hash, .. });
    assert_eq!(found.findings.iter().filter(bad).count(), 2);
    assert!(matches!(found.findings[0], ChainFinding::Stranger { .. }));
}

#[test]
fn the_next_commit_writes_a_missing_twin() {
    for prefix in ["manifests/", "manifests.2/"] {
        let (fixture, ids) = three();
        let name = remove(&fixture, prefix, &ids[2]);
        fixture.backup(4, 1);
        assert_eq!(manifests(&fixture).findings, [], "{name}");
    }
}
