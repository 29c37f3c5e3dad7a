//! One backup's work on the vault.

pub mod adopt;
pub mod builder;
mod commit;
mod disown;
mod halves;
mod lease;
mod rely;
pub mod writer;

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;

use crate::crypto::blind;
use crate::format::index;
use crate::format::index::INDEX_KIND;
use crate::format::index::PackTable;
use crate::format::object::OBJECT_BYTES_MAX;
use crate::format::object::SealedObject;
use crate::format::session::SessionRecord;
use crate::ids::IndexId;
use crate::ids::MachineId;
use crate::ids::PackId;
use crate::ids::SessionId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::storage::BlobName;
use crate::storage::together;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::locations;
use crate::vault::names;
use crate::vault::names::Chain;
use crate::vault::names::Place;
use crate::vault::session::builder::PackBuilder;
use crate::vault::session::lease::Lease;
use crate::vault::session::writer::PackWriter;

/// A record older than this belongs to nobody: no session is renewed for so long.
pub(in crate::vault) const SESSION_MS_MAX: i64 = 72 * 60 * 60 * 1000;
/// Rows of one index file, so that it stays far below its limit.
const INDEX_ROWS_COUNT_MAX: usize = 1 << 20;
const _: () = assert!(
    (INDEX_ROWS_COUNT_MAX + crate::format::pack::PACK_OBJECTS_COUNT_MAX) as u64 * 77
        < 2 * index::INDEX_BYTES_MAX
);

/// Who backs up, and on what it builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRequest {
    pub machine: MachineId,
    pub source: SourceId,
    /// The snapshot whose objects may be referred to again.
    pub parent: Option<SnapshotId>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    New,
    /// The vault had it, or this session has handed it over before.
    Known,
}

/// A lease on the vault; the only way to put objects and to commit.
#[derive(Debug)]
pub struct Session {
    pub(in crate::vault) vault: Arc<Inner>,
    pub(in crate::vault) request: SessionRequest,
    id: SessionId,
    run: Run,
    pub(in crate::vault) writer: PackWriter,
    open: Mutex<Open>,
    /// Where the parent's manifest lies, once it was seen in its chain.
    parent: OnceLock<Place>,
}

/// What changes with every object.
#[derive(Debug, Default)]
struct Open {
    data: PackBuilder,
    nodes: PackBuilder,
    /// Objects that this session has handed over.
    put: HashSet<[u8; 16]>,
    /// Packs that an answer "known" relied on, with their lengths.
    relied: BTreeMap<PackId, u64>,
    /// The objects that were answered "known".
    known: HashSet<[u8; 16]>,
    /// Whether `relied` names the packs of this session too.
    is_found_anew: bool,
}

impl Vault {
    /// Opens a session with a lease. What dead sessions left is swept, where the storage is far at
    /// the commit.
    pub fn open_session(&self, run: &Run, request: SessionRequest) -> Result<Session, VaultError> {
        run.check()?;
        let vault = &self.inner;
        let id = SessionId::new(blind::random_id()?);
        let record = SessionRecord {
            session: id,
            machine: request.machine,
            source: request.source,
            parent: request.parent,
            program: vault.options.program.clone(),
        };
        let lease = Lease::open(run, vault, &record)?;
        // After its own record: a prune writes its record first, then looks for sessions.
        let condemned = match vault.storage.is_far() {
            true => {
                // Who has no parent puts everything, and asks the index of each.
                let is_first = request.parent.is_none();
                let warm = || is_first.then(|| vault.with_locations(run, |_| ()));
                together::both(&*vault.storage, warm, || Condemned::read(run, vault)).1?
            }
            false => {
                lease.sweep(vault)?;
                Condemned::read(run, vault)?
            }
        };
        vault.change_locations(|locations| locations.condemn(&condemned.packs()));
        if let Some(id) = request.parent.filter(|parent| condemned.gives_up(parent)) {
            lease.close(vault);
            return Err(VaultError::ParentGone { id });
        }
        let writer = PackWriter::start(run, vault, lease)?;
        let (vault, run) = (Arc::clone(vault), run.clone());
        let (open, parent) = (Mutex::default(), OnceLock::new());
        Ok(Session { vault, request, id, run, writer, open, parent })
    }
}

impl Session {
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    pub(in crate::vault) const fn chain(&self) -> Chain {
        Chain { machine: self.request.machine, source: self.request.source }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an object need not be put again. Loads the index.
    pub fn holds(&self, sid: &Sid) -> Result<bool, VaultError> {
        self.writer.check()?;
        self.is_known(&mut self.open(), sid)
    }

    fn is_known(&self, open: &mut Open, sid: &Sid) -> Result<bool, VaultError> {
        if open.put.contains(&locations::prefix_of(sid)) {
            return Ok(true);
        }
        let known = self.vault.with_locations(&self.run, |locations| {
            let prefix = locations::prefix_of(sid);
            let is_known = locations.offers(&prefix);
            if is_known {
                open.known.insert(prefix);
                let rows = locations.find(sid).filter(|row| locations.is_usable(row.pack));
                let packs = rows.filter_map(|row| locations.pack(row.pack));
                open.relied.extend(packs.map(|pack| (pack.id, pack.len_bytes)));
            }
            is_known
        });
        known.map_err(|error| self.writer.poison(error))
    }

    /// Takes an object if its hash is its name: data once, a node twice, in different packs. Waits
    /// while one full pack is written and the next is full.
    pub fn put(&self, object: SealedObject) -> Result<Put, VaultError> {
        self.writer.check()?;
        let SealedObject { sid, kind, bytes } = object;
        let found_bytes = bytes.len();
        if found_bytes == 0 || found_bytes > OBJECT_BYTES_MAX {
            let max_bytes = OBJECT_BYTES_MAX;
            return Err(VaultError::ObjectLength { sid, found_bytes, max_bytes });
        }
        let found = blind::sid_of(&bytes);
        if found != sid {
            return Err(VaultError::ObjectHash { sid, found });
        }
        let mut open = self.open();
        if !self.writer.is_open() {
            return Err(VaultError::Closed);
        }
        if self.is_known(&mut open, &sid)? {
            self.run.count(Count::ObjectsKnown, 1);
            return Ok(Put::Known);
        }
        open.put.insert(locations::prefix_of(&sid));
        let bytes = Arc::new(bytes);
        let copies = if kind.is_node() { 2 } else { 1 };
        if kind.is_node() {
            open.nodes.push(sid, kind, Arc::clone(&bytes));
        }
        open.data.push(sid, kind, bytes);
        self.run.count(Count::ObjectsNew, 1);
        self.run.count(Count::BytesStored, copies * found_bytes as u64);
        let pack_bytes = self.vault.options.pack_bytes;
        if open.nodes.is_full(pack_bytes) {
            self.writer.send(std::mem::take(&mut open.nodes))?;
        }
        if open.data.is_full(pack_bytes) {
            self.writer.send(std::mem::take(&mut open.data))?;
        }
        Ok(Put::New)
    }

    /// Ends an interrupted session: what was put stays, and the next session knows it.
    pub fn suspend(mut self, run: &Run) -> Result<(), VaultError> {
        self.flush()?;
        if self.write_index(run)? {
            self.barrier(run)?;
        }
        self.writer.progress().lease.close(&self.vault);
        Ok(())
    }

    /// Writes the open packs and ends the thread. Doing it again does nothing.
    pub(in crate::vault) fn flush(&mut self) -> Result<(), VaultError> {
        if self.writer.is_open() {
            self.writer.check()?;
            let (nodes, data) = {
                let mut open = self.open();
                (std::mem::take(&mut open.nodes), std::mem::take(&mut open.data))
            };
            for pack in [nodes, data].into_iter().filter(|pack| !pack.is_empty()) {
                self.writer.send(pack)?;
            }
        }
        self.writer.finish()
    }

    /// Writes index files for the packs of this session, and for those that no index names. Says
    /// whether there were any.
    pub(in crate::vault) fn write_index(&self, run: &Run) -> Result<bool, VaultError> {
        let written = {
            let progress = self.writer.progress();
            progress.written.get(progress.indexed_count..).unwrap_or_default().to_vec()
        };
        let adopted = self.vault.change_locations(|locations| locations.unindexed.clone());
        let mut tables = written;
        tables.extend(adopted.unwrap_or_default());
        if tables.is_empty() {
            return Ok(false);
        }
        write_indexes(run, &self.vault, &tables, &mut |name| {
            self.writer.progress().indexes.push(name);
        })?;
        self.vault.change_locations(|locations| locations.unindexed.clear());
        let mut progress = self.writer.progress();
        progress.indexed_count = progress.written.len();
        Ok(true)
    }

    /// Names and lengths of every pack that the snapshot relies on and this session knows of.
    pub(in crate::vault) fn relied_packs(&self) -> Vec<(PackId, u64)> {
        let mut packs = Vec::new();
        if !self.open().is_found_anew {
            let written = self.writer.progress();
            packs.extend(written.written.iter().map(|it| (it.pack, it.pack_len_bytes())));
        }
        packs.extend(self.open().relied.iter().map(|(id, len_bytes)| (*id, *len_bytes)));
        packs
    }

    /// Packs that this session has written so far, and their lengths.
    #[must_use]
    pub fn written_packs(&self) -> Vec<(PackId, u64)> {
        let progress = self.writer.progress();
        progress.written.iter().map(|table| (table.pack, table.pack_len_bytes())).collect()
    }

    /// Whether an object is here, as far as this session can tell without reading the index for it.
    pub(in crate::vault) fn has_put(&self, sid: &Sid) -> bool {
        self.open().put.contains(&locations::prefix_of(sid))
    }

    /// Whether anything was put or asked for, so that packs matter to this commit.
    pub(in crate::vault) fn relies_on_packs(&self) -> bool {
        let open = self.open();
        !open.put.is_empty() || !open.relied.is_empty()
    }
}

/// Writes index files for packs, each no larger than it may be, and tells of every one.
pub(in crate::vault) fn write_indexes(
    run: &Run,
    vault: &Inner,
    tables: &[PackTable],
    tell: &mut dyn FnMut(BlobName),
) -> Result<(), VaultError> {
    let mut rest = tables;
    while !rest.is_empty() {
        run.check()?;
        let (now, later) = rest.split_at(of_one_index(rest));
        let (name, file) = index_file(vault, now)?;
        vault.storage.create(&name, &[&file])?;
        tell(name);
        rest = later;
    }
    Ok(())
}

/// How many of the first tables fit one index file.
pub(in crate::vault) fn of_one_index(tables: &[PackTable]) -> usize {
    let mut rows = 0;
    let fits = tables.iter().take_while(|table| {
        let is_first = rows == 0;
        rows += table.rows.len();
        is_first || rows <= INDEX_ROWS_COUNT_MAX
    });
    fits.count()
}

/// Name and bytes of an index file.
pub(in crate::vault) fn index_file(
    vault: &Inner,
    tables: &[PackTable],
) -> Result<(BlobName, Vec<u8>), VaultError> {
    let (generation, key) = vault.keys.newest();
    let body = index::encode_tables(tables)?;
    let repository = vault.keys.repository();
    let place = blind::Place { kind: INDEX_KIND, repository, name: b"" };
    let file = index::join(generation, &blind::seal_box(key, place, &body)?);
    let name = names::index(&IndexId::new(blind::hash(&file)))?;
    Ok((name, file))
}
