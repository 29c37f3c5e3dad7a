//! Records of what is about to go.

use std::collections::BTreeSet;

use crate::crypto::blind;
use crate::crypto::blind::Place as BoxPlace;
use crate::format::condemned;
use crate::format::condemned::CONDEMNED_BYTES_MAX;
use crate::format::condemned::CONDEMNED_KIND;
use crate::format::condemned::CONDEMNED_PACKS_COUNT_MAX;
use crate::format::condemned::CONDEMNED_SNAPSHOTS_COUNT_MAX;
use crate::format::condemned::CondemnedRecord;
use crate::format::condemned::GivenUp;
use crate::ids::CondemnedId;
use crate::ids::PackId;
use crate::ids::SnapshotId;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load::whole_or_error;
use crate::vault::names;
use crate::vault::names::Chain;
use crate::vault::names::Place;

/// One record with its name.
#[derive(Debug, Clone)]
pub(in crate::vault) struct Stored {
    pub name: BlobName,
    pub record: CondemnedRecord,
}

/// Every record at one time.
#[derive(Debug, Clone, Default)]
pub(in crate::vault) struct Condemned {
    pub records: Vec<Stored>,
}

impl Condemned {
    /// Lists and reads all records. One that is bad twice in the same way is bad where it lies:
    /// nobody can delete anything for it, so it counts for nothing.
    pub(in crate::vault) fn read(run: &Run, vault: &Inner) -> Result<Self, VaultError> {
        let mut names: Vec<BlobName> =
            vault.storage.list(names::CONDEMNED)?.into_iter().map(|listed| listed.name).collect();
        names.sort_unstable();
        let mut records = Vec::new();
        for name in names {
            let Some(id) = names::parse_condemned(&name) else { continue };
            match read_one(vault, &name, &id)? {
                (Ok(record), _) => records.push(Stored { name, record }),
                (Err(Fault::Missing), _) => {}
                (Err(_), first) => match read_one(vault, &name, &id)? {
                    (Ok(record), _) => records.push(Stored { name, record }),
                    (Err(Fault::Missing), _) => {}
                    (Err(fault), second) if first == second => {
                        let message = format!("{fault}; nothing is deleted for it");
                        run.problem(&Problem::healable(name.as_str(), message));
                    }
                    (Err(fault), _) => return Err(VaultError::Record { name, fault }),
                },
            }
        }
        Ok(Self { records })
    }

    pub(in crate::vault) fn packs(&self) -> BTreeSet<PackId> {
        self.records.iter().flat_map(|stored| stored.record.packs.iter().copied()).collect()
    }

    /// Whether the manifest of this snapshot is about to go.
    pub(in crate::vault) fn gives_up(&self, id: &SnapshotId) -> bool {
        let mut given_up = self.records.iter().flat_map(|stored| &stored.record.snapshots);
        given_up.any(|given_up| given_up.snapshot == *id)
    }
}

/// A record, or what is wrong with it, and the bytes that were read.
type Read = (Result<CondemnedRecord, Fault>, Vec<u8>);

fn read_one(vault: &Inner, name: &BlobName, id: &CondemnedId) -> Result<Read, VaultError> {
    let read = vault.storage.read(name, CONDEMNED_BYTES_MAX);
    Ok(match whole_or_error(read, CONDEMNED_BYTES_MAX)? {
        Ok(file) => (open(vault, id, &file), file),
        Err(fault) => (Err(fault), Vec::new()),
    })
}

/// Opens the file of a record.
pub(in crate::vault) fn open(
    vault: &Inner,
    id: &CondemnedId,
    file: &[u8],
) -> Result<CondemnedRecord, Fault> {
    let (generation, sealed) = condemned::split(file)?;
    let repository = vault.keys.repository();
    let place = BoxPlace { kind: CONDEMNED_KIND, repository, name: id.as_bytes() };
    let body = blind::open_box(vault.keys.get(generation)?, place, sealed)?;
    let record = CondemnedRecord::decode(&body)?;
    if record.id == *id { Ok(record) } else { Err(Fault::Misplaced { field: "record" }) }
}

/// Writes records of these packs and snapshots; as many as are needed. Durable once this returns.
pub(in crate::vault) fn write(
    vault: &Inner,
    packs: &[PackId],
    snapshots: &[Place],
) -> Result<Vec<Stored>, VaultError> {
    let mut packs = packs.chunks(CONDEMNED_PACKS_COUNT_MAX);
    let mut snapshots = snapshots.chunks(CONDEMNED_SNAPSHOTS_COUNT_MAX);
    let mut written = Vec::new();
    loop {
        let (some_packs, some_snapshots) = (packs.next(), snapshots.next());
        if some_packs.is_none() && some_snapshots.is_none() {
            break;
        }
        let given_up = some_snapshots.unwrap_or_default().iter().map(given_up).collect();
        let packs = some_packs.unwrap_or_default().to_vec();
        written.push(create(vault, packs, given_up)?);
    }
    vault.storage.sync()?;
    Ok(written)
}

/// A record that names nothing: its date is the storage's time.
pub(in crate::vault) fn probe(vault: &Inner) -> Result<(Stored, Timestamp), VaultError> {
    let stored = create(vault, Vec::new(), Vec::new())?;
    let now = vault.storage.stat(&stored.name)?.created;
    Ok((stored, now))
}

fn create(
    vault: &Inner,
    packs: Vec<PackId>,
    snapshots: Vec<GivenUp>,
) -> Result<Stored, VaultError> {
    let id = CondemnedId::new(blind::random_id()?);
    let record = CondemnedRecord { id, packs, snapshots };
    let (generation, key) = vault.keys.newest();
    let repository = vault.keys.repository();
    let place = BoxPlace { kind: CONDEMNED_KIND, repository, name: id.as_bytes() };
    let sealed = blind::seal_box(key, place, &record.encode()?)?;
    let name = names::condemned(&id)?;
    vault.storage.create(&name, &[&condemned::join(generation, &sealed)])?;
    Ok(Stored { name, record })
}

fn given_up(place: &Place) -> GivenUp {
    let Place { chain: Chain { machine, source }, seq, id } = *place;
    GivenUp { machine, source, seq, snapshot: id }
}

pub(super) fn place_of(given_up: &GivenUp) -> Place {
    let GivenUp { machine, source, seq, snapshot } = *given_up;
    Place { chain: Chain { machine, source }, seq, id: snapshot }
}
