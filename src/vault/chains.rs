//! Chains of manifests: what is listed, read, and missing.

mod gaps;
pub mod late;
pub mod shelf;
mod told;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use crate::format::manifest::SignedManifest;
use crate::format::note::SignedNote;
use crate::format::tombstone::SignedTombstone;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Listed;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::names::Chain;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;

/// The manifests that are listed at one time, and then the tombstones; no key is needed to look.
#[derive(Debug)]
pub struct Glimpse(ChainNames);

impl Glimpse {
    pub fn take(run: &Run, storage: &dyn Storage) -> Result<Self, VaultError> {
        run.check()?;
        ChainNames::list_scope(storage, Scope::All).map(Self)
    }
}

/// Who may sign: the vault asks, it does not know.
pub trait Verifier: Sync {
    /// The reason if this manifest was not signed by a machine that may.
    fn manifest(&self, manifest: &SignedManifest) -> Result<(), String>;
    /// The reason if this tombstone was not signed by somebody who may.
    fn tombstone(&self, tombstone: &SignedTombstone) -> Result<(), String>;
    /// The reason if this note was not signed by somebody who may.
    fn note(&self, note: &SignedNote) -> Result<(), String>;
}

/// Which snapshots are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    All,
    One(Chain),
}

impl Scope {
    /// The folder below one of [`MANIFESTS`] or [`TOMBSTONES`] that is meant.
    fn below(&self, prefix: &str) -> String {
        match self {
            Self::All => prefix.to_owned(),
            Self::One(chain) => chain.prefix(prefix),
        }
    }
}

/// How often chains are looked at while somebody removes snapshots.
const LOOKS_MAX: u32 = 4;

/// How many copies are read of each manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// The first good one.
    First,
    Both,
}

/// A manifest that is good, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    pub place: Place,
    pub manifest: SignedManifest,
}

/// What is kept of the chains, and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    /// By machine, source, seq; without those that a good tombstone removes.
    pub manifests: Vec<StoredManifest>,
    pub tombstones: Vec<SignedTombstone>,
    pub findings: Vec<ChainFinding>,
}

/// Something wrong with a chain. A lost twin can be healed from the other; the rest cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFinding {
    /// One of the two copies of a manifest; the other is good.
    BadTwin {
        name: BlobName,
        fault: Fault,
    },
    /// No copy of a manifest is good.
    LostManifest {
        place: Place,
        fault: Fault,
    },
    BadTombstone {
        name: BlobName,
        fault: Fault,
    },
    /// Numbers that nothing stands for, neither manifest nor tombstone.
    Gap {
        chain: Chain,
        first_seq: u64,
        last_seq: u64,
    },
    /// Several manifests with one number: a cloned machine, or two backups at once.
    Fork {
        chain: Chain,
        seq: u64,
        ids: Vec<SnapshotId>,
    },
    /// The manifest before is another than the one that this manifest names.
    OtherPrev {
        place: Place,
    },
    /// A blob whose name belongs to nothing that is known.
    Stranger {
        name: BlobName,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-{}", self.chain, self.seq, self.id)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.machine, self.source)
    }
}

impl ChainFinding {
    /// Name of what the finding is about.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::BadTwin { name, .. }
            | Self::BadTombstone { name, .. }
            | Self::Stranger { name } => name.to_string(),
            Self::LostManifest { place, .. } | Self::OtherPrev { place } => place.to_string(),
            Self::Gap { chain, .. } | Self::Fork { chain, .. } => chain.to_string(),
        }
    }

    /// Whether a manifest was listed, and was gone before it was read: somebody removed it, and the
    /// tombstone that says so is older than that.
    const fn has_gone(&self) -> bool {
        matches!(self, Self::LostManifest { fault: Fault::Missing, .. })
    }

    /// Whether nothing is lost by it.
    #[must_use]
    pub const fn is_healable(&self) -> bool {
        matches!(self, Self::BadTwin { .. } | Self::Fork { .. } | Self::Stranger { .. })
    }

    /// As it is told to whoever watches.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let made = if self.is_healable() { Problem::healable } else { Problem::damage };
        made(self.subject(), self.to_string())
    }
}

/// The names of one or all chains.
#[derive(Debug, Default)]
pub(in crate::vault) struct ChainNames {
    /// Which of the two copies are listed.
    manifests: BTreeMap<Place, [bool; 2]>,
    tombstones: BTreeSet<Place>,
    strangers: Vec<BlobName>,
}

impl ChainNames {
    /// The names of one chain.
    pub(in crate::vault) fn list(vault: &Inner, chain: &Chain) -> Result<Self, VaultError> {
        Self::list_scope(&*vault.storage, Scope::One(*chain))
    }

    pub(in crate::vault) fn list_scope(
        storage: &dyn Storage,
        scope: Scope,
    ) -> Result<Self, VaultError> {
        Self::of_manifests(storage, scope)?.with_tombstones(storage, scope)
    }

    /// With what is removed. After the manifests: who removes one has written its tombstone before.
    fn with_tombstones(mut self, storage: &dyn Storage, scope: Scope) -> Result<Self, VaultError> {
        for listed in storage.list(&scope.below(TOMBSTONES))? {
            match Place::parse(TOMBSTONES, &listed.name) {
                Some(place) => {
                    self.tombstones.insert(place);
                }
                None => self.strangers.push(listed.name),
            }
        }
        self.strangers.sort_unstable();
        Ok(self)
    }

    /// The manifests alone, without what tombstones say.
    pub(in crate::vault) fn of_manifests(
        storage: &dyn Storage,
        scope: Scope,
    ) -> Result<Self, VaultError> {
        let look = |prefix: &&str| storage.list(&scope.below(prefix));
        let mut names = Self::of_listed(together::each(storage, &MANIFESTS, look)?);
        // The second copy is written first. Asked at the same time, a listing of it may have been
        // the earlier one.
        if storage.is_far() && names.manifests.values().any(|copies| *copies == [true, false]) {
            let [_, second] = &MANIFESTS;
            let again = Self::of_listed(vec![Vec::new(), look(second)?]);
            for (place, [_, is_listed]) in again.manifests {
                names.manifests.entry(place).and_modify(|copies| {
                    let [_, second] = copies;
                    *second |= is_listed;
                });
            }
        }
        Ok(names)
    }

    fn of_listed(listed: Vec<Vec<Listed>>) -> Self {
        let mut names = Self::default();
        for (copy, (prefix, listed)) in MANIFESTS.into_iter().zip(listed).enumerate() {
            for listed in listed {
                match Place::parse(prefix, &listed.name) {
                    Some(place) => {
                        let copies = names.manifests.entry(place).or_default();
                        copies.iter_mut().skip(copy).take(1).for_each(|it| *it = true);
                    }
                    None => names.strangers.push(listed.name),
                }
            }
        }
        names
    }

    /// The newest snapshot, removed or not: the next one follows it.
    pub(in crate::vault) fn head(&self) -> Option<Place> {
        let manifest = self.manifests.last_key_value().map(|(place, _)| *place);
        manifest.max(self.tombstones.last().copied())
    }

    /// Every manifest of which a copy is listed.
    pub(in crate::vault) fn places(&self) -> impl Iterator<Item = &Place> {
        self.manifests.keys()
    }

    /// Every tombstone that is listed.
    pub(in crate::vault) const fn removed(&self) -> &BTreeSet<Place> {
        &self.tombstones
    }

    pub(in crate::vault) fn manifest(&self, id: &SnapshotId) -> Option<Place> {
        self.manifests.keys().find(|place| place.id == *id).copied()
    }

    pub(in crate::vault) fn tombstone(&self, id: &SnapshotId) -> Option<Place> {
        self.tombstones.iter().find(|place| place.id == *id).copied()
    }

    /// Manifests of which one copy is not listed, and the folder that lacks it. What a tombstone
    /// removes may be half gone on purpose.
    pub(in crate::vault) fn without_twin(&self) -> impl Iterator<Item = (Place, &'static str)> {
        self.manifests.iter().filter(|(place, _)| !self.tombstones.contains(place)).filter_map(
            |(place, listed)| {
                let lacks = listed.iter().position(|is_listed| !is_listed)?;
                MANIFESTS.get(lacks).map(|prefix| (*place, *prefix))
            },
        )
    }

    /// Whether a snapshot stands at its place, or a tombstone does.
    pub(in crate::vault) fn holds(&self, place: &Place) -> bool {
        self.manifests.contains_key(place) || self.tombstones.contains(place)
    }
}

impl Vault {
    /// The newest snapshot of a chain, removed or not. The next manifest has its `seq` plus one and
    /// its id as `prev`; the first of a chain has 1 and none.
    pub fn head(&self, run: &Run, chain: &Chain) -> Result<Option<Place>, VaultError> {
        run.check()?;
        Ok(ChainNames::list(&self.inner, chain)?.head())
    }

    /// As [`Self::head`], and whether its manifest is there, in one copy at least.
    pub fn head_and_manifest(
        &self,
        run: &Run,
        chain: &Chain,
    ) -> Result<Option<(Place, bool)>, VaultError> {
        run.check()?;
        let names = ChainNames::list(&self.inner, chain)?;
        Ok(names.head().map(|head| (head, names.manifests.contains_key(&head))))
    }

    /// Whether a manifest is at its place, in one copy at least. A removed snapshot has one
    /// until it is given up.
    pub fn has_manifest(&self, run: &Run, place: &Place) -> Result<bool, VaultError> {
        run.check()?;
        Ok(ChainNames::list(&self.inner, &place.chain)?.manifest(&place.id).is_some())
    }

    /// Whether the first copy of a manifest is there: its backup went on to its end.
    pub fn is_acknowledged(&self, run: &Run, place: &Place) -> Result<bool, VaultError> {
        run.check()?;
        let [first, _] = MANIFESTS;
        match self.inner.storage.stat(&place.name(first)?) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == StorageErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a snapshot is at its place, in one copy at least, or was removed with a tombstone.
    pub fn stands(&self, run: &Run, place: &Place) -> Result<bool, VaultError> {
        run.check()?;
        Ok(ChainNames::list(&self.inner, &place.chain)?.holds(place))
    }

    /// Reads the manifests of one or all chains, and says what is missing or bad. Nothing that it
    /// finds is an error, but a storage that cannot be listed or read is.
    pub fn manifests(
        &self,
        run: &Run,
        scope: Scope,
        copies: Copies,
        verifier: &dyn Verifier,
    ) -> Result<Manifests, VaultError> {
        let names = ChainNames::list_scope(&*self.inner.storage, scope)?;
        self.manifests_of(run, (scope, names), copies, verifier)
    }

    /// As [`Self::manifests`] of all chains, which were listed before.
    pub fn manifests_seen(
        &self,
        run: &Run,
        glimpse: Glimpse,
        copies: Copies,
        verifier: &dyn Verifier,
    ) -> Result<Manifests, VaultError> {
        self.manifests_of(run, (Scope::All, glimpse.0), copies, verifier)
    }

    fn manifests_of(
        &self,
        run: &Run,
        (scope, mut names): (Scope, ChainNames),
        copies: Copies,
        verifier: &dyn Verifier,
    ) -> Result<Manifests, VaultError> {
        let shelf = self.inner.shelf();
        let mut found = shelf.manifests(run, &names, copies, verifier)?;
        for _ in 1..LOOKS_MAX {
            if !found.findings.iter().any(ChainFinding::has_gone) {
                break;
            }
            names = ChainNames::list_scope(shelf.storage, scope)?;
            found = shelf.manifests(run, &names, copies, verifier)?;
        }
        let strangers = names.strangers.into_iter().map(|name| ChainFinding::Stranger { name });
        found.findings.splice(0..0, strangers);
        Ok(found)
    }

    /// Reads one manifest by its id, from either copy. Its signature is for the caller to verify.
    pub fn read_manifest(&self, run: &Run, id: &SnapshotId) -> Result<SignedManifest, VaultError> {
        run.check()?;
        let names = ChainNames::list_scope(&*self.inner.storage, Scope::All)?;
        let place = names.manifest(id).ok_or(VaultError::UnknownSnapshot { id: *id })?;
        self.inner.read_manifest_at(&place)?.ok_or(VaultError::LostManifest { id: *id })
    }
}
