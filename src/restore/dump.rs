//! The content of one file, written in order to anything.

use std::io;
use std::io::Write;

use crate::chunk::digest::ContentHasher;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::map::MapReader;
use crate::restore::ObjectSource;
use crate::run::Run;
use crate::run::Stopped;

use super::file::digest_wanted;
use super::file::hash;

/// Zeros of a hole that are written at once.
const ZERO_BYTES: usize = 64 * 1024;

/// A file could not be written out; what was written before is no whole file.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("`{path}` is not a file")]
    NotAFile { path: SnapshotPath },
    #[error("`{path}` is another name of `{first}`, and that is not in the snapshot")]
    NoFirst { path: SnapshotPath, first: SnapshotPath },
    #[error("`{path}` has no content: it could not be read when it was backed up")]
    Unreadable { path: SnapshotPath },
    #[error("the content of `{path}` is lost at byte {offset}: {error}")]
    Lost { path: SnapshotPath, offset: u64, error: Box<RepositoryError> },
    /// The storage failed: nothing is known to be lost.
    #[error(transparent)]
    Storage(Box<RepositoryError>),
    #[error("the content of `{path}` is not what was backed up: expected {expected}")]
    Differs { path: SnapshotPath, expected: &'static str },
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes the content of a file, part by part, and answers its bytes. No part is written before its
/// own digest was right; the digest of the whole is known only in the end.
///
/// # Errors
/// When the entry is no file or has no content, the content is lost or another, or `out` fails.
pub fn file(
    run: &Run,
    source: &dyn ObjectSource,
    entry: &Entry,
    out: &mut dyn Write,
) -> Result<u64, DumpError> {
    if entry.meta.kind != Kind::File {
        return Err(DumpError::NotAFile { path: entry.path.clone() });
    }
    if entry.meta.flags.has(Flags::UNREADABLE) {
        return Err(DumpError::Unreadable { path: entry.path.clone() });
    }
    let mut dump = Dump { run, source, entry, out, hasher: ContentHasher::default() };
    match &entry.content {
        Content::None => {}
        Content::Slice { .. } => dump.slice()?,
        Content::Extents { extents, .. } => {
            for extent in extents {
                dump.extent(extent)?;
            }
        }
        Content::Map { root, .. } => {
            for extent in MapReader::new(run, source, root) {
                let extent = extent.map_err(|extents| dump.lost(extents.error))?;
                dump.extent(&extent)?;
            }
        }
    }
    let len_bytes = dump.hasher.len_bytes();
    if len_bytes != entry.meta.size_bytes {
        return Err(dump.differs("its recorded length"));
    }
    let found = std::mem::take(&mut dump.hasher).finish();
    if Some(found) != digest_wanted(&entry.content) {
        return Err(dump.differs("the digest of the whole"));
    }
    Ok(len_bytes)
}

/// The error that ends a dump, or why something is lost.
pub(super) fn lost_or_ends(error: RepositoryError) -> Result<String, DumpError> {
    match error {
        RepositoryError::Stopped(why) => Err(why.into()),
        error if error.is_storage() => Err(DumpError::Storage(error.into())),
        error => Ok(error.to_string()),
    }
}

struct Dump<'a> {
    run: &'a Run,
    source: &'a dyn ObjectSource,
    entry: &'a Entry,
    out: &'a mut dyn Write,
    hasher: ContentHasher,
}

impl Dump<'_> {
    fn lost(&self, error: RepositoryError) -> DumpError {
        match error {
            RepositoryError::Stopped(why) => why.into(),
            error if error.is_storage() => DumpError::Storage(error.into()),
            error => DumpError::Lost {
                path: self.entry.path.clone(),
                offset: self.hasher.len_bytes(),
                error: Box::new(error),
            },
        }
    }

    fn differs(&self, expected: &'static str) -> DumpError {
        DumpError::Differs { path: self.entry.path.clone(), expected }
    }

    fn slice(&mut self) -> Result<(), DumpError> {
        let Content::Slice { bundle, offset, len, digest } = &self.entry.content else {
            return Ok(());
        };
        let raw = self.source.data(self.run, bundle, ObjectKind::Bundle);
        let raw = raw.map_err(|error| self.lost(error))?;
        let start = *offset as usize;
        let bytes = raw.get(start..start.saturating_add(*len as usize));
        match bytes.filter(|bytes| hash(bytes) == *digest) {
            None => Err(self.differs("the digest of its part of a bundle")),
            Some(bytes) => self.write(bytes),
        }
    }

    fn extent(&mut self, extent: &Extent) -> Result<(), DumpError> {
        self.run.check()?;
        let left = self.entry.meta.size_bytes.saturating_sub(self.hasher.len_bytes());
        if extent.len_bytes() > left {
            return Err(self.differs("chunks no longer than its size"));
        }
        match extent {
            Extent::Hole { len_bytes } => self.hole(*len_bytes),
            Extent::Chunk { chunk, digest } => {
                let bytes = self.source.data(self.run, chunk, ObjectKind::Chunk);
                let bytes = bytes.map_err(|error| self.lost(error))?;
                if bytes.len() as u64 != extent.len_bytes() || hash(&bytes) != *digest {
                    return Err(self.differs("the digest of a chunk"));
                }
                self.write(&bytes)
            }
        }
    }

    fn hole(&mut self, len_bytes: u64) -> Result<(), DumpError> {
        let zeros = [0; ZERO_BYTES];
        let mut left = len_bytes;
        while left > 0 {
            self.run.check()?;
            let n = usize::try_from(left).unwrap_or(ZERO_BYTES).min(ZERO_BYTES);
            self.out.write_all(zeros.get(..n).unwrap_or_default())?;
            left = left.saturating_sub(n as u64);
        }
        self.hasher.hole(len_bytes);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DumpError> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }
}
