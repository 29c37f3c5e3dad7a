//! A snapshot against its source as it stands now; nothing is written.

use std::sync::Arc;

use crate::chunk::digest::ContentHasher;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::Ref;
use crate::meta::Extra;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::path::SnapshotPath;
use crate::repository::browse::diff::Change;
use crate::repository::browse::diff::Differences;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSource;
use crate::repository::tree::map::LostExtents;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::reader::TreeReader;
use crate::repository::tree::reader::find_entry;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;

const READ_BYTES: usize = 1 << 20;

/// How closely files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// As far as a `stat` and the target of a link tell: a file whose size and time are equal is
    /// taken for equal, one whose time differs for changed.
    Metadata,
    /// All bytes and extended attributes too.
    Content,
}

/// What is compared.
pub struct Compared<'a> {
    /// Of the snapshot's tree.
    pub root: &'a Ref,
    /// What lies within is compared; the source gives it under the same path.
    pub within: &'a SnapshotPath,
    pub source: &'a dyn Source,
    pub depth: Depth,
}

/// It could not be compared to the end.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A part of the snapshot is lost, so nothing can be said of what stands there now.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Compares in path order and hands over what differs: the snapshot is before, the source after.
/// What cannot be read at the source is told as a problem.
///
/// # Errors
/// When the source as a whole or the snapshot's tree cannot be read, or `take` ends it.
pub fn compare<E: From<LiveError>>(
    run: &Run,
    nodes: &dyn NodeSource,
    compared: &Compared<'_>,
    take: &mut dyn FnMut(Change) -> Result<(), E>,
) -> Result<(), E> {
    let Compared { root, within, source, depth } = compared;
    let mut pair = Pair { run, nodes, root, reader: source.reader(), depth: *depth };
    let mut walk = source.walk(run).map_err(LiveError::from)?;
    let mut live = || -> Result<Option<Found>, LiveError> {
        for found in walk.by_ref() {
            let found = found?;
            if found.path.is_within(within) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    let mut next = live()?;
    for leaf in TreeReader::new(run, nodes, root, within) {
        for entry in leaf.map_err(LiveError::from)?.entries {
            run.check().map_err(|why| LiveError::Source(why.into()))?;
            while let Some(found) = next.take_if(|found| found.path < entry.path) {
                take(Change::Added(Box::new(pair.bare(found)?)))?;
                next = live()?;
            }
            match next.take_if(|found| found.path == entry.path) {
                None => take(Change::Removed(Box::new(entry)))?,
                Some(found) => {
                    if let Some(change) = pair.change(entry, &found)? {
                        take(change)?;
                    }
                    next = live()?;
                }
            }
        }
    }
    while let Some(found) = next {
        take(Change::Added(Box::new(pair.bare(found)?)))?;
        next = live()?;
    }
    Ok(())
}

/// Compares one entry with what stands in its place.
struct Pair<'a> {
    run: &'a Run,
    nodes: &'a dyn NodeSource,
    root: &'a Ref,
    reader: Box<dyn Reader + 'a>,
    depth: Depth,
}

impl Pair<'_> {
    /// An entry for what is only at the source.
    fn bare(&mut self, found: Found) -> Result<Entry, LiveError> {
        self.run.check().map_err(SourceError::from)?;
        let link = match found.meta.kind {
            Kind::Symlink => self.reader.attributes(self.run, &found).ok(),
            _ => None,
        };
        let meta = link.unwrap_or(found.meta);
        Ok(Entry { path: found.path, meta, content: Content::None })
    }

    fn change(&mut self, entry: Entry, found: &Found) -> Result<Option<Change>, LiveError> {
        let Some((original, meta)) = self.sides(&entry, found)? else { return Ok(None) };
        let mut what = Differences::default();
        if original.meta.kind == meta.kind {
            what = self.same_kind(&original, (found, &meta))?;
        } else {
            what = what.with(Differences::KIND);
        }
        if what.is_none() {
            return Ok(None);
        }
        let after = Entry { path: entry.path.clone(), meta, content: Content::None };
        Ok(Some(Change::Changed { before: Box::new(entry), after: Box::new(after), what }))
    }

    /// The entry that has the content, and the attributes that are at the source; none if they
    /// cannot be read, which is told.
    fn sides(&mut self, entry: &Entry, found: &Found) -> Result<Option<(Entry, Meta)>, LiveError> {
        let extra = entry.meta.extra.as_ref();
        let mut original = entry.clone();
        if let Some(first) = extra.and_then(|extra| extra.hard_link.as_ref()) {
            match find_entry(self.run, self.nodes, self.root, first)? {
                Some(first) => original = first,
                None => original.meta.kind = Kind::File,
            }
        }
        let is_open = found.meta.kind == Kind::File;
        if is_open || (self.depth == Depth::Metadata && found.meta.kind != Kind::Symlink) {
            return Ok(Some((original, found.meta.clone())));
        }
        match self.reader.attributes(self.run, found) {
            Ok(meta) => Ok(Some((original, meta))),
            Err(error) => {
                self.problem(found, &error);
                Ok(None)
            }
        }
    }

    fn problem(&self, found: &Found, error: &ReadError) {
        self.run.problem(&Problem::new(found.path.to_slashed(), error.to_string()));
    }

    fn same_kind(
        &mut self,
        original: &Entry,
        (found, meta): (&Found, &Meta),
    ) -> Result<Differences, LiveError> {
        let none = Extra::default();
        let old = &original.meta;
        let old_extra = old.extra.as_deref().unwrap_or(&none);
        let new_extra = meta.extra.as_deref().unwrap_or(&none);
        let mut what = Differences::default();
        if (&old_extra.link, old_extra.rdev) != (&new_extra.link, new_extra.rdev) {
            what = what.with(Differences::CONTENT);
        }
        let owner =
            |meta: &Meta| (meta.uid, meta.gid, Arc::clone(&meta.user), Arc::clone(&meta.group));
        if old.mode != meta.mode || owner(old) != owner(meta) || old.mtime != meta.mtime {
            what = what.with(Differences::ATTRIBUTES);
        }
        let is_file = meta.kind == Kind::File;
        let mut xattrs = Some(new_extra.xattrs.clone()).filter(|_| self.depth == Depth::Content);
        let time_counts = self.depth == Depth::Metadata && old.mtime != meta.mtime;
        if is_file && (time_counts || old.size_bytes != meta.size_bytes) {
            what = what.with(Differences::CONTENT);
        }
        if is_file && self.depth == Depth::Content {
            match self.file(original, found)? {
                None => return Ok(Differences::default()),
                Some((same, found)) => {
                    if !same {
                        what = what.with(Differences::CONTENT);
                    }
                    xattrs = Some(found);
                }
            }
        }
        if xattrs.is_some_and(|xattrs| xattrs != old_extra.xattrs) {
            what = what.with(Differences::ATTRIBUTES);
        }
        Ok(what)
    }

    /// Whether a file has the content of an entry, and its extended attributes; none if it cannot
    /// be read, which is told.
    fn file(
        &mut self,
        original: &Entry,
        found: &Found,
    ) -> Result<Option<(bool, Vec<Xattr>)>, LiveError> {
        let (run, nodes) = (self.run, self.nodes);
        let read = self.reader.open(run, found).map_err(Unread::Source).and_then(|mut file| {
            let xattrs = file.meta().extra.as_ref().map(|extra| extra.xattrs.clone());
            let same = is_same(run, nodes, original, &mut *file)?;
            Ok((same, xattrs.unwrap_or_default()))
        });
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Unread::Snapshot(error)) => Err(error.into()),
            Err(Unread::Source(error)) => {
                self.problem(found, &error);
                Ok(None)
            }
        }
    }
}

/// Which side could not be read.
enum Unread {
    Source(ReadError),
    Snapshot(RepositoryError),
}

impl From<ReadError> for Unread {
    fn from(error: ReadError) -> Self {
        Self::Source(error)
    }
}

/// Whether the next bytes of a file are an entry's content, its holes read as zero.
fn is_same(
    run: &Run,
    nodes: &dyn NodeSource,
    entry: &Entry,
    file: &mut dyn crate::source::Content,
) -> Result<bool, Unread> {
    let size_bytes = entry.meta.size_bytes;
    if file.meta().size_bytes != size_bytes {
        return Ok(false);
    }
    let mut hasher = ContentHasher::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut read = |len_bytes: u64, part: Part| -> Result<bool, Unread> {
        let mut left = len_bytes;
        while left > 0 {
            run.check().map_err(|why| Unread::Snapshot(why.into()))?;
            let n = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
            let into = buffer.get_mut(..n).unwrap_or_default();
            if file.read(into)? < n {
                return Ok(false);
            }
            match part {
                Part::Data => hasher.update(into),
                Part::Hole if into.iter().all(|&byte| byte == 0) => {}
                Part::Hole => return Ok(false),
            }
            left = left.saturating_sub(n as u64);
        }
        if part == Part::Hole {
            hasher.hole(len_bytes);
        }
        Ok(true)
    };
    match &entry.content {
        Content::None | Content::Slice { .. } if !read(size_bytes, Part::Data)? => {
            return Ok(false);
        }
        _ => {}
    }
    for extent in extents(run, nodes, &entry.content) {
        let extent = extent.map_err(|lost| Unread::Snapshot(lost.error))?;
        let part = match extent {
            Extent::Hole { .. } => Part::Hole,
            Extent::Chunk { .. } => Part::Data,
        };
        if !read(extent.len_bytes(), part)? {
            return Ok(false);
        }
    }
    let wanted = match entry.content.digest() {
        Some(digest) => *digest,
        None => crate::chunk::digest::digest(b""),
    };
    Ok(hasher.len_bytes() == size_bytes && hasher.finish() == wanted && !file.changed())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Data,
    Hole,
}

/// The extents of a large file.
fn extents<'a>(
    run: &'a Run,
    nodes: &'a dyn NodeSource,
    content: &'a Content,
) -> Box<dyn Iterator<Item = Result<Extent, LostExtents>> + 'a> {
    match content {
        Content::Extents { extents, .. } => Box::new(extents.iter().cloned().map(Ok)),
        Content::Map { root, .. } => Box::new(MapReader::new(run, nodes, root)),
        Content::None | Content::Slice { .. } => Box::new(std::iter::empty()),
    }
}
