//! What is an expression, and what it means where no zone is involved.

use chrono::TimeZone as _;
use jiff::civil::DateTime;
use lifeboat::schedule::cron::Cron;
use proptest::prelude::*;

use crate::schedule::oracle::Line;

fn next(text: &str, from: &str, count: usize) -> Vec<String> {
    let cron: Cron = text.parse().unwrap();
    let mut time: DateTime = from.parse().unwrap();
    let mut all = Vec::new();
    for _ in 0..count {
        time = cron.after(time).unwrap();
        all.push(time.strftime("%Y-%m-%d %H:%M %a").to_string());
    }
    all
}

#[test]
fn crontab_lines_mean_what_crontab_says() {
    let cases: [(&str, &[&str]); 8] = [
        ("0 12,22 * * *", &["2026-11-26 12:00 Thu", "2026-11-26 22:00 Thu"]),
        // Sunday is 0 and 7, Monday is 1.
        ("0 4 * * 0", &["2026-11-29 04:00 Sun", "2026-12-06 04:00 Sun"]),
        ("0 4 * * 7", &["2026-11-29 04:00 Sun"]),
        (
            "0 4 * * mon-FRI",
            &["2026-11-26 04:00 Thu", "2026-11-27 04:00 Fri", "2026-11-30 04:00 Mon"],
        ),
        // A day or a weekday, whichever comes.
        ("0 8 5 * 1", &["2026-11-30 08:00 Mon", "2026-12-05 08:00 Sat", "2026-12-07 08:00 Mon"]),
        // A star with a step chooses no days of its own: both must fit.
        ("0 8 */2 * 1", &["2026-12-07 08:00 Mon", "2026-12-21 08:00 Mon", "2027-01-11 08:00 Mon"]),
        ("0 0 29 2 *", &["2028-02-29 00:00 Tue", "2032-02-29 00:00 Sun"]),
        ("0 0 31 2,4 5", &["2027-02-05 00:00 Fri", "2027-02-12 00:00 Fri"]),
    ];
    for (text, expected) in cases {
        assert_eq!(next(text, "2026-11-26T00:00:00", expected.len()), expected, "{text}");
    }
    for (short, long) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
    ] {
        let from = "2026-11-26T00:10:00";
        assert_eq!(next(short, from, 3), next(long, from, 3), "{short}");
    }
}

#[test]
fn what_is_no_expression_is_told_by_its_field() {
    let long = "1,".repeat(300) + "1 * * * *";
    for (text, part) in [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("0 0 * * * *", "five fields"),
        ("@reboot", "five fields"),
        ("60 * * * *", "minute: expected 0 to 59, found `60`"),
        ("* 24 * * *", "hour: expected 0 to 23"),
        ("* * 0 * *", "day of month: expected 1 to 31"),
        ("* * * 13 *", "month: expected 1 to 12"),
        ("* * * * 8", "day of week: expected 0 to 7"),
        ("* * * * moon", "day of week: expected 0 to 7, found `moon`"),
        ("5-1 * * * *", "minute: expected a range that goes up, found `5-1`"),
        ("*/0 * * * *", "minute: expected a step"),
        ("5/10 * * * *", "minute: expected a step such as `*/5`"),
        ("+5 * * * *", "found `+5`"),
        ("1,,2 * * * *", "minute: expected 0 to 59, found ``"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("? * * * *", "found `?`"),
        (&long, "at most 512 bytes"),
    ] {
        let error = text.parse::<Cron>().unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

/// The first place where two lists differ.
fn difference(
    found: &[DateTime],
    expected: &[DateTime],
) -> Option<(usize, Option<DateTime>, Option<DateTime>)> {
    let longer = found.len().max(expected.len());
    let mut pairs = (0..longer).map(|at| (at, found.get(at).copied(), expected.get(at).copied()));
    pairs.find(|(_, found, expected)| found != expected)
}

fn any_field(low: u32, high: u32) -> impl Strategy<Value = String> {
    let term = prop_oneof![
        4 => (low..=high).prop_map(|n| n.to_string()),
        2 => (low..=high, low..=high)
            .prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        1 => (low..=high, low..=high, 1..9_u32)
            .prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ];
    prop_oneof![
        3 => Just("*".to_owned()),
        1 => (1..9_u32).prop_map(|step| format!("*/{step}")),
        4 => prop::collection::vec(term, 1..4).prop_map(|terms| terms.join(",")),
    ]
}

fn any_line() -> impl Strategy<Value = String> {
    let fields = (any_field(0, 59), any_field(0, 23), any_field(1, 31));
    (fields, any_field(1, 12), any_field(0, 7)).prop_map(|((minute, hour, day), month, weekday)| {
        format!("{minute} {hour} {day} {month} {weekday}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// From moment to moment forwards, and back again, over what the oracle sees in ten days.
    #[test]
    fn lines_come_when_the_oracle_says(text in any_line(), start in 0..1_200_000_i64) {
        let Ok(cron) = text.parse::<Cron>() else { return Ok(()) };
        let line = Line::read(&text);
        let origin: DateTime = "1971-01-01T00:00:00".parse().unwrap();
        let minutes = |n: i64| origin.checked_add(jiff::Span::new().minutes(n * 29)).unwrap();
        let from = minutes(start);
        let to = from.checked_add(jiff::Span::new().days(10)).unwrap();
        let mut expected = Vec::new();
        let mut time = from;
        while time < to {
            if line.fits(time) {
                expected.push(time);
            }
            time = time.checked_add(jiff::Span::new().minutes(1)).unwrap();
        }
        let mut found = Vec::new();
        let mut time = from.checked_sub(jiff::Span::new().seconds(1)).unwrap();
        while let Some(next) = cron.after(time).filter(|next| *next < to) {
            found.push(next);
            time = next;
        }
        prop_assert_eq!(difference(&found, &expected), None, "{}", text);
        let mut back = Vec::new();
        let mut time = to;
        while let Some(last) = cron.before(time).filter(|last| *last >= from) {
            back.push(last);
            time = last;
        }
        back.reverse();
        prop_assert_eq!(difference(&back, &expected), None, "{}", text);
    }

    /// `croner` reads a star with a step as a choice of days, where crontab does not.
    #[test]
    fn another_crate_agrees(text in any_line(), start in 0..1_200_000_i64) {
        let fields: Vec<&str> = text.split(' ').collect();
        prop_assume!(![fields[2], fields[4]].iter().any(|f| f.starts_with("*/")));
        let Ok(cron) = text.parse::<Cron>() else { return Ok(()) };
        let other: croner::Cron = text.parse().unwrap();
        let mut theirs = chrono::Utc.timestamp_opt(31_536_000 + start * 1740, 0).unwrap();
        let at = jiff::Timestamp::from_second(theirs.timestamp()).unwrap();
        let mut ours = jiff::tz::TimeZone::UTC.to_datetime(at);
        for _ in 0..20 {
            // It gives up after some years without a slot.
            let Ok(next) = other.find_next_occurrence(&theirs, false) else { break };
            theirs = next;
            ours = cron.after(ours).unwrap();
            let shown = theirs.format("%Y-%m-%dT%H:%M:%S").to_string();
            prop_assert_eq!(ours.to_string(), shown, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_fall(text in "[-*/,0-9a-z@? ]{0,40}") {
        if let Ok(cron) = text.parse::<Cron>() {
            let from: DateTime = "2026-01-01T00:00:00".parse().unwrap();
            prop_assert!(cron.after(from).is_some(), "{}", text);
        }
    }
}
