//! A large file while it is written: chunks, holes and what is lost.

use crate::chunk::digest::ContentHasher;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::ids::Digest;
use crate::restore::RestoreError;
use crate::target::NewFile;
use crate::target::OldFile;

use super::data::Why;
use super::file::Shared;
use super::file::hash;

/// Content is not whole: what is lost, and why.
pub(super) struct Loss {
    pub(super) ranges: Vec<(u64, u64)>,
    pub(super) why: String,
}

/// How the content of a large file came out.
pub(super) enum Filled {
    Whole,
    Damaged(Loss),
    /// The storage failed: nothing is known to be lost, and nothing is kept of the file.
    Unread(String),
}

/// Where a large file stands while it is written.
pub(super) struct Filling {
    pub(super) offset: u64,
    hasher: ContentHasher,
    lost: Option<Loss>,
    unread: Option<String>,
}

impl Filling {
    pub(super) fn new() -> Self {
        Self { offset: 0, hasher: ContentHasher::default(), lost: None, unread: None }
    }

    pub(super) fn lose(&mut self, len_bytes: u64, why: &str) {
        let loss = self.lost.get_or_insert(Loss { ranges: Vec::new(), why: why.to_owned() });
        let end = self.offset.saturating_add(len_bytes);
        match loss.ranges.last_mut() {
            Some(last) if last.1 == self.offset => last.1 = end,
            _ => loss.ranges.push((self.offset, end)),
        }
        self.offset = end;
    }

    /// Notes why the content cannot be had from `len_bytes` on.
    pub(super) fn miss(&mut self, len_bytes: u64, why: Why) {
        match why {
            Why::Lost(why) => self.lose(len_bytes, &why),
            Why::Unread(why) => self.unread = Some(why),
        }
    }

    /// Whether to go on is of no use.
    pub(super) const fn is_over(&self) -> bool {
        self.unread.is_some()
    }

    pub(super) fn hole(&mut self, len_bytes: u64) {
        self.offset = self.offset.saturating_add(len_bytes);
        self.hasher.hole(len_bytes);
    }

    pub(super) fn chunk(
        &mut self,
        shared: &Shared<'_>,
        file: &mut dyn NewFile,
        old: &mut Option<Box<dyn OldFile>>,
        extent: &Extent,
    ) -> Result<(), RestoreError> {
        let Extent::Chunk { chunk, digest } = extent else { return Ok(()) };
        let len_bytes = u64::from(chunk.raw_len);
        let standing = old.as_mut().and_then(|old| {
            let mut bytes = vec![0; chunk.raw_len as usize];
            let read = old.read_at(self.offset, &mut bytes).ok()?;
            (read == bytes.len() && hash(&bytes) == *digest).then_some(bytes)
        });
        let fetched = match standing {
            Some(bytes) => Ok(bytes),
            None => shared.source.data(shared.run, chunk, ObjectKind::Chunk),
        };
        match fetched {
            Err(error) => self.miss(len_bytes, shared.endure(error)?),
            Ok(bytes) if bytes.len() as u64 != len_bytes || hash(&bytes) != *digest => {
                self.lose(len_bytes, "the digest of a chunk differs");
            }
            Ok(bytes) => {
                file.write_at(self.offset, &bytes)?;
                self.hasher.update(&bytes);
                self.offset = self.offset.saturating_add(len_bytes);
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self, size_bytes: u64, wanted: Option<Digest>) -> Filled {
        if let Some(why) = self.unread {
            return Filled::Unread(why);
        }
        if self.lost.is_none() && self.offset != size_bytes {
            self.lose(
                size_bytes.saturating_sub(self.offset),
                "its chunks are shorter than its size",
            );
        }
        let found = std::mem::take(&mut self.hasher).finish();
        if self.lost.is_none() && wanted != Some(found) {
            self.offset = 0;
            self.lose(size_bytes, "the digest of the whole differs");
        }
        self.lost.map_or(Filled::Whole, Filled::Damaged)
    }
}
