//! Documents: they name what the code has, their links resolve, each has one title.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::house;
use crate::house::SourceFile;
use crate::house::none;
use crate::house::rust_text;

fn documents() -> Vec<SourceFile> {
    let mut all = house::files("doc", "md");
    all.extend(house::files("changelog", "md"));
    all.extend(house::files("benches", "md"));
    all.extend(house::files("deploy", "md"));
    for name in ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"] {
        all.push(SourceFile { path: name.to_owned(), text: house::text(name) });
    }
    all
}

/// Lines outside code fences, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((index + 1, line));
        }
    }
    lines
}

/// The heading's name as links spell it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_anchor(text: &str, wanted: &str) -> bool {
    let headings = prose(text).into_iter().map(|(_, line)| line);
    headings.filter(|line| line.starts_with('#')).any(|line| anchor(line) == wanted)
}

fn broken_links(file: &SourceFile) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (number, line) in prose(&file.text) {
        for part in line.split("](").skip(1) {
            let link = part.split(')').next().unwrap_or("");
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, wanted) = link.split_once('#').unwrap_or((link, ""));
            let path = house::root().join(folder).join(target);
            let text = if target.is_empty() {
                Some(file.text.clone())
            } else {
                std::fs::read_to_string(&path).ok()
            };
            let there = path.exists() || target.is_empty();
            let anchored = wanted.is_empty() || text.is_some_and(|text| has_anchor(&text, wanted));
            if !there || !anchored {
                found.push(format!("{}:{number}: `{link}` leads nowhere", file.path));
            }
        }
    }
    found
}

#[test]
fn links_resolve() {
    let found: Vec<String> = documents().iter().flat_map(broken_links).collect();
    none("links", &found);
    let text = "# T\n[a](#t) [b](#no) [c](no.md)\n```\n[d](no.md)\n```\n";
    let planted = SourceFile { path: "doc/x.md".to_owned(), text: text.to_owned() };
    assert_eq!(broken_links(&planted).len(), 2);
}

#[test]
fn documents_have_one_title() {
    let mut found = Vec::new();
    for file in documents().iter().filter(|file| !file.path.starts_with("changelog/")) {
        let lines = prose(&file.text);
        let titles = lines.iter().filter(|(_, line)| line.starts_with("# ")).count();
        if titles != 1 {
            found.push(format!("{}: {titles} titles", file.path));
        }
    }
    none("titles", &found);
}

#[test]
fn records_of_the_format_are_documented() {
    let mut pages = house::text("doc/format.md");
    pages.extend(house::files("doc/format", "md").into_iter().map(|file| file.text));
    let mut found = Vec::new();
    for file in house::files("src/format", "rs") {
        let code = rust_text::code_without_tests(&file.text);
        for line in code.lines() {
            let Some(rest) = line.strip_prefix("pub struct ") else { continue };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if !pages.contains(&format!("`{name}`")) {
                found.push(format!("{}: `{name}` stands in no page of the format", file.path));
            }
        }
    }
    none("records", &found);
}

#[test]
fn the_format_version_is_that_of_the_newest_change() {
    let code = house::text("src/format/object.rs");
    let version = code
        .split_once("pub const FORMAT_VERSION: u8 = ")
        .and_then(|(_, rest)| rest.split_once(';'))
        .expect("FORMAT_VERSION")
        .0;
    let page = house::text("doc/format.md");
    let changes = page.split_once("## Compatibility, changes").expect("the chapter of changes").1;
    let newest = changes.lines().find(|line| line.starts_with("### ")).expect("a change");
    assert_eq!(newest, format!("### Format {version}"));
}

/// Names of the crates in the manifest's tables of dependencies.
fn dependencies() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in house::text("Cargo.toml").lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| inside) {
            names.insert(name.trim().to_owned());
        }
    }
    names
}

#[test]
fn every_crate_has_a_reason() {
    let page = house::text("CONTRIBUTING.md");
    let table = page.split_once("## Crates").expect("the chapter `Crates`").1;
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let named: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let used = dependencies();
    assert!(used.len() > 10, "only {} crates read from Cargo.toml", used.len());
    let missing: Vec<&String> = used.difference(&named).collect();
    let stale: Vec<&String> = named.difference(&used).collect();
    assert!(missing.is_empty(), "no reason in CONTRIBUTING.md for {missing:?}");
    assert!(stale.is_empty(), "CONTRIBUTING.md names crates that are not used: {stale:?}");
}

/// Rows of the code's table of exit codes, as `number -> meaning`.
fn exit_codes() -> BTreeMap<String, String> {
    let text = house::text("src/cli/exit.rs");
    let numbers: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "))
        .filter(|(_, number)| number.chars().all(|c| c.is_ascii_digit()))
        .collect();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.trim().starts_with("(Exit::")) {
        let name = line.trim().trim_start_matches("(Exit::").split(',').next().expect("a name");
        let meaning = line.split('"').nth(1).expect("a meaning").to_owned();
        let number = numbers.iter().find(|(found, _)| *found == name).expect("a number").1;
        rows.insert(number.to_owned(), meaning);
    }
    rows
}

#[test]
fn exit_codes_of_the_readme_are_those_of_the_code() {
    let page = house::text("README.md");
    let table = page.split_once("## Exit codes").expect("the chapter of exit codes").1;
    let documented: BTreeMap<String, String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|row| row.trim_end_matches(" |").split_once(" | "))
        .filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit()))
        .map(|(number, meaning)| (number.to_owned(), meaning.to_owned()))
        .collect();
    assert!(documented.len() > 8);
    assert_eq!(documented, exit_codes());
}

/// The first command of the README names no program: cargo has to know which one is meant.
#[test]
fn the_first_command_of_the_readme_starts_the_program() {
    assert!(house::text("README.md").contains("\ncargo run --release -- quickstart "));
    let told = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(house::root())
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let package = &told["packages"][0];
    let programs = package["targets"].as_array().unwrap().iter();
    let programs = programs.filter(|it| it["kind"][0] == "bin").count();
    assert!(programs == 1 || package["default_run"] == "lifeboat", "{programs} programs");
}
