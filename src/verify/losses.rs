//! What of which file is lost.

use std::sync::Arc;

use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::SnapshotId;
use crate::repository::error::RepositoryError;
use crate::vault::scrub::report::LostFile;
use crate::vault::scrub::report::LostPart;
use crate::verify::data::BadParts;
use crate::verify::needs::Needs;
use crate::verify::needs::Part;
use crate::verify::walk::Expected;
use crate::verify::walk::Held;
use crate::verify::walk::Walk;
use crate::verify::whole::key_of;

const NO_COPY: &str = "no good copy of objects that hold its content is left";
const NO_NODE: &str = "no good copy of a part of its tree is left";
const OTHER_BYTES: &str = "its content is not what it was when it was backed up";

/// Byte ranges, neighbours joined.
#[derive(Default)]
struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    fn add(&mut self, start: u64, end: u64) {
        match self.0.last_mut() {
            Some((_, last)) if *last == start => *last = end,
            _ if end > start => self.0.push((start, end)),
            _ => {}
        }
    }
}

/// What is known to be bad.
pub(super) struct Known<'k> {
    pub(super) needs: &'k Needs,
    pub(super) bad_parts: &'k BadParts,
}

impl Walk<'_, '_> {
    /// Names everything of one snapshot that cannot be restored.
    pub(super) fn name_losses(
        &mut self,
        (snapshot, root): (SnapshotId, &Ref),
        known: &Known<'_>,
    ) -> Result<(), RepositoryError> {
        let root = Expected::root(Arc::new(root.clone()), ObjectKind::Branch);
        let mut stack = vec![root];
        while let Some(expected) = stack.pop() {
            match self.open(&expected)? {
                None => {
                    let from = expected.first().cloned().unwrap_or_default();
                    let before = expected.before().cloned();
                    let what = LostPart::Entries { from, before };
                    self.lose(snapshot, what, NO_NODE);
                }
                Some((Held::Branch(below), _)) => stack.extend(below.into_iter().rev()),
                Some((Held::Leaf(entries), _)) => {
                    for entry in &entries {
                        self.entry_losses(snapshot, entry, known)?;
                    }
                }
                Some((Held::Map(_), _)) => {}
            }
        }
        Ok(())
    }

    fn lose(&mut self, snapshot: SnapshotId, what: LostPart, why: &str) {
        let why = why.to_owned();
        self.scrub.report.lost_files.insert(LostFile { snapshot, what, why });
    }

    fn entry_losses(
        &mut self,
        snapshot: SnapshotId,
        entry: &Entry,
        known: &Known<'_>,
    ) -> Result<(), RepositoryError> {
        let mut ranges = Ranges::default();
        let mut why = NO_COPY;
        match &entry.content {
            Content::None => {}
            Content::Slice { bundle, offset, len, digest } => {
                let part = Part::new(*offset, *len, digest);
                let is_other = known.bad_parts.contains(&(bundle.sid, part));
                if is_other || self.scrub.report.lost_objects.contains(&bundle.sid) {
                    ranges.add(0, u64::from(*len));
                    why = if is_other { OTHER_BYTES } else { NO_COPY };
                }
            }
            Content::Extents { extents, digest } => {
                self.extent_losses(extents, 0, (known, &mut ranges));
                if ranges.0.is_empty() && known.needs.files.is_bad(&key_of(digest, extents)) {
                    ranges.add(0, extents.iter().map(Extent::len_bytes).sum());
                    why = OTHER_BYTES;
                }
            }
            Content::Map { root, digest } => {
                self.map_losses(root, entry.meta.size_bytes, (known, &mut ranges))?;
                if ranges.0.is_empty()
                    && let Some(extents) = self.extents(root)?
                    && known.needs.files.is_bad(&key_of(digest, &extents))
                {
                    ranges.add(0, entry.meta.size_bytes);
                    why = OTHER_BYTES;
                }
            }
        }
        if !ranges.0.is_empty() {
            let path = entry.path.clone();
            self.lose(snapshot, LostPart::File { path, ranges: ranges.0 }, why);
        }
        Ok(())
    }

    fn extent_losses(&self, extents: &[Extent], start: u64, (known, ranges): Found<'_>) -> u64 {
        let mut at = start;
        for extent in extents {
            let end = at.saturating_add(extent.len_bytes());
            if let Extent::Chunk { chunk, digest } = extent {
                let part = Part::new(0, chunk.raw_len, digest);
                if self.scrub.report.lost_objects.contains(&chunk.sid)
                    || known.bad_parts.contains(&(chunk.sid, part))
                {
                    ranges.add(at, end);
                }
            }
            at = end;
        }
        at
    }

    fn map_losses(
        &mut self,
        root: &Arc<Ref>,
        size_bytes: u64,
        (known, ranges): Found<'_>,
    ) -> Result<(), RepositoryError> {
        let root = Expected::root(Arc::clone(root), ObjectKind::MapBranch);
        let mut stack = vec![(root, size_bytes)];
        let mut at = 0;
        while let Some((expected, len_bytes)) = stack.pop() {
            match self.open(&expected)? {
                None => {
                    let end = at + len_bytes;
                    ranges.add(at, end);
                    at = end;
                }
                Some((Held::Branch(below), _)) => {
                    let below = below.into_iter().rev();
                    stack.extend(below.map(|child| {
                        let len_bytes = child.len_bytes();
                        (child, len_bytes)
                    }));
                }
                Some((Held::Map(extents), _)) => {
                    at = self.extent_losses(&extents, at, (known, ranges));
                }
                Some((Held::Leaf(_), _)) => {}
            }
        }
        Ok(())
    }
}

/// What is known, and what is found by it.
type Found<'f> = (&'f Known<'f>, &'f mut Ranges);
