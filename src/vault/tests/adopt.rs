//! Snapshots that were made elsewhere: copies between two vaults with the same keys.

use crate::copy::Doing;
use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::copy::verbatim::CopyOptions;
use crate::copy::verbatim::CopyReport;
use crate::copy::verbatim::copy;
use crate::format::manifest::SignedManifest;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::error::VaultError;
use crate::vault::gc::Trash;
use crate::vault::session::adopt::Adoption;
use crate::vault::tests::Fixture;
use crate::vault::tests::Trusting;
use crate::vault::tests::chunk;
use crate::vault::tests::gc::again;
use crate::vault::tests::gc::assert_whole;
use crate::vault::tests::gc::forget;
use crate::vault::tests::gc::pass;
use crate::vault::tests::gc::prune;
use crate::vault::tests::storage::Fails;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn all(from: &Fixture, to: &Fixture, batch_bytes: u64) -> Result<CopyReport, CopyError> {
    let (source, target) = (again(from), again(to));
    let ends = Ends { source: &source.vault, target: &target.vault, signers: &Trusting };
    copy(&target.run, ends, CopyOptions { doing: Doing::Copy, batch_bytes })
}

/// Three snapshots that share nothing, of which the second was removed long ago.
fn original() -> (Fixture, Vec<(SnapshotId, Vec<Sid>)>) {
    let fixture = Fixture::new();
    let made: Vec<_> = (1..=3).map(|seed| fixture.backup(seed, 8)).collect();
    forget(&fixture, &made[1].0);
    (fixture, made)
}

fn listed(fixture: &Fixture) -> Vec<SnapshotId> {
    let other = again(fixture);
    let found = other.vault.manifests(&other.run, Scope::All, Copies::Both, &Trusting).unwrap();
    found.manifests.iter().map(|stored| stored.place.id).collect()
}

#[test]
fn a_fault_at_every_call_leaves_no_number_without_those_before_it() {
    for fails in [Fails::Once, Fails::FromThen] {
        for batch_bytes in [1, u64::MAX] {
            let (from, _) = original();
            let to = Fixture::new();
            all(&from, &to, batch_bytes).unwrap();
            let calls = to.storage.take_calls().len();
            assert!(calls > 30, "{calls}");
            (0..calls).for_each(|count| fail_at(count, fails, batch_bytes));
        }
    }
}

fn fail_at(count: usize, fails: Fails, batch_bytes: u64) {
    let (from, made) = original();
    let to = Fixture::new();
    to.storage.take_turns();
    to.storage.fail_after(count, fails);
    let _any = all(&from, &to, batch_bytes);
    to.storage.heal();
    let other = again(&to);
    let found = other.vault.manifests(&other.run, Scope::All, Copies::Both, &Trusting).unwrap();
    let bad: Vec<_> = found.findings.iter().filter(|finding| !finding.is_healable()).collect();
    assert!(bad.is_empty(), "call {count}: {bad:?}");
    for stored in &found.manifests {
        let (_, sids) = made.iter().find(|(id, _)| *id == stored.place.id).unwrap();
        for sid in sids {
            other.vault.read_object(&other.run, sid).unwrap();
        }
    }
    let report = all(&from, &to, batch_bytes).unwrap();
    let there = report.known_count + report.copied_count;
    assert_eq!((there, report.damaged_count), (2, 0), "call {count}: {report:?}");
    assert_eq!(listed(&to), [made[0].0, made[2].0]);
}

#[test]
fn a_copy_that_slept_while_what_it_relied_on_went_makes_no_snapshot() {
    let (from, made) = original();
    let to = Fixture::new();
    to.storage.take_turns();
    all(&from, &to, u64::MAX).unwrap();
    // The twin gives the first one up. A copy that began before relies on its objects.
    let sleeper = again(&to);
    let mut session = sleeper.session(None);
    for sid in &made[0].1 {
        assert!(session.holds(sid).unwrap());
    }
    let manifest = from.vault.read_manifest(&from.run, &made[0].0).unwrap();
    forget(&to, &made[0].0);
    pass(&to, 8 * DAY_MS);
    prune(&to, Trash::Emptied).unwrap();
    prune(&to, Trash::Emptied).unwrap();
    let adopted = session.adopt(&sleeper.run, adoption(&[&manifest]));
    assert!(matches!(adopted, Err(VaultError::Gone { .. })), "{adopted:?}");
    assert_eq!(listed(&to), [made[2].0]);
    assert_whole(&to, &made[2].1);
}

const fn adoption<'a>(manifests: &'a [&'a SignedManifest]) -> Adoption<'a> {
    Adoption { manifests, tombstones: &[], bases: &[] }
}

#[test]
fn what_was_removed_meanwhile_is_left_out_and_a_base_that_is_gone_is_told() {
    let (from, made) = original();
    let to = Fixture::new();
    to.storage.take_turns();
    all(&from, &to, u64::MAX).unwrap();
    let manifest = |id| from.vault.read_manifest(&from.run, id).unwrap();
    let (first, third) = (manifest(&made[0].0), manifest(&made[2].0));
    forget(&to, &made[0].0);
    let sleeper = again(&to);
    let mut session = sleeper.session(None);
    let adopted = session.adopt(&sleeper.run, adoption(&[&first, &third])).unwrap();
    assert_eq!(adopted, [made[2].0]);
    assert_eq!(listed(&to), [made[2].0]);
    let mut session = sleeper.session(None);
    let bases = [SnapshotId::new([9; 32])];
    let missing = Adoption { bases: &bases, ..adoption(&[]) };
    let adopted = session.adopt(&sleeper.run, missing);
    assert!(matches!(adopted, Err(VaultError::BaseGone { .. })), "{adopted:?}");
}

#[test]
fn what_is_bad_at_the_source_comes_from_the_target_itself() {
    let (from, made) = original();
    let to = Fixture::new();
    // The target has the first one's objects, from a copy that was killed.
    let session = to.session(None);
    for number in 0..8 {
        session.put(chunk(1, number)).unwrap();
    }
    session.suspend(&to.run).unwrap();
    for name in from.storage.names("packs/") {
        let bits = from.storage.bytes(&name).len() * 8;
        from.storage.flip(&name, bits / 3);
    }
    let report = all(&from, &to, u64::MAX).unwrap();
    assert_eq!(report.copied_count + report.damaged_count, 2, "{report:?}");
    for id in listed(&to) {
        let (_, sids) = made.iter().find(|(made, _)| *made == id).unwrap();
        for sid in sids {
            to.again().vault.read_object(&to.run, sid).unwrap();
        }
    }
}
