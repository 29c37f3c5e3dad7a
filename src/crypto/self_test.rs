//! Known answers of every primitive, checked once before the first use.

use std::sync::OnceLock;

use crate::crypto::aead::Fast;
use crate::crypto::aead::OneTimeAead;
use crate::crypto::aead::Reference;
use crate::crypto::sealed::hpke;
use crate::crypto::sealed::shares;
use crate::crypto::sealed::slot;
use crate::crypto::sign;

/// A primitive gives a wrong answer: this build or this processor must not touch a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("self-test of {primitive} failed: this program must not be used on this machine")]
pub struct SelfTestFailed {
    pub primitive: &'static str,
}

/// A primitive's name and whether its known answer holds.
type Test = (&'static str, fn() -> bool);

/// Runs [`self_test`] at the first call in this process; later calls repeat its answer.
pub fn ensure() -> Result<(), SelfTestFailed> {
    static ANSWER: OnceLock<Result<(), SelfTestFailed>> = OnceLock::new();
    *ANSWER.get_or_init(self_test)
}

/// Checks every primitive against a published answer, or that of another implementation. It takes
/// less than a millisecond, so costly ones (Argon2id with real parameters, many vectors) are unit
/// tests.
pub fn self_test() -> Result<(), SelfTestFailed> {
    let tests: [Test; 7] = [
        ("AES-256-GCM", aead_holds::<Reference>),
        ("AES-256-GCM of objects", fast_aead_holds),
        ("BLAKE3", blake3_holds),
        ("Ed25519", sign::known_answer_holds),
        ("HPKE", hpke::known_answers_hold),
        ("shares", shares::known_answer_holds),
        ("Argon2id", slot::known_answer_holds),
    ];
    tests
        .iter()
        .find(|(_, holds)| !holds())
        .map_or(Ok(()), |(primitive, _)| Err(SelfTestFailed { primitive }))
}

/// GCM specification (`McGrew` and Viega), test case 14: key, nonce and plaintext zero.
fn aead_holds<A: OneTimeAead>() -> bool {
    const CIPHERTEXT: &str = "cea7403d4d606b6e074ec5d3baf39d18";
    const TAG: &str = "d0d1c8a799996bf0265b98b5d48ab919";
    let mut sealed = vec![0; 16];
    A::seal(&[0; 32], b"", &mut sealed, 0);
    let hex = |text| crate::ids::parse_hex::<16>(text);
    let (Ok(ciphertext), Ok(tag)) = (hex(CIPHERTEXT), hex(TAG)) else {
        return false;
    };
    let expected = [ciphertext, tag].concat();
    sealed == expected && A::open(&[0; 32], b"", &mut sealed, 0).is_ok() && sealed == [0; 16]
}

/// The same, and a message as long as wide instructions want it, sealed alike by both.
fn fast_aead_holds() -> bool {
    let message: Vec<u8> = (0..=250).cycle().take(1025).collect();
    let (mut fast, mut reference) = (message.clone(), message.clone());
    Fast::seal(&[7; 32], b"self-test", &mut fast, 0);
    Reference::seal(&[7; 32], b"self-test", &mut reference, 0);
    aead_holds::<Fast>()
        && fast == reference
        && Fast::open(&[7; 32], b"self-test", &mut fast, 0).is_ok()
        && fast == message
}

/// BLAKE3's test vectors, all three modes: 1025 bytes, so that the tree and wide instructions are
/// in use.
fn blake3_holds() -> bool {
    const KEY: &[u8; 32] = b"whats the Elvish word for friend";
    const CONTEXT: &str = "BLAKE3 2019-12-27 16:29:52 test vectors context";
    const HASH: &str = "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444";
    const KEYED: &str = "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69";
    const DERIVED: &str = "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb";
    let input: Vec<u8> = (0..=250).cycle().take(1025).collect();
    let found = [
        *blake3::hash(&input).as_bytes(),
        *blake3::keyed_hash(KEY, &input).as_bytes(),
        blake3::derive_key(CONTEXT, &input),
    ];
    let expected = [HASH, KEYED, DERIVED].map(crate::ids::parse_hex::<32>);
    found.into_iter().zip(expected).all(|(found, expected)| expected == Ok(found))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_primitive_gives_its_known_answer() {
        assert_eq!(super::self_test(), Ok(()));
    }
}
