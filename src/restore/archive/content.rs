//! The content of a member: looked at first, then written part by part.

use std::fmt::Write as _;

use crate::chunk::digest::ContentHasher;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Digest;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::repository::error::RepositoryError;
use crate::repository::tree::map::LostExtents;
use crate::repository::tree::map::MapReader;
use crate::restore::ObjectSource;
use crate::restore::dump::DumpError;
use crate::restore::dump::lost_or_ends;
use crate::restore::file::digest_wanted;
use crate::restore::file::hash;
use crate::run::Run;
use crate::run::monitor::Count;

use super::Packer;
use super::Refused;
use super::member::Lack;
use super::member::Layout;
use super::member::Member;

/// Files up to this size are opened whole before their member begins.
const WHOLE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most ranges of a sparse file that are kept in memory; one with more has zeros for holes.
const RANGES_MAX: usize = 64 * 1024;
/// Lost ranges that are named.
const RANGES_NAMED_MAX: usize = 16;

/// What became of a member.
pub(super) enum Given {
    /// It is there; of some things only.
    Whole(Vec<Lack>),
    /// The form cannot hold it.
    NotHeld(String),
    /// Nothing was written, for this reason.
    Lost(String),
    /// It was begun before a part was found to be lost.
    Damaged(String),
}

/// A part of a file that is at hand.
enum Part {
    Bytes(Vec<u8>),
    Hole(u64),
}

/// What a look at all parts of a large file found.
struct Look {
    layout: Layout,
    lost: Option<String>,
}

/// Ranges that are lost while a member is written.
#[derive(Default)]
struct Loss {
    ranges: Vec<(u64, u64)>,
    why: String,
}

impl Loss {
    fn add(&mut self, start: u64, len_bytes: u64, why: &str) {
        if self.ranges.is_empty() {
            why.clone_into(&mut self.why);
        }
        let end = start.saturating_add(len_bytes);
        match self.ranges.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => self.ranges.push((start, end)),
        }
    }

    fn text(&self) -> String {
        let mut out = String::from("zeros stand for lost bytes ");
        for (n, (start, end)) in self.ranges.iter().take(RANGES_NAMED_MAX).enumerate() {
            // Writing to a String cannot fail.
            let _always_ok = write!(out, "{}{start}-{end}", if n > 0 { ", " } else { "" });
        }
        if let Some(more) = self.ranges.len().checked_sub(RANGES_NAMED_MAX).filter(|&n| n > 0) {
            let _always_ok = write!(out, " and {more} more ranges");
        }
        let _always_ok = write!(out, ": {}", self.why);
        out
    }
}

impl Packer<'_> {
    /// A regular file.
    pub(super) fn file(&mut self, entry: &Entry, member: &Member<'_>) -> Result<Given, DumpError> {
        let size_bytes = entry.meta.size_bytes;
        match &entry.content {
            Content::None if size_bytes > 0 => {
                Ok(Given::Lost("its size differs from its content".to_owned()))
            }
            Content::None => self.parts(member, Layout::default(), &[]),
            Content::Slice { bundle, offset, len, digest } => {
                let raw = match self.bundles.get(self.run, self.source, bundle) {
                    Err(error) => return lost(error),
                    Ok(raw) => raw,
                };
                let start = *offset as usize;
                let bytes = raw.get(start..start.saturating_add(*len as usize));
                let bytes = bytes.filter(|bytes| hash(bytes) == *digest);
                let Some(bytes) = bytes.filter(|bytes| bytes.len() as u64 == size_bytes) else {
                    return Ok(Given::Lost("the digest of its content differs".to_owned()));
                };
                let layout = Layout { size_bytes, data: None };
                let bytes = Part::Bytes(bytes.to_vec());
                self.parts(member, layout, &[bytes])
            }
            Content::Extents { .. } | Content::Map { .. } => self.large(entry, member),
        }
    }

    fn large(&mut self, entry: &Entry, member: &Member<'_>) -> Result<Given, DumpError> {
        let look = self.look(entry)?;
        if let Some(why) = look.lost {
            return Ok(Given::Lost(why));
        }
        if entry.meta.size_bytes > WHOLE_BYTES_MAX {
            return self.stream(entry, member, &look.layout);
        }
        let mut parts = Vec::new();
        let mut hasher = ContentHasher::default();
        for extent in extents(self.run, self.source, &entry.content) {
            match extent {
                Err(extents) => return lost(extents.error),
                Ok(Extent::Hole { len_bytes }) => {
                    hasher.hole(len_bytes);
                    parts.push(Part::Hole(len_bytes));
                }
                Ok(Extent::Chunk { chunk, digest }) => match self.chunk(&chunk, &digest) {
                    Err(DumpOr::Lost(why)) => return Ok(Given::Lost(why)),
                    Err(DumpOr::Ends(error)) => return Err(error),
                    Ok(bytes) => {
                        hasher.update(&bytes);
                        parts.push(Part::Bytes(bytes));
                    }
                },
            }
        }
        if Some(hasher.finish()) != digest_wanted(&entry.content) {
            return Ok(Given::Lost("the digest of the whole differs".to_owned()));
        }
        self.parts(member, look.layout, &parts)
    }

    /// Where the parts of a file lie, and whether each is known to be there; no content is read.
    fn look(&self, entry: &Entry) -> Result<Look, DumpError> {
        let size_bytes = entry.meta.size_bytes;
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let (mut at, mut has_holes, mut lost) = (0_u64, false, None);
        for extent in extents(self.run, self.source, &entry.content) {
            let extent = match extent {
                Ok(extent) => extent,
                Err(extents) => return lost_or_ends(extents.error).map(Look::lost),
            };
            let len_bytes = extent.len_bytes();
            if len_bytes > size_bytes.saturating_sub(at) {
                return Ok(Look::lost("its chunks are longer than its size".to_owned()));
            }
            match extent {
                Extent::Hole { .. } => has_holes = true,
                Extent::Chunk { chunk, .. } => {
                    match ranges.last_mut() {
                        Some(last) if last.0 + last.1 == at => last.1 += len_bytes,
                        _ => ranges.push((at, len_bytes)),
                    }
                    if lost.is_none() && !self.source.has_object(self.run, &chunk.sid) {
                        lost = Some(format!("object {} is missing, at byte {at}", chunk.sid));
                    }
                }
            }
            at += len_bytes;
        }
        if at != size_bytes {
            return Ok(Look::lost("its chunks are shorter than its size".to_owned()));
        }
        let data = (has_holes && ranges.len() <= RANGES_MAX).then_some(ranges);
        Ok(Look { layout: Layout { size_bytes, data }, lost })
    }

    /// Writes a member whose parts are at hand and verified.
    fn parts(
        &mut self,
        member: &Member<'_>,
        layout: Layout,
        parts: &[Part],
    ) -> Result<Given, DumpError> {
        let lacks = match self.archive.begin(member, &layout) {
            Ok(lacks) => lacks,
            Err(Refused::NotHeld(why)) => return Ok(Given::NotHeld(why)),
            Err(Refused::Write(error)) => return Err(error.into()),
        };
        for part in parts {
            match part {
                Part::Bytes(bytes) => self.archive.data(bytes)?,
                Part::Hole(len_bytes) => self.archive.hole(*len_bytes)?,
            }
        }
        self.archive.end()?;
        self.run.count(Count::BytesDone, layout.size_bytes);
        Ok(Given::Whole(lacks))
    }

    /// Writes a large member chunk by chunk, each verified before.
    fn stream(
        &mut self,
        entry: &Entry,
        member: &Member<'_>,
        layout: &Layout,
    ) -> Result<Given, DumpError> {
        let lacks = match self.archive.begin(member, layout) {
            Ok(lacks) => lacks,
            Err(Refused::NotHeld(why)) => return Ok(Given::NotHeld(why)),
            Err(Refused::Write(error)) => return Err(error.into()),
        };
        let loss = self.fill(entry)?;
        self.archive.end()?;
        if loss.ranges.is_empty() {
            return Ok(Given::Whole(lacks));
        }
        let text = loss.text();
        self.warning(member, &text)?;
        Ok(Given::Damaged(text))
    }

    fn fill(&mut self, entry: &Entry) -> Result<Loss, DumpError> {
        let size_bytes = entry.meta.size_bytes;
        let mut loss = Loss::default();
        let mut hasher = ContentHasher::default();
        let mut at = 0_u64;
        for extent in extents(self.run, self.source, &entry.content) {
            self.run.check()?;
            let extent = match extent {
                Ok(extent) => extent,
                Err(LostExtents { len_bytes, error }) => {
                    // It could be read a moment ago.
                    let left = size_bytes.saturating_sub(at);
                    let len_bytes = len_bytes.map_or(left, |len| len.min(left));
                    loss.add(at, len_bytes, &lost_or_ends(error)?);
                    self.zeros(len_bytes)?;
                    at += len_bytes;
                    continue;
                }
            };
            let len_bytes = extent.len_bytes();
            match extent {
                Extent::Hole { len_bytes } => {
                    self.archive.hole(len_bytes)?;
                    hasher.hole(len_bytes);
                }
                Extent::Chunk { chunk, digest } => match self.chunk(&chunk, &digest) {
                    Ok(bytes) => {
                        self.archive.data(&bytes)?;
                        hasher.update(&bytes);
                    }
                    Err(DumpOr::Ends(error)) => return Err(error),
                    Err(DumpOr::Lost(why)) => {
                        loss.add(at, len_bytes, &why);
                        self.zeros(len_bytes)?;
                    }
                },
            }
            self.run.count(Count::BytesDone, len_bytes);
            at += len_bytes;
        }
        if loss.ranges.is_empty() && Some(hasher.finish()) != digest_wanted(&entry.content) {
            loss.add(0, size_bytes, "the digest of the whole differs");
        }
        Ok(loss)
    }

    fn zeros(&mut self, len_bytes: u64) -> Result<(), DumpError> {
        static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
        let mut left = len_bytes;
        while left > 0 {
            self.run.check()?;
            let n = usize::try_from(left).unwrap_or(ZEROS.len()).min(ZEROS.len());
            self.archive.data(ZEROS.get(..n).unwrap_or_default())?;
            left = left.saturating_sub(n as u64);
        }
        Ok(())
    }

    /// A text beside a damaged member, so that whoever unpacks the archive learns it.
    fn warning(&mut self, member: &Member<'_>, text: &str) -> Result<(), DumpError> {
        let name = [member.name, b".damaged.txt"].concat();
        let text = format!("{} is damaged: {text}\n", crate::path::escape(member.name));
        let size_bytes = text.len() as u64;
        let meta = Meta { mtime: member.meta.mtime, ..Meta::plain(Kind::File, size_bytes) };
        let warning = Member { name: &name, meta: &meta };
        let layout = Layout { size_bytes, data: None };
        self.parts(&warning, layout, &[Part::Bytes(text.into_bytes())]).map(|_| ())
    }

    fn chunk(&self, chunk: &Ref, digest: &Digest) -> Result<Vec<u8>, DumpOr> {
        match self.source.data(self.run, chunk, ObjectKind::Chunk) {
            Err(error) => Err(lost_or_ends(error).map_or_else(DumpOr::Ends, DumpOr::Lost)),
            Ok(bytes) if bytes.len() as u64 != u64::from(chunk.raw_len) => {
                Err(DumpOr::Lost("the length of a chunk differs".to_owned()))
            }
            Ok(bytes) if hash(&bytes) != *digest => {
                Err(DumpOr::Lost("the digest of a chunk differs".to_owned()))
            }
            Ok(bytes) => Ok(bytes),
        }
    }
}

fn extents<'a>(
    run: &'a Run,
    source: &'a dyn ObjectSource,
    content: &'a Content,
) -> Box<dyn Iterator<Item = Result<Extent, LostExtents>> + 'a> {
    match content {
        Content::Extents { extents, .. } => Box::new(extents.iter().cloned().map(Ok)),
        Content::Map { root, .. } => Box::new(MapReader::new(run, source, root)),
        Content::None | Content::Slice { .. } => Box::new(std::iter::empty()),
    }
}

impl Look {
    fn lost(why: String) -> Self {
        Self { layout: Layout::default(), lost: Some(why) }
    }
}

/// A chunk cannot be had, or the whole dump ends.
enum DumpOr {
    Lost(String),
    Ends(DumpError),
}

fn lost(error: RepositoryError) -> Result<Given, DumpError> {
    lost_or_ends(error).map(Given::Lost)
}
