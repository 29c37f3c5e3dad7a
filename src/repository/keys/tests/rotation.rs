use super::*;
use crate::repository::keys::complete;
use crate::repository::keys::machine::revoke;
use crate::repository::keys::machine::revoke::Standing;
use crate::repository::keys::recovery;
use crate::repository::keys::rotate;
use crate::repository::keys::rotate::Part;
use crate::repository::keys::rotate::Step;
use crate::repository::keys::unlock::InSlot;
use crate::repository::keys::unlock::Unlocked;

const PARTS: [Part; 3] = [Part::Domain, Part::Store, Part::Restore];

fn open(scene: &Scene, text: &str) -> Result<Unlocked, KeysError> {
    unlock(&scene.run, &scene.storage, &secret(text))
}

fn rotate(scene: &Scene, text: &str, part: Part) -> Result<rotate::Rotated, KeysError> {
    let unlocked = open(scene, text)?;
    let plan = rotate::plan(&scene.run, &scene.storage, &unlocked, part)?;
    rotate::execute(&scene.run, &scene.storage, (&unlocked, &plan), &new_slot(text))
}

fn generations(unlocked: &Unlocked) -> (usize, usize, usize) {
    let keyset = &unlocked.keyset;
    (keyset.domains.len(), keyset.store.generations().len(), keyset.retired.len())
}

#[test]
fn each_part_gets_one_generation_more_and_keeps_the_old() {
    let scene = scene();
    let made = create(&scene).keyset;
    for (part, expected) in PARTS.into_iter().zip([(2, 1, 0), (2, 2, 0), (2, 2, 1)]) {
        let before = open(&scene, "one").unwrap();
        rotate(&scene, "one", part).unwrap();
        let after = open(&scene, "one").unwrap();
        assert_eq!(generations(&after), expected, "{part:?}");
        assert_eq!(after.in_slot, InSlot::All, "{part:?}: the slot in use holds it");
        assert_ne!(after.slot, before.slot);
        assert_eq!(after.keyset.domains[0], made.domains[0]);
        assert_eq!(after.keyset.store.generations()[0], made.store.generations()[0]);
    }
    let after = open(&scene, "one").unwrap().keyset;
    assert_eq!(after.retired, [made.restore]);
    assert_eq!(scene.recorder.recorded().problems, []);
}

/// Whoever rotates knows one passphrase; the others must find the new keys all the same.
#[test]
fn another_slot_finds_new_generations_in_the_keyring() {
    let scene = scene();
    let created = create(&scene);
    slots::add(&scene.run, &scene.storage, &created.keyset, &new_slot("two")).unwrap();
    rotate(&scene, "one", Part::Store).unwrap();
    rotate(&scene, "one", Part::Domain).unwrap();
    let (one, two) = (open(&scene, "one").unwrap(), open(&scene, "two").unwrap());
    assert_eq!((one.in_slot, two.in_slot), (InSlot::All, InSlot::Older));
    assert_eq!(convert::encode_restore(&one.keyset), convert::encode_restore(&two.keyset));
    // To rotate what that slot does not hold yet is to renew the slot.
    let plan = rotate::plan(&scene.run, &scene.storage, &two, Part::Store).unwrap();
    assert_eq!((plan.step, plan.from, plan.to), (Step::SlotOnly, 2, 2));
    let done = (&two, &plan);
    rotate::execute(&scene.run, &scene.storage, done, &new_slot("two")).unwrap();
    assert_eq!(open(&scene, "two").unwrap().in_slot, InSlot::All);
}

#[test]
fn a_new_restore_key_shuts_out_every_other_slot() {
    let scene = scene();
    let created = create(&scene);
    slots::add(&scene.run, &scene.storage, &created.keyset, &new_slot("two")).unwrap();
    rotate(&scene, "one", Part::Restore).unwrap();
    assert!(matches!(open(&scene, "two"), Err(KeysError::WrongSecret { .. })));
    let keyset = open(&scene, "one").unwrap().keyset;
    assert_ne!(keyset.restore, created.keyset.restore);
    let agent = machine::enrol(&scene.run, &scene.storage, &keyset, ("a", Identity::Fresh));
    let agent = agent.unwrap();
    assert_eq!(agent.recipients[0], keyset.restore.public());
    assert!(!agent.recipients.contains(&created.keyset.restore.public()));
}

/// K6: after any number of writes the old passphrase opens with all that it opened before, the
/// shares open the same, and the next run ends it.
#[test]
fn a_crash_anywhere_in_a_rotation_leaves_everything_that_opens() {
    for part in PARTS {
        let mut ended = false;
        for stop in 0..60 {
            let scene = scene();
            let created = create(&scene);
            let (run, storage) = (&scene.run, &scene.storage);
            let shares = recovery::create(run, storage, &created.keyset, (2, 3)).unwrap().shares;
            *scene.blobs.left.lock().unwrap() = Some(stop);
            let rotated = rotate(&scene, "one", part);
            *scene.blobs.left.lock().unwrap() = None;
            let found = open(&scene, "one").unwrap();
            let list = rotate::generations(run, storage, &found.keyset).unwrap();
            if part == Part::Restore {
                let is_new = found.keyset.restore != created.keyset.restore;
                assert_eq!(is_new, list.recipients == 2, "{stop}");
            }
            let by_shares = recovery::use_shares(run, storage, &shares[1..], &new_slot("three"));
            let by_shares = by_shares.unwrap().keyset;
            assert_eq!(by_shares.restore, found.keyset.restore, "{part:?} {stop}");
            assert_eq!(by_shares.store.newest(), found.keyset.store.newest(), "{part:?} {stop}");
            complete::lasting_records(run, storage).unwrap();
            rotate(&scene, "one", part).unwrap();
            let again = open(&scene, "one").unwrap();
            assert_eq!(again.in_slot, InSlot::All, "{part:?} {stop}");
            let left = slots::list(run, storage, created.config.repository).unwrap().len();
            let expected = if part == Part::Restore { 1 } else { 2 };
            assert_eq!(left, expected, "{part:?} {stop}: half made slots are gone");
            if rotated.is_ok() {
                ended = true;
                break;
            }
        }
        assert!(ended, "{part:?} makes more than 60 changes");
    }
}

#[test]
fn a_rotation_that_another_one_came_before_is_refused() {
    let scene = scene();
    create(&scene);
    let unlocked = open(&scene, "one").unwrap();
    let plan = rotate::plan(&scene.run, &scene.storage, &unlocked, Part::Store).unwrap();
    rotate(&scene, "one", Part::Domain).unwrap();
    let late = (&unlocked, &plan);
    let refused = rotate::execute(&scene.run, &scene.storage, late, &new_slot("one"));
    assert!(matches!(refused, Err(KeysError::RotatedMeanwhile)), "{refused:?}");
}

#[test]
fn a_restore_key_is_not_replaced_without_root() {
    let scene = scene();
    create(&scene);
    let mut unlocked = open(&scene, "one").unwrap();
    unlocked.keyset.root = None;
    let refused = rotate::plan(&scene.run, &scene.storage, &unlocked, Part::Restore);
    assert!(matches!(refused, Err(KeysError::RootOffline)), "{refused:?}");
    rotate::plan(&scene.run, &scene.storage, &unlocked, Part::Store).unwrap();
}

#[test]
fn a_machine_sees_that_its_keys_are_old_and_is_renewed() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let (run, storage) = (&scene.run, &scene.storage);
    let agent = machine::enrol(run, storage, &keyset, ("desk", Identity::Fresh)).unwrap();
    let standing = |agent| revoke::standing(run, storage, agent).unwrap();
    assert_eq!(standing(&agent), Standing::Current);
    rotate(&scene, "one", Part::Domain).unwrap();
    assert_eq!(standing(&agent), Standing::DomainOld { newest: 2, own: 1 });
    rotate(&scene, "one", Part::Store).unwrap();
    assert_eq!(standing(&agent), Standing::StoreOld { newest: 2, own: 1 });
    let keyset = open(&scene, "one").unwrap().keyset;
    let renewed = machine::renew(run, storage, &keyset, &agent).unwrap();
    assert_eq!(standing(&renewed), Standing::Current);
    assert_eq!(renewed.signing.verifying_key(), agent.signing.verifying_key());
    let encoded = convert::encode_agent(&renewed);
    assert_eq!(convert::encode_agent(&convert::decode_agent(&encoded).unwrap()), encoded);
    // Its datasets go on: ids of sources come from the first secret.
    let ids = |agent: &crate::crypto::sealed::keyset::AgentKeyset| {
        let secret = &agent.domain;
        let keys = crate::crypto::sealed::content::DomainKeys::derive(
            secret.domain,
            secret.generation,
            &secret.secret,
        );
        keys.with_sources(agent.sources.as_ref()).source_id(b"home")
    };
    assert_eq!(ids(&agent), ids(&renewed));
    let fresh = machine::enrol(run, storage, &keyset, ("new", Identity::Fresh)).unwrap();
    assert_eq!((ids(&fresh), standing(&fresh)), (ids(&agent), Standing::Current));
}

#[test]
fn a_revoked_machine_is_refused_until_it_is_trusted_again() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let (run, storage) = (&scene.run, &scene.storage);
    let agent = machine::enrol(run, storage, &keyset, ("desk", Identity::Own)).unwrap();
    let known = || machine::list(run, storage, &keyset).unwrap().remove(0);
    let since = Timestamp::from_unix_ms(7);
    let suspicion = crate::format::machine::Suspicion { since, heads: Vec::new() };
    for stop in 0..4 {
        *scene.blobs.left.lock().unwrap() = Some(stop);
        let revoked = revoke::record(run, storage, &keyset, (&known(), Some(suspicion.clone())));
        *scene.blobs.left.lock().unwrap() = None;
        let standing = revoke::standing(run, storage, &agent);
        assert_eq!(matches!(standing, Err(KeysError::Revoked { .. })), stop > 0, "{stop}");
        if revoked.is_ok() {
            break;
        }
    }
    assert!(machine::rejoin(run, storage, &keyset, "desk").unwrap().is_none());
    let renewed = machine::renew(run, storage, &keyset, &agent);
    assert!(matches!(renewed, Err(KeysError::Revoked { .. })));
    revoke::record(run, storage, &keyset, (&known(), None)).unwrap();
    assert_eq!(revoke::standing(run, storage, &agent).unwrap(), Standing::Current);
    assert!(machine::rejoin(run, storage, &keyset, "desk").unwrap().is_some());
}
