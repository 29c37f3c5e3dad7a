//! Whoever sleeps until it is said that something may be due misses nothing.

use std::time::Duration;

use lifeboat::catalogue::query::JobStatus;
use lifeboat::config::Language;
use lifeboat::config::tell::Event;
use lifeboat::config::tell::Notify;
use lifeboat::notify::alarm;
use lifeboat::notify::decide;
use lifeboat::notify::decide::Book;
use lifeboat::notify::letter;
use lifeboat::notify::message::Voice;
use lifeboat::schedule::local;
use lifeboat::units::Timestamp;

const START: i64 = 1_795_000_000_000;
const HOUR: i64 = 3_600_000;

#[test]
fn whoever_sleeps_until_next_misses_nothing() {
    let repeat_after = Duration::from_secs(5 * 3600);
    let rules = [Notify { on: vec![Event::Silent], to: vec!["mail".to_owned()], repeat_after }];
    let jobs = [JobStatus {
        key: "backup:files".to_owned(),
        dataset: Some("files".to_owned()),
        storage: Some("main".to_owned()),
        age_max_ms: Some(26 * HOUR),
        since_ms: START,
        slot_ms: None,
        slot_max_ms: None,
        next_ms: None,
        wanted_ms: None,
        last: None,
        last_ended: None,
        last_good: None,
    }];
    let zone = local::zone("Asia/Ho_Chi_Minh").unwrap();
    let voice = Voice { language: Language::En, zone, host: "office".to_owned() };
    let start = Timestamp::from_unix_ms(START);
    let (mut book, mut now, mut told) = (Book::default(), start, Vec::new());
    while now.unix_ms < START + 48 * HOUR {
        let observed = alarm::observe(&jobs, now);
        if let Some(items) = decide::due(&mut book, &observed, &rules, now).remove("mail") {
            told.push((now.unix_ms - START) / HOUR);
            if told.len() == 2 {
                book.failed("mail", "away".to_owned(), now);
            } else {
                book.arrived("mail", &items, now);
            }
        }
        let silence = alarm::next_silence(&jobs, now);
        let next = [silence, decide::next(&book, &rules, now), letter::next(&voice, now)];
        let next = next.into_iter().flatten().min().unwrap();
        assert!(next > now, "it would not sleep");
        now = next;
    }
    // The second was tried again a minute later.
    assert_eq!(told, [26, 31, 31, 36, 41, 46]);
    let first = letter::next(&voice, start).unwrap();
    assert_eq!(first.to_rfc3339(), "2026-12-01T00:00:00.000Z");
    assert_eq!(letter::next(&voice, first).unwrap().to_rfc3339(), "2027-01-01T00:00:00.000Z");
}
