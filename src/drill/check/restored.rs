//! L1 and L2: what was restored is the snapshot's tree, entry by entry, and nothing more.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use crate::capsule::format;
use crate::capsule::format::Fit;
use crate::drill::check::documents::Opened;
use crate::drill::check::documents::Opens;
use crate::drill::check::documents::Tally;
use crate::format::entry::Entry;
use crate::format::object::Ref;
use crate::meta::Flags;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::repository::tree::reader::TreeReader;
use crate::restore::select::IsFolder;
use crate::restore::select::is_among;
use crate::run::Run;
use crate::run::Stopped;
use crate::source::Found;
use crate::source::Reader;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::exclude::Excludes;
use crate::source::unix::FolderSource;

/// Why the two could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// What a comparison of the restored set with the tree found.
#[derive(Debug, Default)]
pub struct Compared {
    pub entries_count: u64,
    pub files_count: u64,
    pub missing_count: u64,
    pub extra_count: u64,
    /// Of another kind or size.
    pub different_count: u64,
    /// Rights, times, links, extended attributes.
    pub attributes_count: u64,
    /// Files that the snapshot itself marks as incomplete.
    pub flagged_count: u64,
    pub documents: Tally,
}

/// Whether owners are compared: only who may set them can have restored them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    Compared,
    LeftOut,
}

/// What is compared, and how.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub repository: &'a Repository,
    pub root: &'a Ref,
    pub folder: &'a Path,
    pub owned: Owned,
    pub opens: Opens,
    /// What was restored, if it was not everything.
    pub only: Option<&'a BTreeSet<SnapshotPath>>,
}

/// Walks the restored folder and the tree side by side.
///
/// # Errors
/// When one of them cannot be walked, or the run is stopped.
pub fn compare(run: &Run, asked: Asked<'_>) -> Result<Compared, CompareError> {
    let silent = &run.unwatched();
    let source = FolderSource::at(SnapshotPath::root(), asked.folder, Excludes::default())?;
    let mut reader = source.reader();
    let mut standing = source.walk(silent)?.peekable();
    let within = SnapshotPath::root();
    let mut comparer =
        Comparer { run: silent, asked, compared: Compared::default(), sizes: BTreeMap::new() };
    for leaf in TreeReader::new(silent, asked.repository, asked.root, &within) {
        for entry in leaf?.entries {
            run.check()?;
            let folder =
                if entry.meta.kind == Kind::Directory { IsFolder::Yes } else { IsFolder::No };
            if asked.only.is_some_and(|only| !is_among(only, &entry.path, folder)) {
                continue;
            }
            let before = |found: &Result<Found, SourceError>| {
                found.as_ref().map_or(true, |found| found.path < entry.path)
            };
            while let Some(found) = standing.next_if(before) {
                comparer.extra(&found?);
            }
            let is_same = |found: &Result<Found, SourceError>| {
                found.as_ref().map_or(true, |found| found.path == entry.path)
            };
            match standing.next_if(is_same) {
                Some(found) => comparer.pair(&entry, &found?, &mut *reader),
                None => comparer.missing(),
            }
        }
    }
    for found in standing {
        comparer.extra(&found?);
    }
    Ok(comparer.compared)
}

struct Comparer<'a> {
    run: &'a Run,
    asked: Asked<'a>,
    compared: Compared,
    /// Of files with several names.
    sizes: BTreeMap<SnapshotPath, u64>,
}

impl Comparer<'_> {
    fn extra(&mut self, found: &Found) {
        self.compared.extra_count += u64::from(!found.path.is_root());
    }

    const fn missing(&mut self) {
        self.compared.entries_count += 1;
        self.compared.missing_count += 1;
    }

    fn pair(&mut self, entry: &Entry, found: &Found, reader: &mut dyn Reader) {
        if entry.path.is_root() {
            return;
        }
        self.compared.entries_count += 1;
        let wanted = &entry.meta;
        let damaged = Flags::UNREADABLE.with(Flags::TRUNCATED).with(Flags::CHANGED);
        self.compared.flagged_count += u64::from(wanted.flags.has(damaged));
        let kind = if wanted.kind == Kind::HardLink { found.meta.kind } else { wanted.kind };
        if kind != found.meta.kind {
            self.compared.different_count += 1;
            return;
        }
        if kind != Kind::File {
            let attributes = reader.attributes(self.run, found);
            let is_same = attributes.is_ok_and(|meta| self.same_attributes(wanted, &meta));
            self.compared.attributes_count += u64::from(!is_same);
            return;
        }
        self.compared.files_count += 1;
        let extra = wanted.extra.as_ref();
        let first = extra.and_then(|extra| extra.hard_link.as_ref());
        let size = match first {
            Some(first) => self.sizes.get(first).copied(),
            None => Some(wanted.size_bytes),
        };
        if wanted.links_count > 1 && first.is_none() {
            self.sizes.insert(entry.path.clone(), wanted.size_bytes);
        }
        self.compared.different_count += u64::from(size != Some(found.meta.size_bytes));
        self.file(entry, found, reader);
    }

    fn file(&mut self, entry: &Entry, found: &Found, reader: &mut dyn Reader) {
        let Ok(mut content) = reader.open(self.run, found) else {
            self.compared.different_count += 1;
            return;
        };
        let is_same =
            entry.meta.kind == Kind::HardLink || self.same_attributes(&entry.meta, content.meta());
        self.compared.attributes_count += u64::from(!is_same);
        if self.asked.opens == Opens::No || entry.meta.size_bytes == 0 {
            return;
        }
        let extension = entry.path.name().and_then(format::extension);
        let mut head = [0; 512];
        let len = content.read(&mut head).unwrap_or(0);
        let fit = format::fit(extension.as_deref(), head.get(..len).unwrap_or_default());
        if fit == Fit::Unknown {
            return;
        }
        drop(content);
        let path = self.asked.folder.join(os_path(&entry.path));
        let opened = match fit {
            Fit::Fits => Opened::of(extension.as_deref().unwrap_or_default(), &path),
            Fit::Misnamed => Opened::Misnamed,
            _ => Opened::WrongHead,
        };
        self.compared.documents.add(opened);
    }

    fn same_attributes(&self, wanted: &Meta, found: &Meta) -> bool {
        let is_link = wanted.kind == Kind::Symlink;
        let has_owner = self.asked.owned == Owned::LeftOut
            || (wanted.uid, wanted.gid) == (found.uid, found.gid)
            || (!wanted.user.is_empty() && wanted.user == found.user);
        let extra = |meta: &Meta| {
            let extra = meta.extra.as_deref().cloned().unwrap_or_default();
            (extra.link, extra.rdev, extra.xattrs)
        };
        (is_link || wanted.mode == found.mode)
            && wanted.mtime == found.mtime
            && has_owner
            && extra(wanted) == extra(found)
    }
}

#[cfg(unix)]
fn os_path(path: &SnapshotPath) -> std::path::PathBuf {
    let bytes = path.to_slashed();
    let text: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes.as_slice());
    std::path::PathBuf::from(text)
}

#[cfg(not(unix))]
fn os_path(path: &SnapshotPath) -> std::path::PathBuf {
    std::path::PathBuf::from(String::from_utf8_lossy(&path.to_slashed()).into_owned())
}
