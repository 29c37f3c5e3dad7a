//! Whole packs, for whoever looks at every byte.

use std::ops::Range;

use crate::crypto::blind;
use crate::format::object::ObjectKind;
use crate::format::pack::PACK_BYTES_MAX;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::format::pack::PACK_MAGIC;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load;
use crate::vault::load::whole_or_error;
use crate::vault::locations::KnownPack;
use crate::vault::names;

/// One object of a pack that was read whole.
#[derive(Debug, Clone)]
pub struct PackObject {
    pub kind: ObjectKind,
    pub sid: Sid,
    /// Where it lies in the pack.
    pub range: Range<usize>,
}

/// A pack with all its bytes.
#[derive(Debug)]
pub struct WholePack {
    pub bytes: Vec<u8>,
    /// From the pack's own table; empty if that does not open.
    pub objects: Vec<PackObject>,
    /// What is wrong with the file; objects may be good all the same.
    pub fault: Option<Fault>,
}

/// How an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// As often as its kind asks for.
    Whole,
    /// A node of which one of two copies is there.
    OneCopy,
    Missing,
}

impl Vault {
    /// All packs that storage lists, with their lengths in bytes; sorted.
    pub fn packs(&self, run: &Run) -> Result<Vec<(PackId, u64)>, VaultError> {
        run.check()?;
        Ok(load::list_packs(&self.inner)?.into_iter().collect())
    }

    /// Whether a pack that a table names is gone, or has another length.
    pub fn lacks_packs(&self, run: &Run) -> Result<bool, VaultError> {
        let is_bad = |pack: &KnownPack| pack.found_bytes != Some(pack.len_bytes);
        self.inner.with_locations(run, |locations| locations.packs().iter().any(is_bad))
    }

    /// How an object is kept, by the index and the listing; nothing is read.
    pub fn presence(&self, run: &Run, sid: &Sid) -> Result<Presence, VaultError> {
        self.inner.with_locations(run, |locations| {
            if locations.holds(sid) {
                return Presence::Whole;
            }
            // A pack in which something bad was found is not relied on, but its rest is there.
            let is_whole = |pack: &KnownPack| pack.found_bytes == Some(pack.len_bytes);
            let there = |pack| locations.pack(pack).is_some_and(is_whole);
            let mut copies = locations.find(sid).filter(|row| there(row.pack)).peekable();
            match copies.peek() {
                Some(row) if row.is_node() => Presence::OneCopy,
                Some(_) => Presence::Whole,
                None => Presence::Missing,
            }
        })
    }

    /// Ceases to rely on a pack: what lies in it is put again by whoever needs it.
    pub fn distrust(&self, run: &Run, id: &PackId) -> Result<(), VaultError> {
        self.inner.with_locations(run, |_| ())?;
        self.inner.change_locations(|locations| locations.distrust_pack(id));
        Ok(())
    }

    /// Reads a pack whole and compares its hash with its name. The objects are not hashed here.
    pub fn read_pack(
        &self,
        run: &Run,
        id: &PackId,
    ) -> Result<Result<WholePack, Fault>, VaultError> {
        run.check()?;
        let name = names::pack(id)?;
        let read = self.inner.storage.read(&name, PACK_BYTES_MAX);
        let bytes = match whole_or_error(read, PACK_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err(fault)),
        };
        run.count(Count::PacksRead, 1);
        run.count(Count::BytesRead, bytes.len() as u64);
        let mut fault = (blind::hash(&bytes) != *id.as_bytes()).then_some(Fault::Hash);
        let table = load::open_table(&self.inner, id, &bytes, bytes.len() as u64);
        let mut objects = Vec::new();
        match table {
            Ok(table) => {
                let mut start = usize::try_from(PACK_HEAD_BYTES).unwrap_or(0);
                for row in table.rows {
                    let end = start + row.len_bytes as usize;
                    objects.push(PackObject { kind: row.kind, sid: row.sid, range: start..end });
                    start = end;
                }
            }
            Err(error) => fault = Some(fault.unwrap_or(error)),
        }
        if bytes.get(..PACK_MAGIC.len()) != Some(PACK_MAGIC) {
            fault = Some(fault.unwrap_or(Fault::Hash));
        }
        Ok(Ok(WholePack { bytes, objects, fault }))
    }
}
