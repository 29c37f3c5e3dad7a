//! How much of each bundle the new snapshot still uses.

use std::collections::BTreeMap;

use crate::format::entry::Content;
use crate::ids::Sid;

/// Bundles and their used and raw bytes.
#[derive(Debug, Default)]
pub(super) struct BundleUsage {
    bundles: BTreeMap<Sid, (u64, u64)>,
}

impl BundleUsage {
    pub(super) fn add(&mut self, content: &Content) {
        if let Content::Slice { bundle, len, .. } = content {
            let used = self.bundles.entry(bundle.sid).or_insert((0, bundle.raw_len.into()));
            used.0 += u64::from(*len);
        }
    }

    /// Bundles of which less than half is used: the next backup gathers their files anew.
    pub(super) fn decayed(&self) -> Vec<Sid> {
        let half_empty = |&(_, &(used, raw)): &(&Sid, &(u64, u64))| used * 2 < raw;
        self.bundles.iter().filter(half_empty).map(|(sid, _)| *sid).collect()
    }
}
