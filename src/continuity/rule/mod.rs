//! The rules: from a plan and facts to colours with reasons.

mod copies;
mod duties;
mod papers;
pub mod programme;
mod proof;
pub mod quarter;
#[cfg(test)]
pub mod tests;
mod time;

use jiff::civil::Date;

use crate::config::plan::Criticality;
use crate::config::plan::Dataset;
use crate::config::plan::Plan;
use crate::config::plan::Service;
use crate::continuity::fact::Facts;
use crate::continuity::fact::Item;
use crate::continuity::legal::Frames;
use crate::continuity::said::Said;
use crate::continuity::said::Value;
use crate::continuity::said::Words;
use crate::continuity::words;
use crate::schedule::work::Period;
use crate::units::Timestamp;

const LAST: u8 = 27;
const MS: i64 = 1000;

/// R01 to R27.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(u8);

/// The worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    Red,
    Amber,
    Green,
}

/// What a rule came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Judged(Colour),
    /// This version yields none of the facts that it asks for.
    NotYet,
}

/// A rule, what it came to and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub rule: Rule,
    pub outcome: Outcome,
    /// What is not green, the worst first; else one line that says of how many.
    pub reasons: Vec<Said>,
}

impl Rule {
    #[must_use]
    pub const fn of(number: u8) -> Option<Self> {
        if number >= 1 && number <= LAST { Some(Self(number)) } else { None }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        (1..=LAST).map(Self)
    }

    /// `R01`.
    #[must_use]
    pub fn name(self) -> String {
        format!("R{:02}", self.0)
    }

    #[must_use]
    pub fn title(self) -> Words {
        let at = usize::from(self.0).saturating_sub(1);
        words::title::ALL.get(at).map_or(Words { en: "", vi: "" }, |(_, words)| *words)
    }
}

impl Colour {
    /// As programs read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Green => "green",
        }
    }
}

/// A plan and facts, with what several rules ask of them.
struct Look<'l> {
    plan: &'l Plan,
    facts: &'l Facts,
    /// Month and day on which a year of reports begins.
    year_begins: (i8, i8),
    /// On which the report of a year is late, if somebody asks for one.
    report_before: Option<(i8, i8)>,
    /// Until when the frame lets older rules go on.
    transition: Option<Date>,
}

/// Judges every rule, in their order.
#[must_use]
pub fn judge(plan: &Plan, facts: &Facts, frames: &Frames) -> Vec<Judged> {
    let year_begins = frames.year_begins(plan.org.legal_profile);
    let transition = frames.transition_until(plan.org.legal_profile);
    let report_before = frames.report_before(plan.org.legal_profile);
    let look = Look { plan, facts, year_begins, report_before, transition };
    Rule::all().map(|rule| look.judge(rule)).collect()
}

/// Colours of single things, with reasons for those that are not green.
#[derive(Debug, Default)]
struct Tally {
    found: Vec<(Colour, Said)>,
    count: usize,
}

impl Tally {
    fn green(&mut self) {
        self.count += 1;
    }

    fn add(&mut self, colour: Colour, reason: Said) {
        self.count += 1;
        self.found.push((colour, reason));
    }

    /// Of nothing at all nothing is green.
    fn judged(mut self, rule: Rule, nothing: Words) -> Judged {
        if self.count == 0 {
            return Judged::of(rule, Colour::Red, nothing.said());
        }
        self.found.sort_by_key(|(colour, _)| *colour);
        let Some(worst) = self.found.first().map(|(colour, _)| *colour) else {
            return Judged::of(rule, Colour::Green, words::ALL_WELL.with([self.count.into()]));
        };
        let reasons = self.found.into_iter().map(|(_, reason)| reason).collect();
        Judged { rule, outcome: Outcome::Judged(worst), reasons }
    }
}

impl Judged {
    fn of(rule: Rule, colour: Colour, reason: Said) -> Self {
        Self { rule, outcome: Outcome::Judged(colour), reasons: vec![reason] }
    }

    const fn not_yet(rule: Rule) -> Self {
        Self { rule, outcome: Outcome::NotYet, reasons: Vec::new() }
    }

    /// Its colour; none where it is not judged.
    #[must_use]
    pub const fn colour(&self) -> Option<Colour> {
        match self.outcome {
            Outcome::Judged(colour) => Some(colour),
            Outcome::NotYet => None,
        }
    }
}

/// A dataset of the plan, with its service.
#[derive(Clone, Copy)]
struct Planned<'l> {
    name: &'l String,
    dataset: &'l Dataset,
    service: &'l Service,
}

impl Planned<'_> {
    fn is_critical(&self) -> bool {
        self.service.criticality == Criticality::Critical
    }

    fn level_min(&self, item: &Item) -> u8 {
        self.dataset.min_proof.unwrap_or(item.level_min)
    }
}

impl<'l> Look<'l> {
    fn judge(&self, rule: Rule) -> Judged {
        match rule.0 {
            1 => self.nothing_forgotten(rule),
            2 => self.fresh(rule),
            3 => self.enough_copies(rule),
            4 => self.offsite(rule),
            5 => self.proof_age(rule),
            6 => self.proof_level(rule),
            7 => self.targets(rule),
            8 => self.oldest(rule),
            9 => self.substitute(rule),
            10 => self.of_nothing(rule),
            11 => self.full_scale(rule),
            12 => self.recovery_time(rule),
            13 => self.fleet(rule),
            14 => self.truth(rule),
            15 => self.actions(rule),
            16 => self.signatures(rule),
            17 => self.seals(rule),
            18 => self.kit(rule),
            20 => self.clock(rule),
            21 => self.ledger(rule),
            22 => self.canaries(rule),
            23 => self.contacts(rule),
            24 => self.review(rule),
            25 => self.pinned(rule),
            26 => self.alarm(rule),
            27 => self.reports(rule),
            _ => Judged::not_yet(rule),
        }
    }

    /// Datasets of the plan, in order of service and name.
    fn planned(&self) -> impl Iterator<Item = Planned<'l>> {
        let services = self.plan.services.values();
        services.flat_map(|service| {
            let datasets = service.datasets.iter();
            datasets.map(move |(name, dataset)| Planned { name, dataset, service })
        })
    }

    /// Green within a period, amber within so many halves of it.
    fn within(&self, from: Timestamp, (period, halves): (Period, u32)) -> Colour {
        let until = |halves| self.plan.calendar.after(from, period, halves);
        if self.facts.now <= until(2) {
            Colour::Green
        } else if self.facts.now <= until(halves) {
            Colour::Amber
        } else {
            Colour::Red
        }
    }

    /// The same with a second period for amber.
    fn within_either(&self, from: Timestamp, green: Period, amber: Period) -> Colour {
        let until = |period| self.plan.calendar.after(from, period, 2);
        if self.facts.now <= until(green) {
            Colour::Green
        } else if self.facts.now <= until(amber) {
            Colour::Amber
        } else {
            Colour::Red
        }
    }

    /// How long ago something was; what lies ahead was just now.
    fn since(&self, at: Timestamp) -> Value {
        let ms = self.facts.now.ms_since(at).max(0);
        Value::Lasting(u64::try_from(ms / MS).unwrap_or(0))
    }

    fn date(&self, at: Timestamp) -> Value {
        self.plan.calendar.date(at).into()
    }
}
