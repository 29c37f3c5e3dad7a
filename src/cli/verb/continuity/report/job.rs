//! `continuity report --job`: the report of a `[[report]]`, made once, sent until everybody has it,
//! and on record.

use std::path::Path;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity as texts;
use crate::cli::local;
use crate::cli::open;
use crate::cli::secrets::read_bounded;
use crate::cli::verb::continuity::ledgers::REPORT;
use crate::cli::verb::continuity::ledgers::REPORT_PERIOD;
use crate::cli::verb::continuity::load;
use crate::cli::verb::continuity::report;
use crate::cli::verb::continuity::report::ReportArgs;
use crate::cli::verb::continuity::runbook::Tongue;
use crate::cli::verb::continuity::status;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::notify;
use crate::config::Config;
use crate::config::drill::ReportFormat;
use crate::config::drill::ReportLanguage;
use crate::config::tell::Report;
use crate::config::tell::ReportPeriod;
use crate::continuity::span::Span;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::tree::sha256;
use crate::path::escape;

/// Folder of reports within the daemon's state.
const REPORTS: &str = "reports";
/// Most bytes of the data of a report.
const DATA_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The files of one report.
struct Files {
    /// The data.
    json: PathBuf,
    /// By language.
    documents: Vec<(Language, Vec<PathBuf>)>,
    /// Names of channels that have taken it.
    sent: PathBuf,
}

pub fn run(context: &Context, name: &str) -> Result<Ended, Failure> {
    let office = load::load(context)?;
    let plan = office.plan()?;
    let config = office.configuration.config()?;
    let report = find(config, name)?;
    let channels = notify::channels(config, &report.to)?;
    let begins = status::frames()?.year_begins(plan.org.legal_profile);
    let today = plan.calendar.date(context.run.clock.now());
    let period = match report.period {
        ReportPeriod::Month => Span::month_before(today),
        ReportPeriod::Year => Span::year_before(today, begins),
    };
    let folder = report.folder.clone().unwrap_or_else(|| config.state_dir.join(REPORTS));
    local::make_private_folder(&folder).map_err(|error| unusable(&folder, &error))?;
    let (files, is_made) = files(&folder, report, &period);
    let mut ended = Ended::done();
    if !is_made {
        ended = make(context, &files, &period)?;
    }
    let data = read_bounded(&files.json, DATA_BYTES_MAX);
    let data = data.map_err(|error| unusable(&files.json, &error))?;
    let hash = sha256(&data).to_string();
    let mut sent = sent(&files.sent)?;
    let title = texts::REPORT_TITLE.with("period", period.as_str());
    let title = title.told_in(context.output.language());
    let missing = channels.into_iter().filter(|(name, _)| !sent.contains(name));
    let missing: Vec<_> = missing.collect();
    let taken = notify::deliver(context, (config, &missing), (&title, &files.all()));
    if !taken.is_empty() {
        sent.extend(taken);
        let text = serde_json::to_vec(&sent).unwrap_or_default();
        let kept = local::write_private(&files.sent, &[&text]);
        kept.map_err(|error| unusable(&files.sent, &error))?;
    }
    let late: Vec<&str> =
        report.to.iter().filter(|name| !sent.contains(name)).map(String::as_str).collect();
    if !late.is_empty() {
        let message = texts::REPORT_NOT_SENT.with("channels", late.join(", "));
        return Err(Failure::new(Exit::Storage, message, texts::TEST_CHANNELS));
    }
    record(context, (&period, &hash), report)?;
    Ok(ended)
}

fn find<'c>(config: &'c Config, name: &str) -> Result<&'c Report, Failure> {
    let name = name.strip_prefix("report:").unwrap_or(name);
    config.reports.iter().find(|report| report.name == name).ok_or_else(|| {
        let all = config.reports.iter().map(|report| Said::plain(&report.name)).collect();
        let name = escape(name.as_bytes());
        let message = texts::NO_REPORT.with("name", name).with("reports", Said::list(all));
        Failure::usage(message, texts::NAME_REPORT)
    })
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    let path = escape(path.as_os_str().as_encoded_bytes());
    let message = texts::REPORT_FILE.with("path", path).with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, texts::SEE_REPORT_FOLDER)
}

impl Files {
    fn all(&self) -> Vec<PathBuf> {
        let documents = self.documents.iter().flat_map(|(_, paths)| paths);
        std::iter::once(&self.json).chain(documents).cloned().collect()
    }
}

/// Those that are there whole, or names that nothing has yet: of a report that was cut off while it
/// was written nothing is used, and nothing is written over.
fn files(folder: &Path, report: &Report, period: &str) -> (Files, bool) {
    let languages = |it: &ReportLanguage| match it {
        ReportLanguage::Vi => (Language::Vi, "vi"),
        ReportLanguage::En => (Language::En, "en"),
    };
    let mut number = 1_u32;
    loop {
        let stem = match number {
            1 => format!("{}-{period}", report.name),
            _ => format!("{}-{period}-{number}", report.name),
        };
        let documents = report.languages.iter().map(languages).map(|(language, tag)| {
            let ending = |format: &ReportFormat| match format {
                ReportFormat::Pdf => Some("pdf"),
                ReportFormat::Docx => Some("docx"),
                ReportFormat::Html => Some("html"),
                // It is there anyway.
                ReportFormat::Json => None,
            };
            let endings = report.formats.iter().filter_map(ending);
            let paths = endings.map(|it| folder.join(format!("{stem}.{tag}.{it}"))).collect();
            (language, paths)
        });
        let files = Files {
            json: folder.join(format!("{stem}.json")),
            documents: documents.collect(),
            sent: folder.join(format!("{stem}.sent")),
        };
        let there = files.all().iter().filter(|path| path.symlink_metadata().is_ok()).count();
        match there {
            0 => return (files, false),
            _ if there == files.all().len() => return (files, true),
            _ => number += 1,
        }
    }
}

/// Makes it in every language; the data come last, and say that the others are whole.
fn make(context: &Context, files: &Files, period: &str) -> Result<Ended, Failure> {
    let mut ended = Ended::done();
    let count = files.documents.len();
    for (number, (language, paths)) in files.documents.iter().enumerate() {
        let mut output = paths.clone();
        if number + 1 == count {
            output.push(files.json.clone());
        }
        if output.is_empty() {
            continue;
        }
        let tongue = match language {
            Language::Vi => Tongue::Vi,
            Language::En => Tongue::En,
        };
        let args = ReportArgs {
            period: Some(period.to_owned()),
            language: Some(tongue),
            output,
            send: Vec::new(),
            job: None,
        };
        ended = report::run(context, &args)?;
    }
    Ok(ended)
}

/// Channels that have taken it in an earlier run.
fn sent(path: &Path) -> Result<Vec<String>, Failure> {
    match read_bounded(path, DATA_BYTES_MAX) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// Says in the ledger that it was delivered, once.
fn record(context: &Context, (period, hash): (&str, &str), report: &Report) -> Result<(), Failure> {
    const HASH: &str = "data_sha256";
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let mut ledger: Ledger = ledger::founded(context, &storage, &unlocked)?;
    let kept = ledger.entries().iter().filter(|it| it.entry.kind == Kind::Custody);
    for stored in kept.filter(|it| it.entry.subject == REPORT) {
        let document = ledger.document(stored.entry.document)?;
        if document.get(HASH).and_then(Value::as_str) == Some(hash) {
            return Ok(());
        }
    }
    let document = json!({
        "schema": Kind::Custody.schema(), REPORT_PERIOD: period, HASH: hash, "to": report.to,
    });
    let writer = ledger::office(&unlocked);
    ledger.append(&context.run, &writer, &Draft::new(Kind::Custody, REPORT, document))?;
    ledger.put_checkpoint(&writer)?;
    Ok(())
}
