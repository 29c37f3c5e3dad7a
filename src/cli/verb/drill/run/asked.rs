//! What the continuity plan asks of a drill: whose it is, who leads it, target times of its
//! datasets, and how much there is beside them.

use std::collections::BTreeSet;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::table::continuity as texts;
use crate::cli::verb::continuity::facts;
use crate::cli::verb::continuity::load;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::drill::run::pick;
use crate::config::Config;
use crate::config::drill::Drill;
use crate::config::job::Backup;
use crate::config::plan;
use crate::config::plan::PersonalData;
use crate::config::plan::Role;
use crate::config::plan::Service;
use crate::continuity::fact;
use crate::continuity::programme::Month;
use crate::drill::plan::Plan;
use crate::drill::plan::Targets;
use crate::drill::record::Coverage;
use crate::drill::record::Org;
use crate::drill::record::People;
use crate::drill::verdict::Level;
use crate::evidence::tree::sha256;
use crate::path::escape;
use crate::units::Timestamp;

/// Digits of the plan's hash in records.
const HASH_CHARS: usize = 16;
const DAY_MS: i64 = 86_400_000;

/// The plan beside the configuration, if there is one, and who leads.
pub struct Asked {
    office: Option<Office>,
    operator: Option<String>,
}

impl Asked {
    /// Reads it. A plan with mistakes is told and asks for nothing, and so is a leader whom the
    /// configuration names and the plan does not know: the drill is held all the same.
    ///
    /// # Errors
    /// When a leader who was named on the command line is nobody of the plan.
    pub fn read(
        context: &Context,
        (config, drill): (&Config, &Drill),
        operator: Option<&str>,
    ) -> Result<Self, Failure> {
        let office = office(context, config)?;
        let people = office.as_ref().and_then(|it| it.found.plan.as_ref()).map(|it| &it.people);
        let is_known = |id: &str| people.is_some_and(|people| people.contains_key(id));
        let unknown = |id: &str| {
            let all = people.into_iter().flat_map(|people| people.keys());
            let all: Vec<&str> = all.map(String::as_str).collect();
            texts::NOBODY.with("id", escape(id.as_bytes())).with("people", all.join(", "))
        };
        let operator = match (operator, &drill.operator) {
            (Some(id), _) if !is_known(id) => {
                return Err(Failure::usage(unknown(id), texts::NAME_SOMEBODY));
            }
            (Some(id), _) => Some(id.to_owned()),
            (None, Some(id)) if !is_known(id) => {
                context.output.warn(unknown(id));
                None
            }
            (None, named) => named.clone(),
        };
        Ok(Self { office, operator })
    }

    /// The month by the plan's calendar; none without a plan.
    #[must_use]
    pub fn month(&self, now: Timestamp) -> Option<Month> {
        self.plan().map(|plan| Month::of(plan.calendar.date(now)))
    }

    fn plan(&self) -> Option<&plan::Plan> {
        self.office.as_ref().and_then(|office| office.found.plan.as_ref())
    }

    fn service(&self, dataset: &str) -> Option<&Service> {
        self.plan()?.services.values().find(|it| it.datasets.contains_key(dataset))
    }

    /// Of a dataset, taken from a storage. One of no service keeps what its backup is asked for.
    #[must_use]
    pub fn targets(&self, backup: &Backup, storage: &str) -> Targets {
        let usual = pick::targets(backup);
        let Some(plan) = self.plan() else { return usual };
        let domain = plan.storages.get(storage).map(|it| it.failure_domain.clone());
        let Some(service) = self.service(&backup.name) else { return Targets { domain, ..usual } };
        let calendar = &plan.calendar;
        let dataset = service.datasets.get(&backup.name);
        Targets {
            service: Some(service.name.clone()),
            criticality: Some(service.criticality.word().to_owned()),
            domain,
            rto_s: Some(calendar.effort_s(service.rto.period())),
            rpo_s: Some(calendar.effort_s(service.rpo.period())),
            mtd_s: service.mtd.map(|mtd| calendar.from_monday_s(mtd)),
            min_proof: dataset.and_then(|it| it.min_proof).map(level),
        }
    }

    /// What the plan and the configuration say of the whole drill.
    ///
    /// # Errors
    /// When records of earlier drills cannot be read.
    pub fn complete(
        &self,
        context: &Context,
        (config, drill): (&Config, &Drill),
        asked: Plan,
    ) -> Result<Plan, Failure> {
        let asked = Plan {
            is_announced: drill.is_announced,
            scenario: drill.scenario.clone(),
            location: drill.location.clone(),
            ..asked
        };
        let Some((plan, office)) = self.plan().zip(self.office.as_ref()) else { return Ok(asked) };
        let drilled = || asked.items.iter().map(|it| &it.dataset).chain(&asked.absent);
        let hash = sha256(office.text.as_bytes()).to_string();
        let hash = hash.get(..HASH_CHARS).unwrap_or_default();
        let people = self.people(plan, drilled());
        let personal = |name: &String| {
            let dataset = self.service(name).and_then(|it| it.datasets.get(name));
            dataset.is_none_or(|it| it.personal_data != PersonalData::None)
        };
        let has_personal_data = drilled().any(personal);
        let coverage = coverage(context, (config, plan))?;
        Ok(Plan {
            plan_ref: Some(format!("plan.toml {hash}")),
            org: Some(org(plan)),
            people: Some(people),
            legal_profile: (plan.org.legal_profile != "none")
                .then(|| plan.org.legal_profile.to_owned()),
            has_personal_data,
            coverage: Some(coverage),
            ..asked
        })
    }

    /// Ids of the plan: names of people stay out of the ledger. A role that several have is left
    /// to be written by hand.
    fn people<'d>(&self, plan: &plan::Plan, drilled: impl Iterator<Item = &'d String>) -> People {
        let only = |role: Role| {
            let mut all = plan.people.iter().filter(|(_, it)| it.roles.contains(&role));
            let first = all.next().map(|(id, _)| id.clone());
            first.filter(|_| all.next().is_none())
        };
        let owners: BTreeSet<&String> =
            drilled.filter_map(|name| self.service(name)).map(|it| &it.owner).collect();
        let roles = self.operator.as_ref().and_then(|id| plan.people.get(id)).map(|it| &it.roles);
        let is_substitute = |roles: &Vec<Role>| {
            roles.contains(&Role::Substitute) && !roles.contains(&Role::Operator)
        };
        People {
            chair: only(Role::Chair),
            secretary: only(Role::Secretary),
            operator: self.operator.clone(),
            substitute: roles.map(is_substitute),
            owners: owners.into_iter().cloned().collect(),
            witnesses: Vec::new(),
            absent: Vec::new(),
        }
    }
}

/// The office, as documents name it.
#[must_use]
pub fn org(plan: &plan::Plan) -> Org {
    let org = &plan.org;
    Org {
        parent: org.parent.clone().unwrap_or_default(),
        name: org.name.clone(),
        abbr: org.abbr.clone().unwrap_or_default(),
        place: org.place.clone().unwrap_or_default(),
    }
}

/// The plan beside the configuration; a file that is not there is none.
fn office(context: &Context, config: &Config) -> Result<Option<Office>, Failure> {
    let now = context.run.clock.now();
    let loaded = context.settings.config.load(&context.environment, now)?;
    if load::path_of(&loaded.path, config).symlink_metadata().is_err() {
        return Ok(None);
    }
    let office = load::load(context)?;
    if office.found.plan.is_none() {
        context.output.warn(texts::PLAN_WRONG.with("path", office.shown_path()));
    }
    Ok(office.found.plan.is_some().then_some(office))
}

/// A level by its number in the plan. What a person confirms comes after a drill.
fn level(number: u8) -> Level {
    let most = Level::ALL.iter().position(|it| *it == Level::L6).unwrap_or_default();
    let at = usize::from(number).min(most);
    Level::ALL.get(at).copied().unwrap_or(Level::L6)
}

/// How many of all datasets are proven as often as the plan wants it.
fn coverage(
    context: &Context,
    (config, plan): (&Config, &plan::Plan),
) -> Result<Coverage, Failure> {
    let now = context.run.clock.now();
    let records = facts::records(context)?;
    let drills: Vec<fact::Drill> = records.iter().map(|(it, _)| facts::drill(it)).collect();
    let planned = plan.services.values().flat_map(|service| &service.datasets);
    let mut periods: Vec<(&String, Option<u8>, Option<_>)> =
        planned.map(|(name, it)| (name, it.min_proof, Some(it.drill.period()))).collect();
    let known: BTreeSet<&String> = periods.iter().map(|(name, ..)| *name).collect();
    let others = config.backups.iter().map(|it| &it.name).filter(|name| !known.contains(name));
    periods.extend(others.map(|name| (name, None, None)));
    let (mut covered, mut ages) = (0, Vec::new());
    for (name, min_proof, period) in &periods {
        let Some(at) = fact::proven(&drills, name, *min_proof) else { continue };
        ages.push(u64::try_from(now.ms_since(at) / DAY_MS).unwrap_or(0));
        if period.is_none_or(|period| plan.calendar.after(at, period, 2) >= now) {
            covered += 1;
        }
    }
    let is_whole = ages.len() == periods.len();
    Ok(Coverage {
        covered,
        total: periods.len() as u64,
        unprotected: plan.unprotected.keys().cloned().collect(),
        oldest_proof_days: ages.into_iter().max().filter(|_| is_whole),
    })
}
