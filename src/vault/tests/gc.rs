//! Giving space back: what goes, what stays, and what a crash leaves at every step.

use crate::format::tombstone::SignedTombstone;
use crate::format::tombstone::Tombstone;
use crate::ids::KeyId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::units::Timestamp;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::error::VaultError;
use crate::vault::gc::GcError;
use crate::vault::gc::MaxUnused;
use crate::vault::gc::PruneOptions;
use crate::vault::gc::PruneReport;
use crate::vault::gc::Trash;
use crate::vault::session::SESSION_MS_MAX;
use crate::vault::session::SessionRequest;
use crate::vault::tests::CHAIN;
use crate::vault::tests::Fixture;
use crate::vault::tests::LEASE_MS;
use crate::vault::tests::Trusting;
use crate::vault::tests::chunk;
use crate::vault::tests::keys;
use crate::vault::tests::node;
use crate::vault::tests::storage::Fails;
use crate::vault::whole::Presence;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(in crate::vault) fn options(trash: Trash) -> PruneOptions {
    PruneOptions {
        max_unused: MaxUnused::Percent(5),
        max_repack_bytes: None,
        max_delete_percent: 100,
        grace_ms: if trash == Trash::Emptied { 0 } else { 7 * DAY_MS },
        trash,
        heads: vec![],
    }
}

pub(in crate::vault) fn prune(fixture: &Fixture, trash: Trash) -> Result<PruneReport, GcError> {
    fixture.vault.prune(&fixture.run, &Trusting, &options(trash))
}

pub(in crate::vault) fn pass(fixture: &Fixture, ms: i64) {
    fixture.storage.pass_ms(ms);
    fixture.clock.jump(ms);
}

/// Another process of the same time.
pub(in crate::vault) fn again(fixture: &Fixture) -> Fixture {
    let other = fixture.again();
    other.clock.jump(fixture.run.clock.now().unix_ms);
    other
}

pub(in crate::vault) fn forget(fixture: &Fixture, id: &SnapshotId) {
    let found =
        fixture.vault.manifests(&fixture.run, Scope::All, Copies::First, &Trusting).unwrap();
    let place = found.manifests.iter().find(|it| it.place.id == *id).unwrap().place;
    let tombstone = Tombstone {
        repository: keys().repository(),
        machine: place.chain.machine,
        source: place.chain.source,
        seq: place.seq,
        snapshot: *id,
        time: Timestamp::from_unix_ms(1),
        signer: KeyId::new([1; 16]),
        reason: String::new(),
    };
    let signed = SignedTombstone { tombstone, signature: [0; 64] };
    fixture.vault.bury(&fixture.run, &[signed]).unwrap();
}

/// A snapshot of these chunks, after the newest.
fn snapshot(fixture: &Fixture, numbers: std::ops::Range<u32>) -> (SnapshotId, Vec<Sid>) {
    let mut session = fixture.session(None);
    let mut sids = Vec::new();
    for number in numbers {
        sids.push(chunk(1, number).sid);
        session.put(chunk(1, number)).unwrap();
    }
    let root = node(&sids);
    sids.push(root.sid);
    session.put(root.clone()).unwrap();
    let manifest = fixture.manifest(&session, root.sid);
    (session.commit(&fixture.run, &manifest).unwrap(), sids)
}

/// Every object of these is there, as often as it should be, and nothing is wrong with the chains.
pub(in crate::vault) fn assert_whole(fixture: &Fixture, sids: &[Sid]) {
    let other = again(fixture);
    for sid in sids {
        other.vault.read_object(&other.run, sid).unwrap();
        let presence = other.vault.presence(&other.run, sid).unwrap();
        assert_eq!(presence, Presence::Whole, "{sid}");
    }
    let found = other.vault.manifests(&other.run, Scope::All, Copies::Both, &Trusting).unwrap();
    assert_eq!(found.findings, []);
    assert_eq!(other.problem_count(), 0);
}

fn stored_bytes(fixture: &Fixture) -> u64 {
    let packs = fixture.vault.packs(&fixture.run).unwrap();
    packs.iter().map(|(_, len_bytes)| len_bytes).sum()
}

/// Two snapshots that share nothing; the first is removed.
fn two() -> (Fixture, SnapshotId, Vec<Sid>) {
    let fixture = Fixture::new();
    let (first, _) = snapshot(&fixture, 0..20);
    let (_, kept) = snapshot(&fixture, 100..120);
    forget(&fixture, &first);
    (fixture, first, kept)
}

#[test]
fn what_a_removed_snapshot_alone_had_goes_in_two_runs_after_the_grace() {
    let (fixture, _, kept) = two();
    let before = stored_bytes(&fixture);
    let report = prune(&fixture, Trash::Waits).unwrap();
    assert_eq!((report.snapshots_count, report.snapshots_in_trash_count), (1, 1));
    assert_eq!((report.condemned_packs_count, report.removed_packs_count), (0, 0));
    pass(&fixture, 8 * DAY_MS);
    let report = prune(&fixture, Trash::Waits).unwrap();
    assert_eq!((report.snapshots_given_up_count, report.removed_packs_count), (1, 0));
    assert!(report.condemned_packs_count > 0 && report.waiting_bytes >= before / 3, "{report:?}");
    assert_eq!(fixture.storage.names("manifests/").len(), 2);
    // The same again condemns nothing twice.
    let again = prune(&fixture, Trash::Waits).unwrap();
    assert_eq!((again.condemned_packs_count, again.waiting_bytes), (0, report.waiting_bytes));
    assert_eq!(fixture.storage.names("condemned/").len(), 1);
    pass(&fixture, 4 * DAY_MS);
    let report = prune(&fixture, Trash::Waits).unwrap();
    assert_eq!((report.removed_snapshots_count, report.waiting_packs_count), (1, 0));
    assert!(stored_bytes(&fixture) < before * 6 / 10);
    assert_eq!(fixture.storage.names("condemned/"), [""; 0]);
    assert_eq!(fixture.storage.names("manifests").len(), 2);
    assert_eq!(fixture.storage.names("tombstones/").len(), 1);
    assert_eq!(fixture.storage.names("index/").len(), 1);
    assert_whole(&fixture, &kept);
    let report = prune(&fixture, Trash::Waits).unwrap();
    assert_eq!((report.removed_packs_count, report.removed_indexes_count), (0, 0));
}

#[test]
fn an_emptied_trash_gives_all_back_at_once() {
    let (fixture, _, kept) = two();
    let fresh = Fixture::new();
    snapshot(&fresh, 100..120);
    fixture.storage.take_turns();
    let plan = fixture.vault.plan_prune(&fixture.run, &Trusting, &options(Trash::Emptied)).unwrap();
    let report = prune(&fixture, Trash::Emptied).unwrap();
    assert_eq!(plan.condemned_bytes, report.condemned_bytes);
    assert_eq!((report.waiting_packs_count, report.removed_snapshots_count), (0, 1));
    let (found, expected) = (stored_bytes(&fixture), stored_bytes(&fresh));
    assert!(found * 100 <= expected * 105, "{found} for {expected}");
    assert_whole(&fixture, &kept);
}

#[test]
fn a_plan_writes_nothing() {
    let (fixture, _, _) = two();
    fixture.storage.take_calls();
    fixture.vault.plan_prune(&fixture.run, &Trusting, &options(Trash::Emptied)).unwrap();
    let calls = fixture.storage.take_calls();
    let writes = |call: &&String| !["read", "list", "stat"].iter().any(|it| call.starts_with(it));
    assert_eq!(calls.iter().find(writes), None);
}

#[test]
fn packs_that_are_mostly_unused_are_written_anew_with_nodes_in_two_packs() {
    let fixture = Fixture::new();
    let (first, _) = snapshot(&fixture, 0..40);
    let (_, kept) = snapshot(&fixture, 0..7);
    forget(&fixture, &first);
    fixture.storage.take_turns();
    let report = prune(&fixture, Trash::Emptied).unwrap();
    assert!(report.copied_objects_count > 0, "{report:?}");
    assert!(report.unused_bytes * 20 <= report.live_bytes, "{report:?}");
    assert_whole(&fixture, &kept);
    let fresh = Fixture::new();
    snapshot(&fresh, 0..7);
    assert!(stored_bytes(&fixture) * 100 <= stored_bytes(&fresh) * 110);
}

#[test]
fn of_an_object_in_two_packs_one_copy_stays() {
    let fixture = Fixture::new();
    let other = fixture.again();
    let mut sessions = [&fixture, &other].map(|it| it.session(None));
    for session in &mut sessions {
        for number in 0..3 {
            session.put(chunk(1, number)).unwrap();
        }
    }
    let [mut one, two] = sessions;
    let root = node(&[chunk(1, 0).sid, chunk(1, 1).sid, chunk(1, 2).sid]);
    one.put(root.clone()).unwrap();
    let manifest = fixture.manifest(&one, root.sid);
    one.commit(&fixture.run, &manifest).unwrap();
    two.suspend(&other.run).unwrap();
    fixture.storage.take_turns();
    let report = prune(&fixture, Trash::Emptied).unwrap();
    assert_eq!((report.removed_packs_count, report.copied_objects_count), (1, 0), "{report:?}");
    let mut kept: Vec<Sid> = (0..3).map(|number| chunk(1, number).sid).collect();
    kept.push(root.sid);
    assert_whole(&fixture, &kept);
}

#[test]
fn whatever_is_in_doubt_stops_it_before_anything_goes() {
    type Harm = fn(&Fixture, &[Sid]);
    let harms: [(&str, Harm); 6] = [
        ("a lost manifest", |fixture, _| {
            for name in fixture.storage.names("manifests") {
                fixture.storage.flip(&name, 100);
            }
        }),
        ("a manifest that vanished", |fixture, _| {
            for name in fixture.storage.names("manifests") {
                if name.contains("/2-") {
                    fixture.storage.remove(&name);
                }
            }
        }),
        ("a bad tombstone", |fixture, _| {
            fixture.storage.flip(&fixture.storage.names("tombstones/")[0], 3);
        }),
        ("a bad index file", |fixture, _| {
            fixture.storage.flip(&fixture.storage.names("index/")[0], 500);
        }),
        ("lost packs", |fixture, _| {
            for name in fixture.storage.names("packs/") {
                fixture.storage.remove(&name);
            }
        }),
        ("packs that are cut", |fixture, _| {
            for name in fixture.storage.names("packs/") {
                let bytes = fixture.storage.remove(&name);
                fixture.storage.insert(&name, bytes[..bytes.len() - 1].to_vec());
            }
        }),
    ];
    for (what, harm) in harms {
        let (fixture, _, kept) = two();
        snapshot(&fixture, 200..202);
        fixture.storage.take_turns();
        harm(&fixture, &kept);
        let other = again(&fixture);
        let before = other.storage.names("");
        let refused = prune(&other, Trash::Emptied);
        assert!(matches!(refused, Err(GcError::Doubt { .. })), "{what}: {refused:?}");
        assert_eq!(other.storage.names(""), before, "{what}");
    }
    for call in ["list manifests", "list tombstones", "list packs", "list index", "list sessions"] {
        let (fixture, _, _) = two();
        fixture.storage.take_turns();
        let before = fixture.storage.names("");
        fixture.storage.fail(call);
        assert!(prune(&fixture, Trash::Emptied).is_err(), "{call}");
        fixture.storage.heal();
        let kept = fixture.storage.names("");
        assert_eq!(kept, before, "{call}");
    }
}

#[test]
fn a_head_that_is_gone_too_much_at_once_and_a_wrong_clock_are_refused() {
    let (fixture, first, _) = two();
    fixture.storage.take_turns();
    let head = crate::vault::names::Place { chain: CHAIN, seq: 9, id: first };
    let lost = PruneOptions { heads: vec![head], ..options(Trash::Emptied) };
    let refused = fixture.vault.prune(&fixture.run, &Trusting, &lost);
    assert!(matches!(refused, Err(GcError::Doubt { .. })), "{refused:?}");
    let little = PruneOptions { max_delete_percent: 20, ..options(Trash::Emptied) };
    let refused = fixture.vault.prune(&fixture.run, &Trusting, &little);
    assert!(matches!(refused, Err(GcError::TooMuch { allowed: 20, .. })), "{refused:?}");
    fixture.storage.pass_ms(2 * DAY_MS);
    let refused = prune(&fixture, Trash::Emptied);
    assert!(matches!(refused, Err(GcError::Clock { .. })), "{refused:?}");
    // Both clocks went back.
    pass(&fixture, 0);
    fixture.clock.jump(2 * DAY_MS);
    let session = fixture.session(None);
    pass(&fixture, -3 * DAY_MS);
    let refused = prune(&fixture, Trash::Emptied);
    assert!(matches!(refused, Err(GcError::Clock { .. })), "{refused:?}");
    drop(session);
    assert_eq!(fixture.storage.names("condemned/"), [""; 0]);
}

#[test]
fn a_backup_at_work_keeps_what_it_may_have_written_and_what_it_builds_on() {
    let fixture = Fixture::new();
    let (first, _) = snapshot(&fixture, 0..5);
    fixture.storage.take_turns();
    let other = again(&fixture);
    let mut session = other.session(Some(first));
    for number in 50..60 {
        session.put(chunk(1, number)).unwrap();
    }
    forget(&fixture, &first);
    let report = prune(&fixture, Trash::Emptied).unwrap();
    assert_eq!((report.condemned_packs_count, report.sessions_count), (0, 1), "{report:?}");
    let sids: Vec<Sid> = (50..60).map(|number| chunk(1, number).sid).collect();
    let root = node(&sids);
    session.put(root.clone()).unwrap();
    let manifest = other.manifest(&session, root.sid);
    session.commit(&other.run, &manifest).unwrap();
    assert_whole(&fixture, &sids);
    // Without the session nothing is kept for the parent.
    let report = prune(&fixture, Trash::Emptied).unwrap();
    assert_eq!(report.removed_snapshots_count, 1);
    assert_whole(&fixture, &sids);
}

#[test]
fn a_sleeper_that_relied_on_what_went_makes_no_snapshot_and_the_next_backup_does() {
    for trash in [Trash::Waits, Trash::Emptied] {
        let (fixture, _, kept) = two();
        fixture.storage.take_turns();
        let sleeper = again(&fixture);
        let mut session = sleeper.session(None);
        session.put(chunk(1, 3)).unwrap();
        let root = node(&[chunk(1, 3).sid]);
        session.put(root.clone()).unwrap();
        pass(&fixture, 8 * DAY_MS);
        prune(&fixture, trash).unwrap();
        let manifest = sleeper.manifest(&session, root.sid);
        let slept = session.commit(&sleeper.run, &manifest);
        assert!(matches!(slept, Err(VaultError::Gone { .. })), "{slept:?}");
        assert_eq!(
            fixture.storage.names("manifests/").iter().filter(|it| it.contains("/3-")).count(),
            0
        );
        drop(session);
        // What is condemned is put again, and is there when the rest has gone.
        let next = again(&fixture);
        let (_, sids) = snapshot(&next, 3..4);
        pass(&fixture, 4 * DAY_MS);
        prune(&fixture, trash).unwrap();
        assert_whole(&fixture, &sids);
        assert_whole(&fixture, &kept);
    }
}

#[test]
fn nobody_builds_on_a_snapshot_that_is_given_up_or_takes_its_removal_back() {
    let (fixture, first, _) = two();
    pass(&fixture, 8 * DAY_MS);
    prune(&fixture, Trash::Waits).unwrap();
    let request =
        SessionRequest { machine: CHAIN.machine, source: CHAIN.source, parent: Some(first) };
    let refused = fixture.vault.open_session(&fixture.run, request).map(drop);
    assert!(matches!(refused, Err(VaultError::ParentGone { .. })), "{refused:?}");
    assert_eq!(fixture.storage.names("sessions/"), [""; 0]);
    let refused = fixture.vault.revive(&fixture.run, &first);
    assert!(matches!(refused, Err(VaultError::GivenUp { .. })), "{refused:?}");
    assert_eq!(fixture.storage.names("tombstones/").len(), 1);
}

#[test]
fn a_removal_taken_back_before_the_second_mark_keeps_its_objects() {
    let fixture = Fixture::new();
    let (first, sids) = snapshot(&fixture, 0..20);
    snapshot(&fixture, 100..101);
    forget(&fixture, &first);
    pass(&fixture, 8 * DAY_MS);
    prune(&fixture, Trash::Waits).unwrap();
    // As if it was done a moment before the record was written.
    for name in fixture.storage.names("tombstones/") {
        fixture.storage.remove(&name);
    }
    pass(&fixture, 4 * DAY_MS);
    let report = prune(&fixture, Trash::Waits).unwrap();
    assert!(report.copied_objects_count > 0 && report.removed_snapshots_count == 0, "{report:?}");
    assert_whole(&fixture, &sids);
    assert_eq!(fixture.storage.names("condemned/"), [""; 0]);
}

#[test]
fn a_reader_finds_what_was_moved_while_it_read() {
    let fixture = Fixture::new();
    let (first, _) = snapshot(&fixture, 0..40);
    let (_, kept) = snapshot(&fixture, 0..7);
    let reader = again(&fixture);
    reader.vault.locate(&reader.run, &kept[0]).unwrap().unwrap();
    forget(&fixture, &first);
    fixture.storage.take_turns();
    let report = prune(&fixture, Trash::Emptied).unwrap();
    assert!(report.copied_objects_count > 0);
    for sid in &kept {
        reader.vault.read_object(&reader.run, sid).unwrap();
    }
    assert_eq!(reader.problem_count(), 0);
}

/// Prunes with the n-th call failing, for every n: nothing that is needed is lost, and the next run
/// ends what was begun.
#[test]
fn a_fault_or_a_crash_at_every_call_leaves_what_the_next_run_ends() {
    let scene = || {
        let fixture = Fixture::new();
        let (first, _) = snapshot(&fixture, 0..24);
        let (_, mut kept) = snapshot(&fixture, 0..5);
        let (_, more) = snapshot(&fixture, 100..104);
        kept.extend(more);
        forget(&fixture, &first);
        fixture.storage.take_turns();
        (fixture, kept)
    };
    let (clean, _) = scene();
    clean.storage.take_calls();
    prune(&clean, Trash::Emptied).unwrap();
    let calls = clean.storage.take_calls();
    let expected = stored_bytes(&clean);
    assert!(calls.len() > 60, "{}", calls.len());
    for fails in [Fails::Once, Fails::FromThen] {
        for (count, call) in calls.iter().enumerate() {
            let (fixture, kept) = scene();
            fixture.storage.fail_after(count, fails);
            let done = prune(&fixture, Trash::Emptied);
            fixture.storage.heal();
            assert_whole(&fixture, &kept);
            // The record of a prune that died is young, and hinders nobody.
            let other = again(&fixture);
            pass(&other, LEASE_MS + 1);
            let report = prune(&other, Trash::Emptied);
            let report = report.unwrap_or_else(|error| panic!("{call} {fails:?}: {error}"));
            assert_eq!(report.waiting_packs_count, 0, "{call} {fails:?} {done:?}");
            assert_whole(&other, &kept);
            let found = stored_bytes(&other);
            assert!(found <= expected * 105 / 100, "{call} {fails:?}: {found} for {expected}");
            assert_eq!(other.storage.names("condemned/"), [""; 0], "{call} {fails:?}");
            assert_eq!(other.storage.names("manifests").len(), 4, "{call} {fails:?}");
        }
    }
}

/// A pack that another prune wrote between two listings is found when they are made again.
#[test]
fn what_moves_while_it_is_listed_is_looked_for_again() {
    for prefix in ["packs/", "index/"] {
        let (fixture, _, kept) = two();
        fixture.storage.take_turns();
        fixture.storage.blink(prefix);
        prune(&fixture, Trash::Emptied).unwrap();
        assert_whole(&fixture, &kept);
    }
}

#[test]
fn two_prunes_at_once_lose_nothing() {
    for later in [0, SESSION_MS_MAX + 1] {
        let fixture = Fixture::new();
        let (first, _) = snapshot(&fixture, 0..24);
        let (_, kept) = snapshot(&fixture, 0..5);
        forget(&fixture, &first);
        pass(&fixture, 8 * DAY_MS);
        // Both mark before either deletes: the second one's records come beside the first's.
        let (one, two) = (again(&fixture), again(&fixture));
        prune(&one, Trash::Waits).unwrap();
        prune(&two, Trash::Waits).unwrap();
        pass(&fixture, later);
        fixture.storage.take_turns();
        std::thread::scope(|scope| {
            let fixtures = [again(&fixture), again(&fixture)];
            for other in fixtures {
                scope.spawn(move || {
                    // One may find that the other has taken what it was about to copy.
                    drop(prune(&other, Trash::Emptied));
                });
            }
        });
        assert_whole(&fixture, &kept);
        let other = again(&fixture);
        pass(&other, LEASE_MS + 1);
        prune(&other, Trash::Emptied).unwrap();
        assert_whole(&fixture, &kept);
        assert_eq!(fixture.storage.names("condemned/"), [""; 0]);
    }
}
