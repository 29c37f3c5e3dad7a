//! Which files of a snapshot a sample restores: from a seed, the same for everybody who knows it.
//!
//! The seed follows from an entry of the ledger, so nobody chooses it. Numbers are the first eight
//! bytes of SHA-256(seed, be32(i)) for i = 0, 1, 2 and so on, without those that would favour some
//! files. A file is called by its place among the files of the snapshot in path order; further
//! names of a file do not count.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use sha2::Digest;
use sha2::Sha256;

use crate::format::entry::Entry;
use crate::format::object::Ref;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::repository::tree::reader::TreeReader;
use crate::run::Run;
use crate::units::Timestamp;

/// First line of what a seed is made of.
const DOMAIN: &str = "lifeboat/sample/1";
/// The same for snapshots.
const STRATA: &str = "lifeboat/stratum/1";
/// Most types of files that are a stratum each.
const TYPES_MAX: usize = 64;
/// A path of more bytes is long.
const PATH_BYTES_LONG: usize = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What a sample without a bad file says with 95 % confidence: fewer than this share are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Percent5,
    Percent1,
    Permille1,
}

impl Claim {
    /// The least n with (1 - share)^n <= 0.05.
    #[must_use]
    pub const fn files_count(self) -> u64 {
        match self {
            Self::Percent5 => 59,
            Self::Percent1 => 299,
            Self::Permille1 => 2995,
        }
    }

    #[must_use]
    pub const fn share(self) -> &'static str {
        match self {
            Self::Percent5 => "5 %",
            Self::Percent1 => "1 %",
            Self::Permille1 => "0.1 %",
        }
    }
}

/// What chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// Of an entry of the ledger, and what it is to be used for.
    #[must_use]
    pub fn of(root: &str, record_id: &str, (dataset, snapshot): (&str, &str)) -> Self {
        let mut hash = Sha256::new();
        for line in [DOMAIN, root, record_id, dataset, snapshot] {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        Self(hash.finalize().into())
    }

    /// What chooses among snapshots of a dataset.
    #[must_use]
    pub fn of_strata(root: &str, record_id: &str, dataset: &str) -> Self {
        let mut hash = Sha256::new();
        for line in [STRATA, root, record_id, dataset] {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        Self(hash.finalize().into())
    }

    /// One of so many; 0 of none.
    #[must_use]
    pub fn below(self, count: usize) -> usize {
        let bound = count.max(1) as u64;
        usize::try_from(Stream { seed: self, next: 0 }.below(bound)).unwrap_or(0)
    }

    #[must_use]
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn number(self, parts: &[&[u8]]) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.0);
        parts.iter().for_each(|part| hash.update(part));
        let hash: [u8; 32] = hash.finalize().into();
        let first = hash.first_chunk::<8>().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    }
}

/// Numbers from a seed.
struct Stream {
    seed: Seed,
    next: u32,
}

impl Stream {
    /// Each number below `bound` is as likely as any other.
    fn below(&mut self, bound: u64) -> u64 {
        let last = u64::MAX - (u64::MAX % bound + 1) % bound;
        loop {
            let number = self.seed.number(&[&self.next.to_be_bytes()]);
            self.next = self.next.wrapping_add(1);
            if number <= last {
                return number % bound;
            }
        }
    }
}

/// So many different ones of `population`, each set of them as likely as any other; all if there
/// are no more.
#[must_use]
pub fn draw(seed: Seed, population: u64, wanted: u64) -> BTreeSet<u64> {
    if population <= wanted {
        return (0..population).collect();
    }
    let (mut stream, mut drawn) = (Stream { seed, next: 0 }, BTreeSet::new());
    while (drawn.len() as u64) < wanted {
        drawn.insert(stream.below(population));
    }
    drawn
}

/// What a file is looked at for.
#[derive(Debug, Clone, Copy)]
pub struct Traits<'a> {
    pub path: &'a SnapshotPath,
    pub size_bytes: u64,
    pub age_ms: i64,
}

/// One file of each stratum that there is: by size, type, depth, age, letters and length of path.
#[derive(Debug)]
pub struct Strata {
    seed: Seed,
    /// The file of each with the least number of its own.
    least: BTreeMap<(&'static str, String), (u64, u64)>,
    types_count: usize,
}

impl Strata {
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { seed, least: BTreeMap::new(), types_count: 0 }
    }

    pub fn look(&mut self, at: u64, file: Traits<'_>) {
        let number = self.seed.number(&[b"stratum", &at.to_be_bytes()]);
        for stratum in self.of(file) {
            let known = self.least.entry(stratum).or_insert((number, at));
            *known = (*known).min((number, at));
        }
    }

    fn of(&mut self, file: Traits<'_>) -> Vec<(&'static str, String)> {
        let class = |bounds: &[u64], value: u64| {
            bounds.iter().filter(|bound| value >= **bound).count().to_string()
        };
        let stored = file.path.as_stored();
        let days = u64::try_from(file.age_ms / DAY_MS).unwrap_or(0);
        let mut strata = vec![
            ("size", class(&[1, 1 << 12, 1 << 20, 1 << 26], file.size_bytes)),
            ("depth", class(&[3, 6, 9], file.path.depth() as u64)),
            ("age", class(&[30, 365, 5 * 365], days)),
        ];
        let name = file.path.name().unwrap_or_default();
        let kind = ("type", crate::capsule::format::extension(name).unwrap_or_default());
        if self.least.contains_key(&kind) {
            strata.push(kind);
        } else if self.types_count < TYPES_MAX {
            self.types_count += 1;
            strata.push(kind);
        }
        if !stored.is_ascii() {
            strata.push(("letters", String::new()));
        }
        if stored.len() > PATH_BYTES_LONG {
            strata.push(("long", String::new()));
        }
        strata
    }

    #[must_use]
    pub fn chosen(&self) -> BTreeSet<u64> {
        self.least.values().map(|(_, at)| *at).collect()
    }
}

/// The files that are restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Files of the snapshot.
    pub population_count: u64,
    /// Of those, what was drawn: the claim is about these alone.
    pub drawn_count: u64,
    /// Further ones, for strata.
    pub added_count: u64,
    pub paths: BTreeSet<SnapshotPath>,
}

/// Draws among the files of a snapshot of `time`.
///
/// # Errors
/// When its tree cannot be walked whole: then nobody knows among what to draw.
pub fn of_snapshot(
    run: &Run,
    (repository, root): (&Repository, &Ref),
    (seed, claim): (Seed, Claim),
    time: Timestamp,
) -> Result<Sample, RepositoryError> {
    let (mut strata, mut population_count) = (Strata::new(seed), 0);
    each(run, (repository, root), &mut |at, entry| {
        population_count = at + 1;
        let made_ms = entry.meta.mtime.secs.saturating_mul(1000);
        let age_ms = time.unix_ms.saturating_sub(made_ms);
        strata.look(at, Traits { path: &entry.path, size_bytes: entry.meta.size_bytes, age_ms });
    })?;
    let drawn = draw(seed, population_count, claim.files_count());
    let drawn_count = drawn.len() as u64;
    let all: BTreeSet<u64> = drawn.into_iter().chain(strata.chosen()).collect();
    let mut paths = BTreeSet::new();
    each(run, (repository, root), &mut |at, entry| {
        if all.contains(&at) {
            paths.insert(entry.path.clone());
        }
    })?;
    let added_count = (all.len() as u64).saturating_sub(drawn_count);
    Ok(Sample { population_count, drawn_count, added_count, paths })
}

/// Every file in path order, with its place.
fn each(
    run: &Run,
    (repository, root): (&Repository, &Ref),
    take: &mut dyn FnMut(u64, &Entry),
) -> Result<(), RepositoryError> {
    let (within, mut at) = (SnapshotPath::root(), 0);
    for leaf in TreeReader::new(run, repository, root, &within) {
        for entry in leaf?.entries.iter().filter(|entry| entry.meta.kind == Kind::File) {
            take(at, entry);
            at += 1;
        }
        run.check()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
