//! The plan of continuity, `plan.toml`: what the office must keep doing, who answers for it, how
//! long it may stand still and how much it may lose.
//!
//! Its ids of storages and datasets are names of the configuration file, which has to be read
//! before. What is not said has a default that says so.

mod check;
mod people;
mod service;
mod value;

use std::collections::BTreeMap;

use jiff::civil::Date;
use toml::de::DeTable;

use crate::config::Config;
use crate::config::mistake::Mistake;
use crate::config::read::Noun;
use crate::config::read::Reader;
use crate::config::read::Showing;
use crate::config::read::Shown;
use crate::config::secret::Outside;
use crate::config::table::Table;
use crate::schedule::local;
use crate::schedule::work::Period;
use crate::schedule::work::WorkCalendar;
use crate::units::Timestamp;

/// Name of the file, beside the configuration file, where that names no other.
pub const FILE_NAME: &str = "plan.toml";
/// Legal frames that documents and rules may cite.
pub const PROFILES: [&str; 4] = ["vn-2026", "vn-2022", "iso-nist", "none"];

/// The whole plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub org: Org,
    pub calendar: WorkCalendar,
    pub goals: Goals,
    pub people: BTreeMap<String, Person>,
    pub storages: BTreeMap<String, Place>,
    pub services: BTreeMap<String, Service>,
    pub unprotected: BTreeMap<String, Exception>,
    pub contacts: BTreeMap<String, Contact>,
}

/// `[org]`: who issues documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    pub parent: Option<String>,
    pub name: String,
    pub abbr: Option<String>,
    pub place: Option<String>,
    pub legal_profile: &'static str,
    /// Since when the office does what its frame asks for after the transition.
    pub transition_met_on: Option<Date>,
}

/// `[goals]` of the whole office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goals {
    /// Everything is back.
    pub fleet: Period,
    /// A copy in another place follows.
    pub offsite_lag: Period,
    /// Every dataset is drilled, by criticality.
    pub coverage: BTreeMap<Criticality, Period>,
    /// Evidence is kept.
    pub evidence: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    Critical,
    Important,
    Normal,
}

impl Criticality {
    pub const ALL: [(&'static str, Self); 3] =
        [("critical", Self::Critical), ("important", Self::Important), ("normal", Self::Normal)];

    /// As it stands in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Important => "important",
            Self::Normal => "normal",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Chair,
    Secretary,
    Operator,
    Substitute,
    Owner,
    ShareHolder,
    Witness,
    Auditor,
}

/// One of `[people]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub title: Option<String>,
    pub roles: Vec<Role>,
    pub phones: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    Disk,
    Remote,
    Removable,
    Tape,
}

/// How a storage can be taken from its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Whoever writes there may delete there.
    Open,
    AppendOnly,
    /// Not connected, but when it is filled.
    Offline,
}

/// One of `[storage]`: what stands behind a storage of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub medium: Medium,
    pub failure_domain: String,
    pub hold: Hold,
    pub rotate: Option<Period>,
}

/// A target, and whether the office said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Said(Period),
    Default(Period),
}

impl Target {
    #[must_use]
    pub const fn period(self) -> Period {
        match self {
            Self::Said(period) | Self::Default(period) => period,
        }
    }
}

/// One of `[services]`: what the office must keep doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub name: String,
    /// Id of a person.
    pub owner: String,
    /// Security level.
    pub level: u32,
    pub criticality: Criticality,
    /// Place in the order of recovery.
    pub order: u32,
    pub rto: Target,
    pub rpo: Target,
    pub mtd: Option<Period>,
    pub depends_on: Vec<String>,
    pub fallback: Option<String>,
    pub datasets: BTreeMap<String, Dataset>,
}

/// One of `[services.NAME.datasets]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Number of the least level that proves it; none: that of its kind.
    pub min_proof: Option<u8>,
    /// It is drilled as often.
    pub drill: Target,
    pub business: Vec<String>,
    pub personal_data: PersonalData,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalData {
    None,
    Basic,
    Sensitive,
}

/// One of `[unprotected]`: what is left out, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub reason: String,
    pub approved_by: Option<String>,
    pub approved_on: Option<Date>,
    pub review: Period,
}

/// One of `[contacts]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    pub phone: Option<String>,
    pub verified_on: Option<Date>,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPlan {
    /// None if there is any mistake.
    pub plan: Option<Plan>,
    /// In the order of the file.
    pub mistakes: Vec<Mistake>,
    pub warnings: Vec<Mistake>,
    pub shown: Vec<Shown>,
}

/// Reads a plan's text beside the configuration whose names it uses. Nothing was done after `now`.
#[must_use]
pub fn read(text: &str, config: &Config, (outside, now): (&dyn Outside, Timestamp)) -> FoundPlan {
    let reader = Reader::new(text, outside, Showing::All);
    for name in config.storages.keys() {
        reader.define(Noun::ConfiguredStorage, name);
    }
    for backup in &config.backups {
        reader.define(Noun::ConfiguredDataset, &backup.name);
    }
    let document = crate::config::document(&reader, text);
    let plan = document.as_ref().and_then(|it| whole(&reader, it.get_ref(), config));
    crate::config::references(&reader);
    if let Some(plan) = &plan {
        check::mistakes(plan, config, &reader);
        check::dates(plan, &reader, now);
        if reader.mistakes.borrow().is_empty() {
            check::warnings(plan, config, &reader);
        }
    }
    let (mistakes, warnings) = crate::config::told(&reader);
    let plan = plan.filter(|_| mistakes.is_empty());
    FoundPlan { plan, mistakes, warnings, shown: reader.shown.take() }
}

fn whole<'a>(reader: &'a Reader<'a>, document: &'a DeTable<'a>, config: &Config) -> Option<Plan> {
    let mut table = Table::new(reader, (String::new(), 0), document);
    let inner = table.table("org");
    let org = table.needs("org", inner).and_then(org);
    let inner = table.table("calendar");
    let calendar = calendar(inner, &config.time_zone);
    let goals = goals(table.table("goals"));
    let people = people::people(&mut table);
    let storages = people::places(&mut table);
    let services = service::services(&mut table, (&calendar, &goals, &people));
    let unprotected = people::exceptions(&mut table);
    let contacts = people::contacts(&mut table);
    table.finish();
    Some(Plan { org: org?, calendar, goals, people, storages, services, unprotected, contacts })
}

fn org(mut table: Table<'_>) -> Option<Org> {
    let parent = table.text("parent");
    let name = table.text("name");
    let name = table.needs("name", name);
    let abbr = table.text("abbr");
    let place = table.text("place");
    let profiles = PROFILES.map(|id| (id, id));
    let legal_profile = table.choice("legal_profile", &profiles);
    table.default("legal_profile", "none");
    let transition_met_on = value::date(&mut table, "transition_met_on");
    table.finish();
    let legal_profile = legal_profile.unwrap_or("none");
    Some(Org { parent, name: name?, abbr, place, legal_profile, transition_met_on })
}

/// Every mistake leaves a default in its place, so that what follows can be read.
fn calendar(table: Option<Table<'_>>, zone: &str) -> WorkCalendar {
    let mut usual = WorkCalendar {
        zone: local::zone(zone).unwrap_or(jiff::tz::TimeZone::UTC),
        workdays: [true, true, true, true, true, false, false],
        hours: value::usual_hours(),
        holidays: Default::default(),
    };
    let Some(mut table) = table else { return usual };
    let own = table.parse("time_zone", crate::config::job::zone_name);
    table.default("time_zone", zone);
    if let Some(zone) = own.and_then(|own| local::zone(&own)) {
        usual.zone = zone;
    }
    if let Some(days) = value::workdays(&mut table) {
        usual.workdays = days;
    }
    if let Some(hours) = value::hours(&mut table) {
        usual.hours = hours;
    }
    if let Some(dates) = value::dates(&mut table, "holidays") {
        usual.holidays = dates.into_iter().collect();
    }
    table.finish();
    usual
}

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
const EVIDENCE_MONTHS_MIN: u32 = 5 * 12;

fn goals(table: Option<Table<'_>>) -> Goals {
    let coverage = |criticality: Criticality| match criticality {
        Criticality::Critical => Period::Months(1),
        Criticality::Important => Period::Months(3),
        Criticality::Normal => Period::Months(12),
    };
    let all = Criticality::ALL.into_iter();
    let mut goals = Goals {
        fleet: Period::Elapsed(DAY),
        offsite_lag: Period::WorkDays(1),
        coverage: all.map(|(_, it)| (it, coverage(it))).collect(),
        evidence: Period::Months(EVIDENCE_MONTHS_MIN),
    };
    let Some(mut table) = table else { return goals };
    let or = |said: Option<Period>, usual: Period| said.unwrap_or(usual);
    goals.fleet = or(value::period(&mut table, "fleet"), goals.fleet);
    goals.offsite_lag = or(value::period(&mut table, "offsite_lag"), goals.offsite_lag);
    if let Some(mut inner) = table.table("coverage") {
        for (word, criticality) in Criticality::ALL {
            if let Some(period) = value::period(&mut inner, word) {
                goals.coverage.insert(criticality, period);
            }
        }
        inner.finish();
    }
    let evidence = value::period(&mut table, "evidence");
    if let Some(period) = evidence
        && !matches!(period, Period::Months(count) if count >= EVIDENCE_MONTHS_MIN)
    {
        table.wrong("evidence", "evidence is kept for five years at least: expected 5y or more");
    }
    goals.evidence = or(evidence, goals.evidence);
    table.finish();
    goals
}
