//! The threads that write full packs, so that sealing goes on meanwhile.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::format::index::PackTable;
use crate::format::pack::PACK_BYTES_MAX;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::vault::Inner;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::session::builder::FinishedPack;
use crate::vault::session::builder::PackBuilder;
use crate::vault::session::disown::Manifests;
use crate::vault::session::lease::Lease;

/// What the threads and the session share.
#[derive(Debug)]
pub(in crate::vault) struct Progress {
    /// Tables of the packs written.
    pub written: Vec<PackTable>,
    /// How many of them are in an index file.
    pub indexed_count: usize,
    /// Index files written.
    pub indexes: Vec<BlobName>,
    /// Manifests that stood before the first pack; none before that.
    pub stood: Option<Manifests>,
    pub lease: Lease,
    /// The error that broke the session.
    pub broken: Option<VaultError>,
}

/// Threads that write packs to a storage that is far: while one waits for a name or a barrier, the
/// line is not idle. Each holds a pack in memory.
const THREADS_FAR: usize = 2;

/// Hands packs to the threads: they are written while the next is filled.
#[derive(Debug)]
pub(in crate::vault) struct PackWriter {
    packs: Option<Sender<PackBuilder>>,
    threads: Vec<JoinHandle<()>>,
    progress: Arc<Mutex<Progress>>,
}

impl PackWriter {
    pub(in crate::vault) fn start(
        run: &Run,
        vault: &Arc<Inner>,
        lease: Lease,
    ) -> Result<Self, VaultError> {
        let (written, indexes) = (Vec::new(), Vec::new());
        let progress =
            Progress { written, indexed_count: 0, indexes, stood: None, lease, broken: None };
        let progress = Arc::new(Mutex::new(progress));
        // No room in the channel: a full pack waits in the session until the last one is written.
        let (packs, queue) = crossbeam_channel::bounded(0);
        let mut threads = Vec::new();
        for _ in 0..if vault.storage.is_far() { THREADS_FAR } else { 1 } {
            let (queue, progress): (Receiver<PackBuilder>, _) = (queue.clone(), &progress);
            let (run, vault) = (run.clone(), Arc::clone(vault));
            let work = Work { run, vault, progress: Arc::clone(progress) };
            let thread = std::thread::Builder::new().name("pack writer".to_owned());
            let thread = thread.spawn(move || work.write_all(&queue));
            threads.push(thread.map_err(|error| VaultError::Thread { detail: error.to_string() })?);
        }
        Ok(Self { packs: Some(packs), threads, progress })
    }

    pub(in crate::vault) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An error if something has gone wrong before.
    pub(in crate::vault) fn check(&self) -> Result<(), VaultError> {
        match &self.progress().broken {
            Some(cause) => Err(VaultError::Poisoned { cause: Box::new(cause.clone()) }),
            None => Ok(()),
        }
    }

    /// Remembers an error: from now on the session does nothing.
    pub(in crate::vault) fn poison(&self, error: VaultError) -> VaultError {
        self.progress().broken.get_or_insert_with(|| error.clone());
        error
    }

    /// Waits until a thread takes the pack.
    pub(in crate::vault) fn send(&self, pack: PackBuilder) -> Result<(), VaultError> {
        let sent = self.packs.as_ref().ok_or(VaultError::Closed)?.send(pack);
        match (self.check(), sent) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(broken), _) => Err(broken),
            (Ok(()), Err(_)) => Err(VaultError::Closed),
        }
    }

    pub(in crate::vault) const fn is_open(&self) -> bool {
        self.packs.is_some()
    }

    /// Waits until everything handed over is written.
    pub(in crate::vault) fn finish(&mut self) -> Result<(), VaultError> {
        self.packs = None;
        for thread in std::mem::take(&mut self.threads) {
            if thread.join().is_err() {
                let detail = "it panicked".to_owned();
                let _told_below = self.poison(VaultError::Thread { detail });
            }
        }
        self.check()
    }
}

impl Drop for PackWriter {
    fn drop(&mut self) {
        // Whoever drops an unfinished session loses what was not written; a later one goes on.
        drop(self.finish());
    }
}

struct Work {
    run: Run,
    vault: Arc<Inner>,
    progress: Arc<Mutex<Progress>>,
}

impl Work {
    fn write_all(&self, queue: &Receiver<PackBuilder>) {
        while let Ok(builder) = queue.recv() {
            // Another one has failed.
            if self.progress.lock().unwrap_or_else(PoisonError::into_inner).broken.is_some() {
                return;
            }
            if let Err(error) = self.write(builder) {
                let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.broken.get_or_insert(error);
                return;
            }
        }
    }

    /// Before the first pack has its name.
    fn note_what_stands(&self) -> Result<(), VaultError> {
        let progress = || self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress().stood.is_none() {
            let stood = Manifests::now(&self.vault)?;
            // Of two the one that is kept came before both their packs.
            progress().stood.get_or_insert(stood);
        }
        Ok(())
    }

    fn write(&self, builder: PackBuilder) -> Result<(), VaultError> {
        let pack = builder.finish(&self.vault.keys)?;
        create_pack_if(&self.vault, &pack, || self.note_what_stands())?;
        self.run.count(Count::PacksWritten, 1);
        self.vault.change_locations(|locations| locations.add(&pack.table));
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.written.push(pack.table);
        progress.lease.touch(&self.run, &self.vault)
    }
}

pub(in crate::vault) fn create_pack(vault: &Inner, pack: &FinishedPack) -> Result<(), VaultError> {
    create_pack_if(vault, pack, || Ok(()))
}

/// A pack that has its name only after `may`; its bytes are on their way meanwhile. A taken name is
/// good if the same bytes lie there: an answer was lost, and the call repeated.
fn create_pack_if(
    vault: &Inner,
    pack: &FinishedPack,
    may: impl FnOnce() -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let name = names::pack(&pack.table.pack)?;
    let parts = pack.parts();
    let (mut may, mut refused) = (Some(may), None);
    let created = vault.storage.create_if(&name, &parts, &mut || {
        let said = may.take().map_or(Ok(()), |may| may());
        refused = said.err();
        refused.is_none()
    });
    if let Some(refused) = refused {
        return Err(refused);
    }
    match created {
        Ok(_) => Ok(()),
        Err(error) if error.kind == StorageErrorKind::AlreadyExists => {
            let found = vault.storage.read(&name, PACK_BYTES_MAX)?;
            if found == parts.concat() {
                return Ok(());
            }
            Err(VaultError::Record { name, fault: Fault::Hash })
        }
        Err(error) => Err(error.into()),
    }
}
