//! The steps of a repair, and of taking it back.
//!
//! At the start one object is bad in the first pack and good in the second one, so all is whole.
//! A repair plans, writes its journal, saves what is good in the damaged packs, puts copies of them
//! aside, tells writers and prunes of it, looks again whether all that it relies on stays, and only
//! then frees the old names. It may die behind each of these steps.

use super::state::Back;
use super::state::CollectorAt;
use super::state::Damage;
use super::state::Medium;
use super::state::OBJECTS;
use super::state::PACKS;
use super::state::RECORDS;
use super::state::Record;
use super::state::Rule;
use super::state::Setting;
use super::state::State;
use super::state::bits;
use super::state::needs_of;
use super::state::small;

/// Who has the lock while a repair exchanges.
const MENDER: u8 = 21;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MenderAt {
    #[default]
    Idle,
    Plan,
    Journal,
    Name,
    Save,
    Aside,
    Announce,
    LookAgain,
    Remove,
    /// Only where the order is the wrong one.
    SaveLate,
    RemoveRecord,
    UndoPlan,
    Return,
    UndoAnnounce,
    UndoLookAgain,
    UndoRemove,
    UndoRemoveRecord,
    Forget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mender {
    pub at: MenderAt,
    pub round: u8,
    /// Packs that go to quarantine, or that come back from there.
    pub moved: u8,
    /// Objects that are saved out of them.
    pub rescue: u8,
    /// The pack that is added, or that goes again.
    pub added: u8,
    /// Packs on which objects stand when the others are gone.
    pub holders: u8,
    /// Its own record, as a bit.
    pub record: u8,
}

/// What the newest journal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Journal {
    pub exists: bool,
    pub moved: u8,
    pub added: u8,
}

impl State {
    /// Objects of `among` whose copies there are good.
    pub fn good_in(&self, among: u8) -> u8 {
        let packs = (0..PACKS).filter(|at| among & (1 << at) != 0);
        packs.fold(0, |all, at| all | (self.packs[at] & !self.bad[at]))
    }

    fn damaged(&self) -> u8 {
        self.present & (self.frames | bits(self.bad.iter().map(|bad| *bad != 0)))
    }

    fn condemned_by_others(&self) -> u8 {
        let others = (0..RECORDS).filter(|at| self.mender.record & (1 << at) == 0);
        others.fold(0, |all, at| all | self.records[at].packs)
    }

    /// What the repair does next, in every way that it can come out.
    pub fn mend(&self, setting: &Setting) -> Vec<State> {
        let mut next = *self;
        let mender = &mut next.mender;
        match self.mender.at {
            MenderAt::Idle => return self.begin_mending(setting),
            MenderAt::Plan => return vec![self.plan_mending()],
            MenderAt::Journal => {
                next.journal = Journal { exists: true, moved: mender.moved, added: 0 };
                mender.at = match (setting.has(Rule::SavedBeforeMoved), mender.rescue) {
                    (true, 1..) => MenderAt::Name,
                    _ => MenderAt::Aside,
                };
            }
            MenderAt::Name => {
                let Some(pack) = self.unused_pack() else { return Vec::new() };
                mender.added = 1 << pack;
                next.journal.added = 1 << pack;
                mender.at = MenderAt::Save;
            }
            MenderAt::Save => {
                next.save();
                next.mender.at = MenderAt::Aside;
            }
            MenderAt::Aside => {
                if mender.moved & !self.present != 0 {
                    return vec![self.end_mending()];
                }
                next.aside |= mender.moved;
                mender.at = MenderAt::Announce;
            }
            MenderAt::Announce => {
                let packs = mender.moved;
                return self.announce(setting, packs, MenderAt::LookAgain);
            }
            MenderAt::LookAgain => return self.look_again(setting),
            MenderAt::Remove => next.remove_one(self.mender.moved, setting),
            MenderAt::SaveLate => {
                let Some(pack) = self.unused_pack() else { return Vec::new() };
                mender.added = 1 << pack;
                next.save();
                next.mender.at = MenderAt::RemoveRecord;
            }
            MenderAt::RemoveRecord => {
                next.drop_record();
                return vec![next.end_mending()];
            }
            _ => return self.take_mending_back(setting),
        }
        vec![next]
    }

    fn begin_mending(&self, setting: &Setting) -> Vec<State> {
        let mut ways = Vec::new();
        if setting.damage == Damage::Nothing || self.mender.round >= setting.repairs {
            return ways;
        }
        let mut next = *self;
        next.mender.at = MenderAt::Plan;
        ways.push(next);
        if setting.back == Back::Tried && self.journal.exists {
            next.mender.at = MenderAt::UndoPlan;
            ways.push(next);
        }
        ways
    }

    /// Reads every byte: which packs go, what of them is saved, on what the rest stands.
    fn plan_mending(&self) -> State {
        let mut next = *self;
        let damaged = self.damaged();
        let live = needs_of(self.manifests);
        let fine = self.present & !damaged & !self.condemned_by_others();
        let rescue = live & self.good_in(damaged) & !self.good_in(fine);
        let mut holders = 0;
        for object in OBJECTS.into_iter().filter(|object| live & object != 0) {
            let holding = self.holding(object, fine);
            holders |= holding & holding.wrapping_neg();
        }
        if damaged == 0 {
            return self.end_mending();
        }
        let mender = &mut next.mender;
        (mender.moved, mender.rescue, mender.holders) = (damaged, rescue, holders);
        mender.at = MenderAt::Journal;
        next
    }

    fn save(&mut self) {
        let pack = self.mender.added.trailing_zeros() as usize;
        self.packs[pack] = self.mender.rescue;
        self.bad[pack] = 0;
        self.frames &= !self.mender.added;
        self.present |= self.mender.added;
        self.mender.holders |= self.mender.added;
        self.mender.rescue = 0;
    }

    fn announce(&self, setting: &Setting, packs: u8, then: MenderAt) -> Vec<State> {
        let mut next = *self;
        next.mender.at = then;
        if packs == 0 || !setting.has(Rule::MovesAreAnnounced) {
            return vec![next];
        }
        let Some(at) = self.unused_record() else { return Vec::new() };
        next.records[at] = Record { exists: true, packs, gives_up: false };
        next.new_records |= 1 << at;
        next.mender.record = 1 << at;
        vec![next]
    }

    /// Alone, where the medium knows of turns.
    fn locked(&self, setting: &Setting) -> Option<State> {
        let mut next = *self;
        if setting.medium == Medium::Locked {
            if self.lock != 0 {
                return None;
            }
            next.lock = MENDER;
        }
        Some(next)
    }

    fn look_again(&self, setting: &Setting) -> Vec<State> {
        let Some(mut next) = self.locked(setting) else { return Vec::new() };
        let holders = self.mender.holders;
        let is_lost = holders & (self.condemned_by_others() | !self.present) != 0;
        let is_gone = self.mender.moved & !self.present & !self.aside != 0;
        if setting.has(Rule::HoldersLookedAgain) && (is_lost || is_gone) {
            return vec![next.give_up(setting)];
        }
        next.aside |= self.mender.moved & self.present;
        next.mender.at = MenderAt::Remove;
        vec![next]
    }

    /// Frees one name of `packs`, or goes on.
    fn remove_one(&mut self, packs: u8, setting: &Setting) {
        let left = packs & self.present;
        if left != 0 {
            self.present &= !(left & left.wrapping_neg());
            return;
        }
        self.mender.at = match self.mender.at {
            MenderAt::UndoRemove => MenderAt::UndoRemoveRecord,
            _ if !setting.has(Rule::SavedBeforeMoved) && self.mender.rescue != 0 => {
                MenderAt::SaveLate
            }
            _ => MenderAt::RemoveRecord,
        };
    }

    fn drop_record(&mut self) {
        for at in (0..RECORDS).filter(|at| self.mender.record & (1 << at) != 0) {
            self.records[at] = Record::default();
            self.new_records &= !(1 << at);
        }
        self.mender.record = 0;
    }

    /// It cannot go on. Its record stays: a prune may be about to remove what it names.
    fn give_up(mut self, setting: &Setting) -> State {
        if !setting.has(Rule::RecordOutlivesPacks) {
            self.drop_record();
        }
        self.end_mending()
    }

    fn end_mending(&self) -> State {
        let mut next = *self;
        next.mender = Mender { round: self.mender.round + 1, ..Mender::default() };
        if self.lock == MENDER {
            next.lock = 0;
        }
        next
    }

    fn take_mending_back(&self, setting: &Setting) -> Vec<State> {
        let mut next = *self;
        let mender = &mut next.mender;
        let is_checked = setting.has(Rule::QuarantineIsThere);
        match self.mender.at {
            MenderAt::UndoPlan => {
                mender.moved = self.journal.moved & !self.present;
                mender.added = self.journal.added & self.present;
                if is_checked && mender.moved & !self.aside != 0 {
                    return vec![self.end_mending()];
                }
                mender.at = MenderAt::Return;
            }
            MenderAt::Return => {
                let waits = setting.medium != Medium::Locked
                    && setting.has(Rule::UndoWaitsForPrunes)
                    && self.collectors.iter().any(|it| it.at != CollectorAt::Idle);
                if waits || (is_checked && mender.moved & !self.aside != 0) {
                    return vec![self.end_mending()];
                }
                next.present |= mender.moved & self.aside;
                mender.at = MenderAt::UndoAnnounce;
            }
            MenderAt::UndoAnnounce => {
                return self.announce(setting, self.mender.added, MenderAt::UndoLookAgain);
            }
            MenderAt::UndoLookAgain => {
                let Some(mut next) = self.locked(setting) else { return Vec::new() };
                // What comes back, and what never went: a repair may have died before that.
                let holders = match setting.has(Rule::AllComesBack) {
                    true => self.journal.moved,
                    false => self.mender.moved,
                };
                let is_lost = holders & (self.condemned_by_others() | !self.present) != 0;
                if is_lost && is_checked {
                    return vec![next.give_up(setting)];
                }
                next.mender.at = MenderAt::UndoRemove;
                return vec![next];
            }
            MenderAt::UndoRemove => next.remove_one(self.mender.added, setting),
            MenderAt::UndoRemoveRecord => {
                next.drop_record();
                if next.lock == MENDER {
                    next.lock = 0;
                }
                next.mender.at = MenderAt::Forget;
            }
            _ => {
                next.aside &= !self.journal.moved;
                next.journal = Journal::default();
                return vec![next.end_mending()];
            }
        }
        vec![next]
    }

    pub fn crash_mender(&self) -> Option<State> {
        if self.crashes == 0 || self.mender.at == MenderAt::Idle {
            return None;
        }
        let mut next = self.end_mending();
        next.crashes -= 1;
        Some(next)
    }

    /// A prune empties the quarantine when the grace is over, but not under a repair that has just
    /// looked there.
    pub fn empty_quarantine(&self) -> Option<State> {
        use MenderAt::{LookAgain, Remove, UndoLookAgain, UndoRemove};
        let is_safe = matches!(self.mender.at, LookAgain | Remove | UndoLookAgain | UndoRemove);
        if self.aside == 0 || is_safe {
            return None;
        }
        let mut next = *self;
        next.aside = 0;
        Some(next)
    }

    /// A lone repair, to its end.
    pub fn mended(&self, setting: &Setting) -> Option<State> {
        let setting = Setting { repairs: 1, back: Back::Never, off: None, ..*setting };
        let mut state = *self;
        state.mender = Mender::default();
        while state.mender.round < small(1) {
            state = state.mend(&setting).pop()?;
        }
        Some(state)
    }
}
