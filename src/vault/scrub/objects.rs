//! Objects by their copies: which are there, which are bad, and what follows from it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::storage::BlobName;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load;
use crate::vault::locations::Locations;
use crate::vault::locations::Row;
use crate::vault::names;
use crate::vault::scrub::Scrub;
use crate::vault::scrub::records::is_pack_name;
use crate::vault::scrub::report::BadLocation;
use crate::vault::scrub::report::Class;
use crate::vault::scrub::report::Kind;
use crate::vault::scrub::report::Part;

const BEHIND_THE_END: &str = "it lies behind the end of the file";

/// One copy of an object: number of its pack, place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Copy {
    pub(super) pack: u32,
    pub(super) offset: u32,
    pub(super) len_bytes: u32,
}

impl Copy {
    pub(super) fn of(row: &Row) -> Self {
        Self { pack: row.pack, offset: row.offset, len_bytes: row.len_bytes() }
    }

    pub(super) const fn part(self) -> Part {
        Part::Object { offset: self.offset, len_bytes: self.len_bytes }
    }
}

/// How one needed object stands.
struct Standing {
    rows: Vec<Row>,
    good_count: usize,
    wanted_count: usize,
}

/// What is found out while all needed objects are gone through.
#[derive(Default)]
struct Tally {
    lost: BTreeSet<Sid>,
    /// Copies that are bad or not there and that some needed object would have.
    copies: BTreeMap<Copy, Class>,
    /// Nodes of which a second copy is known nowhere.
    alone: Vec<Sid>,
    needed_packs: BTreeSet<u32>,
}

/// The index as it was read, and what is bad of it.
#[derive(Debug)]
pub struct Index {
    locations: Locations,
    bad: Vec<(BlobName, Fault)>,
}

impl Index {
    /// Reads the index; packs are listed for it.
    pub fn read(run: &Run, vault: &Vault) -> Result<Self, VaultError> {
        let mut bad = Vec::new();
        let tell = &mut |name: &BlobName, fault: &Fault| bad.push((name.clone(), fault.clone()));
        let locations = load::load_telling(run, &vault.inner, tell)?;
        Ok(Self { locations, bad })
    }
}

impl Scrub<'_> {
    /// Reads the index; bad files of it are noted. Without the store key there is nothing to read.
    pub fn look_at_index(&mut self) -> Result<(), VaultError> {
        let Some(vault) = self.vault else { return Ok(()) };
        let index = Index::read(self.run, vault)?;
        self.take_index(vault, index);
        Ok(())
    }

    /// Takes an index that was read meanwhile, after this look has begun.
    pub fn take_index(&mut self, vault: &Vault, index: Index) {
        vault.inner.replace_locations(index.locations);
        self.bad_tables = index.bad;
    }

    /// The first good copy of an object; the bad ones before it are noted. `None`: there is none.
    pub fn read_any(&mut self, sid: &Sid) -> Result<Option<Vec<u8>>, VaultError> {
        let Some(vault) = self.vault else { return Ok(None) };
        let read = first_good(self.run, vault, sid)?;
        self.bad_copies.extend(read.bad);
        Ok(read.bytes)
    }

    /// An object whose bytes are as they were written and that is of no use all the same.
    pub fn mark_useless(&mut self, sid: Sid) {
        self.useless.insert(sid);
    }

    /// Says which of these objects are lost, and names every location that is bad. To be called
    /// once, when all that is to be read was read.
    pub fn conclude<'s>(
        &mut self,
        needed: impl Iterator<Item = &'s Sid> + Clone,
    ) -> Result<(), VaultError> {
        let Some(vault) = self.vault else { return Ok(()) };
        let run = self.run;
        if !self.bad_copies.is_empty() && !self.report.is_complete {
            self.read_others(vault, needed.clone())?;
        }
        let mut tally = vault.inner.with_locations(run, |locations| {
            let mut tally = Tally::default();
            for sid in needed {
                self.report.objects_count += 1;
                self.count(locations, sid, &mut tally);
            }
            tally
        })?;
        let lost = std::mem::take(&mut tally.lost);
        self.report.lost_objects.extend(lost);
        self.name_copies(vault, &tally)?;
        self.name_tables(vault, &tally)
    }

    /// A copy is bad, and another one was not read: whether it is good decides what is lost.
    fn read_others<'s>(
        &mut self,
        vault: &Vault,
        needed: impl Iterator<Item = &'s Sid>,
    ) -> Result<(), VaultError> {
        let in_doubt = vault.inner.with_locations(self.run, |locations| {
            let is_bad = |row: &Row| self.bad_copies.contains_key(&Copy::of(row));
            needed.filter(|sid| locations.find(sid).any(|row| is_bad(&row))).collect::<Vec<_>>()
        })?;
        for sid in in_doubt {
            let read = first_good(self.run, vault, sid)?;
            self.bad_copies.extend(read.bad);
        }
        Ok(())
    }

    fn count(&self, locations: &Locations, sid: &Sid, tally: &mut Tally) {
        let standing = self.standing(locations, sid);
        tally.needed_packs.extend(standing.rows.iter().map(|row| row.pack));
        let is_lost = standing.good_count == 0 || self.useless.contains(sid);
        if is_lost {
            tally.lost.insert(*sid);
        }
        if standing.good_count >= standing.wanted_count {
            return;
        }
        let class = if is_lost { Class::Lost } else { Class::Healable };
        let mut named_count = 0;
        for row in &standing.rows {
            let copy = Copy::of(row);
            if !locations.is_there(row) || self.bad_copies.contains_key(&copy) {
                let worst = tally.copies.entry(copy).or_insert(class);
                *worst = class.max(*worst);
                named_count += 1;
            }
        }
        // That it is lost is told of the object itself.
        if named_count == 0 && !is_lost {
            tally.alone.push(*sid);
        }
    }

    /// A node is wanted in two packs, all else once.
    fn standing(&self, locations: &Locations, sid: &Sid) -> Standing {
        let rows: Vec<Row> = locations.find(sid).collect();
        let is_good =
            |row: &&Row| locations.is_there(row) && !self.bad_copies.contains_key(&Copy::of(row));
        let good: BTreeSet<u32> = rows.iter().filter(is_good).map(|row| row.pack).collect();
        let wanted_count = if rows.iter().any(Row::is_node) { 2 } else { 1 };
        Standing { good_count: good.len(), wanted_count, rows }
    }

    fn name_copies(&mut self, vault: &Vault, tally: &Tally) -> Result<(), VaultError> {
        let read = std::mem::take(&mut self.bad_copies);
        let mut bad: BTreeMap<Copy, (Class, String)> = BTreeMap::new();
        for (copy, fault) in read {
            let class = tally.copies.get(&copy).copied().unwrap_or(Class::Healable);
            let why = match fault {
                Fault::Length { .. } => BEHIND_THE_END.to_owned(),
                other => other.to_string(),
            };
            bad.insert(copy, (class, why));
        }
        for (copy, class) in &tally.copies {
            bad.entry(*copy).or_insert_with(|| (*class, BEHIND_THE_END.to_owned()));
        }
        let packs = vault.inner.with_locations(self.run, |locations| locations.packs().to_vec())?;
        let mut gone: BTreeMap<PackId, Class> = BTreeMap::new();
        for (copy, (class, why)) in bad {
            let known = usize::try_from(copy.pack).ok().and_then(|number| packs.get(number));
            let Some(known) = known else { continue };
            if known.found_bytes.is_none() {
                // Of a pack that is gone only what some object misses is told.
                if !tally.copies.contains_key(&copy) {
                    continue;
                }
                let worst = gone.entry(known.id).or_insert(class);
                *worst = class.max(*worst);
                continue;
            }
            let name = names::pack(&known.id)?;
            self.bad(name.as_str(), (Kind::Pack, copy.part()), class, why);
        }
        for (number, pack) in (0_u32..).zip(&packs) {
            let name = names::pack(&pack.id)?;
            match (pack.found_bytes, gone.get(&pack.id)) {
                (None, Some(class)) => self.missing(&name, Kind::Pack, *class, "it is missing"),
                (None, None) => {
                    self.report.gone_packs.insert(pack.id);
                }
                (Some(found_bytes), _) if found_bytes != pack.len_bytes => {
                    let expected_bytes = pack.len_bytes;
                    let why = Fault::Length { expected_bytes, found_bytes }.to_string();
                    let of_pack = tally.copies.iter().filter(|(copy, _)| copy.pack == number);
                    let class = of_pack.map(|(_, class)| *class).max().unwrap_or(Class::Healable);
                    self.bad(name.as_str(), (Kind::Pack, Part::Whole), class, why);
                }
                (Some(_), _) => {}
            }
            if pack.found_bytes.is_some() && !tally.needed_packs.contains(&number) {
                self.report.unreferenced_packs.insert(pack.id);
            }
        }
        self.report.alone_nodes.extend(&tally.alone);
        for sid in &tally.alone {
            let location = BadLocation {
                name: format!("packs/ (object {sid})"),
                kind: Kind::Pack,
                part: Part::Whole,
                class: Class::Healable,
                why: "the second copy of this node is missing".to_owned(),
            };
            self.report.bad.insert(location);
        }
        Ok(())
    }

    /// Index files and tables stand in for each other: lost is what no table tells of.
    fn name_tables(&mut self, vault: &Vault, tally: &Tally) -> Result<(), VaultError> {
        let bad = std::mem::take(&mut self.bad_tables);
        let any_lost = !self.report.lost_objects.is_empty();
        let any_untold = bad.iter().any(|(name, _)| is_pack_name(name));
        let class = if any_lost && any_untold { Class::Lost } else { Class::Healable };
        for (name, fault) in bad {
            let what = match (is_pack_name(&name), &fault) {
                (false, _) => (Kind::Index, Part::Whole),
                (true, Fault::Length { .. }) => (Kind::Pack, Part::Whole),
                (true, Fault::Format(_) | Fault::Generation(_)) => (Kind::Pack, Part::Trailer),
                (true, _) => (Kind::Pack, Part::Table),
            };
            self.bad(name.as_str(), what, class, fault.to_string());
        }
        let unindexed = vault.inner.with_locations(self.run, |locations| {
            let numbers = tally.needed_packs.iter();
            let needed: BTreeSet<PackId> =
                numbers.filter_map(|number| Some(locations.pack(*number)?.id)).collect();
            let tables = locations.unindexed.iter().map(|table| table.pack);
            tables.filter(|pack| needed.contains(pack)).collect::<Vec<_>>()
        })?;
        for pack in unindexed {
            let why = format!("no index file names pack {pack}; its own table does");
            self.bad("index/", (Kind::Index, Part::Whole), Class::Healable, why);
        }
        Ok(())
    }
}

/// The first good copy and the bad ones before it.
pub(super) struct Read {
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) bad: Vec<(Copy, Fault)>,
}

pub(super) fn first_good(run: &Run, vault: &Vault, sid: &Sid) -> Result<Read, VaultError> {
    run.check()?;
    let mut read = Read { bytes: vault.inner.soon.take(run, &vault.inner, sid), bad: Vec::new() };
    if read.bytes.is_some() {
        return Ok(read);
    }
    for (row, name) in vault.inner.rows_of(run, sid)? {
        match vault.inner.read_copy(run, &row, &name, sid)? {
            Ok(bytes) => {
                read.bytes = Some(bytes);
                break;
            }
            Err(fault) => read.bad.push((Copy::of(&row), fault)),
        }
    }
    Ok(read)
}
