//! The steps of a backup, and of undoing a removal.

use super::state::FIRST_NEW;
use super::state::Medium;
use super::state::OBJECTS;
use super::state::OLD;
use super::state::Rule;
use super::state::Setting;
use super::state::State;
use super::state::UndoAt;
use super::state::WriterAt;
use super::state::has_parent;
use super::state::small;

/// What records are listed: the packs they condemn, and whether one gives the old snapshot up.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    pub packs: u8,
    pub gives_up: bool,
    pub records: u8,
}

/// All ways in which a list of the records can come out.
pub fn listings(setting: &Setting, state: &State) -> Vec<Listed> {
    let look = |with_new: bool| {
        let mut listed = Listed { packs: 0, gives_up: false, records: 0 };
        for (at, record) in state.records.iter().enumerate() {
            if record.exists && (with_new || state.new_records & (1 << at) == 0) {
                listed.packs |= record.packs;
                listed.gives_up |= record.gives_up;
                listed.records |= 1 << at;
            }
        }
        listed
    };
    let any_new = state.new_records != 0;
    match setting.medium {
        Medium::Late if any_new => vec![look(true), look(false)],
        _ => vec![look(true)],
    }
}

impl State {
    /// What the writer does next, in every way that it can come out.
    pub fn write(&self, setting: &Setting, n: usize) -> Vec<State> {
        let mut next = *self;
        let writer = &mut next.writers[n];
        match self.writers[n].at {
            WriterAt::Idle => {
                next.open |= 1 << n;
                writer.at = WriterAt::ReadRecords;
                writer.on_parent = has_parent(n);
                vec![next]
            }
            WriterAt::ReadRecords => self.after_records(setting, n, WriterAt::ReadIndex),
            WriterAt::ReadIndex => vec![self.read_index(n)],
            WriterAt::Upload => self.upload(n),
            WriterAt::CheckRecords => {
                if setting.medium == Medium::Locked && self.lock != 0 {
                    return Vec::new();
                }
                let mut locked = *self;
                locked.lock = if setting.medium == Medium::Locked { 1 + small(n) } else { 0 };
                locked.after_records(setting, n, WriterAt::CheckPacks)
            }
            WriterAt::CheckPacks => {
                let good = !setting.has(Rule::ReadBack) || self.relies_on_good(n);
                next.writers[n].at =
                    if good { WriterAt::WriteManifest } else { WriterAt::Withdraw };
                next.writers[n].avoid = 0;
                vec![next]
            }
            WriterAt::WriteManifest => {
                next.manifests |= 1 << (FIRST_NEW + n);
                next.new_manifests |= 1 << (FIRST_NEW + n);
                if !setting.has(Rule::ReadBack) {
                    return vec![next.acknowledge(n)];
                }
                next.writers[n].at = match setting.has(Rule::CondemnedThenPresence) {
                    true => WriterAt::ReadBackRecords,
                    false => WriterAt::ReadBackPacks,
                };
                vec![next]
            }
            WriterAt::ReadBackRecords | WriterAt::ReadBackPacks => self.read_back(setting, n),
            WriterAt::Withdraw => {
                next.manifests &= !(1 << (FIRST_NEW + n));
                vec![next.end(n, WriterAt::Failed)]
            }
            WriterAt::Done | WriterAt::Failed | WriterAt::Dead => Vec::new(),
        }
    }

    /// Reads the records and goes on.
    fn after_records(&self, setting: &Setting, n: usize, at: WriterAt) -> Vec<State> {
        let read = |listed: Listed| {
            let mut next = *self;
            let writer = &mut next.writers[n];
            writer.avoid = listed.packs;
            writer.at = at;
            if listed.gives_up && setting.has(Rule::GivenUpIsTold) {
                writer.on_parent &= at != WriterAt::ReadIndex;
                // Too late to read the source again.
                if writer.on_parent {
                    writer.at = WriterAt::Withdraw;
                }
            }
            next
        };
        listings(setting, self).into_iter().map(read).collect()
    }

    /// Finds what need not be put; the old snapshot's objects are taken over unseen.
    fn read_index(&self, n: usize) -> State {
        let mut next = *self;
        let writer = &mut next.writers[n];
        writer.on_parent &= self.manifests & (1 << OLD) != 0;
        writer.upload = self.uncovered(writer.asks(n), writer.avoid);
        writer.avoid = 0;
        writer.at = match writer.upload {
            0 => WriterAt::CheckRecords,
            _ => WriterAt::Upload,
        };
        next
    }

    /// What the writer needs and no pack holds that is present and not condemned.
    fn uncovered(&self, asked: u8, avoid: u8) -> u8 {
        let usable = self.present & !avoid;
        let missing = OBJECTS
            .into_iter()
            .filter(|object| asked & object != 0 && self.holding(*object, usable) == 0);
        missing.fold(0, |all, object| all | object)
    }

    fn upload(&self, n: usize) -> Vec<State> {
        let Some(pack) = self.unused_pack() else { return Vec::new() };
        let mut next = *self;
        next.packs[pack] = self.writers[n].upload;
        next.bad[pack] = 0;
        next.frames &= !(1 << pack);
        next.present |= 1 << pack;
        next.writers[n].at = WriterAt::CheckRecords;
        next.writers[n].upload = 0;
        vec![next]
    }

    /// Whether all that the snapshot needs is where the writer may rely on it.
    fn relies_on_good(&self, n: usize) -> bool {
        let writer = &self.writers[n];
        let parent = !writer.on_parent || self.manifests & (1 << OLD) != 0;
        parent && self.uncovered(writer.asks(n), writer.avoid) == 0
    }

    fn read_back(&self, setting: &Setting, n: usize) -> Vec<State> {
        let mut next = *self;
        if setting.has(Rule::CondemnedThenPresence) {
            if self.writers[n].at == WriterAt::ReadBackRecords {
                return self.after_records(setting, n, WriterAt::ReadBackPacks);
            }
            if self.relies_on_good(n) {
                return vec![next.acknowledge(n)];
            }
            next.writers[n].at = WriterAt::Withdraw;
            return vec![next];
        }
        // The other way round: what is present first, and of that what is not condemned.
        if self.writers[n].at == WriterAt::ReadBackPacks {
            next.writers[n].seen = self.present;
            next.writers[n].at = WriterAt::ReadBackRecords;
            return vec![next];
        }
        let judge = |mut after: State| {
            if after.writers[n].at == WriterAt::Withdraw {
                return after;
            }
            let usable = self.writers[n].seen & !after.writers[n].avoid;
            let asked = after.writers[n].asks(n);
            if asked & !self.held_by(usable) == 0 {
                return after.acknowledge(n);
            }
            after.writers[n].at = WriterAt::Withdraw;
            after
        };
        let read = self.after_records(setting, n, WriterAt::ReadBackPacks);
        read.into_iter().map(judge).collect()
    }

    fn acknowledge(mut self, n: usize) -> State {
        self.full |= 1 << (FIRST_NEW + n);
        self.acknowledged |= 1 << (FIRST_NEW + n);
        self.end(n, WriterAt::Done)
    }

    fn end(mut self, n: usize, at: WriterAt) -> State {
        self.open &= !(1 << n);
        self.writers[n] = super::state::Writer { at, ..Default::default() };
        if usize::from(self.lock) == 1 + n {
            self.lock = 0;
        }
        self
    }

    /// The process dies; its session stays until the lease is over.
    pub fn crash_writer(&self, n: usize) -> Option<State> {
        use WriterAt::{Dead, Done, Failed, Idle};
        if self.crashes == 0 || matches!(self.writers[n].at, Idle | Done | Failed | Dead) {
            return None;
        }
        let mut next = self.end(n, Dead);
        next.open = self.open;
        next.crashes -= 1;
        Some(next)
    }

    /// Takes a removal back: the tombstone goes if nothing has been given up for it.
    pub fn take_back(&self, setting: &Setting) -> Vec<State> {
        let mut next = *self;
        let given_up = listings(setting, self).into_iter().any(|listed| listed.gives_up);
        let is_there = self.manifests & (1 << OLD) != 0;
        next.undo = match self.undo {
            UndoAt::Idle if !self.is_forgotten || !setting.undo => return Vec::new(),
            UndoAt::Idle if given_up => UndoAt::Done,
            UndoAt::Idle => UndoAt::RemoveTombstone,
            UndoAt::RemoveTombstone => {
                next.is_forgotten = false;
                UndoAt::ReadRecords
            }
            UndoAt::ReadRecords if given_up => UndoAt::PutBack,
            UndoAt::ReadRecords => UndoAt::ReadManifest,
            UndoAt::ReadManifest if is_there => UndoAt::Done,
            UndoAt::ReadManifest => UndoAt::PutBack,
            UndoAt::PutBack => {
                next.is_forgotten = true;
                UndoAt::Done
            }
            UndoAt::Done => return Vec::new(),
        };
        vec![next]
    }
}
