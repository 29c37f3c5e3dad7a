//! What stays, and what keeps storages in order.

use std::time::Duration;

use serde::Serialize;
use serde::Serializer;

use crate::config::job::Schedule;
use crate::config::job::schedule;
use crate::config::read::Noun;
use crate::config::table::Table;
use crate::config::value;
use crate::retention::rule::Limit;
use crate::retention::rule::Rule;
use crate::retention::rule::Unit;

/// One `[retention.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    #[serde(serialize_with = "as_texts")]
    pub rules: Vec<Rule>,
}

fn as_texts<S: Serializer>(rules: &[Rule], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(rules.iter().map(Rule::to_string))
}

/// `[maintenance]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Maintenance {
    pub storages: Vec<String>,
    pub forget: Option<Schedule>,
    pub prune: Option<Prune>,
    pub check: Option<Check>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prune {
    pub schedule: Schedule,
    #[serde(rename = "grace_s", serialize_with = "value::maybe_seconds")]
    pub grace: Option<Duration>,
    pub max_delete_percent: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    pub schedule: Schedule,
    /// How much of the data is read each time.
    pub read_data_percent: Option<u8>,
}

impl Maintenance {
    /// What it does, and when.
    pub(super) fn schedules(&self) -> impl Iterator<Item = (&'static str, &Schedule)> {
        let all = [
            ("forget", self.forget.as_ref()),
            ("prune", self.prune.as_ref().map(|prune| &prune.schedule)),
            ("check", self.check.as_ref().map(|check| &check.schedule)),
        ];
        all.into_iter().filter_map(|(verb, schedule)| Some((verb, schedule?)))
    }
}

const COUNTS: [(&str, Unit); 6] = [
    ("keep_last", Unit::Each),
    ("keep_hourly", Unit::Hour),
    ("keep_daily", Unit::Day),
    ("keep_weekly", Unit::Week),
    ("keep_monthly", Unit::Month),
    ("keep_yearly", Unit::Year),
];
const AGES: [(&str, Unit); 6] = [
    ("keep_within", Unit::Each),
    ("keep_within_hourly", Unit::Hour),
    ("keep_within_daily", Unit::Day),
    ("keep_within_weekly", Unit::Week),
    ("keep_within_monthly", Unit::Month),
    ("keep_within_yearly", Unit::Year),
];
const COUNT_MAX: u32 = 1_000_000;

pub(super) fn retention(mut table: Table<'_>) -> Retention {
    let (reader, key, at) = (table.reader, table.key.clone(), table.at);
    let known = reader.mistakes.borrow().len();
    let mut rules = Vec::new();
    for (key, unit) in COUNTS {
        let count = table.count(key, COUNT_MAX);
        rules.extend(count.map(|count| Rule::Spread { unit, limit: Limit::Newest(count) }));
    }
    for (key, unit) in AGES {
        let age = table.age(key);
        rules.extend(age.map(|age| Rule::Spread { unit, limit: Limit::Within(age) }));
    }
    if let Some(tags) = table.texts("keep_tags") {
        rules.extend(tags.into_iter().map(|tag| Rule::Tags(vec![tag])));
    }
    table.finish();
    // One that is misspelled is told already.
    if rules.is_empty() && reader.mistakes.borrow().len() == known {
        reader.mistake(at, &key, "expected at least one rule, such as keep_daily = 30");
    }
    Retention { rules }
}

pub(super) fn maintenance(mut table: Table<'_>, zone: &str) -> Maintenance {
    let storages = table.named_list("storages", Noun::Storage);
    let storages = table.needs("storages", storages).unwrap_or_default();
    let forget = table.table("forget").and_then(|mut inner| {
        let schedule = schedule(&mut inner, zone);
        inner.finish();
        schedule
    });
    let prune = table.table("prune").and_then(|inner| prune(inner, zone));
    let check = table.table("check").and_then(|inner| check(inner, zone));
    table.finish();
    Maintenance { storages, forget, prune, check }
}

fn prune(mut table: Table<'_>, zone: &str) -> Option<Prune> {
    let schedule = schedule(&mut table, zone);
    let grace = table.time("grace");
    let max_delete_percent = table.percent("max_delete");
    table.finish();
    Some(Prune { schedule: schedule?, grace, max_delete_percent })
}

fn check(mut table: Table<'_>, zone: &str) -> Option<Check> {
    let schedule = schedule(&mut table, zone);
    let read_data_percent = table.percent("read_data");
    table.finish();
    Some(Check { schedule: schedule?, read_data_percent })
}
