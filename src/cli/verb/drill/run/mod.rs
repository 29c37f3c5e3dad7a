//! `drill run`.

pub mod asked;
pub mod carry;
pub mod chain;
pub mod drawn;
pub mod follow;
pub mod pick;
pub mod production;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::settings::configured;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::list::report;
use crate::cli::verb::drill::run::asked::Asked;
use crate::cli::verb::drill::run::carry::Carried;
use crate::cli::verb::drill::run::carry::Desk;
use crate::cli::verb::drill::run::follow::Past;
use crate::cli::verb::drill::told;
use crate::cli::verb::notify;
use crate::config::Config;
use crate::config::drill::Drill;
use crate::config::drill::Report;
use crate::daemon::control;
use crate::daemon::control::Question;
use crate::daemon::hold;
use crate::drill::follow::Followed;
use crate::drill::plan::Plan;
use crate::drill::plan::Planned;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::drill::verdict::Verdict;
use crate::run::monitor::Severity;

/// Carry out a drill of the configuration file.
///
/// Snapshots are restored into a throw-away folder and checked rung by rung; the folder is removed
/// when the record is kept. Exit codes: 0 proven; 3 proven, with conditions; 21 not proven; 22 no
/// conclusion, for something mandatory could not be carried out.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Name of the `[[drill]]`.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Who leads it: an id under `[people]` of the continuity plan. Without it the one that the
    /// configuration names.
    #[arg(long, value_name = "ID")]
    pub operator: Option<String>,
    /// Say what would be restored and checked, and do nothing.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// What is told of a drill that was held.
#[derive(Serialize)]
pub struct Held<'a> {
    #[serde(flatten)]
    pub record: &'a Record,
    pub record_file: String,
    pub closing: &'a Closing,
    /// Corrective actions with what was done at once.
    pub followed: &'a [Followed],
    /// Actions of earlier drills that this one closed.
    pub closed: &'a [Followed],
    /// What the configuration asks for, beside the record.
    pub documents: Vec<String>,
    pub ledger_code: String,
}

pub fn run(context: &Context, args: &RunArgs) -> Result<Ended, Failure> {
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let drill = find(config, &args.name)?;
    let mut settings = context.settings.clone();
    if settings.repository.is_none()
        && let Some(found) = configured::named(config, &drill.storage)
    {
        settings.take(found, &context.environment);
    }
    let context = &context.with(settings);
    let drills = Drills::new(context)?;
    let keys = opened::keys(context)?;
    if !args.dry_run {
        carry::clear(context, &drills, &keys)?;
    }
    let snapshots = opened::list(context, &keys)?;
    let asked = Asked::read(context, (config, drill), args.operator.as_deref())?;
    let month = asked.month(context.run.clock.now());
    let chosen = drawn::choose(context, (config, drill), month, &keys)?;
    let plan = plan(context, (config, &chosen.drill), (&asked, &snapshots))?;
    let plan = Plan { selection: chosen.selection, ..plan };
    if args.dry_run {
        let language = context.output.language();
        let planned = told::Planned::of(&plan);
        context.output.plan("drill", &planned, || told::planned(&plan, language))?;
        return Ok(Ended::done());
    }
    let desk = Desk { drills: &drills, keys: &keys, snapshots: &snapshots };
    carry_out(context, &desk, (&plan, drill.report.as_ref(), config))
}

fn find<'c>(config: &'c Config, name: &str) -> Result<&'c Drill, Failure> {
    let name = name.strip_prefix("drill:").unwrap_or(name);
    let found = config.drills.iter().find(|drill| drill.name == name);
    found.ok_or_else(|| {
        let all = config.drills.iter().map(|drill| Said::plain(&drill.name)).collect();
        let name = crate::path::escape(name.as_bytes());
        let message = texts::NO_DRILL.with("name", name).with("drills", Said::list(all));
        Failure::usage(message, texts::NAME_DRILL)
    })
}

/// A drill of the configuration over the snapshots of its storage.
///
/// # Errors
/// When records of earlier drills cannot be read.
pub fn plan(
    context: &Context,
    (config, drill): (&Config, &Drill),
    (asked, snapshots): (&Asked, &[Snapshot]),
) -> Result<Plan, Failure> {
    let (stratum, extent) = (pick::stratum_name(drill.stratum), pick::extent(drill));
    let (mut items, mut absent) = (Vec::new(), Vec::new());
    for backup in drill.backups(config) {
        match pick::snapshot(snapshots, &backup.name, drill.stratum) {
            Some(snapshot) => {
                let item = pick::planned(
                    (&backup.name, pick::kind_of(&backup.source), extent),
                    snapshot,
                    (stratum, &drill.storage, asked.targets(backup, &drill.storage)),
                    pick::more(snapshots, backup, snapshot),
                );
                let choices = pick::choices(snapshots, (drill, backup));
                items.push(Planned { choices, ..item });
            }
            None => absent.push(backup.name.clone()),
        }
    }
    let called = (pick::class_name(drill.class), drill.name.as_str());
    let plan = Plan {
        items,
        absent,
        checks: drill.checks.iter().map(pick::check).collect(),
        programs: context
            .environment
            .get("PATH")
            .map(|path| std::env::split_paths(path).filter(|it| it.is_absolute()).collect())
            .unwrap_or_default(),
        ..carry::plan(context, called, (&config.time_zone, pick::room(config, drill)))
    };
    asked.complete(context, (config, drill), plan)
}

fn carry_out(
    context: &Context,
    desk: &Desk<'_>,
    (plan, report, config): (&Plan, Option<&Report>, &Config),
) -> Result<Ended, Failure> {
    let began = context.run.clock.elapsed();
    let Carried { record, planned, closed, record_file, closing, mut code } =
        carry::carry(context, desk, (plan, &mut |_| ()))?;
    let past = Past { plan, record: &record, began };
    let (followed, stopped) = follow::react(context, desk, (&past, planned, &mut code));
    desk.drills.keep_followed(&record.record_id, &followed)?;
    stopped?;
    // A daemon knows then how its datasets stand; without one nobody has to.
    let _nobody_serves = control::ask(&hold::socket(&config.state_dir), &Question::Drilled);
    let held = Held {
        record: &record,
        record_file: crate::path::escape(record_file.as_os_str().as_encoded_bytes()),
        closing: &closing,
        followed: &followed,
        closed: &closed,
        documents: documents(context, desk.drills, (config, &record, report)),
        ledger_code: code,
    };
    conclude(context, &held)
}

/// Tells of a drill that was held, and ends the program by its verdict.
///
/// # Errors
/// When standard output cannot be written.
pub fn conclude(context: &Context, held: &Held<'_>) -> Result<Ended, Failure> {
    context.output.report("drill", held, || told(held, context.output.language()))?;
    let exit = exit(held.record.verdict, held.closing);
    Ok(Ended { exit, skipped_count: told::skipped(held.record) })
}

fn exit(verdict: Verdict, closing: &Closing) -> Exit {
    match verdict {
        Verdict::Pass if closing.leftovers.is_empty() => Exit::Done,
        Verdict::Pass | Verdict::Conditional => Exit::Problems,
        Verdict::Fail => Exit::NotProven,
        Verdict::Inconclusive => Exit::Inconclusive,
    }
}

fn told(held: &Held<'_>, language: Language) -> String {
    let places = (held.record_file.as_str(), held.ledger_code.as_str());
    let mut lines = vec![told::record(held.record, places, language)];
    lines.extend(told::followed(held.followed, language));
    let closed = held.closed.iter().map(|it| texts::CLOSED.with("id", it.id.as_str()));
    lines.extend(closed.map(|it| it.told_in(language)));
    let files = held.documents.iter();
    lines.extend(files.map(|it| texts::DOCUMENT.with("path", it.as_str()).told_in(language)));
    lines.join("\n")
}

/// Makes the documents that are asked for, and sends them where they are wanted. Without them the
/// drill is what it was: a problem.
fn documents(
    context: &Context,
    drills: &Drills,
    (config, record, report): (&Config, &Record, Option<&Report>),
) -> Vec<String> {
    let Some(report) = report else { return Vec::new() };
    match report::asked(context, drills, (&record.record_id, report)) {
        Ok(files) => {
            let title = texts::A_DOCUMENT.with("code", record.drill.code.as_str());
            let title = title.told_in(context.output.language());
            // The configuration was read whole: it has every channel that it names.
            let channels = notify::channels(config, &report.to).unwrap_or_default();
            notify::deliver(context, (config, &channels), (&title, &files));
            files.iter().map(|it| crate::path::escape(it.as_os_str().as_encoded_bytes())).collect()
        }
        Err(failure) => {
            let subject = texts::A_DOCUMENT.with("code", record.drill.code.as_str());
            context.problem(Severity::Problem, subject, failure.message);
            Vec::new()
        }
    }
}
