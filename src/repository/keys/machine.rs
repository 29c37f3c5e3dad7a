//! Machines: enrolling one, and finding one's own again.

pub mod revoke;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::context;
use crate::crypto::random_bytes;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::format::machine::MACHINE_COPIES;
use crate::format::machine::MACHINES;
use crate::format::machine::MachineRecord;
use crate::format::machine::MachineState;
use crate::format::recipients::RecipientsRecord;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::publish::Placed;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::secret::Secret32;
use crate::storage::Storage;
use crate::vault::records;
use crate::vault::records::Records;
use crate::vault::records::RecordsError;

/// Most bytes of a machine's name.
const LABEL_BYTES_MAX: usize = 256;
const LABEL_KIND: &str = "machine label";

/// Where a new machine's signing key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Derived from the administrator's key: the machine on which he backs up himself. It can be
    /// found again with the passphrase alone when its local state is lost.
    Own,
    /// Random: another machine, whose key nobody else holds.
    Fresh,
}

/// A machine as its newest record describes it.
#[derive(Debug, Clone)]
pub struct Machine {
    pub record: MachineRecord,
    /// Its name, such as a host name.
    pub label: String,
}

fn own_signing_key(keyset: &RestoreKeyset, machine: MachineId) -> SigningKey {
    let mut hasher = blake3::Hasher::new_derive_key(context::MACHINE_SIGNING);
    hasher.update(keyset.admin.seed().expose());
    hasher.update(machine.as_bytes());
    SigningKey::from_seed(&Secret32::new(*hasher.finalize().as_bytes()))
}

/// Enrols a machine and makes its write-only keyset; the record is durable when this returns.
pub fn enrol(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    (label, identity): (&str, Identity),
) -> Result<AgentKeyset, KeysError> {
    let found_bytes = label.len();
    if found_bytes > LABEL_BYTES_MAX {
        return Err(KeysError::Label { found_bytes, bytes_max: LABEL_BYTES_MAX });
    }
    let machine = MachineId::new(random_bytes()?);
    let signing = match identity {
        Identity::Own => own_signing_key(keyset, machine),
        Identity::Fresh => SigningKey::generate()?,
    };
    let agent = agent_keyset(run, storage, keyset, (machine, signing))?;
    let (label_generation, key) = keyset.store.newest();
    let repository = keyset.repository;
    let place = Place { kind: LABEL_KIND, repository, name: machine.as_bytes() };
    let record = MachineRecord {
        repository,
        machine,
        version: 1,
        created: run.clock.now(),
        state: MachineState::Active,
        signing: *agent.signing.verifying_key().as_bytes(),
        domain: agent.domain.domain,
        label_generation,
        label: blind::seal_box(key, place, label.as_bytes())?,
        suspicion: None,
    };
    let bytes = publish::sign(&record, Purpose::Machine, &keyset.admin);
    let store = Records::new(Arc::clone(storage));
    let names = records::numbered_names(&format!("{MACHINES}{machine}/1"), MACHINE_COPIES)?;
    store.create_all(&names, &bytes)?;
    store.sync()?;
    Ok(agent)
}

fn agent_keyset(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    (machine, signing): (MachineId, SigningKey),
) -> Result<AgentKeyset, KeysError> {
    let place = (keyset.repository, &keyset.root_public);
    let list = publish::load_recipients(run, storage, place)?;
    let recipients = recipients_of(&list)?;
    let domain = keyset.domains.last().cloned().ok_or(KeysError::BadKey)?;
    Ok(AgentKeyset {
        repository: keyset.repository,
        machine,
        sources: keyset.source_key(domain.domain),
        domain,
        store: keyset.store.clone(),
        root_public: keyset.root_public,
        recipients_version: list.version,
        recipients,
        signing,
    })
}

/// Brings a machine's recipients up to date before a backup: the keyset with the newer list, for
/// the caller to save before he seals to it; `None` if the one pinned is still the newest. A list
/// older than the pinned one is refused, for it may name a recipient who was since removed.
pub fn refresh_recipients(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &AgentKeyset,
) -> Result<Option<AgentKeyset>, KeysError> {
    let place = (keyset.repository, &keyset.root_public);
    let list = publish::load_recipients(run, storage, place)?;
    let (pinned, found) = (keyset.recipients_version, list.version);
    match found.cmp(&pinned) {
        Ordering::Less => Err(KeysError::RecipientsWentBack { pinned, found }),
        Ordering::Equal => Ok(None),
        Ordering::Greater => {
            let recipients_version = list.version;
            let recipients = recipients_of(&list)?;
            Ok(Some(AgentKeyset { recipients_version, recipients, ..keyset.clone() }))
        }
    }
}

fn recipients_of(list: &RecipientsRecord) -> Result<Vec<KemPublic>, KeysError> {
    list.recipients.iter().map(convert::recipient_key).collect()
}

/// The keyset of the machine of that name that this administrator enrolled as his own: its active
/// record with the smallest id. `None` if there is none.
pub fn rejoin(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    label: &str,
) -> Result<Option<AgentKeyset>, KeysError> {
    for machine in list(run, storage, keyset)? {
        let id = machine.record.machine;
        let signing = own_signing_key(keyset, id);
        let own = *signing.verifying_key().as_bytes() == machine.record.signing;
        if own && machine.label == label && machine.record.state == MachineState::Active {
            return agent_keyset(run, storage, keyset, (id, signing)).map(Some);
        }
    }
    Ok(None)
}

/// The newest record of every machine that an administrator has signed, by id. Records that cannot
/// be read or are not signed so are reported and left out.
pub fn list(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
) -> Result<Vec<Machine>, KeysError> {
    let place = (keyset.repository, &keyset.root_public);
    let admins = convert::admin_keys(&publish::load_recipients(run, storage, place)?)?;
    let newest = newest_records(run, storage, (keyset.repository, &admins), None)?;
    newest.into_values().map(|record| labelled(keyset, record)).collect()
}

/// As [`list`], without the names, which are sealed.
pub fn nameless(
    run: &Run,
    storage: &Arc<dyn Storage>,
    place: (RepositoryId, &VerifyingKey),
) -> Result<Vec<MachineRecord>, KeysError> {
    let admins = convert::admin_keys(&publish::load_recipients(run, storage, place)?)?;
    let newest = newest_records(run, storage, (place.0, &admins), None)?;
    Ok(newest.into_values().collect())
}

/// The newest records, by machine; of all machines or of one.
pub(in crate::repository::keys) fn newest_records(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (repository, admins): (RepositoryId, &[VerifyingKey]),
    only: Option<MachineId>,
) -> Result<BTreeMap<MachineId, MachineRecord>, KeysError> {
    let store = Records::new(Arc::clone(storage));
    let mut newest: BTreeMap<MachineId, MachineRecord> = BTreeMap::new();
    let folder = only.map_or_else(|| MACHINES.to_owned(), |id| format!("{MACHINES}{id}/"));
    for name in store.list(&folder)? {
        run.check()?;
        let names = records::numbered_names(&name, MACHINE_COPIES)?;
        let decode = |bytes: &[u8]| {
            let found = records::signed::<MachineRecord>(bytes)?;
            let expected = format!("{MACHINES}{}/{}", found.0.machine, found.0.version);
            let place = Placed::of((found.0.repository, repository), (&name, &expected));
            publish::believed(found, (Purpose::Machine, admins), place)
        };
        let record = match store.load(run, &names, decode) {
            Ok(loaded) => loaded,
            Err(RecordsError::Unreadable { error, .. }) => {
                run.problem(&Problem::damage(name, error.to_string()));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if record.repository != repository {
            continue; // Left behind by an `init` that never finished.
        }
        let known = newest.get(&record.machine).map_or(0, |known| known.version);
        if record.version > known {
            newest.insert(record.machine, record);
        }
    }
    Ok(newest)
}

/// The keyset of a machine with the newest keys and recipients; its own key stays.
///
/// # Errors
/// When it is of another repository, the machine is unknown or revoked, or records cannot be read.
pub fn renew(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    old: &AgentKeyset,
) -> Result<AgentKeyset, KeysError> {
    if old.repository != keyset.repository || old.root_public != keyset.root_public {
        return Err(KeysError::OtherRepository { what: "machine keyset" });
    }
    let machine = old.machine;
    let known = list(run, storage, keyset)?;
    let known = known.into_iter().find(|known| known.record.machine == machine);
    let record = known.ok_or(KeysError::NoSuchMachine { machine })?.record;
    if record.signing != *old.signing.verifying_key().as_bytes() {
        return Err(KeysError::BadKey);
    }
    if record.state == MachineState::Revoked {
        return Err(KeysError::Revoked { machine });
    }
    let domain = keyset.newest_domain(old.domain.domain).cloned().ok_or(KeysError::BadKey)?;
    let fresh = agent_keyset(run, storage, keyset, (machine, old.signing.clone()))?;
    let sources = keyset.source_key(domain.domain);
    Ok(AgentKeyset { domain, sources, ..fresh })
}

fn labelled(keyset: &RestoreKeyset, record: MachineRecord) -> Result<Machine, KeysError> {
    let repository = record.repository;
    let place = Place { kind: LABEL_KIND, repository, name: record.machine.as_bytes() };
    let key = keyset.store.get(record.label_generation).map_err(|_| KeysError::BadKey)?;
    let label = blind::open_box(key, place, &record.label).map_err(|_| KeysError::BadKey)?;
    let label = String::from_utf8_lossy(&label).into_owned();
    Ok(Machine { record, label })
}
