//! What is stored, as the worker threads have it: bundles that were opened lately, and what follows
//! when something cannot be had.
//!
//! A storage that fails is no damage: what it does not give now may be whole. Where it gives
//! nothing any more the restore ends. Where it answers, and one place of it cannot be read, that
//! costs the entries that lie there and no others, and is told as what it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::format::entry::Content;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Sid;
use crate::repository::error::RepositoryError;
use crate::restore::ObjectSource;
use crate::restore::RestoreError;
use crate::run::Run;
use crate::run::monitor::Problem;

use super::file::Job;
use super::file::Shared;

/// Raw bytes of opened bundles that are kept.
const BUNDLES_BYTES_MAX: usize = 16 * 1024 * 1024;

/// So many entries that cannot be read one after the other are a storage that gives nothing.
const UNREAD_IN_A_ROW_MAX: u32 = 8;

/// Opened bundles, the one used last in front.
#[derive(Debug, Default)]
pub(super) struct Bundles {
    opened: Mutex<VecDeque<(Sid, Arc<Vec<u8>>)>>,
}

impl Bundles {
    pub(super) fn get(
        &self,
        run: &Run,
        source: &dyn ObjectSource,
        bundle: &Ref,
    ) -> Result<Arc<Vec<u8>>, RepositoryError> {
        {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            let at = opened.iter().position(|(sid, _)| *sid == bundle.sid);
            if let Some((sid, raw)) = at.and_then(|at| opened.remove(at)) {
                opened.push_front((sid, Arc::clone(&raw)));
                return Ok(raw);
            }
        }
        let raw = Arc::new(source.data(run, bundle, ObjectKind::Bundle)?);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push_front((bundle.sid, Arc::clone(&raw)));
        let mut total_bytes: usize = opened.iter().map(|(_, raw)| raw.len()).sum();
        while total_bytes > BUNDLES_BYTES_MAX
            && let Some((_, last)) = opened.pop_back()
        {
            total_bytes = total_bytes.saturating_sub(last.len());
        }
        Ok(raw)
    }
}

/// Groups jobs by the bundle that holds their content, in the order of their first files.
pub(super) fn grouped(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut groups: Vec<Vec<Job>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for job in jobs {
        let sid = match &job.entry.content {
            Content::Slice { bundle, .. } => Some(Arc::clone(bundle).sid),
            _ => None,
        };
        match sid.and_then(|sid| places.get(&sid).copied()) {
            Some(at) => {
                if let Some(group) = groups.get_mut::<usize>(at) {
                    group.push(job);
                }
            }
            None => {
                if let Some(sid) = sid {
                    places.insert(sid, groups.len());
                }
                groups.push(vec![job]);
            }
        }
    }
    groups
}

/// Why something stored cannot be had.
pub(super) enum Why {
    Lost(String),
    /// The storage failed.
    Unread(String),
}

impl Shared<'_> {
    /// Sorts an error of the repository out; an error ends the restore.
    pub(super) fn endure(&self, error: RepositoryError) -> Result<Why, RestoreError> {
        match error {
            RepositoryError::Stopped(why) => Err(why.into()),
            error if !error.is_storage() => Ok(Why::Lost(error.to_string())),
            error => {
                let in_a_row = self.with(|state| {
                    state.unread_in_a_row += 1;
                    state.unread_in_a_row
                });
                if in_a_row > UNREAD_IN_A_ROW_MAX || !self.source.answers() {
                    return Err(RestoreError::Storage(Box::new(error)));
                }
                Ok(Why::Unread(error.to_string()))
            }
        }
    }

    /// Content cannot be had, for one reason or the other.
    pub(super) fn not_had(&self, job: &Job, error: RepositoryError) -> Result<(), RestoreError> {
        match self.endure(error)? {
            Why::Lost(why) => self.lost(job, &why),
            Why::Unread(why) => self.unread(job, &why),
        }
        Ok(())
    }

    pub(super) fn lost(&self, job: &Job, why: &str) {
        let why = format!("content is lost: {why}");
        self.fail(job, &Problem::damage(job.entry.path.to_slashed(), why));
    }

    pub(super) fn unread(&self, job: &Job, why: &str) {
        let why = format!("not restored, for the storage cannot read it now: {why}");
        self.with(|state| state.report.unread_count += 1);
        self.fail(job, &Problem::new(job.entry.path.to_slashed(), why));
    }
}
