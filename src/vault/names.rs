//! Names of the vault's blobs, made and read.

use crate::crypto::blind;
use crate::format::note::NOTES_COUNT_MAX;
use crate::ids::BlobId;
use crate::ids::CondemnedId;
use crate::ids::IndexId;
use crate::ids::MachineId;
use crate::ids::NoteId;
use crate::ids::PackId;
use crate::ids::RepairId;
use crate::ids::SessionId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::storage::BlobName;
use crate::storage::BlobNameError;
use crate::storage::layer::kept::Keeping;

pub(in crate::vault) const PACKS: &str = "packs/";
pub(in crate::vault) const INDEX: &str = "index/";
pub(in crate::vault) const SESSIONS: &str = "sessions/";
/// Records of what is about to go.
pub(in crate::vault) const CONDEMNED: &str = "condemned/";
/// Both copies of the manifests.
pub(in crate::vault) const MANIFESTS: [&str; 2] = ["manifests/", "manifests.2/"];
/// What a repair took from its place, by the hash of its bytes.
pub(in crate::vault) const QUARANTINE: &str = "quarantine/";
/// Journals of repairs.
pub(in crate::vault) const REPAIRS: &str = "repairs/";
pub(in crate::vault) const TOMBSTONES: &str = "tombstones/";
/// Both copies of the notes.
pub(in crate::vault) const NOTES: [&str; 2] = ["notes/", "notes.2/"];

/// A machine's source: what forms a chain of snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain {
    pub machine: MachineId,
    pub source: SourceId,
}

/// Place of a snapshot: chain, number in it, id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub chain: Chain,
    pub seq: u64,
    pub id: SnapshotId,
}

/// Place of a note: its snapshot, number among the notes of that, id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotePlace {
    pub snapshot: Place,
    pub number: u32,
    pub id: NoteId,
}

impl Chain {
    /// The folder of this chain below `prefix`, one of [`MANIFESTS`] or [`TOMBSTONES`].
    pub(in crate::vault) fn prefix(&self, prefix: &str) -> String {
        format!("{prefix}{}/{}/", self.machine, self.source)
    }
}

impl Place {
    pub(in crate::vault) fn name(&self, prefix: &str) -> Result<BlobName, BlobNameError> {
        BlobName::new(&format!("{}{}-{}", self.chain.prefix(prefix), self.seq, self.id))
    }

    /// The inverse of `Display`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::parse("", &BlobName::new(text).ok()?)
    }

    /// The inverse of [`Self::name`].
    pub(in crate::vault) fn parse(prefix: &str, name: &BlobName) -> Option<Self> {
        let mut parts = name.as_str().strip_prefix(prefix)?.split('/');
        let machine = parts.next()?.parse().ok()?;
        let source = parts.next()?.parse().ok()?;
        let (seq, id) = parts.next()?.split_once('-')?;
        let place =
            Self { chain: Chain { machine, source }, seq: seq.parse().ok()?, id: id.parse().ok()? };
        // One place has one name: no leading zero, no plus sign, no further component.
        (place.name(prefix).ok()? == *name).then_some(place)
    }
}

impl NotePlace {
    /// The folder of a snapshot's notes below `prefix`, one of [`NOTES`].
    pub(in crate::vault) fn folder(prefix: &str, snapshot: &Place) -> String {
        format!("{}{}-{}/", snapshot.chain.prefix(prefix), snapshot.seq, snapshot.id)
    }

    pub(in crate::vault) fn name(&self, prefix: &str) -> Result<BlobName, BlobNameError> {
        let folder = Self::folder(prefix, &self.snapshot);
        BlobName::new(&format!("{folder}{}-{}", self.number, self.id))
    }

    /// The inverse of [`Self::name`].
    pub(in crate::vault) fn parse(prefix: &str, name: &BlobName) -> Option<Self> {
        let (snapshot, note) = name.as_str().strip_prefix(prefix)?.rsplit_once('/')?;
        let snapshot = Place::from_text(snapshot)?;
        let (number, id) = note.split_once('-')?;
        let number = number.parse().ok().filter(|n| (1..=NOTES_COUNT_MAX).contains(n))?;
        let place = Self { snapshot, number, id: id.parse().ok()? };
        (place.name(prefix).ok()? == *name).then_some(place)
    }
}

pub(in crate::vault) fn pack(id: &PackId) -> Result<BlobName, BlobNameError> {
    let text = id.to_string();
    BlobName::new(&format!("{PACKS}{}/{text}", text.get(..2).unwrap_or_default()))
}

pub(in crate::vault) fn parse_pack(name: &BlobName) -> Option<PackId> {
    let id = name.as_str().strip_prefix(PACKS)?.split_once('/')?.1.parse().ok()?;
    (pack(&id).ok()? == *name).then_some(id)
}

pub(in crate::vault) fn index(id: &IndexId) -> Result<BlobName, BlobNameError> {
    BlobName::new(&format!("{INDEX}{id}"))
}

pub(in crate::vault) fn parse_index(name: &BlobName) -> Option<IndexId> {
    name.as_str().strip_prefix(INDEX)?.parse().ok()
}

/// Whether bytes are those that a name tells by their hash; none if it tells of no hash.
#[must_use]
pub fn is_genuine(name: &BlobName, bytes: &[u8]) -> Option<bool> {
    let pack = || parse_pack(name).map(|id| *id.as_bytes());
    let index = || parse_index(name).map(|id| *id.as_bytes());
    let manifest = || {
        let places = MANIFESTS.iter().filter_map(|prefix| Place::parse(prefix, name));
        places.map(|place| *place.id.as_bytes()).next()
    };
    let told = pack().or_else(index).or_else(manifest)?;
    Some(told == blind::hash(bytes))
}

/// How index files are kept on a machine that has read them.
pub const KEEPING: Keeping = Keeping {
    prefix: INDEX,
    is_genuine: |name, file| {
        parse_index(name).is_some_and(|id| *id.as_bytes() == blind::hash(file))
    },
};

/// The record of a session; renewals are numbered from 1.
pub(in crate::vault) fn session(
    id: &SessionId,
    renewal_count: u64,
) -> Result<BlobName, BlobNameError> {
    BlobName::new(&format!("{SESSIONS}{id}.{renewal_count}"))
}

/// The inverse of [`session`].
pub(in crate::vault) fn parse_session(name: &BlobName) -> Option<SessionId> {
    let (id, renewal) = name.as_str().strip_prefix(SESSIONS)?.split_once('.')?;
    let (id, renewal) = (id.parse().ok()?, renewal.parse().ok()?);
    (session(&id, renewal).ok()? == *name).then_some(id)
}

/// The record of what one prune condemns.
pub(in crate::vault) fn condemned(id: &CondemnedId) -> Result<BlobName, BlobNameError> {
    BlobName::new(&format!("{CONDEMNED}{id}"))
}

/// The inverse of [`condemned`].
pub(in crate::vault) fn parse_condemned(name: &BlobName) -> Option<CondemnedId> {
    name.as_str().strip_prefix(CONDEMNED)?.parse().ok()
}

/// A blob in quarantine.
pub(in crate::vault) fn quarantined(id: &BlobId) -> Result<BlobName, BlobNameError> {
    BlobName::new(&format!("{QUARANTINE}{id}"))
}

/// The inverse of [`quarantined`].
pub(in crate::vault) fn parse_quarantined(name: &BlobName) -> Option<BlobId> {
    name.as_str().strip_prefix(QUARANTINE)?.parse().ok()
}

/// A part of the journal of a repair.
pub(in crate::vault) fn repair(id: &RepairId, number: u32) -> Result<BlobName, BlobNameError> {
    BlobName::new(&format!("{REPAIRS}{id}.{number}"))
}

/// The inverse of [`repair`].
pub(in crate::vault) fn parse_repair(name: &BlobName) -> Option<(RepairId, u32)> {
    let (id, number) = name.as_str().strip_prefix(REPAIRS)?.split_once('.')?;
    let (id, number) = (id.parse().ok()?, number.parse().ok()?);
    (repair(&id, number).ok()? == *name).then_some((id, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_made_and_only_so() {
        let id = PackId::new([0xab; 32]);
        assert_eq!(parse_pack(&pack(&id).unwrap()), Some(id));
        let misplaced = format!("packs/cd/{id}");
        assert_eq!(parse_pack(&BlobName::new(&misplaced).unwrap()), None);
        let chain = Chain { machine: MachineId::new([1; 16]), source: SourceId::new([2; 16]) };
        let place = Place { chain, seq: 7, id: SnapshotId::new([3; 32]) };
        let name = place.name(MANIFESTS[1]).unwrap();
        assert_eq!(Place::parse(MANIFESTS[1], &name), Some(place));
        assert_eq!(Place::parse(MANIFESTS[0], &name), None);
        for odd in [name.as_str().replace("/7-", "/07-"), format!("{name}/x")] {
            assert_eq!(Place::parse(MANIFESTS[1], &BlobName::new(&odd).unwrap()), None);
        }
        // The longest of all names.
        let place = Place { seq: u64::MAX, ..place };
        let note = NotePlace { snapshot: place, number: 1024, id: NoteId::new([4; 16]) };
        let name = note.name(NOTES[1]).unwrap();
        assert_eq!(NotePlace::parse(NOTES[1], &name), Some(note));
        assert_eq!(NotePlace::parse(NOTES[0], &name), None);
        for odd in [name.as_str().replace("/1024-", "/01024-"), format!("{name}0")] {
            let odd = BlobName::new(&odd);
            assert!(odd.is_err() || NotePlace::parse(NOTES[1], &odd.unwrap()).is_none());
        }
    }
}
