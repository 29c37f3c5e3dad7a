//! Trees and maps round trip, are independent of history, and share what did not change.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use crate::clock::SystemClock;
use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::content::DomainKeys;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::leaf::LEAF_PATH_BYTES_MAX;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Digest;
use crate::ids::DomainId;
use crate::ids::RepositoryId;
use crate::ids::RunId;
use crate::ids::Sid;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Opener;
use crate::repository::seal::SealKeys;
use crate::repository::seal::Sealer;
use crate::repository::tree::NodeSink;
use crate::repository::tree::NodeSource;
use crate::repository::tree::TreeSizes;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::map::MapWriter;
use crate::repository::tree::reader::TreeReader;
use crate::repository::tree::reader::find_entry;
use crate::repository::tree::writer::Item;
use crate::repository::tree::writer::ParentLeaf;
use crate::repository::tree::writer::TreeWriter;
use crate::run::Run;
use crate::run::monitor::Silent;
use crate::secret::ObjectKey;
use crate::secret::Secret32;

const SMALL: TreeSizes = TreeSizes {
    leaf_min: 256,
    leaf_max: 2048,
    leaf_cut_bits: 3,
    branch_min: 4,
    branch_max: 16,
    branch_cut_bits: 2,
};

fn run() -> Run {
    Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::new(SystemClock::new()), 0)
}

fn keys() -> SealKeys {
    let repository = RepositoryId::new([1; 16]);
    SealKeys {
        domain: DomainKeys::derive(DomainId::new([2; 16]), 1, &Secret32::new([3; 32])),
        store: StoreKeys::new(repository, vec![(1, Secret32::new([4; 32]))]).unwrap(),
        level: 3,
    }
}

struct Memory {
    store: StoreKeys,
    opener: Mutex<Opener>,
    objects: HashMap<Sid, SealedObject>,
    put_count: usize,
    reused_count: usize,
}

impl Memory {
    fn new() -> Self {
        let opener = Mutex::new(Opener::new(keys().store.repository()).unwrap());
        let objects = HashMap::new();
        Self { store: keys().store, opener, objects, put_count: 0, reused_count: 0 }
    }
}

impl NodeSink for Memory {
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError> {
        if self.objects.insert(object.sid, object).is_none() {
            self.put_count += 1;
        }
        Ok(())
    }

    fn reuse(&mut self, node: &Ref) -> Result<(), RepositoryError> {
        assert!(self.objects.contains_key(&node.sid));
        self.reused_count += 1;
        Ok(())
    }
}

impl NodeSource for Memory {
    fn node(
        &self,
        _run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        let object = &self.objects[&node.sid];
        let mut opener = self.opener.lock().unwrap();
        let opened = opener.open_node(&object.bytes, node, (kind, &self.store));
        let (raw, sids) =
            opened.map_err(|error| RepositoryError::Unseal { sid: node.sid, error })?;
        Ok((raw.to_vec(), sids))
    }
}

fn entries(count: u32) -> Vec<Entry> {
    let mut entries: Vec<_> = (0..count)
        .map(|n| {
            let text = format!("d{}/f{}", n % 17, n.wrapping_mul(2_654_435_761) % 100_000);
            Entry {
                path: SnapshotPath::from_user(text.as_bytes()).unwrap(),
                meta: Meta::plain(Kind::Fifo, 0),
                content: Content::None,
            }
        })
        .collect();
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries.dedup_by(|a, b| a.path == b.path);
    entries
}

fn write(memory: &mut Memory, items: Vec<Item>) -> Ref {
    let mut sealer = Sealer::new(&keys()).unwrap();
    let mut writer = TreeWriter::new(&mut sealer, memory, SMALL);
    for item in items {
        writer.push(item).unwrap();
    }
    writer.finish().unwrap()
}

fn fresh(entries: &[Entry]) -> Vec<Item> {
    entries.iter().map(|entry| Item { entry: entry.clone(), kept: None }).collect()
}

fn read(memory: &Memory, root: &Ref, within: &str) -> Vec<Entry> {
    let within = SnapshotPath::from_user(within.as_bytes()).unwrap();
    let run = run();
    let leaves = TreeReader::new(&run, memory, root, &within);
    leaves.flat_map(|leaf| leaf.unwrap().entries).collect()
}

#[test]
fn trees_of_any_size_round_trip() {
    for count in [0, 1, 2, 50, 5000] {
        let mut memory = Memory::new();
        let entries = entries(count);
        let root = write(&mut memory, fresh(&entries));
        assert_eq!(read(&memory, &root, "/"), entries);
    }
}

#[test]
fn a_folder_is_read_by_range_and_an_entry_is_found() {
    let mut memory = Memory::new();
    let entries = entries(3000);
    let root = write(&mut memory, fresh(&entries));
    for folder in ["d0", "d1", "d16", "d9", "none", "zzz"] {
        let path = SnapshotPath::from_user(folder.as_bytes()).unwrap();
        let expected: Vec<_> =
            entries.iter().filter(|e| e.path.is_within(&path)).cloned().collect();
        assert_eq!(read(&memory, &root, folder), expected, "{folder}");
    }
    for entry in entries.iter().step_by(97) {
        let found = find_entry(&run(), &memory, &root, &entry.path).unwrap();
        assert_eq!(found.as_ref(), Some(entry));
    }
    let missing = SnapshotPath::from_user(b"d3/none").unwrap();
    assert_eq!(find_entry(&run(), &memory, &root, &missing).unwrap(), None);
}

/// The items of a second backup in which nothing changed but what `alter` does.
fn kept(memory: &Memory, root: &Ref, alter: impl Fn(&mut Vec<Item>)) -> Vec<Item> {
    let (run, within) = (run(), SnapshotPath::root());
    let mut items = Vec::new();
    for leaf in TreeReader::new(&run, memory, root, &within) {
        let leaf = leaf.unwrap();
        let parent = ParentLeaf { node: leaf.node, entries_count: leaf.entries.len() };
        let parent = Arc::new(parent);
        for (at, entry) in leaf.entries.into_iter().enumerate() {
            items.push(Item { entry, kept: Some((Arc::clone(&parent), at)) });
        }
    }
    alter(&mut items);
    items
}

#[test]
fn an_unchanged_tree_writes_nothing_and_has_the_same_root() {
    let mut memory = Memory::new();
    let root = write(&mut memory, fresh(&entries(3000)));
    let before = memory.put_count;
    let items = kept(&memory, &root, |_| {});
    assert_eq!(write(&mut memory, items), root);
    assert_eq!(memory.put_count, before);
    assert!(memory.reused_count > 10);
}

#[test]
fn the_tree_depends_on_the_entries_and_not_on_history() {
    let all = entries(3000);
    let mut some = all.clone();
    some.retain(|entry| !entry.path.to_string().ends_with('7'));
    some[100].meta.mode = 0o600;
    let mut memory = Memory::new();
    let first = write(&mut memory, fresh(&all));
    let before = memory.put_count;
    let items = kept(&memory, &first, |items| {
        items.retain(|item| !item.entry.path.to_string().ends_with('7'));
        items[100].entry.meta.mode = 0o600;
        items[100].kept = None;
    });
    let after_history = write(&mut memory, items);
    assert!(memory.put_count > before);
    let mut other = Memory::new();
    assert_eq!(write(&mut other, fresh(&some)), after_history);
}

#[test]
fn one_change_rewrites_few_nodes() {
    let mut memory = Memory::new();
    let root = write(&mut memory, fresh(&entries(5000)));
    let before = memory.put_count;
    let items = kept(&memory, &root, |items| {
        items.remove(2500);
    });
    write(&mut memory, items);
    assert!(memory.put_count - before < 16, "{} new nodes", memory.put_count - before);
}

#[test]
fn disorder_is_refused() {
    let mut memory = Memory::new();
    let mut sealer = Sealer::new(&keys()).unwrap();
    let mut writer = TreeWriter::new(&mut sealer, &mut memory, SMALL);
    let entries = entries(2);
    writer.push(Item { entry: entries[1].clone(), kept: None }).unwrap();
    assert!(writer.push(Item { entry: entries[0].clone(), kept: None }).is_err());
}

#[test]
fn maps_of_any_size_round_trip() {
    for count in [1_u32, 64, 65, 200, 10_000, 200_000] {
        let mut memory = Memory::new();
        let mut sealer = Sealer::new(&keys()).unwrap();
        let mut writer = MapWriter::default();
        let digest = |n: u32| Digest::new(*blake3::hash(&n.to_le_bytes()).as_bytes());
        let extents: Vec<_> = (0..count)
            .map(|n| {
                if n % 5 == 4 {
                    return Extent::Hole { len_bytes: u64::from(n) + 1 };
                }
                let (sid, key) = (Sid::new(*digest(n).as_bytes()), ObjectKey::new([1; 32]));
                let chunk = Arc::new(Ref { sid, key, raw_len: n + 1 });
                Extent::Chunk { chunk, digest: digest(n) }
            })
            .collect();
        for extent in &extents {
            writer.push(&mut sealer, &mut memory, extent.clone()).unwrap();
        }
        let whole = Digest::new([9; 32]);
        match writer.finish(&mut sealer, &mut memory, whole).unwrap() {
            Content::Extents { extents: found, .. } => assert_eq!(found, extents),
            Content::Map { root, .. } => {
                let run = run();
                let found: Vec<_> =
                    MapReader::new(&run, &memory, &root).map(Result::unwrap).collect();
                assert!(found == extents);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_leaf_ends_before_its_paths_are_too_long() {
    let deep = vec![vec![b'a'; 250]; 130].join(&0);
    let count = LEAF_PATH_BYTES_MAX / deep.len() + 10;
    let entry = |n: usize| Entry {
        path: SnapshotPath::from_stored(&[&deep[..], format!("\0{n:05}").as_bytes()].concat())
            .unwrap(),
        meta: Meta::plain(Kind::Fifo, 0),
        content: Content::None,
    };
    let mut memory = Memory::new();
    let sizes = TreeSizes { leaf_cut_bits: 64, ..TreeSizes::DEFAULT };
    let mut sealer = Sealer::new(&keys()).unwrap();
    let mut writer = TreeWriter::new(&mut sealer, &mut memory, sizes);
    for n in 0..count {
        writer.push(Item { entry: entry(n), kept: None }).unwrap();
    }
    let root = writer.finish().unwrap();
    let (run, within) = (run(), SnapshotPath::root());
    let leaves = TreeReader::new(&run, &memory, &root, &within);
    let counts: Vec<usize> = leaves.map(|leaf| leaf.unwrap().entries.len()).collect();
    assert_eq!((counts.len(), counts.iter().sum::<usize>()), (2, count));
}
