//! What a check must say and a restore must give, computed from the graph of the repository and
//! the bytes that are left. It uses nothing of the program.
//!
//! A copy of an object is good when its bytes lie where an index file, or the table of a pack that
//! no index file names, places them. A file is whole when good nodes lead to its entry and every
//! object with a part of it has a good copy.

mod graph;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::damage::reader;
use crate::damage::reader::Child;
use crate::damage::reader::Hash;
use crate::damage::reader::Keys;
use crate::damage::reader::Row;
use crate::damage::scene::Made;
use crate::damage::scene::Scene;
use crate::support::hex;

/// Snapshot and path, or none for all of a snapshot that is not known, with the ranges that are
/// lost; no range for what lies below a lost node.
pub type Losses = BTreeMap<(String, Option<String>), Vec<(u64, u64)>>;

/// What bytes of a blob are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Head,
    Object,
    Table,
    Trailer,
}

/// Blobs by name.
pub type Blobs = BTreeMap<String, Arc<[u8]>>;

/// Bytes of a file and the objects that all have to be good for them.
#[derive(Debug, Clone)]
struct Span {
    start: u64,
    len: u64,
    needs: Vec<Hash>,
}

#[derive(Debug, Clone)]
struct File {
    path: String,
    /// The path as the format has it.
    stored: Vec<u8>,
    spans: Vec<Span>,
}

/// A node's children, and the files of a leaf.
#[derive(Debug, Clone, Default)]
struct Known {
    children: Vec<Hash>,
    files: Vec<File>,
    is_leaf: bool,
}

/// A snapshot that is to restore.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub id: String,
    /// `<machine>/<source>/<seq>-<id>`
    pub place: String,
    pub made: Made,
}

pub struct Oracle {
    pub original: Blobs,
    pub keys: Keys,
    pub snapshots: Vec<Snapshot>,
    graph: BTreeMap<Hash, Known>,
    /// Copies of every object: pack and place in it.
    copies: BTreeMap<Hash, Vec<(String, Row)>>,
}

/// How far a passphrase leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Access {
    #[default]
    Nothing,
    /// The keys open; no list is left that says who may sign, so nothing is restored.
    Keys,
    All,
}

/// What must be said of a damaged repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    pub access: Access,
    pub is_ok: bool,
    /// Blobs that must be named, all others not; and whether something is lost by them, where that
    /// can be told from the blob.
    pub named: BTreeMap<String, Option<bool>>,
    /// Blobs that may be named or not.
    pub free: BTreeSet<String>,
    /// Objects that are needed and have no good copy.
    pub lost: BTreeSet<Hash>,
    /// Bad copies of objects in packs that are there, and whether the object is lost.
    pub copies: BTreeMap<(String, usize), bool>,
    pub losses: Losses,
    /// Chains, `<machine>/<source>`, in which a number is missing.
    pub gaps: BTreeSet<String>,
}

fn pack_name(id: &Hash) -> String {
    let id = hex(id);
    format!("packs/{}/{id}", &id[..2])
}

/// The rows of every pack as a reader finds them: in index files first.
struct Rows {
    packs: BTreeMap<String, Vec<Row>>,
    /// Packs that no good index file names.
    unindexed: BTreeSet<String>,
}

fn rows(keys: &Keys, blobs: &Blobs) -> Rows {
    let mut found = Rows { packs: BTreeMap::new(), unindexed: BTreeSet::new() };
    for (name, bytes) in blobs.range("index/".to_owned().."index0".to_owned()) {
        if *name == format!("index/{}", hex(&reader::hash(bytes))) {
            for (pack, (rows, _)) in keys.index(bytes).unwrap_or_default() {
                found.packs.entry(pack_name(&pack)).or_insert(rows);
            }
        }
    }
    for (name, bytes) in blobs.range("packs/".to_owned().."packs0".to_owned()) {
        if !found.packs.contains_key(name)
            && let Some((rows, _)) = keys.table(bytes)
        {
            found.unindexed.insert(name.clone());
            found.packs.insert(name.clone(), rows);
        }
    }
    found
}

impl Expected {
    pub fn opens(&self) -> bool {
        self.access > Access::Nothing
    }
}

impl Oracle {
    pub fn new(scene: &Scene) -> Self {
        let blobs = scene.blobs.iter();
        let original = blobs.map(|(name, blob)| (name.to_string(), Arc::clone(&blob.content)));
        let original: Blobs = original.collect();
        let store = scene.keyset.store.generations().iter();
        let store = store.map(|(number, key)| (*number, *key.expose())).collect();
        let keys = Keys { repository: *scene.keyset.repository.as_bytes(), store };
        let mut copies: BTreeMap<Hash, Vec<_>> = BTreeMap::new();
        for (pack, rows) in rows(&keys, &original).packs {
            for row in rows {
                copies.entry(row.sid).or_default().push((pack.clone(), row));
            }
        }
        let snapshots = scene.snapshots.iter().map(|made| Snapshot {
            id: made.place.id.to_string(),
            place: made.place.to_string(),
            made: made.clone(),
        });
        let snapshots = snapshots.collect();
        let mut oracle = Self { original, keys, snapshots, graph: BTreeMap::new(), copies };
        let roots: Vec<Child> = oracle.snapshots.iter().map(|it| it.made.root.clone()).collect();
        roots.iter().for_each(|root| oracle.learn(root));
        oracle.assert_trees_are_known();
        oracle
    }

    /// How many kinds of object there are.
    pub fn kinds(&self) -> BTreeMap<u8, usize> {
        let mut kinds = BTreeMap::new();
        for copies in self.copies.values() {
            *kinds.entry(copies[0].1.kind).or_default() += 1;
        }
        kinds
    }

    /// What must be said of `blobs`.
    pub fn expect(&self, blobs: &Blobs) -> Expected {
        let access = match (self.opens(blobs), self.any_good(blobs, "recipients/")) {
            (false, _) => Access::Nothing,
            (true, false) => Access::Keys,
            (true, true) => Access::All,
        };
        let mut expected = Expected { access, ..Expected::default() };
        self.name_blobs(blobs, &mut expected);
        let alive = self.judge_manifests(blobs, &mut expected);
        self.judge_objects(blobs, &alive, &mut expected);
        expected.is_ok = access > Access::Nothing
            && expected.named.is_empty()
            && expected.lost.is_empty()
            && expected.copies.is_empty()
            && expected.losses.is_empty()
            && expected.gaps.is_empty();
        expected
    }

    fn is_good(&self, blobs: &Blobs, name: &str) -> bool {
        blobs.get(name).is_some_and(|bytes| self.original.get(name) == Some(bytes))
    }

    /// Whether a copy of something below `prefix` is as it was.
    fn any_good(&self, blobs: &Blobs, prefix: &str) -> bool {
        let below =
            blobs.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        below.into_iter().any(|(name, bytes)| self.original.get(name) == Some(bytes))
    }

    fn opens(&self, blobs: &Blobs) -> bool {
        // The slot of the passphrase is the one with parameters of Argon2id, so the longer one.
        let slots = self.original.range("slots/".to_owned().."slots0".to_owned());
        let longest = slots.max_by_key(|(_, bytes)| bytes.len()).unwrap().0;
        let slot = longest.trim_end_matches(".1");
        self.any_good(blobs, "config") && self.any_good(blobs, slot)
    }

    /// Blobs that differ from what they were.
    fn name_blobs(&self, blobs: &Blobs, expected: &mut Expected) {
        for (name, bytes) in blobs {
            if self.original.get(name) != Some(bytes) {
                expected.named.insert(name.clone(), self.is_record_lost(blobs, name));
            }
            // A stray copy may be missed in its other places.
            if !self.original.contains_key(name) {
                expected.free.extend(twins(name));
            }
        }
        for name in self.original.keys().filter(|name| !blobs.contains_key(*name)) {
            let is_twin_there = twins(name).iter().any(|twin| blobs.contains_key(twin));
            let of_packs = ["packs/", "index/"].iter().any(|folder| name.starts_with(folder));
            // A pack is missed by what needs it, an index file by the packs in it. Where all copies
            // are gone nothing tells that they were there, but for gaps in a chain.
            if is_twin_there && !of_packs {
                expected.named.insert(name.clone(), self.is_record_lost(blobs, name));
            } else {
                expected.free.insert(name.clone());
            }
        }
    }

    /// Whether no copy of a record is good.
    fn is_record_lost(&self, blobs: &Blobs, name: &str) -> Option<bool> {
        let is_record = !["packs/", "index/"].iter().any(|folder| name.starts_with(folder));
        let all = std::iter::once(name.to_owned()).chain(twins(name));
        let is_good = all.into_iter().any(|copy| self.is_good(blobs, &copy));
        // A lease loses nothing; of what was never there nothing is known.
        let is_known = self.original.contains_key(name) && !name.starts_with("sessions/");
        (is_record && is_known).then_some(!is_good)
    }

    /// The snapshots whose manifest is good, and what is wrong with the others.
    fn judge_manifests(&self, blobs: &Blobs, expected: &mut Expected) -> Vec<&Snapshot> {
        let mut places: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        let mut listed = BTreeSet::new();
        for name in blobs.keys() {
            let place = name.strip_prefix("manifests/").or(name.strip_prefix("manifests.2/"));
            listed.extend(place);
            let removed = name.strip_prefix("tombstones/").filter(|_| self.is_good(blobs, name));
            let Some(place) = place.or(removed) else { continue };
            let (chain, last) = place.rsplit_once('/').unwrap();
            let seq = last.split_once('-').unwrap().0.parse().unwrap();
            places.entry(chain).or_default().insert(seq);
        }
        for (chain, numbers) in &places {
            if (1..*numbers.last().unwrap()).any(|seq| !numbers.contains(&seq)) {
                expected.gaps.insert((*chain).to_owned());
            }
        }
        let mut alive = Vec::new();
        for place in listed {
            let copies = [0, 1].map(|copy| manifest_name(copy, place));
            let machine = place.split('/').next().unwrap();
            let is_known = self.any_good(blobs, &format!("machines/{machine}/"));
            let is_good = is_known && copies.iter().any(|name| self.is_good(blobs, name));
            match self.snapshots.iter().find(|snapshot| snapshot.place == place) {
                Some(snapshot) if is_good => alive.push(snapshot),
                _ => {
                    let id = place.rsplit_once('-').unwrap().1;
                    self.lose_between(id, (b"", None), &mut expected.losses);
                    expected.named.extend(copies.map(|name| (name, Some(true))));
                }
            }
        }
        alive
    }

    fn judge_objects(&self, blobs: &Blobs, alive: &[&Snapshot], expected: &mut Expected) {
        let rows = rows(&self.keys, blobs);
        let mut good: BTreeMap<Hash, BTreeSet<&str>> = BTreeMap::new();
        let mut bad = Vec::new();
        for (pack, rows) in &rows.packs {
            let Some(bytes) = blobs.get(pack) else { continue };
            let is_same = self.original.get(pack) == Some(bytes);
            for row in rows {
                let part = bytes.get(row.range.clone());
                if is_same || part.is_some_and(|part| reader::hash(part) == row.sid) {
                    good.entry(row.sid).or_default().insert(pack);
                } else {
                    bad.push((pack, row));
                }
            }
        }
        let mut needed = BTreeSet::new();
        for snapshot in alive {
            self.reach(snapshot.made.root.sid, &good, &mut needed);
        }
        expected.lost.extend(needed.iter().filter(|sid| !good.contains_key(*sid)));
        for (pack, row) in bad {
            let place = (pack.clone(), row.range.start);
            expected.copies.insert(place, expected.lost.contains(&row.sid));
        }
        for (pack, rows) in rows.packs.iter() {
            let is_missed = |row: &Row| {
                let count = good.get(&row.sid).map_or(0, BTreeSet::len);
                needed.contains(&row.sid) && count < if is_node(row.kind) { 2 } else { 1 }
            };
            if !blobs.contains_key(pack) && rows.iter().any(is_missed) {
                expected.named.insert(pack.clone(), None);
            }
        }
        for pack in &rows.unindexed {
            if rows.packs[pack].iter().any(|row| needed.contains(&row.sid)) {
                expected.named.insert("index/".to_owned(), None);
            }
        }
        for snapshot in alive {
            self.lose(snapshot, snapshot.made.root.sid, &good, expected);
        }
    }

    fn reach(&self, sid: Hash, good: &Good<'_>, needed: &mut BTreeSet<Hash>) {
        if !needed.insert(sid) || !good.contains_key(&sid) {
            return;
        }
        let known = self.graph.get(&sid);
        known.iter().flat_map(|it| &it.children).for_each(|child| self.reach(*child, good, needed));
    }

    /// Names the losses of one snapshot.
    fn lose(&self, of: &Snapshot, sid: Hash, good: &Good<'_>, into: &mut Expected) {
        let known = &self.graph[&sid];
        if !good.contains_key(&sid) {
            self.lose_all(of, sid, into);
        } else if known.is_leaf {
            for file in &known.files {
                let is_lost = |span: &&Span| !span.needs.iter().all(|sid| good.contains_key(sid));
                let lost = file.spans.iter().filter(is_lost);
                let ranges = merge(lost.map(|span| (span.start, span.start + span.len)));
                if !ranges.is_empty() {
                    into.losses.insert((of.id.clone(), Some(file.path.clone())), ranges);
                }
            }
        } else {
            known.children.iter().for_each(|child| self.lose(of, *child, good, into));
        }
    }

    fn lose_all(&self, of: &Snapshot, sid: Hash, into: &mut Expected) {
        for file in self.files(sid) {
            into.losses.insert((of.id.clone(), Some(file.path.clone())), Vec::new());
        }
    }

    /// Every file below a node of a tree.
    fn files(&self, sid: Hash) -> Vec<&File> {
        let known = &self.graph[&sid];
        let mut files: Vec<&File> = known.files.iter().collect();
        if !known.is_leaf {
            files.extend(known.children.iter().flat_map(|child| self.files(*child)));
        }
        files
    }

    /// Notes as lost what lies between two paths of a snapshot, as the format has them.
    pub fn lose_between(
        &self,
        id: &str,
        (from, before): (&[u8], Option<&[u8]>),
        losses: &mut Losses,
    ) {
        let Some(snapshot) = self.snapshots.iter().find(|snapshot| snapshot.id == id) else {
            losses.insert((id.to_owned(), None), Vec::new());
            return;
        };
        for file in self.files(snapshot.made.root.sid) {
            let is_within = *from <= *file.stored && before.is_none_or(|end| *file.stored < *end);
            if is_within {
                losses.insert((id.to_owned(), Some(file.path.clone())), Vec::new());
            }
        }
    }
}

/// Packs with a good copy, by object.
type Good<'a> = BTreeMap<Hash, BTreeSet<&'a str>>;

fn is_node(kind: u8) -> bool {
    (reader::LEAF..=reader::MAP_BRANCH).contains(&kind)
}

/// Name of a copy of a manifest, 0 or 1.
pub fn manifest_name(copy: usize, place: &str) -> String {
    format!("{}/{place}", ["manifests", "manifests.2"][copy])
}

/// Names of the other copies of a record.
fn twins(name: &str) -> Vec<String> {
    if let Some(place) = name.strip_prefix("manifests/") {
        return vec![manifest_name(1, place)];
    }
    if let Some(place) = name.strip_prefix("manifests.2/") {
        return vec![manifest_name(0, place)];
    }
    let is_copy = name.len() > 2 && name.as_bytes()[name.len() - 2] == b'.';
    let stem = if is_copy { &name[..name.len() - 2] } else { name };
    let all = ["", ".0", ".1", ".2"].map(|copy| format!("{stem}{copy}"));
    all.into_iter().filter(|twin| twin != name).collect()
}

fn merge(ranges: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => merged.push((start, end)),
        }
    }
    merged
}
