//! The workflow that says whether everything restores.
//!
//! What it is: reads manifests and trees with the restore key, looks for every object, and on
//! request reads every byte, opens every object and compares every digest.
//! Never: writes, heals or removes anything; says OK about what it has not read.
//! Invariants: each level says what it looked at; whatever is missing or bad is named, with the
//! snapshots and files that are lost by it.
//! Start reading at: [`check`].

mod data;
mod needs;
mod walk;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::manifest::open_manifest;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::run::monitor::Problem;
use crate::run::monitor::Severity;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::chains::Verifier;
use crate::vault::names::Place;

use self::needs::Needs;

/// Which packs are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Subset {
    All,
    /// The n-th of t parts, 1 to t.
    Part {
        n: u32,
        t: u32,
    },
    /// About this share of all packs, 0 to 1: another one every day.
    Share(f64),
    /// Packs of about so many bytes together: others every day.
    Bytes(u64),
}

/// How deep a check goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Depth {
    /// Manifests, trees, and whether every object is there.
    Structure,
    /// Also every byte of these packs, opened and compared.
    Data(Subset),
}

/// What to check.
#[derive(Debug, Clone)]
pub struct Options {
    pub depth: Depth,
    /// Only these snapshots; all if empty.
    pub snapshots: Vec<SnapshotId>,
    pub threads_count: usize,
}

/// A file that cannot be restored whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LostFile {
    pub snapshot: SnapshotId,
    /// `None`: the whole snapshot, or an unknown part of it.
    pub path: Option<SnapshotPath>,
    pub why: String,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub snapshots_count: u64,
    pub entries_count: u64,
    pub nodes_count: u64,
    pub objects_count: u64,
    pub packs_count: u64,
    pub packs_read_count: u64,
    pub bytes_read: u64,
    /// Whether every pack was read.
    pub is_complete: bool,
    pub findings: Vec<ChainFinding>,
    /// Objects that are gone or bad in every copy.
    pub lost_objects: BTreeSet<Sid>,
    /// Nodes of which one copy is good.
    pub healable_objects: BTreeSet<Sid>,
    pub bad_packs: BTreeMap<PackId, String>,
    pub lost_files: Vec<LostFile>,
    /// Packs that no snapshot needs anything of; no damage.
    pub unreferenced_packs_count: u64,
}

impl Report {
    /// Whether nothing at all is wrong, as far as was looked.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty()
            && self.lost_objects.is_empty()
            && self.healable_objects.is_empty()
            && self.bad_packs.is_empty()
            && self.lost_files.is_empty()
    }
}

/// Checks a repository. Damage is reported to `run` and listed in the report; an error means that
/// the check itself could not be done.
pub fn check(
    run: &Run,
    repository: &Repository,
    (keyset, verifier): (&RestoreKeyset, &dyn Verifier),
    options: &Options,
) -> Result<Report, RepositoryError> {
    run.phase(Phase::Checking);
    let vault = repository.vault();
    let found = vault.manifests(run, Scope::All, Copies::Both, verifier)?;
    let mut report = Report::default();
    for finding in found.findings {
        run.problem(&Problem::damage(finding.subject(), finding.to_string()));
        report.findings.push(finding);
    }
    let mut needs = Needs::default();
    let wanted =
        |place: &Place| options.snapshots.is_empty() || options.snapshots.contains(&place.id);
    let mut roots = Vec::new();
    for stored in found.manifests.iter().filter(|stored| wanted(&stored.place)) {
        run.check()?;
        report.snapshots_count += 1;
        match open_manifest(keyset, &stored.manifest) {
            Ok(info) => roots.push((stored.place, info.root())),
            Err(error) => lose(run, &mut report, (stored.place.id, None), &error.to_string()),
        }
    }
    for (_, root) in &roots {
        walk::collect(run, repository, root, (&mut needs, &mut report))?;
    }
    data::look_for_objects(run, repository, &needs, &mut report)?;
    if let Depth::Data(subset) = options.depth {
        run.phase(Phase::Verifying);
        data::read_packs(run, repository, (&needs, subset, options.threads_count), &mut report)?;
    }
    for sid in &report.lost_objects {
        run.problem(&Problem::damage(sid.to_string(), "no good copy of this object is left"));
    }
    for sid in &report.healable_objects {
        run.problem(&Problem::damage(sid.to_string(), "one of two copies of this node is gone"));
    }
    if !report.lost_objects.is_empty() {
        for (place, root) in &roots {
            walk::name_losses(run, repository, (place.id, root), &mut report)?;
        }
    }
    run.phase(Phase::Finished);
    Ok(report)
}

/// Notes that something of a snapshot cannot be restored.
fn lose(
    run: &Run,
    report: &mut Report,
    (snapshot, path): (SnapshotId, Option<SnapshotPath>),
    why: &str,
) {
    let shown = path.as_ref().map_or_else(String::new, ToString::to_string);
    let subject = format!("{}:{shown}", snapshot.short());
    let message = format!("cannot be restored: {why}");
    run.problem(&Problem { severity: Severity::Damage, subject: subject.into_bytes(), message });
    report.lost_files.push(LostFile { snapshot, path, why: why.to_owned() });
}
