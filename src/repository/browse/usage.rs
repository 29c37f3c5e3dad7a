//! What snapshots take: entries and bytes at the source, objects and bytes in the vault.
//!
//! Equal nodes are looked at once, whatever number of snapshots they are part of. What is kept in
//! memory is one bit an object and a few numbers a node.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::format::branch::decode_branch;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::leaf::decode::decode_leaf;
use crate::format::map::decode_map;
use crate::format::map::decode_map_branch;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::ids::Digest;
use crate::ids::Sid;
use crate::meta::Kind;
use crate::repository::error::RepositoryError;
use crate::repository::open::Repository;
use crate::repository::tree::NodeSource;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;

/// Entries of a tree, as they are at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entries {
    pub files_count: u64,
    pub folders_count: u64,
    pub hard_links_count: u64,
    /// Symbolic links, devices, fifos, sockets.
    pub others_count: u64,
    /// Bytes of all files, holes included, hard links counted once.
    pub content_bytes: u64,
}

impl Entries {
    pub fn add(&mut self, other: &Self) {
        self.files_count += other.files_count;
        self.folders_count += other.folders_count;
        self.hard_links_count += other.hard_links_count;
        self.others_count += other.others_count;
        self.content_bytes += other.content_bytes;
    }

    fn add_entry(&mut self, entry: &Entry) {
        match entry.meta.kind {
            Kind::File => {
                self.files_count += 1;
                self.content_bytes += entry.meta.size_bytes;
            }
            Kind::Directory => self.folders_count += 1,
            Kind::HardLink => self.hard_links_count += 1,
            _ => self.others_count += 1,
        }
    }
}

/// Objects that were met for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stored {
    pub data_count: u64,
    /// Raw bytes of chunks and bundles: what is left after deduplication.
    pub data_raw_bytes: u64,
    /// The same compressed, padded and sealed.
    pub data_bytes: u64,
    pub nodes_count: u64,
    pub nodes_raw_bytes: u64,
    /// First copies.
    pub nodes_bytes: u64,
    /// Copies beyond the first.
    pub copies_count: u64,
    pub copies_bytes: u64,
}

impl Stored {
    pub fn add(&mut self, other: &Self) {
        self.data_count += other.data_count;
        self.data_raw_bytes += other.data_raw_bytes;
        self.data_bytes += other.data_bytes;
        self.nodes_count += other.nodes_count;
        self.nodes_raw_bytes += other.nodes_raw_bytes;
        self.nodes_bytes += other.nodes_bytes;
        self.copies_count += other.copies_count;
        self.copies_bytes += other.copies_bytes;
    }

    /// Bytes of packs that these objects take, without tables.
    #[must_use]
    pub const fn all_bytes(&self) -> u64 {
        self.data_bytes + self.nodes_bytes + self.copies_bytes
    }
}

/// Files that differ in content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    pub count: u64,
    pub bytes: u64,
}

/// Whether different contents are counted; it takes 40 bytes of memory for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountContents {
    No,
    Yes,
}

/// Goes through snapshots and counts.
pub struct Counter<'a> {
    run: &'a Run,
    repository: &'a Repository,
    contents: CountContents,
    /// A bit for each object, by its number in the index.
    seen: Vec<u64>,
    /// Entries beneath nodes that were looked at.
    beneath: HashMap<u32, Entries>,
    digests: HashSet<Digest>,
    different: Contents,
    stored: Stored,
}

impl<'a> Counter<'a> {
    #[must_use]
    pub fn new(run: &'a Run, repository: &'a Repository, contents: CountContents) -> Self {
        Self {
            run,
            repository,
            contents,
            seen: Vec::new(),
            beneath: HashMap::new(),
            digests: HashSet::new(),
            different: Contents::default(),
            stored: Stored::default(),
        }
    }

    /// Forgets every object, so that the next snapshot is counted on its own.
    pub fn forget(&mut self) {
        *self = Self::new(self.run, self.repository, self.contents);
    }

    /// Different contents so far.
    #[must_use]
    pub const fn different(&self) -> Contents {
        self.different
    }

    /// Entries of a whole snapshot, and the objects that no snapshot before had. What cannot be
    /// read is told as damage; then the numbers are too small.
    ///
    /// # Errors
    /// When the run was told to stop or the index cannot be read.
    pub fn snapshot(&mut self, root: &Ref) -> Result<(Entries, Stored), RepositoryError> {
        self.stored = Stored::default();
        let entries = self.branch(root, None)?;
        Ok((entries, self.stored))
    }

    /// Counts an object. Its number, and whether it is met for the first time; none if it is not in
    /// the index, which is told.
    fn object(
        &mut self,
        object: &Ref,
        kind: ObjectKind,
    ) -> Result<Option<(u32, bool)>, RepositoryError> {
        let Some(kept) = self.repository.vault().kept(self.run, &object.sid)? else {
            self.lost(&object.sid, "it is in no pack that is known");
            return Ok(None);
        };
        let (word, bit) = (kept.number as usize / 64, 1_u64 << (kept.number % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let Some(slot) = self.seen.get_mut(word) else { return Ok(None) };
        if *slot & bit != 0 {
            return Ok(Some((kept.number, false)));
        }
        *slot |= bit;
        let (raw_bytes, bytes) = (u64::from(object.raw_len), u64::from(kept.len_bytes));
        let stored = &mut self.stored;
        if kind.is_node() {
            stored.nodes_count += 1;
            stored.nodes_raw_bytes += raw_bytes;
            stored.nodes_bytes += bytes;
        } else {
            stored.data_count += 1;
            stored.data_raw_bytes += raw_bytes;
            stored.data_bytes += bytes;
        }
        let copies_count = u64::from(kept.copies_count.saturating_sub(1));
        stored.copies_count += copies_count;
        stored.copies_bytes += bytes * copies_count;
        Ok(Some((kept.number, true)))
    }

    fn lost(&self, sid: &Sid, why: &str) {
        self.run.problem(&Problem::damage(format!("object {sid}"), why));
    }

    /// Opens a node; none if it cannot be read, which is told.
    fn node<T>(
        &self,
        node: &Ref,
        kind: ObjectKind,
        decode: impl FnOnce(&[u8], &[Sid]) -> Result<T, crate::format::wire::FormatError>,
    ) -> Result<Option<T>, RepositoryError> {
        self.run.check()?;
        let opened = self.repository.node(self.run, node, kind).and_then(|(raw, sids)| {
            decode(&raw, &sids)
                .map_err(|error| RepositoryError::NodeInvalid { sid: node.sid, error })
        });
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(RepositoryError::Stopped(why)) => Err(why.into()),
            Err(error) => {
                self.lost(&node.sid, &error.to_string());
                Ok(None)
            }
        }
    }

    fn branch(&mut self, node: &Ref, above: Option<u8>) -> Result<Entries, RepositoryError> {
        let Some((number, _)) = self.object(node, ObjectKind::Branch)? else {
            return Ok(Entries::default());
        };
        if let Some(known) = self.beneath.get(&number) {
            return Ok(*known);
        }
        let mut entries = Entries::default();
        if let Some(branch) = self.node(node, ObjectKind::Branch, decode_branch)? {
            // Levels fall by one on the way down, so a hostile tree ends.
            if above.is_some_and(|above| branch.level + 1 != above) {
                return Err(RepositoryError::NodeLevel { sid: node.sid });
            }
            for child in &branch.children {
                let beneath = match branch.level {
                    1 => self.leaf(&child.node)?,
                    level => self.branch(&child.node, Some(level))?,
                };
                entries.add(&beneath);
            }
        }
        self.beneath.insert(number, entries);
        Ok(entries)
    }

    fn leaf(&mut self, node: &Ref) -> Result<Entries, RepositoryError> {
        let Some((number, _)) = self.object(node, ObjectKind::Leaf)? else {
            return Ok(Entries::default());
        };
        if let Some(known) = self.beneath.get(&number) {
            return Ok(*known);
        }
        let mut entries = Entries::default();
        if let Some(leaf) = self.node(node, ObjectKind::Leaf, decode_leaf)? {
            for entry in &leaf {
                entries.add_entry(entry);
                self.content(entry)?;
            }
            self.run.count(Count::EntriesDone, leaf.len() as u64);
        }
        self.beneath.insert(number, entries);
        Ok(entries)
    }

    fn content(&mut self, entry: &Entry) -> Result<(), RepositoryError> {
        if self.contents == CountContents::Yes
            && entry.meta.kind == Kind::File
            && entry.content.digest().is_some_and(|digest| self.digests.insert(*digest))
        {
            self.different.count += 1;
            self.different.bytes += entry.meta.size_bytes;
        }
        match &entry.content {
            Content::None => Ok(()),
            Content::Slice { bundle, .. } => self.object(bundle, ObjectKind::Bundle).map(|_| ()),
            Content::Extents { extents, .. } => self.extents(extents),
            Content::Map { root, .. } => self.map(root, None),
        }
    }

    fn extents(&mut self, extents: &[Extent]) -> Result<(), RepositoryError> {
        for extent in extents {
            if let Extent::Chunk { chunk, .. } = extent {
                self.object(chunk, ObjectKind::Chunk)?;
            }
        }
        Ok(())
    }

    fn map(&mut self, node: &Ref, above: Option<u8>) -> Result<(), RepositoryError> {
        let Some((_, true)) = self.object(node, ObjectKind::MapBranch)? else { return Ok(()) };
        let opened = self.node(node, ObjectKind::MapBranch, decode_map_branch)?;
        let Some(branch) = opened else { return Ok(()) };
        if above.is_some_and(|above| branch.level + 1 != above) {
            return Err(RepositoryError::NodeLevel { sid: node.sid });
        }
        for (child, _) in &branch.children {
            if branch.level > 1 {
                self.map(child, Some(branch.level))?;
                continue;
            }
            if let Some((_, true)) = self.object(child, ObjectKind::Map)?
                && let Some(extents) = self.node(child, ObjectKind::Map, decode_map)?
            {
                self.extents(&extents)?;
            }
        }
        Ok(())
    }
}
