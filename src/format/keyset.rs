//! Keysets: the secrets of one party. A restore keyset lies in slots, an agent keyset in a file of
//! its machine that only the program's user may read.

use minicbor::Decode;
use minicbor::Encode;

use crate::format::keyring::RECIPIENTS_MAX;
use crate::format::recipients::KEM_PUBLIC_BYTES_MAX;
use crate::format::record::Record;
use crate::ids::DomainId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::secret::Secret32;

/// Most generations of a key in one record.
pub const GENERATIONS_MAX: usize = 256;

/// One generation of the store key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StoreEntry {
    #[n(0)]
    pub generation: u32,
    #[n(1)]
    pub secret: Secret32,
}

/// One generation of a domain's secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DomainEntry {
    #[n(0)]
    pub domain: DomainId,
    #[n(1)]
    pub generation: u32,
    #[n(2)]
    pub secret: Secret32,
}

/// Most restore keys that were replaced.
pub const RETIRED_MAX: usize = 64;

/// A restore key that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RetiredEntry {
    #[n(0)]
    pub suite: u8,
    #[n(1)]
    pub secret: Secret32,
}

/// An absent list stands for an empty one, so no list is empty.
pub(in crate::format) fn check_retired(list: Option<&[RetiredEntry]>) -> Result<(), &'static str> {
    let fits = list.is_none_or(|list| (1..=RETIRED_MAX).contains(&list.len()));
    if fits { Ok(()) } else { Err("number of replaced restore keys") }
}

/// The restore operator's secrets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RestoreKeysetRecord {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub restore_suite: u8,
    #[n(2)]
    pub restore: Secret32,
    #[n(3)]
    pub recovery_suite: u8,
    /// Absent once it lives on paper only.
    #[n(4)]
    pub recovery: Option<Secret32>,
    #[n(5)]
    pub domains: Vec<DomainEntry>,
    #[n(6)]
    pub store: Vec<StoreEntry>,
    /// Seed of the administrator's signing key.
    #[n(7)]
    pub admin: Secret32,
    /// Seed of the root signing key, unless it lives offline.
    #[n(8)]
    pub root: Option<Secret32>,
    #[cbor(n(9), with = "minicbor::bytes")]
    pub root_public: [u8; 32],
    /// Restore keys that were replaced: they open what was sealed before.
    #[n(10)]
    pub retired: Option<Vec<RetiredEntry>>,
}

impl Record for RestoreKeysetRecord {
    const KIND: u8 = 5;
    const NOUN: &'static str = "restore keyset";

    fn check(&self) -> Result<(), &'static str> {
        let rising = self.store.windows(2).all(|pair| match pair {
            [one, two] => one.generation < two.generation,
            _ => false,
        });
        let count = 1..=GENERATIONS_MAX;
        if !count.contains(&self.store.len()) || !rising {
            return Err("generations of the store key");
        }
        if !count.contains(&self.domains.len()) {
            return Err("generations of the domain secrets");
        }
        check_retired(self.retired.as_deref())
    }
}

/// A public key that a machine seals its snapshots to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PinnedRecipient {
    #[n(0)]
    pub suite: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public: Vec<u8>,
}

/// A protected machine's secrets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AgentKeysetRecord {
    #[n(0)]
    pub repository: RepositoryId,
    #[n(1)]
    pub machine: MachineId,
    #[n(2)]
    pub domain: DomainEntry,
    #[n(3)]
    pub store: Vec<StoreEntry>,
    #[cbor(n(4), with = "minicbor::bytes")]
    pub root_public: [u8; 32],
    #[n(5)]
    pub recipients_version: u32,
    #[n(6)]
    pub recipients: Vec<PinnedRecipient>,
    /// Seed of the machine's signing key.
    #[n(7)]
    pub signing: Secret32,
    /// Gives the ids of its sources, if another generation of the domain secret did so first.
    #[n(8)]
    pub sources: Option<Secret32>,
}

impl Record for AgentKeysetRecord {
    const KIND: u8 = 6;
    const NOUN: &'static str = "agent keyset";

    fn check(&self) -> Result<(), &'static str> {
        let rising = self.store.windows(2).all(|pair| match pair {
            [one, two] => one.generation < two.generation,
            _ => false,
        });
        if !(1..=GENERATIONS_MAX).contains(&self.store.len()) || !rising {
            return Err("generations of the store key");
        }
        if !(1..=RECIPIENTS_MAX).contains(&self.recipients.len()) {
            return Err("number of recipients");
        }
        let fits = |key: &PinnedRecipient| key.public.len() <= KEM_PUBLIC_BYTES_MAX;
        if self.recipients.iter().all(fits) { Ok(()) } else { Err("recipient's key") }
    }
}
