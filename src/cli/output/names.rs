//! Names that may not be UTF-8, as JSON fields.

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::path::escape;

/// A name as one field, and a second with `_b64` if the bytes are not UTF-8. To be flattened.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    field: &'static str,
    field_b64: &'static str,
    bytes: &'a [u8],
}

impl<'a> Name<'a> {
    #[must_use]
    pub const fn path(bytes: &'a [u8]) -> Self {
        Self { field: "path", field_b64: "path_b64", bytes }
    }

    #[must_use]
    pub const fn subject(bytes: &'a [u8]) -> Self {
        Self { field: "subject", field_b64: "subject_b64", bytes }
    }

    #[must_use]
    pub const fn link_target(bytes: &'a [u8]) -> Self {
        Self { field: "link_target", field_b64: "link_target_b64", bytes }
    }

    #[must_use]
    pub const fn host(bytes: &'a [u8]) -> Self {
        Self { field: "host", field_b64: "host_b64", bytes }
    }
}

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match std::str::from_utf8(self.bytes) {
            Ok(text) => map.serialize_entry(self.field, text)?,
            Err(_) => {
                map.serialize_entry(self.field, &escape(self.bytes))?;
                map.serialize_entry(self.field_b64, &base64(self.bytes))?;
            }
        }
        map.end()
    }
}

/// RFC 4648, with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4_usize {
            if digit > group.len() {
                out.push('=');
                continue;
            }
            let index = (bits >> (18 - 6 * digit)) & 63;
            out.push(char::from(DIGITS[usize::try_from(index).unwrap_or(0)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (text, encoded) in cases {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn only_a_name_that_is_not_utf8_stands_twice() {
        let json = |name: Name<'_>| serde_json::to_string(&name).unwrap();
        assert_eq!(json(Name::path("é".as_bytes())), r#"{"path":"é"}"#);
        assert_eq!(json(Name::path(b"\xff")), r#"{"path":"\\xff","path_b64":"/w=="}"#);
    }
}
