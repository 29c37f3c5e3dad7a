//! What people do, cut into what came before and what is interrupted.

use lifeboat::repository::keys::rotate::Part;
use lifeboat::source::memory::Fault;
use lifeboat::vault::gc::Trash;
use lifeboat::vault::scrub::report::Verdict;

use super::crash;
use super::disk_faults;
use super::faults;
use super::laws;
use super::office::LEASE_MS;
use super::office::Office;
use super::target::MemoryTarget;
use super::twins;
use super::twins::no_twin;
use super::twins::other_keys;
use super::twins::source;
use super::twins::twin_behind;

pub type Act = fn(&mut Office) -> Result<(), String>;

/// A named piece of work.
pub struct Scenario {
    pub name: &'static str,
    pub prepare: Act,
    pub act: Act,
}

fn nothing(_: &mut Office) -> Result<(), String> {
    Ok(())
}

fn made(office: &mut Office) -> Result<(), String> {
    office.add_desk("one");
    office.init("first")
}

fn backed_up(office: &mut Office) -> Result<(), String> {
    made(office)?;
    office.backup(0).map(drop)
}

pub(super) fn mutate(office: &mut Office, desk: usize) {
    let mut random = crate::support::Random::new(office.random_seed + 77);
    office.desks[desk].tree.mutate(&mut random);
}

fn incremental(office: &mut Office) -> Result<(), String> {
    mutate(office, 0);
    office.backup(0)?;
    mutate(office, 0);
    office.backup(0).map(drop)
}

fn changing_source(office: &mut Office) -> Result<(), String> {
    mutate(office, 0);
    let faults = [("large", Fault::Change(1)), ("d/b", Fault::Change(9)), ("x", Fault::Change(1))];
    office.desks[0].tree.faults =
        faults.into_iter().map(|(path, fault)| (path.to_owned(), fault)).collect();
    office.backup(0)?;
    office.desks[0].tree.faults.clear();
    Ok(())
}

pub(super) fn two_desks(office: &mut Office) -> Result<(), String> {
    backed_up(office)?;
    office.add_desk("two");
    Ok(())
}

/// A machine more: its record, its first chain.
fn enrol(office: &mut Office) -> Result<(), String> {
    office.backup(1).map(drop)
}

/// Nothing changed: everything is used again, and the snapshot is new all the same.
fn unchanged(office: &mut Office) -> Result<(), String> {
    for _ in 0..3 {
        office.backup(0)?;
    }
    Ok(())
}

/// The second machine enrols and backs up while the first one is about to commit.
fn two_machines(office: &mut Office) -> Result<(), String> {
    mutate(office, 0);
    let mut inner = Ok(());
    office.backup_while(0, &mut |office| inner = office.backup(1).map(drop))?;
    inner
}

/// The same machine backs up twice at once: the second to commit comes after the first.
fn twice_at_once(office: &mut Office) -> Result<(), String> {
    mutate(office, 0);
    let mut inner = None;
    office.backup_while(0, &mut |office| {
        if inner.is_none() {
            inner = Some(office.backup(0).map(drop));
        }
    })?;
    inner.unwrap_or_else(|| Err("the second backup was not made".to_owned()))
}

/// The machine sleeps longer than its lease, and then longer than any session may live.
fn expired_session(office: &mut Office) -> Result<(), String> {
    for ms in [LEASE_MS * 2, 80 * 60 * 60 * 1000, -LEASE_MS] {
        mutate(office, 0);
        office.backup_while(0, &mut |office| office.clock.jump(ms))?;
    }
    Ok(())
}

/// A source that fails at its end, then the same once more, which uses what was sent.
fn suspended(office: &mut Office) -> Result<(), String> {
    mutate(office, 0);
    office.desks[0].tree.fails_at_end = true;
    let failed = office.backup(0);
    office.desks[0].tree.fails_at_end = false;
    if failed.is_ok() {
        return Err("a snapshot of a source that failed".to_owned());
    }
    office.backup(0).map(drop)
}

fn slots(office: &mut Office) -> Result<(), String> {
    office.add_key("second")?;
    office.change_key("third")?;
    office.remove_key("second")
}

/// Each leaves slots of another age behind, and a machine with old keys.
fn rotate_generations(office: &mut Office) -> Result<(), String> {
    office.rotate(Part::Store)?;
    office.rotate(Part::Domain)?;
    office.backup(0).map(drop)
}

fn with_second_key(office: &mut Office) -> Result<(), String> {
    with_shares(office)?;
    office.add_key("second")
}

fn rotate_restore(office: &mut Office) -> Result<(), String> {
    office.rotate(Part::Restore)?;
    office.backup(0).map(drop)
}

fn two_enrolled(office: &mut Office) -> Result<(), String> {
    two_desks(office)?;
    office.backup(1).map(drop)
}

fn with_shares(office: &mut Office) -> Result<(), String> {
    backed_up(office)?;
    office.make_shares()
}

fn recovery(office: &mut Office) -> Result<(), String> {
    office.make_shares()?;
    office.use_shares("from paper")
}

/// Writes nothing, so there is one state; that it is the same before and after is part of it.
fn check(office: &mut Office) -> Result<(), String> {
    let before = office.now();
    let reader = office.reader()?;
    let report = laws::check(&reader, &reader.unlocked.keyset)?;
    let wrote = office.now() - before;
    if wrote > 0 || report.verdict() != Verdict::Ok {
        return Err(format!("check took {wrote} steps and found {report:?}"));
    }
    Ok(())
}

/// Whatever happens, what stands under a final name is what the snapshot holds.
fn restore(office: &mut Office) -> Result<(), String> {
    let tree = office.known.attempts[0].tree.clone();
    let target = MemoryTarget::new();
    let reader = office.reader()?;
    let root = laws::root_of(office, &reader, 0)?;
    let restored = laws::restore_to(&reader, &root, &target);
    tree.wrong_bytes(&target.standings().things())
        .map_or(Ok(()), |why| Err(format!("K9 {why}")))?;
    restored?;
    let differs = tree.difference(&target.standings().things());
    differs.map_or(Ok(()), |why| Err(format!("K9 {why}")))
}

/// Four snapshots of a tree that changes, two of them removed.
fn with_removed(office: &mut Office) -> Result<(), String> {
    backed_up(office)?;
    for _ in 0..3 {
        mutate(office, 0);
        office.backup(0)?;
    }
    office.forget(0)?;
    office.forget(2)?;
    office.prunes_in_the_end()
}

/// As before, and a prune has condemned what only those had.
fn with_condemned(office: &mut Office) -> Result<(), String> {
    with_removed(office)?;
    office.prune(Trash::Waits).map(drop)
}

/// Several snapshots, and damage to what stands twice.
fn with_damage(office: &mut Office) -> Result<(), String> {
    backed_up(office)?;
    mutate(office, 0);
    office.backup(0)?;
    office.harm()
}

fn with_repair(office: &mut Office) -> Result<(), String> {
    with_damage(office)?;
    office.repair()
}

/// What a repair has put into quarantine goes with the trash.
fn with_set_aside(office: &mut Office) -> Result<(), String> {
    with_repair(office)?;
    office.prunes_in_the_end()
}

macro_rules! scenarios {
    ($($name:ident: $prepare:ident, $act:expr;)*) => {
        /// All of them.
        pub const ALL: &[Scenario] = &[
            $(Scenario { name: stringify!($name), prepare: $prepare, act: $act },)*
        ];

        mod crashed {
            $(#[test]
            fn $name() {
                super::crash::run(super::named(stringify!($name)));
            })*
        }

        mod disk_failed {
            $(#[test]
            fn $name() {
                super::disk_faults::run(super::named(stringify!($name)));
            })*
        }

        mod failed {
            $(#[test]
            fn $name() {
                super::faults::run(super::named(stringify!($name)));
            })*
        }
    };
}

scenarios! {
    init: nothing, made;
    first_backup: made, |office| office.backup(0).map(drop);
    incremental: backed_up, incremental;
    changing_source: backed_up, changing_source;
    two_machines: two_desks, two_machines;
    enrol: two_desks, enrol;
    unchanged: backed_up, unchanged;
    twice_at_once: backed_up, twice_at_once;
    expired_session: backed_up, expired_session;
    suspended: backed_up, suspended;
    slots: backed_up, slots;
    recovery: with_shares, recovery;
    rotate_generations: with_second_key, rotate_generations;
    rotate_restore: with_second_key, rotate_restore;
    revoke: two_enrolled, |office| office.revoke(1);
    forget: backed_up, |office| office.forget(0);
    prune_condemns: with_removed, |office| office.prune(Trash::Waits).map(drop);
    prune_removes: with_condemned, |office| office.prune(Trash::Waits).map(drop);
    prune_at_once: with_removed, |office| office.prune(Trash::Emptied).map(drop);
    repair: with_damage, Office::repair;
    undo_repair: with_repair, Office::undo_repair;
    prune_set_aside: with_set_aside, |office| office.prune(Trash::Emptied).map(drop);
    copy: no_twin, twins::one_by_one;
    copy_more: twin_behind, twins::again;
    copy_other_keys: other_keys, twins::again;
    copy_out: source, twins::out_to_twin;
    copy_out_other_keys: source, twins::out_to_other;
    check: backed_up, check;
    restore: backed_up, restore;
}

pub fn named(name: &str) -> &'static Scenario {
    ALL.iter().find(|scenario| scenario.name == name).expect("a scenario")
}
