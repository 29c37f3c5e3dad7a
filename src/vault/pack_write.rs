//! Packs on their way to storage: filled by many, written by one thread.

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::blind::StoreKeys;
use crate::format::index::PackTable;
use crate::format::object::SealedObject;
use crate::format::pack;
use crate::format::pack::PACK_MAGIC;
use crate::format::pack::PACK_TABLE_KIND;
use crate::format::pack::TableRow;
use crate::format::pack::Trailer;
use crate::ids::PackId;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::vault::error::VaultError;
use crate::vault::names;

/// A pack that is being filled.
#[derive(Debug, Default)]
pub(super) struct OpenPack {
    bytes: Vec<u8>,
    rows: Vec<TableRow>,
}

impl OpenPack {
    pub(super) fn push(&mut self, object: &SealedObject) {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(PACK_MAGIC);
        }
        self.bytes.extend_from_slice(&object.bytes);
        let len_bytes = u32::try_from(object.bytes.len()).unwrap_or(u32::MAX);
        self.rows.push(TableRow { kind: object.kind, sid: object.sid, len_bytes });
    }

    #[must_use]
    pub(super) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds table and trailer.
    fn finish(&mut self, keys: &StoreKeys) -> PackTable {
        let mut rows = Vec::new();
        pack::encode_rows(&mut rows, &self.rows);
        let (generation, key) = keys.newest();
        let place = Place { kind: PACK_TABLE_KIND, repository: keys.repository(), name: b"" };
        let sealed = blind::seal_box_deterministic(key, place, &rows);
        self.bytes.extend_from_slice(&sealed);
        let table_len_bytes = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&Trailer { table_len_bytes, generation }.encode());
        PackTable {
            pack: PackId::new(blind::hash(&self.bytes)),
            sealed_table_bytes: table_len_bytes,
            rows: std::mem::take(&mut self.rows),
        }
    }
}

/// The thread that writes packs; at most one pack waits.
#[derive(Debug)]
pub(super) struct PackWriter {
    jobs: Option<Sender<OpenPack>>,
    done: Receiver<Result<PackTable, VaultError>>,
    spare: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
}

impl PackWriter {
    pub(super) fn start(storage: Arc<dyn Storage>, keys: StoreKeys) -> Result<Self, VaultError> {
        let (jobs, queue) = crossbeam_channel::bounded::<OpenPack>(1);
        let (done_sender, done) = crossbeam_channel::unbounded();
        let (spare_sender, spare) = crossbeam_channel::unbounded();
        let thread = std::thread::Builder::new().name("packs".to_owned()).spawn(move || {
            for mut open in queue {
                let table = open.finish(&keys);
                let written = write(&storage, &table, &open.bytes).map(|()| table);
                open.bytes.clear();
                // Nobody waits any more when the session was dropped.
                let _session_gone = spare_sender.send(open.bytes);
                if done_sender.send(written).is_err() {
                    break;
                }
            }
        });
        let thread = thread.map_err(|_| VaultError::WriterGone)?;
        Ok(Self { jobs: Some(jobs), done, spare, thread: Some(thread) })
    }

    /// Hands a pack over, waiting while another one waits. Returns an empty pack to go on with.
    pub(super) fn hand_over(&self, open: OpenPack) -> Result<OpenPack, VaultError> {
        let jobs = self.jobs.as_ref().ok_or(VaultError::WriterGone)?;
        jobs.send(open).map_err(|_| VaultError::WriterGone)?;
        let bytes = self.spare.try_recv().unwrap_or_default();
        Ok(OpenPack { bytes, rows: Vec::new() })
    }

    /// Packs that were written since the last call.
    pub(super) fn written(&self) -> impl Iterator<Item = Result<PackTable, VaultError>> + '_ {
        self.done.try_iter()
    }

    /// Waits until everything handed over is written, and returns what was not asked for before.
    pub(super) fn finish(&mut self) -> Vec<Result<PackTable, VaultError>> {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            return vec![Err(VaultError::WriterGone)];
        }
        self.done.try_iter().collect()
    }
}

impl Drop for PackWriter {
    fn drop(&mut self) {
        let _abandoned = self.finish();
    }
}

fn write(storage: &Arc<dyn Storage>, table: &PackTable, bytes: &[u8]) -> Result<(), VaultError> {
    match storage.create(&names::pack(table.pack)?, &[bytes]) {
        Ok(()) => Ok(()),
        // An interrupted run wrote the same pack; equal names hold equal bytes.
        Err(error) if error.kind == StorageErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}
