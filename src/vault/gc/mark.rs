//! What is needed: everything that some snapshot reaches that stands, or was removed a short time
//! ago, or that a backup at work builds on.

use std::collections::BTreeSet;

use crate::crypto::blind;
use crate::format::session;
use crate::format::session::SESSION_BYTES_MAX;
use crate::format::session::SESSION_KIND;
use crate::format::session::SessionRecord;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::chains::ChainFinding;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc::Asking;
use crate::vault::gc::GcError;
use crate::vault::gc::condemned::Condemned;
use crate::vault::load;
use crate::vault::load::whole_or_error;
use crate::vault::locations::Row;
use crate::vault::names;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;
use crate::vault::session::SESSION_MS_MAX;

/// A date so far ahead of the storage's own time is a clock that went back.
const AHEAD_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// Who is at work.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Sessions whose lease holds.
    pub open_count: u64,
    /// What sessions build on that may still come back.
    parents: BTreeSet<SnapshotId>,
    /// Whether one cannot be read, so that it may build on anything.
    any_unread: bool,
}

/// Everything at one time, and what of it is needed.
#[derive(Debug)]
pub(super) struct Mark {
    pub sessions: Sessions,
    pub condemned: Condemned,
    pub manifests: BTreeSet<Place>,
    pub tombstones: BTreeSet<Place>,
    pub packs: BTreeSet<PackId>,
    /// Removed so long ago that nothing is kept for them.
    pub given_up: Vec<Place>,
    /// Removed a short time ago.
    pub in_trash_count: u64,
    pub snapshots_count: u64,
    /// What is wrong with the chains, and hinders nothing.
    pub healable: Vec<ChainFinding>,
    /// By number of row, the first of each object.
    pub reached: Vec<bool>,
}

impl Sessions {
    pub(super) fn list(vault: &Inner, now: Timestamp) -> Result<Self, GcError> {
        let mut sessions = Self::default();
        for listed in vault.storage.list(names::SESSIONS)? {
            let name = listed.name;
            let Some(created) = date_of(vault, &name)? else { continue };
            let age_ms = age(now, created, &name)?;
            if age_ms > SESSION_MS_MAX {
                continue;
            }
            sessions.open_count += u64::from(age_ms <= vault.options.lease_ms);
            match read(vault, &name)? {
                Ok(record) => sessions.parents.extend(record.parent),
                // Renewed or closed since the listing: the list is read again, later.
                Err(Fault::Missing) => sessions.open_count += 1,
                Err(_) => sessions.any_unread = true,
            }
        }
        Ok(sessions)
    }

    fn may_need(&self, id: &SnapshotId) -> bool {
        self.any_unread || self.parents.contains(id)
    }
}

/// When a blob was made; none if it is gone.
pub(super) fn date_of(vault: &Inner, name: &BlobName) -> Result<Option<Timestamp>, VaultError> {
    match vault.storage.stat(name) {
        Ok(stat) => Ok(Some(stat.created)),
        Err(error) if error.kind == StorageErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How old something is by the storage's clock.
pub(super) fn age(now: Timestamp, created: Timestamp, name: &BlobName) -> Result<i64, GcError> {
    let age_ms = now.ms_since(created);
    if age_ms < -AHEAD_MS_MAX {
        let why = format!("went back: `{name}` is dated {} ms ahead of it", -age_ms);
        return Err(GcError::Clock { why });
    }
    Ok(age_ms)
}

fn read(vault: &Inner, name: &BlobName) -> Result<Result<SessionRecord, Fault>, VaultError> {
    let read = vault.storage.read(name, SESSION_BYTES_MAX);
    let file = match whole_or_error(read, SESSION_BYTES_MAX)? {
        Ok(file) => file,
        Err(fault) => return Ok(Err(fault)),
    };
    let Some(id) = names::parse_session(name) else { return Ok(Err(Fault::Hash)) };
    let open = || -> Result<SessionRecord, Fault> {
        let (generation, sealed) = session::split(&file)?;
        let repository = vault.keys.repository();
        let place = blind::Place { kind: SESSION_KIND, repository, name: id.as_bytes() };
        Ok(SessionRecord::decode(&blind::open_box(vault.keys.get(generation)?, place, sealed)?)?)
    };
    Ok(open())
}

/// Lists sessions, records, manifests, packs, in this order, and marks. Whatever is in doubt ends
/// it: nothing is deleted then.
pub(super) fn mark(
    run: &Run,
    vault: &Inner,
    asking: &Asking<'_>,
    now: Timestamp,
) -> Result<Mark, GcError> {
    let sessions = Sessions::list(vault, now)?;
    let condemned = Condemned::read(run, vault)?;
    let names = ChainNames::list_scope(&*vault.storage, Scope::All)?;
    let found = vault.shelf().manifests(run, &names, Copies::First, asking.verifier)?;
    if let Some(finding) = found.findings.iter().find(|finding| !finding.is_healable()) {
        return Err(GcError::doubt(finding.subject(), finding));
    }
    for head in &asking.options.heads {
        if !names.holds(head) {
            return Err(GcError::doubt(head, "this machine made it, and it is gone"));
        }
    }
    let mut roots: Vec<_> =
        found.manifests.iter().map(|stored| stored.manifest.public.clone()).collect();
    let snapshots_count = roots.len() as u64;
    let mut given_up = Vec::new();
    let mut in_trash_count = 0;
    for place in names.places().filter(|place| names.removed().contains(place)) {
        run.check()?;
        let name = place.name(TOMBSTONES)?;
        let Some(created) = date_of(vault, &name)? else {
            return Err(GcError::doubt(name, "its removal is being taken back"));
        };
        let age_ms = age(now, created, &name)?;
        if age_ms >= asking.options.grace_ms && !sessions.may_need(&place.id) {
            given_up.push(*place);
        } else if let Some(manifest) = vault.read_manifest_at(place)? {
            in_trash_count += 1;
            roots.push(manifest.public);
        }
    }
    load_index(run, vault)?;
    let packs = vault.with_locations(run, |locations| {
        locations.packs().iter().filter(|pack| pack.is_present).map(|pack| pack.id).collect()
    })?;
    let mut reached = Vec::new();
    for public in &roots {
        let tops = std::iter::once(public.root).chain(public.capsules.iter().copied());
        walk(run, vault, tops.collect(), &mut reached)?;
    }
    Ok(Mark {
        sessions,
        condemned,
        manifests: names.places().copied().collect(),
        tombstones: names.removed().clone(),
        packs,
        given_up,
        in_trash_count,
        snapshots_count,
        healable: found.findings,
        reached,
    })
}

/// Reads the index. What cannot be read of it, or lies there with another length, is in doubt.
fn load_index(run: &Run, vault: &Inner) -> Result<(), GcError> {
    let mut bad = None;
    // Two of them would be twice the memory.
    vault.forget_locations();
    let locations = load::load_telling(run, vault, &mut |name, fault| {
        bad.get_or_insert_with(|| GcError::doubt(name, fault));
    })?;
    if let Some(bad) = bad {
        return Err(bad);
    }
    for pack in locations.packs() {
        if let Some(found_bytes) = pack.found_bytes.filter(|bytes| *bytes != pack.len_bytes) {
            let fault = Fault::Length { expected_bytes: pack.len_bytes, found_bytes };
            return Err(GcError::doubt(names::pack(&pack.id)?, fault));
        }
    }
    vault.replace_locations(locations);
    Ok(())
}

fn walk(
    run: &Run,
    vault: &Inner,
    mut stack: Vec<Sid>,
    reached: &mut Vec<bool>,
) -> Result<(), GcError> {
    while let Some(sid) = stack.pop() {
        run.check()?;
        let (number, is_node) = vault.with_locations(run, |locations| {
            reached.resize(locations.rows().len(), false);
            let (number, rows) = locations.loaded(&sid);
            let is_there = rows.iter().any(|row| locations.is_present(row.pack));
            (is_there.then_some(number), rows.iter().any(Row::is_node))
        })?;
        let mark = number.and_then(|number| reached.get_mut(number));
        let Some(mark) = mark else {
            return Err(GcError::doubt(sid, "a snapshot needs this object, and no pack has it"));
        };
        if std::mem::replace(mark, true) || !is_node {
            continue;
        }
        let node = read_node(run, vault, &sid)?;
        let children = vault.open_children(&node);
        stack.extend(children.map_err(|fault| GcError::doubt(sid, fault))?);
    }
    Ok(())
}

fn read_node(run: &Run, vault: &Inner, sid: &Sid) -> Result<Vec<u8>, GcError> {
    let mut worst = Fault::Missing;
    for (row, name) in vault.rows_of(run, sid)? {
        match vault.read_copy(run, &row, &name, sid)? {
            Ok(node) => return Ok(node),
            Err(fault) => worst = fault,
        }
    }
    Err(GcError::doubt(sid, worst))
}
