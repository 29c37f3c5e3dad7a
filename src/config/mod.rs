//! The configuration file: TOML to values, with the place of every mistake.
//!
//! What it is: `lifeboat.toml` as plain values; what is wrong with it, all at once; what is allowed
//! and probably not meant; where each value comes from.
//! Never: reads a clock or the environment (both are handed in), prints, starts anything; holds a
//! secret: it knows where secrets are.
//! Invariants: a file with one mistake gives no values; every key that is not known is a mistake;
//! no mistake, warning or shown value has a byte of a secret; no text makes it fall.
//! Start reading at: [`read`], then `table` and `job`.

pub mod drill;
pub mod job;
pub mod keep;
pub mod mistake;
pub mod plan;
pub mod read;
pub mod secret;
pub mod storage;
pub mod table;
pub mod tell;
mod value;
pub mod warn;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;
use toml::Spanned;
use toml::de::DeTable;

use crate::config::drill::Drill;
use crate::config::job::Backup;
use crate::config::job::CopyJob;
use crate::config::job::Schedule;
use crate::config::job::limits::Limits;
use crate::config::keep::Maintenance;
use crate::config::keep::Retention;
use crate::config::mistake::Mistake;
use crate::config::mistake::did_you_mean;
use crate::config::read::Noun;
use crate::config::read::Origin;
use crate::config::read::Reader;
use crate::config::read::Showing;
use crate::config::read::Shown;
use crate::config::secret::Outside;
use crate::config::secret::SecretFrom;
use crate::config::storage::Storage;
use crate::config::storage::StorageLimits;
use crate::config::table::Table;
use crate::config::tell::AlarmTest;
use crate::config::tell::Channel;
use crate::config::tell::Metrics;
use crate::config::tell::Notify;
use crate::config::tell::Report;
use crate::schedule::plan::preview;
use crate::units::Timestamp;

/// Longest file that is read.
pub const BYTES_MAX: usize = 1024 * 1024;
const VERSION: u32 = 1;
const ZONE_DEFAULT: &str = "Asia/Ho_Chi_Minh";
const STATE_DEFAULT: &str = "/var/lib/lifeboat";
const LANGUAGE_VARIABLE: &str = "LIFEBOAT_LANG";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    pub language: Language,
    pub time_zone: String,
    pub state_dir: PathBuf,
    pub keys: Keys,
    pub limits: Limits,
    pub storages: BTreeMap<String, Storage>,
    /// Of every storage, by its name.
    pub storage_limits: BTreeMap<String, StorageLimits>,
    pub backups: Vec<Backup>,
    pub copies: Vec<CopyJob>,
    pub retentions: BTreeMap<String, Retention>,
    pub maintenance: Maintenance,
    /// The plan of continuity, a file of its own.
    pub continuity: Option<PathBuf>,
    pub drills: Vec<Drill>,
    pub channels: BTreeMap<String, Channel>,
    pub notify: Vec<Notify>,
    pub reports: Vec<Report>,
    pub alarm_test: Option<AlarmTest>,
    pub metrics: Option<Metrics>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    En,
    Vi,
}

/// `[keys]`: what opens repositories.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Keys {
    pub keyset: Option<PathBuf>,
    pub passphrase: Option<SecretFrom>,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// None if there is any mistake.
    pub config: Option<Config>,
    /// In the order of the file.
    pub mistakes: Vec<Mistake>,
    pub warnings: Vec<Mistake>,
    /// Every value, as far as it could be read.
    pub shown: Vec<Shown>,
    /// Keys of secrets whose program has arguments: those may be secret, and stand in the file.
    pub arguments: Vec<String>,
}

/// Something that runs on a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Job<'c> {
    /// Stands for it in the catalogue and in options: `backup:shared-files`, `copy:main:nas`.
    pub key: String,
    pub schedule: &'c Schedule,
}

const LANGUAGES: [(&str, Language); 2] = [("vi", Language::Vi), ("en", Language::En)];

/// What somebody wants beside the values. Warnings take a look at years of each schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Beside {
    Nothing,
    /// Every value with its place.
    Shown,
    Warnings,
}

/// Reads a file's text. `now` is where schedules are looked at from.
#[must_use]
pub fn read(text: &str, outside: &dyn Outside, now: Timestamp) -> Found {
    look(text, (outside, now), Beside::Warnings)
}

/// The same without warnings.
#[must_use]
pub fn shown(text: &str, outside: &dyn Outside, now: Timestamp) -> Found {
    look(text, (outside, now), Beside::Shown)
}

/// The same with values and mistakes alone, in a fraction of the time.
#[must_use]
pub fn values(text: &str, outside: &dyn Outside, now: Timestamp) -> Found {
    look(text, (outside, now), Beside::Nothing)
}

fn look(text: &str, (outside, now): (&dyn Outside, Timestamp), beside: Beside) -> Found {
    let showing = if beside >= Beside::Shown { Showing::All } else { Showing::Nothing };
    let reader = Reader::new(text, outside, showing);
    let document = document(&reader, text);
    let config = document.as_ref().and_then(|document| whole(&reader, document.get_ref()));
    if let Some(config) = &config {
        references(&reader);
        twins(config, &reader);
        empty_windows(config, &reader, now);
        // Half a file would be warned of what a mistake hides.
        if beside == Beside::Warnings && reader.mistakes.borrow().is_empty() {
            warn::warn(config, &reader, now);
        }
    }
    let (mistakes, warnings) = told(&reader);
    let config = config.filter(|_| mistakes.is_empty());
    let (shown, arguments) = (reader.shown.take(), reader.arguments.take());
    Found { config, mistakes, warnings, shown, arguments }
}

/// The text as a table, with its slips noted; none if there is too much of it.
fn document<'t>(reader: &Reader<'_>, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
    if text.len() > BYTES_MAX {
        reader.mistake(0, "", format!("expected at most {BYTES_MAX} bytes, found {}", text.len()));
        return None;
    }
    // Whatever could be read is looked at, so that one slip does not hide the others.
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        reader.mistake(at, "", error.message().replace('\n', ", "));
    }
    Some(document)
}

/// Mistakes and warnings in the order of the file, each once.
fn told(reader: &Reader<'_>) -> (Vec<Mistake>, Vec<Mistake>) {
    let in_order = |mut findings: Vec<Mistake>| {
        findings.sort();
        findings.dedup();
        findings
    };
    (in_order(reader.mistakes.take()), in_order(reader.warnings.take()))
}

fn whole<'a>(reader: &'a Reader<'a>, document: &'a DeTable<'a>) -> Option<Config> {
    let mut table = Table::new(reader, (String::new(), 0), document);
    let version = table.count("version", VERSION);
    let version = table.needs("version", version);
    let language = language(&mut table);
    let zone = table.parse("time_zone", job::zone_name);
    table.default("time_zone", ZONE_DEFAULT);
    let zone = zone.unwrap_or_else(|| ZONE_DEFAULT.to_owned());
    let state_dir = table.path("state_dir").unwrap_or_else(|| STATE_DEFAULT.into());
    table.default("state_dir", STATE_DEFAULT);
    let keys = table.table("keys").map(keys).unwrap_or_default();
    let limits = table.table("limits").map(job::limits::read).unwrap_or_default();
    let storages = named(&mut table, ("storage", Noun::Storage), storage::read);
    let (storages, storage_limits): (BTreeMap<_, _>, BTreeMap<_, _>) = storages
        .into_iter()
        .map(|(name, (storage, limits))| ((name.clone(), storage), (name, limits)))
        .unzip();
    let backups = list(&mut table, "backup", |table| job::backup(table, &zone));
    let copies = list(&mut table, "copy", |table| job::copy(table, &zone));
    let read = |table: Table<'_>| Some(keep::retention(table));
    let retentions = named(&mut table, ("retention", Noun::Retention), read);
    let maintenance = table.table("maintenance").map(|table| keep::maintenance(table, &zone));
    let continuity = table.table("continuity").and_then(continuity);
    let drills = list(&mut table, "drill", |table| drill::read(table, &zone));
    let channels = named(&mut table, ("channel", Noun::Channel), tell::channel);
    let notify = list(&mut table, "notify", tell::notify);
    let reports = list(&mut table, "report", |table| tell::report(table, &zone));
    let alarm_test = table.table("alarm_test").and_then(|table| tell::alarm_test(table, &zone));
    let metrics = table.table("metrics").and_then(tell::metrics);
    table.finish();
    version.map(|_| Config {
        language,
        time_zone: zone,
        state_dir,
        keys,
        limits,
        storages,
        storage_limits,
        backups,
        copies,
        retentions,
        maintenance: maintenance.unwrap_or_default(),
        continuity,
        drills,
        channels,
        notify,
        reports,
        alarm_test,
        metrics,
    })
}

fn named<'r, T>(
    table: &mut Table<'r>,
    (key, noun): (&'static str, Noun),
    read: impl Fn(Table<'r>) -> Option<T>,
) -> BTreeMap<String, T> {
    let tables = table.named_tables(key, noun).into_iter();
    tables.filter_map(|(name, table)| Some((name, read(table)?))).collect()
}

fn list<'r, T>(
    table: &mut Table<'r>,
    key: &'static str,
    read: impl Fn(Table<'r>) -> Option<T>,
) -> Vec<T> {
    table.tables(key).into_iter().filter_map(read).collect()
}

/// The environment stands before the file.
fn language(table: &mut Table<'_>) -> Language {
    let said = table.choice("language", &LANGUAGES);
    let variable = table.reader.outside.variable(LANGUAGE_VARIABLE);
    let named = LANGUAGES.iter().find(|(name, _)| variable.as_deref() == Some((*name).as_ref()));
    if let Some((name, language)) = named {
        table.reader.shown.borrow_mut().retain(|shown| shown.key != "language");
        table.reader.show("language", (*name).into(), Origin::Environment);
        return *language;
    }
    table.default("language", "en");
    said.unwrap_or(Language::En)
}

fn keys(mut table: Table<'_>) -> Keys {
    let keyset = table.path("keyset");
    let passphrase = table.secret("passphrase");
    table.finish();
    Keys { keyset, passphrase }
}

fn continuity(mut table: Table<'_>) -> Option<PathBuf> {
    let plan = table.path("plan");
    let plan = table.needs("plan", plan);
    table.finish();
    plan
}

/// Names that nothing has.
fn references(reader: &Reader<'_>) {
    let defined: BTreeSet<(Noun, String)> = reader.defined.take().into_iter().collect();
    for named in reader.named.take() {
        let wanted = (named.noun, named.name.clone());
        if defined.contains(&wanted) {
            continue;
        }
        let names = defined.iter().filter(|(noun, _)| *noun == named.noun);
        let names: Vec<&str> = names.map(|(_, name)| name.as_str()).collect();
        let noun = match named.noun {
            Noun::Storage => "[storage.NAME]",
            Noun::Retention => "[retention.NAME]",
            Noun::Channel => "[channel.NAME]",
            Noun::Dataset => "[[backup]]",
            Noun::Person => "[people] entry",
            Noun::Service => "[services.NAME]",
            Noun::ConfiguredStorage => "[storage.NAME] of the configuration file",
            Noun::ConfiguredDataset => "[[backup]] of the configuration file",
            Noun::Own => "entry",
        };
        let meant = did_you_mean(&named.name, names.into_iter());
        let start: String = named.name.chars().take(80).collect();
        let name = crate::path::escape(start.as_bytes());
        let what = format!("no {noun} is called \"{name}\"{meant}");
        reader.mistake(named.at, &named.key, what);
    }
}

/// Two things that are one.
fn twins(config: &Config, reader: &Reader<'_>) {
    let mut seen = BTreeSet::new();
    for backup in &config.backups {
        if !seen.insert(backup.name.as_str()) {
            let what = format!("two backups are called \"{}\"", backup.name);
            reader.mistake(backup.at, "backup.name", what);
        }
    }
    let mut seen = BTreeSet::new();
    for drill in &config.drills {
        if !seen.insert(drill.name.as_str()) {
            let what = format!("two drills are called \"{}\"", drill.name);
            reader.mistake(drill.at, "drill.name", what);
        }
    }
    let mut seen = BTreeSet::new();
    for report in &config.reports {
        if !seen.insert(report.name.as_str()) {
            let what = format!("two reports are called \"{}\"", report.name);
            reader.mistake(report.at, "report.name", what);
        }
    }
    let mut ways = BTreeSet::new();
    for copy in &config.copies {
        for to in &copy.to {
            if !ways.insert((copy.from.as_str(), to.as_str())) {
                let what = format!("two copies go from \"{}\" to \"{to}\"", copy.from);
                reader.mistake(copy.at, "copy.to", what);
            }
        }
    }
    let mut places: BTreeMap<String, &str> = BTreeMap::new();
    for (name, storage) in &config.storages {
        if let Some(first) = places.insert(storage.place(), name) {
            let what = format!("it is the same place as storage.{first}");
            let key = format!("storage.{name}");
            reader.mistake(reader.at(&key), &key, what);
        }
    }
}

/// A schedule that never comes within its window.
fn empty_windows(config: &Config, reader: &Reader<'_>, now: Timestamp) {
    let mut schedules = Vec::new();
    for (number, backup) in (1..).zip(&config.backups) {
        schedules.push((format!("backup[{number}].schedule"), &backup.schedule));
    }
    for (number, copy) in (1..).zip(&config.copies) {
        schedules.push((format!("copy[{number}].schedule"), &copy.schedule));
    }
    for (number, drill) in (1..).zip(&config.drills) {
        schedules.push((format!("drill[{number}].schedule"), &drill.schedule));
    }
    for (number, report) in (1..).zip(&config.reports) {
        schedules.push((format!("report[{number}].schedule"), &report.schedule));
    }
    if let Some(test) = &config.alarm_test {
        schedules.push(("alarm_test.schedule".to_owned(), &test.schedule));
    }
    for (verb, schedule) in config.maintenance.schedules() {
        schedules.push((format!("maintenance.{verb}"), schedule));
    }
    for (key, schedule) in schedules.iter().filter(|(_, schedule)| schedule.window.is_some()) {
        if preview(&schedule.plan(key, &[]), now, 1).is_empty() {
            let what = "no run of it falls into its window: give it catch_up, or other hours";
            reader.mistake(reader.at(key), key, what);
        }
    }
}

impl Config {
    /// Everything that runs on a schedule, in the order of the file.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job<'_>> {
        let job = |key: String, schedule| Job { key, schedule };
        let mut jobs = Vec::new();
        for backup in &self.backups {
            jobs.push(job(format!("backup:{}", backup.name), &backup.schedule));
        }
        for copy in &self.copies {
            jobs.push(job(format!("copy:{}:{}", copy.from, copy.to.join(",")), &copy.schedule));
        }
        for storage in &self.maintenance.storages {
            for (verb, schedule) in self.maintenance.schedules() {
                jobs.push(job(format!("{verb}:{storage}"), schedule));
            }
        }
        for drill in &self.drills {
            jobs.push(job(format!("drill:{}", drill.name), &drill.schedule));
        }
        for report in &self.reports {
            jobs.push(job(format!("report:{}", report.name), &report.schedule));
        }
        if let Some(test) = &self.alarm_test {
            jobs.push(job("alarm:test".to_owned(), &test.schedule));
        }
        jobs
    }

    /// The backup of this name.
    #[must_use]
    pub fn backup(&self, name: &str) -> Option<&Backup> {
        self.backups.iter().find(|backup| backup.name == name)
    }

    /// Storages that are to hold a dataset: its own, and those that copies reach.
    #[must_use]
    pub fn holders(&self, dataset: &str) -> BTreeSet<String> {
        let Some(backup) = self.backup(dataset) else { return BTreeSet::new() };
        let mut holders = warn::reachable(self, &backup.storage);
        holders.insert(backup.storage.clone());
        holders
    }
}
