//! Copies sealed objects into new packs, byte for byte: no key is needed for it.

use std::collections::HashSet;
use std::sync::Arc;

use crate::crypto::blind;
use crate::format::index::PackTable;
use crate::format::object::ObjectKind;
use crate::format::pack::PACK_BYTES_MAX;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::vault::Inner;
use crate::vault::error::Fault;
use crate::vault::gc::GcError;
use crate::vault::load::absent_or_error;
use crate::vault::load::list_packs;
use crate::vault::load::whole_or_error;
use crate::vault::locations::Prefix;
use crate::vault::locations::Row;
use crate::vault::locations::prefix_of;
use crate::vault::names;
use crate::vault::session::builder::PackBuilder;
use crate::vault::session::write_indexes;
use crate::vault::session::writer::create_pack;

/// What was copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub packs: Vec<PackTable>,
    pub objects_count: u64,
    pub bytes: u64,
}

struct Copier<'a> {
    run: &'a Run,
    vault: &'a Inner,
    /// Data, and the first copies of nodes.
    first: PackBuilder,
    /// Second copies of nodes: never in a pack with the first.
    second: PackBuilder,
    nodes: HashSet<Prefix>,
    copied: Copied,
}

/// Copies these rows. The new packs and their index are durable, and were read back, once this
/// returns.
pub(super) fn copy(run: &Run, vault: &Inner, rows: &[u32]) -> Result<Copied, GcError> {
    if rows.is_empty() {
        return Ok(Copied::default());
    }
    let mut rows = vault.with_locations(run, |locations| {
        rows.iter().filter_map(|at| locations.row(*at).copied()).collect::<Vec<_>>()
    })?;
    rows.sort_by_key(|row| (row.pack, row.offset));
    let (first, second) = (PackBuilder::default(), PackBuilder::default());
    let copied = Copied::default();
    let mut copier = Copier { run, vault, first, second, nodes: HashSet::new(), copied };
    for row in &rows {
        copier.one(row)?;
    }
    copier.finish()
}

impl Copier<'_> {
    fn one(&mut self, row: &Row) -> Result<(), GcError> {
        self.run.check()?;
        let (sid, kind, bytes) = read_any(self.run, self.vault, row)?;
        self.copied.objects_count += 1;
        self.copied.bytes += bytes.len() as u64;
        self.run.count(Count::BytesDone, bytes.len() as u64);
        let is_second = kind.is_node() && !self.nodes.insert(row.prefix());
        let builder = if is_second { &mut self.second } else { &mut self.first };
        builder.push(sid, kind, Arc::new(bytes));
        if builder.is_full(self.vault.options.pack_bytes) {
            let full = std::mem::take(builder);
            self.write(full)?;
        }
        Ok(())
    }

    fn write(&mut self, builder: PackBuilder) -> Result<(), GcError> {
        let pack = builder.finish(&self.vault.keys)?;
        create_pack(self.vault, &pack)?;
        self.run.count(Count::PacksWritten, 1);
        self.copied.packs.push(pack.table);
        Ok(())
    }

    fn finish(mut self) -> Result<Copied, GcError> {
        for builder in [std::mem::take(&mut self.first), std::mem::take(&mut self.second)] {
            if !builder.is_empty() {
                self.write(builder)?;
            }
        }
        let (storage, tables) = (&self.vault.storage, &self.copied.packs);
        storage.sync().map_err(GcError::storage)?;
        for table in tables {
            self.run.check()?;
            let name = names::pack(&table.pack)?;
            let read = storage.read(&name, PACK_BYTES_MAX);
            let found = whole_or_error(read, PACK_BYTES_MAX)?;
            if matches!(found, Err(Fault::Missing)) {
                return Err(doubt(self.vault, &table.pack, Fault::Missing)?);
            }
            let is_good = found.is_ok_and(|file| blind::hash(&file) == *table.pack.as_bytes());
            if !is_good {
                // What is torn would be in doubt for ever.
                drop(storage.delete(&name));
                return Err(GcError::doubt(name, "this copy was not kept as it was written"));
            }
        }
        write_indexes(self.run, self.vault, tables, &mut |_| {})?;
        storage.sync().map_err(GcError::storage)?;
        Ok(self.copied)
    }
}

/// The object of a row, from this copy or from another that is good.
fn read_any(run: &Run, vault: &Inner, row: &Row) -> Result<(Sid, ObjectKind, Vec<u8>), GcError> {
    let others = vault.with_locations(run, |locations| {
        let rows = std::iter::once(*row).chain(locations.find_prefix(row.prefix()));
        let named = rows.filter_map(|row| Some((row, locations.pack(row.pack)?.id)));
        named.collect::<Vec<_>>()
    })?;
    let mut first = None;
    for (copy, pack) in others {
        match (read_copy(vault, &copy, &pack)?, copy.kind()) {
            (Ok((sid, bytes)), Some(kind)) => return Ok((sid, kind, bytes)),
            (Ok(_), None) => {}
            (Err(fault), _) => drop(first.get_or_insert((pack, copy, fault))),
        }
    }
    let Some((pack, copy, fault)) = first else {
        return Err(GcError::doubt("index", "the kind of an object is not known"));
    };
    Err(lost(vault, &pack, &copy, fault)?)
}

/// Reads a copy on which an object is to stand.
pub(super) fn verify(run: &Run, vault: &Inner, rows: &[u32]) -> Result<(), GcError> {
    for at in rows {
        run.check()?;
        let found = vault.with_locations(run, |locations| {
            let row = locations.row(*at).copied()?;
            Some((row, locations.pack(row.pack)?.id))
        })?;
        let Some((row, pack)) = found else { continue };
        if let Err(fault) = read_copy(vault, &row, &pack)? {
            return Err(lost(vault, &pack, &row, fault)?);
        }
    }
    Ok(())
}

fn read_copy(
    vault: &Inner,
    row: &Row,
    pack: &PackId,
) -> Result<Result<(Sid, Vec<u8>), Fault>, GcError> {
    let mut bytes = vec![0; usize::try_from(row.len_bytes()).unwrap_or_default()];
    let read = vault.storage.read_range(&names::pack(pack)?, row.offset.into(), &mut bytes);
    if let Err(fault) = absent_or_error(read, row.end())? {
        return Ok(Err(fault));
    }
    let sid = blind::sid_of(&bytes);
    Ok(if prefix_of(&sid) == row.prefix() { Ok((sid, bytes)) } else { Err(Fault::Hash) })
}

fn lost(vault: &Inner, pack: &PackId, row: &Row, fault: Fault) -> Result<GcError, GcError> {
    match doubt(vault, pack, fault)? {
        GcError::Doubt { subject, why } => {
            Ok(GcError::Doubt { subject, why: format!("object at {}: {why}", row.offset) })
        }
        other => Ok(other),
    }
}

/// What is wrong with a pack that was there at the mark: if no listing names it any more, another
/// prune took it, and what this one wants of it lies elsewhere.
fn doubt(vault: &Inner, pack: &PackId, fault: Fault) -> Result<GcError, GcError> {
    if fault == Fault::Missing && !list_packs(vault)?.contains_key(pack) {
        return Ok(GcError::Overtaken);
    }
    Ok(GcError::doubt(names::pack(pack)?, fault))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::Fixture;
    use crate::vault::tests::chunk;

    type Work = fn(&Fixture, &[u32]) -> Result<(), GcError>;

    const WORKS: [Work; 2] = [
        |fixture, rows| verify(&fixture.run, &fixture.vault.inner, rows),
        |fixture, rows| copy(&fixture.run, &fixture.vault.inner, rows).map(drop),
    ];

    /// Everything is known, and then `harm` comes to every pack.
    fn after(harm: fn(&Fixture, &str), work: Work) -> GcError {
        let first = Fixture::new();
        let session = first.session(None);
        for number in 0..4 {
            session.put(chunk(1, number)).unwrap();
        }
        session.suspend(&first.run).unwrap();
        let fixture = first.again();
        let inner = &fixture.vault.inner;
        let count = inner.with_locations(&fixture.run, |it| it.rows().len()).unwrap();
        let rows: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
        assert!(!rows.is_empty());
        work(&fixture, &rows).unwrap();
        for name in fixture.storage.names("packs/") {
            harm(&fixture, &name);
        }
        work(&fixture, &rows).unwrap_err()
    }

    #[test]
    fn what_another_prune_took_is_not_damage() {
        for work in WORKS {
            let error = after(|fixture, name| drop(fixture.storage.remove(name)), work);
            assert!(matches!(error, GcError::Overtaken), "{error}");
        }
    }

    #[test]
    fn damage_is_told_as_what_it_is() {
        let cut = |fixture: &Fixture, name: &str| {
            let bytes = fixture.storage.remove(name);
            fixture.storage.insert(name, bytes[..20].to_vec());
        };
        for work in WORKS {
            let error = after(|fixture, name| fixture.storage.flip(name, 8 * 40), work);
            assert!(error.to_string().contains("object at 8: its bytes do not have"), "{error}");
            let error = after(cut, work);
            assert!(error.to_string().contains(": it has 0 bytes"), "{error}");
        }
    }
}
