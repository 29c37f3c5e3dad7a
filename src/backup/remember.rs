//! Nodes on their way to the vault, remembered for the next backup.

use std::path::Path;

use crate::backup::parent::lost::Packs;
use crate::backup::snapshot::BackupReport;
use crate::format::manifest::SignedManifest;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::repository::ObjectSink;
use crate::repository::cache::Cache;
use crate::repository::cache::CacheKey;
use crate::repository::cache::CacheWriter;
use crate::repository::cache::Head;
use crate::repository::error::RepositoryError;
use crate::repository::tree::NodeSink;
use crate::run::Run;
use crate::vault::Vault;
use crate::vault::session::Session;
use crate::vault::whole::Presence;

/// Passes nodes to the session and remembers them.
pub(super) struct TreeSink<'a, 'm> {
    pub(super) run: &'a Run,
    pub(super) session: &'a Session,
    pub(super) memory: &'a mut Memory<'m>,
    /// Where to look for what the parent had, if not all of it is there.
    pub(super) doubted: Option<&'a Vault>,
}

impl TreeSink<'_, '_> {
    /// Whether the vault has it because the parent has it: then nothing is put.
    fn has(&self, node: &Sid) -> Result<bool, RepositoryError> {
        if !self.memory.old.is_some_and(|old| old.has(node)) {
            return Ok(false);
        }
        match self.doubted {
            None => Ok(true),
            Some(vault) => Ok(vault.presence(self.run, node)? == Presence::Whole),
        }
    }
}

/// What the machine remembers of the new snapshot. A cache that cannot be written costs the next
/// run time, nothing else.
pub(super) struct Memory<'a> {
    old: Option<&'a Cache>,
    place: Option<(&'a Path, &'a CacheKey)>,
    new: Option<CacheWriter>,
    /// Nodes that were used again before the first new one.
    reused: Vec<Sid>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(old: Option<&'a Cache>, place: Option<(&'a Path, &'a CacheKey)>) -> Self {
        Self { old, place, new: None, reused: Vec::new() }
    }

    fn begin(&mut self) {
        let Some((folder, key)) = self.place.take() else { return };
        match CacheWriter::begin(folder, key) {
            Ok(writer) => self.new = Some(writer),
            Err(error) => tracing::warn!(%error, "the local cache is not written"),
        }
        for earlier in std::mem::take(&mut self.reused) {
            self.copy(earlier);
        }
    }

    fn push(&mut self, node: Sid, bytes: &[u8]) {
        if let Some(writer) = &mut self.new
            && let Err(error) = writer.push(node, bytes)
        {
            tracing::warn!(%error, "the local cache is not written");
            self.new = None;
        }
    }

    fn copy(&mut self, node: Sid) {
        if self.new.is_some()
            && let Some(bytes) = self.old.and_then(|old| old.node(&node))
        {
            self.push(node, &bytes);
        }
    }

    fn again(&mut self, node: Sid) {
        if self.place.is_some() {
            self.reused.push(node);
        } else {
            self.copy(node);
        }
    }

    /// Replaces what the machine remembers.
    pub(super) fn finish(mut self, head: &Head) {
        if let (Some((folder, key)), Some(old)) = (self.place.take(), self.old) {
            let written = CacheWriter::begin(folder, key).and_then(|mut writer| {
                writer.push_all(old)?;
                writer.finish(head)
            });
            if let Err(error) = written {
                tracing::warn!(%error, "the local cache is not written");
            }
        } else if let Some(writer) = self.new.take()
            && let Err(error) = writer.finish(head)
        {
            tracing::warn!(%error, "the local cache is not written");
        }
    }

    /// What the machine remembered before stands.
    pub(super) fn abandon(mut self) {
        if let Some(writer) = self.new.take() {
            writer.abandon();
        }
    }
}

impl NodeSink for TreeSink<'_, '_> {
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError> {
        if self.has(&object.sid)? {
            self.memory.again(object.sid);
            return Ok(());
        }
        self.memory.begin();
        self.memory.push(object.sid, &object.bytes);
        ObjectSink::put(self.session, object)?;
        Ok(())
    }

    fn reuse(&mut self, node: &Ref) -> Result<(), RepositoryError> {
        self.memory.again(node.sid);
        Ok(())
    }
}

/// What the machine remembers of its new snapshot.
pub(super) fn head(manifest: &SignedManifest, report: &BackupReport, packs: [Packs; 2]) -> Head {
    let tree = &report.tree;
    let mut packs = packs.concat();
    packs.sort_unstable();
    Head {
        snapshot: SnapshotId::new(crate::crypto::blind::hash(manifest.as_bytes())),
        seq: manifest.public.seq,
        root: tree.root.clone(),
        started: report.started,
        decayed: tree.decayed.iter().copied().collect(),
        files_count: tree.files_count,
        content_bytes: tree.content_bytes,
        packs,
    }
}
