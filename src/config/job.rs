//! What is backed up and copied, and when.

pub mod limits;
pub mod truth;

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::config::job::limits::JobLimits;
use crate::config::job::truth::Canary;
use crate::config::job::truth::Truth;
use crate::config::read::Noun;
use crate::config::secret::SecretFrom;
use crate::config::table::Flag;
use crate::config::table::Table;
use crate::config::value;
use crate::schedule::cron::Cron;
use crate::schedule::local;
use crate::schedule::plan::Plan;
use crate::schedule::plan::steady;
use crate::schedule::window::Window;

/// When something is to run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schedule {
    #[serde(serialize_with = "value::as_text")]
    pub cron: Cron,
    /// A name of the zone database.
    pub time_zone: String,
    #[serde(rename = "jitter_s", serialize_with = "value::seconds")]
    pub jitter: Duration,
    #[serde(rename = "catch_up_s", serialize_with = "value::seconds")]
    pub catch_up: Duration,
    #[serde(rename = "deadline_s", serialize_with = "value::maybe_seconds")]
    pub deadline: Option<Duration>,
    #[serde(serialize_with = "value::maybe_text")]
    pub window: Option<Window>,
    pub limits: JobLimits,
}

impl Schedule {
    /// For a job on a machine.
    #[must_use]
    pub fn plan(&self, job: &str, machine: &[u8]) -> Plan {
        Plan {
            cron: self.cron.clone(),
            // Whoever made this looked it up before.
            zone: local::zone(&self.time_zone).unwrap_or(TimeZone::UTC),
            delay: steady(self.jitter, job, machine),
            catch_up: self.catch_up,
            window: self.window,
            deadline: self.deadline,
        }
    }
}

/// One `[[backup]]`; its name is the dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backup {
    pub name: String,
    pub storage: String,
    pub source: Source,
    pub schedule: Schedule,
    pub retention: Option<String>,
    pub expect: Expect,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Program and arguments, without a shell; if it fails there is no backup.
    pub before: Option<Vec<String>>,
    pub after: Option<Vec<String>>,
    pub tags: Vec<String>,
    #[serde(skip)]
    pub at: usize,
}

/// What a good run of a dataset looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expect {
    /// A dataset without a snapshot as young as this is reported.
    #[serde(rename = "age_max_s", serialize_with = "value::maybe_seconds")]
    pub age_max: Option<Duration>,
    /// How much less than usual a run may find.
    pub shrink_max_percent: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    Files(Files),
    Command {
        argv: Vec<String>,
        file_name: String,
        bytes_min: Option<u64>,
        last_line: Option<String>,
        /// What it is a copy of.
        #[serde(skip_serializing_if = "Option::is_none")]
        truth: Option<Box<Truth>>,
    },
    Postgresql(Server),
    Mariadb(Server),
    Sqlite {
        path: PathBuf,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Files {
    pub paths: Vec<PathBuf>,
    /// Beneath these is mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<PathBuf>,
    pub exclude: Vec<String>,
    pub iexclude: Vec<String>,
    pub exclude_if_present: Vec<String>,
    pub exclude_caches: Flag,
    pub exclude_larger_than_bytes: Option<u64>,
    pub one_file_system: Flag,
    /// Read from a snapshot of the file system.
    pub snapshot: Option<FileSystem>,
}

/// File systems that have snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSystem {
    Btrfs,
}

/// A database server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Server {
    /// A name, or the folder of a socket.
    pub host: Option<String>,
    pub port: Option<u32>,
    /// None: all.
    pub databases: Vec<String>,
    pub user: Option<String>,
    pub password: Option<SecretFrom>,
    pub method: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// What a database holds, as its own tool writes it.
    Dump,
    /// The server's files at one point.
    Physical,
}

/// One `[[copy]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CopyJob {
    pub from: String,
    pub to: Vec<String>,
    pub schedule: Schedule,
    #[serde(skip)]
    pub at: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Files,
    Command,
    Postgresql,
    Mariadb,
    Sqlite,
}

const KINDS: [(&str, Kind); 5] = [
    ("files", Kind::Files),
    ("command", Kind::Command),
    ("postgresql", Kind::Postgresql),
    ("mariadb", Kind::Mariadb),
    ("sqlite", Kind::Sqlite),
];
const METHODS: [(&str, Method); 2] = [("dump", Method::Dump), ("physical", Method::Physical)];
/// What people delete in a day is less; what a fault takes is mostly more.
const SHRINK_DEFAULT: u8 = 50;
const PORT_MAX: u32 = 65_535;

/// The keys of a schedule; the table may have others. `zone` is the file's.
pub(super) fn schedule(table: &mut Table<'_>, zone: &str) -> Option<Schedule> {
    let cron = table.parse("cron", str::parse::<Cron>);
    let cron = table.needs("cron", cron);
    let own = table.parse("time_zone", zone_name);
    let jitter = table.time("jitter").unwrap_or_default();
    let catch_up = table.time("catch_up").unwrap_or_default();
    let deadline = table.time("deadline");
    let window = table.parse("window", str::parse::<Window>);
    for (key, shown) in [("jitter", "0s"), ("catch_up", "0s"), ("time_zone", zone)] {
        table.default(key, shown);
    }
    if deadline.is_some_and(|deadline| deadline.is_zero()) {
        table.wrong("deadline", "expected more than no time");
    }
    let time_zone = own.unwrap_or_else(|| zone.to_owned());
    let limits = table.table("limits").map(limits::of_job).unwrap_or_default();
    Some(Schedule { cron: cron?, time_zone, jitter, catch_up, deadline, window, limits })
}

pub(super) fn zone_name(text: &str) -> Result<String, String> {
    if local::zone(text).is_some() {
        return Ok(text.to_owned());
    }
    let zones = local::zones();
    let names = zones.iter().map(String::as_str);
    let meant = crate::config::mistake::did_you_mean(text, names);
    let start: String = text.chars().take(80).collect();
    let found = crate::path::escape(start.as_bytes());
    Err(format!("expected a time zone such as Asia/Ho_Chi_Minh, found \"{found}\"{meant}"))
}

/// `schedule = { … }`.
pub(super) fn own_schedule(table: &mut Table<'_>, zone: &str) -> Option<Schedule> {
    let inner = table.table("schedule");
    let mut inner = table.needs("schedule", inner)?;
    let schedule = schedule(&mut inner, zone);
    inner.finish();
    schedule
}

pub(super) fn backup(mut table: Table<'_>, zone: &str) -> Option<Backup> {
    let at = table.at;
    let name = table.name("name");
    let name = table.needs("name", name);
    if let Some(name) = &name {
        table.reader.define(Noun::Dataset, name);
    }
    let storage = table.named("storage", Noun::Storage);
    let storage = table.needs("storage", storage);
    let inner = table.table("source");
    let source = table.needs("source", inner).and_then(source);
    let schedule = own_schedule(&mut table, zone);
    let retention = table.named("retention", Noun::Retention);
    let expect = match table.table("expect") {
        Some(inner) => expect(inner),
        None => {
            table.default("expect.shrink_max", format!("{SHRINK_DEFAULT}%"));
            Expect { age_max: None, shrink_max_percent: SHRINK_DEFAULT }
        }
    };
    let inner = table.table("canary");
    let canary = inner.and_then(|inner| truth::canary(inner, source.as_ref()));
    let before = table.argv("before");
    let after = table.argv("after");
    let tags = table.texts("tags").unwrap_or_default();
    if tags.iter().any(|tag| tag.contains(',')) {
        table.wrong("tags", "a comma parts tags: expected none in one");
    }
    table.finish();
    Some(Backup {
        name: name?,
        storage: storage?,
        source: source?,
        schedule: schedule?,
        retention,
        expect,
        canary,
        before,
        after,
        tags,
        at,
    })
}

fn expect(mut table: Table<'_>) -> Expect {
    let age_max = table.time("age_max");
    let shrink_max = table.percent("shrink_max");
    table.default("shrink_max", format!("{SHRINK_DEFAULT}%"));
    let shrink_max_percent = shrink_max.unwrap_or(SHRINK_DEFAULT);
    table.finish();
    Expect { age_max, shrink_max_percent }
}

fn source(mut table: Table<'_>) -> Option<Source> {
    let kind = table.choice("kind", &KINDS);
    let source = match table.needs("kind", kind)? {
        Kind::Files => files(&mut table).map(Source::Files),
        Kind::Command => command(&mut table),
        Kind::Postgresql => server(&mut table).map(Source::Postgresql),
        Kind::Mariadb => server(&mut table).map(Source::Mariadb),
        Kind::Sqlite => {
            let path = table.path("path");
            table.needs("path", path).map(|path| Source::Sqlite { path })
        }
    };
    table.finish();
    source
}

fn files(table: &mut Table<'_>) -> Option<Files> {
    let paths = table.paths("paths");
    let paths = table.needs("paths", paths);
    if paths.as_ref().is_some_and(Vec::is_empty) {
        table.wrong("paths", "expected at least one path");
    }
    let mail = table.paths("mail").unwrap_or_default();
    let exclude = table.texts("exclude").unwrap_or_default();
    let iexclude = table.texts("iexclude").unwrap_or_default();
    let exclude_if_present = table.texts("exclude_if_present").unwrap_or_default();
    let exclude_larger_than_bytes = table.size("exclude_larger_than");
    let exclude_caches = table.flag("exclude_caches", Flag::No);
    let one_file_system = table.flag("one_file_system", Flag::No);
    let snapshot = table.choice("snapshot", &[("btrfs", FileSystem::Btrfs)]);
    Some(Files {
        paths: paths?,
        mail,
        exclude,
        iexclude,
        exclude_if_present,
        exclude_caches,
        exclude_larger_than_bytes,
        one_file_system,
        snapshot,
    })
}

fn command(table: &mut Table<'_>) -> Option<Source> {
    let argv = table.argv("argv");
    let argv = table.needs("argv", argv);
    let file_name = table.parse("file_name", file_name);
    let file_name = table.needs("file_name", file_name);
    let bytes_min = table.size("bytes_min");
    let last_line = table.text("last_line");
    let truth = table.table("truth").and_then(truth::read).map(Box::new);
    Some(Source::Command { argv: argv?, file_name: file_name?, bytes_min, last_line, truth })
}

fn file_name(text: &str) -> Result<String, &'static str> {
    let fits = crate::path::check_name(text.as_bytes()).is_ok();
    fits.then(|| text.to_owned()).ok_or("expected the name of a file, without a `/`")
}

fn server(table: &mut Table<'_>) -> Option<Server> {
    let host = table.text("host");
    let port = table.count("port", PORT_MAX);
    let one = table.text("database");
    let several = table.texts("databases");
    if one.is_some() && several.is_some() {
        table.wrong("databases", "expected either `database` or `databases`, found both");
    }
    let user = table.text("user");
    let password = table.secret("password");
    let method = table.choice("method", &METHODS);
    table.default("method", "dump");
    let databases = several.unwrap_or_else(|| one.into_iter().collect());
    let method = method.unwrap_or(Method::Dump);
    if method == Method::Physical && !databases.is_empty() {
        table.wrong("method", "a physical backup holds all databases: name none");
    }
    Some(Server { host, port, databases, user, password, method })
}

pub(super) fn copy(mut table: Table<'_>, zone: &str) -> Option<CopyJob> {
    let at = table.at;
    let from = table.named("from", Noun::Storage);
    let from = table.needs("from", from);
    let to = table.named_list("to", Noun::Storage);
    let to = table.needs("to", to);
    if let (Some(from), Some(to)) = (&from, &to)
        && (to.is_empty() || to.contains(from))
    {
        table.wrong("to", format!("expected at least one storage, and none that is \"{from}\""));
    }
    let schedule = own_schedule(&mut table, zone);
    table.finish();
    Some(CopyJob { from: from?, to: to?, schedule: schedule?, at })
}
