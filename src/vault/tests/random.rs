//! Backups, removals and prunes by threads, in whatever order they come to be.

use crate::ids::MachineId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::vault::error::VaultError;
use crate::vault::gc::PruneOptions;
use crate::vault::gc::Trash;
use crate::vault::names::Chain;
use crate::vault::session::SessionRequest;
use crate::vault::tests::CHAIN;
use crate::vault::tests::Fixture;
use crate::vault::tests::LEASE_MS;
use crate::vault::tests::Trusting;
use crate::vault::tests::chunk;
use crate::vault::tests::gc::again;
use crate::vault::tests::gc::assert_whole;
use crate::vault::tests::gc::forget;
use crate::vault::tests::gc::options;
use crate::vault::tests::gc::pass;
use crate::vault::tests::gc::prune;
use crate::vault::tests::manifest_after;
use crate::vault::tests::node;

/// One machine that backs up, again and again, some of a few chunks, or builds on what it had, and
/// removes what is old. Gives what was acknowledged and not removed, and how many backups failed.
fn back_up_often(fixture: &Fixture, machine: u8, seed: u32) -> (Vec<(SnapshotId, Vec<Sid>)>, u32) {
    let chain = Chain { machine: MachineId::new([machine; 16]), source: CHAIN.source };
    let (mut kept, mut failed_count, mut state) = (Vec::new(), 0, seed * 31 + u32::from(machine));
    let mut below = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % n
    };
    for _ in 0..12 {
        let process = again(fixture);
        let last: Option<(SnapshotId, Vec<Sid>)> = kept.last().cloned();
        let parent = last.filter(|_| below(3) == 0);
        let id = parent.as_ref().map(|(id, _)| *id);
        let request = SessionRequest { machine: chain.machine, source: chain.source, parent: id };
        let Ok(mut session) = process.vault.open_session(&process.run, request) else {
            failed_count += 1;
            continue;
        };
        let sids = parent.map_or_else(
            || {
                let first = below(20);
                let mut sids = Vec::new();
                for number in first..first + 1 + below(8) {
                    sids.push(chunk(1, number).sid);
                    session.put(chunk(1, number)).unwrap();
                }
                let root = node(&sids);
                sids.push(root.sid);
                session.put(root).unwrap();
                sids
            },
            |(_, sids)| sids,
        );
        // Half of them sleep beyond their lease: nobody takes them for at work.
        if below(2) == 0 {
            for name in fixture.storage.names(&format!("sessions/{}.", session.id())) {
                fixture.storage.remove(&name);
            }
        }
        let head = process.vault.head(&process.run, &chain).unwrap();
        let manifest = manifest_after(head, &session, *sids.last().unwrap());
        match session.commit(&process.run, &manifest) {
            Ok(id) => kept.push((id, sids)),
            Err(VaultError::Gone { .. } | VaultError::ParentGone { .. }) => failed_count += 1,
            Err(error) => panic!("{error}"),
        }
        if kept.len() > 2 {
            // From now on it is promised to nobody.
            let (old, _) = kept.remove(0);
            forget(&process, &old);
        }
    }
    (kept, failed_count)
}

/// The real code in the order that threads happen to take, where nobody can be kept out: what is
/// acknowledged stays, whatever two prunes without any grace do meanwhile.
#[test]
fn backups_and_prunes_in_any_order_lose_nothing() {
    let mut removed = 0;
    for seed in 1..=12 {
        let fixture = Fixture::new();
        fixture.storage.take_turns();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let (kept, packs) = std::thread::scope(|scope| {
            let fixture = &fixture;
            let is_over = &is_over;
            let pruner = |trash: Trash| {
                move || {
                    let mut removed = 0;
                    while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                        let process = again(fixture);
                        let now = PruneOptions { grace_ms: 0, ..options(trash) };
                        // What comes in between may end it; it deletes nothing then.
                        if let Ok(done) = process.vault.prune(&process.run, &Trusting, &now) {
                            removed += done.removed_packs_count;
                        }
                    }
                    removed
                }
            };
            let pruners = [Trash::Waits, Trash::Emptied].map(|trash| scope.spawn(pruner(trash)));
            let writers =
                [1, 2, 3].map(|machine| scope.spawn(move || back_up_often(fixture, machine, seed)));
            let kept = writers.map(|writer| writer.join().unwrap().0).concat();
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            (kept, pruners.map(|pruner| pruner.join().unwrap()))
        });
        removed += packs.iter().sum::<u64>();
        for (_, sids) in &kept {
            assert_whole(&fixture, sids);
        }
        let last = again(&fixture);
        pass(&last, LEASE_MS + 1);
        prune(&last, Trash::Emptied).unwrap();
        let report = prune(&last, Trash::Emptied).unwrap();
        assert_eq!((report.waiting_packs_count, report.snapshots_count), (0, kept.len() as u64));
        for (_, sids) in &kept {
            assert_whole(&last, sids);
        }
    }
    assert!(removed > 0);
}
