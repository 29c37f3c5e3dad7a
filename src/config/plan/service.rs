//! Services of a plan, and their datasets.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::plan::Criticality;
use crate::config::plan::Dataset;
use crate::config::plan::Goals;
use crate::config::plan::Person;
use crate::config::plan::PersonalData;
use crate::config::plan::Role;
use crate::config::plan::Service;
use crate::config::plan::Target;
use crate::config::plan::value;
use crate::config::read::Named;
use crate::config::read::Noun;
use crate::config::table::Table;
use crate::schedule::work::Period;
use crate::schedule::work::WorkCalendar;

/// What the rest of the plan says that services are compared with.
type Rest<'p> = (&'p WorkCalendar, &'p Goals, &'p BTreeMap<String, Person>);

const LEVEL_MAX: u32 = 5;
const ORDER_MAX: u32 = 1000;
const LEVELS: [(&str, u8); 8] =
    [("L0", 0), ("L1", 1), ("L2", 2), ("L3", 3), ("L4", 4), ("L5", 5), ("L6", 6), ("L7", 7)];
const PERSONAL: [(&str, PersonalData); 3] = [
    ("none", PersonalData::None),
    ("basic", PersonalData::Basic),
    ("sensitive", PersonalData::Sensitive),
];

const fn hours(count: u64) -> Period {
    Period::Elapsed(Duration::from_secs(count * 3600))
}

/// Recovery time and data loss where nothing is said.
const fn usual(criticality: Criticality) -> (Period, Period) {
    match criticality {
        Criticality::Critical => (Period::WorkHours(8), hours(24)),
        Criticality::Important => (hours(24), hours(24)),
        Criticality::Normal => (hours(72), hours(7 * 24)),
    }
}

fn target(table: &mut Table<'_>, key: &'static str, usual: Period) -> Target {
    table.default(key, usual.to_string());
    value::period(table, key).map_or(Target::Default(usual), Target::Said)
}

pub(super) fn services(table: &mut Table<'_>, rest: Rest<'_>) -> BTreeMap<String, Service> {
    let tables = table.named_tables("services", Noun::Service);
    if tables.is_empty() {
        table.needs::<()>("services", None);
    }
    let read = |(id, table): (String, Table<'_>)| Some((id, service(table, rest)?));
    tables.into_iter().filter_map(read).collect()
}

fn service(mut table: Table<'_>, (calendar, goals, people): Rest<'_>) -> Option<Service> {
    let name = table.text("name");
    let name = table.needs("name", name);
    let owner = table.named("owner", Noun::Person);
    let owner = table.needs("owner", owner);
    let level = table.count("level", LEVEL_MAX);
    let level = table.needs("level", level);
    let criticality = table.choice("criticality", &Criticality::ALL);
    let criticality = table.needs("criticality", criticality);
    let order = table.count("order", ORDER_MAX);
    let order = table.needs("order", order);
    let (rto, rpo) = usual(criticality.unwrap_or(Criticality::Normal));
    let rto = target(&mut table, "rto", rto);
    let rpo = target(&mut table, "rpo", rpo);
    let mtd = value::period(&mut table, "mtd");
    let depends_on = table.named_list("depends_on", Noun::Service).unwrap_or_default();
    let fallback = table.text("fallback");
    let coverage = criticality.and_then(|it| goals.coverage.get(&it).copied());
    let datasets = datasets(&mut table, coverage.unwrap_or(Period::Months(1)));
    if let Some(mtd) = mtd {
        in_time(&table, calendar, (rto.period(), mtd));
    }
    if let Some(owner) = &owner {
        another_operator(&table, owner, people);
    }
    table.finish();
    Some(Service {
        name: name?,
        owner: owner?,
        level: level?,
        criticality: criticality?,
        order: order?,
        rto,
        rpo,
        mtd,
        depends_on,
        fallback,
        datasets,
    })
}

fn in_time(table: &Table<'_>, calendar: &WorkCalendar, (rto, mtd): (Period, Period)) {
    let (rto_s, mtd_s) = (calendar.from_monday_s(rto), calendar.from_monday_s(mtd));
    if rto_s >= mtd_s {
        let what = format!(
            "recovery within {rto} is not before the end of what can be borne, {mtd}: expected an \
             rto below mtd"
        );
        table.wrong("rto", what);
    }
}

/// Nobody signs as owner for a drill of his own.
fn another_operator(table: &Table<'_>, owner: &str, people: &BTreeMap<String, Person>) {
    let mut operators = people.iter().filter(|(_, person)| person.roles.contains(&Role::Operator));
    if let (Some((id, _)), None) = (operators.next(), operators.next())
        && id == owner
    {
        let what = format!(
            "`{owner}` is the only operator and cannot sign as owner too: name another owner or a \
             second operator"
        );
        table.wrong("owner", what);
    }
}

fn datasets(table: &mut Table<'_>, coverage: Period) -> BTreeMap<String, Dataset> {
    let tables = table.named_tables("datasets", Noun::Own);
    if tables.is_empty() {
        table.needs::<()>("datasets", None);
    }
    let mut datasets = BTreeMap::new();
    for (id, mut table) in tables {
        let (key, at) = (table.key.clone(), table.at);
        let named = Named { noun: Noun::ConfiguredDataset, name: id.clone(), key, at };
        table.reader.named.borrow_mut().push(named);
        let min_proof = table.choice("min_proof", &LEVELS);
        let drill = target(&mut table, "drill", coverage);
        let business = table.texts("business").unwrap_or_default();
        let personal_data = table.choice("personal_data", &PERSONAL);
        table.default("personal_data", "none");
        table.finish();
        let personal_data = personal_data.unwrap_or(PersonalData::None);
        datasets.insert(id, Dataset { min_proof, drill, business, personal_data });
    }
    datasets
}
