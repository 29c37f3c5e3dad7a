//! The nodes of a snapshot's tree.

use serde_json::Value;
use serde_json::json;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Opened;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::entry;
use crate::cli::verb::read::ls::no_such_path;
use crate::format::branch::decode_branch;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::leaf::decode::decode_leaf;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSource;

use super::SnapshotArgs;
use super::hex;
use super::show as show_record;

pub(super) fn show(context: &Context, args: &SnapshotArgs) -> Result<(), Failure> {
    let place = Place::parse(&args.snapshot)?;
    let opened = opened::for_objects(context)?;
    let chosen = snapshot::choose(&opened.snapshots, &place.snapshot, &args.filter)?;
    let mut nodes = Nodes { context, opened: &opened, within: &place.path, entries_count: 0 };
    nodes.branch(&chosen.root, None)?;
    if nodes.entries_count == 0 && !place.path.is_root() {
        return Err(no_such_path(&place.path));
    }
    Ok(())
}

struct Nodes<'a> {
    context: &'a Context,
    opened: &'a Opened,
    within: &'a SnapshotPath,
    entries_count: u64,
}

impl Nodes<'_> {
    /// A branch, then those of its children that may hold what was asked for.
    fn branch(&mut self, node: &Ref, above: Option<u8>) -> Result<(), Failure> {
        let run = &self.context.run;
        run.check()?;
        let (raw, sids) = self.opened.reader.node(run, node, ObjectKind::Branch)?;
        let branch = decode_branch(&raw, &sids)
            .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })?;
        // Levels fall by one on the way down, so a hostile tree ends.
        if above.is_some_and(|above| branch.level + 1 != above) {
            return Err(RepositoryError::NodeLevel { sid: node.sid }.into());
        }
        let children = branch.children.iter().map(|child| {
            json!({
                "sid": child.node.sid.to_string(),
                "raw_bytes": child.node.raw_len,
                "first_path": child.first.to_string(),
                "entries_count": child.entries_count,
            })
        });
        let record = json!({
            "sid": node.sid.to_string(),
            "kind": "branch",
            "level": branch.level,
            "raw_bytes": node.raw_len,
            "children": children.collect::<Vec<_>>(),
        });
        show_record(self.context, "node", &record)?;
        for (n, child) in branch.children.iter().enumerate() {
            let after = branch.children.get(n + 1);
            if self.may_hold(&child.first, after.map(|after| &after.first)) {
                match branch.level {
                    1 => self.leaf(&child.node)?,
                    level => self.branch(&child.node, Some(level))?,
                }
            }
        }
        Ok(())
    }

    fn may_hold(&self, first: &SnapshotPath, after: Option<&SnapshotPath>) -> bool {
        let ends_before = after.is_some_and(|after| after <= self.within);
        let begins_behind = first > self.within && !first.is_within(self.within);
        self.within.is_root() || !(ends_before || begins_behind)
    }

    fn leaf(&mut self, node: &Ref) -> Result<(), Failure> {
        let run = &self.context.run;
        run.check()?;
        let (raw, sids) = self.opened.reader.node(run, node, ObjectKind::Leaf)?;
        let entries = decode_leaf(&raw, &sids)
            .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })?;
        let meant = entries.iter().filter(|entry| entry.path.is_within(self.within));
        let shown = meant.map(entry_record).collect::<Result<Vec<_>, _>>()?;
        self.entries_count += shown.len() as u64;
        let record = json!({
            "sid": node.sid.to_string(),
            "kind": "leaf",
            "raw_bytes": node.raw_len,
            "entries_count": entries.len(),
            "entries": shown,
        });
        show_record(self.context, "node", &record)
    }
}

fn entry_record(entry: &Entry) -> Result<Value, Failure> {
    let path = entry::slashed(entry);
    let line = serde_json::to_value(entry::line(entry, &path, None));
    let mut record = line.map_err(std::io::Error::from)?;
    record["ctime"] = entry::rfc3339(entry.meta.ctime).into();
    record["inode"] = entry.meta.inode.into();
    record["device_number"] = entry.meta.device.into();
    let xattrs = entry.meta.extra.as_ref().map(|extra| extra.xattrs.as_slice()).unwrap_or_default();
    let xattrs = xattrs.iter().map(
        |xattr| json!({ "name": crate::path::escape(&xattr.name), "value_hex": hex(&xattr.value) }),
    );
    record["xattrs"] = xattrs.collect();
    record["content"] = content_record(&entry.content);
    Ok(record)
}

fn content_record(content: &Content) -> Value {
    match content {
        Content::None => Value::Null,
        Content::Slice { bundle, offset, len, .. } => json!({
            "bundle_sid": bundle.sid.to_string(),
            "offset": offset,
            "bytes": len,
        }),
        Content::Map { root, .. } => json!({ "map_sid": root.sid.to_string() }),
        Content::Extents { extents, .. } => {
            let extents = extents.iter().map(|extent| match extent {
                Extent::Hole { len_bytes } => json!({ "hole_bytes": len_bytes }),
                Extent::Chunk { chunk, digest } => json!({
                    "chunk_sid": chunk.sid.to_string(),
                    "bytes": chunk.raw_len,
                    "blake3": digest.to_string(),
                }),
            });
            json!({ "extents": extents.collect::<Vec<_>>() })
        }
    }
}
