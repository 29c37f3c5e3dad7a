use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use crate::catalogue::proof::ProofRow;
use crate::catalogue::proof::ProofStatus;
use crate::catalogue::query::JobStatus;
use crate::catalogue::query::RunRow;
use crate::catalogue::query::Size;
use crate::config::Language;
use crate::config::tell::Event;
use crate::config::tell::Notify;
use crate::notify::alarm;
use crate::notify::alarm::Alarm;
use crate::notify::alarm::Key;
use crate::notify::alarm::Observed;
use crate::notify::alarm::State;
use crate::notify::alarm::observe;
use crate::notify::alarm::observe_proofs;
use crate::notify::decide::Book;
use crate::notify::decide::Item;
use crate::notify::decide::News;
use crate::notify::decide::due;
use crate::notify::letter;
use crate::notify::message::Voice;
use crate::notify::words;
use crate::schedule::local;
use crate::units::Timestamp;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const START: i64 = 1_795_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START + ms)
}

fn run(outcome: Option<&'static str>, exit_code: Option<i64>, started_ms: i64) -> RunRow {
    RunRow {
        id: 1,
        slot_ms: None,
        attempt: 1,
        started_ms: START + started_ms,
        ended_ms: outcome.map(|_| START + started_ms + 1),
        outcome,
        exit_code,
        problems_count: 7,
        files_count: None,
        content_bytes: Some(3 << 20),
        stored_bytes: Some(1 << 20),
        snapshot: None,
        message: Some("/home/secret-name.txt".to_owned()),
        shrunk_from: None,
    }
}

fn job(key: &str, last: Option<RunRow>, last_good: Option<RunRow>) -> JobStatus {
    JobStatus {
        key: key.to_owned(),
        dataset: key.strip_prefix("backup:").map(str::to_owned),
        storage: Some("main".to_owned()),
        age_max_ms: Some(26 * HOUR),
        since_ms: START,
        slot_ms: None,
        slot_max_ms: None,
        next_ms: None,
        wanted_ms: None,
        last_ended: last
            .clone()
            .filter(|run| matches!(run.outcome, Some("done" | "problems" | "failed"))),
        last,
        last_good,
    }
}

fn key(event: Event, job: &str) -> Key {
    Key { event, job: job.to_owned() }
}

fn raised(observed: &Observed) -> Vec<&Key> {
    let all = observed.iter().filter(|(_, state)| matches!(state, State::Raised(_)));
    all.map(|(key, _)| key).collect()
}

fn rule(on: &[Event], to: &str, hours: u64) -> Notify {
    Notify {
        on: on.to_vec(),
        to: vec![to.to_owned()],
        repeat_after: Duration::from_secs(hours * 3600),
    }
}

fn voice(language: Language) -> Voice {
    let zone = local::zone("Asia/Ho_Chi_Minh").unwrap();
    Voice { language, zone, host: "office".to_owned() }
}

#[test]
fn silence_is_an_alarm_without_a_run() {
    let never = [job("backup:files", None, None)];
    assert!(raised(&observe(&never, at(26 * HOUR))).is_empty());
    let observed = observe(&never, at(26 * HOUR + 1));
    assert_eq!(raised(&observed), [&key(Event::Silent, "backup:files")]);
    let State::Raised(alarm) = &observed[&key(Event::Silent, "backup:files")] else { panic!() };
    assert_eq!((alarm.since, alarm.good), (at(26 * HOUR), None));
    // A run that went well long ago.
    let good = run(Some("done"), Some(0), HOUR);
    let old = [job("backup:files", Some(good.clone()), Some(good))];
    assert!(raised(&observe(&old, at(27 * HOUR))).is_empty());
    assert_eq!(raised(&observe(&old, at(27 * HOUR + 1))).len(), 1);
    // Without a limit there is no silence.
    let mut free = job("backup:files", None, None);
    free.age_max_ms = None;
    assert!(raised(&observe(&[free], at(9999 * HOUR))).is_empty());
}

fn proof(verdict: Option<&str>, proven_ms: Option<i64>) -> ProofStatus {
    let last = verdict.map(|verdict| ProofRow {
        dataset: "files".to_owned(),
        drill: "D2-2026-12-05".to_owned(),
        held_ms: START + 5 * HOUR,
        verdict: verdict.to_owned(),
        failures: "F1, F2".to_owned(),
        proven_ms: proven_ms.map(|ms| START + ms),
        snapshot: None,
        level: None,
        due_ms: None,
    });
    let (proven, age_max_ms) = (last.clone(), Some(10 * HOUR));
    let dataset = "files".to_owned();
    ProofStatus { dataset, since_ms: START, age_max_ms, last, proven, due_ms: None }
}

#[test]
fn a_proof_that_is_too_old_or_failed_is_an_alarm_with_one_next_step() {
    let (data, age) = (key(Event::Drill, "data:files"), key(Event::Drill, "proof:files"));
    let of = |proof: &ProofStatus, now| observe_proofs(std::slice::from_ref(proof), at(now));
    let never = proof(None, None);
    assert!(raised(&of(&never, 10 * HOUR)).is_empty());
    assert_eq!(raised(&of(&never, 10 * HOUR + 1)), [&age]);
    assert_eq!(alarm::next_old(std::slice::from_ref(&never), at(0)), Some(at(10 * HOUR + 1)));
    assert_eq!(of(&never, 1)[&data], State::Unknown);
    let good = proof(Some("pass"), Some(5 * HOUR));
    assert_eq!(
        of(&good, 15 * HOUR),
        [(data.clone(), State::Fine), (age.clone(), State::Fine)].into()
    );
    assert_eq!(of(&proof(Some("inconclusive"), None), 1)[&data], State::Unknown);
    let bad = of(&proof(Some("fail"), Some(2 * HOUR)), 6 * HOUR);
    assert_eq!(raised(&bad), [&data]);
    let State::Raised(raised) = &bad[&data] else { panic!() };
    let line = voice(Language::En).line(raised);
    assert!(line.starts_with("dataset files would not come back: the last drill found F1, F2"));
    assert!(voice(Language::En).next(raised).contains("drill show"));
    let access = Alarm { codes: Some("F6".to_owned()), ..raised.clone() };
    assert!(voice(Language::Vi).next(&access).contains("lifeboat check"));
    let old = of(&never, 11 * HOUR);
    let State::Raised(old) = &old[&age] else { panic!() };
    assert!(voice(Language::En).line(old).contains("is too old (last proven: never"), "{old:?}");
    assert!(voice(Language::En).next(old).contains("drill run"));
}

#[test]
fn the_last_run_decides_and_one_at_work_says_nothing() {
    let of = |name: &str, outcome, code| {
        let observed = observe(&[job(name, Some(run(outcome, code, 0)), None)], at(1));
        let found: Vec<Event> = raised(&observed).iter().map(|key| key.event).collect();
        let unknown = observed.values().filter(|s| **s == State::Unknown).count();
        (found, unknown)
    };
    assert_eq!(of("backup:a", Some("done"), Some(0)), (vec![], 0));
    assert_eq!(of("backup:a", Some("problems"), Some(3)), (vec![Event::Problems], 0));
    assert_eq!(of("backup:a", Some("failed"), Some(15)), (vec![Event::Failed], 2));
    assert_eq!(of("check:main", Some("failed"), Some(20)), (vec![Event::Damage], 2));
    assert_eq!(of("check:main", Some("problems"), Some(20)), (vec![Event::Damage], 2));
    assert_eq!(of("drill:monthly", Some("failed"), Some(1)), (vec![Event::Drill], 2));
    for outcome in [None, Some("cut"), Some("stopped")] {
        assert_eq!(of("backup:a", outcome, None), (vec![], 3), "{outcome:?}");
    }
}

#[test]
fn what_has_become_small_is_told_until_that_is_usual() {
    let small = |usual: Option<i64>| {
        let mut good = run(Some("done"), Some(0), 0);
        good.files_count = Some(300);
        let size = |files_count| Size { files_count: Some(files_count), content_bytes: Some(9) };
        good.shrunk_from = usual.map(size);
        [job("backup:files", Some(good.clone()), Some(good))]
    };
    let observed = observe(&small(Some(1000)), at(1));
    assert_eq!(raised(&observed), [&key(Event::Shrink, "backup:files")]);
    let mut book = Book::default();
    let rules = [rule(&[Event::Shrink, Event::Recovered], "mail", 24)];
    let items = due(&mut book, &observed, &rules, at(1));
    let message = voice(Language::En).alarms(&items["mail"], at(1));
    let told = "backup of dataset files found much less than usual: 300 files with 3.0 MiB, \
                usually 1000 files with 9 B";
    assert_eq!(message.alarms[0].text, told);
    book.arrived("mail", &items["mail"], at(1));
    // A later run fails, and is no sign that it is over.
    let mut failed = small(Some(1000));
    failed[0].last_ended = Some(run(Some("failed"), Some(15), 2));
    assert!(due(&mut book, &observe(&failed, at(3)), &rules, at(3)).is_empty());
    let over = due(&mut book, &observe(&small(None), at(4)), &rules, at(4));
    assert_eq!(over["mail"][0].news, News::Recovered(key(Event::Shrink, "backup:files")));
    let (_, text) = letter::letter(&voice(Language::En), &small(Some(1000)), &[], at(5));
    assert!(text.contains("MUCH LESS THAN USUAL"), "{text}");
}

/// How one job stands in a minute of the simulated clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Fine,
    Wrong,
    Unknown,
    Gone,
}

fn observed(looks: &[Look], now: Timestamp) -> Observed {
    let mut observed = Observed::new();
    for (number, look) in looks.iter().enumerate() {
        let name = format!("backup:{number}");
        let state = match look {
            Look::Gone => continue,
            Look::Fine => State::Fine,
            Look::Unknown => State::Unknown,
            Look::Wrong => {
                let failed = job(&name, Some(run(Some("failed"), Some(1), 0)), None);
                let mut all = observe(&[failed], now);
                all.remove(&key(Event::Failed, &name)).unwrap()
            }
        };
        observed.insert(key(Event::Failed, &name), state);
    }
    observed
}

fn looks() -> impl Strategy<Value = Vec<(Vec<Look>, bool, i64)>> {
    let look = prop_oneof![
        4 => Just(Look::Fine),
        4 => Just(Look::Wrong),
        2 => Just(Look::Unknown),
        1 => Just(Look::Gone),
    ];
    let step = (proptest::collection::vec(look, 3), proptest::bool::weighted(0.7), 1..300_i64);
    proptest::collection::vec(step, 1..60)
}

/// What a reader of a channel believes, from messages alone.
#[derive(Default)]
struct Reader {
    wrong: BTreeMap<String, Timestamp>,
}

impl Reader {
    fn read(&mut self, items: &[Item], now: Timestamp, repeat_ms: i64) {
        for item in items {
            let job = item.key().job.clone();
            match &item.news {
                News::Raised(_) => {
                    self.wrong.insert(job, now);
                }
                News::Still(_) => {
                    let last = self.wrong.insert(job.clone(), now);
                    let last = last.unwrap_or_else(|| panic!("{job} was never raised"));
                    assert!(now.ms_since(last) >= repeat_ms, "{job} is told again too early");
                }
                News::Recovered(_) => {
                    assert!(self.wrong.remove(&job).is_some(), "{job} recovered untold or twice");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn a_reader_knows_what_is_wrong(steps in looks()) {
        const REPEAT_HOURS: u64 = 6;
        let repeat_ms = i64::try_from(REPEAT_HOURS).unwrap() * HOUR;
        let rules = [rule(&[Event::Failed, Event::Recovered], "mail", REPEAT_HOURS)];
        let (mut book, mut reader, mut now) = (Book::default(), Reader::default(), at(0));
        // Until when no answer of the channel is waited for.
        for (looks, works, minutes) in steps {
            now = Timestamp::from_unix_ms(now.unix_ms + minutes * MINUTE);
            let observed = observed(&looks, now);
            let ready = book.channels.get("mail").is_none_or(|health| health.is_ready(now));
            let items = due(&mut book, &observed, &rules, now).remove("mail").unwrap_or_default();
            prop_assert!(ready || items.is_empty(), "a channel that failed hears nothing yet");
            // A book that was written and read again is the same.
            let (told, channels) = book.rows();
            prop_assert_eq!(&Book::of_rows(told, channels), &book);
            for (number, look) in looks.iter().enumerate() {
                let job = format!("backup:{number}");
                let item = items.iter().find(|item| item.key().job == job);
                if *look == Look::Unknown || *look == Look::Gone {
                    prop_assert!(item.is_none(), "nothing is known of {}", job);
                }
                if *look == Look::Gone {
                    reader.wrong.remove(&job);
                }
            }
            if !items.is_empty() {
                if works {
                    reader.read(&items, now, repeat_ms);
                    book.arrived("mail", &items, now);
                } else {
                    book.failed("mail", "away".to_owned(), now);
                }
            }
            if !(works && ready) {
                continue;
            }
            for (number, look) in looks.iter().enumerate() {
                let believed = reader.wrong.contains_key(&format!("backup:{number}"));
                match look {
                    Look::Wrong => prop_assert!(believed, "{number} is wrong and nobody knows"),
                    Look::Fine => prop_assert!(!believed, "{number} is fine and nobody knows"),
                    Look::Unknown | Look::Gone => {}
                }
            }
        }
    }

    #[test]
    fn what_lasts_is_told_no_more_often_than_asked(hours in 1..100_u64, days in 1..20_i64) {
        let rules = [rule(&[Event::Failed], "mail", hours), rule(&[Event::Damage], "mail", 1)];
        let mut book = Book::default();
        let mut count = 0;
        for minute in 0..days * 24 * 60 {
            let now = at(minute * MINUTE);
            let observed = observed(&[Look::Wrong], now);
            if let Some(items) = due(&mut book, &observed, &rules, now).remove("mail") {
                count += items.len();
                book.arrived("mail", &items, now);
            }
        }
        let last = u64::try_from(days * 24 - 1).unwrap();
        let expected = usize::try_from(last / hours + 1).unwrap();
        prop_assert_eq!(count, expected);
    }
}

#[test]
fn what_comes_and_goes_is_throttled_for_who_does_not_hear_of_the_end() {
    let rules = [rule(&[Event::Failed], "mail", 24)];
    let mut book = Book::default();
    let mut count = 0;
    for hour in 0..48 {
        let look = if hour % 2 == 0 { Look::Wrong } else { Look::Fine };
        let items = due(&mut book, &observed(&[look], at(hour * HOUR)), &rules, at(hour * HOUR));
        for (channel, items) in items {
            count += items.len();
            book.arrived(&channel, &items, at(hour * HOUR));
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn a_clock_that_goes_back_silences_nobody() {
    let rules = [rule(&[Event::Failed], "mail", 24)];
    let mut book = Book::default();
    let tell = |book: &mut Book, now| {
        let items = due(book, &observed(&[Look::Wrong], now), &rules, now).remove("mail");
        items.map_or(0, |items| {
            book.arrived("mail", &items, now);
            items.len()
        })
    };
    assert_eq!(tell(&mut book, at(1_000_000 * HOUR)), 1);
    assert_eq!(tell(&mut book, at(0)), 1, "years of silence otherwise");
    assert_eq!(tell(&mut book, at(MINUTE)), 0);
}

#[test]
fn several_are_one_message_without_names_of_files() {
    let jobs = [
        job("backup:hồ-sơ", Some(run(Some("failed"), Some(15), 0)), None),
        job("check:main", Some(run(Some("failed"), Some(20), 0)), None),
        job("backup:mail", Some(run(Some("problems"), Some(3), 0)), None),
    ];
    let all = [Event::Failed, Event::Problems, Event::Damage, Event::Silent];
    let mut book = Book::default();
    let items = due(&mut book, &observe(&jobs, at(1)), &[rule(&all, "mail", 24)], at(1));
    assert_eq!(items.len(), 1);
    for (language, subject, line) in [
        (Language::En, "[Lifeboat] office: 3 alarms", "backup of dataset hồ-sơ has failed"),
        (Language::Vi, "[Lifeboat] office: 3 cảnh báo", "sao lưu tập dữ liệu hồ-sơ đã dừng"),
    ] {
        let message = voice(language).alarms(&items["mail"], at(1));
        assert_eq!(message.subject, subject);
        assert!(message.text.contains(line), "{}", message.text);
        assert_eq!(message.alarms[0].event, "damage", "the worst comes first");
        assert_eq!(message.alarms.len(), 3);
        let json = serde_json::to_string(&message).unwrap();
        assert!(!json.contains("secret-name"), "{json}");
        assert!(message.alarms.iter().all(|line| line.next.is_some()), "{json}");
    }
}

#[test]
fn the_letter_says_what_is_known_and_what_is_not() {
    let good = run(Some("done"), Some(0), 0);
    let mut jobs = vec![job("backup:files", Some(good.clone()), Some(good.clone()))];
    let (subject, text) = letter::letter(&voice(Language::Vi), &jobs, &[], at(50 * MINUTE));
    assert!(subject.contains("mọi việc đều ổn"), "{subject}");
    for part in
        ["cách đây 0 giờ 50 phút", "đọc 3.0 MiB, lưu 1.0 MiB", "khôi phục files", "chưa ai đọc lại"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    jobs.push(job("check:main", Some(run(Some("failed"), Some(20), 0)), Some(good)));
    let quiet = ["hook".to_owned()];
    let (subject, text) = letter::letter(&voice(Language::En), &jobs, &quiet, at(27 * HOUR));
    assert!(subject.contains("2 jobs need a look"), "{subject}");
    for part in ["TOO OLD", "DAMAGE", "do not answer: hook", "1 d 3 h ago"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("secret-name"), "{text}");
    let (_, text) = letter::letter(&voice(Language::En), &[], &[], at(0));
    assert!(text.contains("nothing is protected"), "{text}");
}

#[test]
fn a_letter_is_due_on_the_first_at_seven_in_the_office() {
    let voice = voice(Language::En);
    let month = |text: &str| {
        let time: jiff::Timestamp = text.parse().unwrap();
        letter::month(&voice, Timestamp::from_unix_ms(time.as_millisecond())).unwrap()
    };
    // Seven in Viet Nam is midnight in UTC.
    assert_eq!(month("2026-11-30T23:59:59Z"), "2026-11");
    assert_eq!(month("2026-12-01T00:00:00Z"), "2026-12");
    assert_eq!(month("2026-12-31T16:59:59Z"), "2026-12");
    assert_eq!(month("2026-12-31T23:59:59Z"), "2026-12");
    assert_eq!(month("2027-01-01T00:00:00Z"), "2027-01");
}

#[test]
fn words_are_composed_and_translated() {
    use unicode_normalization::UnicodeNormalization as _;
    for (name, words) in words::ALL {
        assert!(words.vi.chars().eq(words.vi.nfc()), "{name}");
        let bare = words.en.split('{').map(|part| part.split_once('}').map_or(part, |(_, r)| r));
        let is_wordless = bare.collect::<String>().replace("[Lifeboat]", "");
        let is_wordless = !is_wordless.chars().any(char::is_alphabetic);
        assert!(words.en != words.vi || is_wordless, "{name} is not translated");
    }
}
