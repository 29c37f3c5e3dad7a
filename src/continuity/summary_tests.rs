//! Counts of a period, against what was put in.

use super::fact::Facts;
use super::rule::tests::CONFIG;
use super::rule::tests::Nothing;
use super::rule::tests::at;
use super::rule::tests::good;
use super::span::Span;
use super::summary::Acted;
use super::summary::Held;
use super::summary::HeldItem;
use super::summary::Outcome;
use super::summary::Recorded;
use super::summary::Run;
use super::summary::Summary;
use super::summary::Verdict;
use super::summary::summary;
use super::summary::trend::MONTHS_MAX;
use super::summary::trend::Month;
use super::summary::trend::Share;
use crate::config;
use crate::config::plan::Plan;

fn office() -> (Plan, config::Config, Facts) {
    let (plan, mut facts) = good();
    facts.now = at("2026-12-03T10:00:00+07:00");
    for dataset in facts.datasets.values_mut() {
        dataset.known_since = Some(at("2026-11-20T12:00:00+07:00"));
    }
    let config = config::read(CONFIG, &Nothing, facts.now).config.unwrap();
    (plan, config, facts)
}

fn run(text: &str, outcome: Outcome) -> Run {
    let started = at(text);
    Run { slot: Some(started), started, outcome, content_bytes: None }
}

fn november(plan: &Plan) -> Span {
    Span::parse("2026-11", &plan.calendar, (1, 1)).unwrap()
}

fn of(recorded: &Recorded) -> Summary {
    let (plan, config, facts) = office();
    summary((&plan, &config, &facts), &november(&plan), recorded)
}

#[test]
fn runs_are_counted_within_the_period_and_slots_without_one_are_missed() {
    let sized = |run: Run, bytes| Run { content_bytes: Some(bytes), ..run };
    // Ten slots: midnight of the 21st to the 30th. The first run belongs to no slot.
    let runs = vec![
        Run { slot: None, ..sized(run("2026-11-20T13:00:00+07:00", Outcome::Done), 10) },
        run("2026-11-21T00:00:00+07:00", Outcome::Failed),
        run("2026-11-22T00:00:00+07:00", Outcome::Problems),
        // The 23rd and 24th did not run.
        sized(run("2026-11-25T00:00:00+07:00", Outcome::Done), 30),
        run("2026-11-26T00:00:00+07:00", Outcome::Broken),
        run("2026-11-27T00:00:00+07:00", Outcome::AtWork),
        // Tried twice: one slot.
        run("2026-11-28T00:00:00+07:00", Outcome::Failed),
        sized(run("2026-11-28T00:00:00+07:00", Outcome::Done), 40),
        // In no part of November.
        run("2026-12-01T00:00:00+07:00", Outcome::Failed),
        run("2026-10-31T00:00:00+07:00", Outcome::Failed),
    ];
    let found = of(&Recorded { runs: [("acc".to_owned(), runs)].into(), ..Recorded::default() });
    let acc = &found.backups[0];
    assert_eq!(
        (acc.dataset.as_str(), acc.planned_count, acc.missed_count),
        ("acc", Some(10), Some(4))
    );
    assert_eq!(
        (acc.done_count, acc.problems_count, acc.failed_count, acc.broken_count),
        (3, 1, 2, 1)
    );
    assert_eq!((acc.first_bytes, acc.last_bytes), (Some(10), Some(40)));
    // From the 28th to the end; that from the 22nd to the 25th is as long.
    assert_eq!((acc.longest_gap_s, acc.rpo_s), (3 * 86400, Some(24 * 3600)));
    let files = &found.backups[1];
    assert_eq!((files.done_count, files.missed_count), (0, Some(10)));
    // Nothing at all since it is known.
    assert_eq!(files.longest_gap_s, 10 * 86400 + 12 * 3600);
    assert!(found.is_over);
}

#[test]
fn a_period_that_has_not_ended_is_counted_up_to_now() {
    let (plan, config, mut facts) = office();
    facts.now = at("2026-11-26T10:00:00+07:00");
    let runs = vec![run("2026-11-25T00:00:00+07:00", Outcome::Done)];
    let recorded = Recorded { runs: [("acc".to_owned(), runs)].into(), ..Recorded::default() };
    let found = summary((&plan, &config, &facts), &november(&plan), &recorded);
    assert!(!found.is_over);
    assert_eq!(found.backups[0].planned_count, Some(6));
    assert_eq!(found.backups[0].missed_count, Some(5));
    assert_eq!(found.backups[0].longest_gap_s, 4 * 86400 + 12 * 3600);
}

#[test]
fn a_good_run_before_the_period_counts_for_its_first_gap() {
    let (plan, config, mut facts) = office();
    for dataset in facts.datasets.values_mut() {
        dataset.known_since = Some(at("2026-01-01T00:00:00+07:00"));
    }
    let days = |days: std::ops::RangeInclusive<u32>| {
        days.map(|day| run(&format!("2026-11-{day:02}T00:00:00+07:00"), Outcome::Done))
    };
    let mut runs: Vec<Run> = days(1..=30).collect();
    runs.retain(|it| it.started != at("2026-11-01T00:00:00+07:00"));
    runs.push(run("2026-10-30T00:00:00+07:00", Outcome::Done));
    let recorded = Recorded { runs: [("acc".to_owned(), runs)].into(), ..Recorded::default() };
    let found = summary((&plan, &config, &facts), &november(&plan), &recorded);
    assert_eq!(found.backups[0].longest_gap_s, 3 * 86400);
    assert_eq!(
        (found.backups[0].planned_count, found.backups[0].missed_count),
        (Some(30), Some(1))
    );
}

fn held(code: &str, ended: &str, verdict: Verdict) -> Held {
    Held {
        code: code.to_owned(),
        class: "D2".to_owned(),
        is_real: false,
        ended: at(ended),
        ended_at: ended.to_owned(),
        verdict,
        is_announced: true,
        by_substitute: None,
        items: vec![HeldItem {
            dataset: "acc".to_owned(),
            storage: "far".to_owned(),
            stratum: "newest".to_owned(),
            verdict,
            level: Some(6),
            rto_s: Some(60),
            rto_target_s: Some(3600),
            rpo_s: None,
            rpo_target_s: None,
            throughput_bps: Some(1 << 20),
        }],
    }
}

#[test]
fn drills_restores_and_actions_are_those_of_the_period() {
    let acted = |id: &str, opened: &str, closed: Option<&str>| Acted {
        id: id.to_owned(),
        dataset: "acc".to_owned(),
        opened: at(opened),
        closed: closed.map(at),
        due: Some(jiff::civil::Date::new(2026, 12, 2).unwrap()),
    };
    let real = Held { is_real: true, ..held("R", "2026-11-12T00:00:00+07:00", Verdict::Pass) };
    let led = Held {
        by_substitute: Some(true),
        is_announced: false,
        ..held("C", "2026-11-30T23:59:59+07:00", Verdict::Fail)
    };
    let found = of(&Recorded {
        runs: Default::default(),
        held: vec![
            held("A", "2026-10-31T23:59:59+07:00", Verdict::Fail),
            held("B", "2026-11-01T00:00:00+07:00", Verdict::Pass),
            real,
            led,
        ],
        actions: vec![
            acted("1", "2026-10-05T00:00:00+07:00", Some("2026-11-02T00:00:00+07:00")),
            acted("2", "2026-11-05T00:00:00+07:00", Some("2026-12-02T00:00:00+07:00")),
            acted("3", "2026-11-05T00:00:00+07:00", None),
        ],
    });
    let codes: Vec<&str> = found.drills.held.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["B", "C"]);
    assert_eq!(found.restores.len(), 1);
    let drills = &found.drills;
    let counts =
        (drills.unannounced_count, drills.by_substitute_count, drills.leader_unknown_count);
    assert_eq!(counts, (1, 1, 1));
    let acc = &drills.proofs[0];
    assert_eq!(acc.last.as_ref().unwrap().verdict, Verdict::Fail);
    assert_eq!((acc.dataset.as_str(), acc.age_days, acc.is_covered), ("acc", Some(9), true));
    assert_eq!(drills.covered_count, 2);
    let actions = &found.actions;
    assert_eq!((actions.opened_count, actions.closed_count), (2, 1));
    assert_eq!((actions.open.len(), &actions.overdue), (1, &vec!["3 (acc)".to_owned()]));
}

#[test]
fn a_trend_has_every_month_from_the_first_drill_on() {
    let drilled = |held| of(&Recorded { held, ..Recorded::default() }).drills.trend;
    let share = |count, of_count| Share { count, of_count };
    let months = drilled(vec![
        held("A", "2026-09-30T23:59:59+07:00", Verdict::Fail),
        Held { is_real: true, ..held("R", "2026-10-12T00:00:00+07:00", Verdict::Pass) },
        held("B", "2026-11-01T00:00:00+07:00", Verdict::Pass),
        held("C", "2026-11-30T23:59:59+07:00", Verdict::Conditional),
        held("D", "2026-12-01T00:00:00+07:00", Verdict::Fail),
    ]);
    let names: Vec<&str> = months.iter().map(|it| it.month.as_str()).collect();
    assert_eq!(names, ["2026-09", "2026-10", "2026-11"]);
    let counts = |it: &Month| (it.drills, it.rto, it.rpo, it.throughput_bps);
    let none = share(0, 0);
    assert_eq!(counts(&months[0]), (share(0, 1), share(1, 1), none, Some(1 << 20)));
    assert_eq!(counts(&months[1]), (none, none, none, None));
    assert_eq!(counts(&months[2]), (share(2, 2), share(2, 2), none, Some(1 << 20)));
    // Proofs are those that there were at each month's end, of all datasets.
    assert_eq!((months[0].covered, months[0].oldest_proof_days), (share(0, 2), None));
    assert_eq!((months[2].covered, months[2].oldest_proof_days), (share(2, 2), Some(6)));
    let old = drilled(vec![held("A", "2020-01-01T00:00:00+07:00", Verdict::Pass)]);
    assert_eq!((old.len(), old[0].month.as_str()), (MONTHS_MAX, "2024-12"));
    assert!(drilled(Vec::new()).is_empty());
}

#[test]
fn every_dataset_is_in_the_denominator() {
    let (plan, config, mut facts) = office();
    facts.datasets.get_mut("files").unwrap().held.clear();
    facts.drills.clear();
    let found = summary((&plan, &config, &facts), &november(&plan), &Recorded::default());
    let scope = &found.scope;
    assert_eq!((scope.datasets_count, scope.protected_count), (2, 1));
    assert_eq!(scope.without_copy, ["files"]);
    assert_eq!(scope.unprotected[0].approved_by.as_deref(), Some("an"));
    assert_eq!((found.drills.covered_count, found.drills.proofs.len()), (0, 2));
    assert!(found.drills.proofs.iter().all(|it| it.age_days.is_none() && !it.is_covered));
}
