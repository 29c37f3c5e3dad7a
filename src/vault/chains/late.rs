//! Copies that a backup at work has not written yet.

use std::time::Duration;

use crate::run::Run;
use crate::storage::StorageErrorKind;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::chains::ChainFinding;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;

/// A backup writes both copies of its manifest within this time, as a rule.
const TWIN_WAIT: Duration = Duration::from_millis(300);

impl Vault {
    /// Leaves out copies that only seemed to be missing: a backup that commits just now writes the
    /// second copy of its manifest first, so one that is missing is looked for once more, a moment
    /// later.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn leave_out_late_twins(
        &self,
        run: &Run,
        findings: &mut Vec<ChainFinding>,
    ) -> Result<(), VaultError> {
        leave_out(run, &self.inner, findings)
    }
}

pub(in crate::vault) fn leave_out(
    run: &Run,
    vault: &Inner,
    findings: &mut Vec<ChainFinding>,
) -> Result<(), VaultError> {
    let missing = |finding: &ChainFinding| match finding {
        ChainFinding::BadTwin { name, fault: Fault::Missing } => Some(name.clone()),
        _ => None,
    };
    if findings.iter().all(|finding| missing(finding).is_none()) {
        return Ok(());
    }
    run.clock.wait(TWIN_WAIT);
    let mut kept = Vec::new();
    for finding in std::mem::take(findings) {
        if let Some(name) = missing(&finding) {
            match vault.storage.stat(&name) {
                Ok(_) => continue,
                Err(error) if error.kind == StorageErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        kept.push(finding);
    }
    *findings = kept;
    Ok(())
}
