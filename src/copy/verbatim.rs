//! Snapshots into a twin, as they are.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::copy::Doing;
use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::copy::extras;
use crate::copy::ledger;
use crate::copy::transfer::transfer;
use crate::copy::walk::Lacking;
use crate::copy::walk::Walk;
use crate::format::tombstone::SignedTombstone;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Held;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::Copies;
use crate::vault::chains::Manifests;
use crate::vault::chains::Scope;
use crate::vault::chains::StoredManifest;
use crate::vault::error::Fault;
use crate::vault::names::Chain;
use crate::vault::names::Place;
use crate::vault::session::Session;
use crate::vault::session::SessionRequest;
use crate::vault::session::adopt::Adoption;

/// How a copy goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyOptions {
    pub doing: Doing,
    /// Snapshots are committed together until they bring so many sealed bytes.
    pub batch_bytes: u64,
}

/// What a copy did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    /// Snapshots that stand at the source.
    pub snapshots_count: u64,
    /// Of them: those that stood at the target before.
    pub known_count: u64,
    pub copied_count: u64,
    /// Removed at the target: they do not come back.
    pub removed_count: u64,
    /// Not copied because something that they need is lost.
    pub damaged_count: u64,
    /// Not copied because their backup has not ended, or because they were removed meanwhile.
    pub unfinished_count: u64,
    /// Objects and their sealed bytes that the target lacked.
    pub objects_count: u64,
    pub bytes: u64,
    pub notes_count: u64,
    pub tombstones_count: u64,
    /// Entries, documents and checkpoints of the ledger that the target lacked.
    pub ledger_count: u64,
    /// Chains of the source, and whether their newest snapshot stands at the target now.
    #[serde(skip)]
    pub datasets: Vec<(Chain, bool)>,
    /// Those that were copied.
    #[serde(skip)]
    pub copied: Vec<Place>,
}

/// Copies every snapshot that the target lacks, the oldest of a chain first. One that needs
/// something that is lost is told and left out.
///
/// # Errors
/// When one of the storages fails, others commit for too long, or the run is stopped. What was sent
/// is reused then.
pub fn copy(run: &Run, ends: Ends<'_>, options: CopyOptions) -> Result<CopyReport, CopyError> {
    run.phase(Phase::Planning);
    if options.doing == Doing::Copy {
        // What a copy that was interrupted has left.
        ends.target.complete_manifests(run)?;
    }
    let source = ends.source.manifests(run, Scope::All, Copies::First, ends.signers)?;
    tell(run, &source);
    let target =
        ends.target.manifests(&run.unwatched(), Scope::All, Copies::First, ends.signers)?;
    let mut standing: BTreeSet<Place> = target.manifests.iter().map(|it| it.place).collect();
    let removed: BTreeSet<Place> = target.tombstones.iter().map(extras::place_of).collect();
    let report =
        CopyReport { snapshots_count: source.manifests.len() as u64, ..CopyReport::default() };
    let numbers: BTreeSet<_> = standing.iter().map(|place| (place.chain, place.seq)).collect();
    let lost: BTreeSet<Place> = target.findings.iter().filter_map(lost_place).collect();
    let known: BTreeSet<Place> = standing.union(&removed).copied().collect();
    let tombstones = extras::tombstones(&source, &known);
    let (reading, held) = run.holding();
    let (walk, bases) = (Walk::new(&reading, ends), Vec::new());
    let seen = Seen { run: &reading, held };
    let mut copier = Copier { run, seen, ends, options, walk, bases, tombstones, report };
    let mut chosen = Vec::new();
    for stored in &source.manifests {
        if standing.contains(&stored.place) {
            copier.report.known_count += 1;
        } else if removed.contains(&stored.place) {
            copier.report.removed_count += 1;
        } else if lost.contains(&stored.place) {
            copier.report.damaged_count += 1;
            let message = "its manifest is damaged there, and a copy never replaces anything";
            run.problem(&Problem::damage(stored.place.to_string(), message));
        } else if !ends.source.is_acknowledged(run, &stored.place)? {
            copier.report.unfinished_count += 1;
            copier.take_tombstone(&stored.place)?;
        } else {
            if numbers.contains(&(stored.place.chain, stored.place.seq)) {
                let message = "another snapshot has this number there: both were backed up to";
                run.problem(&Problem::new(stored.place.to_string(), message));
            }
            chosen.push(stored);
        }
    }
    copier.all(&chosen)?;
    copier.bury_rest()?;
    let mut report = copier.report;
    standing.extend(&report.copied);
    report.datasets = datasets(&source, |place| standing.contains(place));
    report.notes_count = extras::notes(run, ends, (&standing, options.doing))?;
    report.ledger_count = ledger::ledger(run, ends, options.doing)?;
    Ok(report)
}

const fn lost_place(finding: &ChainFinding) -> Option<Place> {
    match finding {
        ChainFinding::LostManifest { place, .. } => Some(*place),
        _ => None,
    }
}

/// Every chain that has a snapshot, and whether the newest is at the target.
pub(super) fn datasets(
    source: &Manifests,
    is_there: impl Fn(&Place) -> bool,
) -> Vec<(Chain, bool)> {
    let newest: BTreeMap<Chain, Place> =
        source.manifests.iter().map(|stored| (stored.place.chain, stored.place)).collect();
    newest.into_iter().map(|(chain, place)| (chain, is_there(&place))).collect()
}

/// What is wrong with the source's chains. A copy of a manifest that is missing may be on its way.
pub(super) fn tell(run: &Run, source: &Manifests) {
    let is_late = |finding: &&ChainFinding| {
        matches!(finding, ChainFinding::BadTwin { fault: Fault::Missing, .. })
    };
    for finding in source.findings.iter().filter(|finding| !is_late(finding)) {
        run.problem(&finding.problem());
    }
}

/// What is read, and what is wrong with it unless it was removed.
struct Seen<'a> {
    run: &'a Run,
    held: Arc<Held>,
}

struct Copier<'a> {
    run: &'a Run,
    seen: Seen<'a>,
    ends: Ends<'a>,
    options: CopyOptions,
    walk: Walk<'a>,
    /// Snapshots of this run that reach what is not looked at again.
    bases: Vec<SnapshotId>,
    /// Those that the target lacks.
    tombstones: Vec<SignedTombstone>,
    report: CopyReport,
}

impl Copier<'_> {
    fn all(&mut self, chosen: &[&StoredManifest]) -> Result<(), CopyError> {
        let mut rest = chosen;
        while !rest.is_empty() {
            let taken = match self.options.doing {
                Doing::Plan => self.plan(rest)?,
                Doing::Copy => self.batch(rest)?,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn plan(&mut self, chosen: &[&StoredManifest]) -> Result<usize, CopyError> {
        let mut lacking = Lacking::default();
        for stored in chosen {
            self.walk.snapshot(&stored.manifest.public, None, &mut lacking)?;
        }
        self.count(&lacking);
        let whole = self.whole(chosen)?;
        self.report.copied_count += whole.len() as u64;
        Ok(chosen.len())
    }

    /// Copies the first of these snapshots, as many as make a batch, and answers how many it took.
    fn batch(&mut self, chosen: &[&StoredManifest]) -> Result<usize, CopyError> {
        let Some(first) = chosen.first() else { return Ok(0) };
        let chain = first.place.chain;
        let request = SessionRequest { machine: chain.machine, source: chain.source, parent: None };
        let session = self.ends.target.open_session(self.run, request)?;
        let sent = self.send(&session, chosen);
        // What ends a copy says more than what it met before; the next one meets that again.
        self.seen.held.forget();
        match sent {
            Ok((taken, whole)) => {
                self.commit(session, &whole)?;
                Ok(taken)
            }
            Err(error) => {
                // The first error is the one to tell; what can still be kept is kept.
                drop(session.suspend(self.run));
                Err(error)
            }
        }
    }

    /// Hands over all that a batch needs; answers how many snapshots it has, and which are whole.
    fn send<'s>(
        &mut self,
        session: &Session,
        chosen: &[&'s StoredManifest],
    ) -> Result<(usize, Vec<&'s StoredManifest>), CopyError> {
        let mut lacking = Lacking::default();
        let mut taken = 0;
        while let Some(stored) = chosen.get(taken)
            && (taken == 0 || lacking.bytes < self.options.batch_bytes)
        {
            self.walk.snapshot(&stored.manifest.public, Some(session), &mut lacking)?;
            taken += 1;
        }
        self.count(&lacking);
        self.run.phase(Phase::Copying);
        let parts = (self.ends, session);
        transfer(self.seen.run, parts, &lacking.data, &mut self.walk.bad)?;
        let whole = self.whole(chosen.get(..taken).unwrap_or_default())?;
        Ok((taken, whole))
    }

    /// Those of which everything could be read. What was wrong on the way is told, unless it was
    /// because a snapshot was removed meanwhile, and nothing else is missing for it.
    fn whole<'s>(
        &mut self,
        chosen: &[&'s StoredManifest],
    ) -> Result<Vec<&'s StoredManifest>, CopyError> {
        let mut whole = Vec::new();
        let (mut is_any_damaged, mut is_any_removed) = (false, false);
        for stored in chosen {
            match self.state(stored)? {
                State::Whole => whole.push(*stored),
                State::Removed => is_any_removed = true,
                State::Damaged => is_any_damaged = true,
            }
        }
        if is_any_damaged || !is_any_removed {
            self.seen.held.tell();
        }
        Ok(whole)
    }

    fn commit(&mut self, mut session: Session, whole: &[&StoredManifest]) -> Result<(), CopyError> {
        if whole.is_empty() {
            session.suspend(self.run)?;
        } else {
            let manifests: Vec<_> = whole.iter().map(|stored| &stored.manifest).collect();
            let before = self.before(whole);
            let tombstones: Vec<_> = before.iter().collect();
            let adoption =
                Adoption { manifests: &manifests, tombstones: &tombstones, bases: &self.bases };
            let adopted = session.adopt(self.run, adoption)?;
            self.report.tombstones_count += before.len() as u64;
            for stored in whole {
                if adopted.contains(&stored.place.id) {
                    self.report.copied_count += 1;
                    self.report.copied.push(stored.place);
                    self.bases.push(stored.place.id);
                } else {
                    self.report.removed_count += 1;
                }
            }
        }
        if !self.walk.bad.is_empty() {
            // What was left out vouches for nothing that it reaches.
            self.walk.forget();
            self.bases.clear();
        }
        Ok(())
    }

    /// Takes the tombstones of numbers before those of these snapshots: they go with them, in the
    /// order of the chain.
    fn before(&mut self, whole: &[&StoredManifest]) -> Vec<SignedTombstone> {
        let mut last: BTreeMap<Chain, u64> = BTreeMap::new();
        for stored in whole {
            let seq = last.entry(stored.place.chain).or_default();
            *seq = stored.place.seq.max(*seq);
        }
        let is_before = |signed: &SignedTombstone| {
            let place = extras::place_of(signed);
            last.get(&place.chain).is_some_and(|seq| place.seq < *seq)
        };
        let all = std::mem::take(&mut self.tombstones);
        let (before, rest) = all.into_iter().partition(is_before);
        self.tombstones = rest;
        before
    }

    /// Numbers behind the last snapshot of a chain, one after the other.
    fn bury_rest(&mut self) -> Result<(), CopyError> {
        for signed in std::mem::take(&mut self.tombstones) {
            if self.options.doing == Doing::Copy {
                self.ends.target.bury(self.run, std::slice::from_ref(&signed))?;
            }
            self.report.tombstones_count += 1;
        }
        Ok(())
    }

    const fn count(&mut self, lacking: &Lacking) {
        self.report.objects_count += lacking.objects_count;
        self.report.bytes += lacking.bytes;
    }

    /// Whether a snapshot can be copied; tells why not.
    fn state(&mut self, stored: &StoredManifest) -> Result<State, CopyError> {
        if self.walk.bad.is_empty() || !self.walk.reaches_bad(&stored.manifest.public)? {
            return Ok(State::Whole);
        }
        if !self.ends.source.has_manifest(self.run, &stored.place)? {
            self.report.unfinished_count += 1;
            self.take_tombstone(&stored.place)?;
            return Ok(State::Removed);
        }
        self.report.damaged_count += 1;
        let message = "it is not copied: something that it needs is lost here";
        self.run.problem(&Problem::damage(stored.place.to_string(), message));
        Ok(State::Damaged)
    }

    /// Of a snapshot that was removed since the source was looked at, if it was: later numbers of
    /// its chain are not to stand at the target without a reason why this one is missing.
    fn take_tombstone(&mut self, place: &Place) -> Result<(), CopyError> {
        let scope = Scope::One(place.chain);
        let (run, signers) = (self.run.unwatched(), self.ends.signers);
        let now = self.ends.source.manifests(&run, scope, Copies::First, signers)?;
        let is_meant = |signed: &SignedTombstone| extras::place_of(signed) == *place;
        self.tombstones.extend(now.tombstones.into_iter().find(is_meant));
        Ok(())
    }
}

/// What has become of a snapshot on the way.
enum State {
    Whole,
    Removed,
    Damaged,
}
