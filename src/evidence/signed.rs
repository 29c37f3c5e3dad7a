//! A text and its signature, kept together: the text, a line feed, the signature in base 64, a line
//! feed. Canonical JSON has no line feed, so the first one ends the text.

use data_encoding::BASE64;

use crate::crypto::sign::PlainText;
use crate::crypto::sign::SIGNATURE_BYTES;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::evidence::tree::sha256;
use crate::ids::LedgerHash;

/// Bytes of the signature and the two line feeds.
pub const SIGNED_OVERHEAD_BYTES: usize = 90;

/// Canonical JSON and the signature over its bytes as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub bytes: Vec<u8>,
    pub signature: [u8; SIGNATURE_BYTES],
}

impl Signed {
    /// `None` if the text has a zero byte, which canonical JSON has not.
    #[must_use]
    pub fn sign(key: &SigningKey, bytes: Vec<u8>) -> Option<Self> {
        let signature = key.sign_plain(PlainText::new(&bytes)?);
        Some(Self { bytes, signature })
    }

    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let plain = PlainText::new(&self.bytes);
        plain.is_some_and(|plain| key.verify_plain(plain, &self.signature).is_ok())
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn hash(&self) -> LedgerHash {
        sha256(&self.bytes)
    }

    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.bytes.clone();
        out.push(b'\n');
        out.extend_from_slice(BASE64.encode(&self.signature).as_bytes());
        out.push(b'\n');
        out
    }

    /// The inverse of [`Self::encode`].
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (text, rest) = bytes.split_at(end);
        let signature = rest.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
        let signature = BASE64.decode(signature).ok()?.try_into().ok()?;
        Some(Self { bytes: text.to_vec(), signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret32;

    #[test]
    fn a_signed_text_is_read_as_it_was_written_and_only_so() {
        let key = SigningKey::from_seed(&Secret32::new([7; 32]));
        let signed = Signed::sign(&key, b"{}".to_vec()).unwrap();
        let bytes = signed.encode();
        assert_eq!(bytes.len(), 2 + SIGNED_OVERHEAD_BYTES);
        assert_eq!(Signed::decode(&bytes), Some(signed.clone()));
        assert!(signed.is_signed_by(&key.verifying_key()));
        for cut in 0..bytes.len() {
            assert_eq!(Signed::decode(&bytes[..cut]), None);
        }
        let mut longer = bytes;
        longer.push(b'\n');
        assert_eq!(Signed::decode(&longer), None);
        assert_eq!(Signed::sign(&key, vec![0]), None);
    }
}
