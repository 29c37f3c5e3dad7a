//! The journal: what a repair is about to do, signed, before it does it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::crypto::blind;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::repair::REPAIR_BYTES_MAX;
use crate::format::repair::REPAIR_STEPS_COUNT_MAX;
use crate::format::repair::RepairRecord;
use crate::format::repair::RepairStep;
use crate::format::repair::SignedRepair;
use crate::ids::BlobId;
use crate::ids::RepairId;
use crate::storage::BlobName;
use crate::units::Timestamp;
use crate::vault::Inner;
use crate::vault::error::VaultError;
use crate::vault::names;
use crate::vault::names::MANIFESTS;
use crate::vault::repair::RepairError;
use crate::vault::repair::Signer;

/// A journal that is being written.
pub(super) struct Journal<'a> {
    vault: &'a Inner,
    signer: &'a Signer<'a>,
    pub(super) id: RepairId,
    time: Timestamp,
    manifests: BlobId,
    number: u32,
}

impl<'a> Journal<'a> {
    pub(super) fn begin(
        vault: &'a Inner,
        signer: &'a Signer<'a>,
        time: Timestamp,
    ) -> Result<Self, RepairError> {
        let id = RepairId::new(blind::random_id().map_err(VaultError::from)?);
        let manifests = snapshots_now(vault, &BTreeSet::new())?;
        Ok(Self { vault, signer, id, time, manifests, number: 0 })
    }

    /// Durable after the next barrier.
    pub(super) fn write(&mut self, steps: &[RepairStep]) -> Result<(), RepairError> {
        let mut parts: Vec<&[RepairStep]> = steps.chunks(REPAIR_STEPS_COUNT_MAX).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for some in parts {
            let record = RepairRecord {
                repository: self.vault.keys.repository(),
                repair: self.id,
                number: self.number,
                time: self.time,
                signer: self.signer.id,
                manifests: self.manifests,
                steps: some.to_vec(),
            };
            let signature = (self.signer.sign)(&record.unsigned());
            let name = names::repair(&self.id, self.number)?;
            let bytes = SignedRepair { record, signature }.encode();
            self.vault.storage.create(&name, &[&bytes])?;
            self.number = self.number.saturating_add(1);
        }
        Ok(())
    }

    /// A blob that is about to come to a name.
    pub(super) fn adds(&mut self, name: &BlobName, hash: &[u8; 32]) -> Result<(), RepairError> {
        let (name, from) = (name.to_string(), String::new());
        self.write(&[RepairStep::Added { name, from, hash: BlobId::new(*hash) }])
    }
}

/// A journal that was read and whose every signature holds.
pub(super) struct Read {
    pub(super) id: RepairId,
    /// Its records, the first one first.
    pub(super) names: Vec<BlobName>,
    pub(super) manifests: BlobId,
    pub(super) steps: Vec<RepairStep>,
}

/// The place in the name of a manifest.
fn place_in(name: &str) -> Option<&str> {
    MANIFESTS.iter().find_map(|prefix| name.strip_prefix(prefix))
}

/// Places of manifests that a repair brought from elsewhere to where none lay.
pub(super) fn brought(steps: &[RepairStep]) -> BTreeSet<String> {
    let (mut added, mut moved) = (BTreeSet::new(), BTreeSet::new());
    for step in steps {
        match step {
            RepairStep::Moved { name, .. } => moved.extend(place_in(name).map(str::to_owned)),
            RepairStep::Added { name, from, .. } if from.is_empty() => {
                added.extend(place_in(name).map(str::to_owned));
            }
            RepairStep::Added { .. } => {}
        }
    }
    added.difference(&moved).cloned().collect()
}

/// A hash of the snapshots that are there, without some places: of one or two copies, which makes
/// no difference.
pub(super) fn snapshots_now(
    vault: &Inner,
    without: &BTreeSet<String>,
) -> Result<BlobId, RepairError> {
    let mut places = BTreeSet::new();
    for prefix in MANIFESTS {
        for listed in vault.storage.list(prefix)? {
            let place = listed.name.as_str().strip_prefix(prefix).map(str::to_owned);
            places.extend(place.filter(|place| !without.contains(place)));
        }
    }
    let places: Vec<String> = places.into_iter().collect();
    Ok(BlobId::new(blind::hash(places.join("\n").as_bytes())))
}

/// All journals, the newest last, by the storage's clock.
pub(super) fn list(vault: &Inner) -> Result<Vec<Vec<BlobName>>, RepairError> {
    let mut journals: BTreeMap<RepairId, BTreeMap<u32, BlobName>> = BTreeMap::new();
    for listed in vault.storage.list(names::REPAIRS)? {
        if let Some((id, number)) = names::parse_repair(&listed.name) {
            journals.entry(id).or_default().insert(number, listed.name);
        }
    }
    let mut dated = Vec::new();
    for (id, records) in journals {
        let names: Vec<BlobName> = records.into_values().collect();
        let Some(first) = names.first() else { continue };
        dated.push((vault.storage.stat(first)?.created, id, names));
    }
    dated.sort();
    Ok(dated.into_iter().map(|(_, _, names)| names).collect())
}

/// Reads a journal. One that is not whole, or that no administrator has signed, is followed in
/// nothing.
pub(super) fn read(
    vault: &Inner,
    names: Vec<BlobName>,
    admins: &[VerifyingKey],
) -> Result<Read, RepairError> {
    let mut steps = Vec::new();
    let mut whole = None;
    for (expected, name) in (0_u32..).zip(&names) {
        let wrong = |why: &str| RepairError::Journal { name: name.clone(), why: why.to_owned() };
        let bytes = vault.storage.read(name, REPAIR_BYTES_MAX)?;
        let signed = SignedRepair::decode(&bytes).map_err(|error| wrong(&error.to_string()))?;
        let record = &signed.record;
        let place = names::parse_repair(name);
        let is_own = record.repository == vault.keys.repository()
            && place == Some((record.repair, record.number))
            && record.number == expected;
        if !is_own {
            return Err(wrong("it does not belong there, or one before it is missing"));
        }
        let unsigned = record.unsigned();
        let mut signers = admins.iter().filter(|admin| admin.key_id() == record.signer);
        let is_good =
            signers.any(|key| key.verify(Purpose::Repair, &unsigned, &signed.signature).is_ok());
        if !is_good {
            return Err(wrong("it is not signed by an administrator"));
        }
        whole = Some((record.repair, record.manifests));
        steps.extend(signed.record.steps);
    }
    let (id, manifests) = whole.ok_or(RepairError::NothingToUndo)?;
    Ok(Read { id, names, manifests, steps })
}

/// Whether the newest journal is of a time when the same snapshots were there: whoever makes the
/// next one looks for what is lost already.
pub(super) fn marks_now(vault: &Inner) -> Result<bool, RepairError> {
    let Some(name) = list(vault)?.pop().and_then(|names| names.into_iter().next()) else {
        return Ok(false);
    };
    let bytes = vault.storage.read(&name, REPAIR_BYTES_MAX)?;
    let Ok(signed) = SignedRepair::decode(&bytes) else { return Ok(false) };
    Ok(signed.record.manifests == snapshots_now(vault, &BTreeSet::new())?)
}
