//! A plan carried out.
//!
//! The order: journal; new packs and their index; copies of all that goes, in quarantine; and then,
//! while nobody commits, the old names are freed and good copies written under them. What is
//! durable after each step is whole without the next one.

use std::collections::BTreeSet;

use crate::format::repair::RepairStep;
use crate::ids::PackId;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::gc;
use crate::vault::gc::condemned;
use crate::vault::gc::condemned::Condemned;
use crate::vault::gc::condemned::Stored;
use crate::vault::load;
use crate::vault::names;
use crate::vault::repair::RepairError;
use crate::vault::repair::RepairReport;
use crate::vault::repair::Signer;
use crate::vault::repair::create;
use crate::vault::repair::id_of;
use crate::vault::repair::is_there;
use crate::vault::repair::journal::Journal;
use crate::vault::repair::plan::CopyAnew;
use crate::vault::repair::plan::Good;
use crate::vault::repair::plan::Moved;
use crate::vault::repair::plan::Plan;
use crate::vault::repair::read;
use crate::vault::repair::remove;
use crate::vault::repair::save::Saver;
use crate::vault::scrub::report::Kind;

impl Vault {
    /// Carries out a plan; objects that it takes from elsewhere come from `other`. Whatever was
    /// done when this fails or is killed is whole by itself, and a new plan goes on from there.
    pub fn repair(
        &self,
        run: &Run,
        plan: &Plan,
        (signer, other): (&Signer<'_>, Option<&Vault>),
    ) -> Result<RepairReport, RepairError> {
        let mut report = RepairReport::default();
        if plan.is_empty() {
            return Ok(report);
        }
        run.phase(Phase::Committing);
        let vault = &*self.inner;
        let mut journal = Journal::begin(vault, signer, run.clock.now())?;
        report.repair = journal.id.to_string();
        journal.write(&steps(plan))?;
        vault.storage.sync()?;
        let saver = Saver::new(run, (vault, other), &mut journal);
        let new = saver.save(&plan.rescues, &plan.tables, &mut report)?;
        for moved in &plan.moves {
            quarantine(run, vault, moved)?;
            report.moved_count += 1;
            report.moved_bytes += moved.bytes;
        }
        vault.storage.sync()?;
        let mut holders = plan.relied.clone();
        holders.extend(new.iter().map(|table| table.pack));
        let exchanged = exchange(run, vault, plan, &holders);
        // What lay in packs that are gone is found elsewhere now.
        self.refresh();
        exchanged?;
        report.copies_count = plan.copies.len() as u64;
        run.phase(Phase::Finished);
        Ok(report)
    }
}

/// What the journal says before anything is done; new packs follow when their names are known.
fn steps(plan: &Plan) -> Vec<RepairStep> {
    let moved = |it: &Moved| RepairStep::Moved { name: it.name.clone(), hash: it.id };
    let added = |it: &CopyAnew| {
        let from = match &it.good {
            Good::Here(_) => it.from.clone(),
            Good::Elsewhere(_) => String::new(),
        };
        RepairStep::Added { name: it.name.clone(), from, hash: it.id }
    };
    plan.moves.iter().map(moved).chain(plan.copies.iter().map(added)).collect()
}

/// Writes the bytes under the name of their hash, and reads them back.
fn quarantine(run: &Run, vault: &Inner, moved: &Moved) -> Result<(), RepairError> {
    run.check()?;
    let changed = || RepairError::Changed { name: moved.blob.clone() };
    let bytes = read(vault, &moved.blob)?.filter(|bytes| id_of(bytes) == moved.id);
    let bytes = bytes.ok_or_else(changed)?;
    let name = names::quarantined(&moved.id)?;
    // Half of it, left by a repair that was cut off: no copy of anything, and the whole is at hand.
    if read(vault, &name)?.is_some_and(|left| left != bytes) {
        remove(vault, &name)?;
    }
    create(vault, &name, &bytes)?;
    let found = read(vault, &name)?;
    if found.is_none_or(|found| found != bytes) {
        drop(vault.storage.delete(&name));
        return Err(RepairError::Changed { name });
    }
    Ok(())
}

/// Frees the old names and writes good copies under them. A record tells writers and prunes of the
/// packs that go, as a prune does it.
fn exchange(
    run: &Run,
    vault: &Inner,
    plan: &Plan,
    holders: &BTreeSet<PackId>,
) -> Result<(), RepairError> {
    let packs: Vec<PackId> =
        plan.moves.iter().filter_map(|moved| names::parse_pack(&moved.blob)).collect();
    let (own, now) = announce(vault, &packs)?;
    let exchanged = exchange_alone(run, vault, (plan, holders), (&own, now));
    let ended = withdraw(vault, &own, &exchanged);
    exchanged?;
    ended?;
    Ok(vault.storage.sync()?)
}

/// Takes away what [`announce`] told. Of packs that have not gone it stays to be seen: a prune may
/// have read it and be about to remove them, and nobody may rely on them meanwhile.
pub(super) fn withdraw(
    vault: &Inner,
    own: &[Stored],
    exchanged: &Result<(), RepairError>,
) -> Result<(), RepairError> {
    let goes = |stored: &&Stored| exchanged.is_ok() || stored.record.packs.is_empty();
    let mut over = own.iter().filter(goes);
    Ok(over.try_for_each(|stored| remove(vault, &stored.name).map(drop))?)
}

/// A record of packs that go, and the storage's time.
pub(super) fn announce(
    vault: &Inner,
    packs: &[PackId],
) -> Result<(Vec<Stored>, Timestamp), RepairError> {
    let (probe, now) = condemned::probe(vault)?;
    let mut own = condemned::write(vault, packs, &[])?;
    own.push(probe);
    Ok((own, now))
}

/// Whether packs are there and nobody else is about to remove them.
pub(super) fn still_hold(
    run: &Run,
    vault: &Inner,
    holders: &BTreeSet<PackId>,
    own: &[Stored],
) -> Result<(), RepairError> {
    let present = load::list_packs(vault)?;
    let is_own = |stored: &Stored| own.iter().any(|it| it.name == stored.name);
    let records = Condemned::read(&run.unwatched(), vault)?.records;
    let others = records.iter().filter(|stored| !is_own(stored));
    let doomed: BTreeSet<&PackId> = others.flat_map(|stored| &stored.record.packs).collect();
    let lost = |pack: &&PackId| doomed.contains(pack) || !present.contains_key(pack);
    match holders.iter().find(lost) {
        None => Ok(()),
        Some(pack) => {
            let name = names::pack(pack)?;
            Err(RepairError::Overtaken { why: format!("a prune removes `{name}` meanwhile") })
        }
    }
}

fn exchange_alone(
    run: &Run,
    vault: &Inner,
    (plan, holders): (&Plan, &BTreeSet<PackId>),
    (own, now): (&[Stored], Timestamp),
) -> Result<(), RepairError> {
    let alone = gc::wait_alone(run, vault)?;
    still_hold(run, vault, holders, own)?;
    let is_twin = |copy: &CopyAnew| copy.was_missing && copy.kind == Kind::Manifest;
    // A backup may be about to take back a manifest of which it has written one copy.
    if alone.is_none() && plan.copies.iter().any(is_twin) && gc::any_session(vault, now)? {
        return Err(RepairError::AtWork);
    }
    let mut good = Vec::new();
    for copy in &plan.copies {
        good.push(match &copy.good {
            Good::Elsewhere(bytes) => bytes.clone(),
            Good::Here(source) => {
                let bytes = read(vault, source)?.filter(|bytes| id_of(bytes) == copy.id);
                bytes.ok_or_else(|| RepairError::Changed { name: source.clone() })?
            }
        });
    }
    for moved in &plan.moves {
        // A prune may have taken an old copy of the same bytes meanwhile; from here on none does.
        if !is_there(vault, &names::quarantined(&moved.id)?)? {
            quarantine(run, vault, moved)?;
        }
    }
    vault.storage.sync()?;
    for moved in &plan.moves {
        run.check()?;
        remove(vault, &moved.blob)?;
    }
    vault.storage.sync()?;
    for (copy, bytes) in plan.copies.iter().zip(&good) {
        create(vault, &copy.blob, bytes)?;
    }
    vault.storage.sync()?;
    Ok(())
}
