//! What a program of the office tells of a dataset: values with names.

use std::collections::BTreeMap;

use crate::capsule::Between;
use crate::capsule::CapsuleError;

/// Most values that are told.
const VALUES_MAX: usize = 1000;
const NAME_BYTES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 200;

/// Lines of a name and a value, parted by a space; lines that are empty or begin with `#` are none.
///
/// # Errors
/// When there is no value, or a line is none of these. The line itself is not told.
pub fn parse(printed: &[u8]) -> Result<BTreeMap<String, String>, CapsuleError> {
    let wrong = |at: usize, detail: &str| CapsuleError::Read {
        what: "what the program tells".to_owned(),
        detail: match at {
            0 => detail.to_owned(),
            at => format!("line {at}: {detail}"),
        },
    };
    let text = std::str::from_utf8(printed).map_err(|_| wrong(0, "expected text in UTF-8"))?;
    let mut values = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let (at, line) = (at + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| wrong(at, "expected a name, a space and a value"))?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if name.len() > NAME_BYTES_MAX || !name.bytes().all(is_plain) {
            return Err(wrong(at, "expected a name of at most 64 letters, digits, `_`, `-`, `.`"));
        }
        let value = value.trim();
        if value.len() > VALUE_BYTES_MAX {
            return Err(wrong(at, "expected a value of at most 200 bytes"));
        }
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(wrong(at, "this name was told before"));
        }
        if values.len() > VALUES_MAX {
            return Err(wrong(at, "expected at most 1000 values"));
        }
    }
    if values.is_empty() {
        return Err(wrong(0, "it told nothing"));
    }
    Ok(values)
}

/// Names of values that are not those that both readings agree on. Whole numbers that moved
/// meanwhile have to lie between the readings; of anything else that moved nothing is known.
#[must_use]
pub fn differing(
    expected: &Between<BTreeMap<String, String>>,
    found: &BTreeMap<String, String>,
) -> Vec<String> {
    let Between { before, after } = expected;
    let number = |text: &String| text.parse::<i64>().ok();
    let agrees = |name: &&String| match (before.get(*name), after.get(*name), found.get(*name)) {
        (Some(before), Some(after), Some(found)) if before != after => {
            match (number(before), number(after), number(found)) {
                (Some(one), Some(other), Some(found)) => {
                    (one.min(other)..=one.max(other)).contains(&found)
                }
                (Some(_), Some(_), None) => false,
                _ => true,
            }
        }
        (Some(before), Some(_), found) => found == Some(before),
        // Only one reading had it.
        _ => true,
    };
    before.keys().filter(|name| !agrees(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_names() {
        let values = parse("# of today\nrows.t 5000\n\nlast  Nguyễn Thị\n".as_bytes()).unwrap();
        assert_eq!((values["rows.t"].as_str(), values["last"].as_str()), ("5000", "Nguyễn Thị"));
        let long = format!("a {}", "x".repeat(201));
        for bad in ["", "# nothing", "lonely", "a 1\na 2", "sổ 5", long.as_str()] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"a \xff").is_err());
        let secret = parse(b"a 1\nhush").unwrap_err().to_string();
        assert!(secret.contains("line 2") && !secret.contains("hush"), "{secret}");
    }

    #[test]
    fn what_moved_meanwhile_lies_between() {
        let of = |rows: &str, last: &str| parse(format!("rows {rows}\nlast {last}").as_bytes());
        let still = Between { before: of("5", "a").unwrap(), after: of("5", "a").unwrap() };
        assert_eq!(differing(&still, &of("5", "a").unwrap()), [""; 0]);
        assert_eq!(differing(&still, &of("4", "b").unwrap()), ["last", "rows"]);
        assert_eq!(differing(&still, &BTreeMap::new()), ["last", "rows"]);
        let moving = Between { before: of("5", "a").unwrap(), after: of("9", "c").unwrap() };
        assert_eq!(differing(&moving, &of("7", "b").unwrap()), [""; 0]);
        assert_eq!(differing(&moving, &of("4", "b").unwrap()), ["rows"]);
    }
}
