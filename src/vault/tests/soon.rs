use std::sync::Arc;

use crate::ids::Sid;
use crate::run::monitor::Severity;
use crate::storage::layer::far::Far;
use crate::vault::Vault;
use crate::vault::VaultOptions;
use crate::vault::error::VaultError;
use crate::vault::tests::Fixture;
use crate::vault::tests::LEASE_MS;
use crate::vault::tests::keys;

fn far(fixture: &Fixture) -> Vault {
    let storage = Arc::new(Far::new(Arc::clone(&fixture.storage) as _));
    let program = "test".to_owned();
    let options = VaultOptions { pack_bytes: 4096, lease_ms: LEASE_MS, program };
    Vault::open(&fixture.run, storage, keys(), options).unwrap()
}

fn reads(fixture: &Fixture) -> usize {
    let calls = fixture.storage.take_calls();
    calls.iter().filter(|call| call.starts_with("read_range packs/")).count()
}

#[test]
fn what_is_announced_comes_together() {
    let fixture = Fixture::new();
    let (_, sids) = fixture.backup(1, 40);
    let vault = far(&fixture);
    vault.warm(&fixture.run).unwrap();
    fixture.storage.take_calls();
    vault.soon(&fixture.run, &sids);
    let read = |sid: &Sid| {
        let bytes = vault.read_object(&fixture.run, sid).unwrap();
        assert_eq!(crate::crypto::blind::sid_of(&bytes), *sid);
    };
    sids.iter().for_each(read);
    let packs = fixture.storage.names("packs/").len();
    let count = reads(&fixture);
    assert!((packs - 1..=packs).contains(&count), "{count} reads of {packs} packs");
    // Each was given once: the next time it is read by itself.
    read(&sids[3]);
    assert_eq!(reads(&fixture), 1);
    // What was not announced is not brought along.
    vault.soon(&fixture.run, &[sids[5], sids[9]]);
    sids[4..8].iter().for_each(read);
    assert_eq!(reads(&fixture), 4);
}

/// Several threads are after the same objects, from different ends: nobody waits for ever, and
/// each object comes.
#[test]
fn threads_share_what_comes() {
    let fixture = Fixture::new();
    let (_, sids) = fixture.backup(1, 60);
    let vault = far(&fixture);
    for _ in 0..20 {
        vault.soon(&fixture.run, &sids);
        std::thread::scope(|scope| {
            for first in 0..4 {
                let (vault, run, sids) = (&vault, &fixture.run, &sids);
                scope.spawn(move || {
                    for sid in sids.iter().cycle().skip(first * 7).take(sids.len()) {
                        let bytes = vault.read_object(run, sid).unwrap();
                        assert_eq!(crate::crypto::blind::sid_of(&bytes), *sid);
                    }
                });
            }
        });
    }
}

/// What is damaged is told as ever, and its neighbours come.
#[test]
fn a_bad_one_among_them_is_told_and_tried_elsewhere() {
    let fixture = Fixture::new();
    let (_, sids) = fixture.backup(1, 6);
    let pack = |sid: &Sid| {
        let packs = fixture.storage.names("packs/");
        let has = |name: &&String| {
            let bytes = fixture.storage.bytes(name);
            bytes.windows(4).any(|part| part == &object(&fixture, sid)[..4])
        };
        packs.iter().find(has).cloned().unwrap()
    };
    let name = pack(&sids[2]);
    let at = fixture
        .storage
        .bytes(&name)
        .windows(8)
        .position(|part| part == &object(&fixture, &sids[2])[..8])
        .unwrap();
    fixture.storage.flip(&name, at * 8);
    let vault = far(&fixture);
    vault.soon(&fixture.run, &sids);
    for sid in &sids {
        match vault.read_object(&fixture.run, sid) {
            Ok(bytes) => assert_eq!(crate::crypto::blind::sid_of(&bytes), *sid),
            Err(VaultError::LostObject { sid: lost, .. }) => assert_eq!(lost, sids[2]),
            Err(error) => panic!("{error}"),
        }
    }
    let problems = fixture.recorder.recorded().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].severity, Severity::Damage);
    // And where the whole read fails, each is tried by itself.
    vault.refresh();
    vault.soon(&fixture.run, &sids[..2]);
    fixture.storage.fail("read_range");
    assert!(vault.read_object(&fixture.run, &sids[0]).is_err());
    fixture.storage.heal();
    vault.read_object(&fixture.run, &sids[0]).unwrap();
    vault.read_object(&fixture.run, &sids[1]).unwrap();
}

fn object(fixture: &Fixture, sid: &Sid) -> Vec<u8> {
    let other = fixture.again();
    other.vault.read_object(&other.run, sid).unwrap()
}
