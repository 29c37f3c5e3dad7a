//! Signs that much changed at once, as when somebody encrypts or deletes what is backed up.
//!
//! What a backup counted says whether it is worth a closer look. Only then the two trees are
//! compared, and what was recorded of the first bytes of files: most days nothing is read.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::ids::Digest;
use crate::path::SnapshotPath;

#[cfg(test)]
mod tests;

/// What one backup found, against the snapshot before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub files: u64,
    /// Of all files' content.
    pub bytes: u64,
    pub files_changed: u64,
    pub files_unchanged: u64,
}

/// What is a sign of mass change, the plainest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Files that turned random, or do not begin any more as their names promise.
    Content,
    /// Bytes of files that changed or are gone.
    Bytes,
    /// Files that changed or are gone.
    Files,
    /// Files that have another extension, most of them the same one.
    Names,
}

/// A sign, and how much of the snapshot before it is about, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MassChange {
    pub sign: Sign,
    pub percent: u64,
}

/// From so many files on; a folder of a few changes as a whole every day.
const FILES_MIN: u64 = 50;
/// Share of the files before of which there must be as many changed and vanished ones together.
const TOUCHED_PERCENT: u64 = 50;
/// Share of the bytes. Few files that hold most of a dataset (mailboxes, images of disks) change
/// every day, so as many files must have changed as the next line says.
const BYTES_PERCENT: u64 = 50;
const BYTES_FILES_PERCENT: u64 = 25;
/// Files of one new extension.
const NAMED_MIN: u64 = 20;
const NAMED_PERCENT: u64 = 10;
/// Files of a folder of which the first bytes must have been looked at, and by how many hundredths
/// more of them are wrong, or random, than before.
const HEADS_MIN: u64 = 20;
const WRONG_PERCENT: u64 = 20;
const RANDOM_PERCENT: u64 = 30;
/// Below this there is nothing to look at more closely.
const CLOSER_MIN: u64 = 20;
const CLOSER_PERCENT: u64 = 10;

fn percent_of(part: u64, whole: u64) -> u64 {
    let percent = u128::from(part.min(whole)) * 100 / u128::from(whole.max(1));
    u64::try_from(percent).unwrap_or(100)
}

/// Files that changed or are gone, by count alone: a file with a new time counts as changed, one
/// that was moved as gone.
fn touched(before: Counts, now: Counts) -> u64 {
    let still_there = now.files_changed.saturating_add(now.files_unchanged);
    let vanished = before.files.saturating_sub(still_there);
    vanished.saturating_add(now.files_changed).min(before.files)
}

/// Whether the trees are worth comparing.
#[must_use]
pub fn is_doubtful(before: Counts, now: Counts) -> bool {
    let touched = touched(before, now);
    let is_small = before.files < FILES_MIN;
    !is_small && touched >= CLOSER_MIN && percent_of(touched, before.files) >= CLOSER_PERCENT
}

/// The sign that counts give by themselves, where the trees cannot be compared.
#[must_use]
pub fn by_counts(before: Counts, now: Counts) -> Option<MassChange> {
    let percent = percent_of(touched(before, now), before.files);
    let is_mass = before.files >= FILES_MIN && percent >= TOUCHED_PERCENT;
    is_mass.then_some(MassChange { sign: Sign::Files, percent })
}

type Hash = [u8; 16];

fn hash(bytes: &[u8]) -> Hash {
    let mut half = [0; 16];
    half.copy_from_slice(blake3::hash(bytes).as_bytes().split_at(16).0);
    half
}

/// A file that is gone from its path.
struct Gone {
    digest: Option<Digest>,
    bytes: u64,
}

/// Weighs what differs between two trees.
#[derive(Default)]
pub struct Weigher {
    changed_count: u64,
    changed_bytes: u64,
    gone: Vec<Gone>,
    /// Paths that are gone, and those paths without their extensions.
    paths: HashSet<Hash>,
    stems: HashSet<Hash>,
    /// What came, by its content.
    come: HashSet<Digest>,
    /// Paths that came without their extensions, and which these are.
    named: Vec<(Hash, Vec<u8>)>,
}

impl std::fmt::Debug for Weigher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Weigher({} changed, {} gone)", self.changed_count, self.gone.len())
    }
}

/// A path without its extension, and that.
fn split(path: &SnapshotPath) -> Option<(&[u8], &[u8])> {
    let (stored, name) = (path.as_stored(), path.name()?);
    let dot = name.iter().rposition(|&byte| byte == b'.').filter(|at| *at > 0)?;
    let (stem, extension) = stored.split_at(stored.len().checked_sub(name.len())? + dot);
    Some((stem, extension))
}

impl Weigher {
    /// A file has other content at the same path.
    pub const fn changed(&mut self, bytes_before: u64) {
        self.changed_count += 1;
        self.changed_bytes = self.changed_bytes.saturating_add(bytes_before);
    }

    /// No file stands at this path any more.
    pub fn gone(&mut self, path: &SnapshotPath, bytes: u64, digest: Option<Digest>) {
        self.gone.push(Gone { digest, bytes });
        self.paths.insert(hash(path.as_stored()));
        if let Some((stem, _)) = split(path) {
            self.stems.insert(hash(stem));
        }
    }

    /// A file stands where none stood.
    pub fn came(&mut self, path: &SnapshotPath, digest: Option<Digest>) {
        self.come.extend(digest);
        if let Some((stem, extension)) = split(path) {
            self.named.push((hash(stem), extension.to_ascii_lowercase()));
        }
    }

    /// What it comes to: the plainest sign. What was moved as it is has not been touched.
    #[must_use]
    pub fn finish(self, before: Counts) -> Option<MassChange> {
        let is_moved = |gone: &&Gone| match &gone.digest {
            Some(digest) => self.come.contains(digest),
            // Nothing was in it.
            None => gone.bytes == 0,
        };
        let (mut count, mut bytes) = (self.changed_count, self.changed_bytes);
        for gone in self.gone.iter().filter(|gone| !is_moved(gone)) {
            count += 1;
            bytes = bytes.saturating_add(gone.bytes);
        }
        let files = percent_of(count, before.files);
        let many = before.files >= FILES_MIN;
        let mut signs = Vec::new();
        if many && files >= TOUCHED_PERCENT {
            signs.push(MassChange { sign: Sign::Files, percent: files });
        }
        let percent = percent_of(bytes, before.bytes);
        if many && percent >= BYTES_PERCENT && files >= BYTES_FILES_PERCENT {
            signs.push(MassChange { sign: Sign::Bytes, percent });
        }
        let named = self.named();
        let percent = percent_of(named, before.files);
        if named >= NAMED_MIN && percent >= NAMED_PERCENT {
            signs.push(MassChange { sign: Sign::Names, percent });
        }
        signs.into_iter().max()
    }

    /// Files whose extension was replaced by another one, or that got one more: as many as have the
    /// most frequent new one.
    fn named(&self) -> u64 {
        let mut counts: HashMap<&[u8], u64> = HashMap::new();
        for (stem, extension) in &self.named {
            if self.paths.contains(stem) || self.stems.contains(stem) {
                *counts.entry(extension).or_default() += 1;
            }
        }
        counts.values().copied().max().unwrap_or_default()
    }
}

/// What was found in the first bytes of some files of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    /// Files whose names promise how they begin, and those that begin otherwise.
    pub promised: u64,
    pub wrong: u64,
    /// Files that are long enough to tell, and those that look random.
    pub weighed: u64,
    pub random: u64,
}

/// Whether the files of some top folder turned random, or begin otherwise than they did.
#[must_use]
pub fn by_heads(
    before: &BTreeMap<String, Heads>,
    now: &BTreeMap<String, Heads>,
) -> Option<MassChange> {
    let rise = |parts: [(u64, u64); 2], percent_min: u64| {
        let is_told = parts.iter().all(|(_, whole)| *whole >= HEADS_MIN);
        let [old, new] = parts.map(|(part, whole)| percent_of(part, whole));
        let rise = new.saturating_sub(old);
        (is_told && rise >= percent_min).then_some(rise)
    };
    let of_folder = |(name, now): (&String, &Heads)| {
        let before = before.get(name)?;
        let wrong = [(before.wrong, before.promised), (now.wrong, now.promised)];
        let random = [(before.random, before.weighed), (now.random, now.weighed)];
        rise(wrong, WRONG_PERCENT).max(rise(random, RANDOM_PERCENT))
    };
    let percent = now.iter().filter_map(of_folder).max()?;
    Some(MassChange { sign: Sign::Content, percent })
}
