//! Gaps, forks and broken links between the members of a chain.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::ids::SnapshotId;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::Manifests;
use crate::vault::names::Chain;
use crate::vault::names::Place;

/// `manifests` are all that are listed, good or bad; `removed` is what good tombstones name. Of two
/// with one number of which one was removed, the other is the one that stands.
pub(super) fn find(manifests: &BTreeSet<Place>, removed: &BTreeSet<Place>, found: &mut Manifests) {
    let mut chains: BTreeMap<Chain, BTreeMap<u64, Vec<SnapshotId>>> = BTreeMap::new();
    for place in manifests.union(removed) {
        chains.entry(place.chain).or_default().entry(place.seq).or_default().push(place.id);
    }
    for (chain, members) in &chains {
        let mut next_seq = 1;
        for (&seq, ids) in members {
            if seq > next_seq {
                let (first_seq, last_seq) = (next_seq, seq - 1);
                found.findings.push(ChainFinding::Gap { chain: *chain, first_seq, last_seq });
            }
            let stands =
                |id: &&SnapshotId| !removed.contains(&Place { chain: *chain, seq, id: **id });
            let ids: Vec<SnapshotId> = ids.iter().filter(stands).copied().collect();
            if ids.len() > 1 {
                found.findings.push(ChainFinding::Fork { chain: *chain, seq, ids });
            }
            next_seq = seq.saturating_add(1);
        }
    }
    for stored in &found.manifests {
        let place = stored.place;
        let Some(prev) = stored.manifest.public.prev else { continue };
        let before = chains.get(&place.chain).and_then(|seqs| seqs.get(&(place.seq - 1)));
        if before.is_some_and(|ids| !ids.contains(&prev)) {
            found.findings.push(ChainFinding::OtherPrev { place });
        }
    }
}
