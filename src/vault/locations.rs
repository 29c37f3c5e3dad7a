//! Where every object lies, in memory.
//!
//! What is read from storage is one sorted table of 28 bytes an object; what the sessions of this
//! process add lies in a map beside it. The first 16 bytes of a sid tell objects apart here; every
//! read compares the whole hash.

use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::format::index::PackTable;
use crate::format::object::ObjectKind;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::ids::PackId;
use crate::ids::Sid;

pub(in crate::vault) type Prefix = [u8; 16];

pub(in crate::vault) fn prefix_of(sid: &Sid) -> Prefix {
    let [prefix @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *sid.as_bytes();
    prefix
}

/// One copy of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::vault) struct Row {
    prefix: Prefix,
    /// Number of the pack in this process.
    pub pack: u32,
    /// Bytes from the start of the pack.
    pub offset: u32,
    /// Kind in the upper 7 bits, length in bytes below: [`OBJECT_BYTES_MAX`] takes 25.
    kind_and_len: u32,
}

const LEN_BITS: u32 = 25;
const LEN_MASK: u32 = (1 << LEN_BITS) - 1;
const _: () = assert!(crate::format::object::OBJECT_BYTES_MAX <= LEN_MASK as usize);

impl Row {
    pub(in crate::vault) const fn len_bytes(&self) -> u32 {
        self.kind_and_len & LEN_MASK
    }

    /// First byte behind the object.
    pub(in crate::vault) fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.len_bytes())
    }

    pub(in crate::vault) fn kind(&self) -> Option<ObjectKind> {
        u8::try_from(self.kind_and_len >> LEN_BITS).ok().and_then(ObjectKind::from_u8)
    }

    pub(in crate::vault) fn is_node(&self) -> bool {
        self.kind().is_some_and(ObjectKind::is_node)
    }

    /// Equal for copies of one object.
    pub(in crate::vault) const fn prefix(&self) -> Prefix {
        self.prefix
    }
}

/// A pack that some table names.
#[derive(Debug, Clone, Copy)]
pub(in crate::vault) struct KnownPack {
    pub id: PackId,
    pub len_bytes: u64,
    /// Its length as listed; none if it is not.
    pub found_bytes: Option<u64>,
    /// Whether it was listed with the length that its table asks for.
    pub is_present: bool,
    /// Bytes of its objects.
    pub objects_bytes: u64,
    /// Whether it is about to go: no new snapshot may rely on it.
    pub is_condemned: bool,
}

/// Every object of every pack.
#[derive(Debug, Default)]
pub(in crate::vault) struct Locations {
    packs: Vec<KnownPack>,
    pack_numbers: HashMap<PackId, u32>,
    condemned: BTreeSet<PackId>,
    /// Sorted once [`Self::finish_loading`] was called.
    rows: Vec<Row>,
    /// What was added since; the number tells apart copies of one object.
    added: HashMap<(Prefix, u32), Row>,
    /// Tables that no index file holds yet.
    pub unindexed: Vec<PackTable>,
}

impl Locations {
    pub(in crate::vault) fn knows_pack(&self, id: &PackId) -> bool {
        self.pack_numbers.contains_key(id)
    }

    pub(in crate::vault) fn pack(&self, number: u32) -> Option<&KnownPack> {
        self.packs.get(usize::try_from(number).ok()?)
    }

    /// Every row read from storage; meant for [`Self::by_pack`].
    pub(in crate::vault) fn row(&self, at: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(at).ok()?)
    }

    /// Numbers of all rows in the order in which they lie.
    pub(in crate::vault) fn by_pack(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by_key(|&at| self.row(at).map(|row| (row.pack, row.offset)));
        order
    }

    /// Whether the pack was listed, and is long enough to hold the row.
    pub(in crate::vault) fn is_there(&self, row: &Row) -> bool {
        let found = self.pack(row.pack).and_then(|pack| pack.found_bytes);
        found.is_some_and(|found| row.end() <= found)
    }

    /// Adds a table read from storage; `found_bytes` is the pack's listed length, if it is listed.
    pub(in crate::vault) fn load(&mut self, table: &PackTable, found_bytes: Option<u64>) {
        let mut rows = std::mem::take(&mut self.rows);
        // By an eighth, not by doubling: the table of a large repository is most of its memory.
        if rows.capacity() - rows.len() < table.rows.len() {
            rows.reserve_exact(table.rows.len().max(rows.len() / 8));
        }
        self.for_each_row(table, found_bytes, |_, row| rows.push(row));
        self.rows = rows;
    }

    /// Sorts what was loaded.
    pub(in crate::vault) fn finish_loading(&mut self) {
        self.rows.sort_unstable();
        self.rows.shrink_to_fit();
    }

    /// Adds a pack that this process has just written.
    pub(in crate::vault) fn add(&mut self, table: &PackTable) {
        self.for_each_row(table, Some(table.pack_len_bytes()), |locations, row| {
            let mut copy = 0;
            while locations.added.contains_key(&(row.prefix, copy)) {
                copy += 1;
            }
            locations.added.insert((row.prefix, copy), row);
        });
    }

    fn for_each_row(
        &mut self,
        table: &PackTable,
        found_bytes: Option<u64>,
        mut take: impl FnMut(&mut Self, Row),
    ) {
        if self.knows_pack(&table.pack) {
            return;
        }
        let Ok(pack) = u32::try_from(self.packs.len()) else { return };
        let len_bytes = table.pack_len_bytes();
        let is_present = found_bytes == Some(len_bytes);
        let is_condemned = self.condemned.contains(&table.pack);
        let id = table.pack;
        let objects_bytes = table.rows.iter().map(|row| u64::from(row.len_bytes)).sum();
        self.packs.push(KnownPack {
            id,
            len_bytes,
            found_bytes,
            is_present,
            objects_bytes,
            is_condemned,
        });
        self.pack_numbers.insert(table.pack, pack);
        let mut offset = PACK_HEAD_BYTES;
        for row in &table.rows {
            // A table whose objects reach beyond the largest pack cannot be told to be whole.
            let Ok(start) = u32::try_from(offset) else { return };
            let kind_and_len = (u32::from(row.kind as u8) << LEN_BITS) | row.len_bytes;
            take(self, Row { prefix: prefix_of(&row.sid), pack, offset: start, kind_and_len });
            offset = offset.saturating_add(u64::from(row.len_bytes));
        }
    }

    pub(in crate::vault) fn packs(&self) -> &[KnownPack] {
        &self.packs
    }

    /// What was read from storage: sorted, copies of one object together.
    pub(in crate::vault) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows of an object that was read from storage, and the number of the first.
    pub(in crate::vault) fn loaded(&self, sid: &Sid) -> (usize, &[Row]) {
        let prefix = prefix_of(sid);
        let number = first_at(&self.rows, &prefix);
        let rest = self.rows.get(number..).unwrap_or_default();
        let count = rest.iter().take_while(|row| row.prefix == prefix).count();
        (number, rest.get(..count).unwrap_or_default())
    }

    /// Every copy of an object.
    pub(in crate::vault) fn find(&self, sid: &Sid) -> impl Iterator<Item = Row> {
        self.find_prefix(prefix_of(sid))
    }

    pub(in crate::vault) fn find_prefix(&self, prefix: Prefix) -> impl Iterator<Item = Row> {
        let start = first_at(&self.rows, &prefix);
        let loaded = self.rows.get(start..).unwrap_or_default();
        let loaded = loaded.iter().take_while(move |row| row.prefix == prefix).copied();
        let added = (0..).map_while(move |copy| self.added.get(&(prefix, copy)).copied());
        loaded.chain(added)
    }

    /// Whether as many copies as its kind asks for lie in different packs that are there.
    pub(in crate::vault) fn holds(&self, sid: &Sid) -> bool {
        let mut first = None;
        for row in self.find(sid).filter(|row| self.is_present(row.pack)) {
            if !row.is_node() || first.is_some_and(|pack| pack != row.pack) {
                return true;
            }
            first = Some(row.pack);
        }
        false
    }

    /// As [`Self::holds`] for whoever makes a snapshot: what is about to go holds nothing.
    pub(in crate::vault) fn offers(&self, prefix: &Prefix) -> bool {
        let mut first = None;
        for row in self.find_prefix(*prefix).filter(|row| self.is_usable(row.pack)) {
            if !row.is_node() || first.is_some_and(|pack| pack != row.pack) {
                return true;
            }
            first = Some(row.pack);
        }
        false
    }

    pub(in crate::vault) fn is_usable(&self, pack: u32) -> bool {
        self.pack(pack).is_some_and(|pack| pack.is_present && !pack.is_condemned)
    }

    /// Takes these packs for about to go, whether they are known already or come to be.
    pub(in crate::vault) fn condemn(&mut self, packs: &BTreeSet<PackId>) {
        self.condemned.extend(packs);
        for pack in &mut self.packs {
            pack.is_condemned |= packs.contains(&pack.id);
        }
    }

    pub(in crate::vault) fn is_present(&self, pack: u32) -> bool {
        self.pack(pack).is_some_and(|pack| pack.is_present)
    }

    /// As [`Self::distrust`], by the pack's id.
    pub(in crate::vault) fn distrust_pack(&mut self, id: &PackId) {
        if let Some(number) = self.pack_numbers.get(id).copied() {
            self.distrust(number);
        }
    }

    /// Ceases to rely on a pack in which something bad was found.
    pub(in crate::vault) fn distrust(&mut self, pack: u32) {
        let known = usize::try_from(pack).ok().and_then(|number| self.packs.get_mut(number));
        if let Some(known) = known {
            known.is_present = false;
        }
    }
}

/// First 8 bytes as a number: hashes are spread evenly over it.
fn head(prefix: &Prefix) -> u64 {
    prefix.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

/// `count` times the share that `part` is of all heads.
fn share(part: u64, count: usize) -> usize {
    usize::try_from((u128::from(part) * count as u128) >> 64).unwrap_or(count)
}

/// Number of the first row whose prefix is not smaller. In sorted hashes a row lies near its share
/// of the table (interpolation search, Peterson 1957): two guesses, then steps that double from
/// there, so that a large table costs few reads of far memory. Rows that are not spread evenly cost
/// twice a binary search at most.
fn first_at(rows: &[Row], prefix: &Prefix) -> usize {
    let is_before = |at: usize| rows.get(at).is_some_and(|row| row.prefix < *prefix);
    let mut guess = share(head(prefix), rows.len());
    if let Some(row) = rows.get(guess) {
        let (wanted, found) = (head(prefix), head(&row.prefix));
        guess = match wanted >= found {
            true => guess.saturating_add(share(wanted - found, rows.len())).min(rows.len()),
            false => guess.saturating_sub(share(found - wanted, rows.len())),
        };
    }
    let mut step = 16;
    let (low, high) = if is_before(guess) {
        let mut low = guess;
        while is_before(low.saturating_add(step)) {
            low = low.saturating_add(step);
            step *= 2;
        }
        (low, low.saturating_add(step).min(rows.len()))
    } else {
        let mut high = guess;
        while high > step && !is_before(high - step) {
            high -= step;
            step *= 2;
        }
        (high.saturating_sub(step), high.min(rows.len()))
    };
    let between = rows.get(low..high).unwrap_or_default();
    low + between.partition_point(|row| row.prefix < *prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::pack::TableRow;

    fn table(pack: u8, rows: &[(u8, ObjectKind)]) -> PackTable {
        let row = |&(n, kind): &(u8, ObjectKind)| TableRow {
            kind,
            sid: Sid::new([n; 32]),
            len_bytes: 10,
        };
        let rows = rows.iter().map(row).collect();
        PackTable { pack: PackId::new([pack; 32]), sealed_table_bytes: 117, rows }
    }

    #[test]
    fn a_node_counts_with_two_packs_and_data_with_one() {
        let mut locations = Locations::default();
        let one = table(1, &[(1, ObjectKind::Chunk), (2, ObjectKind::Leaf), (2, ObjectKind::Leaf)]);
        locations.load(&one, Some(one.pack_len_bytes()));
        locations.finish_loading();
        assert!(locations.holds(&Sid::new([1; 32])));
        assert!(!locations.holds(&Sid::new([2; 32])));
        locations.add(&table(2, &[(2, ObjectKind::Leaf)]));
        assert!(locations.holds(&Sid::new([2; 32])));
        let found: Vec<_> = locations.find(&Sid::new([2; 32])).collect();
        let places: Vec<_> = found.iter().map(|row| (row.pack, row.offset)).collect();
        assert_eq!(places, [(0, 18), (0, 28), (1, 8)]);
        assert_eq!(found[0].len_bytes(), 10);
    }

    #[test]
    fn a_missing_or_short_pack_holds_nothing_but_is_still_found() {
        for found_bytes in [None, Some(1)] {
            let mut locations = Locations::default();
            locations.load(&table(1, &[(1, ObjectKind::Chunk)]), found_bytes);
            locations.finish_loading();
            assert!(!locations.holds(&Sid::new([1; 32])));
            assert_eq!(locations.find(&Sid::new([1; 32])).count(), 1);
        }
    }

    /// Even and uneven tables, with every prefix that is there, its neighbours, and the ends.
    #[test]
    fn a_row_is_found_as_a_plain_search_finds_it() {
        let row = |prefix| Row { prefix, pack: 0, offset: 0, kind_and_len: 0 };
        let hashed = |n: u32| {
            let hash = blake3::hash(&n.to_le_bytes());
            *hash.as_bytes().first_chunk().unwrap()
        };
        let clustered = |n: u32| {
            let mut prefix = [if n.is_multiple_of(3) { 0xff } else { 7 }; 16];
            prefix[12..].copy_from_slice(&(n / 2).to_be_bytes());
            prefix
        };
        let makers: [&dyn Fn(u32) -> Prefix; 2] = [&hashed, &clustered];
        for (make, count) in makers.into_iter().flat_map(|m| [0, 1, 2, 33, 5000].map(|n| (m, n))) {
            let mut rows: Vec<Row> = (0..count).map(|n| row(make(n))).collect();
            rows.sort_unstable();
            let asked = (0..count + 10).map(make).chain([[0; 16], [0xff; 16], [0x80; 16]]);
            for asked in asked {
                let number = u128::from_be_bytes(asked);
                for near in [number.wrapping_sub(1), number, number.wrapping_add(1)] {
                    let near = near.to_be_bytes();
                    let plain = rows.partition_point(|row| row.prefix < near);
                    assert_eq!(first_at(&rows, &near), plain, "{near:?} of {count}");
                }
            }
        }
    }
}
