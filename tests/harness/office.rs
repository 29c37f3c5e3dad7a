//! Whole commands, each as a process of its own over one storage, and what they promised.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

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
use lifeboat::crypto::sealed::shares::Share;
use lifeboat::crypto::sealed::slot::Argon2Parameters;
use lifeboat::crypto::sealed::slot::SlotSecret;
use lifeboat::format::config::ConfigRecord;
use lifeboat::format::config::Parameters;
use lifeboat::format::object::Ref;
use lifeboat::format::snapshot::SnapshotInfo;
use lifeboat::ids::RunId;
use lifeboat::ids::SnapshotId;
use lifeboat::repository::keys::create::CreateOptions;
use lifeboat::repository::keys::create::create_repository;
use lifeboat::repository::keys::machine;
use lifeboat::repository::keys::machine::Identity;
use lifeboat::repository::keys::publish;
use lifeboat::repository::keys::slots;
use lifeboat::repository::keys::slots::NewSlot;
use lifeboat::repository::keys::unlock::Unlocked;
use lifeboat::repository::keys::unlock::unlock;
use lifeboat::repository::open::Repository;
use lifeboat::repository::tree::TreeSizes;
use lifeboat::repository::trust::Enrolled;
use lifeboat::run::Run;
use lifeboat::run::monitor::Problem;
use lifeboat::run::monitor::Recorder;
use lifeboat::secret::SecretBytes;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::vault::Vault;
use lifeboat::vault::VaultOptions;
use lifeboat::vault::names::Place;

use crate::support::Random;

use super::model::Tree;
use super::twins::Pair;

pub const LEASE_MS: i64 = 15 * 60 * 1000;

/// Small enough that a tiny tree reaches every branch.
pub const CUTTING: Cutting = Cutting {
    small_file_bytes: 1000,
    bundle_bytes: 1500,
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

/// A count of steps; what was promised at one holds at every later one.
pub type Moment = usize;

/// A secret and when it opens.
#[derive(Debug, Clone)]
pub struct Secret {
    pub text: String,
    pub begun: Moment,
    pub opens: Option<Moment>,
    pub ending: Option<Moment>,
    pub ended: Option<Moment>,
}

/// A backup that was tried.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub tree: Arc<Tree>,
    pub acknowledged: Option<(Moment, SnapshotId)>,
}

/// Everything that was asked for and promised.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub made: Option<Moment>,
    pub secrets: Vec<Secret>,
    pub attempts: Vec<Attempt>,
    /// Snapshots that machines remember, if space is given back in the end.
    pub heads: Option<Vec<Place>>,
    /// What stands twice was damaged: the next repair mends it.
    pub is_harmed: bool,
    pub pair: Option<Pair>,
}

/// Files of a machine's cache, by path.
pub type CacheFiles = Arc<Vec<(PathBuf, Vec<u8>)>>;

/// A machine with its tree and its local state.
#[derive(Debug, Clone)]
pub struct Desk {
    pub label: &'static str,
    pub tree: Tree,
    pub keyset: Option<(Moment, AgentKeyset)>,
    /// What the machine remembered after each backup; the last is used.
    pub caches: Vec<(Moment, CacheFiles)>,
}

/// Whether a storage must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    Existing,
    New,
}

pub type Open = Arc<dyn Fn(&Run, Opening) -> Result<Arc<dyn Storage>, StorageError> + Send + Sync>;

/// Tells the moment.
pub type Now = Arc<dyn Fn() -> Moment + Send + Sync>;

/// What happens while a backup is at work.
pub type Meanwhile<'a> = &'a mut dyn FnMut(&mut Office);

/// Machines round one storage.
pub struct Office {
    pub clock: Arc<ManualClock>,
    pub open: Open,
    pub now: Now,
    pub known: Known,
    pub desks: Vec<Desk>,
    pub shares: Vec<Share>,
    /// A slot may be half written or half removed, until a command changes slots.
    pub half_slots: bool,
    pub random_seed: u64,
    /// Where caches lie while they are used.
    pub scratch: Arc<tempfile::TempDir>,
    pub runs: u64,
}

/// One process.
pub struct Process {
    pub run: Run,
    pub recorder: Arc<Recorder>,
    pub storage: Arc<dyn Storage>,
}

/// A process that can read.
pub struct Reader {
    pub process: Process,
    pub unlocked: Unlocked,
    pub signers: Enrolled,
    pub repository: Repository,
}

impl Process {
    pub fn problems(&self) -> Vec<Problem> {
        self.recorder.recorded().problems
    }

    pub fn repository(
        &self,
        keys: lifeboat::crypto::blind::StoreKeys,
    ) -> Result<Repository, String> {
        let program = "harness".to_owned();
        let options = VaultOptions { pack_bytes: 2048, lease_ms: LEASE_MS, program };
        let vault = Vault::open(&self.run, Arc::clone(&self.storage), keys, options);
        vault.map(Repository::new).map_err(text)
    }
}

pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub fn secret(text: &str) -> SlotSecret {
    SlotSecret::Passphrase(SecretBytes::new(text.as_bytes().to_vec()))
}

pub fn new_slot(text: &str) -> NewSlot {
    let argon2 = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };
    NewSlot { secret: secret(text), argon2, label: "office".to_owned() }
}

impl Office {
    /// No machines, and nothing made yet.
    pub fn new(clock: &Arc<ManualClock>, (open, now): (Open, Now), seed: u64) -> Self {
        Self {
            clock: Arc::clone(clock),
            open,
            now,
            known: Known::default(),
            desks: Vec::new(),
            shares: Vec::new(),
            half_slots: false,
            random_seed: seed,
            scratch: Arc::new(scratch()),
            runs: 0,
        }
    }

    /// The same people over another storage.
    pub fn moved(&self, (open, now): (Open, Now), clock: &Arc<ManualClock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            open,
            now,
            known: self.known.clone(),
            desks: self.desks.clone(),
            shares: self.shares.clone(),
            half_slots: self.half_slots,
            random_seed: self.random_seed,
            scratch: Arc::clone(&self.scratch),
            runs: self.runs,
        }
    }

    /// How many promises were made until `at`: two states with equal bytes differ by them.
    pub fn promises_until(&self, at: Moment) -> usize {
        let secrets = self.known.secrets.iter();
        let secrets =
            secrets.flat_map(|s| [Some(s.begun), s.opens, s.ending, s.ended].into_iter().flatten());
        let attempts = self.known.attempts.iter();
        let attempts = attempts.filter_map(|attempt| attempt.acknowledged.map(|(at, _)| at));
        let desks = self.desks.iter();
        let desks = desks.flat_map(|desk| {
            let keyset = desk.keyset.iter().map(|(at, _)| *at);
            keyset.chain(desk.caches.iter().map(|(at, _)| *at))
        });
        let all = self.known.made.into_iter().chain(secrets).chain(attempts).chain(desks);
        all.filter(|moment| *moment <= at).count()
    }

    /// Machines find themselves with their cache, an older one or none, and a changed tree or not.
    pub fn vary(&mut self, number: u64) {
        for desk in &mut self.desks {
            match number % 4 {
                0 => desk.caches.clear(),
                1 => drop(desk.caches.pop()),
                _ => {}
            }
            if number.is_multiple_of(3) {
                desk.tree.mutate(&mut Random::new(number));
            }
        }
    }

    pub fn add_desk(&mut self, label: &'static str) -> usize {
        let tree = Tree::new(&mut Random::new(self.random_seed + self.desks.len() as u64));
        self.desks.push(Desk { label, tree, keyset: None, caches: Vec::new() });
        self.desks.len() - 1
    }

    pub fn now(&self) -> Moment {
        (self.now)()
    }

    pub fn process(&mut self, opening: Opening) -> Result<Process, String> {
        self.runs += 1;
        self.clock.jump(1000);
        let recorder = Arc::new(Recorder::default());
        let clock = Arc::clone(&self.clock) as _;
        let seed = self.random_seed.wrapping_mul(1_000_003).wrapping_add(self.runs);
        let run = Run::new(RunId::new([0; 16]), Arc::clone(&recorder) as _, clock, seed);
        let storage = (self.open)(&run, opening).map_err(text)?;
        Ok(Process { run, recorder, storage })
    }

    /// `init` without the machine.
    pub fn init(&mut self, passphrase: &str) -> Result<(), String> {
        let at = self.begin_secret(passphrase);
        let process = self.process(Opening::New)?;
        let parameters = Parameters::DEFAULT;
        let options =
            CreateOptions { slot: new_slot(passphrase), suite: Suite::X25519, parameters };
        create_repository(&process.run, &process.storage, &options).map_err(text)?;
        self.known.made = Some(self.now());
        self.known.secrets[at].opens = self.known.made;
        Ok(())
    }

    /// A secret that opens, as far as was promised.
    pub fn passphrase(&self) -> Result<String, String> {
        let opens = |secret: &&Secret| secret.opens.is_some() && secret.ending.is_none();
        let found = self.known.secrets.iter().find(opens);
        found.map(|secret| secret.text.clone()).ok_or_else(|| "no secret was promised".to_owned())
    }

    pub fn unlock(&mut self) -> Result<(Process, Unlocked), String> {
        let passphrase = self.passphrase()?;
        let process = self.process(Opening::Existing)?;
        let unlocked = unlock(&process.run, &process.storage, &secret(&passphrase));
        Ok((process, unlocked.map_err(text)?))
    }

    pub fn reader(&mut self) -> Result<Reader, String> {
        let (process, unlocked) = self.unlock()?;
        Self::reader_of(process, unlocked)
    }

    pub fn reader_of(process: Process, unlocked: Unlocked) -> Result<Reader, String> {
        let signers = Enrolled::load(&process.run, &process.storage, &unlocked.keyset);
        let signers = signers.map_err(text)?;
        let repository = process.repository(unlocked.keyset.store.clone())?;
        Ok(Reader { process, unlocked, signers, repository })
    }

    /// As a machine does at its first command: finds itself again or enrols.
    fn join(&mut self, desk: usize) -> Result<AgentKeyset, String> {
        let (process, unlocked) = self.unlock()?;
        let (run, storage, keyset) = (&process.run, &process.storage, &unlocked.keyset);
        let label = self.desks[desk].label;
        let agent = match machine::rejoin(run, storage, keyset, label).map_err(text)? {
            Some(agent) => agent,
            None => machine::enrol(run, storage, keyset, (label, Identity::Own)).map_err(text)?,
        };
        self.desks[desk].keyset = Some((self.now(), agent.clone()));
        Ok(agent)
    }

    pub fn writer(&mut self, desk: usize) -> Result<(Process, ConfigRecord, AgentKeyset), String> {
        self.stand(desk)?;
        let agent = match self.desks[desk].keyset.clone() {
            Some((_, agent)) => agent,
            None => self.join(desk)?,
        };
        let process = self.process(Opening::Existing)?;
        let config = publish::load_config(&process.run, &process.storage).map_err(text)?;
        Ok((process, config, agent))
    }

    /// Notes a backup that begins; its number is a tag of the snapshot.
    pub fn attempt(&mut self, desk: usize) -> usize {
        let tree = Arc::new(self.desks[desk].tree.clone());
        self.known.attempts.push(Attempt { tree, acknowledged: None });
        self.known.attempts.len() - 1
    }

    /// `backup` of a machine's tree.
    pub fn backup(&mut self, desk: usize) -> Result<SnapshotId, String> {
        self.backup_while(desk, &mut |_| {}).map(|(id, _)| id)
    }

    /// `backup`; all data is sent when `meanwhile` is called, and nothing is committed yet. Gives
    /// what was told as problems.
    pub fn backup_while(
        &mut self,
        desk: usize,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(SnapshotId, Vec<Problem>), String> {
        let (process, _, agent) = self.writer(desk)?;
        let number = self.attempt(desk);
        let source = Arc::clone(&self.known.attempts[number].tree).source();
        let repository = process.repository(agent.store.clone())?;
        let folder = self.unpack_cache(desk);
        let hook = RefCell::new((&mut *self, meanwhile));
        let info = |root: &Ref| {
            let (office, meanwhile) = &mut *hook.borrow_mut();
            meanwhile(office);
            tagged(root, number)
        };
        let request = Request {
            source: &source,
            dataset: b"tree",
            info: &info,
            cutting: CUTTING,
            level: 1,
            workers_count: 1,
            cache: Some(folder.path()),
            unchanged: Unchanged::Commit,
            comparison: Comparison::Newest,
            shrink: Shrink::Any,
            attachments: &Nothing,
        };
        let report =
            snapshot::execute(&process.run, &repository, &agent, &request).map_err(text)?;
        let id = report.snapshot.ok_or("no snapshot")?.id;
        let now = self.now();
        self.known.attempts[number].acknowledged = Some((now, id));
        self.desks[desk].caches.push((now, Arc::new(files_in(folder.path()))));
        Ok((id, process.problems()))
    }

    /// A folder with what the machine remembers.
    fn unpack_cache(&self, desk: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir_in(self.scratch.path()).unwrap();
        for (path, bytes) in self.desks[desk].caches.last().iter().flat_map(|(_, files)| &***files)
        {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = std::fs::File::options();
            let mut file = file.create_new(true).write(true).open(path).unwrap();
            std::io::Write::write_all(&mut file, bytes).unwrap();
        }
        folder
    }

    /// Notes a secret that is being made.
    pub fn begin_secret(&mut self, passphrase: &str) -> usize {
        let (text, begun) = (passphrase.to_owned(), self.now());
        let secret = Secret { text, begun, opens: None, ending: None, ended: None };
        self.known.secrets.push(secret);
        self.known.secrets.len() - 1
    }

    /// `key add`.
    pub fn add_key(&mut self, passphrase: &str) -> Result<(), String> {
        let (process, unlocked) = self.unlock()?;
        let at = self.begin_secret(passphrase);
        let new = new_slot(passphrase);
        let added = slots::add(&process.run, &process.storage, &unlocked.keyset, &new);
        added.map_err(text)?;
        self.known.secrets[at].opens = Some(self.now());
        Ok(())
    }

    /// `key passwd` with the secret that opens now.
    pub fn change_key(&mut self, passphrase: &str) -> Result<(), String> {
        let old = self.passphrase()?;
        let (process, unlocked) = self.unlock()?;
        let at = self.known.secrets.iter().position(|secret| secret.text == old).unwrap();
        self.known.secrets[at].ending = Some(self.now());
        let new = self.begin_secret(passphrase);
        let place = (&unlocked.keyset, unlocked.slot);
        let changed = slots::change(&process.run, &process.storage, place, &new_slot(passphrase));
        changed.map_err(text)?;
        let now = Some(self.now());
        self.known.secrets[at].ended = now;
        self.known.secrets[new].opens = now;
        Ok(())
    }

    /// `key remove` of one secret with another.
    pub fn remove_key(&mut self, passphrase: &str) -> Result<(), String> {
        let at = self.known.secrets.iter().position(|secret| secret.text == passphrase).unwrap();
        let process = self.process(Opening::Existing)?;
        let slot = unlock(&process.run, &process.storage, &secret(passphrase)).map_err(text)?.slot;
        self.known.secrets[at].ending = Some(self.now());
        let (process, unlocked) = self.unlock()?;
        let place = (unlocked.config.repository, slot);
        slots::remove(&process.run, &process.storage, place).map_err(text)?;
        self.known.secrets[at].ended = Some(self.now());
        Ok(())
    }
}

pub fn tagged(root: &Ref, number: usize) -> SnapshotInfo {
    let mut info = SnapshotInfo::new(root);
    info.tags = vec![number.to_string()];
    info
}

/// A folder of its own, in memory where the system has that.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn files_in(folder: &std::path::Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(here) = waiting.pop() {
        for row in std::fs::read_dir(here).into_iter().flatten() {
            let path = row.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().to_owned(), bytes));
            }
        }
    }
    found
}
