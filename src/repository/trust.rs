//! Who may sign: the machines that an administrator enrolled, and the administrator himself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::machine::Suspicion;
use crate::format::manifest::SignedManifest;
use crate::format::note::SignedNote;
use crate::format::tombstone::SignedTombstone;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SnapshotId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::machine;
use crate::repository::keys::publish;
use crate::repository::manifest::is_signed_by;
use crate::run::Run;
use crate::storage::Storage;
use crate::units::Timestamp;
use crate::vault::chains::Manifests;
use crate::vault::chains::StoredManifest;
use crate::vault::chains::Verifier;
use crate::vault::names::Chain;
use crate::vault::notes;

/// Knows the public key of every enrolled machine.
#[derive(Debug, Clone)]
pub struct Enrolled {
    machines: BTreeMap<MachineId, VerifyingKey>,
    /// Names of the machines, for people.
    labels: BTreeMap<MachineId, String>,
    /// Machines that are revoked.
    suspicions: BTreeMap<MachineId, Suspicion>,
    admins: Vec<VerifyingKey>,
}

impl Enrolled {
    /// Reads the enrolments, each signed by an administrator.
    pub fn load(
        run: &Run,
        storage: &Arc<dyn Storage>,
        keyset: &RestoreKeyset,
    ) -> Result<Self, KeysError> {
        let mut machines = BTreeMap::new();
        let mut labels = BTreeMap::new();
        let mut suspicions = BTreeMap::new();
        for machine in machine::list(run, storage, keyset)? {
            if let Ok(key) = VerifyingKey::from_bytes(&machine.record.signing) {
                machines.insert(machine.record.machine, key);
            }
            if let Some(suspicion) = machine.record.suspicion {
                suspicions.insert(machine.record.machine, suspicion);
            }
            labels.insert(machine.record.machine, machine.label);
        }
        let place = (keyset.repository, &keyset.root_public);
        // What is wrong with a copy of the list was told above.
        let list = publish::load_recipients(&run.unwatched(), storage, place)?;
        let mut admins = convert::admin_keys(&list)?;
        admins.push(keyset.admin.verifying_key());
        Ok(Self { machines, labels, suspicions, admins })
    }

    /// The same for whoever holds no key to the machines' names: they have none here.
    pub fn load_nameless(
        run: &Run,
        storage: &Arc<dyn Storage>,
        place: (RepositoryId, &VerifyingKey),
    ) -> Result<Self, KeysError> {
        let (mut machines, mut suspicions) = (BTreeMap::new(), BTreeMap::new());
        for record in machine::nameless(run, storage, place)? {
            if let Ok(key) = VerifyingKey::from_bytes(&record.signing) {
                machines.insert(record.machine, key);
            }
            if let Some(suspicion) = record.suspicion {
                suspicions.insert(record.machine, suspicion);
            }
        }
        let list = publish::load_recipients(&run.unwatched(), storage, place)?;
        let (labels, admins) = (BTreeMap::new(), convert::admin_keys(&list)?);
        Ok(Self { machines, labels, suspicions, admins })
    }

    /// The machine's name, if it is enrolled.
    #[must_use]
    pub fn label(&self, machine: &MachineId) -> Option<&str> {
        self.labels.get(machine).map(String::as_str)
    }

    /// As if this machine were revoked so.
    #[must_use]
    pub fn suspecting(mut self, machine: MachineId, suspicion: Suspicion) -> Self {
        self.suspicions.insert(machine, suspicion);
        self
    }

    /// Whether any machine is revoked.
    #[must_use]
    pub fn has_suspicions(&self) -> bool {
        !self.suspicions.is_empty()
    }

    /// Snapshots under the name of a machine that is revoked, and since when it is not trusted:
    /// what came after its trusted snapshots, and what stands beside them.
    #[must_use]
    pub fn suspects(&self, found: &Manifests) -> BTreeMap<SnapshotId, Timestamp> {
        let mut suspects = BTreeMap::new();
        let mut chains: BTreeMap<Chain, Vec<&StoredManifest>> = BTreeMap::new();
        for stored in &found.manifests {
            if self.suspicions.contains_key(&stored.place.chain.machine) {
                chains.entry(stored.place.chain).or_default().push(stored);
            }
        }
        for (chain, mut stored) in chains {
            let Some(suspicion) = self.suspicions.get(&chain.machine) else { continue };
            stored.sort_by_key(|it| std::cmp::Reverse((it.place.seq, it.place.id)));
            let removed = removed_of(found, &chain);
            for id in outside(&stored, (suspicion, &chain), &removed) {
                suspects.insert(id, suspicion.since);
            }
        }
        suspects
    }
}

/// Numbers of a chain that were removed, and what stood there.
fn removed_of(found: &Manifests, chain: &Chain) -> BTreeMap<u64, SnapshotId> {
    let own = found.tombstones.iter().map(|signed| &signed.tombstone).filter(|it| {
        let of = Chain { machine: it.machine, source: it.source };
        of == *chain
    });
    own.map(|it| (it.seq, it.snapshot)).collect()
}

/// Snapshots of a chain, the newest first, that the trusted one does not lead to. Each names the
/// one before it. Where that cannot be followed, because one between was removed, a number that
/// stands alone is trusted.
fn outside(
    stored: &[&StoredManifest],
    (suspicion, chain): (&Suspicion, &Chain),
    removed: &BTreeMap<u64, SnapshotId>,
) -> Vec<SnapshotId> {
    let head = suspicion.heads.iter().find(|head| head.source == chain.source);
    let newest = head.map_or(0, |head| head.seq);
    let mut expected = head.map(|head| (head.seq, head.snapshot));
    let mut outside = Vec::new();
    for it in stored {
        let (seq, id) = (it.place.seq, it.place.id);
        let is_alone = stored.iter().filter(|other| other.place.seq == seq).count() == 1;
        let is_trusted = match expected {
            Some((number, known)) if number == seq => known == id,
            _ => is_alone && removed.get(&seq).is_none_or(|known| *known == id),
        };
        if seq > newest || !is_trusted {
            outside.push(id);
            continue;
        }
        expected = it.manifest.public.prev.map(|prev| (seq.saturating_sub(1), prev));
    }
    outside
}

impl Verifier for Enrolled {
    fn manifest(&self, manifest: &SignedManifest) -> Result<(), String> {
        let machine = &manifest.public.machine;
        let key = self.machines.get(machine);
        let key = key.ok_or_else(|| format!("machine {machine} is not enrolled"))?;
        let good = is_signed_by(manifest, key);
        good.then_some(()).ok_or_else(|| format!("it is not signed by machine {machine}"))
    }

    fn tombstone(&self, tombstone: &SignedTombstone) -> Result<(), String> {
        let bytes = tombstone.tombstone.unsigned();
        let good = |admin: &VerifyingKey| {
            admin.verify(Purpose::Tombstone, &bytes, &tombstone.signature).is_ok()
        };
        let signed = self.admins.iter().any(good);
        signed.then_some(()).ok_or_else(|| "it is not signed by an administrator".to_owned())
    }

    fn note(&self, note: &SignedNote) -> Result<(), String> {
        notes::signed_by(note, &self.admins)
    }
}
