//! Signatures: Ed25519 (RFC 8032), verified strictly, with a context per purpose.

use std::fmt;

use ed25519_dalek::Signer;

use crate::crypto::context;
use crate::ids::KeyId;
use crate::secret::Secret32;

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// What a signature is made for; it is worth nothing for any other purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Config,
    Recipients,
    Keyring,
    Machine,
    Custody,
    Manifest,
    Tombstone,
}

impl Purpose {
    const fn context(self) -> &'static str {
        match self {
            Self::Config => context::SIGN_CONFIG,
            Self::Recipients => context::SIGN_RECIPIENTS,
            Self::Keyring => context::SIGN_KEYRING,
            Self::Machine => context::SIGN_MACHINE,
            Self::Custody => context::SIGN_CUSTODY,
            Self::Manifest => context::SIGN_MANIFEST,
            Self::Tombstone => context::SIGN_TOMBSTONE,
        }
    }

    /// What is signed in fact: the context, a zero byte (no context holds one), the message.
    fn prefixed(self, message: &[u8]) -> Vec<u8> {
        let context = self.context().as_bytes();
        let mut out = Vec::with_capacity(context.len() + 1 + message.len());
        out.extend_from_slice(context);
        out.push(0);
        out.extend_from_slice(message);
        out
    }
}

/// A signature or public key that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("not a public key for signatures")]
    BadKey,
    #[error("the signature of key {signer} does not hold")]
    BadSignature { signer: KeyId },
}

/// The public half of a [`SigningKey`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Refuses bytes that are no point and points of small order, whose signatures prove nothing.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| SignError::BadKey)?;
        if key.is_weak() || key.to_bytes() != *bytes {
            return Err(SignError::BadKey);
        }
        Ok(Self(key))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    #[must_use]
    pub fn key_id(&self) -> KeyId {
        key_id(0, self.as_bytes())
    }

    /// Checks by RFC 8032 with strict rules: canonical encodings, no key of small order.
    pub fn verify(
        &self,
        purpose: Purpose,
        message: &[u8],
        signature: &[u8; SIGNATURE_BYTES],
    ) -> Result<(), SignError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0
            .verify_strict(&purpose.prefixed(message), &signature)
            .map_err(|_| SignError::BadSignature { signer: self.key_id() })
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.key_id())
    }
}

/// Fingerprint of a public key of an algorithm: 0 for signatures, else the suite of the KEM.
pub(in crate::crypto) fn key_id(algorithm: u8, public: &[u8]) -> KeyId {
    let mut hasher = blake3::Hasher::new_derive_key(context::KEY_ID);
    hasher.update(&[algorithm]);
    hasher.update(public);
    let mut id = [0; KeyId::LEN];
    hasher.finalize_xof().fill(&mut id);
    KeyId::new(id)
}

/// A secret key for signatures; the cipher crate wipes it on drop.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From a random seed or a stored one.
    #[must_use]
    pub fn from_seed(seed: &Secret32) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// From the system's generator.
    pub fn generate() -> Result<Self, getrandom::Error> {
        Ok(Self::from_seed(&crate::crypto::random_secret()?))
    }

    /// The seed, for a sealed record.
    #[must_use]
    pub fn seed(&self) -> Secret32 {
        Secret32::new(self.0.to_bytes())
    }

    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    #[must_use]
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(&purpose.prefixed(message)).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(hidden)")
    }
}

/// RFC 8032, section 7.1, test 1: the signature of the empty message.
pub(in crate::crypto) fn known_answer_holds() -> bool {
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const START: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155";
    let hex = |text| crate::ids::parse_hex::<32>(text);
    let (Ok(seed), Ok(public), Ok(start)) = (hex(SEED), hex(PUBLIC), hex(START)) else {
        return false;
    };
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let signature = key.sign(b"");
    key.verifying_key().to_bytes() == public
        && signature.to_bytes().starts_with(&start)
        && key.verifying_key().verify_strict(b"", &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answer() {
        assert!(known_answer_holds());
    }

    #[test]
    fn a_signature_holds_for_its_purpose_message_and_key_only() {
        let key = SigningKey::from_seed(&Secret32::new([7; 32]));
        let public = key.verifying_key();
        let signature = key.sign(Purpose::Config, b"message");
        public.verify(Purpose::Config, b"message", &signature).unwrap();
        assert!(public.verify(Purpose::Keyring, b"message", &signature).is_err());
        assert!(public.verify(Purpose::Config, b"messagf", &signature).is_err());
        let other = SigningKey::from_seed(&Secret32::new([8; 32])).verifying_key();
        assert!(other.verify(Purpose::Config, b"message", &signature).is_err());
        for bit in 0..SIGNATURE_BYTES * 8 {
            let mut bad = signature;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(public.verify(Purpose::Config, b"message", &bad).is_err(), "bit {bit}");
        }
    }

    /// Adding the group's order to S gives the same point; RFC 8032 5.1.7 forbids it.
    #[test]
    fn an_altered_but_equivalent_signature_is_refused() {
        const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
        let order = crate::ids::parse_hex::<32>(ORDER).unwrap();
        let key = SigningKey::from_seed(&Secret32::new([7; 32]));
        let mut signature = key.sign(Purpose::Config, b"message");
        let mut carry = 0_u16;
        for (byte, add) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        let verdict = key.verifying_key().verify(Purpose::Config, b"message", &signature);
        assert!(matches!(verdict, Err(SignError::BadSignature { .. })));
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerifyingKey::from_bytes(&identity), Err(SignError::BadKey));
        assert_eq!(VerifyingKey::from_bytes(&[0; 32]), Err(SignError::BadKey));
    }
}
