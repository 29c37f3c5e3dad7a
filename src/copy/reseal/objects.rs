//! Data objects under the target's keys.

use std::collections::HashMap;
use std::sync::Arc;

use crate::copy::error::CopyError;
use crate::copy::reseal::Resealing;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Sid;
use crate::repository::error::RepositoryError;
use crate::repository::seal::SealKeys;
use crate::repository::seal::Sealer;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::error::VaultError;
use crate::vault::session::Put;
use crate::vault::session::Session;

/// Whether both repositories make the same data objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Domain {
    Shared,
    Other,
}

/// Remembers what each data object of the source is called at the target.
pub(super) struct Objects {
    pub sealer: Sealer,
    domain: Domain,
    known: HashMap<Sid, Arc<Ref>>,
    new_count: u64,
    new_bytes: u64,
}

impl Objects {
    pub(super) fn new(resealing: &Resealing<'_>, keys: &SealKeys) -> Result<Self, CopyError> {
        let own = &resealing.agent.domain;
        let is_shared = resealing.source.keyset.domains.contains(own);
        Ok(Self {
            sealer: Sealer::new(keys).map_err(RepositoryError::from)?,
            domain: if is_shared { Domain::Shared } else { Domain::Other },
            known: HashMap::new(),
            new_count: 0,
            new_bytes: 0,
        })
    }

    /// Objects and sealed bytes that the target lacked since this was last asked.
    pub(super) fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.new_count), std::mem::take(&mut self.new_bytes))
    }

    pub(super) fn learn(&mut self, sid: Sid, own: Arc<Ref>) {
        self.known.insert(sid, own);
    }

    /// What an object is called at the target, if it is there.
    pub(super) fn own(
        &mut self,
        session: &Session,
        old: &Arc<Ref>,
    ) -> Result<Option<Arc<Ref>>, CopyError> {
        let own = match self.domain {
            Domain::Shared => Some(Arc::clone(old)),
            Domain::Other => self.known.get(&old.sid).cloned(),
        };
        match own {
            Some(own) if session.holds(&own.sid)? => Ok(Some(own)),
            _ => Ok(None),
        }
    }

    /// Brings objects to the target that it lacks, in the order in which they lie.
    pub(super) fn bring(
        &mut self,
        run: &Run,
        (resealing, session): (&Resealing<'_>, &Session),
        wanted: &[(Arc<Ref>, ObjectKind)],
    ) -> Result<(), CopyError> {
        let sids: Vec<Sid> = wanted.iter().map(|(old, _)| old.sid).collect();
        let mut failed = None;
        let vault = resealing.source.repository.vault();
        vault.read_objects(run, &sids, &mut |number, read| {
            let (Some((old, kind)), None) = (wanted.get(number), &failed) else { return };
            failed = self.one(run, (resealing, session), (old, *kind), read).err();
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn one(
        &mut self,
        run: &Run,
        (resealing, session): (&Resealing<'_>, &Session),
        (old, kind): (&Arc<Ref>, ObjectKind),
        read: Result<Vec<u8>, VaultError>,
    ) -> Result<(), CopyError> {
        let sealed = read.map_err(RepositoryError::from)?;
        // Opened in any case: what does not open is not copied.
        let raw = resealing.source.repository.open_data(&sealed, old, kind)?;
        run.count(Count::BytesDone, raw.len() as u64);
        let (own, object) = match self.domain {
            Domain::Shared => {
                (old.as_ref().clone(), SealedObject { sid: old.sid, kind, bytes: sealed })
            }
            Domain::Other => self.sealer.seal_data(kind, &raw).map_err(RepositoryError::from)?,
        };
        let len_bytes = object.bytes.len() as u64;
        if session.put(object)? == Put::New {
            self.new_count += 1;
            self.new_bytes += len_bytes;
        }
        if self.domain == Domain::Other {
            self.known.insert(old.sid, Arc::new(own));
        }
        Ok(())
    }
}
