//! The keyring: from the recovery secret to every key of the repository.

use std::sync::Arc;

use crate::crypto::sealed::hpke::Binding;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::keyring::KEYRING_COPIES;
use crate::format::keyring::KEYRINGS;
use crate::format::keyring::KeyringRecord;
use crate::format::keyring::KeyringSecrets;
use crate::format::record;
use crate::ids::RepositoryId;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::publish::Placed;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::Storage;
use crate::vault::records;
use crate::vault::records::Records;
use crate::vault::records::RecordsError;

/// What the newest keyring holds that one of `signers` has signed and that has an envelope for
/// `key`. A keyring that cannot be read or is not signed so is reported; that none is left, an
/// error.
pub(in crate::repository::keys) fn open(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (repository, signers): (RepositoryId, &[VerifyingKey]),
    key: &KemSecret,
) -> Result<KeyringSecrets, KeysError> {
    let recipient = key.public().key_id();
    let mut newest: Option<KeyringRecord> = None;
    for keyring in load_all(run, storage, (repository, signers))? {
        let addressed = keyring.envelopes.iter().any(|envelope| envelope.recipient == recipient);
        let known = newest.as_ref().map_or(0, |newest| newest.generation);
        if addressed && keyring.generation > known {
            newest = Some(keyring);
        }
    }
    let keyring = newest.ok_or(KeysError::NoRecord { what: "keyring for this key" })?;
    let mut envelopes = keyring.envelopes.iter();
    let envelope = envelopes.find(|envelope| envelope.recipient == recipient);
    let envelope = envelope.ok_or(KeysError::NoRecord { what: "keyring for this key" })?;
    let binding = Binding::Keyring { repository, generation: keyring.generation };
    let message = key.open(binding, &envelope.sealed)?;
    Ok(record::decode(message.expose())?)
}

fn load_all(
    run: &Run,
    storage: &Arc<dyn Storage>,
    (repository, signers): (RepositoryId, &[VerifyingKey]),
) -> Result<Vec<KeyringRecord>, KeysError> {
    let store = Records::new(Arc::clone(storage));
    let mut keyrings = Vec::new();
    for name in store.list(KEYRINGS)? {
        run.check()?;
        let names = records::numbered_names(&name, KEYRING_COPIES)?;
        let decode = |bytes: &[u8]| {
            let found = records::signed::<KeyringRecord>(bytes)?;
            let expected = publish::numbered(KEYRINGS, found.0.generation.into(), bytes);
            let place = Placed::of((found.0.repository, repository), (&name, &expected));
            publish::believed(found, (Purpose::Keyring, signers), place)
        };
        match store.load(run, &names, decode) {
            Ok(keyring) if keyring.repository == repository => keyrings.push(keyring),
            Ok(_) => {} // Left behind by an `init` that never finished.
            Err(RecordsError::Unreadable { error, .. }) => {
                run.problem(&Problem::damage(name, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(keyrings)
}
