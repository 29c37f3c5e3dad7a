//! The table of limits and the constants of the code are the same.

use std::collections::BTreeMap;

use crate::house;
use crate::house::rust_text;

/// Files whose `_MAX` and `_MIN` bind a reader.
const BINDING: [&str; 4] =
    ["src/path.rs", "src/meta.rs", "src/crypto/sealed/slot.rs", "src/crypto/sealed/shares.rs"];

/// The number that a constant's expression stands for: a product of numbers, a shift, or another
/// constant.
fn value(expression: &str, known: &BTreeMap<String, u64>) -> Option<u64> {
    let expression = expression.split(" as ").next()?.trim();
    if let Some((number, shift)) = expression.split_once("<<") {
        return Some(value(number, known)? << value(shift, known)?);
    }
    let factors = expression.split('*').map(str::trim);
    factors
        .map(|factor| match factor.replace('_', "").parse() {
            Ok(number) => Some(number),
            Err(_) => known.get(factor).copied(),
        })
        .try_fold(1_u64, |product, factor| Some(product * factor?))
}

/// Every constant that bounds something, by name; the same name has the same value everywhere.
fn constants() -> BTreeMap<String, u64> {
    let mut files = house::files("src/format", "rs");
    files.extend(
        BINDING
            .iter()
            .map(|path| house::SourceFile { path: (*path).to_owned(), text: house::text(path) }),
    );
    let mut found = BTreeMap::new();
    // Twice, because one may name another that stands later.
    for _ in 0..2 {
        for file in &files {
            for line in rust_text::code_without_tests(&file.text).lines() {
                let line = line.trim().trim_start_matches("pub ");
                let Some((name, rest)) =
                    line.strip_prefix("const ").and_then(|line| line.split_once(": "))
                else {
                    continue;
                };
                if !name.ends_with("_MAX") && !name.ends_with("_MIN") {
                    continue;
                }
                let expression = rest.split_once(" = ").map_or("", |(_, rest)| rest);
                let Some(value) = value(expression.trim_end_matches(';'), &found) else { continue };
                let before = found.insert(name.to_owned(), value);
                assert!(
                    before.is_none_or(|before| before == value),
                    "{}: `{name}` has two values",
                    file.path
                );
            }
        }
    }
    found
}

/// `64 KiB`, `1 048 576`, `4 GiB`.
fn number(text: &str) -> u64 {
    let (digits, unit) = text.rsplit_once(' ').map_or((text, ""), |split| match split.1 {
        "KiB" | "MiB" | "GiB" => split,
        _ => (text, ""),
    });
    let digits: u64 = digits.replace(' ', "").parse().unwrap_or_else(|_| panic!("`{text}`"));
    match unit {
        "KiB" => digits << 10,
        "MiB" => digits << 20,
        "GiB" => digits << 30,
        _ => digits,
    }
}

fn documented() -> BTreeMap<String, u64> {
    let page = house::text("doc/format.md");
    let chapter = page.split_once("\n## Limits\n").expect("the chapter of limits").1;
    let chapter = chapter.split("\n## ").next().unwrap();
    let mut found = BTreeMap::new();
    for line in chapter.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, limit, names, reason] = cells.as_slice() else { panic!("{line}") };
        if *limit == "limit" {
            continue;
        }
        assert!(!reason.is_empty(), "a limit without a reason: {line}");
        for name in names.split('`').skip(1).step_by(2) {
            found.insert(name.to_owned(), number(limit));
        }
    }
    found
}

#[test]
fn the_table_of_limits_holds_the_constants_of_the_code() {
    let (mut code, mut page) = (constants(), documented());
    // Memory of Argon2id is counted in KiB by the code and by RFC 9106.
    for name in ["MEMORY_KIB_MAX", "NEW_MEMORY_KIB_MIN"] {
        code.entry(name.to_owned()).and_modify(|kib| *kib <<= 10);
    }
    assert!(code.len() > 30, "{code:#?}");
    code.retain(|name, value| page.remove(name) != Some(*value));
    assert!(code.is_empty(), "constants that doc/format.md lists otherwise or not: {code:#?}");
    assert!(page.is_empty(), "limits that no constant has: {page:#?}");
}
