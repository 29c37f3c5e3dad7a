//! Giving space back: what no snapshot needs goes, in two marks.
//!
//! The order of the steps is the protocol of `doc/concurrency.md`, which `tests/protocol/` checks.
//! Nothing here opens content or needs more than the store key.

mod choose;
pub mod condemned;
mod copy;
mod lasting;
mod mark;
pub mod set_aside;
mod sweep;
mod tidy;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::ids::PackId;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::storage::Alone;
use crate::storage::BlobNameError;
use crate::storage::StorageError;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::chains::Verifier;
use crate::vault::chains::late;
use crate::vault::error::VaultError;
use crate::vault::gc::choose::Choice;
use crate::vault::gc::condemned::Stored;
use crate::vault::gc::mark::Mark;
use crate::vault::gc::mark::Sessions;
use crate::vault::gc::set_aside::SetAside;
use crate::vault::names;
use crate::vault::names::Place;
use crate::vault::session::SESSION_MS_MAX;

/// Storage and process may differ by so much in what time it is.
const CLOCKS_MS_MAX: i64 = 24 * 60 * 60 * 1000;
/// How often a mark is made again because something came in between.
const MARKS_MAX: u32 = 16;
const ALONE_STEP: Duration = Duration::from_millis(20);

/// How much may lie unused in packs that stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxUnused {
    /// Hundredths of what is used.
    Percent(u8),
    Bytes(u64),
}

/// When what was condemned goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trash {
    /// In a later run, after the grace.
    Waits,
    /// In the same run, if no backup is at work and the medium can keep others out.
    Emptied,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneOptions {
    pub max_unused: MaxUnused,
    /// Most bytes that are copied out of packs that are mostly unused.
    pub max_repack_bytes: Option<u64>,
    /// Most hundredths of all that is stored that may go in one run.
    pub max_delete_percent: u8,
    /// A removed snapshot is kept for so long.
    pub grace_ms: i64,
    pub trash: Trash,
    /// Newest snapshots that this machine remembers.
    pub heads: Vec<Place>,
}

/// What there is, what goes, and what went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PruneReport {
    /// Snapshots that stand.
    pub snapshots_count: u64,
    /// Snapshots that were removed and can still be brought back.
    pub snapshots_in_trash_count: u64,
    /// Snapshots for which nothing is kept any more.
    pub snapshots_given_up_count: u64,
    pub total_bytes: u64,
    /// What the snapshots need.
    pub live_bytes: u64,
    /// What lies unused in packs that stay.
    pub unused_bytes: u64,
    /// What nothing needs and is left because a backup is at work.
    pub young_bytes: u64,
    /// What was found to be unused in this run.
    pub condemned_packs_count: u64,
    pub condemned_bytes: u64,
    pub repacked_packs_count: u64,
    pub copied_objects_count: u64,
    pub copied_bytes: u64,
    /// What went in this run.
    pub removed_snapshots_count: u64,
    pub removed_packs_count: u64,
    pub removed_bytes: u64,
    pub removed_indexes_count: u64,
    /// What is condemned and goes in a later run.
    pub waiting_packs_count: u64,
    pub waiting_bytes: u64,
    /// What repairs have set aside and is kept, so that they can be taken back.
    pub set_aside_count: u64,
    pub set_aside_bytes: u64,
    /// Of that, what goes in this run.
    pub removed_set_aside_count: u64,
    pub removed_set_aside_bytes: u64,
    /// Backups at work.
    pub sessions_count: u64,
}

impl PruneReport {
    /// Refuses when what was found to be unused in this run is more than so many hundredths.
    ///
    /// # Errors
    /// [`GcError::TooMuch`].
    pub fn refuse_too_much(&self, allowed: u8) -> Result<(), GcError> {
        let (going, total) =
            (u128::from(self.condemned_bytes), u128::from(self.total_bytes.max(1)));
        let percent = u64::try_from((going * 100).div_ceil(total)).unwrap_or(u64::MAX);
        if percent > u64::from(allowed) {
            return Err(GcError::TooMuch { percent, allowed });
        }
        Ok(())
    }
}

/// Why nothing, or nothing more, was deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GcError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("nothing is deleted while this is in doubt: {subject}: {why}")]
    Doubt { subject: String, why: String },
    #[error("{percent} % of what is stored would go, {allowed} % are allowed in one run")]
    TooMuch { percent: u64, allowed: u8 },
    #[error("the clock of the storage {why}")]
    Clock { why: String },
    #[error("snapshots or other prunes kept coming in between; nothing was deleted")]
    Overtaken,
}

impl GcError {
    fn doubt(subject: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Doubt { subject: subject.to_string(), why: why.to_string() }
    }

    fn storage(error: StorageError) -> Self {
        Self::Vault(error.into())
    }
}

impl From<crate::run::Stopped> for GcError {
    fn from(stopped: crate::run::Stopped) -> Self {
        Self::Vault(stopped.into())
    }
}

impl From<StorageError> for GcError {
    fn from(error: StorageError) -> Self {
        Self::storage(error)
    }
}

impl From<BlobNameError> for GcError {
    fn from(error: BlobNameError) -> Self {
        Self::Vault(error.into())
    }
}

/// Who asks, and for what.
struct Asking<'a> {
    verifier: &'a dyn Verifier,
    options: &'a PruneOptions,
}

impl Vault {
    /// Whether a prune has begun to remove this snapshot, so that its removal cannot be taken back.
    pub fn is_given_up(&self, run: &Run, snapshot: &SnapshotId) -> Result<bool, VaultError> {
        Ok(condemned::Condemned::read(run, &self.inner)?.gives_up(snapshot))
    }

    /// What a prune would do. Nothing is written, so the time is that of this process.
    pub fn plan_prune(
        &self,
        run: &Run,
        verifier: &dyn Verifier,
        options: &PruneOptions,
    ) -> Result<PruneReport, GcError> {
        run.phase(Phase::Planning);
        let (vault, asking) = (&*self.inner, Asking { verifier, options });
        let now = run.clock.now();
        let (mut mark, choice) = marked(run, vault, &asking, now)?;
        tell_healable(run, vault, &mut mark)?;
        let mut report = told(run, vault, &mark, &choice)?;
        SetAside::look(run, vault, (now, options.grace_ms))?.tell(&mut report);
        report.waiting_packs_count += choice.drop.len() as u64;
        run.phase(Phase::Finished);
        Ok(report)
    }

    /// Marks what is needed, condemns the rest, and removes what was condemned long enough ago.
    pub fn prune(
        &self,
        run: &Run,
        verifier: &dyn Verifier,
        options: &PruneOptions,
    ) -> Result<PruneReport, GcError> {
        run.phase(Phase::Planning);
        let vault = &*self.inner;
        // Who may only add is told so before gigabytes are copied.
        let (trial, _) = condemned::probe(vault)?;
        sweep::remove(vault, &trial.name)?;
        let (probe, now) = condemned::probe(vault)?;
        let pruned = pruned(run, vault, &Asking { verifier, options }, now);
        // The index is another one now; a record that stays names nothing and goes next time.
        self.refresh();
        let removed = sweep::remove(vault, &probe.name);
        let report = pruned?;
        removed?;
        run.phase(Phase::Finished);
        Ok(report)
    }
}

fn pruned(
    run: &Run,
    vault: &Inner,
    asking: &Asking<'_>,
    now: Timestamp,
) -> Result<PruneReport, GcError> {
    let apart_ms = now.ms_since(run.clock.now());
    if apart_ms.abs() > CLOCKS_MS_MAX {
        let why = format!("and that of this computer are {} s apart", apart_ms.abs() / 1000);
        return Err(GcError::Clock { why });
    }
    let options = asking.options;
    let (mut mark, choice) = marked(run, vault, asking, now)?;
    tell_healable(run, vault, &mut mark)?;
    let mut report = told(run, vault, &mark, &choice)?;
    report.refuse_too_much(options.max_delete_percent)?;
    run.phase(Phase::Committing);
    copy::verify(run, vault, &choice.verify)?;
    let copied = copy::copy(run, vault, &choice.copy)?;
    report.copied_objects_count = copied.objects_count;
    report.copied_bytes = copied.bytes;
    let told = |place: &&Place| !mark.condemned.gives_up(&place.id);
    let given_up: Vec<Place> = mark.given_up.iter().filter(told).copied().collect();
    let own = condemned::write(vault, &choice.drop, &given_up)?;
    let sessions = Sessions::list(vault, now)?;
    report.sessions_count = sessions.open_count;
    let at_once = options.trash == Trash::Emptied
        && sessions.open_count == 0
        && !matches!(vault.storage.try_alone()?, Alone::Unknown);
    let due = due(vault, &mark, (&own, at_once), (now, options))?;
    let mut safe: Vec<PackId> = copied.packs.iter().map(|table| table.pack).collect();
    if !due.is_empty() {
        let mut left = MARKS_MAX;
        let swept = loop {
            let alone = wait_alone(run, vault)?;
            if sweep::still_holds(run, vault, &mark, (&own, &safe))? {
                break sweep::sweep(run, vault, &mark, &due)?;
            }
            drop(alone);
            left = left.checked_sub(1).ok_or(GcError::Overtaken)?;
            let (again, choice) = marked(run, vault, asking, now)?;
            copy::verify(run, vault, &choice.verify)?;
            // What is to go and is needed after all; packs that were fine stay as they are.
            let needed = vault.with_locations(run, |locations| {
                let goes = |at: &&u32| {
                    locations.row(**at).is_some_and(|row| !locations.is_usable(row.pack))
                };
                choice.copy.iter().filter(goes).copied().collect::<Vec<_>>()
            })?;
            let copied = copy::copy(run, vault, &needed)?;
            safe.extend(copied.packs.iter().map(|table| table.pack));
            mark = again;
        };
        report.removed_snapshots_count = swept.snapshots_count;
        report.removed_packs_count = swept.packs_count;
        report.removed_bytes = swept.bytes;
        sweep::remove_records(vault, &due)?;
    }
    set_aside::empty(run, vault, (now, options.grace_ms))?.tell(&mut report);
    report.removed_indexes_count = tidy::tidy(run, vault)?;
    waiting(run, vault, &mut report)?;
    Ok(report)
}

fn marked(
    run: &Run,
    vault: &Inner,
    asking: &Asking<'_>,
    now: Timestamp,
) -> Result<(Mark, Choice), GcError> {
    // What another prune moved between two listings is where it belongs when looked at again; what
    // is damaged is damaged then too.
    let mark = match mark::mark(run, vault, asking, now) {
        Err(GcError::Doubt { .. }) => mark::mark(run, vault, asking, now)?,
        mark => mark?,
    };
    let any_open = mark.sessions.open_count > 0;
    let is_young = |pack: &PackId| {
        if !any_open {
            return Ok(false);
        }
        let name = names::pack(pack)?;
        let created = mark::date_of(vault, &name)?;
        Ok(created.is_none_or(|created| now.ms_since(created) <= SESSION_MS_MAX))
    };
    let choice = vault.with_locations(run, |locations| {
        choose::choose(locations, &mark, asking.options, &is_young)
    })??;
    Ok((mark, choice))
}

/// What is wrong with the chains and hinders no deletion is told all the same, as `check` does.
fn tell_healable(run: &Run, vault: &Inner, mark: &mut Mark) -> Result<(), GcError> {
    late::leave_out(run, vault, &mut mark.healable)?;
    mark.healable.iter().for_each(|finding| run.problem(&finding.problem()));
    Ok(())
}

fn told(run: &Run, vault: &Inner, mark: &Mark, choice: &Choice) -> Result<PruneReport, GcError> {
    let mut report = PruneReport {
        snapshots_count: mark.snapshots_count,
        snapshots_in_trash_count: mark.in_trash_count,
        snapshots_given_up_count: mark.given_up.len() as u64,
        total_bytes: choice.total_bytes,
        live_bytes: choice.live_bytes,
        unused_bytes: choice.unused_bytes,
        young_bytes: choice.young_bytes,
        condemned_packs_count: choice.drop.len() as u64,
        condemned_bytes: choice.drop_bytes,
        repacked_packs_count: choice.repacked_count,
        sessions_count: mark.sessions.open_count,
        ..PruneReport::default()
    };
    vault.with_locations(run, |locations| {
        for pack in locations.packs().iter().filter(|it| it.is_present && it.is_condemned) {
            report.waiting_packs_count += 1;
            report.waiting_bytes += pack.len_bytes;
        }
    })?;
    Ok(report)
}

/// The records to sweep: those that have waited, and all if the trash is emptied.
fn due(
    vault: &Inner,
    mark: &Mark,
    (own, at_once): (&[Stored], bool),
    (now, options): (Timestamp, &PruneOptions),
) -> Result<Vec<Stored>, GcError> {
    let wait_ms = options.grace_ms.min(SESSION_MS_MAX);
    let mut due = Vec::new();
    for stored in &mark.condemned.records {
        let Some(created) = mark::date_of(vault, &stored.name)? else { continue };
        let age_ms = mark::age(now, created, &stored.name)?;
        let names_nothing = stored.record.packs.is_empty() && stored.record.snapshots.is_empty();
        // The record of a prune that runs, or that died.
        let is_due = match names_nothing {
            true => age_ms > vault.options.lease_ms,
            false => at_once || age_ms >= wait_ms,
        };
        if is_due {
            due.push(stored.clone());
        }
    }
    if at_once {
        due.extend(own.iter().cloned());
    }
    Ok(due)
}

/// What is condemned at the end.
fn waiting(run: &Run, vault: &Inner, report: &mut PruneReport) -> Result<(), GcError> {
    let condemned = condemned::Condemned::read(run, vault)?.packs();
    (report.waiting_packs_count, report.waiting_bytes) = (0, 0);
    for (pack, len_bytes) in crate::vault::load::list_packs(vault)? {
        if condemned.contains(&pack) {
            report.waiting_packs_count += 1;
            report.waiting_bytes += len_bytes;
        }
    }
    Ok(())
}

/// Whether a backup is at work.
pub(in crate::vault) fn any_session(vault: &Inner, now: Timestamp) -> Result<bool, GcError> {
    Ok(Sessions::list(vault, now)?.open_count > 0)
}

/// Waits for the turn to delete, where the medium knows of turns.
pub(in crate::vault) fn wait_alone(
    run: &Run,
    vault: &Inner,
) -> Result<Option<crate::disk::Held>, VaultError> {
    let since = run.clock.elapsed();
    loop {
        match vault.storage.try_alone()? {
            Alone::Yes(held) => return Ok(Some(held)),
            Alone::Unknown => return Ok(None),
            Alone::No => {}
        }
        run.check()?;
        let waited = run.clock.elapsed().saturating_sub(since);
        if waited > vault.wait_max {
            return Err(VaultError::Busy { seconds: waited.as_secs() });
        }
        run.clock.wait(ALONE_STEP);
    }
}
