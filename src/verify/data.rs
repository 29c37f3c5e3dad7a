//! Every byte: opened, and compared with the digests of the files.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::chunk::digest::digest;
use crate::ids::Sid;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::vault::scrub::Scrub;
use crate::vault::scrub::Subset;
use crate::vault::scrub::packs::Judged;
use crate::vault::scrub::packs::Reading;
use crate::verify::needs::Need;
use crate::verify::needs::Needs;
use crate::verify::needs::Part;

/// Parts of good objects that are not what some file had.
pub(super) type BadParts = HashSet<(Sid, Part)>;

/// Reads packs whole; opens what is needed of them.
pub(super) fn read(
    scrub: &mut Scrub<'_>,
    (repository, needs): (&Repository, &Needs),
    (subset, threads_count): (Subset, usize),
) -> Result<BadParts, RepositoryError> {
    let bad_parts = Mutex::new(BadParts::new());
    let judge = |sid: &Sid, bytes: &[u8]| {
        let Some(need) = needs.data.get(sid) else { return Judged::Right };
        let bad = match look(repository, needs, (need, bytes)) {
            Ok(bad) => bad,
            Err(error) => {
                tracing::debug!(%error, "an object is of no use");
                return Judged::Useless;
            }
        };
        if !bad.is_empty() {
            let mut bad_parts = bad_parts.lock().unwrap_or_else(PoisonError::into_inner);
            bad_parts.extend(bad.into_iter().map(|part| (*sid, part)));
        }
        Judged::Right
    };
    let reading = Reading { subset, threads_count, judge: &judge };
    let ranks = needs.data.iter().map(|(sid, need)| (sid, need.rank));
    scrub.read_packs(&reading, ranks)?;
    scrub.report.files_compared_count = needs.files.compared_count();
    Ok(bad_parts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Opens an object, compares the digest of every part that some file has in it, and hands its
/// bytes to the files that have more of them. The parts that differ.
fn look(
    repository: &Repository,
    needs: &Needs,
    (need, bytes): (&Need, &[u8]),
) -> Result<Vec<Part>, RepositoryError> {
    repository.look_at_data(bytes, &need.object, need.kind, |raw| {
        let is_bad = |part: &&Part| {
            let start = part.offset as usize;
            let bytes = raw.get(start..start.saturating_add(part.len as usize));
            bytes.is_none_or(|bytes| !part.has(&digest(bytes)))
        };
        let bad = need.parts.iter().filter(is_bad).copied().collect();
        if !need.is_taken.swap(true, Ordering::Relaxed) {
            need.uses.iter().for_each(|place| needs.files.take(*place, raw));
        }
        bad
    })
}
