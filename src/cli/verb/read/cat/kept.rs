//! What the vault keeps: objects, packs, index files.

use serde_json::Value;
use serde_json::json;

use crate::cli::choose::opened;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::stats as texts;
use crate::cli::language::text::Text;
use crate::format::index::PackTable;
use crate::format::object::ObjectKind;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::ids::Sid;

use super::IdArgs;
use super::ObjectArgs;
use super::damaged;
use super::hex;
use super::show;

const fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Chunk => "chunk",
        ObjectKind::Bundle => "bundle",
        ObjectKind::Leaf => "leaf",
        ObjectKind::Branch => "branch",
        ObjectKind::Map => "map",
        ObjectKind::MapBranch => "map_branch",
        ObjectKind::Capsule => "capsule",
    }
}

pub(super) fn object(context: &Context, args: &ObjectArgs) -> Result<(), Failure> {
    let sid: Sid = args.sid.parse().map_err(|error| {
        Failure::usage(texts::NO_SID.with("detail", Said::heard(error)), texts::ALL_DIGITS)
    })?;
    let keys = opened::keys(context)?;
    let vault = keys.repository.vault();
    let copies = vault.copies(&context.run, &sid)?;
    let bytes = vault.read_object(&context.run, &sid)?;
    let kind = copies.first().and_then(|copy| copy.kind);
    let copies = copies.iter().map(|copy| {
        json!({
            "pack": copy.pack.to_string(),
            "offset": copy.offset,
            "stored_bytes": copy.len_bytes,
            "is_present": copy.is_present,
        })
    });
    let mut record = json!({
        "sid": sid.to_string(),
        "kind": kind.map(kind_name),
        "stored_bytes": bytes.len(),
        "copies": copies.collect::<Vec<_>>(),
    });
    if kind.is_some_and(ObjectKind::is_node) {
        let children = vault.children(&sid, &bytes)?;
        let children = children.iter().map(|sid| Value::from(sid.to_string()));
        record["children"] = children.collect();
    }
    if args.bytes {
        record["bytes_hex"] = hex(&bytes).into();
    }
    show(context, "object", &record)
}

fn table_record(table: &PackTable) -> Value {
    let mut offset = PACK_HEAD_BYTES;
    let rows = table.rows.iter().map(|row| {
        let start = offset;
        offset = offset.saturating_add(u64::from(row.len_bytes));
        json!({
            "sid": row.sid.to_string(),
            "kind": kind_name(row.kind),
            "offset": start,
            "stored_bytes": row.len_bytes,
        })
    });
    let rows: Vec<Value> = rows.collect();
    json!({
        "id": table.pack.to_string(),
        "pack_bytes": table.pack_len_bytes(),
        "table_bytes": table.sealed_table_bytes,
        "objects_count": rows.len(),
        "objects": rows,
    })
}

pub(super) fn pack(context: &Context, args: &IdArgs) -> Result<(), Failure> {
    let keys = opened::keys(context)?;
    let vault = keys.repository.vault();
    let packs = vault.packs(&context.run)?;
    let Some(digits) = &args.id else {
        for (id, pack_bytes) in packs {
            let record = json!({ "id": id.to_string(), "pack_bytes": pack_bytes });
            show(context, "pack", &record)?;
        }
        return Ok(());
    };
    let id = one(packs.iter().map(|(id, _)| *id), digits, (texts::NO_PACK, texts::SEE_PACKS))?;
    let (table, _) = vault.pack_table(&context.run, &id)?;
    let table = table.map_err(|fault| damaged(&format!("pack {id}"), &fault))?;
    show(context, "pack", &table_record(&table))
}

pub(super) fn index(context: &Context, args: &IdArgs) -> Result<(), Failure> {
    let keys = opened::keys(context)?;
    let vault = keys.repository.vault();
    let indexes = vault.indexes(&context.run)?;
    let Some(digits) = &args.id else {
        for (id, index_bytes) in indexes {
            let record = json!({ "id": id.to_string(), "index_bytes": index_bytes });
            show(context, "index", &record)?;
        }
        return Ok(());
    };
    let id = one(indexes.iter().map(|(id, _)| *id), digits, (texts::NO_INDEX, texts::SEE_INDEXES))?;
    let tables = vault.index_tables(&context.run, &id)?;
    let tables = tables.map_err(|fault| damaged(&format!("index/{id}"), &fault))?;
    let tables: Vec<Value> = tables.iter().map(table_record).collect();
    let record = json!({ "id": id.to_string(), "packs_count": tables.len(), "packs": tables });
    show(context, "index", &record)
}

/// The only id that starts with these digits.
fn one<I: ToString + Copy>(
    ids: impl Iterator<Item = I>,
    digits: &str,
    (none, see): (Text, Text),
) -> Result<I, Failure> {
    let digits = digits.to_ascii_lowercase();
    let matching: Vec<I> = ids.filter(|id| id.to_string().starts_with(&digits)).take(2).collect();
    let shown = crate::path::escape(digits.as_bytes());
    match matching[..] {
        [id] => Ok(id),
        [] => Err(Failure::new(Exit::Failed, none.with("digits", shown), see)),
        _ => Err(Failure::usage(texts::SEVERAL_IDS.with("digits", shown), texts::MORE_DIGITS)),
    }
}
