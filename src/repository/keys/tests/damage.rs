//! Altered records of keys, and lists that go back.

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::format::keyring::KeyringRecord;
use crate::format::machine::MachineRecord;
use crate::format::recipients::RECIPIENTS;
use crate::format::recipients::RecipientsRecord;
use crate::format::recipients::Role;
use crate::format::record;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Identity;
use crate::repository::keys::publish;
use crate::repository::keys::slots;
use crate::repository::keys::tests::Scene;
use crate::repository::keys::tests::create;
use crate::repository::keys::tests::new_slot;
use crate::repository::keys::tests::scene;
use crate::repository::keys::tests::secret;
use crate::repository::keys::unlock::unlock;
use crate::secret::SecretBytes;

/// Every bit, every cut and one byte more: refused.
fn assert_every_change_is_refused(what: &str, good: &[u8], opens: impl Fn(&[u8]) -> bool) {
    assert!(opens(good), "{what}");
    for bit in 0..good.len() * 8 {
        let mut bad = good.to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!opens(&bad), "{what}, bit {bit}");
    }
    for cut in 0..good.len() {
        assert!(!opens(&good[..cut]), "{what}, cut {cut}");
    }
    assert!(!opens(&[good, b"x"].concat()), "{what}, longer");
}

fn blobs_below(scene: &Scene, folder: &str) -> Vec<(String, Vec<u8>)> {
    let blobs = scene.blobs.blobs.lock().unwrap();
    let found = blobs.iter().filter(|(name, _)| name.starts_with(folder));
    found.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

#[test]
fn every_altered_bit_and_cut_of_a_keyring_list_machine_or_agent_file_is_refused() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let new = ("server", Identity::Fresh);
    let agent = machine::enrol(&scene.run, &scene.storage, &keyset, new).unwrap();
    let first = |folder| blobs_below(&scene, folder).remove(0).1;
    assert_every_change_is_refused("keyring", &first("keyring/"), |bytes| {
        record::decode_signed::<KeyringRecord>(bytes).is_ok()
    });
    assert_every_change_is_refused("recipients", &first("recipients/"), |bytes| {
        record::decode_signed::<RecipientsRecord>(bytes).is_ok()
    });
    assert_every_change_is_refused("machine", &first("machines/"), |bytes| {
        record::decode_signed::<MachineRecord>(bytes).is_ok()
    });
    assert_every_change_is_refused("agent", convert::encode_agent(&agent).expose(), |bytes| {
        convert::decode_agent(&SecretBytes::new(bytes.to_vec())).is_ok()
    });
}

/// What was altered by someone who can compute the checksum still fails on its signature.
#[test]
fn a_payload_altered_under_a_fresh_checksum_is_not_believed() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let place = (keyset.repository, &keyset.root_public);
    let (name, good) = blobs_below(&scene, RECIPIENTS).remove(0);
    let (_, signed) = record::decode_signed::<RecipientsRecord>(&good).unwrap();
    let others: Vec<String> =
        blobs_below(&scene, RECIPIENTS).into_iter().map(|(name, _)| name).collect();
    others.iter().for_each(|name| drop(scene.blobs.blobs.lock().unwrap().remove(name)));
    for at in (0..signed.payload.len()).step_by(3) {
        let mut bad = signed.clone();
        bad.payload[at] ^= 1;
        let bytes = record::encode_signed::<RecipientsRecord>(&bad);
        scene.blobs.blobs.lock().unwrap().insert(name.clone(), bytes);
        let found = publish::load_recipients(&scene.run, &scene.storage, place);
        assert!(matches!(found, Err(KeysError::NoRecord { .. })), "byte {at}");
    }
    scene.blobs.blobs.lock().unwrap().insert(name, good);
    publish::load_recipients(&scene.run, &scene.storage, place).unwrap();
}

/// Where a copy is another record, the twin stands in for it.
#[test]
fn a_misplaced_copy_is_passed_over_for_its_twin() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    slots::add(&scene.run, &scene.storage, &keyset, &new_slot("two")).unwrap();
    for name in ["desk", "server"] {
        machine::enrol(&scene.run, &scene.storage, &keyset, (name, Identity::Fresh)).unwrap();
    }
    publish_second_list(&scene, &keyset);
    for folder in ["slots/", "machines/"] {
        let blobs = blobs_below(&scene, folder);
        let other = blobs.last().unwrap().1.clone();
        scene.blobs.blobs.lock().unwrap().insert(blobs[0].0.clone(), other);
    }
    for text in ["one", "two"] {
        unlock(&scene.run, &scene.storage, &secret(text)).unwrap();
    }
    assert_eq!(machine::list(&scene.run, &scene.storage, &keyset).unwrap().len(), 2);
    // An older list under the name of the newest is no newest list.
    let lists = blobs_below(&scene, RECIPIENTS);
    let newest = lists.last().unwrap().0.clone();
    scene.blobs.blobs.lock().unwrap().insert(newest.clone(), lists[0].1.clone());
    machine::list(&scene.run, &scene.storage, &keyset).unwrap();
    let problems = scene.recorder.recorded().problems;
    let newest = newest.trim_end_matches(".0");
    assert!(problems.iter().any(|problem| problem.subject.starts_with(newest.as_bytes())));
}

/// Publishes the list anew as version 2, with one recipient more.
fn publish_second_list(scene: &Scene, keyset: &RestoreKeyset) {
    let place = (keyset.repository, &keyset.root_public);
    let mut list = publish::load_recipients(&scene.run, &scene.storage, place).unwrap();
    list.version = 2;
    list.recipients.push(convert::recipient_entry(Role::Drill, &keyset.restore.public()));
    let bytes = publish::sign(&list, Purpose::Recipients, keyset.root.as_ref().unwrap());
    let name = publish::numbered(RECIPIENTS, 2, &bytes);
    scene.blobs.blobs.lock().unwrap().insert(format!("{name}.0"), bytes);
}

#[test]
fn a_machine_follows_newer_recipients_and_never_goes_back() {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let new = ("server", Identity::Fresh);
    let first = machine::enrol(&scene.run, &scene.storage, &keyset, new).unwrap();
    let refresh = |agent| machine::refresh_recipients(&scene.run, &scene.storage, agent);
    assert!(refresh(&first).unwrap().is_none());
    publish_second_list(&scene, &keyset);
    let second = refresh(&first).unwrap().unwrap();
    assert_eq!((second.recipients_version, second.recipients.len()), (2, 3));
    assert!(refresh(&second).unwrap().is_none());
    let newer = format!("{RECIPIENTS}2-");
    scene.blobs.blobs.lock().unwrap().retain(|name, _| !name.starts_with(&newer));
    let refused = refresh(&second);
    let went_back = KeysError::RecipientsWentBack { pinned: 2, found: 1 }.to_string();
    assert_eq!(refused.unwrap_err().to_string(), went_back);
    let foreign = crate::repository::keys::tests::scene();
    create(&foreign);
    let refused = machine::refresh_recipients(&foreign.run, &foreign.storage, &second);
    assert!(matches!(refused, Err(KeysError::NoRecord { .. })), "{refused:?}");
}
