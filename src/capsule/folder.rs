//! The truth of a folder: how much of what it holds, without a name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;
use unicode_normalization::is_nfc;

use crate::capsule::format;
use crate::capsule::format::Fit;
use crate::capsule::mail::MailTruth;
use crate::meta::Kind;
use crate::meta::Meta;
use crate::path::SnapshotPath;

/// Files of one top folder whose first bytes are looked at: the share that is wrong is told within
/// 8 percent (95 of 100 times).
pub const SAMPLE_MAX: usize = 128;
/// Extensions of one top folder that are counted by name.
const EXTENSIONS_MAX: usize = 20;
/// Top folders that are counted apart; all others are one.
const TOPS_MAX: usize = 256;
/// What Windows takes for long.
const LONG_PATH_BYTES: usize = 200;
/// Bits of a name's hash that are its number among top folders.
const TOP_BYTES: usize = 8;

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderTruth {
    pub files: u64,
    pub dirs: u64,
    pub links: u64,
    pub others: u64,
    /// Of all files' content.
    pub bytes: u64,
    /// Entries that could not be listed.
    pub unreadable: u64,
    /// Sum modulo 2^128 of the hashes of all paths, kinds and sizes; 32 hex digits.
    pub names_digest: String,
    pub nfd_names: u64,
    pub long_paths: u64,
    /// By hash of the top folder's name.
    pub tops: BTreeMap<String, Top>,
    /// Mail beneath the folders that hold some.
    #[serde(skip_serializing_if = "MailTruth::is_empty", default)]
    pub mail: MailTruth,
}

/// One folder directly beneath what is backed up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Top {
    pub files: u64,
    pub bytes: u64,
    /// Newest time of change, in seconds since 1970.
    pub newest_s: i64,
    /// The most frequent ones.
    pub by_extension: BTreeMap<String, u64>,
    /// How many of the files looked at have so many halves of a bit of entropy.
    pub entropy: [u64; 16],
    /// Files whose first bytes were looked at, and of which their name promises something.
    pub looked_at: u64,
    /// Those of them that begin as nothing that is known.
    pub magic_mismatch: u64,
}

/// A file to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<T> {
    top: String,
    rank: [u8; 16],
    extension: Option<String>,
    pub found: T,
}

/// Counts entries in any order.
#[derive(Debug)]
pub struct Counter<T> {
    truth: FolderTruth,
    /// Path of what is backed up: top folders lie directly beneath it.
    base: SnapshotPath,
    sum: u128,
    chosen: BTreeMap<String, Vec<Chosen<T>>>,
}

/// The first half of a hash.
fn half(bytes: &[u8]) -> [u8; 16] {
    let hash = blake3::hash(bytes);
    let mut half = [0; 16];
    half.copy_from_slice(hash.as_bytes().split_at(16).0);
    half
}

fn name_of(bytes: &[u8]) -> String {
    half(bytes).iter().take(TOP_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

impl<T> Counter<T> {
    #[must_use]
    pub fn new(base: SnapshotPath) -> Self {
        Self { truth: FolderTruth::default(), base, sum: 0, chosen: BTreeMap::new() }
    }

    /// What could not be listed.
    pub const fn unreadable(&mut self) {
        self.truth.unreadable += 1;
    }

    /// Counts one entry; `found` is kept while it is among those to look into.
    pub fn add(&mut self, path: &SnapshotPath, meta: &Meta, found: T) {
        if path.is_root() {
            return;
        }
        let truth = &mut self.truth;
        let stored = path.to_slashed();
        let (kind, size) = match meta.kind {
            Kind::File | Kind::HardLink => (b'f', meta.size_bytes),
            Kind::Directory => (b'd', 0),
            Kind::Symlink => (b'l', 0),
            _ => (b'o', 0),
        };
        let counted = match kind {
            b'f' => &mut truth.files,
            b'd' => &mut truth.dirs,
            b'l' => &mut truth.links,
            _ => &mut truth.others,
        };
        *counted += 1;
        let record = [&stored[..], &[0, kind], &size.to_le_bytes()].concat();
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(half(&record)));
        if std::str::from_utf8(&stored).is_ok_and(|text| !is_nfc(text)) {
            truth.nfd_names += 1;
        }
        truth.long_paths += u64::from(stored.len() > LONG_PATH_BYTES);
        if kind != b'f' {
            return;
        }
        truth.bytes += size;
        let top = self.base_of(path);
        let truth = &mut self.truth;
        let is_full = truth.tops.len() >= TOPS_MAX && !truth.tops.contains_key(&top);
        let top = if is_full { "more".to_owned() } else { top };
        let extension = path.name().and_then(format::extension);
        let entry = truth.tops.entry(top.clone()).or_default();
        entry.files += 1;
        entry.bytes += size;
        entry.newest_s = entry.newest_s.max(meta.mtime.secs);
        let named = extension.clone().unwrap_or_default();
        *entry.by_extension.entry(named).or_default() += 1;
        let rank = half(&stored);
        let chosen = self.chosen.entry(top.clone()).or_default();
        chosen.push(Chosen { top, rank, extension, found });
        if chosen.len() >= 2 * SAMPLE_MAX {
            keep_lowest(chosen);
        }
    }

    /// Number of the top folder that a file lies in; empty for what lies in none.
    fn base_of(&self, path: &SnapshotPath) -> String {
        let rest = path.relative_to(&self.base).unwrap_or_default().to_slashed();
        let mut parts = rest.split(|byte| *byte == b'/');
        let first = parts.next().unwrap_or_default();
        if parts.next().is_some() { name_of(first) } else { String::new() }
    }

    /// The counts, and which files to look into.
    #[must_use]
    pub fn finish(mut self) -> (FolderTruth, Vec<Chosen<T>>) {
        self.truth.names_digest = format!("{:032x}", self.sum);
        for top in self.truth.tops.values_mut() {
            let mut counts: Vec<_> = std::mem::take(&mut top.by_extension).into_iter().collect();
            counts.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
            counts.truncate(EXTENSIONS_MAX);
            top.by_extension = counts.into_iter().collect();
        }
        let mut all = Vec::new();
        for mut chosen in self.chosen.into_values() {
            keep_lowest(&mut chosen);
            all.extend(chosen);
        }
        (self.truth, all)
    }
}

/// The same files whatever the order they come in.
fn keep_lowest<T>(chosen: &mut Vec<Chosen<T>>) {
    chosen.sort_by_key(|one| one.rank);
    chosen.truncate(SAMPLE_MAX);
}

impl FolderTruth {
    /// Takes in the first bytes of a chosen file.
    pub fn look<T>(&mut self, chosen: &Chosen<T>, head: &[u8]) {
        let Some(top) = self.tops.get_mut(&chosen.top) else { return };
        if let Some(count) = format::entropy(head).and_then(|at| top.entropy.get_mut(at)) {
            *count += 1;
        }
        match format::fit(chosen.extension.as_deref(), head) {
            Fit::Unknown => {}
            fit => {
                top.looked_at += 1;
                top.magic_mismatch += u64::from(fit == Fit::Differs);
            }
        }
    }

    /// Files looked at of which their name promises something, and those that begin otherwise.
    #[must_use]
    pub fn mismatch(&self) -> (u64, u64) {
        let tops = self.tops.values();
        tops.fold((0, 0), |sum, top| (sum.0 + top.looked_at, sum.1 + top.magic_mismatch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(order: impl Iterator<Item = usize>) -> (FolderTruth, Vec<usize>) {
        let mut counter = Counter::new(SnapshotPath::from_user(b"/srv").unwrap());
        for at in order {
            let path = format!("/srv/d{}/f{at}.PDF", at % 3);
            let path = SnapshotPath::from_user(path.as_bytes()).unwrap();
            counter.add(&path, &Meta::plain(Kind::File, at as u64), at);
        }
        let (truth, chosen) = counter.finish();
        (truth, chosen.into_iter().map(|it| it.found).collect())
    }

    #[test]
    fn the_order_does_not_matter() {
        let (truth, mut chosen) = counted(0..2000);
        let (other, mut others) = counted((0..2000).rev());
        chosen.sort_unstable();
        others.sort_unstable();
        assert_eq!((&truth, chosen.len()), (&other, 3 * SAMPLE_MAX));
        assert_eq!(chosen, others);
        assert_eq!((truth.files, truth.bytes, truth.tops.len()), (2000, 1999 * 1000, 3));
        assert_eq!(truth.tops.values().next().unwrap().by_extension.len(), 1);
        let (less, _) = counted(1..2000);
        assert_ne!(less.names_digest, truth.names_digest);
    }

    #[test]
    fn what_does_not_begin_as_named_is_counted() {
        let mut counter = Counter::new(SnapshotPath::root());
        for name in ["a/x.pdf", "a/y.pdf", "a/z.txt"] {
            let path = SnapshotPath::from_user(name.as_bytes()).unwrap();
            counter.add(&path, &Meta::plain(Kind::File, 5), name);
        }
        let (mut truth, chosen) = counter.finish();
        for one in &chosen {
            truth.look(one, if one.found == "a/x.pdf" { b"%PDF-1.7" } else { b"\x03secret" });
        }
        assert_eq!(truth.mismatch(), (2, 1));
    }
}
