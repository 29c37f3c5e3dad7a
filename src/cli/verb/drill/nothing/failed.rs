//! A drill from nothing whose shares did not open the repository: it has a record all the same.

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::table::keeping::nothing as texts;
use crate::cli::verb::drill::keep::Drills;
use crate::cli::verb::drill::keep::Open;
use crate::cli::verb::drill::nothing::Stand;
use crate::cli::verb::drill::nothing::items;
use crate::cli::verb::drill::nothing::looked;
use crate::cli::verb::drill::run;
use crate::cli::verb::drill::run::carry;
use crate::cli::verb::drill::told;
use crate::drill::check::Found;
use crate::drill::engine;
use crate::drill::record::CLOSING_SCHEMA;
use crate::drill::record::Closing;
use crate::drill::record::Environment;
use crate::drill::record::Item;
use crate::drill::record::Record;
use crate::drill::record::Recovery;
use crate::drill::sandbox::Mark;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Verdict;
use crate::path::escape;
use crate::run::Stopped;

/// The dataset of a drill that could not learn of any.
const ALL: &str = "all";

/// Keeps what came of it. Shares that do not open prove that nothing comes back (F6); a storage
/// that does not answer proves nothing.
///
/// # Errors
/// What ended it, where that is no finding: options that are wrong, or a stop.
pub fn keep(context: &Context, stand: &Stand<'_>, failure: Failure) -> Result<Ended, Failure> {
    let is_none = matches!(failure.exit, Exit::Usage | Exit::Failed | Exit::Newer);
    if is_none || stopped(context).is_some() {
        return Err(failure);
    }
    let why = failure.message.told_in(Language::En);
    let is_away = matches!(failure.exit, Exit::Storage | Exit::NoRepository | Exit::Busy);
    let said = if is_away { texts::NOT_REACHED } else { texts::NO_KEYS };
    context.output.warn(said.with("detail", failure.message));
    let found = || match is_away {
        true => Found::skipped(FailureCode::F6, why.as_str()),
        false => Found::failed(FailureCode::F6, why.as_str()),
    };
    let record = record(context, stand, &found);
    let drills = Drills::new(context)?;
    let mark = Mark { record_id: record.record_id.clone(), token: String::new() };
    let open = Open {
        mark,
        sandbox: items::sandbox(stand.args),
        code: record.drill.code.clone(),
        class: record.drill.class.clone(),
        datasets: record.items.iter().map(|item| item.dataset.clone()).collect(),
        storage: String::new(),
        started_at: record.drill.started_at.clone(),
    };
    let held = drills.begin(&open)?;
    let file = held.keep(&record)?;
    let closing = Closing {
        schema: CLOSING_SCHEMA.to_owned(),
        record_id: record.record_id.clone(),
        record: None,
        destroyed_at: record.drill.ended_at.clone(),
        checks: Vec::new(),
        leftovers: Vec::new(),
        late: false,
    };
    held.done(&closing)?;
    let path = escape(file.as_os_str().as_encoded_bytes());
    context.output.note(texts::NOT_KEPT.with("path", path.as_str()));
    let told = run::Held {
        record: &record,
        record_file: path,
        closing: &closing,
        followed: &[],
        closed: &[],
        documents: Vec::new(),
        ledger_code: String::new(),
    };
    run::conclude(context, &told)
}

fn stopped(context: &Context) -> Option<Stopped> {
    context.run.check().err()
}

/// Every dataset that is known of, none of which was reached.
fn record(context: &Context, stand: &Stand<'_>, found: &dyn Fn() -> Found) -> Record {
    let now = context.run.clock.now();
    let plan = items::bare(context, stand.args);
    let at = engine::told(now, plan.offset_s);
    let configuration = stand.kit.filter(|kit| kit.is_whole).map(|_| context.configuration());
    let loaded = configuration.and_then(Result::ok);
    let config = loaded.as_ref().and_then(|loaded| loaded.found.config.as_ref());
    let mut names = stand.args.dataset.clone();
    if names.is_empty() {
        names.extend(config.into_iter().flat_map(|it| &it.backups).map(|it| it.name.clone()));
    }
    if names.is_empty() {
        names.push(ALL.to_owned());
    }
    let of = |name: &String| engine::not_reached(&context.run, (name, &at), ("access", found()));
    let items: Vec<Item> = names.iter().map(of).collect();
    let verdict = items.iter().map(|item| item.verdict).min().unwrap_or(Verdict::Inconclusive);
    let open = Open {
        mark: Mark { record_id: plan.record_id.clone(), token: String::new() },
        sandbox: items::sandbox(stand.args),
        code: plan.code.clone(),
        class: plan.class.clone(),
        datasets: Vec::new(),
        storage: String::new(),
        started_at: at,
    };
    let empty = told::broken(&open, &carry::machine());
    let mut about = empty.drill.clone();
    (about.title, about.period) = (plan.title, plan.period);
    Record {
        drill: about,
        recovery: Some(Recovery {
            kit: stand.kit.map(|kit| kit.unsigned()),
            ..Recovery::default()
        }),
        env: Environment { isolation: plan.room.isolation.name().to_owned(), ..empty.env.clone() },
        preflight: looked(context, stand.kit, found()),
        items,
        verdict,
        ..empty
    }
}
