//! `forget --undo`: snapshots that were removed come back.

use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::select::Which;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::forget as texts;
use crate::cli::language::table::options;
use crate::cli::verb::check;
use crate::cli::verb::forget::Doing;
use crate::ids::SnapshotId;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::removal::Removed;

#[derive(Serialize)]
struct Undone {
    id: String,
}

pub(super) fn run(context: &Context, ids: &[String], doing: Doing) -> Result<Ended, Failure> {
    let keys = opened::keys(context)?;
    let vault = keys.repository.vault();
    let found = vault.manifests(&context.run, Scope::All, Copies::First, &keys.signers)?;
    let removed = vault.removed(&context.run, &found.tombstones, &keys.signers)?;
    // All are found before any comes back.
    let chosen: Vec<SnapshotId> =
        ids.iter().map(|digits| choose(&removed, digits)).collect::<Result<_, _>>()?;
    for id in &chosen {
        let line = Undone { id: id.to_string() };
        if doing == Doing::Plan {
            let told = || texts::WOULD_UNDO.with("id", id.short());
            context.output.plan("undo", &line, told)?;
            continue;
        }
        vault.revive(&context.run, id)?;
        context.output.report("undo", &line, || texts::UNDONE.with("id", id.short()))?;
    }
    if doing == Doing::Act {
        // Space may have been given back meanwhile; then it is said what is lost.
        check::look_at(context, (&keys.unlocked, &keys.repository), chosen)?;
    }
    Ok(Ended::done())
}

fn choose(removed: &[Removed], digits: &str) -> Result<SnapshotId, Failure> {
    let digits = match Which::parse(digits.as_bytes())? {
        Which::Prefix(digits) => digits,
        Which::Latest => return Err(Failure::usage(texts::UNDO_BY_ID, texts::SEE_TRASH)),
    };
    let ids = removed.iter().map(|it| it.snapshot.place.id);
    let matching: Vec<SnapshotId> = ids.filter(|id| id.to_string().starts_with(&digits)).collect();
    match matching[..] {
        [id] => Ok(id),
        [] => {
            let message = texts::NOT_REMOVED.with("digits", digits);
            Err(Failure::new(Exit::Failed, message, texts::SEE_TRASH))
        }
        _ => {
            let count = matching.len();
            let message = texts::SEVERAL_REMOVED.with("count", count).with("digits", digits);
            Err(Failure::usage(message, options::MORE_DIGITS))
        }
    }
}
