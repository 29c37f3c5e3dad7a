//! The cipher behind one small trait: AES-256-GCM, tag of 16 bytes, for keys that seal one message.

use aes_gcm::AeadInOut;
use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;
use ring::aead;
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

/// The reference implementation, for short messages: its keys are wiped from memory.
#[derive(Debug, Clone, Copy)]
pub struct Reference;

/// The same cipher by another implementation, twice as fast or more on processors with wide
/// instructions (`benches/micro.rs`), for objects: their keys belong to one message and are not
/// wiped. What one implementation seals the other opens (tests, and `crypto::self_test` at start).
#[derive(Debug, Clone, Copy)]
pub struct Fast;

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

impl OneTimeAead for Fast {
    #[expect(clippy::expect_used, reason = "only messages above 64 GiB fail; frames are 16 MiB")]
    fn seal(key: &[u8; 32], aad: &[u8], buffer: &mut Vec<u8>, from: usize) {
        let sealed = fast_key(key).seal_in_place_separate_tag(
            aead::Nonce::assume_unique_for_key([0; 12]),
            aead::Aad::from(aad),
            &mut buffer[from..],
        );
        let tag = sealed.expect("a frame is far below the cipher's limit");
        buffer.extend_from_slice(tag.as_ref());
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
        let opened = fast_key(key).open_in_place(
            aead::Nonce::assume_unique_for_key([0; 12]),
            aead::Aad::from(aad),
            &mut buffer[from..],
        );
        if opened.is_err() {
            buffer[from..].zeroize();
            return Err(TagMismatch);
        }
        buffer.truncate(body_end);
        Ok(())
    }
}

#[expect(clippy::expect_used, reason = "the key has the length that the type says")]
fn fast_key(key: &[u8; 32]) -> aead::LessSafeKey {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key);
    aead::LessSafeKey::new(key.expect("a key of 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_and_any_flip_is_refused() {
        flips_are_refused::<Reference>();
        flips_are_refused::<Fast>();
    }

    fn flips_are_refused<A: OneTimeAead>() {
        let key = [9; 32];
        let mut sealed = b"head".to_vec();
        sealed.extend_from_slice(b"the message");
        A::seal(&key, b"aad", &mut sealed, 4);
        assert_eq!(sealed.len(), 4 + 11 + TAG_BYTES);
        for bit in 32..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(A::open(&key, b"aad", &mut bad, 4), Err(TagMismatch));
            assert!(bad[4..].iter().all(|&b| b == 0));
        }
        let mut short = sealed[..4 + TAG_BYTES - 1].to_vec();
        assert_eq!(A::open(&key, b"aad", &mut short, 4), Err(TagMismatch));
        A::open(&key, b"aad", &mut sealed, 4).unwrap();
        assert_eq!(sealed, b"headthe message");
    }

    /// Lengths round every width that an implementation works in, and one of a real object.
    #[test]
    fn both_implementations_seal_the_same_bytes_and_open_each_other() {
        let mut noise = vec![0; 3_000_001];
        blake3::Hasher::new().update(b"both").finalize_xof().fill(&mut noise);
        let lengths = (0..=300).chain([511, 512, 513, 1024, 4095, 65_537, 3_000_001]);
        for (n, len) in lengths.enumerate() {
            let key: [u8; 32] = noise[n..n + 32].try_into().unwrap();
            let aad = &noise[..n % 70];
            let (mut one, mut other) = (noise[..len].to_vec(), noise[..len].to_vec());
            let from = n % 9 % (len + 1);
            Reference::seal(&key, aad, &mut one, from);
            Fast::seal(&key, aad, &mut other, from);
            assert_eq!(one, other, "{len}");
            Reference::open(&key, aad, &mut other, from).unwrap();
            Fast::open(&key, aad, &mut one, from).unwrap();
            assert_eq!((&one[..], &other[..]), (&noise[..len], &noise[..len]));
        }
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    fn opened(key: &str, nonce: &str, aad: &str, sealed: &str) -> Option<Vec<u8>> {
        let key: [u8; 32] = unhex(key).try_into().unwrap();
        let nonce: [u8; 12] = unhex(nonce).try_into().unwrap();
        let mut body = unhex(sealed);
        let tag: [u8; 16] = body.split_off(body.len() - 16).try_into().unwrap();
        let cipher = Aes256Gcm::new(&key.into());
        let aad = unhex(aad);
        let body_slice = body.as_mut_slice().into();
        let opens = cipher.decrypt_inout_detached(&nonce.into(), &aad, body_slice, &tag.into());
        opens.ok().map(|()| body)
    }

    /// The cipher below [`Reference`], with nonces that are not zero: GCM specification, test case
    /// 16; NIST CAVP `gcmEncryptExtIV256`; Wycheproof.
    #[test]
    fn published_vectors() {
        let plain = concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        );
        let sealed = concat!(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b"
        );
        let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
        let aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
        assert_eq!(opened(key, "cafebabefacedbaddecaf888", aad, sealed), Some(unhex(plain)));
        let key = "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4";
        let tag = "bdc1ac884d332457a1d2664f168c76f0";
        assert_eq!(opened(key, "516c33929df5a3284ff463d7", "", tag), Some(Vec::new()));
    }

    /// Wycheproof, AES-GCM with 256-bit keys: altered tags, each of which must be refused.
    #[test]
    fn wycheproof_altered_tags() {
        let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let nonce = "505152535455565758595a5b";
        let body = "b2061457c0759fc1749f174ee1ccadfa";
        let with = |tag: &str| opened(key, nonce, "", &format!("{body}{tag}"));
        let plain = unhex("202122232425262728292a2b2c2d2e2f");
        assert_eq!(with("9ce8fef6d8ab1bf1bf887232eab590dd"), Some(plain));
        for tag in [
            "9ce8fef6d8ab1bf1be887232eab590dd",
            "9ce8fef6d8ab1bf13f887232eab590dd",
            "9ce8fef6d8ab1bf1bfa87232eab590dd",
            "9ce8fef6d8ab1bf1bf887332eab590dd",
            "9ce8fef6d8ab1bf1bf887232ebb590dd",
            "9ce8fef6d8ab1bf1bf8872326ab590dd",
            "9ce8fef6d8ab1bf1bf887232eab590dc",
            "9ce8fef6d8ab1bf1bf887232eab5905d",
            "9de8fef6d8ab1bf1be887232eab590dd",
            "9ce8fe76d8ab1b71bf887232eab590dd",
            "9ce8fef6d8ab1b71bf887232eab5905d",
            "631701092754e40e40778dcd154a6f22",
            "00000000000000000000000000000000",
            "ffffffffffffffffffffffffffffffff",
            "1c687e76582b9b713f08f2b26a35105d",
            "9de9fff7d9aa1af0be897333ebb491dc",
        ] {
            assert_eq!(with(tag), None, "{tag}");
        }
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
