//! A repository of about 128 KiB in memory that holds every kind of object and record, and what it
//! was made from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use lifeboat::backup::Cutting;
use lifeboat::backup::snapshot;
use lifeboat::backup::snapshot::Comparison;
use lifeboat::backup::snapshot::Request;
use lifeboat::backup::snapshot::Unchanged;
use lifeboat::backup::snapshot::attach::Nothing;
use lifeboat::backup::snapshot::shrink::Shrink;
use lifeboat::chunk::ChunkSizes;
use lifeboat::clock::ManualClock;
use lifeboat::crypto::sealed::hpke::Suite;
use lifeboat::crypto::sealed::keyset::AgentKeyset;
use lifeboat::crypto::sealed::keyset::RestoreKeyset;
use lifeboat::crypto::sealed::slot::Argon2Parameters;
use lifeboat::crypto::sealed::slot::SlotSecret;
use lifeboat::crypto::sign::Purpose;
use lifeboat::crypto::sign::SigningKey;
use lifeboat::format::config::Parameters;
use lifeboat::format::machine::MachineRecord;
use lifeboat::format::object::ObjectKind;
use lifeboat::format::object::Ref;
use lifeboat::format::object::SealedObject;
use lifeboat::format::recipients::RecipientsRecord;
use lifeboat::format::record;
use lifeboat::format::record::Signed;
use lifeboat::format::record::SignedRecord;
use lifeboat::format::snapshot::SnapshotInfo;
use lifeboat::format::tombstone::SignedTombstone;
use lifeboat::format::tombstone::Tombstone;
use lifeboat::ids::RunId;
use lifeboat::ids::Sid;
use lifeboat::meta::Extra;
use lifeboat::meta::Kind;
use lifeboat::meta::Meta;
use lifeboat::repository::keys::create::CreateOptions;
use lifeboat::repository::keys::create::create_repository;
use lifeboat::repository::keys::machine;
use lifeboat::repository::keys::machine::Identity;
use lifeboat::repository::keys::recovery;
use lifeboat::repository::keys::rotate;
use lifeboat::repository::keys::rotate::Part;
use lifeboat::repository::keys::slots;
use lifeboat::repository::keys::slots::NewSlot;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::repository::open::Repository;
use lifeboat::repository::tree::TreeSizes;
use lifeboat::run::Run;
use lifeboat::run::monitor::Monitor;
use lifeboat::run::monitor::Silent;
use lifeboat::secret::SecretBytes;
use lifeboat::source::memory::MemorySource;
use lifeboat::storage::BlobName;
use lifeboat::storage::Storage;
use lifeboat::storage::memory::MemoryBlobs;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::units::Timestamp;
use lifeboat::vault::Vault;
use lifeboat::vault::VaultOptions;
use lifeboat::vault::names::Place;
use lifeboat::vault::session::SessionRequest;

use crate::damage::reader::Child;
use crate::support::Random;

pub const PASSPHRASE: &str = "only a test";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const START_MS: i64 = 1_800_000_000_000;
const CHEAP: Argon2Parameters = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };

pub const CUTTING: Cutting = Cutting {
    small_file_bytes: 1000,
    bundle_bytes: 2500,
    bundle_files: 10,
    chunks: ChunkSizes { min_bytes: 64, avg_bytes: 256, max_bytes: 1024 },
    tree: TreeSizes {
        leaf_min: 256,
        leaf_max: 1024,
        leaf_cut_bits: 3,
        branch_min: 4,
        branch_max: 16,
        branch_cut_bits: 2,
    },
};

/// One snapshot as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub place: Place,
    pub root: Child,
    /// Content of every file, by path with slashes.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The repository and everything that is known of it.
pub struct Scene {
    pub blobs: MemoryBlobs,
    pub keyset: RestoreKeyset,
    /// Snapshots that are to restore, in the order in which they were made.
    pub snapshots: Vec<Made>,
}

/// A run at the time of the newest snapshot.
pub fn run(monitor: Arc<dyn Monitor>) -> Run {
    let clock = ManualClock::new(Timestamp::from_unix_ms(START_MS + 10 * DAY_MS));
    Run::new(RunId::new([0; 16]), monitor, Arc::new(clock), 1)
}

pub fn secret() -> SlotSecret {
    SlotSecret::Passphrase(SecretBytes::new(PASSPHRASE.as_bytes().to_vec()))
}

pub fn vault_options() -> VaultOptions {
    VaultOptions { pack_bytes: 3000, lease_ms: 15 * 60 * 1000, program: "test".to_owned() }
}

fn new_slot(secret: SlotSecret, label: &str) -> NewSlot {
    NewSlot { secret, argon2: CHEAP, label: label.to_owned() }
}

fn name(text: &str) -> BlobName {
    BlobName::new(text).unwrap()
}

fn sign<R: SignedRecord>(record: &R, purpose: Purpose, key: &SigningKey) -> Vec<u8> {
    let payload = record::payload(record);
    let signature = key.sign(purpose, &payload);
    let signer = key.verifying_key().key_id();
    record::encode_signed::<R>(&Signed { payload, signer, signature })
}

/// Makes the repository step by step.
struct Builder {
    clock: Arc<ManualClock>,
    run: Run,
    memory: Arc<MemoryStorage>,
    storage: Arc<dyn Storage>,
    caches: tempfile::TempDir,
    keyset: RestoreKeyset,
    snapshots: Vec<Made>,
}

impl Builder {
    fn new(suite: Suite) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(START_MS)));
        let run = Run::new(RunId::new([0; 16]), Arc::new(Silent), Arc::clone(&clock) as _, 1);
        let memory = Arc::new(MemoryStorage::new(Arc::clone(&clock) as _));
        let storage: Arc<dyn Storage> = Arc::clone(&memory) as _;
        let options = CreateOptions {
            slot: new_slot(secret(), "office"),
            suite,
            parameters: Parameters::DEFAULT,
        };
        let keyset = create_repository(&run, &storage, &options).unwrap().keyset;
        let caches = tempfile::tempdir().unwrap();
        Self { clock, run, memory, storage, caches, keyset, snapshots: Vec::new() }
    }

    /// A second slot, a custody record, a newer recipients list.
    fn more_keys(&self) {
        let file = SlotSecret::KeyFile(SecretBytes::new(vec![7; 64]));
        slots::add(&self.run, &self.storage, &self.keyset, &new_slot(file, "safe")).unwrap();
        let shares = recovery::create(&self.run, &self.storage, &self.keyset, (2, 3)).unwrap();
        recovery::check(&self.run, &self.storage, &shares.shares[..2]).unwrap();
        let first = self.storage.list("recipients/").unwrap().remove(0).name;
        let bytes = self.storage.read(&first, 1 << 16).unwrap();
        let (list, _) = record::decode_signed::<RecipientsRecord>(&bytes).unwrap();
        let next = RecipientsRecord { version: 2, created: self.run.clock.now(), ..list };
        let root = self.keyset.root.as_ref().unwrap();
        let bytes = sign(&next, Purpose::Recipients, root);
        let mut stem = "recipients/2-".to_owned();
        lifeboat::ids::push_hex(&mut stem, &blake3::hash(&bytes).as_bytes()[..8]);
        for copy in 0..2 {
            self.storage.create(&name(&format!("{stem}.{copy}")), &[&bytes]).unwrap();
        }
    }

    fn enrol(&self, label: &str) -> AgentKeyset {
        machine::enrol(&self.run, &self.storage, &self.keyset, (label, Identity::Fresh)).unwrap()
    }

    /// A second version of a machine's record.
    fn enrol_again(&self, agent: &AgentKeyset) {
        let stem = format!("machines/{}", agent.machine);
        let bytes = self.storage.read(&name(&format!("{stem}/1.0")), 1 << 16).unwrap();
        let (record, _) = record::decode_signed::<MachineRecord>(&bytes).unwrap();
        let next = MachineRecord { version: 2, created: self.run.clock.now(), ..record };
        let bytes = sign(&next, Purpose::Machine, &self.keyset.admin);
        for copy in 0..2 {
            self.storage.create(&name(&format!("{stem}/2.{copy}")), &[&bytes]).unwrap();
        }
    }

    /// New keys of one kind, and the machine with them.
    fn rotate(&mut self, part: Part, agent: &AgentKeyset) -> AgentKeyset {
        let (run, storage) = (&self.run, &self.storage);
        let unlocked = unlock(run, storage, &secret()).unwrap();
        let plan = rotate::plan(run, storage, &unlocked, part).unwrap();
        let slot = new_slot(secret(), "office");
        rotate::execute(run, storage, (&unlocked, &plan), &slot).unwrap();
        self.keyset = unlock(run, storage, &secret()).unwrap().keyset;
        machine::renew(run, storage, &self.keyset, agent).unwrap()
    }

    fn repository(&self) -> Repository {
        let keys = self.keyset.store.clone();
        let storage = Arc::clone(&self.storage);
        Repository::new(Vault::open(&self.run, storage, keys, vault_options()).unwrap())
    }

    fn backup(&mut self, agent: &AgentKeyset, dataset: &str, tree: &Tree) {
        self.clock.jump(DAY_MS);
        let roots = Mutex::new(Vec::new());
        let info = |root: &Ref| {
            roots.lock().unwrap().push(root.clone());
            SnapshotInfo::new(root)
        };
        let request = Request {
            source: &tree.source,
            dataset: dataset.as_bytes(),
            info: &info,
            cutting: CUTTING,
            level: 3,
            workers_count: 1,
            cache: Some(self.caches.path()),
            unchanged: Unchanged::Commit,
            comparison: Comparison::Newest,
            shrink: Shrink::Any,
            attachments: &Nothing,
        };
        let report = snapshot::execute(&self.run, &self.repository(), agent, &request).unwrap();
        let root = roots.lock().unwrap().pop().unwrap();
        let root = Child {
            sid: *root.sid.as_bytes(),
            key: *root.key.expose(),
            raw_len: root.raw_len as usize,
        };
        let place = report.snapshot.unwrap();
        self.snapshots.push(Made { place, root, files: tree.files.clone() });
    }

    /// A backup that ends after its first packs; its lease stays.
    fn interrupted(&self, agent: &AgentKeyset, seed: u64) {
        let request = SessionRequest {
            machine: agent.machine,
            source: lifeboat::ids::SourceId::new([9; 16]),
            parent: None,
        };
        let session = self.repository().vault().open_session(&self.run, request).unwrap();
        let mut random = Random::new(seed);
        for _ in 0..4 {
            let bytes = random.bytes(760);
            let sid = Sid::new(*blake3::hash(&bytes).as_bytes());
            session.put(SealedObject { sid, kind: ObjectKind::Chunk, bytes }).unwrap();
        }
    }

    /// Removes a snapshot on purpose.
    fn forget(&mut self, at: usize) {
        let Made { place, .. } = self.snapshots.remove(at);
        let tombstone = Tombstone {
            repository: self.keyset.repository,
            machine: place.chain.machine,
            source: place.chain.source,
            seq: place.seq,
            snapshot: place.id,
            time: self.run.clock.now(),
            signer: self.keyset.admin.verifying_key().key_id(),
            reason: "a test".to_owned(),
        };
        let signature = self.keyset.admin.sign(Purpose::Tombstone, &tombstone.unsigned());
        let bytes = SignedTombstone { tombstone, signature }.encode();
        self.storage.create(&name(&format!("tombstones/{place}")), &[&bytes]).unwrap();
        for prefix in ["manifests", "manifests.2"] {
            self.storage.delete(&name(&format!("{prefix}/{place}"))).unwrap();
        }
    }
}

/// A source with what it holds.
struct Tree {
    source: MemorySource,
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    fn new() -> Self {
        Self { source: MemorySource::default(), files: BTreeMap::new() }
    }

    fn put(&mut self, path: &str, bytes: &[u8], secs: i64) {
        self.source.put(path, bytes, secs);
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    fn sparse(&mut self, path: &str, size: usize, parts: &[(usize, &[u8])]) {
        self.source.put_sparse(path, size, parts);
        let mut bytes = vec![0; size];
        for (at, part) in parts {
            bytes[*at..at + part.len()].copy_from_slice(part);
        }
        self.files.insert(path.to_owned(), bytes);
    }

    fn link(&self, path: &str, to: &str) {
        let extra = Extra { link: to.as_bytes().to_vec(), ..Extra::default() };
        let meta = Meta { extra: Some(Box::new(extra)), ..Meta::plain(Kind::Symlink, 0) };
        self.source.put_meta(path, meta, b"");
    }
}

/// What both machines have: small files, larger ones, one with holes and one so large that it has a
/// map.
fn first_tree(random: &mut Random) -> Tree {
    let mut tree = Tree::new();
    for n in 0..28_usize {
        let len = 20 + n * 31 % 300;
        tree.put(&format!("small/{}/f{n}", n % 3), &random.bytes(len), 1);
    }
    for n in 0..3_usize {
        tree.put(&format!("large/{n}"), &random.bytes(1100 + n * 400), 1);
    }
    tree.put("map", &random.bytes(26_000), 1);
    tree.put("empty", b"", 1);
    tree.put("text", "all work and no play\n".repeat(90).as_bytes(), 1);
    let parts = [random.bytes(300), random.bytes(200)];
    tree.sparse("sparse", 40_000, &[(8192, &parts[0]), (24_576, &parts[1])]);
    tree.link("link", "map");
    tree
}

/// Builds it; the same seed gives the same trees under other keys.
pub fn build(seed: u64, suite: Suite) -> Scene {
    let mut random = Random::new(seed);
    let mut builder = Builder::new(suite);
    builder.more_keys();
    let (desk, server) = (builder.enrol("desk"), builder.enrol("server"));
    builder.enrol_again(&desk);
    let mut tree = first_tree(&mut random);
    builder.backup(&desk, "home", &tree);
    tree.put("small/1/new", &random.bytes(300), 2);
    tree.put("large/1", &random.bytes(1300), 2);
    builder.backup(&desk, "home", &tree);
    builder.interrupted(&desk, seed + 1);
    let mut grown = tree.files["map"].clone();
    grown.splice(9000..9000, random.bytes(500));
    tree.put("map", &grown, 3);
    tree.source.remove("small/0/f3");
    tree.files.remove("small/0/f3");
    builder.backup(&desk, "home", &tree);
    let mut other = first_tree(&mut Random::new(seed));
    other.put("server", &random.bytes(1400), 1);
    builder.backup(&server, "data", &other);
    other.put("small/2/f2", &random.bytes(90), 2);
    builder.backup(&server, "data", &other);
    builder.backup(&desk, "home", &tree);
    builder.forget(1);
    builder.interrupted(&server, seed + 2);
    let Builder { memory, keyset, snapshots, .. } = builder;
    Scene { blobs: memory.blobs(), keyset, snapshots }
}

/// Snapshots before and after each rotation: of the store key, of the domain's secret, and of what
/// opens snapshots.
pub fn build_rotated(seed: u64, suite: Suite) -> Scene {
    let mut random = Random::new(seed);
    let mut builder = Builder::new(suite);
    let mut desk = builder.enrol("desk");
    let mut tree = first_tree(&mut random);
    builder.backup(&desk, "home", &tree);
    for (number, part) in (0..).zip([Part::Store, Part::Domain, Part::Restore]) {
        desk = builder.rotate(part, &desk);
        tree.put(&format!("small/1/new{number}"), &random.bytes(300), 2 + number);
        builder.backup(&desk, "home", &tree);
    }
    builder.forget(1);
    let Builder { memory, keyset, snapshots, .. } = builder;
    Scene { blobs: memory.blobs(), keyset, snapshots }
}
