//! What the month's draw says, for a drill that takes its datasets from there.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::continuity::plan as texts;
use crate::cli::verb::drill::ledger;
use crate::cli::verb::drill::plan::document::Draw;
use crate::cli::verb::drill::plan::document::Pool;
use crate::config::Config;
use crate::config::drill::Choice;
use crate::config::drill::Drill;
use crate::config::job::Backup;
use crate::continuity::programme::Month;
use crate::drill::record::Selection;
use crate::evidence::entry::Kind;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::StoredEntry;

/// A drill with the datasets that it is about.
pub struct Chosen {
    pub drill: Drill,
    /// How they were drawn, if they were.
    pub selection: Option<Selection>,
}

/// A month's draw with what belongs to it.
struct Drawn {
    draw: Draw,
    /// Those that needed no draw.
    due: Vec<String>,
    /// Those that were put off since, with a reason in the ledger.
    deferred: BTreeSet<String>,
}

/// The datasets of a drill: those of the configuration, or those of the month's draw that its
/// storage holds.
///
/// # Errors
/// Where they are to be drawn: without a plan (2); when the month was not drawn, or nothing that
/// was lies there (13); when the ledger cannot be read.
pub fn choose(
    context: &Context,
    (config, drill): (&Config, &Drill),
    month: Option<Month>,
    keys: &Keys,
) -> Result<Chosen, Failure> {
    if drill.selection == Choice::Named {
        return Ok(Chosen { drill: drill.clone(), selection: None });
    }
    let month = month.ok_or_else(|| {
        Failure::usage(texts::DRAWN_WITHOUT.with("drill", drill.name.as_str()), texts::WRITE_PLAN)
    })?;
    let access = ledger::access(context, keys.ledger(), &keys.unlocked)?;
    let ledger = Ledger::open(&context.run, Arc::clone(keys.ledger()), access)?;
    let Drawn { draw, due, deferred } = of(&ledger, month)?.ok_or_else(|| {
        let message = texts::NOT_YET_DRAWN.with("period", month.to_string());
        Failure::new(Exit::Refused, message, texts::FREEZE_FIRST)
    })?;
    let asked = || due.iter().chain(&draw.drawn);
    let is_asked = |name: &String| asked().any(|it| it == name) && !deferred.contains(name);
    let is_wanted = |backup: &&Backup| {
        let is_due_there = is_asked(&backup.name) && drill.is_held(config, backup);
        is_due_there || drill.datasets.contains(&backup.name)
    };
    let wanted = config.backups.iter().filter(is_wanted);
    let datasets: Vec<String> = wanted.map(|it| it.name.clone()).collect();
    if datasets.is_empty() {
        let storage = crate::path::escape(drill.storage.as_bytes());
        let message = texts::NOTHING_THERE.with("period", month.to_string());
        return Err(Failure::new(
            Exit::Refused,
            message.with("storage", storage),
            texts::NAME_ONE_BESIDE,
        ));
    }
    let is_beside = |name: &&String| !asked().any(|it| it == *name);
    let selection = Selection {
        added: datasets.iter().filter(is_beside).cloned().collect(),
        deferred: asked().filter(|name| deferred.contains(*name)).cloned().collect(),
        seed: draw.seed,
        root: draw.root,
        pool_hash: draw.pool_hash,
        word: draw.word,
        drawn: draw.drawn,
    };
    let drill = Drill { datasets, selection: Choice::Named, ..drill.clone() };
    Ok(Chosen { drill, selection: Some(selection) })
}

/// The draw of a month; none before it was drawn.
fn of(ledger: &Ledger, month: Month) -> Result<Option<Drawn>, Failure> {
    let period = month.to_string();
    let is_of = |stored: &StoredEntry, kind: Kind| {
        stored.entry.kind == kind && stored.entry.subject == period
    };
    let entries = ledger.entries();
    let Some(at) = entries.iter().position(|it| is_of(it, Kind::Draw)) else { return Ok(None) };
    let (before, after) = entries.split_at(at);
    let read = |stored: &StoredEntry| ledger.document(stored.entry.document);
    let draw = after.first().map(read).transpose()?;
    let draw = draw.and_then(|it| serde_json::from_value::<Draw>(it).ok());
    let Some(draw) = draw.filter(Draw::is_right) else { return Ok(None) };
    let pool = before.iter().rev().find(|it| is_of(it, Kind::Pool)).map(read).transpose()?;
    let pool = pool.and_then(|it| serde_json::from_value::<Pool>(it).ok());
    let due = pool.filter(|pool| pool.pool_hash == draw.pool_hash).map(|pool| pool.due);
    let later = after.iter().filter(|stored| stored.entry.kind == Kind::Deferred);
    let put_off = |stored: &StoredEntry| {
        stored.entry.subject.strip_prefix(&format!("{period}.")).map(str::to_owned)
    };
    let deferred = later.filter_map(put_off).collect();
    Ok(Some(Drawn { draw, due: due.unwrap_or_default(), deferred }))
}
