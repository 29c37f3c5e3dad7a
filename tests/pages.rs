//! The pages of the format and the code say the same: examples byte by byte, limits number by
//! number.
//!
//! An example is a block that begins with three backquotes, `hex` and a name. A line of it is hex
//! digits, then two spaces and words for people, if any. Each is read by the code and holds the
//! values that the page shows; what is not random is also made again and compared.

mod keys;
mod limits;
mod objects;
mod values;
mod vault;

use std::collections::BTreeMap;

use crate::house;

/// Reads an example's bytes and compares what they hold with the values shown.
type Read = Box<dyn Fn(&[u8])>;

/// One example of the pages.
pub struct Example {
    name: &'static str,
    /// What the code makes now of the values shown.
    made: Vec<u8>,
    again: Again,
    read: Read,
}

/// Whether the code makes the same bytes twice.
#[derive(PartialEq, Eq)]
enum Again {
    Same,
    /// A random salt or key is in it, or the work of a compressor.
    Different,
}

impl Example {
    fn same(name: &'static str, made: Vec<u8>, read: impl Fn(&[u8]) + 'static) -> Self {
        Self { name, made, again: Again::Same, read: Box::new(read) }
    }

    fn random(name: &'static str, made: Vec<u8>, read: impl Fn(&[u8]) + 'static) -> Self {
        Self { name, made, again: Again::Different, read: Box::new(read) }
    }
}

fn pages() -> Vec<house::SourceFile> {
    let mut pages = house::files("doc/format", "md");
    let path = "doc/format.md".to_owned();
    pages.push(house::SourceFile { text: house::text(&path), path });
    pages
}

/// Every block of the pages with this word after the backquotes, by name.
fn blocks(word: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for page in pages() {
        let mut lines = page.text.lines();
        while let Some(line) = lines.next() {
            let Some(name) = line.trim().strip_prefix(&format!("```{word} ")) else { continue };
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            let twin = found.insert(name.to_owned(), body.join("\n"));
            assert!(twin.is_none(), "{}: a second block `{word} {name}`", page.path);
        }
    }
    found
}

/// The bytes of a block; a line's words are not looked at.
fn bytes(name: &str, block: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in block.lines() {
        let digits = line.trim().split("  ").next().unwrap_or("").trim();
        assert!(digits.len().is_multiple_of(2), "{name}: `{line}`");
        for at in (0..digits.len()).step_by(2) {
            let byte = u8::from_str_radix(&digits[at..at + 2], 16);
            bytes.push(byte.unwrap_or_else(|_| panic!("{name}: `{line}` is no hex")));
        }
    }
    bytes
}

/// A block of the pages as bytes.
pub fn block(name: &str) -> Vec<u8> {
    let blocks = blocks("hex");
    bytes(name, blocks.get(name).unwrap_or_else(|| panic!("no block `hex {name}`")))
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines = digits.as_bytes().chunks(64);
    lines.map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_example_is_read_and_made_by_the_code() {
    let mut blocks = blocks("hex");
    let examples = [objects::examples(), vault::examples(), keys::examples()];
    let mut wrong = Vec::new();
    for example in examples.into_iter().flatten() {
        (example.read)(&example.made);
        let name = example.name;
        let Some(block) = blocks.remove(name) else {
            wrong.push(format!("no block `hex {name}`; it would be\n{}", hex(&example.made)));
            continue;
        };
        let shown = bytes(name, &block);
        if example.again == Again::Same && shown != example.made {
            wrong.push(format!("`{name}` is made otherwise now:\n{}", hex(&example.made)));
            continue;
        }
        (example.read)(&shown);
    }
    let strangers = blocks.keys().map(|name| format!("`hex {name}` is checked by nothing"));
    wrong.extend(strangers);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_words_of_the_example_are_its_share() {
    let words = blocks("words").remove("share").expect("a block `words share`");
    let share = lifeboat::repository::keys::recovery::words::decode(1, &words).unwrap();
    assert_eq!(share.encode().expose(), block("share"));
    let again = lifeboat::repository::keys::recovery::words::encode(&share);
    assert_eq!(words.split_whitespace().collect::<Vec<_>>().join(" "), again.as_str());
}
