//! Places where a rule of the house does not hold, each with its reason.

/// Lints lifted in product code: file, lint, why this file may.
pub const LIFTS: &[(&str, &str, &str)] = &[
    ("src/clock.rs", "clippy::disallowed_methods", "the only place where time enters"),
    ("src/cli/interrupt.rs", "clippy::disallowed_methods", "a second interrupt waits for nothing"),
    ("src/cli/local.rs", "clippy::disallowed_methods", "the newest local state stands"),
    ("src/cli/verb/key/rotate.rs", "clippy::struct_excessive_bools", "three options, one is given"),
    ("src/crypto/sealed/hpke.rs", "clippy::expect_used", "both suites take any 32 bytes"),
    ("src/repository/cache.rs", "clippy::disallowed_methods", "a cache file is replaced whole"),
    ("src/format/leaf/decode.rs", "clippy::indexing_slicing", "columns are numbered by a constant"),
    ("src/format/leaf/decode.rs", "clippy::unused_self", "reads like the same method of a reader"),
    ("src/format/leaf/encode.rs", "clippy::indexing_slicing", "columns are numbered by a constant"),
    ("src/format/record.rs", "clippy::expect_used", "encoding into memory cannot fail"),
    ("src/format/wire.rs", "clippy::cast_possible_truncation", "seven bits at a time"),
    ("src/crypto/blind.rs", "clippy::expect_used", "a constructor has refused the empty list"),
    ("src/crypto/aead.rs", "clippy::expect_used", "only messages of 64 GiB fail"),
];

/// Folders that may have more files than others.
pub fn folder_files_max(folder: &str) -> Option<usize> {
    match folder {
        // Words, the crate's roots and nothing else.
        "src" => Some(12),
        // One file a verb.
        "src/cli/verb" => Some(40),
        // One file a record.
        "src/format" => Some(30),
        _ => None,
    }
}

/// Rooms whose note is still to come; the list is empty once they have landed.
pub const NOTES_TO_COME: &[&str] = &[];
