//! Reading objects: every copy is tried, every byte is hashed.

pub mod soon;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::format::node_refs;
use crate::format::node_refs::NODE_REFS_KIND;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load::absent_or_error;
use crate::vault::locations::Locations;
use crate::vault::locations::Row;
use crate::vault::names;

/// Most bytes that one read of several objects asks for.
const SPAN_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes between two objects that are rather read than skipped.
const GAP_BYTES_MAX: u64 = 64 * 1024;

/// One copy of one object that is asked for: which of the caller's, where, in which blob.
#[derive(Debug, Clone)]
struct Wanted {
    number: usize,
    row: Row,
}

impl Vault {
    /// The sealed bytes of an object, whose hash is its name. A bad copy is reported as damage and
    /// the next one is tried.
    ///
    /// A pack that was there when the index was read may have been emptied and removed since: then
    /// the index is read anew, once.
    pub fn read_object(&self, run: &Run, sid: &Sid) -> Result<Vec<u8>, VaultError> {
        run.check()?;
        if let Some(bytes) = self.inner.soon.take(run, &self.inner, sid) {
            return Ok(bytes);
        }
        let mut tried = self.inner.try_copies(run, sid)?;
        if tried.bytes.is_none() && self.inner.has_moved(run, &tried.bad)? {
            self.refresh();
            tried = self.inner.try_copies(run, sid)?;
        }
        let Tried { bytes, bad, unread, count } = tried;
        if let Some(bytes) = bytes {
            self.inner.report(run, &bad, Problem::healable);
            return Ok(bytes);
        }
        if count == 0 {
            return Err(VaultError::UnknownObject { sid: *sid });
        }
        // Of what was not read nobody knows that it is lost.
        let problem = if unread.is_some() { Problem::healable } else { Problem::damage };
        self.inner.report(run, &bad, problem);
        Err(unread.unwrap_or(VaultError::LostObject { sid: *sid, bad_copies: count }))
    }

    /// Reads many objects in the order in which they lie, neighbours together, and hands each over
    /// with its number in `sids`. An object that cannot be had is handed over as its error; the
    /// function itself fails only if the run is stopped or the index cannot be loaded.
    pub fn read_objects(
        &self,
        run: &Run,
        sids: &[Sid],
        deliver: &mut dyn FnMut(usize, Result<Vec<u8>, VaultError>),
    ) -> Result<(), VaultError> {
        let (mut wanted, unknown) = self.inner.with_locations(run, |locations| {
            let mut unknown = Vec::new();
            let mut wanted = Vec::with_capacity(sids.len());
            for (number, sid) in sids.iter().enumerate() {
                match locations.find(sid).min_by_key(|row| order(locations, row)) {
                    Some(row) => wanted.push(Wanted { number, row }),
                    None => unknown.push((number, *sid)),
                }
            }
            (wanted, unknown)
        })?;
        for (number, sid) in unknown {
            deliver(number, Err(VaultError::UnknownObject { sid }));
        }
        wanted.sort_unstable_by_key(|it| (it.row.pack, it.row.offset));
        let mut rest = wanted.as_slice();
        while !rest.is_empty() {
            run.check()?;
            let (span, later) = rest.split_at(span_len(rest));
            self.read_span(run, sids, span, deliver)?;
            rest = later;
        }
        Ok(())
    }

    fn read_span(
        &self,
        run: &Run,
        sids: &[Sid],
        span: &[Wanted],
        deliver: &mut dyn FnMut(usize, Result<Vec<u8>, VaultError>),
    ) -> Result<(), VaultError> {
        let start = span.first().map_or(0, |first| u64::from(first.row.offset));
        let end = span.iter().map(|it| it.row.end()).max().unwrap_or(start);
        let pack = span.first().map_or(0, |first| first.row.pack);
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        let name = self.inner.pack_name(run, pack)?;
        let read = self.inner.storage.read_range(&name, start, &mut bytes);
        if read.is_ok() {
            run.count(Count::BytesRead, bytes.len() as u64);
        }
        for it in span {
            let Some(sid) = sids.get(it.number) else { continue };
            let from = usize::try_from(u64::from(it.row.offset) - start).unwrap_or(usize::MAX);
            let len = usize::try_from(it.row.len_bytes()).unwrap_or(usize::MAX);
            let part = bytes.get(from..from.saturating_add(len));
            let good = part.filter(|part| read.is_ok() && blind::sid_of(part) == *sid);
            match good {
                Some(part) => deliver(it.number, Ok(part.to_vec())),
                // Alone, so that its other copy is tried and a bad one is reported.
                None => deliver(it.number, self.read_object(run, sid)),
            }
        }
        Ok(())
    }

    /// The children of a node, opened with the store key.
    pub fn children(&self, sid: &Sid, node: &[u8]) -> Result<Vec<Sid>, VaultError> {
        let opened = self.inner.open_children(node);
        opened.map_err(|fault| VaultError::Object { sid: *sid, fault })
    }
}

/// Copies in packs that are there go first: a power cut may keep an index file and take a pack that
/// nothing relied on yet, and that is no damage.
fn order(locations: &Locations, row: &Row) -> (bool, u32, u32) {
    (!locations.is_present(row.pack), row.pack, row.offset)
}

/// How many of the first wanted objects are read at once.
fn span_len(wanted: &[Wanted]) -> usize {
    let Some(first) = wanted.first() else { return 0 };
    let mut end = first.row.end();
    let fits = wanted.iter().take_while(|it| {
        let is_near = it.row.pack == first.row.pack
            && u64::from(it.row.offset) <= end.saturating_add(GAP_BYTES_MAX)
            && it.row.end() - u64::from(first.row.offset) <= SPAN_BYTES_MAX;
        end = end.max(it.row.end());
        is_near
    });
    fits.count().max(1)
}

/// The first good copy of an object, and those before it that are not.
struct Tried {
    bytes: Option<Vec<u8>>,
    bad: Vec<(Row, BlobName, Fault)>,
    unread: Option<VaultError>,
    count: usize,
}

impl Inner {
    fn try_copies(&self, run: &Run, sid: &Sid) -> Result<Tried, VaultError> {
        let rows = self.rows_of(run, sid)?;
        let count = rows.len();
        let mut tried = Tried { bytes: None, bad: Vec::new(), unread: None, count };
        for (row, name) in rows {
            match self.read_copy(run, &row, &name, sid) {
                Ok(Ok(bytes)) => {
                    tried.bytes = Some(bytes);
                    break;
                }
                Ok(Err(fault)) => tried.bad.push((row, name, fault)),
                // A storage that fails here may still give the other copy.
                Err(error) => tried.unread = Some(error),
            }
        }
        Ok(tried)
    }

    /// Whether a pack is missing that was there when the index was read.
    fn has_moved(&self, run: &Run, bad: &[(Row, BlobName, Fault)]) -> Result<bool, VaultError> {
        self.with_locations(run, |locations| {
            let was_there = |row: &Row| locations.is_present(row.pack);
            bad.iter().any(|(row, _, fault)| *fault == Fault::Missing && was_there(row))
        })
    }

    pub(in crate::vault) fn rows_of(
        &self,
        run: &Run,
        sid: &Sid,
    ) -> Result<Vec<(Row, BlobName)>, VaultError> {
        let rows = self.with_locations(run, |locations| {
            let named = |row: Row| Some((row, locations.pack(row.pack)?.id));
            let mut rows: Vec<Row> = locations.find(sid).collect();
            rows.sort_by_key(|row| order(locations, row));
            rows.into_iter().filter_map(named).collect::<Vec<_>>()
        })?;
        rows.into_iter().map(|(row, pack)| Ok((row, names::pack(&pack)?))).collect()
    }

    fn pack_name(&self, run: &Run, pack: u32) -> Result<BlobName, VaultError> {
        let known = self.with_locations(run, |locations| locations.pack(pack).copied())?;
        let id = known.map_or(crate::ids::PackId::new([0; 32]), |pack| pack.id);
        Ok(names::pack(&id)?)
    }

    pub(in crate::vault) fn read_copy(
        &self,
        run: &Run,
        row: &Row,
        name: &BlobName,
        sid: &Sid,
    ) -> Result<Result<Vec<u8>, Fault>, VaultError> {
        let mut bytes = vec![0; usize::try_from(row.len_bytes()).unwrap_or_default()];
        let read = self.storage.read_range(name, u64::from(row.offset), &mut bytes);
        if let Err(fault) = absent_or_error(read, row.end())? {
            return Ok(Err(fault));
        }
        run.count(Count::BytesRead, bytes.len() as u64);
        Ok(if blind::sid_of(&bytes) == *sid { Ok(bytes) } else { Err(Fault::Hash) })
    }

    /// Copies are bad: told once, and their packs not relied on by this process any more.
    fn report(
        &self,
        run: &Run,
        bad: &[(Row, BlobName, Fault)],
        problem: fn(String, String) -> Problem,
    ) {
        for (row, name, fault) in bad {
            self.change_locations(|locations| locations.distrust(row.pack));
            let message = format!("object at {}: {fault}", row.offset);
            run.problem(&problem(name.to_string(), message));
        }
    }

    pub(in crate::vault) fn open_children(&self, node: &[u8]) -> Result<Vec<Sid>, Fault> {
        let parts = node_refs::split(node)?;
        let place = Place { kind: NODE_REFS_KIND, repository: self.keys.repository(), name: b"" };
        let refs = blind::open_box(self.keys.get(parts.generation)?, place, parts.sealed_refs)?;
        Ok(node_refs::decode_children(&refs)?)
    }
}
