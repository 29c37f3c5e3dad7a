//! Which objects are to be written anew, and where a good copy of each lies.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::crypto::blind;
use crate::format::object::ObjectKind;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::format::pack::PACK_MAGIC;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::storage::BlobName;
use crate::vault::Inner;
use crate::vault::Vault;
use crate::vault::error::VaultError;
use crate::vault::load;
use crate::vault::load::absent_or_error;
use crate::vault::locations::Locations;
use crate::vault::locations::Prefix;
use crate::vault::locations::Row;
use crate::vault::locations::prefix_of;
use crate::vault::names;
use crate::vault::repair::RepairError;
use crate::vault::repair::lost::Back;
use crate::vault::scrub::report::Report;

/// A node is kept in so many packs.
const NODE_COPIES: u8 = 2;

/// A good object in a damaged pack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    sid: Sid,
    kind: ObjectKind,
    offset: u32,
    len_bytes: u32,
}

impl Good {
    pub(super) fn prefix(&self) -> Prefix {
        prefix_of(&self.sid)
    }
}

/// Damaged packs with what is good in them, and packs that are missing.
#[derive(Debug, Default)]
pub(super) struct Damaged {
    pub(super) packs: BTreeMap<PackId, Vec<Good>>,
    pub(super) gone: BTreeSet<PackId>,
}

/// An object that is to be written.
#[derive(Debug, Clone)]
pub(super) struct Rescue {
    pub(super) sid: Sid,
    pub(super) kind: ObjectKind,
    pub(super) len_bytes: u32,
    /// Pack and place of a good copy; `None`: in the other storage.
    pub(super) at: Option<(BlobName, u32)>,
    /// Into so many packs.
    pub(super) copies: u8,
}

#[derive(Debug, Default)]
pub(super) struct Salvaged {
    pub(super) rescues: Vec<Rescue>,
    /// Packs that hold good copies already, and so have to stay.
    pub(super) relied: BTreeSet<PackId>,
    /// Whether something that snapshots need comes back from nowhere.
    pub(super) leaves_loss: bool,
}

/// What is found in a damaged pack.
pub(super) struct Contents {
    pub(super) objects: Vec<Good>,
    /// Whether the index or the pack's own table tells its objects apart.
    pub(super) is_told: bool,
}

/// Whether the bytes are those of a pack of the version that we know.
pub(super) fn is_of_version_1(bytes: &[u8]) -> bool {
    bytes.starts_with(PACK_MAGIC) && bytes.ends_with(PACK_MAGIC)
}

/// Every good object of a pack, where the index or its own table says that one is.
pub(super) fn look_through(
    run: &Run,
    vault: &Inner,
    (id, bytes): (&PackId, &[u8]),
) -> Result<Contents, VaultError> {
    let (rows, is_known) = vault.with_locations(run, |locations| {
        let is_own = |row: &&Row| locations.pack(row.pack).is_some_and(|pack| pack.id == *id);
        let rows: Vec<Row> = locations.rows().iter().filter(is_own).copied().collect();
        (rows, locations.knows_pack(id))
    })?;
    let mut found: BTreeMap<u32, Good> = BTreeMap::new();
    for row in &rows {
        run.check()?;
        let good = part(bytes, row.offset, row.len_bytes()).map(blind::sid_of);
        let (Some(sid), Some(kind)) = (good, row.kind()) else { continue };
        if prefix_of(&sid) == row.prefix() {
            let (offset, len_bytes) = (row.offset, row.len_bytes());
            found.insert(offset, Good { sid, kind, offset, len_bytes });
        }
    }
    // The file may be another pack than its name says: then its own table tells more.
    let table = load::open_table(vault, id, bytes, bytes.len() as u64).ok();
    let mut at = PACK_HEAD_BYTES;
    for row in table.iter().flat_map(|table| &table.rows) {
        run.check()?;
        let Ok(offset) = u32::try_from(at) else { break };
        at = at.saturating_add(u64::from(row.len_bytes));
        let own = part(bytes, offset, row.len_bytes);
        if !found.contains_key(&offset) && own.is_some_and(|it| blind::sid_of(it) == row.sid) {
            let (sid, kind, len_bytes) = (row.sid, row.kind, row.len_bytes);
            found.insert(offset, Good { sid, kind, offset, len_bytes });
        }
    }
    let is_told = is_known || table.is_some();
    Ok(Contents { objects: found.into_values().collect(), is_told })
}

fn part(bytes: &[u8], offset: u32, len_bytes: u32) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(len_bytes).ok()?)?)
}

/// What is known of an object that may have to be written.
#[derive(Default, Clone)]
struct Wanted {
    source: Option<(PackId, Good)>,
}

/// Chooses what is to be written: every object of a damaged pack, every node that has lost a copy,
/// of which fewer good copies would be left than it needs.
pub(super) fn choose(
    run: &Run,
    vault: &Vault,
    (report, damaged): (&Report, &Damaged),
    other: Option<(&Vault, &Back)>,
) -> Result<Salvaged, RepairError> {
    let inner = &vault.inner;
    let mut wanted: BTreeMap<Prefix, Wanted> = BTreeMap::new();
    for (pack, objects) in &damaged.packs {
        for good in objects {
            let one = wanted.entry(prefix_of(&good.sid)).or_default();
            one.source = one.source.or(Some((*pack, *good)));
        }
    }
    inner.with_locations(run, |locations| {
        for row in locations.rows() {
            let Some(pack) = locations.pack(row.pack) else { continue };
            let is_gone = damaged.gone.contains(&pack.id) && row.is_node();
            if is_gone || damaged.packs.contains_key(&pack.id) {
                wanted.entry(row.prefix()).or_default();
            }
        }
    })?;
    for sid in report.alone_nodes.iter().chain(&report.lost_objects) {
        wanted.entry(prefix_of(sid)).or_default();
    }
    let mut salvaged = Salvaged::default();
    for (prefix, one) in &wanted {
        run.check()?;
        look_up(run, inner, ((prefix, one), damaged), &mut salvaged)?;
    }
    below(run, vault, (&wanted, damaged), &mut salvaged)?;
    if let Some((other, back)) = other {
        let mut missing: Vec<Sid> = report.lost_objects.iter().copied().collect();
        for manifest in back.values() {
            missing.push(manifest.public.root);
            missing.extend(&manifest.public.capsules);
        }
        fetch(run, (vault, other), (&wanted, damaged, missing), &mut salvaged)?;
    }
    let back: BTreeSet<Sid> = salvaged.rescues.iter().map(|rescue| rescue.sid).collect();
    salvaged.leaves_loss |= !report.lost_objects.iter().all(|sid| back.contains(sid));
    // Neighbours are read together.
    salvaged.rescues.sort_by(|one, two| one.at.cmp(&two.at));
    Ok(salvaged)
}

/// One row with the pack that it lies in.
struct Copy {
    row: Row,
    pack: PackId,
    is_condemned: bool,
}

fn copies_of(locations: &Locations, prefix: Prefix, damaged: &Damaged) -> Vec<Copy> {
    let there = locations.find_prefix(prefix).filter(|row| locations.is_there(row));
    let copies = there.filter_map(|row| {
        let pack = locations.pack(row.pack)?;
        Some(Copy { row, pack: pack.id, is_condemned: pack.is_condemned })
    });
    copies.filter(|copy| !damaged.packs.contains_key(&copy.pack)).collect()
}

/// Counts the good copies that stay, and takes the object if they are too few. Whether there is
/// one.
fn look_up(
    run: &Run,
    vault: &Inner,
    ((prefix, one), damaged): ((&Prefix, &Wanted), &Damaged),
    salvaged: &mut Salvaged,
) -> Result<bool, RepairError> {
    let copies = vault.with_locations(run, |locations| copies_of(locations, *prefix, damaged))?;
    let mut holders = BTreeSet::new();
    let mut good = None;
    if let Some((pack, it)) = &one.source {
        good = Some((it.sid, it.kind, it.len_bytes, (names::pack(pack)?, it.offset)));
    }
    for copy in copies {
        let name = names::pack(&copy.pack)?;
        let mut bytes = vec![0; usize::try_from(copy.row.len_bytes()).unwrap_or_default()];
        let read = vault.storage.read_range(&name, u64::from(copy.row.offset), &mut bytes);
        if absent_or_error(read, copy.row.end())?.is_err() {
            continue;
        }
        let sid = blind::sid_of(&bytes);
        let Some(kind) = copy.row.kind().filter(|_| prefix_of(&sid) == *prefix) else { continue };
        // What a prune has condemned is a source, and nothing to stand on.
        if !copy.is_condemned {
            holders.insert(copy.pack);
        }
        good = good.or(Some((sid, kind, copy.row.len_bytes(), (name, copy.row.offset))));
    }
    let Some((sid, kind, len_bytes, at)) = good else { return Ok(false) };
    let missing = copies_for(kind).saturating_sub(u8::try_from(holders.len()).unwrap_or(u8::MAX));
    salvaged.relied.extend(holders);
    if missing > 0 {
        let at = Some(at);
        salvaged.rescues.push(Rescue { sid, kind, len_bytes, at, copies: missing });
    }
    Ok(true)
}

/// What is below nodes that come back: no check reached it, so nobody told what it lacks. What is
/// no node and not among the wanted has its copy or is lost.
fn below(
    run: &Run,
    vault: &Vault,
    (wanted, damaged): (&BTreeMap<Prefix, Wanted>, &Damaged),
    salvaged: &mut Salvaged,
) -> Result<(), RepairError> {
    let unwatched = run.unwatched();
    let rescued: BTreeSet<Sid> = salvaged.rescues.iter().map(|rescue| rescue.sid).collect();
    let comes_back = |it: &&Rescue| it.kind.is_node() && it.copies == NODE_COPIES;
    let back: Vec<Rescue> = salvaged.rescues.iter().filter(comes_back).cloned().collect();
    let mut stack = Vec::new();
    for rescue in &back {
        let Some((name, offset)) = &rescue.at else { continue };
        let mut node = vec![0; usize::try_from(rescue.len_bytes).unwrap_or_default()];
        let read = vault.inner.storage.read_range(name, u64::from(*offset), &mut node);
        if absent_or_error(read, u64::from(rescue.len_bytes))?.is_ok() {
            stack.extend(vault.children(&rescue.sid, &node).unwrap_or_default());
        }
    }
    let mut seen: BTreeSet<Sid> = back.iter().map(|rescue| rescue.sid).collect();
    while let Some(sid) = stack.pop() {
        run.check()?;
        if !seen.insert(sid) {
            continue;
        }
        let prefix = prefix_of(&sid);
        let (is_node, has_copy) = vault.inner.with_locations(run, |locations| {
            let is_node = locations.find(&sid).any(|row| row.is_node());
            (is_node, !copies_of(locations, prefix, damaged).is_empty())
        })?;
        if !is_node {
            salvaged.leaves_loss |= !has_copy && !rescued.contains(&sid);
            continue;
        }
        if !wanted.contains_key(&prefix) {
            look_up(run, &vault.inner, ((&prefix, &Wanted::default()), damaged), salvaged)?;
        }
        match have(&unwatched, vault, &sid)? {
            Some((_, node)) => stack.extend(vault.children(&sid, &node).unwrap_or_default()),
            None => salvaged.leaves_loss |= !rescued.contains(&sid),
        }
    }
    Ok(())
}

fn copies_for(kind: ObjectKind) -> u8 {
    if kind.is_node() { NODE_COPIES } else { 1 }
}

/// Objects that are lost here and good in the other storage, and what those reach that is not here
/// either: below a lost node nobody knew what is missing. What is here has to stay, and stands as
/// often as it should: below a manifest that comes back no check counted.
fn fetch(
    run: &Run,
    (vault, other): (&Vault, &Vault),
    (wanted, damaged, mut stack): (&BTreeMap<Prefix, Wanted>, &Damaged, Vec<Sid>),
    salvaged: &mut Salvaged,
) -> Result<(), RepairError> {
    let unwatched = run.unwatched();
    let mut seen: BTreeSet<Sid> = BTreeSet::new();
    let known: BTreeSet<Sid> = salvaged.rescues.iter().map(|rescue| rescue.sid).collect();
    while let Some(sid) = stack.pop() {
        run.check()?;
        if !seen.insert(sid) {
            continue;
        }
        let prefix = prefix_of(&sid);
        let kind = vault
            .inner
            .with_locations(run, |locations| locations.find(&sid).find_map(|row| row.kind()))?;
        let is_counted = known.contains(&sid) || wanted.contains_key(&prefix);
        if let (Some(kind), false) = (kind, is_counted) {
            let one = (&prefix, &Wanted::default());
            let is_here = look_up(run, &vault.inner, (one, damaged), salvaged)?;
            if is_here && !kind.is_node() {
                continue;
            }
        }
        let here = have(&unwatched, vault, &sid)?;
        let is_here = here.is_some() || known.contains(&sid);
        let there = if here.is_none() { have(&unwatched, other, &sid)? } else { None };
        let Some((kind, bytes)) = here.or(there) else {
            salvaged.leaves_loss |= !is_here;
            continue;
        };
        if kind.is_node() {
            let children = vault.children(&sid, &bytes);
            stack.extend(children.unwrap_or_default());
        }
        if !is_here {
            let len_bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let copies = copies_for(kind);
            salvaged.rescues.push(Rescue { sid, kind, len_bytes, at: None, copies });
        }
    }
    Ok(())
}

/// A good copy of an object, if there is one.
fn have(run: &Run, vault: &Vault, sid: &Sid) -> Result<Option<(ObjectKind, Vec<u8>)>, VaultError> {
    let kind = vault
        .inner
        .with_locations(run, |locations| locations.find(sid).find_map(|row| row.kind()))?;
    let Some(kind) = kind else { return Ok(None) };
    match vault.read_object(run, sid) {
        Ok(bytes) => Ok(Some((kind, bytes))),
        Err(VaultError::UnknownObject { .. } | VaultError::LostObject { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
