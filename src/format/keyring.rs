//! Keyring: every key of the repository, sealed to the restore and recovery keys. Kept three times.

use minicbor::Decode;
use minicbor::Encode;

use crate::format::keyset::DomainEntry;
use crate::format::keyset::GENERATIONS_MAX;
use crate::format::keyset::RetiredEntry;
use crate::format::keyset::StoreEntry;
use crate::format::keyset::check_retired;
use crate::format::record::Record;
use crate::format::record::SignedRecord;
use crate::ids::DomainId;
use crate::ids::KeyId;
use crate::ids::RepositoryId;
use crate::secret::Secret32;
use crate::units::Timestamp;

/// Folder of keyrings.
pub const KEYRINGS: &str = "keyring/";
/// Copies of a keyring.
pub const KEYRING_COPIES: u8 = 3;
/// Most recipients of a snapshot or keyring.
pub const RECIPIENTS_MAX: usize = 16;

/// One envelope to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Envelope {
    #[n(0)]
    pub recipient: KeyId,
    /// Encapsulated key, ciphertext, tag.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// One generation of the keyring; signed by an administrator or root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyringRecord {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub generation: u32,
    #[n(2)]
    pub created: Timestamp,
    #[n(3)]
    pub envelopes: Vec<Envelope>,
    /// Absent in the first one of a repository: there is nothing older.
    #[n(4)]
    pub newest: Option<NewestKeys>,
}

/// The newest generations in a keyring, in the open: a machine sees by them that its keyset is old.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewestKeys {
    /// Of the store key.
    #[n(0)]
    pub store: u32,
    #[n(1)]
    pub domains: Vec<NewestDomain>,
}

/// The newest generation of one domain's secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewestDomain {
    #[n(0)]
    pub domain: DomainId,
    #[n(1)]
    pub generation: u32,
}

impl Record for KeyringRecord {
    const KIND: u8 = 3;
    const NOUN: &'static str = "keyring";

    fn check(&self) -> Result<(), &'static str> {
        if self.newest.as_ref().is_some_and(|newest| newest.domains.len() > GENERATIONS_MAX) {
            return Err("number of domains");
        }
        let count = self.envelopes.len();
        if (1..=RECIPIENTS_MAX).contains(&count) { Ok(()) } else { Err("number of envelopes") }
    }
}

impl SignedRecord for KeyringRecord {}

/// What an envelope of a keyring holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyringSecrets {
    #[n(0)]
    pub store: Vec<StoreEntry>,
    #[n(1)]
    pub domains: Vec<DomainEntry>,
    /// Suite and secret of the restore key.
    #[n(2)]
    pub restore_suite: u8,
    #[n(3)]
    pub restore: Secret32,
    /// Seed of the first administrator's signing key.
    #[n(4)]
    pub admin: Secret32,
    /// Seed of the root signing key, unless it lives offline.
    #[n(5)]
    pub root: Option<Secret32>,
    /// Restore keys that were replaced: they open what was sealed before.
    #[n(6)]
    pub retired: Option<Vec<RetiredEntry>>,
}

impl Record for KeyringSecrets {
    const KIND: u8 = 4;
    const NOUN: &'static str = "content of a keyring";

    fn check(&self) -> Result<(), &'static str> {
        let most = self.store.len().max(self.domains.len());
        if most > GENERATIONS_MAX {
            return Err("number of generations");
        }
        check_retired(self.retired.as_deref())
    }
}
