//! A source for tests: entries in memory, with faults on order.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::Content;
use crate::source::DataRange;
use crate::source::Found;
use crate::source::ReadError;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;
use crate::units::FileTime;

/// What happens to an entry after it was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Vanish,
    Replace,
    Deny,
    /// Reading fails behind this many bytes.
    FailAfter(usize),
    /// The first so many readings end with the file changed.
    Change(usize),
    /// The file is cut to this many bytes after it was opened.
    Shrink(usize),
    /// The run is told to stop when the entry is opened.
    Stop,
}

/// One entry.
#[derive(Debug, Clone)]
struct Kept {
    meta: Meta,
    bytes: Vec<u8>,
    /// Where data lies, in order, for a file with holes.
    data: Option<Vec<DataRange>>,
    fault: Option<Fault>,
    opened_count: usize,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<SnapshotPath, Kept>,
    next_inode: u64,
}

/// Entries in memory. Its methods panic on paths that are none: it is for tests.
#[derive(Debug, Default)]
pub struct MemorySource {
    state: Mutex<State>,
    /// What `finish` says.
    pub failure: Option<String>,
}

impl MemorySource {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file with the folders above it, or gives a file new bytes; its times become `secs`.
    pub fn put(&self, path: &str, bytes: &[u8], secs: i64) {
        self.put_meta(path, Meta::plain(Kind::File, bytes.len() as u64), bytes);
        self.edit(path, |meta| {
            meta.mtime = FileTime { secs, nanos: 0 };
            meta.ctime = meta.mtime;
        });
    }

    /// Puts an entry with the folders above it. Without an inode number it gets the next.
    pub fn put_meta(&self, path: &str, mut meta: Meta, bytes: &[u8]) {
        let path = path_of(path);
        let mut state = self.lock();
        let mut above = path.parent().filter(|path| !path.is_root());
        while let Some(folder) = above {
            above = folder.parent().filter(|path| !path.is_root());
            if !state.entries.contains_key(&folder) {
                state.insert(folder, Meta::plain(Kind::Directory, 0), &[]);
            }
        }
        if let Some(before) = state.entries.get(&path) {
            meta.inode = before.meta.inode;
        }
        state.insert(path, meta, bytes);
    }

    /// A file of `size_bytes` that holds `parts` (offset and bytes, in order) and holes between.
    pub fn put_sparse(&self, path: &str, size_bytes: usize, parts: &[(usize, &[u8])]) {
        let mut bytes = vec![0; size_bytes];
        let mut data = Vec::new();
        for (offset, part) in parts {
            let places = bytes.iter_mut().skip(*offset).zip(*part);
            places.for_each(|(to, from)| *to = *from);
            data.push(DataRange { offset: *offset as u64, len_bytes: part.len() as u64 });
        }
        self.put(path, &bytes, 1);
        self.with(path, |kept| kept.data = Some(data));
    }

    pub fn edit(&self, path: &str, change: impl FnOnce(&mut Meta)) {
        self.with(path, |kept| change(&mut kept.meta));
    }

    pub fn remove(&self, path: &str) {
        let path = path_of(path);
        self.lock().entries.retain(|other, _| !other.is_within(&path));
    }

    pub fn set_fault(&self, path: &str, fault: Option<Fault>) {
        self.with(path, |kept| kept.fault = fault);
    }

    /// How often a file was opened.
    #[must_use]
    pub fn opened_count(&self, path: &str) -> usize {
        self.lock().entries.get(&path_of(path)).map_or(0, |kept| kept.opened_count)
    }

    fn with(&self, path: &str, change: impl FnOnce(&mut Kept)) {
        let mut state = self.lock();
        let kept = state.entries.get_mut(&path_of(path));
        assert!(kept.is_some(), "no entry `{path}`");
        if let Some(kept) = kept {
            change(kept);
        }
    }
}

impl State {
    fn insert(&mut self, path: SnapshotPath, mut meta: Meta, bytes: &[u8]) {
        if meta.inode == 0 {
            self.next_inode += 1;
            meta.inode = self.next_inode;
        }
        let bytes = bytes.to_vec();
        let kept = Kept { meta, bytes, data: None, fault: None, opened_count: 0 };
        self.entries.insert(path, kept);
    }
}

fn path_of(path: &str) -> SnapshotPath {
    let path = SnapshotPath::from_user(path.as_bytes()).unwrap_or_default();
    assert!(!path.is_root(), "expected the path of an entry");
    path
}

impl Source for MemorySource {
    fn walk<'a>(
        &'a self,
        run: &Run,
    ) -> Result<Box<dyn Iterator<Item = Result<Found, SourceError>> + 'a>, SourceError> {
        run.check()?;
        let found = |(path, kept): (&SnapshotPath, &Kept)| Found {
            path: path.clone(),
            meta: Meta { extra: None, ..kept.meta.clone() },
        };
        let found: Vec<_> = self.lock().entries.iter().map(found).collect();
        Ok(Box::new(found.into_iter().map(Ok)))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(MemoryReader(self))
    }

    fn finish(&self, run: &Run) -> Result<(), SourceError> {
        run.check()?;
        match &self.failure {
            Some(detail) => {
                let command = "memory".to_owned();
                Err(SourceError::Command { command, detail: detail.clone() })
            }
            None => Ok(()),
        }
    }
}

struct MemoryReader<'a>(&'a MemorySource);

impl MemoryReader<'_> {
    fn take(&self, run: &Run, found: &Found) -> Result<Kept, ReadError> {
        let mut state = self.0.lock();
        let kept = state.entries.get_mut(&found.path).ok_or(ReadError::Vanished)?;
        kept.opened_count += 1;
        match kept.fault {
            Some(Fault::Vanish) => Err(ReadError::Vanished),
            Some(Fault::Replace) => Err(ReadError::Replaced),
            Some(Fault::Deny) => Err(ReadError::Denied("permission denied".to_owned())),
            Some(Fault::Stop) => {
                run.cancel.stop(Stopped::Interrupted);
                Ok(kept.clone())
            }
            _ => Ok(kept.clone()),
        }
    }
}

impl Reader for MemoryReader<'_> {
    fn attributes(&mut self, run: &Run, found: &Found) -> Result<Meta, ReadError> {
        self.take(run, found).map(|kept| kept.meta)
    }

    fn open<'a>(
        &'a mut self,
        run: &Run,
        found: &Found,
    ) -> Result<Box<dyn Content + 'a>, ReadError> {
        let mut kept = self.take(run, found)?;
        if let Some(Fault::Shrink(len)) = kept.fault {
            kept.bytes.truncate(len);
        }
        Ok(Box::new(MemoryContent { kept, at: 0 }))
    }
}

struct MemoryContent {
    kept: Kept,
    at: usize,
}

impl Content for MemoryContent {
    fn meta(&self) -> &Meta {
        &self.kept.meta
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, ReadError> {
        let end = match self.kept.fault {
            Some(Fault::FailAfter(end)) if self.at >= end => {
                return Err(ReadError::Failed("input/output error".to_owned()));
            }
            Some(Fault::FailAfter(end)) => end.min(self.kept.bytes.len()),
            _ => self.kept.bytes.len(),
        };
        let rest = self.kept.bytes.get(self.at..end).unwrap_or_default();
        let len = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at += len;
        Ok(len)
    }

    fn seek_data(&mut self, offset: u64) -> Result<Option<DataRange>, ReadError> {
        let ranges = self.kept.data.iter().flatten();
        let next = ranges.copied().find(|range| range.offset + range.len_bytes > offset);
        let Some(range) = next else { return Ok(None) };
        let start = range.offset.max(offset);
        self.at = usize::try_from(start).unwrap_or(usize::MAX);
        let len_bytes = range.offset + range.len_bytes - start;
        Ok(Some(DataRange { offset: start, len_bytes }))
    }

    fn may_have_holes(&self) -> bool {
        self.kept.data.is_some()
    }

    fn changed(&mut self) -> bool {
        match self.kept.fault {
            Some(Fault::Change(times)) => self.kept.opened_count <= times,
            _ => false,
        }
    }
}
