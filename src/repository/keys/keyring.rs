//! The keyring: from the recovery or the restore secret to every key of the repository.

use std::sync::Arc;

use crate::crypto::sealed::hpke::Binding;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::keyring::Envelope;
use crate::format::keyring::KEYRING_COPIES;
use crate::format::keyring::KEYRINGS;
use crate::format::keyring::KeyringRecord;
use crate::format::keyring::KeyringSecrets;
use crate::format::keyring::NewestDomain;
use crate::format::keyring::NewestKeys;
use crate::format::recipients::RecipientsRecord;
use crate::format::recipients::Role;
use crate::format::record;
use crate::ids::RepositoryId;
use crate::repository::keys::convert;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::publish::Placed;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::Storage;
use crate::vault::records;
use crate::vault::records::Records;
use crate::vault::records::RecordsError;

/// Writes one generation of the keyring, sealed to these keys. Durable after the next barrier.
pub(in crate::repository::keys) fn publish(
    run: &Run,
    store: &Records,
    keyset: &RestoreKeyset,
    (generation, recipients): (u32, &[KemPublic]),
) -> Result<(), KeysError> {
    let repository = keyset.repository;
    let binding = Binding::Keyring { repository, generation };
    let message = record::encode(&convert::keyring_secrets(keyset));
    let mut envelopes = Vec::new();
    for public in recipients {
        let sealed = public.seal(binding, &message)?;
        envelopes.push(Envelope { recipient: public.key_id(), sealed });
    }
    let created = run.clock.now();
    let newest = (generation > 1).then(|| newest_of(keyset));
    let keyring = KeyringRecord { repository, generation, created, envelopes, newest };
    let bytes = publish::sign(&keyring, Purpose::Keyring, &keyset.admin);
    let name = publish::numbered(KEYRINGS, generation.into(), &bytes);
    Ok(store.create_all(&records::numbered_names(&name, KEYRING_COPIES)?, &bytes)?)
}

/// The newest generations that a keyset holds.
pub(in crate::repository::keys) fn newest_of(keyset: &RestoreKeyset) -> NewestKeys {
    let mut domains: Vec<NewestDomain> = Vec::new();
    for secret in &keyset.domains {
        let (domain, generation) = (secret.domain, secret.generation);
        match domains.iter_mut().find(|known| known.domain == domain) {
            Some(known) => known.generation = known.generation.max(generation),
            None => domains.push(NewestDomain { domain, generation }),
        }
    }
    NewestKeys { store: keyset.store.newest().0, domains }
}

/// What the newest keyring holds that one of `signers` has signed, that has an envelope for `key`,
/// and whose restore key is a recipient: a keyring is written before the list that makes its
/// restore key one, and a rotation may have died between the two.
pub(in crate::repository::keys) fn open(
    keyrings: &[KeyringRecord],
    (repository, list): (RepositoryId, &RecipientsRecord),
    key: &KemSecret,
) -> Result<KeyringSecrets, KeysError> {
    let recipient = key.public().key_id();
    let mut newest_first: Vec<&KeyringRecord> = keyrings.iter().collect();
    // Of two with one number the first name counts, for every reader.
    newest_first.sort_by_key(|keyring| std::cmp::Reverse(keyring.generation));
    let mut none = KeysError::NoRecord { what: "keyring for this key" };
    for keyring in newest_first {
        let mut envelopes = keyring.envelopes.iter();
        let Some(envelope) = envelopes.find(|envelope| envelope.recipient == recipient) else {
            continue;
        };
        let binding = Binding::Keyring { repository, generation: keyring.generation };
        let message = key.open(binding, &envelope.sealed)?;
        let secrets: KeyringSecrets = record::decode(message.expose())?;
        let restore = convert::kem_secret(secrets.restore_suite, &secrets.restore)?;
        if list.recipients.contains(&convert::recipient_entry(Role::Restore, &restore.public())) {
            return Ok(secrets);
        }
        none = KeysError::BadKey;
    }
    Err(none)
}

/// Every keyring of this repository that one of `signers` has signed, by name. What cannot be read
/// or is not signed so is reported and left out.
pub(in crate::repository::keys) fn load_all(
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
