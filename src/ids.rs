//! Typed ids.
//!
//! What it is: every id in Lifeboat as a type of its own, so that a pack cannot be taken for an
//! object. Bare byte arrays used as ids never leave this room.
//! Never: parses anything but exact lower-case hex; holds secrets (see `secret`).
//! Invariants: `Display` and `FromStr` are inverse; `Debug` prints the type and 8 hex digits.
//! Start reading at: the list of types at the end.

use std::fmt;
use std::str::FromStr;

/// A text that is not an id: wrong length or a character that is not lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected_digits} lower-case hex digits, found `{found}`")]
pub struct IdError {
    expected_digits: usize,
    found: String,
}

/// Appends `bytes` to `out` in lower-case hex.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// `bytes` in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    push_hex(&mut out, bytes);
    out
}

/// Reads exactly `N` bytes of lower-case hex.
pub fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let wrong = || IdError { expected_digits: N * 2, found: text.chars().take(80).collect() };
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return Err(wrong());
    }
    let mut out = [0_u8; N];
    for (slot, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *slot =
            (hex_digit(pair[0]).ok_or_else(wrong)? << 4) | hex_digit(pair[1]).ok_or_else(wrong)?;
    }
    Ok(out)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            #[must_use]
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// From a slice of exactly [`Self::LEN`] bytes.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The first 8 hex digits, as shown to people.
            #[must_use]
            pub fn short(&self) -> String {
                let mut out = String::with_capacity(8);
                push_hex(&mut out, &self.0[..4]);
                out
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = String::with_capacity($len * 2);
                push_hex(&mut out, &self.0);
                f.write_str(&out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(Self)
            }
        }
    };
}

id!(
    /// Name of a sealed object: BLAKE3 of its ciphertext.
    Sid, 32);
id!(
    /// Name of a pack: BLAKE3 of its file.
    PackId, 32);
id!(
    /// Name of an index file: BLAKE3 of its file.
    IndexId, 32);
id!(
    /// Name of a snapshot: BLAKE3 of its manifest.
    SnapshotId, 32);
id!(
    /// Name of a note: the first half of BLAKE3 of its file.
    NoteId, 16);
id!(
    /// BLAKE3 of a file's whole content.
    Digest, 32);
id!(
    /// One repository, for its whole life.
    RepositoryId, 16);
id!(
    /// One protected machine.
    MachineId, 16);
id!(
    /// One dataset of a machine: what forms a chain of snapshots.
    SourceId, 16);
id!(
    /// One deduplication domain.
    DomainId, 16);
id!(
    /// One backup's lease on the vault.
    SessionId, 16);
id!(
    /// One record of what is about to go.
    CondemnedId, 16);
id!(
    /// One repair and its journal.
    RepairId, 16);
id!(
    /// BLAKE3 of the bytes of a blob that is kept under another name.
    BlobId, 32);
id!(
    /// SHA-256 of the bytes of an entry or a document of the ledger.
    LedgerHash, 32);
id!(
    /// One keyset wrapped under a passphrase, key file or token.
    SlotId, 16);
id!(
    /// Fingerprint of a public key.
    KeyId, 16);
id!(
    /// One execution.
    RunId, 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_inverse() {
        let id = SlotId::new([0xab; 16]);
        assert_eq!(id.to_string().parse::<SlotId>(), Ok(id));
        assert_eq!(format!("{id:?}"), "SlotId(abababab)");
    }

    #[test]
    fn only_exact_lower_case_hex_is_an_id() {
        for text in ["", "ab", &"AB".repeat(16), &"0g".repeat(16), &"00".repeat(17)] {
            assert!(text.parse::<SlotId>().is_err(), "{text}");
        }
    }
}
