//! Blobs as files on a server that speaks SFTP (version 3, as OpenSSH does).
//!
//! What it is: the storage on a NAS or an off-site server that is reached by SSH: the same names
//! and the same way of creating as in a folder, over one connection that is made anew when it is
//! lost.
//! Never: replaces a file; trusts a server whose key it was not told; runs a shell; keeps a secret
//! longer than the storage lives, or lets one out in a text.
//! Invariants: a blob's content is durable before it has its name, where the server can do that
//! (`fsync@openssh.com`); requests in flight are bounded; what was created over a connection that
//! is gone is looked at again before a `sync` vouches for it.
//! Start reading at: [`SftpStorage`].

mod connect;
mod file;
mod hosts;
mod leftovers;
mod link;
mod list;
pub mod patience;
mod put;
mod sync;
#[cfg(test)]
mod tests;
mod trouble;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use futures_util::future::join;
use russh_sftp::protocol::FileAttributes;

use crate::run::Run;
use crate::run::seed::Choices;
use crate::secret::SecretBytes;
use crate::storage::BlobName;
use crate::storage::BlobStat;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::TEMP_PREFIX;
use crate::storage::parent_of;
use crate::storage::refuse::Refuse as _;
use crate::storage::together;
use crate::storage::wire;
use crate::storage::wire::Wire;
use crate::units::Timestamp;

use self::link::Link;
use self::list::Item;
use self::list::ItemKind;
use self::patience::Patience;
use self::put::Blob;
use self::sync::Unsynced;
use self::trouble::Trouble;

/// The port of SSH.
pub const PORT: u16 = 22;

/// Where the server is, and as whom.
#[derive(Debug, Clone)]
pub struct SftpOptions {
    pub way: Way,
    /// The folder on the server; without a leading `/` it lies in the user's own folder.
    pub root: String,
}

/// How the server is reached.
#[derive(Debug, Clone)]
pub enum Way {
    Ssh(Ssh),
    /// A program that speaks SFTP on its standard input and output, such as the user's own `ssh`
    /// with its jump hosts: `ssh -J jump nas -s sftp`.
    Program(Vec<OsString>),
}

/// A connection by SSH.
#[derive(Debug, Clone)]
pub struct Ssh {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub host_keys: HostKeys,
    /// In the order in which they are tried.
    pub logins: Vec<Login>,
}

/// How the server's key is known.
#[derive(Debug, Clone)]
pub enum HostKeys {
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    Fingerprint(String),
    /// Files in the form of OpenSSH's `known_hosts`; a missing one knows nothing.
    Files(Vec<PathBuf>),
}

/// Whether a private key opens only with a passphrase.
#[must_use]
pub fn is_sealed_key(content: &SecretBytes) -> bool {
    connect::is_sealed_key(content)
}

/// How this side shows who it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// A private key in a form of OpenSSH or PKCS#8.
    Key {
        shown: String,
        content: SecretBytes,
        passphrase: Option<SecretBytes>,
    },
    /// Every key of the agent at this socket.
    Agent(PathBuf),
    Password(SecretBytes),
}

/// A storage on a server that speaks SFTP.
pub struct SftpStorage {
    run: Run,
    wire: &'static Wire,
    options: SftpOptions,
    patience: Patience,
    /// Under a lock that is held while the connection is made, so that one thread makes it.
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
    choices: Mutex<Choices>,
    unsynced: Mutex<Unsynced>,
    /// Held through a barrier, so that a second one waits for what the first took over.
    barrier: Mutex<()>,
    broken: AtomicBool,
    /// Whether the server has let us in already.
    was_in: AtomicBool,
}

impl SftpStorage {
    /// Connects, and opens an existing folder.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] if there is no such folder; `Denied` if no way of logging in
    /// was accepted; `Transient` if the server does not answer; `Other` if it has another key than
    /// the one that is known, or none is known, or what is there is no folder.
    pub fn open(run: &Run, options: SftpOptions) -> Result<Self, StorageError> {
        Self::open_with(run, options, Patience::USUAL)
    }

    /// Makes the folder, and those above it, if they are missing, and opens it.
    ///
    /// # Errors
    /// Those of [`Self::open`], and of making folders.
    pub fn create(run: &Run, options: SftpOptions) -> Result<Self, StorageError> {
        let storage = Self::over(run, options, Patience::USUAL)?;
        let root = storage.options.root.as_str();
        let made = storage.wait(async |link| {
            let seen = match link.root_seen() {
                Some(seen) => seen?,
                None => list::stat(link, &folder_path(root)).await?,
            };
            if seen.is_none() {
                file::make_folders(link, "", root).await?;
            }
            Ok(())
        });
        made.map_err(|trouble| storage.failed("create the folder of", "", trouble))?;
        storage.open_root()?;
        Ok(storage)
    }

    fn over(run: &Run, options: SftpOptions, patience: Patience) -> Result<Self, StorageError> {
        let location = options.location();
        let wire = Wire::shared().map_err(|error| {
            let lacking = wire::lacks_handles(&error);
            let kind = match lacking {
                Some(_) => StorageErrorKind::Handles,
                None => StorageErrorKind::Other,
            };
            let detail = lacking.unwrap_or_else(|| error.to_string());
            StorageError {
                kind,
                after_s: None,
                location,
                operation: "open",
                name: String::new(),
                detail,
            }
        })?;
        Ok(Self {
            run: run.clone(),
            wire,
            options,
            patience,
            link: tokio::sync::Mutex::new(None),
            choices: Mutex::new(Choices::new(run.seed, "storage::sftp")),
            unsynced: Mutex::default(),
            barrier: Mutex::default(),
            broken: AtomicBool::new(false),
            was_in: AtomicBool::new(false),
        })
    }

    fn open_root(&self) -> Result<(), StorageError> {
        let root = folder_path(&self.options.root);
        let found = self.wait(async |link| match link.root_seen() {
            Some(seen) => seen,
            None => list::stat(link, &root).await,
        });
        match found.map_err(|trouble| self.failed("open", "", trouble))? {
            Some(item) if item.kind == ItemKind::Folder => Ok(()),
            Some(_) => Err(self.refused("open", "", StorageErrorKind::Other, "not a folder")),
            None => Err(self.refused("open", "", StorageErrorKind::NotFound, "no such folder")),
        }
    }

    /// Runs `work` over the connection. It is made if there is none, and given up if it was lost.
    fn wait<T>(
        &self,
        work: impl AsyncFnOnce(&Arc<Link>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.wire.wait(async {
            let link = self.linked().await?;
            let result = work(&link).await;
            if result.as_ref().is_err_and(Trouble::is_lost) {
                self.give_up(&link).await;
            }
            result
        })
    }

    async fn linked(&self) -> Result<Arc<Link>, Trouble> {
        let mut held = self.link.lock().await;
        if let Some(link) = held.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(link));
        }
        *held = None;
        let root = folder_path(&self.options.root);
        let link = match connect::connect(&self.options.way, &root, self.patience).await {
            Ok(link) => link,
            // Who was let in before is let in again, once the server is up: while it starts, it may
            // refuse everybody.
            Err(Trouble::Said(StorageErrorKind::Denied, text))
                if self.was_in.load(Ordering::Relaxed) =>
            {
                return Err(Trouble::Lost(text));
            }
            Err(trouble) => return Err(trouble),
        };
        self.was_in.store(true, Ordering::Relaxed);
        *held = Some(Arc::clone(&link));
        Ok(link)
    }

    async fn give_up(&self, lost: &Arc<Link>) {
        let mut held = self.link.lock().await;
        if held.as_ref().is_some_and(|link| Arc::ptr_eq(link, lost)) {
            *held = None;
        }
    }

    fn path(&self, relative: &str) -> String {
        joined(&self.options.root, relative)
    }

    /// Of a folder below the root; the root itself may be the user's own.
    fn folder_path(&self, folder: &str) -> String {
        let path = self.path(folder);
        if path.is_empty() { ".".to_owned() } else { path }
    }

    fn temp_in(&self, folder: &str) -> String {
        let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        let base = format!("{TEMP_PREFIX}{:016x}", choices.next_number());
        self.path(&joined(folder, &base))
    }

    fn unsynced(&self) -> std::sync::MutexGuard<'_, Unsynced> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_if_broken(&self, operation: &'static str, name: &str) -> Result<(), StorageError> {
        if self.broken.load(Ordering::Acquire) {
            let detail = "an earlier sync failed, what it covered may be lost";
            return Err(self.refused(operation, name, StorageErrorKind::Other, detail));
        }
        Ok(())
    }

    /// The items below a folder, all of them.
    fn tree(&self, folder: &str) -> Result<Vec<Item>, Trouble> {
        self.wait(async |link| {
            // Asked beside, not after: many folders of a repository are missing, and each would
            // cost a round trip more.
            let listing = list::tree(link, &self.options.root, folder);
            let (listed, has_root) = join(listing, self.has_root(link)).await;
            match listed {
                Err(trouble) if trouble.kind() == StorageErrorKind::NotFound => {
                    has_root.map(|()| Vec::new())
                }
                listed => listed,
            }
        })
    }

    /// An error if the root is gone: then not a blob is missing, but all, and nobody may conclude
    /// anything from that.
    async fn has_root(&self, link: &Link) -> Result<(), Trouble> {
        match list::stat(link, &folder_path(&self.options.root)).await? {
            Some(_) => Ok(()),
            None => Err(Trouble::said(StorageErrorKind::Other, "the folder is gone")),
        }
    }

    /// The result of something done to the blob at `path`. `NotFound` is believed only if the root
    /// is there, and also told of what is no blob, such as a folder: servers only say that they
    /// failed.
    async fn of_blob<T>(
        &self,
        link: &Link,
        path: &str,
        done: Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        match done {
            Err(trouble) if trouble.kind() == StorageErrorKind::NotFound => {
                self.has_root(link).await?;
                Err(trouble)
            }
            Err(trouble) if trouble.is_plain_failure() => match list::stat(link, path).await? {
                Some(found) if found.kind != ItemKind::File => Err(Trouble::no_file()),
                _ => Err(trouble),
            },
            done => done,
        }
    }

    fn failed(&self, operation: &'static str, name: &str, trouble: Trouble) -> StorageError {
        self.refused(operation, name, trouble.kind(), &trouble.to_string())
    }
}

impl SftpOptions {
    fn location(&self) -> String {
        let root = &self.root;
        match &self.way {
            Way::Ssh(Ssh { host, port: PORT, user, .. }) => format!("sftp:{user}@{host}:{root}"),
            Way::Ssh(Ssh { host, port, user, .. }) => format!("sftp://{user}@{host}:{port}{root}"),
            Way::Program(argv) => {
                let program = argv.first().map(|word| word.to_string_lossy()).unwrap_or_default();
                format!("sftp by `{program}`:{root}")
            }
        }
    }
}

impl fmt::Debug for SftpStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SftpStorage({})", self.options.location())
    }
}

impl Storage for SftpStorage {
    fn location(&self) -> String {
        self.options.location()
    }

    fn create(&self, name: &BlobName, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.create_dated(name, parts).map(drop)
    }

    fn create_dated(&self, name: &BlobName, parts: &[&[u8]]) -> Result<Timestamp, StorageError> {
        let (temp, blob) = (self.temp_in(parent_of(name.as_str())), Blob { name, parts });
        let generation = self.write_alone(&temp, blob)?;
        self.name((&temp, generation), blob)
    }

    fn create_if(
        &self,
        name: &BlobName,
        parts: &[&[u8]],
        may: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StorageError> {
        let (temp, blob) = (self.temp_in(parent_of(name.as_str())), Blob { name, parts });
        let (written, may) = together::both(self, || self.write_alone(&temp, blob), may);
        let generation = written?;
        if may {
            return self.name((&temp, generation), blob).map(|_| true);
        }
        // A leftover is collected later.
        drop(self.wait(async |link| link.remove(&temp).await));
        Ok(false)
    }

    fn is_far(&self) -> bool {
        true
    }

    fn read(&self, name: &BlobName, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
        let path = self.path(name.as_str());
        let read = self.wait(async |link| {
            self.of_blob(link, &path, file::read(link, &path, bytes_max).await).await
        });
        read.map_err(|trouble| self.failed("read", name.as_str(), trouble))
    }

    fn read_range(
        &self,
        name: &BlobName,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), StorageError> {
        let path = self.path(name.as_str());
        let read = self.wait(async |link| {
            let read = file::read_range(link, &path, offset, into).await;
            self.of_blob(link, &path, read).await
        });
        read.map_err(|trouble| self.failed("read", name.as_str(), trouble))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StorageError> {
        let folder = self.folder_of(prefix)?;
        let items = self.tree(&folder).map_err(|trouble| self.failed("list", prefix, trouble))?;
        Ok(items.into_iter().filter_map(Item::into_listed).collect())
    }

    fn stat(&self, name: &BlobName) -> Result<BlobStat, StorageError> {
        let path = self.path(name.as_str());
        let found = self.wait(async |link| {
            let found = list::stat(link, &path).await?;
            let missing = || Trouble::said(StorageErrorKind::NotFound, "no such file");
            self.of_blob(link, &path, found.ok_or_else(missing)).await
        });
        let found = found.map_err(|trouble| self.failed("stat", name.as_str(), trouble))?;
        if found.kind != ItemKind::File {
            return Err(self.no_blob("stat", name));
        }
        Ok(BlobStat { len_bytes: found.len_bytes, created: found.modified })
    }

    fn delete(&self, name: &BlobName) -> Result<(), StorageError> {
        let path = self.path(name.as_str());
        // Before it is sent: a barrier beside it must not take the blob for one that was lost.
        let created = self.unsynced().remove(name.as_str());
        let removed = self.wait(async |link| {
            link.forget_reader(&path);
            link.forget_folder(&self.folder_path(parent_of(name.as_str())));
            self.of_blob(link, &path, link.remove(&path).await).await
        });
        removed.map_err(|trouble| {
            self.unsynced().put_back(name.as_str(), created);
            self.failed("delete", name.as_str(), trouble)
        })
    }

    fn weaknesses(&self) -> Vec<String> {
        let found = self.wire.wait(async {
            let link = self.link.lock().await.clone();
            // A server that is away tells nothing.
            link?.weakness().await.ok().flatten()
        });
        found.into_iter().map(str::to_owned).collect()
    }

    fn sync(&self) -> Result<(), StorageError> {
        let _one_at_a_time = self.barrier.lock().unwrap_or_else(PoisonError::into_inner);
        self.refuse_if_broken("sync", "")?;
        let taken = self.unsynced().take();
        let synced = self.sync_all(&taken);
        synced.map_err(|trouble| {
            self.broken.store(true, Ordering::Release);
            self.refused("sync", "", StorageErrorKind::Other, &trouble.to_string())
        })
    }
}

fn joined(folder: &str, base: &str) -> String {
    match (folder, base) {
        ("", base) => base.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, base) if folder.ends_with('/') => format!("{folder}{base}"),
        (folder, base) => format!("{folder}/{base}"),
    }
}

/// A folder's path with what makes a link to it count as the folder; "" is the user's own.
fn folder_path(path: &str) -> String {
    joined(if path.is_empty() { "." } else { path }, ".")
}

/// When an item was last changed, by the server's clock, in whole seconds.
fn modified(attributes: &FileAttributes) -> Timestamp {
    let seconds = i64::from(attributes.mtime.unwrap_or_default());
    Timestamp::from_unix_ms(seconds.saturating_mul(1000))
}
