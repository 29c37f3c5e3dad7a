//! The cipher behind one small trait: AES-256-GCM, tag of 16 bytes, for keys that seal one message.

use aes_gcm::AeadInOut;
use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;
use zeroize::Zeroize;

/// Bytes that sealing adds.
pub const TAG_BYTES: usize = 16;

/// The tag did not fit: wrong key, wrong associated data or altered bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authentication tag does not match")]
pub struct TagMismatch;

/// An AEAD whose every key seals exactly one message, so that the nonce is always zero
/// (`doc/format.md`, "Sealing").
pub trait OneTimeAead {
    /// Encrypts `buffer[from..]` in place and appends the tag.
    fn seal(key: &[u8; 32], aad: &[u8], buffer: &mut Vec<u8>, from: usize);
    /// Decrypts `buffer[from..]` in place and removes the tag. On failure that part is wiped.
    fn open(
        key: &[u8; 32],
        aad: &[u8],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), TagMismatch>;
}

/// The reference implementation.
#[derive(Debug, Clone, Copy)]
pub struct Reference;

impl OneTimeAead for Reference {
    #[expect(clippy::expect_used, reason = "only messages above 64 GiB fail; frames are 16 MiB")]
    fn seal(key: &[u8; 32], aad: &[u8], buffer: &mut Vec<u8>, from: usize) {
        let cipher = Aes256Gcm::new(key.into());
        let tag = cipher
            .encrypt_inout_detached(&[0_u8; 12].into(), aad, (&mut buffer[from..]).into())
            .expect("a frame is far below the cipher's limit");
        buffer.extend_from_slice(&tag);
    }

    fn open(
        key: &[u8; 32],
        aad: &[u8],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), TagMismatch> {
        let body_end = buffer.len().checked_sub(TAG_BYTES).filter(|&end| end >= from);
        let Some(body_end) = body_end else {
            return Err(TagMismatch);
        };
        let mut tag = [0_u8; TAG_BYTES];
        tag.copy_from_slice(&buffer[body_end..]);
        let cipher = Aes256Gcm::new(key.into());
        let body = &mut buffer[from..body_end];
        if cipher.decrypt_inout_detached(&[0_u8; 12].into(), aad, body.into(), &tag.into()).is_err()
        {
            buffer[from..].zeroize();
            return Err(TagMismatch);
        }
        buffer.truncate(body_end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_and_any_flip_is_refused() {
        let key = [9; 32];
        let mut sealed = b"head".to_vec();
        sealed.extend_from_slice(b"the message");
        Reference::seal(&key, b"aad", &mut sealed, 4);
        assert_eq!(sealed.len(), 4 + 11 + TAG_BYTES);
        for bit in 32..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Reference::open(&key, b"aad", &mut bad, 4), Err(TagMismatch));
            assert!(bad[4..].iter().all(|&b| b == 0));
        }
        Reference::open(&key, b"aad", &mut sealed, 4).unwrap();
        assert_eq!(sealed, b"headthe message");
    }

    /// GCM specification, test case 14 (McGrew and Viega): key, nonce and plaintext zero.
    #[test]
    fn known_answer() {
        let mut sealed = vec![0; 16];
        Reference::seal(&[0; 32], b"", &mut sealed, 0);
        let mut hex = String::new();
        crate::ids::push_hex(&mut hex, &sealed);
        assert_eq!(hex, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    }
}
