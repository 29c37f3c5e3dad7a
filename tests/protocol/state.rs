//! What the storage holds, what each process remembers, and the rules that can be switched off.

use std::fmt;

use super::mending::Journal;
use super::mending::Mender;
use super::mending::MenderAt;

/// Objects are bits. What is kept for ever is [`Y`]; the others die with the snapshot that is
/// forgotten.
pub const X: u8 = 1;
pub const Y: u8 = 2;
pub const Z: u8 = 4;
pub const OBJECTS: [u8; 3] = [X, Y, Z];

pub const PACKS: usize = 8;
pub const RECORDS: usize = 5;
pub const WRITERS: usize = 3;
pub const COLLECTORS: usize = 2;

/// Snapshots by number: one that stays, one that may be forgotten, then one for each writer.
pub const KEPT: usize = 0;
pub const OLD: usize = 1;
pub const FIRST_NEW: usize = 2;

/// Whether a writer takes the objects of the old snapshot over without asking for them.
pub const fn has_parent(writer: usize) -> bool {
    writer == 0
}

/// What the snapshot of a writer needs.
pub const fn wants(writer: usize) -> u8 {
    match writer {
        0 => X,
        1 => Y | Z,
        _ => X | Z,
    }
}

pub const fn needs(snapshot: usize) -> u8 {
    match snapshot {
        KEPT => Y,
        OLD => X | Z,
        other => wants(other - FIRST_NEW),
    }
}

/// What `snapshots` need together.
pub fn needs_of(snapshots: u8) -> u8 {
    (0..8).filter(|n| snapshots & (1 << n) != 0).fold(0, |all, n| all | needs(n))
}

/// One rule of the protocol. Each can be switched off, to show what it prevents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Manifests are listed anew after the record of what is condemned is there.
    FreshRoots,
    /// Every manifest that is listed counts, however many are new.
    EveryManifest,
    /// A collector deletes for a record only by marks that began after the record was there.
    RecordBeforeMarks,
    /// A copy counts only where it lies: copies that are condemned as well do not stand in.
    PerLocation,
    /// A listing that failed ends the run.
    FailedListStops,
    /// A writer looks again at what is condemned and present before it says "done".
    ReadBack,
    /// It looks at what is condemned first, and then at what is present.
    CondemnedThenPresence,
    /// A record goes only after the packs that it names.
    RecordOutlivesPacks,
    /// A collector reads the records before it lists the packs.
    CondemnedBeforePacks,
    /// What is condemned stays so; what is needed of it is copied.
    CondemnedIsFinal,
    /// Records name the snapshots that are given up, and nobody builds on those.
    GivenUpIsTold,
    /// What is good in a damaged pack lies in a new one before the old one goes.
    SavedBeforeMoved,
    /// A repair tells prunes of the packs that it moves, as a prune does.
    MovesAreAnnounced,
    /// With that told, a repair looks again whether all that it relies on is there and stays.
    HoldersLookedAgain,
    /// What comes back of a repair is looked for before anything goes for it.
    QuarantineIsThere,
    /// All that a repair meant to move has to be there and stay when it is taken back, also what
    /// was never moved.
    AllComesBack,
    /// Where a medium knows no turns, nothing gets its name back while a prune is at work that may
    /// have begun to remove it.
    UndoWaitsForPrunes,
    /// A prune reads the copies on which objects stand before it drops others of them.
    CopiesAreRead,
    /// With late listings a record waits until every list shows what is older than it.
    Grace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Medium {
    /// Lists are right at once.
    #[default]
    Prompt,
    /// A list may lack what was created a short time ago.
    Late,
    /// Lists are right at once, and a lock of the system makes commit and sweep take turns.
    Locked,
}

/// When what was condemned may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    InTwoRuns,
    /// In the same run, if no session is open.
    AtOnce,
}

/// What is damaged at first. Nothing is lost by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Damage {
    #[default]
    Nothing,
    /// One object in the first pack, which is good in the second.
    Object,
    /// The frame of the first pack, whose object is good there and in the second.
    Frame,
}

/// Whether a repair may be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    Never,
    Tried,
}

/// One scenario.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Which writers there are, as bits.
    pub writers: u8,
    pub collectors: usize,
    pub rounds: u8,
    pub medium: Medium,
    pub marks: Marks,
    pub crashes: u8,
    /// Lists that may fail.
    pub failures: u8,
    /// Whether the old snapshot may be forgotten, and that undone.
    pub undo: bool,
    /// Whether the kept object lies in two packs at first.
    pub twice: bool,
    /// How many repairs there may be, and whether they may be taken back.
    pub damage: Damage,
    pub repairs: u8,
    pub back: Back,
    pub off: Option<Rule>,
}

impl Setting {
    pub fn has(&self, rule: Rule) -> bool {
        self.off != Some(rule)
    }
}

impl Setting {
    /// Whether what was listed at first is used to the end.
    pub fn lists_once(&self) -> bool {
        let rules = [Rule::FreshRoots, Rule::EveryManifest, Rule::RecordBeforeMarks];
        rules.iter().any(|rule| !self.has(*rule))
    }
}

/// A record of condemned packs: `condemned/<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Record {
    pub exists: bool,
    pub packs: u8,
    /// Whether it gives the old snapshot up.
    pub gives_up: bool,
}

/// Where a writer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WriterAt {
    #[default]
    Idle,
    ReadRecords,
    ReadIndex,
    Upload,
    CheckRecords,
    CheckPacks,
    WriteManifest,
    ReadBackRecords,
    ReadBackPacks,
    Withdraw,
    Done,
    Failed,
    Dead,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Writer {
    pub at: WriterAt,
    /// Packs that are condemned, as last read.
    pub avoid: u8,
    /// Packs that hold what it relies on, as last seen present.
    pub seen: u8,
    pub upload: u8,
    /// Whether the old snapshot is still good to build on.
    pub on_parent: bool,
}

impl Writer {
    /// What it looks for in the index: all, or nothing if the old snapshot has it.
    pub fn asks(&self, n: usize) -> u8 {
        if self.on_parent { 0 } else { wants(n) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CollectorAt {
    #[default]
    Idle,
    ReadRecords,
    ListManifests,
    Decide,
    Copy,
    Condemn,
    ListSessions,
    RecordsAgain,
    ManifestsAgain,
    PacksAgain,
    RemoveManifest,
    RemovePacks,
    RemoveRecords,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Collector {
    pub at: CollectorAt,
    pub round: u8,
    /// Writers whose sessions were open.
    pub open: u8,
    /// Records to sweep, as bits.
    pub due: u8,
    pub condemned: u8,
    pub roots: u8,
    pub removed: u8,
    pub packs: u8,
    pub copy: u8,
    pub drop: u8,
    pub gives_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UndoAt {
    #[default]
    Idle,
    RemoveTombstone,
    ReadRecords,
    ReadManifest,
    PutBack,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// What each pack holds or held, and which are there.
    pub packs: [u8; PACKS],
    pub present: u8,
    pub records: [Record; RECORDS],
    /// Records so young that a list may lack them.
    pub new_records: u8,
    /// Manifests of which one copy is there, and of which both are.
    pub manifests: u8,
    pub full: u8,
    pub new_manifests: u8,
    pub acknowledged: u8,
    pub is_forgotten: bool,
    /// Sessions whose leases hold, by writer.
    pub open: u8,
    pub writers: [Writer; WRITERS],
    pub collectors: [Collector; COLLECTORS],
    pub undo: UndoAt,
    /// Objects of each pack whose bytes are bad there.
    pub bad: [u8; PACKS],
    /// Packs that are damaged where no object is.
    pub frames: u8,
    /// Packs of which a copy lies in quarantine.
    pub aside: u8,
    pub journal: Journal,
    pub mender: Mender,
    pub crashes: u8,
    pub failures: u8,
    /// Who has the lock: writers from 1, collectors from 11, a repair 21.
    pub lock: u8,
}

impl State {
    pub fn start(setting: &Setting) -> Self {
        let mut packs = [0; PACKS];
        packs[0] = X | Y | Z;
        packs[1] = if setting.twice { Y } else { 0 };
        let present = if setting.twice { 3 } else { 1 };
        let whole = Self { manifests: 3, full: 3, acknowledged: 3, ..Self::default() };
        let mut bad = [0; PACKS];
        match setting.damage {
            Damage::Nothing => Self { packs, present, ..whole },
            Damage::Object => {
                packs[1] = Y | Z;
                bad[0] = Z;
                Self { packs, bad, present: 3, ..whole }
            }
            Damage::Frame => {
                packs[..2].copy_from_slice(&[Y, X | Y | Z]);
                Self { packs, frames: 1, present: 3, ..whole }
            }
        }
    }

    /// Packs of `among` that hold `object`.
    pub fn holding(&self, object: u8, among: u8) -> u8 {
        among & bits(self.packs.iter().map(|pack| pack & object != 0))
    }

    /// What the packs of `among` hold together.
    pub fn held_by(&self, among: u8) -> u8 {
        let held = self.packs.iter().enumerate().filter(|(at, _)| among & (1 << at) != 0);
        held.fold(0, |all, (_, pack)| all | pack)
    }

    /// A name that nobody has ever heard of: names are never used again.
    pub fn unused_pack(&self) -> Option<usize> {
        let named = self.records.iter().fold(0, |all, record| all | record.packs);
        let of_writers = self.writers.iter().fold(0, |all, it| all | it.avoid | it.seen);
        let of_collectors =
            self.collectors.iter().fold(0, |all, it| all | it.condemned | it.packs | it.drop);
        let of_repairs = self.aside | self.journal.moved | self.journal.added;
        let of_mender = self.mender.moved | self.mender.added | self.mender.holders;
        let taken = self.present | named | of_writers | of_collectors | of_repairs | of_mender;
        (2..PACKS).find(|at| taken & (1 << at) == 0)
    }

    pub fn unused_record(&self) -> Option<usize> {
        let due = self.collectors.iter().fold(0, |all, it| all | it.due);
        let taken = due | self.mender.record;
        (0..RECORDS).find(|at| !self.records[*at].exists && taken & (1 << at) == 0)
    }

    /// Snapshots that were promised and that nobody has removed.
    pub fn promised(&self) -> u8 {
        let undoing = !matches!(self.undo, UndoAt::Idle | UndoAt::Done);
        let is_gone = self.is_forgotten || undoing;
        self.acknowledged & !(if is_gone { 1 << OLD } else { 0 })
    }

    /// What is broken, if anything is.
    pub fn violation(&self, setting: &Setting) -> Option<&'static str> {
        let removed = if self.is_forgotten { 1 << OLD } else { 0 };
        let needed = needs_of(self.manifests & !removed);
        if setting.medium == Medium::Locked && needed & !self.good_in(self.present) != 0 {
            return Some("a snapshot that nobody has acknowledged is there and not complete");
        }
        let promised = self.promised();
        if promised & !self.manifests != 0 {
            return Some("the manifest of an acknowledged snapshot is gone");
        }
        if needs_of(promised) & !self.good_in(self.present) != 0 {
            return Some("an object of an acknowledged snapshot is gone");
        }
        None
    }

    /// Whether every process has ended or rests.
    pub fn is_quiet(&self) -> bool {
        let rests = |it: &Writer| {
            use WriterAt::{Dead, Done, Failed, Idle};
            matches!(it.at, Idle | Done | Failed | Dead)
        };
        self.writers.iter().all(rests)
            && self.collectors.iter().all(|it| it.at == CollectorAt::Idle)
            && matches!(self.undo, UndoAt::Idle | UndoAt::Done)
            && self.mender.at == MenderAt::Idle
    }
}

pub fn bits(items: impl Iterator<Item = bool>) -> u8 {
    items.enumerate().fold(0, |all, (at, is)| if is { all | (1 << at) } else { all })
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.records.iter().filter(|record| record.exists);
        let records: Vec<_> = records
            .map(|it| format!("{:08b}{}", it.packs, if it.gives_up { "+" } else { "" }))
            .collect();
        write!(
            f,
            "packs {:?} {:08b} records {records:?} there {:05b} done {:05b} removed {} open {:03b}",
            self.packs,
            self.present,
            self.manifests,
            self.acknowledged,
            self.is_forgotten,
            self.open
        )
    }
}

/// The number of a process, a pack or a record as it is stored.
pub fn small(n: usize) -> u8 {
    u8::try_from(n).expect("a model has few of each")
}
