//! Backups of a source in memory into a vault in memory.

mod change;
mod content;
mod faults;
mod order;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use crate::backup::Cutting;
use crate::backup::error::BackupError;
use crate::backup::parent::ParentTree;
use crate::backup::pipeline;
use crate::backup::pipeline::Pipeline;
use crate::backup::pipeline::TreeReport;
use crate::chunk::ChunkSizes;
use crate::chunk::digest::ContentHasher;
use crate::clock::ManualClock;
use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::content::DomainKeys;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::DomainId;
use crate::ids::RepositoryId;
use crate::ids::RunId;
use crate::ids::Sid;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::ObjectSink;
use crate::repository::Stored;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Opener;
use crate::repository::seal::SealKeys;
use crate::repository::tree::NodeSink;
use crate::repository::tree::NodeSource;
use crate::repository::tree::TreeSizes;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::reader::TreeReader;
use crate::run::Run;
use crate::run::monitor::Recorded;
use crate::run::monitor::Recorder;
use crate::secret::Secret32;
use crate::source::Source;
use crate::source::memory::MemorySource;
use crate::units::Timestamp;

const SMALL_BYTES: usize = 1000;
/// As in [`CUTTING`].
const CHUNK_MAX: usize = 1024;

const CUTTING: Cutting = Cutting {
    small_file_bytes: SMALL_BYTES as u64,
    bundle_bytes: 3000,
    bundle_files: 10,
    chunks: ChunkSizes { min_bytes: 64, avg_bytes: 256, max_bytes: 1024 },
    tree: TreeSizes {
        leaf_min: 256,
        leaf_max: 2048,
        leaf_cut_bits: 3,
        branch_min: 4,
        branch_max: 16,
        branch_cut_bits: 2,
    },
};

fn keys() -> SealKeys {
    SealKeys {
        domain: DomainKeys::derive(DomainId::new([2; 16]), 1, &Secret32::new([3; 32])),
        store: StoreKeys::new(RepositoryId::new([1; 16]), vec![(1, Secret32::new([4; 32]))])
            .unwrap(),
        level: 3,
    }
}

/// Bytes that do not repeat, the same for the same seed.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_user(text.as_bytes()).unwrap()
}

/// Keeps objects; knows which were new since the last look.
struct Vault {
    keys: SealKeys,
    opener: Mutex<Opener>,
    objects: Mutex<BTreeMap<Sid, SealedObject>>,
    new: Mutex<Vec<ObjectKind>>,
}

impl Vault {
    fn new() -> Self {
        let keys = keys();
        let opener = Mutex::new(Opener::new(keys.store.repository()).unwrap());
        Self { keys, opener, objects: Mutex::default(), new: Mutex::default() }
    }

    fn data(&self, reference: &Ref, kind: ObjectKind) -> Vec<u8> {
        let objects = self.objects.lock().unwrap();
        let mut opener = self.opener.lock().unwrap();
        opener.open_data(&objects[&reference.sid].bytes, reference, kind).unwrap().to_vec()
    }

    fn sids(&self) -> BTreeSet<Sid> {
        self.objects.lock().unwrap().keys().copied().collect()
    }
}

impl ObjectSink for Vault {
    fn put(&self, object: SealedObject) -> Result<Stored, RepositoryError> {
        let (kind, sealed_bytes) = (object.kind, object.bytes.len() as u64);
        if self.objects.lock().unwrap().insert(object.sid, object).is_some() {
            return Ok(Stored::Known);
        }
        self.new.lock().unwrap().push(kind);
        Ok(Stored::New { sealed_bytes })
    }
}

impl NodeSource for Vault {
    fn node(
        &self,
        _run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError> {
        let objects = self.objects.lock().unwrap();
        let mut opener = self.opener.lock().unwrap();
        let opened = opener.open_node(&objects[&node.sid].bytes, node, (kind, &self.keys.store));
        let (raw, sids) =
            opened.map_err(|error| RepositoryError::Unseal { sid: node.sid, error })?;
        Ok((raw.to_vec(), sids))
    }
}

struct Nodes<'a>(&'a Vault);

impl NodeSink for Nodes<'_> {
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError> {
        ObjectSink::put(self.0, object).map(|_| ())
    }

    fn reuse(&mut self, node: &Ref) -> Result<(), RepositoryError> {
        assert!(
            self.0.objects.lock().unwrap().contains_key(&node.sid),
            "reuse of what is not there"
        );
        Ok(())
    }
}

/// What one backup came to.
struct Done {
    report: TreeReport,
    recorded: Recorded,
    /// Kinds of the objects that the vault did not have.
    new: Vec<ObjectKind>,
    /// Entries and content, read back.
    kept: BTreeMap<String, (Entry, Vec<u8>)>,
}

impl Done {
    fn entry(&self, path: &str) -> &Entry {
        &self.kept[path].0
    }

    fn new_of(&self, kind: ObjectKind) -> usize {
        self.new.iter().filter(|new| **new == kind).count()
    }

    fn messages(&self) -> Vec<String> {
        let mut messages: Vec<_> = self.recorded.problems.iter().map(ToString::to_string).collect();
        messages.sort();
        messages
    }
}

struct World {
    vault: Vault,
    source: MemorySource,
    cutting: Cutting,
    workers_count: usize,
    /// When the next scan begins; files of the tests are much older.
    started_secs: i64,
    parent: Option<ParentTree>,
}

impl World {
    fn new() -> Self {
        Self {
            vault: Vault::new(),
            source: MemorySource::default(),
            cutting: CUTTING,
            workers_count: 2,
            started_secs: 1_000_000,
            parent: None,
        }
    }

    fn try_backup(&self, source: &dyn Source) -> (Result<TreeReport, BackupError>, Recorded) {
        let recorder = Arc::new(Recorder::default());
        let monitor: Arc<dyn crate::run::monitor::Monitor> = Arc::clone(&recorder) as _;
        let now = Timestamp::from_unix_ms(self.started_secs * 1000);
        let clock = Arc::new(ManualClock::new(now));
        let run = Run::new(RunId::new([7; 16]), monitor, clock, 1);
        let pipeline = Pipeline {
            source,
            parent: self.parent.as_ref(),
            nodes: &self.vault,
            objects: &self.vault,
            keys: &self.vault.keys,
            cutting: self.cutting,
            workers_count: self.workers_count,
        };
        let report = pipeline::execute(&run, &pipeline, &mut Nodes(&self.vault));
        (report, recorder.recorded())
    }

    fn backup_of(&mut self, source: &dyn Source) -> Done {
        self.vault.new.lock().unwrap().clear();
        let (report, recorded) = self.try_backup(source);
        let report = report.unwrap();
        let started = Timestamp::from_unix_ms(self.started_secs * 1000);
        let decayed = report.decayed.iter().copied().collect();
        self.parent = Some(ParentTree { root: report.root.clone(), started, decayed });
        self.started_secs += 1000;
        let new = self.vault.new.lock().unwrap().clone();
        let kept = self.read(&report.root);
        assert_eq!(kept.len() as u64, report.entries_count);
        let flagged = kept.values().filter(|(entry, _)| entry.meta.flags.0 != 0).count();
        assert_eq!(report.flagged_count, flagged as u64);
        Done { report, recorded, new, kept }
    }

    fn backup(&mut self) -> Done {
        let source = std::mem::take(&mut self.source);
        let done = self.backup_of(&source);
        self.source = source;
        done
    }

    /// All entries of a tree with their content; digests and sizes are compared on the way.
    fn read(&self, root: &Ref) -> BTreeMap<String, (Entry, Vec<u8>)> {
        let run = Run::new(
            RunId::new([8; 16]),
            Arc::new(crate::run::monitor::Silent),
            Arc::new(ManualClock::new(Timestamp::default())),
            0,
        );
        let mut kept = BTreeMap::new();
        for leaf in TreeReader::new(&run, &self.vault, root, &SnapshotPath::root()) {
            for entry in leaf.unwrap().entries {
                let bytes = self.content(&run, &entry);
                // A link has the size of what it names; what could not be read that of the listing.
                let is_bare =
                    entry.meta.kind == Kind::HardLink || entry.meta.flags.has(Flags::UNREADABLE);
                let wanted = if is_bare { 0 } else { entry.meta.size_bytes };
                assert_eq!(bytes.len() as u64, wanted, "{}", entry.path);
                kept.insert(entry.path.to_string(), (entry, bytes));
            }
        }
        kept
    }

    fn content(&self, run: &Run, entry: &Entry) -> Vec<u8> {
        let (mut bytes, mut hasher) = (Vec::new(), ContentHasher::default());
        let mut add = |extent: &Extent| match extent {
            Extent::Hole { len_bytes } => {
                hasher.hole(*len_bytes);
                bytes.resize(bytes.len() + usize::try_from(*len_bytes).unwrap(), 0);
            }
            Extent::Chunk { chunk, digest } => {
                let raw = self.vault.data(chunk, ObjectKind::Chunk);
                assert_eq!(*digest, crate::chunk::digest::digest(&raw));
                hasher.update(&raw);
                bytes.extend_from_slice(&raw);
            }
        };
        let wanted = match &entry.content {
            Content::None => return Vec::new(),
            Content::Slice { bundle, offset, len, digest } => {
                let raw = self.vault.data(bundle, ObjectKind::Bundle);
                bytes = raw[*offset as usize..(*offset + *len) as usize].to_vec();
                hasher.update(&bytes);
                digest
            }
            Content::Extents { extents, digest } => {
                extents.iter().for_each(&mut add);
                digest
            }
            Content::Map { root, digest } => {
                MapReader::new(run, &self.vault, root).for_each(|extent| add(&extent.unwrap()));
                digest
            }
        };
        assert_eq!(hasher.finish(), *wanted, "{}", entry.path);
        bytes
    }
}
