//! Whether a passphrase was seen before, without opening a slot. For volatile memory only.

use argon2::Algorithm;
use argon2::Argon2;
use argon2::Version;

use crate::crypto::context;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

/// Work of one guess. It is less than that of a slot, because the result never reaches a disk and
/// nobody can compute it without the machine's own keyset.
const MEMORY_KIB: u32 = 8 * 1024;
const PASSES: u32 = 1;

/// What stands for `secret` in the volatile memory of the machine that holds `keyset` (the content
/// of its keyset file). Whoever has only one of the two can test no guess.
///
/// `None` if there is not enough memory.
#[must_use]
pub fn verifier(secret: &SecretBytes, keyset: &SecretBytes, salt: &[u8; 32]) -> Option<Secret32> {
    let mut pepper = blake3::Hasher::new_derive_key(context::VERIFIER);
    pepper.update(keyset.expose());
    let pepper = Secret32::new(*pepper.finalize().as_bytes());
    let params = argon2::Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
    let argon2 =
        Argon2::new_with_secret(pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)
            .ok()?;
    let mut found = zeroize::Zeroizing::new([0; 32]);
    argon2.hash_password_into(secret.expose(), salt, &mut *found).ok()?;
    Some(Secret32::new(*found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_counts() {
        let bytes = |byte: u8| SecretBytes::new(vec![byte; 9]);
        let one = verifier(&bytes(1), &bytes(2), &[3; 32]).unwrap();
        assert_eq!(verifier(&bytes(1), &bytes(2), &[3; 32]).unwrap(), one);
        assert_ne!(verifier(&bytes(9), &bytes(2), &[3; 32]).unwrap(), one);
        assert_ne!(verifier(&bytes(1), &bytes(9), &[3; 32]).unwrap(), one);
        assert_ne!(verifier(&bytes(1), &bytes(2), &[9; 32]).unwrap(), one);
    }
}
