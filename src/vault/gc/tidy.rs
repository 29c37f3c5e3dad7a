//! Index files that name packs which are gone give way to new ones. The new ones are durable, and
//! were found to hold every table of a pack that is there, before the first old one goes.

use std::collections::BTreeMap;

use crate::format::index::PackTable;
use crate::ids::PackId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::vault::Inner;
use crate::vault::error::Fault;
use crate::vault::gc::GcError;
use crate::vault::gc::sweep::remove;
use crate::vault::gc::sweep::sync;
use crate::vault::load;
use crate::vault::names;
use crate::vault::session::write_indexes;

/// So many files that each hold little become one.
const SMALL_COUNT_MAX: usize = 32;
const SMALL_ROWS_COUNT: usize = 4096;

/// How many index files went.
pub(super) fn tidy(run: &Run, vault: &Inner) -> Result<u64, GcError> {
    let listed = vault.storage.list(names::INDEX).map_err(GcError::storage)?;
    let mut old: Vec<(BlobName, Vec<PackTable>)> = Vec::new();
    for listed in listed {
        run.check()?;
        match load::read_index(vault, &listed.name)? {
            Ok(tables) => old.push((listed.name, tables)),
            Err(Fault::Missing) => {}
            Err(fault) => return Err(GcError::doubt(listed.name, fault)),
        }
    }
    // After the files: what they name was written before them.
    let packs = load::list_packs(vault)?;
    let rows = |tables: &[PackTable]| tables.iter().map(|table| table.rows.len()).sum::<usize>();
    let is_small = |tables: &[PackTable]| rows(tables) < SMALL_ROWS_COUNT;
    let many = old.iter().filter(|(_, tables)| is_small(tables)).count() > SMALL_COUNT_MAX;
    old.retain(|(_, tables)| {
        let names_gone = tables.iter().any(|table| !packs.contains_key(&table.pack));
        names_gone || many && is_small(tables)
    });
    if old.is_empty() {
        return Ok(0);
    }
    let mut kept: BTreeMap<PackId, PackTable> = BTreeMap::new();
    for (_, tables) in &old {
        for table in tables.iter().filter(|table| packs.contains_key(&table.pack)) {
            kept.entry(table.pack).or_insert_with(|| table.clone());
        }
    }
    let kept: Vec<PackTable> = kept.into_values().collect();
    let mut new = Vec::new();
    write_indexes(run, vault, &kept, &mut |name| new.push(name))?;
    sync(vault)?;
    let mut covered: BTreeMap<PackId, PackTable> = BTreeMap::new();
    for name in &new {
        let tables = load::read_index(vault, name)?;
        let tables = tables.map_err(|fault| GcError::doubt(name, fault))?;
        covered.extend(tables.into_iter().map(|table| (table.pack, table)));
    }
    if let Some(table) = kept.iter().find(|table| covered.get(&table.pack) != Some(table)) {
        let name = names::pack(&table.pack)?;
        return Err(GcError::doubt(name, "the new index does not name it as the old one does"));
    }
    let mut count = 0;
    for (name, _) in old.iter().filter(|(name, _)| !new.contains(name)) {
        count += u64::from(remove(vault, name)?);
    }
    sync(vault)?;
    Ok(count)
}
