//! What was found, as values: snapshots, drills, the ledger.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::units::Timestamp;

/// Everything that rules are judged by, beside the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub now: Timestamp,
    /// Every storage of the configuration.
    pub storages: BTreeSet<String>,
    /// Every dataset of the configuration.
    pub datasets: BTreeMap<String, Dataset>,
    /// The oldest first.
    pub drills: Vec<Drill>,
    pub ledger: Ledger,
}

impl Facts {
    /// Items of a dataset with the time of their drill, the oldest first.
    pub fn items(&self, dataset: &str) -> impl DoubleEndedIterator<Item = (Timestamp, &Item)> {
        self.drills.iter().flat_map(move |drill| {
            let own = drill.items.iter().filter(move |item| item.dataset == dataset);
            own.map(move |item| (drill.ended, item))
        })
    }

    /// When a drill last proved a dataset up to this level; without one up to that of its kind.
    #[must_use]
    pub fn proven(&self, dataset: &str, min_proof: Option<u8>) -> Option<Timestamp> {
        proven(&self.drills, dataset, min_proof)
    }
}

/// When one of these drills, the oldest first, last proved a dataset.
#[must_use]
pub fn proven(drills: &[Drill], dataset: &str, min_proof: Option<u8>) -> Option<Timestamp> {
    let is_enough = |item: &&Item| {
        let min = min_proof.unwrap_or(item.level_min);
        item.dataset == dataset && item.is_proven && item.level.is_some_and(|level| level >= min)
    };
    let newest = drills.iter().rev().find(|drill| drill.items.iter().any(|it| is_enough(&it)));
    newest.map(|drill| drill.ended)
}

/// A dataset of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dataset {
    /// Where its backups go.
    pub storage: String,
    /// When the first trace of it was made.
    pub known_since: Option<Timestamp>,
    /// Of the files of its newest snapshot, how many were new or changed, in thousandths.
    pub changed_permille: Option<u64>,
    /// What was seen in each storage; one that could not be asked is absent.
    pub held: BTreeMap<String, Vec<Taken>>,
    /// What runs once brought into each storage that could not be asked.
    pub unseen: BTreeMap<String, Unseen>,
}

/// What should be in a storage, though nobody saw it there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unseen {
    pub taken: Vec<Taken>,
    /// Whether it may simply not be connected: no answer of it says otherwise.
    pub may_be_away: bool,
}

/// A snapshot, by the time that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub at: Timestamp,
    /// Whether it left nothing out that it was to hold.
    pub is_whole: bool,
    /// Whether it was proven, and retention leaves it.
    pub is_pinned: bool,
}

/// The record of a drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    pub code: String,
    /// `D0` to `D4`.
    pub class: String,
    pub ended: Timestamp,
    /// Whether the substitute led it; none: the record does not say who did.
    pub by_substitute: Option<bool>,
    pub is_conclusive: bool,
    /// Whether it had nothing but a storage and shares.
    pub from_nothing: Option<FromNothing>,
    pub items: Vec<Item>,
}

/// What a drill from nothing was held with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromNothing {
    /// SHA-256 of its kit's list; none: it had no kit.
    pub kit: Option<String>,
}

impl Drill {
    /// Whether it brought back everything that it was about.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let is_any = !self.items.is_empty();
        is_any && self.is_conclusive && self.items.iter().all(|item| item.is_proven)
    }
}

/// A dataset of a drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub dataset: String,
    pub storage: String,
    /// `newest`, `middle` or `oldest`.
    pub stratum: String,
    /// Whether the data was proven, with or without conditions.
    pub is_proven: bool,
    /// Whether it was carried out to its end, good or bad.
    pub is_conclusive: bool,
    /// Highest level that it reached.
    pub level: Option<u8>,
    /// Least level that proves its kind.
    pub level_min: u8,
    /// Of a restore of all of it.
    pub rto_s: Option<u64>,
    /// Size of what was restored.
    pub bytes: u64,
    pub truth: Truth,
    pub canaries: Canaries,
}

/// What a drill found of the files that were placed where the office works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canaries {
    /// The dataset has none.
    None,
    Good,
    /// One is missing, too old, changed, or back from the dead.
    Bad,
}

/// What restored data was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The source at the very point, or two readings that hardly differ.
    SamePoint,
    /// Two readings of the source may lie apart by more than a hundredth.
    Interval,
    None,
}

/// The evidence ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ledger {
    /// It was not read: why.
    Unread(String),
    /// There is none: no drill was ever recorded.
    Absent,
    /// It does not verify: what is wrong.
    Broken(String),
    Valid(Box<Entries>),
}

/// What a ledger that verifies says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    pub waiting: Vec<Waiting>,
    /// Corrective actions that no drill has closed.
    pub actions: Vec<Action>,
    pub witness: Witness,
    /// The newest offset of the clock that an entry has, and when that was.
    pub offset: Option<(Timestamp, i64)>,
    /// The newest plan that was signed.
    pub plan: Option<SignedPlan>,
    /// The newest kit whose list was signed.
    pub kit: Option<SignedKit>,
    /// Every kit that was signed: when, and SHA-256 of its list.
    pub kits: Vec<(Timestamp, String)>,
    /// The newest look at the sealed shares.
    pub seals: Option<Seals>,
    /// The newest test of alarms.
    pub alarm: Option<AlarmTested>,
    /// Reports that were delivered: when, and of which month or year.
    pub reports: Vec<(Timestamp, String)>,
    /// Why another ledger, which may have entries, was not read.
    pub unread: Option<String>,
}

/// A drill whose record not everybody has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub code: String,
    /// When its clean-up was recorded.
    pub since: Timestamp,
    pub is_refused: bool,
}

/// A corrective action that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub id: String,
    pub dataset: String,
    /// None: nobody can tell.
    pub due: Option<Date>,
}

/// A code of the ledger that was printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Witness {
    #[default]
    None,
    /// The ledger still begins as it did when this was printed.
    Fits(Timestamp),
    /// It does not: the code, of which drill.
    Misfit { code: String, drill: String },
}

/// Shares of the recovery key as they were found with those who hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seals {
    pub at: Timestamp,
    /// Shares that open; 0 if the record does not say.
    pub needed: u64,
    /// Holders who were there with a whole seal.
    pub present: u64,
    /// Ids of those whose seal was broken.
    pub broken: Vec<String>,
}

/// A failure on purpose, and who was not told of it in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmTested {
    pub at: Timestamp,
    pub missed: Vec<String>,
}

/// A recovery kit in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedKit {
    pub at: Timestamp,
    /// Whether its program is the one that runs.
    pub is_this_program: bool,
}

/// A plan in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedPlan {
    pub at: Timestamp,
    /// Whether the file is still what was signed.
    pub is_same: bool,
}
