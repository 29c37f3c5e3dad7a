//! `continuity report`: what a month or a year brought, for officials.

pub mod job;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::catalogue::query::RunFilter;
use crate::catalogue::query::RunRow;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::continuity as texts;
use crate::cli::verb::continuity::facts;
use crate::cli::verb::continuity::facts::Gathered;
use crate::cli::verb::continuity::load;
use crate::cli::verb::continuity::load::Office;
use crate::cli::verb::continuity::runbook::Tongue;
use crate::cli::verb::continuity::status;
use crate::cli::verb::continuity::status::RuleLine;
use crate::cli::verb::continuity::status::below;
use crate::cli::verb::daemon::status as jobs;
use crate::cli::verb::drill::list::report::keep_new;
use crate::cli::verb::drill::run::asked;
use crate::cli::verb::notify;
use crate::config;
use crate::config::Config;
use crate::config::plan::Hold;
use crate::config::plan::Plan;
use crate::config::plan::Role;
use crate::continuity::legal::Answer;
use crate::continuity::rule::Judged;
use crate::continuity::span::Span;
use crate::continuity::summary;
use crate::continuity::summary::Held;
use crate::continuity::summary::HeldItem;
use crate::continuity::summary::Outcome;
use crate::continuity::summary::Recorded;
use crate::continuity::summary::Run;
use crate::continuity::summary::Summary;
use crate::drill::engine;
use crate::drill::record::Item;
use crate::drill::record::Org;
use crate::drill::record::REAL;
use crate::drill::record::Record;
use crate::drill::verdict;
use crate::evidence::tree::sha256;
use crate::path::escape;
use crate::report;
use crate::report::ReportError;
use crate::report::form::paper;
use crate::report::form::web;
use crate::report::form::word;
use crate::report::model::Document;
use crate::report::period;
use crate::units::Timestamp;

/// Runs of a dataset that are looked at, from the newest back.
const RUNS_MAX: u32 = 200_000;

/// Make the report of a month or a year (Báo cáo, Mẫu 1.4): what is protected, backups, drills,
/// corrective actions, rules and requirements of the legal frame.
///
/// Runs and drills are counted as this machine recorded them; copies are those that are seen in the
/// storages now. Where nothing is known dots are left to write on.
///
/// Exit codes: 0 done; 2 the plan or the configuration has mistakes; 3 a storage that the plan does
/// not call offline could not be looked at; 15 a channel of `--job` did not take it.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// A month such as `2026-11`, or a year such as `2026`, which ends where the plan's legal frame
    /// ends it; without it the month before this one.
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// Language of the document; without it that of messages.
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Tongue>,
    /// A new file; its ending says what it becomes: `pdf`, `docx`, `html`, or `json` for the data.
    /// May be given several times.
    #[arg(short, long, value_name = "FILE", required_unless_present = "job")]
    pub output: Vec<PathBuf>,
    /// A channel of the configuration that the files are sent to; may be given several times.
    #[arg(long, value_name = "CHANNEL")]
    pub send: Vec<String>,
    /// A `[[report]]` of the configuration: the period that ended last, in the files and to the
    /// channels that it names. It is made once; a channel that did not take it is tried again. When
    /// all have, the ledger of its storage says so.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["output", "send", "period", "language"])]
    pub job: Option<String>,
}

/// What a file becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Pdf,
    Docx,
    Html,
    Json,
}

/// The data, as JSON.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    made_at: &'a str,
    org: &'a Org,
    legal_profile: &'a str,
    plan_sha256: &'a str,
    storages_unread: &'a [String],
    /// Storage and code of its ledger.
    ledger_codes: &'a [(String, String)],
    rules: Vec<RuleLine>,
}

#[derive(Serialize)]
struct Made {
    period: String,
    language: &'static str,
    data_sha256: String,
    files: Vec<String>,
    storages_unread: Vec<String>,
}

pub fn run(context: &Context, args: &ReportArgs) -> Result<Ended, Failure> {
    if let Some(name) = &args.job {
        return job::run(context, name);
    }
    let formats: Vec<Format> =
        args.output.iter().map(|it| format(it)).collect::<Result<_, Failure>>()?;
    let office = load::load(context)?;
    let plan = office.plan()?;
    let config = office.configuration.config()?;
    let channels = notify::channels(config, &args.send)?;
    let frames = status::frames()?;
    let now = context.run.clock.now();
    let language = match args.language {
        Some(Tongue::Vi) => Language::Vi,
        Some(Tongue::En) => Language::En,
        None => context.output.language(),
    };
    let begins = frames.year_begins(plan.org.legal_profile);
    let named = args.period.clone();
    let named = named.unwrap_or_else(|| Span::month_before(plan.calendar.date(now)));
    let span = Span::parse(&named, &plan.calendar, begins)
        .map_err(|error| Failure::usage(Said::heard(error), texts::NAME_PERIOD))?;
    if span.from > now {
        let message = texts::PERIOD_AHEAD.with("period", named);
        return Err(Failure::usage(message, texts::NAME_PERIOD));
    }
    let found = facts::gather(context, &office)?;
    let rules = status::judged(plan, &frames, &found.facts);
    let sheet = Sheet { office: &office, plan, found: &found, rules: &rules, span: &span };
    let (files, hash) = sheet.write(context, (&args.output, &formats), language)?;
    let unread: Vec<String> = found.unread.iter().map(|it| it.storage.clone()).collect();
    let made = Made {
        period: span.to_string(),
        language: documents(language).tag(),
        data_sha256: hash,
        files,
        storages_unread: unread,
    };
    let title = texts::REPORT_TITLE.with("period", made.period.as_str());
    let title = title.told_in(language);
    notify::deliver(context, (config, &channels), (&title, &args.output));
    for it in &found.unread {
        let text = texts::STORAGE_UNREAD.with("storage", it.storage.as_str());
        context.output.warn(text.with("why", it.why.as_str()));
    }
    context.output.report("continuity", &made, || {
        let told = made.files.iter().map(|path| texts::REPORT_WRITTEN.with("path", path.as_str()));
        let told: Vec<String> = told.map(|it| it.told_in(context.output.language())).collect();
        told.join("\n")
    })?;
    let is_away =
        |name: &String| plan.storages.get(name).is_some_and(|it| it.hold == Hold::Offline);
    let is_whole = made.storages_unread.iter().all(is_away);
    Ok(Ended { exit: if is_whole { Exit::Done } else { Exit::Problems }, ..Ended::done() })
}

fn format(path: &Path) -> Result<Format, Failure> {
    let ending = path.extension().map(|it| it.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("pdf") => Ok(Format::Pdf),
        Some("docx") => Ok(Format::Docx),
        Some("html") => Ok(Format::Html),
        Some("json") => Ok(Format::Json),
        _ => {
            let path = escape(path.as_os_str().as_encoded_bytes());
            Err(Failure::usage(texts::NO_ENDING.with("path", path), texts::NAME_ENDING))
        }
    }
}

const fn documents(language: Language) -> report::Language {
    match language {
        Language::Vi => report::Language::Vi,
        Language::En => report::Language::En,
    }
}

/// Everything that a report is made of.
struct Sheet<'a> {
    office: &'a Office,
    plan: &'a Plan,
    found: &'a Gathered,
    rules: &'a [(Judged, Answer)],
    span: &'a Span,
}

impl Sheet<'_> {
    /// Writes every file; also tells the hash of the data.
    fn write(
        &self,
        context: &Context,
        (paths, formats): (&[PathBuf], &[Format]),
        language: Language,
    ) -> Result<(Vec<String>, String), Failure> {
        let config = self.office.configuration.config()?;
        let recorded = recorded(context, config, self.found)?;
        let facts = &self.found.facts;
        let summary = summary::summary((self.plan, config, facts), self.span, &recorded);
        let org = asked::org(self.plan);
        let made_at = self.made_at(facts.now);
        let plan_hash = sha256(self.office.text.as_bytes()).to_string();
        let unread: Vec<String> = self.found.unread.iter().map(|it| it.storage.clone()).collect();
        let data = Data {
            summary: &summary,
            made_at: &made_at,
            org: &org,
            legal_profile: self.plan.org.legal_profile,
            plan_sha256: &plan_hash,
            storages_unread: &unread,
            ledger_codes: &self.found.told.codes,
            rules: self.rules.iter().map(status::line).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&data).map_err(|error| not_made(&error))?;
        bytes.push(b'\n');
        let data_hash = sha256(&bytes).to_string();
        let names = load::names_of(self.plan);
        let rules: Vec<period::Rule> = self.rules.iter().map(|it| rule(it, language)).collect();
        let input = period::Input {
            summary: &summary,
            rules: &rules,
            org: &org,
            legal_profile: Some(self.plan.org.legal_profile).filter(|it| *it != "none"),
            signer: signer(self.plan),
            made_at: &made_at,
            unread: &unread,
            data_hash: &data_hash,
            plan_hash: &plan_hash,
            codes: &self.found.told.codes,
            named: &|id| names.get(id).cloned(),
        };
        let document: Document =
            period::compose(&input, documents(language)).map_err(|error| not_made(&error))?;
        let mut files = Vec::new();
        for (path, format) in paths.iter().zip(formats) {
            let made: Result<Vec<u8>, ReportError> = match format {
                Format::Json => Ok(bytes.clone()),
                Format::Html => Ok(web::html(&document).into_bytes()),
                Format::Docx => word::docx(&document).map_err(Into::into),
                Format::Pdf => paper::pdf(&document).map(|pdf| pdf.to_vec()).map_err(Into::into),
            };
            keep_new(path, &made.map_err(|error| not_made(&error))?)?;
            files.push(escape(path.as_os_str().as_encoded_bytes()));
        }
        Ok((files, data_hash))
    }

    fn made_at(&self, now: Timestamp) -> String {
        let at = jiff::Timestamp::from_millisecond(now.unix_ms - now.unix_ms.rem_euclid(1000));
        let offset = self.plan.calendar.zone.to_offset(at.unwrap_or_default());
        engine::told(
            Timestamp::from_unix_ms(now.unix_ms - now.unix_ms.rem_euclid(1000)),
            offset.seconds(),
        )
    }
}

fn not_made(error: &impl std::fmt::Display) -> Failure {
    let message = texts::REPORT_NOT_MADE.with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, texts::USE_JSON)
}

/// Title and name of the only chair.
fn signer(plan: &Plan) -> Option<(&str, &str)> {
    let mut chairs = plan.people.values().filter(|it| it.roles.contains(&Role::Chair));
    let only = chairs.next().filter(|_| chairs.next().is_none())?;
    Some((only.title.as_deref()?, only.name.as_str()))
}

fn rule((judged, answer): &(Judged, Answer), language: Language) -> period::Rule {
    let language: config::Language = below(language);
    period::Rule {
        name: judged.rule.name(),
        title: judged.rule.title().of(language).to_owned(),
        colour: judged.colour(),
        reasons: judged.reasons.iter().map(|it| it.told_in(language)).collect(),
        clauses: answer.clauses.clone(),
    }
}

/// What the catalogue and records of drills have.
fn recorded(context: &Context, config: &Config, found: &Gathered) -> Result<Recorded, Failure> {
    let mut runs: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    if let Some(catalogue) = jobs::catalogue(config, context.run.clock.now())? {
        for backup in &config.backups {
            let key = format!("backup:{}", backup.name);
            let filter = RunFilter { job: Some(&key), before: None };
            let rows = catalogue.runs(filter, RUNS_MAX);
            let rows = rows.map_err(|error| jobs::unreadable(config, &error))?;
            let own = rows.iter().map(|(_, row)| run_of(row)).collect();
            runs.insert(backup.name.clone(), own);
        }
    }
    let held = found.records.iter().map(held).collect();
    Ok(Recorded { runs, held, actions: found.told.actions.clone() })
}

fn run_of(row: &RunRow) -> Run {
    Run {
        slot: row.slot_ms.map(Timestamp::from_unix_ms),
        started: Timestamp::from_unix_ms(row.started_ms),
        outcome: match row.outcome {
            Some("done") => Outcome::Done,
            Some("problems") => Outcome::Problems,
            Some("failed") => Outcome::Failed,
            Some(_) => Outcome::Broken,
            None => Outcome::AtWork,
        },
        content_bytes: row.content_bytes.and_then(|it| u64::try_from(it).ok()),
    }
}

fn held(record: &Record) -> Held {
    let led = record.people.as_ref().filter(|people| people.operator.is_some());
    Held {
        code: record.drill.code.clone(),
        class: record.drill.class.clone(),
        is_real: record.kind == REAL,
        ended: facts::time(&record.drill.ended_at),
        ended_at: record.drill.ended_at.clone(),
        verdict: verdict_of(record.verdict),
        is_announced: record.drill.announced,
        by_substitute: led.and_then(|people| people.substitute),
        items: record.items.iter().map(item).collect(),
    }
}

const fn verdict_of(verdict: verdict::Verdict) -> summary::Verdict {
    match verdict {
        verdict::Verdict::Pass => summary::Verdict::Pass,
        verdict::Verdict::Conditional => summary::Verdict::Conditional,
        verdict::Verdict::Inconclusive => summary::Verdict::Inconclusive,
        verdict::Verdict::Fail => summary::Verdict::Fail,
    }
}

fn item(item: &Item) -> HeldItem {
    let measures = &item.measures;
    HeldItem {
        dataset: item.dataset.clone(),
        storage: item.target.clone(),
        stratum: item.stratum.clone(),
        verdict: verdict_of(item.verdict),
        level: item.proof_level.map(facts::number),
        rto_s: measures.rto_tech_s,
        rto_target_s: measures.rto_target_s,
        rpo_s: measures.rpo_s,
        rpo_target_s: measures.rpo_target_s,
        throughput_bps: measures.throughput_bps,
    }
}
