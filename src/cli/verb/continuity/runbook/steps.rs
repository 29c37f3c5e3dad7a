//! The steps before anything is restored: stop, call, fetch, open.

use crate::cli::language::table::continuity as common;
use crate::cli::language::table::continuity::runbook as texts;
use crate::cli::language::text::Text;
use crate::cli::settings::place::address;
use crate::cli::verb::continuity::runbook::booklet::Drawn;
use crate::cli::verb::continuity::runbook::booklet::Steps;
use crate::cli::verb::continuity::runbook::command::Typist;
use crate::cli::verb::continuity::runbook::scenario::Scenario;
use crate::cli::verb::continuity::status::below;
use crate::config::plan::Hold;
use crate::config::plan::Role;
use crate::continuity::legal::Clause;
use crate::continuity::legal::Frames;
use crate::continuity::legal::Verified;
use crate::report::runbook::Part;
use crate::report::runbook::Place;
use crate::report::runbook::Table;

const fn role(role: Role) -> Text {
    match role {
        Role::Chair => texts::ROLE_CHAIR,
        Role::Secretary => texts::ROLE_SECRETARY,
        Role::Operator => texts::ROLE_OPERATOR,
        Role::Substitute => texts::ROLE_SUBSTITUTE,
        Role::Owner => texts::ROLE_OWNER,
        Role::ShareHolder => texts::ROLE_HOLDER,
        Role::Witness => texts::ROLE_WITNESS,
        Role::Auditor => texts::ROLE_AUDITOR,
    }
}

impl Drawn<'_> {
    /// Steps 0 and 1.
    pub(super) fn alarm(&self, scenario: Scenario, steps: &mut Steps) {
        let mut parts = vec![Part::Blank(self.words(texts::STOP_NOTE))];
        let mut text = |it| parts.push(Part::Text(self.words(it)));
        if scenario == Scenario::Ransomware {
            text(texts::STOP_PHOTO);
            text(texts::STOP_UNPLUG);
        }
        text(texts::STOP_SCENE);
        text(texts::STOP_STORE);
        parts.extend(self.deadlines());
        steps.add(self.words(texts::STOP), Place::Here, parts);

        let mut rows: Vec<Vec<String>> = Vec::new();
        for (id, contact) in &self.plan.contacts {
            let who = texts::CONTACT.with("id", id.as_str()).told_in(self.language);
            rows.push(vec![who, contact.name.clone(), contact.phone.clone().unwrap_or_default()]);
        }
        for person in self.plan.people.values() {
            let roles: Vec<String> = person.roles.iter().map(|it| self.words(role(*it))).collect();
            rows.push(vec![roles.join(", "), person.name.clone(), person.phones.join(", ")]);
        }
        let heads = [(texts::WHO, 360), (texts::NAME, 360), (texts::PHONE, 280)];
        let parts = vec![self.table(&heads, rows)];
        steps.add(self.words(texts::CALL), Place::Here, parts);
    }

    /// Until when somebody has to be told, where a legal frame says so.
    fn deadlines(&self) -> Option<Part> {
        let frames = Frames::read().ok()?;
        let deadlines = frames.deadlines(self.plan.org.legal_profile);
        let clause = |clause: &Clause| match clause.verified {
            Verified::Primary => clause.clause.clone(),
            Verified::Paraphrase => {
                let said = common::TO_VERIFY.with("clause", clause.clause.as_str());
                said.told_in(self.language)
            }
        };
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (deadline, set_by) in &deadlines {
            let label = deadline.label.of(below(self.language)).to_owned();
            let told = match deadline.hours {
                0 => label,
                hours => {
                    let said = texts::DEADLINE_HOURS.with("hours", hours.to_string());
                    format!("{label}: {}", said.told_in(self.language))
                }
            };
            rows.push(vec![told, clause(set_by)]);
        }
        let heads = [(texts::DEADLINE, 500), (texts::CLAUSE, 500)];
        (!rows.is_empty()).then(|| self.table(&heads, rows))
    }

    fn table(&self, heads: &[(Text, u16)], rows: Vec<Vec<String>>) -> Part {
        let heads = heads.iter().map(|(text, share)| (self.words(*text), *share)).collect();
        Part::Table(Table { heads, rows })
    }

    /// Step 2.
    pub(super) fn fetch(&self, steps: &mut Steps) {
        let holders = self.plan.people.values();
        let holders = holders.filter(|it| it.roles.contains(&Role::ShareHolder));
        let names: Vec<&str> = holders.map(|it| it.name.as_str()).collect();
        let mut parts = vec![Part::Text(self.words(texts::KIT_TEXT))];
        if !names.is_empty() {
            let said = texts::KIT_HOLDERS.with("names", names.join(", "));
            parts.push(Part::Text(said.told_in(self.language)));
        }
        parts.push(Part::Blank(self.words(texts::KIT_SEALS)));
        steps.add(self.words(texts::KIT), Place::Here, parts);
    }

    /// Steps 3 to 6.
    pub(super) fn enter(&self, scenario: Scenario, storages: &[String], steps: &mut Steps) {
        let typist = Typist::new(self.language);
        let commands = steps.commands(typist.prepare(self, scenario));
        let parts = vec![Part::Text(self.words(texts::BLANK_TEXT)), commands];
        steps.add(self.words(texts::BLANK), Place::NewPage, parts);

        let row = |(number, name): (usize, &String)| {
            let place = self.plan.storages.get(name);
            let found = self.config.storages.get(name);
            let is_offline = place.is_some_and(|it| it.hold == Hold::Offline);
            vec![
                format!("{}. {name}", number + 1),
                found.map(address).unwrap_or_default(),
                match place {
                    Some(it) if is_offline => {
                        format!("{} ({})", it.failure_domain, self.words(texts::OFFLINE))
                    }
                    Some(it) => it.failure_domain.clone(),
                    None => String::new(),
                },
            ]
        };
        let rows = storages.iter().enumerate().map(row).collect();
        let heads = [(texts::STORAGE, 240), (texts::WHERE, 440), (texts::DOMAIN, 320)];
        let table = self.table(&heads, rows);
        let first = storages.iter().take(1);
        let typed = first.flat_map(|it| typist.open(self, scenario, it)).collect();
        let commands = steps.commands(typed);
        let parts = vec![Part::Text(self.words(texts::OPEN_TEXT)), table, commands];
        steps.add(self.words(texts::OPEN), Place::Here, parts);

        let commands = steps.commands(typist.shares());
        let parts = vec![Part::Text(self.words(texts::SHARES_TEXT)), commands];
        steps.add(self.words(texts::SHARES), Place::Here, parts);

        let is_attack = scenario == Scenario::Ransomware;
        let text = if is_attack { texts::LOOK_ATTACK } else { texts::LOOK_TEXT };
        let commands = steps.commands(typist.look());
        let parts = vec![Part::Text(self.words(text)), commands];
        steps.add(self.words(texts::LOOK), Place::Here, parts);
    }
}
