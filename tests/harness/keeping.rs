//! Removing snapshots and giving space back.

use std::collections::BTreeMap;

use lifeboat::repair;
use lifeboat::repair::Mender;
use lifeboat::repository::forget::tombstone;
use lifeboat::storage::BlobName;
use lifeboat::storage::Storage;
use lifeboat::vault::chains::Copies;
use lifeboat::vault::chains::Scope;
use lifeboat::vault::gc::MaxUnused;
use lifeboat::vault::gc::PruneOptions;
use lifeboat::vault::gc::PruneReport;
use lifeboat::vault::gc::Trash;
use lifeboat::vault::scrub::report::Verdict;
use lifeboat::verify;

use super::laws;
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

    /// Damages what stands twice: a copy of the configuration and of a manifest, an index file, and
    /// each pack of which everything stands elsewhere too.
    pub fn harm(&mut self) -> Result<(), String> {
        let storage = self.reader()?.process.storage;
        let names = |folder: &str| -> Result<Vec<BlobName>, String> {
            let listed = storage.list(folder).map_err(text)?;
            let mut names: Vec<BlobName> = listed.into_iter().map(|it| it.name).collect();
            names.sort_unstable();
            Ok(names)
        };
        flip(&*storage, &BlobName::new("config").map_err(text)?)?;
        for name in names("index/")?.iter().take(1) {
            flip(&*storage, name)?;
        }
        for name in names("manifests.2/")?.iter().take(1) {
            storage.delete(name).map_err(text)?;
        }
        for name in names("packs/")? {
            let whole = flip(&*storage, &name)?;
            let reader = self.reader()?;
            let report = laws::check(&reader, &reader.unlocked.keyset)?;
            if report.verdict() == Verdict::Damaged {
                storage.delete(&name).map_err(text)?;
                storage.create(&name, &[&whole]).map_err(text)?;
            }
        }
        storage.sync().map_err(text)?;
        self.known.is_harmed = true;
        Ok(())
    }

    /// `repair`, when no lease holds any more; all is whole after it.
    pub fn repair(&mut self) -> Result<(), String> {
        self.clock.jump(LEASE_MS + 1);
        let reader = self.reader()?;
        let trust = verify::trust_of(&reader.unlocked.keyset);
        let mender = Mender { keyset: &reader.unlocked.keyset, trust: &trust, threads_count: 1 };
        let run = reader.process.run.unwatched();
        let found = repair::look(&run, &reader.repository, mender, None).map_err(text)?;
        let carried = repair::carry_out(&run, &reader.repository, mender, (&found.plan, None));
        let (_, report) = carried.map_err(text)?;
        match report.verdict() {
            Verdict::Ok => Ok(()),
            _ => Err(format!("{report:?}")),
        }
    }

    /// `repair --undo` of the newest repair.
    pub fn undo_repair(&mut self) -> Result<(), String> {
        let reader = self.reader()?;
        let trust = verify::trust_of(&reader.unlocked.keyset);
        let mender = Mender { keyset: &reader.unlocked.keyset, trust: &trust, threads_count: 1 };
        let run = reader.process.run.unwatched();
        repair::undo(&run, &reader.repository, mender).map(drop).map_err(text)
    }
}

/// Changes one bit; what was there before.
fn flip(storage: &dyn Storage, name: &BlobName) -> Result<Vec<u8>, String> {
    let whole = storage.read(name, 1 << 20).map_err(text)?;
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    storage.delete(name).map_err(text)?;
    storage.create(name, &[&flipped]).map_err(text)?;
    Ok(whole)
}
