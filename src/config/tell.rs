//! Who is told of what, and numbers for those who ask.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::config::drill::FORMATS;
use crate::config::drill::LANGUAGES;
use crate::config::drill::ReportFormat;
use crate::config::drill::ReportLanguage;
use crate::config::job::Schedule;
use crate::config::job::own_schedule;
use crate::config::read::Noun;
use crate::config::secret::SecretFrom;
use crate::config::table::Table;
use crate::config::value;

/// One `[channel.NAME]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Channel {
    Mail {
        server: String,
        user: Option<String>,
        password: Option<SecretFrom>,
        from: String,
        to: Vec<String>,
    },
    /// Whoever has the address can post there.
    Webhook {
        url: SecretFrom,
        token: Option<SecretFrom>,
    },
    /// Told of start, success and failure, so that another service notices silence.
    Ping {
        url: SecretFrom,
    },
    Command {
        argv: Vec<String>,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Mail,
    Webhook,
    Ping,
    Command,
}

/// One `[[notify]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notify {
    pub on: Vec<Event>,
    pub to: Vec<String>,
    /// The same is told again after this.
    #[serde(rename = "repeat_after_s", serialize_with = "value::seconds")]
    pub repeat_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Failed,
    Problems,
    Silent,
    Damage,
    Drill,
    Shrink,
    Recovered,
}

impl Event {
    /// As it stands in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        EVENTS.iter().find(|(_, event)| *event == self).map_or("", |(word, _)| *word)
    }

    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        EVENTS.iter().find(|(known, _)| *known == word).map(|(_, event)| *event)
    }
}

impl Channel {
    /// As it stands in the file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Mail { .. } => "mail",
            Self::Webhook { .. } => "webhook",
            Self::Ping { .. } => "ping",
            Self::Command { .. } => "command",
        }
    }
}

/// `[metrics]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metrics {
    pub listen: SocketAddr,
}

/// One `[[report]]`: what a month or a year brought, made and sent by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub name: String,
    pub period: ReportPeriod,
    /// Whose ledger says that it was delivered.
    pub storage: String,
    /// Where it is kept; none: with the daemon's state.
    pub folder: Option<PathBuf>,
    pub formats: Vec<ReportFormat>,
    pub languages: Vec<ReportLanguage>,
    pub to: Vec<String>,
    pub schedule: Schedule,
    #[serde(skip)]
    pub at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportPeriod {
    Month,
    Year,
}

/// `[alarm_test]`: a job that fails on purpose, to see that somebody hears of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmTest {
    /// Whose ledger says whether it was heard.
    pub storage: String,
    pub schedule: Schedule,
}

const PERIODS: [(&str, ReportPeriod); 2] =
    [("month", ReportPeriod::Month), ("year", ReportPeriod::Year)];
const KINDS: [(&str, Kind); 4] = [
    ("mail", Kind::Mail),
    ("webhook", Kind::Webhook),
    ("ping", Kind::Ping),
    ("command", Kind::Command),
];
const EVENTS: [(&str, Event); 7] = [
    ("failed", Event::Failed),
    ("problems", Event::Problems),
    ("silent", Event::Silent),
    ("damage", Event::Damage),
    ("drill", Event::Drill),
    ("shrink", Event::Shrink),
    ("recovered", Event::Recovered),
];
const REPEAT_DEFAULT: Duration = Duration::from_secs(24 * 3600);

pub(super) fn channel(mut table: Table<'_>) -> Option<Channel> {
    let kind = table.choice("kind", &KINDS);
    let channel = match table.needs("kind", kind)? {
        Kind::Mail => mail(&mut table),
        Kind::Webhook => {
            let url = table.secret("url");
            let url = table.needs("url", url);
            let token = table.secret("token");
            url.map(|url| Channel::Webhook { url, token })
        }
        Kind::Ping => {
            // Whoever knows the address can say that all is well.
            let url = table.secret("url");
            table.needs("url", url).map(|url| Channel::Ping { url })
        }
        Kind::Command => {
            let argv = table.argv("argv");
            table.needs("argv", argv).map(|argv| Channel::Command { argv })
        }
    };
    table.finish();
    channel
}

fn mail(table: &mut Table<'_>) -> Option<Channel> {
    let server = table.url("server", &["smtps", "smtp"]);
    let server = table.needs("server", server);
    let user = table.text("user");
    let password = table.secret("password");
    let from = table.parse("from", address);
    let from = table.needs("from", from);
    let to = table.texts("to");
    let to = table.needs("to", to);
    if let Some(to) = &to
        && (to.is_empty() || to.iter().any(|one| address(one).is_err()))
    {
        table.wrong("to", "expected at least one address such as it@office.example");
    }
    Some(Channel::Mail { server: server?, user, password, from: from?, to: to? })
}

fn address(text: &str) -> Result<String, &'static str> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@')
    };
    let fits = text.split_once('@').is_some_and(|(who, host)| is_plain(who) && is_plain(host));
    fits.then(|| text.to_owned()).ok_or("expected an address such as it@office.example")
}

pub(super) fn notify(mut table: Table<'_>) -> Option<Notify> {
    let on = table.choices("on", &EVENTS);
    let on = table.needs("on", on);
    let to = table.named_list("to", Noun::Channel);
    let to = table.needs("to", to);
    let repeat_after = table.time("repeat_after").unwrap_or(REPEAT_DEFAULT);
    table.default("repeat_after", "24h");
    table.finish();
    Some(Notify { on: on?, to: to?, repeat_after })
}

pub(super) fn report(mut table: Table<'_>, zone: &str) -> Option<Report> {
    let at = table.at;
    let name = table.name("name");
    let name = table.needs("name", name);
    let period = table.choice("period", &PERIODS).unwrap_or(ReportPeriod::Month);
    table.default("period", "month");
    let storage = table.named("storage", Noun::Storage);
    let storage = table.needs("storage", storage);
    let folder = table.path("folder");
    let formats = table.choices("formats", &FORMATS).unwrap_or_else(|| vec![ReportFormat::Pdf]);
    table.default("formats", vec!["pdf"]);
    let languages = table.choices("languages", &LANGUAGES);
    let languages = languages.unwrap_or_else(|| vec![ReportLanguage::Vi]);
    table.default("languages", vec!["vi"]);
    let to = table.named_list("to", Noun::Channel);
    let to = table.needs("to", to);
    let schedule = own_schedule(&mut table, zone);
    table.finish();
    Some(Report {
        name: name?,
        period,
        storage: storage?,
        folder,
        formats,
        languages,
        to: to?,
        schedule: schedule?,
        at,
    })
}

pub(super) fn alarm_test(mut table: Table<'_>, zone: &str) -> Option<AlarmTest> {
    let storage = table.named("storage", Noun::Storage);
    let storage = table.needs("storage", storage);
    let schedule = own_schedule(&mut table, zone);
    table.finish();
    Some(AlarmTest { storage: storage?, schedule: schedule? })
}

pub(super) fn metrics(mut table: Table<'_>) -> Option<Metrics> {
    let parse = |text: &str| {
        text.parse().map_err(|_| "expected an address and a port, such as \"127.0.0.1:9617\"")
    };
    let listen: Option<SocketAddr> = table.parse("listen", parse);
    let listen = table.needs("listen", listen);
    if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        let at = table.at;
        let key = table.full("listen");
        table.reader.warn(at, &key, "anybody who reaches this address can read the numbers");
    }
    table.finish();
    Some(Metrics { listen: listen? })
}
