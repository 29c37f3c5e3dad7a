//! A tree written anew over objects under other keys.

use std::collections::HashSet;
use std::sync::Arc;

use crate::copy::error::CopyError;
use crate::copy::reseal::Resealing;
use crate::copy::reseal::objects::Objects;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Digest;
use crate::ids::Sid;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::repository::seal::SealKeys;
use crate::repository::seal::Sealer;
use crate::repository::tree::NodeSink;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::map::MapWriter;
use crate::repository::tree::reader::TreeReader;
use crate::repository::tree::writer::Item;
use crate::repository::tree::writer::TreeWriter;
use crate::run::Run;
use crate::vault::session::Session;

/// Extents of a huge file that are brought together.
const EXTENTS_TOGETHER: usize = 256;

/// Nodes go to the session.
struct Nodes<'a>(&'a Session);

impl NodeSink for Nodes<'_> {
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError> {
        self.0.put(object)?;
        Ok(())
    }

    fn reuse(&mut self, node: &Ref) -> Result<(), RepositoryError> {
        let _is_held = self.0.holds(&node.sid)?;
        Ok(())
    }
}

/// Writes the tree at `root`, with all that it reaches, and answers its root at the target.
pub(super) fn write(
    run: &Run,
    resealing: &Resealing<'_>,
    (session, root): (&Session, &Ref),
    objects: &mut Objects,
) -> Result<Ref, CopyError> {
    let source = resealing.source.repository;
    let mut sealer = Sealer::new(&seal_keys(resealing)).map_err(RepositoryError::from)?;
    let mut sink = Nodes(session);
    let mut writer = TreeWriter::new(&mut sealer, &mut sink, resealing.sizes);
    let mut rewriter = Rewriter { run, resealing, session, objects };
    for leaf in TreeReader::new(run, source, root, &SnapshotPath::root()) {
        let leaf = leaf?;
        rewriter.bring_all(&leaf.entries)?;
        for entry in leaf.entries {
            run.check()?;
            let content = rewriter.content(entry.content)?;
            let entry = Entry { content, ..entry };
            writer.push(Item { entry, kept: None })?;
        }
    }
    Ok(writer.finish()?)
}

fn seal_keys(resealing: &Resealing<'_>) -> SealKeys {
    SealKeys {
        domain: super::domain_keys(resealing.agent),
        store: resealing.agent.store.clone(),
        level: resealing.level,
    }
}

struct Rewriter<'a, 'b> {
    run: &'a Run,
    resealing: &'a Resealing<'b>,
    session: &'a Session,
    objects: &'a mut Objects,
}

impl Rewriter<'_, '_> {
    /// What a leaf's entries refer to.
    fn bring_all(&mut self, entries: &[Entry]) -> Result<(), CopyError> {
        let mut wanted = Vec::new();
        let mut seen: HashSet<Sid> = HashSet::new();
        for entry in entries {
            match &entry.content {
                Content::Slice { bundle, .. } => {
                    self.want(bundle, ObjectKind::Bundle, (&mut seen, &mut wanted))?;
                }
                Content::Extents { extents, .. } => {
                    for extent in extents {
                        if let Extent::Chunk { chunk, .. } = extent {
                            self.want(chunk, ObjectKind::Chunk, (&mut seen, &mut wanted))?;
                        }
                    }
                }
                Content::None | Content::Map { .. } => {}
            }
        }
        self.objects.bring(self.run, (self.resealing, self.session), &wanted)
    }

    fn want(
        &mut self,
        old: &Arc<Ref>,
        kind: ObjectKind,
        (seen, wanted): (&mut HashSet<Sid>, &mut Vec<(Arc<Ref>, ObjectKind)>),
    ) -> Result<(), CopyError> {
        if seen.insert(old.sid) && self.objects.own(self.session, old)?.is_none() {
            wanted.push((Arc::clone(old), kind));
        }
        Ok(())
    }

    fn own(&mut self, old: &Arc<Ref>) -> Result<Arc<Ref>, CopyError> {
        let own = self.objects.own(self.session, old)?;
        // It was brought a moment ago.
        own.ok_or_else(|| {
            let error = crate::vault::error::VaultError::UnknownObject { sid: old.sid };
            RepositoryError::from(error).into()
        })
    }

    fn content(&mut self, content: Content) -> Result<Content, CopyError> {
        Ok(match content {
            Content::None => Content::None,
            Content::Slice { bundle, offset, len, digest } => {
                Content::Slice { bundle: self.own(&bundle)?, offset, len, digest }
            }
            Content::Extents { extents, digest } => {
                let extents = extents.into_iter().map(|extent| self.extent(extent));
                Content::Extents { extents: extents.collect::<Result<_, _>>()?, digest }
            }
            Content::Map { root, digest } => self.map(&root, digest)?,
        })
    }

    fn extent(&mut self, extent: Extent) -> Result<Extent, CopyError> {
        Ok(match extent {
            Extent::Hole { len_bytes } => Extent::Hole { len_bytes },
            Extent::Chunk { chunk, digest } => Extent::Chunk { chunk: self.own(&chunk)?, digest },
        })
    }

    /// The extents of a huge file, some at a time.
    fn map(&mut self, root: &Arc<Ref>, digest: Digest) -> Result<Content, CopyError> {
        let mut sealer = Sealer::new(&seal_keys(self.resealing)).map_err(RepositoryError::from)?;
        let mut sink = Nodes(self.session);
        let mut writer = MapWriter::default();
        let mut extents = MapReader::new(self.run, self.resealing.source.repository, root);
        loop {
            let mut now = Vec::new();
            for extent in extents.by_ref().take(EXTENTS_TOGETHER) {
                now.push(extent.map_err(RepositoryError::from)?);
            }
            if now.is_empty() {
                return Ok(writer.finish(&mut sealer, &mut sink, digest)?);
            }
            let mut wanted = Vec::new();
            let mut seen = HashSet::new();
            for extent in &now {
                if let Extent::Chunk { chunk, .. } = extent {
                    self.want(chunk, ObjectKind::Chunk, (&mut seen, &mut wanted))?;
                }
            }
            self.objects.bring(self.run, (self.resealing, self.session), &wanted)?;
            for extent in now {
                let extent = self.extent(extent)?;
                writer.push(&mut sealer, &mut sink, extent)?;
            }
        }
    }
}
