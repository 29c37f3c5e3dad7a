//! The ledger of evidence, carried along as it is: a twin is one of its witnesses.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::copy::Doing;
use crate::copy::Ends;
use crate::copy::error::CopyError;
use crate::format::ledger::LEDGER;
use crate::format::ledger::LedgerName;
use crate::format::manifest::MANIFEST_BYTES_MAX;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;

/// Copies what the target lacks, and answers how many blobs that is: documents, then entries in
/// their order, then checkpoints, so that a cut leaves a ledger that verifies. Where the last entry
/// that both have differs, nothing is copied: two ledgers do not become one.
pub(super) fn ledger(run: &Run, ends: Ends<'_>, doing: Doing) -> Result<u64, CopyError> {
    let (source, target) = (ends.source.storage(), ends.target.storage());
    let (ours, theirs) = (names(source)?, names(target)?);
    let common = ours
        .keys()
        .rev()
        .find(|name| matches!(name, LedgerName::Entry(_)) && theirs.contains_key(name));
    if let Some(name) = common.and_then(|name| ours.get(name))
        && source.read(name, MANIFEST_BYTES_MAX)? != target.read(name, MANIFEST_BYTES_MAX)?
    {
        let message = "another entry has this number there: the two ledgers have parted";
        run.problem(&Problem::damage(name.as_str(), message));
        return Ok(0);
    }
    let is_in = |name: &LedgerName, step: usize| match name {
        LedgerName::Document(_) => step == 0,
        LedgerName::Entry(_) => step == 1,
        LedgerName::Checkpoint(_) => step == 2,
    };
    let mut count = 0;
    for step in 0..3 {
        let lacking = ours.iter().filter(|(of, _)| !theirs.contains_key(of) && is_in(of, step));
        let before = count;
        for (_, name) in lacking {
            run.check()?;
            count += 1;
            if doing == Doing::Copy {
                put(source, target, name)?;
            }
        }
        if doing == Doing::Copy && count > before {
            target.sync()?;
        }
    }
    Ok(count)
}

fn names(storage: &Arc<dyn Storage>) -> Result<BTreeMap<LedgerName, BlobName>, CopyError> {
    let listed = storage.list(LEDGER)?.into_iter().map(|listed| listed.name);
    Ok(listed.filter_map(|name| Some((LedgerName::parse(name.as_str())?, name))).collect())
}

fn put(
    source: &Arc<dyn Storage>,
    target: &Arc<dyn Storage>,
    name: &BlobName,
) -> Result<(), CopyError> {
    let bytes = source.read(name, MANIFEST_BYTES_MAX)?;
    match target.create(name, &[&bytes]) {
        // Another copy was faster.
        Err(error) if error.kind == StorageErrorKind::AlreadyExists => Ok(()),
        other => Ok(other?),
    }
}
