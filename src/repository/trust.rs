//! Who may sign: the machines that an administrator enrolled, and the administrator himself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::manifest::SignedManifest;
use crate::format::note::SignedNote;
use crate::format::tombstone::SignedTombstone;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::machine;
use crate::repository::keys::publish;
use crate::repository::manifest::is_signed_by;
use crate::run::Run;
use crate::storage::Storage;
use crate::vault::chains::Verifier;
use crate::vault::notes;

/// Knows the public key of every enrolled machine.
#[derive(Debug)]
pub struct Enrolled {
    machines: BTreeMap<MachineId, VerifyingKey>,
    /// Names of the machines, for people.
    labels: BTreeMap<MachineId, String>,
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
        for machine in machine::list(run, storage, keyset)? {
            if let Ok(key) = VerifyingKey::from_bytes(&machine.record.signing) {
                machines.insert(machine.record.machine, key);
            }
            labels.insert(machine.record.machine, machine.label);
        }
        let place = (keyset.repository, &keyset.root_public);
        // What is wrong with a copy of the list was told above.
        let list = publish::load_recipients(&run.unwatched(), storage, place)?;
        let mut admins = convert::admin_keys(&list)?;
        admins.push(keyset.admin.verifying_key());
        Ok(Self { machines, labels, admins })
    }

    /// The same for whoever holds no key to the machines' names: they have none here.
    pub fn load_nameless(
        run: &Run,
        storage: &Arc<dyn Storage>,
        place: (RepositoryId, &VerifyingKey),
    ) -> Result<Self, KeysError> {
        let mut machines = BTreeMap::new();
        for record in machine::nameless(run, storage, place)? {
            if let Ok(key) = VerifyingKey::from_bytes(&record.signing) {
                machines.insert(record.machine, key);
            }
        }
        let list = publish::load_recipients(&run.unwatched(), storage, place)?;
        Ok(Self { machines, labels: BTreeMap::new(), admins: convert::admin_keys(&list)? })
    }

    /// The machine's name, if it is enrolled.
    #[must_use]
    pub fn label(&self, machine: &MachineId) -> Option<&str> {
        self.labels.get(machine).map(String::as_str)
    }
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
