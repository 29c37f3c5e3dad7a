//! What one twin has lost and the other has, written anew.
//!
//! Every pack is read. What is bad or missing of what snapshots reach comes from the other twin,
//! into new packs; a manifest of which one copy is missing gets it. Nothing is deleted: packs with
//! bad bytes stay, and hold nothing any more that is needed.

use serde::Serialize;

use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::copy::transfer::transfer;
use crate::copy::walk::Lacking;
use crate::copy::walk::Walk;
use crate::crypto::blind;
use crate::format::manifest::SignedManifest;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::error::Fault;
use crate::vault::session::SessionRequest;
use crate::vault::session::adopt::Adoption;

/// What was found and written on one side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HealReport {
    pub packs_count: u64,
    pub bad_packs_count: u64,
    /// Objects that were written anew, and their sealed bytes.
    pub objects_count: u64,
    pub bytes: u64,
    /// Objects that neither side has whole.
    pub lost_count: u64,
}

/// Heals `ends.target` from `ends.source`: what its own snapshots reach.
///
/// # Errors
/// When one of the storages fails, others commit for too long, or the run is stopped.
pub fn heal(run: &Run, ends: Ends<'_>) -> Result<HealReport, CopyError> {
    run.phase(Phase::Checking);
    let mut report = HealReport::default();
    for (id, _) in ends.target.packs(run)? {
        let read = ends.target.read_pack(run, &id)?;
        report.packs_count += 1;
        let is_good = read.is_ok_and(|pack| pack.fault.is_none());
        if !is_good {
            report.bad_packs_count += 1;
            ends.target.distrust(run, &id)?;
        }
    }
    let quiet = run.unwatched();
    let there = ends.target.manifests(&quiet, Scope::All, Copies::First, ends.signers)?;
    let Some(first) = there.manifests.first() else { return Ok(report) };
    let chain = first.place.chain;
    let request = SessionRequest { machine: chain.machine, source: chain.source, parent: None };
    let mut session = ends.target.open_session(run, request)?;
    // What is bad on the other side is told when that is healed; what both lack is told below.
    let mut walk = Walk::new(&quiet, ends);
    let mut lacking = Lacking::default();
    for stored in &there.manifests {
        walk.snapshot(&stored.manifest.public, Some(&session), &mut lacking)?;
    }
    run.phase(Phase::Copying);
    transfer(&quiet, (ends, &session), &lacking.data, &mut walk.bad)?;
    report.objects_count = lacking.objects_count.saturating_sub(walk.bad.len() as u64);
    report.bytes = lacking.bytes;
    report.lost_count = walk.bad.len() as u64;
    let mut whole: Vec<&SignedManifest> = Vec::new();
    for stored in &there.manifests {
        if walk.bad.is_empty() || !walk.reaches_bad(&stored.manifest.public)? {
            whole.push(&stored.manifest);
        } else {
            let message = "something that it needs is lost in both repositories";
            run.problem(&Problem::damage(stored.place.to_string(), message));
        }
    }
    let needs_twin = |manifest: &&SignedManifest| {
        let id = SnapshotId::new(blind::hash(manifest.as_bytes())).to_string();
        there.findings.iter().any(|finding| match finding {
            ChainFinding::BadTwin { name, fault: Fault::Missing } => name.as_str().ends_with(&id),
            _ => false,
        })
    };
    whole.retain(needs_twin);
    if whole.is_empty() {
        session.suspend(run)?;
    } else {
        session.adopt(run, Adoption { manifests: &whole, tombstones: &[], bases: &[] })?;
    }
    Ok(report)
}
