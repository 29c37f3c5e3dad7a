//! A repair taken back: what lies in quarantine gets its name again, and what was added goes,
//! unless something relies on it by now.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

use crate::crypto::blind;
use crate::crypto::sign::VerifyingKey;
use crate::format::repair::RepairStep;
use crate::format::wire::FormatError;
use crate::ids::BlobId;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::storage::Alone;
use crate::storage::BlobName;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::gc;
use crate::vault::gc::condemned::Condemned;
use crate::vault::gc::condemned::Stored;
use crate::vault::gc::set_aside;
use crate::vault::load;
use crate::vault::load::absent_or_error;
use crate::vault::locations::Prefix;
use crate::vault::locations::prefix_of;
use crate::vault::names;
use crate::vault::repair::RepairError;
use crate::vault::repair::UndoReport;
use crate::vault::repair::apply::announce;
use crate::vault::repair::apply::still_hold;
use crate::vault::repair::apply::withdraw;
use crate::vault::repair::create;
use crate::vault::repair::id_of;
use crate::vault::repair::journal;
use crate::vault::repair::journal::Read;
use crate::vault::repair::read;
use crate::vault::repair::remove;
use crate::vault::repair::salvage;

/// A blob that is to have its name again.
struct Returned {
    name: BlobName,
    id: BlobId,
}

/// A blob that the repair added and that is there.
struct Added {
    name: BlobName,
    /// What it is a copy of.
    from: Option<BlobName>,
    id: BlobId,
}

/// The way back.
struct Way {
    journal: Read,
    /// What is not under its name now.
    returned: Vec<Returned>,
    /// What is there of what was added.
    added: Vec<Added>,
    /// Everything that this journal moved.
    moved: BTreeSet<BlobId>,
    /// The packs among it, also those that were never moved because the repair died before.
    packs: BTreeSet<PackId>,
    /// Whether some object of an added pack would be lost.
    loses: bool,
}

impl Vault {
    /// What taking back the newest repair would do.
    pub fn plan_undo(&self, run: &Run, admins: &[VerifyingKey]) -> Result<UndoReport, RepairError> {
        let way = find(run, self, admins)?;
        Ok(told(&way))
    }

    /// Takes back the newest repair that an administrator has signed. When it fails or is killed,
    /// the next one goes on.
    pub fn undo_repair(
        &self,
        run: &Run,
        admins: &[VerifyingKey],
    ) -> Result<UndoReport, RepairError> {
        let way = find(run, self, admins)?;
        let vault = &*self.inner;
        no_prune(run, vault)?;
        // Packs and index files first: nothing that stands on an added pack loses it.
        for returned in way.returned.iter().filter(|it| is_unique(&it.name)) {
            bring_back(run, vault, returned)?;
        }
        vault.storage.sync()?;
        let packs: Vec<PackId> =
            way.added.iter().filter_map(|added| names::parse_pack(&added.name)).collect();
        let (own, _) = announce(vault, &packs)?;
        let exchanged = exchange(run, vault, &way, &own);
        self.refresh();
        let ended = withdraw(vault, &own, &exchanged);
        exchanged?;
        ended?;
        vault.storage.sync()?;
        forget(vault, &way)?;
        Ok(told(&way))
    }
}

/// Where the medium knows no turns, a prune that has begun may still remove, under its old name,
/// what comes back here.
fn no_prune(run: &Run, vault: &Inner) -> Result<(), RepairError> {
    if !matches!(vault.storage.try_alone()?, Alone::Unknown) {
        return Ok(());
    }
    let records = Condemned::read(&run.unwatched(), vault)?.records;
    let is_prune = |it: &Stored| it.record.packs.is_empty() && it.record.snapshots.is_empty();
    if records.iter().any(is_prune) { Err(RepairError::PruneAtWork) } else { Ok(()) }
}

fn told(way: &Way) -> UndoReport {
    UndoReport {
        repair: way.journal.id.to_string(),
        returned_count: way.returned.len() as u64,
        removed_count: way.added.len() as u64,
    }
}

/// Whether the name tells the hash of what belongs there, so that nothing else ever comes to it.
fn is_unique(name: &BlobName) -> bool {
    names::parse_pack(name).is_some() || names::parse_index(name).is_some()
}

fn find(run: &Run, vault: &Vault, admins: &[VerifyingKey]) -> Result<Way, RepairError> {
    vault.refresh();
    let inner = &*vault.inner;
    let newest = journal::list(inner)?.pop().ok_or(RepairError::NothingToUndo)?;
    let journal = journal::read(inner, newest, admins)?;
    let (mut returned, mut added, mut moved) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut packs = BTreeSet::new();
    let mut copies: BTreeMap<BlobName, BlobId> = BTreeMap::new();
    for step in &journal.steps {
        if let RepairStep::Added { name, from, hash } = step {
            run.check()?;
            let name = BlobName::new(name)?;
            let from = if from.is_empty() { None } else { Some(BlobName::new(from)?) };
            copies.insert(name.clone(), *hash);
            if read(inner, &name)?.is_some_and(|bytes| id_of(&bytes) == *hash) {
                added.push(Added { name, from, id: *hash });
            }
        }
    }
    for step in &journal.steps {
        if let RepairStep::Moved { name, hash } = step {
            run.check()?;
            moved.insert(*hash);
            let name = BlobName::new(name)?;
            packs.extend(names::parse_pack(&name));
            match read(inner, &name)?.map(|bytes| id_of(&bytes)) {
                Some(found) if found == *hash => continue,
                Some(found) if copies.get(&name) != Some(&found) => {
                    let why = "something else lies under this name by now".to_owned();
                    return Err(RepairError::Relied { name: name.to_string(), why });
                }
                _ => {}
            }
            let returns = Returned { name, id: *hash };
            set_aside(inner, &returns)?;
            returned.push(returns);
        }
    }
    for copy in &added {
        let Some(from) = &copy.from else { continue };
        if read(inner, from)?.is_none_or(|bytes| id_of(&bytes) != copy.id) {
            let why = format!("it is the only good copy by now, `{from}` is none");
            return Err(RepairError::Relied { name: copy.name.to_string(), why });
        }
    }
    let mut way = Way { journal, returned, added, moved, packs, loses: false };
    way.loses = loses(run, vault, &way)?;
    if way.loses {
        no_new_snapshot(inner, &way)?;
    }
    Ok(way)
}

/// A snapshot that was made after the repair may rely on what only an added pack holds.
fn no_new_snapshot(vault: &Inner, way: &Way) -> Result<(), RepairError> {
    let brought = journal::brought(&way.journal.steps);
    if journal::snapshots_now(vault, &brought)? == way.journal.manifests {
        return Ok(());
    }
    let why = "only this repair's packs hold some objects, and snapshots came or went since";
    Err(RepairError::Relied { name: way.journal.id.to_string(), why: why.to_owned() })
}

/// Whether an added pack holds an object of which no good copy would be left.
fn loses(run: &Run, vault: &Vault, way: &Way) -> Result<bool, RepairError> {
    let inner = &*vault.inner;
    let packs: BTreeSet<PackId> =
        way.added.iter().filter_map(|added| names::parse_pack(&added.name)).collect();
    let mut kept: HashSet<Prefix> = HashSet::new();
    for returned in &way.returned {
        let Some(id) = names::parse_pack(&returned.name) else { continue };
        let Some(bytes) = read(inner, &names::quarantined(&returned.id)?)? else { continue };
        let found = salvage::look_through(run, inner, (&id, &bytes))?;
        kept.extend(found.objects.iter().map(salvage::Good::prefix));
    }
    let listed = load::list_packs(inner)?;
    for pack in &packs {
        let Some(len_bytes) = listed.get(pack) else { continue };
        let Ok(table) = load::read_table(inner, pack, *len_bytes)? else { continue };
        for row in &table.rows {
            run.check()?;
            let is_kept = kept.contains(&prefix_of(&row.sid));
            if !is_kept && !is_elsewhere(run, vault, (&row.sid, &packs))? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a good copy lies in another pack than these.
fn is_elsewhere(
    run: &Run,
    vault: &Vault,
    (sid, packs): (&Sid, &BTreeSet<PackId>),
) -> Result<bool, RepairError> {
    let inner = &*vault.inner;
    let copies = inner.with_locations(run, |locations| {
        let there = locations.find(sid).filter(|row| locations.is_there(row));
        let named = there.filter_map(|row| Some((row, locations.pack(row.pack)?.id)));
        named.filter(|(_, pack)| !packs.contains(pack)).collect::<Vec<_>>()
    })?;
    for (row, pack) in copies {
        let mut bytes = vec![0; usize::try_from(row.len_bytes()).unwrap_or_default()];
        let name = names::pack(&pack)?;
        let read = inner.storage.read_range(&name, u64::from(row.offset), &mut bytes);
        if absent_or_error(read, row.end())?.is_ok() && blind::sid_of(&bytes) == *sid {
            return Ok(true);
        }
    }
    Ok(false)
}

fn bring_back(run: &Run, vault: &Inner, returned: &Returned) -> Result<(), RepairError> {
    run.check()?;
    create(vault, &returned.name, &set_aside(vault, returned)?)
}

/// The bytes that come back.
fn set_aside(vault: &Inner, returned: &Returned) -> Result<Vec<u8>, RepairError> {
    let name = || returned.name.to_string();
    match read(vault, &names::quarantined(&returned.id)?)? {
        Some(bytes) if id_of(&bytes) == returned.id => Ok(bytes),
        Some(_) => Err(RepairError::QuarantineLost { name: name() }),
        None => Err(RepairError::QuarantineEmptied { name: name() }),
    }
}

fn exchange(run: &Run, vault: &Inner, way: &Way, own: &[Stored]) -> Result<(), RepairError> {
    let _alone = gc::wait_alone(run, vault)?;
    still_hold(run, vault, &way.packs, own)?;
    if way.loses {
        no_new_snapshot(vault, way)?;
    }
    // A prune may have taken it meanwhile; from here on none does.
    let records = || way.returned.iter().filter(|it| !is_unique(&it.name));
    records().try_for_each(|returned| set_aside(vault, returned).map(drop))?;
    for added in &way.added {
        run.check()?;
        remove(vault, &added.name)?;
    }
    vault.storage.sync()?;
    records().try_for_each(|returned| bring_back(run, vault, returned))?;
    Ok(vault.storage.sync()?)
}

/// What lay in quarantine has its name again; then the journal goes, its first record last.
fn forget(vault: &Inner, way: &Way) -> Result<(), RepairError> {
    let mut kept = BTreeSet::new();
    for names in journal::list(vault)? {
        if names == way.journal.names {
            continue;
        }
        // Of a journal that cannot be read nobody knows what it has in quarantine.
        for name in names {
            let moved = set_aside::moved_by(vault, &name)?;
            let wrong = |why: FormatError| RepairError::Journal { name, why: why.to_string() };
            kept.extend(moved.map_err(wrong)?);
        }
    }
    for id in way.moved.difference(&kept) {
        remove(vault, &names::quarantined(id)?)?;
    }
    vault.storage.sync()?;
    for name in way.journal.names.iter().rev() {
        remove(vault, name)?;
    }
    Ok(vault.storage.sync()?)
}
