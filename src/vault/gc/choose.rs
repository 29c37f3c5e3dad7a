//! Which copies stay, and which packs go.
//!
//! A copy counts where it lies. Of each object that is needed as many copies are chosen as its kind
//! asks for, in different packs that are not about to go; all else is no reason to keep a pack.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::ids::PackId;
use crate::vault::gc::GcError;
use crate::vault::gc::MaxUnused;
use crate::vault::gc::PruneOptions;
use crate::vault::gc::mark::Mark;
use crate::vault::locations::Locations;
use crate::vault::locations::Row;

/// What is to be done, by numbers of rows and packs.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Copies that are to be made, of these rows: what they lie in goes.
    pub copy: Vec<u32>,
    /// Copies on which an object stands whose other copies go: they are read before.
    pub verify: Vec<u32>,
    /// Packs that go: nothing is chosen in them, or it is copied.
    pub drop: Vec<PackId>,
    pub drop_bytes: u64,
    /// Packs of which nothing is needed, and that a backup at work may have written.
    pub young_bytes: u64,
    pub total_bytes: u64,
    pub live_bytes: u64,
    /// Bytes that nothing needs in packs that stay.
    pub unused_bytes: u64,
    pub repacked_count: u64,
}

/// What lies in one pack.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    /// Bytes of objects that are needed, wherever else they lie.
    reached_bytes: u64,
    chosen_bytes: u64,
}

/// Asks whether a pack is so young that a backup at work may rely on it.
pub(super) type IsYoung<'a> = &'a dyn Fn(&PackId) -> Result<bool, GcError>;

struct Chooser<'a> {
    locations: &'a Locations,
    /// By number of pack.
    uses: Vec<Use>,
    chosen: Vec<u32>,
    choice: Choice,
}

pub(super) fn choose(
    locations: &Locations,
    mark: &Mark,
    options: &PruneOptions,
    is_young: IsYoung<'_>,
) -> Result<Choice, GcError> {
    let uses = vec![Use::default(); locations.packs().len()];
    let choice = Choice::default();
    let mut chooser = Chooser { locations, uses, chosen: Vec::new(), choice };
    for row in groups(locations, &mark.reached).flatten().filter_map(|at| locations.row(at)) {
        if let Some(it) = chooser.use_of(row.pack) {
            it.reached_bytes += u64::from(row.len_bytes());
        }
    }
    for group in groups(locations, &mark.reached) {
        chooser.copies(group)?;
    }
    chooser.packs(options, is_young)?;
    Ok(chooser.choice)
}

/// The rows of each object that is needed.
fn groups(locations: &Locations, reached: &[bool]) -> impl Iterator<Item = std::ops::Range<u32>> {
    let firsts = (0_u32..).zip(reached).filter(|(_, is_reached)| **is_reached);
    firsts.filter_map(|(first, _)| {
        let prefix = locations.row(first)?.prefix();
        let same = |at: &u32| locations.row(*at).is_some_and(|row| row.prefix() == prefix);
        let end = (first.saturating_add(1)..).find(|at| !same(at))?;
        Some(first..end)
    })
}

impl Chooser<'_> {
    fn use_of(&mut self, pack: u32) -> Option<&mut Use> {
        self.uses.get_mut(usize::try_from(pack).ok()?)
    }

    fn copies(&mut self, group: std::ops::Range<u32>) -> Result<(), GcError> {
        let locations = self.locations;
        let rows = group.filter_map(|at| Some((at, *locations.row(at)?)));
        let there: Vec<(u32, Row)> =
            rows.filter(|(_, row)| locations.is_present(row.pack)).collect();
        let wanted = if there.iter().any(|(_, row)| row.is_node()) { 2 } else { 1 };
        let mut usable: Vec<&(u32, Row)> =
            there.iter().filter(|(_, row)| locations.is_usable(row.pack)).collect();
        usable.sort_by_key(|(_, row)| {
            let uses = usize::try_from(row.pack).ok().and_then(|at| self.uses.get(at));
            let id = locations.pack(row.pack).map(|pack| pack.id);
            (Reverse(uses.map_or(0, |it| it.reached_bytes)), id)
        });
        usable.dedup_by_key(|(_, row)| row.pack);
        usable.truncate(wanted);
        for (at, row) in usable.iter().copied() {
            if let Some(it) = self.use_of(row.pack) {
                it.chosen_bytes += u64::from(row.len_bytes());
            }
            self.chosen.push(*at);
        }
        let missing = wanted - usable.len();
        if missing == 0 {
            if there.len() > usable.len() {
                self.choice.verify.extend(usable.iter().map(|(at, _)| *at));
            }
            return Ok(());
        }
        // What is to go has the other copies; a node that has lost one gets it from the one left.
        let going = there.iter().filter(|(_, row)| !locations.is_usable(row.pack));
        let sources: Vec<u32> = going.chain(usable).map(|(at, _)| *at).collect();
        if sources.is_empty() {
            return Err(GcError::doubt("packs/", "an object that is needed has no copy"));
        }
        self.choice.copy.extend(sources.iter().cycle().take(missing));
        Ok(())
    }

    fn packs(&mut self, options: &PruneOptions, is_young: IsYoung<'_>) -> Result<(), GcError> {
        let locations = self.locations;
        let mut partly = Vec::new();
        for ((number, pack), uses) in (0_u32..).zip(locations.packs()).zip(&self.uses) {
            if !pack.is_present {
                continue;
            }
            self.choice.total_bytes += pack.len_bytes;
            if pack.is_condemned {
                continue;
            }
            let chosen = uses.chosen_bytes;
            if chosen > 0 {
                self.choice.live_bytes += chosen;
                partly.push((self.unused_in(number, chosen), chosen, number, pack.id));
            } else if is_young(&pack.id)? {
                self.choice.young_bytes += pack.len_bytes;
            } else {
                self.choice.drop.push(pack.id);
                self.choice.drop_bytes += pack.len_bytes;
            }
        }
        self.repack(partly, options, is_young)
    }

    /// The emptiest packs are written anew, until little enough is unused.
    fn repack(
        &mut self,
        mut partly: Vec<(u64, u64, u32, PackId)>,
        options: &PruneOptions,
        is_young: IsYoung<'_>,
    ) -> Result<(), GcError> {
        let locations = self.locations;
        let mut unused: u64 = partly.iter().map(|it| it.0).sum();
        let limit = match options.max_unused {
            MaxUnused::Percent(percent) => {
                let live = u128::from(self.choice.live_bytes) * u128::from(percent) / 100;
                u64::try_from(live).unwrap_or(u64::MAX)
            }
            MaxUnused::Bytes(bytes) => bytes,
        };
        // Most to gain for each byte that is copied.
        partly.sort_by_key(|(free, chosen, _, id)| {
            let gain = u128::from(*free) * 1_000_000 / u128::from((*chosen).max(1));
            (Reverse(gain), *id)
        });
        let mut left = options.max_repack_bytes.unwrap_or(u64::MAX);
        let mut emptied = BTreeSet::new();
        for (free, chosen, number, id) in partly {
            if unused <= limit || free == 0 {
                break;
            }
            if chosen > left || is_young(&id)? {
                continue;
            }
            left -= chosen;
            unused -= free;
            emptied.insert(number);
            self.choice.drop.push(id);
            self.choice.drop_bytes += free;
            self.choice.repacked_count += 1;
        }
        self.choice.unused_bytes = unused;
        let is_emptied =
            |at: &&u32| locations.row(**at).is_some_and(|row| emptied.contains(&row.pack));
        let moved: Vec<u32> = self.chosen.iter().filter(is_emptied).copied().collect();
        self.choice.copy.extend(moved);
        Ok(())
    }

    /// Bytes of the objects in a pack that are not chosen there.
    fn unused_in(&self, number: u32, chosen: u64) -> u64 {
        let pack = self.locations.pack(number);
        pack.map_or(0, |pack| pack.objects_bytes.saturating_sub(chosen))
    }
}
