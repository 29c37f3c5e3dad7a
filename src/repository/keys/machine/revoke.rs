//! Revocation: a machine whose keyset was lost. What it made before stays trusted; what comes under
//! its name afterwards is suspect, and by the order of its chains, not by any clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::format::keyring::NewestKeys;
use crate::format::machine::HEADS_MAX;
use crate::format::machine::MACHINE_COPIES;
use crate::format::machine::MACHINES;
use crate::format::machine::MachineRecord;
use crate::format::machine::MachineState;
use crate::format::machine::Suspicion;
use crate::format::machine::TrustedHead;
use crate::ids::MachineId;
use crate::ids::SourceId;
use crate::repository::error::RepositoryError;
use crate::repository::keys::complete;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::keyring;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Machine;
use crate::repository::keys::publish;
use crate::run::Run;
use crate::storage::Storage;
use crate::units::Timestamp;
use crate::vault::Vault;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;
use crate::vault::chains::StoredManifest;
use crate::vault::chains::Verifier;
use crate::vault::records;
use crate::vault::records::Records;

/// Whose keyset was lost, and since when; without a time, since now.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    pub machine: MachineId,
    pub since: Option<Timestamp>,
}

/// The newest snapshot of each source that is still trusted. With a time it is the last one that
/// the storage received before it, and with nothing after it that it received earlier.
///
/// # Errors
/// When the chains cannot be read.
pub fn suspicion(
    run: &Run,
    vault: &Vault,
    verifier: &dyn Verifier,
    loss: Loss,
) -> Result<Suspicion, RepositoryError> {
    let found = vault.manifests(run, Scope::All, Copies::First, verifier)?;
    let mut chains: BTreeMap<SourceId, Vec<&StoredManifest>> = BTreeMap::new();
    for stored in &found.manifests {
        if stored.place.chain.machine == loss.machine {
            chains.entry(stored.place.chain.source).or_default().push(stored);
        }
    }
    let mut heads = Vec::new();
    for (source, mut chain) in chains {
        chain.sort_by_key(|stored| (stored.place.seq, stored.place.id));
        let mut head = None;
        for stored in chain {
            if let Some(since) = loss.since {
                let received = vault.received(run, &stored.place)?;
                if received.unwrap_or(stored.manifest.public.time) >= since {
                    break;
                }
            }
            let (seq, snapshot) = (stored.place.seq, stored.place.id);
            head = Some(TrustedHead { source, seq, snapshot });
        }
        heads.extend(head);
    }
    Ok(Suspicion { since: loss.since.unwrap_or_else(|| run.clock.now()), heads })
}

/// Writes the next version of the machine's record; durable when this returns. Without a suspicion
/// the machine is trusted again, and so is all that it made.
///
/// # Errors
/// When somebody else changed the record meanwhile, or the storage fails.
pub fn record(
    run: &Run,
    storage: &Arc<dyn Storage>,
    keyset: &RestoreKeyset,
    (known, suspicion): (&Machine, Option<Suspicion>),
) -> Result<MachineRecord, KeysError> {
    let machine = known.record.machine;
    if suspicion.as_ref().is_some_and(|suspicion| suspicion.heads.len() > HEADS_MAX) {
        return Err(KeysError::TooManySources { machine, count_max: HEADS_MAX });
    }
    complete::lasting_records(run, storage)?;
    let state = if suspicion.is_some() { MachineState::Revoked } else { MachineState::Active };
    let version = known.record.version.checked_add(1).ok_or(KeysError::TooManyGenerations)?;
    let created = run.clock.now();
    let next = MachineRecord { version, created, state, suspicion, ..known.record.clone() };
    let bytes = publish::sign(&next, Purpose::Machine, &keyset.admin);
    let store = Records::new(Arc::clone(storage));
    let stem = format!("{MACHINES}{machine}/{version}");
    store.create_all(&records::numbered_names(&stem, MACHINE_COPIES)?, &bytes)?;
    store.sync()?;
    Ok(next)
}

/// How a machine's keyset stands to the keys of its repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// The domain secret was rotated: what this machine stores is readable, and shared with nobody
    /// who has the new one.
    DomainOld {
        newest: u32,
        own: u32,
    },
    /// The store key was rotated: this machine cannot read what others have stored since.
    StoreOld {
        newest: u32,
        own: u32,
    },
}

/// Whether a machine may still add snapshots, and whether its keys are the newest.
///
/// # Errors
/// When it is revoked, or the records cannot be read.
pub fn standing(
    run: &Run,
    storage: &Arc<dyn Storage>,
    agent: &AgentKeyset,
) -> Result<Standing, KeysError> {
    let repository = agent.repository;
    let list = publish::load_recipients(run, storage, (repository, &agent.root_public))?;
    let mut signers = convert::admin_keys(&list)?;
    let own = machine::newest_records(run, storage, (repository, &signers), Some(agent.machine))?;
    let machine = agent.machine;
    if own.get(&machine).is_some_and(|record| record.state == MachineState::Revoked) {
        return Err(KeysError::Revoked { machine });
    }
    signers.push(agent.root_public);
    let keyrings = keyring::load_all(run, storage, (repository, &signers))?;
    let of_domain = |newest: &NewestKeys| {
        let mut domains = newest.domains.iter();
        domains.find(|it| it.domain == agent.domain.domain).map(|it| it.generation)
    };
    let told = || keyrings.iter().filter_map(|keyring| keyring.newest.as_ref());
    let store = told().map(|newest| newest.store).max().unwrap_or(0);
    let domain = told().filter_map(of_domain).max().unwrap_or(0);
    let (own_store, own_domain) = (agent.store.newest().0, agent.domain.generation);
    Ok(if store > own_store {
        Standing::StoreOld { newest: store, own: own_store }
    } else if domain > own_domain {
        Standing::DomainOld { newest: domain, own: own_domain }
    } else {
        Standing::Current
    })
}
