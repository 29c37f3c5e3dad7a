//! Manifests: sealed and signed by a machine, opened by whoever holds a recipient's secret.

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::sealed::hpke::Binding;
use crate::crypto::sealed::keyset::AgentKeyset;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::manifest;
use crate::format::manifest::ManifestPublic;
use crate::format::manifest::SealedPart;
use crate::format::manifest::SignedManifest;
use crate::format::record::from_cbor;
use crate::format::record::to_cbor;
use crate::format::snapshot::SNAPSHOT_KIND;
use crate::format::snapshot::SnapshotInfo;
use crate::repository::error::RepositoryError;
use crate::secret::Secret32;

fn place<'a>(public: &ManifestPublic, public_hash: &'a [u8; 32]) -> Place<'a> {
    Place { kind: SNAPSHOT_KIND, repository: public.repository, name: public_hash }
}

const fn binding<'a>(public: &ManifestPublic, public_hash: &'a [u8; 32]) -> Binding<'a> {
    Binding::Snapshot {
        repository: public.repository,
        machine: public.machine,
        source: public.source,
        seq: public.seq,
        public_hash,
    }
}

/// Seals `info` to every recipient of the machine and signs the whole. `public.recipients` and
/// `public.signer` are set here.
pub fn seal_manifest(
    keys: &AgentKeyset,
    mut public: ManifestPublic,
    info: &SnapshotInfo,
) -> Result<SignedManifest, RepositoryError> {
    public.recipients = keys.recipients.iter().map(|key| key.key_id()).collect();
    public.signer = keys.signing.verifying_key().key_id();
    let public_hash = blind::hash(&manifest::encode_public(&public)?);
    let snapshot_key = crate::crypto::random_secret().map_err(|_| RepositoryError::NoRandom)?;
    let mut envelopes = Vec::with_capacity(keys.recipients.len());
    for recipient in &keys.recipients {
        let envelope = recipient.seal(binding(&public, &public_hash), snapshot_key.expose())?;
        envelopes.push((recipient.key_id(), envelope));
    }
    let content = blind::seal_box(&snapshot_key, place(&public, &public_hash), &to_cbor(info))
        .map_err(|_| RepositoryError::NoRandom)?;
    let sealed = SealedPart { envelopes, content }.encode()?;
    let unsigned = manifest::unsigned(&public, &sealed)?;
    let signature = keys.signing.sign(Purpose::Manifest, &unsigned);
    Ok(manifest::sign(unsigned, &signature)?)
}

/// A manifest opened, and the key that everything of the snapshot alone is sealed under.
pub struct OpenedManifest {
    pub info: SnapshotInfo,
    pub snapshot_key: Secret32,
}

/// Opens the sealed part with the restore key, or the recovery key while it is in the keyset.
pub fn open_manifest(
    keys: &RestoreKeyset,
    manifest: &SignedManifest,
) -> Result<SnapshotInfo, RepositoryError> {
    open_with_key(keys, manifest).map(|opened| opened.info)
}

/// As [`open_manifest`], with the snapshot key: it opens the notes too.
pub fn open_with_key(
    keys: &RestoreKeyset,
    manifest: &SignedManifest,
) -> Result<OpenedManifest, RepositoryError> {
    let public = &manifest.public;
    let public_hash = blind::hash(&manifest::encode_public(public)?);
    let sealed = SealedPart::decode(manifest.sealed())?;
    let now = std::iter::once(&keys.restore).chain(keys.recovery.as_ref());
    let secrets = now.chain(&keys.retired);
    for secret in secrets {
        let id = secret.public().key_id();
        let Some((_, envelope)) = sealed.envelopes.iter().find(|(key, _)| *key == id) else {
            continue;
        };
        let opened = secret.open(binding(public, &public_hash), envelope)?;
        let key: [u8; 32] = opened.expose().try_into().map_err(|_| RepositoryError::SnapshotKey)?;
        let snapshot_key = Secret32::new(key);
        let info = blind::open_box(&snapshot_key, place(public, &public_hash), &sealed.content)?;
        let info: SnapshotInfo = from_cbor(&info).ok_or(RepositoryError::SnapshotInfo)?;
        if info.root().sid != public.root {
            return Err(RepositoryError::SnapshotInfo);
        }
        return Ok(OpenedManifest { info, snapshot_key });
    }
    Err(RepositoryError::NotARecipient)
}

/// Whether the machine with this key signed the manifest.
#[must_use]
pub fn is_signed_by(manifest: &SignedManifest, key: &VerifyingKey) -> bool {
    key.key_id() == manifest.public.signer
        && key.verify(Purpose::Manifest, manifest.signed_part(), manifest.signature()).is_ok()
}
