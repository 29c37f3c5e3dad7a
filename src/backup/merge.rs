//! What to do with one entry of the walk: the only place that decides about change.

use std::collections::HashMap;

use crate::backup::error::BackupError;
use crate::backup::job::Task;
use crate::backup::parent::ParentCursor;
use crate::backup::parent::ParentEntry;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::meta::Extra;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::tree::writer::Item;
use crate::source::Found;

/// What is to be done with an entry.
pub(super) enum Decision {
    /// Nothing changed: the parent's entry stands.
    Keep(Item),
    /// Another name of something that came before; needs no reading.
    Link(Item),
    /// To be read with others: attributes, or a small file's content.
    Small(Task),
    /// To be read alone.
    Large(Task),
}

/// Compares the walk with the parent.
pub(super) struct Merge<'a> {
    parent: ParentCursor<'a>,
    /// First name of each inode that has several.
    inodes: HashMap<(u64, u64), SnapshotPath>,
    small_file_bytes: u64,
}

impl<'a> Merge<'a> {
    pub(super) fn new(parent: ParentCursor<'a>, small_file_bytes: u64) -> Self {
        Self { parent, inodes: HashMap::new(), small_file_bytes }
    }

    pub(super) fn decide(&mut self, slot: u64, found: Found) -> Result<Decision, BackupError> {
        let parent = self.parent.take(&found.path)?;
        if let Some(first) = self.first_name(&found) {
            return Ok(Decision::Link(link(found, first, parent)));
        }
        if let Some(parent) = parent {
            let same = parent.entry.meta.kind == found.meta.kind
                && found.meta.looks_unchanged_from(&unlinked(&parent.entry, &found))
                && parent.entry.meta.device == found.meta.device
                && self.parent.is_trusted(&parent.entry);
            if same {
                let ParentEntry { entry, leaf, at } = parent;
                return Ok(Decision::Keep(Item { entry, kept: Some((leaf, at)) }));
            }
            return Ok(self.read(slot, found, Some(parent.entry)));
        }
        Ok(self.read(slot, found, None))
    }

    fn first_name(&mut self, found: &Found) -> Option<SnapshotPath> {
        if found.meta.kind == Kind::Directory || found.meta.links_count < 2 {
            return None;
        }
        let inode = (found.meta.device, found.meta.inode);
        if let Some(first) = self.inodes.get(&inode) {
            return Some(first.clone());
        }
        self.inodes.insert(inode, found.path.clone());
        None
    }

    fn read(&self, slot: u64, found: Found, parent: Option<Entry>) -> Decision {
        let reusable = |entry: &Entry| {
            entry.content != Content::None && !self.parent.is_decayed(&entry.content)
        };
        let is_large =
            found.meta.kind == Kind::File && found.meta.size_bytes >= self.small_file_bytes;
        let task = Task { slot, found, parent: parent.filter(reusable) };
        if is_large { Decision::Large(task) } else { Decision::Small(task) }
    }
}

/// A directory's link count is not kept, so it is not compared.
fn unlinked(parent: &Entry, found: &Found) -> crate::meta::Meta {
    let mut meta = parent.meta.clone();
    if meta.kind == Kind::Directory {
        meta.links_count = found.meta.links_count;
        meta.size_bytes = found.meta.size_bytes;
    }
    meta
}

fn link(found: Found, first: SnapshotPath, parent: Option<ParentEntry>) -> Item {
    if let Some(parent) = parent {
        let before = parent.entry.meta.extra.as_ref().and_then(|extra| extra.hard_link.as_ref());
        let same = parent.entry.meta.kind == Kind::HardLink && before == Some(&first);
        if same && found.meta.looks_unchanged_from(&parent.entry.meta) {
            return Item { entry: parent.entry, kept: Some((parent.leaf, parent.at)) };
        }
    }
    let mut meta = found.meta;
    meta.kind = Kind::HardLink;
    meta.extra = Some(Box::new(Extra { hard_link: Some(first), ..Extra::default() }));
    Item { entry: Entry { path: found.path, meta, content: Content::None }, kept: None }
}
