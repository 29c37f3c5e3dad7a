//! Rehearsed restores.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::config::Config;
use crate::config::job::Backup;
use crate::config::job::CopyJob;
use crate::config::job::Schedule;
use crate::config::job::own_schedule;
use crate::config::read::Noun;
use crate::config::table::Flag;
use crate::config::table::Table;
use crate::config::value;

/// One `[[drill]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drill {
    pub name: String,
    pub class: Class,
    /// Those that are restored, or beside those that are drawn; none named are all.
    pub datasets: Vec<String>,
    pub selection: Choice,
    pub storage: String,
    pub stratum: Stratum,
    pub mode: Mode,
    /// What a sample is to say.
    pub claim: Claim,
    pub schedule: Schedule,
    pub sandbox: Sandbox,
    pub report: Option<Report>,
    pub checks: Vec<Check>,
    /// Id of who leads it, in the continuity plan.
    pub operator: Option<String>,
    /// Whether those whose data it is know of it before.
    #[serde(rename = "announced")]
    pub is_announced: bool,
    /// What is taken to have happened, and where it is held: for the minutes.
    pub scenario: Option<String>,
    pub location: Option<String>,
    #[serde(skip)]
    pub at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Class {
    D1,
    D2,
    D3,
    D4,
}

/// Who says which datasets are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The configuration.
    Named,
    /// The month's draw in the ledger, with those that were due.
    Drawn,
}

/// Which snapshot is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratum {
    Newest,
    Oldest,
    Middle,
    /// One of the three, by the ledger.
    Drawn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Full,
    Sample,
    /// Folders are read and written nowhere.
    Streamed,
}

/// Fewer than this share of all files are bad, with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Claim {
    #[serde(rename = "5%")]
    Percent5,
    #[serde(rename = "1%")]
    Percent1,
    #[serde(rename = "0.1%")]
    Permille1,
}

/// Where it happens, and what it may take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sandbox {
    pub path: PathBuf,
    pub bytes_max: Option<u64>,
    #[serde(rename = "lease_s", serialize_with = "value::maybe_seconds")]
    pub lease: Option<Duration>,
    pub isolation: Isolation,
    /// Addresses `HOST:PORT` that must not answer where the machine is apart, beside those that
    /// the configuration has anyhow.
    pub apart_from: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Isolation {
    I0,
    I1,
    I2,
    I3,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub formats: Vec<ReportFormat>,
    pub languages: Vec<ReportLanguage>,
    pub to: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    Pdf,
    Docx,
    Html,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportLanguage {
    Vi,
    En,
}

/// One `[[drill.check]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    Sql {
        dataset: String,
        query: String,
        min: Option<i64>,
        max: Option<i64>,
    },
    Command {
        dataset: String,
        argv: Vec<String>,
    },
    File {
        dataset: String,
        path: String,
        bytes_min: Option<u64>,
    },
    /// How old the newest content may be.
    Newest {
        dataset: String,
        query: Option<String>,
        argv: Option<Vec<String>>,
        #[serde(rename = "age_max_s", serialize_with = "value::maybe_seconds")]
        age_max: Option<Duration>,
    },
}

#[derive(Clone, Copy)]
enum CheckKind {
    Sql,
    Command,
    File,
    Newest,
}

const CLASSES: [(&str, Class); 4] =
    [("D1", Class::D1), ("D2", Class::D2), ("D3", Class::D3), ("D4", Class::D4)];
const CHOICES: [(&str, Choice); 2] = [("named", Choice::Named), ("drawn", Choice::Drawn)];
const STRATA: [(&str, Stratum); 4] = [
    ("newest", Stratum::Newest),
    ("oldest", Stratum::Oldest),
    ("middle", Stratum::Middle),
    ("drawn", Stratum::Drawn),
];
const MODES: [(&str, Mode); 3] =
    [("full", Mode::Full), ("sample", Mode::Sample), ("streamed", Mode::Streamed)];
const CLAIMS: [(&str, Claim); 3] =
    [("5%", Claim::Percent5), ("1%", Claim::Percent1), ("0.1%", Claim::Permille1)];
const ISOLATIONS: [(&str, Isolation); 4] =
    [("I0", Isolation::I0), ("I1", Isolation::I1), ("I2", Isolation::I2), ("I3", Isolation::I3)];
pub(super) const FORMATS: [(&str, ReportFormat); 4] = [
    ("pdf", ReportFormat::Pdf),
    ("docx", ReportFormat::Docx),
    ("html", ReportFormat::Html),
    ("json", ReportFormat::Json),
];
pub(super) const LANGUAGES: [(&str, ReportLanguage); 2] =
    [("vi", ReportLanguage::Vi), ("en", ReportLanguage::En)];
const CHECKS: [(&str, CheckKind); 4] = [
    ("sql", CheckKind::Sql),
    ("command", CheckKind::Command),
    ("file", CheckKind::File),
    ("newest", CheckKind::Newest),
];

impl Drill {
    /// The backups that it restores each time: those it names, or all whose snapshots its storage
    /// holds; beside what is drawn only those it names.
    #[must_use]
    pub fn backups<'c>(&self, config: &'c Config) -> Vec<&'c Backup> {
        let is_held = |backup: &&Backup| self.is_held(config, backup);
        let is_named = |backup: &&Backup| self.datasets.contains(&backup.name);
        let backups = config.backups.iter();
        match (self.selection, self.datasets.is_empty()) {
            (Choice::Named, true) => backups.filter(is_held).collect(),
            (Choice::Named, false) | (Choice::Drawn, _) => backups.filter(is_named).collect(),
        }
    }

    /// Whether its storage gets a backup's snapshots, from the machine or as copies.
    #[must_use]
    pub fn is_held(&self, config: &Config, backup: &Backup) -> bool {
        let is_copied =
            |copy: &CopyJob| copy.from == backup.storage && copy.to.contains(&self.storage);
        backup.storage == self.storage || config.copies.iter().any(is_copied)
    }
}

/// `HOST:PORT`, as somebody may be asked for there.
///
/// # Errors
/// What was expected.
pub fn host_port(text: &str) -> Result<String, &'static str> {
    let parts = text.rsplit_once(':');
    let is_one = parts.is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    is_one.then(|| text.to_owned()).ok_or("a host and a port, such as `10.0.0.5:5432`")
}

pub(super) fn read(mut table: Table<'_>, zone: &str) -> Option<Drill> {
    let at = table.at;
    let name = table.name("name");
    let name = table.needs("name", name);
    let class = table.choice("class", &CLASSES);
    let class = table.needs("class", class);
    let datasets = table.named_list("datasets", Noun::Dataset).unwrap_or_default();
    let selection = table.choice("selection", &CHOICES).unwrap_or(Choice::Named);
    table.default("selection", "named");
    let storage = table.named("storage", Noun::Storage);
    let storage = table.needs("storage", storage);
    let stratum = table.choice("stratum", &STRATA).unwrap_or(Stratum::Newest);
    table.default("stratum", "newest");
    let mode = table.choice("mode", &MODES).unwrap_or(Mode::Full);
    table.default("mode", "full");
    let claim = table.choice("claim", &CLAIMS).unwrap_or(Claim::Percent1);
    table.default("claim", "1%");
    let schedule = own_schedule(&mut table, zone);
    let inner = table.table("sandbox");
    let sandbox = table.needs("sandbox", inner).and_then(sandbox);
    let report = table.table("report").map(report);
    let checks: Vec<Option<Check>> = table.tables("check").into_iter().map(check).collect();
    let operator = table.text("operator");
    let is_announced = table.flag("announced", Flag::Yes) == Flag::Yes;
    let (scenario, location) = (table.text("scenario"), table.text("location"));
    table.finish();
    Some(Drill {
        name: name?,
        class: class?,
        datasets,
        selection,
        storage: storage?,
        stratum,
        mode,
        claim,
        schedule: schedule?,
        sandbox: sandbox?,
        report,
        checks: checks.into_iter().collect::<Option<_>>()?,
        operator,
        is_announced,
        scenario,
        location,
        at,
    })
}

fn sandbox(mut table: Table<'_>) -> Option<Sandbox> {
    let path = table.path("path");
    let path = table.needs("path", path);
    let bytes_max = table.size("bytes_max");
    let lease = table.time("lease");
    let isolation = table.choice("isolation", &ISOLATIONS).unwrap_or(Isolation::I1);
    table.default("isolation", "I1");
    let apart_from = table.addresses("apart_from").unwrap_or_default();
    table.finish();
    Some(Sandbox { path: path?, bytes_max, lease, isolation, apart_from })
}

fn report(mut table: Table<'_>) -> Report {
    let formats = table.choices("formats", &FORMATS);
    let formats = table.needs("formats", formats).unwrap_or_default();
    let languages = table.choices("languages", &LANGUAGES).unwrap_or_default();
    let to = table.named_list("to", Noun::Channel).unwrap_or_default();
    table.finish();
    Report { formats, languages, to }
}

fn check(mut table: Table<'_>) -> Option<Check> {
    let kind = table.choice("kind", &CHECKS);
    let kind = table.needs("kind", kind)?;
    let dataset = table.named("dataset", Noun::Dataset);
    let dataset = table.needs("dataset", dataset);
    let check = match kind {
        CheckKind::Sql => {
            let query = table.text("query");
            let query = table.needs("query", query);
            let (min, max) = (table.number("min"), table.number("max"));
            if min.is_none() && max.is_none() {
                table.needs::<()>("min", None);
            }
            dataset.zip(query).map(|(dataset, query)| Check::Sql { dataset, query, min, max })
        }
        CheckKind::Command => {
            let argv = table.argv("argv");
            let argv = table.needs("argv", argv);
            dataset.zip(argv).map(|(dataset, argv)| Check::Command { dataset, argv })
        }
        CheckKind::File => {
            let path = table.text("path");
            let path = table.needs("path", path);
            let bytes_min = table.size("bytes_min");
            dataset.zip(path).map(|(dataset, path)| Check::File { dataset, path, bytes_min })
        }
        CheckKind::Newest => {
            let (query, argv) = (table.text("query"), table.argv("argv"));
            if query.is_some() && argv.is_some() {
                table.wrong("argv", "expected either `query` or `argv`, found both");
            }
            let age_max = table.time("age_max");
            dataset.map(|dataset| Check::Newest { dataset, query, argv, age_max })
        }
    };
    table.finish();
    check
}
