//! What is sent: a subject, a text in the office's language, and the same for programs.

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::catalogue::query::Size;
use crate::config::Language;
use crate::config::tell::Event;
use crate::notify::alarm;
use crate::notify::alarm::Alarm;
use crate::notify::alarm::Key;
use crate::notify::alarm::PROVOKED;
use crate::notify::alarm::record_key;
use crate::notify::decide::Item;
use crate::notify::decide::News;
use crate::notify::words;
use crate::notify::words::Words;
use crate::path::escape;
use crate::units::Bytes;
use crate::units::Timestamp;

/// Version of the JSON that webhooks and commands get; fields are added, never renamed.
pub const JSON_VERSION: u32 = 1;
/// Most alarms that one message tells one by one.
const ITEMS_MAX: usize = 200;

/// How messages are worded.
#[derive(Debug, Clone)]
pub struct Voice {
    pub language: Language,
    pub zone: TimeZone,
    /// This machine.
    pub host: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Alarms,
    Letter,
    Test,
    /// Documents go with it.
    Documents,
    /// A job has begun; for pings.
    Start,
    /// A job has ended and nothing is wrong; for pings.
    Success,
    /// A job has ended and something is wrong; for pings.
    Fail,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    pub v: u32,
    pub kind: Kind,
    pub host: String,
    /// RFC 3339.
    pub at: String,
    pub subject: String,
    pub text: String,
    pub alarms: Vec<AlarmLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// For the date of a mail.
    #[serde(skip)]
    pub time: Timestamp,
}

/// A document that a mail carries; other channels are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    pub name: String,
    pub bytes_count: usize,
    #[serde(skip)]
    pub content: Vec<u8>,
}

/// An alarm, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlarmLine {
    pub event: &'static str,
    /// `raised`, `still` or `recovered`.
    pub state: &'static str,
    pub job: String,
    pub dataset: Option<String>,
    pub storage: Option<String>,
    pub severity: Option<&'static str>,
    pub since: String,
    pub exit_code: Option<u8>,
    pub text: String,
    pub next: Option<String>,
}

impl Voice {
    /// A time as people of the office read it.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_millisecond(at.unix_ms) {
            Ok(time) => {
                time.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
            }
            Err(_) => at.to_rfc3339(),
        }
    }

    pub(super) fn say(&self, words: &Words, values: &[(&str, &str)]) -> String {
        words.with(self.language, values)
    }

    /// `backup of dataset files`.
    #[must_use]
    pub fn job(&self, key: &str, storage: Option<&str>) -> String {
        let (kind, rest) = key.split_once(':').unwrap_or(("", key));
        let words = match kind {
            "backup" => &words::JOB_BACKUP,
            "copy" => &words::JOB_COPY,
            "check" => &words::JOB_CHECK,
            "forget" => &words::JOB_FORGET,
            "prune" => &words::JOB_PRUNE,
            "drill" => &words::JOB_DRILL,
            "report" => &words::JOB_REPORT,
            "alarm" => &words::JOB_ALARM,
            alarm::DATA => &words::JOB_DATA,
            alarm::PROOF => &words::JOB_PROOF,
            _ if key == record_key().job => &words::JOB_RECORD,
            _ => &words::JOB_OTHER,
        };
        let job = escape(if words.en == words::JOB_OTHER.en { key } else { rest }.as_bytes());
        let storage = escape(storage.unwrap_or(rest).as_bytes());
        self.say(words, &[("dataset", &job), ("job", &job), ("storage", &storage)])
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn line(&self, alarm: &Alarm) -> String {
        let what = self.job(&alarm.key.job, alarm.storage.as_deref());
        let code = alarm.exit_code.map_or_else(|| "?".to_owned(), |code| code.to_string());
        let never = || words::NEVER.of(self.language).to_owned();
        let good = alarm.good.map_or_else(never, |good| self.time(good));
        let count = alarm.problems_count.to_string();
        let codes = alarm.codes.as_deref().unwrap_or_default();
        let (size, usual) = alarm.shrunk.as_deref().copied().unwrap_or_default();
        let (size, usual) = (self.size(size), self.size(usual));
        let values = [
            ("what", &*what),
            ("code", &*code),
            ("good", &*good),
            ("count", &*count),
            ("codes", codes),
            ("size", &*size),
            ("usual", &*usual),
        ];
        let words = match alarm.key.event {
            _ if alarm.key.is_record() => &words::RECORD_FAILED,
            Event::Failed => &words::FAILED,
            Event::Problems => &words::PROBLEMS,
            Event::Silent => &words::SILENT,
            Event::Damage => &words::DAMAGE,
            Event::Drill if alarm.codes.is_some() => &words::DRILL_DATA,
            Event::Drill if alarm.exit_code.is_none() => &words::DRILL_OLD,
            Event::Drill => &words::DRILL,
            Event::Shrink => &words::SHRINK,
            Event::Recovered => &words::RECOVERED,
        };
        self.say(words, &values)
    }

    /// How much a dataset holds.
    fn size(&self, size: Size) -> String {
        let number = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
        let bytes = Bytes(number(size.content_bytes).unwrap_or(0)).to_string();
        let Some(files) = number(size.files_count) else { return bytes };
        let files = files.to_string();
        self.say(&words::SIZE, &[("files", &files), ("bytes", &bytes)])
    }

    /// The one next step.
    #[must_use]
    pub fn next(&self, alarm: &Alarm) -> &'static str {
        next(alarm).of(self.language)
    }

    fn over(&self, key: &Key, since: Timestamp) -> String {
        let words = match key.event {
            Event::Failed => &words::EVENT_FAILED,
            Event::Problems => &words::EVENT_PROBLEMS,
            Event::Silent => &words::EVENT_SILENT,
            Event::Damage => &words::EVENT_DAMAGE,
            Event::Drill => &words::EVENT_DRILL,
            Event::Shrink | Event::Recovered => &words::EVENT_SHRINK,
        };
        let (what, since) = (self.job(&key.job, None), self.time(since));
        let event = words.of(self.language);
        self.say(&words::RECOVERED, &[("what", &what), ("event", event), ("since", &since)])
    }

    fn message(&self, kind: Kind, now: Timestamp, (subject, text): (String, String)) -> Message {
        Message {
            v: JSON_VERSION,
            kind,
            host: self.host.clone(),
            at: now.to_rfc3339(),
            subject,
            text,
            alarms: Vec::new(),
            files: Vec::new(),
            time: now,
        }
    }

    /// A message without a text, for pings.
    #[must_use]
    pub fn ping(&self, kind: Kind, now: Timestamp) -> Message {
        self.message(kind, now, (String::new(), String::new()))
    }

    #[must_use]
    pub fn letter(&self, now: Timestamp, letter: (String, String)) -> Message {
        self.message(Kind::Letter, now, letter)
    }

    /// A test of a channel.
    #[must_use]
    pub fn test(&self, channel: &str, now: Timestamp) -> Message {
        let values = [("channel", channel), ("host", &*self.host)];
        let text = format!("{}\n", self.say(&words::BODY_TEST, &values));
        self.message(Kind::Test, now, (self.say(&words::SUBJECT_TEST, &values), text))
    }

    /// Documents, and what they are about.
    #[must_use]
    pub fn documents(&self, title: &str, files: Vec<File>, now: Timestamp) -> Message {
        let values = [("title", title), ("host", &*self.host)];
        let mut text = format!("{}\n\n", self.say(&words::BODY_DOCUMENTS, &values));
        for file in &files {
            let size = Bytes(u64::try_from(file.bytes_count).unwrap_or(u64::MAX));
            text.push_str(&format!("* {} ({size})\n", escape(file.name.as_bytes())));
        }
        let subject = self.say(&words::SUBJECT_DOCUMENTS, &values);
        Message { files, ..self.message(Kind::Documents, now, (subject, text)) }
    }

    /// Several alarms in one message: what is new first, what is over last.
    #[must_use]
    pub fn alarms(&self, items: &[Item], now: Timestamp) -> Message {
        let mut alarms: Vec<AlarmLine> = items.iter().map(|item| self.alarm_line(item)).collect();
        let order = |line: &AlarmLine| match (line.state, line.severity) {
            ("raised", Some("damage")) => 0,
            ("raised", _) => 1,
            ("still", _) => 2,
            _ => 3,
        };
        alarms.sort_by_key(order);
        let raised = alarms.iter().filter(|line| line.state != "recovered").count();
        let count = if raised > 0 { raised } else { alarms.len() }.to_string();
        let subject = match (&alarms[..], raised) {
            ([one], _) => {
                words::SUBJECT_ONE.with(self.language, &[("host", &self.host), ("line", &one.text)])
            }
            (_, 0) => self.say(&words::SUBJECT_OVER, &[("host", &self.host), ("count", &count)]),
            _ => self.say(&words::SUBJECT_MANY, &[("host", &self.host), ("count", &count)]),
        };
        let mut text = String::new();
        for line in alarms.iter().take(ITEMS_MAX) {
            self.tell(line, &mut text);
        }
        if alarms.len() > ITEMS_MAX {
            text.push_str(&format!("... + {}\n\n", alarms.len() - ITEMS_MAX));
        }
        text.push_str(&self.say(&words::FOOT, &[("host", &self.host)]));
        text.push('\n');
        alarms.truncate(ITEMS_MAX);
        Message { alarms, ..self.message(Kind::Alarms, now, (subject, text)) }
    }

    fn tell(&self, line: &AlarmLine, text: &mut String) {
        text.push_str(&format!("* {}\n", line.text));
        let since = match line.state {
            "raised" => Some(&words::SINCE),
            "still" => Some(&words::AGAIN),
            _ => None,
        };
        if let Some(words) = since {
            text.push_str(&format!("  {}\n", self.say(words, &[("since", &line.since)])));
        }
        if let Some(next) = &line.next {
            text.push_str(&format!("  {}\n", self.say(&words::NEXT, &[("next", next)])));
        }
        text.push('\n');
    }

    fn alarm_line(&self, item: &Item) -> AlarmLine {
        let since = self.time(item.since);
        let (state, alarm) = match &item.news {
            News::Raised(alarm) => ("raised", alarm),
            News::Still(alarm) => ("still", alarm),
            News::Recovered(key) => {
                return AlarmLine {
                    event: key.event.word(),
                    state: "recovered",
                    job: key.job.clone(),
                    dataset: None,
                    storage: None,
                    severity: None,
                    text: self.over(key, item.since),
                    since,
                    exit_code: None,
                    next: None,
                };
            }
        };
        AlarmLine {
            event: alarm.key.event.word(),
            state,
            job: alarm.key.job.clone(),
            dataset: alarm.dataset.clone(),
            storage: alarm.storage.clone(),
            severity: Some(alarm.severity.word()),
            since,
            exit_code: alarm.exit_code,
            text: self.line(alarm),
            next: Some(self.next(alarm).to_owned()),
        }
    }
}

/// By what happened and, for a failure, by its exit code.
fn next(alarm: &Alarm) -> &'static Words {
    match (alarm.key.event, alarm.exit_code) {
        _ if alarm.key.is_record() => &words::NEXT_RECORD,
        (Event::Failed, Some(PROVOKED)) if alarm.key.is_test() => &words::NEXT_TEST,
        (Event::Failed, Some(1)) if alarm.key.is_test() => &words::NEXT_UNHEARD,
        (Event::Problems, _) => &words::NEXT_PROBLEMS,
        (Event::Silent, _) => &words::NEXT_SILENT,
        (Event::Damage, _) | (_, Some(20)) => &words::NEXT_DAMAGE,
        (Event::Shrink, _) => &words::NEXT_SHRINK,
        (Event::Failed, Some(2)) => &words::NEXT_USAGE,
        (Event::Failed, Some(10)) => &words::NEXT_NO_REPOSITORY,
        (Event::Failed, Some(11)) => &words::NEXT_BUSY,
        (Event::Failed, Some(12)) => &words::NEXT_KEY,
        (Event::Failed, Some(13)) => &words::NEXT_REFUSED,
        (Event::Failed, Some(14)) => &words::NEXT_NEWER,
        (Event::Failed, Some(15)) => &words::NEXT_STORAGE,
        (Event::Drill, None) => match alarm.codes.as_deref() {
            None => &words::NEXT_PROOF,
            Some(codes) if codes.contains("F6") => &words::NEXT_ACCESS,
            Some(_) => &words::NEXT_DATA,
        },
        (Event::Drill, _) => &words::NEXT_DRILL,
        (Event::Failed | Event::Recovered, _) => &words::NEXT_RUNS,
    }
}
