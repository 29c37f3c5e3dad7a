use crate::format::object::ObjectKind;
use crate::ids::Sid;
use crate::vault::error::VaultError;
use crate::vault::session::Put;
use crate::vault::tests::Fixture;
use crate::vault::tests::LEASE_MS;
use crate::vault::tests::chunk;
use crate::vault::tests::node;
use crate::vault::tests::object;
use crate::vault::tests::storage::Answer;

#[test]
fn what_is_put_and_committed_is_read_by_another_process() {
    let fixture = Fixture::new();
    let (id, sids) = fixture.backup(1, 20);
    let other = fixture.again();
    assert_eq!(other.vault.read_manifest(&other.run, &id).unwrap().public.root, sids[20]);
    for (number, sid) in sids[..20].iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        assert_eq!(other.vault.read_object(&other.run, sid).unwrap(), chunk(1, number).bytes);
    }
    let root = other.vault.read_object(&other.run, &sids[20]).unwrap();
    assert_eq!(other.vault.children(&sids[20], &root).unwrap(), sids[..20]);
    assert_eq!(other.problem_count(), 0);
    assert!(fixture.storage.names("sessions/").is_empty());
}

#[test]
fn many_objects_are_read_in_their_order_with_few_calls() {
    let fixture = Fixture::new();
    let (_, mut sids) = fixture.backup(1, 40);
    sids.reverse();
    sids.push(Sid::new([0xee; 32]));
    let other = fixture.again();
    other.vault.locate(&other.run, &sids[0]).unwrap();
    fixture.storage.take_calls();
    let mut found = vec![None; sids.len()];
    let mut deliver = |number: usize, read: Result<Vec<u8>, VaultError>| {
        found[number] = Some(read.map(|bytes| crate::crypto::blind::sid_of(&bytes)));
    };
    other.vault.read_objects(&other.run, &sids, &mut deliver).unwrap();
    let packs = fixture.storage.names("packs/").len();
    assert!(fixture.storage.take_calls().len() <= packs);
    for (sid, found) in sids.iter().zip(found) {
        match found.unwrap() {
            Ok(read) => assert_eq!(read, *sid),
            Err(VaultError::UnknownObject { sid: unknown }) => {
                assert_eq!((unknown, *sid), (Sid::new([0xee; 32]), Sid::new([0xee; 32])));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn nodes_lie_in_two_packs_and_survive_the_loss_of_either() {
    let fixture = Fixture::new();
    // Nodes alone: both packs hold the same objects and still have different names.
    let mut session = fixture.session(None);
    let root = node(&[]);
    session.put(root.clone()).unwrap();
    let manifest = fixture.manifest(&session, root.sid);
    session.commit(&fixture.run, &manifest).unwrap();
    let packs = fixture.storage.names("packs/");
    assert_eq!(packs.len(), 2);
    for pack in packs {
        let bytes = fixture.storage.remove(&pack);
        let other = fixture.again();
        assert_eq!(other.vault.read_object(&other.run, &root.sid).unwrap(), root.bytes);
        fixture.storage.insert(&pack, bytes);
    }
}

#[test]
fn an_object_is_kept_once_however_often_it_is_put() {
    let fixture = Fixture::new();
    let session = fixture.session(None);
    assert!(!session.holds(&chunk(1, 1).sid).unwrap());
    assert_eq!(session.put(chunk(1, 1)).unwrap(), Put::New);
    assert_eq!(session.put(chunk(1, 1)).unwrap(), Put::Known);
    assert!(session.holds(&chunk(1, 1).sid).unwrap());
    session.suspend(&fixture.run).unwrap();
    let other = fixture.again();
    assert_eq!(other.session(None).put(chunk(1, 1)).unwrap(), Put::Known);
}

#[test]
fn wrong_objects_are_refused() {
    let fixture = Fixture::new();
    let session = fixture.session(None);
    let mut wrong = chunk(1, 1);
    wrong.bytes[0] ^= 1;
    assert!(matches!(session.put(wrong), Err(VaultError::ObjectHash { .. })));
    let empty = object(ObjectKind::Chunk, vec![]);
    assert!(matches!(session.put(empty), Err(VaultError::ObjectLength { .. })));
    assert_eq!(session.put(chunk(1, 1)).unwrap(), Put::New);
}

#[test]
fn a_suspended_session_loses_nothing() {
    let fixture = Fixture::new();
    let session = fixture.session(None);
    for number in 0..10 {
        session.put(chunk(1, number)).unwrap();
    }
    session.suspend(&fixture.run).unwrap();
    assert_eq!(fixture.storage.names("index/").len(), 1);
    assert!(fixture.storage.names("sessions/").is_empty());
    let other = fixture.again();
    let session = other.session(None);
    for number in 0..10 {
        assert_eq!(session.put(chunk(1, number)).unwrap(), Put::Known, "{number}");
    }
}

#[test]
fn a_killed_session_leaves_its_packs_to_the_next() {
    let fixture = Fixture::new();
    let session = fixture.session(None);
    for number in 0..10 {
        session.put(chunk(1, number)).unwrap();
    }
    drop(session);
    assert_eq!(fixture.storage.names("index/").len(), 0);
    let written = fixture.storage.names("packs/").len();
    assert_eq!(written, 2);
    let other = fixture.again();
    let mut session = other.session(None);
    let known = (0..10).filter(|&number| session.put(chunk(1, number)).unwrap() == Put::Known);
    assert_eq!(known.count(), 10);
    let root = node(&(0..10).map(|number| chunk(1, number).sid).collect::<Vec<_>>());
    session.put(root.clone()).unwrap();
    let manifest = other.manifest(&session, root.sid);
    session.commit(&other.run, &manifest).unwrap();
    // The new index names the adopted packs too.
    fixture.storage.take_calls();
    let third = fixture.again();
    third.vault.read_object(&third.run, &chunk(1, 3).sid).unwrap();
    let calls = fixture.storage.take_calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("read_range")).count(), 1, "{calls:?}");
}

#[test]
fn a_storage_error_breaks_the_session_for_good() {
    let fixture = Fixture::new();
    let mut session = fixture.session(None);
    session.put(chunk(1, 0)).unwrap();
    fixture.storage.fail("create packs/");
    // The thread meets the error some time after the pack was handed over.
    let failed = (1..100).find_map(|number| session.put(chunk(1, number)).err());
    assert!(matches!(failed, Some(VaultError::Poisoned { .. })), "{failed:?}");
    fixture.storage.heal();
    assert!(session.put(chunk(1, 200)).is_err());
    assert!(session.holds(&chunk(1, 0).sid).is_err());
    let manifest = fixture.manifest(&session, chunk(1, 0).sid);
    assert!(session.commit(&fixture.run, &manifest).is_err());
    assert!(fixture.storage.names("manifests").is_empty());
    assert_eq!(fixture.again().session(None).put(chunk(1, 200)).unwrap(), Put::New);
}

#[test]
fn threads_put_at_once_and_two_sessions_do_not_hinder_each_other() {
    let fixture = Fixture::new();
    let other = fixture.again();
    let (mut one, mut two) = (fixture.session(None), other.session(None));
    assert_ne!(one.id(), two.id());
    std::thread::scope(|scope| {
        for start in [0, 20, 10] {
            let (one, two) = (&one, &two);
            scope.spawn(move || {
                for number in start..start + 30 {
                    one.put(chunk(1, number)).unwrap();
                    two.put(chunk(1, number)).unwrap();
                }
            });
        }
    });
    let root = node(&(0..50).map(|number| chunk(1, number).sid).collect::<Vec<_>>());
    one.put(root.clone()).unwrap();
    two.put(root.clone()).unwrap();
    let manifest = fixture.manifest(&one, root.sid);
    one.commit(&fixture.run, &manifest).unwrap();
    let manifest = fixture.manifest(&two, root.sid);
    two.commit(&other.run, &manifest).unwrap();
    let third = fixture.again();
    for number in 0..50 {
        let sid = chunk(1, number).sid;
        assert_eq!(third.vault.read_object(&third.run, &sid).unwrap(), chunk(1, number).bytes);
    }
    assert_eq!(third.problem_count(), 0);
}

#[test]
fn records_of_dead_sessions_are_swept_after_their_longest_life() {
    let fixture = Fixture::new();
    drop(fixture.session(None));
    assert_eq!(fixture.storage.names("sessions/").len(), 1);
    fixture.storage.pass_ms(crate::vault::session::SESSION_MS_MAX);
    drop(fixture.session(None));
    assert_eq!(fixture.storage.names("sessions/").len(), 2);
    fixture.storage.pass_ms(1);
    let session = fixture.session(None);
    session.suspend(&fixture.run).unwrap();
    assert_eq!(fixture.storage.names("sessions/").len(), 1);
}

/// Behind an append-only door records of a lease are added, and go once somebody may delete.
#[test]
fn who_may_not_delete_renews_his_lease_all_the_same() {
    let fixture = Fixture::new();
    fixture.storage.refuse_deletes(Answer::Denied);
    let mut session = fixture.session(None);
    let third_ms = LEASE_MS / 3;
    let mut sids = Vec::new();
    for number in 0..60 {
        let object = chunk(7, number);
        sids.push(object.sid);
        session.put(object).unwrap();
        fixture.clock.jump(third_ms / 10);
        fixture.storage.pass_ms(third_ms / 10);
    }
    let root = node(&sids);
    session.put(root.clone()).unwrap();
    let manifest = fixture.manifest(&session, root.sid);
    let id = session.commit(&fixture.run, &manifest).unwrap();
    let left = fixture.storage.names("sessions/");
    assert!(left.len() > 3, "{left:?}");
    assert_eq!(fixture.problem_count(), 0);
    // The lease held all the time: it ends two leases after it began.
    assert!(fixture.storage.take_calls().iter().any(|call| call.starts_with("delete sessions/")));
    assert_eq!(fixture.again().vault.read_manifest(&fixture.run, &id).unwrap(), manifest);
    fixture.storage.pass_ms(crate::vault::session::SESSION_MS_MAX + LEASE_MS);
    let next = fixture.again().session(Some(id));
    assert_eq!(fixture.storage.names("sessions/").len(), left.len() + 1);
    next.suspend(&fixture.run).unwrap();
    fixture.storage.refuse_deletes(Answer::Done);
    let last = fixture.again().session(Some(id));
    assert_eq!(fixture.storage.names("sessions/").len(), 2, "its own, and that of the one before");
    last.suspend(&fixture.run).unwrap();
}
