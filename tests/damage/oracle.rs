//! What a check must say and a restore must give, computed from the graph of the repository and
//! the bytes that are left. It uses nothing of the program.
//!
//! A copy of an object is good when its bytes lie where an index file, or the table of a pack that
//! no index file names, places them. A file is whole when good nodes lead to its entry and every
//! object with a part of it has a good copy.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::damage::reader;
use crate::damage::reader::Child;
use crate::damage::reader::Hash;
use crate::damage::reader::Holding;
use crate::damage::reader::Keys;
use crate::damage::reader::Node;
use crate::damage::reader::Piece;
use crate::damage::reader::Row;
use crate::damage::scene::Made;
use crate::damage::scene::Scene;
use crate::support::hex;

/// Lost ranges by snapshot and path.
pub type Losses = BTreeMap<(String, Option<String>), Vec<(u64, u64)>>;

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

/// What must be said of a damaged repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Whether the passphrase opens it and its machines are known.
    pub opens: bool,
    pub is_ok: bool,
    /// Blobs that must be named, all others not.
    pub named: BTreeSet<String>,
    /// Blobs that may be named or not.
    pub free: BTreeSet<String>,
    /// Objects that are needed and have no good copy.
    pub lost: BTreeSet<Hash>,
    /// Bad copies of objects in packs that are there: pack and offset.
    pub copies: BTreeSet<(String, usize)>,
    /// Snapshot and path, none for all of a snapshot, with the ranges that are lost; no range for
    /// what lies below a lost node.
    pub losses: Losses,
    /// Chains, `<machine>/<source>`, in which a number is missing.
    pub gaps: BTreeSet<String>,
}

fn pack_name(id: &Hash) -> String {
    let id = hex(id);
    format!("packs/{}/{id}", &id[..2])
}

fn slashed(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap().replace('\0', "/")
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

    fn bytes(&self, sid: &Hash) -> (&[u8], u8) {
        let (pack, row) = &self.copies[sid][0];
        (&self.original[pack][row.range.clone()], row.kind)
    }

    fn open(&self, child: &Child) -> (Node, u8) {
        let (bytes, kind) = self.bytes(&child.sid);
        (self.keys.node(bytes, child, kind).expect("a node that opens"), kind)
    }

    /// Walks the tree below a node once.
    fn learn(&mut self, child: &Child) {
        if self.graph.contains_key(&child.sid) {
            return;
        }
        let mut known = Known::default();
        let mut below = Vec::new();
        match self.open(child).0 {
            Node::Branch(children) => below = children,
            Node::Map(pieces) => known.children = objects(&pieces),
            Node::Leaf(entries) => {
                known.is_leaf = true;
                for entry in entries {
                    let mut spans = Vec::new();
                    match &entry.holding {
                        Holding::Nothing => {}
                        Holding::Pieces(pieces) => {
                            known.children.extend(objects(pieces));
                            push_spans(&mut spans, pieces, &[]);
                        }
                        Holding::Map(root) => {
                            below.push(root.clone());
                            self.map_spans(&mut spans, root, &mut Vec::new());
                        }
                    }
                    if entry.kind == 0 {
                        known.files.push(File { path: slashed(&entry.path), spans });
                    }
                }
            }
        }
        known.children.extend(below.iter().map(|child| child.sid));
        self.graph.insert(child.sid, known);
        below.iter().for_each(|child| self.learn(child));
    }

    fn map_spans(&self, spans: &mut Vec<Span>, node: &Child, above: &mut Vec<Hash>) {
        above.push(node.sid);
        match self.open(node).0 {
            Node::Map(pieces) => push_spans(spans, &pieces, above),
            Node::Branch(children) => {
                children.iter().for_each(|child| self.map_spans(spans, child, above));
            }
            Node::Leaf(_) => panic!("a leaf in a map"),
        }
        above.pop();
    }

    /// The reader finds in the repository what the trees were, byte for byte.
    fn assert_trees_are_known(&self) {
        for snapshot in &self.snapshots {
            let mut found = BTreeMap::new();
            self.read(&snapshot.made.root, &mut found);
            assert_eq!(found, snapshot.made.files, "{}", snapshot.place);
        }
    }

    fn read(&self, node: &Child, into: &mut BTreeMap<String, Vec<u8>>) {
        match self.open(node).0 {
            Node::Branch(children) => children.iter().for_each(|child| self.read(child, into)),
            Node::Map(_) => panic!("a map in a tree"),
            Node::Leaf(entries) => {
                for entry in entries.iter().filter(|entry| entry.kind == 0) {
                    let mut content = Vec::new();
                    match &entry.holding {
                        Holding::Nothing => {}
                        Holding::Pieces(pieces) => self.read_pieces(pieces, &mut content),
                        Holding::Map(root) => self.read_map(root, &mut content),
                    }
                    assert_eq!(content.len() as u64, entry.size);
                    into.insert(slashed(&entry.path), content);
                }
            }
        }
    }

    fn read_map(&self, node: &Child, content: &mut Vec<u8>) {
        match self.open(node).0 {
            Node::Map(pieces) => self.read_pieces(&pieces, content),
            Node::Branch(children) => {
                children.iter().for_each(|child| self.read_map(child, content));
            }
            Node::Leaf(_) => panic!("a leaf in a map"),
        }
    }

    fn read_pieces(&self, pieces: &[Piece], content: &mut Vec<u8>) {
        for piece in pieces {
            match piece {
                Piece::Hole(len) => {
                    content.resize(content.len() + usize::try_from(*len).unwrap(), 0);
                }
                Piece::Data { object, offset, len } => {
                    let (bytes, kind) = self.bytes(&object.sid);
                    let raw = reader::data(bytes, object, kind).expect("data that opens");
                    content.extend(&raw[*offset..*offset + *len]);
                }
            }
        }
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
        let mut expected = Expected { opens: self.opens(blobs), ..Expected::default() };
        self.name_blobs(blobs, &mut expected);
        let alive = self.judge_manifests(blobs, &mut expected);
        self.judge_objects(blobs, &alive, &mut expected);
        expected.is_ok = expected.opens
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
        self.any_good(blobs, "config")
            && self.any_good(blobs, slot)
            && self.any_good(blobs, "recipients/")
    }

    /// Blobs that differ from what they were.
    fn name_blobs(&self, blobs: &Blobs, expected: &mut Expected) {
        for (name, bytes) in blobs {
            if self.original.get(name) != Some(bytes) {
                expected.named.insert(name.clone());
            }
        }
        for name in self.original.keys().filter(|name| !blobs.contains_key(*name)) {
            let is_twin_there = twins(name).iter().any(|twin| blobs.contains_key(twin));
            let of_packs = ["packs/", "index/"].iter().any(|folder| name.starts_with(folder));
            // A pack is missed by what needs it, an index file by the packs in it. Where all copies
            // are gone nothing tells that they were there, but for gaps in a chain.
            let told =
                if is_twin_there && !of_packs { &mut expected.named } else { &mut expected.free };
            told.insert(name.clone());
        }
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
                    let id = place.rsplit_once('-').unwrap().1.to_owned();
                    expected.losses.insert((id, None), Vec::new());
                    expected.named.extend(copies);
                }
            }
        }
        alive
    }

    fn judge_objects(&self, blobs: &Blobs, alive: &[&Snapshot], expected: &mut Expected) {
        let rows = rows(&self.keys, blobs);
        let mut good: BTreeMap<Hash, BTreeSet<&str>> = BTreeMap::new();
        for (pack, rows) in &rows.packs {
            let Some(bytes) = blobs.get(pack) else { continue };
            let is_same = self.original.get(pack) == Some(bytes);
            for row in rows {
                let part = bytes.get(row.range.clone());
                if is_same || part.is_some_and(|part| reader::hash(part) == row.sid) {
                    good.entry(row.sid).or_default().insert(pack);
                } else {
                    expected.copies.insert((pack.clone(), row.range.start));
                }
            }
        }
        let mut needed = BTreeSet::new();
        for snapshot in alive {
            self.reach(snapshot.made.root.sid, &good, &mut needed);
        }
        expected.lost.extend(needed.iter().filter(|sid| !good.contains_key(*sid)));
        for (pack, rows) in rows.packs.iter() {
            let is_missed = |row: &Row| {
                let count = good.get(&row.sid).map_or(0, BTreeSet::len);
                needed.contains(&row.sid) && count < if is_node(row.kind) { 2 } else { 1 }
            };
            if !blobs.contains_key(pack) && rows.iter().any(is_missed) {
                expected.named.insert(pack.clone());
            }
        }
        for pack in &rows.unindexed {
            if rows.packs[pack].iter().any(|row| needed.contains(&row.sid)) {
                expected.named.insert("index/".to_owned());
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
        let known = &self.graph[&sid];
        for file in &known.files {
            into.losses.insert((of.id.clone(), Some(file.path.clone())), Vec::new());
        }
        if !known.is_leaf {
            known.children.iter().for_each(|child| self.lose_all(of, *child, into));
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

fn objects(pieces: &[Piece]) -> Vec<Hash> {
    let sid = |piece: &Piece| match piece {
        Piece::Hole(_) => None,
        Piece::Data { object, .. } => Some(object.sid),
    };
    pieces.iter().filter_map(sid).collect()
}

fn push_spans(spans: &mut Vec<Span>, pieces: &[Piece], above: &[Hash]) {
    for piece in pieces {
        let start = spans.last().map_or(0, |span| span.start + span.len);
        let (len, object) = match piece {
            Piece::Hole(len) => (*len, None),
            Piece::Data { object, len, .. } => (*len as u64, Some(object.sid)),
        };
        spans.push(Span { start, len, needs: above.iter().copied().chain(object).collect() });
    }
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
