//! Which lost manifests come back from another storage.
//!
//! Only one that is known to have been here: a copy of it is bad, the manifest after it names it,
//! this machine remembers it, or its number is missing without a tombstone. What was removed in
//! either place does not come back.

use std::collections::BTreeMap;

use crate::format::manifest::SignedManifest;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::vault::Vault;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::chains::Verifier;
use crate::vault::error::VaultError;
use crate::vault::names::Chain;
use crate::vault::names::Place;
use crate::vault::scrub::report::Report;

/// Another storage, and who may sign what is taken from it.
#[derive(Clone, Copy)]
pub struct Elsewhere<'a> {
    pub vault: &'a Vault,
    pub signers: &'a dyn Verifier,
}

impl std::fmt::Debug for Elsewhere<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Elsewhere")
    }
}

/// Manifests that are lost here and good there.
pub(super) type Back = BTreeMap<Place, SignedManifest>;

/// Looks for every lost manifest in the other storage. One of another repository has none.
pub(super) fn find(
    run: &Run,
    vault: &Vault,
    report: &Report,
    other: Elsewhere<'_>,
) -> Result<Back, VaultError> {
    let is_twin = other.vault.inner.keys.repository() == vault.inner.keys.repository();
    if !is_twin || (report.lost_manifests.is_empty() && report.gaps.is_empty()) {
        return Ok(Back::new());
    }
    let here = ChainNames::list_scope(&*vault.inner.storage, Scope::All)?;
    // What is wrong there is told by whoever checks it.
    let quiet = run.unwatched();
    let there = other.vault.manifests(&quiet, Scope::All, Copies::First, other.signers)?;
    let there = there.manifests.into_iter().map(|stored| (stored.place, stored.manifest)).collect();
    let mut search = Search { vault, here, there, back: Back::new() };
    for place in &report.lost_manifests {
        search.follow(*place);
    }
    for (chain, first_seq, last_seq) in &report.gaps {
        // Younger ones say which the one before was.
        for seq in (*first_seq..=*last_seq).rev() {
            run.check()?;
            search.number(*chain, seq)?;
        }
    }
    Ok(search.back)
}

struct Search<'a> {
    vault: &'a Vault,
    here: ChainNames,
    there: Back,
    back: Back,
}

impl Search<'_> {
    /// Takes a manifest, and those before it as far as they are not here either.
    fn follow(&mut self, place: Place) {
        let mut next = Some(place);
        while let Some(place) = next.take() {
            if self.here.removed().contains(&place) || self.back.contains_key(&place) {
                return;
            }
            let Some(manifest) = self.there.get(&place) else { return };
            let seq = place.seq.saturating_sub(1);
            let before = manifest.public.prev.map(|id| Place { seq, id, ..place });
            self.back.insert(place, manifest.clone());
            next = before.filter(|before| !self.here.holds(before));
        }
    }

    /// Takes what stood under a number: what the manifest behind it names, or, if nobody says what
    /// that was, the only one that has this number there.
    fn number(&mut self, chain: Chain, seq: u64) -> Result<(), VaultError> {
        let mut named: Vec<SnapshotId> = Vec::new();
        for behind in self.numbered(chain, seq.saturating_add(1)) {
            let manifest = match self.back.get(&behind) {
                Some(manifest) => Some(manifest.clone()),
                None => self.vault.inner.read_manifest_at(&behind)?,
            };
            named.extend(manifest.and_then(|manifest| manifest.public.prev));
        }
        if named.is_empty() {
            let mut own = self.there.keys().filter(|it| it.chain == chain && it.seq == seq);
            if let (Some(only), None) = (own.next().copied(), own.next()) {
                self.follow(only);
            }
        }
        for id in named {
            self.follow(Place { chain, seq, id });
        }
        Ok(())
    }

    /// Manifests of a number that are here or come back.
    fn numbered(&self, chain: Chain, seq: u64) -> Vec<Place> {
        let all = self.here.places().chain(self.back.keys());
        all.filter(|place| place.chain == chain && place.seq == seq).copied().collect()
    }
}
