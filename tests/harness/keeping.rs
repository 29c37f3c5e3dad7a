//! Removing snapshots and giving space back.

use std::collections::BTreeMap;

use lifeboat::repository::forget::tombstone;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::gc::MaxUnused;
use lifeboat::vault::gc::PruneOptions;
use lifeboat::vault::gc::PruneReport;
use lifeboat::vault::gc::Trash;

use super::office::LEASE_MS;
use super::office::Office;
use super::office::text;

impl Office {
    /// `forget` of a snapshot: from now on nobody is promised that it is there.
    pub fn forget(&mut self, attempt: usize) -> Result<(), String> {
        let (_, id) = self.known.attempts[attempt].acknowledged.take().ok_or("not acknowledged")?;
        let reader = self.reader()?;
        let (run, vault) = (&reader.process.run, reader.repository.vault());
        let found = vault.manifests(run, Scope::All, Copies::First, &reader.signers);
        let found = found.map_err(text)?;
        let stored = found.manifests.iter().find(|stored| stored.place.id == id);
        let place = stored.ok_or("it is not listed")?.place;
        let signed = tombstone(&reader.unlocked.keyset, &place, run.clock.now(), "harness");
        vault.bury(run, &[signed]).map_err(text)
    }

    /// Every machine remembers its newest snapshot, and in the end all unused space is given back.
    pub fn prunes_in_the_end(&mut self) -> Result<(), String> {
        let reader = self.reader()?;
        let (run, vault) = (&reader.process.run, reader.repository.vault());
        let found = vault.manifests(run, Scope::All, Copies::First, &reader.signers);
        let mut newest = BTreeMap::new();
        for stored in found.map_err(text)?.manifests {
            newest.insert(stored.place.chain, stored.place);
        }
        self.known.heads = Some(newest.into_values().collect());
        Ok(())
    }

    /// `prune`, when no lease holds any more.
    pub fn prune(&mut self, trash: Trash) -> Result<PruneReport, String> {
        self.clock.jump(LEASE_MS + 1);
        let reader = self.reader()?;
        let options = PruneOptions {
            max_unused: MaxUnused::Percent(0),
            max_repack_bytes: None,
            max_delete_percent: 100,
            grace_ms: 0,
            trash,
            heads: self.known.heads.clone().unwrap_or_default(),
        };
        let vault = reader.repository.vault();
        vault.prune(&reader.process.run, &reader.signers, &options).map_err(text)
    }
}
