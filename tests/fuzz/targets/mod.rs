//! What each fuzz target does with one input. The same bodies run in two places: in the tests, over
//! the corpus and under a mutator of our own, and under libFuzzer in `fuzz/`.
//!
//! A body panics when a promise is broken: something decoded does not come out the same when it is
//! encoded, a limit is passed, an error has no text. Whoever calls it counts the memory.

mod daemon;
mod evidence;
mod objects;
mod people;
mod records;
mod restore;
mod tree;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Accepted,
    Refused,
}

/// One decoder, or a few that belong together.
pub struct Target {
    pub name: &'static str,
    pub body: fn(&[u8]) -> Seen,
    /// Most bytes that may be allocated at once: this many, and so many for each byte of input.
    pub memory: (u64, u64),
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

const fn target(name: &'static str, body: fn(&[u8]) -> Seen, memory: (u64, u64)) -> Target {
    Target { name, body, memory }
}

/// Every target. Most of a decoder's memory follows from the length of what it reads.
pub const ALL: &[Target] = &[
    target("frame", objects::frame, (8 * KIB, 2)),
    // A frame says how long its content is; the limit is 16 MiB, and zstd has its window.
    target("object", objects::object, (36 * MIB, 8)),
    target("node-refs", objects::node_refs, (64 * KIB, 8)),
    target("pack", objects::pack, (8 * KIB, 8)),
    target("index", objects::index, (8 * KIB, 8)),
    // Paths of a leaf share what is equal; that together they stay below 64 MiB has its own test.
    target("leaf", tree::leaf, (512 * KIB, 96)),
    target("branch", tree::branch, (512 * KIB, 96)),
    target("map", tree::map, (512 * KIB, 96)),
    target("manifest", records::manifest, (64 * KIB, 16)),
    target("snapshot", records::snapshot, (64 * KIB, 64)),
    target("config", records::config, (64 * KIB, 16)),
    target("slot", records::slot, (64 * KIB, 16)),
    target("recipients", records::recipients, (64 * KIB, 64)),
    target("keyring", records::keyring, (64 * KIB, 64)),
    target("keyset", records::keyset, (64 * KIB, 64)),
    target("machine", records::machine, (64 * KIB, 16)),
    target("session", records::session, (8 * KIB, 8)),
    target("condemned", records::condemned, (8 * KIB, 8)),
    target("note", records::note, (8 * KIB, 64)),
    // A step is short in the file and two texts in memory.
    target("repair", records::repair, (8 * KIB, 64)),
    target("tombstone", records::tombstone, (8 * KIB, 8)),
    target("envelope", records::envelope, (256 * KIB, 16)),
    target("share-words", people::share_words, (64 * KIB, 32)),
    target("share", people::share, (64 * KIB, 16)),
    target("path", people::path, (64 * KIB, 64)),
    target("blob-name", people::blob_name, (8 * KIB, 32)),
    target("size-and-time", people::size_and_time, (8 * KIB, 16)),
    // Patterns become regular expressions, which have a limit of their own.
    target("exclude", people::exclude, (96 * MIB, 4096)),
    target("cutting", people::cutting, (64 * KIB, 8)),
    target("restore-plan", restore::plan, (4 * MIB, 256)),
    // Names that were probably meant are looked for among all zones.
    target("configuration", daemon::configuration, (8 * MIB, 1024)),
    target("schedule", daemon::schedule, (256 * KIB, 64)),
    // A list of numbers has two bytes a number in the file and a value each in memory, twice.
    target("evidence", evidence::one, (64 * KIB, 256)),
    target("evidence-bundle", evidence::bundle, (MIB, 1024)),
];

/// The target of this name.
pub fn named(name: &str) -> &'static Target {
    ALL.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("no target `{name}`"))
}

/// Every error has a text that fits on a screen.
fn told(error: &dyn std::error::Error) -> Seen {
    let text = error.to_string();
    assert!(!text.is_empty(), "an error without a text");
    assert!(text.len() < 64 * 1024, "an error of {} bytes", text.len());
    Seen::Refused
}

/// The first byte chooses among `n`; the rest is the input.
fn choice(input: &[u8], n: u8) -> (u8, &[u8]) {
    match input.split_first() {
        Some((first, rest)) => (first % n, rest),
        None => (0, input),
    }
}
