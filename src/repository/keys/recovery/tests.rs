use crate::crypto::sealed::shares::Share;
use crate::crypto::sealed::shares::ShareError;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::recovery;
use crate::repository::keys::recovery::words;
use crate::repository::keys::tests::Scene;
use crate::repository::keys::tests::create;
use crate::repository::keys::tests::new_slot;
use crate::repository::keys::tests::scene;
use crate::repository::keys::tests::secret;
use crate::repository::keys::unlock::unlock;

/// A repository with the passphrase `one`, and its shares.
fn made(threshold: (u8, u8)) -> (Scene, Vec<Share>) {
    let scene = scene();
    let keyset = create(&scene).keyset;
    let made = recovery::create(&scene.run, &scene.storage, &keyset, threshold).unwrap();
    assert_eq!(made.repository, keyset.repository);
    (scene, made.shares)
}

fn check(scene: &Scene, shares: &[Share]) -> Result<Vec<u8>, KeysError> {
    recovery::check(&scene.run, &scene.storage, shares).map(|custody| custody.indices)
}

fn drop_slots(scene: &Scene) {
    scene.blobs.blobs.lock().unwrap().retain(|name, _| !name.starts_with("slots/"));
}

#[test]
fn any_k_of_n_pass_the_check_and_fewer_do_not() {
    let (scene, shares) = made((3, 4));
    for left_out in 0..4 {
        let kept: Vec<Share> = shares
            .iter()
            .filter(|share| usize::from(share.index) != left_out + 1)
            .cloned()
            .collect();
        let indices: Vec<u8> = kept.iter().map(|share| share.index).collect();
        assert_eq!(check(&scene, &kept).unwrap(), indices);
        let few = check(&scene, &kept[..2]);
        let expected = ShareError::TooFew { expected: 3, found: 2 };
        assert!(matches!(few, Err(KeysError::Share(error)) if error == expected), "{few:?}");
    }
    assert_eq!(check(&scene, &shares).unwrap(), [1, 2, 3, 4]);
    assert!(matches!(check(&scene, &[]), Err(KeysError::Share(_))));
}

#[test]
fn shares_alone_open_everything_when_all_slots_are_gone() {
    let (scene, shares) = made((2, 3));
    let before = unlock(&scene.run, &scene.storage, &secret("one")).unwrap().keyset;
    drop_slots(&scene);
    let typed: Vec<Share> = shares[1..]
        .iter()
        .enumerate()
        .map(|(at, share)| words::decode(at + 1, &words::encode(share).to_uppercase()).unwrap())
        .collect();
    let new = new_slot("three");
    let opened = recovery::use_shares(&scene.run, &scene.storage, &typed, &new).unwrap();
    let after = unlock(&scene.run, &scene.storage, &secret("three")).unwrap();
    assert_eq!(after.slot, opened.slot);
    let encoded = crate::repository::keys::convert::encode_restore;
    assert_eq!(encoded(&after.keyset), encoded(&before));
    assert_eq!(encoded(&opened.keyset), encoded(&before));
}

#[test]
fn a_crash_anywhere_in_check_or_use_leaves_old_access() {
    let mut stops = 0;
    for stop in 0..40 {
        let (scene, shares) = made((2, 2));
        let limit = |left| *scene.blobs.left.lock().unwrap() = left;
        limit(Some(stop));
        let checked = check(&scene, &shares).is_ok();
        limit(Some(stop));
        let new = new_slot("two");
        let used = recovery::use_shares(&scene.run, &scene.storage, &shares, &new).is_ok();
        limit(None);
        unlock(&scene.run, &scene.storage, &secret("one")).unwrap();
        let new_opens = unlock(&scene.run, &scene.storage, &secret("two")).is_ok();
        assert!(new_opens || !used, "stopped after {stop}");
        recovery::use_shares(&scene.run, &scene.storage, &shares, &new_slot("three")).unwrap();
        if checked && used {
            break;
        }
        stops += 1;
    }
    assert_eq!(stops, 3, "two copies and the barrier are a stop each");
}

#[test]
fn shares_of_another_repository_or_printing_do_not_fit() {
    let (scene, shares) = made((2, 3));
    let (other, foreign) = made((2, 3));
    let refused = check(&other, &shares);
    assert!(matches!(refused, Err(KeysError::SharesDoNotFit)), "{refused:?}");
    let refused = check(&scene, &[shares[0].clone(), foreign[1].clone()]);
    assert!(matches!(refused, Err(KeysError::Share(ShareError::OtherSet { index: 2 }))));
    let keyset = unlock(&scene.run, &scene.storage, &secret("one")).unwrap().keyset;
    let again = recovery::create(&scene.run, &scene.storage, &keyset, (2, 3)).unwrap().shares;
    let refused = check(&scene, &[shares[0].clone(), again[1].clone()]);
    assert!(matches!(refused, Err(KeysError::SharesDoNotFit)), "{refused:?}");
    check(&scene, &again).unwrap();
}

/// A storage that shows a config, recipients and keyring of its own making gets no new slot out of
/// the shares.
#[test]
fn a_root_key_that_the_shares_do_not_name_is_not_believed() {
    let (scene, shares) = made((2, 3));
    let (other, _) = made((2, 3));
    *scene.blobs.blobs.lock().unwrap() = other.blobs.blobs.lock().unwrap().clone();
    let count = scene.blobs.blobs.lock().unwrap().len();
    let new = new_slot("two");
    let refused = recovery::use_shares(&scene.run, &scene.storage, &shares, &new);
    assert!(matches!(refused, Err(KeysError::SharesDoNotFit)), "{refused:?}");
    assert_eq!(scene.blobs.blobs.lock().unwrap().len(), count);
}

#[test]
fn the_newest_check_is_found_and_damage_to_one_copy_passes() {
    let (scene, shares) = made((2, 3));
    let unlocked = unlock(&scene.run, &scene.storage, &secret("one")).unwrap();
    let place = (unlocked.keyset.repository, &unlocked.keyset.root_public);
    let last = || recovery::last_check(&scene.run, &scene.storage, place).unwrap();
    assert!(last().is_none());
    let written = recovery::check(&scene.run, &scene.storage, &shares[..2]).unwrap();
    assert_eq!(last().as_ref(), Some(&written));
    let names: Vec<String> = scene.blobs.blobs.lock().unwrap().keys().cloned().collect();
    let custody: Vec<String> =
        names.into_iter().filter(|name| name.starts_with("custody/")).collect();
    assert_eq!(custody.len(), 2);
    scene.blobs.blobs.lock().unwrap().get_mut(&custody[0]).unwrap()[60] ^= 1;
    assert_eq!(last().as_ref(), Some(&written));
    scene.blobs.blobs.lock().unwrap().get_mut(&custody[1]).unwrap()[60] ^= 1;
    assert!(last().is_none());
}

#[test]
fn a_keyset_without_the_recovery_secret_makes_no_shares() {
    let (scene, _) = made((2, 3));
    let mut keyset = unlock(&scene.run, &scene.storage, &secret("one")).unwrap().keyset;
    keyset.recovery = None;
    let refused = recovery::create(&scene.run, &scene.storage, &keyset, (2, 3));
    assert!(matches!(refused, Err(KeysError::RecoveryOffline)), "{refused:?}");
}
