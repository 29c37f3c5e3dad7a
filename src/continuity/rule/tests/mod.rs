//! Every rule: green, amber and red, each at the value where the colour changes.

mod copies;
mod drills;
mod duties;
mod papers;

use std::collections::BTreeMap;

use super::*;
use crate::config;
use crate::config::Language;
use crate::config::plan;
use crate::config::secret::Outside;
use crate::config::secret::Reach;
use crate::continuity::fact;
use crate::continuity::fact::AlarmTested;
use crate::continuity::fact::Canaries;
use crate::continuity::fact::Drill;
use crate::continuity::fact::Entries;
use crate::continuity::fact::FromNothing;
use crate::continuity::fact::Ledger;
use crate::continuity::fact::Seals;
use crate::continuity::fact::SignedKit;
use crate::continuity::fact::SignedPlan;
use crate::continuity::fact::Taken;
use crate::continuity::fact::Truth;
use crate::continuity::fact::Witness;

pub(crate) struct Nothing;

impl Outside for Nothing {
    fn variable(&self, _: &str) -> Option<std::ffi::OsString> {
        None
    }

    fn reach(&self, _: &std::path::Path) -> Reach {
        Reach::Few
    }
}

pub(crate) const CONFIG: &str = r#"version = 1
[storage.main]
kind = "folder"
path = "/main"
[storage.far]
kind = "folder"
path = "/far"
[[backup]]
name = "acc"
storage = "main"
source = { kind = "files", paths = ["/acc"] }
schedule = { cron = "@daily" }
[[backup]]
name = "files"
storage = "main"
source = { kind = "files", paths = ["/files"] }
schedule = { cron = "@daily" }
[[copy]]
from = "main"
to = ["far"]
schedule = { cron = "@daily" }
"#;

/// Service `pay` is critical, service `docs` is not.
const PLAN: &str = r#"[org]
name = "Office"
legal_profile = "vn-2026"
[people]
an = { name = "An", roles = ["operator", "chair"] }
binh = { name = "Binh", roles = ["substitute", "owner"] }
[storage]
main = { medium = "disk", failure_domain = "house" }
far = { medium = "remote", failure_domain = "away", append_only = true }
[services.pay]
name = "Pay"
owner = "binh"
level = 2
criticality = "critical"
order = 1
rto = "8wh"
rpo = "24h"
mtd = "3d"
[services.pay.datasets.acc]
min_proof = "L6"
drill = "1mo"
[services.docs]
name = "Documents"
owner = "binh"
level = 2
criticality = "normal"
order = 2
rto = "24h"
rpo = "24h"
[services.docs.datasets.files]
min_proof = "L4"
drill = "3mo"
[unprotected.x]
reason = "elsewhere"
approved_by = "an"
approved_on = 2026-01-01
review = "12mo"
[contacts]
incident = { name = "Police", verified_on = 2026-06-01 }
"#;

fn plan_of(text: &str) -> Plan {
    let config = config::read(CONFIG, &Nothing, at(NOW)).config.unwrap();
    let found = plan::read(text, &config, (&Nothing, at(NOW)));
    assert!(found.mistakes.is_empty(), "{:?}", found.mistakes);
    found.plan.unwrap()
}

/// A Thursday.
const NOW: &str = "2026-11-26T10:00:00+07:00";

pub(in crate::continuity) fn at(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_unix_ms(time.as_millisecond())
}

fn hours_ago(hours: i64) -> Timestamp {
    Timestamp::from_unix_ms(at(NOW).unix_ms - hours * 3_600_000)
}

const HOUR_MS: i64 = 3_600_000;
/// Just beyond an edge.
const SECOND_MS: i64 = 1000;

fn earlier(time: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(time.unix_ms - ms)
}

fn taken(at: Timestamp) -> Taken {
    Taken { at, is_whole: true, is_pinned: true }
}

fn item(dataset: &str) -> fact::Item {
    fact::Item {
        dataset: dataset.to_owned(),
        storage: "far".to_owned(),
        stratum: "newest".to_owned(),
        is_proven: true,
        is_conclusive: true,
        level: Some(6),
        level_min: 6,
        rto_s: Some(3600),
        bytes: 1 << 30,
        truth: Truth::SamePoint,
        canaries: Canaries::Good,
    }
}

pub(in crate::continuity) fn drill(class: &str, ended: Timestamp) -> Drill {
    Drill {
        code: format!("{class}-x"),
        class: class.to_owned(),
        ended,
        by_substitute: Some(false),
        is_conclusive: true,
        from_nothing: None,
        items: vec![item("acc"), item("files")],
    }
}

/// An office where every rule that is judged is green.
pub(in crate::continuity) fn good() -> (Plan, Facts) {
    let held = |storages: [&str; 2]| {
        storages.map(|it| (it.to_owned(), vec![taken(hours_ago(2))])).into_iter().collect()
    };
    let dataset = || fact::Dataset {
        storage: "main".to_owned(),
        known_since: Some(hours_ago(1000)),
        changed_permille: None,
        held: held(["main", "far"]),
        unseen: BTreeMap::new(),
    };
    let mut by_substitute = drill("D2", hours_ago(72));
    by_substitute.by_substitute = Some(true);
    by_substitute.items.iter_mut().for_each(|item| {
        item.storage = "main".to_owned();
        item.stratum = "oldest".to_owned();
    });
    let mut from_nothing = drill("D3", hours_ago(72));
    from_nothing.from_nothing = Some(FromNothing { kit: Some("kit".to_owned()) });
    from_nothing.items.iter_mut().for_each(|item| item.rto_s = None);
    let facts = Facts {
        now: at(NOW),
        storages: ["main", "far"].map(str::to_owned).into(),
        datasets: [("acc".to_owned(), dataset()), ("files".to_owned(), dataset())].into(),
        drills: vec![
            drill("D4", hours_ago(500)),
            by_substitute,
            from_nothing,
            drill("D2", hours_ago(48)),
        ],
        ledger: Ledger::Valid(Box::new(Entries {
            waiting: Vec::new(),
            actions: Vec::new(),
            witness: Witness::Fits(hours_ago(48)),
            offset: Some((hours_ago(20), 12)),
            plan: Some(SignedPlan { at: hours_ago(1000), is_same: true }),
            kit: Some(SignedKit { at: hours_ago(24 * 30), is_this_program: true }),
            kits: vec![
                (hours_ago(24 * 60), "older".to_owned()),
                (hours_ago(24 * 58), "kit".to_owned()),
            ],
            seals: Some(Seals { at: hours_ago(48), needed: 2, present: 3, broken: Vec::new() }),
            alarm: Some(AlarmTested { at: hours_ago(72), missed: Vec::new() }),
            reports: vec![(hours_ago(500), "2026-10".to_owned())],
            unread: None,
        })),
    };
    (plan_of(PLAN), facts)
}

fn entries(facts: &mut Facts) -> &mut Entries {
    match &mut facts.ledger {
        Ledger::Valid(entries) => entries,
        other => panic!("{other:?}"),
    }
}

fn judged(rule: u8, (plan, facts): &(Plan, Facts)) -> Judged {
    let all = judge(plan, facts, &Frames::read().unwrap());
    assert_eq!(all.len(), 27);
    all.into_iter().find(|it| it.rule.0 == rule).unwrap()
}

#[track_caller]
fn expect(rule: u8, colour: Colour, change: impl Fn(&mut Plan, &mut Facts)) -> Vec<String> {
    let mut office = good();
    change(&mut office.0, &mut office.1);
    let found = judged(rule, &office);
    assert_eq!(found.colour(), Some(colour), "{:?}", found.reasons);
    for language in [Language::En, Language::Vi] {
        for reason in &found.reasons {
            let told = reason.told_in(language);
            assert!(!told.is_empty() && !told.contains('{'), "{told}");
        }
    }
    found.reasons.iter().map(|reason| reason.told_in(Language::En)).collect()
}

use Colour::Amber;
use Colour::Green;
use Colour::Red;

#[test]
fn a_good_office_is_green_wherever_it_is_judged() {
    let (plan, facts) = good();
    let all = judge(&plan, &facts, &Frames::read().unwrap());
    let open: Vec<u8> = all.iter().filter(|it| it.colour().is_none()).map(|it| it.rule.0).collect();
    // No part of this version yields what these ask for.
    assert_eq!(open, [19]);
    for it in all.iter().filter(|it| it.colour().is_some()) {
        assert_eq!(it.colour(), Some(Green), "{:?}", it.reasons);
    }
}

#[test]
fn without_any_fact_nothing_is_green() {
    let (mut plan, _) = good();
    let facts = Facts {
        now: at(NOW),
        storages: Default::default(),
        datasets: Default::default(),
        drills: Vec::new(),
        ledger: Ledger::Absent,
    };
    plan.contacts.clear();
    plan.unprotected.clear();
    for it in judge(&plan, &facts, &Frames::read().unwrap()) {
        // The year is open until its November ends; of an estimate it is known why there is none;
        // that no canaries were placed is amber by the design.
        let expected = if matches!(it.rule.0, 11 | 13 | 22) { Amber } else { Red };
        if let Some(colour) = it.colour() {
            assert_eq!(colour, expected, "{} {:?}", it.rule.name(), it.reasons);
        }
    }
}

#[test]
fn every_rule_has_a_title_of_its_own_number() {
    assert_eq!(words::title::ALL.len(), usize::from(LAST));
    for (rule, (name, _)) in Rule::all().zip(words::title::ALL) {
        assert_eq!(rule.name(), *name);
    }
    assert!(Rule::of(0).is_none() && Rule::of(28).is_none());
}
