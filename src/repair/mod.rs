//! The workflow that mends a repository.
//!
//! What it is: a check of every byte, a plan from what it found (`vault::repair`), the plan carried
//! out under an administrator's signature, and a check of every byte again.
//! Never: says that something is whole without the second check; opens more than the check opens.
//! Invariants: a plan writes nothing; what is carried out is the plan that is shown.
//! Start reading at: [`look`], then [`carry_out`].

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::repository::error::RepositoryError;
use crate::repository::keys::convert;
use crate::repository::keys::publish;
use crate::repository::open::Repository;
use crate::run::Run;
use crate::vault::Vault;
use crate::vault::repair;
use crate::vault::repair::RepairReport;
use crate::vault::repair::Signer;
use crate::vault::repair::UndoReport;
use crate::vault::repair::lost::Elsewhere;
use crate::vault::repair::plan::Plan;
use crate::vault::scrub::Subset;
use crate::vault::scrub::Trust;
use crate::vault::scrub::report::Report;
use crate::verify;
use crate::verify::Depth;
use crate::verify::Options;

/// Why a repository was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    #[error(transparent)]
    Check(#[from] RepositoryError),
    #[error(transparent)]
    Repair(#[from] repair::RepairError),
}

/// Who repairs: the keys, and whom they believe.
#[derive(Clone, Copy)]
pub struct Mender<'a> {
    pub keyset: &'a RestoreKeyset,
    pub trust: &'a Trust,
    pub threads_count: usize,
}

/// What is bad, and what can be done about it.
#[derive(Debug)]
pub struct Found {
    pub report: Report,
    pub plan: Plan,
}

/// Checks every byte and plans. Objects and manifests that are lost here may come from `other`.
/// Writes nothing.
pub fn look(
    run: &Run,
    repository: &Repository,
    mender: Mender<'_>,
    other: Option<Elsewhere<'_>>,
) -> Result<Found, RepairError> {
    let report = check(run, repository, mender)?;
    let plan = repair::plan::plan(run, repository.vault(), &report, other)?;
    Ok(Found { report, plan })
}

/// Carries a plan out and checks every byte again.
pub fn carry_out(
    run: &Run,
    repository: &Repository,
    mender: Mender<'_>,
    (plan, other): (&Plan, Option<&Vault>),
) -> Result<(RepairReport, Report), RepairError> {
    let admin = &mender.keyset.admin;
    let sign = |message: &[u8]| admin.sign(Purpose::Repair, message);
    let signer = Signer { id: admin.verifying_key().key_id(), sign: &sign };
    let done = repository.vault().repair(run, plan, (&signer, other))?;
    Ok((done, check(run, repository, mender)?))
}

/// Checks every byte.
pub fn check(
    run: &Run,
    repository: &Repository,
    mender: Mender<'_>,
) -> Result<Report, RepositoryError> {
    repository.vault().refresh();
    let depth = Depth::Data(Subset::All);
    let threads_count = mender.threads_count;
    let options = Options { depth, snapshots: Vec::new(), threads_count };
    verify::check(run, repository, (mender.keyset, mender.trust), &options)
}

/// Takes back the newest repair.
pub fn undo(
    run: &Run,
    repository: &Repository,
    mender: Mender<'_>,
) -> Result<UndoReport, RepairError> {
    let admins = admins(run, repository, mender);
    Ok(repository.vault().undo_repair(run, &admins)?)
}

/// What [`undo`] would do. Writes nothing.
pub fn plan_undo(
    run: &Run,
    repository: &Repository,
    mender: Mender<'_>,
) -> Result<UndoReport, RepairError> {
    let admins = admins(run, repository, mender);
    Ok(repository.vault().plan_undo(run, &admins)?)
}

/// Whose journals are followed: the holder of the keys, and whom the recipients list names, if
/// there is one that can be read.
fn admins(run: &Run, repository: &Repository, mender: Mender<'_>) -> Vec<VerifyingKey> {
    let keyset = mender.keyset;
    let mut admins = vec![keyset.admin.verifying_key()];
    let place = (keyset.repository, &keyset.root_public);
    let list = publish::load_recipients(&run.unwatched(), repository.vault().storage(), place);
    admins.extend(list.and_then(|list| convert::admin_keys(&list)).unwrap_or_default());
    admins
}
