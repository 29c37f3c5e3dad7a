use crate::vault::error::VaultError;
use crate::vault::session::Put;
use crate::vault::tests::Fixture;
use crate::vault::tests::chunk;

#[test]
fn a_lost_or_damaged_index_is_rebuilt_from_the_packs() {
    for is_removed in [true, false] {
        let fixture = Fixture::new();
        let (_, sids) = fixture.backup(1, 10);
        let name = fixture.storage.names("index/").remove(0);
        if is_removed {
            fixture.storage.remove(&name);
        } else {
            fixture.storage.flip(&name, 300);
        }
        let other = fixture.again();
        for sid in &sids {
            other.vault.read_object(&other.run, sid).unwrap();
        }
        assert_eq!(other.problem_count(), usize::from(!is_removed));
        // The next backup that writes keeps an index of the old packs as well.
        other.backup(2, 1);
        fixture.storage.take_calls();
        let third = fixture.again();
        third.vault.read_object(&third.run, &sids[0]).unwrap();
        let calls = fixture.storage.take_calls();
        let reads = calls.iter().filter(|call| call.starts_with("read_range"));
        assert_eq!(reads.count(), 1, "{calls:?}");
    }
}

#[test]
fn every_flipped_bit_of_an_object_is_noticed_and_a_node_has_another_copy() {
    let fixture = Fixture::new();
    let (_, sids) = fixture.backup(1, 2);
    let packs = fixture.storage.names("packs/");
    let (mut lost, mut healed) = (0, 0);
    for pack in &packs {
        let bits = fixture.storage.bytes(pack).len() * 8;
        for bit in (0..bits).step_by(37) {
            fixture.storage.flip(pack, bit);
            let other = fixture.again();
            for sid in &sids {
                match other.vault.read_object(&other.run, sid) {
                    Ok(bytes) => assert_eq!(crate::crypto::blind::sid_of(&bytes), *sid),
                    Err(VaultError::LostObject { sid: lost_sid, .. }) => {
                        assert!(lost_sid == *sid && *sid != sids[2]);
                        lost += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            healed += usize::from(other.problem_count() > 0);
            fixture.storage.flip(pack, bit);
        }
    }
    assert!(lost > 0 && healed > lost, "{lost} {healed}");
}

#[test]
fn a_missing_or_cut_pack_is_uploaded_again_by_the_next_backup() {
    for cut in [None, Some(100)] {
        let fixture = Fixture::new();
        fixture.backup(1, 3);
        for pack in fixture.storage.names("packs/") {
            let bytes = fixture.storage.remove(&pack);
            if let Some(len) = cut {
                fixture.storage.insert(&pack, bytes[..len].to_vec());
            }
        }
        let other = fixture.again();
        let (_, sids) = other.backup(1, 3);
        let third = fixture.again();
        for sid in &sids {
            third.vault.read_object(&third.run, sid).unwrap();
        }
        assert_eq!(third.session(None).put(chunk(1, 0)).unwrap(), Put::Known);
    }
}

#[test]
fn a_listing_that_fails_is_never_an_empty_one() {
    for prefix in ["list packs/", "list index/", "read index/", "read_range packs/"] {
        let fixture = Fixture::new();
        let (_, sids) = fixture.backup(1, 3);
        let other = fixture.again();
        fixture.storage.fail(prefix);
        let read = other.vault.read_object(&other.run, &sids[0]);
        assert!(matches!(read, Err(VaultError::Storage(_))), "{prefix}: {read:?}");
        fixture.storage.heal();
        other.vault.read_object(&other.run, &sids[0]).unwrap();
        assert_eq!(other.problem_count(), 0);
    }
}
