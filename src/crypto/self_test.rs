//! Known answers of every primitive, checked once before the first use.

use std::sync::OnceLock;

use crate::crypto::aead::OneTimeAead;
use crate::crypto::aead::Reference;
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

/// Checks every primitive against a published or frozen answer; takes well below 1 ms.
pub fn self_test() -> Result<(), SelfTestFailed> {
    let tests: [Test; 4] = [
        ("AES-256-GCM", aead_holds),
        ("BLAKE3", blake3_holds),
        ("Ed25519", sign::known_answer_holds),
        ("Argon2id", slot::known_answer_holds),
    ];
    tests
        .iter()
        .find(|(_, holds)| !holds())
        .map_or(Ok(()), |(primitive, _)| Err(SelfTestFailed { primitive }))
}

/// GCM specification (`McGrew` and Viega), test case 14: key, nonce and plaintext zero.
fn aead_holds() -> bool {
    const CIPHERTEXT: &str = "cea7403d4d606b6e074ec5d3baf39d18";
    const TAG: &str = "d0d1c8a799996bf0265b98b5d48ab919";
    let mut sealed = vec![0; 16];
    Reference::seal(&[0; 32], b"", &mut sealed, 0);
    let hex = |text| crate::ids::parse_hex::<16>(text);
    let (Ok(ciphertext), Ok(tag)) = (hex(CIPHERTEXT), hex(TAG)) else {
        return false;
    };
    let expected = [ciphertext, tag].concat();
    sealed == expected
        && Reference::open(&[0; 32], b"", &mut sealed, 0).is_ok()
        && sealed == [0; 16]
}

/// The BLAKE3 paper's test vectors: hash of no bytes.
fn blake3_holds() -> bool {
    const EMPTY: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    crate::ids::parse_hex::<32>(EMPTY).is_ok_and(|empty| *blake3::hash(b"").as_bytes() == empty)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_primitive_gives_its_known_answer() {
        assert_eq!(super::self_test(), Ok(()));
    }
}
