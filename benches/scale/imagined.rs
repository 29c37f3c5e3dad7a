//! A storage whose packs do not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use lifeboat::clock::Clock;
use lifeboat::crypto::blind;
use lifeboat::crypto::blind::Place;
use lifeboat::crypto::blind::StoreKeys;
use lifeboat::format::index;
use lifeboat::format::index::INDEX_KIND;
use lifeboat::format::index::PackTable;
use lifeboat::format::manifest;
use lifeboat::format::manifest::ManifestPublic;
use lifeboat::format::node_refs;
use lifeboat::format::node_refs::NODE_REFS_KIND;
use lifeboat::format::node_refs::NodeParts;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::pack::TableRow;
use lifeboat::ids::DomainId;
use lifeboat::ids::KeyId;
use lifeboat::ids::MachineId;
use lifeboat::ids::PackId;
use lifeboat::ids::RepositoryId;
use lifeboat::ids::SessionId;
use lifeboat::ids::Sid;
use lifeboat::ids::SourceId;
use lifeboat::secret::Secret32;
use lifeboat::storage::BlobName;
use lifeboat::storage::BlobStat;
use lifeboat::storage::Listed;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;

/// Children of one node: about as many as a leaf of small files has bundles and chunks, and no
/// multiple of what is in a pack, so that some packs are needed in part.
const CHILDREN: u32 = 405;
const OBJECTS_A_PACK: u32 = 16;
const CHUNK_BYTES: u32 = 1 << 20;
const TABLES_AN_INDEX: usize = 32 * 1024;
/// Length of a sealed table; nothing reads it.
const TABLE_BYTES: u32 = 700;
const PACK_HEAD_BYTES: u64 = 8;

pub(crate) fn keys() -> StoreKeys {
    StoreKeys::new(RepositoryId::new([1; 16]), vec![(1, Secret32::new([4; 32]))]).expect("keys")
}

/// The object of a number: its name without its bytes.
pub(crate) fn chunk_sid(number: u32) -> Sid {
    blind::sid_of(&number.to_le_bytes())
}

/// A node by what is below it.
#[derive(Debug, Clone, Copy)]
enum Node {
    Leaf {
        first: u32,
        count: u32,
    },
    /// Leaves from a number on, without every seventh of a range.
    Root {
        first: u32,
        end: u32,
    },
}

#[derive(Debug)]
pub(crate) struct Imagined {
    keys: StoreKeys,
    small: MemoryStorage,
    indexes: BTreeMap<BlobName, std::path::PathBuf>,
    packs: BTreeMap<BlobName, u64>,
    nodes: BTreeMap<BlobName, Node>,
    leaves: Vec<Sid>,
    folder: std::path::PathBuf,
    created: Timestamp,
}

impl Drop for Imagined {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).expect("what was made is removed");
    }
}

fn pack_name(id: &PackId) -> BlobName {
    let text = id.to_string();
    BlobName::new(&format!("packs/{}/{text}", &text[..2])).expect("a name")
}

impl Imagined {
    pub(crate) fn new(objects: u32, clock: Arc<dyn Clock>) -> Self {
        let folder = std::env::temp_dir().join(format!("lifeboat-scale-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a fresh folder");
        let created = Timestamp::from_unix_ms(clock.now().unix_ms - 400_000_000);
        let mut it = Self {
            keys: keys(),
            small: MemoryStorage::new(clock),
            indexes: BTreeMap::new(),
            packs: BTreeMap::new(),
            nodes: BTreeMap::new(),
            leaves: Vec::new(),
            folder,
            created,
        };
        let mut tables = Vec::new();
        let mut first = 0;
        while first < objects {
            let end = objects.min(first + OBJECTS_A_PACK);
            let row = |number| TableRow {
                kind: ObjectKind::Chunk,
                sid: chunk_sid(number),
                len_bytes: CHUNK_BYTES,
            };
            it.add_pack(&mut tables, (first..end).map(row).collect(), b"data");
            first = end;
        }
        it.add_nodes(&mut tables, objects);
        it.write_index(&mut tables);
        it
    }

    fn add_pack(&mut self, tables: &mut Vec<PackTable>, rows: Vec<TableRow>, seed: &[u8]) {
        let first = rows.first().expect("rows").sid;
        let pack = PackId::new(blind::hash_parts(&[seed, first.as_bytes()]));
        let table = PackTable { pack, sealed_table_bytes: TABLE_BYTES, rows };
        self.packs.insert(pack_name(&pack), table.pack_len_bytes());
        tables.push(table);
        if tables.len() >= TABLES_AN_INDEX {
            self.write_index(tables);
        }
    }

    /// Each node alone in two packs of its own: where it lies is then its name.
    fn add_nodes(&mut self, tables: &mut Vec<PackTable>, objects: u32) {
        let mut first = 0;
        while first < objects {
            let count = CHILDREN.min(objects - first);
            let sid = self.add_node(tables, Node::Leaf { first, count });
            self.leaves.push(sid);
            first += count;
        }
        let leaves = u32::try_from(self.leaves.len()).expect("few leaves");
        for (seq, ends) in [(0, 85), (5, 90)].into_iter().enumerate() {
            let node = Node::Root { first: leaves * ends.0 / 100, end: leaves * ends.1 / 100 };
            let root = self.add_node(tables, node);
            self.add_manifest(u8::try_from(seq).expect("two"), root);
        }
    }

    fn add_node(&mut self, tables: &mut Vec<PackTable>, node: Node) -> Sid {
        let bytes = self.node_bytes(node);
        let sid = blind::sid_of(&bytes);
        let len_bytes = u32::try_from(bytes.len()).expect("a node");
        let row = TableRow { kind: ObjectKind::Leaf, sid, len_bytes };
        for seed in [b"one", b"two"] {
            self.add_pack(tables, vec![row], seed);
            let pack = PackId::new(blind::hash_parts(&[seed, sid.as_bytes()]));
            self.nodes.insert(pack_name(&pack), node);
        }
        sid
    }

    fn node_bytes(&self, node: Node) -> Vec<u8> {
        let children: Vec<Sid> = match node {
            Node::Leaf { first, count } => (first..first + count).map(chunk_sid).collect(),
            Node::Root { first, end } => {
                let third = (end - first) / 3;
                let is_left_out =
                    |at: u32| at > first + third && at < end - third && at.is_multiple_of(7);
                let kept = (first..end).filter(|at| !is_left_out(*at));
                kept.map(|at| self.leaves[usize::try_from(at).expect("a leaf")]).collect()
            }
        };
        let (generation, key) = self.keys.newest();
        let repository = self.keys.repository();
        let place = Place { kind: NODE_REFS_KIND, repository, name: b"" };
        let message = node_refs::encode_children(&children);
        let sealed_refs = &blind::seal_box_deterministic(key, place, &message);
        node_refs::join(NodeParts { generation, sealed_refs, body: b"body" }).expect("a node")
    }

    fn write_index(&mut self, tables: &mut Vec<PackTable>) {
        let (generation, key) = self.keys.newest();
        let body = index::encode_tables(tables).expect("tables");
        let place = Place { kind: INDEX_KIND, repository: self.keys.repository(), name: b"" };
        let file = index::join(generation, &blind::seal_box(key, place, &body).expect("a box"));
        let id = lifeboat::ids::IndexId::new(blind::hash(&file));
        let path = self.folder.join(self.indexes.len().to_string());
        std::fs::write(&path, &file).expect("an index file");
        self.indexes.insert(BlobName::new(&format!("index/{id}")).expect("a name"), path);
        tables.clear();
    }

    fn add_manifest(&self, number: u8, root: Sid) {
        let (machine, source) = (MachineId::new([2; 16]), SourceId::new([number; 16]));
        let public = ManifestPublic {
            repository: self.keys.repository(),
            machine,
            source,
            seq: 1,
            prev: None,
            session: SessionId::new([5; 16]),
            time: self.created,
            root,
            capsules: vec![],
            raw_bytes_padded: 0,
            entries_padded: 0,
            domain: DomainId::new([6; 16]),
            domain_generation: 1,
            chunker: 1,
            recipients: vec![],
            signer: KeyId::new([7; 16]),
        };
        let unsigned = manifest::unsigned(&public, b"sealed").expect("a manifest");
        let manifest = manifest::sign(unsigned, &[8; 64]).expect("a manifest");
        let id = lifeboat::ids::SnapshotId::new(blind::hash(manifest.as_bytes()));
        for prefix in ["manifests", "manifests.2"] {
            let name = BlobName::new(&format!("{prefix}/{machine}/{source}/1-{id}"));
            self.small.create(&name.expect("a name"), &[manifest.as_bytes()]).expect("room");
        }
    }
}

impl Storage for Imagined {
    fn location(&self) -> String {
        "imagined".to_owned()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.small.create(name, parts)
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        match self.indexes.get(name) {
            Some(path) => Ok(std::fs::read(path).expect("an index file")),
            None => self.small.read(name, bytes_max),
        }
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let Some(node) = self.nodes.get(name) else {
            return self.small.read_range(name, offset, into);
        };
        let bytes = self.node_bytes(*node);
        let from = usize::try_from(offset - PACK_HEAD_BYTES).expect("within the pack");
        into.copy_from_slice(&bytes[from..from + into.len()]);
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let listed = |name: &BlobName, len_bytes| Listed { name: name.clone(), len_bytes };
        match prefix {
            "packs/" => Ok(self.packs.iter().map(|(name, len)| listed(name, *len)).collect()),
            "index/" => Ok(self.indexes.keys().map(|name| listed(name, 0)).collect()),
            _ => self.small.list(prefix),
        }
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        match self.packs.get(name) {
            Some(len_bytes) => Ok(BlobStat { len_bytes: *len_bytes, created: self.created }),
            None => self.small.stat(name),
        }
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        self.small.delete(name)
    }

    fn sync(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
