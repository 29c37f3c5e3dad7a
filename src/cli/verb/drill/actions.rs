//! `drill actions`: what is still to be done after drills.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::drill as texts;
use crate::cli::open;
use crate::cli::output::table::Align;
use crate::cli::output::table::render;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::run::chain::open_actions;
use crate::cli::verb::drill::told;
use crate::drill::follow::Followed;
use crate::evidence::ledger::Ledger;

/// List corrective actions that no drill has closed, as the ledger has them.
///
/// A drill that shows that data would not come back (F1 damaged, F2 missing or different, F3 does
/// not start, F6 keys or access) opens one; a later drill that proves the dataset closes it.
#[derive(Debug, Clone, Args)]
pub struct ActionsArgs {}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    action: &'a Followed,
}

pub fn run(context: &Context, _args: &ActionsArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let access = ledger::access(context, &storage, &unlocked)?;
    let ledger = Ledger::open(&context.run, storage, access)?;
    let open = open_actions(&ledger)?;
    if context.output.is_json() {
        for action in &open {
            context.output.json("result", Some("action"), &Line { action })?;
        }
        return Ok(Ended::done());
    }
    let language = context.output.language();
    if open.is_empty() {
        context.output.note(texts::NO_ACTIONS);
        return Ok(Ended::done());
    }
    let row = |action: &Followed| {
        let codes: Vec<String> = action.failures.iter().map(|it| format!("{it:?}")).collect();
        let good = action.search.as_ref().and_then(|it| it.newest_good.as_deref());
        vec![
            action.id.clone(),
            action.dataset.clone(),
            codes.join(", "),
            action.due.clone(),
            good.map_or("-", told::short).to_owned(),
        ]
    };
    let rows: Vec<_> = open.iter().map(row).collect();
    let titles = [
        texts::COLUMN_ACTION,
        texts::COLUMN_DATASETS,
        texts::COLUMN_CODES,
        texts::COLUMN_DUE,
        texts::COLUMN_GOOD,
    ];
    let columns = titles.map(|title| (title.words(language), Align::Left));
    context.output.raw(format!("{}\n", render(&columns, &rows)).as_bytes())?;
    Ok(Ended::done())
}
