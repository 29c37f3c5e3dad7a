//! R16, R18, R20, R21, R23 and R24: signatures, kit, clock, ledger, contacts, the plan itself.

use crate::continuity::fact::Entries;
use crate::continuity::fact::Ledger;
use crate::continuity::fact::Witness;
use crate::continuity::rule::Colour;
use crate::continuity::rule::Judged;
use crate::continuity::rule::Look;
use crate::continuity::rule::Rule;
use crate::continuity::rule::Tally;
use crate::continuity::said::Said;
use crate::continuity::said::Value;
use crate::continuity::words;
use crate::schedule::work::Period;
use crate::units::Timestamp;

const DAY_S: u64 = 24 * 3600;
const fn days(count: u64) -> Period {
    Period::Elapsed(std::time::Duration::from_secs(count * DAY_S))
}

const SIGN_GREEN: Period = Period::WorkDays(5);
const SIGN_AMBER: Period = Period::WorkDays(10);
const CLOCK_GREEN_MS: u64 = 2_000;
const CLOCK_AMBER_MS: u64 = 60_000;
const CLOCK_KNOWN: Period = days(1);
const WITNESS: Period = days(35);
const KIT_GREEN: Period = days(35);
const KIT_AMBER: Period = days(60);
const VERIFIED_GREEN: Period = Period::Months(12);
const VERIFIED_AMBER: Period = Period::Months(15);
/// The contact that must be there.
const INCIDENT: &str = "incident";

/// What stands in a ledger that was not read, nobody knows to be done.
fn unread(entries: &Entries) -> Tally {
    let mut tally = Tally::default();
    if let Some(why) = &entries.unread {
        tally.add(Colour::Red, words::LEDGER_UNREAD.with([why.into()]));
    }
    tally
}

impl Look<'_> {
    /// What stands in the ledger, or why nothing does.
    pub(super) fn entries(&self) -> Result<&Entries, Said> {
        match &self.facts.ledger {
            Ledger::Valid(entries) => Ok(entries),
            Ledger::Absent => Err(words::NO_LEDGER.said()),
            Ledger::Unread(why) => Err(words::LEDGER_UNREAD.with([why.into()])),
            Ledger::Broken(why) => Err(words::LEDGER_BROKEN.with([why.into()])),
        }
    }

    pub(super) fn signatures(&self, rule: Rule) -> Judged {
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(why) => return Judged::of(rule, Colour::Red, why),
        };
        if entries.waiting.is_empty() && entries.unread.is_none() {
            return Judged::of(rule, Colour::Green, words::NOTHING_WAITS.said());
        }
        let mut tally = unread(entries);
        for waiting in &entries.waiting {
            let code = Value::from(&waiting.code);
            if waiting.is_refused {
                tally.add(Colour::Red, words::REFUSED.with([code]));
                continue;
            }
            match self.within_either(waiting.since, SIGN_GREEN, SIGN_AMBER) {
                Colour::Green => tally.green(),
                colour => {
                    tally.add(colour, words::WAITS.with([code, self.date(waiting.since)]));
                }
            }
        }
        tally.judged(rule, words::NO_LEDGER)
    }

    pub(super) fn actions(&self, rule: Rule) -> Judged {
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(why) => return Judged::of(rule, Colour::Red, why),
        };
        if entries.actions.is_empty() && entries.unread.is_none() {
            return Judged::of(rule, Colour::Green, words::NO_ACTIONS.said());
        }
        let today = self.plan.calendar.date(self.facts.now);
        let mut tally = unread(entries);
        for action in &entries.actions {
            let (id, dataset) = (Value::from(&action.id), Value::from(&action.dataset));
            match action.due {
                None => tally.add(Colour::Red, words::ACTION_UNKNOWN.with([id, dataset])),
                Some(due) if due < today => {
                    tally.add(Colour::Red, words::ACTION_LATE.with([id, dataset, due.into()]));
                }
                Some(due) => {
                    tally.add(Colour::Amber, words::ACTION_OPEN.with([id, dataset, due.into()]));
                }
            }
        }
        tally.judged(rule, words::NO_LEDGER)
    }

    /// Not judged while no entry says how far the clock is off.
    pub(super) fn clock(&self, rule: Rule) -> Judged {
        let Ok(Some((at, offset_ms))) = self.entries().map(|it| it.offset) else {
            return Judged::not_yet(rule);
        };
        let is_old = self.within(at, (CLOCK_KNOWN, 2)) == Colour::Red;
        let colour = match offset_ms.unsigned_abs() {
            _ if is_old => Colour::Red,
            off if off <= CLOCK_GREEN_MS => Colour::Green,
            off if off <= CLOCK_AMBER_MS => Colour::Amber,
            _ => Colour::Red,
        };
        let values = [offset_ms.to_string().as_str().into(), self.date(at)];
        Judged::of(rule, colour, words::OFFSET.with(values))
    }

    pub(super) fn ledger(&self, rule: Rule) -> Judged {
        let entries = self.entries();
        if let Ok(Entries { unread: Some(why), .. }) = entries {
            return Judged::of(rule, Colour::Red, words::LEDGER_UNREAD.with([why.into()]));
        }
        let (colour, reason) = match entries.map(|it| &it.witness) {
            Err(why) => (Colour::Red, why),
            Ok(Witness::None) => (Colour::Amber, words::NO_WITNESS.said()),
            Ok(Witness::Fits(at)) => {
                let colour = self.within(*at, (WITNESS, 2)).max(Colour::Amber);
                (colour, words::FITS.with([self.date(*at)]))
            }
            Ok(Witness::Misfit { code, drill }) => {
                (Colour::Red, words::MISFIT.with([code.into(), drill.into()]))
            }
        };
        Judged::of(rule, colour, reason)
    }

    /// Verified, or signed, long enough ago for a colour.
    fn yearly(&self, at: Timestamp) -> Colour {
        self.within_either(at, VERIFIED_GREEN, VERIFIED_AMBER)
    }

    /// The newest kit whose list is in the ledger.
    pub(super) fn kit(&self, rule: Rule) -> Judged {
        let kit = match self.entries() {
            Err(why) => return Judged::of(rule, Colour::Red, why),
            Ok(entries) => match (entries.kit, &entries.unread) {
                (None, Some(why)) => {
                    return Judged::of(rule, Colour::Red, words::LEDGER_UNREAD.with([why.into()]));
                }
                (None, None) => return Judged::of(rule, Colour::Red, words::NO_KIT.said()),
                (Some(kit), _) => kit,
            },
        };
        let by_age = self.within_either(kit.at, KIT_GREEN, KIT_AMBER);
        let on = [self.date(kit.at)];
        match kit.is_this_program {
            true => Judged::of(rule, by_age, words::KIT_AT.with(on)),
            false => Judged::of(rule, by_age.min(Colour::Amber), words::KIT_OTHER.with(on)),
        }
    }

    pub(super) fn contacts(&self, rule: Rule) -> Judged {
        let mut tally = Tally::default();
        for (id, contact) in &self.plan.contacts {
            let Some(on) = contact.verified_on else {
                tally.add(Colour::Red, words::CONTACT_NEVER.with([id.into()]));
                continue;
            };
            match self.yearly(self.plan.calendar.start_of(on)) {
                Colour::Green => tally.green(),
                colour => tally.add(colour, words::CONTACT_AT.with([id.into(), on.into()])),
            }
        }
        if !self.plan.contacts.contains_key(INCIDENT) {
            tally.add(Colour::Red, words::NO_INCIDENT.said());
        }
        tally.judged(rule, words::NO_INCIDENT)
    }

    pub(super) fn review(&self, rule: Rule) -> Judged {
        let (colour, reason) = match self.entries().map(|it| it.plan) {
            Err(why) => (Colour::Red, why),
            Ok(None) => (Colour::Red, words::PLAN_UNSIGNED.said()),
            Ok(Some(plan)) if !plan.is_same => {
                (Colour::Red, words::PLAN_CHANGED.with([self.date(plan.at)]))
            }
            Ok(Some(plan)) => (self.yearly(plan.at), words::PLAN_AT.with([self.date(plan.at)])),
        };
        Judged::of(rule, colour, reason)
    }
}
