//! One connection, and what its server can do.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use futures_util::future::OptionFuture;
use futures_util::future::join;
use futures_util::future::join_all;
use russh::client;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::rawsession::Limits;
use russh_sftp::extensions;
use russh_sftp::protocol::FileAttributes;
use russh_sftp::protocol::OpenFlags;
use tokio::sync::OnceCell;
use tokio::sync::Semaphore;

use super::connect::Guard;
use super::list;
use super::list::Item;
use super::trouble::Trouble;

/// Reads and writes in flight over one connection: at 255 KiB each what a link of 1 Gbit/s and
/// 60 ms holds.
const IN_FLIGHT_MAX: usize = 32;
/// Files that stay open to be read from.
const READERS_MAX: usize = 8;
/// Folders that stay open to be synced.
const FOLDERS_OPEN_MAX: usize = 16;
/// Folders that are listed at the same time.
const FOLDERS_MAX: usize = 16;
/// What every server takes in one read or write (draft-ietf-secsh-filexfer-02, section 3).
const CHUNK_BYTES_MIN: u64 = 32 * 1024;
/// The longest read or write of OpenSSH.
const CHUNK_BYTES_MAX: u64 = 255 * 1024;

/// A connection over which SFTP is spoken.
pub(super) struct Link {
    pub(super) session: RawSftpSession,
    /// Which connection of this process it is.
    pub(super) generation: u64,
    /// Most bytes of one read, and of one write.
    pub(super) chunk_bytes: usize,
    /// Reads and writes that may start.
    pub(super) in_flight: Semaphore,
    /// Listings that may start.
    pub(super) folders: Semaphore,
    /// Whether it syncs files; what it makes of folders is asked when it is first needed.
    has_fsync: bool,
    syncs: OnceCell<Syncs>,
    /// What lay at the storage's root when the connection was made; for the first who asks.
    root: Mutex<Option<Result<Option<Item>, Trouble>>>,
    /// Files that were read from lately, with their handles, the newest last: a pack is read in
    /// many parts, and each would cost a round trip more.
    readers: Mutex<Vec<(String, String)>>,
    /// Folders in which a blob was named lately, with their handles, the newest last: a barrier
    /// takes one round trip less.
    named_in: Mutex<Vec<(String, String)>>,
    carrier: Carrier,
}

/// What keeps the connection.
pub(super) enum Carrier {
    Ssh(client::Handle<Guard>),
    /// Ended when this is dropped.
    Program(Mutex<tokio::process::Child>),
}

/// What the server can make durable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syncs {
    /// Files, and the names in folders.
    All,
    Files,
    Nothing,
}

impl Link {
    /// Asks for the server's limits, and what lies at `root`, in one round trip.
    ///
    /// # Errors
    /// When the connection was lost.
    pub(super) async fn new(
        mut session: RawSftpSession,
        carrier: Carrier,
        (generation, extensions): (u64, &HashMap<String, String>),
        root: &str,
    ) -> Result<Arc<Self>, Trouble> {
        let has_limits = extensions.contains_key(extensions::LIMITS);
        let asked = OptionFuture::from(has_limits.then(|| session.limits()));
        let (limits, root) = join(asked, list::at(&session, root)).await;
        let mut chunk_bytes = CHUNK_BYTES_MIN;
        if let Some(limits) = limits {
            let limits = Limits::from(limits?);
            let longest = |limit: Option<u64>| limit.unwrap_or(CHUNK_BYTES_MIN);
            let both = longest(limits.read_len).min(longest(limits.write_len));
            chunk_bytes = both.clamp(1, CHUNK_BYTES_MAX);
            session.set_limits(limits);
        }
        let link = Arc::new(Self {
            session,
            generation,
            chunk_bytes: usize::try_from(chunk_bytes).unwrap_or(1),
            in_flight: Semaphore::new(IN_FLIGHT_MAX),
            folders: Semaphore::new(FOLDERS_MAX),
            has_fsync: extensions.contains_key(extensions::FSYNC),
            syncs: OnceCell::new(),
            root: Mutex::new(Some(root)),
            readers: Mutex::default(),
            named_in: Mutex::default(),
            carrier,
        });
        // Beside what comes first, which reads.
        let asking = Arc::clone(&link);
        tokio::spawn(async move {
            if let Err(trouble) = asking.syncs().await {
                tracing::debug!(%trouble, "what the server can make durable is asked again");
            }
        });
        Ok(link)
    }

    /// What lay at the root when the connection was made, once.
    pub(super) fn root_seen(&self) -> Option<Result<Option<Item>, Trouble>> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether it may still be used.
    pub(super) fn is_open(&self) -> bool {
        match &self.carrier {
            Carrier::Ssh(handle) => !handle.is_closed(),
            Carrier::Program(child) => {
                let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
                matches!(child.try_wait(), Ok(None))
            }
        }
    }

    /// What the server can make durable; asked once.
    ///
    /// # Errors
    /// When the connection was lost.
    pub(super) async fn syncs(&self) -> Result<Syncs, Trouble> {
        let asked = async || match self.has_fsync {
            true if can_sync_folders(&self.session).await? => Ok(Syncs::All),
            true => Ok(Syncs::Files),
            false => Ok(Syncs::Nothing),
        };
        self.syncs.get_or_try_init(asked).await.copied()
    }

    pub(super) async fn weakness(&self) -> Result<Option<&'static str>, Trouble> {
        Ok(match self.syncs().await? {
            Syncs::All => None,
            Syncs::Files => Some(
                "the server cannot make folders durable: names that were given just before a \
                 power cut of the server may be lost, and the next check tells",
            ),
            Syncs::Nothing => Some(
                "the server cannot make files durable (fsync@openssh.com): what was written just \
                 before a power cut of the server may be lost, and the next check tells",
            ),
        })
    }

    /// Opens a file to be read.
    pub(super) async fn open(&self, path: &str) -> Result<String, Trouble> {
        let opened = self.session.open(path, OpenFlags::READ, FileAttributes::empty()).await;
        Ok(opened?.handle)
    }

    fn readers(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of a file that is open already.
    pub(super) fn reader(&self, path: &str) -> Option<String> {
        let mut readers = self.readers();
        let at = readers.iter().position(|(known, _)| known == path)?;
        let found = readers.remove(at);
        let handle = found.1.clone();
        readers.push(found);
        Some(handle)
    }

    /// Keeps a file open; the one that was read from longest ago is closed.
    pub(super) fn keep_reader(self: &Arc<Self>, path: &str, handle: String) {
        let mut readers = self.readers();
        readers.push((path.to_owned(), handle));
        if readers.len() > READERS_MAX {
            let (_, oldest) = readers.remove(0);
            self.close_later(oldest);
        }
    }

    /// Closes a file that may be open.
    pub(super) fn forget_reader(self: &Arc<Self>, path: &str) {
        let mut readers = self.readers();
        while let Some(at) = readers.iter().position(|(known, _)| known == path) {
            let (_, handle) = readers.remove(at);
            self.close_later(handle);
        }
    }

    /// Closes without waiting for the answer, which nobody needs.
    pub(super) fn close_later(self: &Arc<Self>, handle: String) {
        let link = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = link.session.close(handle).await {
                tracing::debug!(%error, "a file on the server was not closed");
            }
        });
    }

    pub(super) async fn remove(&self, path: &str) -> Result<(), Trouble> {
        self.session.remove(path).await?;
        Ok(())
    }

    fn named_in(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.named_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a folder for the next barrier, in place of what was open before, and those above it
    /// that are not open: to be called while a blob of this process lies in it, so that they are
    /// the folders that have these paths now. Without it the barrier opens them by itself.
    pub(super) async fn keep_folders(self: &Arc<Self>, paths: &[String]) {
        if !matches!(self.syncs.get(), Some(Syncs::All)) {
            return;
        }
        let is_open = |path: &str| self.named_in().iter().any(|(known, _)| known == path);
        let wanted = paths.iter().enumerate().filter(|(at, path)| *at == 0 || !is_open(path));
        let wanted: Vec<&String> = wanted.map(|(_, path)| path).collect();
        join_all(wanted.into_iter().map(|path| self.keep_folder(path))).await;
    }

    async fn keep_folder(self: &Arc<Self>, path: &str) {
        let Ok(handle) = self.open(path).await else { return };
        self.forget_folder(path);
        let mut folders = self.named_in();
        folders.push((path.to_owned(), handle));
        if folders.len() > FOLDERS_OPEN_MAX {
            let (_, oldest) = folders.remove(0);
            self.close_later(oldest);
        }
    }

    /// Closes a folder that may be open: it may be another one that has this path next.
    pub(super) fn forget_folder(self: &Arc<Self>, path: &str) {
        while let Some(handle) = self.take_folder(path) {
            self.close_later(handle);
        }
    }

    /// The handle of a folder that is open, which nobody else uses or closes from now on.
    fn take_folder(&self, path: &str) -> Option<String> {
        let mut folders = self.named_in();
        let at = folders.iter().position(|(known, _)| known == path)?;
        Some(folders.remove(at).1)
    }

    /// Makes the names in a folder durable, where the server can.
    pub(super) async fn sync_folder(self: &Arc<Self>, path: &str) -> Result<(), Trouble> {
        if self.syncs().await? != Syncs::All {
            return Ok(());
        }
        let handle = match self.take_folder(path) {
            Some(handle) => handle,
            None => self.open(path).await?,
        };
        // Never opened anew after an error: a system tells it once.
        let synced = self.session.fsync(handle.as_str()).await;
        self.close_later(handle);
        synced?;
        Ok(())
    }
}

/// OpenSSH opens a folder as it does a file, and syncs what was opened. Tried once, on the folder
/// that everybody has: what fails later is a failure.
async fn can_sync_folders(session: &RawSftpSession) -> Result<bool, Trouble> {
    let opened = session.open(".", OpenFlags::READ, FileAttributes::empty()).await;
    let handle = match opened.map_err(Trouble::from) {
        Ok(opened) => opened.handle,
        Err(trouble) if trouble.is_lost() => return Err(trouble),
        Err(_) => return Ok(false),
    };
    let (synced, closed) =
        join(session.fsync(handle.as_str()), session.close(handle.as_str())).await;
    closed?;
    match synced.map_err(Trouble::from) {
        Err(trouble) if trouble.is_lost() => Err(trouble),
        synced => Ok(synced.is_ok()),
    }
}
