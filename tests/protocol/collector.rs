//! The steps of a prune.

use super::state::COLLECTORS;
use super::state::Collector;
use super::state::CollectorAt;
use super::state::Damage;
use super::state::FIRST_NEW;
use super::state::Marks;
use super::state::Medium;
use super::state::OBJECTS;
use super::state::OLD;
use super::state::PACKS;
use super::state::RECORDS;
use super::state::Record;
use super::state::Rule;
use super::state::Setting;
use super::state::State;
use super::state::bits;
use super::state::needs;
use super::state::needs_of;
use super::state::small;
use super::writer::Listed;
use super::writer::listings;

/// Packs that no open session can have written.
const BEFORE_ALL: u8 = 3;

impl State {
    /// What the collector does next, in every way that it can come out.
    pub fn collect(&self, setting: &Setting, n: usize) -> Vec<State> {
        let mut next = *self;
        let collector = &mut next.collectors[n];
        match self.collectors[n].at {
            CollectorAt::Idle => {
                if collector.round >= setting.rounds {
                    return Vec::new();
                }
                collector.open = self.open;
                collector.at = CollectorAt::ReadRecords;
                vec![next]
            }
            CollectorAt::ReadRecords => self.read_records(setting, n),
            CollectorAt::ListManifests => self.list_manifests(setting, n, CollectorAt::Decide),
            CollectorAt::Decide => vec![self.decide(setting, n)],
            CollectorAt::Copy => self.copy(n),
            CollectorAt::Condemn => self.condemn(setting, n),
            CollectorAt::ListSessions => vec![self.list_sessions(setting, n)],
            CollectorAt::RecordsAgain => {
                if setting.medium == Medium::Locked && self.lock != 0 {
                    return Vec::new();
                }
                let locked = if setting.medium == Medium::Locked { 11 + small(n) } else { 0 };
                let again = listings(setting, self).into_iter().map(|listed| {
                    let mut next = *self;
                    next.lock = locked;
                    next.records_again(setting, n, listed);
                    next
                });
                again.collect()
            }
            CollectorAt::ManifestsAgain => self.manifests_again(setting, n),
            CollectorAt::PacksAgain => vec![self.packs_again(setting, n)],
            CollectorAt::RemoveManifest => {
                next.manifests &= !(1 << OLD);
                next.full &= !(1 << OLD);
                next.collectors[n].gives_up = false;
                next.collectors[n].at = match setting.has(Rule::RecordOutlivesPacks) {
                    true => CollectorAt::RemovePacks,
                    false => CollectorAt::RemoveRecords,
                };
                vec![next]
            }
            CollectorAt::RemovePacks => vec![self.remove_pack(setting, n)],
            CollectorAt::RemoveRecords => vec![self.remove_record(setting, n)],
        }
    }

    fn read_records(&self, setting: &Setting, n: usize) -> Vec<State> {
        let read = |listed: Listed| {
            let mut next = *self;
            let collector = &mut next.collectors[n];
            collector.condemned = listed.packs;
            let waits = |at: usize| {
                setting.medium == Medium::Late
                    && setting.has(Rule::Grace)
                    && self.new_records & (1 << at) != 0
            };
            let due = (0..RECORDS).map(|at| listed.records & (1 << at) != 0 && !waits(at));
            collector.due = bits(due);
            collector.at = CollectorAt::ListManifests;
            next
        };
        listings(setting, self).into_iter().map(read).collect()
    }

    /// Lists manifests and tombstones: what stands, and what was removed.
    fn list_manifests(&self, setting: &Setting, n: usize, at: CollectorAt) -> Vec<State> {
        let late = setting.medium == Medium::Late && self.new_manifests != 0;
        let unseen = if late { vec![0, self.new_manifests] } else { vec![0] };
        let mut ways = Vec::new();
        for unseen in unseen {
            let mut next = *self;
            let listed = self.manifests & !unseen;
            let collector = &mut next.collectors[n];
            // Who builds on a removed snapshot keeps it.
            let is_used = collector.open & 1 != 0;
            let is_removed = self.is_forgotten && listed & (1 << OLD) != 0 && !is_used;
            collector.removed = if is_removed { 1 << OLD } else { 0 };
            collector.roots = listed & !collector.removed;
            collector.at = at;
            ways.push(next);
        }
        if self.failures > 0 {
            let mut next = *self;
            next.failures -= 1;
            if setting.has(Rule::FailedListStops) {
                ways.push(next.end_round(n));
            } else {
                next.collectors[n].roots = 0;
                next.collectors[n].removed = 0;
                next.collectors[n].at = at;
                ways.push(next);
            }
        }
        ways
    }

    /// Roots without those that are half written, incomplete and nobody's any more.
    fn complete_roots(&self, n: usize, roots: u8) -> u8 {
        let held = self.held_by(self.present);
        let is_left = |snapshot: usize| {
            let is_half = self.full & (1 << snapshot) == 0;
            let is_open =
                self.collectors[n].open & (1 << (snapshot.saturating_sub(FIRST_NEW))) != 0;
            is_half && !is_open && needs(snapshot) & !held != 0
        };
        roots & !bits((0..8).map(|it| roots & (1 << it) != 0 && is_left(it)))
    }

    /// Chooses one copy of each object that is needed, and finds the packs that hold none.
    fn decide(&self, setting: &Setting, n: usize) -> State {
        let mut next = *self;
        let mine = self.collectors[n];
        let roots = self.complete_roots(n, mine.roots);
        let live = needs_of(roots);
        let present = self.present;
        if live & !self.held_by(present) != 0 {
            // Something is lost, or just written: nothing is deleted in doubt.
            return self.end_round(n);
        }
        let usable = present & !mine.condemned;
        let mut kept = [0; PACKS];
        let mut copy = 0;
        let mut unread = 0;
        for object in OBJECTS.into_iter().filter(|object| live & object != 0) {
            let holding = self.holding(object, usable);
            // Two collectors need not choose alike.
            let chosen = match n {
                0 => (0..PACKS).find(|at| holding & (1 << at) != 0),
                _ => (0..PACKS).rev().find(|at| holding & (1 << at) != 0),
            };
            match chosen {
                Some(pack) => {
                    kept[pack] |= object;
                    unread |= self.bad[pack] & object;
                }
                None => copy |= object,
            }
        }
        let may_drop = if mine.open == 0 { usable } else { usable & BEFORE_ALL };
        let mut drop = 0;
        for pack in (0..PACKS).filter(|pack| may_drop & (1 << pack) != 0) {
            let is_waste = self.packs[pack] & !kept[pack] != 0;
            let is_elsewhere = |object: &u8| self.holding(*object, usable & !(1 << pack)) != 0;
            let held = OBJECTS.into_iter().filter(|object| self.packs[pack] & live & object != 0);
            let is_held_twice =
                !setting.has(Rule::PerLocation) && held.clone().all(|it| is_elsewhere(&it));
            if is_waste || is_held_twice {
                drop |= 1 << pack;
                copy |= if is_held_twice { 0 } else { kept[pack] };
            }
        }
        // What it stands on is read before other copies go, and before it is copied.
        let is_unread = unread & (self.held_by(drop) | copy) != 0;
        if setting.has(Rule::CopiesAreRead) && is_unread {
            return self.end_round(n);
        }
        let collector = &mut next.collectors[n];
        collector.drop = drop;
        collector.copy = copy;
        collector.gives_up = mine.removed != 0;
        collector.at = if copy == 0 { CollectorAt::Condemn } else { CollectorAt::Copy };
        next
    }

    fn copy(&self, n: usize) -> Vec<State> {
        let Some(pack) = self.unused_pack() else { return Vec::new() };
        let mut next = *self;
        // Gone meanwhile, because another collector has copied it as well: another day.
        if self.collectors[n].copy & !self.good_in(self.present) != 0 {
            return vec![self.end_round(n)];
        }
        next.packs[pack] = self.collectors[n].copy;
        next.bad[pack] = 0;
        next.frames &= !(1 << pack);
        next.present |= 1 << pack;
        next.collectors[n].copy = 0;
        next.collectors[n].at = CollectorAt::Condemn;
        vec![next]
    }

    fn condemn(&self, setting: &Setting, n: usize) -> Vec<State> {
        let mut next = *self;
        let Collector { drop, gives_up, due, .. } = self.collectors[n];
        if drop != 0 || gives_up {
            let Some(at) = self.unused_record() else { return Vec::new() };
            next.records[at] = Record { exists: true, packs: drop, gives_up };
            next.new_records |= 1 << at;
            next.collectors[n].due = due | (1 << at);
        } else if due == 0 {
            return vec![self.end_round(n)];
        }
        let mine = &mut next.collectors[n];
        mine.at = CollectorAt::ListSessions;
        // What is not needed any more is forgotten, so that equal states are one.
        (mine.open, mine.condemned, mine.removed) = (0, 0, 0);
        if setting.lists_once() {
            return vec![next];
        }
        mine.roots = 0;
        vec![next]
    }

    /// What was condemned just now may go at once only if no session is open.
    fn list_sessions(&self, setting: &Setting, n: usize) -> State {
        let mut next = *self;
        let at_once = setting.marks == Marks::AtOnce && self.open == 0;
        let mine = &mut next.collectors[n];
        if !at_once && mine.drop | u8::from(mine.gives_up) != 0 {
            let own = (0..RECORDS).find(|at| {
                let record = self.records[*at];
                let is_due = mine.due & (1 << at) != 0;
                is_due && record.packs == mine.drop && record.gives_up == mine.gives_up
            });
            mine.due &= !own.map_or(0, |at| 1 << at);
        }
        mine.drop = 0;
        mine.gives_up = false;
        if mine.due == 0 && setting.has(Rule::RecordBeforeMarks) {
            return next.end_round(n);
        }
        mine.open = self.open;
        mine.at = CollectorAt::RecordsAgain;
        if !setting.has(Rule::CondemnedBeforePacks) {
            mine.packs = self.present;
        }
        next
    }

    fn records_again(&mut self, setting: &Setting, n: usize, listed: Listed) {
        let collector = &mut self.collectors[n];
        collector.condemned = listed.packs;
        if !setting.has(Rule::RecordBeforeMarks) {
            collector.due = listed.records;
        }
        collector.at = CollectorAt::ManifestsAgain;
    }

    fn manifests_again(&self, setting: &Setting, n: usize) -> Vec<State> {
        let first = self.collectors[n].roots;
        let mut ways = self.list_manifests(setting, n, CollectorAt::PacksAgain);
        for way in &mut ways {
            let collector = &mut way.collectors[n];
            if collector.at != CollectorAt::PacksAgain {
                continue;
            }
            if !setting.has(Rule::FreshRoots) || !setting.has(Rule::RecordBeforeMarks) {
                collector.roots = first;
            }
            if !setting.has(Rule::EveryManifest) {
                let new = collector.roots & !first;
                collector.roots = first | (new & new.wrapping_neg());
            }
        }
        ways
    }

    /// What may go now: packs of the records that are due, without which all that is needed lies
    /// in packs that nobody has condemned.
    fn packs_again(&self, setting: &Setting, n: usize) -> State {
        let mut next = *self;
        let mine = self.collectors[n];
        let roots = self.complete_roots(n, mine.roots);
        let live = needs_of(roots);
        let present = match setting.has(Rule::CondemnedBeforePacks) {
            true => self.present,
            false => mine.packs,
        };
        let then = match setting.has(Rule::RecordOutlivesPacks) {
            true => CollectorAt::RemovePacks,
            false => CollectorAt::RemoveRecords,
        };
        let due = (0..RECORDS).filter(|at| mine.due & (1 << at) != 0);
        let named = due.clone().fold(0, |all, at| all | self.records[at].packs);
        let mut go = 0;
        let mut rescued = 0;
        for pack in (0..PACKS).filter(|pack| named & self.present & (1 << pack) != 0) {
            let mut needed = OBJECTS.into_iter().filter(|it| self.packs[pack] & live & it != 0);
            let stands_in = |object: u8| match setting.has(Rule::PerLocation) {
                true => self.holding(object, present & !mine.condemned),
                false => self.holding(object, present & !(1 << pack)),
            };
            match needed.all(|object| stands_in(object) != 0) {
                true => go |= 1 << pack,
                false => rescued |= 1 << pack,
            }
        }
        if !setting.has(Rule::CondemnedIsFinal) {
            for record in &mut next.records {
                record.packs &= !rescued;
            }
        }
        let removed = mine.removed != 0;
        let gives_up = due.fold(false, |any, at| any | self.records[at].gives_up);
        let collector = &mut next.collectors[n];
        (collector.open, collector.condemned, collector.packs, collector.roots) = (0, 0, 0, 0);
        collector.drop = go;
        collector.gives_up = gives_up && removed;
        collector.at = if collector.gives_up { CollectorAt::RemoveManifest } else { then };
        collector.removed = 0;
        next
    }

    fn remove_pack(&self, setting: &Setting, n: usize) -> State {
        let mut next = *self;
        let drop = self.collectors[n].drop;
        if drop != 0 {
            let pack = drop.trailing_zeros() as usize;
            next.present &= !(1 << pack);
            next.collectors[n].drop &= !(1 << pack);
            return next;
        }
        if !setting.has(Rule::RecordOutlivesPacks) {
            return self.end_round(n);
        }
        next.collectors[n].at = CollectorAt::RemoveRecords;
        next
    }

    fn remove_record(&self, setting: &Setting, n: usize) -> State {
        let mut next = *self;
        let mine = self.collectors[n];
        let early = !setting.has(Rule::RecordOutlivesPacks);
        let present = self.present;
        let is_over = |at: usize| {
            let record = self.records[at];
            let stays = record.gives_up && self.manifests & (1 << OLD) != 0 && self.is_forgotten;
            record.exists && ((record.packs & present == 0 && !stays) || early)
        };
        let mut due = (0..RECORDS).filter(|at| mine.due & (1 << at) != 0);
        if let Some(at) = due.find(|at| is_over(*at)) {
            next.records[at] = Record::default();
            next.new_records &= !(1 << at);
            next.collectors[n].due &= !(1 << at);
            return next;
        }
        if early {
            next.collectors[n].at = CollectorAt::RemovePacks;
            return next;
        }
        self.end_round(n)
    }

    fn end_round(&self, n: usize) -> State {
        let mut next = *self;
        let round = self.collectors[n].round + 1;
        next.collectors[n] = Collector { round, ..Collector::default() };
        if usize::from(self.lock) == 11 + n {
            next.lock = 0;
        }
        next
    }

    pub fn crash_collector(&self, n: usize) -> Option<State> {
        if self.crashes == 0 || self.collectors[n].at == CollectorAt::Idle {
            return None;
        }
        let mut next = self.end_round(n);
        next.crashes -= 1;
        Some(next)
    }

    /// All processes have ended, leases and waits are over: two runs of a lone collector, and one
    /// backup. What is wrong afterwards, if anything is.
    pub fn settle(&self, setting: &Setting) -> Option<String> {
        let setting =
            Setting { rounds: 2, failures: 0, off: None, marks: Marks::AtOnce, ..*setting };
        let mut state = *self;
        state.open = 0;
        state.failures = 0;
        state.new_manifests = 0;
        state.collectors = [Collector::default(); COLLECTORS];
        if setting.damage != Damage::Nothing {
            match state.mended(&setting) {
                Some(mended) => state = mended,
                None => return Some("a repair cannot go on".to_owned()),
            }
        }
        loop {
            state.new_records = 0;
            let mut after = state.collect(&setting, 0);
            match after.pop() {
                Some(next) => state = next,
                None if state.collectors[0].round == setting.rounds => break,
                None => return Some("prune cannot go on".to_owned()),
            }
        }
        let removed = if state.is_forgotten { 1 << OLD } else { 0 };
        let live = needs_of(state.complete_roots(0, state.manifests & !removed));
        for pack in 0..PACKS {
            if state.present & (1 << pack) != 0 && state.packs[pack] & !live != 0 {
                return Some(format!("pack {pack} stays, and nothing needs it: {state}"));
            }
        }
        if state.records.iter().any(|record| record.exists) || state.manifests & removed != 0 {
            return Some(format!("leftovers stay: {state}"));
        }
        if let Some(violation) = state.violation(&setting) {
            return Some(format!("after settling: {violation}: {state}"));
        }
        state.writers[1] = super::state::Writer::default();
        state.acknowledged &= !(1 << (FIRST_NEW + 1));
        loop {
            match state.write(&setting, 1).pop() {
                Some(next) => state = next,
                None if state.acknowledged & (1 << (FIRST_NEW + 1)) != 0 => return None,
                None => return Some(format!("a backup cannot be made: {state}")),
            }
        }
    }
}
