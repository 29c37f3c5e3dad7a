//! The administrator's guide as a script: its blocks of commands, and of configuration.

use super::machine::Machine;
use crate::house;

pub(super) struct Block {
    /// Number of the heading above it.
    section: u32,
    what: What,
}

enum What {
    Commands(String),
    /// A file's name, and what is added to it.
    File(String, String),
}

/// A guide whose words are another's on this machine.
pub(super) struct Guide {
    blocks: Vec<Block>,
    done: u32,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut section = 0;
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
        open = match (open, line.strip_prefix("```")) {
            (None, Some(kind)) => Some((kind, String::new())),
            (None, None) => {
                let heading = line.strip_prefix("## ").and_then(|line| line.split_once('.'));
                section = heading.map_or(section, |(number, _)| number.parse().unwrap());
                None
            }
            (Some((kind, text)), Some(_)) => {
                blocks.push(Block { section, what: what(kind, text) });
                None
            }
            (Some((kind, text)), None) => Some((kind, text + line + "\n")),
        };
    }
    blocks
}

fn what(kind: &str, text: String) -> What {
    match kind {
        "sh" => What::Commands(text),
        "toml" => {
            let name = text.lines().next().unwrap().strip_prefix("# /").expect("a file's name");
            What::File(name.to_owned(), text)
        }
        other => panic!("a block of `{other}`, which nobody tries"),
    }
}

impl Guide {
    /// The page, with each of these words in place of another; each has to be there.
    pub(super) fn read(path: &str, words: &[(&str, &str)]) -> Self {
        let mut page = house::text(path);
        for (from, to) in words {
            assert!(page.contains(from), "{path} does not say `{from}`");
            page = page.replace(from, to);
        }
        Self { blocks: blocks(&page), done: 0 }
    }

    /// Does what the next section says; answers what its commands printed.
    #[track_caller]
    pub(super) fn follow(&mut self, machine: &Machine, section: u32) -> String {
        assert_eq!(self.done + 1, section, "a section was left out");
        self.done = section;
        let mut printed = String::new();
        for block in self.blocks.iter().filter(|block| block.section == section) {
            match &block.what {
                What::Commands(script) => {
                    printed.push_str(&machine.sh(&format!("set -x\ncd /root\n{script}")));
                    printed.push('\n');
                }
                What::File(name, text) => machine.add(name, text),
            }
        }
        printed
    }

    /// Number of the last section.
    pub(super) fn last(&self) -> u32 {
        self.blocks.last().unwrap().section
    }
}

/// What is done, without what is said about it.
fn deeds(page: &str) -> Vec<(u32, String)> {
    let language =
        |line: &str| if line.starts_with("language =") { "language" } else { line }.to_owned();
    let lines = |text: &str| {
        let kept = text.lines().filter(|line| !line.starts_with('#') || line.starts_with("# /"));
        kept.map(language).collect::<Vec<_>>().join("\n")
    };
    let deed = |block: &Block| match &block.what {
        What::Commands(text) => (block.section, lines(text)),
        What::File(name, text) => (block.section, name.clone() + &lines(text)),
    };
    blocks(page).iter().map(deed).collect()
}

#[test]
fn both_guides_do_the_same() {
    let [one, other] = ["doc/admin.md", "doc/vi/admin.md"].map(|path| deeds(&house::text(path)));
    assert!(one.len() > 20, "{} blocks", one.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn a_page_is_read_as_its_blocks() {
    let page = "# T\n## 1. A\nx `y`\n```sh\na\nb\n```\n## 2. B\n```toml\n# /etc/x\nc = 1\n```\n";
    let found = blocks(page);
    assert_eq!(found.iter().map(|block| block.section).collect::<Vec<_>>(), [1, 2]);
    assert!(matches!(&found[0].what, What::Commands(text) if text == "a\nb\n"));
    let What::File(name, text) = &found[1].what else { panic!("no file") };
    assert_eq!((name.as_str(), text.as_str()), ("etc/x", "# /etc/x\nc = 1\n"));
}
