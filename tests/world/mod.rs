//! A repository in memory with machines that back up to it, driven through the library: small
//! chunks, bundles, nodes and packs, so that a tiny tree reaches every branch.

use std::path::Path;
use std::sync::Arc;

use lifeboat::backup::Cutting;
use lifeboat::backup::error::BackupError;
use lifeboat::backup::snapshot;
use lifeboat::backup::snapshot::BackupReport;
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
use lifeboat::format::config::Parameters;
use lifeboat::format::object::Ref;
use lifeboat::format::snapshot::SnapshotInfo;
use lifeboat::ids::RunId;
use lifeboat::ids::SlotId;
use lifeboat::ids::SnapshotId;
use lifeboat::path::SnapshotPath;
use lifeboat::repository::keys::create;
use lifeboat::repository::keys::create::CreateOptions;
use lifeboat::repository::keys::machine;
use lifeboat::repository::keys::machine::Identity;
use lifeboat::repository::keys::slots::NewSlot;
use lifeboat::repository::manifest::open_manifest;
use lifeboat::repository::open::Repository;
use lifeboat::repository::tree::TreeSizes;
use lifeboat::restore;
use lifeboat::restore::Delete;
use lifeboat::restore::Options;
use lifeboat::restore::Overwrite;
use lifeboat::restore::Owners;
use lifeboat::restore::Replaced;
use lifeboat::restore::RestoreError;
use lifeboat::restore::Rights;
use lifeboat::restore::Verify;
use lifeboat::restore::select::Selection;
use lifeboat::run::Run;
use lifeboat::run::monitor::Recorder;
use lifeboat::secret::SecretBytes;
use lifeboat::source::Source;
use lifeboat::storage::Storage;
use lifeboat::storage::layer::fault::FaultLayer;
use lifeboat::storage::layer::fault::plan::Plan;
use lifeboat::storage::memory::MemoryStorage;
use lifeboat::target::Target;
use lifeboat::target::unix::FolderTarget;
use lifeboat::units::Timestamp;
use lifeboat::vault::Vault;
use lifeboat::vault::VaultOptions;
use lifeboat::vault::scrub::Subset;
use lifeboat::vault::scrub::report::Report;
use lifeboat::verify;
use lifeboat::verify::Depth;

/// A day of 2027, where every world begins.
pub const START_MS: i64 = 1_800_000_000_000;

/// Everything small.
pub const CUTTING: Cutting = Cutting {
    small_file_bytes: 512,
    bundle_bytes: 1024,
    bundle_files: 16,
    chunks: ChunkSizes { min_bytes: 64, avg_bytes: 256, max_bytes: 1024 },
    tree: TreeSizes {
        leaf_min: 256,
        leaf_max: 1024,
        leaf_cut_bits: 1,
        branch_min: 2,
        branch_max: 8,
        branch_cut_bits: 1,
    },
};

/// A folder on a file system in memory, if there is one.
pub fn fast_folder() -> tempfile::TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        return tempfile::tempdir_in(shared).unwrap();
    }
    tempfile::tempdir().unwrap()
}

/// The content of a key file, from a number.
pub fn key_file(number: u64) -> SlotSecret {
    let bytes = blake3::hash(&number.to_le_bytes()).as_bytes().to_vec();
    SlotSecret::KeyFile(SecretBytes::new(bytes))
}

pub fn new_slot(number: u64) -> NewSlot {
    let argon2 = Argon2Parameters { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    NewSlot { secret: key_file(number), argon2, label: format!("key {number}") }
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub memory: Arc<MemoryStorage>,
    pub faults: Arc<FaultLayer>,
    pub storage: Arc<dyn Storage>,
    pub keyset: RestoreKeyset,
    pub slot: SlotId,
    runs: u64,
}

/// One protected machine.
pub struct Machine {
    pub keyset: AgentKeyset,
    /// Where it remembers its newest snapshots.
    pub cache: tempfile::TempDir,
}

/// What a run was told, beside its answer.
pub struct Watched {
    pub run: Run,
    pub recorder: Arc<Recorder>,
}

impl Watched {
    /// A run of no world.
    pub fn alone() -> Self {
        let recorder = Arc::new(Recorder::default());
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(START_MS)));
        let monitor = Arc::new(Arc::clone(&recorder));
        Self { run: Run::new(RunId::new([0; 16]), monitor, clock, 1), recorder }
    }

    pub fn problems(&self) -> Vec<String> {
        self.recorder.recorded().problems.iter().map(ToString::to_string).collect()
    }
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(START_MS)));
        let memory = Arc::new(MemoryStorage::new(Arc::<ManualClock>::clone(&clock)));
        let faults = Arc::new(FaultLayer::new(
            Arc::<ManualClock>::clone(&clock),
            Arc::<MemoryStorage>::clone(&memory),
            Plan::none(),
        ));
        let storage: Arc<dyn Storage> = Arc::<FaultLayer>::clone(&faults);
        let recorder = Arc::new(Recorder::default());
        let id = RunId::new([0; 16]);
        let run = Run::new(id, Arc::new(recorder), Arc::<ManualClock>::clone(&clock), 1);
        let options = CreateOptions {
            slot: new_slot(0),
            suite: Suite::X25519,
            parameters: Parameters::DEFAULT,
        };
        let made = create::create_repository(&run, &storage, &options).unwrap();
        let (keyset, slot) = (made.keyset, made.slot);
        Self { clock, memory, faults, storage, keyset, slot, runs: 0 }
    }

    /// A run with a monitor of its own.
    pub fn run(&mut self) -> Watched {
        self.runs += 1;
        let recorder = Arc::new(Recorder::default());
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.runs.to_le_bytes());
        let monitor = Arc::new(Arc::clone(&recorder));
        let clock = Arc::<ManualClock>::clone(&self.clock);
        Watched { run: Run::new(RunId::new(id), monitor, clock, self.runs), recorder }
    }

    pub fn enrol(&mut self, name: &str) -> Machine {
        let run = self.run().run;
        let keyset =
            machine::enrol(&run, &self.storage, &self.keyset, (name, Identity::Fresh)).unwrap();
        Machine { keyset, cache: fast_folder() }
    }

    pub fn open(&self, run: &Run) -> Repository {
        let options = VaultOptions {
            pack_bytes: 4096,
            lease_ms: 60_000,
            program: "lifeboat tests".to_owned(),
        };
        let keys = self.keyset.store.clone();
        Repository::new(Vault::open(run, Arc::clone(&self.storage), keys, options).unwrap())
    }

    /// Backs up on `machine`; problems stand in the run's recorder.
    pub fn backup(
        &mut self,
        watched: &Watched,
        machine: &Machine,
        what: (&dyn Source, &str),
    ) -> Result<BackupReport, BackupError> {
        self.backup_cut(watched, machine, what, CUTTING)
    }

    /// The same with content cut in another way.
    pub fn backup_cut(
        &mut self,
        watched: &Watched,
        machine: &Machine,
        (source, dataset): (&dyn Source, &str),
        cutting: Cutting,
    ) -> Result<BackupReport, BackupError> {
        let info = |root: &Ref| {
            let mut info = SnapshotInfo::new(root);
            info.host = "host".to_owned();
            info
        };
        let request = Request {
            source,
            dataset: dataset.as_bytes(),
            info: &info,
            cutting,
            level: 3,
            workers_count: 1,
            cache: Some(machine.cache.path()),
            unchanged: Unchanged::Commit,
            comparison: Comparison::Newest,
            shrink: Shrink::Any,
            attachments: &Nothing,
        };
        let repository = self.open(&watched.run);
        snapshot::execute(&watched.run, &repository, &machine.keyset, &request)
    }

    /// The root of a snapshot's tree.
    pub fn root(&self, run: &Run, repository: &Repository, id: &SnapshotId) -> Ref {
        let manifest = repository.vault().read_manifest(run, id).unwrap();
        open_manifest(&self.keyset, &manifest).unwrap().root()
    }

    /// Restores into a folder.
    pub fn restore(
        &mut self,
        watched: &Watched,
        id: &SnapshotId,
        (target, options): (&dyn Target, &Options),
    ) -> Result<restore::Report, RestoreError> {
        let repository = self.open(&watched.run);
        let root = self.root(&watched.run, &repository, id);
        restore::execute::execute(&watched.run, (&repository, &root), target, options)
    }

    /// Checks all, with every byte read.
    pub fn check(&mut self) -> Report {
        let watched = self.run();
        let repository = self.open(&watched.run);
        let trust = verify::trust_of(&self.keyset);
        let depth = Depth::Data(Subset::All);
        let options = verify::Options { depth, snapshots: Vec::new(), threads_count: 1 };
        verify::check(&watched.run, &repository, (&self.keyset, &trust), &options).unwrap()
    }
}

/// A whole restore into a fresh folder.
pub fn restore_options() -> Options {
    Options {
        selection: Selection::new(SnapshotPath::root(), &[], &[]).unwrap(),
        overwrite: Overwrite::Always,
        replaced: Replaced::Dropped,
        delete: Delete::Nothing,
        owners: Owners::ByNumber,
        rights: Rights::All,
        verify: Verify::No,
        threads_count: 1,
    }
}

pub fn folder_target(path: &Path) -> FolderTarget {
    FolderTarget::open(path, 1).unwrap()
}

pub fn snapshot_path(path: &str) -> SnapshotPath {
    SnapshotPath::from_user(path.as_bytes()).unwrap()
}
