//! The secrets of one party, as authorities: what a type has no method for, its holder cannot do.

use crate::crypto::blind::StoreKeys;
use crate::crypto::sealed::content::source_key;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::ids::DomainId;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::secret::Secret32;

/// One generation of a domain's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSecret {
    pub domain: DomainId,
    pub generation: u32,
    pub secret: Secret32,
}

/// What the restore operator holds: opens every snapshot, enrols machines.
#[derive(Debug, Clone)]
pub struct RestoreKeyset {
    pub repository: RepositoryId,
    /// Opens manifests.
    pub restore: KemSecret,
    /// The recovery secret, until it lives on paper only.
    pub recovery: Option<KemSecret>,
    /// In rising order of generation within a domain; never empty.
    pub domains: Vec<DomainSecret>,
    pub store: StoreKeys,
    /// The personal signing key of the first administrator.
    pub admin: SigningKey,
    /// Signs recipients and administrators; `None` once it was moved offline.
    pub root: Option<SigningKey>,
    pub root_public: VerifyingKey,
    /// Restore keys that were replaced, the oldest first: they open what was sealed before.
    pub retired: Vec<KemSecret>,
}

impl RestoreKeyset {
    /// The newest generation of a domain's secret.
    #[must_use]
    pub fn newest_domain(&self, domain: DomainId) -> Option<&DomainSecret> {
        self.domains.iter().rfind(|secret| secret.domain == domain)
    }

    /// What ids of sources derive from, if not from the newest generation: a rotation must not
    /// begin every dataset anew.
    #[must_use]
    pub fn source_key(&self, domain: DomainId) -> Option<Secret32> {
        let mut generations = self.domains.iter().filter(|secret| secret.domain == domain);
        let first = generations.next()?;
        generations.next()?;
        Some(source_key(&first.secret))
    }
}

/// What a protected machine holds: it can add snapshots. There is no secret in it, and no method
/// on it, that opens a manifest.
#[derive(Debug, Clone)]
pub struct AgentKeyset {
    pub repository: RepositoryId,
    pub machine: MachineId,
    pub domain: DomainSecret,
    pub store: StoreKeys,
    /// Pinned at enrolment: the only signer of recipients that this machine believes.
    pub root_public: VerifyingKey,
    /// The version of the recipients list below; an older one is refused.
    pub recipients_version: u32,
    pub recipients: Vec<KemPublic>,
    pub signing: SigningKey,
    /// Gives the ids of its sources, if not the domain secret.
    pub sources: Option<Secret32>,
}
