use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::vault::error::VaultError;
use crate::vault::tests::CHAIN;
use crate::vault::tests::Fixture;
use crate::vault::tests::LEASE_MS;
use crate::vault::tests::chunk;
use crate::vault::tests::manifest_after;
use crate::vault::tests::node;

fn position(calls: &[String], start: &str) -> usize {
    calls.iter().position(|call| call.starts_with(start)).unwrap_or_else(|| panic!("{start}"))
}

#[test]
fn packs_are_durable_before_the_manifest_and_it_before_the_answer() {
    let fixture = Fixture::new();
    fixture.backup(1, 10);
    let calls = fixture.storage.take_calls();
    let last_pack = calls.iter().rposition(|call| call.starts_with("create packs/")).unwrap();
    let index = position(&calls, "create index/");
    let barrier = position(&calls, "sync");
    let twin = position(&calls, "create manifests.2/");
    let manifest = position(&calls, "create manifests/");
    let last_barrier = calls.iter().rposition(|call| call.starts_with("sync")).unwrap();
    assert!(last_pack < index && index < barrier && barrier < twin);
    assert!(twin < manifest && manifest < last_barrier);
    assert_eq!(calls.iter().filter(|call| call.starts_with("sync")).count(), 2);
}

#[test]
fn an_unchanged_backup_neither_reads_the_index_nor_lists_packs() {
    let fixture = Fixture::new();
    let (parent, sids) = fixture.backup(1, 10);
    let other = fixture.again();
    fixture.storage.take_calls();
    let mut session = other.session(Some(parent));
    let manifest = other.manifest(&session, sids[10]);
    session.commit(&other.run, &manifest).unwrap();
    let calls = fixture.storage.take_calls();
    let is_heavy = |call: &&String| call.contains("index/") || call.contains("packs/");
    assert_eq!(calls.iter().find(is_heavy), None);
    assert_eq!(calls.iter().filter(|call| call.starts_with("sync")).count(), 1);
}

#[test]
fn each_failing_call_leaves_no_manifest_or_a_whole_snapshot() {
    let calls = {
        let fixture = Fixture::new();
        fixture.backup(1, 6);
        fixture.storage.take_calls()
    };
    let kinds = ["create packs/", "create index/", "sync", "create manifests", "stat", "list"];
    for kind in kinds {
        assert!(calls.iter().any(|call| call.starts_with(kind)), "{kind}");
        let fixture = Fixture::new();
        let mut session = fixture.session(None);
        let root = node(&[chunk(1, 0).sid]);
        session.put(chunk(1, 0)).unwrap();
        session.put(root.clone()).unwrap();
        let manifest = manifest_after(None, &session, root.sid);
        fixture.storage.fail(kind);
        session.commit(&fixture.run, &manifest).unwrap_err();
        fixture.storage.heal();
        let again = session.commit(&fixture.run, &manifest);
        assert!(matches!(again, Err(VaultError::Poisoned { .. })), "{kind}: {again:?}");
        let other = fixture.again();
        for name in fixture.storage.names("manifests") {
            assert!(name.contains("/1-"), "{kind}: {name}");
            other.vault.read_object(&other.run, &root.sid).unwrap();
            other.vault.read_object(&other.run, &chunk(1, 0).sid).unwrap();
        }
    }
}

#[test]
fn an_expired_session_looks_again_and_goes_on() {
    let fixture = Fixture::new();
    let mut session = fixture.session(None);
    let root = node(&[]);
    session.put(root.clone()).unwrap();
    fixture.storage.pass_ms(LEASE_MS * 700);
    let manifest = fixture.manifest(&session, root.sid);
    session.commit(&fixture.run, &manifest).unwrap();
    let other = fixture.again();
    assert_eq!(other.vault.read_object(&other.run, &root.sid).unwrap(), root.bytes);
}

#[test]
fn what_went_away_while_relied_on_is_never_committed() {
    for ms in [0, LEASE_MS + 1, -1] {
        let fixture = Fixture::new();
        let (_, sids) = fixture.backup(1, 3);
        let other = fixture.again();
        let mut session = other.session(None);
        session.put(chunk(1, 0)).unwrap();
        let root = node(&sids[..1]);
        session.put(root.clone()).unwrap();
        fixture.storage.pass_ms(ms);
        for pack in fixture.storage.names("packs/") {
            fixture.storage.remove(&pack);
        }
        let manifest = other.manifest(&session, root.sid);
        let committed = session.commit(&other.run, &manifest);
        assert!(matches!(committed, Err(VaultError::Gone { .. })), "{ms}: {committed:?}");
        assert_eq!(fixture.storage.names("manifests/").len(), 1);
    }
}

#[test]
fn a_manifest_that_is_not_next_may_be_made_again() {
    let fixture = Fixture::new();
    let mut session = fixture.session(None);
    let root = node(&[]);
    session.put(root.clone()).unwrap();
    let early = fixture.manifest(&session, root.sid);
    let (between, _) = fixture.again().backup(2, 1);
    let refused = session.commit(&fixture.run, &early);
    assert!(matches!(refused, Err(VaultError::NotNext { expected_seq: 2, found_seq: 1 })));
    let index_count = fixture.storage.names("index/").len();
    let manifest = fixture.manifest(&session, root.sid);
    assert_eq!(manifest.public.prev, Some(between));
    session.commit(&fixture.run, &manifest).unwrap();
    assert_eq!(fixture.storage.names("index/").len(), index_count);
    let head = fixture.vault.head(&fixture.run, &CHAIN).unwrap().unwrap();
    assert_eq!(head.seq, 2);
    assert!(matches!(session.put(chunk(1, 1)), Err(VaultError::Closed)));
}

#[test]
fn roots_parents_and_sessions_that_are_not_here_are_refused() {
    let fixture = Fixture::new();
    let mut session = fixture.session(None);
    let manifest = fixture.manifest(&session, Sid::new([5; 32]));
    let refused = session.commit(&fixture.run, &manifest);
    assert!(matches!(refused, Err(VaultError::RootMissing { .. })), "{refused:?}");
    let mut orphan = fixture.session(Some(SnapshotId::new([6; 32])));
    let refused = orphan.commit(&fixture.run, &manifest);
    assert!(matches!(refused, Err(VaultError::OtherSession { field: "session" })));
    let manifest = fixture.manifest(&orphan, Sid::new([5; 32]));
    let refused = orphan.commit(&fixture.run, &manifest);
    assert!(matches!(refused, Err(VaultError::ParentGone { .. })), "{refused:?}");
    assert!(fixture.storage.names("manifests").is_empty());
}
