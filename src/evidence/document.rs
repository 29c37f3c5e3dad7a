//! Documents: what entries are about, signed by their author, sealed to who may read them.

use serde_json::Value;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::sealed::hpke::Binding;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::evidence::canonical;
use crate::evidence::canonical::CanonicalError;
use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::signed::SIGNED_OVERHEAD_BYTES;
use crate::evidence::signed::Signed;
use crate::format::ledger;
use crate::format::ledger::LEDGER_DOCUMENT_KIND;
use crate::format::manifest::MANIFEST_BYTES_MAX;
use crate::format::manifest::SealedPart;
use crate::ids::LedgerHash;
use crate::ids::RepositoryId;
use crate::secret::Secret32;

/// Most bytes of a document as it is kept.
pub const STORED_BYTES_MAX: u64 = MANIFEST_BYTES_MAX;
const _: () =
    assert!((DOCUMENT_BYTES_MAX + SIGNED_OVERHEAD_BYTES + 64 * 1024) as u64 <= STORED_BYTES_MAX);
/// Random bytes in each document, so that nobody confirms a guess at one by its hash.
const SALT_BYTES: usize = 16;

/// The text of a document: what the caller says, who wrote it, and a salt.
pub(in crate::evidence) fn text_of(
    kind: Kind,
    value: &Value,
    author: &str,
) -> Result<Vec<u8>, EvidenceError> {
    let mut value = canonical::composed(value)?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    if found != kind.schema() {
        let found = found.chars().take(80).collect();
        return Err(EvidenceError::Schema { kind: kind.name(), expected: kind.schema(), found });
    }
    let fields = value.as_object_mut().ok_or(CanonicalError::NotAnObject)?;
    for field in ["author", "salt"] {
        if fields.contains_key(field) {
            return Err(EvidenceError::FieldTaken { field });
        }
    }
    let salt = crate::crypto::random_bytes::<SALT_BYTES>();
    let salt = crate::ids::hex(&salt.map_err(|_| EvidenceError::NoRandom)?);
    fields.insert("author".to_owned(), author.into());
    fields.insert("salt".to_owned(), salt.into());
    Ok(canonical::write(&value)?)
}

/// The author that a document names.
#[must_use]
pub fn author(value: &Value) -> Option<&str> {
    value.get("author").and_then(Value::as_str)
}

fn place(repository: RepositoryId, document: &LedgerHash) -> Place<'_> {
    Place { kind: LEDGER_DOCUMENT_KIND, repository, name: document.as_bytes() }
}

/// As it is kept in storage. What keys are about is kept in clear: who cannot read anything else
/// must still be able to check signatures.
pub(in crate::evidence) fn seal(
    repository: RepositoryId,
    (kind, signed): (Kind, &Signed),
    recipients: &[KemPublic],
) -> Result<Vec<u8>, EvidenceError> {
    if kind == Kind::Key {
        return Ok(signed.encode());
    }
    let document = signed.hash();
    let key = crate::crypto::random_secret().map_err(|_| EvidenceError::NoRandom)?;
    let binding = Binding::Ledger { repository, document };
    let mut envelopes = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        let envelope = recipient.seal(binding, key.expose());
        envelopes.push((recipient.key_id(), envelope.map_err(EvidenceError::DoesNotSeal)?));
    }
    let content = blind::seal_box(&key, place(repository, &document), &signed.encode())
        .map_err(|_| EvidenceError::NoRandom)?;
    ledger::encode_sealed(&SealedPart { envelopes, content })
        .map_err(|error| EvidenceError::Format { document, error })
}

/// The inverse of [`seal`]; what opens is compared with its name.
pub(in crate::evidence) fn open(
    (repository, document): (RepositoryId, LedgerHash),
    stored: &[u8],
    secrets: &[KemSecret],
) -> Result<Signed, EvidenceError> {
    let clear = match ledger::decode_sealed(stored) {
        None => stored.to_vec(),
        Some(sealed) => {
            let sealed = sealed.map_err(|error| EvidenceError::Format { document, error })?;
            unseal((repository, document), &sealed, secrets)?
        }
    };
    let signed = Signed::decode(&clear).filter(|signed| signed.hash() == document);
    signed.ok_or(EvidenceError::DocumentLost { document })
}

fn unseal(
    (repository, document): (RepositoryId, LedgerHash),
    sealed: &SealedPart,
    secrets: &[KemSecret],
) -> Result<Vec<u8>, EvidenceError> {
    for secret in secrets {
        let id = secret.public().key_id();
        let Some((_, envelope)) = sealed.envelopes.iter().find(|(key, _)| *key == id) else {
            continue;
        };
        let opened = secret.open(Binding::Ledger { repository, document }, envelope);
        let opened = opened.map_err(|error| EvidenceError::DoesNotOpen { document, error })?;
        let lost = EvidenceError::DocumentLost { document };
        let key: [u8; 32] = opened.expose().try_into().map_err(|_| lost)?;
        let place = place(repository, &document);
        return blind::open_box(&Secret32::new(key), place, &sealed.content)
            .map_err(|error| EvidenceError::BoxDoesNotOpen { document, error });
    }
    Err(EvidenceError::NotARecipient { document })
}
