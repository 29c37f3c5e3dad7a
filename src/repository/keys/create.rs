//! Making a repository.

use std::sync::Arc;

use crate::crypto::blind::StoreKeys;
use crate::crypto::random_bytes;
use crate::crypto::random_secret;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sealed::keyset::DomainSecret;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::self_test;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::SigningKey;
use crate::format::config::ConfigRecord;
use crate::format::config::Parameters;
use crate::format::object::FORMAT_VERSION;
use crate::format::object::SUITE;
use crate::format::recipients::AdminEntry;
use crate::format::recipients::RecipientsRecord;
use crate::format::recipients::Role;
use crate::format::record;
use crate::ids::DomainId;
use crate::ids::RepositoryId;
use crate::ids::SlotId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::keyring;
use crate::repository::keys::publish;
use crate::repository::keys::slots;
use crate::repository::keys::slots::NewSlot;
use crate::run::Run;
use crate::storage::Storage;
use crate::vault::records::Records;

/// Folders whose content would be lost to a new config.
const DATA_FOLDERS: [&str; 4] = ["packs/", "index/", "manifests/", "manifests.2/"];

/// What a new repository is made with.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    pub slot: NewSlot,
    pub suite: Suite,
    pub parameters: Parameters,
}

/// A repository that was made.
#[derive(Debug)]
pub struct Created {
    pub config: ConfigRecord,
    pub keyset: RestoreKeyset,
    pub slot: SlotId,
}

/// Makes a repository with fresh keys. Refuses a storage that holds a config, or data without one.
///
/// The order is: slot, keyring, recipients, all durable; then `config`, whose creation decides
/// which of two makers won; then its copies. What a crash leaves before that is records of a
/// repository that nobody knows, which every reader passes over, and the next `create` does too.
pub fn create_repository(
    run: &Run,
    storage: &Arc<dyn Storage>,
    options: &CreateOptions,
) -> Result<Created, KeysError> {
    let domain = DomainSecret {
        domain: DomainId::new(random_bytes()?),
        generation: 1,
        secret: random_secret()?,
    };
    create_in_domains(run, storage, options, vec![domain])
}

/// As [`create_repository`], but what machines of these domains store comes out the same as in the
/// repository that the domains are from.
pub fn create_in_domains(
    run: &Run,
    storage: &Arc<dyn Storage>,
    options: &CreateOptions,
    domains: Vec<DomainSecret>,
) -> Result<Created, KeysError> {
    self_test::ensure()?;
    let store = Records::new(Arc::clone(storage));
    refuse_if_taken(storage, &store)?;
    let keyset = fresh_keyset(options.suite, domains)?;
    let config = ConfigRecord {
        repository: keyset.repository,
        format_version: FORMAT_VERSION,
        suite: SUITE,
        created: run.clock.now(),
        root: *keyset.root_public.as_bytes(),
        parameters: options.parameters,
    };
    record::Record::check(&config)
        .map_err(|field| record::RecordError::OutOfRange { noun: "config", field })?;
    let root = keyset.root.as_ref().ok_or(KeysError::RootOffline)?;
    let encoded = publish::sign(&config, Purpose::Config, root);
    run.check()?;
    let slot = slots::add(run, storage, &keyset, &options.slot)?;
    let keys = [Some(&keyset.restore), keyset.recovery.as_ref()].into_iter().flatten();
    let recipients: Vec<KemPublic> = keys.map(KemSecret::public).collect();
    keyring::publish(run, &store, &keyset, (1, &recipients))?;
    publish_recipients(run, &store, &keyset)?;
    store.sync()?;
    run.check()?;
    let names = publish::config_names()?;
    store.create_all(&names, &encoded)?;
    store.sync()?;
    Ok(Created { config, keyset, slot })
}

pub(in crate::repository::keys) fn refuse_if_taken(
    storage: &Arc<dyn Storage>,
    store: &Records,
) -> Result<(), KeysError> {
    let taken = |found: String| KeysError::AlreadyThere { location: storage.location(), found };
    for name in publish::config_names()? {
        if store.exists(&name)? {
            return Err(taken(name.to_string()));
        }
    }
    for folder in DATA_FOLDERS {
        if !storage.list(folder)?.is_empty() {
            return Err(taken(folder.to_owned()));
        }
    }
    Ok(())
}

fn fresh_keyset(suite: Suite, domains: Vec<DomainSecret>) -> Result<RestoreKeyset, KeysError> {
    let repository = RepositoryId::new(random_bytes()?);
    let root = SigningKey::generate()?;
    let store = StoreKeys::new(repository, vec![(1, random_secret()?)]).ok_or(KeysError::BadKey)?;
    Ok(RestoreKeyset {
        repository,
        restore: KemSecret::generate(suite)?,
        recovery: Some(KemSecret::generate(suite)?),
        domains,
        store,
        admin: SigningKey::generate()?,
        root_public: root.verifying_key(),
        root: Some(root),
        retired: Vec::new(),
    })
}

/// Version 1 of the recipients list.
fn publish_recipients(run: &Run, store: &Records, keyset: &RestoreKeyset) -> Result<(), KeysError> {
    let root = keyset.root.as_ref().ok_or(KeysError::RootOffline)?;
    let mut recipients = vec![convert::recipient_entry(Role::Restore, &keyset.restore.public())];
    if let Some(recovery) = &keyset.recovery {
        recipients.push(convert::recipient_entry(Role::Recovery, &recovery.public()));
    }
    let admin = AdminEntry {
        public: *keyset.admin.verifying_key().as_bytes(),
        name: "first administrator".to_owned(),
    };
    let list = RecipientsRecord {
        repository: keyset.repository,
        version: 1,
        created: run.clock.now(),
        recipients,
        admins: vec![admin],
    };
    publish::publish_recipients(store, &list, root)
}
