//! What parts of a plan say against each other, and against the configuration file.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::config::Config;
use crate::config::plan::Criticality;
use crate::config::plan::Plan;
use crate::config::plan::Role;
use crate::config::plan::Service;
use crate::config::read::Reader;
use crate::units::Timestamp;

pub(super) fn mistakes(plan: &Plan, config: &Config, reader: &Reader<'_>) {
    for circle in circles(&plan.services) {
        let first = circle.first().cloned().unwrap_or_default();
        let key = format!("services.{first}");
        let way = circle.join(" → ");
        let what = format!("they wait for each other: {way} → {first}");
        reader.mistake(reader.at(&key), &format!("{key}.depends_on"), what);
    }
    // A storage that could not be read would look like one that is not described.
    let is_known = !reader.mistakes.borrow().iter().any(|it| it.key.starts_with("storage"));
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, service) in &plan.services {
        for dataset in service.datasets.keys() {
            let key = format!("services.{id}.datasets.{dataset}");
            if let Some(first) = owners.insert(dataset, id) {
                let what = format!("it belongs to service {first} already");
                reader.mistake(reader.at(&key), &key, what);
            }
            if is_known && service.criticality == Criticality::Critical {
                one_domain(plan, config, (reader, &key, dataset));
            }
        }
    }
}

/// What is said to be done has a date that has come.
pub(super) fn dates(plan: &Plan, reader: &Reader<'_>, now: Timestamp) {
    let today = plan.calendar.date(now);
    let look = |table: String, key: &str, date: Option<Date>| {
        if let Some(date) = date.filter(|date| *date > today) {
            let what = format!("expected a date that has come, found {date}; today is {today}");
            reader.mistake(reader.at(&table), &format!("{table}.{key}"), what);
        }
    };
    look("org".to_owned(), "transition_met_on", plan.org.transition_met_on);
    for (id, exception) in &plan.unprotected {
        look(format!("unprotected.{id}"), "approved_on", exception.approved_on);
    }
    for (id, contact) in &plan.contacts {
        look(format!("contacts.{id}"), "verified_on", contact.verified_on);
    }
}

fn one_domain(plan: &Plan, config: &Config, (reader, key, dataset): (&Reader<'_>, &str, &str)) {
    let holders = config.holders(dataset);
    let places: Vec<_> = holders.iter().filter_map(|name| plan.storages.get(name)).collect();
    // A storage that nobody described counts as a place of its own in no plan.
    let domains: BTreeSet<&str> = places.iter().map(|it| it.failure_domain.as_str()).collect();
    if holders.is_empty() || domains.len() >= 2 {
        return;
    }
    let where_to = match domains.first() {
        Some(domain) => format!("all its described copies are in failure domain `{domain}`"),
        None => "none of its storages is described under [storage]".to_owned(),
    };
    let held: Vec<&str> = holders.iter().map(String::as_str).collect();
    let what = format!(
        "it is critical, and {where_to} (storages: {}): expected copies in two domains",
        held.join(", ")
    );
    reader.mistake(reader.at(key), key, what);
}

/// Services that wait for themselves, each circle once, from its first id on.
fn circles(services: &BTreeMap<String, Service>) -> Vec<Vec<String>> {
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in services.keys() {
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((id, next)) = way.pop() {
            let waits = services.get(id).map_or(&[][..], |it| it.depends_on.as_slice());
            let Some(on) = waits.get(next).map(String::as_str) else {
                done.insert(id);
                continue;
            };
            way.push((id, next + 1));
            if let Some(at) = way.iter().position(|(seen, _)| *seen == on) {
                let circle = way.iter().skip(at).map(|(seen, _)| (*seen).to_owned());
                found.insert(from_least(circle.collect()));
            } else if !done.contains(on) && services.contains_key(on) {
                way.push((on, 0));
            }
        }
    }
    found.into_iter().collect()
}

fn from_least(mut circle: Vec<String>) -> Vec<String> {
    let least = circle.iter().enumerate().min_by_key(|(_, id)| *id).map_or(0, |(at, _)| at);
    circle.rotate_left(least);
    circle
}

pub(super) fn warnings(plan: &Plan, config: &Config, reader: &Reader<'_>) {
    let owned: BTreeSet<&String> =
        plan.services.values().flat_map(|service| service.datasets.keys()).collect();
    for backup in config.backups.iter().filter(|backup| !owned.contains(&backup.name)) {
        let what = format!("dataset {} belongs to no service", backup.name);
        reader.warn(reader.at("services"), "services", what);
    }
    for name in config.storages.keys().filter(|name| !plan.storages.contains_key(*name)) {
        let what = format!("storage {name} is not described: its copies count for no domain");
        reader.warn(reader.at("storage"), "storage", what);
    }
    let leaders = config.drills.iter().filter_map(|drill| Some((drill, drill.operator.as_ref()?)));
    for (drill, id) in leaders.filter(|(_, id)| !plan.people.contains_key(*id)) {
        let what = format!("{id}, who leads [[drill]] {}, is nobody of them", drill.name);
        reader.warn(reader.at("people"), "people", what);
    }
    for (role, what) in [
        (Role::Chair, "nobody is chair: no minutes can be signed"),
        (Role::Operator, "nobody is operator: no drill can be signed"),
        (Role::Substitute, "nobody is substitute: if the operator is away nobody restores"),
    ] {
        if !plan.people.values().any(|person| person.roles.contains(&role)) {
            reader.warn(reader.at("people"), "people", what);
        }
    }
    if !plan.contacts.contains_key("incident") {
        let what = "no contact `incident`: whom to call is not written down";
        reader.warn(reader.at("contacts"), "contacts", what);
    }
    for (id, service) in &plan.services {
        let key = format!("services.{id}");
        for on in &service.depends_on {
            let later = plan.services.get(on).is_some_and(|other| other.order > service.order);
            if later {
                let what = format!("it depends on {on}, which comes later in the order");
                reader.warn(reader.at(&key), &format!("{key}.order"), what);
            }
        }
        if service.criticality == Criticality::Critical && service.mtd.is_none() {
            let what = "no mtd: how long it may stand still is not said";
            reader.warn(reader.at(&key), &key, what);
        }
    }
}
