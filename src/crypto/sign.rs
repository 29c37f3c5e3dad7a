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
    Note,
    Repair,
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
            Self::Note => context::SIGN_NOTE,
            Self::Repair => context::SIGN_REPAIR,
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

/// Text that is signed as it stands, so that whoever has the file, the key and any program for
/// Ed25519 can check it. It has no zero byte; every other message that a key signs has one, behind
/// its context: neither passes for the other.
#[derive(Debug, Clone, Copy)]
pub struct PlainText<'a>(&'a [u8]);

impl<'a> PlainText<'a> {
    /// `None` if there is a zero byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        (!bytes.contains(&0)).then_some(Self(bytes))
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
    /// Refuses bytes that are no point, a point in a longer form, and points of small order, whose
    /// signatures prove nothing.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| SignError::BadKey)?;
        if key.is_weak() || !is_canonical(bytes) {
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

impl VerifyingKey {
    /// As [`Self::verify`], for text that was signed as it stands.
    pub fn verify_plain(
        &self,
        text: PlainText<'_>,
        signature: &[u8; SIGNATURE_BYTES],
    ) -> Result<(), SignError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        let verified = self.0.verify_strict(text.0, &signature);
        verified.map_err(|_| SignError::BadSignature { signer: self.key_id() })
    }
}

/// Whether the height of a point is below the field's prime, 2^255 - 19: there is one form of each.
fn is_canonical([low, middle @ .., high]: &[u8; 32]) -> bool {
    high & 0x7f != 0x7f || *low < 0xed || middle.iter().any(|&byte| byte != 0xff)
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

    #[must_use]
    pub fn sign_plain(&self, text: PlainText<'_>) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(text.0).to_bytes()
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
    const R: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155";
    const S: &str = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    let hex = |text| crate::ids::parse_hex::<32>(text);
    let (Ok(seed), Ok(public), Ok(r), Ok(s)) = (hex(SEED), hex(PUBLIC), hex(R), hex(S)) else {
        return false;
    };
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let signature = key.sign(b"");
    key.verifying_key().to_bytes() == public
        && signature.to_bytes().as_slice() == [r, s].concat()
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

    #[test]
    fn plain_text_and_what_has_a_purpose_never_pass_for_each_other() {
        let key = SigningKey::from_seed(&Secret32::new([7; 32]));
        let public = key.verifying_key();
        let text = PlainText::new(b"{}").unwrap();
        let signature = key.sign_plain(text);
        public.verify_plain(text, &signature).unwrap();
        assert!(public.verify(Purpose::Config, b"{}", &signature).is_err());
        let other = PlainText::new(b"{ }").unwrap();
        assert!(public.verify_plain(other, &signature).is_err());
        // A message with a purpose is no plain text: it has a zero byte.
        assert!(PlainText::new(&Purpose::Config.prefixed(b"{}")).is_none());
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

    /// RFC 8032, section 7.1, tests 2 and 3.
    #[test]
    fn rfc_8032_known_answers() {
        for (seed, public, message, signature) in [
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                &b"\x72"[..],
                [
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
                    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
                ],
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                &b"\xaf\x82"[..],
                [
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
                    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
                ],
            ),
        ] {
            let hex = |text| crate::ids::parse_hex::<32>(text).unwrap();
            let key = ed25519_dalek::SigningKey::from_bytes(&hex(seed));
            assert_eq!(key.verifying_key().to_bytes(), hex(public));
            let made = key.sign(message);
            assert_eq!(made.to_bytes().as_slice(), signature.map(hex).concat());
            key.verifying_key().verify_strict(message, &made).unwrap();
        }
    }

    /// Points of small order, and the other ways to write the same points: whoever uses one as a
    /// key can make signatures that hold for any message.
    #[test]
    fn keys_of_small_order_and_odd_encodings_are_refused() {
        let ys = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            // 2^255 - 19 and the next: 0 and 1 in a longer form.
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            // 2^255 - 1: 18 in a longer form, and no small order.
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for y in ys {
            let mut key = crate::ids::parse_hex::<32>(y).unwrap();
            for sign in [0, 0x80] {
                key[31] = (key[31] & 0x7f) | sign;
                assert_eq!(VerifyingKey::from_bytes(&key), Err(SignError::BadKey), "{y} {sign}");
            }
        }
    }

    /// Made with the secret scalar so that the plain equation holds: R is the identity, S is the
    /// challenge times the scalar. OpenSSL takes it; strict rules refuse a nonce point of small
    /// order.
    #[test]
    fn a_nonce_point_of_small_order_is_refused() {
        const S: &str = "73d63d4cc5891c6abdc017533c8e875b82cd9ea81e6f8177066f0fc37105580c";
        let mut signature = [0; SIGNATURE_BYTES];
        signature[0] = 1;
        signature[32..].copy_from_slice(&crate::ids::parse_hex::<32>(S).unwrap());
        let key = SigningKey::from_seed(&Secret32::new([7; 32])).verifying_key();
        let message = Purpose::Config.prefixed(b"message");
        let loose = ed25519_dalek::Signature::from_bytes(&signature);
        ed25519_dalek::Verifier::verify(&key.0, &message, &loose).unwrap();
        assert!(key.verify(Purpose::Config, b"message", &signature).is_err());
    }
}
