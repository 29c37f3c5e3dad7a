//! k-of-n shares of the recovery secret: Shamir's scheme over GF(256), one polynomial a byte.

use std::collections::BTreeSet;

use blahaj::Share as Point;
use blahaj::Sharks;

use crate::crypto::context;
use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sign::VerifyingKey;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

/// Most shares of a set.
pub const SHARES_MAX: u8 = 16;
/// Bytes of a set's id.
pub const SET_ID_BYTES: usize = 15;
/// Bytes of an encoded share: version, k, n, index, set id, value, checksum.
pub const SHARE_BYTES: usize = 4 + SET_ID_BYTES + 32 + CHECKSUM_BYTES;

const SHARE_VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
const VALUE_AT: usize = 4 + SET_ID_BYTES;
const CHECKSUM_AT: usize = VALUE_AT + 32;

/// Shares that cannot be made, read or joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    #[error("{k} of {n} shares: expected 2 <= k <= n <= {SHARES_MAX}")]
    BadThreshold { k: u8, n: u8 },
    #[error("a share has {SHARE_BYTES} bytes, found {found_bytes}")]
    Length { found_bytes: usize },
    #[error("share does not match its checksum: a word or digit is wrong")]
    Checksum,
    #[error("share of version {found}: a newer program made it")]
    Newer { found: u8 },
    #[error("share {index} belongs to another set")]
    OtherSet { index: u8 },
    #[error("share {index} was given twice with different content")]
    Conflict { index: u8 },
    #[error("{expected} different shares are needed, found {found}")]
    TooFew { expected: u8, found: usize },
}

/// Names the set of shares of one recovery key of one root: whoever trusts a share knows from it
/// which root key to believe, with nothing but the storage at hand. 120 bits.
#[must_use]
pub fn set_id(root: &VerifyingKey, recovery: &KemPublic) -> [u8; SET_ID_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(context::SHARE_SET);
    hasher.update(root.as_bytes());
    hasher.update(&[recovery.suite().code()]);
    hasher.update(recovery.as_bytes());
    let mut id = [0; SET_ID_BYTES];
    hasher.finalize_xof().fill(&mut id);
    id
}

/// One person's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub k: u8,
    pub n: u8,
    /// From 1 to `n`.
    pub index: u8,
    pub set_id: [u8; SET_ID_BYTES],
    pub value: Secret32,
}

const fn check_threshold(k: u8, n: u8) -> Result<(), ShareError> {
    if k >= 2 && k <= n && n <= SHARES_MAX {
        Ok(())
    } else {
        Err(ShareError::BadThreshold { k, n })
    }
}

impl Share {
    #[must_use]
    pub fn encode(&self) -> SecretBytes {
        let mut out = Vec::with_capacity(SHARE_BYTES);
        out.extend_from_slice(&[SHARE_VERSION, self.k, self.n, self.index]);
        out.extend_from_slice(&self.set_id);
        out.extend_from_slice(self.value.expose());
        let checksum = blake3::hash(&out);
        out.extend_from_slice(&checksum.as_bytes()[..CHECKSUM_BYTES]);
        SecretBytes::new(out)
    }

    /// Reads what [`Share::encode`] made; refuses one that was typed wrongly.
    pub fn decode(bytes: &[u8]) -> Result<Self, ShareError> {
        let bytes: &[u8; SHARE_BYTES] =
            bytes.try_into().map_err(|_| ShareError::Length { found_bytes: bytes.len() })?;
        let (body, checksum) = bytes.split_at(CHECKSUM_AT);
        if blake3::hash(body).as_bytes()[..CHECKSUM_BYTES] != *checksum {
            return Err(ShareError::Checksum);
        }
        let [version, k, n, index, ..] = *bytes;
        if version != SHARE_VERSION {
            return Err(ShareError::Newer { found: version });
        }
        check_threshold(k, n)?;
        if index == 0 || index > n {
            return Err(ShareError::OtherSet { index });
        }
        let mut set_id = [0; SET_ID_BYTES];
        set_id.copy_from_slice(&body[4..VALUE_AT]);
        let mut value = [0; 32];
        value.copy_from_slice(&body[VALUE_AT..]);
        Ok(Self { k, n, index, set_id, value: Secret32::new(value) })
    }
}

/// Splits a secret; any `k` of the `n` shares rebuild it, fewer tell nothing.
pub fn split(
    secret: &Secret32,
    set_id: [u8; SET_ID_BYTES],
    (k, n): (u8, u8),
) -> Result<Vec<Share>, ShareError> {
    check_threshold(k, n)?;
    let points = Sharks(k).dealer(secret.expose()).take(usize::from(n));
    Ok(points
        .map(|point| {
            let bytes = SecretBytes::new(Vec::from(&point));
            let mut value = [0; 32];
            value.copy_from_slice(&bytes.expose()[1..]);
            Share { k, n, index: bytes.expose()[0], set_id, value: Secret32::new(value) }
        })
        .collect())
}

/// Joins shares of one set; repeated ones count once. Whether the result is the right secret shows
/// against the public key.
pub fn join(shares: &[Share]) -> Result<Secret32, ShareError> {
    let first = shares.first().ok_or(ShareError::TooFew { expected: 2, found: 0 })?;
    let mut seen = BTreeSet::new();
    let mut points = Vec::new();
    for share in shares {
        let index = share.index;
        if (share.k, share.n, share.set_id) != (first.k, first.n, first.set_id) {
            return Err(ShareError::OtherSet { index });
        }
        if !seen.insert(index) {
            if shares.iter().any(|other| other.index == index && other.value != share.value) {
                return Err(ShareError::Conflict { index });
            }
            continue;
        }
        let mut bytes = zeroize::Zeroizing::new(vec![index]);
        bytes.extend_from_slice(share.value.expose());
        let point = Point::try_from(bytes.as_slice())
            .map_err(|_| ShareError::Length { found_bytes: bytes.len() })?;
        points.push(point);
    }
    let too_few = ShareError::TooFew { expected: first.k, found: points.len() };
    if points.len() < usize::from(first.k) {
        return Err(too_few);
    }
    let joined = SecretBytes::new(Sharks(first.k).recover(&points).map_err(|_| too_few)?);
    let secret = joined.expose().try_into().map_err(|_| too_few)?;
    Ok(Secret32::new(secret))
}

/// Secret 0 and slope 0x80: the value at 2 is 0x80 doubled, which is 0x1d in the field.
pub(in crate::crypto) fn known_answer_holds() -> bool {
    let share = |index, byte| {
        let value = Secret32::new([byte; 32]);
        Share { k: 2, n: 2, index, set_id: [0; SET_ID_BYTES], value }
    };
    join(&[share(1, 0x80), share(2, 0x1d)]).is_ok_and(|secret| *secret.expose() == [0; 32])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: [u8; SET_ID_BYTES] = [4; SET_ID_BYTES];

    #[test]
    fn any_k_shares_rebuild_and_fewer_do_not() {
        let secret = Secret32::new([0xa5; 32]);
        let shares = split(&secret, SET, (3, 5)).unwrap();
        for left_out in 0..5 {
            for also in left_out + 1..5 {
                let kept: Vec<Share> = (0..5)
                    .filter(|at| *at != left_out && *at != also)
                    .map(|at| shares[at].clone())
                    .collect();
                assert_eq!(join(&kept), Ok(secret.clone()));
            }
        }
        assert_eq!(join(&shares[..2]), Err(ShareError::TooFew { expected: 3, found: 2 }));
        let doubled = [shares[0].clone(), shares[0].clone(), shares[1].clone()];
        assert_eq!(join(&doubled), Err(ShareError::TooFew { expected: 3, found: 2 }));
        assert_eq!(join(&shares), Ok(secret));
    }

    #[test]
    fn a_share_typed_wrongly_is_refused() {
        let share = split(&Secret32::new([7; 32]), SET, (2, 3)).unwrap().remove(1);
        let encoded = share.encode();
        assert_eq!(encoded.expose().len(), SHARE_BYTES);
        assert_eq!(Share::decode(encoded.expose()), Ok(share));
        for bit in 0..SHARE_BYTES * 8 {
            let mut bad = encoded.expose().to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Share::decode(&bad), Err(ShareError::Checksum), "bit {bit}");
        }
        for cut in 0..SHARE_BYTES {
            assert!(Share::decode(&encoded.expose()[..cut]).is_err());
        }
    }

    #[test]
    fn sets_do_not_mix_and_thresholds_are_bounded() {
        let one = split(&Secret32::new([7; 32]), SET, (2, 3)).unwrap();
        let two = split(&Secret32::new([7; 32]), [5; SET_ID_BYTES], (2, 3)).unwrap();
        let mixed = join(&[one[0].clone(), two[1].clone()]);
        assert_eq!(mixed, Err(ShareError::OtherSet { index: 2 }));
        let again = split(&Secret32::new([7; 32]), SET, (2, 3)).unwrap();
        let doubled = join(&[one[0].clone(), again[0].clone()]);
        assert_eq!(doubled, Err(ShareError::Conflict { index: 1 }));
        for (k, n) in [(0, 3), (1, 3), (4, 3), (2, 17), (2, 0), (255, 255)] {
            let refused = split(&Secret32::new([7; 32]), SET, (k, n));
            assert_eq!(refused, Err(ShareError::BadThreshold { k, n }));
        }
    }

    /// Secret 0 and slope 0x80: 0x80 doubled is 0x1d modulo x^8 + x^4 + x^3 + x^2 + 1.
    #[test]
    fn the_field_has_the_documented_modulus() {
        assert!(known_answer_holds());
        let share = |index, byte| Share {
            k: 2,
            n: 2,
            index,
            set_id: SET,
            value: Secret32::new([byte; 32]),
        };
        let joined = join(&[share(1, 0x80), share(2, 0x1d)]);
        assert_eq!(joined, Ok(Secret32::new([0; 32])));
    }

    /// The slope of a 2-of-n share at x = 1 is share minus secret: every value must come up, zero
    /// included, about equally often. 256 classes, 32 000 draws: chi-squared has mean 255 and
    /// standard deviation 22.6; 400 is more than six of them away.
    #[test]
    fn coefficients_are_uniform() {
        let mut drawn = [0_u32; 256];
        for _ in 0..1000 {
            let share = split(&Secret32::new([0x5a; 32]), SET, (2, 2)).unwrap().remove(0);
            for byte in share.value.expose() {
                drawn[usize::from(byte ^ 0x5a)] += 1;
            }
        }
        let expected = 125.0;
        let chi: f64 = drawn.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        assert!((150.0..400.0).contains(&chi), "{chi}");
    }
}
