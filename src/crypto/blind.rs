//! What a keeper without data keys may use: hashing, and what the store key `S` opens.
//!
//! `S` seals pack tables, the index, nodes' lists of children and small records of the vault. It
//! opens no name and no content of a snapshot.

use subtle::ConstantTimeEq;

use crate::crypto::aead::OneTimeAead;
use crate::crypto::aead::Reference;
use crate::crypto::aead::TAG_BYTES;
use crate::crypto::context;
use crate::ids::RepositoryId;
use crate::ids::Sid;
use crate::secret::Secret32;

/// Bytes that a box adds to its message: salt, commitment, tag.
pub const BOX_OVERHEAD_BYTES: usize = 32 + 32 + TAG_BYTES;

/// Name of an object: BLAKE3 of its sealed bytes.
#[must_use]
pub fn sid_of(object: &[u8]) -> Sid {
    Sid::new(*blake3::hash(object).as_bytes())
}

/// BLAKE3, for names of packs, index files and manifests.
#[must_use]
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// BLAKE3 of the concatenation of `parts`.
#[must_use]
pub fn hash_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// 16 bytes from the system's generator: an id that nobody else has.
pub fn random_id() -> Result<[u8; 16], getrandom::Error> {
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id)?;
    Ok(id)
}

/// A sealed box does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    #[error("sealed record has {found_bytes} bytes, at least {BOX_OVERHEAD_BYTES} are expected")]
    Short { found_bytes: usize },
    #[error("sealed with another key or for another place (commitment differs)")]
    OtherKey,
    #[error("altered (authentication tag differs)")]
    Altered,
}

/// What a box is bound to besides its key: it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Kind of record, such as `pack table`.
    pub kind: &'a str,
    pub repository: RepositoryId,
    /// Name of the record within its kind; empty where the content decides the name.
    pub name: &'a [u8],
}

fn derive(key: &Secret32, salt: &[u8; 32], place: Place<'_>) -> (Secret32, [u8; 32]) {
    let mut material = Vec::with_capacity(160);
    material.extend_from_slice(key.expose());
    material.extend_from_slice(salt);
    material.extend_from_slice(place.repository.as_bytes());
    push_length_prefixed(&mut material, place.kind.as_bytes());
    push_length_prefixed(&mut material, place.name);
    let box_key = Secret32::new(blake3::derive_key(context::BOX_KEY, &material));
    let commitment = blake3::derive_key(context::BOX_COMMITMENT, &material);
    zeroize::Zeroize::zeroize(&mut material);
    (box_key, commitment)
}

fn push_length_prefixed(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

/// Seals `message` under a long-lived key: salt, commitment, ciphertext, tag.
fn seal_with_salt(key: &Secret32, place: Place<'_>, message: &[u8], salt: [u8; 32]) -> Vec<u8> {
    let (box_key, commitment) = derive(key, &salt, place);
    let mut out = Vec::with_capacity(message.len() + BOX_OVERHEAD_BYTES);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&commitment);
    out.extend_from_slice(message);
    Reference::seal(box_key.expose(), place.kind.as_bytes(), &mut out, 64);
    out
}

/// Seals with a random salt.
pub fn seal_box(
    key: &Secret32,
    place: Place<'_>,
    message: &[u8],
) -> Result<Vec<u8>, getrandom::Error> {
    let mut salt = [0_u8; 32];
    getrandom::fill(&mut salt)?;
    Ok(seal_with_salt(key, place, message, salt))
}

/// Seals so that the same message gives the same bytes: the salt is a keyed hash of the message.
#[must_use]
pub fn seal_box_deterministic(key: &Secret32, place: Place<'_>, message: &[u8]) -> Vec<u8> {
    let salt_key = blake3::derive_key(context::BOX_SALT, key.expose());
    let mut hasher = blake3::Hasher::new_keyed(&salt_key);
    hasher.update(&(place.kind.len() as u64).to_le_bytes());
    hasher.update(place.kind.as_bytes());
    hasher.update(place.repository.as_bytes());
    hasher.update(&(place.name.len() as u64).to_le_bytes());
    hasher.update(place.name);
    hasher.update(message);
    seal_with_salt(key, place, message, *hasher.finalize().as_bytes())
}

/// Opens what [`seal_box`] or [`seal_box_deterministic`] made for the same key and place.
pub fn open_box(key: &Secret32, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, BoxError> {
    let short = BoxError::Short { found_bytes: sealed.len() };
    if sealed.len() < BOX_OVERHEAD_BYTES {
        return Err(short);
    }
    let (salt, rest) = sealed.split_first_chunk::<32>().ok_or(short)?;
    let (commitment, body) = rest.split_first_chunk::<32>().ok_or(short)?;
    let (box_key, expected) = derive(key, salt, place);
    if !bool::from(expected.ct_eq(commitment)) {
        return Err(BoxError::OtherKey);
    }
    let mut message = body.to_vec();
    Reference::open(box_key.expose(), place.kind.as_bytes(), &mut message, 0)
        .map_err(|_tag| BoxError::Altered)?;
    Ok(message)
}

/// The store keys of a repository: one per generation, the newest last.
#[derive(Debug, Clone)]
pub struct StoreKeys {
    repository: RepositoryId,
    generations: Vec<(u32, Secret32)>,
}

/// A record names a generation of the store key that this keyset does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("store key generation {generation} is not in this keyset")]
pub struct UnknownGeneration {
    pub generation: u32,
}

impl StoreKeys {
    /// `generations` in rising order, at least one.
    #[must_use]
    pub fn new(repository: RepositoryId, generations: Vec<(u32, Secret32)>) -> Option<Self> {
        let rising = generations.windows(2).all(|pair| pair[0].0 < pair[1].0);
        (rising && !generations.is_empty()).then_some(Self { repository, generations })
    }

    #[must_use]
    pub const fn repository(&self) -> RepositoryId {
        self.repository
    }

    /// The generation that seals what is written now, and its key.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the constructor refuses an empty list")]
    pub fn newest(&self) -> (u32, &Secret32) {
        let (generation, key) = self.generations.last().expect("at least one generation");
        (*generation, key)
    }

    pub fn get(&self, generation: u32) -> Result<&Secret32, UnknownGeneration> {
        let found = self.generations.iter().find(|(number, _)| *number == generation);
        found.map(|(_, key)| key).ok_or(UnknownGeneration { generation })
    }

    #[must_use]
    pub fn generations(&self) -> &[(u32, Secret32)] {
        &self.generations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: RepositoryId = RepositoryId::new([1; 16]);

    fn place(name: &[u8]) -> Place<'_> {
        Place { kind: "test", repository: REPOSITORY, name }
    }

    #[test]
    fn a_box_opens_only_with_its_key_and_place() {
        let key = Secret32::new([3; 32]);
        let sealed = seal_box(&key, place(b"a"), b"message").unwrap();
        assert_eq!(open_box(&key, place(b"a"), &sealed).unwrap(), b"message");
        assert_eq!(open_box(&key, place(b"b"), &sealed), Err(BoxError::OtherKey));
        let other = Secret32::new([4; 32]);
        assert_eq!(open_box(&other, place(b"a"), &sealed), Err(BoxError::OtherKey));
        for cut in 0..sealed.len() {
            assert!(open_box(&key, place(b"a"), &sealed[..cut]).is_err());
        }
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open_box(&key, place(b"a"), &bad).is_err());
        }
    }

    #[test]
    fn deterministic_boxes_are_equal_and_others_never() {
        let key = Secret32::new([3; 32]);
        let one = seal_box_deterministic(&key, place(b""), b"message");
        assert_eq!(one, seal_box_deterministic(&key, place(b""), b"message"));
        assert_ne!(one[..32], seal_box_deterministic(&key, place(b""), b"other")[..32]);
        let first = seal_box(&key, place(b""), b"message").unwrap();
        assert_ne!(first, seal_box(&key, place(b""), b"message").unwrap());
    }
}
