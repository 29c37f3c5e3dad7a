//! Keysets to records and back: `crypto` knows what a key can do, `format` how it is written.

use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sealed::hpke::Suite;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::keyset::DomainSecret;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::format::keyring::KeyringSecrets;
use crate::format::keyset::AgentKeysetRecord;
use crate::format::keyset::DomainEntry;
use crate::format::keyset::PinnedRecipient;
use crate::format::keyset::RestoreKeysetRecord;
use crate::format::keyset::RetiredEntry;
use crate::format::keyset::StoreEntry;
use crate::format::recipients::RecipientEntry;
use crate::format::recipients::RecipientsRecord;
use crate::format::recipients::Role;
use crate::format::record;
use crate::ids::RepositoryId;
use crate::repository::keys::error::KeysError;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

fn suite(code: u8) -> Result<Suite, KeysError> {
    Suite::from_code(code).ok_or(KeysError::BadKey)
}

fn domain_entry(domain: &DomainSecret) -> DomainEntry {
    DomainEntry {
        domain: domain.domain,
        generation: domain.generation,
        secret: domain.secret.clone(),
    }
}

fn domain_secret(entry: &DomainEntry) -> DomainSecret {
    DomainSecret {
        domain: entry.domain,
        generation: entry.generation,
        secret: entry.secret.clone(),
    }
}

fn store_entries(store: &StoreKeys) -> Vec<StoreEntry> {
    let entry = |(generation, secret): &(u32, Secret32)| StoreEntry {
        generation: *generation,
        secret: secret.clone(),
    };
    store.generations().iter().map(entry).collect()
}

fn store_keys(repository: RepositoryId, entries: &[StoreEntry]) -> Result<StoreKeys, KeysError> {
    let generations =
        entries.iter().map(|entry| (entry.generation, entry.secret.clone())).collect();
    StoreKeys::new(repository, generations).ok_or(KeysError::BadKey)
}

fn retired_entries(keyset: &RestoreKeyset) -> Option<Vec<RetiredEntry>> {
    let entry =
        |key: &KemSecret| RetiredEntry { suite: key.suite().code(), secret: key.secret().clone() };
    let entries: Vec<RetiredEntry> = keyset.retired.iter().map(entry).collect();
    (!entries.is_empty()).then_some(entries)
}

fn retired_keys(entries: Option<&[RetiredEntry]>) -> Result<Vec<KemSecret>, KeysError> {
    let key = |entry: &RetiredEntry| Ok(KemSecret::new(suite(entry.suite)?, entry.secret.clone()));
    entries.unwrap_or_default().iter().map(key).collect()
}

/// A KEM secret of a record.
pub(in crate::repository::keys) fn kem_secret(
    code: u8,
    secret: &Secret32,
) -> Result<KemSecret, KeysError> {
    Ok(KemSecret::new(suite(code)?, secret.clone()))
}

/// A public key as it stands in a recipients list.
pub(in crate::repository::keys) fn recipient_entry(role: Role, key: &KemPublic) -> RecipientEntry {
    RecipientEntry { role, suite: key.suite().code(), public: key.as_bytes().to_vec() }
}

/// The key of an entry of a recipients list.
pub fn recipient_key(entry: &RecipientEntry) -> Result<KemPublic, KeysError> {
    Ok(KemPublic::from_bytes(suite(entry.suite)?, &entry.public)?)
}

/// The keys of the administrators of a list.
pub fn admin_keys(list: &RecipientsRecord) -> Result<Vec<VerifyingKey>, KeysError> {
    list.admins.iter().map(|admin| Ok(VerifyingKey::from_bytes(&admin.public)?)).collect()
}

fn pinned(key: &KemPublic) -> PinnedRecipient {
    PinnedRecipient { suite: key.suite().code(), public: key.as_bytes().to_vec() }
}

fn unpinned(key: &PinnedRecipient) -> Result<KemPublic, KeysError> {
    Ok(KemPublic::from_bytes(suite(key.suite)?, &key.public)?)
}

/// A restore keyset as bytes, to be sealed in a slot.
#[must_use]
pub fn encode_restore(keyset: &RestoreKeyset) -> SecretBytes {
    let recovery_suite =
        keyset.recovery.as_ref().map_or_else(|| keyset.restore.suite(), KemSecret::suite);
    let record = RestoreKeysetRecord {
        repository: keyset.repository,
        restore_suite: keyset.restore.suite().code(),
        restore: keyset.restore.secret().clone(),
        recovery_suite: recovery_suite.code(),
        recovery: keyset.recovery.as_ref().map(|key| key.secret().clone()),
        domains: keyset.domains.iter().map(domain_entry).collect(),
        store: store_entries(&keyset.store),
        admin: keyset.admin.seed(),
        root: keyset.root.as_ref().map(SigningKey::seed),
        root_public: *keyset.root_public.as_bytes(),
        retired: retired_entries(keyset),
    };
    SecretBytes::new(record::encode(&record).to_vec())
}

/// Reads what [`encode_restore`] made.
pub fn decode_restore(bytes: &SecretBytes) -> Result<RestoreKeyset, KeysError> {
    let record: RestoreKeysetRecord = record::decode(bytes.expose())?;
    let recovery_suite = suite(record.recovery_suite)?;
    let root = record.root.as_ref().map(SigningKey::from_seed);
    let root_public = VerifyingKey::from_bytes(&record.root_public)?;
    if root.as_ref().is_some_and(|root| root.verifying_key() != root_public) {
        return Err(KeysError::BadKey);
    }
    Ok(RestoreKeyset {
        repository: record.repository,
        restore: KemSecret::new(suite(record.restore_suite)?, record.restore),
        recovery: record.recovery.map(|secret| KemSecret::new(recovery_suite, secret)),
        domains: record.domains.iter().map(domain_secret).collect(),
        store: store_keys(record.repository, &record.store)?,
        admin: SigningKey::from_seed(&record.admin),
        root,
        root_public,
        retired: retired_keys(record.retired.as_deref())?,
    })
}

/// The keyring's content, from a restore keyset.
pub(in crate::repository::keys) fn keyring_secrets(keyset: &RestoreKeyset) -> KeyringSecrets {
    KeyringSecrets {
        store: store_entries(&keyset.store),
        domains: keyset.domains.iter().map(domain_entry).collect(),
        restore_suite: keyset.restore.suite().code(),
        restore: keyset.restore.secret().clone(),
        admin: keyset.admin.seed(),
        root: keyset.root.as_ref().map(SigningKey::seed),
        retired: retired_entries(keyset),
    }
}

/// A restore keyset, from the keyring's content, and the recovery key if that opened it.
pub(in crate::repository::keys) fn from_keyring(
    secrets: &KeyringSecrets,
    (repository, root_public): (RepositoryId, VerifyingKey),
    recovery: Option<KemSecret>,
) -> Result<RestoreKeyset, KeysError> {
    let root = secrets.root.as_ref().map(SigningKey::from_seed);
    if root.as_ref().is_some_and(|root| root.verifying_key() != root_public) {
        return Err(KeysError::BadKey);
    }
    if secrets.domains.is_empty() {
        return Err(KeysError::BadKey);
    }
    Ok(RestoreKeyset {
        repository,
        restore: KemSecret::new(suite(secrets.restore_suite)?, secrets.restore.clone()),
        recovery,
        domains: secrets.domains.iter().map(domain_secret).collect(),
        store: store_keys(repository, &secrets.store)?,
        admin: SigningKey::from_seed(&secrets.admin),
        root,
        root_public,
        retired: retired_keys(secrets.retired.as_deref())?,
    })
}

/// An agent keyset as the bytes of its file; whoever writes it sees to mode 0600.
#[must_use]
pub fn encode_agent(keyset: &AgentKeyset) -> SecretBytes {
    let record = AgentKeysetRecord {
        repository: keyset.repository,
        machine: keyset.machine,
        domain: domain_entry(&keyset.domain),
        store: store_entries(&keyset.store),
        root_public: *keyset.root_public.as_bytes(),
        recipients_version: keyset.recipients_version,
        recipients: keyset.recipients.iter().map(pinned).collect(),
        signing: keyset.signing.seed(),
        sources: keyset.sources.clone(),
    };
    SecretBytes::new(record::encode(&record).to_vec())
}

/// Reads what [`encode_agent`] made.
pub fn decode_agent(bytes: &SecretBytes) -> Result<AgentKeyset, KeysError> {
    let record: AgentKeysetRecord = record::decode(bytes.expose())?;
    Ok(AgentKeyset {
        repository: record.repository,
        machine: record.machine,
        domain: domain_secret(&record.domain),
        store: store_keys(record.repository, &record.store)?,
        root_public: VerifyingKey::from_bytes(&record.root_public)?,
        recipients_version: record.recipients_version,
        recipients: record.recipients.iter().map(unpinned).collect::<Result<_, _>>()?,
        signing: SigningKey::from_seed(&record.signing),
        sources: record.sources,
    })
}
