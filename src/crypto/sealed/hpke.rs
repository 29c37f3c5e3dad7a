//! Envelopes to recipients: HPKE (RFC 9180), mode base, one message each.
//!
//! KDF HKDF-SHA256 and AEAD AES-256-GCM in both suites; the KEM is X25519, or X-Wing (X25519 and
//! ML-KEM-768 together), so that what is recorded today stays shut when one of the two falls.

use std::fmt;

use hpke::Deserializable;
use hpke::Kem;
use hpke::OpModeR;
use hpke::OpModeS;
use hpke::Serializable;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::kem::XWing;

use crate::crypto::context;
use crate::crypto::sign::key_id;
use crate::ids::KeyId;
use crate::ids::LedgerHash;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SourceId;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

/// Bytes of the AEAD's tag.
const TAG_BYTES: usize = 16;

/// Which KEM a recipient's key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Suite {
    /// DHKEM(X25519, HKDF-SHA256).
    X25519 = 1,
    /// X-Wing: X25519 and ML-KEM-768.
    XWing = 2,
}

impl Suite {
    /// For new keys.
    pub const DEFAULT: Self = Self::XWing;

    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::X25519 => 1,
            Self::XWing => 2,
        }
    }

    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::X25519),
            2 => Some(Self::XWing),
            _ => None,
        }
    }

    /// Bytes of the encapsulated key at the head of an envelope.
    #[must_use]
    pub const fn encapsulated_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }

    /// Bytes that an envelope adds to its message.
    #[must_use]
    pub const fn overhead_bytes(self) -> usize {
        self.encapsulated_bytes() + TAG_BYTES
    }
}

/// An envelope or a recipient's key that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HpkeError {
    #[error("not a public key of suite {suite:?}")]
    BadPublicKey { suite: Suite },
    #[error("envelope has {found_bytes} bytes, at least {expected_bytes} are expected")]
    Short { expected_bytes: usize, found_bytes: usize },
    #[error("envelope is for another key or another place, or was altered")]
    DoesNotOpen,
    #[error("the envelope could not be made")]
    DoesNotSeal,
}

/// What an envelope is for; it opens for nothing else.
#[derive(Debug, Clone, Copy)]
pub enum Binding<'a> {
    /// The key of one snapshot's sealed part.
    Snapshot {
        repository: RepositoryId,
        machine: MachineId,
        source: SourceId,
        seq: u64,
        /// BLAKE3 of the manifest's public part.
        public_hash: &'a [u8; 32],
    },
    /// All generations of the keys of a repository.
    Keyring { repository: RepositoryId, generation: u32 },
    /// The key of one document of the ledger.
    Ledger { repository: RepositoryId, document: LedgerHash },
}

impl Binding<'_> {
    /// HPKE's `info`: the context, a zero byte, then fields of fixed length.
    fn info(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        match self {
            Self::Snapshot { repository, machine, source, seq, public_hash } => {
                out.extend_from_slice(context::HPKE_SNAPSHOT.as_bytes());
                out.push(0);
                out.extend_from_slice(repository.as_bytes());
                out.extend_from_slice(machine.as_bytes());
                out.extend_from_slice(source.as_bytes());
                out.extend_from_slice(&seq.to_le_bytes());
                out.extend_from_slice(public_hash);
            }
            Self::Keyring { repository, generation } => {
                out.extend_from_slice(context::HPKE_KEYRING.as_bytes());
                out.push(0);
                out.extend_from_slice(repository.as_bytes());
                out.extend_from_slice(&generation.to_le_bytes());
            }
            Self::Ledger { repository, document } => {
                out.extend_from_slice(context::HPKE_LEDGER.as_bytes());
                out.push(0);
                out.extend_from_slice(repository.as_bytes());
                out.extend_from_slice(document.as_bytes());
            }
        }
        out
    }
}

/// A recipient's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct KemPublic {
    suite: Suite,
    bytes: Vec<u8>,
}

impl KemPublic {
    /// Refuses bytes that are no key of that suite.
    pub fn from_bytes(suite: Suite, bytes: &[u8]) -> Result<Self, HpkeError> {
        let valid = match suite {
            Suite::X25519 => <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(bytes).is_ok(),
            Suite::XWing => <XWing as Kem>::PublicKey::from_bytes(bytes).is_ok(),
        };
        if !valid {
            return Err(HpkeError::BadPublicKey { suite });
        }
        Ok(Self { suite, bytes: bytes.to_vec() })
    }

    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[must_use]
    pub fn key_id(&self) -> KeyId {
        key_id(self.suite.code(), &self.bytes)
    }

    /// Envelope of `message`: encapsulated key, ciphertext, tag.
    pub fn seal(&self, binding: Binding<'_>, message: &[u8]) -> Result<Vec<u8>, HpkeError> {
        match self.suite {
            Suite::X25519 => seal_with::<X25519HkdfSha256>(&self.bytes, binding, message),
            Suite::XWing => seal_with::<XWing>(&self.bytes, binding, message),
        }
    }
}

impl fmt::Debug for KemPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KemPublic({:?} {})", self.suite, self.key_id())
    }
}

/// A recipient's secret key: the one authority that opens manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KemSecret {
    suite: Suite,
    secret: Secret32,
}

impl KemSecret {
    /// Any 32 bytes are a secret of either suite.
    #[must_use]
    pub const fn new(suite: Suite, secret: Secret32) -> Self {
        Self { suite, secret }
    }

    /// From the system's generator.
    pub fn generate(suite: Suite) -> Result<Self, getrandom::Error> {
        Ok(Self { suite, secret: crate::crypto::random_secret()? })
    }

    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The 32 bytes, for a sealed record or for shares.
    #[must_use]
    pub const fn secret(&self) -> &Secret32 {
        &self.secret
    }

    #[must_use]
    pub fn public(&self) -> KemPublic {
        let bytes = match self.suite {
            Suite::X25519 => public_of::<X25519HkdfSha256>(&self.secret),
            Suite::XWing => public_of::<XWing>(&self.secret),
        };
        KemPublic { suite: self.suite, bytes }
    }

    /// Opens an envelope made for this key and binding.
    pub fn open(&self, binding: Binding<'_>, envelope: &[u8]) -> Result<SecretBytes, HpkeError> {
        let (expected_bytes, found_bytes) = (self.suite.overhead_bytes(), envelope.len());
        let (encapsulated, body) = envelope
            .split_at_checked(self.suite.encapsulated_bytes())
            .filter(|_| found_bytes >= expected_bytes)
            .ok_or(HpkeError::Short { expected_bytes, found_bytes })?;
        match self.suite {
            Suite::X25519 => {
                open_with::<X25519HkdfSha256>(&self.secret, binding, encapsulated, body)
            }
            Suite::XWing => open_with::<XWing>(&self.secret, binding, encapsulated, body),
        }
    }
}

fn seal_with<K: Kem>(
    public: &[u8],
    binding: Binding<'_>,
    message: &[u8],
) -> Result<Vec<u8>, HpkeError> {
    let public = K::PublicKey::from_bytes(public).map_err(|_| HpkeError::DoesNotSeal)?;
    let (encapsulated, body) = hpke::single_shot_seal::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        &binding.info(),
        message,
        b"",
    )
    .map_err(|_| HpkeError::DoesNotSeal)?;
    let mut out = encapsulated.to_bytes().to_vec();
    out.extend_from_slice(&body);
    Ok(out)
}

fn open_with<K: Kem>(
    secret: &Secret32,
    binding: Binding<'_>,
    encapsulated: &[u8],
    body: &[u8],
) -> Result<SecretBytes, HpkeError> {
    let secret = K::PrivateKey::from_bytes(secret.expose()).map_err(|_| HpkeError::DoesNotOpen)?;
    let encapsulated =
        K::EncappedKey::from_bytes(encapsulated).map_err(|_| HpkeError::DoesNotOpen)?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        &binding.info(),
        body,
        b"",
    )
    .map(SecretBytes::new)
    .map_err(|_| HpkeError::DoesNotOpen)
}

#[expect(clippy::expect_used, reason = "both suites take any 32 bytes; tested")]
fn public_of<K: Kem>(secret: &Secret32) -> Vec<u8> {
    let secret = K::PrivateKey::from_bytes(secret.expose()).expect("any 32 bytes are a secret");
    K::sk_to_pk(&secret).to_bytes().to_vec()
}

/// Opens an envelope of each suite that another implementation has made (OpenSSL).
pub(in crate::crypto) fn known_answers_hold() -> bool {
    const X25519: &[u8] = include_bytes!("known_answers/x25519.envelope");
    const X_WING: &[u8] = include_bytes!("known_answers/x_wing.envelope");
    let binding = Binding::Keyring { repository: RepositoryId::new([0x11; 16]), generation: 1 };
    [(Suite::X25519, X25519), (Suite::XWing, X_WING)].into_iter().all(|(suite, envelope)| {
        let opened = KemSecret::new(suite, Secret32::new([0xa3; 32])).open(binding, envelope);
        opened.is_ok_and(|message| message.expose() == [0xa6; 32])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [Suite; 2] = [Suite::X25519, Suite::XWing];

    fn unhex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    /// RFC 9180, A.1.1, sequence number 0: the library's X25519 KEM, KDF and schedule. (The RFC
    /// pairs this KEM with AES-128; the AEAD itself has its known answer in `aead`.)
    #[test]
    fn rfc_9180_known_answer() {
        let secret = unhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8");
        let public = unhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d");
        let enc = unhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let info = unhex("4f6465206f6e2061204772656369616e2055726e");
        let sealed = unhex(concat!(
            "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9",
            "6d8770ac83d07bea87e13c512a"
        ));
        let mut fixed = [0; 32];
        fixed.copy_from_slice(&secret);
        let ours = KemSecret::new(Suite::X25519, Secret32::new(fixed));
        assert_eq!(ours.public().as_bytes(), public);
        let opened = hpke::single_shot_open::<hpke::aead::AesGcm128, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &Deserializable::from_bytes(&secret).unwrap(),
            &Deserializable::from_bytes(&enc).unwrap(),
            &info,
            &sealed,
            b"Count-0",
        );
        assert_eq!(opened.unwrap(), b"Beauty is truth, truth beauty");
    }

    /// draft-connolly-cfrg-xwing-kem, first vector: public key of a seed, and what an encapsulated
    /// key decapsulates to.
    #[test]
    fn x_wing_draft_known_answer() {
        let text = include_str!("known_answers/x_wing_draft.txt");
        let field = |name: &str| {
            let lines = text.lines().skip_while(|line| *line != name).skip(1);
            unhex(&lines.take_while(|line| line.len() > 2).collect::<String>())
        };
        let mut seed = [0; 32];
        seed.copy_from_slice(&field("sk"));
        let secret = KemSecret::new(Suite::XWing, Secret32::new(seed));
        assert_eq!(secret.public().as_bytes(), field("pk"));
        let key = <XWing as Kem>::PrivateKey::from_bytes(&seed).unwrap();
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&field("ct")).unwrap();
        let shared = XWing::decap(&key, None, &encapsulated).unwrap();
        assert_eq!(shared.0.to_vec(), field("ss"));
    }

    #[test]
    fn envelopes_of_another_implementation_open() {
        assert!(known_answers_hold());
    }

    #[test]
    fn an_envelope_opens_for_its_key_and_binding_only() {
        let hash = [5; 32];
        let snapshot = |seq| Binding::Snapshot {
            repository: RepositoryId::new([1; 16]),
            machine: MachineId::new([2; 16]),
            source: SourceId::new([3; 16]),
            seq,
            public_hash: &hash,
        };
        let keyring = Binding::Keyring { repository: RepositoryId::new([1; 16]), generation: 1 };
        for suite in SUITES {
            let key = KemSecret::new(suite, Secret32::new([9; 32]));
            let sealed = key.public().seal(snapshot(7), &[6; 32]).unwrap();
            assert_eq!(sealed.len(), 32 + suite.overhead_bytes());
            assert_eq!(key.open(snapshot(7), &sealed).unwrap().expose(), [6; 32]);
            assert_eq!(key.open(snapshot(8), &sealed), Err(HpkeError::DoesNotOpen));
            assert_eq!(key.open(keyring, &sealed), Err(HpkeError::DoesNotOpen));
            let other = KemSecret::new(suite, Secret32::new([8; 32]));
            assert_eq!(other.open(snapshot(7), &sealed), Err(HpkeError::DoesNotOpen));
            for cut in 0..sealed.len() {
                assert!(key.open(snapshot(7), &sealed[..cut]).is_err());
            }
        }
    }

    #[test]
    fn any_altered_bit_shuts_an_envelope() {
        let keyring = Binding::Keyring { repository: RepositoryId::new([1; 16]), generation: 1 };
        let key = KemSecret::new(Suite::X25519, Secret32::new([9; 32]));
        let sealed = key.public().seal(keyring, &[6; 32]).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // RFC 7748 has the KEM ignore the top bit of a point; the KDF takes it in all the same.
            assert!(key.open(keyring, &bad).is_err(), "bit {bit}");
        }
        let hybrid = KemSecret::new(Suite::XWing, Secret32::new([9; 32]));
        let sealed = hybrid.public().seal(keyring, &[6; 32]).unwrap();
        for bit in (0..sealed.len() * 8).step_by(67) {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(hybrid.open(keyring, &bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn foreign_public_keys_are_refused() {
        for suite in SUITES {
            for len in [0, 31, 33, 1215, 1217] {
                assert!(KemPublic::from_bytes(suite, &vec![1; len]).is_err());
            }
            let public = KemSecret::new(suite, Secret32::new([9; 32])).public();
            assert_eq!(KemPublic::from_bytes(suite, public.as_bytes()), Ok(public));
        }
        assert!(KemPublic::from_bytes(Suite::XWing, &[0xff; 1216]).is_err());
    }
}
