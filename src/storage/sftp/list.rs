//! What lies in folders.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use futures_util::stream::FuturesUnordered;
use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::File;
use russh_sftp::protocol::FileAttributes;

use crate::storage::BlobName;
use crate::storage::Listed;
use crate::storage::StorageErrorKind;
use crate::storage::TEMP_PREFIX;
use crate::units::Timestamp;

use super::joined;
use super::link::Link;
use super::modified;
use super::trouble::Trouble;

/// Questions for a folder's names that are under way at once: first two, so that a short folder and
/// its end come in one round trip, then more. A server answers a hundred names at a time, so that
/// long folders would take as many round trips.
/// Names in one folder: more than any repository has.
const NAMES_MAX: usize = 10_000_000;
const READS_MIN: usize = 2;
const READS_MAX: usize = 16;
/// The kind of a file in its mode, as POSIX has it.
const KIND: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    File,
    Folder,
    Other,
}

/// One name and what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// From the storage's root on.
    pub(super) path: String,
    pub(super) kind: ItemKind,
    pub(super) len_bytes: u64,
    /// By the server's clock, in whole seconds.
    pub(super) modified: Timestamp,
}

impl Item {
    fn new(path: String, attributes: &FileAttributes) -> Self {
        let kind = kind_of(attributes);
        let len_bytes = attributes.size.unwrap_or_default();
        Self { path, kind, len_bytes, modified: modified(attributes) }
    }

    pub(super) fn is_blob(&self) -> bool {
        self.kind == ItemKind::File && BlobName::new(&self.path).is_ok()
    }

    pub(super) fn is_temporary(&self) -> bool {
        let base = self.path.rsplit('/').next().unwrap_or_default();
        self.kind == ItemKind::File && base.starts_with(TEMP_PREFIX)
    }

    /// Whether nothing of a storage is called so: neither a blob nor a folder of blobs.
    pub(super) fn is_strange(&self) -> bool {
        self.kind == ItemKind::Other || BlobName::new(&self.path).is_err()
    }

    pub(super) fn into_listed(self) -> Option<Listed> {
        let is_file = self.kind == ItemKind::File;
        let name = BlobName::new(&self.path).ok().filter(|_| is_file)?;
        Some(Listed { name, len_bytes: self.len_bytes })
    }
}

pub(super) fn kind_of(attributes: &FileAttributes) -> ItemKind {
    match attributes.permissions.map(|mode| mode & KIND) {
        Some(FOLDER) => ItemKind::Folder,
        Some(REGULAR) => ItemKind::File,
        _ => ItemKind::Other,
    }
}

/// What is at `path`, links followed; `None` if nothing is.
pub(super) async fn stat(link: &Link, path: &str) -> Result<Option<Item>, Trouble> {
    at(&link.session, path).await
}

/// The same, before there is more than a session.
pub(super) async fn at(session: &RawSftpSession, path: &str) -> Result<Option<Item>, Trouble> {
    match session.stat(path).await.map_err(Trouble::from) {
        Ok(found) => Ok(Some(Item::new(path.to_owned(), &found.attrs))),
        Err(trouble) if trouble.kind() == StorageErrorKind::NotFound => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Every item below `folder`, at any depth. Folders that no blob can lie in are not entered.
///
/// # Errors
/// `NotFound` if `folder` itself is missing. One that goes while others are listed had nothing.
pub(super) async fn tree(link: &Arc<Link>, root: &str, folder: &str) -> Result<Vec<Item>, Trouble> {
    let mut found = Vec::new();
    let mut waiting = FuturesUnordered::new();
    waiting.push(one(link, root, folder.to_owned()));
    let mut failed = None;
    while let Some((of, listed)) = waiting.next().await {
        let items = match listed {
            Err(trouble) if trouble.kind() == StorageErrorKind::NotFound && of != folder => {
                Vec::new()
            }
            // Those that are under way go on to their end: each has a folder open on the server.
            Err(trouble) => {
                failed.get_or_insert(trouble);
                continue;
            }
            Ok(_) if failed.is_some() => continue,
            Ok(items) => items,
        };
        for item in items {
            if item.kind == ItemKind::Folder && BlobName::new(&item.path).is_ok() {
                waiting.push(one(link, root, item.path.clone()));
            }
            found.push(item);
        }
    }
    match failed {
        Some(trouble) => Err(trouble),
        None => Ok(found),
    }
}

async fn one(link: &Arc<Link>, root: &str, folder: String) -> (String, Result<Vec<Item>, Trouble>) {
    let _turn = link.folders.acquire().await;
    let path = joined(root, &folder);
    let path = if path.is_empty() { "." } else { path.as_str() };
    let listed = match link.session.opendir(path).await {
        Ok(opened) => {
            let listed = names(link, &opened.handle, &folder).await;
            link.close_later(opened.handle);
            listed
        }
        Err(error) => Err(error.into()),
    };
    (folder, listed)
}

async fn names(link: &Link, handle: &str, folder: &str) -> Result<Vec<Item>, Trouble> {
    let mut found = Vec::new();
    let mut reads = READS_MIN;
    loop {
        let answers = try_join_all((0..reads).map(|_| names_once(link, handle))).await?;
        let is_done = answers.iter().any(Option::is_none);
        if answers.iter().flatten().any(Vec::is_empty) || found.len() > NAMES_MAX {
            return Err(Trouble::Lost("the server lists a folder without an end".to_owned()));
        }
        for file in answers.into_iter().flatten().flatten() {
            if matches!(file.filename.as_str(), "." | "..") {
                continue;
            }
            found.push(Item::new(joined(folder, &file.filename), &file.attrs));
        }
        if is_done {
            return Ok(found);
        }
        reads = (reads * 4).min(READS_MAX);
    }
}

/// The next names of an opened folder; `None` at its end.
async fn names_once(link: &Link, handle: &str) -> Result<Option<Vec<File>>, Trouble> {
    match link.session.readdir(handle).await.map_err(Trouble::from) {
        Ok(names) => Ok(Some(names.files)),
        Err(trouble) if trouble.is_end_of_file() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}
