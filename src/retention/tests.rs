use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::retention::Candidate;
use crate::retention::Hold;
use crate::retention::InSpan;
use crate::retention::Reason;
use crate::retention::plan;
use crate::retention::rule::Age;
use crate::retention::rule::Limit;
use crate::retention::rule::Rule;
use crate::retention::rule::Unit;
use crate::retention::rule::parse_count;
use crate::units::Timestamp;

const UNITS: [Unit; 6] = [Unit::Each, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
const HOUR_MS: i64 = 3_600_000;

fn at(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_unix_ms(time.as_millisecond())
}

fn candidate(received: Timestamp, seq: u64) -> Candidate {
    Candidate { received, seq, tags: Vec::new(), holds: Vec::new() }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn newest(unit: Unit, count: u32) -> Rule {
    Rule::Spread { unit, limit: Limit::Newest(count) }
}

/// Times of those that stay.
fn kept(rules: &[Rule], zone: &TimeZone, group: &[Candidate]) -> Vec<String> {
    let reasons = plan(rules, zone, group);
    let stays = group.iter().zip(reasons).filter(|(_, reasons)| !reasons.is_empty());
    stays.map(|(candidate, _)| candidate.received.to_rfc3339()).collect()
}

/// The same question asked of every snapshot alone, with spans named by their printed form.
fn oracle(rules: &[Rule], zone: &TimeZone, group: &[Candidate]) -> BTreeSet<usize> {
    let key = |at: usize| (group[at].received, group[at].seq, at);
    let sure = |at: usize| !group[at].holds.contains(&Hold::TimeInDoubt);
    let stays = |at: usize| {
        let candidate = &group[at];
        let local = |at: usize| {
            let ms = group[at].received.unix_ms;
            jiff::Timestamp::from_millisecond(ms).unwrap().to_zoned_datetime(zone.clone())
        };
        if !candidate.holds.is_empty() {
            return true;
        }
        if (0..group.len()).all(|other| key(other) <= key(at)) {
            return true;
        }
        rules.iter().any(|rule| match rule {
            Rule::Tags(tags) => tags.iter().all(|tag| candidate.tags.contains(tag)),
            Rule::Spread { unit, limit } => {
                let name = |at: usize| match unit {
                    Unit::Each => format!("{:?}", key(at)),
                    Unit::Hour => local(at).strftime("%F %H %z").to_string(),
                    Unit::Day => local(at).strftime("%F").to_string(),
                    Unit::Week => local(at).strftime("%G %V").to_string(),
                    Unit::Month => local(at).strftime("%Y %m").to_string(),
                    Unit::Year => local(at).strftime("%Y").to_string(),
                };
                let counts = |other: &usize| match limit {
                    Limit::Within(age) => {
                        let newest =
                            (0..group.len()).filter(|&it| sure(it)).max_by_key(|&it| key(it));
                        let back = jiff::Span::new()
                            .years(age.years)
                            .months(age.months)
                            .days(i64::from(age.days))
                            .hours(i64::from(age.hours));
                        local(*other) >= local(newest.unwrap()).checked_sub(back).unwrap()
                    }
                    _ => true,
                };
                let all: Vec<usize> =
                    (0..group.len()).filter(|&it| sure(it)).filter(counts).collect();
                let mates = || all.iter().filter(|&&other| name(other) == name(at));
                let is_end = mates().all(|&other| key(other) <= key(at))
                    || mates().all(|&other| key(other) >= key(at));
                let newer: BTreeSet<String> = all
                    .iter()
                    .filter(|&&other| key(other) > key(at) && name(other) != name(at))
                    .map(|&other| name(other))
                    .collect();
                let reached = match limit {
                    Limit::Newest(count) => newer.len() < *count as usize,
                    Limit::All | Limit::Within(_) => true,
                };
                all.contains(&at) && is_end && reached
            }
        })
    };
    (0..group.len()).filter(|&at| stays(at)).collect()
}

fn any_limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (1..6_u32).prop_map(Limit::Newest),
        Just(Limit::All),
        (0..3_u16, 0..14_u16, 0..40_u32, 1..30_u32).prop_map(|(years, months, days, hours)| {
            Limit::Within(Age { years, months, days, hours })
        }),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        5 => (0..UNITS.len(), any_limit())
            .prop_map(|(unit, limit)| Rule::Spread { unit: UNITS[unit], limit }),
        1 => Just(Rule::Tags(vec!["a".to_owned()])),
        1 => Just(Rule::Tags(vec!["a".to_owned(), "b".to_owned()])),
    ]
}

/// Near each other, so that spans have several and hours that come twice are met.
fn any_candidate() -> impl Strategy<Value = Candidate> {
    let autumn = at("2025-10-25T20:00:00Z").unix_ms;
    let time = prop_oneof![
        (0..60_i64).prop_map(move |half| autumn + half * HOUR_MS / 2),
        (0..3_000_i64).prop_map(move |hours| autumn - hours * HOUR_MS),
        (0..2_000_i64).prop_map(move |days| autumn - days * 24 * HOUR_MS),
    ];
    let tags = prop_oneof![
        3 => Just(Vec::new()),
        1 => Just(vec!["a".to_owned()]),
        1 => Just(vec!["b".to_owned(), "a".to_owned()]),
    ];
    let rare = |hold| prop::bool::weighted(0.05).prop_map(move |held| held.then_some(hold));
    let holds = (rare(Hold::Pinned), rare(Hold::Proven), rare(Hold::TimeInDoubt));
    (time, 0..4_u64, tags, holds).prop_map(|(ms, seq, tags, (pinned, proven, in_doubt))| {
        let holds = [pinned, proven, in_doubt].into_iter().flatten().collect();
        Candidate { received: Timestamp::from_unix_ms(ms), seq, tags, holds }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plan_is_what_the_oracle_says(
        rules in prop::collection::vec(any_rule(), 0..4),
        group in prop::collection::vec(any_candidate(), 0..40),
        zone_at in 0..3_usize,
    ) {
        let zone = zone(["Asia/Ho_Chi_Minh", "Europe/Berlin", "Australia/Lord_Howe"][zone_at]);
        let reasons = plan(&rules, &zone, &group);
        let stays: BTreeSet<usize> =
            (0..group.len()).filter(|&at| !reasons[at].is_empty()).collect();
        prop_assert_eq!(stays, oracle(&rules, &zone, &group));
    }

    #[test]
    fn the_order_given_changes_nothing(
        rules in prop::collection::vec(any_rule(), 1..4),
        group in prop::collection::vec(any_candidate(), 1..20),
        turn in 0..20_usize,
    ) {
        let mut group = group;
        for (at, candidate) in group.iter_mut().enumerate() {
            candidate.seq = at as u64;
        }
        let zone = zone("Asia/Ho_Chi_Minh");
        let mut reasons = plan(&rules, &zone, &group);
        let turn = turn % group.len();
        group.rotate_left(turn);
        reasons.rotate_left(turn);
        prop_assert_eq!(plan(&rules, &zone, &group), reasons);
    }

    #[test]
    fn a_rule_more_never_removes(
        rules in prop::collection::vec(any_rule(), 1..4),
        group in prop::collection::vec(any_candidate(), 0..30),
    ) {
        let zone = zone("Asia/Ho_Chi_Minh");
        let (fewer, all) = (plan(&rules[1..], &zone, &group), plan(&rules, &zone, &group));
        for (fewer, all) in fewer.iter().zip(&all) {
            let alone = fewer == &[Reason::Newest];
            prop_assert!(fewer.is_empty() || alone || fewer.iter().all(|it| all.contains(it)));
            prop_assert!(fewer.is_empty() || !all.is_empty());
        }
    }
}

#[test]
fn a_week_of_an_office_keeps_what_a_person_would_keep() {
    // Two backups a day, at noon and at ten in the evening, in Việt Nam.
    let days = 1..=20;
    let group: Vec<Candidate> = days
        .flat_map(|day| {
            [format!("2026-11-{day:02}T05:00:00Z"), format!("2026-11-{day:02}T15:00:00Z")]
        })
        .zip(1..)
        .map(|(time, seq)| candidate(at(&time), seq))
        .collect();
    let rules = [newest(Unit::Each, 1), newest(Unit::Day, 3), newest(Unit::Week, 2)];
    let expected = [
        "2026-11-09T05:00:00.000Z", // first of the week before
        "2026-11-15T15:00:00.000Z", // and its last
        "2026-11-16T05:00:00.000Z", // first of this week
        "2026-11-18T05:00:00.000Z",
        "2026-11-18T15:00:00.000Z",
        "2026-11-19T05:00:00.000Z",
        "2026-11-19T15:00:00.000Z",
        "2026-11-20T05:00:00.000Z",
        "2026-11-20T15:00:00.000Z",
    ];
    assert_eq!(kept(&rules, &zone("Asia/Ho_Chi_Minh"), &group), expected);
}

#[test]
fn a_day_ends_at_midnight_of_the_office() {
    let group = ["2026-11-01T16:30:00Z", "2026-11-01T17:30:00Z"];
    let group: Vec<Candidate> = group.iter().map(|time| candidate(at(time), 1)).collect();
    let rules = [newest(Unit::Day, 1)];
    // 23:30 and 00:30 of the next day in Việt Nam; one day in London.
    assert_eq!(kept(&rules, &zone("Asia/Ho_Chi_Minh"), &group), ["2026-11-01T17:30:00.000Z"]);
    assert_eq!(kept(&rules, &zone("Europe/London"), &group).len(), 2);
}

#[test]
fn an_hour_that_a_clock_shows_twice_is_two() {
    let group = ["2025-10-26T00:15:00Z", "2025-10-26T01:15:00Z", "2025-10-26T02:15:00Z"];
    let group: Vec<Candidate> = group.iter().map(|time| candidate(at(time), 1)).collect();
    let reasons = plan(&[newest(Unit::Hour, 2)], &zone("Europe/Berlin"), &group);
    assert_eq!(reasons.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 1]);
}

/// Whoever has a stolen keyset can write many snapshots, but not before the good ones.
#[test]
fn a_flood_cannot_push_the_first_of_a_day_out() {
    let mut group = vec![candidate(at("2026-11-20T01:00:00Z"), 1)];
    let start = at("2026-11-20T02:00:00Z").unix_ms;
    let times = (0..500).map(|n| Timestamp::from_unix_ms(start + n * 1000));
    group.extend(times.zip(2..).map(|(time, seq)| candidate(time, seq)));
    let reasons = plan(&[newest(Unit::Day, 7)], &zone("Asia/Ho_Chi_Minh"), &group);
    assert!(matches!(&reasons[0][..], [Reason::Spread { place: InSpan::First, .. }]));
    assert_eq!(reasons.iter().filter(|reasons| !reasons.is_empty()).count(), 2);
}

#[test]
fn what_is_held_stays_and_the_newest_always_does() {
    let mut group: Vec<Candidate> =
        (1..=5).map(|day| candidate(at(&format!("2026-11-0{day}T00:00:00Z")), day)).collect();
    group[0].holds.push(Hold::Proven);
    group[1].holds.push(Hold::Pinned);
    group[2].holds.push(Hold::TimeInDoubt);
    let reasons = plan(&[Rule::Tags(vec!["no".to_owned()])], &TimeZone::UTC, &group);
    let expected = [
        vec![Reason::Proven],
        vec![Reason::Pinned],
        vec![Reason::TimeInDoubt],
        vec![],
        vec![Reason::Newest],
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn ages_and_counts_are_read_and_printed() {
    for (text, years, months, days, hours) in
        [("14d", 0, 0, 14, 0), ("1y6m2w3d12h", 1, 6, 17, 12), ("2h", 0, 0, 0, 2)]
    {
        assert_eq!(text.parse(), Ok(Age { years, months, days, hours }), "{text}");
    }
    for text in ["", "0d", "14", "d", "3d2w", "1y1y", "-1d", "14 d", "99999999999d", "1000y"] {
        assert!(text.parse::<Age>().is_err(), "{text}");
    }
    assert_eq!(parse_count("7"), Ok(Limit::Newest(7)));
    assert_eq!([parse_count("all"), parse_count("-1")], [Ok(Limit::All), Ok(Limit::All)]);
    for text in ["", "0", "-2", "7d", "4294967296"] {
        assert!(parse_count(text).is_err(), "{text}");
    }
    let age = Age { years: 1, months: 0, days: 17, hours: 0 };
    let within = |unit| Rule::Spread { unit, limit: Limit::Within(age) };
    assert_eq!(within(Unit::Each).to_string(), "keep-within 1y17d");
    assert_eq!(within(Unit::Week).to_string(), "keep-within-weekly 1y17d");
    assert_eq!(newest(Unit::Year, 5).to_string(), "keep-yearly 5");
    assert_eq!(Rule::Tags(vec!["a".into(), "b".into()]).to_string(), "keep-tag a,b");
}
