//! The barrier.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use futures_util::stream;

use crate::storage::StorageErrorKind;
use crate::storage::parent_of;

use super::SftpStorage;
use super::file;
use super::joined;
use super::link::Link;
use super::link::Syncs;
use super::list;
use super::trouble::Trouble;

/// Bytes of a blob's end that are kept to be looked at again.
const TAIL_BYTES_MAX: usize = 64;
/// Folders and blobs that are looked at together.
const DEPTH: usize = 16;
/// How long a barrier waits between two attempts, for a server that is away.
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(30);

/// What changed since the last barrier took over.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    created: BTreeMap<String, Created>,
    /// Folders whose names changed.
    dirty: BTreeSet<String>,
    /// Folders known to be durable, their ancestors included.
    durable: BTreeSet<String>,
    /// Names that were deleted since the last barrier took over.
    deleted: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct Created {
    len_bytes: u64,
    tail: Vec<u8>,
    /// The connection over which it was created.
    generation: u64,
}

/// What a barrier is about.
pub(super) struct Taken {
    created: BTreeMap<String, Created>,
    dirty: BTreeSet<String>,
}

impl Unsynced {
    pub(super) fn add(&mut self, name: &str, parts: &[&[u8]], generation: u64) {
        let len_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let mut tail = Vec::new();
        for part in parts.iter().rev() {
            let missing = TAIL_BYTES_MAX.saturating_sub(tail.len()).min(part.len());
            let (_, end) = part.split_at(part.len() - missing);
            tail.splice(0..0, end.iter().copied());
        }
        self.deleted.remove(name);
        self.created.insert(name.to_owned(), Created { len_bytes, tail, generation });
        self.touch(name);
    }

    /// What was known of it, to be put back if it stays.
    pub(super) fn remove(&mut self, name: &str) -> Option<Created> {
        self.deleted.insert(name.to_owned());
        self.touch(name);
        self.created.remove(name)
    }

    pub(super) fn put_back(&mut self, name: &str, created: Option<Created>) {
        if let Some(created) = created {
            self.created.insert(name.to_owned(), created);
        }
    }

    /// A folder's ancestors come along once, because whoever made it may have died before syncing
    /// them.
    pub(super) fn touch(&mut self, name: &str) {
        let mut folder = parent_of(name);
        self.dirty.insert(folder.to_owned());
        while !folder.is_empty() && !self.durable.contains(folder) {
            folder = parent_of(folder);
            self.dirty.insert(folder.to_owned());
        }
    }

    /// The folder of a name, and then those above it that are not known to be durable.
    pub(super) fn unsure(&self, name: &str) -> Vec<String> {
        let mut folder = parent_of(name);
        let mut unsure = vec![folder.to_owned()];
        while !folder.is_empty() && !self.durable.contains(folder) {
            folder = parent_of(folder);
            unsure.push(folder.to_owned());
        }
        unsure
    }

    pub(super) fn take(&mut self) -> Taken {
        self.deleted.clear();
        Taken { created: std::mem::take(&mut self.created), dirty: std::mem::take(&mut self.dirty) }
    }
}

impl SftpStorage {
    /// Makes what was taken durable. A server that is away is waited for: what was created before
    /// is looked at again, so nothing is vouched for that was lost with the server.
    pub(super) fn sync_all(&self, taken: &Taken) -> Result<(), Trouble> {
        let (began, mut wait) = (self.run.clock.elapsed(), WAIT_FIRST);
        loop {
            let tried = self.run.clock.elapsed();
            let synced = self.sync_once(taken);
            let now = self.run.clock.elapsed();
            // If the next attempt takes as long as this one.
            let next = now.saturating_sub(began).saturating_add(now.saturating_sub(tried));
            let is_early = next < self.patience.away;
            match synced {
                Err(trouble) if trouble.is_lost() && is_early && self.run.check().is_ok() => {
                    tracing::warn!(%trouble, "the storage is away; trying again");
                    self.run.clock.wait(wait);
                    wait = wait.saturating_mul(2).min(WAIT_MAX);
                }
                Err(trouble) => return Err(trouble),
                Ok(()) => {
                    self.unsynced().durable.extend(taken.dirty.iter().cloned());
                    return Ok(());
                }
            }
        }
    }

    fn sync_once(&self, taken: &Taken) -> Result<(), Trouble> {
        if taken.dirty.is_empty() {
            return Ok(());
        }
        self.wait(async |link| {
            stream::iter(&taken.dirty)
                .map(Ok)
                .try_for_each_concurrent(DEPTH, async |folder| {
                    link.sync_folder(&self.folder_path(folder)).await
                })
                .await?;
            let syncs = link.syncs().await?;
            let is_doubtful =
                |created: &Created| created.generation != link.generation || syncs != Syncs::All;
            stream::iter(taken.created.iter().filter(|(_, created)| is_doubtful(created)))
                .map(Ok)
                .try_for_each_concurrent(DEPTH, async |(name, created)| {
                    self.look_again(link, name, created).await
                })
                .await
        })
    }

    async fn look_again(
        &self,
        link: &std::sync::Arc<Link>,
        name: &str,
        created: &Created,
    ) -> Result<(), Trouble> {
        let path = joined(&self.options.root, name);
        let found = list::stat(link, &path).await?.map(|item| item.len_bytes);
        let mut tail = vec![0; created.tail.len()];
        if found == Some(created.len_bytes) {
            let offset = created.len_bytes.saturating_sub(tail.len() as u64);
            file::read_range(link, &path, offset, &mut tail).await?;
        }
        let is_there = found == Some(created.len_bytes) && tail == created.tail;
        // Somebody here may delete beside a barrier.
        if !is_there && !self.unsynced().deleted.contains(name) {
            let text = format!("the server has lost `{name}` again, which it had taken");
            return Err(Trouble::said(StorageErrorKind::Other, text));
        }
        Ok(())
    }
}
