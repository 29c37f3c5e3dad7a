//! Secrets that cannot be printed.
//!
//! What it is: the types that hold key material and passphrases in memory.
//! Never: implements `Display`; shows a byte in `Debug`; compares in variable time.
//! Invariants: memory is wiped on drop; equality takes the same time for any content.
//! Start reading at: [`Secret32`].

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;

/// 32 secret bytes: a symmetric key or the seed of one.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret32([u8; 32]);

impl Secret32 {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for handing to a cipher or to a sealed record.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Secret32 {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret32 {}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(hidden)")
    }
}

/// The key that opens one object. Parents keep it next to the object's `sid`.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ObjectKey(Secret32);

impl ObjectKey {
    pub const LEN: usize = 32;

    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Secret32::new(bytes))
    }

    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectKey(hidden)")
    }
}

/// Secret bytes of any length: a passphrase, a key file's content, an encoded keyset.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_printed() {
        assert_eq!(format!("{:?}", Secret32::new([7; 32])), "Secret32(hidden)");
        assert_eq!(format!("{:?}", ObjectKey::new([7; 32])), "ObjectKey(hidden)");
        assert_eq!(format!("{:?}", SecretBytes::new(vec![7])), "SecretBytes(hidden)");
    }
}
