//! The graph of objects, walked with the store key: what every snapshot reaches.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Phase;
use crate::storage::Storage;
use crate::vault::Vault;
use crate::vault::chains::StoredManifest;
use crate::vault::error::VaultError;
use crate::vault::scrub::Scrub;
use crate::vault::scrub::Subset;
use crate::vault::scrub::Trust;
use crate::vault::scrub::packs::Judged;
use crate::vault::scrub::packs::Reading;
use crate::vault::scrub::report::Level;
use crate::vault::scrub::report::LostFile;
use crate::vault::scrub::report::LostPart;
use crate::vault::scrub::report::Report;

/// Looks at a storage as deep as it can be done without a key to content: with the store key in
/// `vault` the graph of nodes too. With `reading`, packs are read and hashed.
pub fn without_passphrase(
    run: &Run,
    place: (&Arc<dyn Storage>, Option<&Vault>),
    trust: &Trust,
    reading: Option<(Subset, usize)>,
) -> Result<Report, VaultError> {
    run.phase(Phase::Checking);
    let mut scrub = Scrub::begin(run, place, trust)?;
    let manifests = scrub.manifests()?;
    scrub.notes()?;
    scrub.look_at_index()?;
    let needed = scrub.walk_graph(&manifests)?;
    let has_key = place.1.is_some();
    scrub.report.level = if has_key { Level::Linked } else { Level::Listed };
    if let Some((subset, threads_count)) = reading {
        run.phase(Phase::Verifying);
        let judge = |_: &Sid, _: &[u8]| Judged::Right;
        let reading = Reading { subset, threads_count, judge: &judge };
        scrub.read_packs(&reading, std::iter::empty())?;
        // What the graph needs is not known without the store key, so `read` cannot be said.
        scrub.report.level = if has_key { Level::Read } else { Level::Listed };
    }
    scrub.conclude(needed.iter())?;
    scrub.count_losses(&manifests)?;
    let report = scrub.finish()?;
    run.phase(Phase::Finished);
    Ok(report)
}

impl Scrub<'_> {
    /// Everything that the snapshots reach. What lies below a node that is lost is not known.
    pub fn walk_graph(
        &mut self,
        manifests: &[StoredManifest],
    ) -> Result<BTreeSet<Sid>, VaultError> {
        let mut seen = BTreeSet::new();
        for stored in manifests {
            self.walk(stored, &mut seen)?;
        }
        Ok(seen)
    }

    fn walk(
        &mut self,
        stored: &StoredManifest,
        seen: &mut BTreeSet<Sid>,
    ) -> Result<(), VaultError> {
        let public = &stored.manifest.public;
        let mut stack = vec![public.root];
        stack.extend(&public.capsules);
        while let Some(sid) = stack.pop() {
            if !seen.insert(sid) || !self.is_node(&sid)? {
                continue;
            }
            self.report.nodes_count += 1;
            let Some(node) = self.read_any(&sid)? else { continue };
            let Some(vault) = self.vault else { continue };
            match vault.inner.open_children(&node) {
                Ok(children) => stack.extend(children),
                Err(error) => {
                    tracing::debug!(%sid, %error, "the children of a node cannot be told");
                    self.useless.insert(sid);
                }
            }
        }
        Ok(())
    }

    fn is_node(&self, sid: &Sid) -> Result<bool, VaultError> {
        let Some(vault) = self.vault else { return Ok(false) };
        vault
            .inner
            .with_locations(self.run, |locations| locations.find(sid).any(|row| row.is_node()))
    }

    /// Counts, for each snapshot, the lost objects that it reaches.
    pub fn count_losses(&mut self, manifests: &[StoredManifest]) -> Result<(), VaultError> {
        if self.report.lost_objects.is_empty() {
            return Ok(());
        }
        let nodes_count = self.report.nodes_count;
        for stored in manifests {
            let mut seen = BTreeSet::new();
            self.walk(stored, &mut seen)?;
            let count = seen.intersection(&self.report.lost_objects).count() as u64;
            if count > 0 {
                let what = LostPart::Objects { count };
                let why = "no good copy of them is left".to_owned();
                self.report.lost_files.insert(LostFile { snapshot: stored.place.id, what, why });
            }
        }
        self.report.nodes_count = nodes_count;
        Ok(())
    }
}
