//! A booklet: its steps in order, with the commands in them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::cli::language::Language;
use crate::cli::language::said::Tell as _;
use crate::cli::language::table::continuity::runbook as texts;
use crate::cli::language::text::Text;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::continuity::runbook::command::Typed;
use crate::cli::verb::continuity::runbook::command::Typist;
use crate::cli::verb::continuity::runbook::proven::Proven;
use crate::cli::verb::continuity::runbook::scenario::Scenario;
use crate::cli::verb::continuity::status::below;
use crate::config::Config;
use crate::config::job::Source;
use crate::config::plan::Plan;
use crate::config::plan::Service;
use crate::config::plan::Target;
use crate::continuity::said::lasting;
use crate::continuity::said::spoken;
use crate::report::runbook::Booklet;
use crate::report::runbook::Part;
use crate::report::runbook::Place;
use crate::report::runbook::Step;
use crate::units::Timestamp;

/// Records that an owner opens by name.
const RECORDS: usize = 3;

/// What booklets are drawn from.
pub struct Drawn<'a> {
    pub office: &'a Office,
    pub config: &'a Config,
    pub plan: &'a Plan,
    pub proven: &'a BTreeMap<String, Proven>,
    pub language: Language,
}

/// Steps as they come, with all commands in them.
pub(super) struct Steps {
    steps: Vec<Step>,
    typed: Vec<Typed>,
}

impl Steps {
    pub(super) fn add(&mut self, title: String, place: Place, parts: Vec<Part>) {
        self.steps.push(Step { title, place, parts });
    }

    /// Commands of a step.
    pub(super) fn commands(&mut self, typed: Vec<Typed>) -> Part {
        let part = Part::Commands(typed.iter().map(|it| it.shown.clone()).collect());
        self.typed.extend(typed);
        part
    }
}

impl Drawn<'_> {
    pub(super) fn words(&self, text: Text) -> String {
        text.words(self.language).to_owned()
    }

    /// A day by the office's calendar, as the language writes it.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        let date: Date = self.plan.calendar.date(at);
        match self.language {
            Language::En => date.to_string(),
            Language::Vi => date.strftime("%d/%m/%Y").to_string(),
        }
    }

    /// The booklet of a scenario, and the commands that stand in it.
    ///
    /// # Errors
    /// Why it cannot be drawn.
    pub fn booklet(&self, scenario: Scenario) -> Result<(Booklet, Vec<Typed>), Text> {
        let storages = scenario.storages(self.config, self.plan)?;
        let mut steps = Steps { steps: Vec::new(), typed: Vec::new() };
        let typist = Typist::new(self.language);
        if scenario.has_server() {
            let mut typed = typist.prepare(self, scenario);
            typed.extend(storages.iter().take(1).flat_map(|it| typist.open(self, scenario, it)));
            let commands = steps.commands(typed);
            let parts = vec![Part::Text(self.words(texts::HERE_TEXT)), commands];
            steps.add(self.words(texts::HERE), Place::Here, parts);
        } else {
            self.alarm(scenario, &mut steps);
            self.fetch(&mut steps);
            self.enter(scenario, &storages, &mut steps);
        }
        self.restore(scenario, &storages, &mut steps);
        if !scenario.has_server() {
            let parts = vec![
                Part::Blank(self.words(texts::USE_HOUR)),
                Part::Text(self.words(texts::USE_TEXT)),
            ];
            steps.add(self.words(texts::USE), Place::Here, parts);
        }
        let (title, lead) = scenario.texts();
        let booklet =
            Booklet { title: self.words(title), lead: self.words(lead), steps: steps.steps };
        Ok((booklet, steps.typed))
    }

    /// Services in the order in which they come back, each with its datasets.
    fn restore(&self, scenario: Scenario, storages: &[String], steps: &mut Steps) {
        let mut services: Vec<(&String, &Service)> = self.plan.services.iter().collect();
        services.sort_by_key(|(id, service)| (service.order, *id));
        let typist = Typist::new(self.language);
        let mut here = storages.first();
        for (_, service) in services {
            let datasets: Vec<&String> =
                service.datasets.keys().filter(|it| self.is_meant(scenario, it)).collect();
            if datasets.is_empty() {
                continue;
            }
            let mut parts = self.service(service, &datasets);
            let mut typed = Vec::new();
            for dataset in datasets {
                let holders = self.config.holders(dataset);
                let there = storages.iter().find(|it| holders.contains(*it));
                if there != here
                    && let Some(there) = there
                {
                    typed.extend(self.change(&typist, scenario, there));
                    here = Some(there);
                }
                typed.extend(match scenario {
                    Scenario::File => typist.file(dataset),
                    _ => typist.dataset(self, scenario, dataset),
                });
            }
            parts.push(steps.commands(typed));
            let title = match scenario.has_server() {
                true => texts::SERVICE_HERE.with("name", service.name.as_str()),
                false => {
                    let said = texts::SERVICE.with("name", service.name.as_str());
                    said.with("order", service.order.to_string())
                }
            };
            steps.add(title.told_in(self.language), Place::NewPage, parts);
            self.verify(scenario, steps);
        }
    }

    /// To another storage, which has keys of its own.
    fn change(&self, typist: &Typist, scenario: Scenario, storage: &str) -> Vec<Typed> {
        let mut typed = typist.open(self, scenario, storage);
        if !scenario.has_server() {
            typed.extend(typist.shares());
        }
        typed
    }

    /// Single files are taken out of folders only.
    fn is_meant(&self, scenario: Scenario, dataset: &str) -> bool {
        let source = self.config.backup(dataset).map(|it| &it.source);
        match scenario {
            Scenario::File | Scenario::Workstation => matches!(source, Some(Source::Files(_))),
            Scenario::Server | Scenario::Ransomware | Scenario::Site => source.is_some(),
        }
    }

    fn service(&self, service: &Service, datasets: &[&String]) -> Vec<Part> {
        let period = |period| spoken(period, below(self.language));
        let owner = self.plan.people.get(&service.owner);
        let rto = match service.rto {
            Target::Said(rto) => period(rto),
            Target::Default(rto) => {
                texts::NOT_APPROVED.with("value", period(rto)).told_in(self.language)
            }
        };
        let said = texts::SERVICE_OWNER
            .with("owner", owner.map_or(service.owner.as_str(), |it| it.name.as_str()))
            .with("rto", rto);
        let mut line = said.told_in(self.language);
        if let Some(mtd) = service.mtd {
            let said = texts::SERVICE_MTD.with("mtd", period(mtd));
            line.push_str(&format!(" {}", said.told_in(self.language)));
        }
        let mut parts = vec![Part::Text(line)];
        if let Some(fallback) = &service.fallback {
            let said = texts::SERVICE_FALLBACK.with("fallback", fallback.as_str());
            parts.push(Part::Text(said.told_in(self.language)));
        }
        if !service.depends_on.is_empty() {
            let names = service.depends_on.iter().map(|id| self.name_of(id)).collect::<Vec<_>>();
            let said = texts::SERVICE_AFTER.with("services", names.join(", "));
            parts.push(Part::Text(said.told_in(self.language)));
        }
        parts.extend(datasets.iter().map(|dataset| Part::Text(self.star(dataset))));
        parts
    }

    fn name_of<'s>(&'s self, service: &'s str) -> &'s str {
        self.plan.services.get(service).map_or(service, |it| it.name.as_str())
    }

    /// The copy to take, and how long it takes.
    fn star(&self, dataset: &str) -> String {
        let said = match self.proven.get(dataset) {
            None => texts::UNPROVEN.with("name", dataset),
            Some(proven) => {
                let took = match proven.took_s {
                    Some(seconds) => lasting(seconds, below(self.language)),
                    None => self.words(texts::NOT_MEASURED),
                };
                texts::PROVEN
                    .with("name", dataset)
                    .with("id", proven.short.as_str())
                    .with("date", self.day(proven.taken))
                    .with("on", self.day(proven.on))
                    .with("took", took)
            }
        };
        said.said().told_in(self.language)
    }

    fn verify(&self, scenario: Scenario, steps: &mut Steps) {
        let title = if scenario.has_server() { texts::VERIFY_HERE } else { texts::VERIFY };
        let mut parts = vec![Part::Text(self.words(texts::VERIFY_TEXT))];
        parts.extend((0..RECORDS).map(|_| Part::Blank(self.words(texts::RECORD))));
        steps.add(self.words(title), Place::Here, parts);
    }
}
