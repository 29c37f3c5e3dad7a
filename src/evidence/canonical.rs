//! Canonical JSON: one value has one form in bytes (RFC 8785), narrowed.
//!
//! An object at the top; integers only, between -(2^53-1) and 2^53-1; strings in Unicode's form
//! NFC; not deeper than 32 levels. Whatever has another form is refused, so a value that is read
//! was written so.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::is_nfc;

/// Most bytes of a document.
pub const DOCUMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Deepest nesting.
pub const DEPTH_MAX: usize = 32;
/// Largest integer, either way: what every reader of JSON keeps exactly.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Bytes that are not canonical, or a value that has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("{found_bytes} bytes, at most {bytes_max} are expected")]
    TooLong { found_bytes: usize, bytes_max: usize },
    #[error("not JSON: {detail}")]
    NotJson { detail: String },
    #[error("not an object at the top")]
    NotAnObject,
    #[error("a number that is no integer between -(2^53-1) and 2^53-1: `{found}`")]
    Number { found: String },
    #[error("a text that is not in Unicode's form NFC")]
    NotNfc,
    #[error("deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("two names of an object become one in Unicode's form NFC")]
    Twins,
    #[error("not the one form that this value has (order, spaces, escapes, or a name twice)")]
    OtherForm,
}

/// The bytes of a value.
pub fn write(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    if !value.is_object() {
        return Err(CanonicalError::NotAnObject);
    }
    check(value, 0)?;
    let not_json = |error: serde_json::Error| CanonicalError::NotJson { detail: error.to_string() };
    let bytes = serde_json_canonicalizer::to_vec(value).map_err(not_json)?;
    check_length(&bytes, DOCUMENT_BYTES_MAX)?;
    Ok(bytes)
}

/// The value of bytes that [`write`] gave; nothing else is taken.
pub fn read(bytes: &[u8], bytes_max: usize) -> Result<Value, CanonicalError> {
    check_length(bytes, bytes_max)?;
    let not_json = |error: serde_json::Error| CanonicalError::NotJson { detail: error.to_string() };
    let value: Value = serde_json::from_slice(bytes).map_err(not_json)?;
    if write(&value)? == bytes { Ok(value) } else { Err(CanonicalError::OtherForm) }
}

/// The same with every text in form NFC, as keyboards differ in what they send.
pub fn composed(value: &Value) -> Result<Value, CanonicalError> {
    composed_at(value, 0)
}

fn composed_at(value: &Value, depth: usize) -> Result<Value, CanonicalError> {
    if depth > DEPTH_MAX {
        return Err(CanonicalError::TooDeep);
    }
    Ok(match value {
        Value::String(text) => Value::String(text.nfc().collect()),
        Value::Array(items) => {
            let items = items.iter().map(|item| composed_at(item, depth + 1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let mut composed = serde_json::Map::new();
            for (name, field) in fields {
                let twin = composed.insert(name.nfc().collect(), composed_at(field, depth + 1)?);
                if twin.is_some() {
                    return Err(CanonicalError::Twins);
                }
            }
            Value::Object(composed)
        }
        other => other.clone(),
    })
}

fn check_length(bytes: &[u8], bytes_max: usize) -> Result<(), CanonicalError> {
    let found_bytes = bytes.len();
    if found_bytes > bytes_max {
        return Err(CanonicalError::TooLong { found_bytes, bytes_max });
    }
    Ok(())
}

fn check(value: &Value, depth: usize) -> Result<(), CanonicalError> {
    if depth > DEPTH_MAX {
        return Err(CanonicalError::TooDeep);
    }
    let nfc = |text: &String| if is_nfc(text) { Ok(()) } else { Err(CanonicalError::NotNfc) };
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) => {
            let fits = number.as_i64().is_some_and(|n| (-INTEGER_MAX..=INTEGER_MAX).contains(&n));
            let found = || number.to_string().chars().take(40).collect();
            if fits { Ok(()) } else { Err(CanonicalError::Number { found: found() }) }
        }
        Value::String(text) => nfc(text),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            nfc(name)?;
            check(field, depth + 1)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::Strategy;
    use proptest::prelude::any;
    use serde_json::json;

    #[test]
    fn the_form_is_that_of_rfc_8785() {
        // Section 3.2.3: names sorted by UTF-16 code units, not by code points.
        let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb01}": 3, "1": 4, "\u{1f600}": 5,
            "\u{80}": 6, "\u{f6}": 7});
        let text = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\
            \"\u{1f600}\":5,\"\u{fb01}\":3}";
        assert_eq!(String::from_utf8(write(&value).unwrap()).unwrap(), text);
        // Section 3.2.2.2: escapes.
        let value = json!({"a": "\u{20ac}$\u{f}\u{a}A'\u{42}\u{22}\u{5c}\\\"/"});
        let text = "{\"a\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(String::from_utf8(write(&value).unwrap()).unwrap(), text);
        let edge = json!({"n": [INTEGER_MAX, -INTEGER_MAX, 0]});
        let text = "{\"n\":[9007199254740991,-9007199254740991,0]}";
        assert_eq!(String::from_utf8(write(&edge).unwrap()).unwrap(), text);
    }

    #[test]
    fn every_other_form_is_refused() {
        for text in [
            "{ }",
            "{} ",
            "[]",
            "1",
            "",
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1.0}",
            "{\"a\":1e2}",
            "{\"a\":-0}",
            "{\"a\":01}",
            "{\"a\":0.5}",
            "{\"a\":9007199254740992}",
            "{\"a\":18446744073709551615}",
            "{\"a\":\"\\u0041\"}",
            "{\"a\":\"\\/\"}",
            "{\"a\":\"\\u001F\"}",
            // Letters that are put together from two code points.
            "{\"a\":\"e\u{302}\"}",
            "{\"e\u{302}\":1}",
            "\u{feff}{}",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert!(read(text.as_bytes(), 1000).is_err(), "{text}");
        }
        assert!(read(b"{\"a\":\"\xff\"}", 1000).is_err());
        assert!(matches!(read(b"{}", 1), Err(CanonicalError::TooLong { .. })));
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert_eq!(read(deep.as_bytes(), 1000), Err(CanonicalError::TooDeep));
    }

    #[test]
    fn texts_are_composed_and_twins_told() {
        let composed = composed(&json!({"e\u{302}": ["e\u{302}"]})).unwrap();
        assert_eq!(composed, json!({"\u{ea}": ["\u{ea}"]}));
        let twins = super::composed(&json!({"e\u{302}": 1, "\u{ea}": 2}));
        assert_eq!(twins, Err(CanonicalError::Twins));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = proptest::prop_oneof![
            proptest::strategy::Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-INTEGER_MAX..=INTEGER_MAX).prop_map(Value::from),
            ".{0,12}".prop_map(|text| Value::String(text.nfc().collect())),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            proptest::prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec((".{0,6}", inner), 0..6).prop_map(|fields| {
                    let fields = fields.into_iter();
                    fields.map(|(name, field)| (name.nfc().collect::<String>(), field)).collect()
                }),
            ]
        })
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_beside_it(value in values(), at in any::<usize>()) {
            let value = json!({"v": value});
            let bytes = write(&value).unwrap();
            proptest::prop_assert_eq!(read(&bytes, DOCUMENT_BYTES_MAX).unwrap(), value.clone());
            // A space anywhere is another form or another value.
            let mut other = bytes;
            other.insert(at % (other.len() + 1), b' ');
            if let Ok(found) = read(&other, DOCUMENT_BYTES_MAX) {
                proptest::prop_assert_ne!(found, value);
            }
        }
    }
}
