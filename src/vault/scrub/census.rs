//! Every name in storage, and what it belongs to.

use std::collections::BTreeMap;

use crate::format::config::CONFIG_NAMES;
use crate::format::keyring::KEYRING_COPIES;
use crate::format::keyring::KEYRINGS;
use crate::format::ledger::LedgerName;
use crate::format::machine::CUSTODY;
use crate::format::machine::CUSTODY_COPIES;
use crate::format::machine::MACHINE_COPIES;
use crate::format::machine::MACHINES;
use crate::format::recipients::RECIPIENTS;
use crate::format::recipients::RECIPIENTS_COPIES;
use crate::format::slot::SLOTS;
use crate::ids::CondemnedId;
use crate::ids::PackId;
use crate::ids::SessionId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::vault::chains::ChainNames;
use crate::vault::chains::Scope;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::names::Place;
use crate::vault::names::TOMBSTONES;
use crate::vault::notes::NoteNames;
use crate::vault::records;
use crate::vault::scrub::report::Kind;

const SLOT_COPIES: u8 = 2;

/// A small record by the names of its copies, of which at least one is listed.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) kind: Kind,
    pub(super) copies: Vec<BlobName>,
}

/// Every name, sorted into what it belongs to.
#[derive(Debug)]
pub(super) struct Census {
    pub(super) chains: ChainNames,
    pub(super) notes: NoteNames,
    pub(super) packs: BTreeMap<PackId, u64>,
    pub(super) indexes: Vec<BlobName>,
    pub(super) sessions: Vec<(SessionId, BlobName)>,
    pub(super) condemned: Vec<(CondemnedId, BlobName)>,
    /// By the name of the record without its copy's number; `config` first among equals.
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) unknown: Vec<BlobName>,
    /// What repairs took from its place.
    pub(super) quarantined_count: u64,
    pub(super) quarantined_bytes: u64,
}

impl Census {
    /// Lists manifests first: what they need was written before them, so a later listing has it.
    pub(super) fn take(run: &Run, storage: &dyn Storage) -> Result<Self, VaultError> {
        let mut census = Self {
            chains: ChainNames::list_scope(storage, Scope::All)?,
            notes: NoteNames::default(),
            packs: BTreeMap::new(),
            indexes: Vec::new(),
            sessions: Vec::new(),
            condemned: Vec::new(),
            groups: BTreeMap::new(),
            unknown: Vec::new(),
            quarantined_count: 0,
            quarantined_bytes: 0,
        };
        run.check()?;
        for listed in storage.list("")? {
            census.add(&listed.name, listed.len_bytes)?;
        }
        census.indexes.sort_unstable();
        census.sessions.sort_unstable();
        census.condemned.sort_unstable();
        census.unknown.sort_unstable();
        Ok(census)
    }

    fn add(&mut self, name: &BlobName, len_bytes: u64) -> Result<(), VaultError> {
        let text = name.as_str();
        if let Some(pack) = names::parse_pack(name) {
            self.packs.insert(pack, len_bytes);
        } else if names::parse_index(name).is_some() {
            self.indexes.push(name.clone());
        } else if let Some(session) = names::parse_session(name) {
            self.sessions.push((session, name.clone()));
        } else if let Some(id) = names::parse_condemned(name) {
            self.condemned.push((id, name.clone()));
        } else if names::parse_quarantined(name).is_some() {
            self.quarantined_count += 1;
            self.quarantined_bytes += len_bytes;
        } else if let Some((kind, stem, copies)) = record_of(text)? {
            self.groups.entry(stem).or_insert(Group { kind, copies });
        } else if !self.notes.add(name)
            && !is_of_a_chain(name)
            && !is_journal(name)
            && !is_of_the_ledger(name)
        {
            self.unknown.push(name.clone());
        }
        Ok(())
    }
}

/// Journals of repairs are read by whoever undoes one.
fn is_journal(name: &BlobName) -> bool {
    names::parse_repair(name).is_some()
}

/// The ledger is read by whoever holds its keys to account: see the room `evidence`.
fn is_of_the_ledger(name: &BlobName) -> bool {
    LedgerName::parse(name.as_str()).is_some()
}

fn is_of_a_chain(name: &BlobName) -> bool {
    let [first, second] = MANIFESTS;
    [first, second, TOMBSTONES].iter().any(|prefix| Place::parse(prefix, name).is_some())
}

/// What a record is, its name without a copy's number, and the names of its copies.
type Record = (Kind, String, Vec<BlobName>);

/// The record that a name belongs to, if its form is that of one.
pub(in crate::vault) fn record_of(name: &str) -> Result<Option<Record>, VaultError> {
    if CONFIG_NAMES.contains(&name) {
        let copies = CONFIG_NAMES.iter().map(|name| BlobName::new(name));
        let copies = copies.collect::<Result<_, _>>()?;
        return Ok(Some((Kind::Config, "config".to_owned(), copies)));
    }
    let folders = [
        (KEYRINGS, Kind::Keyring, KEYRING_COPIES),
        (RECIPIENTS, Kind::Recipients, RECIPIENTS_COPIES),
        (MACHINES, Kind::Machine, MACHINE_COPIES),
        (CUSTODY, Kind::Custody, CUSTODY_COPIES),
        (SLOTS, Kind::Slot, SLOT_COPIES),
    ];
    let found = folders.iter().find_map(|(folder, kind, copies)| {
        name.strip_prefix(folder).map(|rest| (rest, *kind, *copies))
    });
    let Some((rest, kind, count)) = found else { return Ok(None) };
    let stem = stem_of(name, rest, kind);
    let Some(stem) = stem else { return Ok(None) };
    let copies = match kind {
        Kind::Slot => records::twin_names(&stem, count)?,
        _ => records::numbered_names(&stem, count)?,
    };
    let is_copy = copies.iter().any(|copy| copy.as_str() == name);
    Ok(is_copy.then_some((kind, stem, copies)))
}

/// The name without its copy's number, if what is left has the form of its kind.
fn stem_of(name: &str, rest: &str, kind: Kind) -> Option<String> {
    let is_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_number = |text: &str| text.parse::<i64>().is_ok_and(|n| n.to_string() == text);
    let (stem, bare) = match (kind, rest.rsplit_once('.')) {
        (Kind::Slot, None) => (name, rest),
        (_, Some((bare, copy))) => (name.get(..name.len() - copy.len() - 1)?, bare),
        (_, None) => return None,
    };
    let fits = match kind {
        Kind::Slot => is_hex(bare, 32),
        Kind::Machine => {
            bare.split_once('/').is_some_and(|(id, version)| is_hex(id, 32) && is_number(version))
        }
        _ => bare.rsplit_once('-').is_some_and(|(n, hash)| is_number(n) && is_hex(hash, 16)),
    };
    fits.then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_by_their_names() {
        let id = "ab".repeat(16);
        let of = |name: &str| record_of(name).unwrap().map(|(kind, stem, _)| (kind, stem));
        let cases = [
            ("config.1".to_owned(), Kind::Config, "config".to_owned()),
            (format!("slots/{id}"), Kind::Slot, format!("slots/{id}")),
            (format!("slots/{id}.1"), Kind::Slot, format!("slots/{id}")),
            (
                "keyring/1-0123456789abcdef.2".into(),
                Kind::Keyring,
                "keyring/1-0123456789abcdef".into(),
            ),
            (format!("machines/{id}/1.0"), Kind::Machine, format!("machines/{id}/1")),
        ];
        for (name, kind, stem) in cases {
            assert_eq!(of(&name), Some((kind, stem)), "{name}");
        }
        for name in [
            "config.3",
            "slots/ab",
            &format!("slots/{id}.2"),
            &format!("slots/{id}.0"),
            "keyring/1-0123456789abcdef",
            "keyring/01-0123456789abcdef.0",
            &format!("machines/{id}.0"),
            "trash/x",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
