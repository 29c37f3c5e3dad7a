//! `drill run`.

pub mod chain;
pub mod pick;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::settings::configured;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::keep::Held;
use crate::cli::verb::drill::keep::Open;
use crate::cli::verb::drill::list::report;
use crate::cli::verb::drill::run::chain::Chain;
use crate::cli::verb::drill::told;
use crate::config::Config;
use crate::config::drill::Drill;
use crate::config::drill::Mode;
use crate::config::drill::Report;
use crate::crypto::random_bytes;
use crate::drill::engine;
use crate::drill::engine::Done;
use crate::drill::plan::Plan;
use crate::drill::record::CLOSING_SCHEMA;
use crate::drill::record::Check;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::drill::sandbox::Mark;
use crate::drill::sandbox::Sandbox;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::run::monitor::Severity;
use crate::source::host::host_name;

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
    /// Say what would be restored and checked, and do nothing.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

#[derive(Serialize)]
struct Carried<'a> {
    #[serde(flatten)]
    record: &'a Record,
    record_file: String,
    closing: &'a Closing,
    /// What the configuration asks for, beside the record.
    documents: Vec<String>,
    ledger_code: String,
}

pub fn run(context: &Context, args: &RunArgs) -> Result<Ended, Failure> {
    let now = context.run.clock.now();
    let loaded = context.settings.config.load(&context.environment, now)?;
    let config = loaded.config()?;
    let drill = find(config, &args.name)?;
    let mut settings = context.settings.clone();
    if settings.repository.is_none() {
        settings.take(configured::named(config, &drill.storage)?, &context.environment);
    }
    let context = &context.with(settings);
    let drills = Drills::new(context)?;
    let keys = opened::keys(context)?;
    if !args.dry_run {
        clear(context, &drills, &keys)?;
    }
    let snapshots = opened::list(context, &keys)?;
    let plan = plan(context, (config, drill), &snapshots)?;
    if args.dry_run {
        let language = context.output.language();
        let planned = told::Planned::of(&plan);
        context.output.plan("drill", &planned, || told::planned(&plan, language))?;
        return Ok(Ended::done());
    }
    carry_out(context, (&drills, &keys), (&plan, drill.report.as_ref()))
}

fn find<'c>(config: &'c Config, name: &str) -> Result<&'c Drill, Failure> {
    let name = name.strip_prefix("drill:").unwrap_or(name);
    let found = config.drills.iter().find(|drill| drill.name == name);
    let found = found.ok_or_else(|| {
        let all = config.drills.iter().map(|drill| Said::plain(&drill.name)).collect();
        let name = crate::path::escape(name.as_bytes());
        let message = texts::NO_DRILL.with("name", name).with("drills", Said::list(all));
        Failure::usage(message, texts::NAME_DRILL)
    })?;
    let missing = if found.mode == Mode::Sample { Some("mode = \"sample\"") } else { None };
    match missing {
        Some(what) => {
            let message = texts::NOT_SUPPORTED.with("what", what);
            Err(Failure::new(Exit::Failed, message, texts::USE_FULL))
        }
        None => Ok(found),
    }
}

/// Name of this machine.
fn machine() -> String {
    String::from_utf8_lossy(&host_name()).into_owned()
}

fn plan(
    context: &Context,
    (config, drill): (&Config, &Drill),
    snapshots: &[crate::cli::choose::snapshot::Snapshot],
) -> Result<Plan, Failure> {
    let now = context.run.clock.now();
    let zone = crate::schedule::local::zone(&config.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let local = jiff::Timestamp::from_millisecond(now.unix_ms).unwrap_or_default();
    let local = local.to_zoned_datetime(zone);
    let class = pick::class_name(drill.class);
    let stratum = pick::stratum_name(drill.stratum);
    let (mut items, mut absent) = (Vec::new(), Vec::new());
    for backup in pick::backups(config, drill) {
        match pick::snapshot(snapshots, &backup.name, drill.stratum) {
            Some(snapshot) => items.push(pick::planned(
                (&backup.name, pick::kind_of(&backup.source)),
                snapshot,
                (stratum, &drill.storage, pick::targets(backup)),
            )),
            None => absent.push(backup.name.clone()),
        }
    }
    Ok(Plan {
        record_id: context.run.id.to_string(),
        code: format!("{class}-{}", local.strftime("%Y-%m-%d")),
        class: class.to_owned(),
        title: drill.name.clone(),
        period: local.strftime("%Y-%m").to_string(),
        plan_ref: None,
        is_announced: true,
        org: None,
        people: None,
        selection: None,
        legal_profile: None,
        room: pick::room(config, drill),
        items,
        absent,
        checks: drill.checks.iter().map(pick::check).collect(),
        threads_count: std::thread::available_parallelism().map_or(2, usize::from),
        programs: context
            .environment
            .get("PATH")
            .map(|path| std::env::split_paths(path).filter(|it| it.is_absolute()).collect())
            .unwrap_or_default(),
        host: machine(),
        offset_s: local.offset().seconds(),
    })
}

/// What stands in local state before anything is begun.
fn open_of(context: &Context, plan: &Plan) -> Result<(Open, std::path::PathBuf), Failure> {
    let token = random_bytes::<16>().map_err(|error| {
        let message = texts::STATE.with("path", "").with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::SEE_STATE)
    })?;
    let token = token.iter().map(|byte| format!("{byte:02x}")).collect();
    let mark = Mark { record_id: plan.record_id.clone(), token };
    let place = std::path::absolute(&plan.room.path).unwrap_or_else(|_| plan.room.path.clone());
    let names = plan.items.iter().map(|item| &item.dataset).chain(&plan.absent);
    let open = Open {
        sandbox: Sandbox::place(&place, &mark),
        mark,
        code: plan.code.clone(),
        class: plan.class.clone(),
        datasets: names.cloned().collect(),
        storage: plan.items.first().map(|item| item.storage.clone()).unwrap_or_default(),
        started_at: engine::told(context.run.clock.now(), plan.offset_s),
    };
    Ok((open, place))
}

fn carry_out(
    context: &Context,
    (drills, keys): (&Drills, &Keys),
    (plan, report): (&Plan, Option<&Report>),
) -> Result<Ended, Failure> {
    let chain = Chain::begin(context, keys, &plan.code)?;
    let plan = &Plan { code: chain.code().to_owned(), ..plan.clone() };
    let (open, place) = open_of(context, plan)?;
    let held = drills.begin(&open)?;
    chain.order(&open)?;
    let sandbox = Sandbox::make(&place, open.mark).map_err(|error| {
        let message = texts::SANDBOX.with("detail", Said::heard(error));
        Failure::new(Exit::Inconclusive, message, texts::OTHER_SANDBOX)
    })?;
    let Done { record, stopped } =
        engine::execute(&context.run, &keys.repository, (plan, &sandbox), &chain);
    let ended = if stopped.is_some() { chain::Ended::Stopped } else { chain::Ended::Whole };
    let hash = chain.record(&record, ended);
    let record_file = held.keep(&record)?;
    let closing = remove(context, (&held, &sandbox), (plan.offset_s, hash), Late::No)?;
    chain.closing(&closing, &plan.class);
    let code = chain.finish()?;
    held.keep_code(&code)?;
    if let Some(why) = stopped {
        return Err(why.into());
    }
    let carried = Carried {
        record: &record,
        record_file: crate::path::escape(record_file.as_os_str().as_encoded_bytes()),
        closing: &closing,
        documents: documents(context, drills, (&record, report)),
        ledger_code: code,
    };
    context.output.report("drill", &carried, || {
        let language = context.output.language();
        let places = (carried.record_file.as_str(), carried.ledger_code.as_str());
        let mut lines = vec![told::record(&record, places, language)];
        let files = carried.documents.iter();
        lines.extend(files.map(|it| texts::DOCUMENT.with("path", it.as_str()).told_in(language)));
        lines.join("\n")
    })?;
    let exit = match record.verdict {
        Verdict::Pass if closing.leftovers.is_empty() => Exit::Done,
        Verdict::Pass | Verdict::Conditional => Exit::Problems,
        Verdict::Fail => Exit::NotProven,
        Verdict::Inconclusive => Exit::Inconclusive,
    };
    Ok(Ended { exit, skipped_count: told::skipped(&record) })
}

/// Makes the documents that are asked for. Without them the drill is what it was: a problem.
fn documents(
    context: &Context,
    drills: &Drills,
    (record, report): (&Record, Option<&Report>),
) -> Vec<String> {
    let Some(report) = report else { return Vec::new() };
    if !report.to.is_empty() {
        context.output.warn(texts::NOT_SENT.with("channels", report.to.join(", ")));
    }
    match report::asked(drills, &record.record_id, report) {
        Ok(files) => {
            files.iter().map(|it| crate::path::escape(it.as_os_str().as_encoded_bytes())).collect()
        }
        Err(failure) => {
            let subject = texts::A_DOCUMENT.with("code", record.drill.code.as_str());
            context.problem(Severity::Problem, subject, failure.message);
            Vec::new()
        }
    }
}

/// Whether a sandbox is removed by a later process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    Yes,
    No,
}

/// Removes a sandbox and keeps what became of it.
fn remove(
    context: &Context,
    (held, sandbox): (&Held, &Sandbox),
    (offset_s, record): (i32, Option<String>),
    late: Late,
) -> Result<Closing, Failure> {
    let removed = sandbox.remove();
    let is_gone = !sandbox.path().exists();
    let result = if is_gone { Outcome::Pass } else { Outcome::Fail };
    let shown = crate::path::escape(sandbox.path().as_os_str().as_encoded_bytes());
    let check = Check {
        id: "CL.path".to_owned(),
        level: Level::L0,
        mandatory: true,
        result,
        code: (!is_gone).then_some(FailureCode::F8),
        expected: Some("gone".to_owned()),
        actual: Some(if is_gone { "gone" } else { "there" }.to_owned()),
        detail: None,
        ms: 0,
    };
    let closing = Closing {
        schema: CLOSING_SCHEMA.to_owned(),
        record_id: sandbox.mark().record_id.clone(),
        record,
        destroyed_at: engine::told(context.run.clock.now(), offset_s),
        checks: vec![check],
        leftovers: if is_gone { Vec::new() } else { vec![shown.clone()] },
        late: late == Late::Yes,
    };
    held.close(&closing)?;
    if let Err(error) = removed {
        let subject = texts::A_SANDBOX.with("path", shown);
        context.problem(Severity::Problem, subject, Said::heard(error));
    }
    Ok(closing)
}

/// Removes what killed drills left, and gives those without a record one: no conclusion.
fn clear(context: &Context, drills: &Drills, keys: &Keys) -> Result<(), Failure> {
    for (held, open) in drills.orphans()? {
        let chain = Chain::resume(context, keys, &open.code)?;
        let record = match drills.record(&open.mark.record_id)? {
            Some(record) => record,
            None => {
                let record = told::broken(&open, &machine());
                held.keep(&record)?;
                record
            }
        };
        let hash = chain.record(&record, chain::Ended::Broken);
        let sandbox = Sandbox::found(open.sandbox.clone(), open.mark.clone());
        let closing = remove(context, (&held, &sandbox), (0, hash), Late::Yes)?;
        chain.closing(&closing, &open.class);
        chain.finish()?;
        if closing.leftovers.is_empty() {
            context.output.note(texts::CLEARED.with("code", open.code.as_str()));
        }
    }
    Ok(())
}
