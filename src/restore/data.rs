//! Bundles that were opened lately, shared by the worker threads.

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
use crate::run::Run;

use super::file::Job;

/// Raw bytes of opened bundles that are kept.
const BUNDLES_BYTES_MAX: usize = 16 * 1024 * 1024;

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
