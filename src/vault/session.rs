//! One backup's lease on the vault: objects in, then a manifest, which is the only commit point.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::format::index::PackTable;
use crate::format::manifest::SignedManifest;
use crate::format::object::OBJECT_BYTES_MAX;
use crate::format::object::SealedObject;
use crate::format::session;
use crate::format::session::SESSION_KIND;
use crate::format::session::SessionRecord;
use crate::ids::MachineId;
use crate::ids::PackId;
use crate::ids::SessionId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::storage::StorageErrorKind;
use crate::units::Timestamp;
use crate::vault::Vault;
use crate::vault::chain;
use crate::vault::error::VaultError;
use crate::vault::index;
use crate::vault::names;
use crate::vault::names::MANIFEST_PREFIXES;
use crate::vault::names::ManifestName;
use crate::vault::pack_write::OpenPack;
use crate::vault::pack_write::PackWriter;

/// Who wants to work, and upon what.
#[derive(Debug, Clone)]
pub struct SessionRequest {
    pub machine: MachineId,
    pub source: SourceId,
    /// The snapshot whose objects are referred to again.
    pub parent: Option<ManifestName>,
    /// Program and version, for people.
    pub program: String,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    New { sealed_bytes: u64 },
    Known,
}

/// A live session. Only it can put and commit.
#[derive(Debug)]
pub struct Session<'v> {
    vault: &'v Vault,
    run: Run,
    id: SessionId,
    request: SessionRequest,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    data: OpenPack,
    nodes: OpenPack,
    writer: Option<PackWriter>,
    /// Objects that this session has taken.
    taken: HashSet<Sid>,
    /// Packs that hold known objects which the new snapshot may refer to.
    reused_packs: BTreeSet<PackId>,
    written: Vec<PackTable>,
    /// Why nothing more is taken.
    poisoned: Option<String>,
    /// Records of this session in storage, and when the last was made, by both clocks.
    renewals: u32,
    renewed: (Timestamp, Duration),
}

impl Vault {
    /// Opens a session with a lease.
    pub fn open_session(
        &self,
        run: &Run,
        request: SessionRequest,
    ) -> Result<Session<'_>, VaultError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| VaultError::NoRandom)?;
        let id = SessionId::new(id);
        let now = self.write_session(id, 0, &request)?;
        let state = State {
            data: OpenPack::default(),
            nodes: OpenPack::default(),
            writer: None,
            taken: HashSet::new(),
            reused_packs: BTreeSet::new(),
            written: Vec::new(),
            poisoned: None,
            renewals: 0,
            renewed: (now, run.clock.elapsed()),
        };
        Ok(Session { vault: self, run: run.clone(), id, request, state: Mutex::new(state) })
    }

    /// Writes a record of a session and answers the storage's time.
    fn write_session(
        &self,
        id: SessionId,
        renewal: u32,
        request: &SessionRequest,
    ) -> Result<Timestamp, VaultError> {
        let record = SessionRecord {
            session: id,
            machine: request.machine,
            source: request.source,
            parent: request.parent.map(|parent| parent.snapshot),
            program: request.program.clone(),
        };
        let (generation, key) = self.keys.newest();
        let (kind, repository) = (SESSION_KIND, self.keys.repository());
        let place = Place { kind, repository, name: id.as_bytes() };
        let sealed =
            blind::seal_box(key, place, &record.encode()).map_err(|_| VaultError::NoRandom)?;
        let name = names::session(id, renewal)?;
        self.storage.create(&name, &[&session::join(generation, &sealed)])?;
        Ok(self.storage.stat(&name)?.created)
    }
}

impl Session<'_> {
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an object, unless the vault has it. Its hash is compared with its sid.
    pub fn put(&self, object: SealedObject) -> Result<Put, VaultError> {
        let (found_bytes, bytes_max) = (object.bytes.len(), OBJECT_BYTES_MAX);
        if found_bytes > bytes_max {
            return Err(VaultError::ObjectTooLong { found_bytes, bytes_max });
        }
        let found = blind::sid_of(&object.bytes);
        if found != object.sid {
            return Err(VaultError::ObjectMismatch { expected: object.sid, found });
        }
        let wanted = if object.kind.is_node() { 2 } else { 1 };
        let known = self.vault.with_index(&self.run, |index| {
            let places = index.find(&object.sid);
            let packs = places.iter().filter_map(|at| index.pack(at.pack)).map(|pack| pack.id);
            packs.collect::<BTreeSet<_>>()
        })?;
        let mut state = self.state();
        if let Some(cause) = &state.poisoned {
            return Err(VaultError::Poisoned { cause: cause.clone() });
        }
        if known.len() >= wanted {
            state.reused_packs.extend(known);
            return Ok(Put::Known);
        }
        if !state.taken.insert(object.sid) {
            return Ok(Put::Known);
        }
        let result = self.take(&mut state, &object);
        if let Err(error) = &result {
            state.poisoned = Some(error.to_string());
        }
        result
    }

    fn take(&self, state: &mut State, object: &SealedObject) -> Result<Put, VaultError> {
        let mut sealed_bytes = object.bytes.len() as u64;
        if object.kind.is_node() {
            state.nodes.push(object);
            sealed_bytes *= 2;
            if state.nodes.len_bytes() >= self.vault.options.pack_bytes {
                let full = std::mem::take(&mut state.nodes);
                state.nodes = self.hand_over(state, full)?;
            }
        }
        state.data.push(object);
        if state.data.len_bytes() >= self.vault.options.pack_bytes {
            let full = std::mem::take(&mut state.data);
            state.data = self.hand_over(state, full)?;
        }
        Ok(Put::New { sealed_bytes })
    }

    fn hand_over(&self, state: &mut State, open: OpenPack) -> Result<OpenPack, VaultError> {
        self.renew(state)?;
        let writer = match state.writer.take() {
            Some(writer) => writer,
            None => PackWriter::start(Arc::clone(&self.vault.storage), self.vault.keys.clone())?,
        };
        let next = writer.hand_over(open);
        let written: Vec<_> = writer.written().collect();
        state.writer = Some(writer);
        for table in written {
            self.note_written(state, table?);
        }
        next
    }

    fn note_written(&self, state: &mut State, table: PackTable) {
        self.run.count(Count::PacksWritten, 1);
        state.written.push(table);
    }

    /// Renews the lease when a third of it is over, by the machine's own clock.
    fn renew(&self, state: &mut State) -> Result<(), VaultError> {
        let third = u64::try_from(self.vault.options.lease_ms / 3).unwrap_or(0);
        let since = self.run.clock.elapsed().saturating_sub(state.renewed.1);
        if since >= Duration::from_millis(third) {
            self.renew_now(state)?;
        }
        Ok(())
    }

    /// Renews the lease and answers for how long the storage saw no sign.
    fn renew_now(&self, state: &mut State) -> Result<i64, VaultError> {
        state.renewals += 1;
        let now = self.vault.write_session(self.id, state.renewals, &self.request)?;
        let silence_ms = now.ms_since(state.renewed.0);
        state.renewed = (now, self.run.clock.elapsed());
        Ok(silence_ms)
    }

    /// Writes what is open. Nothing is durable yet.
    fn flush(&self, state: &mut State) -> Result<(), VaultError> {
        if let Some(cause) = &state.poisoned {
            return Err(VaultError::Poisoned { cause: cause.clone() });
        }
        for open in [std::mem::take(&mut state.nodes), std::mem::take(&mut state.data)] {
            if !open.is_empty() {
                self.hand_over(state, open)?;
            }
        }
        if let Some(mut writer) = state.writer.take() {
            for table in writer.finish() {
                self.note_written(state, table?);
            }
        }
        if !state.written.is_empty() {
            index::write(&self.vault.storage, &self.vault.keys, &state.written)?;
        }
        Ok(())
    }

    /// Makes everything durable, then the manifest. Packs, barrier, lease and presence, manifest,
    /// barrier, in this order.
    pub fn commit(&self, manifest: &SignedManifest) -> Result<ManifestName, VaultError> {
        let mut state = self.state();
        self.flush(&mut state)?;
        if !state.written.is_empty() {
            self.vault.storage.sync()?;
        }
        let silence_ms = self.renew_now(&mut state)?;
        self.check_presence(&state, &manifest.public.root)?;
        let name = self.write_manifest(manifest)?;
        self.vault.storage.sync()?;
        if silence_ms > self.vault.options.lease_ms {
            // The lease was over: somebody may have collected what this session had written.
            self.check_written(&state)?;
            self.check_presence(&state, &manifest.public.root)?;
        }
        for table in &state.written {
            self.vault.note_pack(table);
        }
        self.remove_records(&state);
        Ok(name)
    }

    fn write_manifest(&self, manifest: &SignedManifest) -> Result<ManifestName, VaultError> {
        let public = &manifest.public;
        let snapshot = SnapshotId::new(blind::hash(manifest.as_bytes()));
        let (machine, source, seq) = (public.machine, public.source, public.seq);
        let name = ManifestName { machine, source, seq, snapshot };
        let taken = chain::names(self.vault, Some((machine, source)))?;
        if taken.iter().any(|other| other.seq == seq) {
            return Err(VaultError::SeqTaken { seq });
        }
        for prefix in MANIFEST_PREFIXES.iter().rev() {
            self.vault.storage.create(&name.under(prefix)?, &[manifest.as_bytes()])?;
        }
        Ok(name)
    }

    /// Whether what the snapshot refers to and this session did not write is still there.
    fn check_presence(&self, state: &State, root: &Sid) -> Result<(), VaultError> {
        for pack in &state.reused_packs {
            self.stat_pack(*pack)?;
        }
        if let Some(parent) = &self.request.parent {
            chain::check_present(self.vault, parent)?;
        } else if !state.taken.contains(root) {
            let places = self.vault.with_index(&self.run, |index| index.find(root).len())?;
            if places == 0 {
                return Err(VaultError::RootMissing { sid: *root });
            }
        }
        Ok(())
    }

    fn check_written(&self, state: &State) -> Result<(), VaultError> {
        state.written.iter().try_for_each(|table| self.stat_pack(table.pack))
    }

    fn stat_pack(&self, pack: PackId) -> Result<(), VaultError> {
        match self.vault.storage.stat(&names::pack(pack)?) {
            Ok(_) => Ok(()),
            Err(error) if error.kind == StorageErrorKind::NotFound => {
                Err(VaultError::PackGone { pack })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Interrupted: keeps what was handed over, for the next run, without a snapshot.
    pub fn suspend(&self) -> Result<(), VaultError> {
        let mut state = self.state();
        self.flush(&mut state)?;
        if !state.written.is_empty() {
            self.vault.storage.sync()?;
        }
        for table in &state.written {
            self.vault.note_pack(table);
        }
        self.remove_records(&state);
        Ok(())
    }

    /// Removes the session's records. What cannot be removed ends with its lease.
    fn remove_records(&self, state: &State) {
        for renewal in 0..=state.renewals {
            if let Ok(name) = names::session(self.id, renewal) {
                let _ends_with_its_lease = self.vault.storage.delete(&name);
            }
        }
    }
}
