//! What is attached to a snapshot beside its tree: truth recorded at the source.

use crate::backup::error::BackupError;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::repository::ObjectSink;
use crate::repository::error::RepositoryError;
use crate::repository::seal::SealKeys;
use crate::repository::seal::Sealer;
use crate::run::Run;
use crate::source::SourceError;
use crate::vault::session::Session;

/// Whoever records something at the source. It reads the source itself, never what is sent.
pub trait Attachments: Sync {
    /// Called before the first entry is read.
    ///
    /// # Errors
    /// When the source as a whole cannot be used: then there is no snapshot.
    fn before(&self, run: &Run) -> Result<(), SourceError>;

    /// Called after the last one: the bytes of each capsule.
    ///
    /// # Errors
    /// As [`Attachments::before`].
    fn after(&self, run: &Run) -> Result<Vec<Vec<u8>>, SourceError>;
}

/// Nothing is recorded.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Attachments for Nothing {
    fn before(&self, _run: &Run) -> Result<(), SourceError> {
        Ok(())
    }

    fn after(&self, _run: &Run) -> Result<Vec<Vec<u8>>, SourceError> {
        Ok(Vec::new())
    }
}

/// Seals and sends every capsule.
pub(super) fn seal(
    run: &Run,
    (keys, session): (&SealKeys, &Session),
    attachments: &dyn Attachments,
) -> Result<Vec<Ref>, BackupError> {
    let all = attachments.after(run)?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let mut sealer = Sealer::new(keys).map_err(RepositoryError::from)?;
    let mut capsules = Vec::with_capacity(all.len());
    for bytes in all {
        let sealed = sealer.seal_data(ObjectKind::Capsule, &bytes);
        let (reference, object) = sealed.map_err(RepositoryError::from)?;
        ObjectSink::put(session, object)?;
        capsules.push(reference);
    }
    Ok(capsules)
}
