//! One drill from its order in the ledger to its closing record.

use crate::cli::choose::opened::Keys;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::keep::Held;
use crate::cli::verb::drill::keep::Open;
use crate::cli::verb::drill::run::chain;
use crate::cli::verb::drill::run::chain::Chain;
use crate::cli::verb::drill::told;
use crate::crypto::random_bytes;
use crate::drill::engine;
use crate::drill::engine::Done;
use crate::drill::follow;
use crate::drill::follow::Followed;
use crate::drill::follow::State;
use crate::drill::plan::Plan;
use crate::drill::plan::Room;
use crate::drill::record::CLOSING_SCHEMA;
use crate::drill::record::Check;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::drill::sandbox::Mark;
use crate::drill::sandbox::Sandbox;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::run::monitor::Severity;
use crate::source::host::host_name;
use crate::units::Timestamp;

/// A drill that was held.
pub struct Carried {
    pub record: Record,
    /// What is to be done now.
    pub planned: Vec<Followed>,
    /// Actions of earlier drills that it closed.
    pub closed: Vec<Followed>,
    pub record_file: std::path::PathBuf,
    pub closing: Closing,
    /// Of the ledger.
    pub code: String,
}

/// What drills are held with.
pub struct Desk<'a> {
    pub drills: &'a Drills,
    pub keys: &'a Keys,
    pub snapshots: &'a [Snapshot],
}

/// Name of this machine.
pub fn machine() -> String {
    String::from_utf8_lossy(&host_name()).into_owned()
}

/// A drill of nothing yet, by its class and title, in a time zone.
#[must_use]
pub fn plan(context: &Context, (class, title): (&str, &str), (zone, room): (&str, Room)) -> Plan {
    let now = context.run.clock.now();
    let zone = crate::schedule::local::zone(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let local = jiff::Timestamp::from_millisecond(now.unix_ms).unwrap_or_default();
    let local = local.to_zoned_datetime(zone);
    Plan {
        record_id: context.run.id.to_string(),
        code: format!("{class}-{}", local.strftime("%Y-%m-%d")),
        class: class.to_owned(),
        title: title.to_owned(),
        period: local.strftime("%Y-%m").to_string(),
        plan_ref: None,
        is_announced: true,
        has_personal_data: true,
        scenario: None,
        location: None,
        org: None,
        people: None,
        selection: None,
        coverage: None,
        root: String::new(),
        legal_profile: None,
        room,
        recovery: None,
        head: std::time::Duration::ZERO,
        looked: Vec::new(),
        items: Vec::new(),
        absent: Vec::new(),
        checks: Vec::new(),
        threads_count: std::thread::available_parallelism().map_or(2, usize::from),
        programs: Vec::new(),
        host: machine(),
        offset_s: local.offset().seconds(),
    }
}

pub fn no_random(error: &impl std::fmt::Display) -> Failure {
    let message = texts::STATE.with("path", "").with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, texts::SEE_STATE)
}

/// What stands in local state before anything is begun.
fn open_of(context: &Context, plan: &Plan) -> Result<(Open, std::path::PathBuf), Failure> {
    let token = random_bytes::<16>().map_err(|error| no_random(&error))?;
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

/// Holds a drill and closes it; `look` sees the sandbox before it goes. What the drill asks for is
/// planned and not done yet.
///
/// # Errors
/// When it could not be ordered, recorded or closed, or was stopped.
pub fn carry(
    context: &Context,
    desk: &Desk<'_>,
    (plan, look): (&Plan, &mut dyn FnMut(&Sandbox)),
) -> Result<Carried, Failure> {
    let (drills, keys) = (desk.drills, desk.keys);
    let chain = Chain::begin(context, keys, &plan.code)?;
    let mut plan = Plan { code: chain.code().to_owned(), ..plan.clone() };
    let (open, place) = open_of(context, &plan)?;
    let held = drills.begin(&open)?;
    let began = context.run.clock.now();
    chain.order(&open)?;
    // Whoever orders a drill does not know this before.
    plan.root = chain.head();
    plan.draw();
    let plan = &plan;
    let sandbox = Sandbox::make(&place, open.mark).map_err(|error| {
        let message = texts::SANDBOX.with("detail", Said::heard(error));
        Failure::new(Exit::Inconclusive, message, texts::OTHER_SANDBOX)
    })?;
    let Done { mut record, stopped } =
        engine::execute(&context.run, &keys.repository, (plan, &sandbox), &chain);
    look(&sandbox);
    let planned = follow::plan(&record, began, plan.offset_s);
    record.actions = follow::actions(&record, &planned);
    let ended = if stopped.is_some() { chain::Ended::Stopped } else { chain::Ended::Whole };
    let hash = chain.record(&record, ended);
    let record_file = held.keep(&record)?;
    let closing = remove(context, (&held, &sandbox), (plan.offset_s, hash), Late::No)?;
    chain.closing(&closing, &plan.class);
    let closed = close_actions(context, &chain, &record);
    planned.iter().for_each(|followed| chain.action(followed));
    let code = chain.finish()?;
    drills.keep_code(&plan.record_id, &code)?;
    held.done(&closing)?;
    match stopped {
        Some(why) => Err(why.into()),
        None => Ok(Carried { record, planned, closed, record_file, closing, code }),
    }
}

/// Says in the ledger which actions of earlier drills are done with.
fn close_actions(context: &Context, chain: &Chain, record: &Record) -> Vec<Followed> {
    let kept = match chain.actions() {
        Ok(kept) => kept,
        Err(error) => {
            context.problem(Severity::Problem, texts::ACTIONS, Said::heard(error));
            return Vec::new();
        }
    };
    let open = follow::open(kept).into_iter();
    let mut closed: Vec<Followed> = open.filter(|open| follow::closes(record, open)).collect();
    for followed in &mut closed {
        followed.state = State::Closed;
        followed.closed_by = Some(record.drill.code.clone());
        chain.action(followed);
    }
    closed
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
///
/// # Errors
/// When their state or the ledger cannot be read or written.
pub fn clear(context: &Context, drills: &Drills, keys: &Keys) -> Result<(), Failure> {
    for (held, open) in drills.orphans()? {
        let chain = Chain::resume(context, keys, &open.code)?;
        let id = &open.mark.record_id;
        let record = match drills.record(id)? {
            Some(record) => record,
            None => {
                // The ledger has it first.
                let kept = chain.kept_record()?;
                let record = kept.unwrap_or_else(|| told::broken(&open, &machine()));
                held.keep(&record)?;
                record
            }
        };
        let hash = chain.record(&record, chain::Ended::Broken);
        let sandbox = Sandbox::found(open.sandbox.clone(), open.mark.clone());
        let is_whole = |closing: &Closing| {
            closing.leftovers.is_empty() && closing.record == hash && !sandbox.path().exists()
        };
        let closing = match drills.closing(id)?.filter(is_whole) {
            Some(closing) => closing,
            None => remove(context, (&held, &sandbox), (0, hash), Late::Yes)?,
        };
        chain.closing(&closing, &open.class);
        close_actions(context, &chain, &record);
        open_actions(&chain, &record)?;
        let code = chain.finish()?;
        drills.keep_code(id, &code)?;
        held.done(&closing)?;
        if closing.leftovers.is_empty() {
            context.output.note(texts::CLEARED.with("code", open.code.as_str()));
        }
    }
    Ok(())
}

/// Opens the actions of a record that its own process did not come to.
fn open_actions(chain: &Chain, record: &Record) -> Result<(), Failure> {
    if record.actions.is_empty() {
        return Ok(());
    }
    let known = chain.actions()?;
    for mut followed in follow::plan(record, Timestamp::default(), 0) {
        let own = record.actions.iter().find(|action| action.id == followed.id);
        let Some(action) = own.filter(|it| known.iter().all(|known| known.id != it.id)) else {
            continue;
        };
        followed.due.clone_from(&action.due);
        chain.action(&followed);
    }
    Ok(())
}
