//! One file: written, named, read, with several requests in flight.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use futures_util::future::join;
use futures_util::future::join_all;
use futures_util::future::join3;
use futures_util::stream;
use russh_sftp::protocol::FileAttributes;
use russh_sftp::protocol::OpenFlags;

use crate::storage::StorageErrorKind;

use super::joined;
use super::link::Link;
use super::link::Syncs;
use super::list;
use super::list::Item;
use super::list::ItemKind;
use super::trouble::Trouble;

/// Requests of one file at a time. The connection bounds those of all files together.
const DEPTH: usize = 32;
/// Writes of one file at a time: what they carry is in memory three times until it is on its way,
/// and this much keeps a line of 400 Mbit/s and 80 ms busy.
const WRITES: usize = 16;
/// Files and folders are their owner's alone.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Writes a new file and, where the server can, makes its content durable. `NotFound`: its folder
/// is missing.
pub(super) async fn write_new(
    link: &Arc<Link>,
    path: &str,
    parts: &[&[u8]],
) -> Result<(), Trouble> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
    let attributes = FileAttributes { permissions: Some(FILE_MODE), ..FileAttributes::empty() };
    let handle = match link.session.open(path, flags, attributes).await {
        Ok(opened) => opened.handle,
        Err(error) => return Err(explained(link, path, error.into()).await),
    };
    let syncs = link.syncs().await?;
    if let (Syncs::All | Syncs::Files, Some(content)) = (syncs, short(parts, link.chunk_bytes)) {
        return write_short(link, (path, &handle), content).await;
    }
    let written = stream::iter(Pieces::new(parts, link.chunk_bytes))
        .map(Ok)
        .try_for_each_concurrent(WRITES, |(offset, bytes)| write(link, &handle, offset, bytes))
        .await;
    if let Err(trouble) = written {
        link.close_later(handle);
        return Err(explained(link, path, trouble).await);
    }
    match syncs {
        Syncs::All | Syncs::Files => {
            // Sent one behind the other, so one round trip is enough for both.
            let (synced, closed) =
                join(link.session.fsync(handle.as_str()), link.session.close(handle.as_str()))
                    .await;
            if let Err(error) = synced {
                return Err(explained(link, path, error.into()).await);
            }
            closed?;
        }
        Syncs::Nothing => {
            let attributes = link.session.fstat(handle.as_str()).await;
            let closed = link.session.close(handle.as_str()).await;
            let len_bytes: u64 = parts.iter().map(|part| part.len() as u64).sum();
            if attributes?.attrs.size != Some(len_bytes) {
                let text = format!("the server did not keep all of {len_bytes} bytes");
                return Err(Trouble::said(StorageErrorKind::Transient, text));
            }
            closed?;
        }
    }
    Ok(())
}

/// The whole content, if it is no longer than one write.
fn short(parts: &[&[u8]], bytes_max: usize) -> Option<Vec<u8>> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    (len <= bytes_max).then(|| parts.concat())
}

/// One write, made durable, and closed: requests of one file are done in the order in which they
/// are sent (draft-ietf-secsh-filexfer-02, section 3), so one round trip is enough for the three.
async fn write_short(
    link: &Link,
    (path, handle): (&str, &str),
    content: Vec<u8>,
) -> Result<(), Trouble> {
    let session = &link.session;
    let written =
        async { if content.is_empty() { Ok(()) } else { write(link, handle, 0, content).await } };
    let (written, synced, closed) =
        join3(written, session.fsync(handle), session.close(handle)).await;
    let done = written.and_then(|()| {
        synced?;
        closed?;
        Ok(())
    });
    match done {
        Err(trouble) => Err(explained(link, path, trouble).await),
        Ok(()) => Ok(()),
    }
}

async fn write(link: &Link, handle: &str, offset: u64, bytes: Vec<u8>) -> Result<(), Trouble> {
    let _turn = link.in_flight.acquire().await;
    link.session.write(handle, offset, bytes).await?;
    Ok(())
}

/// Why a write failed: servers do not tell a full disk from a broken one.
async fn explained(link: &Link, path: &str, trouble: Trouble) -> Trouble {
    if !trouble.is_plain_failure() {
        return trouble;
    }
    let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
    match link.session.statvfs(folder).await {
        Ok(found) if found.blocks_avail == 0 || found.inodes_avail == 0 => {
            Trouble::said(StorageErrorKind::Full, "no space is left on the server")
        }
        Ok(found) => {
            let free = found.blocks_avail.saturating_mul(found.fragment_size);
            let text = format!(
                "the server failed to write and gave no reason; its file system has {free} bytes \
                 left, so look for a quota of this user that is used up, and at its disks"
            );
            Trouble::said(StorageErrorKind::Full, text)
        }
        Err(_) => trouble,
    }
}

/// Gives a file its name; `AlreadyExists` if the name is taken. Answers what has it then.
pub(super) async fn name_new(link: &Link, temp: &str, path: &str) -> Result<Item, Trouble> {
    // Asked right behind, so one round trip is enough for both.
    let (renamed, found) = join(link.session.rename(temp, path), list::stat(link, path)).await;
    let gone = || Trouble::said(StorageErrorKind::Transient, "the name is gone again");
    let Err(error) = renamed else {
        // A server may answer out of turn.
        return match found? {
            Some(item) => Ok(item),
            None => list::stat(link, path).await?.ok_or_else(gone),
        };
    };
    let trouble = Trouble::from(error);
    if trouble.is_lost() {
        return Err(trouble);
    }
    // Version 3 has no word for it: OpenSSH says `Failure`.
    match list::stat(link, path).await? {
        Some(found) if found.kind != ItemKind::File => {
            let text = "something that is not a regular file has this name";
            Err(Trouble::said(StorageErrorKind::Blocked, text))
        }
        Some(_) => Err(Trouble::said(StorageErrorKind::AlreadyExists, "the name is taken")),
        None => Err(trouble),
    }
}

/// Makes `folder` and those above it below `root`, of which any may be there already.
pub(super) async fn make_folders(link: &Link, root: &str, folder: &str) -> Result<(), Trouble> {
    let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
    let paths: Vec<_> =
        ends.filter(|end| *end > 0).map(|end| joined(root, folder.split_at(end).0)).collect();
    // All at once: where they are made in order, as OpenSSH does, the last one tells.
    let made = join_all(paths.iter().map(|path| make_folder(link, path))).await;
    if made.last().is_none_or(Result::is_ok) {
        return Ok(());
    }
    for path in paths {
        let Err(trouble) = make_folder(link, &path).await else { continue };
        if trouble.is_lost() || list::stat(link, &path).await?.is_none() {
            return Err(trouble);
        }
    }
    Ok(())
}

async fn make_folder(link: &Link, path: &str) -> Result<(), Trouble> {
    let attributes = FileAttributes { permissions: Some(FOLDER_MODE), ..FileAttributes::empty() };
    link.session.mkdir(path, attributes).await?;
    Ok(())
}

/// All of a file; `Length` if it has more than `bytes_max`.
pub(super) async fn read(link: &Arc<Link>, path: &str, bytes_max: u64) -> Result<Vec<u8>, Trouble> {
    let handle = link.open(path).await?;
    let content = read_open(link, &handle, bytes_max).await;
    link.close_later(handle);
    content
}

async fn read_open(link: &Link, handle: &str, bytes_max: u64) -> Result<Vec<u8>, Trouble> {
    // Most blobs are short: their length and all of them come in one round trip.
    let asked = usize::try_from(bytes_max).unwrap_or(usize::MAX).clamp(1, link.chunk_bytes);
    let mut start = vec![0; asked];
    let (attributes, read) =
        join(link.session.fstat(handle), read_some(link, handle, 0, &mut start)).await;
    let attributes = attributes?.attrs;
    if attributes.permissions.is_some() && list::kind_of(&attributes) != ItemKind::File {
        return Err(Trouble::no_file());
    }
    let len_bytes = attributes.size.ok_or_else(|| {
        Trouble::said(StorageErrorKind::Other, "the server does not tell a file's length")
    })?;
    if len_bytes > bytes_max {
        let text = format!("expected at most {bytes_max} bytes, found {len_bytes}");
        return Err(Trouble::said(StorageErrorKind::Length, text));
    }
    let len = usize::try_from(len_bytes).map_err(|_| {
        Trouble::said(StorageErrorKind::Length, format!("{len_bytes} bytes are too many"))
    })?;
    let had = read?.min(len);
    start.resize(len, 0);
    let (_, rest) = start.split_at_mut(had);
    fill(link, handle, had as u64, rest).await?;
    Ok(start)
}

/// Fills `into` from `offset`; `Length` if the file ends before.
pub(super) async fn read_range(
    link: &Arc<Link>,
    path: &str,
    offset: u64,
    into: &mut [u8],
) -> Result<(), Trouble> {
    if let Some(handle) = link.reader(path) {
        match fill(link, &handle, offset, into).await {
            // It may have been closed meanwhile; one that is opened anew tells what is wrong.
            Err(trouble) if !trouble.is_lost() => link.forget_reader(path),
            filled => return filled,
        }
    }
    let handle = link.open(path).await?;
    let len = into.len() as u64;
    let filled = match len {
        0 => Ok(()),
        _ => fill(link, &handle, offset, into).await,
    };
    let filled = match filled {
        // What no file can have is refused in other words than the end of this one.
        Err(trouble) if !trouble.is_lost() && trouble.kind() != StorageErrorKind::Length => {
            let found = link.session.fstat(handle.as_str()).await.ok().map(|found| found.attrs);
            let size = found.filter(|found| list::kind_of(found) == ItemKind::File);
            let size = size.and_then(|found| found.size);
            match size.filter(|size| *size < offset.saturating_add(len)) {
                Some(size) => {
                    let text = format!("expected {len} bytes at {offset}, found {size} in all");
                    Err(Trouble::said(StorageErrorKind::Length, text))
                }
                None => Err(trouble),
            }
        }
        filled => filled,
    };
    match &filled {
        Ok(()) => link.keep_reader(path, handle),
        Err(_) => link.close_later(handle),
    }
    filled
}

async fn fill(link: &Link, handle: &str, offset: u64, into: &mut [u8]) -> Result<(), Trouble> {
    let step = link.chunk_bytes as u64;
    let offsets = (0_u64..).map(|n| offset.saturating_add(n * step));
    stream::iter(offsets.zip(into.chunks_mut(link.chunk_bytes)))
        .map(Ok)
        .try_for_each_concurrent(DEPTH, |(offset, chunk)| fill_one(link, handle, offset, chunk))
        .await
}

async fn fill_one(link: &Link, handle: &str, offset: u64, into: &mut [u8]) -> Result<(), Trouble> {
    let mut done = 0;
    while let Some((_, rest)) = into.split_at_mut_checked(done).filter(|(_, rest)| !rest.is_empty())
    {
        let at = offset.saturating_add(done as u64);
        let count = read_some(link, handle, at, rest).await?;
        if count == 0 {
            let text = format!("expected {} bytes at {at}, found its end", rest.len());
            return Err(Trouble::said(StorageErrorKind::Length, text));
        }
        done += count;
    }
    Ok(())
}

/// Reads what the server gives in one answer; 0 at the end of the file.
async fn read_some(
    link: &Link,
    handle: &str,
    offset: u64,
    into: &mut [u8],
) -> Result<usize, Trouble> {
    let _turn = link.in_flight.acquire().await;
    let len = u32::try_from(into.len()).unwrap_or(u32::MAX);
    let data = match link.session.read(handle, offset, len).await.map_err(Trouble::from) {
        Ok(data) => data.data,
        Err(trouble) if trouble.is_end_of_file() => return Ok(0),
        Err(trouble) => return Err(trouble),
    };
    let Some((start, _)) = into.split_at_mut_checked(data.len()) else {
        return Err(Trouble::Lost("the server sent more than it was asked for".to_owned()));
    };
    start.copy_from_slice(&data);
    Ok(data.len())
}

/// The concatenation of some parts, in pieces of one length but for the last.
struct Pieces<'a> {
    parts: std::slice::Iter<'a, &'a [u8]>,
    rest: &'a [u8],
    offset: u64,
    bytes: usize,
}

impl<'a> Pieces<'a> {
    fn new(parts: &'a [&'a [u8]], bytes: usize) -> Self {
        Self { parts: parts.iter(), rest: &[], offset: 0, bytes }
    }
}

impl Iterator for Pieces<'_> {
    /// Where it goes, and what it is.
    type Item = (u64, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::new();
        while piece.len() < self.bytes {
            if self.rest.is_empty() {
                match self.parts.next() {
                    Some(part) => self.rest = part,
                    None => break,
                }
                continue;
            }
            if piece.capacity() == 0 {
                piece.reserve_exact(self.bytes);
            }
            let (taken, rest) = self.rest.split_at((self.bytes - piece.len()).min(self.rest.len()));
            piece.extend_from_slice(taken);
            self.rest = rest;
        }
        if piece.is_empty() {
            return None;
        }
        let offset = self.offset;
        self.offset += piece.len() as u64;
        Some((offset, piece))
    }
}
