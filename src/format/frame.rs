//! A frame: what a cipher is given.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::object::FORMAT_VERSION;
use crate::format::object::FRAME_RAW_BYTES_MAX;
use crate::format::object::ObjectKind;
use crate::format::wire::FormatError;
use crate::format::wire::Reader;

/// Bytes before the payload: version, kind, codec, flags, raw length.
pub const FRAME_HEAD_BYTES: usize = 8;

/// How the payload holds the raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Codec {
    /// As they are; the payload has exactly the raw length.
    None = 0,
    /// One zstd frame, which knows its own end.
    Zstd = 1,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    pub kind: ObjectKind,
    pub codec: Codec,
    pub raw_len: u32,
}

impl FrameHead {
    #[must_use]
    pub const fn encode(self) -> [u8; FRAME_HEAD_BYTES] {
        let [a, b, c, d] = self.raw_len.to_le_bytes();
        [FORMAT_VERSION, self.kind as u8, self.codec as u8, 0, a, b, c, d]
    }

    /// Reads the head and checks version, kind, codec, flags and the limit of the raw length, in
    /// this order. Returns the payload with its padding.
    pub fn decode(frame: &[u8]) -> Result<(Self, &[u8]), FormatError> {
        let mut reader = Reader::new("frame", frame);
        let version = reader.u8()?;
        if version != FORMAT_VERSION {
            return Err(FormatError::Version { what: "frame", found: version });
        }
        let kind = ObjectKind::from_u8(reader.u8()?).ok_or(reader.invalid("unknown kind"))?;
        let codec = match reader.u8()? {
            0 => Codec::None,
            1 => Codec::Zstd,
            _ => return Err(reader.invalid("unknown codec")),
        };
        if reader.u8()? != 0 {
            return Err(reader.invalid("unknown flags"));
        }
        let raw_len = reader.u32()?;
        if raw_len as usize > FRAME_RAW_BYTES_MAX {
            let (found, max) = (u64::from(raw_len), FRAME_RAW_BYTES_MAX as u64);
            return Err(FormatError::Limit { what: "frame", found, max });
        }
        let payload = reader.bytes(reader.left())?;
        Ok((Self { kind, codec, raw_len }, payload))
    }
}

/// Padmé: the smallest padded length that shows only the length's highest bits. Costs at most 12 %
/// for tiny and about 1 % for usual frames (Nikitin et al., "Reducing Metadata Leakage from
/// Encrypted Files and Communication with PURBs", 2019).
#[must_use]
pub const fn padme(len: usize) -> usize {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2().wrapping_add(1);
    let mask = (1_usize << exponent.saturating_sub(kept)).wrapping_sub(1);
    len.saturating_add(mask) & !mask
}

/// Most bytes of padding that a frame of this padded length may hold.
#[must_use]
pub const fn padding_max(padded_len: u32) -> u64 {
    if padded_len < 2 {
        return 0;
    }
    let exponent = padded_len.ilog2();
    let kept = exponent.ilog2().wrapping_add(1);
    (1_u64 << exponent.saturating_sub(kept)).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_small_and_monotonic() {
        let mut last = 0;
        for len in 0..100_000 {
            let padded = padme(len);
            assert!(padded >= len && padded >= last);
            assert!((padded - len) * 100 <= len * 12);
            assert_eq!(padme(padded), padded);
            let most = padding_max(u32::try_from(padded).unwrap());
            assert!((padded - len) as u64 <= most, "{len}");
            last = padded;
        }
        assert!(padme(150_000) - 150_000 < 150_000 / 30);
    }

    #[test]
    fn head_round_trips_and_strangers_are_refused() {
        let head = FrameHead { kind: ObjectKind::Bundle, codec: Codec::Zstd, raw_len: 77 };
        let mut bytes = head.encode().to_vec();
        bytes.extend_from_slice(b"payload");
        assert_eq!(FrameHead::decode(&bytes), Ok((head, &b"payload"[..])));
        for (at, value) in [(0, 2), (1, 0), (1, 99), (2, 2), (3, 1), (7, 0xff)] {
            let mut bad = bytes.clone();
            bad[at] = value;
            assert!(FrameHead::decode(&bad).is_err(), "byte {at} = {value}");
        }
        assert!(FrameHead::decode(&bytes[..7]).is_err());
    }
}
