//! What a repair will do: only reads.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::format::index::PackTable;
use crate::ids::BlobId;
use crate::ids::PackId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::names::NOTES;
use crate::vault::names::Place;
use crate::vault::repair::RepairError;
use crate::vault::repair::id_of;
use crate::vault::repair::is_there;
use crate::vault::repair::journal;
use crate::vault::repair::lost;
use crate::vault::repair::lost::Back;
use crate::vault::repair::lost::Elsewhere;
use crate::vault::repair::read;
use crate::vault::repair::salvage;
use crate::vault::repair::salvage::Damaged;
use crate::vault::repair::salvage::Rescue;
use crate::vault::repair::salvage::Salvaged;
use crate::vault::repair::unknown::is_as_written;
use crate::vault::repair::unknown::is_good_now;
use crate::vault::scrub::census::record_of;
use crate::vault::scrub::report::BadLocation;
use crate::vault::scrub::report::Class;
use crate::vault::scrub::report::Kind;
use crate::vault::scrub::report::Report;

/// A blob that goes to quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub name: String,
    pub kind: Kind,
    pub why: String,
    pub bytes: u64,
    #[serde(skip)]
    pub(super) blob: BlobName,
    #[serde(skip)]
    pub(super) id: BlobId,
}

/// A copy of a record that is written anew from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyAnew {
    pub name: String,
    pub kind: Kind,
    pub from: String,
    #[serde(skip)]
    pub(super) blob: BlobName,
    #[serde(skip)]
    pub(super) good: Good,
    #[serde(skip)]
    pub(super) id: BlobId,
    /// Whether nothing lay under the name.
    #[serde(skip)]
    pub(super) was_missing: bool,
}

/// Where the bytes of a copy come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Good {
    /// Another copy.
    Here(BlobName),
    /// Another storage gave them.
    Elsewhere(Vec<u8>),
}

/// What stays as it is: nothing stands in for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    pub name: String,
    pub kind: Kind,
    pub why: String,
}

/// What a repair does, in the order in which it is done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// Objects that are written into new packs.
    pub objects_count: u64,
    pub objects_bytes: u64,
    /// Those of them that come from another storage.
    pub fetched_count: u64,
    /// Packs whose tables come into a new index file.
    pub indexed_count: u64,
    pub moves: Vec<Moved>,
    pub copies: Vec<CopyAnew>,
    pub left: Vec<Left>,
    /// Whether a journal is all that is written: it tells backups to look for what is lost.
    pub marks_loss: bool,
    #[serde(skip)]
    pub(super) rescues: Vec<Rescue>,
    #[serde(skip)]
    pub(super) tables: Vec<PackTable>,
    /// Packs on which objects stand when the damaged ones are gone.
    #[serde(skip)]
    pub(super) relied: BTreeSet<PackId>,
}

impl Plan {
    /// Whether nothing can be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mends_nothing() && !self.marks_loss
    }

    fn mends_nothing(&self) -> bool {
        self.moves.is_empty()
            && self.copies.is_empty()
            && self.rescues.is_empty()
            && self.tables.is_empty()
    }
}

/// All that was found about one blob.
struct Bad<'r> {
    kind: Kind,
    class: Class,
    why: &'r str,
}

fn by_name(report: &Report) -> BTreeMap<&str, Bad<'_>> {
    let mut found: BTreeMap<&str, Bad<'_>> = BTreeMap::new();
    for BadLocation { name, kind, class, why, .. } in &report.bad {
        let bad = found.entry(name).or_insert(Bad { kind: *kind, class: *class, why });
        bad.class = bad.class.max(*class);
    }
    found
}

struct Planner<'a> {
    vault: &'a Inner,
    bad: BTreeMap<&'a str, Bad<'a>>,
    plan: Plan,
    damaged: Damaged,
    /// Damaged packs whose objects nobody can tell apart.
    untold: Vec<BlobName>,
    /// Manifests that come back from elsewhere.
    back: Back,
}

/// From what a look at every byte has found, what can be mended, and from where. Objects and
/// manifests that are lost here may come from `other`.
pub fn plan(
    run: &Run,
    vault: &Vault,
    report: &Report,
    other: Option<Elsewhere<'_>>,
) -> Result<Plan, RepairError> {
    let inner = &vault.inner;
    let back = match other {
        Some(other) => lost::find(run, vault, report, other)?,
        None => Back::new(),
    };
    let mut planner = Planner {
        vault: inner,
        bad: by_name(report),
        plan: Plan::default(),
        damaged: Damaged::default(),
        untold: Vec::new(),
        back,
    };
    planner.bring_back(other)?;
    let names: Vec<&str> = planner.bad.keys().copied().collect();
    for name in names {
        run.check()?;
        planner.blob(run, name)?;
    }
    let wanted = other.map(|other| (other.vault, &planner.back));
    let salvaged = salvage::choose(run, vault, (report, &planner.damaged), wanted)?;
    planner.untold(&salvaged)?;
    let Planner { mut plan, damaged, .. } = planner;
    plan.objects_count = salvaged.rescues.iter().map(|it| u64::from(it.copies)).sum();
    let bytes = |it: &Rescue| u64::from(it.copies) * u64::from(it.len_bytes);
    plan.objects_bytes = salvaged.rescues.iter().map(bytes).sum();
    plan.fetched_count = salvaged.rescues.iter().filter(|it| it.at.is_none()).count() as u64;
    plan.rescues = salvaged.rescues;
    plan.relied = salvaged.relied;
    if report.bad.iter().any(|bad| bad.kind == Kind::Index) {
        plan.tables = inner.with_locations(run, |locations| {
            let tables = locations.unindexed.iter();
            tables.filter(|table| !damaged.packs.contains_key(&table.pack)).cloned().collect()
        })?;
    }
    plan.indexed_count = plan.tables.len() as u64;
    if plan.mends_nothing() && !report.lost_objects.is_empty() {
        plan.marks_loss = !journal::marks_now(inner)?;
    }
    Ok(plan)
}

impl Planner<'_> {
    fn blob(&mut self, run: &Run, text: &str) -> Result<(), RepairError> {
        // What is no name tells of something that is missing: a second copy, a row of the index.
        let (Ok(name), Some(bad)) = (BlobName::new(text), self.bad.get(text)) else {
            return Ok(());
        };
        let (kind, class) = (bad.kind, bad.class);
        if kind == Kind::Manifest && self.comes_back(&name) {
            return Ok(());
        }
        match kind {
            Kind::Tombstone => self.leave(text),
            Kind::Session | Kind::Condemned | Kind::Index => {
                if let Some(bytes) = read(self.vault, &name)?
                    && !is_good_now(self.vault, (kind, &name), &bytes)
                {
                    self.move_away((&name, kind), &bytes)?;
                }
            }
            Kind::Pack => self.pack(run, &name)?,
            _ if class > Class::Healable => self.leave(text),
            _ => self.record(&name, kind)?,
        }
        Ok(())
    }

    fn comes_back(&self, name: &BlobName) -> bool {
        let places = MANIFESTS.iter().filter_map(|prefix| Place::parse(prefix, name));
        places.into_iter().any(|place| self.back.contains_key(&place))
    }

    /// Lost manifests that are good elsewhere: both copies are written, in the order in which a
    /// backup writes them.
    fn bring_back(&mut self, other: Option<Elsewhere<'_>>) -> Result<(), RepairError> {
        let Some(other) = other else { return Ok(()) };
        let from = other.vault.inner.storage.location();
        for (place, manifest) in std::mem::take(&mut self.back) {
            for prefix in MANIFESTS.into_iter().rev() {
                let (name, kind) = (place.name(prefix)?, Kind::Manifest);
                let found = read(self.vault, &name)?;
                if let Some(bytes) = &found {
                    self.move_away((&name, kind), bytes)?;
                }
                self.plan.copies.push(CopyAnew {
                    name: name.to_string(),
                    kind,
                    from: from.clone(),
                    blob: name,
                    good: Good::Elsewhere(manifest.as_bytes().to_vec()),
                    id: id_of(manifest.as_bytes()),
                    was_missing: found.is_none(),
                });
            }
            self.back.insert(place, manifest);
        }
        Ok(())
    }

    fn leave(&mut self, name: &str) {
        let Some(bad) = self.bad.get(name) else { return };
        let (kind, why) = (bad.kind, bad.why.to_owned());
        self.plan.left.push(Left { name: name.to_owned(), kind, why });
    }

    fn move_away(
        &mut self,
        (name, kind): (&BlobName, Kind),
        bytes: &[u8],
    ) -> Result<(), RepairError> {
        if is_as_written(self.vault, (kind, name), bytes) {
            return Err(RepairError::Newer { name: name.clone() });
        }
        let why = self.bad.get(name.as_str()).map_or("", |bad| bad.why).to_owned();
        self.plan.moves.push(Moved {
            name: name.to_string(),
            kind,
            why,
            bytes: bytes.len() as u64,
            blob: name.clone(),
            id: id_of(bytes),
        });
        Ok(())
    }

    /// A copy is bad or missing, and another one is good.
    fn record(&mut self, name: &BlobName, kind: Kind) -> Result<(), RepairError> {
        for source in twins_of(name)? {
            if self.bad.contains_key(source.as_str()) {
                continue;
            }
            let Some(good) = read(self.vault, &source)? else { continue };
            let found = read(self.vault, name)?;
            if found.as_ref() == Some(&good) {
                // It was read wrongly before.
                return Ok(());
            }
            if let Some(bytes) = &found {
                self.move_away((name, kind), bytes)?;
            }
            self.plan.copies.push(CopyAnew {
                name: name.to_string(),
                kind,
                from: source.to_string(),
                blob: name.clone(),
                id: id_of(&good),
                good: Good::Here(source),
                was_missing: found.is_none(),
            });
            return Ok(());
        }
        self.leave(name.as_str());
        Ok(())
    }

    fn pack(&mut self, run: &Run, name: &BlobName) -> Result<(), RepairError> {
        let Some(id) = names::parse_pack(name) else { return Ok(()) };
        let Some(bytes) = read(self.vault, name)? else {
            if is_there(self.vault, name)? {
                self.leave(name.as_str());
            } else {
                self.damaged.gone.insert(id);
            }
            return Ok(());
        };
        if is_as_written(self.vault, (Kind::Pack, name), &bytes) {
            if !salvage::is_of_version_1(&bytes) {
                return Err(RepairError::Newer { name: name.clone() });
            }
            // Every byte of it is right: it was read wrongly before.
            return Ok(());
        }
        let found = salvage::look_through(run, self.vault, (&id, &bytes))?;
        let class = self.bad.get(name.as_str()).map(|bad| bad.class);
        if !found.is_told && class > Some(Class::Healable) {
            self.untold.push(name.clone());
            return Ok(());
        }
        self.damaged.packs.insert(id, found.objects);
        self.move_away((name, Kind::Pack), &bytes)
    }

    /// What nobody can tell apart may be all that is left of something, unless nothing is lost any
    /// more when what was found elsewhere is back.
    fn untold(&mut self, salvaged: &Salvaged) -> Result<(), RepairError> {
        for name in std::mem::take(&mut self.untold) {
            match read(self.vault, &name)?.filter(|_| !salvaged.leaves_loss) {
                Some(bytes) => self.move_away((&name, Kind::Pack), &bytes)?,
                None => self.leave(name.as_str()),
            }
        }
        Ok(())
    }
}

/// Names of the other copies of a record.
fn twins_of(name: &BlobName) -> Result<Vec<BlobName>, VaultError> {
    if let Some((_, _, copies)) = record_of(name.as_str())? {
        return Ok(copies.into_iter().filter(|copy| copy != name).collect());
    }
    let mut twins = Vec::new();
    for [one, other] in [MANIFESTS, NOTES] {
        for (own, twin) in [(one, other), (other, one)] {
            if let Some(rest) = name.as_str().strip_prefix(own) {
                twins.push(BlobName::new(&format!("{twin}{rest}"))?);
            }
        }
    }
    Ok(twins)
}
