//! From the catalogue to whoever is told, and back into the catalogue.

use std::sync::Arc;
use std::time::Duration;

use lifeboat::catalogue::Catalogue;
use lifeboat::catalogue::record::JobSpec;
use lifeboat::catalogue::record::Outcome;
use lifeboat::catalogue::record::RunEnd;
use lifeboat::config;
use lifeboat::config::Config;
use lifeboat::disk::unix::RealDisk;
use lifeboat::notify::Occasion;
use lifeboat::notify::Telling;
use lifeboat::notify::desk::Wake;
use lifeboat::notify::send::Patience;
use lifeboat::units::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::failing::Variables;
use super::failing::way;
use super::receiver::Receiver;

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

/// 09:13 of 26 November 2026 in Viet Nam.
const START: i64 = 1_795_659_180_000;

struct Office {
    _dir: TempDir,
    catalogue: Catalogue,
    telling: Telling,
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START + ms)
}

fn config(text: &str) -> Config {
    let variables = Variables([("URL".to_owned(), "x".to_owned())].into());
    let found = config::read(text, &variables, at(0));
    found.config.unwrap_or_else(|| panic!("{:?}", found.mistakes))
}

impl Office {
    fn new(url: String, kind: &str, on: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalogue.sqlite");
        let (mut catalogue, _) = Catalogue::open(&path, &RealDisk, at(0)).unwrap();
        let job = |key: &str, dataset: Option<&str>| JobSpec {
            key: key.to_owned(),
            dataset: dataset.map(str::to_owned),
            storage: Some("main".to_owned()),
            age_max_ms: Some(26 * HOUR),
        };
        catalogue.take_jobs(&[job("backup:files", Some("files"))], at(0)).unwrap();
        let config = config(&format!(
            "version = 1\nlanguage = \"vi\"\n[channel.it]\nkind = \"{kind}\"\n\
             url = {{ env = \"URL\" }}\n[[notify]]\non = [{on}]\nto = [\"it\"]\n"
        ));
        let patience = Patience { answer: Duration::from_secs(10), ..Patience::usual() };
        let wake = Wake(Arc::new(|| ()));
        let telling =
            Telling::new(&config, "office".to_owned(), way(&[("URL", url)], patience), wake);
        Self { _dir: dir, catalogue, telling }
    }

    fn run(&mut self, outcome: Outcome, code: u8, ms: i64) {
        let run = self.catalogue.begin("backup:files", None, at(ms)).unwrap();
        self.catalogue.end(run, &RunEnd::new(outcome, code), at(ms + 1)).unwrap();
    }

    /// Tells, and waits until what was sent has been answered; troubles.
    fn tell(&mut self, occasion: Occasion, ms: i64) -> usize {
        let told = self.telling.tell(&mut self.catalogue, occasion, at(ms)).unwrap();
        let limit = Duration::from_secs(30);
        let later = self.telling.finish(&mut self.catalogue, limit, at(ms)).unwrap();
        told.len() + later.len()
    }
}

fn json(received: &Value) -> Value {
    serde_json::from_str(received["body"].as_str().unwrap()).unwrap()
}

#[test]
fn a_failure_is_told_lasts_and_is_over() {
    let receiver = Receiver::start();
    let url = format!("http://127.0.0.1:{}/alarms", receiver.port("http"));
    let on = "\"failed\", \"silent\", \"recovered\"";
    let mut office = Office::new(url, "webhook", on);
    assert_eq!(office.tell(Occasion::Tick, 0), 0);
    office.run(Outcome::Failed, 15, HOUR);
    office.tell(Occasion::Ended, HOUR + 2);
    let told = json(&receiver.next());
    assert_eq!(told["alarms"][0]["state"], "raised");
    assert_eq!(told["alarms"][0]["exit_code"], 15);
    let text = told["text"].as_str().unwrap();
    assert!(
        text.contains("sao lưu tập dữ liệu files đã dừng giữa chừng (mã kết thúc 15)"),
        "{text}"
    );
    assert!(text.contains("việc cần làm: kiểm tra nơi lưu có phản hồi không"), "{text}");
    // It fails again and again: once a day.
    for hour in 2..25 {
        office.run(Outcome::Failed, 15, hour * HOUR);
        office.tell(Occasion::Ended, hour * HOUR + 2);
    }
    assert!(receiver.is_idle(), "told more often than asked");
    // While one is at work nothing is over.
    let run = office.catalogue.begin("backup:files", None, at(25 * HOUR)).unwrap();
    office.tell(Occasion::Started, 25 * HOUR);
    assert!(receiver.is_idle(), "a run at work says nothing");
    office.catalogue.end(run, &RunEnd::new(Outcome::Failed, 15), at(25 * HOUR + 1)).unwrap();
    office.tell(Occasion::Ended, 25 * HOUR + 2);
    let told = json(&receiver.next());
    assert_eq!(told["alarms"][0]["state"], "still");
    assert!(told["alarms"][0]["since"].as_str().unwrap().ends_with("10:13"), "{told}");
    // Nothing went well for too long, and nothing runs any more.
    office.tell(Occasion::Tick, 26 * HOUR + 1);
    let told = json(&receiver.next());
    assert_eq!(told["alarms"][0]["event"], "silent");
    office.run(Outcome::Done, 0, 27 * HOUR);
    office.tell(Occasion::Ended, 27 * HOUR + 2);
    let told = json(&receiver.next());
    let states: Vec<&Value> =
        told["alarms"].as_array().unwrap().iter().map(|a| &a["state"]).collect();
    assert_eq!(states, ["recovered", "recovered"], "{told}");
    office.tell(Occasion::Tick, 28 * HOUR);
    assert!(receiver.is_idle(), "over is told once");
    assert!(office.catalogue.messages_told().unwrap().is_empty());
}

#[test]
fn pings_say_how_things_stand() {
    let receiver = Receiver::start();
    let url = format!("http://127.0.0.1:{}/ping", receiver.port("http"));
    let mut office = Office::new(url, "ping", "\"failed\", \"silent\"");
    let mut steps = Vec::new();
    for (outcome, code, hour) in
        [(Outcome::Done, 0, 1), (Outcome::Failed, 1, 2), (Outcome::Done, 0, 3)]
    {
        office.tell(Occasion::Started, hour * HOUR);
        office.run(outcome, code, hour * HOUR);
        office.tell(Occasion::Ended, hour * HOUR + 2);
        office.tell(Occasion::Tick, hour * HOUR + MINUTE);
        steps.extend([receiver.next()["path"].clone(), receiver.next()["path"].clone()]);
    }
    assert_eq!(
        steps,
        ["/ping/start", "/ping", "/ping/start", "/ping/fail", "/ping/start", "/ping"]
    );
    assert!(receiver.is_idle());
    // Days later nothing has run: no job has to end for it.
    office.tell(Occasion::Tick, 30 * HOUR);
    assert_eq!(receiver.next()["path"], "/ping/fail");
}

#[test]
fn a_channel_that_is_away_is_on_record_and_tried_later() {
    let receiver = Receiver::start();
    let url = format!("http://127.0.0.1:{}/hook/broken", receiver.port("http"));
    let mut office = Office::new(url, "webhook", "\"failed\"");
    office.run(Outcome::Failed, 1, 0);
    let mut tries = Vec::new();
    for minute in 0..12 {
        if office.tell(Occasion::Tick, minute * MINUTE) > 0 {
            tries.push(minute);
            assert_eq!(receiver.next()["path"], "/hook/broken");
        }
    }
    assert_eq!(tries, [0, 1, 3, 7], "after one minute, two, four");
    let rows = office.catalogue.channels().unwrap();
    assert_eq!((rows[0].failures_count, rows[0].good_ms), (4, None));
    assert_eq!(rows[0].failure.as_deref(), Some("it answered: HTTP 500"));
    assert_eq!(office.catalogue.messages_told().unwrap()[0].told_ms, None, "it is not told");
}

#[test]
fn a_letter_comes_once_a_month() {
    let receiver = Receiver::start();
    let url = format!("http://127.0.0.1:{}/letter", receiver.port("http"));
    let mut office = Office::new(url, "webhook", "\"failed\"");
    let day = 24 * HOUR;
    let mut letters = Vec::new();
    for number in 0..70 {
        office.run(Outcome::Done, 0, number * day);
        office.tell(Occasion::Ended, number * day + 2);
        if office.catalogue.channels().unwrap()[0].good_ms == Some(START + number * day + 2) {
            letters.push(json(&receiver.next()));
        }
    }
    let subjects: Vec<&str> = letters.iter().map(|l| l["subject"].as_str().unwrap()).collect();
    let expected = |month: &str| format!("[Lifeboat] office: mọi việc đều ổn, {month}");
    assert_eq!(subjects, ["2026-12", "2027-01", "2027-02"].map(expected));
    assert!(letters[0]["at"].as_str().unwrap().starts_with("2026-12-01T02:13"), "{}", letters[0]);
    assert!(letters[0]["text"].as_str().unwrap().contains("chưa ai đọc lại"), "{}", letters[0]);
}
