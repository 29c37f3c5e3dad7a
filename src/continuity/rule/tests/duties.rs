//! R17, R26, R27.

use crate::config::plan::Plan;
use crate::continuity::fact::Facts;
use crate::continuity::fact::Seals;
use crate::continuity::rule::Colour::Amber;
use crate::continuity::rule::Colour::Green;
use crate::continuity::rule::Colour::Red;
use crate::continuity::rule::tests::HOUR_MS;
use crate::continuity::rule::tests::SECOND_MS;
use crate::continuity::rule::tests::at;
use crate::continuity::rule::tests::earlier;
use crate::continuity::rule::tests::entries;
use crate::continuity::rule::tests::expect;

const DAY_MS: i64 = 24 * HOUR_MS;

#[test]
fn r17_seals_are_looked_at_each_quarter_and_one_more_is_there() {
    let seen = |change: fn(&mut Seals)| {
        move |_: &mut Plan, facts: &mut Facts| change(entries(facts).seals.as_mut().unwrap())
    };
    expect(17, Green, seen(|seals| seals.at = at("2026-10-01T00:00:00+07:00")));
    expect(17, Amber, seen(|seals| seals.at = at("2026-09-30T23:59:59+07:00")));
    expect(17, Red, seen(|seals| seals.at = at("2026-06-30T23:59:59+07:00")));
    expect(17, Amber, seen(|seals| seals.present = 2));
    expect(17, Red, seen(|seals| seals.present = 1));
    let told = expect(17, Red, seen(|seals| seals.broken = vec!["an".to_owned()]));
    assert!(told[0].starts_with("seals broken at an on 2026-11-24"), "{told:?}");
    // A record that does not say how many open proves nothing.
    expect(17, Red, seen(|seals| seals.needed = 0));
    expect(17, Red, |_, facts| entries(facts).seals = None);
}

#[test]
fn r26_a_failure_on_purpose_was_heard_within_a_week() {
    let tested = |ms: i64| {
        move |_: &mut Plan, facts: &mut Facts| {
            let now = facts.now;
            entries(facts).alarm.as_mut().unwrap().at = earlier(now, ms);
        }
    };
    expect(26, Green, tested(8 * DAY_MS));
    expect(26, Amber, tested(8 * DAY_MS + SECOND_MS));
    expect(26, Amber, tested(14 * DAY_MS));
    expect(26, Red, tested(14 * DAY_MS + SECOND_MS));
    let told = expect(26, Red, |_, facts| {
        entries(facts).alarm.as_mut().unwrap().missed = vec!["mail".to_owned()];
    });
    assert_eq!(told, ["on 2026-11-23 these were not told within half an hour: mail"]);
    expect(26, Red, |_, facts| entries(facts).alarm = None);
}

#[test]
fn r27_reports_are_delivered_and_the_law_is_met_in_time() {
    let on = |now: &'static str| {
        move |_: &mut Plan, facts: &mut Facts| {
            facts.now = at(now);
            entries(facts).reports.clear();
            // It was there for years.
            let known = at("2020-01-01T00:00:00+07:00");
            facts.datasets.values_mut().for_each(|it| it.known_since = Some(known));
        }
    };
    let with = |now: &'static str, delivered: &'static [&'static str]| {
        move |plan: &mut Plan, facts: &mut Facts| {
            on(now)(plan, facts);
            let delivered = delivered.iter().map(|it| (facts.now, (*it).to_owned()));
            let delivered: Vec<_> = delivered.collect();
            entries(facts).reports.extend(delivered);
        }
    };
    expect(27, Green, with("2026-11-05T23:59:59+07:00", &["2026-10", "2025"]));
    let told = expect(27, Amber, with("2026-11-05T23:59:59+07:00", &["2025"]));
    assert_eq!(told, ["the report of 2026-10 is due by 2026-11-05"]);
    expect(27, Red, with("2026-11-06T00:00:00+07:00", &["2025"]));
    // The year of reports, which ends on 14 December.
    expect(27, Red, with("2026-12-14T12:00:00+07:00", &["2026-11"]));
    expect(27, Green, with("2026-12-14T12:00:00+07:00", &["2026-11", "2025"]));
    expect(27, Amber, with("2026-12-15T00:00:00+07:00", &["2026-11", "2025"]));
    expect(27, Amber, with("2026-12-19T23:59:59+07:00", &["2026-11", "2025"]));
    expect(27, Red, with("2026-12-20T00:00:00+07:00", &["2026-11", "2025"]));
    expect(27, Green, with("2026-12-20T00:00:00+07:00", &["2026-11", "2026"]));
    // The transition of the law ends on 30 June 2027.
    let all: &[&str] = &["2026-11", "2026-12", "2027-06", "2026"];
    expect(27, Green, with("2026-12-31T12:00:00+07:00", all));
    let told = expect(27, Amber, with("2027-01-01T12:00:00+07:00", all));
    assert!(told[0].contains("2027-06-30"), "{told:?}");
    expect(27, Red, with("2027-07-01T00:00:00+07:00", all));
    expect(27, Green, |plan, facts| {
        with("2027-07-01T00:00:00+07:00", all)(plan, facts);
        plan.org.transition_met_on = Some(jiff::civil::date(2027, 5, 1));
    });
    // Before there was anything nobody owes a report.
    expect(27, Green, |_, facts| {
        entries(facts).reports.clear();
        let known = at("2026-11-02T00:00:00+07:00");
        facts.datasets.values_mut().for_each(|it| it.known_since = Some(known));
    });
}
