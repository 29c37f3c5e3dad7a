//! Integers and byte strings of the binary records.
//!
//! `u32` and `u64` are little-endian; a varint is LEB128 in its shortest form, at most ten bytes; a
//! signed varint is zigzag coded.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// Bytes are not what the format says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("{what}: record ends early")]
    Truncated { what: &'static str },
    #[error("{what}: {found_bytes} bytes are left over")]
    Trailing { what: &'static str, found_bytes: usize },
    #[error("{what}: a number is not in its shortest form or too large")]
    Number { what: &'static str },
    #[error("{what}: version {found}, this program knows 1")]
    Version { what: &'static str, found: u8 },
    #[error("{what}: {found} exceeds the limit of {max}")]
    Limit { what: &'static str, found: u64, max: u64 },
    #[error("{what}: {why}")]
    Invalid { what: &'static str, why: &'static str },
}

/// Reads a record from front to back.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// `what` names the record in errors.
    #[must_use]
    pub const fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    #[must_use]
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let split = self.rest.split_at_checked(len);
        let (taken, rest) = split.ok_or(FormatError::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let split = self.rest.split_first_chunk::<N>();
        let (taken, rest) = split.ok_or(FormatError::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32, FormatError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn varint(&mut self) -> Result<u64, FormatError> {
        let wrong = FormatError::Number { what: self.what };
        let mut value = 0_u64;
        for shift in (0..64_u32).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(wrong);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(wrong) } else { Ok(value) };
            }
        }
        Err(wrong)
    }

    pub fn signed(&mut self) -> Result<i64, FormatError> {
        let raw = self.varint()?;
        Ok((raw >> 1).cast_signed() ^ (raw & 1).cast_signed().wrapping_neg())
    }

    /// A varint that counts things, at most `max`.
    pub fn count(&mut self, max: usize) -> Result<usize, FormatError> {
        let found = self.varint()?;
        let over = FormatError::Limit { what: self.what, found, max: max as u64 };
        usize::try_from(found).ok().filter(|&n| n <= max).ok_or(over)
    }

    /// A varint that fits 32 bits.
    pub fn varint_u32(&mut self) -> Result<u32, FormatError> {
        u32::try_from(self.varint()?).map_err(|_| FormatError::Number { what: self.what })
    }

    /// A byte string: its length as a varint, at most `max`, then the bytes.
    pub fn string(&mut self, max: usize) -> Result<&'a [u8], FormatError> {
        let len = self.count(max)?;
        self.bytes(len)
    }

    /// The record must end here.
    pub fn finish(self) -> Result<(), FormatError> {
        match self.rest.len() {
            0 => Ok(()),
            found_bytes => Err(FormatError::Trailing { what: self.what, found_bytes }),
        }
    }

    #[must_use]
    pub const fn invalid(&self, why: &'static str) -> FormatError {
        FormatError::Invalid { what: self.what, why }
    }
}

pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the loop leaves less than 0x80")]
    out.push(value as u8);
}

pub fn push_signed(out: &mut Vec<u8>, value: i64) {
    push_varint(out, (value.wrapping_shl(1) ^ (value >> 63)).cast_unsigned());
}

pub fn push_string(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_round_trip(value: u64, signed: i64) {
            let mut out = Vec::new();
            push_varint(&mut out, value);
            push_signed(&mut out, signed);
            let mut reader = Reader::new("test", &out);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.signed(), Ok(signed));
            assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn only_the_shortest_form_is_a_number() {
        for bytes in [&[0x80, 0x00][..], &[0xff; 10], &[0x80; 11], &[0x80]] {
            assert!(Reader::new("test", bytes).varint().is_err(), "{bytes:?}");
        }
    }
}
