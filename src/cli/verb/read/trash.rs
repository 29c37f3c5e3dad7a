//! `snapshots --trash`: what was removed and can still be taken back.

use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::forget as texts;
use crate::cli::language::table::read;
use crate::cli::language::value::Value;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::path::escape;
use crate::repository::manifest::open_manifest;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;

#[derive(Serialize)]
struct Row<'a> {
    id: String,
    short_id: String,
    machine_id: String,
    dataset_id: String,
    seq: u64,
    time: String,
    removed: String,
    removed_by: String,
    reason: &'a str,
}

pub(super) fn run(context: &Context) -> Result<Ended, Failure> {
    let keys = opened::keys(context)?;
    let vault = keys.repository.vault();
    let found = vault.manifests(&context.run, Scope::All, Copies::First, &keys.signers)?;
    let removed = vault.removed(&context.run, &found.tombstones, &keys.signers)?;
    if context.output.is_json() {
        for it in &removed {
            let place = &it.snapshot.place;
            let row = Row {
                id: place.id.to_string(),
                short_id: place.id.short(),
                machine_id: place.chain.machine.to_string(),
                dataset_id: place.chain.source.to_string(),
                seq: place.seq,
                time: it.snapshot.manifest.public.time.to_rfc3339(),
                removed: it.tombstone.time.to_rfc3339(),
                removed_by: it.tombstone.signer.to_string(),
                reason: &it.tombstone.reason,
            };
            context.output.json("result", Some("removed"), &row)?;
        }
        return Ok(Ended::done());
    }
    let language = context.output.language();
    let columns = [read::ID, read::TIME, read::HOST, read::PATHS, texts::REMOVED, texts::REASON]
        .map(|title| (title.words(language), Align::Left));
    let mut rows = Vec::new();
    for it in &removed {
        let info = open_manifest(&keys.unlocked.keyset, &it.snapshot.manifest).ok();
        let paths = info.iter().flat_map(|info| &info.paths).map(|path| escape(path));
        let host = info.as_ref().map(|info| escape(info.host.as_bytes())).unwrap_or_default();
        let time = |time| Value::Time(time).told_in(language);
        rows.push(vec![
            it.snapshot.place.id.short(),
            time(it.snapshot.manifest.public.time),
            host,
            paths.collect::<Vec<_>>().join(", "),
            time(it.tombstone.time),
            escape(it.tombstone.reason.as_bytes()),
        ]);
    }
    context.output.raw(format!("{}\n", table::render(&columns, &rows)).as_bytes())?;
    Ok(Ended::done())
}
